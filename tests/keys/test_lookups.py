"""Listings and revocations in a directory, and which keys it then gives out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from keys.directory import Directory
from keys.ring import KeyRing, new_ring
from protocol.document import KeyTerm
from protocol.errors import (
    Equivocation,
    KeyUnknown,
    Mismatch,
    NotAuthentic,
    NotYet,
    OutOfOrder,
    Rejected,
    RevokedKey,
)
from protocol.identity import ALGORITHMS, PUBLIC_KEY_BYTES, PublicKey, Purpose
from protocol.limits import HOP_SKEW_S, MESSAGE_SKEW_S
from protocol.listing import ListedKey, Listing, sign_listing
from tests.support.clock import START
from tests.support.trust import (
    NETWORK,
    YEAR_S,
    Trust,
    entry_of,
    listed_keys,
    listing_of,
    make_trust,
    seeded,
)

OWN, PEER, THIRD = "fj.justice", "qm.justice", "to.justice"
LATER = START + 100


@cache
def trust() -> Trust:
    """Make one network for all tests of this file: it is a value."""
    return make_trust((OWN, PEER, THIRD), stewards=3, threshold=2)


def key(purpose: str, authority: str = PEER) -> PublicKey:
    """Give a key that an authority's listing shows, the first of its purpose."""
    keys = trust().rings[authority].public_keys()
    return next(one for one in keys if one.purpose == purpose)


def with_key(public: PublicKey, *, start: int = 0) -> tuple[ListedKey, ...]:
    """Give the keys of the peer's listing and one more."""
    return (*trust().listing(PEER).listing.keys, ListedKey(public, start, None))


def without(purpose: str) -> tuple[ListedKey, ...]:
    """Give the keys of the peer's listing but those of a purpose."""
    keys = trust().listing(PEER).listing.keys
    return tuple(one for one in keys if one.key.purpose != purpose)


def made_up(purpose: Purpose = "hop") -> PublicKey:
    """Give a key that nobody has yet."""
    (algorithm,) = ALGORITHMS[purpose]
    return PublicKey(purpose, algorithm, bytes([7]) * PUBLIC_KEY_BYTES[algorithm])


# --- the chain of listings -----------------------------------------------------------


def test_an_authority_that_joins_is_sealed_to_at_once() -> None:
    """There is no older key to be faithful to, so nothing was reset."""
    ring = new_ring(NETWORK, "ws.justice", random=seeded("ws"), now=START)
    joined = trust().document.document.with_authority(entry_of(ring)).authorities
    directory = trust().with_document(now=START + 1, authorities=joined).directory
    listing = sign_listing(listing_of(ring, now=START), ring.signers("sign")).encode()
    directory = directory.install_listing(listing, now=START + 1)
    assert directory.resets == frozenset()
    assert directory.seal_key("ws.justice", START + 1).purpose == "seal"
    assert directory.peers(OWN) == (PEER, THIRD, "ws.justice")


def test_the_newest_listing_whose_predecessor_is_held_is_in_force() -> None:
    """Serial by serial, and the whole chain can be handed on."""
    newer = trust().with_listing(PEER, now=LATER, languages=("en", "fr"))
    assert newer.listing(PEER).listing.languages == ("en", "fr")
    chain = newer.directory.listings_raw(PEER)
    assert [chain[0]] == [trust().listing(PEER).raw]
    assert chain[1] == newer.listing(PEER).raw
    assert set(newer.directory.listings_raw()) == {*trust().listings, *chain}


def _stolen(public: PublicKey) -> Callable[[], bytes]:
    return lambda: trust().next_listing(PEER, keys=with_key(public))


REFUSED: list[tuple[str, Callable[[], bytes], type[Rejected]]] = [
    ("a second listing with one serial", lambda: trust().next_listing(
        PEER, serial=1, prev=None, pull=True), Equivocation),
    ("an unknown predecessor", lambda: trust().next_listing(PEER, prev="ab" * 32), OutOfOrder),
    ("a gap, and so an unknown predecessor", lambda: trust().next_listing(
        PEER, serial=9, prev="ab" * 32), OutOfOrder),
    ("made before its predecessor", lambda: trust().next_listing(
        PEER, created=START - 1), Mismatch),
    ("made in our future", lambda: trust().next_listing(
        PEER, created=START + MESSAGE_SKEW_S + 1), NotYet),
    ("another authority's seal key", _stolen(key("seal", THIRD)), Mismatch),
    ("another authority's hop key", _stolen(key("hop", THIRD)), Mismatch),
    ("another authority's sign key as its own hop key", _stolen(
        PublicKey("hop", "ed25519", key("sign", THIRD).raw)), Mismatch),
    ("a steward's key as a hop key", _stolen(PublicKey(
        "hop", "ed25519", trust().document.document.stewards[0].keys[0].raw)), Mismatch),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "make", "error"), REFUSED, ids=[x[0] for x in REFUSED])
def test_a_listing_that_does_not_follow_is_refused(
    sentence: str, make: Callable[[], bytes], error: type[Rejected]
) -> None:
    """One chain for each authority, and no key with two owners."""
    with pytest.raises(error):
        trust().directory.install_listing(make(), now=START)


def test_a_listing_older_than_the_one_held_is_refused() -> None:
    """Nobody rolls an authority back to keys that it left."""
    listing = trust().listing(PEER).listing
    pair = trust().sign_pair(PEER)
    first = sign_listing(replace(listing, serial=5, prev="ab" * 32), pair).encode()
    held = Directory.empty(NETWORK).install_document(trust().documents[0], now=START)
    held = held.install_listing(first, now=START)
    with pytest.raises(OutOfOrder):
        held.install_listing(trust().listing(PEER).raw, now=START)


def test_an_authority_may_not_take_up_a_key_that_it_had_in_another_role() -> None:
    """A raw key keeps its one role also after it has left the listing."""
    gone = trust().with_listing(PEER, now=LATER, keys=(*without("hop"), *with_key(made_up())[-1:]))
    old = PublicKey("log", "ed25519", key("hop").raw)
    raw = gone.next_listing(PEER, keys=(*gone.listing(PEER).listing.keys, ListedKey(old, 0, None)))
    with pytest.raises(Rejected):
        gone.directory.install_listing(raw, now=LATER)


# --- sealing and hops -------------------------------------------------------------------


def test_what_is_sealed_goes_to_the_newest_key_of_the_newest_listing() -> None:
    """A rotated key is used as soon as its listing is here and its time has come."""
    new = made_up("seal")
    newer = trust().with_listing(PEER, now=LATER, keys=with_key(new, start=LATER + 5)).directory
    assert newer.seal_key(PEER, LATER + 4) == key("seal")
    assert newer.seal_key(PEER, LATER + 5) == new


def test_nothing_is_sealed_without_a_listing_in_force() -> None:
    """No listing, an expired one, and one without a key in use: all are `key-unknown`."""
    bare = Directory.empty(NETWORK).install_document(trust().documents[0], now=START)
    with pytest.raises(KeyUnknown):
        bare.seal_key(PEER, START)
    assert trust().directory.seal_key(PEER, START + YEAR_S - 1) == key("seal")
    with pytest.raises(KeyUnknown):
        trust().directory.seal_key(PEER, START + YEAR_S)
    ended = (*without("seal"), ListedKey(key("seal"), 0, LATER + 5))
    newer = trust().with_listing(PEER, now=LATER, keys=ended).directory
    assert newer.seal_key(PEER, LATER + 4) == key("seal")
    with pytest.raises(KeyUnknown):
        newer.seal_key(PEER, LATER + 5)


def _hop(new: PublicKey) -> tuple[ListedKey, ...]:
    return (*without("hop"), ListedKey(new, LATER, None))


def test_a_hop_key_is_known_by_its_id_and_in_use_by_the_newest_listing() -> None:
    """A dropped key still lets its owner be handed what makes things right again."""
    old, new = key("hop"), made_up()
    assert trust().directory.hop_key(old.key_id, START).authority == PEER
    assert trust().directory.hop_key(old.key_id, START).key == old
    newer = trust().with_listing(
        PEER, now=LATER, keys=(*without("hop"), ListedKey(new, LATER, None))
    )
    with pytest.raises(NotAuthentic):
        newer.directory.hop_key(old.key_id, LATER)
    assert newer.directory.hop_key_ever(old.key_id).authority == PEER
    assert newer.directory.hop_key(new.key_id, LATER - HOP_SKEW_S).key == new
    with pytest.raises(NotAuthentic):
        newer.directory.hop_key(new.key_id, LATER - HOP_SKEW_S - 1)


@pytest.mark.parametrize("purpose", ["sign", "seal", "log", "witness"])
def test_a_key_of_another_purpose_is_no_hop_key(purpose: str) -> None:
    """A key is found for its own purpose only."""
    with pytest.raises(NotAuthentic):
        trust().directory.hop_key(key(purpose).key_id, START)


def test_log_and_witness_keys_come_with_their_names() -> None:
    """The origin is the log's name, and each log keeps its own keys."""
    origin, keys = trust().directory.log_keys(PEER)
    assert origin == f"{NETWORK}/{PEER}/1"
    assert (keys.ed25519, keys.ml_dsa) == trust().rings[PEER].signers("log").public
    assert trust().directory.log_keys(PEER, 1) == (origin, keys)
    with pytest.raises(NotAuthentic):
        trust().directory.log_keys(PEER, 2)
    name, cosigning = trust().directory.witness_keys(PEER)
    assert name == f"{NETWORK}/{PEER}/witness"
    assert (cosigning.ed25519, cosigning.ml_dsa) == trust().rings[PEER].signers("witness").public
    assert trust().directory.witness_keys(PEER, START) == (name, cosigning)


# --- revocations ----------------------------------------------------------------------------


def revoked(purpose: str, public: PublicKey | None = None) -> Directory:
    """Give the directory after the peer has revoked one of its keys."""
    raw = trust().revocation(PEER, purpose, (public or key(purpose)).key_id)
    return trust().directory.install_revocation(raw, now=START)


ASKS: list[tuple[str, Callable[[Directory], object]]] = [
    ("sign", lambda d: d.sign_keys(PEER, epoch=1, created=START, now=START)),
    ("sign", lambda d: d.seal_key(PEER, START)),
    ("sign", lambda d: d.install_listing(trust().next_listing(PEER), now=START)),
    ("hop", lambda d: d.hop_key(key("hop").key_id, START)),
    ("hop", lambda d: d.hop_key_ever(key("hop").key_id)),
    ("log", lambda d: d.log_keys(PEER)),
    ("witness", lambda d: d.witness_keys(PEER)),
]


@pytest.mark.parametrize(("purpose", "ask"), ASKS)
def test_a_revoked_key_is_refused_everywhere(
    purpose: str, ask: Callable[[Directory], object]
) -> None:
    """The question that was answered before is `key-revoked` after, for one key of a pair."""
    ask(trust().directory)
    with pytest.raises(RevokedKey):
        ask(revoked(purpose))
    second = trust().rings[PEER].public_keys()
    for public in (one for one in second if one.purpose == purpose):
        with pytest.raises(RevokedKey):
            ask(revoked(purpose, public))


def test_an_auditor_still_gets_the_keys_of_a_revoked_log() -> None:
    """What lies below `log_size` is weighed, not thrown away."""
    directory = revoked("log")
    assert directory.log_keys(PEER, even_revoked=True) == trust().directory.log_keys(PEER)


def test_a_revoked_seal_key_gives_way_to_another_and_else_to_none() -> None:
    """Nothing is sealed to a revoked key."""
    with pytest.raises(KeyUnknown):
        revoked("seal").seal_key(PEER, START)
    two = trust().with_listing(PEER, now=LATER, keys=with_key(made_up("seal")))
    raw = two.revocation(PEER, "seal", key("seal").key_id)
    assert two.directory.install_revocation(raw, now=LATER).seal_key(PEER, LATER) == made_up("seal")


def test_a_revocation_is_installed_once_and_touches_no_other_key() -> None:
    """The same bytes again give the very same directory."""
    directory = revoked("hop")
    raw = directory.revocations_raw()[0]
    assert directory.install_revocation(raw, now=LATER) is directory
    assert directory.is_revoked(key("hop").key_id)
    assert not directory.is_revoked(key("hop", THIRD).key_id)
    assert not directory.is_revoked(key("seal").key_id)


def test_stewards_revoke_for_an_authority_that_cannot() -> None:
    """The threshold of offices is as good as the authority's own word."""
    raw = trust().revocation_by_stewards(PEER, "sign", key("sign").key_id)
    assert trust().directory.install_revocation(raw, now=START).is_revoked(key("sign").key_id)


BAD_REVOCATIONS: list[tuple[str, Callable[[], bytes], type[Rejected]]] = [
    ("another's hop key", lambda: trust().revocation(
        OWN, "hop", key("hop").key_id), Mismatch),
    ("another's log key", lambda: trust().revocation(
        OWN, "log", key("log").key_id), Mismatch),
    ("one's own key under another purpose", lambda: trust().revocation(
        PEER, "hop", key("seal").key_id), Mismatch),
    ("another's word", lambda: replace(trust(), rings={
        PEER: trust().rings[OWN]}).revocation(PEER, "hop", key("hop").key_id), NotAuthentic),
]  # fmt: skip


@pytest.mark.parametrize(
    ("sentence", "make", "error"), BAD_REVOCATIONS, ids=[x[0] for x in BAD_REVOCATIONS]
)
def test_nobody_revokes_what_is_anothers(
    sentence: str, make: Callable[[], bytes], error: type[Rejected]
) -> None:
    """A revocation binds its own authority's keys, for their own purpose."""
    with pytest.raises(error):
        trust().directory.install_revocation(make(), now=START)


def test_a_lasting_key_that_only_the_document_shows_has_an_owner_too() -> None:
    """No listing is needed to know that a key is another authority's."""
    bare = Directory.empty(NETWORK).install_document(trust().documents[0], now=START)
    bare = bare.install_listing(trust().listing(OWN).raw, now=START)
    with pytest.raises(Mismatch):
        bare.install_revocation(trust().revocation(OWN, "log", key("log").key_id), now=START)


def test_a_sign_pair_that_is_over_revokes_itself_only() -> None:
    """The revocation that was written at the beginning stays good; a found key is not."""
    ring = new_ring(NETWORK, PEER, random=seeded("newer"), now=START)
    entry = trust().document.document.authority(PEER)
    assert entry is not None
    terms = (
        replace(entry.sign[0], until=LATER),
        KeyTerm(ring.signers("sign").key_ids, LATER, None),
    )
    after = trust().document.document.with_authority(replace(entry, sign=terms)).authorities
    directory = trust().with_document(now=START + 1, authorities=after).directory
    hop = trust().revocation(PEER, "hop", key("hop").key_id)
    assert directory.install_revocation(hop, now=LATER - 1).revocations
    with pytest.raises(NotAuthentic):
        directory.install_revocation(hop, now=LATER)
    own = trust().revocation(PEER, "sign", key("sign").key_id)
    assert directory.install_revocation(own, now=LATER).is_revoked(key("sign").key_id)


def test_a_revocation_of_a_key_not_shown_yet_waits_for_its_owner_only() -> None:
    """It holds when its authority shows the key, and not for another one that has it."""
    hop = made_up()
    raw = trust().revocation(PEER, "hop", hop.key_id)
    directory = trust().directory.install_revocation(raw, now=START)
    assert directory.is_revoked(hop.key_id)
    third = replace(trust(), directory=directory)
    keys = (*third.listing(THIRD).listing.keys, ListedKey(hop, 0, None))
    shown = third.with_listing(THIRD, now=LATER, keys=keys).directory
    assert shown.hop_key(hop.key_id, LATER).authority == THIRD


def test_a_revoked_sign_pair_revokes_itself_and_nothing_more() -> None:
    """A thief who has the pair cannot use it to revoke what is left."""
    directory = revoked("sign")
    with pytest.raises(RevokedKey):
        directory.install_revocation(trust().revocation(PEER, "hop", key("hop").key_id), now=START)
    again = trust().revocation(PEER, "sign", key("sign").key_id, log_size=7)
    assert len(directory.install_revocation(again, now=START).revocations) == 2


# --- after the sign pair was stolen ------------------------------------------------------------


def _recovered() -> tuple[Directory, KeyRing]:
    """Give a directory in which the peer's stolen pair was revoked and replaced."""
    ring = new_ring(NETWORK, PEER, random=seeded("recovered"), now=START)
    entry = trust().document.document.authority(PEER)
    assert entry is not None
    fresh = replace(
        entry,
        sign=(KeyTerm(ring.signers("sign").key_ids, 0, None),),
        logs=(*entry.logs, replace(entry_of(ring).logs[0], number=2)),
        witness=(KeyTerm(ring.signers("witness").key_ids, 0, None),),
    )
    thief = trust().with_listing(PEER, now=START + 1, pull=True)
    raw = thief.revocation(PEER, "sign", key("sign").key_id)
    revoking = replace(thief, directory=thief.directory.install_revocation(raw, now=START + 2))
    authorities = trust().document.document.with_authority(fresh).authorities
    return revoking.with_document(now=START + 3, authorities=authorities).directory, ring


def test_a_thief_cannot_end_the_chain_of_listings() -> None:
    """After revocation and reset a listing of the new pair goes on from a higher serial."""
    directory, ring = _recovered()
    listing = listing_of(ring, now=START + 4, serial=7, prev="ab" * 32)
    raw = sign_listing(listing, ring.signers("sign")).encode()
    directory = directory.install_listing(raw, now=START + 4)
    with pytest.raises(Rejected):  # a reset: the safety number comes first
        directory.seal_key(PEER, START + 4)
    compared = directory.mark_compared(PEER, ring.signers("sign").key_ids)
    assert compared.seal_key(PEER, START + 4).raw == listed_keys(ring)[_seal_at(listing)].key.raw
    assert compared.log_keys(PEER)[0].endswith("/2")
    lower = sign_listing(replace(listing, serial=2), ring.signers("sign")).encode()
    with pytest.raises(Equivocation):
        directory.install_listing(lower, now=START + 5)


def _seal_at(listing: Listing) -> int:
    purposes = [one.key.purpose for one in listing.keys]
    return purposes.index("seal")


def test_a_listing_of_a_pair_that_is_listed_no_more_is_not_sealed_to() -> None:
    """Comparing the new pair does not vouch for what the old one said."""
    directory, ring = _recovered()
    compared = directory.mark_compared(PEER, ring.signers("sign").key_ids)
    with pytest.raises(KeyUnknown):
        compared.seal_key(PEER, START + 4)
