"""The rows that a peer which lost its state asks back. Statements only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, bindparam, or_, select, tuple_

from node.storage import peer_rows
from node.storage.case_rows import StoredMessage
from node.storage.tables import cases, messages

UNFINISHED: Final = "recovery-unfinished"  # a kept setting

_AT_ONCE = 256
_MESSAGE = [messages.c[name] for name in StoredMessage.__dataclass_fields__]
_KEY = (messages.c.case_id, messages.c.direction, messages.c.seq)
_OF_PEER = (
    select(*_MESSAGE, cases.c.wrapped_key)
    .join(cases, cases.c.id == messages.c.case_id)
    .where(
        cases.c.peer == bindparam("peer"),
        or_(
            (messages.c.direction == "in") & (messages.c.created >= bindparam("created")),
            (messages.c.direction == "out")
            & (messages.c.state == "delivered")
            & (messages.c.changed_at >= bindparam("settled")),
        ),
    )
    .order_by(*_KEY)
    .limit(_AT_ONCE)
)
_AFTER = _OF_PEER.where(
    tuple_(*_KEY) > tuple_(bindparam("case"), bindparam("way"), bindparam("seq"))
)
_PLACE = (
    select(*_KEY)
    .join(cases, cases.c.id == messages.c.case_id)
    .where(messages.c.identity == bindparam("identity"), cases.c.peer == bindparam("peer"))
)


def messages_with(
    conn: Connection, peer: str, *, created: int, settled: int, after: str | None
) -> Iterator[tuple[StoredMessage, bytes]]:
    """Give receipted messages of cases with a peer, each with its case's wrapped key.

    Those of the peer made from `created` on, and ours whose receipt was settled from
    `settled` on, in the order (case, direction, number); behind the message `after`, if one
    is given, and none if that one is not known.
    """
    asked: dict[str, str | int] = {"peer": peer, "created": created, "settled": settled}
    query = _OF_PEER
    if after is not None:
        place = conn.execute(_PLACE, {"identity": after, "peer": peer}).first()
        if place is None:
            return
        query, asked = _AFTER, asked | _behind(*place)
    while rows := conn.execute(query, asked).all():
        for *values, wrapped_key in rows:
            yield StoredMessage(*values), bytes(wrapped_key)
        last = StoredMessage(*rows[-1][:-1])
        query, asked = _AFTER, asked | _behind(last.case_id, last.direction, last.seq)


def _behind(case: str, way: str, seq: int) -> dict[str, str | int]:
    return {"case": case, "way": way, "seq": seq}


def recovery_unfinished(conn: Connection) -> bool:
    """Say whether a recovery was begun and what came back is not installed yet."""
    return peer_rows.read_setting(conn, UNFINISHED) == "1"
