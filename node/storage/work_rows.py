"""The work list: clocks that have not ended, of the cases that a person may see, as pages.

    work_rows.page(conn, Wanted(person, now, today_until), after=None, at_most=50)

Statements only. What waits for whom stands in the order in which it is due, so a page costs
what it shows, and a count what it counts, whoever asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    and_,
    func,
    or_,
    select,
    true,
    union,
)

from node.access.roles import Person
from node.storage import member_rows
from node.storage.clock_rows import Clock
from node.storage.tables import cases, clocks, standings, waiting
from node.storage.waiting_rows import CHARGE, EVERY, MEMBER

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


def _group(wanted: Wanted, group: Group) -> ColumnElement[bool]:
    """Give the condition on what is in a group."""
    due, runs = waiting.c.due_at, waiting.c.stopped == 0
    match group:
        case "overdue":
            return and_(runs, due < wanted.now)
        case "today":
            return and_(runs, due.between(wanted.now, wanted.today_until))
        case "us" | "them":
            return waiting.c.waits_for == group
    return true()


def _readers(conn: Connection, wanted: Wanted) -> list[tuple[str, str]]:
    """Give all as whom a person has work; the same clock may wait for several of them."""
    person = wanted.person
    if person.holds(member_rows.SEE_EVERY_ROW):
        return [("", EVERY)]
    if person.id is None or not person.reads_cases:
        return []
    in_charge = [
        person.id,
        *conn.execute(member_rows.stood_in_for(person.id, wanted.now)).scalars(),
        *member_rows.open_sides(person),
    ]
    return [*((one, CHARGE) for one in in_charge), (person.id, MEMBER)]


def _first(
    readers: list[tuple[str, str]], condition: ColumnElement[bool], at_most: int
) -> FromClause:
    """Select what is due first of what waits for the readers, each clock once."""
    each = [
        select(waiting.c.clock, waiting.c.due_at)
        .where(waiting.c.reader == reader, waiting.c.known_by == known_by, condition)
        .order_by(waiting.c.due_at, waiting.c.clock)
        .limit(at_most)
        .subquery()
        for reader, known_by in readers
    ]
    if len(each) == 1:
        return each[0]
    return union(*(select(one.c.clock, one.c.due_at) for one in each)).subquery()


def page(
    conn: Connection, wanted: Wanted, *, after: tuple[int, int] | None, at_most: int
) -> list[Item]:
    """Read a page of the list, what is due first before the rest; `after` is where one ended."""
    readers, condition = _readers(conn, wanted), _group(wanted, wanted.group)
    if not readers:
        return []
    if after is not None:
        due, number = after
        later = or_(waiting.c.due_at > due, waiting.c.clock > number)
        condition = and_(condition, waiting.c.due_at >= due, later)
    shown = _first(readers, condition, at_most)
    query = (
        select(*_CLOCK, *_CASE)
        .select_from(shown)
        .join(clocks, clocks.c.id == shown.c.clock)
        .join(standings, standings.c.case_id == clocks.c.case_id)
        .join(cases, cases.c.id == clocks.c.case_id)
        .order_by(clocks.c.due_at, clocks.c.id)
        .limit(at_most)
    )
    count = len(_CLOCK)
    return [Item(Clock(*row[:count]), *row[count:]) for row in conn.execute(query)]


def counts(conn: Connection, wanted: Wanted) -> Mapping[str, int]:
    """Count each group, up to `COUNTED_MAX`: beyond it nobody counts on."""
    readers = _readers(conn, wanted)
    if not readers:
        return dict.fromkeys(GROUPS, 0)
    each = [_first(readers, _group(wanted, one), COUNTED_MAX) for one in GROUPS]
    numbers = [select(func.count()).select_from(some).scalar_subquery() for some in each]
    row = conn.execute(select(*numbers)).one()
    return {str(one): min(int(row[n]), COUNTED_MAX) for n, one in enumerate(GROUPS)}
