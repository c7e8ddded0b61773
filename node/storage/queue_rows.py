"""The rows of the outbox and of each peer's queue. Statements only; envelopes are bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import BindParameter, Connection, bindparam, delete, func, select, update

from node.storage.statements import Value, change, insert_into
from node.storage.tables import outbox, queues


@dataclass(frozen=True, slots=True)
class Waiting:
    """One envelope that waits for its receipt."""

    id: int
    peer: str
    identity: str
    digest: str
    key_id: str
    envelope: bytes = field(repr=False)
    queued_at: int
    expires: int
    attempts: int
    last_code: str | None


@dataclass(frozen=True, slots=True)
class QueueState:
    """When a peer is tried next, and why not earlier."""

    peer: str
    next_try_at: int = 0
    failures: int = 0
    last_code: str | None = None
    last_tried_at: int | None = None
    last_word_at: int | None = None
    claimed_by: str | None = None
    claimed_until: int = 0


_WAITING = [outbox.c[name] for name in Waiting.__dataclass_fields__]
_QUEUE = [queues.c[name] for name in QueueState.__dataclass_fields__]
_MANY: BindParameter[str] = bindparam("many", expanding=True)

_BEHIND = (
    select(*_WAITING)
    .where(outbox.c.id > bindparam("after"))
    .order_by(outbox.c.id)
    .limit(bindparam("at_most"))
)
_BEHIND_OF_PEER = _BEHIND.where(outbox.c.peer == bindparam("peer"))
_SIZES_OF_PEER = (
    select(outbox.c.id, func.length(outbox.c.envelope))
    .where(outbox.c.peer == bindparam("peer"), outbox.c.id > bindparam("after"))
    .order_by(outbox.c.id)
    .limit(bindparam("at_most"))
)
_BATCH_OF_PEER = _BEHIND_OF_PEER.where(outbox.c.id <= bindparam("last"))
_SHOWN_NAMES = [name for name in Waiting.__dataclass_fields__ if name != "envelope"]
_SHOWN = (
    select(*(outbox.c[name] for name in _SHOWN_NAMES))
    .add_columns(func.length(outbox.c.envelope))
    .order_by(outbox.c.id)
    .limit(bindparam("at_most"))
)
_SEALED_TO_OTHER = (
    select(*_WAITING)
    .where(outbox.c.peer == bindparam("peer"), outbox.c.key_id != bindparam("key_id"))
    .order_by(outbox.c.id)
)
_EXPIRED = (
    select(*_WAITING)
    .where(outbox.c.expires < bindparam("now"))
    .order_by(outbox.c.id)
    .limit(bindparam("at_most"))
)
_NOTE_ATTEMPT = (
    update(outbox)
    .where(outbox.c.peer == bindparam("of_peer"), outbox.c.identity.in_(_MANY))
    .values(attempts=outbox.c.attempts + 1, last_code=bindparam("code"))
)
_DELETE = delete(outbox).where(outbox.c.identity.in_(_MANY))
_PEERS = select(outbox.c.peer, func.count()).group_by(outbox.c.peer)
_QUEUE_OF_PEER = select(*_QUEUE).where(queues.c.peer == bindparam("peer"))
_QUEUES = select(*_QUEUE).order_by(queues.c.peer)
_CLAIM = (
    update(queues)
    .where(
        queues.c.peer == bindparam("of_peer"),
        (queues.c.claimed_until < bindparam("now")) | (queues.c.claimed_by == bindparam("courier")),
    )
    .values(claimed_by=bindparam("courier"), claimed_until=bindparam("until"))
)


def insert_waiting(conn: Connection, waiting: Waiting) -> None:
    """Queue an envelope; its `id` is given by the database."""
    values = {name: getattr(waiting, name) for name in Waiting.__dataclass_fields__ if name != "id"}
    conn.execute(insert_into(outbox), values)


def next_batch(
    conn: Connection, peer: str, *, after: int, count_max: int, bytes_max: int
) -> list[Waiting]:
    """Read what waits for a peer behind `after`, as many as fit; the first always does.

    Sizes are read first: envelopes of megabytes that do not fit are never loaded.
    """
    bound = {"peer": peer, "after": after, "at_most": count_max}
    last = size = 0
    for number, length in conn.execute(_SIZES_OF_PEER, bound):
        size += length
        if last and size > bytes_max:
            break
        last = number
    bound = {"peer": peer, "after": after, "last": last, "at_most": count_max}
    return [Waiting(*row) for row in conn.execute(_BATCH_OF_PEER, bound)] if last else []


def list_shown(conn: Connection, limit: int = 1_000) -> list[tuple[Waiting, int]]:
    """Read what waits for all peers and its sizes in bytes, without the envelopes."""
    shown = []
    for *columns, size in conn.execute(_SHOWN, {"at_most": limit}):
        shown.append((Waiting(**dict(zip(_SHOWN_NAMES, columns, strict=True)), envelope=b""), size))
    return shown


def list_waiting(
    conn: Connection, peer: str | None = None, *, after: int = 0, limit: int = 1_000
) -> list[Waiting]:
    """Read what waits, for one peer or for all, in the order of queueing, behind `after`."""
    bound: dict[str, int | str] = {"after": after, "at_most": limit}
    if peer is None:
        return [Waiting(*row) for row in conn.execute(_BEHIND, bound)]
    return [Waiting(*row) for row in conn.execute(_BEHIND_OF_PEER, {**bound, "peer": peer})]


def waiting_sealed_to_other(conn: Connection, peer: str, key_id: str) -> list[Waiting]:
    """Read what waits for a peer and is sealed to another key than its newest."""
    rows = conn.execute(_SEALED_TO_OTHER, {"peer": peer, "key_id": key_id})
    return [Waiting(*row) for row in rows]


def list_expired(conn: Connection, now: int, limit: int = 256) -> list[Waiting]:
    """Read what waited too long, oldest first."""
    return [Waiting(*row) for row in conn.execute(_EXPIRED, {"now": now, "at_most": limit})]


def reseal_waiting(
    conn: Connection, identity: str, *, digest: str, key_id: str, envelope: bytes
) -> None:
    """Put a newly sealed envelope of the same message in the place of the old one."""
    values: dict[str, Value] = {"digest": digest, "key_id": key_id, "envelope": envelope}
    change(conn, outbox, {"identity": identity}, values)


def note_attempt(conn: Connection, peer: str, identities: Sequence[str], code: str | None) -> None:
    """Count one more try of these messages to a peer, and the word that came back."""
    conn.execute(_NOTE_ATTEMPT, {"of_peer": peer, "many": list(identities), "code": code})


def delete_waiting(conn: Connection, identities: Sequence[str]) -> None:
    """Take messages out of the queue: receipted, refused or given up."""
    if identities:
        conn.execute(_DELETE, {"many": list(identities)})


def peers_waiting(conn: Connection) -> dict[str, int]:
    """Give the number of waiting envelopes of each peer that has any."""
    return {row[0]: row[1] for row in conn.execute(_PEERS)}


def read_queue(conn: Connection, peer: str) -> QueueState:
    """Read the state of a peer's queue; a peer without one has a fresh one."""
    row = conn.execute(_QUEUE_OF_PEER, {"peer": peer}).first()
    return QueueState(peer) if row is None else QueueState(*row)


def list_queues(conn: Connection) -> list[QueueState]:
    """Read the state of all queues."""
    return [QueueState(*row) for row in conn.execute(_QUEUES)]


def write_queue(conn: Connection, state: QueueState) -> None:
    """Store the state of a peer's queue."""
    values = {name: getattr(state, name) for name in QueueState.__dataclass_fields__}
    if change(conn, queues, {"peer": state.peer}, values) == 0:
        conn.execute(insert_into(queues), values)


def claim_queue(conn: Connection, peer: str, courier: str, *, now: int, until: int) -> bool:
    """Claim a peer's whole queue for a courier, unless another one holds it."""
    if conn.execute(_QUEUE_OF_PEER, {"peer": peer}).first() is None:
        write_queue(conn, QueueState(peer, claimed_by=courier, claimed_until=until))
        return True
    bound = {"of_peer": peer, "now": now, "courier": courier, "until": until}
    return conn.execute(_CLAIM, bound).rowcount == 1
