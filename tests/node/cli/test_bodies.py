"""A body is taken as it is, or refused with the place in the file that is wrong."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from node.cli.bodies import STDIN, checked_request, read_body
from node.cli.call import Failed
from node.exits import Exit
from protocol.limits import MESSAGE_TEXT_BYTES_MAX

TAKEN = {
    "text": (b"please send\nrecords\n", {"text": "please send\nrecords\n"}),
    "text with a mark": (b"\xef\xbb\xbfplease", {"text": "please"}),
    "an object": (
        b' {"a": [1, {"b": null}], "c": "\xc3\xa9"}\n',
        {"a": [1, {"b": None}], "c": "é"},
    ),
    "an empty object": (b"{}", {}),
    "the largest integer": (b'{"a": 9007199254740991}', {"a": 2**53 - 1}),
}
REFUSED = {
    "a fraction": (b'{"a": {"b": [0, 12.5]}}', "a.b[1]: 12.5 has a fraction; write it as text:"),
    "a power": (b'{"a": 1e3}', "a: 1e3 has a fraction"),
    "no number": (b'{"a": NaN}', "a: NaN is not a number of JSON"),
    "a negative number": (b'{"a": -1}', "a: is a number outside 0..2^53-1"),
    "a large number": (b'{"a": 9007199254740992}', "a: is a number outside"),
    "a doubled name": (b'{"x": {"a": 1, "a": 2}}', 'x: "a" stands twice'),
    "a doubled name at the top": (b'{"a": 1, "a": 2}', 'the whole: "a" stands twice'),
    "a name outside ASCII": ('{"é": 1}'.encode(), "letters outside ASCII"),
    "half a character": (b'{"a": "\\ud800"}', "a: has half of a character"),
    "deep nesting": (b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}", "deep"),
    "very deep nesting": (b'{"a": ' + b"[" * 10**5 + b"]" * 10**5 + b"}", "nested too deeply"),
    "broken JSON": (b'{"a": 1,\n "b" 2}', "(line 2, column 6)"),
    "evidence by hand": (b'{"evidence": {}}', "give the files as --evidence"),
    "other bytes": (b"\xff\xfe", "is not text in UTF-8"),
    "nothing": (b" \n", "is empty"),
}  # fmt: skip


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_fit_is_taken_as_it_is(name: str, tmp_path: Path) -> None:
    """Objects as they are, other text under one name."""
    raw, body = TAKEN[name]
    path = tmp_path / "body"
    path.write_bytes(raw)
    assert read_body(path) == body


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_wire_cannot_carry_is_refused_with_its_place(name: str, tmp_path: Path) -> None:
    """Nothing is rounded, dropped or guessed."""
    raw, said = REFUSED[name]
    path = tmp_path / "body"
    path.write_bytes(raw)
    with pytest.raises(Failed) as told:
        read_body(path)
    assert said in told.value.fault.sentence
    assert told.value.fault.exit is Exit.FAILED


def test_a_file_that_is_called_json_is_read_as_json(tmp_path: Path) -> None:
    """A list in it is no body, and not a text that looks like one."""
    path = tmp_path / "body.json"
    path.write_bytes(b"[1]")
    with pytest.raises(Failed, match="not an object"):
        read_body(path)


def test_a_body_larger_than_a_message_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """It belongs into evidence."""
    path = tmp_path / "body"
    path.write_bytes(b"x" * (MESSAGE_TEXT_BYTES_MAX + 1))
    with pytest.raises(Failed, match="--evidence"):
        read_body(path)


def test_a_body_can_come_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """As other tools give it: `… | comity case note CASE --body -`."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"typed")))
    assert read_body(STDIN) == {"text": "typed"}


def test_the_kind_of_a_request_is_said_once() -> None:
    """In the file it may stand if it is the same."""
    assert checked_request({"a": 1, "request_kind": "MLA"}, "MLA") == {"a": 1}
    with pytest.raises(Failed, match="another request_kind"):
        checked_request({"request_kind": "MLA"}, "EXTRADITION")
