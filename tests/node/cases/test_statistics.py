"""Statistics: the numbers of cases that are made here, and no small one where it is published."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations, product
from typing import Final

import pytest

from node.cases.facts import sum_name
from node.cases.statistics import (
    COUNT_MIN,
    OTHERS,
    TABLES,
    Asked,
    Report,
    Sum,
    Time,
    publishable,
    statistics,
)
from node.storage import Connection, case_rows, fact_rows, link_rows, standing_rows
from node.storage.case_rows import Case
from node.storage.engine import Database
from node.storage.fact_rows import StoredSum
from node.storage.link_rows import Link
from node.storage.standing_rows import StoredStanding
from node.storage.statistic_rows import Period
from node.storage.vault import Vault
from tests.support.clock import SeededRandom

START: Final = 1_700_000_000
DAY_S: Final = 86_400
HOUR_S: Final = 3_600
NOW: Final = START + 400 * DAY_S
VAULT: Final = Vault(b"k" * 32, SeededRandom())


def put(
    database: Database, number: int, *, side: str = "requesting", kind: str = "MLA_EVIDENCE",
    opened: int = START, peer: str = "qm.justice", offences: tuple[str, ...] = (),
    frozen: str | None = None, state: str = "ACKNOWLEDGED", **facts: int | str | None,
) -> str:  # fmt: skip
    """Store a case with its facts."""
    case_id = f"fj.justice/{number:032x}"
    wrapped = VAULT.new_key(case_id)
    case = Case(
        case_id, side, peer, kind, state, opened, opened, f"{number:032x}", wrapped
    )  # fmt: skip
    row = StoredStanding(case_id, "request", state)

    def work(conn: Connection) -> None:
        case_rows.insert_case(conn, case)
        standing_rows.insert_standing(conn, row)
        if facts:
            standing_rows.change_standing(conn, case_id, **facts)
        fact_rows.add_offences(conn, case_id, offences)
        if frozen is not None:
            name = sum_name(case_id, "FROZEN", "XTS")
            sealed = VAULT.seal(case_id, wrapped, name, frozen.encode())
            fact_rows.put_sum(conn, StoredSum(case_id, "FROZEN", "XTS", sealed))

    database.transact(work)
    return case_id


def report(
    database: Database, *, published: bool = False, first: int = START, last: int = NOW,
    tables: frozenset[str] = frozenset(TABLES),
) -> Report:  # fmt: skip
    """Count."""
    asked = Asked(Period(first, last, NOW), tables, published)
    return database.read(lambda conn: statistics(conn, VAULT, asked))


def cells(found: Report, table: str, direction: str = "made") -> dict[str | None, int] | None:
    """Give the cells of one table; None if it is not there."""
    for one in found.tables:
        if (one.name, one.direction) == (table, direction):
            return dict(one.cells)
    return None


def fill(database: Database) -> None:
    """Store the cases of most tests: twelve made, one received."""
    for number in range(6):  # came out in full, in 1, 2, … 6 days
        put(
            database, number, basis="UNCAC", urgency="URGENT" if number < 2 else "ROUTINE",
            language="en", state="CLOSED", outcome="FULL", offences=("15-a", "23-1-a-i"),
            delivered_at=START, acknowledged_at=START + (number + 1) * DAY_S,
            executed_at=START + (number + 1) * 10 * DAY_S, frozen="100.10",
        )  # fmt: skip
    put(database, 6, basis="UNCAC", state="EXECUTED", outcome="NIL", offences=("15-a",))
    put(
        database, 7, basis="UNTOC", state="EXECUTED", outcome="PARTIAL", ground="46-21-a",
    )  # fmt: skip
    put(database, 8, basis="UNTOC", state="REFUSED", outcome="REFUSED", ground="46-21-b")
    put(database, 9, state="POSTPONED", ground="46-25")
    put(database, 10, state="CLOSED", outcome="WITHDRAWN")
    put(database, 11, opened=NOW - 10 * DAY_S, peer="to.justice")
    put(database, 12, side="requested", kind="FREEZING", basis="UNCAC")


def test_every_case_is_counted_by_each_thing(database: Database) -> None:
    """The numbers of a register that anybody can count by hand."""
    fill(database)
    found = report(database)
    assert found.totals == {"made": 12, "received": 1}
    assert cells(found, "peer") == {"qm.justice": 11, "to.justice": 1}
    assert cells(found, "kind") == {"MLA_EVIDENCE": 12}
    assert cells(found, "kind", "received") == {"FREEZING": 1}
    assert cells(found, "basis") == {"UNCAC": 7, "UNTOC": 2, None: 3}
    assert cells(found, "urgency") == {"ROUTINE": 4, "URGENT": 2, None: 6}
    assert cells(found, "language") == {"en": 6, None: 6}
    assert cells(found, "offence") == {"15-a": 7, "23-1-a-i": 6}
    assert cells(found, "result") == {
        "EXECUTED": 8, "REFUSED": 1, "POSTPONED": 1, "WITHDRAWN": 1, "PENDING": 1,
    }  # fmt: skip
    assert cells(found, "outcome") == {"FULL": 6, "NIL": 1, "PARTIAL": 1}
    assert cells(found, "ground") == {"46-21-b": 1}
    assert cells(found, "postponement_ground") == {"46-25": 1}
    assert cells(found, "part_refusal_ground") == {"46-21-a": 1}
    assert cells(found, "age") == {"under-30-days": 1}
    assert cells(found, "age", "received") == {"from-365-days": 1}


def test_times_are_medians_and_percentiles_from_delivery(database: Database) -> None:
    """Of six cases, the median lies between the third and the fourth."""
    fill(database)
    found = report(database)
    assert found.times == [
        Time("acknowledge", "made", 6, 7 * DAY_S // 2, 6 * DAY_S),
        Time("execute", "made", 6, 35 * DAY_S, 60 * DAY_S),
    ]


@pytest.mark.parametrize(
    ("hours", "median_s", "p90_s"),
    [
        ((5,), 5 * HOUR_S, 5 * HOUR_S),
        ((1, 2), 3 * HOUR_S // 2, 2 * HOUR_S),
        ((1, 2, 9), 2 * HOUR_S, 9 * HOUR_S),
        (tuple(range(1, 11)), 11 * HOUR_S // 2, 9 * HOUR_S),
        (tuple(range(1, 12)), 6 * HOUR_S, 10 * HOUR_S),
        ((7,) * 20, 7 * HOUR_S, 7 * HOUR_S),
    ],
)
def test_median_and_percentile_are_those_of_the_books(
    database: Database, hours: tuple[int, ...], median_s: int, p90_s: int
) -> None:
    """The percentile is the least time that nine cases of ten did not exceed."""
    for number, hour in enumerate(hours):
        put(database, number, delivered_at=START, decided_at=START + hour * HOUR_S)
    (found,) = report(database).times
    assert (found.name, found.count) == ("decide", len(hours))
    assert (found.median_s, found.p90_s) == (median_s, p90_s)


def test_sums_are_added_exactly(database: Database) -> None:
    """As decimal numbers: six times 100.10 is 600.60."""
    fill(database)
    assert report(database).sums == [Sum("made", "FROZEN", "XTS", 6, "600.60")]


def test_only_cases_opened_in_the_period_count(database: Database) -> None:
    """Both ends belong to it."""
    fill(database)
    late = report(database, first=NOW - 10 * DAY_S, last=NOW)
    assert late.totals == {"made": 1, "received": 0}
    assert report(database, last=START).totals == {"made": 11, "received": 1}
    assert report(database, first=NOW - 10 * DAY_S + 1).totals == {"made": 0, "received": 0}


def test_spontaneous_information_that_was_followed_by_a_request(database: Database) -> None:
    """A link in either direction, counted once."""
    ids = [put(database, number, kind="SPONTANEOUS") for number in range(4)]
    request = put(database, 9)
    for link in (
        Link(request, "follows", ids[0], START), Link(ids[1], "led-to", request, START),
        Link(request, "continues", ids[1], START),
    ):  # fmt: skip
        database.transact(lambda conn, link=link: link_rows.insert_link(conn, link))  # type: ignore[misc]  # a default binds it
    assert cells(report(database), "followed") == {"yes": 2, "no": 2}


def test_only_the_tables_that_were_asked_for_are_given(database: Database) -> None:
    """By the names in `TABLES`."""
    fill(database)
    found = report(database, tables=frozenset({"kind", "age"}))
    assert {one.name for one in found.tables} == {"kind", "age"}


def test_an_empty_register_has_empty_statistics(database: Database) -> None:
    """And no division by nothing."""
    found = report(database)
    assert (found.totals, list(found.tables), found.times, found.sums) == (
        {"made": 0, "received": 0}, [], [], [],
    )  # fmt: skip


# --- what is published --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"A": 5, "B": 9}, {"A": 5, "B": 9}),
        ({"A": 4}, {}),
        ({"A": 1, "B": 3}, {}),
        ({"A": 2, "B": 3}, {OTHERS: 5}),
        ({"A": 1, "B": 5, "C": 50}, {OTHERS: 6, "C": 50}),
        ({"A": 4, "B": 3, "C": 50}, {OTHERS: 7, "C": 50}),
        ({"A": 1, None: 100}, {OTHERS: 101}),
        ({}, {}),
    ],
)
def test_small_numbers_are_put_together(
    given: Mapping[str | None, int], shown: Mapping[str | None, int]
) -> None:
    """With as many others as it takes."""
    assert publishable(given) == shown


def test_no_published_number_is_small_nor_a_difference_of_totals() -> None:
    """In all tables of four cells up to seven; and what is shown adds up."""
    for counts in product(range(1, 8), repeat=4):
        given: dict[str | None, int] = dict(zip("ABCD", counts, strict=True))
        shown = publishable(given)
        assert all(count >= COUNT_MIN for count in shown.values())
        assert not shown or sum(shown.values()) == sum(counts)
        for some in range(1, len(shown)):
            for part in combinations(shown.values(), some):
                assert sum(counts) - sum(part) >= COUNT_MIN


def test_a_published_report_names_nothing_small(database: Database) -> None:
    """Where the parent's number is not given, no table tells it; counts of times are left out."""
    fill(database)
    found = report(database, published=True)
    assert found.totals == {"made": 12, "received": None}
    assert cells(found, "peer") == {OTHERS: 12}
    assert cells(found, "result") == {OTHERS: 12}
    for table in ("outcome", "ground", "postponement_ground", "part_refusal_ground", "age"):
        assert cells(found, table) is None
    assert {one.direction for one in found.tables} == {"made"}
    assert found.times == [
        Time("acknowledge", "made", None, 4 * DAY_S, None),
        Time("execute", "made", None, 35 * DAY_S, None),
    ]
    assert found.sums == [Sum("made", "FROZEN", "XTS", None, "600.60")]


def test_a_table_within_a_number_that_is_published_is_published(database: Database) -> None:
    """Its own small numbers are put together in it."""
    for number in range(20):
        put(database, number, state="CLOSED", outcome="FULL" if number < 12 else "PARTIAL")
    for number in range(20, 26):
        ground = "46-21-a" if number < 25 else "46-21-b"
        put(database, number, state="REFUSED", outcome="REFUSED", ground=ground)
    found = report(database, published=True)
    assert cells(found, "result") == {"EXECUTED": 20, "REFUSED": 6}
    assert cells(found, "outcome") == {"FULL": 12, "PARTIAL": 8}
    assert cells(found, "ground") == {OTHERS: 6}


def test_few_sums_are_not_published(database: Database) -> None:
    """Four cases with a sum: the total might be one case's."""
    for number in range(4):
        put(database, number, frozen="7")
    assert report(database, published=True).sums == []
    assert report(database).sums == [Sum("made", "FROZEN", "XTS", 4, "28")]
