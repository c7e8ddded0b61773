"""The staff listener: this authority's own people and programs, over HTTPS.

    accept → TLS → header → host → key → rate → route → body → verb → answer

An access key says who asks; without a good one nothing is looked at and no body is taken.
No cookie is read and no other origin is let in, so a web page of somebody else's can do
nothing here. URLs hold no content, and the log of requests holds neither URLs nor queries:
the verb, the status, and how long it took. Connections and deadlines are those of the
peers' door.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Mapping
from email.utils import formatdate
from typing import Final, cast
from urllib.parse import urlsplit

from aiohttp import web

from node.access.faults import NotKnown
from node.access.people import Caller
from node.access.roles import Person
from node.api.answering import BODY_BYTES_MAX, Answered, Answering, Call
from node.api.openapi import description
from node.api.problems import PROBLEM_TYPE, Problem, own
from node.api.streaming import PATH as EVENTS
from node.api.streaming import STREAM_TYPE, Streams
from node.api.table import split_path
from node.desk import Desk, who
from node.logs import get
from node.sections import StaffSettings
from node.storage.key_rows import key_digest
from node.storage.vault import Vault
from node.transport.connection import PeerConnection, Silent, read_body
from node.transport.door import Door
from node.transport.limits import TransportLimits
from node.transport.quota import Buckets, Slots
from protocol.encoding import canonical
from protocol.errors import Busy, Malformed, NotAuthentic, TooLarge

_log = get("api")

_JSON: Final = "application/json"
_OPENAPI: Final = ("v1", "openapi.json")
_BEARER: Final = re.compile(r"[Bb]earer +([\x21-\x7e]{1,256})")
_REPEAT_KEY: Final = re.compile(r"[\x21-\x7e]{1,128}")
_VERSIONS: Final = frozenset({(1, 0), (1, 1)})
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})

HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
}
"""What every answer carries: nothing of it is kept, framed, sniffed or read by other origins."""


def staff_limits(settings: StaffSettings) -> TransportLimits:
    """Give the bounds of the door: a body may hold 8 MiB, so few are under way at once."""
    return TransportLimits(
        connections_max=settings.connections_max,
        strangers_max=settings.connections_max,
        connections_per_peer_max=32,
        requests_max=24,
        requests_per_peer_max=8,
        rate_per_peer=float(settings.rate_per_s_max),
        rate_burst=float(4 * settings.rate_per_s_max),
        body_bytes_max=BODY_BYTES_MAX,
    )


class Staff:
    """Serves the API on one socket."""

    def __init__(self, desk: Desk, vault: Vault, *, limits: TransportLimits | None = None) -> None:
        """Serve the verbs of `desk`, within the limits of its settings."""
        settings = desk.settings.staff
        self._desk = desk
        self._limits = limits or staff_limits(settings)
        self._answering = Answering(desk, vault)
        self._streams = Streams(desk, self._person)
        self._door = Door(self._serve, desk.clock, self._limits)
        self._slots = Slots(self._limits)
        self._buckets = Buckets(self._limits, desk.clock.monotonic)
        urls = [urlsplit(url).hostname or "" for url in settings.urls]
        self._hosts = _LOOPBACK | {host.lower() for host in urls}

    async def start(self, listening: socket.socket, context: ssl.SSLContext) -> None:
        """Accept connections on a listening socket until `close`."""
        await self._door.start(listening, context)

    async def close(self) -> None:
        """End the streams, let requests finish for a short time, cut the rest."""
        await self._streams.close()
        await self._door.close()

    # --- one request ----------------------------------------------------------
    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        connection = cast("PeerConnection", request.protocol)
        try:
            await connection.begin()
            return await self._contained(request, connection)
        finally:
            connection.end()

    async def _contained(
        self, request: web.BaseRequest, connection: PeerConnection
    ) -> web.StreamResponse:
        """Answer, and turn whatever goes wrong into a problem."""
        try:
            return await self._answer(request, connection)
        except Problem as problem:
            return self._problem(request, problem)
        except Busy:
            return self._problem(request, own("busy", Retry_After="1"))
        except TooLarge:
            return self._problem(request, own("too-large"))
        except TimeoutError:
            return self._problem(request, own("timeout"))
        except (Malformed, NotAuthentic):
            return self._problem(request, own("bad-request"))
        except ConnectionError:
            raise
        except Exception as fault:  # noqa: BLE001  (a bug of ours: who asks must hear a word)
            _log.error("request-failed", kind=type(fault).__name__)
            return self._problem(request, own("internal"))

    async def _answer(
        self, request: web.BaseRequest, connection: PeerConnection
    ) -> web.StreamResponse:
        self._check_form(request)
        key = _key(request)
        person = await self._person_or_none(key)
        if person is None:
            self._buckets.take(f"stranger {request.remote}")
            raise own("key-needed", WWW_Authenticate='Bearer realm="comity"')
        name = key_digest(key or "")
        self._door.recognise(connection, name)
        self._buckets.take(name)
        raw, _, query = request.raw_path.partition("?")
        parts = split_path(raw)
        if parts == EVENTS and STREAM_TYPE in request.headers.get("Accept", ""):
            return await self._streams.serve(request, key or "", person, query, dict(HEADERS))
        with self._slots.take(name):
            return await self._ask(request, person, parts, query)

    async def _ask(
        self, request: web.BaseRequest, person: Person, parts: tuple[str, ...], query: str
    ) -> web.Response:
        if parts in {_OPENAPI, EVENTS}:
            if request.method != "GET":
                raise own("method", Allow="GET")
            body = canonical(description())
            if parts == EVENTS:
                body = await asyncio.to_thread(self._streams.page, person, query)
            return self._give(request, Answered(body))
        route, _ = self._answering.find(request.method, parts)
        started = self._desk.clock.monotonic()
        call = await self._call(request, person, parts, query)
        answered = await asyncio.to_thread(self._answering.answer, call)
        took_s = self._desk.clock.monotonic() - started
        _log.info("request", verb=route.verb, person=person.id, seconds=took_s)
        return self._give(request, answered)

    async def _call(
        self, request: web.BaseRequest, person: Person, parts: tuple[str, ...], query: str
    ) -> Call:
        body = b""
        if request.method in {"POST", "PUT"}:
            body = await read_body(request, self._limits, bytes_max=BODY_BYTES_MAX)
            if body and request.content_type != _JSON:
                raise own("media-type")
        repeat_key = request.headers.get("Idempotency-Key")
        if repeat_key is not None and _REPEAT_KEY.fullmatch(repeat_key) is None:
            raise own("bad-request")
        if_match = request.headers.get("If-Match")
        return Call(request.method, parts, query, body, person, repeat_key, if_match)

    def _check_form(self, request: web.BaseRequest) -> None:
        """Refuse other hosts (a page that rebinds its name), and bodies in a coding."""
        if request.version not in _VERSIONS:
            raise own("bad-request")
        host = request.headers.get("Host", "").lower()
        bare = re.sub(r":[0-9]{1,5}$", "", host)
        if bare not in self._hosts:
            raise own("other-host")
        codings = request.headers.getall("Content-Encoding", [])
        if any(coding.lower() != "identity" for coding in codings):
            raise own("media-type")

    async def _person_or_none(self, key: str | None) -> Person | None:
        return None if key is None else await asyncio.to_thread(self._person, key)

    def _person(self, key: str) -> Person | None:
        """Say whose key this is; None for one that opens nothing."""
        try:
            return who(self._desk, Caller(key=key))
        except NotKnown:
            return None

    # --- answers ----------------------------------------------------------------
    def _give(self, request: web.BaseRequest, answered: Answered) -> web.Response:
        headers = {**HEADERS, "Content-Type": _JSON}
        if answered.version is not None:
            headers["ETag"] = f'"{answered.version}"'
        if answered.again:
            headers["Idempotency-Replayed"] = "true"
        return self._made(request, 200, answered.body, headers)

    def _problem(self, request: web.BaseRequest, problem: Problem) -> web.Response:
        headers = {**HEADERS, "Content-Type": PROBLEM_TYPE, **problem.headers}
        return self._made(request, problem.status, problem.encode(), headers)

    def _made(
        self, request: web.BaseRequest, status: int, body: bytes, headers: Mapping[str, str]
    ) -> web.Response:
        response = Silent(status=status, body=body, headers=headers)
        response.headers["Date"] = formatdate(self._desk.clock.now(), usegmt=True)
        if not request.content.is_eof():
            response.force_close()  # what is left of the body is read by nobody
        return response


def _key(request: web.BaseRequest) -> str | None:
    """Take the access key from the one header that may hold it."""
    given = request.headers.getall("Authorization", [])
    found = _BEARER.fullmatch(given[0]) if len(given) == 1 else None
    return None if found is None else found[1]
