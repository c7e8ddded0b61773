"""When somebody is told of a clock: before it is due, when it is, and once more after.

Moments follow from when a clock started and when it is due, so they need not be stored:
a row keeps only the next one. Knows nobody who could be told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Why = Literal["warning", "due", "escalation"]

USUAL: Final = (0.75,)  # one warning, when three quarters of the time have gone
_ESCALATES_S_MAX: Final = 86_400
_ESCALATES_PART: Final = 4


@dataclass(frozen=True, slots=True)
class Moment:
    """A time at which somebody is told, and why."""

    at: int
    why: Why


def moments(started: int, due: int, parts: Sequence[float] = USUAL) -> tuple[Moment, ...]:
    """Give the moments of a clock in their order; `parts` of its time go by before a warning.

    The second contact hears of it when a quarter as much time again has passed, but a day
    after it was due at the latest.
    """
    span = max(due - started, 0)
    warnings = [Moment(started + int(span * part), "warning") for part in parts if 0 < part < 1]
    late = due + min(_ESCALATES_S_MAX, span // _ESCALATES_PART) + 1
    return (*warnings, Moment(due, "due"), Moment(late, "escalation"))


def passed(all_of: Sequence[Moment], now: int) -> Moment | None:
    """Give the last moment that has come: after a pause it stands for those before it."""
    return next((one for one in reversed(all_of) if one.at <= now), None)


def following(all_of: Sequence[Moment], now: int) -> int | None:
    """Give the next moment after `now`; None if everybody has been told."""
    return next((one.at for one in all_of if one.at > now), None)
