"""The page in a bundle: what is in it and nothing else, harmless whatever a message says."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.bundle import About
from protocol.messages import Message
from protocol.record import Decision
from protocol.summary import Told, escape, render_summary, show_time
from tests.support.bundles import CASE, FIJI, QUMRAN, told
from tests.support.trust import make_trust

ABOUT = About("pacific", FIJI, 1_760_000_000, CASE, proofs_only=False)


class Seen:
    """What a browser makes of the page, in which nothing but an element begins with `<`."""

    def __init__(self, page: str) -> None:
        """Take a page apart into its elements and its text."""
        self.tags = set(re.findall(r"<([^ />]+)", page))
        self.text = html.unescape(re.sub(r"<[^>]*>", "", page))
        assert re.search(r"<[^>]*\s(on[a-z]+|src|href)=", page) is None


def page_of(body: dict[str, object]) -> Seen:
    """Give the page about one message with this body."""
    message = Message(
        network="pacific", epoch=1, sender=FIJI, recipient=QUMRAN, case=CASE, seq=1, prev=None,
        seen=None, order=None, salt=bytes(32), created=1, expires=2, kind="note",
        body=body,  # type: ignore[arg-type]  # any JSON
    )  # fmt: skip
    return Seen(render_summary(ABOUT, Told([("ab" * 32, message)], [], 0)).decode())


@given(st.dictionaries(st.text("<&>\"'/script abc", max_size=12), st.text(max_size=40)))
def test_no_text_becomes_an_element(body: dict[str, str]) -> None:
    """Whatever a message says, the page has the elements of the page and no others."""
    assert page_of(dict(body)).tags == page_of({"a": "b"}).tags | ({"dl"} if body else set())


def test_every_value_of_a_message_is_shown() -> None:
    """Nested lists and objects too, and words that JSON has and HTML has not."""
    seen = page_of({"a": [1, True, {"b": None}], "c": "<script>alert(1)</script>"})
    assert "script" not in seen.tags
    for shown in ("1", "true", "null", "<script>alert(1)</script>"):
        assert shown in seen.text


@pytest.mark.parametrize("sign", ["\x00", "\x1b", "\x7f", "\u202e", "\u2066", "\u2028", "\u200f"])
def test_signs_that_hide_or_turn_a_text_are_replaced(sign: str) -> None:
    """What an officer reads is what stands there."""
    assert escape(f"a{sign}b") == "a\ufffdb"


def test_line_ends_and_other_scripts_stay() -> None:
    """A message of several lines, in any language, is shown as it was written."""
    assert escape("Où ?\n\t日本") == "Où ?\n\t日本"


@given(st.integers(0, 253_402_300_799))
def test_a_time_is_that_of_the_calendar(seconds: int) -> None:
    """The same as a library's, from 1970 to 9999."""
    assert show_time(seconds) == f"{datetime.fromtimestamp(seconds, UTC):%4Y-%m-%d %H:%M:%S} UTC"


def test_a_time_beyond_the_calendar_is_a_number() -> None:
    """A hostile message may say any time."""
    assert show_time(253_402_300_800) == "second 253402300800"


def test_a_page_without_texts_shows_none() -> None:
    """With proofs only there are numbers and receipts, and no word of a message."""
    story = told(make_trust((FIJI, QUMRAN), stewards=1, threshold=1))
    parts = {**story.parts, "messages": []}
    page = story.bundle(parts, proofs_only=True).summary.decode()
    assert "Ledgers" not in page
    assert "(proofs only)" in page
    assert "<h2>1. from fj.justice</h2>" in page
    assert "<h2>-. from qm.justice</h2>" in page


def test_a_refusal_and_a_missing_receipt_are_said() -> None:
    """Each message has what became of it."""
    refused = Decision(
        "message.refused", "pacific", 1_760_000_000, "ab" * 32, "cd" * 32, FIJI, QUMRAN,
        code="expired",
    )  # fmt: skip
    about = About("pacific", FIJI, 1, None, proofs_only=True)
    page = render_summary(about, Told([], [refused], 3)).decode()
    assert "refused by qm.justice at 2025-10-09 08:53:20 UTC: expired" in page
    assert "<h1>Records of fj.justice (proofs only)</h1>" in page
    assert "none in this file" in render_summary(ABOUT, Told([_open_message()], [], 0)).decode()


def _open_message() -> tuple[str, Message]:
    message = Message(
        network="pacific", epoch=1, sender=QUMRAN, recipient=FIJI, case=CASE, seq=1, prev=None,
        seen=None, order=4, salt=bytes(32), created=1, expires=2, kind="note", body={},
    )  # fmt: skip
    return "cd" * 32, message
