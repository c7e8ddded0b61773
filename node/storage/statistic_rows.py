"""Counting cases: one statement over all of a period, grouped by the database. Statements only.

What a state or a code means is not known here: counts come by the codes as they stand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Integer,
    case,
    func,
    literal,
    literal_column,
    or_,
    select,
    union_all,
)

from node.storage.tables import case_links, case_offences, case_sums, cases, standings

DAY_S: Final = 86_400
HOUR_S: Final = 3_600
AGES_DAYS: Final = (30, 90, 180, 365)
"""Where the ages at which pending cases are counted end; the last has no end."""

VALUES: Final = ("peer", "kind", "basis", "effect", "urgency", "language")
TIMES: Final = ("acknowledge", "decide", "execute")

_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Period:
    """The cases that are counted: opened from `first` to `last`; ages are as of `now`."""

    first: int
    last: int
    now: int


@dataclass(frozen=True, slots=True)
class Counted:
    """So many cases of one side have this value; None where a case has none."""

    table: str
    side: str
    value: str | None
    count: int


@dataclass(frozen=True, slots=True)
class CountedEnd:
    """So many cases of one side stand in this state, came out so, and are of this age."""

    side: str
    state: str
    outcome: str | None
    ground: str | None
    age: int
    count: int


@dataclass(frozen=True, slots=True)
class CountedTime:
    """In so many cases of one side this took so many whole hours since delivery."""

    name: str
    side: str
    hours: int
    count: int


@dataclass(frozen=True, slots=True)
class SealedSum:
    """A sum of a case, and the wrapped key that its amount opens with."""

    case_id: str
    wrapped_key: bytes = field(repr=False)
    side: str
    stage: str
    currency: str
    sealed_amount: bytes = field(repr=False)


def _in(period: Period) -> ColumnElement[bool]:
    return cases.c.opened_at.between(period.first, period.last)


def _base(period: Period) -> CTE:
    """Give the cases of the period with what they are counted by; read once, grouped often."""
    age, hour_s = period.now - cases.c.opened_at, literal_column(str(HOUR_S), Integer)
    ages = [(age < days * DAY_S, place) for place, days in enumerate(AGES_DAYS)]
    started = standings.c.delivered_at
    taken = {
        "acknowledge": standings.c.acknowledged_at - started,
        "decide": standings.c.decided_at - started,
        "execute": standings.c.executed_at - started,
    }
    columns: list[ColumnElement[Any]] = [
        cases.c.side,
        cases.c.peer,
        cases.c.request_kind.label("kind"),
        func.coalesce(standings.c.state, cases.c.state).label("state"),
        *(standings.c[name] for name in ("basis", "effect", "urgency", "language")),
        standings.c.outcome,
        standings.c.ground,
        case(*ages, else_=len(AGES_DAYS)).label("age"),
        *((took // hour_s).label(name) for name, took in taken.items()),
    ]
    joined = cases.outerjoin(standings, standings.c.case_id == cases.c.id)
    return select(*columns).select_from(joined).where(_in(period)).cte("counted")


@dataclass(frozen=True, slots=True)
class Counts:
    """All counts of a period."""

    values: Sequence[Counted]
    ends: Sequence[CountedEnd]
    times: Sequence[CountedTime]


def count_cases(conn: Connection, period: Period) -> Counts:
    """Count the cases of a period by all that they are counted by."""
    base = _base(period)
    none: ColumnElement[Any] = literal_column("NULL")
    parts = [
        select(
            literal_column(f"'{name}'").label("name"), base.c.side, base.c[name].label("value"),
            none.label("outcome"), none.label("ground"), literal_column("0").label("whole"),
            func.count().label("count"),
        ).group_by(base.c.side, base.c[name])
        for name in VALUES
    ]  # fmt: skip
    ends = (base.c.side, base.c.state, base.c.outcome, base.c.ground, base.c.age)
    parts.append(select(literal_column("'end'"), *ends, func.count()).group_by(*ends))
    parts += [
        select(
            literal_column(f"'{name}'"), base.c.side, none, none, none, base.c[name], func.count()
        )
        .where(base.c[name].is_not(None))
        .group_by(base.c.side, base.c[name])
        for name in TIMES
    ]
    return _sorted(conn.execute(union_all(*parts)))


def _sorted(rows: Any) -> Counts:  # noqa: ANN401  (rows of a union, which have no type)
    """Put the rows of the union where they belong."""
    values, ends, times = list[Counted](), list[CountedEnd](), list[CountedTime]()
    for name, side, value, outcome, ground, whole, count in rows:
        if name == "end":
            ends.append(CountedEnd(side, value, outcome, ground, whole, count))
        elif name in TIMES:
            times.append(CountedTime(name, side, max(0, whole), count))
        else:
            values.append(Counted(name, side, value, count))
    return Counts(values, ends, times)


def count_offences(conn: Connection, period: Period) -> list[Counted]:
    """Count the cases of a period by offence; a case counts with each of its own."""
    query = (
        select(cases.c.side, case_offences.c.code, func.count())
        .join(case_offences, case_offences.c.case_id == cases.c.id)
        .where(_in(period))
        .group_by(cases.c.side, case_offences.c.code)
    )
    return [Counted("offence", side, code, count) for side, code, count in conn.execute(query)]


def count_linked(conn: Connection, period: Period, kind: str) -> list[Counted]:
    """Count the cases of a kind by whether another case was linked with them: `yes` or `no`."""
    linked = (
        select(literal(1))
        .where(or_(case_links.c.case_id == cases.c.id, case_links.c.other == cases.c.id))
        .exists()
    )
    value = case((linked, "yes"), else_="no").label("linked")
    inner = select(cases.c.side, value).where(_in(period), cases.c.request_kind == kind).subquery()
    query = select(inner.c.side, inner.c.linked, func.count()).group_by(
        inner.c.side, inner.c.linked
    )
    return [Counted("followed", side, found, count) for side, found, count in conn.execute(query)]


def sums(conn: Connection, period: Period) -> Iterator[SealedSum]:
    """Read the sums of the period's cases whose key is still there."""
    query = (
        select(
            cases.c.id, cases.c.wrapped_key, cases.c.side,
            case_sums.c.stage, case_sums.c.currency, case_sums.c.sealed_amount,
        )
        .join(case_sums, case_sums.c.case_id == cases.c.id)
        .where(_in(period), func.length(cases.c.wrapped_key) > 0)
        .order_by(cases.c.id)
    )  # fmt: skip
    for rows in conn.execute(query).partitions(_AT_ONCE):
        for row in rows:
            yield SealedSum(*row)
