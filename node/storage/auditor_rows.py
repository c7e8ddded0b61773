"""Who may read the log without being a peer: auditors' tokens, and until when.

Statements only. Of a token only the digest is here: whoever reads this table can let nobody
in with what it holds.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, delete, select

from node.storage.statements import insert_into
from node.storage.tables import auditor_tokens
from protocol.digest import sha256_hex

_TOKEN_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class AuditorToken:
    """A token as it is stored: its digest, what its owner is called, and its time."""

    digest: str
    name: str
    created: int
    expires: int


_ALL: Final = select(*(auditor_tokens.c[name] for name in AuditorToken.__dataclass_fields__))
_ONE: Final = _ALL.where(auditor_tokens.c.digest == bindparam("digest"))


def make_token(random: Callable[[int], bytes]) -> str:
    """Make the text of a new token: 256 bits, to be shown once and stored nowhere."""
    return urlsafe_b64encode(random(_TOKEN_BYTES)).decode("ascii").rstrip("=")


def token_digest(token: str) -> str:
    """Give what is stored of a token, and what stands in records about it."""
    return sha256_hex(token.encode("utf-8"))


def insert_token(conn: Connection, token: AuditorToken) -> None:
    """Store a token; `IntegrityError` if one of its name is there already."""
    values = {name: getattr(token, name) for name in AuditorToken.__dataclass_fields__}
    conn.execute(insert_into(auditor_tokens), values)


def valid_token(conn: Connection, token: str, now: int) -> AuditorToken | None:
    """Find the token with this text if its time is not over, else None.

    The digest is what is looked up, so how long it takes says nothing of the text.
    """
    digest = token_digest(token)
    row = conn.execute(_ONE, {"digest": digest}).first()
    if row is None:
        return None
    found = AuditorToken(*row)
    holds = hmac.compare_digest(found.digest, digest) and found.created <= now < found.expires
    return found if holds else None


def list_tokens(conn: Connection) -> list[AuditorToken]:
    """Read all tokens, by name; also those whose time is over."""
    return [AuditorToken(*row) for row in conn.execute(_ALL.order_by(auditor_tokens.c.name))]


def delete_token(conn: Connection, name: str) -> AuditorToken | None:
    """Take a token back; gives what was stored, or None if there is none of this name."""
    row = conn.execute(_ALL.where(auditor_tokens.c.name == name)).first()
    if row is not None:
        conn.execute(delete(auditor_tokens).where(auditor_tokens.c.name == name))
    return None if row is None else AuditorToken(*row)
