"""How casework is put together: what follows from each step, and what runs beside it.

    standings = Standings(authority, vault, effects_of(office, vault, law))
    running = services_of(settings, register, law, Plant(database, writer, clock, random))

The order of effects matters: clocks run by the legal basis and urgency that the facts have
taken from the request. Knows no verb and no message.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from node.cases.clocks.rounds import Mailing, Reminder
from node.cases.clocks.timetable import Timetable
from node.cases.dues import Dues
from node.cases.facts import Facts
from node.cases.feed import note_step
from node.cases.happened import Effect
from node.cases.law import Law
from node.cases.linking import Linking
from node.cases.register import Register
from node.cases.search import WordIndex
from node.clock import Clock, Random
from node.mailer import Mailer
from node.office import Office
from node.settings import Settings
from node.storage.engine import Database
from node.storage.vault import Vault
from node.storage.writer import Writer
from protocol.errors import Rejected

Service: TypeAlias = Callable[[], Coroutine[None, None, None]]


def effects_of(office: Office, vault: Vault, law: Law) -> tuple[Effect, ...]:
    """Give everything that follows from a step of a case, in its order."""
    timetable = Timetable(office.authority, law, partial(state_of, office))
    return Facts(vault), timetable, WordIndex(vault), Linking(office.network), note_step


def state_of(office: Office, authority: str) -> str | None:
    """Give the State of an authority, as the network document says; None if it is not in it."""
    try:
        return office.directory.entry(authority).state
    except Rejected:
        return None


@dataclass(frozen=True, slots=True)
class Plant:
    """What every service works with."""

    database: Database
    writer: Writer
    clock: Clock
    random: Random


def services_of(
    settings: Settings, register: Register, law: Law, plant: Plant
) -> tuple[Service, ...]:
    """Give what runs for as long as the node serves: dues, reminders, mail."""
    mail = settings.mail
    mailing = Mailing(on=mail.host is not None, second_contact=mail.second_contact is not None)
    dues = Dues(register, plant.database, plant.writer, plant.clock)
    reminder = Reminder(plant.database, plant.writer, plant.clock, law, mailing)
    mailer = Mailer(
        mail, settings.clocks.zone, plant.database, plant.writer,
        clock=plant.clock, random=plant.random,
    )  # fmt: skip
    return dues.run, reminder.run, mailer.run
