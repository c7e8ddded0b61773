"""What this node records where a person moves or ends a clock of a case.

Clocks that follow from messages need no record of their own: the messages have theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from node.audit.record import NodeRecord


@dataclass(frozen=True, slots=True)
class ClockMoved(NodeRecord):
    """A person set until when something in a case is awaited; `reason` is a code."""

    kind: ClassVar[str] = "clock.moved"

    case: str
    clock: str
    due: int
    reason: str


@dataclass(frozen=True, slots=True)
class ClockEnded(NodeRecord):
    """A person said that what a clock of a case awaited has been done."""

    kind: ClassVar[str] = "clock.ended"

    case: str
    clock: str
