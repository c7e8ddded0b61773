"""Lists and searches of who may read many cases: as if each case had been looked at."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final

import pytest
from sqlalchemy import Connection, insert

from node.access.roles import Person, Role
from node.storage import link_rows, member_rows, standing_rows, word_rows
from node.storage.engine import Database
from node.storage.link_rows import CaseFilter, list_standing_cases
from node.storage.member_rows import Member
from node.storage.standing_rows import StoredStanding
from node.storage.tables import cases
from node.storage.word_rows import Seeker, add_words, cases_with_peer, cases_with_words
from tests.support.rows import case_row

COUNT: Final = 40
ME, OTHER = "1" * 32, "2" * 32
COMMON, HALF = b"c" * 16, b"h" * 16
PEER: Final = "qm.justice"
ROLES: Final = (Role.CASE_OFFICER, Role.INTAKE, Role.OFFICER)


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a handful of cases count as many, and few of them as the newest."""
    monkeypatch.setattr(member_rows, "_MANY", 2)
    monkeypatch.setattr(link_rows, "_NEWEST_COUNT", 9)
    monkeypatch.setattr(word_rows, "_FEW_MAX", 2)


def fill(conn: Connection, chance: random.Random) -> dict[str, int]:
    """Store cases of one's own, of others and of nobody; gives when each changed."""
    changed = {}
    for number in range(COUNT):
        case = f"fj.justice/{number:032x}"
        changed[case] = chance.randrange(12)
        row = case_row(
            id=case, log_id=f"{number:032x}", side=chance.choice(("requesting", "requested")),
            peer=chance.choice((PEER, "aa.justice")), changed_at=changed[case],
        )  # fmt: skip
        conn.execute(insert(cases), row)
        officer = chance.choice((ME, OTHER, OTHER, None))
        standing = StoredStanding(case, "request", "ACCEPTED", officer=officer)
        standing_rows.insert_standing(conn, standing)
        if chance.random() < 0.3:
            member_rows.put_member(conn, Member(case, ME, "reader", None, 1))
        add_words(conn, case, [COMMON, HALF] if chance.random() < 0.5 else [COMMON])
    return changed


def in_order(found: Iterator[str], changed: dict[str, int]) -> list[str]:
    """Put cases in the order of a list."""
    return sorted(found, key=lambda case: (-changed[case], case))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("seed", range(3))
def test_a_list_shows_all_that_one_may_list_page_by_page(
    database: Database, role: Role, seed: int
) -> None:
    """Each case once, the last changed first, whether the newest fill a page or not."""
    person = Person("login", frozenset({role}), ME)

    def work(conn: Connection) -> None:
        changed = fill(conn, random.Random(seed))
        seen = in_order(
            (one for one in changed if member_rows.may_list(conn, person, one, 0)), changed
        )
        for size in (1, 4, 30):
            found: list[str] = []
            before = None
            while page := list_standing_cases(
                conn, CaseFilter(before=before, count_max=size), person, 0
            ):
                found += [one.case.id for one in page]
                before = (page[-1].case.changed_at, page[-1].case.id)
            assert found == seen
        assert len(seen) > 10

    database.transact(work)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("seed", range(3))
def test_a_search_finds_the_newest_that_one_may_read(
    database: Database, role: Role, seed: int
) -> None:
    """By words that are common, and by an authority, however few are wanted."""
    person = Person("login", frozenset({role}), ME)

    def work(conn: Connection) -> None:
        changed = fill(conn, random.Random(seed))
        read = [one for one in changed if member_rows.may_read(conn, person, one, 0)]
        held = {one for one in changed if _holds(conn, one)}
        half = in_order((one for one in read if one in held), changed)
        rows = link_rows.listed_cases(conn, list(changed))
        with_peer = {one.case.id for one in rows if one.case.peer == PEER}
        listed = [one for one in changed if member_rows.may_list(conn, person, one, 0)]
        peers = in_order((one for one in listed if one in with_peer), changed)
        for limit in (1, 5, COUNT):
            seeker = Seeker(person, 0, limit)
            assert cases_with_words(conn, [COMMON, HALF], seeker) == half[:limit]
            assert cases_with_peer(conn, PEER, seeker) == peers[:limit]
        assert cases_with_peer(conn, "nobody.justice", Seeker(person, 0, 5)) == []
        assert len(half) > 3

    database.transact(work)


def _holds(conn: Connection, case: str) -> bool:
    held = conn.execute(word_rows._HELD, {"one": case, "many": [HALF]})
    return held.first() is not None
