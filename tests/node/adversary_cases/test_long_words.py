"""What a peer writes so that reading it takes long: its words are counted, and time with them."""

from __future__ import annotations

import time
import unicodedata

import pytest

from node.cases.words import WORDS_OF_MESSAGE_MAX, normal, words_in, words_of
from protocol.encoding import Json

_S_MAX = 0.6  # of processor time; without bounds each takes more than this on a fast machine


@pytest.mark.parametrize(
    "body",
    [
        {"text": ["\ufdfa" * 16_384] * 40},
        {"name": ["a" + "\u0301\u0323" * 8_000] * 60},
        {"text": [""] * 1_000_000},
        {"text": [{"name": [{}] * 1_000}] * 900},
        {f"k{number}": " " for number in range(300_000)},
    ],
    ids=["ligatures", "marks", "nothing", "no-texts", "names"],
)
def test_no_body_keeps_the_writer_busy(body: dict[str, Json]) -> None:
    """Whatever fills the three megabytes of a message, its words are found soon, and are few."""
    begun = time.process_time()
    assert len(words_in("note", body)) <= WORDS_OF_MESSAGE_MAX
    assert time.process_time() - begun < _S_MAX


def test_a_long_text_has_the_words_of_its_parts() -> None:
    """Wherever it is cut for that: also between a letter and its accents."""
    word = "Żółć" + unicodedata.normalize("NFD", "Müller") + "각하"
    for before in range(120, 132):
        text = "x" * before + " " + word
        assert set(words_of(word)) <= set(words_of(text))
        assert normal(text).endswith(normal(word))
