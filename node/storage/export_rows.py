"""What exports, proofs and searches read of a log and of what stands beside it.

Statements only, in pages by key, so that memory stays the same however long a log is.
Nothing here writes, and no row's meaning is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, bindparam, select

from node.storage.log_rows import EntryRow
from node.storage.tables import log_entries, log_head, messages
from protocol.checkpoint import number_of

_ENTRIES_AT_ONCE = 4_096
_PREFIX_ROWS_MAX = 10


@dataclass(frozen=True, slots=True)
class MessagePlace:
    """Where a message stands: its case, its direction, and its entry in our logs, if any."""

    identity: str
    case_id: str
    direction: str
    log: int | None
    position: int | None


_COMMITMENTS = (
    select(log_entries.c.position, log_entries.c.commitment)
    .where(log_entries.c.log == bindparam("log"), log_entries.c.position >= bindparam("start"))
    .order_by(log_entries.c.position)
    .limit(_ENTRIES_AT_ONCE)
)
_ENTRY = select(*(log_entries.c[name] for name in EntryRow.__dataclass_fields__))
_PLACE = [messages.c[name] for name in ("identity", "case_id", "direction", "log", "log_position")]


def origins(conn: Connection) -> list[str]:
    """Give the origins of all our logs, in the order of their numbers."""
    found = conn.execute(select(log_head.c.origin)).scalars().all()
    return sorted(found, key=number_of)


def commitment_pages(conn: Connection, log: int) -> Iterator[Sequence[tuple[int, bytes]]]:
    """Give position and commitment of all entries of a log, in order, a page at a time."""
    start = 0
    while True:
        rows = conn.execute(_COMMITMENTS, {"log": log, "start": start}).all()
        if rows:
            yield [(row[0], bytes(row[1])) for row in rows]
        if len(rows) < _ENTRIES_AT_ONCE:
            return
        start = int(rows[-1][0]) + 1


def entries_at(conn: Connection, log: int, positions: Sequence[int]) -> dict[int, EntryRow]:
    """Give those entries of a log that are there, by position."""
    query = _ENTRY.where(log_entries.c.log == log, log_entries.c.position.in_(positions))
    return {row[0]: EntryRow(*row) for row in conn.execute(query)}


def find_places(conn: Connection, part: str) -> list[MessagePlace]:
    """Give where messages stand whose identity begins so; ten at most."""
    begun: ColumnElement[bool] = messages.c.identity.startswith(part, autoescape=True)
    query = select(*_PLACE).where(begun).order_by(messages.c.identity).limit(_PREFIX_ROWS_MAX)
    return [MessagePlace(*row) for row in conn.execute(query)]
