"""Whose turn it is: long polls, rates, restarts, keys that are old, and the end."""

from __future__ import annotations

import asyncio

import pytest

from node.clock import SystemClock
from node.transport import hop
from node.transport.batch import Answers, Batch
from node.transport.errors import TransportFailure
from node.transport.limits import TransportLimits
from node.transport.paths import ENVELOPES
from tests.node.transport.peers import ASKING, OTHER, Known, hop_signer, listening, resolver

ONE = Batch(envelopes=(b"sealed",))


async def test_a_second_long_poll_of_one_peer_is_busy() -> None:
    """One at a time for each peer; another peer may wait beside it; the next may follow."""
    waiting, release = asyncio.Event(), asyncio.Event()

    async def pull(_: hop.VerifiedHop, __: int) -> Batch:
        waiting.set()
        await release.wait()
        return Batch()

    async with listening(pull=pull) as node:
        client, other = node.client(), node.client(OTHER)
        first = asyncio.create_task(client.pull(5))
        await waiting.wait()
        with pytest.raises(TransportFailure) as caught:
            await client.pull(5)
        assert (caught.value.code, caught.value.signed) == ("busy", True)
        beside = asyncio.create_task(other.pull(5))
        release.set()
        assert [await first, await beside] == [Batch(), Batch()]
        assert await client.pull(5) == Batch()


async def test_a_long_poll_ends_when_its_peer_goes_away() -> None:
    """Nothing is handed to a connection that nobody reads any more."""
    waiting, ended = asyncio.Event(), asyncio.Event()

    async def pull(_: hop.VerifiedHop, __: int) -> Batch:
        waiting.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return Batch()

    async with listening(pull=pull) as node:
        _, writer = await node.raw()
        writer.write(node.request("GET", f"{ENVELOPES}?wait=60"))
        await waiting.wait()
        writer.transport.abort()
        await asyncio.wait_for(ended.wait(), 5)


async def test_a_request_from_before_the_start_is_refused() -> None:
    """After a restore the database does not know the nonces of before."""

    class Early(SystemClock):
        """A clock of the asking side that is some seconds behind."""

        def now(self) -> int:
            """Give the time five seconds ago."""
            return super().now() - 5

    async with listening() as node:
        client = node.client()
        node.clock = Early()
        with pytest.raises(TransportFailure) as caught:
            await node.client().post_envelopes(ONE)
        assert caught.value.code == "unauthorised"
        assert caught.value.skew_s is not None
        assert 4 <= caught.value.skew_s <= 6
        await client.post_envelopes(ONE)


async def test_documents_are_given_to_keys_no_longer_in_force_and_nothing_else_is() -> None:
    """A node that was away must learn its way back from whoever still knows its old key."""
    async with listening(resolve=resolver(OTHER), resolve_any=resolver(ASKING, OTHER)) as node:
        client = node.client()
        assert await client.get_network(1) == (b"document",)
        assert await client.get_listings() == ((b"listing",), (b"revocation",))
        for refused in (client.pull(0), client.post_envelopes(ONE)):
            with pytest.raises(TransportFailure) as caught:
                await refused
            assert caught.value.code == "unauthorised"


async def test_a_peer_over_its_rate_is_told_to_come_back() -> None:
    """The bucket of a peer empties, says `busy`, and leaves others alone."""
    limits = TransportLimits(rate_per_peer=0.001, rate_burst=3, shutdown_s_max=0.5)
    async with listening(limits=limits) as node:
        client = node.client()
        for _ in range(3):
            await client.get_listings()
        with pytest.raises(TransportFailure) as caught:
            await client.get_listings()
        assert caught.value.code == "busy"
        await node.client(OTHER).get_listings()


async def test_a_peer_with_two_keys_has_one_rate() -> None:
    """Behind the bucket of an address and a claimed key stands the one of the authority."""
    keys = [hop_signer(ASKING, number) for number in (0, 1)]
    known = {each.public.key_id: Known(ASKING, each.public) for each in keys}
    limits = TransportLimits(rate_per_peer=0.001, rate_burst=3, shutdown_s_max=0.5)
    async with listening(limits=limits, resolve_any=known.get) as node:
        codes = []
        for number in (0, 1, 0, 1):
            client = node.client(number=number)
            try:
                await client.get_listings()
            except TransportFailure as failure:
                codes.append((failure.code, failure.signed))
        assert codes == [("busy", True)]


async def test_a_peer_has_so_many_requests_under_way_and_no_more() -> None:
    """A peer that asks for more at once hears `busy`; others are served."""
    started, release = asyncio.Semaphore(0), asyncio.Event()

    async def slow(_: hop.VerifiedHop, __: Batch) -> Answers:
        started.release()
        await release.wait()
        return Answers()

    limits = TransportLimits(requests_per_peer_max=2, shutdown_s_max=0.5)
    async with listening(limits=limits, accept=slow) as node:
        clients = [node.client() for _ in range(3)]
        work = [asyncio.create_task(each.post_envelopes(ONE)) for each in clients[:2]]
        await started.acquire()
        await started.acquire()
        with pytest.raises(TransportFailure) as caught:
            await clients[2].post_envelopes(ONE)
        assert (caught.value.code, caught.value.signed) == ("busy", True)
        assert await node.client(OTHER).get_listings() == ((b"listing",), (b"revocation",))
        release.set()
        assert await asyncio.gather(*work) == [Answers(), Answers()]


async def test_closing_lets_work_finish_and_takes_nothing_new() -> None:
    """What is under way is answered; then the port is closed."""
    started, release = asyncio.Event(), asyncio.Event()

    async def slow(_: hop.VerifiedHop, __: Batch) -> Answers:
        started.set()
        await release.wait()
        return Answers()

    async with listening(limits=TransportLimits(), accept=slow) as node:
        client = node.client()
        work = asyncio.create_task(client.post_envelopes(ONE))
        await started.wait()
        closing = asyncio.create_task(node.listener.close())
        await asyncio.sleep(0)
        release.set()
        assert await work == Answers()
        await client.close()
        await closing
        with pytest.raises(TransportFailure) as caught:
            await node.client().get_listings()
        assert caught.value.code == "unreachable"
