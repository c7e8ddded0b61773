"""Who is told of a clock, and when: warnings, what is overdue, substitutes, second contacts."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

import pytest

from node.access.roles import Person, Role
from node.cases.clocks.moments import Moment, following, moments, passed
from node.cases.clocks.rounds import SECOND_CONTACT, Mailing, Reminder
from node.cases.law import load_law
from node.storage import (
    Connection,
    clock_rows,
    happening_rows,
    mail_rows,
    people_rows,
    standing_rows,
)  # fmt: skip
from node.storage.clock_rows import Clock
from node.storage.engine import Database
from node.storage.people_rows import User
from node.storage.writer import Tx
from tests.support.clock import ManualClock
from tests.support.clock_stories import DAY, MONDAY
from tests.support.clockwork import Clockwork
from tests.support.quiet_writer import quiet_writer

ON: Final = Mailing(on=True)
OTTO: Final = Person("otto", frozenset({Role.OFFICER}), "otto")
TEN_DAYS: Final = MONDAY + 10 * DAY


def user(login: str, *roles: Role, **changes: object) -> User:
    """Give one of our people, whose id is their login."""
    made = User(login, login, None, " ".join(roles), "active", None, None, 0)
    return replace(made, **changes)  # type: ignore[arg-type]  # columns of a user


PEOPLE: Final = (
    user("cara", Role.CASE_OFFICER),
    user("ina", Role.INTAKE),
    user("otto", Role.OFFICER),
    user("omar", Role.OFFICER),
    user("anna", Role.APPROVER),
)


@dataclass(slots=True)
class Office:
    """An office with people and one case that came in, of which Cara has the charge."""

    database: Database
    people: tuple[User, ...] = PEOPLE
    mailing: Mailing = ON
    officer: str | None = "cara"
    case: str = ""
    clock: ManualClock = field(default_factory=lambda: ManualClock(MONDAY))

    def __post_init__(self) -> None:
        """Store people and case."""
        scene = Clockwork(self.database)
        self.case = scene.case_id("requested")

        def store(conn: Connection) -> None:
            for one in self.people:
                people_rows.insert_user(conn, one)
            standing_rows.change_standing(conn, self.case, officer=self.officer)

        self.database.transact(store)

    def start(self, waits_for: str = "us", due: int = TEN_DAYS, clock: str = "decision") -> None:
        """Start a clock on Monday."""
        row = Clock(
            self.case, clock, waits_for, "10 days", MONDAY, due, warn_at=moments(MONDAY, due)[0].at
        )
        self.database.transact(lambda conn: clock_rows.insert_clock(conn, row))

    def tell(self, now: int) -> list[tuple[str, str]]:
        """Look at the clocks at a time; gives whom that told, and why."""
        with quiet_writer(self.database, self.clock) as writer:
            reminder = Reminder(self.database, writer, self.clock, load_law(), self.mailing)
            before = self.mails()
            self.database.transact(lambda conn: reminder.tell(Tx(conn, now)))
        return self.mails()[len(before) :]

    def mails(self) -> list[tuple[str, str]]:
        """Give all mails that were noted: for whom, and why."""
        return self.database.read(
            lambda conn: [(one.person, one.reason) for one in mail_rows.list_mails(conn)]
        )

    def happened(self) -> list[str]:
        """Give what the feed says."""
        found = self.database.read(
            lambda conn: happening_rows.heard_by(conn, OTTO, 0, after=0, count=100)
        )
        return [one.kind for one in found]


def test_an_officer_is_warned_then_told_and_then_the_second_contact(database: Database) -> None:
    """Each once: at three quarters of the time, when it is due, and a day after."""
    office = Office(database)
    office.start()
    assert office.tell(MONDAY + 7 * DAY) == []
    assert office.tell(MONDAY + 7 * DAY + DAY // 2) == [("cara", "clock.warning")]
    assert office.tell(MONDAY + 9 * DAY) == []
    assert office.tell(TEN_DAYS) == [("cara", "clock.due")]
    assert office.tell(TEN_DAYS + DAY) == []
    second = [("cara", "clock.escalation"), ("omar", "clock.escalation"),
              ("otto", "clock.escalation")]  # fmt: skip
    assert office.tell(TEN_DAYS + DAY + 1) == second
    assert office.tell(TEN_DAYS + 90 * DAY) == []
    assert office.happened() == ["clock.due", "clock.overdue", "clock.overdue"]
    row = database.read(lambda conn: clock_rows.list_clocks(conn, office.case))[0]
    assert (row.warned_at, row.escalated_at) == (TEN_DAYS, TEN_DAYS + DAY + 1)


def test_after_a_pause_the_last_moment_stands_for_those_before(fresh: Database) -> None:
    """A node that was down for a month says once that it is overdue, to everybody."""
    office = Office(fresh)
    office.start()
    told = office.tell(MONDAY + 60 * DAY)
    assert told[0] == ("cara", "clock.escalation")
    assert office.tell(MONDAY + 61 * DAY) == []


def test_nobody_is_warned_of_what_others_are_late_with_before_they_are(fresh: Database) -> None:
    """Their clock is ours to know when it is over."""
    office = Office(fresh)
    office.start("them")
    assert office.tell(MONDAY + 8 * DAY) == []
    assert office.tell(TEN_DAYS) == [("cara", "clock.due")]


def test_a_measure_warns_both_sides_at_45_and_55_days_of_60(fresh: Database) -> None:
    """As the data of law says, and in proportion where a measure is shorter."""
    office = Office(fresh)
    office.start("them", MONDAY + 60 * DAY, "preservation")
    assert office.tell(MONDAY + 45 * DAY - 1) == []
    assert office.tell(MONDAY + 45 * DAY) == [("cara", "clock.warning")]
    assert office.tell(MONDAY + 55 * DAY - 1) == []
    assert office.tell(MONDAY + 55 * DAY) == [("cara", "clock.warning")]
    assert office.tell(MONDAY + 60 * DAY) == [("cara", "clock.due")]


@pytest.mark.parametrize(
    ("away", "told"),
    [
        ({"away_from": MONDAY, "away_until": TEN_DAYS + 1, "substitute": "ina"}, "ina"),
        ({"away_from": MONDAY, "away_until": TEN_DAYS, "substitute": "ina"}, "cara"),
        ({"away_from": TEN_DAYS + 1, "away_until": None, "substitute": "ina"}, "cara"),
        ({"away_from": MONDAY, "away_until": None, "substitute": None}, "cara"),
        ({"away_from": MONDAY, "away_until": None, "substitute": "gone"}, "cara"),
        ({"away_from": MONDAY, "away_until": None, "substitute": "cara"}, "cara"),
    ],
)
def test_who_stands_in_for_an_officer_is_told(
    fresh: Database, away: dict[str, object], told: str
) -> None:
    """While they are away, if there is somebody; a circle ends."""
    gone = user("gone", Role.CASE_OFFICER, state="ended")
    cara = replace(PEOPLE[0], **away)  # type: ignore[arg-type]  # columns of a user
    office = Office(fresh, (cara, gone, *PEOPLE[1:]))
    office.start()
    assert office.tell(TEN_DAYS) == [(told, "clock.due")]


def test_a_case_that_nobody_has_concerns_who_takes_cases_in(fresh: Database) -> None:
    """And where nobody does that, the central authority's officers."""
    office = Office(fresh, officer=None)
    office.start()
    assert office.tell(TEN_DAYS) == [("ina", "clock.due")]


def test_an_officer_who_has_left_is_told_nothing(fresh: Database) -> None:
    """A case of theirs concerns the others until somebody takes it over."""
    office = Office(fresh, (replace(PEOPLE[0], state="ended"), *PEOPLE[2:]))
    office.start()
    assert office.tell(TEN_DAYS) == [("omar", "clock.due"), ("otto", "clock.due")]


def test_the_second_contact_may_be_an_address(fresh: Database) -> None:
    """Then nobody else hears of what is overdue."""
    office = Office(fresh, mailing=Mailing(on=True, second_contact=True))
    office.start()
    told = office.tell(TEN_DAYS + 2 * DAY)
    assert told == [("cara", "clock.escalation"), (SECOND_CONTACT, "clock.escalation")]


def test_without_a_mail_server_the_feed_says_it_alone(fresh: Database) -> None:
    """No heap of mails grows that would all go out on the day on which a server is named."""
    office = Office(fresh, mailing=Mailing())
    office.start()
    assert office.tell(TEN_DAYS) == []
    assert office.happened() == ["clock.overdue"]


def test_a_crash_before_the_commit_tells_nobody_and_the_next_look_does(fresh: Database) -> None:
    """The mail's row and the mark on the clock are one transaction."""
    office = Office(fresh)
    office.start()

    class Crash(Exception):
        pass

    def crashing(conn: Connection) -> None:
        with quiet_writer(fresh, office.clock) as writer:
            reminder = Reminder(fresh, writer, office.clock, load_law(), ON)
            reminder.tell(Tx(conn, TEN_DAYS))
        raise Crash

    with pytest.raises(Crash):
        fresh.transact(crashing)
    assert office.mails() == []
    assert office.tell(TEN_DAYS) == [("cara", "clock.due")]


async def test_the_service_sleeps_until_a_clock_is_due(fresh: Database) -> None:
    """Nobody is told before, and at the moment itself somebody is."""
    office = Office(fresh)
    office.start(due=MONDAY + 40)
    with quiet_writer(fresh, office.clock) as writer:
        reminder = Reminder(fresh, writer, office.clock, load_law(), ON)
        task = asyncio.create_task(reminder.run())
        await office.clock.until_sleeping()
        assert office.mails() == []
        office.clock.advance(30)
        while not office.mails():
            await asyncio.sleep(0)
        assert office.mails() == [("cara", "clock.warning")]
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def test_moments_are_in_their_order_and_the_last_that_came_counts() -> None:
    """A clock without time has them all at once; parts outside of its time are none."""
    assert moments(0, 100) == (Moment(75, "warning"), Moment(100, "due"), Moment(126, "escalation"))
    assert moments(50, 50, (0.0, 1.5)) == (Moment(50, "due"), Moment(51, "escalation"))
    assert passed(moments(0, 100), 74) is None
    assert passed(moments(0, 100), 101) == Moment(100, "due")
    assert (following(moments(0, 100), 100), following(moments(0, 100), 126)) == (126, None)
