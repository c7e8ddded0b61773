"""Where the demonstration cases play: whole nodes in this process, on the story's clock.

    with House(folder, clock, names) as house:
        house.open("qm.justice")                 # its node serves peers, commands and programs
        house.shut("qs.unit")                    # as if its line were cut

Each authority has its folder, keys, database, log and guard as `comity init` makes them, its
listener for peers, its control socket for the command line and its API for programs. Only the
clock is another. A node runs on one event loop in a thread of its own; the script, the
commands and the calls come from outside it, as people's do. Knows no case.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from keys.keyfile import read_key_file
from keys.ring import KeyRing
from node.api.serving import serve_staff
from node.app import Node, open_node
from node.clock import SystemClock, SystemRandom
from node.control import serve_desk
from node.courier import BackOff
from node.demo.cases.clock import StoryClock
from node.demo.cases.texts import wanted_by
from node.demo.network import introduce
from node.demo.ports import free_ports
from node.demo.stage import StepFailed
from node.desk import Desk
from node.run import desk_of
from node.settings import load_settings
from node.setup import SETTINGS_FILE, make_node

T = TypeVar("T")
NETWORK: Final = "demo.region"
UNLOCKED_BY: Final = "passphrase"
_LOOPBACK: Final = "127.0.0.1"
_PASSPHRASE_BYTES: Final = 16
_ACT_S_MAX: Final = 60.0
_YEAR_S: Final = 365 * 86_400
_SOON: Final = BackOff(first_s=0.2, most_s=1.0)


@dataclass(slots=True)
class Home:
    """One authority: its folder, where it listens, and its node while that is up."""

    name: str
    folder: Path
    port: int
    staff_port: int
    node: Node | None = None
    desk: Desk | None = None
    stack: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)

    @property
    def settings_file(self) -> Path:
        """The node's settings."""
        return self.folder / SETTINGS_FILE


class House:
    """The nodes of one demonstration, and the thread in which they live."""

    def __init__(self, folder: Path, clock: StoryClock, names: Sequence[str]) -> None:
        """Be ready to make the nodes of these authorities in `folder`."""
        self.folder = folder
        self.clock = clock
        self.real = SystemClock()  # for waiting: the story's own time leaps
        self._random = SystemRandom()
        ports = free_ports(2 * len(names), self._random)
        self.homes: dict[str, Home] = {
            name: Home(name, folder / name, ports[2 * place], ports[2 * place + 1])
            for place, name in enumerate(names)
        }
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="house", daemon=True)

    def __enter__(self) -> Self:
        """Begin to live."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        """End every node, then the thread."""
        for name in self.homes:
            self.shut(name)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def make(self, chosen: Mapping[str, object] | None = None) -> None:
        """Make all nodes and let two stewards introduce everybody to everybody."""
        listings = [self._make(home, chosen or {}) for home in self.homes.values()]
        statement = introduce(
            NETWORK, listings, random=self._random, now=self.clock.now(), lifetime_s=_YEAR_S
        )
        for name in self.homes:
            self.open(name)
            node = self.node(name)
            for install, raw in (
                (node.office.install_document, statement.encode()),
                *((node.office.install_listing, one) for one in listings),
            ):
                self.write(name, lambda tx, install=install, raw=raw: install(tx, raw))

    def _make(self, home: Home, chosen: Mapping[str, object]) -> bytes:
        home.folder.mkdir(mode=0o700, parents=True)
        secret = home.folder / UNLOCKED_BY
        secret.touch(mode=0o600)
        secret.write_text(self._random(_PASSPHRASE_BYTES).hex() + "\n")
        made = make_node(
            home.folder, network=NETWORK, authority=home.name,
            passphrase=secret.read_bytes().strip(), clock=self.clock, random=self._random,
            chosen={
                "peers.listen": f"{_LOOPBACK}:{home.port}",
                "peers.urls": [f"https://{_LOOPBACK}:{home.port}"],
                "peers.allow_private_addresses": True,
                "staff.listen": f"{_LOOPBACK}:{home.staff_port}",
                "keys.passphrase_file": UNLOCKED_BY,
                **wanted_by(home.name),
                **chosen,
            },
        )  # fmt: skip
        return made.listing_file.read_bytes()

    # --- nodes up and down -------------------------------------------------

    def open(self, name: str) -> None:
        """Let a node serve; nothing happens if it does already."""
        if self.homes[name].node is None:
            self.run(self._open(self.homes[name]))

    def shut(self, name: str) -> None:
        """Take a node down; what is sent to it waits."""
        if self.homes[name].node is not None:
            self.run(self._shut(self.homes[name]))

    async def _open(self, home: Home) -> None:
        settings = load_settings(home.settings_file)
        ring = read_key_file(settings.keys.file, (home.folder / UNLOCKED_BY).read_bytes().strip())
        if not isinstance(ring, KeyRing):
            raise StepFailed("the demonstration's key file is not a node's")
        node = await asyncio.to_thread(open_node, settings, ring, clock=self.clock)
        home.stack = contextlib.AsyncExitStack()
        home.stack.callback(node.close)
        listening = socket.create_server((_LOOPBACK, home.port))
        await home.stack.enter_async_context(node.serve(listening, back_off=_SOON))
        home.desk = desk_of(node, asyncio.get_running_loop())
        await home.stack.enter_async_context(serve_desk(home.desk, settings.control.socket))
        await home.stack.enter_async_context(serve_staff(home.desk, node.failure))
        home.node = node

    async def _shut(self, home: Home) -> None:
        home.node = home.desk = None
        await home.stack.aclose()

    # --- from outside ------------------------------------------------------

    def run(self, act: Coroutine[Any, Any, T]) -> T:
        """Run something on the nodes' event loop, and wait for it."""
        return asyncio.run_coroutine_threadsafe(act, self._loop).result(_ACT_S_MAX)

    def node(self, name: str) -> Node:
        """Give a node that is up."""
        node = self.homes[name].node
        if node is None:
            raise StepFailed(f"the node of {name} is down")
        return node

    def desk(self, name: str) -> Desk:
        """Give the desk of a node that is up, for setting the scene."""
        desk = self.homes[name].desk
        if desk is None:
            raise StepFailed(f"the node of {name} is down")
        return desk

    def write(self, name: str, work: Any) -> object:  # noqa: ANN401  (a unit of work of any result)
        """Run a unit of work in a node."""
        return self.node(name).writer.write_now(work)
