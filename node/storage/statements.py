"""Statements that are built once and then only executed.

SQLAlchemy spends more time on building a statement than SQLite on running it, so the row
modules make theirs at import, or here, once for each table and set of columns. Values are
always bound parameters. Knows no table by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from sqlalchemy import Connection, Insert, Table, Update, bindparam, insert, update

Value: TypeAlias = "int | str | bytes | None"

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
