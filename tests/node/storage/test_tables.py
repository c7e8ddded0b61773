"""What the tables themselves refuse, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, Table, delete, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from node.storage.engine import Database
from node.storage.tables import cases, log_entries, messages, outbox, skips
from tests.support.rows import CASE_ID, case_row, entry_row, message_row, outbox_row


def _fill(conn: Connection) -> None:
    conn.execute(insert(cases), case_row())
    conn.execute(insert(messages), message_row())
    conn.execute(insert(outbox), outbox_row())


OTHER = "e2" * 32
REFUSED: dict[str, tuple[Table, dict[str, object]]] = {
    "a side that is none": (cases, case_row(id="other", log_id="11" * 16, side="both")),
    "a name in the log twice": (cases, case_row(id="other")),
    "a count without its message": (cases, case_row(id="other", log_id="11" * 16, sent_seq=1)),
    "a direction that is none": (messages, message_row(identity=OTHER, seq=2, direction="up")),
    "a state of the other direction": (
        messages,
        message_row(identity=OTHER, seq=2, direction="in"),
    ),
    "a state that is none": (messages, message_row(identity=OTHER, seq=2, state="sent")),
    "a number below one": (messages, message_row(identity=OTHER, seq=0)),
    "a number given twice": (messages, message_row(identity=OTHER)),
    "an identity given twice": (messages, message_row(seq=2)),
    "an identity cut short": (messages, message_row(identity="1d", seq=2)),
    "a message of no case": (messages, message_row(identity=OTHER, case_id="no case")),
    "an absent text": (messages, message_row(identity=OTHER, seq=2, sealed_text=None)),
    "an envelope of no message": (outbox, outbox_row(identity=OTHER)),
    "a message queued twice": (outbox, outbox_row(digest=OTHER)),
    "a skip of no case": (skips, {"case_id": "no case", "identity": OTHER}),
    "a commitment cut short": (log_entries, entry_row(commitment=bytes(31))),
    "a place below zero": (log_entries, entry_row(-1)),
    "a record without its salt": (log_entries, entry_row(salt=None)),
}


@pytest.mark.parametrize(("table", "row"), REFUSED.values(), ids=REFUSED)
def test_a_row_that_cannot_be_is_refused(
    database: Database, table: Table, row: dict[str, object]
) -> None:
    """Closed vocabularies, places and references hold whatever the code above does."""
    database.transact(_fill)
    with pytest.raises(IntegrityError):
        database.transact(lambda conn: conn.execute(insert(table), row))


def test_a_text_in_a_column_of_bytes_is_refused(database: Database) -> None:
    """A column keeps its type, also in SQLite, where an edited row could change it."""
    wrong = {"sqlite": "'a text'", "postgresql": "12"}[database.dialect]
    statement = "UPDATE messages SET sealed_text = "
    database.transact(_fill)
    with pytest.raises(DBAPIError):
        database.transact(lambda conn: conn.exec_driver_sql(statement + wrong))


def test_what_was_stored_comes_back_byte_for_byte(database: Database) -> None:
    """Bytes are kept as they came: signatures and receipts depend on it."""
    every = bytes(range(256))
    row = message_row(sealed_text=every, receipt=b"")

    def store(conn: Connection) -> None:
        conn.execute(insert(cases), case_row())
        conn.execute(insert(messages), row)

    database.transact(store)
    query = select(messages.c.sealed_text, messages.c.receipt)
    assert database.read(lambda conn: tuple(conn.execute(query).one())) == (every, b"")


def test_a_place_in_the_queue_is_never_given_twice(database: Database) -> None:
    """Order of queueing survives the deletion of the newest row."""

    def queue_again(conn: Connection) -> None:
        conn.execute(delete(outbox))
        conn.execute(insert(outbox), outbox_row())

    ids = []
    database.transact(_fill)
    for _ in range(3):
        ids.append(database.read(lambda conn: conn.execute(select(outbox.c.id)).scalar_one()))
        database.transact(queue_again)
    assert ids == sorted(set(ids))


def test_erasing_a_record_leaves_its_commitment(database: Database) -> None:
    """Record and salt can go together, and the entry stays."""
    database.transact(lambda conn: conn.execute(insert(log_entries), entry_row()))
    erased = {"record": None, "salt": None}
    database.transact(lambda conn: conn.execute(log_entries.update(), erased))
    query = select(log_entries.c.commitment, log_entries.c.record, log_entries.c.salt)
    assert database.read(lambda conn: tuple(conn.execute(query).one())) == (bytes(32), None, None)


def test_a_case_in_use_cannot_be_deleted(database: Database) -> None:
    """Messages are never left without their case."""
    database.transact(_fill)
    with pytest.raises(IntegrityError):
        database.transact(lambda conn: conn.execute(delete(cases).where(cases.c.id == CASE_ID)))
