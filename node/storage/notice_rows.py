"""Statements about logs that prove themselves: forks, and closings. Statements only, exact bytes.

One of each kind is kept for a log: the first that came.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from sqlalchemy import Connection, bindparam, select

from node.storage.statements import insert_into
from node.storage.tables import log_notices

NoticeKind: TypeAlias = Literal["fork", "closed"]


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice as it is stored.

    `digest` is SHA-256 of a fork proof's bytes, and the identity of a closing's statement.
    """

    digest: str
    origin: str
    raw: bytes = field(repr=False)
    at: int


_COLUMNS: Final = (
    log_notices.c.digest,
    log_notices.c.origin,
    log_notices.c.raw,
    log_notices.c.at,
)
_OF_KIND: Final = (
    select(*_COLUMNS)
    .where(log_notices.c.kind == bindparam("kind"))
    .order_by(log_notices.c.at, log_notices.c.origin)
)
_ONE: Final = select(*_COLUMNS).where(
    log_notices.c.kind == bindparam("kind"), log_notices.c.origin == bindparam("origin")
)


def insert_notice(conn: Connection, kind: NoticeKind, notice: Notice) -> None:
    """Store a notice; the caller has verified it, and that there is none of its kind yet."""
    row = {"digest": notice.digest, "origin": notice.origin, "raw": notice.raw, "at": notice.at}
    conn.execute(insert_into(log_notices), {**row, "kind": kind})


def read_notice(conn: Connection, kind: NoticeKind, origin: str) -> Notice | None:
    """Read the notice of a kind about a log, if there is one."""
    row = conn.execute(_ONE, {"kind": kind, "origin": origin}).first()
    return None if row is None else Notice(row.digest, row.origin, bytes(row.raw), row.at)


def read_notices(conn: Connection, kind: NoticeKind) -> list[Notice]:
    """Read all notices of a kind, oldest first."""
    rows = conn.execute(_OF_KIND, {"kind": kind})
    return [Notice(row.digest, row.origin, bytes(row.raw), row.at) for row in rows]
