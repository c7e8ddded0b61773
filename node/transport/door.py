"""A listening socket and the connections on it: who comes in, and who has to go.

    door = Door(serve, clock, limits)
    await door.start(listening, context)

Connections are counted before their handshake, and each has the deadlines of
`node.transport.connection`. Whoever serves a request says by `recognise` whose connection
it is; until then it is a stranger's. Knows no request, route or key.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeAlias, cast

import structlog
from aiohttp import web

from node.clock import Clock
from node.transport.connection import PeerConnection, PeerServer
from node.transport.limits import TransportLimits
from node.transport.quota import Gate

_log: Final = structlog.get_logger("comity.transport")

Serve: TypeAlias = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Guest:
    """One accepted connection, from before its TLS handshake to its end."""

    def __init__(self) -> None:
        """Start without a protocol: there is none before the handshake."""
        self.task: asyncio.Task[None] | None = None
        self.connection: PeerConnection | None = None
        self.handed_over = False  # whether the socket belongs to a transport
        self.opened = False

    @property
    def idle(self) -> bool:
        """Whether no request is under way."""
        return self.connection is None or self.connection.idle

    def cut(self) -> None:
        """End it now."""
        if self.connection is not None and self.opened:
            self.connection.cut()
        elif self.task is not None:
            self.task.cancel()


class Door:
    """The connections of one listening socket."""

    def __init__(self, serve: Serve, clock: Clock, limits: TransportLimits) -> None:
        """Let `serve` answer each request."""
        self._serve = serve
        self._clock = clock
        self._limits = limits
        self._gate = Gate(limits)
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: PeerServer | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._socket: socket.socket | None = None

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return self._gate.count

    def recognise(self, connection: PeerConnection, name: str) -> None:
        """Note whose connection this is; raises `Busy` if that one has too many at work."""
        self._gate.recognise(cast("Guest", connection.visitor), name)

    async def start(self, listening: socket.socket, context: ssl.SSLContext) -> None:
        """Accept connections on a listening socket until `close`."""
        listening.settimeout(0)
        self._socket = listening
        self._server = PeerServer(self._serve, self._limits)
        self._accepting = asyncio.create_task(self._accept(listening, context))

    async def close(self) -> None:
        """Stop accepting, let what is under way finish for a short time, cut the rest."""
        if self._accepting is not None:
            self._accepting.cancel()
            await asyncio.gather(self._accepting, return_exceptions=True)
        if self._socket is not None:
            self._socket.close()
        visitors = cast("list[Guest]", self._gate.everybody())
        for visitor in visitors:
            if visitor.idle:
                visitor.cut()
        busy = [visitor.task for visitor in visitors if visitor.task and not visitor.idle]
        if busy:
            await asyncio.wait(busy, timeout=self._limits.shutdown_s_max)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            await self._server.shutdown(self._limits.shutdown_s_max)

    async def _accept(self, listening: socket.socket, context: ssl.SSLContext) -> None:
        """Take connections one by one, so that they are counted before their handshake.

        Accepted here and not by the loop: a connection that came in the very moment in which
        this task is cancelled would belong to nobody.
        """
        loop, ready = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(listening, ready.set)
        try:
            await self._accept_when(ready, listening, context)
        finally:
            loop.remove_reader(listening)

    async def _accept_when(
        self, ready: asyncio.Event, listening: socket.socket, context: ssl.SSLContext
    ) -> None:
        while True:
            await ready.wait()
            ready.clear()
            try:
                accepted, _ = listening.accept()
                accepted.settimeout(0)
            except BlockingIOError:
                continue
            except OSError as fault:
                _log.warning("accept-failed", errno=fault.errno)
                await self._clock.sleep(0.1)
                continue
            visitor = Guest()
            if not self._gate.admit(visitor):
                accepted.close()
                continue
            task = visitor.task = asyncio.create_task(self._visit(visitor, accepted, context))
            self._tasks.add(task)
            task.add_done_callback(partial(self._left, visitor, accepted))

    def _left(self, visitor: Guest, accepted: socket.socket, task: asyncio.Task[None]) -> None:
        """Forget a connection; also one whose task was cancelled before it began."""
        self._tasks.discard(task)
        self._gate.leave(visitor)
        if not visitor.handed_over:
            accepted.close()

    async def _visit(
        self, visitor: Guest, accepted: socket.socket, context: ssl.SSLContext
    ) -> None:
        """Keep one connection from its handshake to its end."""
        if self._server is None:  # pragma: no cover  (start sets it before accepting)
            return
        connection = visitor.connection = self._server()
        connection.visitor = visitor
        visitor.handed_over = True
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: connection,
                accepted,
                ssl=context,
                ssl_handshake_timeout=self._limits.handshake_s_max,
                ssl_shutdown_timeout=self._limits.write_s_max,
            )
            visitor.opened = True
            await asyncio.shield(connection.lost)
        except (OSError, TimeoutError) as fault:
            _log.debug("handshake-failed", kind=type(fault).__name__)
        finally:
            connection.cut()
