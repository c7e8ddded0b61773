"""Waiting for what comes first, a word or a time; and going round all peers now and again.

    rounds = Rounds(clock, peers, first_s=0.0)
    rounds.ask_soon("qm.justice")       # something of this one may be newer
    await rounds.run(refresh)           # for ever

Knows names of peers, and not what is asked of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from node.clock import Clock

EVERY_S: Final = 900.0
PAUSE_S: Final = 5.0  # between two rounds, however often something asks for one


async def rung_or_done(bell: asyncio.Event, other: asyncio.Future[Any]) -> None:
    """Return when the bell is rung or the other is done, which goes on if it is not."""
    ring = asyncio.ensure_future(bell.wait())
    either: list[asyncio.Future[Any]] = [ring, other]
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ring.cancel()


async def rung_or_later(clock: Clock, bell: asyncio.Event, delay_s: float) -> None:
    """Return when the bell is rung, but after `delay_s` seconds at the latest."""
    rest = asyncio.ensure_future(clock.sleep(max(delay_s, 0.0)))
    try:
        await rung_or_done(bell, rest)
    finally:
        rest.cancel()


class Rounds:
    """Visits everyone now and again, some when told to, and nobody too often."""

    def __init__(
        self, clock: Clock, everyone: Callable[[], Iterable[str]], *, first_s: float
    ) -> None:
        """Visit whom `everyone` names, for the first time after `first_s` seconds."""
        self._clock = clock
        self._everyone = everyone
        self._first_s = first_s
        self._bell = asyncio.Event()
        self.wanted: set[str] = set()

    def ask_soon(self, peer: str) -> None:
        """Say that a peer should be visited before its time; on the event loop only."""
        self.wanted.add(peer)
        self._bell.set()

    async def run(self, visit: Callable[[str], Awaitable[object]]) -> None:
        """Visit until cancelled; the peers of one round at once."""
        everyone_at = self._clock.monotonic() + self._first_s
        while True:
            if self._clock.monotonic() >= everyone_at:
                self.wanted.update(self._everyone())
                everyone_at = self._clock.monotonic() + EVERY_S
            peers, self.wanted = sorted(self.wanted), set()
            await asyncio.gather(*(visit(peer) for peer in peers))
            await self._clock.sleep(PAUSE_S)
            if not self.wanted:
                self._bell.clear()
                await rung_or_later(self._clock, self._bell, everyone_at - self._clock.monotonic())
