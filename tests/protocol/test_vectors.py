"""Every committed vector gives what it says, and the files are what the generator makes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.vectors import generate
from tests.vectors.form import FOLDER, FORMS, BadVector, Vector, names, parse, read
from tests.vectors.judge import fault_of, judge

NAMES = tuple(names())

# Of these types no part is drawn: a second run gives the same bytes.
REPEATABLE = frozenset({
    "json", "base64", "key-id", "identity", "message-text", "padding", "entry", "record",
    "inclusion", "consistency", "network-text", "fingerprint", "safety-number", "batch",
    "hop-request", "hop-response", "lifecycle",
})  # fmt: skip


@pytest.fixture(scope="module")
def made() -> dict[str, Vector]:
    """Give every vector as the generator would make it now."""
    vectors = list(generate.all_vectors())
    assert len({vector.name for vector in vectors}) == len(vectors)
    return {vector.name: vector for vector in vectors}


@pytest.mark.parametrize("name", NAMES)
def test_a_vector_gives_what_it_says(name: str) -> None:
    """The outcome is the expected one, and what was computed is what stands in the file."""
    assert fault_of(read(name)) is None


def test_a_good_vector_says_what_must_be_found() -> None:
    """Each result header of a good vector is one that our own reader computes."""
    unchecked = []
    for name in NAMES:
        vector = read(name)
        results = set(vector.headers) & set(FORMS[vector.type].may) - _PARAMETERS
        if vector.expect == "ok" and results - judge(vector).found.keys():
            unchecked.append(name)
    assert unchecked == []


_PARAMETERS = {
    "bytes-max", "brought-by", "suite-min", "trusted", "rivals", "sign-ed25519", "sign-ml-dsa-65",
    "base", "at", "cut",
}  # fmt: skip


def test_every_type_has_good_vectors_and_bad_ones() -> None:
    """A type of which all are good would pass a reader that checks nothing."""
    only_good = {"padding", "identity", "entry", "fingerprint", "safety-number", "lifecycle"}
    seen: dict[str, set[bool]] = {kind: set() for kind in FORMS}
    for name in NAMES:
        vector = read(name)
        seen[vector.type].add(vector.expect == "ok")
    assert {kind for kind, found in seen.items() if found != {True, False}} == only_good
    assert all(True in found for found in seen.values())


def test_a_good_vector_is_named_so() -> None:
    """Names begin with ok if and only if a reader must accept."""
    assert [
        name
        for name in NAMES
        if (read(name).expect == "ok") is not _named_ok(name.partition("/")[2])
    ] == []


def _named_ok(name: str) -> bool:
    return "ok" in name.split("-")


def test_the_files_are_those_that_the_generator_makes(made: dict[str, Vector]) -> None:
    """None is missing, none is left over."""
    assert set(NAMES) == made.keys()


def test_the_generator_would_say_the_same_of_each(made: dict[str, Vector]) -> None:
    """Expectations and comments are not edited by hand; where nothing is drawn, nothing is."""
    for name, vector in made.items():
        committed = read(name)
        assert (committed.expect, committed.comment) == (vector.expect, vector.comment), name
        assert committed.headers.keys() == vector.headers.keys(), name
        if vector.type in REPEATABLE:
            assert committed.encode() == vector.encode(), name


def _broken() -> Iterator[tuple[str, str]]:
    text = (FOLDER / "padding" / "ok-1.txt").read_text(encoding="utf-8")
    yield "unknown header", text.replace("comment:", "shoesize: 43\ncomment:")
    yield "header of another type", text.replace("length:", "origin: x\nlength:")
    yield "missing header", text.replace("length: 1\n", "")
    yield "header twice", text.replace("length: 1\n", "length: 1\nlength: 1\n")
    yield "other type", text.replace("type: padding", "type: json")
    yield "unknown outcome", text.replace("expect: ok", "expect: perhaps")
    yield "no comment", text.replace("comment: Padmé, at least 256.\n", "")
    yield "no empty line", text.strip()
    yield "a space too many", text.replace("length: 1", "length: 1 ")
    yield "not base64", text + "!!!\n"
    yield "headers in another order", "expect: ok\ntype: padding\n" + text.partition("ok\n")[2]
    yield "no newline at the end", text[:-1]


@pytest.mark.parametrize(("fault", "text"), list(_broken()), ids=[fault for fault, _ in _broken()])
def test_a_file_out_of_its_form_is_an_error(fault: str, text: str) -> None:
    """A reader that skips what it does not know would test nothing."""
    with pytest.raises(BadVector):
        parse("padding/ok-1", text)


def test_a_file_that_exists_is_left_alone_unless_renewed(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second run writes nothing; a vector that does not hold is named and not written."""
    folder = tmp_path_factory.mktemp("vectors")
    some = [read("padding/ok-1"), read("json/space")]
    monkeypatch.setattr(generate, "all_vectors", lambda: iter(some))
    assert generate.write_missing(folder, renew=False) == (2, [])
    assert generate.write_missing(folder, renew=False) == (0, [])
    assert generate.write_missing(folder, renew=True) == (2, [])
    assert list(names(folder)) == ["json/space", "padding/ok-1"]
    some = [
        replace(some[0], headers={**some[0].headers, "value": "1"}),
        replace(some[1], expect="ok"),
    ]
    assert generate.write_missing(folder, renew=True) == (
        0,
        [
            "padding/ok-1: found other values for ['value']",
            "json/space: expected ok, found malformed",
        ],
    )
    assert list(names(folder)) == []
    some = []
    (folder / "json" / "old.txt").write_text("")
    assert generate.write_missing(folder, renew=False)[1] == ["json/old: nobody makes it"]
