"""The rows of mails that say that something waits. Statements only; nothing is sent here.

A row goes out at least once: it is marked when the server has taken the mail, so a crash
between the two sends the same sentence again and loses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, delete, func, select, update

from node.storage.statements import insert_into
from node.storage.tables import mails

FAILURES_MAX: Final = 12
_KEPT_S: Final = 30 * 86_400

_WAITING = (
    select(mails.c.person, func.count(), func.max(mails.c.id), func.min(mails.c.at))
    .where(mails.c.sent_at.is_(None), mails.c.failures < FAILURES_MAX)
    .group_by(mails.c.person)
    .order_by(func.min(mails.c.at), mails.c.person)
)
_TAKEN = (
    update(mails)
    .where(
        mails.c.person == bindparam("whom"),
        mails.c.sent_at.is_(None),
        mails.c.id <= bindparam("up_to"),
    )
)  # fmt: skip
_SENT = _TAKEN.values(sent_at=bindparam("when"))
_FAILED = _TAKEN.values(failures=mails.c.failures + 1)
_LAST_SENT = select(func.max(mails.c.sent_at)).where(mails.c.person == bindparam("whom"))


@dataclass(frozen=True, slots=True)
class Bundle:
    """All that waits to be told to one person: how much, up to which row, since when."""

    person: str
    count: int
    up_to: int
    since: int


def insert_mail(conn: Connection, person: str, reason: str, case_id: str | None, at: int) -> None:
    """Note that a person is to be told that something waits."""
    row = {
        "person": person, "reason": reason, "case_id": case_id, "at": at, "sent_at": None,
        "failures": 0,
    }  # fmt: skip
    conn.execute(insert_into(mails), row)


def waiting(conn: Connection) -> Sequence[Bundle]:
    """Give what waits to be told, by person, the oldest first."""
    return [Bundle(*row) for row in conn.execute(_WAITING)]


def last_sent(conn: Connection, person: str) -> int | None:
    """Give when a person last had a mail."""
    return conn.execute(_LAST_SENT, {"whom": person}).scalar()


def mark_sent(conn: Connection, bundle: Bundle, now: int) -> None:
    """Note that the server has taken the mail about these rows."""
    conn.execute(_SENT, {"whom": bundle.person, "up_to": bundle.up_to, "when": now})


def mark_failed(conn: Connection, bundle: Bundle) -> None:
    """Note that the server did not take the mail; after too many times it is not tried again."""
    conn.execute(_FAILED, {"whom": bundle.person, "up_to": bundle.up_to})


def drop_old(conn: Connection, now: int) -> None:
    """Forget mails that are a month old, sent or not: they say nothing that is not on the list."""
    conn.execute(delete(mails).where(mails.c.at < now - _KEPT_S))


@dataclass(frozen=True, slots=True)
class Mail:
    """One line of what a person is to be told, or was."""

    person: str
    reason: str
    case_id: str | None
    at: int
    sent_at: int | None
    failures: int


_MAIL = [mails.c[name] for name in Mail.__dataclass_fields__]


def list_mails(conn: Connection) -> Sequence[Mail]:
    """Read all mails that are kept, in the order in which they were noted."""
    return [Mail(*row) for row in conn.execute(select(*_MAIL).order_by(mails.c.id))]
