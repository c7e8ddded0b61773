"""The work list: clocks that have not ended, of the cases that a person may see, as pages.

    work_rows.page(conn, Wanted(person, now, today_until), after=None, at_most=50)

Statements only. Whoever sees every case is served from the clocks in the order in which they
are due, whoever sees some from the rows that wait for them, in the same order: either way a
page costs what it shows, and a count what it counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Label,
    Select,
    and_,
    func,
    or_,
    select,
    union,
)

from node.access.roles import Person
from node.storage import member_rows
from node.storage.clock_rows import Clock
from node.storage.tables import cases, clocks, standings, waiting
from node.storage.waiting_rows import CHARGE, MEMBER

Group = Literal["all", "overdue", "today", "us", "them"]
GROUPS: Final[tuple[Group, ...]] = ("overdue", "today", "us", "them")
COUNTED_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose work, at which time, until when today lasts, and which part of it."""

    person: Person
    now: int
    today_until: int
    group: Group = "all"


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the work list: a clock, and what the case is called."""

    clock: Clock
    side: str
    peer: str
    request_kind: str
    state: str
    own_ref: str | None
    peer_ref: str | None
    officer: str | None


_CLOCK = [clocks.c[name] for name in Clock.__dataclass_fields__]
_CASE = [
    cases.c.side, cases.c.peer, cases.c.request_kind,
    standings.c.state, standings.c.own_ref, standings.c.peer_ref, standings.c.officer,
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Source:
    """Where clocks are looked at: all of them, or those that wait for somebody."""

    scope: ColumnElement[bool]
    number: ColumnElement[int]
    due: ColumnElement[int]
    waits_for: ColumnElement[str]
    runs: ColumnElement[bool]

    def rows(self, wanted: Wanted, group: Group) -> ColumnElement[bool]:
        """Give the condition on the rows of a group."""
        match group:
            case "overdue":
                return and_(self.scope, self.runs, self.due < wanted.now)
            case "today":
                return and_(self.scope, self.runs, self.due.between(wanted.now, wanted.today_until))
            case "us" | "them":
                return and_(self.scope, self.waits_for == group)
        return self.scope

    def first(
        self, wanted: Wanted, group: Group, at_most: int, after: tuple[int, int] | None = None
    ) -> Select[int, int]:
        """Select the clocks of a group that are due first."""
        query = (
            select(self.number.label("id"), self.due.label("due_at"))
            .where(self.rows(wanted, group))
            .order_by(self.due, self.number)
            .limit(at_most)
        )
        if after is None:
            return query
        due, number = after
        return query.where(self.due >= due, or_(self.due > due, self.number > number))


_EVERY: Final = _Source(
    clocks.c.ended_at.is_(None), clocks.c.id, clocks.c.due_at, clocks.c.waits_for,
    clocks.c.stopped_at.is_(None),
)  # fmt: skip


def _waiting_for(reader: str, known_by: str) -> _Source:
    scope = and_(waiting.c.reader == reader, waiting.c.known_by == known_by)
    return _Source(
        scope, waiting.c.clock, waiting.c.due_at, waiting.c.waits_for, waiting.c.stopped == 0
    )


def _sources(conn: Connection, wanted: Wanted) -> list[_Source]:
    """Give all places where a person's work is; a clock may be in several."""
    person = wanted.person
    if person.holds(member_rows.SEE_EVERY_ROW):
        return [_EVERY]
    if person.id is None or not person.reads_cases:
        return []
    in_charge = [
        person.id,
        *conn.execute(member_rows.stood_in_for(person.id, wanted.now)).scalars(),
        *member_rows.open_sides(person),
    ]
    own = [_waiting_for(reader, CHARGE) for reader in in_charge]
    return [*own, _waiting_for(person.id, MEMBER)]


def _together(parts: list[Select[int, int]]) -> Any:  # noqa: ANN401  (a subquery of rows, which have no type)
    """Put what was selected together, each clock once."""
    if len(parts) == 1:
        return parts[0].subquery()
    each = [part.subquery() for part in parts]
    return union(*(select(one.c.id, one.c.due_at) for one in each)).subquery()


def page(
    conn: Connection, wanted: Wanted, *, after: tuple[int, int] | None, at_most: int
) -> list[Item]:
    """Read a page of the list, what is due first before the rest; `after` is where one ended."""
    sources = _sources(conn, wanted)
    if not sources:
        return []
    shown = _together([one.first(wanted, wanted.group, at_most, after) for one in sources])
    query = (
        select(*_CLOCK, *_CASE)
        .select_from(shown)
        .join(clocks, clocks.c.id == shown.c.id)
        .join(standings, standings.c.case_id == clocks.c.case_id)
        .join(cases, cases.c.id == clocks.c.case_id)
        .order_by(clocks.c.due_at, clocks.c.id)
        .limit(at_most)
    )
    count = len(_CLOCK)
    return [Item(Clock(*row[:count]), *row[count:]) for row in conn.execute(query)]


def counts(conn: Connection, wanted: Wanted) -> Mapping[str, int]:
    """Count each group, up to `COUNTED_MAX`: beyond it nobody counts on."""
    sources = _sources(conn, wanted)
    if not sources:
        return dict.fromkeys(GROUPS, 0)
    row = conn.execute(select(*(_count(sources, wanted, one) for one in GROUPS))).one()
    return {str(one): min(int(row[n]), COUNTED_MAX) for n, one in enumerate(GROUPS)}


def _count(sources: list[_Source], wanted: Wanted, group: Group) -> Label[int]:
    some = _together([one.first(wanted, group, COUNTED_MAX) for one in sources])
    return select(func.count()).select_from(some).scalar_subquery().label(group)
