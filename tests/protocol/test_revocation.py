"""Attacks on revocations: a sentence, what is changed, how it is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.dsse import Unverified
from protocol.errors import Malformed, NotAuthentic, NotForUs, NotPermitted, Rejected
from protocol.revocation import (
    Revocation,
    decode_revocation,
    decode_revocation_text,
    sign_revocation,
    sign_revocation_as_stewards,
    verify_by_stewards,
    verify_own,
)
from tests.support.clock import START
from tests.support.trees import Change, Tree, drop, dumped, put
from tests.support.trust import NETWORK, Trust, make_trust

OWN = "fj.justice"
REVOCATION = Revocation(NETWORK, OWN, "hop", "ab" * 32, START, None)


@cache
def trust() -> Trust:
    """Make one network for all tests of this file: it is a value."""
    return make_trust(stewards=3, threshold=2)


def test_a_revocation_decodes_to_what_was_encoded() -> None:
    """Encoding and decoding are inverse, with and without a log size."""
    for revocation in (REVOCATION, replace(REVOCATION, log_size=0)):
        assert decode_revocation_text(revocation.text()) == revocation
    raw = sign_revocation(REVOCATION, trust().sign_pair(OWN)).encode()
    assert decode_revocation(raw).encode() == raw


MALFORMED: list[tuple[str, Change]] = [
    ("an unknown version of the form", put("v", 2)),
    ("an unknown field", put("reason", "x")),
    ("a missing field", drop("log_size")),
    ("a steward's key", put("purpose", "steward")),
    ("an unknown purpose", put("purpose", "all")),
    ("a key id with a capital", put("key_id", "AB" * 32)),
    ("a short key id", put("key_id", "ab")),
    ("no authority", put("authority", "")),
    ("a time that is null", put("at", None)),
    ("a log size below nothing", put("log_size", -1)),
]


@pytest.mark.parametrize(("sentence", "change"), MALFORMED, ids=[x[0] for x in MALFORMED])
def test_a_revocation_of_another_form_is_refused(sentence: str, change: Change) -> None:
    """Every rule that one revocation can be judged by alone holds."""
    changed: Tree = json.loads(REVOCATION.text())
    change(changed)
    with pytest.raises(Malformed):
        decode_revocation_text(dumped(changed))


@given(st.binary(max_size=300))
def test_any_bytes_give_a_revocation_or_a_refusal(raw: bytes) -> None:
    """The decoders are total: no other exception comes out."""
    for decoder in (decode_revocation, decode_revocation_text):
        with pytest.raises(Rejected):
            decoder(raw)


def _own(revocation: Revocation = REVOCATION, by: str = OWN) -> Unverified:
    return sign_revocation(revocation, trust().sign_pair(by))


def _stewards(*numbers: int, revocation: Revocation = REVOCATION) -> Unverified:
    chosen = [trust().steward_pairs[number - 1] for number in numbers]
    return sign_revocation_as_stewards(revocation, chosen)


def test_the_authority_revokes_its_own_key() -> None:
    """Both signatures of its sign pair are enough."""
    trusted = verify_own(_own(), trust().document.document, trust().sign_pair(OWN).public)
    assert trusted.revocation == REVOCATION


@pytest.mark.parametrize("signers", [(1, 2), (3, 1), (1, 2, 3)])
def test_enough_distinct_stewards_revoke_for_an_authority(signers: tuple[int, ...]) -> None:
    """Any threshold of offices will do, in whatever order they signed."""
    trusted = verify_by_stewards(_stewards(*signers), trust().document.document)
    assert trusted.digest == _stewards(1).identity


FORGED_OWN: list[tuple[str, Callable[[], Unverified], type[Rejected]]] = [
    ("another authority's signature", lambda: _own(by="qm.justice"), NotAuthentic),
    ("one signature stripped", lambda: replace(
        _own(), signatures=_own().signatures[:1]), NotAuthentic),
    ("no signature", lambda: replace(_own(), signatures=()), NotAuthentic),
    ("a text changed after signing", lambda: replace(
        _own(), text=replace(REVOCATION, key_id="cd" * 32).text()), NotAuthentic),
    ("another network", lambda: _own(replace(REVOCATION, network="other")), NotForUs),
    ("an authority that is not listed", lambda: _own(
        replace(REVOCATION, authority="xx.none")), NotPermitted),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "make", "error"), FORGED_OWN, ids=[x[0] for x in FORGED_OWN])
def test_a_revocation_that_is_not_the_authoritys_word_is_refused(
    sentence: str, make: Callable[[], Unverified], error: type[Rejected]
) -> None:
    """Exactly the pair of the authority has signed exactly this text."""
    with pytest.raises(error):
        verify_own(make(), trust().document.document, trust().sign_pair(OWN).public)


FORGED_STEWARDS: list[tuple[str, Callable[[], Unverified], type[Rejected]]] = [
    ("nobody", _stewards, NotAuthentic),
    ("one office of two", lambda: _stewards(2), NotAuthentic),
    ("one office twice", lambda: _stewards(2, 2), NotAuthentic),
    ("an office with one signature stripped", lambda: replace(
        _stewards(1, 2), signatures=_stewards(1, 2).signatures[1:]), NotAuthentic),
    ("signatures out of order", lambda: replace(
        _stewards(1, 2), signatures=_stewards(1, 2).signatures[::-1]), Malformed),
    ("a text changed after signing", lambda: replace(
        _stewards(1, 2), text=replace(REVOCATION, at=START + 1).text()), NotAuthentic),
    ("the authority and one steward", lambda: sign_revocation_as_stewards(
        REVOCATION, [trust().sign_pair(OWN), trust().steward_pairs[0]]), NotAuthentic),
    ("another network", lambda: _stewards(
        1, 2, revocation=replace(REVOCATION, network="other")), NotForUs),
    ("an authority that is not listed", lambda: _stewards(
        1, 2, revocation=replace(REVOCATION, authority="xx.none")), NotPermitted),
]  # fmt: skip


@pytest.mark.parametrize(
    ("sentence", "make", "error"), FORGED_STEWARDS, ids=[x[0] for x in FORGED_STEWARDS]
)
def test_a_revocation_by_too_few_stewards_is_refused(
    sentence: str, make: Callable[[], Unverified], error: type[Rejected]
) -> None:
    """Offices are counted, never keys or signatures."""
    with pytest.raises(error):
        verify_by_stewards(make(), trust().document.document)


def test_no_keys_verify_nothing() -> None:
    """An empty list of keys is met by an empty list of signatures, and refused."""
    with pytest.raises(NotAuthentic):
        verify_own(replace(_own(), signatures=()), trust().document.document, ())
