"""The rows that say where cases stand. Statements only; what a standing means is not known here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, select

from node.storage import waiting_rows
from node.storage.case_rows import StoredMessage
from node.storage.statements import Value, change, insert_into
from node.storage.tables import cases, messages, standings


@dataclass(frozen=True, slots=True)
class StoredStanding:
    """Where a case stands as stored; `standing` is empty until something was delivered."""

    case_id: str
    machine: str
    state: str
    unconfirmed: str | None = None
    applied: int = 0
    standing: str = ""
    on_wire: int = 1
    own_ref: str | None = None
    peer_ref: str | None = None
    officer: str | None = None
    basis: str | None = None
    effect: str | None = None
    urgency: str | None = None
    language: str | None = None
    outcome: str | None = None
    ground: str | None = None
    delivered_at: int | None = None
    acknowledged_at: int | None = None
    decided_at: int | None = None
    executed_at: int | None = None
    ended_at: int | None = None


_ROW = [standings.c[name] for name in StoredStanding.__dataclass_fields__]
_ONE = select(*_ROW).where(standings.c.case_id == bindparam("one"))
_MESSAGE = [messages.c[name] for name in StoredMessage.__dataclass_fields__]
_OF_CASE = select(*_MESSAGE).where(messages.c.case_id == bindparam("one"))
_PLACED = (
    _OF_CASE.where(
        messages.c.order_number.is_not(None),
        messages.c.state.in_(("accepted", "delivered", "queued")),
    )
    .order_by(messages.c.order_number)
)  # fmt: skip
_PENDING = (
    _OF_CASE.where(
        messages.c.direction == "out",
        messages.c.order_number.is_(None),
        messages.c.state == "queued",
    )
    .order_by(messages.c.seq)
)  # fmt: skip
_WITHOUT = (
    select(cases.c.id)
    .outerjoin(standings, standings.c.case_id == cases.c.id)
    .where(standings.c.case_id.is_(None))
    .order_by(cases.c.id)
    .limit(bindparam("at_most"))
)


def insert_standing(conn: Connection, row: StoredStanding) -> None:
    """Store where a new case stands."""
    values: dict[str, Value] = {name: getattr(row, name) for name in row.__dataclass_fields__}
    conn.execute(insert_into(standings), values)
    if row.officer is not None:
        waiting_rows.change_charge(conn, row.case_id)


def read_standing(conn: Connection, case_id: str) -> StoredStanding | None:
    """Read where a case stands."""
    row = conn.execute(_ONE, {"one": case_id}).first()
    return None if row is None else StoredStanding(*row)


def change_standing(conn: Connection, case_id: str, **changes: int | str | None) -> None:
    """Change columns of a case's standing."""
    change(conn, standings, {"case_id": case_id}, changes)
    if "officer" in changes:
        waiting_rows.change_charge(conn, case_id)


def placed_messages(conn: Connection, case_id: str) -> list[StoredMessage]:
    """Read the messages of a case that have their place in its order, in that order.

    Without those that were given up: they never took effect.
    """
    return [StoredMessage(*row) for row in conn.execute(_PLACED, {"one": case_id})]


def pending_messages(conn: Connection, case_id: str) -> list[StoredMessage]:
    """Read our own messages of a case that have no place in its order yet, oldest first."""
    return [StoredMessage(*row) for row in conn.execute(_PENDING, {"one": case_id})]


def cases_without(conn: Connection, at_most: int) -> Sequence[str]:
    """Give cases of which no standing is kept, as after a migration."""
    return list(conn.execute(_WITHOUT, {"at_most": at_most}).scalars())


def requested_in_state(conn: Connection, state: str) -> Sequence[str]:
    """Give the cases on the wire that stand there and in which we are the requested side."""
    joined = standings.join(cases, cases.c.id == standings.c.case_id)
    query = (
        select(standings.c.case_id)
        .select_from(joined)
        .where(standings.c.state == state, standings.c.on_wire == 1, cases.c.side == "requested")
    )
    return list(conn.execute(query).scalars())


def find_by_reference(conn: Connection, reference: str) -> Sequence[str]:
    """Give the cases that either side calls by this reference, whatever its letters' case."""
    wanted = reference.lower()
    named = (func.lower(standings.c.own_ref) == wanted) | (
        func.lower(standings.c.peer_ref) == wanted
    )
    return list(conn.execute(select(standings.c.case_id).where(named).limit(10)).scalars())
