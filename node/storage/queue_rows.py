"""The rows of the outbox and of each peer's queue. Statements only; envelopes are bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, func, insert, select, update

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


def insert_waiting(conn: Connection, waiting: Waiting) -> None:
    """Queue an envelope; its `id` is given by the database."""
    values = {name: getattr(waiting, name) for name in Waiting.__dataclass_fields__ if name != "id"}
    conn.execute(insert(outbox), values)


def list_waiting(
    conn: Connection, peer: str | None = None, *, after: int = 0, limit: int = 1_000
) -> list[Waiting]:
    """Read what waits, for one peer or for all, in the order of queueing, behind `after`."""
    query = select(*_WAITING).where(outbox.c.id > after).order_by(outbox.c.id).limit(limit)
    if peer is not None:
        query = query.where(outbox.c.peer == peer)
    return [Waiting(*row) for row in conn.execute(query)]


def waiting_by_identity(conn: Connection, identities: Sequence[str]) -> dict[str, Waiting]:
    """Read those of the waiting envelopes that hold these messages."""
    query = select(*_WAITING).where(outbox.c.identity.in_(identities))
    return {row[2]: Waiting(*row) for row in conn.execute(query)}


def waiting_sealed_to_other(conn: Connection, peer: str, key_id: str) -> list[Waiting]:
    """Read what waits for a peer and is sealed to another key than its newest."""
    query = (
        select(*_WAITING)
        .where(outbox.c.peer == peer, outbox.c.key_id != key_id)
        .order_by(outbox.c.id)
    )
    return [Waiting(*row) for row in conn.execute(query)]


def list_expired(conn: Connection, now: int, limit: int = 256) -> list[Waiting]:
    """Read what waited too long, oldest first."""
    query = select(*_WAITING).where(outbox.c.expires < now).order_by(outbox.c.id).limit(limit)
    return [Waiting(*row) for row in conn.execute(query)]


def reseal_waiting(
    conn: Connection, identity: str, *, digest: str, key_id: str, envelope: bytes
) -> None:
    """Put a newly sealed envelope of the same message in the place of the old one."""
    conn.execute(
        update(outbox)
        .where(outbox.c.identity == identity)
        .values(digest=digest, key_id=key_id, envelope=envelope)
    )


def note_attempt(conn: Connection, identities: Sequence[str], code: str | None) -> None:
    """Count one more try of these messages, and the word that came back."""
    conn.execute(
        update(outbox)
        .where(outbox.c.identity.in_(identities))
        .values(attempts=outbox.c.attempts + 1, last_code=code)
    )


def delete_waiting(conn: Connection, identities: Sequence[str]) -> None:
    """Take messages out of the queue: receipted, refused or given up."""
    conn.execute(delete(outbox).where(outbox.c.identity.in_(identities)))


def peers_waiting(conn: Connection) -> dict[str, int]:
    """Give the number of waiting envelopes of each peer that has any."""
    query = select(outbox.c.peer, func.count()).group_by(outbox.c.peer)
    return {row[0]: row[1] for row in conn.execute(query)}


def read_queue(conn: Connection, peer: str) -> QueueState:
    """Read the state of a peer's queue; a peer without one has a fresh one."""
    row = conn.execute(select(*_QUEUE).where(queues.c.peer == peer)).first()
    return QueueState(peer) if row is None else QueueState(*row)


def list_queues(conn: Connection) -> list[QueueState]:
    """Read the state of all queues."""
    return [QueueState(*row) for row in conn.execute(select(*_QUEUE).order_by(queues.c.peer))]


def write_queue(conn: Connection, state: QueueState) -> None:
    """Store the state of a peer's queue."""
    values = {name: getattr(state, name) for name in QueueState.__dataclass_fields__}
    changed = conn.execute(update(queues).where(queues.c.peer == state.peer).values(**values))
    if changed.rowcount == 0:
        conn.execute(insert(queues), values)


def claim_queue(conn: Connection, peer: str, courier: str, *, now: int, until: int) -> bool:
    """Claim a peer's whole queue for a courier, unless another one holds it (DESIGN 4.5)."""
    if conn.execute(select(queues.c.peer).where(queues.c.peer == peer)).first() is None:
        write_queue(conn, QueueState(peer, claimed_by=courier, claimed_until=until))
        return True
    free = (queues.c.claimed_until < now) | (queues.c.claimed_by == courier)
    claimed = conn.execute(
        update(queues)
        .where(queues.c.peer == peer, free)
        .values(claimed_by=courier, claimed_until=until)
    )
    return claimed.rowcount == 1
