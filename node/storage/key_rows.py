"""The rows of access keys: by which digest a person, or their program, is known, until when.

Statements only. Of a key only the digest is here: whoever reads this table can let nobody in
with what it holds. Keys have 256 bits of chance, so that a fast digest is enough.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, select

from node.storage.statements import Value, change, insert_into
from node.storage.tables import access_keys
from protocol.digest import sha256_hex

KEY_PREFIX: Final = "comity_"
_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key as stored: whose it is, what it is called, and what it is good for."""

    digest: str
    person: str
    name: str
    scopes: str
    made_by: str | None
    made_at: int
    expires: int
    ended_at: int | None = None


_KEY: Final = [access_keys.c[name] for name in AccessKey.__dataclass_fields__]
_ONE: Final = select(*_KEY).where(access_keys.c.digest == bindparam("one"))
_OF_PERSON: Final = (
    select(*_KEY)
    .where(access_keys.c.person == bindparam("one"))
    .order_by(access_keys.c.made_at, access_keys.c.name)
)


def make_key(random: Callable[[int], bytes]) -> str:
    """Make the text of a new key: 256 bits, to be shown once and stored nowhere.

    The prefix lets those who search files and repositories for lost secrets find it.
    """
    text = urlsafe_b64encode(random(_KEY_BYTES)).decode("ascii").rstrip("=")
    return f"{KEY_PREFIX}{text}"


def key_digest(key: str) -> str:
    """Give what is stored of a key, and what stands in records about it."""
    return sha256_hex(key.encode("utf-8", "surrogateescape"))


def insert_key(conn: Connection, key: AccessKey) -> None:
    """Store a new key."""
    values: dict[str, Value] = {name: getattr(key, name) for name in AccessKey.__dataclass_fields__}
    conn.execute(insert_into(access_keys), values)


def valid_key(conn: Connection, key: str, now: int) -> AccessKey | None:
    """Find the key with this text if it is good now, else None.

    The digest is what is looked up, so how long it takes says nothing of the text.
    """
    row = conn.execute(_ONE, {"one": key_digest(key)}).first()
    if row is None:
        return None
    found = AccessKey(*row)
    return found if found.ended_at is None and found.made_at <= now < found.expires else None


def keys_of(conn: Connection, person: str) -> Sequence[AccessKey]:
    """Read the keys of a person, the oldest first; also those that opened and do no more."""
    return [AccessKey(*row) for row in conn.execute(_OF_PERSON, {"one": person})]


def change_key(conn: Connection, digest: str, **changes: int | str | None) -> None:
    """Change columns of a key."""
    change(conn, access_keys, {"digest": digest}, changes)
