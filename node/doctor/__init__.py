"""The doctor: what is wrong with this node, and what to do, one line each.

    checks = examine(settings, clock=SystemClock(), ring=ring)
    checks += await ask_peers(settings, clock=clock, random=random, ring=ring)

Everything is read and nothing is changed, so it may run beside a node that works, and on
one that does not start. A check that cannot be made because an earlier one failed is left
out. Without a key ring it says what it did not open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from keys.directory import Directory
from keys.ring import KeyRing
from node.clock import Clock, Random
from node.doctor import casework, files, storage, trust
from node.doctor.check import Check, Status, failed, ok, warning
from node.office import Office
from node.peers import Peers
from node.settings import Settings
from node.storage import Connection, health_rows, queue_rows
from node.storage.engine import Database, StorageFailed, open_database
from node.transport.errors import TransportFailure

__all__ = ["Check", "Status", "ask_peers", "examine"]


def examine(settings: Settings, *, clock: Clock, ring: KeyRing | None = None) -> list[Check]:
    """Look at everything that can be seen from here, without asking any peer."""
    now = clock.now()
    found = [files.check_disk(settings.folder), files.check_key_file(settings, ring)]
    try:
        database = open_database(settings.database.url.get_secret_value(), read_only=True)
    except StorageFailed as fault:
        return [*found, failed("database", f"{fault}.", "Check [database] url.")]
    try:
        on_database = storage.check_database(database)
        found += on_database
        if any(check.name == "database" and check.status is Status.OK for check in on_database):
            found += database.read(lambda conn: _examine_stored(conn, settings, clock, ring))
    except StorageFailed as fault:
        advice = "Check the disk, and restore the newest backup if it is damaged."
        found.append(failed("database", f"{fault}.", advice))
    finally:
        database.close()
    if not any(check.name == "certificate" for check in found):
        found.append(files.check_certificate(settings, None, now))
    return found


def _examine_stored(
    conn: Connection, settings: Settings, clock: Clock, ring: KeyRing | None
) -> list[Check]:
    """Look at what the database holds, and at the files that must agree with it."""
    now, directory = clock.now(), _directory(conn, settings, clock)
    created = max((one.trusted.document.created for one in directory.chain), default=0)
    listing = trust.own_listing(directory, settings.authority)
    prefix = f"{settings.network}/{settings.authority}/"
    found = [
        storage.check_clock(conn, clock, created),
        storage.check_guard(conn, settings.guard.file, prefix),
        *trust.check_document(directory, settings, now),
    ]
    if directory.chain:
        found += trust.check_own_listing(directory, settings, ring, now)
        found.append(files.check_seal_key(ring, listing, now))
    found.append(files.check_certificate(settings, listing, now))
    found += [storage.check_queue(conn), storage.check_alarms(conn)]
    found += [
        casework.check_law(settings), casework.check_people(conn), casework.check_standings(conn),
        casework.check_mail(conn, settings, now), casework.check_staff(settings, now),
    ]  # fmt: skip
    return found + _examine_peers(conn, directory, settings.authority, now)


def _examine_peers(conn: Connection, directory: Directory, own: str, now: int) -> list[Check]:
    waiting = health_rows.waiting_for_peers(conn)
    return [
        trust.check_peer(directory, peer, now, queue_rows.read_queue(conn, peer), waiting.get(peer))
        if status == "active"
        else trust.suspended(peer)
        for peer, status in trust.shown_peers(directory, own).items()
    ]


def _directory(conn: Connection, settings: Settings, clock: Clock) -> Directory:
    office = Office(settings.network, settings.authority, None, clock.now())
    office.load(conn)
    return office.directory


async def ask_peers(
    settings: Settings, *, clock: Clock, random: Random, ring: KeyRing
) -> list[Check]:
    """Ask each peer for its network document, signed, and say what comes back.

    One request each, all at once; nothing that comes back is installed.
    """
    database = open_database(settings.database.url.get_secret_value(), read_only=True)
    try:
        office = await asyncio.to_thread(_loaded, database, settings, clock, ring)
    finally:
        database.close()
    peers = Peers(office, clock, random, settings)
    try:
        wanted = office.directory.peers(settings.authority) if office.directory.chain else ()
        return list(await asyncio.gather(*(_ask(peers, peer, office) for peer in wanted)))
    finally:
        await peers.close()


def _loaded(database: Database, settings: Settings, clock: Clock, ring: KeyRing) -> Office:
    office = Office(settings.network, settings.authority, ring, clock.now())
    load: Callable[[Connection], None] = office.load
    database.read(load)
    return office


async def _ask(peers: Peers, peer: str, office: Office) -> Check:
    name, client = f"link {peer}", peers.client(peer)
    if client is None:
        return ok(name, "It cannot be asked: it fetches for itself, or its listing is not here.")
    try:
        given = await client.get_network()
    except TransportFailure as fault:
        return _judge(name, fault)
    if not set(given) & set(office.directory.documents_raw()):
        sentence = "It answers and has another newest network document than this node."
        return warning(name, sentence, "Let both nodes run: they hand documents to each other.")
    return ok(name, "It answers, its signature holds, and it trusts the same document.")


_WAIT_AND_SEE = frozenset({"unreachable", "timeout", "busy"})


def _judge(name: str, fault: TransportFailure) -> Check:
    """Say what a failure means; only some of them are ours to mend."""
    sentence = f"It gives no usable answer: {fault.code} ({fault.detail})."
    if fault.skew_s is not None:
        sentence = f"{sentence} Its clock is {fault.skew_s:+,} seconds from ours."
    advice = trust.advice_of(fault.code)
    return (warning if fault.code in _WAIT_AND_SEE else failed)(name, sentence, advice)
