"""The bundle as a file: one encoding, which any tool opens, and nothing beside it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.bundle import (
    FOLDERS,
    About,
    Bundle,
    decode_bundle,
    decode_container,
    encode_container,
)
from protocol.encoding import canonical
from protocol.errors import Malformed, TooLarge
from protocol.limits import BUNDLE_BYTES_MAX, BUNDLE_ENTRIES_MAX

CASE = f"fj.justice/{'c0' * 16}"
ABOUT = About("pacific", "fj.justice", 1_760_000_000, CASE, proofs_only=False)
NAMES = st.text("abcdefghijklmnopqrstuvwxyz./0123456789", min_size=1, max_size=64)


def small(**parts: tuple[bytes, ...]) -> Bundle:
    """Give a bundle of parts that nobody looks into here."""
    filled: Mapping[str, tuple[bytes, ...]] = dict.fromkeys(FOLDERS, ()) | parts
    return Bundle(ABOUT, filled, b"<!doctype html>")


@given(st.lists(st.tuples(NAMES, st.binary(max_size=200)), max_size=6))
def test_a_container_gives_back_what_was_put_in(entries: list[tuple[str, bytes]]) -> None:
    """Contents of any bytes, names of any grammar: the bundle's own rules come later."""
    assert list(decode_container(encode_container(entries))) == entries


@given(st.binary(max_size=400))
def test_any_bytes_give_a_bundle_or_a_refusal(raw: bytes) -> None:
    """Nothing but a refusal comes out, whatever goes in."""
    with pytest.raises((Malformed, TooLarge)):
        decode_bundle(raw)


def test_every_byte_of_a_container_is_bound() -> None:
    """Whichever bit is turned, the file is refused: there is no byte that does not matter."""
    raw = small(receipts=(b"{}",), heads=(b"[]", b"{}")).encode()
    for place in range(len(raw)):
        for bit in (1, 128):
            altered = raw[:place] + bytes([raw[place] ^ bit]) + raw[place + 1 :]
            with pytest.raises(Malformed):
                decode_bundle(altered)


def test_a_bundle_cut_anywhere_is_refused() -> None:
    """No beginning of a bundle is one."""
    raw = small(messages=(b"{}",)).encode()
    for size in range(len(raw)):
        with pytest.raises(Malformed):
            decode_bundle(raw[:size])


def test_any_tool_opens_a_bundle() -> None:
    """Python's own reader of ZIP files finds every entry and no fault."""
    made = small(messages=(b"one", b"two"), records=(b"three",))
    with zipfile.ZipFile(io.BytesIO(made.encode())) as opened:
        assert opened.testzip() is None
        assert {name: opened.read(name) for name in opened.namelist()} == dict(made.entries())


def test_a_bundle_gives_back_its_parts() -> None:
    """What was encoded is decoded, and the numbers are those of the parts."""
    made = small(messages=(b"one", b"two"), documents=(b"three",))
    assert decode_bundle(made.encode()) == made
    assert made.counts()["messages"] == 2


def test_a_container_of_another_packer_is_refused() -> None:
    """The same entries, packed by another tool, differ in what readers do not look at."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        for name, content in small().entries():
            made.writestr(name, content)
    with pytest.raises(Malformed):
        decode_bundle(packed.getvalue())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("v", 2), ("kind", "comity-receipt"), ("network", "Pacific"), ("authority", ""),
        ("created", -1), ("case", "c0"), ("proofs_only", 0), ("counts", {"messages": 0}),
        ("more", 1),
    ],
)  # fmt: skip
def test_what_a_bundle_says_of_itself_is_strict(field: str, value: object) -> None:
    """A field of another form, or one too many, is refused."""
    entries = list(small().entries())
    about = {**json.loads(entries[0][1]), field: value}
    raw = json.dumps(about, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(Malformed):
        decode_bundle(encode_container([(entries[0][0], raw), *entries[1:]]))


def test_counts_of_unknown_folders_are_refused() -> None:
    """The folders are a closed list."""
    entries = list(small().entries())
    about = json.loads(entries[0][1])
    about["counts"]["letters"] = 0
    with pytest.raises(Malformed):
        decode_bundle(encode_container([(entries[0][0], canonical(about)), *entries[1:]]))


def test_a_bundle_without_its_first_two_entries_is_refused() -> None:
    """What it is and the summary stand first, always."""
    entries = list(small().entries())
    for wrong in (entries[1:], entries[:1], entries[::-1]):
        with pytest.raises(Malformed):
            decode_bundle(encode_container(wrong))


def test_a_bundle_of_records_has_no_receipts() -> None:
    """Receipts belong to a case."""
    about = About("pacific", "fj.justice", 1, None, proofs_only=False)
    with pytest.raises(Malformed):
        decode_bundle(Bundle(about, {"receipts": (b"{}",)}, b"").encode())
    assert decode_bundle(Bundle(about, {"records": (b"{}",)}, b"").encode()).about.case is None


def test_a_name_that_is_not_ascii_or_too_long_is_refused() -> None:
    """Also in the container alone."""
    with pytest.raises(Malformed):
        decode_container(encode_container([("a" * 65, b"")]))
    raw = encode_container([("abc", b"x")]).replace(b"abc", b"ab\xe9")
    with pytest.raises(Malformed):
        decode_container(raw)


class Huge(bytes):
    """Bytes that say they are more than a bundle may have."""

    def __len__(self) -> int:
        """Lie about the length: nobody has the room for the truth in a test."""
        return BUNDLE_BYTES_MAX + 1


def test_more_bytes_than_the_limit_are_refused_before_they_are_read() -> None:
    """Both ways: nobody makes what nobody takes."""
    with pytest.raises(TooLarge):
        encode_container([("a", Huge())])
    with pytest.raises(TooLarge):
        decode_container(Huge())


def test_more_entries_than_the_limit_are_refused() -> None:
    """Both ways; as many as the limit are fine."""
    entries = [(f"{number}", b"") for number in range(BUNDLE_ENTRIES_MAX)]
    raw = encode_container(entries)
    assert len(decode_container(raw)) == BUNDLE_ENTRIES_MAX
    with pytest.raises(TooLarge):
        encode_container([*entries, ("more", b"")])
    first = encode_container([("more", b"")])[:34]
    with pytest.raises(TooLarge):
        decode_container(first + raw)
