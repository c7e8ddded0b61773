"""What a message says, read from a file of the person who sends it.

A JSON object is taken as it is, strictly: the wire has no fractions, no negative numbers and
no doubled names, and here the file is told where it has one. Any other text in UTF-8 becomes
`{"text": …}`. `-` is standard input. Nothing is guessed and nothing is rounded.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from node.cli.call import Failed, failed, usage
from protocol.encoding import Json
from protocol.limits import INTEGER_MAX, JSON_DEPTH_MAX, MESSAGE_TEXT_BYTES_MAX

STDIN: Final = Path("-")
_DEPTH_MAX: Final = JSON_DEPTH_MAX - 4  # a body stands inside a message's text


@dataclass(frozen=True, slots=True)
class _Unfit:
    """Stands in the parsed file where the wire has no form for what is there."""

    why: str


def read_body(path: Path | None) -> dict[str, Json]:
    """Read the body of a message from a file; no file is a body without a word."""
    if path is None:
        return {}
    raw = _read(path)
    name = "standard input" if path == STDIN else str(path)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise failed(
            "body", f"{name} is not text in UTF-8. Send other files as --evidence."
        ) from None
    if not text.lstrip().startswith("{") and path.suffix.lower() != ".json":
        if not text.strip():
            raise failed("body", f"{name} is empty.")
        return {"text": text}
    return _object(text, name)


def checked_request(body: dict[str, Json], kind: str) -> dict[str, Json]:
    """Give a request's body without the kind, which the command says."""
    stated = body.pop("request_kind", kind)
    if stated != kind:
        raise usage(f"The file says another request_kind than --kind {kind}.")
    return body


def _read(path: Path) -> bytes:
    if path == STDIN:
        raw = sys.stdin.buffer.read(MESSAGE_TEXT_BYTES_MAX + 1)
    else:
        with path.open("rb") as file:
            raw = file.read(MESSAGE_TEXT_BYTES_MAX + 1)
    if len(raw) > MESSAGE_TEXT_BYTES_MAX:
        raise failed(
            "too-large",
            f"{path} has more than {MESSAGE_TEXT_BYTES_MAX:,} bytes, which no message holds. "
            "Send it as --evidence.",
        )
    return raw


def _object(text: str, name: str) -> dict[str, Json]:
    """Parse the text as JSON and check it to its last member."""
    try:
        value = json.loads(
            text,
            parse_float=lambda found: _Unfit(
                f'{found} has a fraction; write it as text: "{found}"'
            ),
            parse_constant=lambda found: _Unfit(f"{found} is not a number of JSON"),
            object_pairs_hook=_members,
        )
    except json.JSONDecodeError as fault:
        where = f"line {fault.lineno}, column {fault.colno}"
        raise failed("body", f"{name} is not JSON: {fault.msg} ({where}).") from None
    except (RecursionError, ValueError):
        raise failed("body", f"{name} is nested too deeply, or has a number too long.") from None
    if isinstance(value, _Unfit):
        raise _at(name, "", value.why)
    if not isinstance(value, dict):
        raise failed("body", f'{name} holds JSON, but not an object: {{"name": …}}.')
    if "evidence" in value:
        raise failed(
            "body", f'{name}: "evidence" is written by the command; give the files as --evidence.'
        )
    _check(value, "", name, 0)
    return value


def _members(pairs: list[tuple[str, object]]) -> object:
    """Give an object, unless a name stands twice in it."""
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            return _Unfit(f'"{name}" stands twice in it')
        found[name] = value
    return found


def _check(value: object, place: str, name: str, depth: int) -> None:
    """Refuse what the wire cannot carry, and say where in the file it stands."""
    why = _unfit(value, depth)
    if why is not None:
        raise _at(name, place, why)
    members: Mapping[str, object] = {}
    if isinstance(value, dict):
        members = {f"{place}.{key}" if place else str(key): one for key, one in value.items()}
        odd = next((key for key in value if not key.isascii()), None)
        if odd is not None:
            raise _at(
                name, place, f'the name "{odd}" has letters outside ASCII; values may have them'
            )
    elif isinstance(value, list):
        members = {f"{place}[{number}]": one for number, one in enumerate(value)}
    for inner, one in members.items():
        _check(one, inner, name, depth + 1)


def _unfit(value: object, depth: int) -> str | None:
    if isinstance(value, _Unfit):
        return value.why
    if depth > _DEPTH_MAX:
        return f"is nested more than {_DEPTH_MAX} deep"
    if isinstance(value, int) and not isinstance(value, bool) and not 0 <= value <= INTEGER_MAX:
        return "is a number outside 0..2^53-1; write it as text"
    if isinstance(value, str) and any("\ud800" <= sign <= "\udfff" for sign in value):
        return "has half of a character (a lone surrogate)"
    return None


def _at(name: str, place: str, why: str) -> Failed:
    return failed("body", f"{name}: {place or 'the whole'}: {why}.")
