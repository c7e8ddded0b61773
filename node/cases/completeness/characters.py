"""Characters that mislead whoever reads a text: it is kept exactly, and the writer warned.

Scripts, accents, right-to-left text and length are no fault. What is warned about changes
what a reader sees without being seen: turned direction that is not closed, invisible
characters inside a code or number, control characters. Changes no text and judges no words.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

TEXT_CHARS_MAX: Final = 20_000
"""A longer text in a field for one line is probably in the wrong field."""

_OVERRIDES: Final = re.compile("[\u202d\u202e]")
_DIRECTION: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_INVISIBLE: Final = re.compile(
    "[\u00ad\u180e\u2060-\u2064\u206a-\u206f\ufeff\U000e0000-\U000e007f]"
)
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_PLAIN: Final = re.compile(r"[\n\t\r -~]*")
_OPENS: Final = {"\u202a": "\u202c", "\u202b": "\u202c", "\u202d": "\u202c", "\u202e": "\u202c",
                 "\u2066": "\u2069", "\u2067": "\u2069", "\u2068": "\u2069"}  # fmt: skip

SENTENCES: Final = {
    "surrogate": "The text holds half a character, which cannot be sent: type it again.",
    "bidi-override": "A hidden character turns the direction of this text, so that it reads "
    "otherwise than it is stored: remove it, or write the text anew.",
    "bidi-unclosed": "A hidden character changes the direction of all that follows this text: "
    "close it, or remove it.",
    "control-characters": "The text holds control characters, which no reader sees; it is kept "
    "as it is: remove them unless they belong there.",
    "invisible-characters": "The text holds invisible characters, so that a search may miss it; "
    "it is kept as it is: remove them unless they belong there.",
}


def is_blank(text: str) -> bool:
    """Say whether a reader would see nothing at all."""
    if not text or text.isspace():
        return True
    if text[0].isalnum():  # nearly always, and then nothing else need be looked at
        return False
    return all(one.isspace() or unicodedata.category(one) in {"Cf", "Cc"} for one in text)


def doubts(text: str) -> tuple[str, ...]:
    """Give the codes of what misleads in a text; `SENTENCES` says each in words."""
    if _PLAIN.fullmatch(text):
        return ()
    found = []
    if _SURROGATE.search(text):
        found.append("surrogate")
    if _OVERRIDES.search(text):
        found.append("bidi-override")
    elif _DIRECTION.search(text) and _unclosed(text):
        found.append("bidi-unclosed")
    if _CONTROL.search(text):
        found.append("control-characters")
    if _INVISIBLE.search(text):
        found.append("invisible-characters")
    return tuple(found)


def _unclosed(text: str) -> bool:
    """Say whether a change of direction reaches past a line's end, or ends before it began."""
    for line in text.splitlines():
        waiting: list[str] = []
        for one in _DIRECTION.findall(line):
            if one in _OPENS:
                waiting.append(_OPENS[one])
            elif not waiting or waiting.pop() != one:
                return True
        if waiting:
            return True
    return False
