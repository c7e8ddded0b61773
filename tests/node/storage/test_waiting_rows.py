"""Who waits for which clock, whatever changes: as clocks, charge and members say together."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

import pytest
from sqlalchemy import Connection, delete, insert, select

from node.access.roles import Person, Role
from node.storage import clock_rows, member_rows, standing_rows, waiting_rows, work_rows
from node.storage.clock_rows import Clock
from node.storage.engine import Database
from node.storage.member_rows import Member
from node.storage.standing_rows import StoredStanding
from node.storage.tables import cases, users, waiting
from node.storage.work_rows import GROUPS, Wanted
from tests.support.rows import case_row

NOW: Final = 1_000_000
PEOPLE: Final = tuple(f"{number:032x}" for number in range(5))
CASES: Final = tuple(f"fj.justice/{number:032x}" for number in range(6))
AWAY, SUBSTITUTE = PEOPLE[0], PEOPLE[1]

Step = Callable[[Connection, random.Random], object]


def fill(conn: Connection) -> None:
    """Store cases of both sides of which nobody is in charge, and two people, one of them away."""
    for number, case in enumerate(CASES):
        side = ("requesting", "requested")[number % 2]
        conn.execute(insert(cases), case_row(id=case, log_id=f"{number:032x}", side=side))
        standing_rows.insert_standing(conn, StoredStanding(case, "request", "ACCEPTED"))
    rest = {"roles": "case-officer", "state": "active", "asked_at": 1, "mailing": "now"}
    away = {"substitute": SUBSTITUTE, "away_from": NOW - 1, "away_until": NOW + 1}
    conn.execute(insert(users), {"person": AWAY, "login": "away", **rest, **away})
    conn.execute(insert(users), {"person": SUBSTITUTE, "login": "here", **rest})


def add_clock(conn: Connection, chance: random.Random) -> None:
    """Start a clock."""
    due = NOW + chance.randrange(-3, 4)
    waits = chance.choice(("us", "them"))
    case, ended = chance.choice(CASES), chance.choice((None, None, None, NOW))
    clock_rows.insert_clock(conn, Clock(case, "decision", waits, "r", 0, due, ended_at=ended))


def change_clock(conn: Connection, chance: random.Random) -> None:
    """Move, stop, resume or end a clock."""
    changes: list[dict[str, int | None]] = [
        {"due_at": NOW + chance.randrange(-3, 4)}, {"stopped_at": NOW}, {"stopped_at": None},
        {"due_at": NOW, "stopped_at": None}, {"ended_at": NOW}, {"warn_at": NOW},
    ]  # fmt: skip
    clocks = [one for case in CASES for one in clock_rows.open_clocks(conn, case)]
    if clocks:
        clock_rows.change_clock(conn, chance.choice(clocks).id, **chance.choice(changes))


def change_charge(conn: Connection, chance: random.Random) -> None:
    """Put somebody, or nobody, in charge."""
    who = chance.choice((None, *PEOPLE))
    standing_rows.change_standing(conn, chance.choice(CASES), officer=who)


def change_members(conn: Connection, chance: random.Random) -> None:
    """Let somebody in, more or less far, or out."""
    case, person = chance.choice(CASES), chance.choice(PEOPLE)
    if chance.random() < 0.3:
        member_rows.delete_member(conn, case, person)
        return
    level = chance.choice(("reader", "protected"))
    member_rows.put_member(conn, Member(case, person, level, None, 1))


STEPS: Final[tuple[Step, ...]] = (add_clock, change_clock, change_charge, change_members)


def rows(conn: Connection) -> list[tuple[object, ...]]:
    """Give all that waits."""
    return sorted(tuple(row) for row in conn.execute(select(waiting)))


def expected(conn: Connection, wanted: Wanted) -> list[int]:
    """Give the clocks that a person is to see, looked at one by one."""
    found = [
        one
        for case in CASES
        if member_rows.may_list(conn, wanted.person, case, NOW)
        for one in clock_rows.open_clocks(conn, case)
    ]
    fits: dict[str, Callable[[Clock], bool]] = {
        "all": lambda _: True,
        "overdue": lambda one: one.stopped_at is None and one.due_at < NOW,
        "today": lambda one: one.stopped_at is None and NOW <= one.due_at <= wanted.today_until,
        "us": lambda one: one.waits_for == "us",
        "them": lambda one: one.waits_for == "them",
    }
    kept = [one for one in found if fits[wanted.group](one)]
    return [one.id for one in sorted(kept, key=lambda one: (one.due_at, one.id))]


@pytest.mark.parametrize("seed", range(4))
def test_who_waits_is_what_clocks_charge_and_members_say(database: Database, seed: int) -> None:
    """After any changes the rows are those that would be made anew."""
    chance = random.Random(seed)

    def work(conn: Connection) -> None:
        fill(conn)
        for _ in range(60):
            chance.choice(STEPS)(conn, chance)
        kept = rows(conn)
        conn.execute(delete(waiting))
        waiting_rows.add_all(conn)
        assert kept == rows(conn)
        assert len(kept) > 10

    database.transact(work)


@pytest.mark.parametrize("role", [Role.CASE_OFFICER, Role.INTAKE, Role.OFFICER])
def test_everybody_sees_the_work_of_the_cases_that_they_may_list(
    database: Database, role: Role
) -> None:
    """Each clock once, in its place, and counted: as their own, a substitute's, a member's."""
    chance = random.Random(9)

    def work(conn: Connection) -> None:
        fill(conn)
        for _ in range(150):
            chance.choice(STEPS)(conn, chance)
        seen = 0
        for who in PEOPLE:
            person = Person("login", frozenset({role}), who)
            for group in ("all", *GROUPS):
                wanted = Wanted(person, NOW, NOW + 2, group)
                page = work_rows.page(conn, wanted, after=None, at_most=999)
                assert [one.clock.id for one in page] == expected(conn, wanted)
                if group != "all":
                    assert work_rows.counts(conn, wanted)[group] == len(page)
                seen += len(page)
        assert seen > 50

    database.transact(work)


def test_counts_end_where_nobody_counts_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is beyond the most is not looked at, and the rest is counted whole."""
    monkeypatch.setattr(work_rows, "COUNTED_MAX", 5)

    def work(conn: Connection) -> None:
        fill(conn)
        standing_rows.change_standing(conn, CASES[0], officer=PEOPLE[2])
        for place in range(9):
            clock = Clock(CASES[0], "decision", "us", "r", 0, NOW - 7 + place)
            clock_rows.insert_clock(conn, clock)
        wanted = Wanted(Person("login", frozenset({Role.CASE_OFFICER}), PEOPLE[2]), NOW, NOW)
        assert work_rows.counts(conn, wanted) == {"overdue": 5, "today": 1, "us": 5, "them": 0}

    database.transact(work)
