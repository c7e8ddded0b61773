"""Prove what a peer returned: a message by its signatures, and that it was receipted.

Whoever returns it proves nothing by doing so: one of the two sides signed the message, and
the log of its recipient holds that it was accepted. Nothing is stored here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from node.app import Node
from node.transport.batch import Batch, Receipted
from protocol.digest import sha256_hex
from protocol.envelope import (
    OpenedEnvelope,
    authenticate_returned,
    check_addressed,
    open_envelope,
    read_envelope,
)
from protocol.errors import Malformed, Mismatch
from protocol.identity import PublicKey
from protocol.messages import AuthenticMessage
from protocol.receipt import ProvenDecision, verify_receipt
from protocol.receipt_file import read_claim


@dataclass(frozen=True, slots=True)
class Back:
    """A message that came back, with the proof that it was accepted."""

    peer: str
    signed: AuthenticMessage
    proven: ProvenDecision
    key_id: str

    @property
    def order(self) -> int | None:
        """Its number in the order of its case: its own, or the one its receipt gave."""
        own = self.signed.message.order
        return self.proven.decision.order if own is None else own


def prove(node: Node, peer: str, raw: bytes, receipt: bytes) -> Back:
    """Open a returned envelope and verify message and receipt (SPEC 5.6)."""
    envelope = read_envelope(raw)
    office, own = node.office, node.office.authority
    check_addressed(envelope, network=office.network, recipient=own, brought_by=peer)
    opened = open_envelope(envelope, office.seal_key(envelope.header.key_id))
    signed = authenticate_returned(opened, _signers(node, opened, peer))
    message = signed.message
    if {message.sender, message.recipient} != {own, peer}:
        raise Mismatch("a message between other authorities")
    number = read_claim(receipt).log_number
    origin, keys = office.directory.log_keys(message.recipient, number, even_revoked=True)
    proven = verify_receipt(
        receipt, network=office.network, issuer=message.recipient, origin=origin, keys=keys
    )
    decision = proven.decision
    if (decision.kind, decision.identity, decision.sender) != (
        "message.accepted", signed.identity, message.sender,
    ):  # fmt: skip
        raise Mismatch("a receipt for another message")
    return Back(peer, signed, proven, envelope.header.key_id)


def _signers(node: Node, opened: OpenedEnvelope, peer: str) -> tuple[PublicKey, PublicKey]:
    """Give the keys of whichever side signed, by the ids that the statement names."""
    header, now = opened.header, node.clock.now()
    named = [one.key_id for one in opened.statement.signatures]
    for authority in (peer, node.office.authority):
        keys = node.office.directory.sign_keys(
            authority, epoch=header.epoch, created=header.created, now=now
        )
        if [key.key_id for key in keys] == named:
            return keys
    raise Mismatch("signed by neither side")


def pairs(page: Batch) -> Iterator[tuple[bytes, bytes]]:
    """Give each envelope of a page with the receipt that names it."""
    receipts = {
        one.envelope: one.receipt for one in page.answers.answers if isinstance(one, Receipted)
    }
    for raw in page.envelopes:
        receipt = receipts.get(sha256_hex(raw))
        if receipt is None:
            raise Malformed("a returned message without its receipt")
        yield raw, receipt
