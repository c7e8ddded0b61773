"""One check: what was looked at, how it is, and what to do. Knows nothing it looks at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Final

DAY_S: Final = 86_400
_SOON_S: Final = 30 * DAY_S
_NOW_S: Final = 7 * DAY_S


class Status(Enum):
    """How it is."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of one check, for a person: a sentence, and what to do if it is not ok."""

    name: str
    status: Status
    sentence: str
    advice: str = ""


def ok(name: str, sentence: str) -> Check:
    """Say that something is as it should be."""
    return Check(name, Status.OK, sentence)


def warning(name: str, sentence: str, advice: str) -> Check:
    """Say that something works and will not for ever."""
    return Check(name, Status.WARNING, sentence, advice)


def failed(name: str, sentence: str, advice: str) -> Check:
    """Say that something is wrong."""
    return Check(name, Status.FAILED, sentence, advice)


def expiring(name: str, what: str, expires: int, now: int, advice: str) -> Check:
    """Judge a date: 30 days before it is a warning, 7 days before it is too late to wait."""
    left = expires - now
    when = f"{what} expires on {day(expires)}"
    if left <= 0:
        return failed(name, f"{what} expired on {day(expires)}.", advice)
    if left <= _NOW_S:
        return failed(name, f"{when}, in {left // DAY_S} days.", advice)
    if left <= _SOON_S:
        return warning(name, f"{when}, in {left // DAY_S} days.", advice)
    return ok(name, f"{when}.")


def worst(checks: list[Check]) -> Check:
    """Give the first of the worst checks of one thing."""
    order = (Status.FAILED, Status.WARNING, Status.OK)
    return min(checks, key=lambda check: order.index(check.status))


def day(seconds: int) -> str:
    """Show a date."""
    try:
        return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%d}"
    except (ValueError, OverflowError, OSError):
        return f"second {seconds}"
