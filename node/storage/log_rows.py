"""The rows of the log: its head, entries and tiles. Statements only; no tree, no signing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from sqlalchemy import Connection, bindparam, select, text

from node.storage.statements import insert_into, insert_rows, run, update_of
from node.storage.tables import log_entries, log_head, log_tiles
from protocol.checkpoint import number_of

_ENTRIES_AT_ONCE = 1_024


@dataclass(frozen=True, slots=True)
class Head:
    """The newest committed state of a log."""

    origin: str
    size: int
    root: bytes
    checkpoint: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry as stored; `record` and `salt` are None once erased."""

    position: int
    commitment: bytes
    kind: str
    at: int
    record: bytes | None = field(repr=False)
    salt: bytes | None = field(repr=False)


NewEntry: TypeAlias = tuple[int, int, bytes, str, int, bytes, bytes]
"""A new entry: log, position, commitment, kind, at, record, salt. Plain, for there are many."""

_NEW_ENTRY: Final = ("log", "position", "commitment", "kind", "at", "record", "salt")
_ENTRY = select(*(log_entries.c[name] for name in EntryRow.__dataclass_fields__))
_HEAD = select(log_head.c.origin, log_head.c.size, log_head.c.root, log_head.c.checkpoint).where(
    log_head.c.origin == bindparam("origin")
)
_TILE = select(log_tiles.c.hashes).where(
    log_tiles.c.log == bindparam("log"),
    log_tiles.c.level == bindparam("level"),
    log_tiles.c.position == bindparam("position"),
)

_COMMITMENTS = (
    select(log_entries.c.commitment)
    .where(
        log_entries.c.log == bindparam("log"),
        log_entries.c.position >= bindparam("first"),
        log_entries.c.position < bindparam("end"),
    )
    .order_by(log_entries.c.position)
)

_MOVE_HEAD = update_of(log_head, ("origin", "size", "root"), ("size", "root", "checkpoint"))
_MOVE_HEAD_NAMES: Final = (
    "size", "root", "checkpoint", "_where_origin", "_where_size", "_where_root",
)  # fmt: skip
_NEW_TILE: Final = ("log", "level", "position", "hashes")
_GROW_TILE = update_of(log_tiles, ("log", "level", "position"), ("hashes",))
_GROW_TILE_NAMES: Final = ("hashes", "_where_log", "_where_level", "_where_position")


def lock_log(conn: Connection, origin: str) -> None:
    """Let only one sequencer of this log in until the transaction ends (PostgreSQL).

    SQLite's BEGIN IMMEDIATE has done so already. `hashtext` may collide for two logs, which
    costs waiting and nothing else.
    """
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(hashtext(:origin))"), {"origin": origin})


def read_head(conn: Connection, origin: str) -> Head | None:
    """Read the head of a log, or None if there is none."""
    row = run(conn, _HEAD, ("origin",), (origin,)).first()
    return None if row is None else Head(*tuple(row))


def newest_origin(conn: Connection) -> str | None:
    """Give the origin of the log that is open: the one with the highest number, if any."""
    origins = conn.execute(select(log_head.c.origin)).scalars().all()
    return max(origins, key=number_of, default=None)


def insert_head(conn: Connection, head: Head) -> None:
    """Store the first head of a log."""
    values = {"size": head.size, "root": head.root, "checkpoint": head.checkpoint}
    conn.execute(insert_into(log_head), {"origin": head.origin, **values})


def replace_head(conn: Connection, old: Head, new: Head) -> bool:
    """Move the head from exactly `old` to `new`; False if it was no longer there."""
    values = (new.size, new.root, new.checkpoint, old.origin, old.size, old.root)
    return run(conn, _MOVE_HEAD, _MOVE_HEAD_NAMES, values).rowcount == 1


def insert_entries(conn: Connection, entries: Sequence[NewEntry]) -> None:
    """Store new entries at their positions."""
    insert_rows(conn, log_entries, _NEW_ENTRY, entries)


def iterate_entries(conn: Connection, log: int, start: int = 0) -> Iterator[EntryRow]:
    """Read the entries of a log from `start` in order, a thousand at a time: constant memory."""
    while True:
        rows = conn.execute(
            _ENTRY.where(log_entries.c.log == log, log_entries.c.position >= start)
            .order_by(log_entries.c.position)
            .limit(_ENTRIES_AT_ONCE)
        ).all()
        for row in rows:
            yield EntryRow(*row)
        if len(rows) < _ENTRIES_AT_ONCE:
            return
        start = int(rows[-1][0]) + 1


def read_commitments(conn: Connection, log: int, first: int, count: int) -> list[bytes]:
    """Read the commitments of `count` entries of a log from `first` on."""
    given = {"log": log, "first": first, "end": first + count}
    return [bytes(found) for found in conn.execute(_COMMITMENTS, given).scalars()]


def read_tile(conn: Connection, log: int, level: int, position: int) -> bytes:
    """Read the hashes of one tile of a log; empty if it has not begun."""
    found = run(conn, _TILE, ("log", "level", "position"), (log, level, position)).scalar()
    return b"" if found is None else bytes(found)


def write_tile(
    conn: Connection, log: int, place: tuple[int, int], hashes: bytes, *, new: bool
) -> None:
    """Store the grown value of the tile at `place` (level, position) of a log."""
    if new:
        run(conn, insert_into(log_tiles), _NEW_TILE, (log, *place, hashes))
    else:
        run(conn, _GROW_TILE, _GROW_TILE_NAMES, (hashes, log, *place))
