"""Time and chance: the two things that a node takes from outside, as objects.

`app` builds one `SystemClock` and one `SystemRandom` and hands them down; nothing else in
`node/` asks the machine for the time, starts a timer or draws random bytes, so a test can
hold all of them in its hand.

The wall clock has a floor, below which the node never believes the machine: a clock that
jumps back must not make old requests fresh or expired documents valid again. The floor is
raised by this node's own clock and by `created` of documents that stewards signed, never
by the word of one peer. This module does not know where the floor is kept between runs,
nor what any time is for.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Callable
from typing import Protocol, TypeAlias

Random: TypeAlias = Callable[[int], bytes]
"""Give so many random bytes, fit for keys and nonces."""


class Clock(Protocol):
    """All that a node knows of time."""

    @property
    def floor(self) -> int:
        """The Unix second below which `now` never goes."""
        ...

    def now(self) -> int:
        """Give the wall time in Unix seconds: the machine's, or the floor if that is later."""
        ...

    def behind_s(self) -> int:
        """Give how many seconds the machine's clock lies below the floor; 0 when it is right."""
        ...

    def raise_floor(self, floor: int) -> None:
        """Move the floor up; a lower value changes nothing."""
        ...

    def monotonic(self) -> float:
        """Give seconds for measuring durations: never goes back, means nothing by itself."""
        ...

    async def sleep(self, delay_s: float) -> None:
        """Return after `delay_s` seconds."""
        ...


class SystemClock:
    """The machine's clock, with a floor under it. Safe to share between threads."""

    __slots__ = ("_floor", "_lock")

    def __init__(self, floor: int = 0) -> None:
        """Start with the floor that was kept from the last run."""
        self._floor = floor
        self._lock = threading.Lock()

    @property
    def floor(self) -> int:
        """The Unix second below which `now` never goes."""
        return self._floor

    def now(self) -> int:
        """Give the wall time in Unix seconds: the machine's, or the floor if that is later."""
        return max(int(time.time()), self._floor)

    def behind_s(self) -> int:
        """Give how many seconds the machine's clock lies below the floor; 0 when it is right."""
        return max(0, self._floor - int(time.time()))

    def raise_floor(self, floor: int) -> None:
        """Move the floor up; a lower value changes nothing."""
        with self._lock:
            self._floor = max(self._floor, floor)

    def monotonic(self) -> float:
        """Give seconds for measuring durations: never goes back, means nothing by itself."""
        return time.monotonic()

    async def sleep(self, delay_s: float) -> None:
        """Return after `delay_s` seconds."""
        await asyncio.sleep(delay_s)


class SystemRandom:
    """The operating system's random bytes; an instance is a `Random`."""

    __slots__ = ()

    def __call__(self, size: int) -> bytes:
        """Give `size` random bytes, fit for keys and nonces."""
        return secrets.token_bytes(size)
