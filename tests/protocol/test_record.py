"""Records and entries: a commitment says nothing without record and salt."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import REFUSALS, Malformed, Misuse, TooLarge
from protocol.record import (
    Decision,
    commitment,
    decode_decision,
    encode_record,
    entry,
)
from tests.support.forge import changed
from tests.vectors.makers.messages import ACCEPTED, REFUSED

SALT = bytes(range(32))


@given(st.binary(max_size=40), st.binary(max_size=40), st.binary(min_size=32, max_size=32))
def test_an_entry_has_one_length_and_binds_its_record(
    record: bytes, other: bytes, salt: bytes
) -> None:
    """Another record or another salt, another entry; always 33 bytes."""
    made = entry(commitment(record, salt))
    assert len(made) == 33
    assert made[0] == 1
    assert (entry(commitment(other, salt)) == made) is (other == record)
    assert (entry(commitment(record, SALT)) == made) is (salt == SALT)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_salt_has_32_bytes(size: int) -> None:
    """A shorter one could be guessed, and a longer one could run into the record."""
    with pytest.raises(Misuse):
        commitment(b"", bytes(size))


@pytest.mark.parametrize("decision", [ACCEPTED, REFUSED, replace(ACCEPTED, order=None)])
def test_a_decision_comes_back(decision: Decision) -> None:
    """Accepted or finally refused."""
    assert decode_decision(decision.encode()) == decision


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_only_final_codes_are_proved(code: str) -> None:
    """What may be lifted stays a hint."""
    raw = replace(REFUSED, code=code).encode()
    if REFUSALS[code].final:
        assert decode_decision(raw).code == code
    else:
        with pytest.raises(Malformed):
            decode_decision(raw)


@pytest.mark.parametrize("decision", [ACCEPTED, REFUSED])
def test_a_cut_or_lengthened_record_is_refused(decision: Decision) -> None:
    """At every byte."""
    raw = decision.encode()
    for end in range(len(raw)):
        with pytest.raises(Malformed):
            decode_decision(raw[:end])
    with pytest.raises(TooLarge):
        decode_decision(changed(raw, more="a" * 4_096))


def test_a_record_over_its_limit_is_never_written() -> None:
    """A record holds ids and codes; one that long has something else in it."""
    with pytest.raises(Misuse):
        encode_record("pacific", "case.note", {"text": "a" * 4_096})


def test_the_kind_of_a_record_cannot_be_overwritten_by_its_fields() -> None:
    """`v`, `network` and `kind` are the caller's arguments."""
    raw = encode_record("pacific", "case.read", {"kind": "other", "v": 2, "network": "x"})
    assert raw == b'{"kind":"case.read","network":"pacific","v":1}'
