"""The composition root: the one place where a node is built from its parts.

    node = open_node(settings, ring)          # storage, log, trust, cases: enough for a command
    async with node.serve(listening): ...     # and with it: listener, courier, gossip

Everything a part needs is handed to it here; no part looks for another. The caller holds
the exclusive lock of the node's folder, so one process writes. What start-up finds wrong
with the log does not stop the reading parts: the log halts and says why.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from keys.ring import KeyRing
from node.anchor import Anchor
from node.audit.guard import FileGuard
from node.audit.log import Log, open_origin
from node.audit.tiles import TileSource
from node.audit.witness import Witness
from node.cases.law import Law, load_law
from node.cases.register import Register
from node.cases.standings import Standings
from node.casework import Plant, effects_of, services_of
from node.clock import Clock, Random, SystemClock, SystemRandom
from node.courier import BackOff, Courier
from node.exchange import Exchange
from node.forks import Forks
from node.gossip import Gossip
from node.inbox import Inbox
from node.logs import get
from node.office import Office
from node.outbox import Outbox
from node.own_log import kept_reason
from node.peers import Peers
from node.returning import Returning
from node.served import Served, heads
from node.settings import Settings
from node.storage import Connection, peer_rows, recovery_rows
from node.storage.case_rows import Case, StoredMessage
from node.storage.engine import Database, StorageFailed, open_database
from node.storage.migrate import migrate
from node.storage.vault import Vault
from node.storage.writer import Tx, Writer
from node.transport.batch import Batch
from node.transport.hop import VerifiedHop
from node.transport.listener import Identity, Listener
from node.transport.routes import Recovery
from node.transport.tls import server_context
from node.watch import Watch, Watched
from protocol.digest import sha256_hex
from protocol.limits import HOP_SKEW_S

_log = get("app")

_CLOCK_FLOOR: Final = "clock_floor"
_UPKEEP_EVERY_S: Final = 300.0


@dataclass(slots=True)
class Bell:
    """Where the outbox rings: at the courier while the node serves, nowhere otherwise."""

    ring: Callable[[str], None] | None = None

    def __call__(self, peer: str) -> None:
        """Say that something waits for a peer."""
        ring = self.ring
        if ring is not None:
            ring(peer)


class ServiceEnded(Exception):
    """A part of the node that must always run has ended; the node's log says why."""


@dataclass(slots=True)
class Failure:
    """Why the node must end, for whoever runs it; set from the writer's thread or the loop."""

    fault: StorageFailed | ServiceEnded | None = None
    act: Callable[[], None] | None = None

    def __call__(self, fault: StorageFailed | ServiceEnded) -> None:
        """Note the failure and tell whoever waits for it."""
        self.fault = fault
        if self.act is not None:
            self.act()


@dataclass(slots=True)
class Node:
    """One authority's node: storage and verbs; `serve` adds the network."""

    settings: Settings
    clock: Clock
    random: Random
    database: Database
    office: Office
    log: Log
    writer: Writer
    outbox: Outbox
    register: Register
    law: Law
    inbox: Inbox
    returning: Returning
    witness: Witness
    tiles: TileSource
    forks: Forks
    watch: Watch | None = None  # while it serves
    bell: Bell = field(default_factory=Bell)
    failure: Failure = field(default_factory=Failure)

    def close(self) -> None:
        """Write what waits, and end."""
        self.writer.stop()
        self.database.close()

    @contextlib.asynccontextmanager
    async def serve(
        self, listening: socket.socket, *, back_off: BackOff | None = None
    ) -> AsyncIterator[Exchange]:
        """Exchange with peers on a bound socket until the block ends."""
        peers = Peers(self.office, self.clock, self.random, self.settings)
        gossip = Gossip(self.office, self.outbox, self.writer, self.clock, peers.client)
        watch = self.watch = Watch.over(self.watched, peers.client)
        courier = Courier(
            self.office, self.outbox, self.database, self.writer, self.clock,
            name=sha256_hex(str(self.settings.folder).encode())[:16],
            random=self.random, deliver=peers.client, logs=watch.shown,
            ask_for_trust=gossip.ask_soon, back_off=back_off,
        )  # fmt: skip
        exchange = Exchange(
            self.office, self.inbox, courier, gossip, peers,
            watch=watch, writer=self.writer, clock=self.clock,
        )  # fmt: skip
        listener = self._listener(exchange, peers)
        self.bell.ring = courier.wake
        await watch.witnessing.ask_before_signing()
        await listener.start(listening, self._tls())
        plant = Plant(self.database, self.writer, self.clock, self.random)
        services = [
            *services_of(self.settings, self.register, self.law, plant),
            courier.run, gossip.run, self._keep_up,
            watch.witnessing.run, watch.notices.run, watch.monitor.run,
        ]  # fmt: skip
        if self.settings.peers.pull:
            services.append(exchange.fetch_for_ever)
        tasks = [asyncio.create_task(_lasting(service, self.failure)) for service in services]
        try:
            yield exchange
        finally:
            self.bell.ring = self.watch = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await listener.close()
            await peers.close()

    @property
    def watched(self) -> Watched:
        """What of this node takes part in watching logs."""
        return Watched(
            self.office, self.log, self.tiles, self.witness, self.forks, self.database,
            self.writer, self.clock,
        )  # fmt: skip

    def _listener(self, exchange: Exchange, peers: Peers) -> Listener:
        identity = Identity(
            own_urls=lambda: self.settings.peers.urls,
            signer=lambda: self.office.keys.hop_at(self.clock.now()),
            resolve=exchange.resolve,
            resolve_any=exchange.resolve_any,
        )
        routes = replace(exchange.routes(), recover=self._give_back)
        served = Served(self.tiles, self.witness, self.database, self.writer, self.clock)
        routes = served.added_to(routes)
        return Listener(routes, identity, self.clock, self.random, peers.limits)

    async def _give_back(self, hop: VerifiedHop, wanted: Recovery) -> Batch:
        """A peer that has lost state asks for messages of both sides."""
        now = self.clock.now()
        return await asyncio.to_thread(self.returning.page, hop.authority, wanted, now)

    def _tls(self) -> ssl.SSLContext:
        peers = self.settings.peers
        return server_context(peers.certificate.read_bytes(), peers.private_key.read_bytes())

    async def _keep_up(self) -> None:
        """Now and then: keep the clock floor, forget nonces that time refuses anyway."""
        while True:
            await self.writer.write(self._upkeep)
            await self.clock.sleep(_UPKEEP_EVERY_S)

    def _upkeep(self, tx: Tx) -> None:
        self.clock.raise_floor(tx.now)
        peer_rows.write_setting(tx.conn, _CLOCK_FLOOR, str(self.clock.floor))
        peer_rows.drop_nonces(tx.conn, tx.now - HOP_SKEW_S)


async def _lasting(service: Callable[[], Coroutine[None, None, None]], failure: Failure) -> None:
    """Run a service that never ends by itself; if it does, the node ends and is seen to."""
    try:
        await service()
    except Exception:  # noqa: BLE001  (whatever it is: a node that only looks alive is worse)
        _log.exception("service-ended")
    failure(ServiceEnded("a part of the node has ended; its log says why"))


def open_node(
    settings: Settings,
    ring: KeyRing,
    *,
    clock: Clock | None = None,
    random: Random | None = None,
    recovering: bool = False,
) -> Node:
    """Build a node that can write; the caller holds the folder's exclusive lock.

    Until a recovery that was begun has ended, only the recovery itself may write.
    Raises `StorageFailed` if the database cannot be used, `SchemaNewer` if a newer release
    has altered it.
    """
    clock, random = clock or SystemClock(), random or SystemRandom()
    database = open_database(settings.database.url.get_secret_value())
    migrate(database)
    clock.raise_floor(database.read(_kept_floor))
    anchor = Anchor(settings.guard.file)
    office = Office(settings.network, settings.authority, ring, clock.now(), anchor)
    database.read(office.load)
    office.keep_anchor()
    for installed in office.directory.chain:
        clock.raise_floor(installed.trusted.document.created)
    log = _open_log(settings, ring, database, random)
    if not recovering:
        _halt_if_it_must_be(log, database)
    failure, bell = Failure(), Bell()
    writer = Writer(database, log, clock, on_failure=failure)
    vault = Vault(ring.storage_key, random)
    law = load_law(settings.law_folder)
    standings = Standings(settings.authority, vault, effects_of(office, vault, law))

    def settled(tx: Tx, case: Case, stored: StoredMessage, was: str) -> None:
        # The register posts through the outbox, which tells it what became of each message.
        register.settled(tx, case, stored, was)

    outbox = Outbox(office, vault, random, bell, settled)
    register = Register(office, vault, outbox, standings, random)
    inbox = Inbox(office, vault, register, database, writer)
    writer.start()
    while writer.write_now(register.derive_missing):
        pass  # what a migration left without: a few at a time
    forks = Forks(office, log)
    return Node(
        settings, clock, random, database, office, log, writer, outbox, register, law, inbox,
        Returning(office, vault, database),
        Witness(office, partial(forks.keep, told_by=None), lambda: log.halted),
        TileSource(database, heads(log, database, settings.network, settings.authority)),
        forks, bell=bell, failure=failure,
    )  # fmt: skip


def _open_log(settings: Settings, ring: KeyRing, database: Database, random: Random) -> Log:
    """Open the newest log of this authority that the database holds."""
    origin = database.read(lambda conn: open_origin(conn, settings.network, settings.authority))
    log = Log(origin, ring.signers("log"), FileGuard(settings.guard.file), random)
    database.read(log.open)
    return log


def _halt_if_it_must_be(log: Log, database: Database) -> None:
    """Halt a log that is being recovered, or that was halted before the node was last ended."""
    if database.read(recovery_rows.recovery_unfinished):
        log.halt("a recovery was begun and has not ended: `comity audit recover` ends it")
    if reason := database.read(partial(kept_reason, origin=log.origin)):
        log.halt(reason)


def _kept_floor(conn: Connection) -> int:
    return int(peer_rows.read_setting(conn, _CLOCK_FLOOR) or 0)
