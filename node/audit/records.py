"""What this node records in its log: a closed list, one frozen class each.

A record holds identities, digests, codes and random ids, and never content or names: what
it means to a person is in tables beside the log that can be erased. The two decisions that
leave the node as receipts are typed in `protocol.record`; these stay here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from node.audit import (  # noqa: F401  (their classes are among the kinds below)
    api_records,
    casework_records,
    clock_records,
    people_records,
)
from node.audit.record import NodeRecord


@dataclass(frozen=True, slots=True)
class LogOpened(NodeRecord):
    """Leaf 0 of a log: whose it is and which one."""

    kind: ClassVar[str] = "log.opened"

    origin: str


@dataclass(frozen=True, slots=True)
class LogClosed(NodeRecord):
    """Leaf 0 of a log that continues a closed one; `statement` is what the `sign` keys said.

    `closed` is the origin of that log, `size` and `root` (hex) are where it ends for good.
    """

    kind: ClassVar[str] = "log.closed"

    origin: str
    closed: str
    size: int
    root: str
    reason: str
    statement: str


@dataclass(frozen=True, slots=True)
class ClosureInstalled(NodeRecord):
    """A peer's statement that it closed a log was installed."""

    kind: ClassVar[str] = "log.closure-installed"

    origin: str
    statement: str


@dataclass(frozen=True, slots=True)
class ForkFound(NodeRecord):
    """A proof was found, or came, that a log of an authority has two histories."""

    kind: ClassVar[str] = "log.fork-found"

    origin: str
    proof: str


@dataclass(frozen=True, slots=True)
class LogTimestamped(NodeRecord):
    """A timestamp of a checkpoint of this log came from a timestamp authority."""

    kind: ClassVar[str] = "log.timestamped"

    size: int
    token: str


@dataclass(frozen=True, slots=True)
class RecordErased(NodeRecord):
    """Records of a log and their salts were destroyed; their entries stay.

    `entries` lists them: positions and ranges of positions, as `3,7-9`.
    """

    kind: ClassVar[str] = "record.erased"

    log: int
    entries: str
    reason: str


@dataclass(frozen=True, slots=True)
class CaseErased(NodeRecord):
    """The key of a case was destroyed, and with it all its texts."""

    kind: ClassVar[str] = "case.erased"

    case: str
    reason: str


@dataclass(frozen=True, slots=True)
class TokenMade(NodeRecord):
    """An auditor may read this log until `expires`; `token` is the digest of the token."""

    kind: ClassVar[str] = "token.made"

    token: str
    expires: int


@dataclass(frozen=True, slots=True)
class TokenEnded(NodeRecord):
    """An auditor's token was taken back."""

    kind: ClassVar[str] = "token.ended"

    token: str


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
class MessageRecovered(NodeRecord):
    """A message that this node had lost came back from the peer, with its old receipt.

    `direction` is `out` or `in`; `receipt` is the SHA-256 of the receipt, whose order holds.
    """

    kind: ClassVar[str] = "message.recovered"

    identity: str
    direction: str
    peer: str
    case: str
    receipt: str
    order: int | None


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
    *dict.fromkeys(cls.kind for cls in NodeRecord.__subclasses__()),  # slots make a class twice
)
"""Every kind that a log of this version may hold."""
