"""What each message of a case did, in the order of the case, and what stands beside it.

    for one in history(shown, authority): one.identity, one.applied.rule, one.applied.why

The same fold as everywhere (`node.cases.standings`), kept step by step for whoever reads.
Knows no rights: what a person may not see is left out by whoever shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from node.cases.register import ShownCase, ShownMessage
from protocol.encoding import Json
from protocol.lifecycle import Applied, Standing, Step, apply

GIVEN_UP: Final = frozenset({"undelivered", "refused"})
_UNPLACED: Final = 2**62


@dataclass(frozen=True, slots=True)
class Did:
    """What one step did: the state before it, what came of it, and whether that is settled."""

    before: Standing | None
    applied: Applied
    confirmed: bool

    def to_json(self) -> dict[str, Json]:
        """Give it as verbs show it."""
        rule, before, after = self.applied.rule, self.before, self.applied.standing
        return {
            "rule": None if rule is None else rule.id,
            "from": None if before is None else str(before.state),
            "to": None if after is None else str(after.state),
            "why": self.applied.why,
            "confirmed": self.confirmed,
        }


def history(shown: ShownCase) -> Mapping[str, Did]:
    """Say what each message of a case did, by its identity; what was given up is left out."""
    found: dict[str, Did] = {}
    standing: Standing | None = None
    for one in in_order(shown):
        if one.stored.state in GIVEN_UP:
            continue
        applied = apply(standing, step_of(one))
        confirmed = one.stored.order_number is not None
        found[one.stored.identity] = Did(standing, applied, confirmed)
        standing = applied.standing
    return found


def fold_with(steps: Iterable[Step]) -> list[Did]:
    """Say the same of steps that are in their order already."""
    found: list[Did] = []
    standing: Standing | None = None
    for step in steps:
        applied = apply(standing, step)
        found.append(Did(standing, applied, confirmed=True))
        standing = applied.standing
    return found


def step_of(one: ShownMessage) -> Step:
    """Give a message as the life cycle sees it."""
    message = one.message
    return Step(
        message.kind, message.sender_side, message.body, message.created, one.stored.identity
    )


def bodies(shown: ShownCase, kind: str) -> list[Mapping[str, Json]]:
    """Give the bodies of all messages of one kind, in their order."""
    return [one.message.body for one in in_order(shown) if one.message.kind == kind]


def in_order(shown: ShownCase) -> list[ShownMessage]:
    """Give the messages of a case in its order; what has no place in it yet comes last."""
    return sorted(shown.messages, key=_place)


def _place(one: ShownMessage) -> tuple[int, int]:
    order = one.stored.order_number
    return (_UNPLACED if order is None else order, one.stored.seq)
