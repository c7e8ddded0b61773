"""What happened in a case, for everything that follows from it.

The register tells each effect (clocks, the feed, the index, statistics) of every step in the
unit of work that makes it, so that all of it is true at once or none. An effect changes rows
of its own; it never posts a message and never changes where the case stands. A body may be
anything that a peer signed: whoever reads it takes what is in its form and leaves the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from node.storage.case_rows import Case
from node.storage.writer import Tx
from protocol.encoding import Json
from protocol.lifecycle import Standing
from protocol.messages import Side


@dataclass(frozen=True, slots=True)
class Happened:
    """One step of a case, or one that was placed only now.

    `at` is when its author says it was (Unix seconds). `ours`: we made it. `confirmed`: its
    place is settled, which for a step of the requesting side is so once it is receipted; the
    requesting side hears of its own step twice, first unconfirmed and then confirmed.
    `before` and `after` are where the case stood (None: not delivered yet); they are equal
    where the step changed nothing.
    """

    case: Case
    event: str
    side: Side
    body: Mapping[str, Json] = field(repr=False)
    at: int
    identity: str | None  # of the message; None for a step that was on paper
    ours: bool
    confirmed: bool
    before: Standing | None
    after: Standing | None


class Effect(Protocol):
    """Something that follows from a step, in the same unit of work."""

    def __call__(self, tx: Tx, one: Happened) -> None:
        """Change rows of one's own, whatever the body holds; never fails because of it."""
        ...
