"""What time alone brings about in a case: a measure ends, a request did not arrive in time.

    await dues.run()      # for ever, beside the node's other services

Nobody decides these steps: the end of a measure that the requested side itself set is a
message of its own, and `UNDELIVERABLE` is how the requesting side shows that nothing came
back in time. What is overdue is asked of the clocks by an index, never of the history.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from node.cases.clocks.timetable import lapsed_measures, undelivered
from node.cases.register import Register
from node.clock import Clock
from node.storage import Connection, case_rows, standing_rows
from node.storage.engine import Database
from node.storage.writer import Tx, Writer

EVERY_S: Final = 20.0


class Dues:
    """Makes the steps that fall due."""

    def __init__(
        self, register: Register, database: Database, writer: Writer, clock: Clock
    ) -> None:
        """Make them in the cases of `register`."""
        self._register = register
        self._database = database
        self._writer = writer
        self._clock = clock

    async def run(self) -> None:
        """Look now and again, until cancelled."""
        while True:
            await self.pay_all()
            await self._clock.sleep(EVERY_S)

    async def pay_all(self) -> int:
        """Make all steps that are due now; gives how many there were."""
        now = self._clock.now()
        owing, late = self._database.read(lambda conn: _due(conn, now))
        made = 0
        for case_id in owing:
            made += await self._writer.write(partial(self._register.pay, case_id=case_id))
        for case_id in late:
            made += await self._writer.write(partial(self._show_late, case_id=case_id))
        return made

    def _show_late(self, tx: Tx, case_id: str) -> bool:
        case = case_rows.read_case(tx.conn, case_id, lock=True)
        return case is not None and self._register.standings.not_in_time(tx, case)


def _due(conn: Connection, now: int) -> tuple[Sequence[str], Sequence[str]]:
    """Give the cases in which a step of the node's own may be owed, and those not delivered."""
    overtaken = standing_rows.requested_in_state(conn, "WITHDRAWAL_PENDING")
    return [*lapsed_measures(conn, now), *overtaken], undelivered(conn, now)
