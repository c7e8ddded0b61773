"""The rows of clocks: what is awaited from whom until when. Statements only.

`warn_at` is when somebody is to be told next; it is empty in a clock that is stopped or has
ended, so one index leads to the clocks that the reminder must look at, and no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, select

from node.storage import waiting_rows
from node.storage.statements import Value, change, insert_into
from node.storage.tables import clocks, standings
from protocol.errors import Misuse


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock as stored; `id` is 0 until it is."""

    case_id: str
    name: str
    waits_for: str
    rule: str
    started_at: int
    due_at: int
    warn_at: int | None = None
    stopped_at: int | None = None
    ended_at: int | None = None
    ended_how: str | None = None
    warned_at: int | None = None
    escalated_at: int | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class Ringing:
    """A clock of which somebody is to be told, and who has the case."""

    clock: Clock
    officer: str | None
    basis: str | None
    state: str


_CLOCK = [clocks.c[name] for name in Clock.__dataclass_fields__]
_OF_CASE = select(*_CLOCK).where(clocks.c.case_id == bindparam("one")).order_by(clocks.c.id)
_OPEN_OF_CASE = _OF_CASE.where(clocks.c.ended_at.is_(None))
_BY_ID = select(*_CLOCK).where(clocks.c.id == bindparam("one"))
_TERMS = select(standings.c.basis, standings.c.urgency).where(
    standings.c.case_id == bindparam("one")
)
_SOONEST = select(func.min(clocks.c.warn_at)).where(clocks.c.warn_at.is_not(None))
_RINGING = (
    select(*_CLOCK, standings.c.officer, standings.c.basis, standings.c.state)
    .join(standings, standings.c.case_id == clocks.c.case_id)
    .where(clocks.c.warn_at <= bindparam("now"))
    .order_by(clocks.c.warn_at, clocks.c.id)
    .limit(bindparam("at_most"))
)
_OVERDUE_IN_STATE = (
    select(clocks.c.case_id)
    .distinct()
    .join(standings, standings.c.case_id == clocks.c.case_id)
    .where(
        standings.c.state == bindparam("state"),
        clocks.c.name.in_(bindparam("names", expanding=True)),
        clocks.c.waits_for == bindparam("waits_for"),
        clocks.c.ended_at.is_(None),
        clocks.c.due_at <= bindparam("now"),
    )
    .order_by(clocks.c.case_id)
)


def insert_clock(conn: Connection, clock: Clock) -> int:
    """Store a new clock and give its number, which is the database's."""
    names = [name for name in clock.__dataclass_fields__ if name != "id"]
    made = conn.execute(insert_into(clocks), {name: getattr(clock, name) for name in names})
    if made.inserted_primary_key is None:
        raise Misuse("a row that the database did not number")
    number = int(made.inserted_primary_key[0])
    if clock.ended_at is None:
        waiting_rows.add_clock(conn, number)
    return number


def change_clock(conn: Connection, number: int, **changes: Value) -> None:
    """Change columns of a clock."""
    change(conn, clocks, {"id": number}, changes)
    waiting_rows.change_clock(conn, number, changes)


def note_told(conn: Connection, number: int, warn_at: int | None, told: Mapping[str, int]) -> None:
    """Note that somebody was told of a clock, and when somebody is to be told next."""
    change(conn, clocks, {"id": number}, {"warn_at": warn_at, **told})  # nothing a list shows


def read_clock(conn: Connection, number: int) -> Clock | None:
    """Read a clock by its number."""
    row = conn.execute(_BY_ID, {"one": number}).first()
    return None if row is None else Clock(*row)


def list_clocks(conn: Connection, case_id: str) -> list[Clock]:
    """Read all clocks of a case, those that have ended too, in the order of their start."""
    return [Clock(*row) for row in conn.execute(_OF_CASE, {"one": case_id})]


def open_clocks(conn: Connection, case_id: str) -> list[Clock]:
    """Read the clocks of a case that have not ended."""
    return [Clock(*row) for row in conn.execute(_OPEN_OF_CASE, {"one": case_id})]


def terms_of(conn: Connection, case_id: str) -> tuple[str | None, str | None]:
    """Give the codes of a case's legal basis and urgency, as far as they are kept."""
    row = conn.execute(_TERMS, {"one": case_id}).first()
    return (None, None) if row is None else (row.basis, row.urgency)


def soonest(conn: Connection) -> int | None:
    """Give when somebody is to be told next, of whatever clock."""
    return conn.execute(_SOONEST).scalar()


def ringing(conn: Connection, now: int, at_most: int) -> list[Ringing]:
    """Read clocks of which somebody is to be told by now, the longest due first."""
    rows = conn.execute(_RINGING, {"now": now, "at_most": at_most})
    return [Ringing(Clock(*row[:-3]), row.officer, row.basis, row.state) for row in rows]


def overdue_in_state(
    conn: Connection, state: str, names: Sequence[str], *, waits_for: str, now: int
) -> list[str]:
    """Give the cases in a state in which a clock with one of the names is overdue."""
    found = conn.execute(
        _OVERDUE_IN_STATE,
        {"state": state, "names": list(names), "waits_for": waits_for, "now": now},
    )
    return list(found.scalars())
