"""Days as States count them: where a day ends, which days are worked, and when so many are over.

    calendars = Calendars(law.holidays)
    calendars.of("MZ").after(start, 30, "days")        # Unix second in which the last day ends

A limit in days ends with the last second of its last day in the time zone of the State that
must act; the day on which it starts is not counted. Hours are plain. Both sides of a case
know the State and reach the same second, as long as they have the same holidays: those are
of the library `holidays`, and an authority may correct them. Knows no case and no clock.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from holidays import HolidayBase, country_holidays

from node.cases.law import HolidayChange
from node.cases.law.model import Unit

HOUR_S: Final = 3_600
TIME_MAX: Final = (
    221_845_392_000  # the year 9000: no time of ours is later, and dates go on a while
)
_STATES: Final = Path(__file__).with_name("states.toml")
_REST: Final = frozenset({5, 6})  # Saturday and Sunday, where nobody says otherwise
_WALK_DAYS_MAX: Final = 40_000  # more than a century: then every day would be a holiday


def within(moment: int) -> int:
    """Give a moment that can be counted from: a peer may sign any number as a time."""
    return min(max(moment, 0), TIME_MAX)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days of one State."""

    zone: ZoneInfo
    rest: frozenset[int] = _REST
    added: frozenset[dt.date] = frozenset()
    removed: frozenset[dt.date] = frozenset()
    public: HolidayBase | None = field(default=None, compare=False)

    def is_worked(self, day: dt.date) -> bool:
        """Say whether offices of the State work on a day; its own corrections go first."""
        if day in self.added:
            return False
        if day.weekday() in self.rest:
            return False
        return day in self.removed or self.public is None or day not in self.public

    def day_of(self, moment: int) -> dt.date:
        """Give the day that a Unix second belongs to here."""
        return dt.datetime.fromtimestamp(within(moment), self.zone).date()

    def end_of(self, day: dt.date) -> int:
        """Give the last second of a day."""
        next_day = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), self.zone)
        return int(next_day.timestamp()) - 1

    def is_end_of_day(self, moment: int) -> bool:
        """Say whether a moment is the last second of its day."""
        return self.end_of(self.day_of(moment)) == moment

    def after(self, start: int, count: int, unit: Unit) -> int:
        """Give the moment at which so many hours, days or working days are over."""
        if unit == "hours":
            return within(start) + count * HOUR_S
        day = self.day_of(start)
        if unit == "days":
            return self.end_of(day + dt.timedelta(days=count))
        return self.end_of(self._worked_after(day, count))

    def worked_between(self, start: int, end: int) -> int:
        """Count the working days after the day of `start`, up to that of `end`."""
        day, last, count = self.day_of(start), self.day_of(end), 0
        for _ in range(_WALK_DAYS_MAX):
            if day >= last:
                break
            day += dt.timedelta(days=1)
            count += self.is_worked(day)
        return count

    def _worked_after(self, day: dt.date, count: int) -> dt.date:
        for _ in range(_WALK_DAYS_MAX):
            if count == 0:
                break
            day += dt.timedelta(days=1)
            count -= self.is_worked(day)
        return day


UTC_DAYS: Final = Calendar(ZoneInfo("UTC"))
"""The days of a State that nobody knows: Saturday and Sunday rest, and no holiday."""


class Calendars:
    """The calendars of all States, each made when it is first asked for."""

    def __init__(self, corrections: Mapping[str, HolidayChange] | None = None) -> None:
        """Take an authority's corrections of holidays, by State."""
        self._corrections = corrections or {}
        self._made: dict[str, Calendar] = {}

    def of(self, state: str | None) -> Calendar:
        """Give the calendar of a State (ISO 3166-1 alpha-2); a strange code has UTC's days."""
        if state is None:
            return UTC_DAYS
        made = self._made.get(state)
        if made is None:
            made = self._made[state] = self._make(state)
        return made

    def _make(self, state: str) -> Calendar:
        zones, weekends = _states()
        public = _public(state)
        change = self._corrections.get(state)
        rest = weekends.get(state) or (frozenset(public.weekend) if public is not None else _REST)
        return Calendar(
            ZoneInfo(zones.get(state, "UTC")),
            rest,
            _dates(change.add if change else ()),
            _dates(change.remove if change else ()),
            public,
        )


def _public(state: str) -> HolidayBase | None:
    """Give the public holidays of a State, if the library knows them."""
    try:
        return country_holidays(state)
    except NotImplementedError:
        return None


def _dates(texts: tuple[str, ...]) -> frozenset[dt.date]:
    return frozenset(dt.date.fromisoformat(one) for one in texts)


@cache
def _states() -> tuple[Mapping[str, str], Mapping[str, frozenset[int]]]:
    """Read which zone and which weekend each State has."""
    read = tomllib.loads(_STATES.read_text(encoding="utf-8"))
    return read["zones"], {state: frozenset(days) for state, days in read["weekends"].items()}
