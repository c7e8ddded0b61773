"""What exports, proofs and searches read of a log and of what stands beside it.

Statements only, in pages by key, so that memory stays the same however long a log is.
Nothing here writes, and no row's meaning is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, bindparam, case, select

from node.storage.log_rows import EntryRow
from node.storage.tables import checkpoints, log_entries, log_head, messages

_ENTRIES_AT_ONCE = 4_096
_PREFIX_ROWS_MAX = 10


@dataclass(frozen=True, slots=True)
class KeptCheckpoint:
    """A checkpoint of one of our logs that was cosigned, as stored."""

    log: int
    size: int
    witnesses: int
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class MessagePlace:
    """Where a message stands: its case, its direction, and its entry in our logs, if any."""

    identity: str
    case_id: str
    direction: str
    log: int | None
    position: int | None


_KEPT = select(checkpoints.c.log, checkpoints.c.size, checkpoints.c.witnesses, checkpoints.c.raw)
_BEST = (
    _KEPT.where(checkpoints.c.log == bindparam("log"), checkpoints.c.size >= bindparam("low"))
    .order_by(
        # More witnesses than the quorum asks for do not make an older checkpoint better.
        case(
            (checkpoints.c.witnesses > bindparam("enough"), bindparam("enough")),
            else_=checkpoints.c.witnesses,
        ).desc(),
        checkpoints.c.size.desc(),
    )
    .limit(1)
)
_OF_SIZE = _KEPT.where(
    checkpoints.c.log == bindparam("log"), checkpoints.c.size == bindparam("size")
)
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
    return sorted(found, key=lambda origin: int(origin.rpartition("/")[2]))


def best_checkpoint(
    conn: Connection, log: int, *, quorum: int, size_min: int = 0
) -> KeptCheckpoint | None:
    """Give the newest cosigned checkpoint with a quorum, else that with the most witnesses."""
    given = {"log": log, "low": size_min, "enough": quorum}
    row = conn.execute(_BEST, given).first()
    return None if row is None else KeptCheckpoint(*row)


def checkpoint_of_size(conn: Connection, log: int, size: int) -> KeptCheckpoint | None:
    """Give the cosigned checkpoint of exactly this size, if one is kept."""
    row = conn.execute(_OF_SIZE, {"log": log, "size": size}).first()
    return None if row is None else KeptCheckpoint(*row)


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
