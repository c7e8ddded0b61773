"""Timestamps of our own checkpoints, as a timestamp authority gave them. Statements only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, bindparam, select

from node.storage.statements import insert_into
from node.storage.tables import timestamps


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A token over the exact bytes of a checkpoint of log number `log`."""

    digest: str
    log: int
    size: int
    at: int
    checkpoint: bytes = field(repr=False)
    token: bytes = field(repr=False)


_ALL: Final = select(*(timestamps.c[name] for name in Timestamp.__dataclass_fields__))
_OLDEST: Final = (
    _ALL.where(timestamps.c.log == bindparam("log"), timestamps.c.size >= bindparam("size"))
    .order_by(timestamps.c.size, timestamps.c.at, timestamps.c.digest)
    .limit(1)
)
_ONE: Final = select(timestamps.c.digest).where(timestamps.c.digest == bindparam("digest"))


def insert_timestamp(conn: Connection, row: Timestamp) -> bool:
    """Store a timestamp; False if it is there already."""
    if conn.execute(_ONE, {"digest": row.digest}).first() is not None:
        return False
    values = {name: getattr(row, name) for name in Timestamp.__dataclass_fields__}
    conn.execute(insert_into(timestamps), values)
    return True


def first_covering(conn: Connection, log: int, size: int) -> Timestamp | None:
    """Give the timestamp of the smallest checkpoint with at least so many entries."""
    row = conn.execute(_OLDEST, {"log": log, "size": size}).first()
    return None if row is None else Timestamp(*row)
