"""The rows of who waits for which clock: kept beside clocks, charge and members. Statements only.

Each change of a clock that has not ended, of who is in charge of a case and of its members is
followed here, so that the work list reads the rows that it shows, in their order. The other
modules of rows call this; nobody else does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    Connection,
    Insert,
    Select,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    select,
    union_all,
)

from node.storage.statements import Value, change
from node.storage.tables import case_members, cases, clocks, standings, waiting

CHARGE: Final = "charge"
MEMBER: Final = "member"
EVERY: Final = "every"  # the reader of these rows is nobody by name

_COLUMNS: Final = ("reader", "known_by", "due_at", "clock", "waits_for", "stopped")
_SHOWN: Final = (
    clocks.c.due_at, clocks.c.id, clocks.c.waits_for,
    case((clocks.c.stopped_at.is_(None), 0), else_=1),
)  # fmt: skip
_ONE: BindParameter[Any] = bindparam("one")


def _by_charge() -> Select[Any]:
    """Select the clocks that run, for who is in charge; else for the side that takes cases in."""
    return (
        select(func.coalesce(standings.c.officer, cases.c.side), literal(CHARGE), *_SHOWN)
        .select_from(clocks)
        .join(cases, cases.c.id == clocks.c.case_id)
        .outerjoin(standings, standings.c.case_id == clocks.c.case_id)
        .where(clocks.c.ended_at.is_(None))
    )


def _by_members() -> Select[Any]:
    """Select the clocks that run, for each who was let into their case."""
    return (
        select(case_members.c.person, literal(MEMBER), *_SHOWN)
        .select_from(clocks)
        .join(case_members, case_members.c.case_id == clocks.c.case_id)
        .where(clocks.c.ended_at.is_(None))
    )


def _by_role() -> Select[Any]:
    """Select the clocks that run, for those who see in lists that every case is there."""
    return select(literal(""), literal(EVERY), *_SHOWN).where(clocks.c.ended_at.is_(None))


def _insert(rows: Any) -> Insert:  # noqa: ANN401  (a select or a union, which share no type)
    return insert(waiting).from_select(_COLUMNS, rows)


_ADD_CLOCK: Final = _insert(
    union_all(*(one().where(clocks.c.id == _ONE) for one in (_by_role, _by_charge, _by_members)))
)
_ADD_CHARGE: Final = _insert(_by_charge().where(clocks.c.case_id == _ONE))
_ADD_MEMBER: Final = _insert(
    _by_members().where(clocks.c.case_id == _ONE, case_members.c.person == bindparam("person"))
)
_OF_CASE: Final = waiting.c.clock.in_(select(clocks.c.id).where(clocks.c.case_id == _ONE))
_DELETE_CLOCK: Final = delete(waiting).where(waiting.c.clock == _ONE)
_DELETE_CHARGE: Final = delete(waiting).where(_OF_CASE, waiting.c.known_by == CHARGE)
_DELETE_MEMBER: Final = delete(waiting).where(
    _OF_CASE, waiting.c.known_by == MEMBER, waiting.c.reader == bindparam("person")
)


def add_clock(conn: Connection, number: int) -> None:
    """Let a new clock wait for all whom it concerns."""
    conn.execute(_ADD_CLOCK, {"one": number})


def change_clock(conn: Connection, number: int, changes: Mapping[str, Value]) -> None:
    """Follow a change of a clock's columns."""
    if changes.get("ended_at") is not None:
        conn.execute(_DELETE_CLOCK, {"one": number})
        return
    moved = {"due_at": changes["due_at"]} if "due_at" in changes else {}
    if "stopped_at" in changes:
        moved["stopped"] = int(changes["stopped_at"] is not None)
    if moved:
        change(conn, waiting, {"clock": number}, moved)


def change_charge(conn: Connection, case_id: str) -> None:
    """Follow a change of who is in charge of a case."""
    if conn.execute(_DELETE_CHARGE, {"one": case_id}).rowcount:
        conn.execute(_ADD_CHARGE, {"one": case_id})


def add_member(conn: Connection, case_id: str, person: str) -> None:
    """Let the clocks of a case wait for a new member too."""
    conn.execute(_ADD_MEMBER, {"one": case_id, "person": person})


def delete_member(conn: Connection, case_id: str, person: str) -> None:
    """Let no clock of a case wait for who was a member; what is theirs by charge stays."""
    conn.execute(_DELETE_MEMBER, {"one": case_id, "person": person})


def add_all(conn: Connection) -> None:
    """Fill the empty table from clocks, charge and members."""
    for rows in (_by_role(), _by_charge(), _by_members()):
        conn.execute(_insert(rows))
