"""Destroying what may be destroyed: records with their salts, copies of them, keys of cases.

Statements only. What is overwritten here is gone from the file of the database, too
(`secure_delete`, node.storage.sqlite), once `Database.forget` has cleared the log of changes
beside it; what copies and backups hold is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, delete, func, select, update

from node.storage.log_rows import EntryRow
from node.storage.tables import (
    case_sums,
    case_words,
    cases,
    drafts,
    log_entries,
    messages,
    outbox,
    refusals,
    repeats,
)

_ENTRY = select(*(log_entries.c[name] for name in EntryRow.__dataclass_fields__))
_AT_ONCE = 1_024


def entries_with_record(conn: Connection, log: int, first: int, last: int) -> Iterator[EntryRow]:
    """Give the entries of a span that still have their record, in order."""
    while first <= last:
        span = log_entries.c.position.between(first, min(last, first + _AT_ONCE - 1))
        held = _ENTRY.where(log_entries.c.log == log, span, log_entries.c.record.is_not(None))
        for row in conn.execute(held.order_by(log_entries.c.position)).all():
            yield EntryRow(*row)
        first += _AT_ONCE


def erase_entries(conn: Connection, log: int, first: int, last: int) -> int:
    """Destroy records and salts of a span; gives how many there were."""
    span = log_entries.c.position.between(first, last)
    held = log_entries.c.record.is_not(None)
    change = update(log_entries).where(log_entries.c.log == log, span, held)
    return conn.execute(change.values(record=None, salt=None)).rowcount


def empty_receipt(conn: Connection, identity: str) -> None:
    """Destroy the receipt that we gave for a message: it holds record and salt."""
    given = (messages.c.identity == identity) & (messages.c.direction == "in")
    conn.execute(update(messages).where(given).values(receipt=b""))


def empty_refusal(conn: Connection, identity: str) -> None:
    """Destroy the proof that we gave for a final refusal: it holds record and salt."""
    conn.execute(update(refusals).where(refusals.c.identity == identity).values(proof=b""))


def expiry_of(conn: Connection, identities: Sequence[str]) -> int:
    """Give when the last of the messages expires that we accepted; 0 if there is none."""
    accepted = (messages.c.direction == "in") & messages.c.identity.in_(identities)
    return conn.execute(select(func.max(messages.c.expires)).where(accepted)).scalar() or 0


def count_waiting(conn: Connection, case_id: str) -> int:
    """Count the messages of a case that still wait for their receipt."""
    joined = outbox.join(messages, outbox.c.identity == messages.c.identity)
    query = select(func.count()).select_from(joined).where(messages.c.case_id == case_id)
    return int(conn.execute(query).scalar_one())


def erase_case_key(conn: Connection, case_id: str) -> None:
    """Destroy the key of a case, and with it all its texts; its words, sums and drafts go too.

    What has no content stays: references, codes and times, for lists and statistics. Answers
    that are kept for repeats do not say of which case they are: all of them go, a day's worth.
    """
    conn.execute(update(cases).where(cases.c.id == case_id).values(wrapped_key=b""))
    for table in (case_words, case_sums, drafts):  # a draft has a key of its own
        conn.execute(delete(table).where(table.c.case_id == case_id))
    conn.execute(update(repeats).values(status=0, sealed_answer=b""))
