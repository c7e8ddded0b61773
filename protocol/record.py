"""Records and entries: what happened, and the salted commitment that the log stores (SPEC 6.1).

A record is private canonical JSON; an entry is 33 bytes whatever the record. Whoever holds
record and salt can show what an entry says; without them it says nothing. Only the two
records that leave the node as receipts and refusals are typed here; the others are a
node's own affair. Knows no tree, no key and no storage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast

from protocol.digest import sha256
from protocol.encoding import Fields, Json, canonical, decode
from protocol.errors import REFUSALS, Malformed, Misuse
from protocol.identity import check_authority_id
from protocol.limits import RECORD_BYTES_MAX

SALT_BYTES: Final = 32
ENTRY_PREFIX: Final = b"\x01"
_LABEL: Final = b"comity/v1/record\0"


def commitment(record: bytes, salt: bytes) -> bytes:
    """Give the 32 bytes that commit to a record without showing it (SPEC 6.1)."""
    if len(salt) != SALT_BYTES:
        raise Misuse("a salt has 32 bytes")
    return sha256(_LABEL, salt, record)


def entry(committed: bytes) -> bytes:
    """Give the log entry of a commitment: always 33 bytes."""
    return ENTRY_PREFIX + committed


def encode_record(network: str, kind: str, fields: Mapping[str, Json]) -> bytes:
    """Encode a record: `v`, `network` and `kind` beside the fields of its kind."""
    raw = canonical({**fields, "v": 1, "network": network, "kind": kind})
    if len(raw) > RECORD_BYTES_MAX:
        raise Misuse(f"a {kind} record over its limit")
    return raw


@dataclass(frozen=True, slots=True)
class Decision:
    """What a recipient's log says of one message: accepted, or finally refused (SPEC 7.1).

    `order` is the number of a requesting side's message in its case, given by the requested
    side on acceptance; null for messages that carry their own and for refusals.
    """

    kind: Literal["message.accepted", "message.refused"]
    network: str
    at: int
    identity: str
    envelope: str
    sender: str
    recipient: str
    order: int | None = None
    code: str | None = None

    def encode(self) -> bytes:
        """Give the canonical bytes of the record."""
        fields: dict[str, Json] = {
            "at": self.at,
            "identity": self.identity,
            "envelope": self.envelope,
            "from": self.sender,
            "to": self.recipient,
        }
        if self.kind == "message.accepted":
            fields["order"] = self.order
        else:
            fields["code"] = self.code
        return encode_record(self.network, self.kind, fields)


def decode_decision(raw: bytes) -> Decision:
    """Decode a `message.accepted` or `message.refused` record strictly."""
    fields = Fields(decode(raw, bytes_max=RECORD_BYTES_MAX), "record")
    fields.integer("v", low=1, high=1)
    kind = fields.choice("kind", ("message.accepted", "message.refused"))
    accepted = kind == "message.accepted"
    decision = Decision(
        kind=cast('Literal["message.accepted", "message.refused"]', kind),
        network=check_authority_id(fields.text("network")),
        at=fields.integer("at"),
        identity=fields.digest("identity"),
        envelope=fields.digest("envelope"),
        sender=check_authority_id(fields.text("from")),
        recipient=check_authority_id(fields.text("to")),
        order=fields.integer_or_none("order", low=1) if accepted else None,
        code=None if accepted else fields.text("code", chars_max=32),
    )
    fields.done()
    if not accepted and (decision.code not in REFUSALS or not REFUSALS[decision.code].final):
        raise Malformed("a refusal that cannot be final")
    return decision
