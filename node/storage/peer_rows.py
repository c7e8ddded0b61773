"""The small rows beside the exchange: nonces, alarms, kept settings. Statements only."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.exc import IntegrityError

from node.storage.statements import change, insert_into
from node.storage.tables import alarms, nonces, settings_kept


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that a person has to look at; `kept` holds bytes worth keeping as proof."""

    at: int
    kind: str
    peer: str | None
    subject: str | None
    detail: str
    kept: bytes | None = field(default=None, repr=False)
    id: int | None = None


def take_nonce(conn: Connection, key_id: str, nonce: str, expires: int) -> bool:
    """Remember a nonce; False if it was used before."""
    savepoint = conn.begin_nested()
    try:
        conn.execute(insert_into(nonces), {"key_id": key_id, "nonce": nonce, "expires": expires})
    except IntegrityError:
        savepoint.rollback()
        return False
    savepoint.commit()
    return True


def drop_nonces(conn: Connection, before: int) -> None:
    """Forget nonces whose signatures have expired: they are refused by time."""
    conn.execute(delete(nonces).where(nonces.c.expires < before))


def insert_alarm(conn: Connection, alarm: Alarm) -> None:
    """Store an alarm."""
    conn.execute(
        insert_into(alarms),
        {
            "at": alarm.at,
            "kind": alarm.kind,
            "peer": alarm.peer,
            "subject": alarm.subject,
            "detail": alarm.detail,
            "kept": alarm.kept,
        },
    )


def count_alarms(conn: Connection, kind: str, peer: str, since: int) -> int:
    """Count the alarms of one kind about one peer from `since` on."""
    columns = alarms.c
    query = select(func.count()).where(
        columns.kind == kind, columns.peer == peer, columns.at >= since
    )
    return int(conn.execute(query).scalar_one())


def list_alarms(conn: Connection, limit: int = 100) -> list[Alarm]:
    """Read the newest alarms first."""
    columns = alarms.c
    query = (
        select(
            columns.at, columns.kind, columns.peer, columns.subject, columns.detail, columns.kept,
            columns.id,
        )
        .order_by(columns.id.desc())
        .limit(limit)
    )  # fmt: skip
    return [Alarm(*row) for row in conn.execute(query)]


def read_setting(conn: Connection, name: str) -> str | None:
    """Read a kept value."""
    query = select(settings_kept.c.value).where(settings_kept.c.name == name)
    return conn.execute(query).scalar()


def write_setting(conn: Connection, name: str, value: str) -> None:
    """Keep a value."""
    if change(conn, settings_kept, {"name": name}, {"value": value}) == 0:
        conn.execute(insert_into(settings_kept), {"name": name, "value": value})
