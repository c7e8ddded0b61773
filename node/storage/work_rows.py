"""The work list: clocks that have not ended, of the cases that a person may see, as pages.

    work_rows.page(conn, Wanted(person, now, today_until), after=None, at_most=50)

Statements only. Whoever sees few cases is served from those cases, whoever sees many from
the clocks in the order in which they are due: each is fast where the other is slow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Connection, Select, and_, false, func, or_, select, true

from node.access.roles import Person
from node.storage import member_rows
from node.storage.clock_rows import Clock
from node.storage.tables import cases, clocks, standings

Group = Literal["all", "overdue", "today", "us", "them"]
GROUPS: Final[tuple[Group, ...]] = ("overdue", "today", "us", "them")
COUNTED_MAX: Final = 1_000
_FEW: Final = 1_000


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
_RUNS = and_(clocks.c.ended_at.is_(None), clocks.c.stopped_at.is_(None))
_ORDER = (clocks.c.due_at, clocks.c.id)


def page(
    conn: Connection, wanted: Wanted, *, after: tuple[int, int] | None, at_most: int
) -> list[Item]:
    """Read a page of the list, what is due first before the rest; `after` is where one ended."""
    query = (
        select(*_CLOCK, *_CASE)
        .join(standings, standings.c.case_id == clocks.c.case_id)
        .join(cases, cases.c.id == clocks.c.case_id)
        .where(_scope(conn, wanted), _of_group(wanted))
        .order_by(*_ORDER)
        .limit(at_most)
    )
    if after is not None:
        due, number = after
        query = query.where(
            clocks.c.due_at >= due, or_(clocks.c.due_at > due, clocks.c.id > number)
        )
    count = len(_CLOCK)
    return [Item(Clock(*row[:count]), *row[count:]) for row in conn.execute(query)]


def counts(conn: Connection, wanted: Wanted) -> Mapping[str, int]:
    """Count each group, up to `COUNTED_MAX`: beyond it nobody counts on."""
    scope = _scope(conn, wanted)
    found: dict[str, int] = {}
    for group in GROUPS:
        some = (
            select(clocks.c.id)
            .where(scope, _of_group(replace(wanted, group=group)))
            .limit(COUNTED_MAX)
            .subquery()
        )
        found[group] = conn.execute(select(func.count()).select_from(some)).scalar() or 0
    return found


def _of_group(wanted: Wanted) -> ColumnElement[bool]:
    match wanted.group:
        case "overdue":
            return and_(_RUNS, clocks.c.due_at < wanted.now)
        case "today":
            return and_(_RUNS, clocks.c.due_at.between(wanted.now, wanted.today_until))
        case "us" | "them":
            return and_(clocks.c.ended_at.is_(None), clocks.c.waits_for == wanted.group)
    return clocks.c.ended_at.is_(None)


def _scope(conn: Connection, wanted: Wanted) -> ColumnElement[bool]:
    """Give the condition that a person may see the case, so that it is fast for this person."""
    person, now = wanted.person, wanted.now
    if person.holds(member_rows.SEE_EVERY_ROW):
        return true()
    few = _few(conn, select(cases.c.id).where(member_rows.visible(cases.c.id, person, now)))
    if few is None:
        return member_rows.visible(clocks.c.case_id, person, now)
    return clocks.c.case_id.in_(few) if few else false()


def _few(conn: Connection, known: Select[Any]) -> Sequence[str] | None:
    """Give the ids that a query gives if they are few, else None."""
    found = [row[0] for row in conn.execute(known.limit(_FEW + 1))]
    return None if len(found) > _FEW else found
