"""What a doctor asks of the database: how much waits, how many alarms, which standbys.

Statements only, all of them reading; what the answers mean is for `node.doctor` to say.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from node.storage.tables import alarms, messages, outbox


@dataclass(frozen=True, slots=True)
class WaitingFor:
    """What waits for one peer: how many, since when, and the last word about one of them."""

    count: int
    since: int
    last_code: str | None


def waiting_for_peers(conn: Connection) -> dict[str, WaitingFor]:
    """Give what waits, by peer."""
    columns = outbox.c
    query = select(
        columns.peer,
        func.count(),
        func.min(columns.queued_at),
        func.max(columns.last_code),
    ).group_by(columns.peer)
    return {row[0]: WaitingFor(row[1], row[2], row[3]) for row in conn.execute(query)}


def count_stranded(conn: Connection) -> int:
    """Count messages that are said to wait and stand in no queue."""
    query = (
        select(func.count())
        .select_from(messages)
        .where(
            messages.c.state == "queued",
            ~select(outbox.c.id).where(outbox.c.identity == messages.c.identity).exists(),
        )
    )
    return int(conn.execute(query).scalar_one())


def alarms_after(conn: Connection, looked_at: int) -> tuple[int, tuple[int, str] | None]:
    """Give the number of alarms after the one last looked at, and time and kind of the newest."""
    columns = alarms.c
    count = select(func.count()).select_from(alarms).where(columns.id > looked_at)
    newest = (
        select(columns.at, columns.kind)
        .where(columns.id > looked_at)
        .order_by(columns.id.desc())
        .limit(1)
    )
    row = conn.execute(newest).first()
    return int(conn.execute(count).scalar_one()), None if row is None else (row[0], row[1])


def late_standbys(conn: Connection) -> list[str]:
    """Give the standbys of a PostgreSQL server that confirm nothing before it does."""
    if conn.dialect.name != "postgresql":
        return []
    rows = conn.exec_driver_sql(
        "SELECT application_name FROM pg_stat_replication"
        " WHERE sync_state NOT IN ('sync', 'quorum') ORDER BY 1"
    )
    return [str(row[0]) for row in rows]
