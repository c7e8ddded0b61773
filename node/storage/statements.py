"""Statements that are built once and then only executed.

SQLAlchemy spends more time on building a statement than SQLite on running it, so the row
modules make theirs at import, or here, once for each table and set of columns. Values are
always bound parameters. Knows no table by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    Connection,
    CursorResult,
    Dialect,
    Insert,
    Select,
    Table,
    Update,
    bindparam,
    insert,
    update,
)

from protocol.errors import Misuse

Value: TypeAlias = "int | str | bytes | None"
Statement: TypeAlias = "Insert | Update | Select[Any]"

_ROWS_IN_STATEMENT: Final = 32
_KEY = "_where_"  # columns never begin like this, so a key and a changed column can share a name


@lru_cache(maxsize=256)
def insert_into(table: Table) -> Insert:
    """Give the statement that inserts rows with values for the columns that are named."""
    return insert(table)


@lru_cache(maxsize=256)
def update_of(table: Table, keys: tuple[str, ...], columns: tuple[str, ...]) -> Update:
    """Give the statement that sets `columns` where `keys` have the given values."""
    statement = update(table).values({name: bindparam(name) for name in columns})
    for key in keys:
        statement = statement.where(table.c[key] == bindparam(_KEY + key))
    return statement


def change(
    conn: Connection, table: Table, where: Mapping[str, Value], changes: Mapping[str, Value]
) -> int:
    """Set columns of the rows that `where` names; gives how many there were."""
    statement = update_of(table, tuple(where), tuple(changes))
    return conn.execute(statement, _parameters(where, changes)).rowcount


def run(
    conn: Connection, statement: Statement, names: tuple[str, ...], values: tuple[Value, ...]
) -> CursorResult[Any]:
    """Execute a statement of the hot path: its values go to the driver as they are.

    `names` are its parameters in the order in which it has them. This costs half of what
    SQLAlchemy's own handling of values costs; they are bound parameters all the same.
    """
    return conn.exec_driver_sql(_in_driver_words(conn.dialect, statement, names), values)


def insert_rows(
    conn: Connection, table: Table, names: tuple[str, ...], rows: Sequence[tuple[Value, ...]]
) -> None:
    """Insert rows with values for the named columns, past SQLAlchemy as `run`."""
    one = _in_driver_words(conn.dialect, insert_into(table), names)
    if conn.dialect.name != "sqlite":
        conn.exec_driver_sql(
            _of_arrays(one), tuple(list(column) for column in zip(*rows, strict=True))
        )
        return
    # Several rows in one statement cost a third less than a statement for each of them.
    for start in range(0, len(rows), _ROWS_IN_STATEMENT):
        some = rows[start : start + _ROWS_IN_STATEMENT]
        conn.exec_driver_sql(_repeated(one, len(names), len(some)), tuple(chain(*some)))


@lru_cache(maxsize=256)
def _of_arrays(one: str) -> str:
    """Give an insert of PostgreSQL's that takes each column as one array: one step for all."""
    into, _, values = one.removesuffix(")").partition(" VALUES (")
    arrays = ", ".join(f"{value}[]" for value in values.split(", "))
    return f"{into} SELECT * FROM unnest({arrays})"  # noqa: S608  (a statement of ours, not values)


@lru_cache(maxsize=256)
def _repeated(one: str, columns: int, rows: int) -> str:
    """Give an insert of SQLite's with the values of so many rows."""
    values = f"({', '.join('?' * columns)})"
    return one + f", {values}" * (rows - 1)


@lru_cache(maxsize=256)
def _in_driver_words(dialect: Dialect, statement: Statement, names: tuple[str, ...]) -> str:
    """Write a statement as the driver takes it."""
    compiled = statement.compile(dialect=dialect, column_keys=names)
    order = getattr(compiled, "positiontup", None)
    if order != list(names):
        raise Misuse(f"parameters of a statement in another order: {order}")
    return str(compiled)


@dataclass(frozen=True, slots=True)
class Change:
    """A change that may wait and be made together with others like it."""

    table: Table
    where: Mapping[str, Value]
    changes: Mapping[str, Value]


def change_many(conn: Connection, changes: Iterable[Change]) -> None:
    """Make changes of the same columns of one table in one statement."""
    grouped: dict[Update, list[dict[str, Value]]] = {}
    for one in changes:
        statement = update_of(one.table, tuple(one.where), tuple(one.changes))
        grouped.setdefault(statement, []).append(_parameters(one.where, one.changes))
    for statement, parameters in grouped.items():
        conn.execute(statement, parameters)


def _parameters(where: Mapping[str, Value], changes: Mapping[str, Value]) -> dict[str, Value]:
    return {**{_KEY + key: value for key, value in where.items()}, **changes}
