"""What the body of a step says of times and codes, as far as it is in its form.

A body may be anything that a peer signed: what is not in its form is not there. Times are
Unix seconds; a day alone means its end in the State that must act.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Final

from node.cases.clocks.days import TIME_MAX, Calendar
from protocol.encoding import Json

_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LISTED_MAX: Final = 64


def time_in(body: Mapping[str, Json], field: str, calendar: Calendar) -> int | None:
    """Give the moment that a field states."""
    match body.get(field):
        case bool():
            return None
        case int() as moment if 0 < moment < TIME_MAX:
            return moment
        case str() as text if _DAY.fullmatch(text):
            return _end_of_day(text, calendar)
    return None


def _end_of_day(text: str, calendar: Calendar) -> int | None:
    try:
        moment = calendar.end_of(dt.date.fromisoformat(text))
    except (ValueError, OverflowError):
        return None  # the 30th of February, or a year that nobody sees
    return moment if 0 < moment < TIME_MAX else None


def codes_in(body: Mapping[str, Json]) -> tuple[str | None, str | None]:
    """Give the codes of the primary legal basis and of the urgency."""
    listed = body.get("legal_basis")
    rows = listed[:_LISTED_MAX] if isinstance(listed, list) else []
    named = [one for one in rows if isinstance(one, dict)]
    primary = next((one for one in named if one.get("primary") is True), named[0] if named else {})
    return _code(primary.get("instrument")), _code(body.get("urgency"))


def _code(value: Json) -> str | None:
    return value if isinstance(value, str) and _CODE.fullmatch(value) else None
