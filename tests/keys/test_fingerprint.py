"""Fingerprints and safety numbers: the same on both sides, different for anything else."""

from __future__ import annotations

import hashlib
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.fingerprint import Fingerprint, document_fingerprint, fingerprint, safety_number
from keys.pairs import pair_from_seeds
from protocol.errors import Misuse

A, B, C, D = ("a" * 64, "b" * 64, "c" * 64, "d" * 64)
IDS = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)


def test_a_fingershownis_the_hash_that_its_documentation_gives() -> None:
    """Written out by hand, as an implementer in another language would."""
    expected = hashlib.sha256(b'comity/v1/fingerprint\0["%b","%b"]' % (A.encode(), B.encode()))
    assert fingerprint([B, A]).hex == expected.hexdigest()


def test_a_safety_number_is_the_hash_that_its_documentation_gives() -> None:
    """Written out by hand, as an implementer in another language would."""
    text = f'comity/v1/safety-number\0[["fj.justice",["{C}"]],["qm.justice",["{A}","{B}"]]]'
    number = safety_number("qm.justice", [B, A], "fj.justice", [C])
    assert number.hex == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("hex_digest", "digits"),
    [
        ("0" * 64, " ".join(["00000"] * 12)),
        ("0" * 62 + "ff", " ".join(["00000"] * 11 + ["00255"])),
        (
            "f" * 64,  # 2^256 - 1 = 115792089237316195 423570985008687907...
            "42357 09850 08687 90785 32699 84665 64056 40394 57584 00791 31296 39935",
        ),
    ],
)
def test_the_digits_are_the_digest_modulo_ten_to_the_sixtieth(hex_digest: str, digits: str) -> None:
    """Leading zeros stay, so that everybody reads 12 groups of five."""
    shown = document_fingerprint(hex_digest)
    assert shown.digits == str(shown) == digits
    assert shown.hex == hex_digest


@given(st.lists(IDS, min_size=1, max_size=4, unique=True))
def test_the_order_of_the_keys_does_not_matter(ids: list[str]) -> None:
    """Whoever lists them, in whatever order, reads the same 12 groups of five digits."""
    assert {fingerprint(order) for order in permutations(ids)} == {fingerprint(ids)}
    groups = fingerprint(ids).groups
    assert [len(group) for group in groups] == [5] * 12
    assert "".join(groups).isdigit()


def test_both_sides_compute_the_same_safety_number() -> None:
    """It does not matter who is `a`, nor how the keys are listed."""
    here = safety_number("qm.justice", [A, B], "fj.justice", [C, D])
    there = safety_number("fj.justice", [D, C], "qm.justice", [B, A])
    assert here == there


def test_a_safety_number_changes_with_every_part() -> None:
    """Another id, another key, a missing key, or keys that changed sides."""
    numbers = [
        safety_number("qm.justice", [A, B], "fj.justice", [C, D]),
        safety_number("qm.justice", [A, B], "fj.police", [C, D]),
        safety_number("qm.justice", [A, B], "fj.justice", [C, "e" * 64]),
        safety_number("qm.justice", [A, B], "fj.justice", [C]),
        safety_number("qm.justice", [C, D], "fj.justice", [A, B]),
        safety_number("qm.justice", [A], "fj.justice", [B, C, D]),
    ]
    assert len({number.digits for number in numbers}) == len(numbers)


def test_different_labels_keep_different_numbers_apart() -> None:
    """A fingerprint of keys is never equal to the digest it might be compared with."""
    assert fingerprint([A]) != document_fingerprint(A)
    assert fingerprint([A, B]) != fingerprint([A])


def test_the_fingershownof_real_keys_stays_what_it_was() -> None:
    """A known answer over key ids, to notice a change of any link of the chain."""
    pair = pair_from_seeds("sign", (b"\x01" * 32, b"\x02" * 32))
    assert fingerprint(pair.key_ids).digits == (
        "95838 25985 38361 46435 75953 34878 56843 95568 87600 23964 67049 24642"
    )


@pytest.mark.parametrize(
    "ids", [[], [A, A], [A[:-1]], [A.upper()], [A + "\n"], ["g" * 64], [A, B, A]]
)
def test_what_is_not_a_set_of_key_ids_has_no_fingerprint(ids: list[str]) -> None:
    """Nothing, something twice, or something else than ids is a bug of the caller."""
    with pytest.raises(Misuse):
        fingerprint(ids)
    with pytest.raises(Misuse):
        safety_number("qm.justice", ids, "fj.justice", [C])


def test_a_safety_number_is_between_two_authorities() -> None:
    """Not with oneself, and not with something that is no authority id."""
    with pytest.raises(Misuse):
        safety_number("qm.justice", [A], "qm.justice", [B])
    with pytest.raises(Misuse):
        safety_number("qm.justice", [A], "QM", [B])


@pytest.mark.parametrize("text", ["", "ab", "A" * 64, "0" * 63, "0" * 65])
def test_a_fingershownis_made_of_a_whole_digest(text: str) -> None:
    """A shortened digest is not a fingerprint."""
    with pytest.raises(Misuse):
        Fingerprint(text)
