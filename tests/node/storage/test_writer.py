"""The writer: one group, one commit, one answer each; a failure is nobody else's."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from node.storage import peer_rows
from node.storage.engine import Database, StorageFailed
from node.storage.writer import GROUP_MAX, PendingEntry, Sequenced, Tx, Writer, WriterStopped
from protocol.errors import Recovering
from tests.support.clock import ManualClock


@dataclass(frozen=True, slots=True)
class Said:
    """A record of a test."""

    word: str
    kind: str = "said"

    def encode(self) -> bytes:
        """Give its bytes."""
        return self.word.encode()


@dataclass(slots=True)
class Scribe:
    """A sequencer that writes down what it is told, and fails on demand."""

    groups: list[list[str]] = field(default_factory=list)
    confirmed: list[list[str]] = field(default_factory=list)
    forgotten: int = 0
    refuses: str | None = None  # a word that it does not sequence
    guard_fails: Exception | None = None
    _open: list[str] = field(default_factory=list)

    def sequence(self, conn: Connection, entries: Sequence[PendingEntry], now: int) -> None:
        """Note the words of a group, in their order."""
        words = [one.record.encode().decode() for one in entries]
        if self.refuses in words:
            raise Recovering("not this one")
        self.groups.append(words)
        self._open = words
        for place, one in enumerate(entries):
            if one.then is not None:
                one.then(Sequenced(1, place, one.record.encode(), b"", b"proof", place + 1))

    def committed(self) -> None:
        """Note that a group is durable."""
        if self.guard_fails is not None:
            raise self.guard_fails
        self.confirmed.append(self._open)
        self._open = []

    def abandoned(self) -> None:
        """Note that a group is gone."""
        self.forgotten += 1
        self._open = []


@dataclass(slots=True)
class Desk:
    """A writer with what it works on."""

    writer: Writer
    scribe: Scribe
    database: Database
    failures: list[StorageFailed]
    clock: ManualClock

    def together(self, *works: Callable[[Tx], object]) -> list[object]:
        """Run units in one group: a first one holds the writer until all are waiting."""
        held, go = threading.Event(), threading.Event()

        def hold(_: Tx) -> None:
            held.set()
            assert go.wait(10)

        waiting = [self.writer._submit(hold)]
        assert held.wait(10)
        waiting += [self.writer._submit(work) for work in works]  # type: ignore[arg-type]  # of any kind
        go.set()
        waiting[0].result(10)
        return [one.exception(10) or one.result(10) for one in waiting[1:]]

    def words(self) -> list[str]:
        """Give what is stored, in order."""
        return [one.kind for one in self.database.read(peer_rows.list_alarms)][::-1]


@pytest.fixture
def desk(database: Database) -> Iterator[Desk]:
    """Give a writer that runs."""
    scribe, failures = Scribe(), list[StorageFailed]()
    clock = ManualClock()
    writer = Writer(database, scribe, clock, on_failure=failures.append)
    writer.start()
    yield Desk(writer, scribe, database, failures, clock)
    writer.stop()


def test_each_caller_on_a_loop_gets_its_own_answer(desk: Desk) -> None:
    """However many are answered at once: results, faults, and nothing for who gave up."""

    def work(tx: Tx, number: int) -> int:
        if number % 3 == 0:
            raise ValueError(number)
        return number

    async def ask() -> list[object]:
        asked = [
            asyncio.ensure_future(desk.writer.write(lambda tx, n=n: work(tx, n)))  # type: ignore[misc]  # mypy cannot type it
            for n in range(200)
        ]
        await asyncio.sleep(0)
        asked[100].cancel()
        return list(await asyncio.gather(*asked, return_exceptions=True))

    for number, answer in enumerate(asyncio.run(ask())):
        if number == 100:
            assert isinstance(answer, asyncio.CancelledError)
        elif number % 3 == 0:
            assert isinstance(answer, ValueError)
            assert answer.args == (number,)
        else:
            assert answer == number


def test_an_answer_to_a_loop_that_has_ended_disturbs_nobody(desk: Desk) -> None:
    """The unit is written, and the writer goes on."""
    held, go = threading.Event(), threading.Event()

    def hold(tx: Tx) -> None:
        held.set()
        assert go.wait(10)
        tx.record(Said("kept"))

    async def give_up() -> None:
        asked = asyncio.ensure_future(desk.writer.write(hold))
        assert await asyncio.to_thread(held.wait, 10)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked

    asyncio.run(give_up())
    go.set()
    assert desk.writer.write_now(lambda _: 7) == 7
    assert desk.scribe.confirmed[0] == ["kept"]


def say(word: str, *, then: Callable[[Sequenced], None] | None = None) -> Callable[[Tx], str]:
    """Give a unit that stores a word and records it."""

    def unit(tx: Tx) -> str:
        peer_rows.insert_alarm(tx.conn, peer_rows.Alarm(tx.now, word, None, None, ""))
        tx.record(Said(word), then)
        return word

    return unit


def fail(word: str, fault: Exception) -> Callable[[Tx], str]:
    """Give a unit that stores and records a word, and then raises."""

    def unit(tx: Tx) -> str:
        say(word)(tx)
        raise fault

    return unit


def test_units_that_wait_together_are_one_group_and_each_has_its_answer(desk: Desk) -> None:
    """One sequence, one confirmation, in the order of waiting."""
    assert desk.together(say("a"), say("b"), say("c")) == ["a", "b", "c"]
    assert desk.scribe.groups == [["a", "b", "c"]]
    assert desk.scribe.confirmed[-1] == ["a", "b", "c"]
    assert desk.words() == ["a", "b", "c"]


def test_a_unit_that_fails_undoes_itself_and_nothing_else(desk: Desk) -> None:
    """Its rows, its record and its acts are gone; its neighbours stay."""
    acted: list[str] = []

    def acting(tx: Tx) -> None:
        tx.after_commit(lambda: acted.append("bad"))
        fail("bad", ValueError("no"))(tx)

    first, second, third = desk.together(say("a"), acting, say("c"))
    assert (first, third) == ("a", "c")
    assert isinstance(second, ValueError)
    assert desk.scribe.groups == [["a", "c"]]
    assert desk.words() == ["a", "c"]
    assert acted == []


def test_a_unit_that_breaks_a_constraint_undoes_itself_and_nothing_else(desk: Desk) -> None:
    """On PostgreSQL too, where an error would spoil the whole transaction."""

    def twice(tx: Tx) -> None:
        for _ in range(2):
            tx.conn.exec_driver_sql("INSERT INTO settings_kept (name, value) VALUES ('one', 'x')")

    first, second, third = desk.together(say("a"), twice, say("c"))
    assert (first, third) == ("a", "c")
    assert isinstance(second, IntegrityError)
    assert desk.words() == ["a", "c"]


def test_a_unit_alone_that_fails_leaves_nothing(desk: Desk) -> None:
    """The whole transaction is rolled back."""
    with pytest.raises(ValueError, match="no"):
        desk.writer.write_now(fail("bad", ValueError("no")))
    assert (desk.words(), desk.scribe.groups) == ([], [])
    assert desk.writer.write_now(say("good")) == "good"


def test_when_the_log_refuses_a_group_its_units_run_again_apart(desk: Desk) -> None:
    """Only the one that cannot be logged fails."""
    desk.scribe.refuses = "b"
    first, second, third = desk.together(say("a"), say("b"), say("c"))
    assert (first, third) == ("a", "c")
    assert isinstance(second, Recovering)
    assert desk.words() == ["a", "c"]
    assert desk.scribe.groups == [["a"], ["c"]]
    assert desk.scribe.forgotten >= 1


@pytest.mark.parametrize("fault", [Recovering("it is not there"), OSError(28, "no space")])
def test_when_the_guard_fails_nobody_is_answered_and_nothing_is_written_again(
    desk: Desk, fault: Exception
) -> None:
    """It is on disk, but nothing may leave: also not what an earlier group has stored."""
    acted: list[str] = []
    desk.scribe.guard_fails = fault

    def acting(tx: Tx) -> None:
        say("a")(tx)
        tx.after_commit(lambda: acted.append("left"))

    with pytest.raises(type(fault)):
        desk.writer.write_now(acting)
    assert acted == []
    desk.scribe.guard_fails = None
    with pytest.raises(type(fault)):
        desk.writer.write_now(lambda _: None)
    assert len(desk.failures) == 1


def test_a_failure_of_storage_ends_the_writer_and_says_so(desk: Desk) -> None:
    """Nobody is told that anything was done, neither in the group nor behind it."""
    fault = StorageFailed("the disk is full", reason="full")
    answers = desk.together(say("a"), fail("b", fault), say("c"))
    assert answers == [fault] * 3
    assert desk.failures == [fault]
    assert desk.words() == []
    with pytest.raises(StorageFailed):
        desk.writer.write_now(say("later"))


def test_what_waits_when_the_writer_stops_is_written(desk: Desk) -> None:
    """Stopping loses nothing, and whoever comes later is told."""
    waiting = [desk.writer._submit(say(str(number))) for number in range(5)]
    desk.writer.stop()
    assert [one.result(10) for one in waiting] == ["0", "1", "2", "3", "4"]
    late = desk.writer._submit(say("late"))
    with pytest.raises(WriterStopped):
        late.result(10)
    assert "late" not in desk.words()


def test_a_group_has_a_largest_size(desk: Desk) -> None:
    """So that the first of many does not wait for the last."""
    desk.together(*(say(f"w{number}") for number in range(GROUP_MAX + 5)))
    assert [len(one) for one in desk.scribe.groups] == [GROUP_MAX - 1, 6] or [
        len(one) for one in desk.scribe.groups
    ] == [GROUP_MAX, 5]


def test_what_a_record_proves_is_stored_in_the_same_transaction(desk: Desk) -> None:
    """Its proof is heard before the commit, and can be stored with it."""
    heard: list[Sequenced] = []
    desk.together(say("a"), say("b", then=heard.append))
    assert [(one.position, one.record) for one in heard] == [(1, b"b")]


def test_an_act_after_the_commit_that_fails_does_not_end_the_writer(desk: Desk) -> None:
    """It is a bug, its caller hears of it, and the node goes on."""

    def fault() -> None:
        raise ZeroDivisionError

    def bad(tx: Tx) -> None:
        say("a")(tx)
        tx.after_commit(fault)

    first, second = desk.together(bad, say("b"))
    assert isinstance(first, ZeroDivisionError)
    assert second == "b"
    assert desk.writer.write_now(say("c")) == "c"


async def test_a_caller_that_gives_up_leaves_its_unit_whole(desk: Desk) -> None:
    """Cancelled while it runs: it runs to its end, for nothing may be half done."""
    begun, go = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        begun.set()
        assert go.wait(10)
        say("a")(tx)

    task = asyncio.create_task(desk.writer.write(slow))
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    go.set()
    assert await desk.writer.write(say("b")) == "b"
    assert desk.words() == ["a", "b"]


def test_after_a_failure_nobody_waits_for_ever(desk: Desk) -> None:
    """One caller gave up while it waited: those behind it still hear that writing ended."""
    waiting: list[Future[object]] = []

    def fails(_: Tx) -> None:
        waiting.extend(desk.writer._submit(say(word)) for word in ("given up", "b"))
        assert waiting[0].cancel()
        raise StorageFailed("the disk is gone")

    with pytest.raises(StorageFailed):
        desk.writer.write_now(fails)
    assert isinstance(waiting[1].exception(10), StorageFailed)


def test_a_group_that_is_taken_apart_ends_where_storage_fails(desk: Desk) -> None:
    """Its units run again alone; the first that meets the broken disk is the last."""
    runs: list[str] = []

    def breaks(_: Tx) -> None:
        runs.append("breaks")
        if len(runs) > 1:
            raise StorageFailed("the disk is gone")

    desk.scribe.refuses = "refused"
    outcome = desk.together(breaks, say("refused"), say("c"))
    assert [type(one) for one in outcome] == [StorageFailed] * 3
    assert desk.words() == []
    assert len(desk.failures) == 1


def test_whoever_comes_while_writing_ends_hears_it(desk: Desk) -> None:
    """A unit that is handed in at the last moment is done or refused, and never forgotten."""
    handed: list[Future[object]] = []

    def hand_in() -> None:
        for _ in range(100):
            handed.append(desk.writer._submit(lambda tx: tx.now))  # noqa: PERF401  (seen at once)

    threads = [threading.Thread(target=hand_in) for _ in range(4)]
    for thread in threads:
        thread.start()
    desk.writer.stop()
    for thread in threads:
        thread.join()
    for one in handed:
        assert one.exception(10) is None or isinstance(one.exception(10), WriterStopped)


def test_what_a_slow_group_left_for_the_next_is_not_forgotten(desk: Desk) -> None:
    """The slow group fails, its units run again alone, slowly: those left over still come."""

    def slow(tx: Tx) -> str:
        desk.clock.advance(1)
        return say("slow")(tx)

    desk.scribe.refuses = "refused"
    first, second, third = desk.together(say("refused"), slow, say("c"))
    assert isinstance(first, Recovering)
    assert (second, third) == ("slow", "c")
