"""The clock of a story: it leaps when told, and wakes whoever slept no longer than that."""

from __future__ import annotations

import asyncio
import threading

import pytest

from node.demo.cases.clock import StoryClock
from node.demo.cases.play import DAY_S
from node.demo.cases.run import begun_at

BEGINS = 1_760_000_000
LONG_S = 3_600
WEEK = range(7)


@pytest.fixture
def clock() -> StoryClock:
    """A clock that begins at a known second."""
    return StoryClock(BEGINS)


def test_the_story_begins_when_told_and_leaps_when_told(clock: StoryClock) -> None:
    """Both the time of day and the monotonic one go along."""
    before = clock.monotonic()
    assert BEGINS <= clock.now() < BEGINS + LONG_S
    clock.leap(DAY_S)
    assert BEGINS + DAY_S <= clock.now() < BEGINS + DAY_S + LONG_S
    assert clock.monotonic() - before >= DAY_S


def test_time_never_goes_below_its_floor(clock: StoryClock) -> None:
    """As with the machine's clock: what was signed later is not gone back behind."""
    clock.raise_floor(BEGINS + 10 * DAY_S)
    assert clock.now() == BEGINS + 10 * DAY_S
    clock.raise_floor(BEGINS)
    assert clock.floor == BEGINS + 10 * DAY_S


async def test_a_leap_wakes_whoever_slept_no_longer_than_that(clock: StoryClock) -> None:
    """One who sleeps longer goes on sleeping; nobody waits for real hours."""
    short = asyncio.create_task(clock.sleep(LONG_S))
    long = asyncio.create_task(clock.sleep(3 * DAY_S))
    await asyncio.sleep(0)
    clock.leap(DAY_S)
    await asyncio.wait_for(short, 10)
    assert not long.done()
    clock.leap(2 * DAY_S)
    await asyncio.wait_for(long, 10)


async def test_a_leap_from_another_thread_wakes_too(clock: StoryClock) -> None:
    """The script is outside the event loop of the nodes."""
    asleep = asyncio.create_task(clock.sleep(LONG_S))
    await asyncio.sleep(0)
    other = threading.Thread(target=clock.leap, args=(DAY_S,))
    other.start()
    await asyncio.wait_for(asleep, 10)
    other.join()


async def test_a_sleeper_can_be_cancelled_and_is_forgotten(clock: StoryClock) -> None:
    """A node that is shut leaves nobody behind for a later leap to wake."""
    asleep = asyncio.create_task(clock.sleep(LONG_S))
    await asyncio.sleep(0)
    asleep.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asleep
    clock.leap(DAY_S)
    assert asleep.cancelled()


@pytest.mark.parametrize("weekday", WEEK)
def test_a_story_begins_on_its_weekday_and_before_now(weekday: int) -> None:
    """A Friday night is one, whenever it is told; days begin at midnight."""
    for day in WEEK:
        now = BEGINS + day * DAY_S
        begun = begun_at(now, weekday)
        assert begun % DAY_S == 0
        assert (begun // DAY_S + 3) % 7 == weekday  # 1 January 1970 was a Thursday
        assert begun_at(now, None) - 7 * DAY_S < begun <= begun_at(now, None) < now
