"""The page in a bundle that people read: written from what is in the bundle and nothing else.

It follows from `comity.json`, messages and receipts byte for byte (SPEC 15.5), so a
verifier writes it again and compares; nobody can put another one beside the proofs. It has
no script and fetches nothing, shows every text escaped and without the signs that reorder
a line, and says itself that it proves nothing. This module verifies nothing, and knows
neither the disk nor the time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from protocol.bundle import About
from protocol.encoding import Json
from protocol.messages import Message
from protocol.record import Decision

_HEAD: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ font: 1.1em/1.5 serif; max-width: 48em; margin: 2em auto; padding: 0 1em; color: #111; background: #fff; }}
h1, h2 {{ line-height: 1.2; overflow-wrap: anywhere; }}
.note {{ border-left: .3em solid #555; padding-left: 1em; }}
article {{ border-top: 1px solid #555; margin-top: 2em; }}
dt {{ font-weight: bold; }}
dd {{ margin: 0 0 .3em 1.5em; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p class="note">This page is for reading. What is proved, and what is not, says only whoever verifies the file that it came in: <b>comity verify</b>, or the page verify.html.</p>
"""  # noqa: E501  (the lines are those of SPEC)
_FOOT: Final = "</body>\n</html>\n"

# Controls, and signs that hide or turn the text around them.
_HIDDEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})
_NO_NUMBER: Final = 2**53
_CALENDAR_ENDS: Final = 253_402_300_800  # the year 10000
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Told:
    """What the page is about: messages by their identities, decisions, a number of records."""

    messages: Sequence[tuple[str, Message]]
    decisions: Sequence[Decision]
    records: int


def render_summary(about: About, told: Told) -> bytes:
    """Give the bytes of `summary.html`."""
    of_whom = f"Records of {about.authority}" if about.case is None else f"Case {about.case}"
    title = escape(of_whom + (" (proofs only)" if about.proofs_only else ""))
    head = _HEAD.format(title=title) + _terms([
        ("Network", escape(about.network)),
        ("Made by", escape(about.authority)),
        ("Made at", show_time(about.created)),
        ("Messages", str(len(told.messages))),
        ("Receipts", str(len(told.decisions))),
        ("Records", str(told.records)),
    ])  # fmt: skip
    articles = _receipts(told.decisions) if about.proofs_only else _messages(told)
    return "".join((head, *articles, _FOOT)).encode()


def _messages(told: Told) -> Iterable[str]:
    decisions = {one.identity: one for one in told.decisions}
    numbered = [
        (_number(message, decisions.get(identity)), identity, message)
        for identity, message in told.messages
    ]
    numbered.sort(key=lambda one: (one[0], one[2].sender, one[2].seq))
    for number, identity, message in numbered:
        yield _article(
            f"{_show_number(number)}. {escape(message.kind)}, from {escape(message.sender)}",
            [
                ("To", escape(message.recipient)),
                ("Written", show_time(message.created)),
                ("Receipt", _show_receipt(decisions.get(identity))),
                ("Identity", identity),
            ],
            f'<dt>Text</dt><dd dir="auto">{_show(message.body)}</dd>\n',
        )


def _receipts(decisions: Iterable[Decision]) -> Iterable[str]:
    numbered = [(_number(None, one), one) for one in decisions]
    for number, one in sorted(numbered, key=lambda found: (found[0], found[1].identity)):
        yield _article(
            f"{_show_number(number)}. from {escape(one.sender)}",
            [
                ("To", escape(one.recipient)),
                ("Receipt", _show_receipt(one)),
                ("Identity", one.identity),
            ],
        )


def _number(message: Message | None, decision: Decision | None) -> int:
    """Give a message's number in its case, or one beyond all others."""
    if message is not None and message.order is not None:
        return message.order
    given = None if decision is None else decision.order
    return _NO_NUMBER if given is None else given


def _show_number(number: int) -> str:
    return "-" if number == _NO_NUMBER else str(number)


def _show_receipt(decision: Decision | None) -> str:
    if decision is None:
        return "none in this file"
    by = f"by {escape(decision.recipient)} at {show_time(decision.at)}"
    return f"accepted {by}" if decision.code is None else f"refused {by}: {escape(decision.code)}"


def _article(heading: str, terms: Sequence[tuple[str, str]], more: str = "") -> str:
    return f"<article>\n<h2>{heading}</h2>\n{_terms(terms, more)}</article>\n"


def _terms(terms: Sequence[tuple[str, str]], more: str = "") -> str:
    lines = "".join(f"<dt>{name}</dt><dd>{shown}</dd>\n" for name, shown in terms)
    return f"<dl>\n{lines}{more}</dl>\n"


def _show(value: Json) -> str:
    """Give a JSON value as nested lists; depth is bounded by the decoder."""
    if isinstance(value, str):
        return escape(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Mapping):
        fields = (
            f'<dt>{escape(name)}</dt><dd dir="auto">{_show(value[name])}</dd>'
            for name in sorted(value)
        )
        return f"<dl>{''.join(fields)}</dl>"
    items = (f'<li dir="auto">{_show(item)}</li>' for item in value)
    return f"<ol>{''.join(items)}</ol>"


def escape(text: str) -> str:
    """Give a text as HTML shows it, without signs that hide or reorder anything."""
    return _HIDDEN.sub("\ufffd", text).translate(_ESCAPES)


def show_time(seconds: int) -> str:
    """Give a time for people, in UTC; one that no calendar has as its number."""
    if seconds >= _CALENDAR_ENDS:
        return f"second {seconds}"
    days, rest = divmod(seconds, _DAY_S)
    year, month, day = _civil(days)
    hour, rest = divmod(rest, 3_600)
    minute, second = divmod(rest, 60)
    return f"{year:04d}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}:{second:02d} UTC"


def _civil(days: int) -> tuple[int, int, int]:
    """Give the date of a day counted from 1970-01-01, in years that begin in March."""
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (
        day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month_from_march = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month_from_march + 2) // 5 + 1
    month = month_from_march + 3 if month_from_march < 10 else month_from_march - 9  # noqa: PLR2004  (March is 0)
    return year_of_era + 400 * era + (month <= 2), month, day  # noqa: PLR2004  (January, February)
