"""What a person does to a clock: agree on another due date, or say that it has been met.

The end of a measure is not among it: that is what the requested side has signed. What
follows from messages ends by messages; by hand end only the clocks that nothing in a case
ends, as the return of a person or of originals.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal

from node.audit.clock_records import ClockEnded, ClockMoved
from node.audit.faults import NotHere
from node.cases.clocks.moments import moments
from node.cases.clocks.table import IS_MEASURE, LASTING, ORAL
from node.storage import Connection, case_rows, clock_rows
from node.storage.clock_rows import Clock
from node.storage.writer import Tx
from protocol.errors import Malformed

Reason = Literal["agreed", "ordered", "corrected", "extended"]
"""Why a due date was set: a code, since words about a case do not stand in clear."""

BY_HAND: Final = LASTING | {ORAL}


def move_clock(tx: Tx, network: str, case_id: str, *, name: str, due: int, reason: Reason) -> Clock:
    """Set until when something is awaited; the old clock stays to be seen."""
    row = _open(tx.conn, case_id, name)
    if name in IS_MEASURE:
        raise Malformed("a measure ends when the requested side has signed that it does")
    if due <= tx.now:
        raise Malformed("due: a date to come is wanted")
    log_id = _log_id(tx.conn, case_id)
    moved = replace(
        row, rule=f"set by hand: {reason}", due_at=due, stopped_at=None, warned_at=None,
        escalated_at=None, warn_at=moments(tx.now, due)[0].at,
    )  # fmt: skip
    clock_rows.change_clock(
        tx.conn, row.id, warn_at=None, ended_at=max(tx.now, row.started_at), ended_how="replaced"
    )
    number = clock_rows.insert_clock(tx.conn, moved)
    tx.record(ClockMoved(network, tx.now, log_id, name, due, reason, by=tx.by))
    return replace(moved, id=number)


def end_clock(tx: Tx, network: str, case_id: str, *, name: str) -> None:
    """Say that what a clock awaited has been done."""
    row = _open(tx.conn, case_id, name)
    if name not in BY_HAND:
        raise Malformed("this clock ends by a step in the case; `comity case show` says which")
    how = "met" if tx.now <= row.due_at else "missed"
    clock_rows.change_clock(
        tx.conn, row.id, warn_at=None, ended_at=max(tx.now, row.started_at), ended_how=how
    )
    tx.record(ClockEnded(network, tx.now, _log_id(tx.conn, case_id), name, by=tx.by))


def end_joined(tx: Tx, case_id: str) -> None:
    """End the clocks of a case on paper that goes on as another, which has clocks of its own.

    The other is the writing that an oral request was to be confirmed by.
    """
    for row in clock_rows.open_clocks(tx.conn, case_id):
        met = "met" if tx.now <= row.due_at else "missed"
        clock_rows.change_clock(
            tx.conn, row.id, warn_at=None, ended_at=max(tx.now, row.started_at),
            ended_how=met if row.name == ORAL else "replaced",
        )  # fmt: skip


def _open(conn: Connection, case_id: str, name: str) -> Clock:
    found = [one for one in clock_rows.open_clocks(conn, case_id) if one.name == name]
    if not found:
        raise NotHere("no clock of that name runs in this case; `comity case clocks` shows them")
    return found[0]


def _log_id(conn: Connection, case_id: str) -> str:
    case = case_rows.read_case(conn, case_id)
    if case is None:
        raise NotHere("the case has just gone")
    return case.log_id
