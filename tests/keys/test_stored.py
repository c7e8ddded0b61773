"""A directory that comes back from the rows of a database, and is verified again."""

from __future__ import annotations

from functools import cache

from keys.directory import Directory
from protocol.errors import Mismatch
from tests.support.clock import START
from tests.support.trust import NETWORK, Trust, make_trust

OWN, PEER, THIRD = "fj.justice", "qm.justice", "to.justice"
LATER = START + 100


@cache
def trust() -> Trust:
    """Make one network for all tests of this file: it is a value."""
    return make_trust((OWN, PEER, THIRD), stewards=3, threshold=2)


def _rows(trusted: Directory, at: int = START) -> tuple[list[tuple[bytes, int]], ...]:
    return tuple(
        [(raw, at) for raw in raws]
        for raws in (trusted.documents_raw(), trusted.listings_raw(), trusted.revocations_raw())
    )


def test_what_was_stored_comes_back_whole_also_in_another_order() -> None:
    """Rows of one second do not say in which order they came; none is lost for that."""
    newer = trust().with_listing(PEER, now=LATER).with_document(now=LATER)
    hop = trust().rings[PEER].hop().public.key_id
    raw = newer.revocation(PEER, "hop", hop)
    directory = newer.directory.install_revocation(raw, now=LATER)
    documents, listings, revocations = _rows(directory, LATER)
    again = Directory.from_stored(NETWORK, documents[::-1], listings[::-1], revocations)
    assert again.refused == ()
    assert _rows(again) == _rows(directory)
    assert again.document.digest == directory.document.digest
    assert again.is_revoked(hop)


def test_a_row_that_was_tampered_with_is_left_out_and_named() -> None:
    """One poisoned row stops nothing else and is never believed."""
    documents, listings, revocations = _rows(trust().directory)
    bad = bytes([listings[1][0][200] ^ 1])
    listings[1] = (listings[1][0][:200] + bad + listings[1][0][201:], START)
    again = Directory.from_stored(NETWORK, documents, listings, revocations)
    assert len(again.refused) == 1
    assert set(again.listing_chains) == {OWN, THIRD}


def test_rows_of_nothing_make_an_empty_directory() -> None:
    """A node that was just made starts without trust in anybody."""
    assert Directory.from_stored(NETWORK, [], [], []).chain == ()


def test_a_document_slipped_in_before_the_first_is_not_believed() -> None:
    """Whoever edits the database cannot found another network in it, given the anchor."""
    documents, listings, _ = _rows(trust().directory)
    forged = make_trust((OWN, PEER), stewards=1, threshold=1).documents[0]
    rows = [(forged, 0), *documents]
    again = Directory.from_stored(NETWORK, rows, listings, [], anchor=trust().document.digest)
    assert again.document.digest == trust().document.digest
    assert set(again.listing_chains) == {OWN, PEER, THIRD}
    assert len(again.refused) == 1
    none = Directory.from_stored(NETWORK, [(forged, 0)], [], [], anchor=trust().document.digest)
    assert none.chain == ()
    assert [type(fault) for fault in none.refused] == [Mismatch]
