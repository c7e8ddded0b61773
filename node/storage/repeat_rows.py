"""The rows of requests that may be repeated: under which key what was asked and answered.

Statements only. A row is made in the transaction of the effect, without an answer; the
sealed answer is added after it. A row without one says: it was done, and how it was
answered is not known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, bindparam, delete, select

from node.storage.statements import change, insert_into
from node.storage.tables import repeats

NOT_ANSWERED: Final = 0
_KEPT_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Repeat:
    """A request that was done: the digest of what was asked, and its sealed answer."""

    person: str
    key: str
    request: str
    status: int
    sealed_answer: bytes = field(repr=False)
    at: int


_ONE: Final = select(*(repeats.c[name] for name in Repeat.__dataclass_fields__)).where(
    repeats.c.person == bindparam("person"), repeats.c.key == bindparam("key")
)


def read_repeat(conn: Connection, person: str, key: str) -> Repeat | None:
    """Read what was done under a key of a person."""
    row = conn.execute(_ONE, {"person": person, "key": key}).first()
    return None if row is None else Repeat(*row)


def note_done(conn: Connection, person: str, key: str, request: str, *, at: int) -> None:
    """Note in the transaction of the effect that it is done; a second note is the same."""
    if read_repeat(conn, person, key) is not None:
        return
    conn.execute(insert_into(repeats), {
        "person": person, "key": key, "request": request, "status": NOT_ANSWERED,
        "sealed_answer": b"", "at": at,
    })  # fmt: skip


def keep_answer(conn: Connection, person: str, key: str, status: int, sealed: bytes) -> None:
    """Keep how a request was answered."""
    change(
        conn, repeats, {"person": person, "key": key}, {"status": status, "sealed_answer": sealed}
    )


def forget(conn: Connection, person: str, key: str) -> None:
    """Forget a request that was refused after all: it may be asked again."""
    conn.execute(delete(repeats).where(repeats.c.person == person, repeats.c.key == key))


def drop_old(conn: Connection, now: int) -> None:
    """Forget what was asked a day ago."""
    conn.execute(delete(repeats).where(repeats.c.at < now - _KEPT_S))
