"""The rows of what is watched: our cosigned checkpoints, and what peers have not proved yet.

Statements only; which words hold, and what continues what, is decided by the callers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, bindparam, case, delete, func, select

from node.storage.statements import Value, change, insert_into
from node.storage.tables import checkpoints, log_entries, unproven


@dataclass(frozen=True, slots=True)
class KeptCheckpoint:
    """A checkpoint of our own log with the words of witnesses gathered on it."""

    log: int
    size: int
    raw: bytes = field(repr=False)
    witnesses: int
    at: int


@dataclass(frozen=True, slots=True)
class Unproved:
    """A signed checkpoint of a peer's log that nobody has shown to belong to it yet."""

    origin: str
    size: int
    root: bytes
    raw: bytes = field(repr=False)
    since: int


_KEPT: Final = select(*(checkpoints.c[name] for name in KeptCheckpoint.__dataclass_fields__))
_KEPT_AT: Final = _KEPT.where(
    checkpoints.c.log == bindparam("log"), checkpoints.c.size == bindparam("size")
)
_NEWEST: Final = (
    _KEPT.where(
        checkpoints.c.log == bindparam("log"), checkpoints.c.witnesses >= bindparam("at_least")
    )
    .order_by(checkpoints.c.size.desc())
    .limit(1)
)
_LATEST: Final = (
    _KEPT.where(checkpoints.c.log == bindparam("log"))
    .order_by(checkpoints.c.size.desc())
    .limit(bindparam("at_most"))
)
_BEST: Final = (
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
_UNPROVED: Final = select(*(unproven.c[name] for name in Unproved.__dataclass_fields__)).order_by(
    unproven.c.origin, unproven.c.size, unproven.c.root
)
_UNPROVED_OF: Final = _UNPROVED.where(unproven.c.origin == bindparam("origin"))
_UNPROVED_AT: Final = _UNPROVED_OF.where(unproven.c.size == bindparam("size"))
_UNPROVED_COUNT: Final = (
    select(func.count()).select_from(unproven).where(unproven.c.origin == bindparam("origin"))
)
_ENTRY_AT: Final = select(log_entries.c.at).where(
    log_entries.c.log == bindparam("log"), log_entries.c.position == bindparam("position")
)


def read_checkpoint(conn: Connection, log: int, size: int) -> KeptCheckpoint | None:
    """Read the kept checkpoint of one size of a log of ours."""
    row = conn.execute(_KEPT_AT, {"log": log, "size": size}).first()
    return None if row is None else KeptCheckpoint(*row)


def newest_checkpoint(
    conn: Connection, log: int, *, witnesses_min: int = 0
) -> KeptCheckpoint | None:
    """Read the newest kept checkpoint that has at least so many witnesses."""
    row = conn.execute(_NEWEST, {"log": log, "at_least": witnesses_min}).first()
    return None if row is None else KeptCheckpoint(*row)


def list_checkpoints(conn: Connection, log: int, limit: int) -> list[KeptCheckpoint]:
    """Read the newest kept checkpoints of a log, the newest first."""
    return [KeptCheckpoint(*row) for row in conn.execute(_LATEST, {"log": log, "at_most": limit})]


def best_checkpoint(
    conn: Connection, log: int, *, quorum: int, size_min: int = 0
) -> KeptCheckpoint | None:
    """Read the newest kept checkpoint with a quorum, else that with the most witnesses."""
    row = conn.execute(_BEST, {"log": log, "low": size_min, "enough": quorum}).first()
    return None if row is None else KeptCheckpoint(*row)


def keep_checkpoint(conn: Connection, kept: KeptCheckpoint) -> None:
    """Keep a checkpoint, in the place of the one of its size if there is one."""
    values: dict[str, Value] = {"raw": kept.raw, "witnesses": kept.witnesses, "at": kept.at}
    where: dict[str, Value] = {"log": kept.log, "size": kept.size}
    if change(conn, checkpoints, where, values) == 0:
        conn.execute(insert_into(checkpoints), {**where, **values})


def entry_time(conn: Connection, log: int, position: int) -> int | None:
    """Give when an entry was made, or None if there is none at this position."""
    return conn.execute(_ENTRY_AT, {"log": log, "position": position}).scalar()


def insert_unproved(conn: Connection, one: Unproved) -> None:
    """Remember a checkpoint that is not proved; one that is remembered keeps its time."""
    if all(other.root != one.root for other in unproved_at(conn, one.origin, one.size)):
        values = {name: getattr(one, name) for name in Unproved.__dataclass_fields__}
        conn.execute(insert_into(unproven), values)


def unproved_at(conn: Connection, origin: str, size: int) -> list[Unproved]:
    """Read what is not proved of one size of a log: two of them are a fork."""
    return [Unproved(*row) for row in conn.execute(_UNPROVED_AT, {"origin": origin, "size": size})]


def count_unproved(conn: Connection, origin: str) -> int:
    """Count what is not proved of a log."""
    return int(conn.execute(_UNPROVED_COUNT, {"origin": origin}).scalar_one())


def list_unproved(conn: Connection, origin: str | None = None) -> list[Unproved]:
    """Read what is not proved, of one log or of all."""
    if origin is None:
        return [Unproved(*row) for row in conn.execute(_UNPROVED)]
    return [Unproved(*row) for row in conn.execute(_UNPROVED_OF, {"origin": origin})]


def delete_unproved(conn: Connection, one: Unproved) -> None:
    """Forget a checkpoint that has been proved, one way or the other."""
    columns = unproven.c
    conn.execute(
        delete(unproven).where(
            columns.origin == one.origin, columns.size == one.size, columns.root == one.root
        )
    )
