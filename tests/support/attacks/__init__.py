"""Everything that somebody with private keys of his own, and time, may do to a bundle."""

from __future__ import annotations

from tests.support.attacks import on_files, on_logs, on_messages, on_receipts, on_trust
from tests.support.attacks.made import Attack, Base, attacks, base

__all__ = [
    "Attack", "Base", "attacks", "base", "on_files", "on_logs", "on_messages", "on_receipts",
    "on_trust",
]  # fmt: skip
