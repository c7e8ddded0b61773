"""Who is told, and when: the service that looks at clocks as they come due.

    reminder = Reminder(database, writer, clock, law, mailing=Mailing(second_contact=None))
    await reminder.run()            # for ever

It asks the database for the next moment and sleeps until then, so nothing is polled; a clock
that is started or moved meanwhile is seen within `LOOK_S_MAX`, or at once where somebody
calls `look`. Telling means rows: a mail that waits to be sent and a line in the feed, in the
transaction that marks the clock, so a crash loses and doubles nothing here. What a mail says
and how it goes out is not known here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from node.access.roles import Role
from node.cases.clocks.limits import warnings_of
from node.cases.clocks.moments import USUAL, Moment, following, moments, passed
from node.cases.clocks.table import DELIVERY, IS_MEASURE
from node.cases.law import Law
from node.clock import Clock
from node.rounds import rung_or_later
from node.storage import Connection, clock_rows, happening_rows, mail_rows, people_rows
from node.storage.clock_rows import Ringing
from node.storage.engine import Database
from node.storage.people_rows import User
from node.storage.writer import Tx, Writer

LOOK_S_MAX: Final = 60.0
SECOND_CONTACT: Final = "second-contact"
"""In the place of a person's id: the address that the settings name."""

_AT_ONCE: Final = 100
_SUBSTITUTES_MAX: Final = 5
_SECOND: Final = (Role.OFFICER, Role.APPROVER)
_INTAKE: Final = (Role.INTAKE, Role.OFFICER)


@dataclass(frozen=True, slots=True)
class Mailing:
    """Whether mails are sent at all, and whether the second contact is an address."""

    on: bool = False
    second_contact: bool = False


class Reminder:
    """Tells people of clocks: rows for mails and for the feed."""

    def __init__(
        self, database: Database, writer: Writer, clock: Clock, law: Law, mailing: Mailing
    ) -> None:
        """Look at the clocks of `database`; warnings come when `law` says."""
        self._database = database
        self._writer = writer
        self._clock = clock
        self._law = law
        self._mailing = mailing
        self._bell = asyncio.Event()

    def look(self) -> None:
        """Say that a clock may be due earlier than was thought; on the event loop only."""
        self._bell.set()

    async def run(self) -> None:
        """Tell whoever is to be told, until cancelled."""
        while True:
            self._bell.clear()
            while await self._writer.write(self.tell) == _AT_ONCE:
                pass  # the rest of many, a transaction each
            soonest = await asyncio.to_thread(self._database.read, clock_rows.soonest)
            wait_s = LOOK_S_MAX if soonest is None else soonest - self._clock.now()
            await rung_or_later(self._clock, self._bell, min(max(wait_s, 1.0), LOOK_S_MAX))

    def tell(self, tx: Tx) -> int:
        """Tell of the clocks whose moment has come; gives how many there were."""
        found = clock_rows.ringing(tx.conn, tx.now, _AT_ONCE)
        people = _People.read(tx.conn, tx.now) if found else None
        for one in found:
            clock = one.clock
            parts = warnings_of(self._law, one.basis) if clock.name in IS_MEASURE else USUAL
            all_of = moments(clock.started_at, clock.due_at, parts)
            moment = passed(all_of, tx.now)
            if moment is not None and people is not None:
                self._tell_of(tx, one, moment, people)
            told = _marks(moment, tx.now)
            clock_rows.note_told(tx.conn, clock.id, following(all_of, tx.now), told)
        return len(found)

    def _tell_of(self, tx: Tx, one: Ringing, moment: Moment, people: _People) -> None:
        clock = one.clock
        kind = "clock.due" if moment.why == "warning" else "clock.overdue"
        happening_rows.note(tx.conn, kind, at=tx.now, case=clock.case_id)
        # Before it is due, only who must act is told; a measure that lapses concerns both.
        concerns = clock.waits_for == "us" or clock.name in IS_MEASURE or moment.why != "warning"
        if not self._mailing.on or not concerns:
            return
        told = people.in_charge(one)
        if moment.why == "escalation":
            told = (*told, *self._second(people))
        for person in dict.fromkeys(told):
            mail_rows.insert_mail(tx.conn, person, f"clock.{moment.why}", clock.case_id, tx.now)

    def _second(self, people: _People) -> Sequence[str]:
        return (SECOND_CONTACT,) if self._mailing.second_contact else people.holding(*_SECOND)


def _marks(moment: Moment | None, now: int) -> dict[str, int]:
    if moment is None:
        return {}
    return {"escalated_at" if moment.why == "escalation" else "warned_at": now}


@dataclass(frozen=True, slots=True)
class _People:
    """Our active people at one time."""

    by_id: dict[str, User]
    now: int

    @classmethod
    def read(cls, conn: Connection, now: int) -> _People:
        active = [one for one in people_rows.list_users(conn) if one.state == "active"]
        return cls({one.person: one for one in active}, now)

    def in_charge(self, one: Ringing) -> Sequence[str]:
        """Give whom a clock concerns: the officer or who stands in, else who takes cases in."""
        officer = self._present(one.officer)
        if officer is not None:
            return (officer,)
        roles = _SECOND if one.clock.name == DELIVERY else _INTAKE
        return self.holding(*roles)

    def holding(self, *roles: Role) -> Sequence[str]:
        """Give who holds the first of the roles that anybody holds; substitutes for the absent."""
        for role in roles:
            found = [one.person for one in self.by_id.values() if role in one.roles.split()]
            if found:
                return [self._present(one) or one for one in found]
        return ()

    def _present(self, person: str | None) -> str | None:
        """Give the person, or who stands in for them; None if that is nobody."""
        seen: set[str] = set()
        user = self.by_id.get(person or "")
        while user is not None and self._away(user) and len(seen) < _SUBSTITUTES_MAX:
            seen.add(user.person)
            other = self.by_id.get(user.substitute or "")
            if other is None or other.person in seen:
                break
            user = other
        return None if user is None else user.person

    def _away(self, user: User) -> bool:
        if user.away_from is None or user.away_from > self.now:
            return False
        return user.away_until is None or self.now < user.away_until
