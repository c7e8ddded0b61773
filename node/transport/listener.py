"""The peers' listener: verified requests in, signed answers out (SPEC 8).

    accept → TLS → header → rate → signature → counts → body → its digest → route → answer

The cheap checks come first, and no byte of a body is taken before the signature over its
digest holds. A request that cannot be verified gets an empty, unsigned 401 with `Date`,
always the same; a verified one always gets a signed answer, if only a short code. URLs are
our own listed ones: Host and Forwarded are never read.

Bodies are handed to the `PeerRoutes` as batches of bytes. This module opens no envelope,
knows no message, and does not know whether a nonce is new: the routes must find out in the
transaction of their effect.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any, Final, cast

import structlog
from aiohttp import web

from node.clock import Clock, Random
from node.transport import batch, c2sp, hop, paths
from node.transport.connection import PeerConnection, Silent, read_body
from node.transport.door import Door
from node.transport.limits import TransportLimits
from node.transport.quota import Buckets, Slots
from node.transport.routes import Found, PeerRoutes, Reply, find
from node.transport.unsigned import Unsigned
from protocol.errors import Busy, Malformed, NotAuthentic, Rejected
from protocol.identity import Signer
from protocol.limits import LONG_POLL_S_MAX

_log: Final = structlog.get_logger("comity.transport")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this node is to its peers, asked anew for every request: keys and URLs change."""

    own_urls: Callable[[], Sequence[str]]
    signer: Callable[[], Signer]
    resolve: hop.Resolve
    resolve_any: hop.Resolve  # also keys no longer in force: for documents that prove themselves


class Listener:
    """Serves peers on one socket, within its limits."""

    def __init__(
        self,
        routes: PeerRoutes,
        identity: Identity,
        clock: Clock,
        random: Random,
        limits: TransportLimits | None = None,
    ) -> None:
        """Join the routes with the time, the chance and the limits of this node.

        A request created before this moment is refused from now on: the database may have
        been restored, and would not know its nonce.
        """
        self._routes = routes
        self._identity = identity
        self._clock = clock
        self._random = random
        self._limits = limits or TransportLimits()
        self._not_before = clock.now()
        self._door = Door(self._serve, clock, self._limits)
        self._slots = Slots(self._limits)
        self._buckets = Buckets(self._limits, clock.monotonic)
        self._unsigned = Unsigned(routes, self._limits, self._buckets, self._slots)
        self._polling: set[str] = set()

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return self._door.connections

    async def start(self, listening: socket.socket, context: ssl.SSLContext) -> None:
        """Accept connections on a listening socket until `close`."""
        await self._door.start(listening, context)

    async def close(self) -> None:
        """Stop accepting, let what is under way finish for a short time, cut the rest."""
        await self._door.close()

    # --- one request ------------------------------------------------------------
    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve one request; whatever happens, the peer hears no more than it must."""
        connection = cast("PeerConnection", request.protocol)
        try:
            await connection.begin()
            return await self._verify_and_answer(request, connection)
        finally:
            connection.end()

    async def _verify_and_answer(
        self, request: web.BaseRequest, connection: PeerConnection
    ) -> web.Response:
        if _packed(request):
            return self._silent(415)  # before a byte of the body: nothing is ever unpacked
        found = self._unsigned.find(request)
        if found is not None:
            return await self._serve_unsigned(request, found, connection)
        try:
            self._buckets.take(self._stranger_name(request))
            head = self._verify_head(request)
        except NotAuthentic as refusal:
            _log.info("hop-refused", detail=refusal.detail)
            return self._silent(401)
        except Busy:
            return self._silent(429)
        try:
            self._door.recognise(connection, head.hop.authority)
            answer = await self._answer(request, head, connection)
        except NotAuthentic as refusal:
            # Only the body's digest is left to be wrong here; the routes' own refusals of
            # this kind were turned into answers by `_answer`.
            _log.info("hop-refused", peer=head.hop.authority, detail=refusal.detail)
            return self._silent(401)
        except TimeoutError:
            _log.info("body-too-slow", peer=head.hop.authority)
            connection.cut()
            raise ConnectionResetError from None
        except Rejected as refusal:
            answer = _refusal(refusal, head.hop.authority)
        return self._signed(answer, head.hop, close=not request.content.is_eof())

    async def _serve_unsigned(
        self, request: web.BaseRequest, found: Found, connection: PeerConnection
    ) -> web.Response:
        try:
            reply = await self._unsigned.reply(request, found)
        except TimeoutError:
            connection.cut()
            raise ConnectionResetError from None
        return self._plain(reply, close=not request.content.is_eof())

    def _stranger_name(self, request: web.BaseRequest) -> str:
        """Name the bucket of a request that nobody has verified: its address and its claim.

        Both, so that nobody elsewhere can use up a peer's rate by naming its key.
        """
        claimed = hop.claimed_key_id(request.headers.items())
        return f"{request.remote} {claimed}"

    def _verify_head(self, request: web.BaseRequest) -> hop.VerifiedHead:
        """Verify the signature, with our own URLs and the request target as it came."""
        target = request.raw_path
        if request.version != (1, 1) or paths.TARGET.fullmatch(target) is None:
            raise NotAuthentic("not HTTP/1.1, or a request target that is no path")
        open_to_all = paths.proves_itself(target.partition("?")[0])
        head = hop.verify_head(
            request.method,
            [f"{url.rstrip('/')}{target}" for url in self._identity.own_urls()],
            request.headers.items(),
            resolve=self._identity.resolve_any if open_to_all else self._identity.resolve,
            now=self._clock.now(),
        )
        if head.hop.created < self._not_before:
            raise NotAuthentic("signed before this node started")
        return head

    async def _answer(
        self, request: web.BaseRequest, head: hop.VerifiedHead, connection: PeerConnection
    ) -> Reply:
        """Read the body, compare it with what was signed, and let a route answer."""
        authority = head.hop.authority
        self._buckets.take(authority)
        path, _, query = request.raw_path.partition("?")
        polls = request.method == "GET" and path == paths.ENVELOPES
        if polls and paths.RECOVER.fullmatch(query) is None:
            verified = head.complete(await self._body(request, 0))
            self._routes.heard(authority)
            return await self._contained(self._pull(verified, query, connection), authority)
        with self._slots.take(authority):
            found = find(request.method, path, query)
            posted = head.has_body and request.method == "POST"
            bytes_max = self._limits.body_bytes_max if found is None else found.route.body_bytes_max
            body = await self._body(request, min(bytes_max, self._limits.body_bytes_max) * posted)
            verified = head.complete(body)
            self._routes.heard(authority)
            if found is None:
                return Reply(batch.encode_refusal(Malformed("")), batch.REFUSAL_TYPE, 404)
            reply = found.route.reply(self._routes, found, body, verified)
            return await self._contained(reply, authority)

    async def _body(self, request: web.BaseRequest, bytes_max: int) -> bytes:
        return await read_body(request, self._limits, bytes_max=bytes_max)

    async def _contained(self, work: Awaitable[Reply], authority: str) -> Reply:
        """Turn whatever a route raises into a signed refusal."""
        try:
            return await work
        except Rejected as refusal:
            return _refusal(refusal, authority)
        except ConnectionError:
            raise
        except Exception as fault:  # noqa: BLE001  (a bug of ours: the peer must still hear a word)
            _log.error("route-failed", peer=authority, kind=type(fault).__name__)
            return Reply(batch.encode_refusal(Busy("")), batch.REFUSAL_TYPE, 500)

    async def _pull(
        self, verified: hop.VerifiedHop, query: str, connection: PeerConnection
    ) -> Reply:
        """Serve one long poll; a second one of the same peer is `busy`."""
        wait = paths.WAIT.fullmatch(query)
        if (query and wait is None) or (wait and int(wait[1]) > LONG_POLL_S_MAX):
            raise Malformed("not a wait of 0 to 60 seconds")
        if verified.authority in self._polling:
            raise Busy("a long poll of this peer is under way")
        self._polling.add(verified.authority)
        pulling = asyncio.ensure_future(self._routes.pull(verified, int(wait[1]) if wait else 0))
        try:
            either: list[asyncio.Future[Any]] = [pulling, connection.lost]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not pulling.done():
                raise ConnectionResetError  # the peer has gone: nobody would read the answer
            return Reply(pulling.result().encode(), batch.BATCH_TYPE)
        finally:
            self._polling.discard(verified.authority)
            if not pulling.done():
                pulling.cancel()
                await asyncio.gather(pulling, return_exceptions=True)

    # --- answers ------------------------------------------------------------------
    def _signed(self, answer: Reply, verified: hop.VerifiedHop, *, close: bool) -> web.Response:
        """Sign an answer, bound to the request that it answers."""
        headers = hop.sign_response(
            answer.status,
            answer.body,
            answer.content_type,
            verified.request,
            signer=self._identity.signer(),
            nonce=self._random(16).hex(),
            now=self._clock.now(),
        )
        response = Silent(status=answer.status, body=answer.body, headers=dict(headers))
        response.headers["Date"] = self._date()
        if close:
            response.force_close()
        return response

    def _plain(self, reply: Reply, *, close: bool) -> web.Response:
        """Give an answer that nobody signs, as C2SP has it."""
        kind = c2sp.TEXT_WITH_CHARSET if reply.content_type == c2sp.TEXT else reply.content_type
        kept = c2sp.KEPT if reply.immutable else c2sp.NOT_KEPT
        response = Silent(status=reply.status, body=reply.body, headers={"Cache-Control": kept})
        if reply.body:
            response.headers["Content-Type"] = kind
        response.headers["Date"] = self._date()
        if close:
            response.force_close()
        return response

    def _silent(self, status: int) -> web.Response:
        """Give the empty, unsigned answer that says nothing but the time."""
        response = Silent(status=status, headers={"Date": self._date()})
        response.force_close()
        return response

    def _date(self) -> str:
        return formatdate(self._clock.now(), usegmt=True)


def _packed(request: web.BaseRequest) -> bool:
    """Say whether a body comes in any coding but itself, in one piece or in chunks."""
    codings = request.headers.getall("Content-Encoding", [])
    transfers = request.headers.getall("Transfer-Encoding", [])
    return any(coding.lower() != "identity" for coding in codings) or any(
        transfer.lower() != "chunked" for transfer in transfers
    )


def _refusal(refusal: Rejected, authority: str) -> Reply:
    """Turn a refusal into the short code that the peer hears; the detail stays here."""
    _log.info("request-refused", peer=authority, code=refusal.code, detail=refusal.detail)
    return Reply(batch.encode_refusal(refusal), batch.REFUSAL_TYPE, refusal.status)
