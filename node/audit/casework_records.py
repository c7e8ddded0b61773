"""What this node records of the work on cases: drafts, steps on paper, links, hand-overs.

As every record (`node.audit.records`), these hold random ids and digests of salted texts, and
never content or names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from node.audit.record import NodeRecord


@dataclass(frozen=True, slots=True)
class DraftSaved(NodeRecord):
    """A draft was made or written on; `digest` is that of its salted text."""

    kind: ClassVar[str] = "draft.saved"

    draft: str
    version: int
    digest: str


@dataclass(frozen=True, slots=True)
class DraftSubmitted(NodeRecord):
    """A version of a draft was given to a second person to approve."""

    kind: ClassVar[str] = "draft.submitted"

    draft: str
    version: int
    digest: str


@dataclass(frozen=True, slots=True)
class DraftReturned(NodeRecord):
    """A version of a draft was given back to its writers."""

    kind: ClassVar[str] = "draft.returned"

    draft: str
    version: int
    digest: str


@dataclass(frozen=True, slots=True)
class DraftApproved(NodeRecord):
    """A version of a draft was approved by somebody who wrote nothing of it."""

    kind: ClassVar[str] = "draft.approved"

    draft: str
    version: int
    digest: str


@dataclass(frozen=True, slots=True)
class DraftSent(NodeRecord):
    """A version of a draft became the message `identity`."""

    kind: ClassVar[str] = "draft.sent"

    draft: str
    version: int
    digest: str
    identity: str


@dataclass(frozen=True, slots=True)
class DraftCancelled(NodeRecord):
    """A draft was given up before it was sent."""

    kind: ClassVar[str] = "draft.cancelled"

    draft: str
    version: int
    digest: str


@dataclass(frozen=True, slots=True)
class CaseRegistered(NodeRecord):
    """A case that did not come over the network was put into the register; `side` is ours."""

    kind: ClassVar[str] = "case.registered"

    case: str
    side: str


@dataclass(frozen=True, slots=True)
class StepRecorded(NodeRecord):
    """A step that came on paper was recorded; `digest` is that of its salted text."""

    kind: ClassVar[str] = "case.step-recorded"

    case: str
    step: str
    digest: str


@dataclass(frozen=True, slots=True)
class CaseLinked(NodeRecord):
    """A case was linked with another; which ones is in tables beside the log."""

    kind: ClassVar[str] = "case.linked"

    case: str


@dataclass(frozen=True, slots=True)
class CaseReferred(NodeRecord):
    """A case was given a reference of ours."""

    kind: ClassVar[str] = "case.referred"

    case: str


@dataclass(frozen=True, slots=True)
class CaseHandedOver(NodeRecord):
    """A person is in charge of a case from here on; `to` is who."""

    kind: ClassVar[str] = "case.handed-over"

    case: str
    to: str


@dataclass(frozen=True, slots=True)
class CaseSentAgain(NodeRecord):
    """A request that had not arrived in time was given new time; its message is the same."""

    kind: ClassVar[str] = "case.sent-again"

    case: str


@dataclass(frozen=True, slots=True)
class CaseAbandoned(NodeRecord):
    """A request that never arrived was given up, and its case closed on our side."""

    kind: ClassVar[str] = "case.abandoned"

    case: str
