"""A hostile peer's words and silences: they cost it something, and nobody else.

What one peer answers, lists or leaves unanswered must not undo the receipts of others, end
a service of the node, keep anything back that goes to somebody else, or fill the disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import NoReturn

import pytest

from node.clock import SystemRandom
from node.inbox import Brought, Verdict
from node.peers import Peers
from node.storage.writer import Tx
from node.transport.batch import (
    Answer,
    Answers,
    Batch,
    Receipted,
    Refused,
)
from node.transport.errors import TransportFailure
from node.trust_watch import TrustWatch
from protocol.digest import sha256_hex
from protocol.errors import (
    NotAuthentic,
    NotPermitted,
    RevokedKey,
    SuiteUnknown,
)
from protocol.limits import HOP_SKEW_S
from tests.support.link import Trick
from tests.support.pair import FIJI, QUMRAN, TONGA, Pair, fresh_message, sealed


async def test_a_hint_about_one_envelope_does_not_undo_the_receipt_of_another(
    pair: Pair,
) -> None:
    """The peer has no key to seal to now, and says `key-unknown`: its receipts still count."""
    first, second = await pair.request(), await pair.request()
    receipted, other = pair[FIJI].waiting(QUMRAN)
    (verdict,) = await pair.offer(receipted.envelope)
    assert verdict.receipt is not None
    soon = pair.clock.now() + 10
    listing = pair.trust.next_listing(QUMRAN, created=soon - 10, expires=soon)
    await pair.install(FIJI, listing=listing)
    pair.clock.advance(20)
    answers: tuple[Answer, ...] = (
        Receipted(receipted.digest, verdict.receipt),
        Refused(other.digest, "key-unknown"),
    )
    await pair[FIJI].courier.settle(QUMRAN, Answers(answers))
    assert pair[FIJI].message(first.identity)["state"] == "delivered"
    assert pair[FIJI].message(second.identity)["state"] == "queued"


async def test_a_sender_outlives_whatever_a_peer_makes_it_raise(light_pair: Pair) -> None:
    """The answer is signed with a revoked key, or its URL cannot be used: tried again later."""
    posted = await light_pair.request()

    def refuse(_: Batch) -> Sequence[Batch]:
        raise RevokedKey("the hop key is revoked")

    light_pair.link(FIJI, QUMRAN).next(Trick(batch=refuse))
    courier = asyncio.create_task(light_pair[FIJI].courier.run())
    try:
        async with asyncio.timeout(10):  # the check of what has expired, and a wait
            await light_pair.clock.until_sleeping(2)
        assert light_pair[FIJI].message(posted.identity)["state"] == "queued"
        light_pair.clock.advance(60)
        async with asyncio.timeout(10):
            while light_pair[FIJI].message(posted.identity)["state"] == "queued":
                await asyncio.sleep(0.01)
    finally:
        courier.cancel()
        await asyncio.gather(courier, return_exceptions=True)


async def test_gossip_outlives_what_one_peer_makes_it_raise(light_pair: Pair) -> None:
    """One peer answers under a revoked key: the others are asked all the same, also later."""
    node = light_pair[FIJI]

    class Hostile:
        async def get_listings(self, _known: str | None = None) -> NoReturn:
            raise RevokedKey("the hop key is revoked")

        async def get_network(self, _version: int | None) -> NoReturn:
            raise RevokedKey("the hop key is revoked")

    ask = node.gossip._ask
    node.gossip._ask = lambda peer: Hostile() if peer == TONGA else ask(peer)
    listing = light_pair.trust.next_listing(QUMRAN, created=light_pair.clock.now())
    await light_pair.install(QUMRAN, listing=listing)
    gossip = asyncio.create_task(node.gossip.run())
    try:
        async with asyncio.timeout(10):
            await light_pair.clock.until_sleeping()
        assert not gossip.done()
        assert node.node.office.directory.listing(QUMRAN).listing.serial == 2
    finally:
        gossip.cancel()
        await asyncio.gather(gossip, return_exceptions=True)


@pytest.mark.parametrize("state", ["unknown", "revoked"])
async def test_a_hop_key_that_is_not_in_force_is_one_kind_of_answer(
    light_pair: Pair, state: str
) -> None:
    """Unknown or revoked: the transport hears None, and answers all of them alike."""
    key_id = "00" * 32
    if state == "revoked":
        key_id = light_pair.trust.rings[TONGA].hop().public.key_id
        revocation = light_pair.trust.revocation(TONGA, "hop", key_id)
        await light_pair.install(FIJI, revocation=revocation)
    exchange = light_pair[FIJI].exchange
    assert exchange.resolve(key_id) is None
    assert exchange.resolve_any(key_id) is None


@pytest.mark.parametrize("host", ["xn--a.example", "xn--0.example"])
async def test_a_url_that_no_client_can_use_is_a_peer_without_a_client(
    light_pair: Pair, host: str
) -> None:
    """A hostile listing has a host that looks right and cannot be decoded: nobody falls over."""
    wired = light_pair[FIJI]
    await light_pair.install(
        FIJI,
        listing=light_pair.trust.next_listing(
            TONGA, created=light_pair.clock.now(), urls=(f"https://{host}",)
        ),
    )
    peers = Peers(wired.node.office, light_pair.clock, SystemRandom(), wired.node.settings)
    try:
        client = peers.client(TONGA)
        if client is not None:
            with pytest.raises(TransportFailure):
                await client.get_network()
    finally:
        await peers.close()


# --- a peer that fetches -----------------------------------------------------------------------


async def test_what_a_fetching_peer_leaves_behind_does_not_block_the_rest(
    light_pair: Pair,
) -> None:
    """More envelopes than one answer holds are never answered for: the others still come."""
    posted = [await light_pair.request() for _ in range(70)]
    courier = light_pair[FIJI].courier
    seen: set[bytes] = set()
    for _ in range(3):
        seen.update(await courier.fetch(QUMRAN, 0.0))
    assert len(seen) == len(posted)
    # And what was never answered comes again.
    assert await courier.fetch(QUMRAN, 0.0)


async def test_a_fetch_that_settles_nothing_is_not_repeated_at_once(light_pair: Pair) -> None:
    """Everything fetched is refused for now: the next poll waits, as a sender would."""
    exchange, node = light_pair[FIJI].exchange, light_pair[QUMRAN]
    await light_pair.request(sender=QUMRAN, to=FIJI)
    light_pair[FIJI].node.office.directory = light_pair.trust.directory
    polls = 0

    class Poll:
        async def pull(self, _wait_s: int) -> Batch:
            nonlocal polls
            polls += 1
            assert polls < 3, "polled again without a rest"
            return Batch(envelopes=(b"COMITY-1 and nothing that can be opened",))

        async def post_receipts(self, answers: Answers) -> Answers:
            assert [type(one) for one in answers.answers] == [Refused]
            return Answers()

    exchange._peers.client = lambda _: Poll()  # type: ignore[method-assign,assignment,return-value]  # a peer that we fetch from
    fetching = asyncio.create_task(exchange._fetch_from(QUMRAN))
    try:
        await asyncio.wait(
            {fetching, asyncio.ensure_future(light_pair.clock.until_sleeping())},
            return_when=asyncio.FIRST_COMPLETED,
            timeout=10,
        )
        assert not fetching.done()
        assert polls == 1
    finally:
        fetching.cancel()
        await asyncio.gather(fetching, return_exceptions=True)
    assert node is not None


async def test_fetching_from_one_peer_outlives_what_it_makes_us_raise(light_pair: Pair) -> None:
    """An answer whose effect is refused ends neither this fetching nor that from others."""
    exchange = light_pair[FIJI].exchange

    class Poll:
        async def pull(self, _wait_s: int) -> Batch:
            raise RevokedKey("the hop key is revoked")

    exchange._peers.client = lambda _: Poll()  # type: ignore[method-assign,assignment,return-value]  # a peer that we fetch from
    fetching = asyncio.create_task(exchange._fetch_from(QUMRAN))
    try:
        await asyncio.wait(
            {fetching, asyncio.ensure_future(light_pair.clock.until_sleeping())},
            return_when=asyncio.FIRST_COMPLETED,
            timeout=10,
        )
        assert not fetching.done()
    finally:
        fetching.cancel()
        await asyncio.gather(fetching, return_exceptions=True)


# --- time and limits ---------------------------------------------------------------------------


async def test_a_nonce_is_kept_as_long_as_its_signature_is_believed(light_pair: Pair) -> None:
    """The signature holds a skew longer than it says; so long its nonce must be known."""
    hop = light_pair.link(FIJI, QUMRAN).hop()
    receipts = light_pair[QUMRAN].exchange.routes().receipts
    await receipts(hop, Answers())
    light_pair.clock.advance(hop.expires - light_pair.clock.now() + HOP_SKEW_S)
    await light_pair[QUMRAN].write(light_pair[QUMRAN].node._upkeep)
    with pytest.raises(NotAuthentic):
        await receipts(hop, Answers())


async def test_a_minimum_suite_that_we_do_not_know_refuses_that_peer_alone(
    light_pair: Pair,
) -> None:
    """The stewards ask more of Fiji than this release can: each envelope is refused."""
    document = light_pair.trust.document.document
    authorities = tuple(
        replace(one, min_suite="hpke-0051-0002-0002") if one.id == FIJI else one
        for one in document.authorities
    )
    await light_pair.install(
        QUMRAN,
        document=light_pair.trust.next_document(
            created=light_pair.clock.now(), authorities=authorities
        ),
    )
    (verdict,) = await light_pair.offer(*sealed(light_pair, [fresh_message(light_pair)]))
    assert verdict.refusal == SuiteUnknown.code


async def test_a_key_revoked_while_a_batch_is_judged_accepts_nothing(pair: Pair) -> None:
    """The signatures were verified before the revocation, the message is decided after it."""
    inbox = pair[QUMRAN].node.inbox
    hop = pair.link(FIJI, QUMRAN).hop()
    brought = Brought(hop.authority, hop.key_id, hop.nonce, hop.expires)
    _, ready = inbox._prepare(brought, sealed(pair, [fresh_message(pair)]))
    key_id = pair.trust.sign_pair(FIJI).key_ids[1]
    await pair.install(QUMRAN, revocation=pair.trust.revocation(FIJI, "sign", key_id))
    decided = await pair[QUMRAN].write(lambda tx: inbox._decide_all(tx, brought, ready))
    assert [one.refusal for one in decided.values()] == [RevokedKey.code]
    assert pair[QUMRAN].rows("messages") == []


async def test_garbage_in_the_place_of_receipts_does_not_fill_the_disk(light_pair: Pair) -> None:
    """A peer posts thousands of receipts that are none: some are kept, and no more."""
    courier = light_pair[FIJI].courier
    for number in range(40):
        raws = [b"%d/%d" % (number, one) for one in range(64)]
        answers = tuple(Receipted(sha256_hex(raw), raw) for raw in raws)
        await courier.settle(TONGA, Answers(answers))
    alarms = light_pair[FIJI].rows("alarms")
    assert 1 <= len(alarms) <= 128
    # And they do not keep another peer's from being heard.
    await courier.settle(QUMRAN, Answers((Receipted(sha256_hex(b"x"), b"x"),)))
    assert light_pair[FIJI].rows("alarms")[-1]["peer"] == QUMRAN


async def test_an_alarm_of_a_unit_that_was_undone_is_raised_again(light_pair: Pair) -> None:
    """What a person must hear is not forgotten because a neighbour in the group failed."""
    wired = light_pair[FIJI]
    office = wired.node.office
    office.directory = replace(office.directory, refused=(NotAuthentic("a row"),))
    watch = TrustWatch(office)

    def undone(tx: Tx) -> None:
        watch.look(tx)
        raise NotPermitted("and is undone")

    with pytest.raises(NotPermitted):
        await wired.write(undone)
    await wired.write(watch.look)
    await wired.write(watch.look)
    assert wired.alarms() == ["trust-refused"]


async def test_a_message_accepted_while_another_process_waited_is_not_refused_finally(
    pair: Pair,
) -> None:
    """Two processes judge the same message; the second one finds it accepted under the lock."""
    inbox = pair[QUMRAN].node.inbox
    raw = sealed(pair, [fresh_message(pair)])
    hop = pair.link(FIJI, QUMRAN).hop()
    brought = Brought(hop.authority, hop.key_id, hop.nonce, hop.expires)
    _, ready = inbox._prepare(brought, raw)
    (first,) = await pair.offer(*raw)
    assert first.receipt is not None
    late = Verdict(first.envelope)
    await pair[QUMRAN].write(lambda tx: inbox._decide(tx, ready[0], late))
    assert (late.receipt, late.proof) == (None, None)
    assert "message.refused" not in pair[QUMRAN].records()
    assert pair[QUMRAN].rows("refusals") == []
