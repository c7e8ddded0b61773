"""Waiting for what comes first, and going round all peers now and again."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Self

from node.rounds import EVERY_S, PAUSE_S, Rounds, rung_or_done, rung_or_later
from tests.support.clock import ManualClock


class Visits:
    """Rounds over two peers, and who was visited."""

    def __init__(self, first_s: float) -> None:
        """Go round at `first_s`."""
        self.clock = ManualClock()
        self.seen: list[str] = []
        self.rounds = Rounds(self.clock, lambda: ("b", "a"), first_s=first_s)

    async def visit(self, peer: str) -> None:
        """Note a visit."""
        self.seen.append(peer)

    async def after(self, *delays_s: float) -> list[str]:
        """Give who was visited when so much time has passed, in these steps."""
        for delay_s in delays_s:
            await self.clock.until_sleeping()
            self.clock.advance(delay_s)
        await self.clock.until_sleeping()
        seen, self.seen = self.seen, []
        return seen

    async def __aenter__(self) -> Self:
        """Begin."""
        self.task = asyncio.ensure_future(self.rounds.run(self.visit))
        return self

    async def __aexit__(self, *_: object) -> None:
        """End."""
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


async def test_everyone_is_visited_at_first_and_then_now_and_again() -> None:
    """In the order of their names, and not before the time has come."""
    async with Visits(first_s=0.0) as visits:
        assert await visits.after() == ["a", "b"]
        assert await visits.after(PAUSE_S) == []
        assert await visits.after(EVERY_S - PAUSE_S) == ["a", "b"]


async def test_a_first_round_may_wait() -> None:
    """A node that has just begun has better things to do."""
    async with Visits(first_s=PAUSE_S) as visits:
        assert await visits.after() == []
        assert await visits.after(PAUSE_S) == ["a", "b"]


async def test_who_is_asked_for_is_visited_alone_and_not_twice_at_once() -> None:
    """However often somebody asks, the pause between two rounds is kept."""
    async with Visits(first_s=0.0) as visits:
        await visits.after()
        for _ in range(3):
            visits.rounds.ask_soon("a")
        assert await visits.after(PAUSE_S) == ["a"]
        visits.rounds.ask_soon("a")
        assert await visits.after() == []
        assert await visits.after(PAUSE_S) == ["a"]


async def test_a_word_ends_a_rest_before_its_time() -> None:
    """Nothing is left behind that still waits."""
    clock, bell = ManualClock(), asyncio.Event()
    waiting = asyncio.ensure_future(rung_or_later(clock, bell, 60.0))
    await clock.until_sleeping()
    bell.set()
    await waiting
    assert clock.monotonic() == 0


async def test_what_is_waited_for_beside_a_bell_goes_on() -> None:
    """A rest may be waited for again and again."""
    bell, other = asyncio.Event(), asyncio.get_running_loop().create_future()
    bell.set()
    await rung_or_done(bell, other)
    assert not other.done()
    bell.clear()
    other.set_result(None)
    await rung_or_done(bell, other)
