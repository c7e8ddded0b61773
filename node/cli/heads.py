"""How the commands say who has seen a state of the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from node.audit.kept import KeptHead


def witnessed(head: KeptHead) -> str:
    """Say who has seen a state of the log, and how many the network asks for."""
    if not head.quorum:
        return "the network names no witness for this log"
    names = f": {', '.join(head.witnesses)}" if head.witnesses else ""
    return f"by {len(head.witnesses)} of {head.quorum} that are asked for{names}"
