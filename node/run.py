"""Running a node: `comity run`, until it is told to stop or its storage fails.

Takes the folder's exclusive lock, opens the node, serves peers and the control socket, and
tells systemd when it is ready. A log that may not sign is refused here with the reason: a
node that cannot record must not accept. Knows no command line.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from functools import partial

from keys.ring import KeyRing
from node.api.serving import serve_staff
from node.app import Node, ServiceEnded, open_node
from node.control import serve_desk
from node.desk import Desk, Live
from node.logs import get
from node.monitor import Finding
from node.settings import Settings
from node.storage.engine import StorageFailed, exclusive_lock
from node.transport.errors import TransportFailure
from protocol.errors import Recovering, Rejected

_log = get("run")

_BACKLOG = 128
_TURN_S = 0.0005
_FETCH_S_MAX = 30.0
_LOOK_S_MAX = 100.0


def share_the_interpreter() -> None:
    """Let the event loop, the writer and the threads of the inbox take shorter turns.

    Python lets a busy thread keep the interpreter for 5 ms, as long as a whole delivery
    takes; with shorter turns a node delivers a fifth more messages (tests/bench/exchange).
    """
    sys.setswitchinterval(_TURN_S)


def desk_of(node: Node, loop: asyncio.AbstractEventLoop | None = None) -> Desk:
    """Give the desk of a node that can write; one that serves on `loop` can ask peers."""
    return Desk(
        node.settings, node.office, node.database, node.writer.write_now, node.clock, node.random,
        register_or_none=node.register, law=node.law,
        fetch=None if loop is None else partial(_fetch, node, loop),
        live=None if loop is None else Live(
            lambda: node.log.halted, partial(_look, node, loop), partial(_gather, node, loop)
        ),
    )  # fmt: skip


def _gather(node: Node, loop: asyncio.AbstractEventLoop) -> None:
    """Ask our witnesses for their word at once, from a thread of the desk."""
    watch = node.watch
    if watch is None:
        return
    asked = asyncio.run_coroutine_threadsafe(watch.witnessing.push(), loop)
    try:
        asked.result(_FETCH_S_MAX)
    except TimeoutError:
        _log.warning("witnesses-slow")


def _look(node: Node, loop: asyncio.AbstractEventLoop) -> Sequence[Finding]:
    """Have the monitor look at all logs, from a thread of the desk."""
    watch = node.watch
    if watch is None:
        return ()
    return asyncio.run_coroutine_threadsafe(watch.monitor.look_at_all(), loop).result(_LOOK_S_MAX)


def _fetch(
    node: Node, loop: asyncio.AbstractEventLoop, peer: str, number: int, sizes: Sequence[int]
) -> bytes | None:
    """Ask a peer what its log was at these sizes, from a thread of the desk."""
    watch = node.watch
    if watch is None:
        return None
    asked = asyncio.run_coroutine_threadsafe(watch.monitor.continuation(peer, number, sizes), loop)
    try:
        return asked.result(_FETCH_S_MAX)
    except (TransportFailure, Rejected) as fault:
        _log.warning("log-not-fetched", peer=peer, code=fault.code)
    except TimeoutError:
        asked.cancel()
        _log.warning("log-not-fetched", peer=peer, code="timeout")
    return None


def run_node(settings: Settings, ring: KeyRing, *, ready: Callable[[], None] | None = None) -> None:
    """Run until SIGTERM or SIGINT; raises `StorageFailed` or `Recovering` if it must end."""
    share_the_interpreter()
    with exclusive_lock(settings.folder):
        node = open_node(settings, ring)
        try:
            if node.log.halted is not None:
                raise Recovering(node.log.halted)
            asyncio.run(_serve(node, ready))
        finally:
            node.close()


async def _serve(node: Node, ready: Callable[[], None] | None) -> None:
    loop, end = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    node.failure.act = partial(_end_from_thread, loop, end)
    listening, desk = _listen(node.settings), desk_of(node, loop)
    async with (
        node.serve(listening),
        serve_desk(desk, node.settings.control.socket),
        serve_staff(desk, node.failure),
    ):
        if node.log.halted is not None:  # a peer has shown it, before anything was signed
            raise Recovering(node.log.halted)
        _log.info("ready", authority=node.settings.authority)
        tell_systemd("READY=1")
        if ready is not None:
            ready()
        await end.wait()
        tell_systemd("STOPPING=1")
    _raise(node.failure.fault)


def _end_from_thread(loop: asyncio.AbstractEventLoop, end: asyncio.Event) -> None:
    loop.call_soon_threadsafe(end.set)


def _raise(fault: StorageFailed | ServiceEnded | None) -> None:
    if fault is not None:
        raise fault


def _listen(settings: Settings) -> socket.socket:
    """Listen for peers on the configured address."""
    peers = settings.peers
    return socket.create_server(
        (peers.listen_host, peers.listen_port),
        family=socket.AF_INET6 if ":" in peers.listen_host else socket.AF_INET,
        backlog=_BACKLOG,
    )


def tell_systemd(word: str) -> None:
    """Send a word to systemd's notification socket, if it started us (sd_notify)."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notify:
        notify.connect("\0" + address[1:] if address.startswith("@") else address)
        notify.send(word.encode())
