"""The rows of people: their roles, how the system knows them, and what waits for a second one.

Statements only; which roles go together and who may change what, `node.access` says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, select

from node.storage.statements import Value, change, insert_into
from node.storage.tables import users


@dataclass(frozen=True, slots=True)
class User:
    """One of our people as stored; `roles` by spaces, `wanted` a change that waits."""

    person: str
    login: str
    uid: int | None
    roles: str
    state: str
    wanted: str | None
    asked_by: str | None
    asked_at: int
    confirmed_by: str | None = None
    confirmed_at: int | None = None
    address: str | None = None
    mailing: str = "now"
    substitute: str | None = None
    away_from: int | None = None
    away_until: int | None = None


_USER: Final = [users.c[name] for name in User.__dataclass_fields__]
_ALL: Final = select(*_USER).order_by(users.c.login)
_BY_PERSON: Final = select(*_USER).where(users.c.person == bindparam("one"))
_BY_LOGIN: Final = select(*_USER).where(users.c.login == bindparam("one"))
_BY_UID: Final = select(*_USER).where(users.c.uid == bindparam("one"))


def insert_user(conn: Connection, user: User) -> None:
    """Store a new person."""
    values: dict[str, Value] = {name: getattr(user, name) for name in User.__dataclass_fields__}
    conn.execute(insert_into(users), values)


def change_user(conn: Connection, person: str, **changes: int | str | None) -> None:
    """Change columns of a person."""
    change(conn, users, {"person": person}, changes)


def read_user(conn: Connection, person: str) -> User | None:
    """Read one of our people by their id."""
    row = conn.execute(_BY_PERSON, {"one": person}).first()
    return None if row is None else User(*row)


def user_of_login(conn: Connection, login: str) -> User | None:
    """Read one of our people by their login."""
    row = conn.execute(_BY_LOGIN, {"one": login}).first()
    return None if row is None else User(*row)


def user_of_uid(conn: Connection, uid: int) -> User | None:
    """Read who is mapped to a Unix user, whatever their state."""
    row = conn.execute(_BY_UID, {"one": uid}).first()
    return None if row is None else User(*row)


def list_users(conn: Connection) -> Sequence[User]:
    """Read all people, by login; also those that have ended."""
    return [User(*row) for row in conn.execute(_ALL)]
