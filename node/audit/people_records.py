"""What this node records of people: their roles, keys and substitutes, and who read which case.

As every record (`node.audit.records`), these hold random ids and codes, and never names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from node.audit.record import NodeRecord


@dataclass(frozen=True, slots=True)
class UserAsked(NodeRecord):
    """A change of a person waits for a second person; `matter` is its code."""

    kind: ClassVar[str] = "user.asked"

    person: str
    roles: str
    state: str
    matter: str


@dataclass(frozen=True, slots=True)
class UserChanged(NodeRecord):
    """A person has these roles from here on, or has ended; who `asked`, and `by` confirmed.

    `uid` is the user of the machine by which the node knows them, if it does.
    """

    kind: ClassVar[str] = "user.changed"

    person: str
    roles: str
    state: str
    uid: int | None
    asked: str | None


@dataclass(frozen=True, slots=True)
class UserReached(NodeRecord):
    """The mail address of a person, or when mail goes to it, was changed."""

    kind: ClassVar[str] = "user.reached"

    person: str
    mailing: str


@dataclass(frozen=True, slots=True)
class UserAway(NodeRecord):
    """A person is away between two times, or not any more, and this one stands in."""

    kind: ClassVar[str] = "user.away"

    person: str
    substitute: str | None
    away_from: int | None
    away_until: int | None


@dataclass(frozen=True, slots=True)
class KeyMade(NodeRecord):
    """An access key of a person was made; `key` is its digest."""

    kind: ClassVar[str] = "access-key.made"

    key: str
    person: str
    scopes: str
    expires: int


@dataclass(frozen=True, slots=True)
class KeyEnded(NodeRecord):
    """An access key opens nothing any more."""

    kind: ClassVar[str] = "access-key.ended"

    key: str
    person: str


@dataclass(frozen=True, slots=True)
class MatterAsked(NodeRecord):
    """Something that takes two people was asked for by the first; `matter` is its code."""

    kind: ClassVar[str] = "matter.asked"

    verb: str
    matter: str


@dataclass(frozen=True, slots=True)
class MatterConfirmed(NodeRecord):
    """A second person agreed to what the first had asked for."""

    kind: ClassVar[str] = "matter.confirmed"

    verb: str
    matter: str


@dataclass(frozen=True, slots=True)
class CaseRead(NodeRecord):
    """What is said in a case was given to a person, or was about to be."""

    kind: ClassVar[str] = "case.read"

    case: str
    verb: str


@dataclass(frozen=True, slots=True)
class CaseLetIn(NodeRecord):
    """A person may read a case from here on; `level` says how much."""

    kind: ClassVar[str] = "case.let-in"

    case: str
    person: str
    level: str


@dataclass(frozen=True, slots=True)
class CaseLetOut(NodeRecord):
    """A person may not read a case any more, unless as who is in charge of it."""

    kind: ClassVar[str] = "case.let-out"

    case: str
    person: str
