"""The verbs that find cases and count them.

Parses arguments and renders results; decides nothing. A search shows that cases are there and
where they stand, and no text of theirs; statistics show numbers of all cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from node.access.roles import AUDITING, CASEWORK, Role
from node.cases.search import WordIndex, find
from node.cases.statistics import TABLES, Asked, Report, statistics
from node.desk.arguments import Arguments
from node.desk.listing import listed
from node.desk.verb import Desk, Result, Verb
from node.storage import Connection, link_rows, person_rows
from node.storage.statistic_rows import Period
from node.storage.word_rows import Seeker
from protocol.encoding import Json
from protocol.errors import Malformed

FOUND_MAX: Final = 100

Time = Annotated[int, Field(ge=0, le=2**53 - 1, description="Unix seconds.")]


class Search(Arguments):
    """What to look for."""

    words: Annotated[
        str,
        Field(
            min_length=1, max_length=512,
            description="Words that all occur in a case, or how a reference or a case's id "
            "begins, or an authority's id.",
        ),
    ]  # fmt: skip
    limit: Annotated[int, Field(ge=1, le=FOUND_MAX, description="At most so many cases.")] = 50


class Count(Arguments):
    """Which cases to count, and how."""

    first: Annotated[Time, Field(description="Cases opened from then on: Unix seconds.")] = 0
    last: Annotated[Time | None, Field(description="And until then; else until now.")] = None
    by: Annotated[
        tuple[str, ...] | None,
        Field(max_length=32, description=f"Which tables: {', '.join(TABLES)}; else all."),
    ] = None
    published: Annotated[
        bool, Field(description="Let no number below five be read or computed.")
    ] = False


def _case_search(desk: Desk, args: Search) -> Result:
    index = WordIndex(desk.register.vault)
    seeker = Seeker(desk.asking, desk.clock.now(), args.limit + 1)

    def work(conn: Connection) -> Result:
        found = find(conn, index, args.words, seeker)
        page = link_rows.listed_cases(conn, found[: args.limit])
        names = person_rows.person_names(conn)
        dues = link_rows.next_dues(conn, [one.case.id for one in page])
        return {
            "schema": "comity.found/1",
            "cases": [listed(one, names, dues.get(one.case.id)) for one in page],
            "more": len(found) > args.limit,
        }

    return desk.database.read(work)


def _case_statistics(desk: Desk, args: Count) -> Result:
    now = desk.clock.now()
    unknown = set(args.by or ()) - set(TABLES)
    if unknown:
        raise Malformed(f"by: statistics count by {', '.join(TABLES)}")
    last = now if args.last is None else args.last
    if last < args.first:
        raise Malformed("last: the period ends before it begins")
    tables = frozenset(TABLES if args.by is None else args.by)
    asked = Asked(Period(args.first, last, now), tables, args.published)
    return _report(desk.database.read(lambda conn: statistics(conn, desk.register.vault, asked)))


def _report(report: Report) -> Result:
    period = report.asked.period
    totals: dict[str, Json] = dict(report.totals)
    return {
        "schema": "comity.statistics/1",
        "from": period.first,
        "until": period.last,
        "at": period.now,
        "published": report.asked.published,
        "totals": totals,
        "tables": [
            {
                "table": one.name,
                "direction": one.direction,
                "cells": [{"value": value, "count": count} for value, count in one.cells],
            }
            for one in report.tables
        ],
        "times": [
            {"time": one.name, "direction": one.direction, "count": one.count,
             "median_s": one.median_s, "p90_s": one.p90_s}
            for one in report.times
        ],
        "sums": [
            {"direction": one.direction, "stage": one.stage, "currency": one.currency,
             "cases": one.cases, "amount": one.amount}
            for one in report.sums
        ],
    }  # fmt: skip


FINDING: Final[Mapping[str, Verb]] = {
    # An auditor finds cases by reference; by words only those that they were let into.
    "case.search": Verb(_case_search, Search, may=CASEWORK | AUDITING, needs_keys=True),
    # Sums are sealed, and a small table may tell of one case: for those who answer for all.
    "case.statistics": Verb(
        _case_statistics, Count, may=frozenset({Role.OFFICER, Role.APPROVER}), needs_keys=True
    ),
}
