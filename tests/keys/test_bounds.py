"""What one authority may add for ever: so much and no more, and what two nodes have in common."""

from __future__ import annotations

import pytest

from keys.directory import LISTINGS_A_DAY_MAX, OWN_REVOCATIONS_MAX
from protocol.errors import Busy, TooLarge
from tests.support.clock import START
from tests.support.trust import make_trust

PEER = "qm.justice"


def test_listings_of_one_authority_are_bounded_by_the_day() -> None:
    """Each is valid and kept for good, so a busy signer must wait for tomorrow."""
    trust = make_trust(now=START)
    for number in range(1, LISTINGS_A_DAY_MAX):
        trust = trust.with_listing(PEER, now=START + number)
    with pytest.raises(Busy):
        trust.with_listing(PEER, now=START + LISTINGS_A_DAY_MAX)
    tomorrow = trust.with_listing(PEER, now=START + 86_400)
    assert tomorrow.listing(PEER).listing.serial == LISTINGS_A_DAY_MAX + 1


def test_an_authority_revokes_so_many_rotating_keys_and_no_more() -> None:
    """Revocations are kept and handed on by everybody; the stewards are not bounded."""
    trust = make_trust(now=START)
    directory = trust.directory
    for number in range(OWN_REVOCATIONS_MAX):
        raw = trust.revocation(PEER, "hop", f"{number:064x}")
        directory = directory.install_revocation(raw, now=START)
    with pytest.raises(TooLarge):
        directory.install_revocation(trust.revocation(PEER, "hop", "f" * 64), now=START)
    by_stewards = trust.revocation_by_stewards(PEER, "hop", "e" * 64)
    assert directory.install_revocation(by_stewards, now=START).is_revoked("e" * 64)


def test_two_directories_have_one_state_only_if_they_know_the_same() -> None:
    """Documents, listings and revocations all count; the order in which they came does not."""
    trust = make_trust(now=START)
    known = trust.directory
    raw = trust.revocation(PEER, "hop", "a" * 64), trust.revocation(PEER, "hop", "b" * 64)
    one = known.install_revocation(raw[0], now=START).install_revocation(raw[1], now=START)
    other = known.install_revocation(raw[1], now=START + 1).install_revocation(raw[0], now=START)
    assert one.state == other.state
    states = {
        known.state,
        one.state,
        trust.with_listing(PEER, now=START + 1).directory.state,
        trust.with_document(now=START + 1).directory.state,
    }
    assert len(states) == 4


def test_the_newest_listings_of_each_authority_can_be_had_alone() -> None:
    """For a peer that needs the end of a chain and not its beginning."""
    trust = make_trust(now=START)
    for number in (1, 2):
        trust = trust.with_listing(PEER, now=START + number)
    chain = trust.directory.listings_raw(PEER)
    assert trust.directory.listings_raw(PEER, newest=2) == chain[-2:]
    assert len(trust.directory.listings_raw(newest=1)) == 3
