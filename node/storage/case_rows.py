"""The rows of cases and their messages. Statements only; sealed texts pass through unread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import BindParameter, Connection, bindparam, delete, select

from node.storage.statements import Change, Value, change, insert_into
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
    log: int | None = None
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
_MANY: BindParameter[str] = bindparam("many", expanding=True)
_ONE: BindParameter[str] = bindparam("one")

_CASE_BY_ID = select(*_CASE).where(cases.c.id == _ONE)
_CASE_ID = select(cases.c.id).where(cases.c.id == _ONE)
_CASE_LOCKED = _CASE_BY_ID.with_for_update()
_CASES_LOCKED = select(*_CASE).where(cases.c.id.in_(_MANY)).with_for_update()
_CASES = select(*_CASE).order_by(cases.c.changed_at.desc(), cases.c.id)
_MESSAGE_BY_ID = select(*_MESSAGE).where(messages.c.identity == _ONE)
_MESSAGES_BY_ID = select(*_MESSAGE).where(messages.c.identity.in_(_MANY))
_MESSAGES_OF_CASE = (
    select(*_MESSAGE)
    .where(messages.c.case_id == _ONE)
    .order_by(messages.c.created, messages.c.direction, messages.c.seq)
)
_MESSAGE_AT = select(*_MESSAGE).where(
    messages.c.case_id == _ONE,
    messages.c.direction == bindparam("direction"),
    messages.c.seq == bindparam("seq"),
)
_ORDER_HOLDER = select(messages.c.identity).where(
    messages.c.case_id == _ONE, messages.c.order_number == bindparam("order")
)
_GIVEN_UP = (
    select(messages.c.identity)
    .where(
        messages.c.case_id == _ONE,
        messages.c.direction == "out",
        messages.c.state.in_(("undelivered", "refused")),
    )
    .order_by(messages.c.seq)
)
_ENVELOPES = select(envelopes.c.digest, envelopes.c.identity).where(envelopes.c.digest.in_(_MANY))
_KNOWN_SKIPS = select(skips.c.identity).where(skips.c.case_id == _ONE, skips.c.identity.in_(_MANY))
_CONTESTED = select(contested.c.identity, contested.c.seq, contested.c.code).where(
    contested.c.case_id == _ONE
)
_REFUSALS = select(refusals.c.identity, refusals.c.code, refusals.c.at, refusals.c.proof).where(
    refusals.c.identity.in_(_MANY)
)


def _values(row: object) -> dict[str, Value]:
    return {name: getattr(row, name) for name in row.__dataclass_fields__}  # type: ignore[attr-defined]  # our dataclasses only


def read_case(conn: Connection, case_id: str, *, lock: bool = False) -> Case | None:
    """Read a case; with `lock` nobody else changes it until the transaction ends."""
    row = conn.execute(_CASE_LOCKED if lock else _CASE_BY_ID, {"one": case_id}).first()
    return None if row is None else Case(*row)


def lock_cases(conn: Connection, case_ids: Sequence[str]) -> dict[str, Case]:
    """Read cases that nobody else changes until the transaction ends, by id."""
    rows = conn.execute(_CASES_LOCKED, {"many": sorted(set(case_ids))}) if case_ids else ()
    return {row[0]: Case(*row) for row in rows}


def list_cases(conn: Connection) -> list[Case]:
    """Read all cases, the last changed first."""
    return [Case(*row) for row in conn.execute(_CASES)]


def find_cases(conn: Connection, part: str) -> list[str]:
    """Find ids that are `part`, or begin with it, or whose random half does; ten at most."""
    if not part:
        return []  # else the only case there is would be meant by no name at all
    if conn.execute(_CASE_ID, {"one": part.lower()}).first() is not None:
        return [part.lower()]  # a whole id, as verbs have it: no need to look at all the others
    begun = cases.c.id.startswith(part.lower(), autoescape=True)
    query = (
        select(cases.c.id)
        .where(begun | cases.c.id.contains(f"/{part.lower()}", autoescape=True))
        .order_by(cases.c.id)
        .limit(10)
    )
    return list(conn.execute(query).scalars())


def insert_case(conn: Connection, case: Case) -> None:
    """Store a new case."""
    conn.execute(insert_into(cases), _values(case))


def change_case(conn: Connection, case_id: str, **changes: int | str | None) -> None:
    """Change columns of a case."""
    change(conn, cases, {"id": case_id}, changes)


def insert_message(conn: Connection, message: StoredMessage) -> None:
    """Store a new message of a case."""
    conn.execute(insert_into(messages), _values(message))


def change_message(conn: Connection, identity: str, **changes: int | str | bytes | None) -> None:
    """Change columns of a message."""
    change(conn, messages, {"identity": identity}, changes)


def message_change(identity: str, **changes: int | str | bytes | None) -> Change:
    """Give a change of a message that may wait for others like it."""
    return Change(messages, {"identity": identity}, changes)


def read_message(conn: Connection, identity: str) -> StoredMessage | None:
    """Read a message by its identity."""
    row = conn.execute(_MESSAGE_BY_ID, {"one": identity}).first()
    return None if row is None else StoredMessage(*row)


def message_at(conn: Connection, case_id: str, direction: str, seq: int) -> StoredMessage | None:
    """Read the message that has this number in a case, if there is one."""
    row = conn.execute(_MESSAGE_AT, {"one": case_id, "direction": direction, "seq": seq}).first()
    return None if row is None else StoredMessage(*row)


def delete_message(conn: Connection, identity: str) -> None:
    """Take a message out of its case; the caller has kept it elsewhere."""
    conn.execute(delete(messages).where(messages.c.identity == identity))


def list_messages(conn: Connection, case_id: str) -> list[StoredMessage]:
    """Read the messages of a case, oldest first."""
    return [StoredMessage(*row) for row in conn.execute(_MESSAGES_OF_CASE, {"one": case_id})]


def find_messages(
    conn: Connection, identities: Sequence[str], direction: str
) -> dict[str, StoredMessage]:
    """Read those of the messages that are here, by identity."""
    rows = conn.execute(_MESSAGES_BY_ID, {"many": list(identities)}) if identities else ()
    found = (StoredMessage(*row) for row in rows)
    return {one.identity: one for one in found if one.direction == direction}


def known_messages(conn: Connection, identities: Sequence[str]) -> set[str]:
    """Give those of the messages that are here, in either direction."""
    rows = conn.execute(_MESSAGES_BY_ID, {"many": list(identities)}) if identities else ()
    return {row[0] for row in rows}


def order_holder(conn: Connection, case_id: str, order: int) -> str | None:
    """Give the identity of the message that has this order number in the case, if any."""
    return conn.execute(_ORDER_HOLDER, {"one": case_id, "order": order}).scalar()


def given_up(conn: Connection, case_id: str) -> list[str]:
    """Identities of our messages in a case that never arrived or were refused, oldest first."""
    return list(conn.execute(_GIVEN_UP, {"one": case_id}).scalars())


def insert_envelope(
    conn: Connection, digest: str, identity: str, *, key_id: str, made_at: int
) -> None:
    """Remember an envelope made or accepted of a message."""
    row = {"digest": digest, "identity": identity, "key_id": key_id, "made_at": made_at}
    conn.execute(insert_into(envelopes), row)


def identities_of_envelopes(conn: Connection, digests: Sequence[str]) -> dict[str, str]:
    """Give the identities of those envelopes that are known, by digest."""
    rows = conn.execute(_ENVELOPES, {"many": list(digests)}) if digests else ()
    return {row[0]: row[1] for row in rows}


def insert_skips(conn: Connection, case_id: str, identities: Sequence[str]) -> None:
    """Remember messages that their sender has given up."""
    rows = [{"case_id": case_id, "identity": one} for one in identities]
    conn.execute(insert_into(skips), rows)


def known_skips(conn: Connection, case_id: str, identities: Sequence[str]) -> set[str]:
    """Give those of the identities that their sender has already given up in this case."""
    rows = conn.execute(_KNOWN_SKIPS, {"one": case_id, "many": list(identities)})
    return set(rows.scalars())


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
    conn.execute(insert_into(contested), row)


def list_contested(conn: Connection, case_id: str) -> list[tuple[str, int, str]]:
    """Read identity, number and code of the contested messages of a case."""
    return [(row[0], row[1], row[2]) for row in conn.execute(_CONTESTED, {"one": case_id})]


def insert_refusal(conn: Connection, refusal: Refusal) -> None:
    """Store a final refusal of ours; its proof comes when it is sequenced."""
    conn.execute(insert_into(refusals), _values(refusal))


def refusal_change(identity: str, proof: bytes) -> Change:
    """Give the change that stores the proof of a refusal."""
    return Change(refusals, {"identity": identity}, {"proof": proof})


def find_refusals(conn: Connection, identities: Sequence[str]) -> dict[str, Refusal]:
    """Read those final refusals that concern the identities."""
    rows = conn.execute(_REFUSALS, {"many": list(identities)}) if identities else ()
    return {row[0]: Refusal(*row) for row in rows}
