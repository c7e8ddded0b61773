"""Whole nodes of one network, in folders of their own, that really talk over TLS.

    async with running_network(tmp_path, ("fj.justice", "qm.justice")) as nodes:
        fiji, qumran = nodes["fj.justice"], nodes["qm.justice"]
        posted = await fiji.write(lambda tx: fiji.node.register.send_request(tx, ...))
        await fiji.until(lambda conn: delivered(conn, posted.identity))

Each node has its own database (SQLite unless `databases` says otherwise), keys, guard and
listener on loopback; `stop` and `start` take one down and bring it back. Keys are wrapped
cheaply, everything else is as in production.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from keys.keyfile import read_key_file
from keys.ring import StewardRing, new_steward_ring
from node.app import Node, open_node
from node.clock import Clock, SystemClock, SystemRandom
from node.courier import BackOff
from node.exchange import Exchange
from node.settings import Settings, load_settings
from node.setup import MadeNode, make_node
from node.storage import Connection
from node.storage.writer import Tx
from protocol.document import Document
from protocol.network import sign_document
from tests.support.keyfiles import PASSPHRASE, QUICK
from tests.support.trust import YEAR_S, entry_of, steward_of

NETWORK = "pacific"
T = TypeVar("T")
_WAIT_S = 20.0


@dataclass(slots=True)
class RunningNode:
    """One node of a test's network; up between `start` and `stop`."""

    settings_file: Path
    port: int
    clock: Clock = field(default_factory=SystemClock)
    back_off: BackOff = field(default_factory=lambda: BackOff(first_s=0.05, most_s=0.2))
    node_or_none: Node | None = None
    exchange: Exchange | None = None
    _stack: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)

    @property
    def node(self) -> Node:
        """The node, which must be up."""
        if self.node_or_none is None:
            raise AssertionError("the node is down")
        return self.node_or_none

    @property
    def settings(self) -> Settings:
        """The settings of the node."""
        return load_settings(self.settings_file)

    async def start(self) -> None:
        """Open the node and serve its peers."""
        settings = self.settings
        ring = read_key_file(settings.keys.file, PASSPHRASE)
        self.node_or_none = open_node(settings, ring, clock=self.clock)
        self._stack = contextlib.AsyncExitStack()
        self._stack.callback(self.node_or_none.close)
        serving = self.node_or_none.serve(bound(self.port), back_off=self.back_off)
        self.exchange = await self._stack.enter_async_context(serving)

    async def stop(self) -> None:
        """Take the node down in good order."""
        await self._stack.aclose()
        self.node_or_none = None

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Run a unit of work."""
        return await self.node.writer.write(work)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Read from the node's storage."""
        return self.node.database.read(work)

    async def until(self, condition: Callable[[Connection], T]) -> T:
        """Wait until a condition on the storage holds, and give what it gives."""
        async with asyncio.timeout(_WAIT_S):
            while not (found := await asyncio.to_thread(self.read, condition)):
                await asyncio.sleep(0.01)
            return found


def lasting_port() -> int:
    """Give a port that is free, and that no connection gets by chance while its node is down.

    The system gives ports from 32768 on to whoever connects somewhere; these lie below.
    """
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with contextlib.suppress(OSError), bound(port):
            return port


def bound(port: int = 0) -> socket.socket:
    """Bind a socket on loopback; with 0 the system chooses the port."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
        listening.listen()
    except OSError:
        listening.close()
        raise
    return listening


def make_network(
    folder: Path,
    authorities: Sequence[str],
    databases: Mapping[str, str] | None = None,
    *,
    steward: StewardRing | None = None,
    pull: Collection[str] = (),
) -> dict[str, RunningNode]:
    """Make the nodes, their document and listings; they trust each other and are down.

    The document has one steward: give its ring if the test signs another one later. Nobody
    can connect to those in `pull`, so they fetch.
    """
    clock, random = SystemClock(), SystemRandom()
    made: dict[str, MadeNode] = {}
    running: dict[str, RunningNode] = {}
    for name in authorities:
        port = lasting_port()
        chosen: dict[str, object] = {
            "peers.listen": f"127.0.0.1:{port}",
            "peers.urls": [f"https://127.0.0.1:{port}"],
            "peers.allow_private_addresses": True,
            "peers.pull": name in pull,
        }
        if databases and name in databases:
            chosen["database.url"] = databases[name]
        made[name] = make_node(
            folder / name, network=NETWORK, authority=name, passphrase=PASSPHRASE, clock=clock,
            random=random, chosen=chosen, costs=QUICK,
        )  # fmt: skip
        running[name] = RunningNode(made[name].settings_file, port)
    _introduce(made, clock, steward or new_steward_ring("Steward", random=random, now=clock.now()))
    return running


def _introduce(made: Mapping[str, MadeNode], clock: Clock, steward: StewardRing) -> None:
    """Sign one network document and install it with all listings everywhere."""
    now = clock.now()
    names = sorted(made)
    document = Document(
        network=NETWORK, version=1, prev=None, created=now, expires=now + YEAR_S, threshold=1,
        stewards=(steward_of(steward),), f=0,
        authorities=tuple(
            entry_of(made[name].ring, witnesses=[one for one in names if one != name][:9])
            for name in names
        ),
    )  # fmt: skip
    raw = sign_document(document, [steward.signers()]).encode()
    listings = [one.listing_file.read_bytes() for one in made.values()]
    for one in made.values():
        node = open_node(one.settings, one.ring, clock=clock)
        _install(node, node.office.install_document, raw)
        for listing in listings:
            _install(node, node.office.install_listing, listing)
        node.close()


def _install(node: Node, install: Callable[[Tx, bytes], bool], raw: bytes) -> None:
    node.writer.write_now(lambda tx: install(tx, raw))


@contextlib.asynccontextmanager
async def running_network(
    folder: Path,
    authorities: Sequence[str],
    databases: Mapping[str, str] | None = None,
    *,
    pull: Collection[str] = (),
) -> AsyncIterator[dict[str, RunningNode]]:
    """Run all nodes of a fresh network until the block ends."""
    nodes = make_network(folder, authorities, databases, pull=pull)
    try:
        for node in nodes.values():
            await node.start()
        yield nodes
    finally:
        for node in nodes.values():
            await node.stop()
