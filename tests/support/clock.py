"""Time that stands still until a test moves it, and chance that repeats.

    clock = ManualClock(1_760_000_000)
    task = asyncio.create_task(courier.run())      # sleeps on the clock
    await clock.until_sleeping()                   # it has reached its sleep
    clock.advance(60)                              # and wakes: a minute has passed

Nothing here waits for real time.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field

START = 1_760_000_000  # 9 October 2025: the time at which tests begin


@dataclass(slots=True)
class _Sleeper:
    wakes_at: float
    woken: asyncio.Future[None]


@dataclass(slots=True)
class ManualClock:
    """A `node.clock.Clock` whose time is what the test says."""

    wall: int = START
    floor: int = 0
    _passed: float = 0.0
    _sleepers: list[_Sleeper] = field(default_factory=list)
    _arrivals: list[asyncio.Future[None]] = field(default_factory=list)

    def now(self) -> int:
        """Give the wall time, or the floor if that is later."""
        return max(self.wall, self.floor)

    def behind_s(self) -> int:
        """Give how many seconds the wall lies below the floor."""
        return max(0, self.floor - self.wall)

    def raise_floor(self, floor: int) -> None:
        """Move the floor up; a lower value changes nothing."""
        self.floor = max(self.floor, floor)

    def monotonic(self) -> float:
        """Give the seconds by which the test has advanced the clock."""
        return self._passed

    async def sleep(self, delay_s: float) -> None:
        """Return once the test has advanced the clock by `delay_s`."""
        if delay_s <= 0:
            await asyncio.sleep(0)
            return
        sleeper = _Sleeper(self._passed + delay_s, asyncio.get_running_loop().create_future())
        self._sleepers.append(sleeper)
        for arrival in self._arrivals:
            if not arrival.done():
                arrival.set_result(None)
        self._arrivals.clear()
        try:
            await sleeper.woken
        finally:
            if sleeper in self._sleepers:
                self._sleepers.remove(sleeper)

    def advance(self, delay_s: float) -> None:
        """Let time pass, on the wall too, and wake whoever's time has come."""
        self._passed += delay_s
        self.wall += int(delay_s)
        for sleeper in [one for one in self._sleepers if one.wakes_at <= self._passed]:
            self._sleepers.remove(sleeper)
            if not sleeper.woken.done():
                sleeper.woken.set_result(None)

    def jump(self, delay_s: int) -> None:
        """Set the wall forward or back, as an administrator would; no time passes."""
        self.wall += delay_s

    @property
    def sleeping(self) -> int:
        """How many sleep on this clock now."""
        return len(self._sleepers)

    async def until_sleeping(self, count: int = 1) -> None:
        """Wait until at least `count` sleep on this clock."""
        while len(self._sleepers) < count:
            arrival: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._arrivals.append(arrival)
            await arrival


class SeededRandom:
    """A `node.clock.Random` that gives the same bytes for the same seed, run after run."""

    def __init__(self, seed: str = "comity") -> None:
        """Start the sequence that belongs to `seed`."""
        self._seed = seed.encode()
        self._drawn = 0

    def __call__(self, size: int) -> bytes:
        """Give the next `size` bytes of the sequence."""
        self._drawn += 1
        return hashlib.shake_256(b"%d %b" % (self._drawn, self._seed)).digest(size)
