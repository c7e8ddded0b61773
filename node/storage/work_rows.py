"""The work list: clocks that have not ended, of the cases that a person may see, as pages.

    work_rows.page(conn, Wanted(person, now, today_until), after=None, at_most=50)

Statements only. Whoever sees every case is served from the clocks in the order in which they
are due, whoever sees some from those cases: each is fast where the other is slow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select, true

from node.access.roles import Person
from node.storage import member_rows
from node.storage.clock_rows import Clock
from node.storage.tables import cases, clocks, standings

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
class _Way:
    """How to the rows: the condition on cases, and the columns of clocks to look at.

    A term in the place of a column leaves the planner the index of cases alone.
    """

    scope: ColumnElement[bool]
    ended: ColumnElement[int | None]
    due: ColumnElement[int]

    @classmethod
    def of(cls, wanted: Wanted) -> _Way:
        if wanted.person.holds(member_rows.SEE_EVERY_ROW):
            return cls(true(), clocks.c.ended_at, clocks.c.due_at)
        scope = member_rows.visible(clocks.c.case_id, wanted.person, wanted.now)
        return cls(scope, clocks.c.ended_at + 0, clocks.c.due_at + 0)

    def rows(self, wanted: Wanted, group: Group) -> ColumnElement[bool]:
        """Give the condition on the rows of a group."""
        is_open = self.ended.is_(None)
        match group:
            case "overdue":
                return and_(is_open, clocks.c.stopped_at.is_(None), self.due < wanted.now)
            case "today":
                today = self.due.between(wanted.now, wanted.today_until)
                return and_(is_open, clocks.c.stopped_at.is_(None), today)
            case "us" | "them":
                return and_(is_open, clocks.c.waits_for == group)
        return is_open


def page(
    conn: Connection, wanted: Wanted, *, after: tuple[int, int] | None, at_most: int
) -> list[Item]:
    """Read a page of the list, what is due first before the rest; `after` is where one ended."""
    way = _Way.of(wanted)
    query = (
        select(*_CLOCK, *_CASE)
        .join(standings, standings.c.case_id == clocks.c.case_id)
        .join(cases, cases.c.id == clocks.c.case_id)
        .where(way.scope, way.rows(wanted, wanted.group))
        .order_by(way.due, clocks.c.id)
        .limit(at_most)
    )
    if after is not None:
        due, number = after
        query = query.where(way.due >= due, or_(way.due > due, clocks.c.id > number))
    count = len(_CLOCK)
    return [Item(Clock(*row[:count]), *row[count:]) for row in conn.execute(query)]


def counts(conn: Connection, wanted: Wanted) -> Mapping[str, int]:
    """Count each group, up to `COUNTED_MAX`: beyond it nobody counts on."""
    way = _Way.of(wanted)
    if not wanted.person.holds(member_rows.SEE_EVERY_ROW):
        in_groups = [func.count(case((way.rows(wanted, one), 1))) for one in GROUPS]
        row = conn.execute(select(*in_groups).where(way.scope, way.ended.is_(None))).one()
        return {str(one): min(int(row[n]), COUNTED_MAX) for n, one in enumerate(GROUPS)}
    found: dict[str, int] = {}
    for group in GROUPS:
        some = select(clocks.c.id).where(way.rows(wanted, group)).limit(COUNTED_MAX).subquery()
        found[group] = conn.execute(select(func.count()).select_from(some)).scalar() or 0
    return found
