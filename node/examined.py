"""Receipts and refusals that came back, verified as far as that needs no storage.

A receipt proves its issuer's decision by the issuer's log. Most rest on the log that is
open; a repeat may stand in one that was closed since. What they settle is for the outbox.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from node.office import Office
from protocol.checkpoint import number_of
from protocol.errors import Rejected
from protocol.receipt import ProvenDecision, named_checkpoint, verify_receipt

_CONTRADICTS: Final = "receipt-contradicts"


@dataclass(frozen=True, slots=True)
class Proven:
    """A receipt or proven refusal whose proof holds under the peer's log keys."""

    peer: str
    answer: ProvenDecision = field(repr=False)


@dataclass(frozen=True, slots=True)
class Doubtful:
    """What should have been a receipt and does not hold: kept, alarmed, no delivery."""

    peer: str
    raw: bytes = field(repr=False)
    code: str
    kind: str = "receipt-invalid"

    @property
    def contradicts(self) -> bool:
        """Whether it would hold, but for the log that it rests on."""
        return self.kind == _CONTRADICTS


def examine(office: Office, peer: str, raw: bytes) -> Proven | Doubtful:
    """Verify a receipt or refusal that `peer` gave, by the log that it rests on."""
    try:
        try:
            return _verified(office, peer, raw, None)
        except Rejected:
            number = number_of(named_checkpoint(raw).origin)
            if number == office.directory.open_log_number(peer):
                raise
            return _verified(office, peer, raw, number)
    except Rejected as fault:
        return Doubtful(peer, raw, fault.code)


def contradicted(one: Proven) -> Doubtful:
    """Give what a receipt is worth whose checkpoint contradicts its log: kept, no delivery."""
    return Doubtful(one.peer, one.answer.raw, "log-fork", kind=_CONTRADICTS)


def _verified(office: Office, peer: str, raw: bytes, number: int | None) -> Proven:
    origin, keys = office.directory.log_keys(peer, number)
    proven = verify_receipt(raw, network=office.network, issuer=peer, origin=origin, keys=keys)
    return Proven(peer, proven)
