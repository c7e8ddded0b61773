"""Signed statements: what is signed, who must have signed, and what counts for nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.pairs import SignerPair
from protocol.dsse import (
    Signature,
    Unverified,
    decode_statement,
    merge_signatures,
    pae,
    sign,
    verify_exactly,
    verify_offices,
)
from protocol.errors import Malformed, Mismatch, NotAuthentic, TooLarge
from protocol.identity import PublicKey
from protocol.messages import MESSAGE_TYPE
from tests.support.forge import flipped, statement_json
from tests.support.public_data import public
from tests.vectors.makers.world import FJ_SIGN, QM_SIGN, pair

KIND = MESSAGE_TYPE
OFFICES: Mapping[str, SignerPair] = {
    name: pair(name, "steward") for name in ("north", "south", "west")
}
KEYS: Mapping[str, Sequence[PublicKey]] = {name: one.public for name, one in OFFICES.items()}


def signed(text: bytes = b"{}", by: SignerPair = FJ_SIGN) -> Unverified:
    """Give a statement with both signatures of one pair."""
    return sign(KIND, text, by)


def by_offices(*names: str, text: bytes = b"{}") -> Unverified:
    """Give a statement that several offices signed, sorted."""
    statement = Unverified(KIND, text, ())
    for name in names:
        statement = merge_signatures(sign(KIND, text, OFFICES[name]), statement)
    return statement


# --- what is signed ------------------------------------------------------------------------


def test_the_published_encodings_are_ours() -> None:
    """DSSE's own example and two with lengths that could be confused."""
    example = json.loads(public("dsse", "protocol-example.json").read_text())
    assert pae(example["payloadType"], b"hello world").hex() == example["pae_hex"]
    for case in example["extra_pae_cases"]:
        assert pae(case["type"], bytes.fromhex(case["body_hex"])).decode() == case["pae"]


@given(
    st.tuples(st.text(max_size=6), st.binary(max_size=6)),
    st.tuples(st.text(max_size=6), st.binary(max_size=6)),
)
def test_two_statements_never_sign_the_same_bytes(
    one: tuple[str, bytes], other: tuple[str, bytes]
) -> None:
    """Type and text can be told apart in what is signed."""
    assert (pae(*one) == pae(*other)) is (one == other)


def test_the_identity_is_that_of_the_text_whoever_signed() -> None:
    """Signatures are no part of it; type and text are."""
    one, other = signed(), signed(by=QM_SIGN)
    assert one.identity == other.identity == replace(one, signatures=()).identity
    assert signed(b"[]").identity != one.identity
    assert replace(one, type="application/vnd.comity.network.v1+json").identity != one.identity


# --- the form ------------------------------------------------------------------------------


@given(st.binary(max_size=40), st.lists(st.binary(max_size=80), max_size=3))
def test_a_statement_comes_back_as_it_was(text: bytes, raws: list[bytes]) -> None:
    """Decoding is the inverse of encoding, and signatures stay in their order."""
    made = tuple(Signature(f"{at:064x}", raw) for at, raw in enumerate(raws))
    statement = Unverified(KIND, text, made)
    raw = statement.encode()
    assert decode_statement(raw, kind=KIND, bytes_max=len(raw)) == statement
    with pytest.raises(TooLarge):
        decode_statement(raw, kind=KIND, bytes_max=len(raw) - 1)


@pytest.mark.parametrize(
    "change",
    [
        {"payload": None}, {"payloadType": 1}, {"payloadType": "application/json"},
        {"signatures": {}}, {"signatures": [[]]}, {"signatures": [{"keyid": "0" * 64}]},
        {"signatures": [{"keyid": "0" * 64, "sig": "A" * 5_464}]}, {"payload": "e30"},
        {"more": 0},
    ],
)  # fmt: skip
def test_a_statement_out_of_its_form_is_malformed(change: dict[str, object]) -> None:
    """Each field has one form, and there are no others."""
    with pytest.raises(Malformed):
        decode_statement(statement_json(signed(), **change), kind=KIND, bytes_max=100_000)


# --- one office ----------------------------------------------------------------------------


def test_a_statement_of_exactly_the_expected_keys_gives_its_text() -> None:
    """Both signatures, in their order."""
    assert verify_exactly(signed(b"text"), FJ_SIGN.public) == b"text"


@pytest.mark.parametrize("order", [(0,), (1,),
    (), (1, 0), (0, 0), (1, 1), (0, 1, 0), (0, 1, 1)])  # fmt: skip
def test_any_other_set_of_signatures_is_refused(order: tuple[int, ...]) -> None:
    """One missing, one more, one twice, another order."""
    made = signed().signatures
    statement = replace(signed(), signatures=tuple(made[at] for at in order))
    with pytest.raises(NotAuthentic):
        verify_exactly(statement, FJ_SIGN.public)


@pytest.mark.parametrize("place", [0, 1])
def test_each_of_both_signatures_must_hold(place: int) -> None:
    """A bit of either, and of the text."""
    statement = signed()
    made = list(statement.signatures)
    made[place] = replace(made[place], raw=flipped(made[place].raw, 5))
    for wrong in (replace(statement, signatures=tuple(made)), replace(statement, text=b"[]"),
                  replace(statement, type="application/vnd.comity.network.v1+json")):  # fmt: skip
        with pytest.raises(NotAuthentic):
            verify_exactly(wrong, FJ_SIGN.public)


def test_no_keys_verify_nothing() -> None:
    """All of none is not enough."""
    with pytest.raises(NotAuthentic):
        verify_exactly(Unverified(KIND, b"", ()), ())


# --- several offices -----------------------------------------------------------------------


@given(st.sets(st.sampled_from(sorted(OFFICES))))
def test_exactly_the_offices_that_signed_are_counted(names: set[str]) -> None:
    """Each once, whatever the order in which they signed."""
    assert verify_offices(by_offices(*names), KEYS) == names


@pytest.mark.parametrize("place", range(4))
def test_an_office_with_half_of_its_signatures_refuses_the_whole(place: int) -> None:
    """Also if enough others have signed."""
    statement = by_offices("north", "south")
    made = tuple(one for at, one in enumerate(statement.signatures) if at != place)
    with pytest.raises(NotAuthentic):
        verify_offices(replace(statement, signatures=made), KEYS)


@pytest.mark.parametrize("place", range(4))
def test_one_signature_that_does_not_hold_refuses_the_whole(place: int) -> None:
    """Nobody can add a bad one and have it passed over."""
    statement = by_offices("north", "south")
    made = list(statement.signatures)
    made[place] = replace(made[place], raw=flipped(made[place].raw, 1))
    with pytest.raises(NotAuthentic):
        verify_offices(replace(statement, signatures=tuple(made)), KEYS)


def test_signatures_of_strangers_count_for_nothing_and_stay() -> None:
    """They may be those of offices that this reader does not know."""
    statement = by_offices("north", "west")
    known = {"north": KEYS["north"]}
    assert verify_offices(statement, known) == {"north"}
    assert verify_offices(statement, {}) == set()


@pytest.mark.parametrize("change", ["turned", "twice"])
def test_signatures_of_several_stand_in_one_order(change: str) -> None:
    """Ascending by key id, none twice."""
    made = by_offices("north").signatures
    wrong = made[::-1] if change == "turned" else (made[0], *made)
    with pytest.raises(Malformed):
        verify_offices(Unverified(KIND, b"{}", wrong), KEYS)


def test_merging_keeps_our_own_signature() -> None:
    """A bad copy that comes later cannot push a good one out."""
    ours = by_offices("north")
    bad = replace(ours, signatures=tuple(replace(s, raw=b"bad") for s in ours.signatures))
    assert merge_signatures(ours, bad) == ours
    assert merge_signatures(bad, ours) == bad


@given(st.permutations(sorted(OFFICES)))
def test_merging_in_any_order_gives_one_statement(order: Sequence[str]) -> None:
    """But for the signatures that are drawn, the sets are equal."""
    merged = by_offices(*order)
    ids = [one.key_id for one in merged.signatures]
    assert ids == sorted(key.key_id for keys in KEYS.values() for key in keys)


def test_signatures_of_two_texts_are_not_merged() -> None:
    """Nor of two types."""
    with pytest.raises(Mismatch):
        merge_signatures(signed(b"{}"), signed(b"[]"))
