"""Names, keys and key ids: one purpose, one id."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.encoding import Fields
from protocol.errors import Malformed
from protocol.identity import (
    ALGORITHMS,
    PUBLIC_KEY_BYTES,
    Algorithm,
    PublicKey,
    Purpose,
    case_opener,
    check_authority_id,
)

RAW = bytes(range(32))


@pytest.mark.parametrize("name", ["a", "7", "qm.justice", "a-b", "a..b", "q" + "-" * 62 + "m"])
def test_a_name_in_the_grammar_is_an_id(name: str) -> None:
    """Lower-case letters, digits, dots and hyphens, at most 64."""
    assert check_authority_id(name) == name


@pytest.mark.parametrize(
    "name", ["", ".", "a.", "-a", "A", "a_b", "a b", "a\n", "\u00e9", "a/b", "a" * 65, "\u0661"]
)
def test_anything_else_is_none(name: str) -> None:
    """Nothing that could be mistaken for another name, and no digit of another script."""
    with pytest.raises(Malformed):
        check_authority_id(name)


@given(st.text(max_size=8))
def test_a_case_names_its_opener(name: str) -> None:
    """The authority stands before the slash, or the text is no case id."""
    case = f"{name}/{'0' * 32}"
    try:
        check_authority_id(name)
    except Malformed:
        with pytest.raises(Malformed):
            case_opener(case)
    else:
        assert case_opener(case) == name


@pytest.mark.parametrize("case", ["fj.justice", "fj.justice/", "fj.justice/" + "0" * 31,
                                  "fj.justice/" + "0" * 33, "/" + "0" * 32,
                                  "fj.justice/" + "G" * 32])  # fmt: skip
def test_a_case_id_has_one_form(case: str) -> None:
    """Thirty-two lower-case hex digits after the slash."""
    with pytest.raises(Malformed):
        case_opener(case)


def test_a_key_of_another_purpose_has_another_id() -> None:
    """The same bytes under all purposes and algorithms that take them."""
    ids = {
        PublicKey(purpose, algorithm, bytes(PUBLIC_KEY_BYTES[algorithm])).key_id
        for purpose, algorithms in ALGORITHMS.items()
        for algorithm in algorithms
    }
    assert len(ids) == sum(len(algorithms) for algorithms in ALGORITHMS.values())


@pytest.mark.parametrize(
    ("purpose", "algorithm"),
    [pair for pair in product(ALGORITHMS, PUBLIC_KEY_BYTES) if pair[1] not in ALGORITHMS[pair[0]]],
)
def test_a_purpose_has_its_algorithms_and_no_others(purpose: Purpose, algorithm: Algorithm) -> None:
    """Every other pairing is refused."""
    with pytest.raises(Malformed):
        PublicKey(purpose, algorithm, bytes(PUBLIC_KEY_BYTES[algorithm]))


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_has_the_length_of_its_algorithm(size: int) -> None:
    """Neither more nor less."""
    with pytest.raises(Malformed):
        PublicKey("hop", "ed25519", bytes(size))


def test_a_key_comes_back_from_json() -> None:
    """With other fields beside it, which are left for the caller."""
    key = PublicKey("hop", "ed25519", RAW)
    fields = Fields({**key.to_json(), "from": 1}, "key")
    assert PublicKey.from_fields(fields) == key
    assert fields.has("from")


@pytest.mark.parametrize("change", [{"purpose": "ship"}, {"algorithm": "rsa"}, {"key": "AAAA"},
                                    {"algorithm": "x-wing"}])  # fmt: skip
def test_a_key_in_json_is_strict(change: dict[str, str]) -> None:
    """Unknown words and wrong lengths are refused."""
    key = PublicKey("hop", "ed25519", RAW)
    with pytest.raises(Malformed):
        PublicKey.from_fields(Fields({**key.to_json(), **change}, "key"))
