"""Statistics of the cases of a period, for reviews, and a form of them that may be published.

    report = statistics(conn, vault, Asked(Period(first, last, now), published=True))

Every table counts the cases of one direction, and each case once (by offence: once for each).
Some tables have a population of their own: `outcome` counts those that were executed, `ground`
those refused, `age` those pending. Times are measured from delivery, to the hour.

In the published form no number below five can be read or computed:

* In a table, values of fewer than five cases are put together as `(others)`; while that is
  still below five, the next smallest value joins it; where nothing is left, there is no table.
* A table with a population of its own is given only where the number of that population is
  itself given, in the table that it comes from.
* Medians stand on five cases at least, 90th percentiles on ten, sums on five; none of them
  says on how many.

That holds within one report. Publish reports of periods that do not overlap, for two that
do could be subtracted. Knows neither verbs nor people, and opens no text but sums.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from node.cases.facts import UNEXECUTED, sum_name
from node.storage import Connection, statistic_rows
from node.storage.statistic_rows import AGES_DAYS, HOUR_S, Counted, CountedEnd, CountedTime, Period
from node.storage.vault import Vault

OTHERS: Final = "(others)"
COUNT_MIN: Final = 5
_PERCENTILE_COUNT_MIN: Final = 10
_DAY_HOURS: Final = 24
_SPONTANEOUS: Final = "SPONTANEOUS"
_EXECUTED: Final = "EXECUTED"

TABLES: Final = (
    "peer", "kind", "basis", "effect", "urgency", "language", "offence", "result", "outcome",
    "ground", "postponement_ground", "part_refusal_ground", "age", "followed",
)  # fmt: skip
"""By what cases are counted."""

_WITHIN: Final[Mapping[str, tuple[str, str]]] = {
    "outcome": ("result", _EXECUTED),
    "ground": ("result", "REFUSED"),
    "postponement_ground": ("result", "POSTPONED"),
    "age": ("result", "PENDING"),
    "followed": ("kind", _SPONTANEOUS),
}
"""Tables whose population is one value of another table."""

_NEVER_PUBLISHED: Final = frozenset({"part_refusal_ground"})
"""Tables of which no other gives the population."""

_AGES: Final = (*(f"under-{days}-days" for days in AGES_DAYS), f"from-{AGES_DAYS[-1]}-days")
_DIRECTIONS: Final = {"requesting": "made", "requested": "received"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wanted: of which period, which tables, and whether it is to be published."""

    period: Period
    tables: frozenset[str] = frozenset(TABLES)
    published: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """The cases of one direction by one thing; the value None is what was not stated."""

    name: str
    direction: str
    cells: tuple[tuple[str | None, int], ...]


@dataclass(frozen=True, slots=True)
class Time:
    """How long something took; what is None may not be published."""

    name: str
    direction: str
    count: int | None
    median_s: int | None
    p90_s: int | None


@dataclass(frozen=True, slots=True)
class Sum:
    """The total of the sums of cases; `cases` is None in what is published."""

    direction: str
    stage: str
    currency: str
    cases: int | None
    amount: str


@dataclass(frozen=True, slots=True)
class Report:
    """The statistics of a period; a total is None where it may not be published."""

    asked: Asked
    totals: Mapping[str, int | None]
    tables: Sequence[Table]
    times: Sequence[Time]
    sums: Sequence[Sum]


def statistics(conn: Connection, vault: Vault, asked: Asked) -> Report:
    """Count the cases of a period."""
    counts = statistic_rows.count_cases(conn, asked.period)
    counted = [*counts.values, *(one for end in counts.ends for one in _of_end(end))]
    counted += statistic_rows.count_offences(conn, asked.period)
    counted += statistic_rows.count_linked(conn, asked.period, _SPONTANEOUS)
    tables = _tables(counted, published=asked.published)
    totals = Counter(dict.fromkeys(_DIRECTIONS.values(), 0))
    for end in counts.ends:
        totals[_DIRECTIONS[end.side]] += end.count
    return Report(
        asked,
        {name: _shown(count, published=asked.published) for name, count in totals.items()},
        [one for one in tables if one.name in asked.tables],
        _times(counts.times, published=asked.published),
        _sums(conn, vault, asked),
    )


def _shown(count: int, *, published: bool) -> int | None:
    return None if published and 0 < count < COUNT_MIN else count


# --- tables ----------------------------------------------------------------


def _of_end(end: CountedEnd) -> Iterable[Counted]:
    """Give what cases that stand so count for: how they came out, and within that, why."""
    result = _result(end)
    yield Counted("result", end.side, result, end.count)
    if result == "PENDING":
        yield Counted("age", end.side, _AGES[end.age], end.count)
    elif result == "REFUSED":
        yield Counted("ground", end.side, end.ground, end.count)
    elif result == "POSTPONED":
        yield Counted("postponement_ground", end.side, end.ground, end.count)
    elif result == _EXECUTED:
        yield Counted("outcome", end.side, end.outcome, end.count)
        if end.ground is not None:
            yield Counted("part_refusal_ground", end.side, end.ground, end.count)


def _result(end: CountedEnd) -> str:
    if end.outcome is not None:
        return end.outcome if end.outcome in UNEXECUTED else _EXECUTED
    return end.state if end.state in {"POSTPONED", "CLOSED"} else "PENDING"


def _tables(counted: Iterable[Counted], *, published: bool) -> list[Table]:
    cells: defaultdict[tuple[str, str], Counter[str | None]] = defaultdict(Counter)
    for one in counted:
        cells[one.table, one.side][one.value] += one.count
    found = {
        (name, side): publishable(cells[name, side]) if published else dict(cells[name, side])
        for name in TABLES
        for side in _DIRECTIONS
        if (name, side) in cells
    }
    return [
        Table(name, _DIRECTIONS[side], tuple(sorted(shown.items(), key=_order)))
        for (name, side), shown in found.items()
        if not published or _may_stand(name, side, found)
    ]


def _may_stand(
    name: str, side: str, found: Mapping[tuple[str, str], Mapping[str | None, int]]
) -> bool:
    """Say whether a table may be published: it is not empty, and its total is no secret."""
    if not found[name, side] or name in _NEVER_PUBLISHED:
        return False
    if name not in _WITHIN:
        return True
    parent, value = _WITHIN[name]
    return value in found.get((parent, side), {})


def publishable(cells: Mapping[str | None, int]) -> dict[str | None, int]:
    """Put values of few cases together, until no number below five is left; {} if none can be."""
    kept = dict(sorted(cells.items(), key=lambda cell: (cell[1], cell[0] or "")))
    joined = 0
    for value, count in list(kept.items()):
        if count >= COUNT_MIN and (joined == 0 or joined >= COUNT_MIN):
            break
        joined += count
        del kept[value]
    if 0 < joined < COUNT_MIN:
        return {}
    return {**kept, OTHERS: joined} if joined else kept


def _order(cell: tuple[str | None, int]) -> tuple[int, str]:
    """Order by count, the largest first, then by value."""
    return -cell[1], cell[0] or ""


# --- times -----------------------------------------------------------------


def _times(counted: Iterable[CountedTime], *, published: bool) -> list[Time]:
    hours: defaultdict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    for one in counted:
        hours[one.name, one.side][one.hours] += one.count
    found = []
    for name in statistic_rows.TIMES:
        for side, direction in _DIRECTIONS.items():
            if (name, side) in hours:
                found.append(_time(name, direction, hours[name, side], published=published))
    return [one for one in found if one.median_s is not None]


def _time(name: str, direction: str, hours: Mapping[int, int], *, published: bool) -> Time:
    ranked, count = sorted(hours.items()), sum(hours.values())
    median_s = (_at(ranked, (count - 1) // 2) + _at(ranked, count // 2)) * HOUR_S // 2
    p90_s = _at(ranked, -(-count * 9 // 10) - 1) * HOUR_S
    if not published:
        return Time(name, direction, count, median_s, p90_s)
    return Time(
        name, direction, None,
        _days(median_s) if count >= COUNT_MIN else None,
        _days(p90_s) if count >= _PERCENTILE_COUNT_MIN else None,
    )  # fmt: skip


def _at(ranked: Sequence[tuple[int, int]], place: int) -> int:
    """Give the value at a place among all values in their order."""
    passed = 0
    for value, count in ranked:
        passed += count
        if place < passed:
            return value
    return ranked[-1][0]


def _days(seconds: int) -> int:
    """Round up to whole days, for one time alone may be one case's own."""
    day_s = _DAY_HOURS * HOUR_S
    return -(-seconds // day_s) * day_s


# --- sums ------------------------------------------------------------------


@dataclass(slots=True)
class _Total:
    amount: Decimal = field(default=Decimal(0), repr=False)
    cases: int = 0


def _sums(conn: Connection, vault: Vault, asked: Asked) -> list[Sum]:
    totals: defaultdict[tuple[str, str, str], _Total] = defaultdict(_Total)
    for one in statistic_rows.sums(conn, asked.period):
        name = sum_name(one.case_id, one.stage, one.currency)
        total = totals[_DIRECTIONS[one.side], one.stage, one.currency]
        raw = vault.open(one.case_id, one.wrapped_key, name, one.sealed_amount)
        total.amount += Decimal(raw.decode())
        total.cases += 1
    return [
        Sum(*place, None if asked.published else total.cases, f"{total.amount:f}")
        for place, total in sorted(totals.items())
        if not asked.published or total.cases >= COUNT_MIN
    ]
