"""The client against honest and hostile listeners, over real TLS."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from node.clock import SystemClock, SystemRandom
from node.transport.batch import Batch
from node.transport.client import OwnSide, Peer, PeerClient
from node.transport.errors import HINTS, TransportFailure
from node.transport.form import content_digest
from node.transport.limits import TransportLimits
from node.transport.tls import pin_of, server_context
from protocol.errors import Misuse
from protocol.limits import BATCH_BYTES_MAX
from tests.node.transport.peers import (
    ASKED,
    ASKING,
    OTHER,
    Known,
    certificate,
    hop_signer,
    listening,
    resolver,
    until,
)

ONE = Batch(envelopes=(b"sealed",))
PINS = frozenset({pin_of(certificate()[0])})


async def failure(client: PeerClient) -> TransportFailure:
    """Post once and give the failure, which must come."""
    with pytest.raises(TransportFailure) as caught:
        await client.post_envelopes(ONE)
    return caught.value


@asynccontextmanager
async def hostile(
    response: bytes | Callable[[int], bytes], *, endless: bytes = b""
) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Run a TLS server that answers every request with the same bytes, whatever it asks."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            heads.append(head)
            writer.write(response(len(heads)) if callable(response) else response)
            while endless and not writer.is_closing():
                writer.write(endless)
                await writer.drain()
                await asyncio.sleep(0)  # drain alone need not let anybody else run
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_context(*certificate()))
    async with server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", heads


@asynccontextmanager
async def asking(
    url: str, *, limits: TransportLimits | None = None, allow_private: bool = True,
    names: AbstractResolver | None = None, pins: frozenset[str] = PINS, more: Sequence[str] = (),
) -> AsyncIterator[PeerClient]:  # fmt: skip
    """Give a client of one URL, closed at the end."""
    client = PeerClient(
        Peer(ASKED, (url, *more), pins),
        OwnSide(lambda: hop_signer(ASKING), resolver(ASKED), allow_private_addresses=allow_private),
        clock=SystemClock(),
        random=SystemRandom(),
        limits=limits or TransportLimits(answer_s_max=3.0, connect_s_max=3.0),
        resolver=names,
    )
    try:
        yield client
    finally:
        await client.close()


async def test_one_connection_is_kept_for_many_requests() -> None:
    """A handshake costs as much as ten messages."""
    async with listening() as node:
        client = node.client()
        for _ in range(5):
            await client.post_envelopes(ONE)
        assert node.listener.connections == 1


async def test_a_connection_closed_meanwhile_is_opened_anew_with_a_new_nonce() -> None:
    """The kept connection was cut while idle: the request is signed again and sent again."""
    async with listening() as node:
        client = node.client()
        await client.post_envelopes(ONE)
        await until(lambda: node.listener.connections == 0)
        await client.post_envelopes(ONE)
        nonces = {each[0].nonce for each in node.seen}
        assert len(nonces) == 2


async def test_a_certificate_that_is_not_pinned_gets_nothing() -> None:
    """The failure has a word of its own, and the listener sees no request."""
    async with listening() as node:
        found = await failure(node.client(pins=frozenset({"0" * 64})))
        assert (found.code, found.signed) == ("tls-pin", False)
        assert found.hint == HINTS["tls-pin"]
        assert node.seen == []


async def test_an_answer_by_another_authority_is_no_answer() -> None:
    """The peer that was asked must have signed; any other key, known or not, is a bad answer."""
    everybody = resolver(ASKED, OTHER)
    async with listening(signer=lambda: hop_signer(OTHER)) as node:
        for resolve in (everybody, resolver(ASKED)):
            found = await failure(node.client(resolve=resolve))
            assert (found.code, found.signed) == ("bad-answer", False)


async def test_documents_are_taken_under_an_unknown_key_and_not_under_a_wrong_one() -> None:
    """They prove themselves; yet a known key of somebody else is a lie."""
    async with listening(signer=lambda: hop_signer(ASKED, 2)) as node:
        client = node.client()
        assert await client.get_network() == (b"document",)
        assert await client.get_listings() == ((b"listing",), (b"revocation",))
        with pytest.raises(TransportFailure, match="bad-answer"):
            await client.pull(0)
    async with listening(signer=lambda: hop_signer(OTHER)) as node:
        with pytest.raises(TransportFailure, match="bad-answer"):
            await node.client(resolve=resolver(ASKED, OTHER)).get_network()


async def test_documents_under_an_unknown_key_must_at_least_be_whole() -> None:
    """The digest is of the bytes that came, also where the signature cannot be judged."""
    async with listening(signer=lambda: hop_signer(ASKED, 2)) as node:
        reader, writer = await node.raw()
        writer.write(node.request("GET", "/comity/v1/network"))
        whole = await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(36)
        writer.transport.abort()
    for raw, taken in ((whole, True), (whole.replace(b"ZG9", b"ZG8"), False)):
        assert taken is (raw == whole)
        async with hostile(raw) as (url, _), asking(url) as client:
            if taken:
                assert await client.get_network() == (b"document",)
                continue
            with pytest.raises(TransportFailure, match="bad-answer"):
                await client.get_network()


UNSIGNED: dict[str, tuple[bytes, str]] = {
    "plain 200": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "bad-answer"),
    "unsigned refusal": (
        b'HTTP/1.1 403 Forbidden\r\nContent-Length: 27\r\n\r\n{"refusal":"expired","v":1}',
        "bad-answer",
    ),
    "unsigned 429": (b"HTTP/1.1 429 Too Many\r\nContent-Length: 0\r\n\r\n", "busy"),
    "401": (b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", "unauthorised"),
    "401 with a strange date": (
        b"HTTP/1.1 401 No\r\nDate: yesterday\r\nContent-Length: 0\r\n\r\n",
        "unauthorised",
    ),
    "redirect": (
        b"HTTP/1.1 302 Found\r\nLocation: https://169.254.169.254/\r\nContent-Length: 0\r\n\r\n",
        "bad-answer",
    ),
    "packed": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b",
        "bad-answer",
    ),
    "no http": (b"220 smtp.example ESMTP\r\n", "unreachable"),
    "nothing": (b"", "unreachable"),
    "a body that breaks off": (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", "unreachable"),
    "huge header": (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", "unreachable"),
}


@pytest.mark.parametrize("name", UNSIGNED)
async def test_an_unsigned_answer_is_a_failure_whatever_it_says(name: str) -> None:
    """It has one word, and is never called signed."""
    raw, code = UNSIGNED[name]
    async with hostile(raw) as (url, heads), asking(url) as client:
        found = await failure(client)
        assert (found.code, found.signed, found.skew_s) == (code, False, None)
        assert len(heads) <= 2


async def test_the_peers_date_tells_which_clock_is_wrong() -> None:
    """The difference is shown after a 401, and only then."""
    raw = b"HTTP/1.1 401 No\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n"
    async with hostile(raw) as (url, _), asking(url) as client:
        found = await failure(client)
        assert found.skew_s is not None
        assert abs(SystemClock().now() + found.skew_s - 1_767_225_600) <= 2


async def test_a_stolen_answer_to_another_request_is_no_answer() -> None:
    """A recorded, validly signed answer does not fit the next request."""
    recorded: list[bytes] = []
    async with listening() as node:
        reader, writer = await node.raw()
        writer.write(node.request("POST", "/comity/v1/envelopes", ONE.encode()))
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
        recorded.append(head + await reader.readexactly(length))
        writer.transport.abort()
    async with hostile(recorded[0]) as (url, _), asking(url) as client:
        assert (await failure(client)).code == "bad-answer"


async def test_an_endless_answer_ends_at_the_limit() -> None:
    """Counted on the bytes that come, with or without a length."""
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    async with hostile(head, endless=bytes(1 << 20)) as (url, _), asking(url) as client:
        found = await failure(client)
        assert found.detail == f"more than {BATCH_BYTES_MAX} bytes"


async def test_a_silent_peer_is_given_up_in_time() -> None:
    """The whole exchange has one deadline."""
    release = asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_context(*certificate()))
    async with server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with asking(url, limits=TransportLimits(answer_s_max=0.3)) as client:
            assert (await failure(client)).code == "timeout"
        release.set()


async def test_a_peer_that_is_down_is_unreachable_and_its_next_url_is_tried_next() -> None:
    """One URL for each try; the courier decides when the next one is."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        dead = f"https://127.0.0.1:{free.getsockname()[1]}"
    async with listening() as node, asking(dead, more=[node.url]) as client:
        found = await failure(client)
        assert (found.code, found.signed) == ("unreachable", False)
        assert (await client.post_envelopes(ONE)).answers


class Names(AbstractResolver):
    """A resolver that a hostile owner of a name controls."""

    def __init__(self, *addresses: str) -> None:
        """Give one address after the other, then the last one again."""
        self.addresses = list(addresses)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Give the next address."""
        self.asked += 1
        address = self.addresses.pop(0) if len(self.addresses) > 1 else self.addresses[0]
        return [ResolveResult(hostname=host, host=address, port=port, family=family, proto=0,
                              flags=0)]  # fmt: skip

    async def close(self) -> None:
        """Hold nothing."""


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "[::1]", "[::ffff:127.0.0.1]",
     "0.0.0.0", "127.0.0.1.", "169.254.169.254"],  # noqa: S104  (nothing binds)
)  # fmt: skip
async def test_no_connection_is_made_to_this_machine_however_it_is_written(host: str) -> None:
    """Names, numbers and wrapped addresses all end at the same check."""
    async with listening() as node:
        url = f"https://{host}:{node.port}"
        async with asking(url, allow_private=False) as client:
            found = await failure(client)
            assert found.code in {"address-refused", "unreachable"}
            assert node.listener.connections == 0
            if host in {"127.0.0.1", "localhost", "[::1]", "169.254.169.254"}:
                assert found.code == "address-refused"


async def test_a_name_that_moves_inside_is_refused_at_the_moment_it_does() -> None:
    """What is checked is what is connected to: there is no time between."""
    async with listening() as node:
        names = Names("127.0.0.1")
        url = f"https://rebinding.example:{node.port}"
        async with asking(url, allow_private=False, names=names) as client:
            assert (await failure(client)).code == "address-refused"
            assert (await failure(client)).code == "address-refused"
        assert names.asked == 2
        assert node.listener.connections == 0
        async with asking(url, allow_private=True, names=names) as client:
            assert (await failure(client)).code == "unauthorised"  # the name is not its URL


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment says about proxies is for other programs."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        proxy.settimeout(0)
        async with listening() as node:
            assert (await node.client().post_envelopes(ONE)).answers
        with pytest.raises(BlockingIOError):
            proxy.accept()


@pytest.mark.parametrize(
    "url",
    ["http://peer.example", "https://", "https://user@peer.example", "https://peer.example/?x",
     "https://peer.example/#x", "unix:///run/x", "http+unix://x/y", "peer.example", "",
     "https://peer.example:99999"],
)  # fmt: skip
def test_a_url_that_is_not_plain_https_is_refused(url: str) -> None:
    """Nothing but https, a host, a port and a path."""
    with pytest.raises(Misuse):
        PeerClient(
            Peer(ASKED, (url,), PINS),
            OwnSide(lambda: hop_signer(ASKING), resolver(ASKED)),
            clock=SystemClock(),
            random=SystemRandom(),
        )


def test_a_peer_without_urls_has_no_client() -> None:
    """Such a peer comes to us; nobody can go to it."""
    with pytest.raises(Misuse):
        PeerClient(
            Peer(ASKED, (), PINS),
            OwnSide(lambda: hop_signer(ASKING), resolver(ASKED)),
            clock=SystemClock(),
            random=SystemRandom(),
        )


async def test_the_request_on_the_wire_says_no_more_than_it_must() -> None:
    """No software versions, no cookies, no packing asked for."""
    async with hostile(b"") as (url, heads), asking(url) as client:
        await failure(client)
    names = [line.partition(":")[0].lower() for line in heads[0].decode().split("\r\n")[1:-2]]
    assert sorted(names) == ["accept-encoding", "content-digest", "content-length", "content-type",
                             "host", "signature", "signature-input"]  # fmt: skip
    assert b"Accept-Encoding: identity" in heads[0]
    assert content_digest(ONE.encode()).encode() in heads[0]


def test_known_keys_of_these_tests_are_frozen() -> None:
    """A directory's entry cannot be changed under a verifier."""
    known = Known(ASKED, hop_signer(ASKED).public)
    assert replace(known, authority=OTHER) != known
