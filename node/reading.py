"""A desk for reading alone: no lock, no writer, and no private keys unless a verb needs them.

    with open_desk_for_reading(settings, None) as desk:
        act(desk, "case.list", {})

Opens the database read-only beside whoever writes to it. Trust is loaded and verified as
ever; there is no reading without it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from keys.ring import KeyRing
from node.anchor import Anchor
from node.cases.law import load_law
from node.cases.register import Register
from node.cases.standings import Standings
from node.clock import SystemClock, SystemRandom
from node.desk import Desk, no_writing
from node.office import Office
from node.outbox import Outbox
from node.settings import Settings
from node.storage.case_rows import Case, StoredMessage
from node.storage.engine import open_database
from node.storage.vault import Vault
from node.storage.writer import Tx


@contextlib.contextmanager
def open_desk_for_reading(settings: Settings, ring: KeyRing | None) -> Iterator[Desk]:
    """Give a desk whose verbs can only read; without a ring, only those that need no keys."""
    clock, random = SystemClock(), SystemRandom()
    database = open_database(settings.database.url.get_secret_value(), read_only=True)
    try:
        anchor = Anchor(settings.guard.file)
        office = Office(settings.network, settings.authority, ring, clock.now(), anchor)
        database.read(office.load)
        register = None
        if ring is not None:
            vault = Vault(ring.storage_key, random)
            standings = Standings(settings.authority, vault)
            outbox = Outbox(office, vault, random, _nobody, _nothing)
            register = Register(office, vault, outbox, standings, random)
        yield Desk(
            settings,
            office,
            database,
            no_writing,
            clock,
            random,
            register_or_none=register,
            law=load_law(settings.law_folder),
        )
    finally:
        database.close()


def _nobody(peer: str) -> None:
    """Stand where the outbox rings for a peer: nothing is posted from here."""


def _nothing(_tx: Tx, _case: Case, _stored: StoredMessage, _was: str) -> None:
    """Stand where the outbox tells of what it settled: nothing is settled here."""
