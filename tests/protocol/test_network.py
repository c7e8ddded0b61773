"""Attacks on network documents: a sentence, what is changed, how it is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.pairs import SignerPair
from keys.ring import new_ring, new_steward_ring
from protocol.document import Document, KeyTerm
from protocol.dsse import Signature, Unverified, sign, verify_offices
from protocol.errors import (
    EpochAhead,
    EpochOld,
    Malformed,
    Mismatch,
    NotAuthentic,
    NotForUs,
    NotPermitted,
    Rejected,
)  # fmt: skip
from protocol.network import (
    NETWORK_TYPE,
    add_signature,
    decode_document,
    merge_signatures,
    rotations,
    sign_document,
    verify_first,
    verify_healing,
    verify_next,
    verify_rotation,
)  # fmt: skip
from tests.support.trust import (
    NETWORK,
    Trust,
    Value,
    entry_of,
    make_trust,
    seeded,
    steward_of,
)  # fmt: skip

HEX = "ab" * 32


@cache
def trust() -> Trust:
    """Make one network for all tests of this file: it is a value."""
    return make_trust(stewards=3, threshold=2)


def pairs(*numbers: int) -> list[SignerPair]:
    """Give the pairs of some stewards, counted from 1."""
    return [trust().steward_pairs[number - 1] for number in numbers]


def following(**changes: Value) -> Document:
    """Give the text of the next document, changed."""
    old = trust().document
    fields = {"version": 2, "prev": old.digest, "created": old.document.created + 1}
    return replace(old.document, **{**fields, **changes})


def unchecked(document: Document, signers: list[SignerPair]) -> Unverified:
    """Sign a document that our own tool would refuse to sign."""
    statement = Unverified(NETWORK_TYPE, document.text(), ())
    for pair in signers:
        statement = merge_signatures(sign(NETWORK_TYPE, statement.text, pair), statement)
    return statement


# --- k of n -------------------------------------------------------------------


@pytest.mark.parametrize("signers", [(1, 2), (1, 3), (2, 3), (3, 1), (1, 2, 3)])
def test_enough_distinct_stewards_make_a_document_trusted(signers: tuple[int, ...]) -> None:
    """Any threshold of offices will do, in whatever order they signed."""
    statement = sign_document(trust().document.document, pairs(*signers))
    trusted = verify_first(decode_document(statement.encode()))
    assert len(trusted.signed_by) == len(signers)
    assert trusted.digest == statement.identity


@given(st.sets(st.integers(0, 4)), st.integers(3, 5))
def test_fewer_offices_than_the_threshold_never_do(chosen: set[int], threshold: int) -> None:
    """No set of fewer than k distinct offices verifies, and every set of k does."""
    five = make_five(threshold)
    statement = sign_document(five.document.document, [five.steward_pairs[i] for i in chosen])
    if len(chosen) >= threshold:
        assert len(verify_first(statement).signed_by) == len(chosen)
    else:
        with pytest.raises(NotAuthentic):
            verify_first(statement)


@cache
def make_five(threshold: int) -> Trust:
    """Make a network of five stewards."""
    return make_trust(("qm.justice",), stewards=5, threshold=threshold)


def _by(*numbers: int) -> Unverified:
    return sign_document(trust().document.document, pairs(*numbers))


def _with(statement: Unverified, signatures: list[Signature]) -> Unverified:
    return replace(statement, signatures=tuple(signatures))


def _flip(statement: Unverified, place: int) -> Unverified:
    signatures = list(statement.signatures)
    bad = bytes([signatures[place].raw[0] ^ 1]) + signatures[place].raw[1:]
    signatures[place] = replace(signatures[place], raw=bad)
    return _with(statement, signatures)


def _renamed() -> Unverified:
    """Give one steward's signatures a second time, under another's ids."""
    own, other = _by(1), trust().steward_pairs[1]
    by_length = {len(one.raw): one.raw for one in own.signatures}
    second = [
        Signature(other.key_ids[0], by_length[64]),
        Signature(other.key_ids[1], by_length[3309]),
    ]
    return _with(own, sorted([*own.signatures, *second], key=lambda one: one.key_id))


SIGNATURES: list[tuple[str, Callable[[], Unverified], type[Rejected]]] = [
    ("nobody signed", lambda: _with(_by(1), []), NotAuthentic),
    ("one office of two", lambda: _by(1), NotAuthentic),
    ("one office's signatures twice", lambda: _with(_by(1), sorted(
        [*_by(1).signatures, *_by(1).signatures], key=lambda one: one.key_id)), Malformed),
    ("one office's signatures under a second name", _renamed, NotAuthentic),
    ("signatures out of order", lambda: _with(_by(1, 2), [*_by(1, 2).signatures][::-1]), Malformed),
    ("an office with one signature stripped", lambda: _with(
        _by(1, 2), list(_by(1, 2).signatures[1:])), NotAuthentic),
    ("a signature with a changed byte", lambda: _flip(_by(1, 2), 0), NotAuthentic),
    ("a changed byte in the last signature", lambda: _flip(_by(1, 2), 3), NotAuthentic),
    ("a text of another type", lambda: replace(
        _by(1, 2), type="application/vnd.comity.listing.v1+json"), NotAuthentic),
    ("strangers only", lambda: unchecked(trust().document.document, [
        new_steward_ring("x", random=seeded("x"), now=0).signers(),
        new_steward_ring("y", random=seeded("y"), now=0).signers()]), NotAuthentic),
    ("authorities instead of stewards", lambda: unchecked(trust().document.document, [
        trust().sign_pair("fj.justice"), trust().sign_pair("qm.justice")]), NotAuthentic),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "make", "error"), SIGNATURES, ids=[x[0] for x in SIGNATURES])
def test_signatures_that_do_not_make_a_threshold_are_refused(
    sentence: str, make: Callable[[], Unverified], error: type[Rejected]
) -> None:
    """Offices are counted, never keys or signatures."""
    with pytest.raises(error):
        verify_first(make())


def test_a_statement_of_another_type_does_not_decode_as_a_document() -> None:
    """A listing's bytes are no document's."""
    with pytest.raises(Malformed):
        decode_document(trust().listings[0])


def test_merging_keeps_every_office_and_the_first_copy() -> None:
    """Sets of signatures over one text add up; a second copy pushes none out."""
    first, second = _by(1), sign_document(trust().document.document, pairs(2))
    assert len(verify_first(merge_signatures(first, second)).signed_by) == 2
    assert merge_signatures(first, _flip(first, 0)) == first


def test_signatures_of_two_texts_are_not_merged() -> None:
    """Merging never moves a signature to another text."""
    other = sign_document(following(), pairs(2))
    with pytest.raises(Mismatch):
        merge_signatures(_by(1), other)


def test_a_steward_of_the_document_may_add_a_signature() -> None:
    """One office after the other signs, and the order does not matter."""
    statement = add_signature(_by(1), pairs(3)[0])
    assert verify_first(statement).signed_by == {"Steward 1", "Steward 3"}


def test_a_stranger_may_not_add_a_signature() -> None:
    """The tool refuses a signer whom the document does not concern."""
    stranger = new_steward_ring("x", random=seeded("x"), now=0).signers()
    with pytest.raises(NotPermitted):
        add_signature(_by(1), stranger)


def test_a_steward_who_leaves_signs_the_document_without_it() -> None:
    """Stewards of the previous list are allowed to sign, if the tool is shown that list."""
    old = trust().document.document
    document = following(stewards=old.stewards[:2])
    statement = sign_document(document, pairs(1, 2))
    with pytest.raises(NotPermitted):
        add_signature(statement, pairs(3)[0])
    signed = add_signature(statement, pairs(3)[0], previous=old)
    assert "Steward 3" in verify_next(signed, trust().document).signed_by


def test_our_tool_signs_nothing_that_no_node_would_take() -> None:
    """A document that breaks a rule is refused before anybody signs it."""
    with pytest.raises(Malformed):
        sign_document(following(threshold=1), pairs(1, 2))


# --- the chain ----------------------------------------------------------------


def _new_stewards() -> tuple[Any, list[SignerPair]]:
    rings = [new_steward_ring(f"new {n}", random=seeded(f"new {n}"), now=0) for n in range(3)]
    return tuple(steward_of(ring) for ring in rings), [ring.signers() for ring in rings]


def _without(authority: str) -> tuple[Any, ...]:
    kept = [one for one in trust().document.document.authorities if one.id != authority]
    return tuple(replace(one, witnesses=()) for one in kept)


def _other_log() -> tuple[Any, ...]:
    first, *rest = trust().document.document.authorities
    ring = new_ring(NETWORK, first.id, random=seeded("other log"), now=0)
    return (replace(first, logs=entry_of(ring).logs), *rest)


CHAIN: list[tuple[str, Callable[[], Unverified], type[Rejected]]] = [
    ("the trusted document again", lambda: trust().document.statement, EpochOld),
    ("a version left out", lambda: sign_document(following(version=3), pairs(1, 2)), EpochAhead),
    ("another predecessor", lambda: sign_document(following(prev=HEX), pairs(1, 2)), Mismatch),
    ("a healing of no split", lambda: sign_document(
        following(prev=(HEX, "cd" * 32)), pairs(1, 2)), Mismatch),
    ("another network", lambda: sign_document(following(network="other"), pairs(1, 2)), NotForUs),
    ("made before its predecessor", lambda: sign_document(
        following(created=trust().document.document.created - 1), pairs(1, 2)), Mismatch),
    ("one old steward", lambda: sign_document(following(), pairs(2)), NotAuthentic),
    ("new stewards that only the new ones signed", lambda: sign_document(
        following(stewards=_new_stewards()[0]), _new_stewards()[1]), NotAuthentic),
    ("new stewards that only the old ones signed", lambda: sign_document(
        following(stewards=_new_stewards()[0]), pairs(1, 2, 3)), NotAuthentic),
    ("a raised threshold that the new list does not reach", lambda: sign_document(
        following(threshold=3), pairs(1, 2)), NotAuthentic),
    ("a lowered threshold that the old list does not reach", lambda: sign_document(
        following(stewards=trust().document.document.stewards[:1], threshold=1), pairs(1)),
     NotAuthentic),
    ("an authority that vanishes", lambda: sign_document(
        following(authorities=_without("to.justice")), pairs(1, 2)), Mismatch),
    ("a log whose keys change", lambda: sign_document(
        following(authorities=_other_log()), pairs(1, 2)), Mismatch),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "make", "error"), CHAIN, ids=[x[0] for x in CHAIN])
def test_a_document_that_does_not_follow_is_refused(
    sentence: str, make: Callable[[], Unverified], error: type[Rejected]
) -> None:
    """Version plus one, the trusted digest, both thresholds, and no rewritten past."""
    with pytest.raises(error):
        verify_next(make(), trust().document)


def test_the_next_document_is_trusted_by_old_and_new_thresholds() -> None:
    """All stewards may be replaced at once if both lists agree."""
    stewards, signers = _new_stewards()
    statement = sign_document(following(stewards=stewards), [*pairs(1, 3), *signers[:2]])
    trusted = verify_next(decode_document(statement.encode()), trust().document)
    assert trusted.version == 2
    assert trusted.signed_by == {"Steward 1", "Steward 3", "new 0", "new 1"}


# --- splits ---------------------------------------------------------------------


def _rivals() -> list[str]:
    """Give the digests of two documents of version 2."""
    expires = trust().document.document.expires
    made = [sign_document(following(expires=expires + n), pairs(1, 2)) for n in (1, 2)]
    return sorted(statement.identity for statement in made)


def _healing(signers: list[SignerPair], **changes: Value) -> Unverified:
    fields = {"version": 3, "prev": tuple(_rivals()), **changes}
    return sign_document(following(**fields), signers)


def test_a_document_that_names_all_rivals_heals() -> None:
    """The threshold of the last common list ends a split."""
    trusted = verify_healing(
        _healing(pairs(1, 2)), common=trust().document, branches=_rivals(), newest=2
    )
    assert trusted.version == 3


HEALING: list[tuple[str, Callable[[], Unverified], type[Rejected]]] = [
    ("too few of the common list", lambda: _healing(pairs(1)), NotAuthentic),
    ("a rival left out", lambda: _healing(
        pairs(1, 2), prev=tuple(sorted([HEX, _rivals()[0]]))), Mismatch),
    ("a rival that nobody was shown", lambda: _healing(
        pairs(1, 2), prev=tuple(sorted([HEX, *_rivals()]))), Mismatch),
    ("one predecessor only", lambda: _healing(pairs(1, 2), prev=_rivals()[0]), Mismatch),
    ("a version that is taken", lambda: _healing(pairs(1, 2), version=2), EpochOld),
    ("another network", lambda: _healing(pairs(1, 2), network="other"), NotForUs),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "make", "error"), HEALING, ids=[x[0] for x in HEALING])
def test_a_document_that_does_not_heal_is_refused(
    sentence: str, make: Callable[[], Unverified], error: type[Rejected]
) -> None:
    """Healing needs exactly the rivals, a new version and the common threshold."""
    with pytest.raises(error):
        verify_healing(make(), common=trust().document, branches=_rivals(), newest=2)


# --- sign keys that change --------------------------------------------------------


def _rotated(*, keep: bool) -> Document:
    first, *rest = trust().document.document.authorities
    ring = new_ring(NETWORK, first.id, random=seeded("rotated"), now=0)
    old = replace(first.sign[0], until=100)
    new = KeyTerm(ring.signers("sign").key_ids, 100, None)
    return following(authorities=(replace(first, sign=(old, new) if keep else (new,)), *rest))


def test_a_rotation_that_the_old_pair_signed_is_proven() -> None:
    """The old pair stays listed with its end and signs the document too."""
    document, old_pair = _rotated(keep=True), trust().sign_pair("fj.justice")
    statement = add_signature(sign_document(document, pairs(1, 2)), old_pair)
    verify_next(statement, trust().document)
    (found,) = rotations(trust().document.document, document)
    assert (found.authority, found.kept) == ("fj.justice", True)
    verify_rotation(found, statement, old_pair.public)


@pytest.mark.parametrize("keep", [True, False])
def test_a_rotation_that_the_old_pair_did_not_sign_is_a_reset(*, keep: bool) -> None:
    """Stewards alone may replace sign keys, and every node sees that they did."""
    document = _rotated(keep=keep)
    statement = sign_document(document, pairs(1, 2))
    verify_next(statement, trust().document)
    (found,) = rotations(trust().document.document, document)
    with pytest.raises(NotAuthentic):
        verify_rotation(found, statement, trust().sign_pair("fj.justice").public)


def test_another_pair_cannot_agree_to_a_rotation() -> None:
    """The signatures of anybody else's pair prove nothing."""
    document, other = _rotated(keep=True), trust().sign_pair("qm.justice")
    statement = add_signature(sign_document(document, pairs(1, 2)), other)
    (found,) = rotations(trust().document.document, document)
    with pytest.raises(NotAuthentic):
        verify_rotation(found, statement, other.public)


SIGN_CHANGES: list[tuple[str, Callable[[KeyTerm], tuple[KeyTerm, ...]], bool]] = [
    ("nothing", lambda term: (term,), False),
    ("an end of the current pair", lambda term: (replace(term, until=9),), True),
    ("a later beginning", lambda term: (replace(term, start=9),), True),
    ("a pair in the past", lambda term: (
        KeyTerm(("aa" * 32, "bb" * 32), 0, 5), replace(term, start=5)), True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("sentence", "change", "rotates"), SIGN_CHANGES, ids=[x[0] for x in SIGN_CHANGES]
)
def test_every_change_of_sign_keys_but_pruning_is_seen(
    sentence: str, change: Callable[[KeyTerm], tuple[KeyTerm, ...]], rotates: bool
) -> None:
    """A new end, a new past and a new pair all need the old pair's word."""
    first, *rest = trust().document.document.authorities
    document = following(authorities=(replace(first, sign=change(first.sign[0])), *rest))
    assert bool(rotations(trust().document.document, document)) is rotates


def test_pruning_a_term_that_is_over_is_no_rotation() -> None:
    """Old terms may leave the list: the documents of their time still hold them."""
    before = _rotated(keep=True)
    first, *rest = before.authorities
    after = replace(before, authorities=(replace(first, sign=first.sign[1:]), *rest))
    assert rotations(before, after) == ()


def test_signatures_of_unknown_keys_count_for_nobody() -> None:
    """A stranger's signatures neither help nor hurt."""
    stranger = new_steward_ring("x", random=seeded("x"), now=0).signers()
    statement = unchecked(trust().document.document, [*pairs(1), stranger])
    offices = trust().document.document.offices()
    assert verify_offices(statement, offices) == {"Steward 1"}
