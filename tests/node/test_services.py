"""A node whose parts have ended ends itself, and is seen to; big queues cost little memory."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import insert

from node.app import Failure, ServiceEnded, _lasting
from node.exits import Exit
from node.faults import describe
from node.storage import Connection, queue_rows
from node.storage.engine import Database
from node.storage.tables import cases, messages, outbox
from tests.support.rows import case_row, message_row, outbox_row


async def test_a_service_that_raises_ends_the_node() -> None:
    """It does not go on looking alive with a part of it missing."""
    failure = Failure()

    async def breaks() -> None:
        raise ValueError("a bug")

    await _lasting(breaks, failure)
    assert isinstance(failure.fault, ServiceEnded)
    assert describe(failure.fault).exit is Exit.FAILED


async def test_a_service_that_is_told_to_end_is_no_failure() -> None:
    """Stopping in good order cancels the services."""
    failure = Failure()

    async def lasts() -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(_lasting(lasts, failure))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert failure.fault is None


@pytest.fixture
def queued(database: Database) -> Database:
    """Give a database in which five envelopes of 100 bytes wait for one peer."""

    def put(conn: Connection) -> None:
        case = case_row()
        conn.execute(insert(cases), case)
        for number in range(1, 6):
            identity = f"{number:064x}"
            row = message_row(identity=identity, case_id=case["id"], seq=number)
            conn.execute(insert(messages), row)
            conn.execute(
                insert(outbox),
                outbox_row(identity=identity, peer="qm.justice", envelope=bytes(100)),
            )

    database.transact(put)
    return database


def batch(database: Database, after: int, bytes_max: int) -> list[int]:
    """Give the numbers of the next batch."""
    found = database.read(
        lambda conn: queue_rows.next_batch(
            conn, "qm.justice", after=after, count_max=64, bytes_max=bytes_max
        )
    )
    assert all(len(one.envelope) == 100 for one in found)
    return [one.id for one in found]


def test_a_batch_takes_what_fits_and_the_next_goes_on_behind_it(queued: Database) -> None:
    """In order, nothing twice, nothing left out."""
    first = batch(queued, 0, 250)
    second = batch(queued, first[-1], 250)
    third = batch(queued, second[-1], 250)
    assert [len(first), len(second), len(third)] == [2, 2, 1]
    assert first + second + third == sorted({*first, *second, *third})
    assert batch(queued, third[-1], 250) == []


def test_an_envelope_that_is_too_large_for_company_goes_alone(queued: Database) -> None:
    """The first always goes, else it would block the queue for ever."""
    assert len(batch(queued, 0, 10)) == 1


def test_a_list_of_what_waits_loads_no_envelope(queued: Database) -> None:
    """It shows sizes; megabytes stay where they are."""
    shown = queued.read(queue_rows.list_shown)
    assert [(one.envelope, size) for one, size in shown] == [(b"", 100)] * 5
