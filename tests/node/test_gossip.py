"""Gossip: trust goes from node to node, proves itself, and takes effect once."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace

import pytest

from protocol.listing import ListedKey, sign_listing
from tests.support.pair import FIJI, QUMRAN, TONGA, Pair, fresh_message, sealed
from tests.support.trust import seeded


async def test_epoch_ahead_is_fetched_and_the_message_accepted_on_retry(pair: Pair) -> None:
    """Qumran was away when document 2 was made: it asks the sender, and then understands."""
    document = pair.trust.next_document(created=pair.clock.now())
    await pair.install(FIJI, document=document)
    posted = await pair.request()
    assert await pair[FIJI].send_to(QUMRAN) is not None
    assert [one.last_code for one in pair[FIJI].waiting()] == ["epoch-ahead"]
    assert pair[QUMRAN].gossip.rounds.wanted == {FIJI}
    await pair[QUMRAN].gossip.refresh(FIJI)
    assert await pair[FIJI].send_to(QUMRAN) is None
    assert pair[FIJI].message(posted.identity)["state"] == "delivered"
    assert "network.installed" in pair[QUMRAN].records()[-3:]
    pair.assert_sound()


async def test_a_node_that_was_away_walks_the_whole_chain(pair: Pair) -> None:
    """Five documents later: each is verified by the one before it."""
    for _ in range(5):
        document = pair.trust.next_document(created=pair.clock.now())
        await pair.install(FIJI, document=document)
        pair.trust = replace(
            pair.trust,
            directory=pair.trust.directory.install_document(document, now=pair.clock.now()),
        )
    await pair[QUMRAN].gossip.refresh(FIJI)
    assert pair[QUMRAN].node.office.directory.document.version == 6
    assert pair[QUMRAN].records().count("network.installed") == 6
    pair.assert_sound()


async def test_a_document_that_stewards_did_not_sign_is_not_installed(light_pair: Pair) -> None:
    """A peer hands over what it made itself: noted, refused, and nothing changes."""
    forged = light_pair.trust.next_document(
        created=light_pair.clock.now(), pairs=[light_pair.trust.sign_pair(TONGA)]
    )
    before = light_pair[QUMRAN].counts()
    _hand_over(light_pair, TONGA, documents=[forged, b"", b"{}", b"\xff"])
    await light_pair[QUMRAN].gossip.refresh(TONGA)
    assert light_pair[QUMRAN].counts() == before
    assert light_pair[QUMRAN].node.office.directory.document.version == 1


async def test_a_listing_that_another_authority_made_is_not_installed(light_pair: Pair) -> None:
    """Tonga makes a listing in Fiji's name, with its own seal key in it."""
    held = light_pair.trust.listing(FIJI)
    theirs = light_pair.trust.listing(TONGA).listing.keys
    forged = sign_listing(
        replace(held.listing, serial=2, prev=held.digest, keys=theirs),
        light_pair.trust.sign_pair(TONGA),
    ).encode()
    before = light_pair[QUMRAN].counts()
    _hand_over(light_pair, TONGA, listings=[forged, b"", b"[]"], revocations=[b"{}"])
    await light_pair[QUMRAN].gossip.refresh(TONGA)
    assert light_pair[QUMRAN].counts() == before


def _hand_over(
    pair: Pair, peer: str, *, documents: list[bytes] | None = None,
    listings: list[bytes] | None = None, revocations: list[bytes] | None = None,
) -> None:  # fmt: skip
    """Let a peer answer Qumran's questions with these."""

    class Liar:
        async def get_network(self, version: int | None) -> list[bytes]:
            return documents or []

        async def get_listings(self, known: str | None = None) -> tuple[list[bytes], list[bytes]]:
            return listings or [], revocations or []

    real = pair[QUMRAN].links
    pair[QUMRAN].gossip._ask = lambda name: Liar() if name == peer else real.get(name)


async def test_one_bad_statement_stops_none_of_the_others(light_pair: Pair) -> None:
    """Beside noise, the good listing is installed."""
    good = light_pair.trust.next_listing(FIJI, created=light_pair.clock.now())
    _hand_over(light_pair, TONGA, documents=[b"x"], listings=[b"", b"{}", good, b"\xff" * 99])
    await light_pair[QUMRAN].gossip.refresh(TONGA)
    assert light_pair[QUMRAN].node.office.directory.listing(FIJI).listing.serial == 2


@pytest.mark.parametrize("times", range(3))
async def test_news_that_two_peers_bring_at_once_is_installed_once(pair: Pair, times: int) -> None:
    """Both hand over the same document and listing at the same moment, and again."""
    now = pair.clock.now()
    document = pair.trust.next_document(created=now)
    listing = pair.trust.next_listing(FIJI, created=now)
    for name in (FIJI, TONGA):
        await pair.install(name, document=document, listing=listing)
    gossip = pair[QUMRAN].gossip
    await asyncio.gather(gossip.refresh(FIJI), gossip.refresh(TONGA))
    assert pair[QUMRAN].node.office.directory.document.version == 2
    assert pair[QUMRAN].node.office.directory.listing(FIJI).listing.serial == 2
    assert pair[QUMRAN].records().count("network.installed") == 2
    (raw,) = sealed(pair, [fresh_message(pair, epoch=2)])
    assert [one.refusal for one in await pair.offer(raw)] == [None]
    pair.close(QUMRAN)
    assert pair[QUMRAN].node.office.directory.refused == ()
    pair.assert_sound()


async def test_two_listings_with_one_serial_at_once_leave_a_node_that_works(pair: Pair) -> None:
    """Fiji signs two: one of them is in force, and the writer goes on."""
    now = pair.clock.now()
    both = [pair.trust.next_listing(FIJI, created=now, languages=(one,)) for one in ("en", "fr")]
    results = await asyncio.gather(
        *(pair.install(QUMRAN, listing=raw) for raw in both), return_exceptions=True
    )
    assert sum(one is None for one in results) == 1
    assert pair[QUMRAN].node.office.directory.listing(FIJI).listing.serial == 2
    assert len(pair[QUMRAN].rows("listings")) == 4
    await pair.request(sender=QUMRAN, to=FIJI)
    pair.close(QUMRAN)
    assert pair[QUMRAN].node.office.directory.refused == ()
    pair.assert_sound()


async def test_own_keys_that_somebody_else_listed_raise_the_alarm(pair: Pair) -> None:
    """A listing under Qumran's name, rightly signed, with a key that Qumran does not hold."""
    draw, now = seeded("thief"), pair.clock.now()
    stolen = pair.trust.rings[QUMRAN].rotate_seal(random=draw, now=now)
    keys = tuple(ListedKey(one, 0, None) for one in stolen.public_keys())
    listing = pair.trust.next_listing(QUMRAN, created=now, keys=keys)
    await pair.install(TONGA, listing=listing)
    await pair[QUMRAN].gossip.refresh(TONGA)
    assert "foreign-key" in pair[QUMRAN].alarms()
    subjects = {row["subject"] for row in pair[QUMRAN].rows("alarms")}
    assert stolen.seal_keys(now)[0].public.key_id in str(subjects)


async def test_own_keys_that_were_rotated_away_raise_no_alarm(light_pair: Pair) -> None:
    """They are still held, and still listed until their time is over."""
    now = light_pair.clock.now()
    office = light_pair[QUMRAN].node.office
    rotated = office.keys.ring.rotate_seal(random=seeded("rotation"), now=now)
    office.use_ring(rotated, now)
    keys = tuple(ListedKey(one.public(), one.created, one.retired) for one in rotated.entries)
    listing = light_pair.trust.next_listing(QUMRAN, created=now, keys=keys)
    await light_pair.install(TONGA, listing=listing)
    await light_pair[QUMRAN].gossip.refresh(TONGA)
    assert light_pair[QUMRAN].alarms() == []


async def test_gossip_survives_a_peer_that_answers_nonsense_and_asks_the_others(
    light_pair: Pair, lines: io.StringIO
) -> None:
    """The round goes on, and so does the next one."""
    _hand_over(light_pair, TONGA, documents=[b"\x00" * 10], listings=[b"\x01"], revocations=[b""])
    listing = light_pair.trust.next_listing(FIJI, created=light_pair.clock.now())
    await light_pair.install(FIJI, listing=listing)
    task = asyncio.create_task(light_pair[QUMRAN].gossip.run())
    try:
        async with asyncio.timeout(10):
            while light_pair[QUMRAN].node.office.directory.listing(FIJI).listing.serial != 2:
                await asyncio.sleep(0.005)
            await light_pair.clock.until_sleeping(1)
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert "not-installed" in lines.getvalue()


async def test_a_node_without_any_document_gossips_once_it_has_one(light_pair: Pair) -> None:
    """It is made, run, and told whom to trust afterwards."""
    wired = light_pair[QUMRAN]
    directory = wired.node.office.directory
    wired.node.office.directory = type(directory).empty(directory.network)
    task = asyncio.create_task(wired.gossip.run())
    try:
        async with asyncio.timeout(10):
            await light_pair.clock.until_sleeping(1)
            assert not task.done()
            wired.node.office.directory = directory
            listing = light_pair.trust.next_listing(FIJI, created=light_pair.clock.now())
            await light_pair.install(FIJI, listing=listing)
            wired.gossip.ask_soon(FIJI)
            while wired.node.office.directory.listing(FIJI).listing.serial != 2:
                light_pair.clock.advance(5)
                await asyncio.sleep(0.005)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_peers_new_address_is_used_from_the_moment_it_is_installed(
    light_pair: Pair,
) -> None:
    """The link to the old one is given up; a peer that fetches for itself has none."""
    wired = light_pair[FIJI]
    peers = wired.exchange._peers
    old = peers.client(QUMRAN)
    assert old is not None
    assert peers.client(QUMRAN) is old
    now = light_pair.clock.now()
    moved = light_pair.trust.next_listing(QUMRAN, created=now, urls=("https://127.0.0.1:9",))
    await light_pair.install(FIJI, listing=moved)
    fresh = peers.client(QUMRAN)
    assert fresh is not None
    assert fresh.peer.urls == ("https://127.0.0.1:9",)
    light_pair.trust = replace(
        light_pair.trust, directory=light_pair.trust.directory.install_listing(moved, now=now)
    )
    away = light_pair.trust.next_listing(QUMRAN, created=now, urls=(), pins=(), pull=True)
    await light_pair.install(FIJI, listing=away)
    assert peers.client(QUMRAN) is None
    assert peers.client("xx.justice") is None
    await peers.close()
