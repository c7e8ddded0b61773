"""The whole recovery, step by step; each may be repeated, and a crash loses none.

1. Ask every peer, and keep what they answer in a folder. Nothing is changed.
2. Sign that the log is closed, at the newest state that anybody knows; store this together
   with the head of the next log; give that one the guard. From here on there is no way back.
3. Record the closing as leaf 0, fetch newer trust, install what came back, page by page.
4. Note the end. Peers that were left out can be asked by a later recovery.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from keys.directory import Directory
from keys.ring import KeyRing
from node.app import Node, open_node
from node.clock import Clock, Random, SystemClock, SystemRandom
from node.gossip import Gossip
from node.logs import get
from node.peers import Peers
from node.recovery.gather import Gathered, Left, NothingLost, fetch_later, gather
from node.recovery.install import Installed, Installer
from node.recovery.pages import pages_by_peer
from node.recovery.state import FOLDER, Begun, begin_next_log, read_begun
from node.settings import Settings
from node.storage.engine import open_database
from node.storage.migrate import migrate
from node.transport.client import PeerClient
from node.transport.errors import TransportFailure
from protocol.closure import Closure, decode_closure, decode_closure_text, sign_closure
from protocol.errors import Rejected

_log = get("recovery")


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a recovery did; `left` are peers that have not been asked yet."""

    closed: Closure
    origin: str
    installed: Installed
    left: tuple[str, ...]


def recover(
    settings: Settings,
    ring: KeyRing,
    *,
    without: Collection[str] = (),
    clock: Clock | None = None,
    random: Random | None = None,
) -> Recovered:
    """Recover the node of `settings`, whose lock the caller holds.

    Raises `NothingLost` if there is nothing to do, `PeersAway` if a peer that is not in
    `without` cannot be asked: then nothing was changed.
    """
    return _Recovery(
        settings, ring, clock or SystemClock(), random or SystemRandom(), frozenset(without)
    ).run()


@dataclass(frozen=True, slots=True)
class _Recovery:
    """One recovery of one node."""

    settings: Settings
    ring: KeyRing
    clock: Clock
    random: Random
    without: frozenset[str]

    @property
    def folder(self) -> Path:
        return self.settings.folder / FOLDER

    def run(self) -> Recovered:
        begun = self._begun()
        if begun is None:
            begun = self._close(Left())
        elif begun.installed:
            try:  # it may have happened again while a peer was still left out
                begun = self._close(Left(begun.peers, begun.lost.since))
            except NothingLost:
                begun = self._ask_later(begun)
        if not begun.installed:
            begin_next_log(
                self.settings, self.ring, begun, random=self.random, now=self.clock.now()
            )
        with self._open(recovering=True) as node:
            installed = asyncio.run(_install(node, self.folder, begun))
            origin = node.log.origin
        closed = decode_closure_text(decode_closure(begun.closure).text)
        return Recovered(closed, origin, installed, begun.peers)

    def _begun(self) -> Begun | None:
        database = open_database(self.settings.database.url.get_secret_value())
        try:
            migrate(database)
            return database.read(read_begun)
        finally:
            database.close()

    @contextlib.contextmanager
    def _open(self, *, recovering: bool = False) -> Iterator[Node]:
        node = open_node(
            self.settings, self.ring, clock=self.clock, random=self.random, recovering=recovering
        )
        try:
            yield node
        finally:
            node.close()

    def _close(self, left_before: Left) -> Begun:
        """Ask everybody, and sign where the log ends; nothing is stored yet."""
        with self._open() as node:
            known = set(node.office.directory.closures)
            gathered = asyncio.run(self._gather(node, left_before))
            closure = Closure(
                network=node.office.network, authority=node.office.authority,
                number=gathered.lost.log, size=gathered.newest.size, root=gathered.newest.root,
                reason="lost-state", next_number=gathered.lost.log + 1, created=self.clock.now(),
            )  # fmt: skip
            before = _own_closings(node.office.directory, node.office.authority, known)
            raw = sign_closure(closure, node.office.keys.sign).encode()
            left = self.without & set(node.office.directory.peers(node.office.authority))
        return Begun(gathered.lost, raw, tuple(sorted(left)), before=before)

    async def _gather(self, node: Node, left: Left) -> Gathered:
        async with _peers_of(node) as peers:
            for peer in node.office.directory.peers(node.office.authority):
                client = None if peer in self.without else peers.client(peer)
                if client is not None:
                    await _learn(node, client, peer)
            return await gather(node, peers, self.folder, without=self.without, left=left)

    def _ask_later(self, begun: Begun) -> Begun:
        """Ask the peers that were left out when the log was closed."""
        wanted = [peer for peer in begun.peers if peer not in self.without]
        if not wanted:
            raise NothingLost
        with self._open() as node:
            asyncio.run(self._fetch_later(node, wanted, begun))
        return replace(begun, peers=tuple(one for one in begun.peers if one in self.without))

    async def _fetch_later(self, node: Node, wanted: list[str], begun: Begun) -> None:
        async with _peers_of(node) as peers:
            for peer in wanted:
                await fetch_later(node, peers, self.folder, peer, begun.lost)


@contextlib.asynccontextmanager
async def _peers_of(node: Node) -> AsyncIterator[Peers]:
    peers = Peers(node.office, node.clock, node.random, node.settings)
    try:
        yield peers
    finally:
        await peers.close()


async def _learn(node: Node, client: PeerClient, peer: str) -> None:
    """Learn newer documents and listings without recording them: nothing may be signed yet.

    A database that was set back knows old keys and addresses of its peers. What is learnt
    here lasts as long as this step; the next one stores it.
    """
    office, now = node.office, node.clock.now()
    try:
        documents = await client.get_network(None)
        listings, revocations = await client.get_listings()
        closures = (await client.get_notices()).closures
    except TransportFailure as fault:  # `gather` says who is away
        _log.info("not-asked", peer=peer, code=fault.code)
        return
    for install, raws in (
        (Directory.install_document, documents),
        (Directory.install_listing, listings),
        (Directory.install_revocation, revocations),
        (Directory.install_closure, closures),
    ):
        for raw in raws:
            try:
                office.directory = install(office.directory, raw, now=now)
            except Rejected as fault:
                _log.info("not-learnt", peer=peer, code=fault.code)


def _own_closings(
    directory: Directory, authority: str, known: Collection[str]
) -> tuple[bytes, ...]:
    """Give the closings of our logs that were not known here before, in their order."""
    found = [
        one.trusted for origin, one in directory.closures.items()
        if origin not in known and one.trusted.closure.authority == authority
    ]  # fmt: skip
    return tuple(one.raw for one in sorted(found, key=lambda one: one.closure.number))


async def _install(node: Node, folder: Path, begun: Begun) -> Installed:
    installer = Installer(node)
    await installer.open_log(begun)
    async with _peers_of(node) as peers:
        gossip = Gossip(node.office, node.outbox, node.writer, node.clock, peers.client)
        for peer in pages_by_peer(folder):
            await gossip.refresh(peer)
    await installer.install(folder)
    await installer.end(begun, folder)
    return installer.done
