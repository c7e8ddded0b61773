"""Days as States count them: zones, weekends, holidays, corrections, and changes of the hour."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from node.cases.clocks.days import TIME_MAX, UTC_DAYS, Calendars, _states
from node.cases.law import HolidayChange
from node.cases.law.model import Unit


def moment(text: str, zone: str = "UTC") -> int:
    """Give the Unix second of a local time."""
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())


DUE: list[tuple[str, str, str, int, Unit, str]] = [
    # State, zone, start, count, unit, last second (local)
    ("MZ", "Africa/Maputo", "2026-06-22T10:00", 3, "days", "2026-06-25T23:59:59"),
    # 25 June is a holiday of Mozambique, then comes a weekend
    ("MZ", "Africa/Maputo", "2026-06-24T10:00", 1, "working_days", "2026-06-26T23:59:59"),
    ("MZ", "Africa/Maputo", "2026-06-24T10:00", 2, "working_days", "2026-06-29T23:59:59"),
    # Friday and Saturday rest in Egypt
    ("EG", "Africa/Cairo", "2026-06-04T10:00", 1, "working_days", "2026-06-07T23:59:59"),
    # a fictional State whose Friday and Saturday rest, and one with Saturday and Sunday
    ("QS", "UTC", "2026-06-04T10:00", 1, "working_days", "2026-06-07T23:59:59"),
    ("QM", "UTC", "2026-06-05T10:00", 1, "working_days", "2026-06-08T23:59:59"),
    # over the change of the hour: the day ends where the clocks of the office say so
    ("PT", "Europe/Lisbon", "2026-03-27T10:00", 2, "days", "2026-03-29T23:59:59"),
    ("PT", "Europe/Lisbon", "2026-10-23T10:00", 2, "days", "2026-10-25T23:59:59"),
    # the start is already tomorrow in the State that acts
    ("NZ", "Pacific/Auckland", "2026-01-10T00:30", 1, "days", "2026-01-11T23:59:59"),
    ("MZ", "Africa/Maputo", "2026-01-10T23:59:59", 1, "hours", "2026-01-11T00:59:59"),
]


@pytest.mark.parametrize(("state", "zone", "start", "count", "unit", "end"), DUE)
def test_a_limit_ends_with_its_last_day_in_the_state_that_acts(
    state: str, zone: str, start: str, count: int, unit: Unit, end: str
) -> None:
    """Days end at midnight there, working days leave out weekends and holidays, hours do not."""
    calendar = Calendars().of(state)
    assert calendar.after(moment(start, zone), count, unit) == moment(end, zone)


def test_hours_go_by_through_the_change_of_the_hour() -> None:
    """Twenty-four hours are as many seconds on the day that has twenty-three."""
    start = moment("2026-03-28T12:00", "Europe/Lisbon")
    assert Calendars().of("PT").after(start, 24, "hours") == start + 86_400


def test_an_authority_corrects_holidays() -> None:
    """A day that is added rests, one that is taken away is worked, in that State alone."""
    change = HolidayChange(add=("2026-06-24",), remove=("2026-06-25",))
    calendars = Calendars({"MZ": change})
    assert not calendars.of("MZ").is_worked(dt.date(2026, 6, 24))
    assert calendars.of("MZ").is_worked(dt.date(2026, 6, 25))
    assert calendars.of("AO").is_worked(dt.date(2026, 6, 24))


def test_a_strange_state_has_the_days_of_utc() -> None:
    """A code that nobody knows stops no clock: weekends rest, and no holiday is known."""
    strange = Calendars().of("ZZ")
    assert (strange.zone, strange.rest) == (UTC_DAYS.zone, UTC_DAYS.rest)
    assert strange.is_worked(dt.date(2026, 1, 1))
    assert Calendars().of(None) == UTC_DAYS


def test_every_state_of_the_table_has_a_zone() -> None:
    """Each name in the table is a zone of the data that travels with the node."""
    zones, weekends = _states()
    assert len(zones) > 240
    assert {ZoneInfo(name).key for name in zones.values()} == set(zones.values())
    assert all(days <= set(range(7)) for days in weekends.values())


def test_working_days_between_are_those_that_a_limit_counts() -> None:
    """Counting from a start to the end of a limit gives the limit again."""
    calendar, start = Calendars().of("MZ"), moment("2026-04-01T12:00", "Africa/Maputo")
    for count in (1, 5, 30, 250):
        end = calendar.after(start, count, "working_days")
        assert calendar.worked_between(start, end) == count
    assert calendar.worked_between(start, start - 1) == 0


def test_where_no_day_is_worked_the_count_ends_all_the_same() -> None:
    """A calendar of holidays alone gives some day, and does not hang."""
    never = replace(UTC_DAYS, rest=frozenset(range(7)))
    assert 0 < never.after(0, 1, "working_days") < TIME_MAX
