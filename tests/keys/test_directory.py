"""What may enter a directory, and what it then says: documents, splits and sign keys."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.directory import Directory
from keys.pairs import SignerPair
from keys.ring import KeyRing, new_ring
from protocol.document import Document, KeyTerm
from protocol.errors import (
    DocumentExpired,
    EpochAhead,
    EpochOld,
    Equivocation,
    KeyUnknown,
    Malformed,
    Mismatch,
    NotAuthentic,
    NotForUs,
    NotPermitted,
    Rejected,
)
from protocol.limits import EPOCH_GRACE_S
from protocol.listing import sign_listing
from protocol.network import add_signature, decode_document, sign_document
from tests.support.clock import START
from tests.support.trust import (
    NETWORK,
    YEAR_S,
    Trust,
    Value,
    listing_of,
    make_trust,
    seeded,
)

DAY_S = 86_400
OWN, PEER, THIRD = "fj.justice", "qm.justice", "to.justice"


@cache
def trust() -> Trust:
    """Make one network for all tests of this file: it is a value."""
    return make_trust((OWN, PEER, THIRD), stewards=3, threshold=2)


def document() -> Document:
    """Give the text of the first document."""
    return trust().document.document


def changed(authority: str, **changes: Value) -> Document:
    """Give the first document with one authority's entry changed."""
    entry = document().authority(authority)
    assert entry is not None
    return document().with_authority(replace(entry, **changes))


# --- the chain -------------------------------------------------------------------


def test_an_empty_directory_trusts_nobody() -> None:
    """Every question is refused with a code, none with another exception."""
    empty = Directory.empty(NETWORK)
    for ask in (
        lambda: empty.document, lambda: empty.require_current(START),
        lambda: empty.judge(1, START), lambda: empty.permit(OWN),
        lambda: empty.seal_key(OWN, START), lambda: empty.log_keys(OWN),
        lambda: empty.install_listing(trust().listings[0], now=START),
        lambda: empty.install_revocation(trust().revocation(OWN, "hop", "ab" * 32), now=START),
    ):  # fmt: skip
        with pytest.raises(EpochAhead):
            ask()
    with pytest.raises(NotAuthentic):
        empty.hop_key("ab" * 32, START)
    with pytest.raises(KeyUnknown):
        empty.listing(OWN)


def test_a_network_id_of_another_form_makes_no_directory() -> None:
    """The id has an authority's grammar."""
    with pytest.raises(Malformed):
        Directory.empty("Pacific!")


def test_installing_what_is_installed_changes_nothing() -> None:
    """The same bytes again give the very same directory, later too."""
    directory = trust().directory
    assert directory.install_document(trust().documents[0], now=START + 5) is directory
    for raw in trust().listings:
        assert directory.install_listing(raw, now=START + 5) is directory


def test_a_first_document_of_another_network_is_refused() -> None:
    """A directory is of one network for ever."""
    with pytest.raises(NotForUs):
        Directory.empty("other").install_document(trust().documents[0], now=START)


def test_another_first_document_is_refused() -> None:
    """Only the first installation believes a document by its own list."""
    strangers = make_trust((OWN, PEER), stewards=1, threshold=1)
    with pytest.raises(EpochOld):
        trust().directory.install_document(strangers.documents[0], now=START)


def test_a_node_that_was_away_walks_the_chain_in_order() -> None:
    """Each document proves the next; one left out is asked for."""
    second = trust().with_document(now=START + 1)
    third = second.with_document(now=START + 2)
    first, *later = third.documents
    away = Directory.empty(NETWORK).install_document(first, now=START + 9)
    with pytest.raises(EpochAhead):
        away.install_document(later[1], now=START + 9)
    for raw in later:
        away = away.install_document(raw, now=START + 9)
    assert away.document.version == 3
    assert away.documents_raw() == third.documents
    assert away.documents_raw(2) == (second.documents[1],)


def test_a_message_is_judged_by_the_document_of_its_epoch_for_ninety_days() -> None:
    """The newest, or one superseded here at most the grace ago, to the second."""
    directory = trust().with_document(now=START + DAY_S).directory
    until = START + DAY_S + EPOCH_GRACE_S
    assert directory.judge(2, until + YEAR_S).version == 2
    assert directory.judge(1, until).version == 1
    with pytest.raises(EpochOld):
        directory.judge(1, until + 1)
    with pytest.raises(EpochOld):
        directory.judge(0, START)
    with pytest.raises(EpochAhead):
        directory.judge(3, START)
    old = directory.document_of(1)
    assert old is not None
    assert old.digest == trust().document.digest
    assert directory.document_of(7) is None


def test_an_expired_document_is_current_no_more_and_still_judges() -> None:
    """Nothing new may be sent; what was sent goes on being verified."""
    directory = trust().directory
    assert directory.require_current(START + YEAR_S - 1).version == 1
    with pytest.raises(DocumentExpired):
        directory.require_current(START + YEAR_S)
    assert directory.judge(1, START + YEAR_S).version == 1


@pytest.mark.parametrize("status", ["suspended", "removed"])
def test_the_newest_document_decides_what_an_authority_may_do(status: str) -> None:
    """Permission ends at once, whatever the epoch of a message says."""
    after = changed(PEER, status=status).authorities
    directory = trust().with_document(now=START + 1, authorities=after).directory
    with pytest.raises(NotPermitted):
        directory.permit(PEER)
    with pytest.raises(NotPermitted):
        directory.seal_key(PEER, START + 1)
    assert directory.peers(OWN) == (THIRD,)
    keys = directory.sign_keys(PEER, epoch=1, created=START, now=START + 1)
    assert keys == trust().sign_pair(PEER).public


def test_an_unlisted_authority_may_do_nothing() -> None:
    """A name that the document does not hold is refused everywhere."""
    directory = trust().directory
    with pytest.raises(NotPermitted):
        directory.permit("xx.none")
    with pytest.raises(NotPermitted):
        directory.sign_keys("xx.none", epoch=1, created=START, now=START)
    with pytest.raises(NotPermitted):
        directory.log_keys("xx.none")


@given(st.binary(max_size=200))
def test_no_bytes_change_a_directory_but_by_being_verified(raw: bytes) -> None:
    """Arbitrary bytes are refused by a code, whichever way they come."""
    directory = trust().directory
    for install in (
        directory.install_document, directory.install_listing, directory.install_revocation,
    ):  # fmt: skip
        with pytest.raises(Rejected):
            install(raw, now=START)


# --- splits -----------------------------------------------------------------------


def _rival(**changes: Value) -> bytes:
    """Give a second document of version 2, in which the peer is suspended."""
    after = changed(PEER, status="suspended").authorities
    return trust().next_document(**{"created": START + 2, "authorities": after, **changes})


def _split() -> Directory:
    second = trust().with_document(now=START + 1)
    return second.directory.install_document(_rival(), now=START + 2)


def _heal(directory: Directory, *, signers: tuple[SignerPair, ...] = (), **changes: Value) -> bytes:
    rivals = sorted(decode_document(raw).identity for raw in directory.documents_raw(2))
    fields = {"version": 3, "prev": tuple(rivals), "created": START + 3, **changes}
    healing = replace(document(), **fields)
    return sign_document(healing, signers or trust().steward_pairs).encode()


def test_two_documents_of_one_version_are_kept_and_stop_sealing_where_they_differ() -> None:
    """Stewards who signed twice are proven to have, and nobody else suffers."""
    split = _split()
    assert split.split_authorities == {PEER}
    assert len(split.splits) == 1
    assert len(split.documents_raw(2)) == 2
    with pytest.raises(NotPermitted):
        split.seal_key(PEER, START + 2)
    assert split.seal_key(THIRD, START + 2) == trust().directory.seal_key(THIRD, START)
    assert split.install_document(_rival_of(split), now=START + 3) is split


def _rival_of(directory: Directory) -> bytes:
    return directory.splits[0].trusted.raw


def test_the_order_in_which_rivals_come_does_not_matter() -> None:
    """Whoever saw the other one first stops sealing to the same authorities."""
    split = _split()
    first, second = split.documents_raw(2)
    other = trust().directory.install_document(second, now=START + 2)
    other = other.install_document(first, now=START + 3)
    assert other.split_authorities == split.split_authorities
    assert set(other.documents_raw()) == set(split.documents_raw())


def test_a_split_network_takes_no_side() -> None:
    """A next document of one branch is refused until the split is healed."""
    split = _split()
    following = replace(trust(), directory=split).next_document(created=START + 3)
    with pytest.raises(Equivocation):
        split.install_document(following, now=START + 3)


def test_a_document_that_names_all_rivals_ends_the_split_on_every_branch() -> None:
    """Nodes that trusted different rivals agree again, also one that was a step ahead."""
    split = _split()
    healing = _heal(split, version=4)
    ahead = trust().with_document(now=START + 1).with_document(now=START + 2).directory
    ahead = ahead.install_document(_rival(), now=START + 2)
    rivals = sorted(decode_document(raw).identity for raw in ahead.documents_raw(2))
    both = sign_document(
        replace(document(), version=4, prev=tuple(rivals), created=START + 3),
        trust().steward_pairs,
    ).encode()
    for directory, raw in ((split, healing), (ahead, both)):
        healed = directory.install_document(raw, now=START + 3)
        assert healed.document.version == 4
        assert healed.splits == ()
        assert len(healed.healed) == 1
        assert len(healed.documents_raw(2)) == 2
        healed.seal_key(PEER, START + 3)
        next_raw = replace(trust(), directory=healed).next_document(created=START + 4)
        assert healed.install_document(next_raw, now=START + 4).document.version == 5


def test_what_does_not_heal_is_refused() -> None:
    """Healing needs a split, its rivals and the threshold of the common list."""
    split = _split()
    with pytest.raises(NotAuthentic):
        split.install_document(_heal(split, signers=trust().steward_pairs[:1]), now=START + 3)
    with pytest.raises(EpochOld):
        split.install_document(_heal(split, version=2), now=START + 3)
    whole = trust().with_document(now=START + 1).directory
    with pytest.raises(EpochAhead):
        whole.install_document(_heal(split), now=START + 3)


def test_stewards_who_left_long_ago_cannot_split_the_network() -> None:
    """A rival counts only while its version may still judge messages."""
    newer = trust().with_document(now=START + 1).with_document(now=START + 2).directory
    settled = START + 2 + EPOCH_GRACE_S
    assert newer.install_document(_rival(), now=settled).splits
    with pytest.raises(EpochOld):
        newer.install_document(_rival(), now=settled + 1)


def test_a_rival_that_too_few_signed_is_nothing() -> None:
    """One steward cannot stop a network."""
    second = trust().with_document(now=START + 1).directory
    rival = _rival(pairs=trust().steward_pairs[:1])
    with pytest.raises(NotAuthentic):
        second.install_document(rival, now=START + 2)


# --- sign keys that change ----------------------------------------------------------


def _new_ring() -> KeyRing:
    """Give the peer's other keys: a new sign pair, all else as it was."""
    other = new_ring(NETWORK, PEER, random=seeded("rotated"), now=START)
    kept = [one for one in trust().rings[PEER].entries if one.purpose != "sign"]
    new = [one for one in other.entries if one.purpose == "sign"]
    return replace(trust().rings[PEER], entries=(*new, *kept))


def _rotation(*, agreed: bool, at: int = START + 10) -> bytes:
    """Give document 2, in which the peer's sign pair changes at a time."""
    old = trust().sign_pair(PEER).key_ids
    terms = (KeyTerm(old, 0, at), KeyTerm(_new_ring().signers("sign").key_ids, at, None))
    raw = trust().next_document(
        created=START + 1, authorities=changed(PEER, sign=terms).authorities
    )
    if not agreed:
        return raw
    return add_signature(decode_document(raw), trust().sign_pair(PEER)).encode()


def _new_listing(directory: Directory, *, created: int = START + 10) -> bytes:
    """Give the peer's listing with its new sign pair."""
    held = directory.listing(PEER)
    listing = listing_of(_new_ring(), now=created, serial=held.listing.serial + 1, prev=held.digest)
    return sign_listing(listing, _new_ring().signers("sign")).encode()


def test_a_message_is_judged_by_the_sign_keys_of_its_time() -> None:
    """Old pair before the change, new pair after it, and by the old epoch the old pair."""
    directory = trust().directory.install_document(_rotation(agreed=True), now=START + 1)
    old, new = trust().sign_pair(PEER).public, _new_ring().signers("sign").public
    with pytest.raises(EpochAhead):  # its listing is not here yet: fetch and retry
        directory.sign_keys(PEER, epoch=2, created=START + 10, now=START + 10)
    directory = directory.install_listing(_new_listing(directory), now=START + 10)
    for epoch, created, pair in ((1, 9, old), (1, 11, old), (2, 9, old), (2, 10, new)):
        keys = directory.sign_keys(PEER, epoch=epoch, created=START + created, now=START + 11)
        assert keys == pair


def test_a_rotation_that_the_old_pair_signed_goes_unnoticed() -> None:
    """Sealing goes on, and nobody needs to telephone."""
    directory = trust().directory.install_document(_rotation(agreed=True), now=START + 1)
    assert directory.resets == frozenset()
    directory.seal_key(PEER, START + 1)


def test_a_reset_stops_sealing_until_officers_have_compared_the_new_pair() -> None:
    """Stewards alone cannot put somebody else in an authority's place."""
    directory = trust().directory.install_document(_rotation(agreed=False), now=START + 1)
    directory = directory.install_listing(_new_listing(directory), now=START + 10)
    assert directory.resets == {PEER}
    assert directory.needs_comparison(PEER)
    assert not directory.needs_comparison(THIRD)
    with pytest.raises(NotPermitted):
        directory.seal_key(PEER, START + 10)
    with pytest.raises(Mismatch):
        directory.mark_compared(PEER, trust().sign_pair(PEER).key_ids)
    compared = directory.mark_compared(PEER, _new_ring().signers("sign").key_ids)
    assert compared.resets == frozenset()
    compared.seal_key(PEER, START + 10)


def test_a_comparison_lasts_over_a_restart_and_vouches_for_its_pair_only() -> None:
    """What officers compared is given back beside the rows; another pair clears nothing."""
    directory = trust().directory.install_document(_rotation(agreed=False), now=START + 1)
    rows = [(raw, START + n) for n, raw in enumerate(directory.documents_raw())]
    listings = [(raw, START) for raw in directory.listings_raw()]
    good, bad = _new_ring().signers("sign").key_ids, trust().sign_pair(PEER).key_ids
    for pair, resets in ((good, frozenset()), (bad, {PEER})):
        again = Directory.from_stored(NETWORK, rows, listings, [], compared=[(PEER, pair)])
        assert again.refused == ()
        assert again.resets == resets


def test_a_rotation_is_proven_when_the_old_listing_comes_after_the_document() -> None:
    """A node that walks documents first and listings later ends in the same place."""
    walker = Directory.empty(NETWORK).install_document(trust().documents[0], now=START + 9)
    walker = walker.install_document(_rotation(agreed=True), now=START + 9)
    assert walker.resets == {PEER}
    walker = walker.install_listing(trust().listing(PEER).raw, now=START + 9)
    assert walker.resets == frozenset()


def test_keys_shown_under_a_name_are_those_of_document_and_newest_listing() -> None:
    """A node can tell whether somebody shows keys as its own that it does not hold."""
    own = {key.key_id for key in trust().rings[OWN].public_keys()}
    assert trust().directory.shown_key_ids(OWN) == own
    directory = trust().directory.install_document(_rotation(agreed=False), now=START + 1)
    held = {key.key_id for key in trust().rings[PEER].public_keys()}
    assert directory.shown_key_ids(PEER) - held == set(_new_ring().signers("sign").key_ids)
