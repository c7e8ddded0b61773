"""Two authorities with hop keys, a real TLS listener on loopback, and raw clients.

    async with listening(limits=QUICK) as node:
        client = node.client()                       # a PeerClient of authority `ask`
        await client.post_envelopes(Batch(envelopes=(b"sealed",)))
        reader, writer = await node.raw()            # bare TLS, for what no client would do
        writer.write(node.request("POST", "/comity/v1/envelopes", b"..."))

What the routes were given stands in `node.seen`.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from keys.pairs import signer_from_seed
from node.clock import Clock, SystemClock, SystemRandom
from node.transport import hop
from node.transport.batch import BATCH_TYPE, NO_ANSWERS, Answers, Batch, Pending
from node.transport.client import OwnSide, Peer, PeerClient
from node.transport.limits import TransportLimits
from node.transport.listener import Identity, Listener
from node.transport.routes import PeerRoutes
from node.transport.tls import client_context, make_certificate, pin_of, server_context
from protocol.digest import sha256_hex
from protocol.identity import PublicKey, Signer

ASKING, ASKED, OTHER = "ask.example", "told.example", "third.example"
NOW = 1_760_000_000
NONCE = "0123456789abcdef0123456789abcdef"

QUICK = TransportLimits(
    handshake_s_max=0.3,
    header_s_max=0.3,
    body_grace_s_max=0.3,
    body_s_max=2.0,
    write_s_max=0.3,
    keepalive_s_max=0.6,
    shutdown_s_max=0.5,
)


@dataclass(frozen=True, slots=True)
class Known:
    """A hop key as a directory gives it."""

    authority: str
    key: PublicKey


def hop_signer(authority: str, number: int = 0) -> Signer:
    """Give the hop key of an authority in these tests."""
    seed = bytes.fromhex(sha256_hex(f"{authority} {number}".encode()))
    return signer_from_seed("hop", "ed25519", seed)


def resolver(*authorities: str) -> hop.Resolve:
    """Give a resolver that knows one hop key of each of these authorities."""
    known = {
        hop_signer(name).public.key_id: Known(name, hop_signer(name).public) for name in authorities
    }
    return known.get


@lru_cache(maxsize=1)
def certificate() -> tuple[bytes, bytes]:
    """Give one certificate for all tests of a process."""
    return make_certificate(["127.0.0.1", "localhost"], now=NOW)


@dataclass
class Node:
    """A listener that runs, and how to reach it."""

    listener: Listener
    port: int
    clock: Clock
    limits: TransportLimits
    seen: list[Any] = field(default_factory=list)
    clients: list[PeerClient] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The listed URL."""
        return f"https://127.0.0.1:{self.port}"

    def client(self, authority: str = ASKING, *, number: int = 0,
               pins: frozenset[str] | None = None, url: str | None = None, expected: str = ASKED,
               resolve: hop.Resolve | None = None, limits: TransportLimits | None = None,
               allow_private: bool = True) -> PeerClient:  # fmt: skip
        """Give a client of this node's, owned by `authority`."""
        pins = frozenset({pin_of(certificate()[0])}) if pins is None else pins
        client = PeerClient(
            Peer(expected, (url or self.url,), pins),
            OwnSide(
                lambda: hop_signer(authority, number),
                resolve or resolver(ASKED),
                allow_private_addresses=allow_private,
            ),
            clock=self.clock,
            random=SystemRandom(),
            limits=limits or TransportLimits(answer_s_max=5.0),
        )
        self.clients.append(client)
        return client

    async def raw(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open bare TLS to the listener."""
        context = client_context(frozenset({pin_of(certificate()[0])}))
        return await asyncio.open_connection("127.0.0.1", self.port, ssl=context)

    def signed(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        authority: str = ASKING,
        content_type: str = BATCH_TYPE,
    ) -> Mapping[str, str]:
        """Give the headers of a signed request to this node."""
        return hop.sign_request(
            method,
            f"{self.url}{path}",
            body,
            content_type if body else None,
            signer=hop_signer(authority),
            nonce=SystemRandom()(16).hex(),
            now=self.clock.now(),
        ).headers

    def request(self, method: str, path: str, body: bytes = b"", *, authority: str = ASKING,
                extra: Sequence[str] = (), length: int | None = None,
                version: str = "1.1", target: str | None = None) -> bytes:  # fmt: skip
        """Give a whole signed request as it stands on the wire."""
        headers = self.signed(method, path, body, authority=authority)
        lines = [f"{method} {target or path} HTTP/{version}", "Host: anything.example"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body and length != -1:
            lines.append(f"Content-Length: {len(body) if length is None else length}")
        return "\r\n".join([*lines, *extra, "", ""]).encode() + body


def routes(seen: list[Any], **changed: object) -> PeerRoutes:
    """Give routes that write down what they are given and answer the least."""

    async def accept(hop_: hop.VerifiedHop, received: Batch) -> Answers:
        seen.append((hop_, received))
        return Answers(tuple(Pending(sha256_hex(envelope)) for envelope in received.envelopes))

    async def pull(hop_: hop.VerifiedHop, wait_s: int) -> Batch:
        seen.append((hop_, wait_s))
        return Batch(envelopes=(b"one", b"two"))

    async def receipts(hop_: hop.VerifiedHop, answers: Answers) -> Answers:
        seen.append((hop_, answers))
        return NO_ANSWERS

    async def network(version: int | None) -> Sequence[bytes]:
        seen.append(version)
        return [b"document"]

    async def listings(known: str | None) -> tuple[Sequence[bytes], Sequence[bytes]]:
        seen.append("listings")
        return [b"listing"], [b"revocation"]

    made = PeerRoutes(accept, pull, receipts, network, listings)
    return replace(made, **changed)  # type: ignore[arg-type]  # each by its own test


@asynccontextmanager
async def listening(
    *,
    limits: TransportLimits = QUICK,
    clock: Clock | None = None,
    resolve: hop.Resolve | None = None,
    resolve_any: hop.Resolve | None = None,
    signer: Callable[[], Signer] | None = None,
    **changed: object,
) -> AsyncIterator[Node]:
    """Run a listener of the asked authority, with some of its routes changed."""
    clock = clock or SystemClock()
    sock = socket.create_server(("127.0.0.1", 0), backlog=512)
    port = sock.getsockname()[1]
    seen: list[Any] = []
    identity = Identity(
        own_urls=lambda: ["https://elsewhere.example", f"https://127.0.0.1:{port}"],
        signer=signer or (lambda: hop_signer(ASKED)),
        resolve=resolve or resolver(ASKING, OTHER),
        resolve_any=resolve_any or resolver(ASKING, OTHER),
    )
    listener = Listener(routes(seen, **changed), identity, clock, SystemRandom(), limits)
    await listener.start(sock, server_context(*certificate()))
    node = Node(listener, port, clock, limits, seen)
    try:
        yield node
    finally:
        for client in node.clients:
            await client.close()
        await listener.close()


async def until(condition: Callable[[], bool], *, timeout_s: float = 5.0) -> None:
    """Wait for a condition, no longer than it takes to come true."""
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.005)


async def closed(reader: asyncio.StreamReader) -> bytes:
    """Read until the other side ends the connection, however it does so."""
    parts: list[bytes] = []
    try:
        while part := await asyncio.wait_for(reader.read(65_536), 5):
            parts.append(part)
    except (ConnectionError, ssl.SSLError):
        return b"".join(parts)
    return b"".join(parts)


async def answer(reader: asyncio.StreamReader) -> tuple[int, list[tuple[str, str]], bytes]:
    """Read one answer with a Content-Length."""
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).decode().split("\r\n")
    headers = [(name, value) for name, _, value in (line.partition(": ") for line in head[1:-2])]
    length = next(int(value) for name, value in headers if name == "Content-Length")
    return int(head[0].split(" ")[1]), headers, await reader.readexactly(length)
