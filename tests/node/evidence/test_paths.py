"""The form of a path in a manifest: what is let through, what is refused, what collides."""

from __future__ import annotations

import json
import sys
import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.evidence.paths import collision, normalised, safe_path, shown
from protocol.errors import Malformed, Rejected, TooLarge
from tests.support.public_data import public

GOOD = [
    "a",
    "report.pdf",
    "bank statements/2024/März.csv",
    "Maildir/cur/1700000000.M1P2.host:2,S",
    "証拠/写真 1.jpg",
    "الأدلة/ملف.txt",
    "console.log",
    "com10.txt",
    "nullable",
    ".hidden",
    "...x",
    "~",
    "-rf",
    "a;b|c&d$(e)`f`",
    "<b>'\"%s{}*?",
    "\U0001f600.png",
    "x" * 255,
    "/".join("d" * 32),
    "/".join(["é" * 127] * 4),
]

BAD = {
    "empty": "",
    "only a slash": "/",
    "absolute": "/etc/passwd",
    "empty component": "a//b",
    "trailing slash": "a/",
    "dot": ".",
    "dot inside": "a/./b",
    "dot dot": "..",
    "climbing": "../../etc/passwd",
    "climbing from inside": "a/../../b",
    "backslash": "a\\b",
    "network share": "\\\\server\\share",
    "drive": "C:/Windows",
    "drive without slash": "c:x",
    "drive further down": "a/C:/b",
    "nul": "a\0b",
    "line feed": "a\nb",
    "escape": "a\x1b[2Jb",
    "delete": "a\x7f",
    "next line": "a\x85b",
    "line separator": "a\u2028b",
    "right-to-left override": "invoice\u202efdp.exe",
    "isolate": "a\u2066b",
    "zero width space": "a\u200bb",
    "byte order mark": "\ufeffa",
    "soft hyphen": "a\xadb",
    "tag character": "a\U000e0041",
    "lone surrogate": "a\ud800",
    "no character": "a\uffff",
    "not NFC": "e\u0301.txt",
    "trailing dot": "a./b",
    "trailing space": "a ",
    "device": "NUL",
    "device with an ending": "con.txt",
    "device with a stream": "aux:x",
    "device with spaces": "a/lpt1  .pdf",
    "device with a superscript": "COM¹.log",
    "long component": "x" * 256,
    "long component in bytes": "é" * 128,
    "long whole": "/".join(["x" * 204] * 5) + "/",
    "deep": "/".join("d" * 33),
}


@pytest.mark.parametrize("path", GOOD)
def test_an_ordinary_path_is_let_through_unchanged(path: str) -> None:
    """Names that people really use are fine, however odd they look to a shell."""
    assert safe_path(path) == path


@pytest.mark.parametrize("path", BAD.values(), ids=BAD.keys())
def test_a_path_in_another_form_is_refused_without_being_quoted(path: str) -> None:
    """Whatever escapes, hides or means two things is refused, and the reason has no name."""
    with pytest.raises(Rejected) as refusal:
        safe_path(path)
    assert len(path) < 4 or path not in str(refusal.value)


def test_the_longest_path_is_let_through_and_one_byte_more_is_too_large() -> None:
    """The limit of the whole path is counted in bytes."""
    longest = "/".join(["x" * 203] * 4 + ["é" * 104])
    assert len(longest.encode()) == 1_024
    assert safe_path(longest) == longest
    with pytest.raises(TooLarge):
        safe_path(longest + "x")


def test_every_hidden_character_of_unicode_is_refused() -> None:
    """The written-out table lacks no control or format character that this Python knows."""
    hidden = [
        chr(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    ]
    missed = []
    for sign in hidden:
        try:
            missed.append(safe_path(f"a{sign}b"))
        except Malformed:
            continue
    assert missed == []
    assert len(hidden) > 2_200


def test_no_naughty_string_that_is_let_through_leaves_its_folder() -> None:
    """Of the naughty strings, those that pass stay below any root, on POSIX and on Windows."""
    passed = 0
    for text in json.loads(public("naughty-strings.json").read_text(encoding="utf-8")):
        try:
            path = safe_path(text)
        except Rejected:
            continue
        passed += 1
        assert "\n" not in path
        assert "\r" not in path
        for flavour in (PurePosixPath, PureWindowsPath):
            assert flavour("root").joinpath(path).parts[0] == "root"
            assert ".." not in flavour(path).parts
            assert not flavour(path).is_absolute()
    assert passed > 100


@given(st.text(max_size=40))
def test_any_text_is_let_through_or_rejected(text: str) -> None:
    """The check is total, and what it lets through is NFC and survives a round trip."""
    try:
        path = safe_path(text)
    except Rejected:
        return
    assert normalised(path.split("/")) == path
    assert path.encode().decode() == path


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a", "a"),
        ("Report.pdf", "report.PDF"),
        ("straße", "STRASSE"),
        ("É", "é"),
        ("x/Σ", "x/ς"),
        ("a", "a/b"),
        ("a/b/c", "A"),
        ("Folder/one", "folder/two"),
        ("a/b/C/d", "a/B/c"),
    ],
)
def test_names_that_some_disk_takes_for_one_collide_in_either_order(
    first: str, second: str
) -> None:
    """Case, folding and a file in a folder's place are found whichever comes first."""
    assert collision([first, second]) is not None
    assert collision([second, "other", first]) is not None


def test_names_that_stay_apart_do_not_collide() -> None:
    """Siblings, shared folders and names that begin alike stand beside each other."""
    assert (
        collision(["a/b", "a/c", "a/b.txt", "ab", "a b/a", "e", "è", "é", "x/y/z", "x/z"]) is None
    )


def test_a_shown_name_cannot_steer_a_terminal() -> None:
    """Escapes, overrides, line ends and undecodable bytes stand as text; letters as they are."""
    assert shown("März 写真") == "März 写真"
    assert shown("a\x1b[2J\n\u202e\udcff") == r"a\x1b[2J\n\u202e\udcff"
