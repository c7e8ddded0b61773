"""The feed of what happens in cases, for programs that follow them: an effect of each step.

One step gives a row for each thing that it means: a case opened, a message came, the case
stands elsewhere. Rows hold the case's id and a word; never a body, a reference or a name.
"""

from __future__ import annotations

from typing import Final

from node.cases.happened import Happened
from node.storage import happening_rows
from node.storage.writer import Tx

OPENED: Final = "case.opened"
CHANGED: Final = "case.changed"
RECEIVED: Final = "message.received"
DRAFT_CHANGED: Final = "draft.changed"
DUE: Final = "clock.due"
OVERDUE: Final = "clock.overdue"

KINDS: Final = (OPENED, CHANGED, RECEIVED, DRAFT_CHANGED, DUE, OVERDUE)
"""Everything that a program can be told of."""

_OPENS: Final = "transmit"


def note_step(tx: Tx, one: Happened) -> None:
    """Note what a step of a case means to who follows it."""
    opens = one.event == _OPENS and one.before is None
    if opens and not (one.ours and one.confirmed):
        happening_rows.note(tx.conn, OPENED, at=tx.now, case=one.case.id)
        return
    if not one.ours:
        happening_rows.note(tx.conn, RECEIVED, at=tx.now, case=one.case.id)
    if one.ours or one.before != one.after:
        happening_rows.note(tx.conn, CHANGED, at=tx.now, case=one.case.id)
