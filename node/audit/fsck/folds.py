"""Where cases stand, derived again from the texts of their messages and steps on paper.

Only the life cycle itself, which both sides of a case share (SPEC 16), is the same code that
moved the case: which messages count, in which order, and what was kept is looked at anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from node.storage.audit_rows import Values
from protocol.digest import sha256
from protocol.lifecycle import Standing, Step, apply

_COUNTS: Final = frozenset({"accepted", "delivered", "queued"})
_OPENS: Final = "transmit"


@dataclass(frozen=True, slots=True)
class Folded:
    """Where a case stands; `state` is None while nothing was delivered."""

    machine: str | None
    state: str | None
    unconfirmed: str | None
    applied: int
    digest: bytes  # of the standing as it is kept

    def agrees(self, row: Values) -> bool:
        """Say whether a row says the same."""
        if (self.applied, self.digest) != (row.applied, sha256(row.standing.encode())):
            return False
        return self.state is None or (
            (self.machine, self.state, self.unconfirmed)
            == (row.machine, row.state, row.unconfirmed)
        )  # fmt: skip


class Folds:
    """Gathers the steps of cases, and folds each case when all of it was read."""

    def __init__(self) -> None:
        """Begin with no case."""
        self.folded: dict[str, Folded] = {}
        self._placed: defaultdict[str, list[tuple[int, Step]]] = defaultdict(list)
        self._pending: defaultdict[str, list[tuple[int, Step]]] = defaultdict(list)

    def add_message(self, row: Values, side: str, step: Step) -> None:
        """Add a message, whose text was opened."""
        if row.state not in _COUNTS:
            return
        if row.order_number is not None:
            self._placed[row.case_id].append((row.order_number, step))
        elif row.direction == "out" and row.state == "queued" and side == "requesting":
            self._pending[row.case_id].append((row.seq, step))

    def add_step(self, case: str, place: int, step: Step) -> None:
        """Add a step that came on paper."""
        self._placed[case].append((place, step))

    def close(self, *, but: str | None = None) -> None:
        """Fold every case that was gathered, but one of which there may be more."""
        for case in {*self._placed, *self._pending} - {but}:
            placed = sorted(self._placed.pop(case, []), key=_number)
            pending = sorted(self._pending.pop(case, []), key=_number)
            self.folded[case] = _fold(placed, [step for _, step in pending])


def _number(one: tuple[int, Step]) -> int:
    return one[0]


def _fold(placed: Iterable[tuple[int, Step]], pending: Iterable[Step]) -> Folded:
    after: Standing | None = None
    applied = 0
    for number, step in placed:
        after, applied = apply(after, step).standing, number
    top, beyond = after, False
    for step in pending:
        top = apply(top, step).standing
        beyond = beyond or step.event != _OPENS
    if after is None:
        return Folded(None, None, None, applied, sha256(b""))
    shown = str(top.state) if top is not None and beyond and top.state != after.state else None
    return Folded(after.machine, str(after.state), shown, applied, sha256(after.encode()))
