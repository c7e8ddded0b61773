"""The courier: one sender for each peer, in order, patient, and never stuck behind one envelope."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from node.courier import BackOff
from node.storage import queue_rows
from node.storage.queue_rows import QueueState
from node.transport.batch import Answers, Batch, Receipted
from node.transport.errors import TransportFailure
from protocol.limits import BATCH_BYTES_MAX, BATCH_ENVELOPES_MAX
from tests.support.link import Trick
from tests.support.pair import FIJI, QUMRAN, TONGA, Pair


@asynccontextmanager
async def running(pair: Pair, name: str = FIJI) -> AsyncIterator[None]:
    """Let a node's courier run, and hear of what is posted."""
    wired = pair[name]
    task = asyncio.create_task(wired.courier.run())
    wired.node.bell.ring = wired.courier.wake
    try:
        yield
    finally:
        wired.node.bell.ring = None
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until_carried(pair: Pair, count: int, to: str = QUMRAN) -> None:
    """Wait until so many batches have passed the link."""
    async with asyncio.timeout(10):
        while len(pair.link(FIJI, to).carried) < count:
            await asyncio.sleep(0.005)


async def until_state(pair: Pair, identity: str, state: str) -> None:
    """Wait until a message of Fiji's has a state."""
    async with asyncio.timeout(10):
        while pair[FIJI].message(identity)["state"] != state:
            await asyncio.sleep(0.005)


def queue(pair: Pair, peer: str = QUMRAN) -> QueueState:
    """Give the state of a queue."""
    return pair[FIJI].read(lambda conn: queue_rows.read_queue(conn, peer))


@pytest.mark.parametrize(
    ("failures", "most"), [(1, 5), (2, 10), (3, 20), (10, 2_560), (11, 3_600), (10_000, 3_600)]
)
def test_the_wait_doubles_to_an_hour_less_at_most_a_quarter(failures: int, most: float) -> None:
    """Jitter only ever shortens, so that peers that fail together do not return together."""
    assert BackOff().delay_s(failures, 0) == most
    assert most * 0.75 <= BackOff().delay_s(failures, 255) < most


async def test_what_waits_when_the_node_starts_goes_without_being_told(pair: Pair) -> None:
    """The table is the truth; nothing in memory is needed."""
    posted = await pair.request()
    pair.close(FIJI)
    async with running(pair):
        await until_state(pair, posted.identity, "delivered")
    pair.assert_sound()


async def test_what_is_posted_goes_at_once(light_pair: Pair) -> None:
    """The bell rings after the commit."""
    async with running(light_pair):
        posted = await light_pair.request()
        await until_state(light_pair, posted.identity, "delivered")


async def test_a_peer_that_is_down_stops_no_other(light_pair: Pair) -> None:
    """Each peer has its own sender."""
    light_pair.link(FIJI, TONGA).next(*["lose the batch"] * 50)
    async with running(light_pair):
        stuck = await light_pair.request(to=TONGA)
        posted = await light_pair.request()
        await until_state(light_pair, posted.identity, "delivered")
    assert light_pair[FIJI].message(stuck.identity)["state"] == "queued"


async def test_a_peer_that_cannot_be_reached_is_left_alone_until_its_time(light_pair: Pair) -> None:
    """New messages do not end the wait: there is nobody to hear them."""
    link = light_pair.link(FIJI, QUMRAN)
    tried: list[int] = []
    link.next(*[Trick(batch=lambda batch: _note(tried, batch))] * 3)
    async with running(light_pair):
        await light_pair.request()
        await _until(lambda: queue(light_pair).failures == 1)
        await light_pair.request()
        await _until_resting(light_pair)
        assert len(tried) == 1
        light_pair.clock.advance(8)
        await _until(lambda: queue(light_pair).failures == 2)
        assert tried == [1, 2]
    assert queue(light_pair).last_code == "unreachable"
    assert queue(light_pair).next_try_at > light_pair.clock.now()


def _note(tried: list[int], batch: Batch) -> list[Batch]:
    tried.append(len(batch.envelopes))
    raise TransportFailure("unreachable", "nobody listens")


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


async def _until_resting(pair: Pair) -> None:
    """Wait until Fiji's courier sleeps, and a sender of it too."""
    async with asyncio.timeout(10):
        await pair.clock.until_sleeping(2)


async def test_a_signed_word_of_the_peer_ends_the_wait(light_pair: Pair) -> None:
    """It has come back; no clock has to move."""
    light_pair.link(FIJI, QUMRAN).next("lose the batch")
    async with running(light_pair):
        posted = await light_pair.request()
        await _until(lambda: queue(light_pair).failures == 1)
        await light_pair.request(sender=QUMRAN, to=FIJI)
        await light_pair[QUMRAN].send_to(FIJI)
        await until_state(light_pair, posted.identity, "delivered")
    assert queue(light_pair).failures == 0


async def test_new_messages_pass_one_that_the_peer_refuses_for_now(light_pair: Pair) -> None:
    """The peer answers, so its queue is not left alone because of one envelope in it."""
    link = light_pair.link(FIJI, QUMRAN)
    link.next("corrupt the envelopes")
    async with running(light_pair):
        poisoned = await light_pair.request()
        await _until(lambda: queue(light_pair).failures == 1)
        posted = await light_pair.request()
        await until_state(light_pair, posted.identity, "delivered")
        assert light_pair[FIJI].message(poisoned.identity)["state"] == "queued"
        assert [len(batch.envelopes) for batch in link.carried] == [1, 1]
        await _until_resting(light_pair)
        light_pair.clock.advance(8)
        await until_state(light_pair, poisoned.identity, "delivered")


async def test_a_queue_goes_in_order_in_full_batches_one_at_a_time(light_pair: Pair) -> None:
    """At most 64 envelopes and 8 MiB in a request, the oldest first."""
    for _ in range(BATCH_ENVELOPES_MAX + 3):
        await light_pair.request()
    order = [one.envelope for one in light_pair[FIJI].waiting()]
    await light_pair[FIJI].send_to(QUMRAN)
    carried = light_pair.link(FIJI, QUMRAN).carried
    assert [len(one.envelopes) for one in carried] == [BATCH_ENVELOPES_MAX, 3]
    assert [raw for one in carried for raw in one.envelopes] == order


async def test_large_messages_are_sent_in_batches_that_fit(light_pair: Pair) -> None:
    """Four of 2 MiB do not fit one request; all of them arrive."""
    for _ in range(4):
        await light_pair.request({"text": "x" * (2 * 1024 * 1024)})
    assert await light_pair[FIJI].send_to(QUMRAN) is None
    carried = light_pair.link(FIJI, QUMRAN).carried
    assert len(carried) > 1
    assert all(len(one.encode()) <= BATCH_BYTES_MAX for one in carried)
    assert light_pair[FIJI].waiting() == []


async def test_a_queue_is_claimed_whole_and_a_claim_lapses(pair: Pair) -> None:
    """Two couriers on one database do not interleave; one that died is waited for."""
    claims = [
        await pair[FIJI].write(
            lambda tx, name=name, now=now: queue_rows.claim_queue(  # type: ignore[misc]  # mypy cannot type it
                tx.conn, QUMRAN, name, now=now, until=now + 120
            )
        )
        for name, now in (("one", 100), ("two", 101), ("one", 150), ("two", 270), ("two", 271))
    ]
    assert claims == [True, False, True, False, True]


async def test_a_node_that_was_killed_sends_again_as_soon_as_it_is_back(pair: Pair) -> None:
    """Its own claim, left behind, does not hold it up."""
    posted = await pair.request()
    pair.link(FIJI, QUMRAN).next("lose the answer")
    await pair[FIJI].send_to(QUMRAN)
    await pair[FIJI].courier._claim(QUMRAN)
    pair.close(FIJI)
    assert await pair[FIJI].send_to(QUMRAN) is None
    assert pair[FIJI].message(posted.identity)["state"] == "delivered"


async def test_answers_that_nobody_asked_for_change_nothing(light_pair: Pair) -> None:
    """A peer that answers about envelopes it never had: alarms for what claims to be proof."""
    await light_pair.request()
    before = light_pair[FIJI].waiting()
    answers = (Receipted("ab" * 32, b"{}"), Receipted(before[0].digest, b""))
    await light_pair[FIJI].courier.settle(QUMRAN, Answers(answers))
    assert light_pair[FIJI].waiting() == before
    assert light_pair[FIJI].alarms() == ["receipt-invalid"] * 2


async def test_what_expires_while_the_node_runs_is_given_up(light_pair: Pair) -> None:
    """The courier looks once a minute."""
    light_pair.link(FIJI, QUMRAN).next(*["lose the batch"] * 100)
    async with running(light_pair):
        posted = await light_pair.request()
        await _until(lambda: queue(light_pair).failures == 1)
        light_pair.clock.jump(30 * 86_400 + 1)
        await _until_resting(light_pair)
        light_pair.clock.advance(60)
        await until_state(light_pair, posted.identity, "undelivered")
    light_pair.assert_sound()


async def test_a_poll_waits_for_the_first_envelope_and_no_longer_than_it_was_told(
    light_pair: Pair,
) -> None:
    """A peer that no one can connect to hears of a message as soon as it is posted."""
    wired = light_pair[FIJI]
    courier = wired.courier
    courier._deliver = lambda _: None
    async with running(light_pair):
        poll = asyncio.create_task(courier.fetch(QUMRAN, 60.0))
        await _until_resting(light_pair)
        assert not poll.done()
        await light_pair.request()
        assert len(await asyncio.wait_for(poll, 10)) == 1
        empty = asyncio.create_task(courier.fetch(TONGA, 60.0))
        await _until_resting(light_pair)
        light_pair.clock.advance(60)
        assert await asyncio.wait_for(empty, 10) == ()
