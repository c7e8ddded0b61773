"""Clients that are slow, greedy or silent: cut off in time, at no cost to a good peer."""

from __future__ import annotations

import asyncio
import resource
import socket
import time
from dataclasses import replace

from node.transport import hop
from node.transport.batch import Answers, Batch
from node.transport.limits import TransportLimits
from node.transport.paths import ENVELOPES, LISTINGS, NETWORK
from tests.node.transport.peers import OTHER, QUICK, Node, answer, closed, listening, until

ONE = Batch(envelopes=(b"sealed",))
GRACE_S = 4.0  # a deadline of 0.3 s, and a machine that is busy with other tests


async def chunked_head(node: Node, body: bytes) -> bytes:
    """Give the signed head of a request whose body comes in chunks."""
    whole = node.request("POST", ENVELOPES, body, extra=["Transfer-Encoding: chunked"], length=-1)
    return whole[: -len(body)]


async def test_half_a_header_is_cut_at_the_header_deadline() -> None:
    """Also when a byte comes now and then: the deadline is for the whole header."""
    async with listening() as node:
        reader, writer = await node.raw()
        ended = asyncio.create_task(closed(reader))
        for byte in b"POST /comity/v1/envelopes HTTP/1.1\r\nX: " + b"y" * 1_000:
            if ended.done():
                break
            writer.write(bytes([byte]))
            await asyncio.wait({ended}, timeout=0.02)
        assert await asyncio.wait_for(ended, GRACE_S) == b""
        writer.transport.abort()
        assert node.seen == []


async def test_half_a_second_header_on_a_kept_connection_is_cut_too() -> None:
    """The deadline starts anew with the first byte of the next request."""
    async with listening(limits=replace(QUICK, keepalive_s_max=60.0)) as node:
        reader, writer = await node.raw()
        writer.write(node.request("GET", LISTINGS) + b"GET /")
        assert (await answer(reader))[0] == 200
        writer.write(b"half")
        assert await asyncio.wait_for(closed(reader), GRACE_S) == b""
        writer.transport.abort()


async def test_a_connection_without_a_handshake_is_cut() -> None:
    """Silence, or bytes that are no TLS, from the very start."""
    async with listening() as node:
        for first in (b"", b"GET / HTTP/1.1\r\n\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
            writer.write(first)
            await asyncio.wait_for(closed(reader), GRACE_S)
            writer.transport.abort()
        await until(lambda: node.listener.connections == 0)


async def test_a_connection_that_shakes_hands_and_says_nothing_is_cut() -> None:
    """The first header has its deadline from the start, not from its first byte."""
    async with listening(limits=replace(QUICK, keepalive_s_max=60.0)) as node:
        reader, writer = await node.raw()
        assert await asyncio.wait_for(closed(reader), GRACE_S) == b""
        writer.transport.abort()


async def test_an_idle_connection_is_closed() -> None:
    """A peer that says nothing more keeps its place for a bounded time."""
    async with listening() as node:
        reader, writer = await node.raw()
        writer.write(node.request("GET", LISTINGS))
        assert (await answer(reader))[0] == 200
        assert await asyncio.wait_for(closed(reader), GRACE_S) == b""
        writer.transport.abort()


async def test_a_body_below_the_minimum_rate_is_cut() -> None:
    """A verified peer too must send its body in time."""
    async with listening(limits=replace(QUICK, body_s_max=60.0)) as node:
        body = Batch(envelopes=(bytes(200_000),)).encode()
        reader, writer = await node.raw()
        writer.write(await chunked_head(node, body))
        ended = asyncio.create_task(closed(reader))
        for _ in range(500):
            if ended.done():
                break
            writer.write(b"1\r\nx\r\n")
            await asyncio.wait({ended}, timeout=0.02)
        assert await asyncio.wait_for(ended, GRACE_S) == b""
        writer.transport.abort()
        assert node.seen == []


async def test_a_body_that_breaks_off_reaches_no_route() -> None:
    """Half a body and a closed connection leave nothing behind."""
    async with listening() as node:
        wire = node.request("POST", ENVELOPES, Batch(envelopes=(bytes(50_000),)).encode())
        _, writer = await node.raw()
        writer.write(wire[:-1])
        await writer.drain()
        writer.transport.abort()
        await until(lambda: node.listener.connections == 0)
        assert node.seen == []


async def test_an_endless_body_ends_at_the_limit() -> None:
    """Ten gigabytes are offered in chunks; a little more than the cap is taken."""
    limits = TransportLimits(body_bytes_max=256 * 1024, shutdown_s_max=0.5)
    async with listening(limits=limits) as node:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        reader, writer = await node.raw()
        writer.write(await chunked_head(node, b"whatever"))
        ended = asyncio.create_task(closed(reader))
        chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
        sent = 0
        while not ended.done() and sent < 10 * 1024**3:
            writer.write(chunk)
            sent += len(chunk)
            try:
                await asyncio.wait_for(writer.drain(), 2)
            except (ConnectionError, TimeoutError):
                break
        raw = await asyncio.wait_for(ended, GRACE_S)
        assert raw == b"" or raw.startswith(b"HTTP/1.1 413")
        assert sent < 16 * 1024 * 1024  # what fits into the buffers of both sides
        grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown_kib < 50 * 1024
        assert node.seen == []
        writer.transport.abort()


async def test_a_body_announced_over_the_limit_is_refused_before_it_is_read() -> None:
    """An honest Content-Length gets a signed `too-large` at once."""
    async with listening() as node:
        reader, writer = await node.raw()
        body = b"x"
        writer.write(node.request("POST", ENVELOPES, body, length=10**10)[:-1])
        status, _, found = await answer(reader)
        assert (status, found) == (413, b'{"refusal":"too-large","v":1}')
        writer.transport.abort()


async def test_a_stranger_cannot_make_us_take_a_body() -> None:
    """Without a valid signature the answer comes before any byte of the body."""
    async with listening() as node:
        reader, writer = await node.raw()
        wire = node.request("POST", ENVELOPES, b"x", authority="nobody", length=10**10)
        writer.write(wire[:-1])
        assert (await answer(reader))[0] == 401
        writer.transport.abort()


async def test_a_client_that_does_not_read_is_cut() -> None:
    """An answer larger than all buffers must be read with some speed."""
    large = Batch(envelopes=(bytes(6_000_000),))

    async def pull(_: hop.VerifiedHop, __: int) -> Batch:
        return large

    async with listening(limits=replace(QUICK, keepalive_s_max=60.0), pull=pull) as node:
        _, writer = await node.raw()
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a read transport too
        writer.write(node.request("GET", ENVELOPES) * 3)
        await until(lambda: node.listener.connections == 0)
        writer.transport.abort()


async def test_a_client_that_reads_slowly_and_steadily_is_served() -> None:
    """The deadline is for progress, not for the whole answer."""
    large = Batch(envelopes=(bytes(3_000_000),))

    async def pull(_: hop.VerifiedHop, __: int) -> Batch:
        return large

    async with listening(limits=replace(QUICK, write_rate_min=1.0), pull=pull) as node:
        reader, writer = await node.raw()
        writer.write(node.request("GET", ENVELOPES))
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        left = length
        while left:
            part = await reader.read(200_000)
            assert part
            left -= len(part)
            await asyncio.sleep(0.03)  # slowness is what this test is about
        assert length > 3_000_000
        writer.transport.abort()


async def test_a_good_peer_is_served_while_strangers_fill_every_place() -> None:
    """200 half headers: the oldest strangers go, and a good peer keeps its connection."""
    limits = TransportLimits(strangers_max=8, shutdown_s_max=0.5)
    async with listening(limits=limits) as node:
        client = node.client()
        await client.get_listings()
        flood = [await node.raw() for _ in range(40)]
        silent = [socket.create_connection(("127.0.0.1", node.port)) for _ in range(160)]
        for _, writer in flood:
            writer.write(b"POST /comity/v1/envelopes HTTP/1.1\r\nHost: x\r\nX-")
        took: list[float] = []
        for _ in range(20):
            start = time.monotonic()
            assert (await client.post_envelopes(ONE)).answers
            took.append(time.monotonic() - start)
        assert sorted(took)[18] < 1.0
        assert node.listener.connections <= 8 + 1
        newcomer = node.client(OTHER)
        assert await newcomer.get_listings()
        for _, writer in flood:
            writer.transport.abort()
        for each in silent:
            each.close()


async def test_a_peer_has_so_many_connections_and_its_idle_ones_go_first() -> None:
    """After a crash a peer's forgotten connections do not shut it out."""
    limits = TransportLimits(connections_per_peer_max=2, shutdown_s_max=0.5)
    async with listening(limits=limits) as node:
        opened = [await node.raw() for _ in range(4)]
        for reader, writer in opened:
            writer.write(node.request("GET", LISTINGS))
            assert (await answer(reader))[0] == 200
        await until(lambda: node.listener.connections == 2)
        assert await asyncio.wait_for(closed(opened[0][0]), GRACE_S) == b""
        for _, writer in opened:
            writer.transport.abort()


async def test_a_peer_with_every_connection_at_work_hears_busy() -> None:
    """None of its connections is idle, so a further one must wait."""
    started, release = asyncio.Event(), asyncio.Event()

    async def slow(_: hop.VerifiedHop, __: Batch) -> Answers:
        started.set()
        await release.wait()
        return Answers()

    limits = TransportLimits(connections_per_peer_max=1, shutdown_s_max=0.5)
    async with listening(limits=limits, accept=slow) as node:
        work = asyncio.create_task(node.client().post_envelopes(ONE))
        await started.wait()
        reader, writer = await node.raw()
        writer.write(node.request("GET", NETWORK))
        status, _, body = await answer(reader)
        assert (status, body) == (429, b'{"refusal":"busy","v":1}')
        release.set()
        assert await work == Answers()
        writer.transport.abort()


async def test_requests_sent_all_at_once_are_answered_in_their_order() -> None:
    """Pipelining is allowed by HTTP/1.1 and changes nothing."""
    async with listening() as node:
        reader, writer = await node.raw()
        paths = [f"{NETWORK}/{number}" for number in range(1, 41)]
        writer.write(b"".join(node.request("GET", path) for path in paths))
        for _ in paths:
            assert (await answer(reader))[0] == 200
        assert node.seen == list(range(1, 41))
        writer.transport.abort()
