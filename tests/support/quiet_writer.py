"""A writer whose log keeps nothing, for tests of what is stored and not of what is recorded.

with quiet_writer(database, clock) as writer:
    await writer.write(work)
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from node.storage import Connection
from node.storage.engine import Database
from node.storage.writer import PendingEntry, Writer
from tests.support.clock import ManualClock


class Deaf:
    """A sequencer that takes every entry and keeps none."""

    def sequence(self, conn: Connection, entries: Sequence[PendingEntry], now: int) -> None:
        """Take entries."""

    def committed(self) -> None:
        """Hear that they are durable."""

    def abandoned(self) -> None:
        """Hear that they are not."""


@contextlib.contextmanager
def quiet_writer(database: Database, clock: ManualClock) -> Iterator[Writer]:
    """Give a writer that runs, and end it."""
    writer = Writer(database, Deaf(), clock)
    writer.start()
    try:
        yield writer
    finally:
        writer.stop()
