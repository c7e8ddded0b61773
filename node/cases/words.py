"""Words as they are compared: one form for whatever way a name is written.

    words_of("Łukasz  MÜLLER-Šimić, 王小明")    # lukasz, muller, simic, mullersimic, 王小, 小明

Letters lose their case, accents and vowel points; forms of one letter (of Arabic, of full
width, of digits) become one; what is written without blanks becomes pairs of characters.
`words_in` takes them from a message's body, names and references first. Knows no case, no
key and no storage.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Final

from protocol.encoding import Json

WORDS_OF_MESSAGE_MAX: Final = 256
WORDS_OF_QUERY_MAX: Final = 12
_CHARS_OF_MESSAGE_MAX: Final = 65_536
_CHARS_OF_VALUE_MAX: Final = 16_384
_CHARS_OF_WORD_MIN: Final = 2
_CHARS_OF_WORD_MAX: Final = 64
_CHARS_OF_NUMBER_MAX: Final = 40
_CHARS_OF_PIECE: Final = 128  # sorting the marks on one letter takes the square of their number
_GROWTH_MAX: Final = 4  # Hangul becomes three letters of one; a ligature that is a sentence, 18
_VALUES_OF_MESSAGE_MAX: Final = 20_000
_CHARS_A_TEXT_COSTS: Final = 16  # whatever is in it
_CHARACTERS_KEPT: Final = 4_096

_FORMS: Final = str.maketrans({
    "ł": "l", "ø": "o", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th",  # noqa: RUF001  (letters that look alike are what this is for)
    "ð": "d", "ŋ": "n", "ə": "e",
    "ٱ": "ا", "ة": "ه", "ى": "ي", "ی": "ي", "ک": "ك",  # noqa: RUF001  (as above)
    "ھ": "ه", "ۀ": "ه", "ـ": None, "ء": None,  # noqa: RUF001  (as above)
    "\u2018": "'", "\u2019": "'",
})  # fmt: skip
"""Letters that no decomposition takes apart, and Arabic's ways to write one letter."""

_WITHOUT_BLANKS: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3040-\u30ff\u3400-\u9fff"
    "\U00020000-\U0003ffff]+"
)
"""Thai, Lao, Burmese, Khmer, kana and Han: no blank says where a word ends."""

_OF_ASCII: Final = re.compile("[0-9A-Za-z]+")

_FIRST: Final = re.compile(
    "name|alias|ref|subject|title|person|number|account|iban|passport|company|address|phone|vessel"
)
"""Fields that people search by; their words are kept before those of long texts."""

_LEFT_OUT: Final = frozenset({"evidence", "sha256", "identity", "of"})
"""Fields of lists of hashes, and of what names a message."""

_WHOLLY_LEFT_OUT: Final = frozenset({"protected_identity"})
"""Messages whose readers are fewer than the case's: a search would tell the others."""


def normal(text: str) -> str:
    """Give a text in the form in which words are compared.

    Piece by piece, as whoever wrote it may want it to take long; where a piece ends changes
    nothing but the order of marks, and those go.
    """
    if text.isascii():
        return text.lower()
    pieces: list[str] = []
    left = _GROWTH_MAX * len(text) + _CHARS_OF_PIECE
    for begin in range(0, len(text), _CHARS_OF_PIECE):
        piece = _normal_piece(text[begin : begin + _CHARS_OF_PIECE])
        pieces.append(piece)
        left -= len(piece)
        if left < 0:
            break
    return "".join(pieces)


def _normal_piece(text: str) -> str:
    whole = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(map(_normal_character, whole)).translate(_FORMS)


@lru_cache(_CHARACTERS_KEPT)
def _normal_character(one: str) -> str:
    if one.isascii():
        return one
    kind = unicodedata.category(one)
    if kind == "Nd":
        return str(unicodedata.decimal(one))
    # Marks that combine (accents, vowel points) and invisible characters; vowel signs stay,
    # without which words of Indian scripts would not be words.
    return "" if kind == "Cf" or unicodedata.combining(one) else one


def words_of(text: str) -> dict[str, None]:
    """Give the words of a text, each once, as they come; also joined where signs part them."""
    found: dict[str, None] = {}
    for chunk in normal(text[:_CHARS_OF_VALUE_MAX]).split():
        if chunk.isascii() and chunk.isalnum():  # most chunks, in a third of the time
            found.update(dict.fromkeys(_whole(chunk)))
            continue
        parts = list(_parts(chunk))
        for part in parts:
            found.update(dict.fromkeys(_pieces(part)))
        joined = "".join(parts)
        if len(parts) > 1 and len(joined) <= _CHARS_OF_WORD_MAX:
            found[joined] = None
    return found


def words_asked(text: str) -> tuple[str, ...]:
    """Give the words that a query asks for: all of them must be in a case."""
    found: dict[str, None] = {}
    for chunk in normal(text[:_CHARS_OF_VALUE_MAX]).split():
        for part in _parts(chunk):
            found.update(dict.fromkeys(_pieces(part)))
    return tuple(found)[:WORDS_OF_QUERY_MAX]


def _parts(chunk: str) -> Iterator[str]:
    """Split at whatever is neither a letter, a digit nor a sign that belongs to one."""
    if chunk.isascii():
        yield from _OF_ASCII.findall(chunk)
        return
    begun = 0
    for place, one in enumerate(chunk):
        if not (one.isalnum() or unicodedata.category(one).startswith("M")):
            if begun < place:
                yield chunk[begun:place]
            begun = place + 1
    if begun < len(chunk):
        yield chunk[begun:]


def _pieces(part: str) -> Iterator[str]:
    """Give a part as words: as it is, or as pairs of characters where no blanks are written."""
    if part.isascii():
        yield from _whole(part)
        return
    end = 0
    for run in _WITHOUT_BLANKS.finditer(part):
        yield from _whole(part[end : run.start()])
        text, end = run.group(), run.end()
        if len(text) == 1:
            yield text
        for place in range(min(len(text), _CHARS_OF_VALUE_MAX) - 1):
            yield text[place : place + 2]
    yield from _whole(part[end:])


def _whole(part: str) -> Iterator[str]:
    if len(part) >= _CHARS_OF_WORD_MIN:
        yield part[:_CHARS_OF_WORD_MAX]


def words_in(event: str, body: Mapping[str, Json]) -> tuple[str, ...]:
    """Give the words of a message's texts, those that people search by first; not too many."""
    if event in _WHOLLY_LEFT_OUT:
        return ()
    first: dict[str, None] = {}
    rest: dict[str, None] = {}
    left = _CHARS_OF_MESSAGE_MAX
    for sought, text in sorted(_texts(body), key=lambda one: not one[0]):
        into = first if sought else rest
        into.update(words_of(text))
        if len(text) <= _CHARS_OF_NUMBER_MAX and any(map(str.isdecimal, text)):
            into["".join(_parts(normal(text)))[:_CHARS_OF_WORD_MAX]] = None  # also with blanks
        left -= len(text) + _CHARS_A_TEXT_COSTS
        if left < 0 or len(first) + len(rest) > WORDS_OF_MESSAGE_MAX:
            break
    first.update(rest)
    return tuple(word for word in first if len(word) >= 1)[:WORDS_OF_MESSAGE_MAX]


def _texts(body: Mapping[str, Json]) -> Iterator[tuple[bool, str]]:
    """Walk through a body; each text with whether it stands in a field that people search by.

    A body may hold a million values that are no words: what comes after many is not looked at.
    """
    waiting: list[tuple[bool, Json]] = [(False, body)]
    for _ in range(_VALUES_OF_MESSAGE_MAX):
        if not waiting:
            return
        sought, value = waiting.pop()
        if isinstance(value, str):
            yield sought, value
        elif isinstance(value, Mapping):
            waiting += [
                (sought or _FIRST.search(name) is not None, inner)
                for name, inner in reversed(list(islice(value.items(), _VALUES_OF_MESSAGE_MAX)))
                if name not in _LEFT_OUT
            ]
        elif isinstance(value, list):
            waiting += [(sought, inner) for inner in reversed(value[:_VALUES_OF_MESSAGE_MAX])]
