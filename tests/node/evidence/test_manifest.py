"""The manifest: one encoding for one list, and nothing else is read."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.evidence.manifest import Item, Manifest, decode_manifest, manifest_of, media_type
from protocol.digest import sha256_hex
from protocol.encoding import canonical
from protocol.errors import Malformed, Rejected, TooLarge
from protocol.limits import MANIFEST_FILE_BYTES_MAX, MANIFEST_INLINE_BYTES_MAX, MANIFEST_ITEMS_MAX

DIGEST = "ab" * 32


def item(path: str = "a.txt", *, size: int = 3) -> Item:
    """Make an item that differs from others by its path."""
    return Item(path, media_type(path), size, DIGEST)


def tree() -> dict[str, Any]:
    """Give a valid manifest as JSON values, to change one thing in."""
    value: dict[str, Any] = json.loads(manifest_of([item("a"), item("b/c.pdf")]).encode())
    return value


def test_the_encoding_is_the_one_that_is_written_down() -> None:
    """A reader in another language can rebuild these bytes and their digest."""
    manifest = manifest_of([item("b/c.pdf", size=0), item("a")])
    raw = (
        b'{"items":[{"path":"a","sha256":"%(d)b","size":3,"type":"application/octet-stream"},'
        b'{"path":"b/c.pdf","sha256":"%(d)b","size":0,"type":"application/pdf"}],"v":1}'
    ) % {b"d": DIGEST.encode()}
    assert manifest.encode() == raw
    assert manifest.digest == sha256_hex(raw)
    assert manifest.size == 3
    assert decode_manifest(raw) == manifest


def test_items_stand_in_the_order_of_their_bytes_whatever_order_they_came_in() -> None:
    """UTF-8 order, which is not the order of UTF-16 and not that of any language."""
    names = ["\U0001f600", "\uff61", "é", "z", "a/b", "a b", "a"]
    with pytest.raises(Malformed):
        manifest_of([item(name) for name in names])  # "a" and "a/b" collide
    manifest = manifest_of([item(name) for name in names[:-1]])
    assert [item.path for item in manifest.items] == [
        "a b",
        "a/b",
        "z",
        "é",
        "\uff61",
        "\U0001f600",
    ]
    assert decode_manifest(manifest.encode()) == manifest


CHANGES: dict[str, Any] = {
    "no items": lambda tree: tree.update(items=[]),
    "items missing": lambda tree: tree.pop("items"),
    "items no list": lambda tree: tree.update(items={}),
    "unknown field": lambda tree: tree.update(w=1),
    "unknown field in an item": lambda tree: tree["items"][0].update(w=1),
    "version missing": lambda tree: tree.pop("v"),
    "version two": lambda tree: tree.update(v=2),
    "version true": lambda tree: tree.update(v=True),
    "item no object": lambda tree: tree["items"].insert(0, "a"),
    "path missing": lambda tree: tree["items"][0].pop("path"),
    "path climbs": lambda tree: tree["items"][0].update(path="../a"),
    "path no text": lambda tree: tree["items"][0].update(path=1),
    "type with a parameter": lambda tree: tree["items"][0].update(type="text/plain; charset=x"),
    "type in upper case": lambda tree: tree["items"][0].update(type="Text/plain"),
    "type with a line end": lambda tree: tree["items"][0].update(type="text/plain\n"),
    "type without a slash": lambda tree: tree["items"][0].update(type="text"),
    "size as text": lambda tree: tree["items"][0].update(size="3"),
    "size true": lambda tree: tree["items"][0].update(size=True),
    "size null": lambda tree: tree["items"][0].update(size=None),
    "digest short": lambda tree: tree["items"][0].update(sha256="ab"),
    "digest in upper case": lambda tree: tree["items"][0].update(sha256="AB" * 32),
    "wrong order": lambda tree: tree["items"].reverse(),
    "path twice": lambda tree: tree["items"].append(tree["items"][-1]),
    "paths that differ in case": lambda tree: tree["items"].insert(
        0, dict(tree["items"][0], path="A")
    ),
    "file in a folder's place": lambda tree: tree["items"].insert(
        1, dict(tree["items"][0], path="b")
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_manifest_with_one_thing_wrong_is_refused(change: Any) -> None:  # noqa: ANN401  (a table of functions)
    """A valid manifest, one change, encoded again: refused, whatever the change was."""
    value = tree()
    assert decode_manifest(canonical(value)).items
    change(value)
    with pytest.raises(Rejected):
        decode_manifest(canonical(value))


def test_a_manifest_in_another_form_or_cut_anywhere_is_refused() -> None:
    """White space, a duplicate, a float, a sign too much and every truncation are refused."""
    raw = canonical(tree())
    cut = [raw[:end] for end in range(len(raw))]
    others = [
        raw + b"\n",
        raw.replace(b":3,", b":3.0,"),
        raw.replace(b":3,", b":-3,"),
        raw.replace(b'"v":1', b'"v":1,"v":1'),
        raw.replace(b'"a"', rb'"\u0061"'),
        raw.replace(b'"a"', b'"\xff"'),
        b"\xef\xbb\xbf" + raw,
    ]
    for bad in cut + others:
        with pytest.raises(Rejected):
            decode_manifest(bad)


@given(st.binary(max_size=300))
def test_any_bytes_give_a_manifest_or_a_rejection(raw: bytes) -> None:
    """The decoder is total."""
    try:
        decode_manifest(raw)
    except Rejected:
        return
    raise AssertionError  # nothing so short and random is a manifest


@given(st.lists(st.tuples(st.text(min_size=1, max_size=12), st.integers(0, 2**53 - 1)), max_size=6))
def test_what_can_be_made_is_read_back_equal(pairs: list[tuple[str, int]]) -> None:
    """Encoding and decoding are inverse on whatever a manifest can hold."""
    try:
        manifest = manifest_of([item(path, size=size) for path, size in pairs])
    except Rejected:
        return
    assert decode_manifest(manifest.encode()) == manifest


def test_the_largest_manifest_is_read_and_one_item_more_is_too_large() -> None:
    """The caps hold exactly; the inline cap stops a large manifest before it is parsed."""
    items = tuple(item(f"{number:06}") for number in range(MANIFEST_ITEMS_MAX))
    raw = Manifest(items).encode()
    assert MANIFEST_INLINE_BYTES_MAX < len(raw) < MANIFEST_FILE_BYTES_MAX
    assert len(decode_manifest(raw, bytes_max=MANIFEST_FILE_BYTES_MAX).items) == len(items)
    with pytest.raises(TooLarge):
        decode_manifest(raw)
    with pytest.raises(TooLarge):
        Manifest((*items, item("x")))


def test_an_item_made_wrongly_here_is_refused_like_one_from_outside() -> None:
    """No way around the form: the same check stands in the constructor."""
    for wrong in ({"path": "a/../b"}, {"type": "x"}, {"size": -1}, {"sha256": "x"}):
        with pytest.raises(Malformed):
            dataclasses.replace(item(), **wrong)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/b.PDF", "application/pdf"),
        ("x.tar.gz", "application/gzip"),
        ("Makefile", "application/octet-stream"),
        (".pdf", "application/octet-stream"),
        ("a.pdf/b", "application/octet-stream"),
        ("a.", "application/octet-stream"),
        ("mail.eml", "message/rfc822"),
    ],
)
def test_the_media_type_comes_from_the_last_ending_alone(path: str, expected: str) -> None:
    """Case does not matter; a hidden file or a folder's ending is none."""
    assert media_type(path) == expected
