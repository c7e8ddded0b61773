"""The link to one peer: signed requests out, verified answers in (SPEC 8).

One `PeerClient` for each peer, one TLS connection or a few kept alive: a handshake costs
as much as ten messages. Only an answer signed by that very peer, bound to that very
request, is given back; everything else is a `TransportFailure`, whose word changes nothing
but the time of the next try. Two paths are milder: network documents and listings prove
themselves, so there an answer under a key not known here is given back too.

Redirects are not followed, proxies of the environment not used, answers never unpacked,
and addresses checked where the socket is made. This module opens no envelope, believes no
receipt and never tries again by itself, except once at once, when a kept connection turns
out to be closed: every request may be repeated, since the effects are idempotent.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar

import aiohttp
import yarl
from aiohttp.abc import AbstractResolver

from node.clock import Clock, Random
from node.transport import batch, c2sp, hop
from node.transport.addresses import AddressRefused, base_url, socket_maker
from node.transport.errors import TransportFailure, caused_by
from node.transport.form import content_digest
from node.transport.limits import TransportLimits
from node.transport.paths import (
    ADD_CHECKPOINT,
    ENVELOPES,
    LISTINGS,
    LOG,
    LOG_NOTICES,
    NETWORK,
    RECEIPTS,
    WITNESS,
)
from node.transport.tls import client_context
from protocol.digest import sha256_hex
from protocol.errors import Misuse, NotAuthentic, Rejected
from protocol.identity import Signer
from protocol.limits import (
    BATCH_BYTES_MAX,
    DOCUMENTS_BODY_BYTES_MAX,
    LISTINGS_BODY_BYTES_MAX,
    LONG_POLL_S_MAX,
    NOTICES_BODY_BYTES_MAX,
)

_T = TypeVar("_T")

_CONNECTIONS: Final = 4  # one long poll, one batch on its way, and room for documents
_UNAUTHORISED: Final = 401
_TOO_MANY: Final = 429
_OK: Final = 200
_ABSENT: Final = frozenset({404})
_SHORT_BYTES_MAX: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Peer:
    """Where and how a peer is reached: what its listing says."""

    authority: str
    urls: tuple[str, ...]
    pins: frozenset[str]
    any_ca: bool = False


@dataclass(frozen=True, slots=True)
class OwnSide:
    """What a client needs of its own node, asked anew for every request."""

    signer: Callable[[], Signer]
    resolve: hop.Resolve
    allow_private_addresses: bool = False


@dataclass(frozen=True, slots=True)
class _Ask:
    """One request before it is signed, and what its answer may be."""

    method: str
    path: str
    body: bytes
    content_type: str | None
    answer_type: str
    bytes_max: int
    wait_s: int = 0
    proves_itself: bool = False
    statuses: frozenset[int] = frozenset()  # beside 200 what is an answer, whatever its type


@dataclass(frozen=True, slots=True)
class _Raw:
    """An answer as it came: believed by nobody yet."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Verified:
    """An answer that the peer signed, or that will prove itself."""

    status: int
    content_type: str
    body: bytes


class PeerClient:
    """Posts to and pulls from one peer."""

    def __init__(
        self,
        peer: Peer,
        own: OwnSide,
        *,
        clock: Clock,
        random: Random,
        limits: TransportLimits | None = None,
        resolver: AbstractResolver | None = None,
    ) -> None:
        """Check the peer's URLs; nothing is connected before the first request."""
        if not peer.urls:
            raise Misuse("a peer without URLs can only be waited for")
        self._peer = peer
        self._bases = [base_url(url) for url in peer.urls]
        self._own = own
        self._clock = clock
        self._random = random
        self._limits = limits or TransportLimits()
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    @property
    def peer(self) -> Peer:
        """The peer at the other end."""
        return self._peer

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def post_envelopes(self, outgoing: batch.Batch) -> batch.Answers:
        """Post a batch and give the peer's answers, whose receipts are still unproven."""
        ask = _Ask("POST", ENVELOPES, outgoing.encode(), batch.BATCH_TYPE, batch.ANSWERS_TYPE,
                   BATCH_BYTES_MAX)  # fmt: skip
        return _decoded(batch.decode_answers, await self._exchange(ask))

    async def pull(self, wait_s: int = LONG_POLL_S_MAX) -> batch.Batch:
        """Wait at the peer for envelopes and answers addressed to us."""
        path = f"{ENVELOPES}?wait={wait_s}"
        ask = _Ask("GET", path, b"", None, batch.BATCH_TYPE, BATCH_BYTES_MAX, wait_s)
        return _decoded(batch.decode_batch, await self._exchange(ask))

    async def post_receipts(self, answers: batch.Answers) -> batch.Answers:
        """Bring the answers to envelopes that were pulled; gives what the peer says to them."""
        ask = _Ask("POST", RECEIPTS, answers.encode(), batch.ANSWERS_TYPE, batch.ANSWERS_TYPE,
                   BATCH_BYTES_MAX)  # fmt: skip
        return _decoded(batch.decode_answers, await self._exchange(ask))

    async def recover(
        self, above: int, log: int, since: int, after: str | None = None
    ) -> batch.Batch:
        """Get one page of the messages that this node may have lost (SPEC 5.6)."""
        path = f"{ENVELOPES}?above={above}&log={log}&since={since}"
        path += "" if after is None else f"&after={after}"
        ask = _Ask("GET", path, b"", None, batch.BATCH_TYPE, BATCH_BYTES_MAX)
        return _decoded(batch.decode_batch, await self._exchange(ask))

    async def post_notices(self, notices: batch.Notices) -> tuple[str, ...]:
        """Bring closures and fork proofs; gives the digests of those that the peer holds now."""
        ask = _Ask("POST", LOG_NOTICES, notices.encode(), batch.NOTICES_TYPE, batch.KNOWN_TYPE,
                   _SHORT_BYTES_MAX)  # fmt: skip
        return _decoded(batch.decode_known, await self._exchange(ask))

    async def get_notices(self) -> batch.Notices:
        """Get the closures and fork proofs that the peer holds, those of our logs first."""
        ask = _Ask("GET", LOG_NOTICES, b"", None, batch.NOTICES_TYPE, NOTICES_BODY_BYTES_MAX,
                   proves_itself=True)  # fmt: skip
        return _decoded(batch.decode_notices, await self._exchange(ask))

    async def get_network(self, version: int | None = None) -> tuple[bytes, ...]:
        """Get the newest network document, or one version of it; it must prove itself."""
        path = NETWORK if version is None else f"{NETWORK}/{version}"
        ask = _Ask("GET", path, b"", None, batch.DOCUMENTS_TYPE, DOCUMENTS_BODY_BYTES_MAX,
                   proves_itself=True)  # fmt: skip
        return _decoded(batch.decode_documents, await self._exchange(ask))

    async def get_listings(
        self, known: str | None = None
    ) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
        """Get listings and revocations, none if the peer knows just what `known` stands for."""
        path = LISTINGS if known is None else f"{LISTINGS}?known={known}"
        ask = _Ask("GET", path, b"", None, batch.LISTINGS_TYPE, LISTINGS_BODY_BYTES_MAX,
                   proves_itself=True)  # fmt: skip
        return _decoded(batch.decode_listings, await self._exchange(ask))

    # --- logs and witnesses -------------------------------------------------------
    async def add_checkpoint(self, body: bytes) -> c2sp.WitnessAnswer:
        """Ask the peer for its word on a checkpoint; every answer that C2SP has is given."""
        ask = _Ask("POST", ADD_CHECKPOINT, body, c2sp.TEXT, c2sp.TEXT, _SHORT_BYTES_MAX,
                   statuses=c2sp.WITNESS_STATUSES)  # fmt: skip
        answer = await self._exchange_any(ask)
        return c2sp.WitnessAnswer(answer.status, answer.content_type, answer.body)

    async def witness_checkpoint(self, origin: str) -> bytes | None:
        """Get the newest checkpoint of a log that the peer has cosigned, if there is one."""
        path = f"{WITNESS}/{sha256_hex(origin.encode())}/checkpoint"
        return await self._file(path, c2sp.TEXT)

    async def log_file(self, number: int, path: str) -> bytes | None:
        """Get `checkpoint`, `witnessed` or a tile of the peer's log; None if it is not there."""
        kind = c2sp.OCTETS if path.startswith("tile/") else c2sp.TEXT
        return await self._file(f"{LOG}/{number}/{path}", kind)

    async def _file(self, path: str, kind: str) -> bytes | None:
        ask = _Ask("GET", path, b"", None, kind, c2sp.FILE_BYTES_MAX, statuses=_ABSENT)
        answer = await self._exchange_any(ask)
        return answer.body if answer.status == _OK else None

    # --- one exchange -------------------------------------------------------------
    async def _exchange(self, ask: _Ask) -> bytes:
        """Send a request and give the body of its verified answer."""
        return (await self._exchange_any(ask)).body

    async def _exchange_any(self, ask: _Ask) -> _Verified:
        """Send a request and give its verified answer, of any status that was asked for."""
        try:
            return await self._once(ask)
        except aiohttp.ServerDisconnectedError:
            # A kept connection that the peer closed meanwhile. Signed anew: the nonce of
            # the first one may have been used up.
            try:
                return await self._once(ask)
            except aiohttp.ServerDisconnectedError as fault:
                raise TransportFailure("unreachable", "closed without an answer") from fault

    async def _once(self, ask: _Ask) -> _Verified:
        target_uri = f"{self._bases[0]}{ask.path}"
        signed = hop.sign_request(
            ask.method,
            target_uri,
            ask.body,
            ask.content_type,
            signer=self._own.signer(),
            nonce=self._random(16).hex(),
            now=self._clock.now(),
        )
        try:
            raw = await self._send(ask, target_uri, signed.headers)
        except aiohttp.ServerDisconnectedError:
            raise
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as fault:
            self._bases.append(self._bases.pop(0))  # the next try takes the next URL
            raise self._failure(fault) from fault
        return self._verify(ask, raw, signed.request)

    async def _send(self, ask: _Ask, target_uri: str, headers: Mapping[str, str]) -> _Raw:
        """Do the HTTP: one request, one answer of a bounded size in a bounded time."""
        async with (
            asyncio.timeout(self._limits.answer_s_max + ask.wait_s),
            self._opened().request(
                ask.method,
                yarl.URL(target_uri, encoded=True),
                data=ask.body or None,
                headers={**headers, "Accept-Encoding": "identity"},
                allow_redirects=False,
            ) as response,
        ):
            parts: list[bytes] = []
            size = 0
            async for part in response.content.iter_any():
                size += len(part)
                if size > ask.bytes_max:
                    response.close()
                    raise TransportFailure("bad-answer", f"more than {ask.bytes_max} bytes")
                parts.append(part)
            return _Raw(response.status, tuple(response.headers.items()), b"".join(parts))

    def _opened(self) -> aiohttp.ClientSession:
        """Give the session, opened on first use because it belongs to the running loop."""
        if self._session is None:
            connector = aiohttp.TCPConnector(
                ssl=client_context(self._peer.pins, any_ca=self._peer.any_ca),
                limit=_CONNECTIONS,
                resolver=self._resolver,
                use_dns_cache=False,
                keepalive_timeout=self._limits.keepalive_s_max / 2,  # ours ends first
                socket_factory=socket_maker(allow_private=self._own.allow_private_addresses),
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, connect=self._limits.connect_s_max),
                skip_auto_headers=("User-Agent", "Accept", "Content-Type"),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session

    # --- what came back -----------------------------------------------------------
    def _verify(self, ask: _Ask, raw: _Raw, request: hop.HopRequest) -> _Verified:
        """Give the answer if the peer signed it as the answer to this request."""
        try:
            answer = hop.verify_response(
                raw.status,
                raw.headers,
                raw.body,
                request=request,
                expected_authority=self._peer.authority,
                resolve=self._own.resolve,
                now=self._clock.now(),
            )
        except NotAuthentic as fault:
            if ask.proves_itself and self._may_prove_itself(ask, raw):
                return _Verified(_OK, ask.answer_type, raw.body)
            raise self._unsigned(raw, fault.detail) from fault
        asked_for = answer.status == _OK and answer.content_type == ask.answer_type
        if asked_for or answer.status in ask.statuses:
            return _Verified(answer.status, answer.content_type, answer.body)
        if answer.content_type != batch.REFUSAL_TYPE:
            raise TransportFailure("bad-answer", f"status {answer.status}, not as asked for")
        code = _decoded(batch.decode_refusal, answer.body)
        raise TransportFailure(code, f"refused with status {answer.status}", signed=True)

    def _may_prove_itself(self, ask: _Ask, raw: _Raw) -> bool:
        """Say whether an answer is under a key unknown here, and whole, and as asked for."""
        fields = {name.lower(): value for name, value in raw.headers}
        try:
            unknown = self._own.resolve(hop.claimed_key_id(raw.headers)) is None
        except NotAuthentic:
            return False
        whole = fields.get("content-digest") == content_digest(raw.body)
        return (
            unknown
            and whole
            and raw.status == _OK
            and fields.get("content-type") == ask.answer_type
        )

    def _unsigned(self, raw: _Raw, detail: str) -> TransportFailure:
        """Name an answer that nobody signed, by the little it may tell."""
        if raw.status == _UNAUTHORISED:
            skew = self._skew_s(raw)
            return TransportFailure("unauthorised", "the peer could not verify us", skew_s=skew)
        if raw.status == _TOO_MANY:
            return TransportFailure("busy", "the peer takes no more requests from here")
        return TransportFailure("bad-answer", f"status {raw.status}: {detail}")

    def _skew_s(self, raw: _Raw) -> int | None:
        """Give the peer's clock minus ours in seconds, from its unsigned `Date`."""
        date = next((value for name, value in raw.headers if name.lower() == "date"), "")
        try:
            return int(parsedate_to_datetime(date).timestamp()) - self._clock.now()
        except (ValueError, OverflowError, TypeError, IndexError):
            return None

    def _failure(self, fault: Exception) -> TransportFailure:
        """Name what kept the request from being answered."""
        if isinstance(fault, TimeoutError):
            return TransportFailure("timeout", "too slow to connect or to answer")
        if caused_by(fault, AddressRefused):
            return TransportFailure("address-refused", "a loopback, private or special address")
        if caused_by(fault, ssl.SSLCertVerificationError):
            word = "tls-pin" if self._peer.pins else "tls-untrusted"
            return TransportFailure(word, "the certificate is not the one expected")
        return TransportFailure("unreachable", type(fault).__name__)


def _decoded(decoder: Callable[[bytes], _T], body: bytes) -> _T:
    """Decode a body that the peer signed, or name it a bad answer."""
    try:
        return decoder(body)
    except Rejected as fault:
        raise TransportFailure("bad-answer", fault.detail) from fault
