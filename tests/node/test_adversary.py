"""What an authorised but hostile peer can do to a node, or to what goes to other peers.

Each test is an attack that once succeeded, or an accident of the same shape. The attacker
holds real keys, is listed, and signs whatever he likes; he does not hold anybody else's.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace

from keys.directory import LISTINGS_A_DAY_MAX, OWN_REVOCATIONS_MAX
from node.storage.writer import Tx
from node.transport.batch import (
    decode_listings,
    encode_listings,
)
from protocol.digest import sha256_hex
from protocol.errors import (
    Busy,
    Equivocation,
    NotPermitted,
    TooLarge,
)
from tests.support.pair import FIJI, QUMRAN, TONGA, Pair, Wired


@contextlib.contextmanager
def held(wired: Wired) -> Iterator[None]:
    """Hold the writer, so that what is submitted meanwhile is one group."""
    begun, go = threading.Event(), threading.Event()

    def hold(_: Tx) -> None:
        begun.set()
        assert go.wait(10)

    first = wired.node.writer._submit(hold)
    assert begun.wait(10)
    try:
        yield
    finally:
        go.set()
        first.result(10)


def together(wired: Wired, *works: Callable[[Tx], object]) -> list[object]:
    """Run units in one group; gives the result or the exception of each."""
    with held(wired):
        waiting: list[Future[object]] = [wired.node.writer._submit(one) for one in works]
    return [one.exception(10) or one.result(10) for one in waiting]


# --- trust that arrives by two ways at once -------------------------------------------------


async def test_what_two_peers_bring_at_once_is_installed_once(pair: Pair) -> None:
    """The same listing in one group: installed by the first, known to the second."""
    raw = pair.trust.next_listing(TONGA, created=pair.clock.now())
    office = pair[FIJI].node.office
    install = [lambda tx: office.install_listing(tx, raw)] * 2
    assert together(pair[FIJI], *install) == [True, False]
    assert office.directory.listing(TONGA).listing.serial == 2
    pair[FIJI].assert_sound()


async def test_two_listings_with_one_serial_at_once_are_equivocation(pair: Pair) -> None:
    """Different peers get different listings from a hostile one: the writer outlives it."""
    now, office = pair.clock.now(), pair[FIJI].node.office
    one, other = (pair.trust.next_listing(TONGA, created=at) for at in (now, now - 1))
    outcome = together(
        pair[FIJI],
        lambda tx: office.install_listing(tx, one),
        lambda tx: office.install_listing(tx, other),
    )
    assert outcome[0] is True
    assert isinstance(outcome[1], Equivocation)
    assert len(pair[FIJI].rows("listings")) == 4
    assert (await pair.request()).seq == 1


async def test_what_follows_within_one_group_is_installed(pair: Pair) -> None:
    """A chain of two listings, a document and a revocation in one group all take effect."""
    now, office = pair.clock.now(), pair[FIJI].node.office
    once = pair.trust.with_listing(TONGA, now=now)
    twice = once.next_listing(TONGA, created=now)
    hop = pair.trust.rings[TONGA].hop().public.key_id
    revocation = once.revocation(TONGA, "hop", hop)
    outcome = together(
        pair[FIJI],
        lambda tx: office.install_listing(tx, once.listing(TONGA).raw),
        lambda tx: office.install_document(tx, pair.trust.next_document(created=now)),
        lambda tx: office.install_listing(tx, twice),
        lambda tx: office.install_revocation(tx, revocation),
    )
    assert outcome == [True] * 4
    assert office.directory.listing(TONGA).listing.serial == 3
    assert office.directory.document.version == 2
    assert office.directory.is_revoked(hop)


async def test_a_unit_that_is_undone_leaves_no_trust(pair: Pair) -> None:
    """What a unit installed before it failed is not seen by the next one of its group."""
    office = pair[FIJI].node.office
    raw = pair.trust.next_listing(TONGA, created=pair.clock.now())

    def fails(tx: Tx) -> None:
        office.install_listing(tx, raw)
        raise NotPermitted("and is undone")

    outcome = together(pair[FIJI], fails, lambda tx: office.install_listing(tx, raw))
    assert isinstance(outcome[0], NotPermitted)
    assert outcome[1] is True


# --- statements without end -------------------------------------------------------------------


async def test_a_peer_with_many_revocations_does_not_stop_those_of_others(
    light_pair: Pair,
) -> None:
    """An authority revokes keys that nobody ever saw: what others revoke still goes round."""
    office, trust = light_pair[FIJI].node.office, light_pair.trust
    now = light_pair.clock.now()
    last = trust.revocation(QUMRAN, "hop", trust.rings[QUMRAN].hop().public.key_id)
    directory = office.directory.install_revocation(last, now=now)
    refused = 0
    for number in range(300):
        raw = trust.revocation(TONGA, "hop", f"{number:064x}")
        try:
            directory = directory.install_revocation(raw, now=now)
        except TooLarge:
            refused += 1
    assert len(directory.revocations_raw()) + refused == 301
    office.directory = directory
    given = await light_pair[FIJI].exchange.routes().listings(None)
    _, revocations = decode_listings(encode_listings(*given))
    assert sha256_hex(last) in map(sha256_hex, revocations)


async def test_a_lasting_key_can_be_revoked_however_many_were_before(light_pair: Pair) -> None:
    """A thief of sign keys cannot use up the room: their owner still revokes them."""
    trust, now = light_pair.trust, light_pair.clock.now()
    directory = light_pair[FIJI].node.office.directory
    for number in range(OWN_REVOCATIONS_MAX):
        raw = trust.revocation(TONGA, "seal", f"{number:064x}")
        directory = directory.install_revocation(raw, now=now)
    key_id = trust.sign_pair(TONGA).key_ids[0]
    directory = directory.install_revocation(trust.revocation(TONGA, "sign", key_id), now=now)
    assert directory.is_revoked(key_id)
    another = trust.revocation_by_stewards(TONGA, "seal", "ff" * 32)
    assert len(directory.install_revocation(another, now=now).revocations) == 34


async def test_a_peer_with_listings_without_end_is_heard_now_and_then(light_pair: Pair) -> None:
    """Each is valid, follows the last and is kept for good: only so many count in a day."""
    trust, now = light_pair.trust, light_pair.clock.now()
    directory, refused = trust.directory, 0
    for _ in range(100):
        raw = replace(trust, directory=directory).next_listing(TONGA, created=now)
        try:
            directory = directory.install_listing(raw, now=now)
        except Busy:
            refused += 1
    assert refused == 101 - LISTINGS_A_DAY_MAX
    # A day later it goes on where it stopped: the chain has no hole.
    tomorrow = now + 86_400 + 1
    raw = replace(trust, directory=directory).next_listing(TONGA, created=tomorrow)
    assert directory.install_listing(raw, now=tomorrow).listing(TONGA).raw == raw


async def test_a_new_node_takes_the_listings_of_years_at_once(light_pair: Pair) -> None:
    """What counts is when they were made, not when they came here."""
    trust, year = light_pair.trust, 365 * 86_400
    start = light_pair.clock.now()
    for quarter in range(1, 40):
        at = start + quarter * year // 4
        trust = trust.with_listing(TONGA, now=at, created=at, expires=at + year)
    fresh = trust.directory.from_stored(
        trust.network,
        [(raw, start + 11 * year) for raw in trust.documents],
        [(raw, start + 11 * year) for raw in trust.listings],
        [],
    )
    assert fresh.listing(TONGA).listing.serial == 40
