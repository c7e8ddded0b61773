"""The rows of cases and their messages. Statements only; sealed texts pass through unread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, insert, select, update

from node.storage.tables import cases, contested, envelopes, messages, refusals, skips


@dataclass(frozen=True, slots=True)
class Case:
    """One case as stored: who it is with, where both counters stand."""

    id: str
    side: str
    peer: str
    request_kind: str
    state: str
    opened_at: int
    changed_at: int
    log_id: str
    wrapped_key: bytes = field(repr=False)
    sent_seq: int = 0
    sent_identity: str | None = None
    accepted_seq: int = 0
    accepted_identity: str | None = None
    order_last: int = 0


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One message of a case as stored; `sealed_text` opens with the case's key."""

    identity: str
    case_id: str
    direction: str
    seq: int
    order_number: int | None
    kind: str
    created: int
    expires: int
    epoch: int
    state: str
    changed_at: int
    sealed_text: bytes = field(repr=False)
    receipt: bytes | None = field(default=None, repr=False)
    log_position: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A final refusal that we made; a repeat of the message gets the same proof."""

    identity: str
    code: str
    at: int
    proof: bytes | None = field(default=None, repr=False)


_CASE = [cases.c[name] for name in Case.__dataclass_fields__]
_MESSAGE = [messages.c[name] for name in StoredMessage.__dataclass_fields__]


def _values(row: object) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__dataclass_fields__}  # type: ignore[attr-defined]  # our dataclasses only


def read_case(conn: Connection, case_id: str, *, lock: bool = False) -> Case | None:
    """Read a case; with `lock` nobody else changes it until the transaction ends."""
    query = select(*_CASE).where(cases.c.id == case_id)
    row = conn.execute(query.with_for_update() if lock else query).first()
    return None if row is None else Case(*row)


def list_cases(conn: Connection) -> list[Case]:
    """Read all cases, the last changed first."""
    query = select(*_CASE).order_by(cases.c.changed_at.desc(), cases.c.id)
    return [Case(*row) for row in conn.execute(query)]


def find_cases(conn: Connection, part: str) -> list[str]:
    """Find ids of cases that are `part`, or whose random half begins with it; ten at most."""
    pattern = part.replace("\\", "").replace("%", "").replace("_", "")
    query = (
        select(cases.c.id)
        .where((cases.c.id == part) | cases.c.id.like(f"%/{pattern}%"))
        .order_by(cases.c.id)
        .limit(10)
    )
    return list(conn.execute(query).scalars())


def insert_case(conn: Connection, case: Case) -> None:
    """Store a new case."""
    conn.execute(insert(cases), _values(case))


def change_case(conn: Connection, case_id: str, **changes: int | str | None) -> None:
    """Change columns of a case."""
    conn.execute(update(cases).where(cases.c.id == case_id).values(**changes))


def insert_message(conn: Connection, message: StoredMessage) -> None:
    """Store a new message of a case."""
    conn.execute(insert(messages), _values(message))


def change_message(conn: Connection, identity: str, **changes: int | str | bytes | None) -> None:
    """Change columns of a message."""
    conn.execute(update(messages).where(messages.c.identity == identity).values(**changes))


def read_message(conn: Connection, identity: str) -> StoredMessage | None:
    """Read a message by its identity."""
    row = conn.execute(select(*_MESSAGE).where(messages.c.identity == identity)).first()
    return None if row is None else StoredMessage(*row)


def list_messages(conn: Connection, case_id: str) -> list[StoredMessage]:
    """Read the messages of a case, oldest first."""
    query = (
        select(*_MESSAGE)
        .where(messages.c.case_id == case_id)
        .order_by(messages.c.created, messages.c.direction, messages.c.seq)
    )
    return [StoredMessage(*row) for row in conn.execute(query)]


def find_messages(
    conn: Connection, identities: Sequence[str], direction: str
) -> dict[str, StoredMessage]:
    """Read those of the messages that are here, by identity."""
    query = select(*_MESSAGE).where(
        messages.c.identity.in_(identities), messages.c.direction == direction
    )
    return {row[0]: StoredMessage(*row) for row in conn.execute(query)}


def order_holder(conn: Connection, case_id: str, order: int) -> str | None:
    """Give the identity of the message that has this order number in the case, if any."""
    query = select(messages.c.identity).where(
        messages.c.case_id == case_id, messages.c.order_number == order
    )
    return conn.execute(query).scalar()


def given_up(conn: Connection, case_id: str) -> list[str]:
    """Identities of our messages in a case that never arrived or were refused, oldest first."""
    query = (
        select(messages.c.identity)
        .where(
            messages.c.case_id == case_id,
            messages.c.direction == "out",
            messages.c.state.in_(("undelivered", "refused")),
        )
        .order_by(messages.c.seq)
    )
    return list(conn.execute(query).scalars())


def insert_envelope(
    conn: Connection, digest: str, identity: str, *, key_id: str, made_at: int
) -> None:
    """Remember an envelope made or accepted of a message; a repeat changes nothing."""
    if identity_of_envelope(conn, digest) is None:
        row = {"digest": digest, "identity": identity, "key_id": key_id, "made_at": made_at}
        conn.execute(insert(envelopes), row)


def identity_of_envelope(conn: Connection, digest: str) -> str | None:
    """Give the identity of the message that an envelope holds, if it is known."""
    return conn.execute(select(envelopes.c.identity).where(envelopes.c.digest == digest)).scalar()


def identities_of_envelopes(conn: Connection, digests: Sequence[str]) -> dict[str, str]:
    """Give the identities of those envelopes that are known, by digest."""
    query = select(envelopes.c.digest, envelopes.c.identity).where(envelopes.c.digest.in_(digests))
    return {row[0]: row[1] for row in conn.execute(query)}


def insert_skips(conn: Connection, case_id: str, identities: Sequence[str]) -> None:
    """Remember messages that their sender has given up."""
    conn.execute(insert(skips), [{"case_id": case_id, "identity": one} for one in identities])


def known_skips(conn: Connection, case_id: str, identities: Sequence[str]) -> set[str]:
    """Give those of the identities that their sender has already given up in this case."""
    query = select(skips.c.identity).where(
        skips.c.case_id == case_id, skips.c.identity.in_(identities)
    )
    return set(conn.execute(query).scalars())


def insert_contested(conn: Connection, message: StoredMessage, code: str) -> None:
    """Keep a second message for a place that is taken."""
    row = {
        "identity": message.identity,
        "case_id": message.case_id,
        "seq": message.seq,
        "code": code,
        "at": message.changed_at,
        "sealed_text": message.sealed_text,
    }
    conn.execute(insert(contested), row)


def list_contested(conn: Connection, case_id: str) -> list[tuple[str, int, str]]:
    """Read identity, number and code of the contested messages of a case."""
    columns = contested.c
    query = select(columns.identity, columns.seq, columns.code).where(columns.case_id == case_id)
    return [(row[0], row[1], row[2]) for row in conn.execute(query)]


def insert_refusal(conn: Connection, refusal: Refusal) -> None:
    """Store a final refusal of ours; its proof comes when it is sequenced."""
    conn.execute(insert(refusals), _values(refusal))


def prove_refusal(conn: Connection, identity: str, proof: bytes) -> None:
    """Store the proof of a refusal."""
    conn.execute(update(refusals).where(refusals.c.identity == identity).values(proof=proof))


def find_refusals(conn: Connection, identities: Sequence[str]) -> dict[str, Refusal]:
    """Read those final refusals that concern the identities."""
    columns = refusals.c
    query = select(columns.identity, columns.code, columns.at, columns.proof).where(
        columns.identity.in_(identities)
    )
    return {row[0]: Refusal(*row) for row in conn.execute(query)}
