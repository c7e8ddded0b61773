"""The rows of webhooks: where happenings are sent, and how far that has come.

Statements only; the signing key of a hook passes through sealed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, bindparam, select

from node.storage.statements import Value, change, insert_into
from node.storage.tables import webhooks


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where happenings are sent: `kinds` by spaces, none for all; `position` is the last sent."""

    id: str
    url: str
    kinds: str
    sealed_key: bytes = field(repr=False)
    made_by: str | None
    made_at: int
    ended_at: int | None = None
    position: int = 0
    failures: int = 0
    next_try_at: int = 0


_COLUMNS: Final = [webhooks.c[name] for name in Webhook.__dataclass_fields__]
_ALL: Final = select(*_COLUMNS).order_by(webhooks.c.made_at, webhooks.c.id)
_ONE: Final = select(*_COLUMNS).where(webhooks.c.id == bindparam("one"))
_IN_USE: Final = _ALL.where(webhooks.c.ended_at.is_(None))


def insert_webhook(conn: Connection, hook: Webhook) -> None:
    """Store a new webhook."""
    values = {name: getattr(hook, name) for name in Webhook.__dataclass_fields__}
    conn.execute(insert_into(webhooks), values)


def read_webhook(conn: Connection, one: str) -> Webhook | None:
    """Read a webhook by its id."""
    row = conn.execute(_ONE, {"one": one}).first()
    return None if row is None else Webhook(*row)


def list_webhooks(conn: Connection) -> Sequence[Webhook]:
    """Read all webhooks, the oldest first; also those that ended."""
    return [Webhook(*row) for row in conn.execute(_ALL)]


def webhooks_in_use(conn: Connection) -> Sequence[Webhook]:
    """Read the webhooks that have not ended."""
    return [Webhook(*row) for row in conn.execute(_IN_USE)]


def end_webhook(conn: Connection, one: str, at: int) -> None:
    """End a webhook."""
    change(conn, webhooks, {"id": one}, {"ended_at": at})


def note_told(
    conn: Connection, one: str, *, position: int, failures: int, next_try_at: int
) -> None:
    """Note how far a webhook was told, and when to try again where it did not answer."""
    changes: dict[str, Value] = {
        "position": position, "failures": failures, "next_try_at": next_try_at
    }  # fmt: skip
    change(conn, webhooks, {"id": one}, changes)
