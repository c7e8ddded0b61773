"""One form for every structure on the wire: canonical JSON, strict base64, hex digests.

JSON is RFC 8785 with narrower content: integers in 0..2^53-1, no floats, ASCII keys, no
duplicates, bounded depth. ASCII keys make byte order equal to RFC 8785's UTF-16 order,
so `orjson` with sorted keys writes the same bytes as an RFC 8785 library at a sixtieth of
the cost; a property test holds the two together.

Every decoder here is total: bytes in, a value or `Rejected` out. It ends by re-encoding
and comparing, so that one value has one encoding. This module knows no field of any
message; `Fields` reads whatever object its caller describes.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias

import orjson

from protocol.errors import Malformed, Misuse, TooLarge
from protocol.limits import INTEGER_MAX, JSON_DEPTH_MAX

Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"

HEX64: Final = re.compile(r"[0-9a-f]{64}")
_TEXT_BYTES_MAX: Final = 4 * 1024 * 1024


def canonical(value: Json) -> bytes:
    """Encode `value` as canonical JSON (RFC 8785; SPEC 1.1).

    Raises `Misuse` if the value cannot be sent: a float, a negative or too large integer,
    a key that is not ASCII, nesting over the limit, a lone surrogate.
    """
    try:
        _check(value, 0)
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except (Malformed, TooLarge) as fault:
        raise Misuse(fault.detail) from fault
    except (TypeError, orjson.JSONEncodeError) as fault:
        raise Misuse("a value that JSON cannot carry") from fault


def decode(raw: bytes, *, bytes_max: int) -> Json:
    """Decode canonical JSON strictly (SPEC 1.1): the bytes must be the only encoding.

    Raises `TooLarge` before parsing if there are more than `bytes_max` bytes, `Malformed`
    for anything that is not canonical JSON as narrowed by the specification.
    """
    if len(raw) > bytes_max:
        raise TooLarge(f"{len(raw)} bytes of JSON, at most {bytes_max}")
    try:
        value: Json = orjson.loads(raw)
    except orjson.JSONDecodeError as fault:
        raise Malformed("not JSON in UTF-8") from fault
    _check(value, 0)
    if orjson.dumps(value, option=orjson.OPT_SORT_KEYS) != raw:
        raise Malformed("JSON is not in canonical form (RFC 8785)")
    return value


def _check(value: object, depth: int) -> None:
    """Refuse what SPEC 1.1 does not let JSON hold."""
    if depth > JSON_DEPTH_MAX:
        raise TooLarge(f"JSON nested deeper than {JSON_DEPTH_MAX}")
    if value is None or isinstance(value, (bool, str)):
        return
    if isinstance(value, int):
        if not 0 <= value <= INTEGER_MAX:
            raise Malformed("an integer outside 0..2^53-1")
        return
    members: Iterable[object]
    if isinstance(value, (dict, Mapping)):  # a dict is told at once, any other mapping slowly
        _check_keys(value)
        members = value.values()
    elif isinstance(value, (list, tuple)):
        members = value
    else:
        raise Malformed("a number that is not an integer, or no JSON value at all")
    for member in members:
        # Most members are texts: they are spared the call, which costs more than the rest.
        if type(member) is not str or depth == JSON_DEPTH_MAX:
            _check(member, depth + 1)


def _check_keys(value: Mapping[object, object]) -> None:
    for key in value:
        if not isinstance(key, str) or not key.isascii():
            raise Malformed("an object key that is not ASCII")


def to_base64(raw: bytes) -> str:
    """Encode as standard base64 with padding (RFC 4648 section 4)."""
    return base64.b64encode(raw).decode("ascii")


def from_base64(text: str) -> bytes:
    """Decode standard base64 strictly; the text must be the only encoding of the bytes."""
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError) as fault:
        raise Malformed("not standard base64") from fault
    if to_base64(raw) != text:
        raise Malformed("base64 is not in its canonical form")
    return raw


class Fields:
    """One JSON object, read field by field; `done` refuses what nobody asked for.

    Errors name the field (never its value, which may be case content).

        fields = Fields(decode(raw, bytes_max=2048), "header")
        version = fields.integer("v", low=1, high=1)
        fields.done()
    """

    __slots__ = ("_left", "_where")

    def __init__(self, value: Json, where: str) -> None:
        """Take a decoded value that must be an object; `where` names it in errors."""
        if not isinstance(value, dict):
            raise Malformed(f"{where} is not an object")
        self._left: dict[str, Json] = dict(value)
        self._where = where

    def take(self, name: str) -> Json:
        """Return the field as it is; refuse its absence."""
        try:
            return self._left.pop(name)
        except KeyError:
            raise Malformed(f"{self._where} has no {name}") from None

    def has(self, name: str) -> bool:
        """Say whether an optional field is there and not yet taken."""
        return name in self._left

    def text(
        self, name: str, *, pattern: re.Pattern[str] | None = None, chars_max: int = _TEXT_BYTES_MAX
    ) -> str:
        """Return a string, in whole matched by `pattern` if one is given."""
        value = self.take(name)
        if not isinstance(value, str) or len(value) > chars_max:
            raise Malformed(f"{self._where}.{name} is not a string of at most {chars_max}")
        if pattern is not None and pattern.fullmatch(value) is None:
            raise Malformed(f"{self._where}.{name} is not in its form")
        return value

    def choice(self, name: str, allowed: Sequence[str]) -> str:
        """Return a string that must be one of `allowed`."""
        value = self.text(name)
        if value not in allowed:
            raise Malformed(f"{self._where}.{name} is none of the known words")
        return value

    def integer(self, name: str, *, low: int = 0, high: int = INTEGER_MAX) -> int:
        """Return an integer from `low` to `high`, both included."""
        value = self.take(name)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise Malformed(f"{self._where}.{name} is not an integer from {low} to {high}")
        return value

    def integer_or_none(self, name: str, *, low: int = 0, high: int = INTEGER_MAX) -> int | None:
        """Return an integer in the range, or None for null."""
        return None if self._is_null(name) else self.integer(name, low=low, high=high)

    def digest(self, name: str) -> str:
        """Return 64 lower-case hex digits (a digest or a key id)."""
        return self.text(name, pattern=HEX64)

    def digest_or_none(self, name: str) -> str | None:
        """Return 64 lower-case hex digits, or None for null."""
        return None if self._is_null(name) else self.digest(name)

    def digests(self, name: str, *, count_max: int) -> tuple[str, ...]:
        """Return a list of digests without repetition, in the order given."""
        where = f"{self._where}.{name}"
        found = tuple(
            Fields({"item": item}, where).digest("item")
            for item in self.items(name, count_max=count_max)
        )
        if len(set(found)) != len(found):
            raise Malformed(f"{self._where}.{name} repeats an item")
        return found

    def base64(
        self, name: str, *, size: int | None = None, bytes_max: int = _TEXT_BYTES_MAX
    ) -> bytes:
        """Return bytes given as strict base64: exactly `size`, or at most `bytes_max`."""
        text = self.text(name, chars_max=(bytes_max + 2) // 3 * 4)
        raw = from_base64(text)
        if len(raw) > bytes_max or (size is not None and len(raw) != size):
            raise Malformed(f"{self._where}.{name} has a wrong length")
        return raw

    def items(self, name: str, *, count_max: int) -> list[Json]:
        """Return a list of at most `count_max` members."""
        value = self.take(name)
        if not isinstance(value, list):
            raise Malformed(f"{self._where}.{name} is not a list")
        if len(value) > count_max:
            raise TooLarge(f"{self._where}.{name} has more than {count_max} items")
        return value

    def texts(
        self,
        name: str,
        *,
        count_max: int,
        pattern: re.Pattern[str] | None = None,
        chars_max: int = 256,
    ) -> tuple[str, ...]:
        """Return a list of strings, each in whole matched by `pattern` if one is given."""
        where = f"{self._where}.{name}"
        return tuple(
            Fields({"item": item}, where).text("item", pattern=pattern, chars_max=chars_max)
            for item in self.items(name, count_max=count_max)
        )

    def object(self, name: str) -> dict[str, Json]:
        """Return an object as it is, for the caller to keep or to read."""
        value = self.take(name)
        if not isinstance(value, dict):
            raise Malformed(f"{self._where}.{name} is not an object")
        return value

    def done(self) -> None:
        """Refuse fields that were not taken: the form is closed."""
        if self._left:
            # A field name may itself be content in a hostile message: count, do not quote.
            raise Malformed(f"{self._where} has {len(self._left)} unknown field(s)")

    def _is_null(self, name: str) -> bool:
        if name in self._left and self._left[name] is None:
            del self._left[name]
            return True
        return False
