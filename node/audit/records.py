"""What this node records in its log: a closed list, one frozen class each (DESIGN 5).

A record holds identities, digests, codes and random ids, and never content or names: what
it means to a person is in tables beside the log that can be erased. The two decisions that
leave the node as receipts are typed in `protocol.record`; these stay here.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

from protocol.encoding import Json
from protocol.record import encode_record


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """What every record has: its kind, the network, and the time in Unix seconds."""

    kind: ClassVar[str]

    network: str
    at: int

    def encode(self) -> bytes:
        """Give the canonical bytes of the record."""
        values: dict[str, Json] = {
            one.name: getattr(self, one.name) for one in fields(self) if one.name != "network"
        }
        return encode_record(self.network, self.kind, values)


@dataclass(frozen=True, slots=True)
class LogOpened(NodeRecord):
    """Leaf 0 of a log: whose it is and which one."""

    kind: ClassVar[str] = "log.opened"

    origin: str


@dataclass(frozen=True, slots=True)
class MessageSent(NodeRecord):
    """A message was signed, sealed and queued; `case` is the case's random id in this log."""

    kind: ClassVar[str] = "message.sent"

    identity: str
    envelope: str
    to: str
    case: str
    order: int | None


@dataclass(frozen=True, slots=True)
class MessageResealed(NodeRecord):
    """A waiting message was sealed again, to another key of the same recipient."""

    kind: ClassVar[str] = "message.resealed"

    identity: str
    envelope: str
    to: str


@dataclass(frozen=True, slots=True)
class MessageDelivered(NodeRecord):
    """A receipt came and was verified; `receipt` is the SHA-256 of its bytes."""

    kind: ClassVar[str] = "message.delivered"

    identity: str
    receipt: str


@dataclass(frozen=True, slots=True)
class MessageRefusedByPeer(NodeRecord):
    """A proof came that the peer's log holds a final refusal of the message."""

    kind: ClassVar[str] = "message.refused-by-peer"

    identity: str
    receipt: str
    code: str


@dataclass(frozen=True, slots=True)
class MessageUndelivered(NodeRecord):
    """No receipt came before the message expired."""

    kind: ClassVar[str] = "message.undelivered"

    identity: str


@dataclass(frozen=True, slots=True)
class NetworkInstalled(NodeRecord):
    """A network document was installed."""

    kind: ClassVar[str] = "network.installed"

    version: int
    document: str


@dataclass(frozen=True, slots=True)
class ListingInstalled(NodeRecord):
    """An authority's listing was installed."""

    kind: ClassVar[str] = "listing.installed"

    authority: str
    serial: int
    listing: str


@dataclass(frozen=True, slots=True)
class RevocationInstalled(NodeRecord):
    """A revocation was installed, and is in force from here on."""

    kind: ClassVar[str] = "revocation.installed"

    revocation: str
    key_id: str


@dataclass(frozen=True, slots=True)
class KeyRotated(NodeRecord):
    """A key of this node was replaced by a new one."""

    kind: ClassVar[str] = "key.rotated"

    purpose: str
    retired: str
    key_id: str


@dataclass(frozen=True, slots=True)
class EvidenceListed(NodeRecord):
    """A manifest of evidence left with a message of ours, or came with one."""

    kind: ClassVar[str] = "evidence.listed"

    identity: str
    manifest: str
    items: int


RECORD_KINDS: tuple[str, ...] = (
    "message.accepted",
    "message.refused",
    *(cls.kind for cls in NodeRecord.__subclasses__()),
)
"""Every kind that a log of this version may hold."""
