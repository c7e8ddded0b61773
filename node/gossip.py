"""Gossip: network documents, listings and revocations go from node to node.

Nobody hosts them; they prove themselves, so it does not matter who hands them over. A node
asks each peer at start, every quarter of an hour, and whenever a word of the peer shows that
one of the two is behind (`epoch-ahead`, `key-unknown`, a signature that did not verify). A
node that was away walks the chain, version by version. Knows no message and no envelope.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from node.clock import Clock
from node.logs import get
from node.office import Office
from node.outbox import Outbox
from node.rounds import Rounds
from node.storage import queue_rows
from node.storage.writer import Tx, Writer
from node.transport.errors import TransportFailure
from node.trust_watch import TrustWatch
from protocol.errors import Rejected

_log = get("gossip")

_AT_ONCE_MAX: Final = 4  # peers asked at once: an answer may take megabytes
_VERSIONS_MAX: Final = 1_000  # a chain longer than this is not walked in one go


class Ask(Protocol):
    """What gossip needs of a peer; the transport's client."""

    async def get_network(self, version: int | None) -> Sequence[bytes]:
        """Give the documents of one version, or the newest."""
        ...

    async def get_listings(
        self, known: str | None = None
    ) -> tuple[Sequence[bytes], Sequence[bytes]]:
        """Give listings in the order of their chains, and revocations; none if all is `known`."""
        ...


class Gossip:
    """Keeps this node's trust as new as its peers'."""

    def __init__(
        self,
        office: Office,
        outbox: Outbox,
        writer: Writer,
        clock: Clock,
        ask: Callable[[str], Ask | None],
    ) -> None:
        """Install for `office`; `ask` gives a peer's client, None if it has no address."""
        self._office = office
        self._outbox = outbox
        self._writer = writer
        self._ask = ask
        self._watch = TrustWatch(office)
        self._turns = asyncio.Semaphore(_AT_ONCE_MAX)
        self.rounds = Rounds(clock, lambda: office.directory.peers(office.authority), first_s=0.0)

    def ask_soon(self, peer: str) -> None:
        """Say that a peer may know something newer; on the event loop only."""
        self.rounds.ask_soon(peer)

    async def run(self) -> None:
        """Ask until cancelled: all peers at first and then now and again, some when told to."""
        await self.rounds.run(self._refresh_in_turn)

    async def _refresh_in_turn(self, peer: str) -> None:
        async with self._turns:
            try:
                await self.refresh(peer)
            except Rejected as fault:
                _log.warning("not-refreshed", peer=peer, code=fault.code)

    async def refresh(self, peer: str) -> None:
        """Ask one peer for what is newer, and install what proves itself."""
        client = self._ask(peer)
        if client is None:
            return
        try:
            listings, revocations = await client.get_listings(self._office.directory.state)
            if not listings and not revocations:
                return  # it knows what we know
            await self._walk_documents(client)
        except TransportFailure as fault:
            _log.info("not-asked", peer=peer, code=fault.code)
            return
        renewed = [
            raw for raw in listings if await self._install(peer, self._office.install_listing, raw)
        ]
        for raw in revocations:
            await self._install(peer, self._office.install_revocation, raw)
        await self._writer.write(self._after_refresh if renewed else self._watch.look)

    async def _walk_documents(self, client: Ask) -> None:
        for raw in await client.get_network(None):
            await self._install("", self._office.install_document, raw)
        for _ in range(_VERSIONS_MAX):
            version = self._office.directory.document.version + 1
            try:
                following = await client.get_network(version)
            except TransportFailure as fault:
                if fault.signed:
                    return  # the peer has no such version: we are as new as it is
                raise
            installed = [
                raw
                for raw in following
                if await self._install("", self._office.install_document, raw)
            ]
            if not installed:
                return

    async def _install(self, peer: str, install: Callable[[Tx, bytes], bool], raw: bytes) -> bool:
        """Install one statement; one that is refused is noted and stops nothing."""
        try:
            return await self._writer.write(lambda tx: install(tx, raw))
        except Rejected as fault:
            _log.info("not-installed", peer=peer, code=fault.code)
            return False

    def _after_refresh(self, tx: Tx) -> None:
        """Newer listings are in force: seal again what waits under older keys."""
        self._watch.look(tx)
        for peer in queue_rows.peers_waiting(tx.conn):
            try:
                self._outbox.reseal(tx, peer)
            except Rejected as fault:
                _log.info("not-resealed", peer=peer, code=fault.code)
