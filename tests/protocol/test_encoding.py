"""Canonical JSON, strict base64 and the reading of fields: one value, one encoding."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from protocol.encoding import Fields, Json, canonical, decode, from_base64, to_base64
from protocol.errors import Malformed, Misuse, Rejected, TooLarge
from protocol.limits import INTEGER_MAX, JSON_DEPTH_MAX
from tests.support.public_data import ROOT, public
from tests.support.strategies import json_values

MIB = 1024 * 1024


@given(json_values())
def test_the_fast_encoder_writes_what_an_rfc_8785_library_writes(value: Json) -> None:
    """Orjson with sorted keys is canonical as long as keys are ASCII."""
    assert canonical(value) == rfc8785.dumps(value)


@given(json_values())
def test_decoding_is_the_inverse_of_encoding(value: Json) -> None:
    """What was encoded comes back, and only from these bytes."""
    raw = canonical(value)
    assert decode(raw, bytes_max=len(raw)) == value
    with pytest.raises(TooLarge):
        decode(raw, bytes_max=len(raw) - 1)
    for other in (raw + b" ", b" " + raw, raw + b"," + raw):
        with pytest.raises(Malformed):
            decode(other, bytes_max=MIB)


@given(json_values())
def test_a_cut_text_is_refused_at_every_byte(value: Json) -> None:
    """No prefix of a structure is a structure."""
    raw = canonical([value])
    for end in range(len(raw)):
        with pytest.raises(Malformed):
            decode(raw[:end], bytes_max=MIB)


@pytest.mark.parametrize(
    "value",
    [
        1.0, -1, INTEGER_MAX + 1, {"\u00e9": 1}, {1: 2}, b"bytes", {"a": {1}}, "\ud800", ["\udfff"],
        {"a": [float("nan")]}, Exception(),
    ],
    ids=repr,
)  # fmt: skip
def test_what_cannot_be_sent_is_our_own_mistake(value: Json) -> None:
    """Encoding never guesses: a caller that asks for it has a bug."""
    with pytest.raises(Misuse):
        canonical(value)


def test_depth_is_bounded_both_ways() -> None:
    """Thirty-two lists around a value, and no more."""
    deepest: Json = 0
    for _ in range(JSON_DEPTH_MAX):
        deepest = [deepest]
    assert decode(canonical(deepest), bytes_max=MIB) == deepest
    with pytest.raises(Misuse):
        canonical([deepest])
    with pytest.raises(TooLarge):
        decode(b"[" * 33 + b"0" + b"]" * 33, bytes_max=MIB)
    with pytest.raises(Rejected):
        decode(b"[" * 100_000, bytes_max=MIB)


# --- published data ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["arrays", "french", "structures", "unicode", "values", "weird"]
)  # fmt: skip
def test_published_rfc_8785_outputs_are_taken_or_are_beyond_what_we_carry(name: str) -> None:
    """Canonical bytes decode unless they hold a number or key that our JSON has not."""
    source = json.loads(public("jcs", "input", f"{name}.json").read_text(encoding="utf-8"))
    output = public("jcs", "output", f"{name}.json").read_bytes()
    assert rfc8785.dumps(source) == output
    value = json.loads(output)
    if name in {"values", "weird", "french"}:  # fractions, or keys beyond ASCII
        with pytest.raises(Malformed):
            decode(output, bytes_max=MIB)
        with pytest.raises(Misuse):
            canonical(value)
    else:
        assert decode(output, bytes_max=MIB) == value
        assert canonical(value) == output


def _parsing_cases() -> list[str]:
    found = sorted(path.name for path in (ROOT / "json-parsing").glob("*.json"))
    return found or ["n_array_just_comma.json"]


@pytest.mark.parametrize("name", _parsing_cases())
def test_published_parser_tests_are_refused_or_written_again_alike(name: str) -> None:
    """What is no JSON is refused, with no other exception; what is taken has one form."""
    raw = public("json-parsing", name).read_bytes()
    try:
        value = decode(raw, bytes_max=4 * MIB)
    except Rejected:
        return
    assert not name.startswith("n_")
    assert canonical(value) == raw


# --- base64 --------------------------------------------------------------------------------


@given(st.binary(max_size=64))
def test_base64_comes_back(raw: bytes) -> None:
    """And is the standard one."""
    assert from_base64(to_base64(raw)) == raw
    assert to_base64(raw) == base64.b64encode(raw).decode()


@given(st.text(st.sampled_from("AQab19+/=-_ \n\u00e9"), max_size=12))
def test_no_two_texts_give_the_same_bytes(text: str) -> None:
    """A text is refused, or it is the one encoding of its bytes."""
    try:
        raw = from_base64(text)
    except Malformed:
        return
    assert to_base64(raw) == text


# --- fields --------------------------------------------------------------------------------


def fields(**value: Json) -> Fields:
    """Give the reader of one object."""
    return Fields(value, "thing")


HEX = "0f" * 32

REFUSED: dict[str, Callable[[], object]] = {
    "not an object": lambda: Fields([], "thing"),
    "an absent field": lambda: fields().take("a"),
    "an unknown field": lambda: fields(a=1).done(),
    "a number as text": lambda: fields(a=1).text("a"),
    "a text too long": lambda: fields(a="abc").text("a", chars_max=2),
    "a text out of its pattern": lambda: fields(a="abc").text("a", pattern=re.compile("ab")),
    "a word of none": lambda: fields(a="c").choice("a", ("a", "b")),
    "a boolean as integer": lambda: fields(a=True).integer("a"),
    "a text as integer": lambda: fields(a="1").integer("a"),
    "an integer below": lambda: fields(a=1).integer("a", low=2),
    "an integer above": lambda: fields(a=3).integer("a", high=2),
    "a digest too short": lambda: fields(a=HEX[1:]).digest("a"),
    "a digest in upper case": lambda: fields(a=HEX.upper()).digest("a"),
    "a digest with a newline": lambda: fields(a=HEX[1:] + "\n").digest("a"),
    "an absent null": lambda: fields().digest_or_none("a"),
    "a digest twice": lambda: fields(a=[HEX, HEX]).digests("a", count_max=2),
    "no digest in a list": lambda: fields(a=["0"]).digests("a", count_max=2),
    "bytes too long": lambda: fields(a="AAAA").base64("a", bytes_max=2),
    "bytes of another size": lambda: fields(a="AAAA").base64("a", size=2),
    "no list": lambda: fields(a={}).items("a", count_max=1),
    "no object": lambda: fields(a=[]).object("a"),
    "a number among texts": lambda: fields(a=[1]).texts("a", count_max=1),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_a_field_out_of_its_form_is_malformed(fault: str) -> None:
    """Each rule of a field refuses, and no detail quotes a value."""
    with pytest.raises(Malformed) as caught:
        REFUSED[fault]()
    assert "abc" not in caught.value.detail
    assert HEX not in caught.value.detail


def test_a_list_with_too_many_items_is_too_large() -> None:
    """Counting comes before looking."""
    with pytest.raises(TooLarge):
        fields(a=[1, {}]).items("a", count_max=1)


def test_fields_are_read_once_each_and_then_done() -> None:
    """Every kind of field gives its value, and nothing is left."""
    reader = fields(
        text="x", word="b", number=2, none=None, maybe=3, digest=HEX, no_digest=None,
        digests=[HEX], raw="AAA=", items=[1], texts=["x"], thing={"a": 1}, any=[None],
    )  # fmt: skip
    assert reader.has("text")
    assert reader.text("text", pattern=re.compile("x")) == "x"
    assert not reader.has("text")
    assert reader.choice("word", ("a", "b")) == "b"
    assert reader.integer("number", low=2, high=2) == 2
    assert reader.integer_or_none("none") is None
    assert reader.integer_or_none("maybe", low=3, high=3) == 3
    assert (reader.digest("digest"), reader.digest_or_none("no_digest")) == (HEX, None)
    assert reader.digests("digests", count_max=1) == (HEX,)
    assert reader.base64("raw", size=2) == b"\0\0"
    assert reader.items("items", count_max=1) == [1]
    assert reader.texts("texts", count_max=1) == ("x",)
    assert reader.object("thing") == {"a": 1}
    assert reader.take("any") == [None]
    reader.done()


def test_reading_leaves_the_object_as_it_was() -> None:
    """The caller's value is not used up."""
    value: dict[str, Json] = {"a": 1}
    Fields(value, "thing").integer("a")
    assert value == {"a": 1}
