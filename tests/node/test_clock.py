"""The clock's floor, and that the tests' own clock keeps the same promises."""

from __future__ import annotations

import asyncio
import time

import pytest

from node.clock import Clock, Random, SystemClock, SystemRandom
from tests.support.clock import ManualClock, SeededRandom

FAR_AHEAD = 4_000_000_000


def clocks(floor: int = 0) -> list[Clock]:
    """Give one of each; that this type-checks shows that both are a `Clock`."""
    return [SystemClock(floor), ManualClock(floor=floor)]


@pytest.mark.parametrize("clock", clocks(FAR_AHEAD))
def test_the_wall_time_never_lies_below_the_floor(clock: Clock) -> None:
    """A machine whose clock is behind is not believed, and the gap is told."""
    assert clock.now() == clock.floor == FAR_AHEAD
    assert clock.behind_s() > 0


@pytest.mark.parametrize("clock", clocks())
def test_the_floor_only_rises(clock: Clock) -> None:
    """Raising to a lower value changes nothing."""
    clock.raise_floor(FAR_AHEAD)
    clock.raise_floor(5)
    assert clock.floor == FAR_AHEAD
    assert clock.now() == FAR_AHEAD


def test_the_system_clock_is_the_machines_when_it_is_ahead_of_the_floor() -> None:
    """A floor in the past has no effect."""
    clock = SystemClock(floor=1)
    before = int(time.time())
    assert before <= clock.now() <= time.time()
    assert clock.behind_s() == 0
    first = clock.monotonic()
    assert first <= clock.monotonic()


async def test_the_system_clock_sleeps_on_the_running_loop() -> None:
    """A sleep of no time returns."""
    await asyncio.wait_for(SystemClock().sleep(0), 5)


async def test_a_sleeper_wakes_when_its_time_has_come_and_not_before() -> None:
    """Advancing wakes exactly those who are due."""
    clock = ManualClock()
    short, long = (asyncio.create_task(clock.sleep(delay_s)) for delay_s in (10, 60))
    await clock.until_sleeping(2)
    clock.advance(9.5)
    assert clock.sleeping == 2
    clock.advance(0.5)
    await short
    assert not long.done()
    long.cancel()
    with pytest.raises(asyncio.CancelledError):
        await long
    assert clock.sleeping == 0


async def test_a_jump_of_the_wall_wakes_nobody() -> None:
    """Timers follow durations, not the wall."""
    clock = ManualClock()
    task = asyncio.create_task(clock.sleep(10))
    await clock.until_sleeping()
    clock.jump(86_400)
    await clock.sleep(0)
    assert clock.sleeping == 1
    assert clock.monotonic() == 0
    clock.advance(10)
    await task


def test_random_bytes_have_the_size_asked_for() -> None:
    """Both sources give what was asked; the system's never the same twice."""
    sources: list[Random] = [SystemRandom(), SeededRandom()]
    assert [len(source(32)) for source in sources] == [32, 32]
    assert SystemRandom()(32) != SystemRandom()(32)


def test_seeded_chance_repeats() -> None:
    """One seed gives one sequence, and the sequence moves on."""
    first, second = SeededRandom("a"), SeededRandom("a")
    assert [first(8), first(8)] == [second(8), second(8)]
    assert SeededRandom("a")(8) != SeededRandom("b")(8)
    assert first(8) != first(8)
