"""One accepted connection: its deadlines, and silence about everything that goes wrong.

aiohttp's protocol parses HTTP/1.1; it has no deadline for slow headers or slow readers, and
its error pages repeat what the peer sent. This subclass adds the deadlines and takes away
the words. A connection is cut (no answer, no lingering) when a deadline passes. The timers
are the event loop's, because they belong to its sockets; they decide about connections
and about nothing that is signed. Knows no route, key or signature.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final, cast

from aiohttp import web

from node.transport.limits import TransportLimits
from protocol.errors import NotAuthentic, TooLarge

_HEADER_BYTES_MAX: Final = 8_190  # of one line; ours need about 400
_HEADERS_MAX: Final = 32

# aiohttp logs peers' bytes and tracebacks with peers' bytes in them: it gets a deaf logger.
_deaf: Final = logging.Logger("comity.transport.deaf")  # noqa: LOG001  (in no hierarchy)
_deaf.disabled = True


class PeerConnection(web.RequestHandler):
    """A connection of a peer or a stranger, with a deadline for each thing it may do."""

    __slots__ = ("_busy", "_drain", "_header_timer", "_left_to_write", "_limits", "_raw",
                 "_write_timer", "lost", "visitor")  # fmt: skip

    def __init__(
        self, server: web.Server, limits: TransportLimits, loop: asyncio.AbstractEventLoop
    ) -> None:
        """Join one connection to the server whose requests it brings."""
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=limits.keepalive_s_max,
            logger=_deaf,
            access_log=None,  # type: ignore[arg-type]  # None means no access log
            max_line_size=_HEADER_BYTES_MAX,
            max_field_size=_HEADER_BYTES_MAX,
            max_headers=_HEADERS_MAX,
            lingering_time=0,  # a refused body is not read to its end
            auto_decompress=False,
        )
        self._limits = limits
        self._raw: asyncio.Transport | None = None
        self._busy = False
        self._header_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._left_to_write = 0
        self._drain: asyncio.Future[None] | None = None
        self.visitor: object = None
        self.lost: asyncio.Future[None] = loop.create_future()

    @property
    def idle(self) -> bool:
        """Whether no request is under way."""
        return not self._busy

    def cut(self) -> None:
        """End the connection now, without a word and without waiting for the peer."""
        if self._raw is not None:
            self._raw.abort()

    # --- what the event loop tells -----------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the deadline for the first header."""
        self._raw = cast("asyncio.Transport", transport)
        super().connection_made(transport)
        self._await_header()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Stop all timers and tell whoever waits."""
        self._stop_header_timer()
        self._stop_write_timer()
        if not self.lost.done():
            self.lost.set_result(None)
        super().connection_lost(exc)

    def data_received(self, received: bytes) -> None:
        """Start the header deadline with the first byte of the next request."""
        if not self._busy and self._header_timer is None:
            self._await_header()
        super().data_received(received)

    def pause_writing(self) -> None:
        """Start watching a peer that does not read what it asked for."""
        super().pause_writing()
        self._drain = self._loop.create_future()
        self._watch_writing()

    def resume_writing(self) -> None:
        """Stop watching: the peer has read."""
        super().resume_writing()
        self._stop_write_timer()

    # --- what the listener tells -------------------------------------------
    async def begin(self) -> None:
        """Note that a whole header has come; wait until earlier answers have been read."""
        self._busy = True
        self._stop_header_timer()
        if self._drain is not None:
            await self._drain
        if self.lost.done():
            raise ConnectionResetError

    def end(self) -> None:
        """Note that the request has been served."""
        self._busy = False

    # --- deadlines ----------------------------------------------------------
    def _await_header(self) -> None:
        self._header_timer = self._loop.call_later(self._limits.header_s_max, self.cut)

    def _stop_header_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _watch_writing(self) -> None:
        """Look again after the write deadline whether enough has gone out."""
        if self._raw is None:
            return
        self._left_to_write = self._raw.get_write_buffer_size()
        self._write_timer = self._loop.call_later(self._limits.write_s_max, self._check_writing)

    def _check_writing(self) -> None:
        if self._raw is None:
            return
        wanted = self._limits.write_rate_min * self._limits.write_s_max
        if self._left_to_write - self._raw.get_write_buffer_size() < wanted:
            self.cut()
        else:
            self._watch_writing()

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None
        if self._drain is not None:
            self._drain.set_result(None)
            self._drain = None

    # --- silence --------------------------------------------------------------
    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no HTTP with an empty page: no reason, no traceback, no echo."""
        del exc, message
        if request.writer.output_size > 0:
            raise ConnectionResetError
        response = Silent(status=status)
        response.force_close()
        return response


class Silent(web.Response):
    """A response without a `Server` header: which software runs here is nobody's business."""

    async def _prepare_headers(self) -> None:
        await super()._prepare_headers()
        self.headers.pop("Server", None)
        if not self.body:
            self.headers.pop("Content-Type", None)


class PeerServer(web.Server):
    """aiohttp's low-level server, making connections of our kind."""

    def __init__(self, serve: object, limits: TransportLimits) -> None:
        """Take the coroutine that serves one request."""
        super().__init__(serve)  # type: ignore[arg-type]  # aiohttp's alias is private
        self._limits = limits

    def __call__(self) -> PeerConnection:
        """Make the protocol object of one connection."""
        return PeerConnection(self, self._limits, asyncio.get_running_loop())


async def read_body(request: web.BaseRequest, limits: TransportLimits, *, bytes_max: int) -> bytes:
    """Read a body, counting the bytes that come and the time they take.

    Raises `TooLarge` at the first byte too many, whatever Content-Length said, and
    `TimeoutError` when the body is slower than the minimum rate or than the deadline.
    """
    if (request.content_length or 0) > bytes_max:
        raise TooLarge(f"a body announced with {request.content_length} bytes")
    loop = asyncio.get_running_loop()
    start = loop.time()
    parts: list[bytes] = []
    size = 0
    try:
        while True:
            steady = limits.body_grace_s_max + size / limits.body_rate_min
            async with asyncio.timeout_at(start + min(limits.body_s_max, steady)):
                part = await request.content.readany()
            if not part:
                return b"".join(parts)
            size += len(part)
            if size > bytes_max:
                raise TooLarge(f"a body of more than {bytes_max} bytes")
            parts.append(part)
    except web.RequestPayloadError as fault:
        raise NotAuthentic("a body that breaks off") from fault
