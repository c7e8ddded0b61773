"""Where a case stands: its state, and what later guards need of what came before.

    {"kind":"PRESERVATION","machine":"request","state":"MEASURE_IN_FORCE","valid_until":1800000000}

Codes, times and numbers of items only, never a word that somebody wrote: a node may keep a
standing in clear. Members that say nothing are left out, so that one standing has one
encoding. This module knows no event; `lifecycle` makes a standing of the one before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Final, cast, get_args

from protocol.encoding import Fields, Json, canonical, decode
from protocol.errors import Malformed
from protocol.lifecycle_table import Machine, State
from protocol.limits import STANDING_BYTES_MAX, STANDING_NUMBERS_MAX

REQUEST_KIND: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
NUMBER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,15}")
UNKNOWN_KIND: Final = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What both sides of a case hold to be so, after the same messages in the same order.

    Times are those that the sides signed. `proposed` and `conditions` are the numbers of
    conditions that are on the table and that the requesting side has agreed to. A due time
    stands from its question until the answer. `concluded` is whether the last result, a
    refusal of the rest or a conversion came, and was not disputed.
    """

    machine: Machine
    kind: str
    state: State
    countersign_due: int | None = None
    accepted_before: bool = False
    consultation_due: int | None = None
    consultation_done: bool = False
    proposed: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    info_due: int | None = None
    info_items: tuple[str, ...] = ()
    reminded: bool = False
    review_at: int | None = None
    valid_until: int | None = None
    extension_until: int | None = None
    lift_due: int | None = None
    lift_answered: bool = False
    items_sent: bool = False
    result_sent: bool = False
    concluded: bool = False
    consent_asked: bool = False

    def to_json(self) -> dict[str, Json]:
        """Give the standing without the members that say nothing."""
        given: dict[str, Json] = {
            "machine": self.machine,
            "kind": self.kind,
            "state": self.state.value,
        }
        for name in _LATER:
            value: Json = getattr(self, name)
            if value is not None and value is not False and value != ():
                given[name] = value
        return given

    def encode(self) -> bytes:
        """Give the one encoding of this standing."""
        return canonical(self.to_json())


_LATER: Final = tuple(member.name for member in fields(Standing))[3:]
_TIMES: Final = (
    "countersign_due", "consultation_due", "info_due", "review_at", "valid_until",
    "extension_until", "lift_due",
)  # fmt: skip
_NUMBERS: Final = ("proposed", "conditions", "info_items")


def decode_standing(raw: bytes) -> Standing:
    """Decode a standing strictly; raises `Malformed` or `TooLarge`."""
    given = Fields(decode(raw, bytes_max=STANDING_BYTES_MAX), "standing")
    machine = cast("Machine", given.choice("machine", get_args(Machine)))
    kind = given.text("kind", pattern=REQUEST_KIND)
    state = State(given.choice("state", tuple(State)))
    times = {name: given.integer(name) for name in _TIMES if given.has(name)}
    numbers = {name: _numbers(given, name) for name in _NUMBERS if given.has(name)}
    marks = {name: _true(given, name) for name in _MARKS if given.has(name)}
    given.done()
    standing = Standing(machine=machine, kind=kind, state=state)
    for name, value in (*times.items(), *numbers.items(), *marks.items()):
        object.__setattr__(standing, name, value)
    return standing


_MARKS: Final = tuple(name for name in _LATER if name not in (*_TIMES, *_NUMBERS))


def _numbers(given: Fields, name: str) -> tuple[str, ...]:
    texts = given.items(name, count_max=STANDING_NUMBERS_MAX)
    found = tuple(one for one in texts if isinstance(one, str) and NUMBER.fullmatch(one))
    if not found or len(found) != len(texts):
        raise Malformed(f"standing.{name} is not a list of item numbers")
    return found


def _true(given: Fields, name: str) -> bool:
    if given.take(name) is not True:
        raise Malformed(f"standing.{name} stands only where it is true")
    return True
