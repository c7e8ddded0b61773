"""The listener over real TLS: what it answers, to whom, and what it never says."""

from __future__ import annotations

import gzip
from collections.abc import Sequence

import pytest

from node.transport import batch, hop
from node.transport.batch import Answers, Batch, Pending
from node.transport.errors import TransportFailure
from node.transport.paths import ENVELOPES, LISTINGS, NETWORK, RECEIPTS
from protocol.digest import sha256_hex
from protocol.errors import Busy, KeyUnknown, NotAuthentic, Rejected
from tests.node.transport.peers import (
    ASKING,
    Node,
    answer,
    closed,
    hop_signer,
    listening,
    resolver,
)

ONE = Batch(envelopes=(b"sealed",))
EMPTY_401 = ["HTTP/1.1 401 Unauthorized", "Date", "Content-Length: 0", "Connection: close"]


async def sent(node: Node, wire: bytes) -> bytes:
    """Send bytes over bare TLS and give everything that comes back."""
    reader, writer = await node.raw()
    writer.write(wire)
    try:
        return await closed(reader)
    finally:
        writer.transport.abort()


def lines(raw: bytes) -> list[str]:
    """Give the lines of an answer's head, without the value of its Date."""
    head, _, body = raw.decode().partition("\r\n\r\n")
    assert not body
    return ["Date" if line.startswith("Date: ") else line for line in head.split("\r\n")]


async def test_a_batch_goes_in_and_its_answers_come_back_signed() -> None:
    """The route gets the verified hop and the bytes; the client gets the answers."""
    async with listening() as node:
        found = await node.client().post_envelopes(ONE)
        assert found == Answers((Pending(sha256_hex(b"sealed")),))
        ((verified, received),) = node.seen
        assert isinstance(verified, hop.VerifiedHop)
        assert (verified.authority, received) == (ASKING, ONE)


async def test_every_route_carries_what_it_should() -> None:
    """Pull, receipts, network documents and listings, over one connection."""
    async with listening() as node:
        client = node.client()
        assert await client.pull(3) == Batch(envelopes=(b"one", b"two"))
        assert await client.post_receipts(Answers((Pending("a" * 64),))) == Answers()
        assert await client.get_network() == (b"document",)
        assert await client.get_network(7) == (b"document",)
        assert await client.get_listings() == ((b"listing",), (b"revocation",))
        assert [each[1] for each in node.seen[:2]] == [3, Answers((Pending("a" * 64),))]
        assert node.seen[2:] == [None, 7, "listings"]
        assert node.listener.connections == 1


async def test_an_unverified_request_gets_an_empty_401_with_the_date_alone() -> None:
    """Whatever is wrong, the answer is the same, unsigned, and says only the time."""
    async with listening() as node:
        whole = node.request("POST", ENVELOPES, ONE.encode())
        digest = whole.index(b"sha-256=:") + 12
        wires = {
            "no signature": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            "unknown path": b"GET /comity/v1/x HTTP/1.1\r\nHost: x\r\n\r\n",
            "unknown key": node.request("POST", ENVELOPES, ONE.encode(), authority="nobody"),
            "another path": node.request("GET", LISTINGS, target=NETWORK),
            "absolute form": node.request("GET", LISTINGS, target=node.url + LISTINGS),
            "http/1.0": node.request("GET", LISTINGS, version="1.0"),
            "a changed byte": whole[:digest] + b"x" + whole[digest + 1 :],
            "a changed body": whole[:-1] + b"x",
            "a second signature": node.request("GET", LISTINGS, extra=["Signature: comity=:AA==:"]),
        }
        for name, wire in wires.items():
            found = lines(await sent(node, wire))
            assert [EMPTY_401[0].replace("1.1", found[0][5:8]), *EMPTY_401[1:]][:3] == found[:3], (
                name
            )
            assert set(found[3:]) <= {"Connection: close"}, name
        assert node.seen == []


async def test_the_host_header_decides_nothing() -> None:
    """A request signed for another host is refused, whatever Host and Forwarded say."""
    async with listening() as node:
        wire = node.request("GET", LISTINGS, extra=["Forwarded: host=other.example"])
        reader, writer = await node.raw()
        writer.write(wire)
        status, headers, _ = await answer(reader)
        assert status == 200
        assert {name.lower() for name, _ in headers} == {
            "content-type", "content-digest", "signature-input", "signature", "date",
            "content-length",
        }  # fmt: skip
        writer.transport.abort()
        foreign = hop.sign_request(
            "GET",
            f"https://other.example{LISTINGS}",
            b"",
            None,
            signer=hop_signer(ASKING),
            nonce="n" * 32,
            now=node.clock.now(),
        )
        text = "".join(f"{name}: {value}\r\n" for name, value in foreign.headers.items())
        wire = f"GET {LISTINGS} HTTP/1.1\r\nHost: other.example\r\n{text}\r\n".encode()
        assert lines(await sent(node, wire))[0].endswith("401 Unauthorized")


@pytest.mark.parametrize(
    "extra",
    [
        ["Content-Length: 5"],
        ["Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: xchunked"],
        ["Transfer-Encoding : chunked"],
        [" folded: x"],
        ["Bad Name: x"],
        ["X: a\rb"],
        ["Signature: comity=:AA==:"],
        ["Content-Digest: sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"],
        ["X: " + "y" * 9_000],
        *[[f"X-{n}: y" for n in range(40)]],
    ],
)
async def test_a_request_that_two_readers_could_read_differently_is_refused(
    extra: list[str],
) -> None:
    """Doubled lengths, codings and signatures never reach a route, and end the connection."""
    async with listening() as node:
        raw = await sent(node, node.request("POST", ENVELOPES, ONE.encode(), extra=extra) * 2)
        assert raw.count(b"HTTP/1.") == 1
        assert raw[9:12] in {b"400", b"401", b"415"}
        assert raw.endswith(b"\r\n\r\n")
        assert node.seen == []


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "identity, gzip", "x"])
async def test_a_packed_body_is_refused_before_a_byte_of_it_is_read(coding: str) -> None:
    """No coding but identity reaches a route, and nothing is unpacked to find out."""
    async with listening() as node:
        packed = gzip.compress(bytes(1_000_000))
        wire = node.request("POST", ENVELOPES, packed, extra=[f"Content-Encoding: {coding}"])
        assert (await sent(node, wire[: -len(packed)]))[9:12] == b"415"
        assert node.seen == []


async def test_a_packing_transfer_coding_is_refused() -> None:
    """Chunks are the only transfer coding."""
    async with listening() as node:
        body = ONE.encode()
        extra = ["Transfer-Encoding: gzip, chunked"]
        head = node.request("POST", ENVELOPES, body, extra=extra, length=-1)[: -len(body)]
        assert (await sent(node, head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)))[
            9:12
        ] == b"415"
        assert node.seen == []


async def test_a_route_that_refuses_is_heard_with_its_code_and_status() -> None:
    """A refusal of ours is a signed short code; its detail stays here."""

    async def refuse(_: hop.VerifiedHop, __: Batch) -> Answers:
        raise KeyUnknown("a detail for the log")

    async with listening(accept=refuse) as node:
        with pytest.raises(TransportFailure) as caught:
            await node.client().post_envelopes(ONE)
        assert (caught.value.code, caught.value.signed) == ("key-unknown", True)
        reader, writer = await node.raw()
        writer.write(node.request("POST", ENVELOPES, ONE.encode()))
        status, _, body = await answer(reader)
        assert (status, body) == (409, b'{"refusal":"key-unknown","v":1}')
        writer.transport.abort()


async def test_a_route_may_find_the_nonce_used_and_the_answer_is_signed() -> None:
    """A replay has a verified signature; the database refuses it, and says so signed."""
    nonces: set[str] = set()

    async def once(verified: hop.VerifiedHop, _: Batch) -> Answers:
        if verified.nonce in nonces:
            raise NotAuthentic("a nonce used before")
        nonces.add(verified.nonce)
        return Answers()

    async with listening(accept=once) as node:
        wire = node.request("POST", ENVELOPES, ONE.encode())
        reader, writer = await node.raw()
        writer.write(wire + wire)
        assert (await answer(reader))[0] == 200
        status, _, body = await answer(reader)
        assert (status, body) == (403, b'{"refusal":"not-authentic","v":1}')
        writer.transport.abort()


async def test_a_fault_of_ours_says_nothing_but_try_again() -> None:
    """A bug in a route leaves no traceback, and the peer hears a word that means retry."""

    async def broken(_: hop.VerifiedHop, __: Batch) -> Answers:
        raise RuntimeError("secret detail")

    async with listening(accept=broken) as node:
        reader, writer = await node.raw()
        writer.write(node.request("POST", ENVELOPES, ONE.encode()))
        status, _, body = await answer(reader)
        assert (status, body) == (500, b'{"refusal":"busy","v":1}')
        writer.transport.abort()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/comity/v1/nothing", 404),
        ("GET", "/", 404),
        ("DELETE", ENVELOPES, 404),
        ("GET", RECEIPTS, 404),
        ("GET", f"{NETWORK}/0", 404),
        ("GET", f"{NETWORK}/01", 404),
        ("GET", f"{LISTINGS}/", 404),
        ("GET", f"{LISTINGS}?x=1", 400),
        ("GET", f"{ENVELOPES}?wait=61", 400),
        ("GET", f"{ENVELOPES}?wait=1&wait=2", 400),
        ("GET", f"{ENVELOPES}?wait=-1", 400),
    ],
)
async def test_a_verified_request_for_nothing_hears_so_signed(
    method: str, path: str, status: int
) -> None:
    """Unknown paths, methods and queries get a signed refusal."""
    async with listening() as node:
        reader, writer = await node.raw()
        writer.write(node.request(method, path))
        found, headers, body = await answer(reader)
        assert (found, body) == (status, b'{"refusal":"malformed","v":1}')
        assert "signature" in {name.lower() for name, _ in headers}
        assert node.seen == []
        writer.transport.abort()


@pytest.mark.parametrize(
    ("path", "body"),
    [(ENVELOPES, Batch().encode()), (ENVELOPES, b"x"), (RECEIPTS, b"{}"), (RECEIPTS, b"\xff")],
)
async def test_a_body_that_does_not_decode_is_refused_signed(path: str, body: bytes) -> None:
    """Signed by the peer and still no batch: `malformed`, and no route hears of it."""
    async with listening() as node:
        reader, writer = await node.raw()
        writer.write(node.request("POST", path, body))
        assert (await answer(reader))[2] == b'{"refusal":"malformed","v":1}'
        assert node.seen == []
        writer.transport.abort()


async def test_every_kind_of_refusal_has_a_code_that_travels() -> None:
    """Each class of the closed list comes out at the client as its own code."""
    raised: list[Rejected] = []

    async def refuse(known: str | None) -> tuple[Sequence[bytes], Sequence[bytes]]:
        raise raised[-1]

    async with listening(listings=refuse) as node:
        client = node.client()
        for kind in (Busy, KeyUnknown, NotAuthentic):
            raised.append(kind("detail"))
            with pytest.raises(TransportFailure) as caught:
                await client.get_listings()
            assert (caught.value.code, caught.value.signed) == (kind.code, True)


async def test_the_answers_type_of_each_route_is_its_own() -> None:
    """A media type names each body, and the signature covers it."""
    async with listening(resolve=resolver(ASKING)) as node:
        types = {}
        for method, path, body in (("POST", ENVELOPES, ONE.encode()), ("GET", ENVELOPES, b""),
                                   ("GET", NETWORK, b""), ("GET", LISTINGS, b"")):  # fmt: skip
            reader, writer = await node.raw()
            writer.write(node.request(method, path, body))
            _, headers, _ = await answer(reader)
            types[method, path] = next(v for n, v in headers if n.lower() == "content-type")
            writer.transport.abort()
        assert list(types.values()) == [
            batch.ANSWERS_TYPE, batch.BATCH_TYPE, batch.DOCUMENTS_TYPE, batch.LISTINGS_TYPE,
        ]  # fmt: skip
