"""Due dates as a calendar (iCalendar, RFC 5545) that other programs can show.

It holds references of cases and names of clocks, and nothing of what a case is about. The
person who asks gets the clocks that their work list shows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final

import icalendar

from node.storage.work_rows import Item

_MADE_BY: Final = "-//Comity//Work list//EN"
_SUMMARY_CHARS_MAX: Final = 200


def encode_calendar(items: Iterable[Item], *, authority: str, now: int) -> str:
    """Give the text of a calendar with one event for each clock, at the moment it is due."""
    calendar = icalendar.Calendar()
    calendar.add("prodid", _MADE_BY)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    for item in items:
        calendar.add_component(_event(item, authority, now))
    return str(calendar.to_ical(), "utf-8")


def _event(item: Item, authority: str, now: int) -> icalendar.Event:
    clock = item.clock
    name = clock.name.replace("_", " ")
    whom = "we act" if clock.waits_for == "us" else "they act"
    event = icalendar.Event()
    event.add("uid", f"clock-{clock.id}@{authority}")
    event.add("dtstamp", _moment(now))
    event.add("dtstart", _moment(clock.due_at))
    event.add("summary", f"{_called(item)}: {name} ({whom})")
    event.add("transp", "TRANSPARENT")
    return event


def _called(item: Item) -> str:
    """Call a case by our reference, else theirs, else by its id; on one line."""
    text = item.own_ref or item.peer_ref or item.clock.case_id
    line = "".join(sign if sign.isprintable() else " " for sign in text)
    return line[:_SUMMARY_CHARS_MAX]


def _moment(time: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(time, dt.UTC)
