"""The clock of a story: real seconds, and leaps of days when the story says so.

    clock = StoryClock(begins=1_760_000_000)
    clock.leap(9 * 3600)          # nine hours have passed; whoever slept that long wakes

All nodes of a demonstration share one, so that signatures, limits and reminders agree. It
stands before the present, for what is verified afterwards is judged by the true time. Made
for demonstrations alone: no setting of a node can put it in place of the machine's clock.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field

from node.clock import SystemClock


@dataclass(eq=False, slots=True)
class _Sleeper:
    """One who sleeps until something wakes it, on whichever event loop."""

    loop: asyncio.AbstractEventLoop
    woken: asyncio.Future[None]

    def wake(self) -> None:
        """Wake it; on its own loop alone."""
        if not self.woken.done():
            self.woken.set_result(None)


@dataclass(slots=True)
class StoryClock:
    """A `node.clock.Clock` that begins when told and leaps when told; safe between threads."""

    begins: int
    _real: SystemClock = field(default_factory=SystemClock)
    _started: float = 0.0
    _leapt_s: float = 0.0
    _floor: int = 0
    _sleepers: list[_Sleeper] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Begin now."""
        self._started = self._real.monotonic()

    @property
    def floor(self) -> int:
        """The Unix second below which `now` never goes."""
        return self._floor

    def now(self) -> int:
        """Give the time of the story in Unix seconds."""
        passed = self.monotonic() - self._started
        return max(self.begins + int(passed), self._floor)

    def behind_s(self) -> int:
        """Give 0: a story's clock is right by definition."""
        return 0

    def raise_floor(self, floor: int) -> None:
        """Move the floor up; a lower value changes nothing."""
        with self._lock:
            self._floor = max(self._floor, floor)

    def monotonic(self) -> float:
        """Give seconds that pass as the story's do."""
        return self._real.monotonic() + self._leapt_s

    async def sleep(self, delay_s: float) -> None:
        """Return after `delay_s` seconds of the story."""
        until = self.monotonic() + delay_s
        loop = asyncio.get_running_loop()
        while (left := until - self.monotonic()) > 0:
            sleeper = _Sleeper(loop, loop.create_future())
            alarm = loop.call_later(left, sleeper.wake)
            with self._lock:
                self._sleepers.append(sleeper)
            try:
                # A bare future: `wait_for` can lose a cancellation that comes with the waking.
                await sleeper.woken
            finally:
                alarm.cancel()
                with self._lock:
                    self._sleepers.remove(sleeper)

    def leap(self, delay_s: int) -> None:
        """Let so many seconds pass at once, and wake whoever slept no longer than that."""
        with self._lock:
            self._leapt_s += delay_s
            sleepers = tuple(self._sleepers)
        for one in sleepers:
            one.loop.call_soon_threadsafe(one.wake)
