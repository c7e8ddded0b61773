"""What stewards draft is what nodes accept: keys with their terms, witnesses, one signature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from keys.directory import Directory
from keys.ring import new_ring, new_steward_ring
from node import stewards
from node.stewards import Listed
from protocol.document import Document
from protocol.encoding import Json, canonical, decode
from protocol.errors import Malformed, NotAuthentic, NotForUs, Rejected
from protocol.listing import sign_listing
from protocol.network import decode_document, verify_first
from tests.support.clock import START
from tests.support.trust import (
    NETWORK,
    YEAR_S,
    Trust,
    listed_keys,
    listing_of,
    make_trust,
    seeded,
    steward_of,
)

OFFICES = [
    new_steward_ring(f"Office {n}", random=seeded(f"office {n}"), now=START) for n in range(3)
]


def draft(**changes: int) -> Document:
    """Give an empty first draft."""
    terms = {"threshold": 2, "f": 0, "created": START, "expires": START + YEAR_S, **changes}
    return stewards.first_document(NETWORK, [steward_of(ring) for ring in OFFICES], **terms)


def listing(name: str, seed: str = "") -> bytes:
    """Give an authority's first listing, with keys that depend on `seed`."""
    ring = new_ring(NETWORK, name, random=seeded(seed or name), now=START)
    return sign_listing(listing_of(ring, now=START), ring.signers("sign")).encode()


def test_a_steward_states_exactly_what_the_document_lists() -> None:
    """Name and both keys come back as they were."""
    for ring in OFFICES:
        assert stewards.decode_steward(stewards.steward_statement(ring)) == steward_of(ring)


def _changed(change: Callable[[dict[str, Json]], object]) -> bytes:
    value = decode(stewards.steward_statement(OFFICES[0]), bytes_max=stewards.STATEMENT_BYTES_MAX)
    assert isinstance(value, dict)
    change(value)
    return canonical(value)


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value.update(v=2),
        lambda value: value.update(kind="comity-authority"),
        lambda value: value.update(more=1),
        lambda value: value.update(keys=value["keys"][:1]),
        lambda value: value.update(keys=[*value["keys"], value["keys"][0]]),
        lambda value: value.update(keys=["x", "y"]),
        lambda value: value.pop("name"),
    ],
)
def test_another_form_of_statement_is_refused(change: Callable[[dict[str, Json]], object]) -> None:
    """A value or a refusal, never another exception."""
    with pytest.raises(Rejected):
        stewards.decode_steward(_changed(change))


def test_listings_make_entries_that_nodes_accept() -> None:
    """A document made of them is installed, and then the very listings."""
    raws = [listing(name) for name in ("fj.justice", "qm.justice", "tonga")]
    document = stewards.with_listings(draft(), [Listed(raw) for raw in raws])
    assert [(one.id, one.state) for one in document.authorities] == [
        ("fj.justice", "FJ"), ("qm.justice", "QM"), ("tonga", "ZZ"),
    ]  # fmt: skip
    statement = stewards.unsigned(document)
    for ring in OFFICES[:2]:
        statement = stewards.sign_as_steward(statement.encode(), ring, signed_before={})
    directory = Directory.empty(NETWORK).install_document(statement.encode(), now=START)
    for raw in raws:
        directory = directory.install_listing(raw, now=START)
    assert directory.peers("tonga") == ("fj.justice", "qm.justice")


def test_a_listing_of_another_network_or_with_a_broken_signature_is_refused() -> None:
    """Whatever a steward was handed."""
    ring = new_ring("atlantic", "fj.justice", random=seeded("x"), now=START)
    foreign = sign_listing(listing_of(ring, now=START), ring.signers("sign")).encode()
    with pytest.raises(NotForUs, match="atlantic"):
        stewards.with_listings(draft(), [Listed(foreign)])
    other = new_ring(NETWORK, "fj.justice", random=seeded("y"), now=START)
    forged = sign_listing(
        replace(listing_of(ring, now=START), network=NETWORK), other.signers("sign")
    ).encode()
    with pytest.raises(NotAuthentic):
        stewards.with_listings(draft(), [Listed(forged)])


def test_new_lasting_keys_get_a_term_after_the_old_and_a_log_of_their_own() -> None:
    """The old pair ends where the new one begins, so one speaks at each time."""
    first = stewards.with_listings(draft(), [Listed(listing("fj.justice"))])
    ring = new_ring(NETWORK, "fj.justice", random=seeded("new"), now=START + 100)
    keys = listed_keys(ring, start=START + 100)
    newer = sign_listing(
        replace(listing_of(ring, now=START + 100), keys=keys), ring.signers("sign")
    ).encode()
    entry = stewards.with_listings(first, [Listed(newer)]).authority("fj.justice")
    assert entry is not None
    assert [(one.start, one.until) for one in entry.sign] == [(0, START + 100), (START + 100, None)]
    assert [one.number for one in entry.logs] == [1, 2]
    assert stewards.with_listings(first, [Listed(listing("fj.justice"))]) == first


def test_an_authority_has_at_most_nine_witnesses_and_keeps_those_it_has() -> None:
    """Never itself, never one that is not active; free places go to those that follow."""
    names = [f"a{number:02}" for number in range(12)]
    document = stewards.with_listings(draft(f=2), [Listed(listing(name)) for name in names])
    for one in document.authorities:
        assert len(one.witnesses) == 9
        assert one.id not in one.witnesses
    assert document.authorities[11].witnesses == tuple(names[:9])
    before = document.authorities[0].witnesses
    after = stewards.with_status(document, before[0], "removed").authorities[0].witnesses
    assert after[:8] == before[1:]
    assert before[0] not in after
    assert len(after) == 9


def test_more_faulty_witnesses_than_there_can_be_are_refused() -> None:
    """Two authorities have one witness each, and none of them may be wrong."""
    raws = [Listed(listing(name)) for name in ("fj.justice", "qm.justice")]
    with pytest.raises(Malformed, match="witnesses"):
        stewards.unsigned(stewards.with_listings(draft(f=1), raws))


def test_a_threshold_of_half_the_stewards_is_no_draft() -> None:
    """Two halves could sign two documents."""
    with pytest.raises(Malformed, match="threshold"):
        draft(threshold=1)


@pytest.fixture
def trust() -> Trust:
    """Give a network with three stewards, two of which must sign."""
    return make_trust()


def test_the_next_version_keeps_what_is_not_changed(trust: Trust) -> None:
    """It follows the trusted one, and is accepted when enough have signed."""
    following = stewards.next_document(
        trust.document, created=START + 5, expires=START + YEAR_S, threshold=3, f=1
    )
    old = trust.document.document
    assert (following.version, following.prev) == (2, trust.document.digest)
    assert following.authorities == old.authorities
    statement = stewards.unsigned(following)
    for ring in trust.stewards:
        statement = stewards.sign_as_steward(statement.encode(), ring, signed_before={})
        standing = stewards.standing(statement.encode())
        assert standing.missing == 3 - len(standing.signed_by)
    directory = trust.directory.install_document(statement.encode(), now=START + 5)
    assert directory.document.version == 2


def test_one_key_signs_one_text_of_a_version() -> None:
    """The same text again is no second one; another version is free."""
    one = stewards.unsigned(draft()).encode()
    rival = stewards.unsigned(draft(expires=START + 7)).encode()
    before = {(NETWORK, 1): decode_document(one).identity}
    assert stewards.sign_as_steward(one, OFFICES[0], signed_before=before).signatures
    with pytest.raises(Rejected, match="signed another"):
        stewards.sign_as_steward(rival, OFFICES[0], signed_before=before)
    other = {(NETWORK, 2): "0" * 64}
    assert stewards.sign_as_steward(rival, OFFICES[0], signed_before=other).signatures


def test_an_office_that_left_signs_with_the_document_before(trust: Trust) -> None:
    """Old and new offices must both agree to a change of stewards."""
    following = stewards.next_document(
        trust.document, created=START, expires=START + YEAR_S,
        stewards=[steward_of(ring) for ring in OFFICES],
    )  # fmt: skip
    raw = stewards.unsigned(following).encode()
    with pytest.raises(Rejected):
        stewards.sign_as_steward(raw, trust.stewards[0], signed_before={})
    for ring in (*trust.stewards, *OFFICES):
        raw = stewards.sign_as_steward(
            raw, ring, signed_before={}, previous=trust.document.document
        ).encode()
    assert verify_first(decode_document(raw)).version == 2
    assert trust.directory.install_document(raw, now=START).document.version == 2
