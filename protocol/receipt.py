"""The receipt: proof that a recipient's log holds its decision about a message (SPEC 7).

A receipt is a record, its salt, and the proof of its entry under a checkpoint of the
recipient's log. There is no second kind of acknowledgement, and a final refusal has the
same form. This module knows no envelope and no peer: the caller says whose log it must be
and compares what the record names with what it sent.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from protocol.checkpoint import Checkpoint, LogKeys, SignedCheckpoint, claimed_checkpoint
from protocol.encoding import Fields, canonical, decode, to_base64
from protocol.errors import NotAuthentic
from protocol.limits import NOTE_BYTES_MAX, RECEIPT_BYTES_MAX, RECORD_BYTES_MAX
from protocol.merkle import leaf_hash
from protocol.proof import decode_proof, verify_proof
from protocol.record import SALT_BYTES, Decision, commitment, decode_decision, entry


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt in its right form; nothing of it is proved yet."""

    record: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    proof: bytes = field(repr=False)

    def encode(self) -> bytes:
        """Give the canonical bytes: base64 of exact bytes (SPEC 7.1)."""
        return canonical(
            {
                "v": 1,
                "record": to_base64(self.record),
                "salt": to_base64(self.salt),
                "proof": to_base64(self.proof),
            }
        )


@dataclass(frozen=True, slots=True)
class ProvenDecision:
    """A decision that stands in its issuer's log: it binds the issuer from now on."""

    decision: Decision
    index: int
    signed: SignedCheckpoint
    raw: bytes = field(repr=False)


def decode_receipt(raw: bytes) -> Receipt:
    """Decode a receipt strictly; the record inside is decoded when it is verified."""
    fields = Fields(decode(raw, bytes_max=RECEIPT_BYTES_MAX), "receipt")
    fields.integer("v", low=1, high=1)
    receipt = Receipt(
        record=fields.base64("record", bytes_max=RECORD_BYTES_MAX),
        salt=fields.base64("salt", size=SALT_BYTES),
        proof=fields.base64("proof", bytes_max=NOTE_BYTES_MAX),
    )
    fields.done()
    return receipt


def named_checkpoint(raw: bytes) -> Checkpoint:
    """Give the checkpoint that a receipt says it rests on: unproved, to find the log's keys."""
    return claimed_checkpoint(decode_proof(decode_receipt(raw).proof).checkpoint_raw)


def verify_receipt(
    raw: bytes, *, network: str, issuer: str, origin: str, keys: LogKeys
) -> ProvenDecision:
    """Verify a receipt or final refusal against its issuer's log keys (SPEC 7.2).

    Raises `NotAuthentic` if any part of the proof does not hold, or if the record is not a
    decision of `issuer` in `network`. The caller must still compare the decision's identity
    and sender with the message it asks about.
    """
    # (1) The form of the receipt and of its record.
    receipt = decode_receipt(raw)
    decision = decode_decision(receipt.record)
    # (2) The issuer speaks about messages to itself, in this network, and about no others.
    if decision.network != network or decision.recipient != issuer:
        raise NotAuthentic("a decision that is not its issuer's to make")
    # (3) The entry that the log must hold: a commitment to exactly this record.
    leaf = leaf_hash(entry(commitment(receipt.record, receipt.salt)))
    # (4) Both checkpoint signatures and the inclusion proof.
    proven = verify_proof(receipt.proof, leaf=leaf, origin=origin, keys=keys)
    return ProvenDecision(decision, proven.index, proven.signed, raw)
