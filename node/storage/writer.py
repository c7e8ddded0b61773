"""The unit of work: many small changes, one transaction, one answer each (laws 2 and 5).

One thread per node writes. It takes whatever units wait, runs each inside a savepoint of
one transaction, lets the log sequence the records they made, commits, has the log confirm
the commit to its guard, and only then answers any of them. So an answer means: durable,
logged, and safe to let out. Under load the group grows and the cost of a commit is shared;
when idle a unit goes at once.

    receipt = await writer.write(lambda tx: inbox.accept(tx, message))

A crash before the commit leaves nothing; after it and before the guard, the start-up check
advances the guard, for nothing had left. This module knows no case, message or tree.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary, ref

from sqlalchemy import Connection

from node.clock import Clock
from node.storage.engine import Database, StorageFailed
from node.storage.statements import Change, change_many

T = TypeVar("T")

GROUP_MAX: Final = 256  # units in one transaction
# And how long one may take to be put together: what is committed early is on its way to the
# peer while the next group is signed. Measured at 64 in flight: a third more than without.
GROUP_S_MAX: Final = 0.02


class Record(Protocol):
    """Something that happened, ready to be logged."""

    @property
    def kind(self) -> str:
        """Which of the closed list of records this is."""
        ...

    def encode(self) -> bytes:
        """Give the canonical bytes of the record."""
        ...


@dataclass(frozen=True, slots=True)
class Sequenced:
    """A record that has its place in log number `log`.

    `proof` is its entry's tlog-proof under the checkpoint at `size`.
    """

    log: int
    position: int
    record: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    proof: bytes = field(repr=False)
    size: int


@dataclass(frozen=True, slots=True)
class PendingEntry:
    """A record on its way into the log, and who wants to know its proof."""

    record: Record
    then: Callable[[Sequenced], None] | None


class Sequencer(Protocol):
    """The log, as the writer sees it."""

    def sequence(self, conn: Connection, entries: Sequence[PendingEntry], now: int) -> None:
        """Append the entries inside the transaction, and sign the new head."""
        ...

    def committed(self) -> None:
        """Confirm to the guard what was just committed; nothing leaves before this."""
        ...

    def abandoned(self) -> None:
        """Forget what was signed in a transaction whose end is unknown or a rollback."""
        ...


class WriterStopped(StorageFailed):
    """The node is stopping, or stopped writing after a failure of its storage."""


@dataclass(slots=True)
class Tx:
    """What one unit of work may use: the connection, the time, and the log."""

    conn: Connection
    now: int
    entries: list[PendingEntry] = field(default_factory=list)
    later: list[Change] = field(default_factory=list)  # made once the entries have their places
    acts: list[Callable[[], None]] = field(default_factory=list)
    by: str | None = None  # the person who acts, by their id in records; None: the node itself

    def record(self, record: Record, then: Callable[[Sequenced], None] | None = None) -> None:
        """Log a record with this unit; `then` hears its proof, inside the same transaction.

        What `then` wants to store it adds to `later`, so that a group stores it together.
        """
        self.entries.append(PendingEntry(record, then))

    def after_commit(self, act: Callable[[], None]) -> None:
        """Run `act` once the unit is durable and guarded, before its answer is given."""
        self.acts.append(act)


class _Unit(Generic[T]):
    """One waiting unit of work and the future that answers it."""

    __slots__ = ("error", "future", "result", "tx", "work")

    def __init__(self, work: Callable[[Tx], T]) -> None:
        self.work = work
        self.future: Future[T] = Future()
        self.tx: Tx | None = None
        self.result: T | None = None
        self.error: Exception | None = None

    def run(self, conn: Connection, now: int) -> None:
        self.tx, self.result, self.error = Tx(conn, now), None, None
        self.result = self.work(self.tx)

    def answer(self) -> None:
        if self.error is not None:
            self.future.set_exception(self.error)
            return
        try:
            for act in self.tx.acts if self.tx is not None else ():
                act()
        except Exception as fault:  # noqa: BLE001  (a bug of one unit must not end the writer)
            self.future.set_exception(fault)
            return
        self.future.set_result(self.result)  # type: ignore[arg-type]  # None is T when T is None


class _Answers:
    """Brings answers from the writer's thread to the callers on one event loop.

    As `asyncio.wrap_future` does, but the loop is woken once for all answers that are there
    when it comes to look: waking it costs more than most units.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = ref(loop)  # a loop that has ended must not live on in our list of them
        self._given: deque[tuple[Future[Any], asyncio.Future[Any]]] = deque()
        self._woken = False

    def to(self, asked: Future[T]) -> asyncio.Future[T]:
        """Give what a caller on the loop can wait for; if it gives up, `asked` is cancelled."""
        waiting: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        waiting.add_done_callback(lambda _: asked.cancel() if waiting.cancelled() else None)
        asked.add_done_callback(lambda _: self._give(asked, waiting))
        return waiting

    def _give(self, asked: Future[T], waiting: asyncio.Future[T]) -> None:
        self._given.append((asked, waiting))
        # First put, then look: `_deliver` first takes note, then takes all.
        loop = self._loop()
        if not self._woken and loop is not None and not loop.is_closed():
            self._woken = True
            loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._woken = False
        while self._given:
            asked, waiting = self._given.popleft()
            if waiting.done():
                continue  # its caller gave up
            if asked.cancelled():
                waiting.cancel()
            elif (fault := asked.exception()) is not None:
                waiting.set_exception(fault)
            else:
                waiting.set_result(asked.result())


class Writer:
    """The one writer of a node's storage. Start it, write through it, stop it."""

    def __init__(
        self,
        database: Database,
        sequencer: Sequencer,
        clock: Clock,
        *,
        on_failure: Callable[[StorageFailed], None] | None = None,
    ) -> None:
        """Write to `database`; `on_failure` is told when storage failed and writing ended."""
        self._database = database
        self._sequencer = sequencer
        self._clock = clock
        self._on_failure = on_failure
        self._waiting: queue.SimpleQueue[_Unit[object] | None] = queue.SimpleQueue()
        self._left: list[_Unit[object]] = []  # of a group that took too long
        self._failed: Exception | None = None
        self._answers: WeakKeyDictionary[asyncio.AbstractEventLoop, _Answers] = WeakKeyDictionary()
        self._door = threading.Lock()  # so that nobody puts a unit where nobody looks any more
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, then end; later units get `WriterStopped`."""
        if self._failed is None:
            self._waiting.put(None)
        self._thread.join()

    def now(self) -> int:
        """Give the time by which units are judged, for work that prepares one."""
        return self._clock.now()

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Run one unit of work; the answer means that it is durable, logged and guarded.

        Whatever `work` raises undoes the unit alone and comes back to the caller. If the
        caller is cancelled the unit runs wholly or not at all.
        """
        loop = asyncio.get_running_loop()
        answers = self._answers.get(loop)
        if answers is None:
            answers = self._answers[loop] = _Answers(loop)
        return await answers.to(self._submit(work))

    def write_now(self, work: Callable[[Tx], T]) -> T:
        """Do the same for a caller without an event loop, and wait."""
        return self._submit(work).result()

    def _submit(self, work: Callable[[Tx], T]) -> Future[T]:
        unit = _Unit(work)
        with self._door:
            if self._failed is not None:
                unit.future.set_exception(self._failed)
            else:
                self._waiting.put(unit)  # type: ignore[arg-type]  # a queue of every kind of unit
        return unit.future

    def _run(self) -> None:
        """Take groups until told to stop; a failure of storage ends it for good."""
        going = True
        while self._failed is None:
            group, self._left = self._left, []
            if not group:
                if not going:
                    break
                group, going = self._take()
            if group:
                self._write_group(group)
        with self._door:
            self._failed = self._failed or WriterStopped("the node is stopping")
        for left in self._left:
            left.future.set_exception(self._failed)
        while not self._waiting.empty():
            unit = self._waiting.get()
            # A caller that gave up has nobody to answer, and must not keep it from the others.
            if unit is not None and unit.future.set_running_or_notify_cancel():
                unit.future.set_exception(self._failed)

    def _take(self) -> tuple[list[_Unit[object]], bool]:
        """Wait for one unit, then take all that have gathered meanwhile."""
        unit = self._waiting.get()
        group: list[_Unit[object]] = []
        while unit is not None:
            # A caller that gave up before we began has nobody to answer.
            if unit.future.set_running_or_notify_cancel():
                group.append(unit)
            if len(group) >= GROUP_MAX or self._waiting.empty():
                return group, True
            unit = self._waiting.get()
        return group, False

    def _write_group(self, group: list[_Unit[object]]) -> None:
        try:
            self._database.transact(lambda conn: self._transact(conn, group))
        except StorageFailed as fault:
            self._end(group, fault, fault)
            return
        except Exception as fault:  # noqa: BLE001  (whatever it is, the callers must hear of it)
            self._sequencer.abandoned()
            self._retry_apart(group, fault)
            return
        try:
            self._sequencer.committed()
        except Exception as fault:  # noqa: BLE001  (whatever it is: see below)
            # Durable but not guarded, so nothing may leave, also not in answer to a repeat
            # that a later unit would find accepted. Start-up advances the guard, or says why not.
            self._end(group, fault, StorageFailed(f"the guard did not move: {fault}"))
            return
        for unit in group:
            unit.answer()

    def _retry_apart(self, group: list[_Unit[object]], fault: Exception) -> None:
        """A group failed as a whole: its units run again alone, so one cannot spoil others."""
        if len(group) == 1:
            group[0].future.set_exception(fault)
            return
        for unit in group:
            if self._failed is None:
                self._write_group([unit])
            else:
                unit.future.set_exception(self._failed)

    def _transact(self, conn: Connection, group: list[_Unit[object]]) -> None:
        now, end = self._clock.now(), self._clock.monotonic() + GROUP_S_MAX
        for number, unit in enumerate(group, 1):
            if len(group) == 1:
                unit.run(conn, now)  # a failure rolls the whole transaction back
            else:
                self._run_apart(conn, unit, now)
            if self._clock.monotonic() > end:
                self._left[:0] = group[number:]  # before what an earlier slow group left
                del group[number:]
                break
        done = [unit.tx for unit in group if unit.error is None and unit.tx is not None]
        entries = [entry for tx in done for entry in tx.entries]
        if entries:
            self._sequencer.sequence(conn, entries, now)
        change_many(conn, (change for tx in done for change in tx.later))

    @staticmethod
    def _run_apart(conn: Connection, unit: _Unit[object], now: int) -> None:
        # By hand: SQLAlchemy's nested transactions cost more than most units.
        conn.exec_driver_sql("SAVEPOINT unit")
        try:
            unit.run(conn, now)
        except StorageFailed:
            raise
        except Exception as fault:  # noqa: BLE001  (belongs to the unit's caller, who gets it)
            conn.exec_driver_sql("ROLLBACK TO SAVEPOINT unit")
            unit.error = fault
        conn.exec_driver_sql("RELEASE SAVEPOINT unit")

    def _end(self, group: list[_Unit[object]], fault: Exception, failure: StorageFailed) -> None:
        """Storage failed: what was signed is void, nothing is answered as done, writing ends."""
        self._sequencer.abandoned()
        self._failed = fault
        try:  # the node hears it before any caller can act on it
            if self._on_failure is not None:
                self._on_failure(failure)
        finally:
            for unit in group:
                unit.future.set_exception(fault)
