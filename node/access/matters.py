"""Matters that take two people: what is asked for, agreed to by another, and then done.

Keys of the node and the destruction of a case are no one person's. The first asks, and is
told a code; the second confirms that code, which covers what was asked for exactly; then the
first does it. As long as nobody else could be asked, it is done at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from node.access.faults import SecondPersonNeeded
from node.access.people import check_second, takes_two
from node.access.roles import Person
from node.audit.people_records import MatterAsked, MatterConfirmed
from node.storage import Connection
from node.storage.peer_rows import read_setting, write_setting
from node.storage.writer import Tx
from protocol.digest import sha256_hex
from protocol.encoding import Fields, Json, canonical, decode
from protocol.errors import Misuse, Rejected

_KEPT: Final = "matters"
_KEPT_BYTES_MAX: Final = 1024 * 1024
_KEPT_MAX: Final = 256
_CODE_CHARS: Final = 16
_GOOD_FOR_S: Final = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Matter:
    """Something that was asked for; `what` are the arguments that say which thing."""

    verb: str
    what: Mapping[str, Json]
    asked_by: str
    asked_at: int
    confirmed_by: str | None = None

    @property
    def code(self) -> str:
        """The code that stands for exactly this."""
        return sha256_hex(canonical([self.verb, dict(self.what), self.asked_by, self.asked_at]))[
            :_CODE_CHARS
        ]

    def is_of(self, verb: str, what: Mapping[str, Json], person: str) -> bool:
        """Say whether a person asked for this."""
        return (self.verb, dict(self.what), self.asked_by) == (verb, dict(what), person)


def list_matters(conn: Connection, now: int) -> list[Matter]:
    """Give what waits or was agreed to, the oldest first."""
    text = read_setting(conn, _KEPT)
    if text is None:
        return []
    try:
        fields = Fields({"matters": decode(text.encode(), bytes_max=_KEPT_BYTES_MAX)}, "kept")
        kept = [_matter(one) for one in fields.items("matters", count_max=_KEPT_MAX)]
    except Rejected:
        return []  # altered: whatever it was is asked for again
    return [one for one in kept if now - one.asked_at < _GOOD_FOR_S]


def _matter(raw: Json) -> Matter:
    fields = Fields({"matter": raw}, "kept")
    one = Fields(fields.object("matter"), "matter")
    confirmed = one.take("confirmed_by")
    return Matter(
        one.text("verb"), one.object("what"), one.text("asked_by"), one.integer("asked_at"),
        confirmed if isinstance(confirmed, str) else None,
    )  # fmt: skip


def _keep(tx: Tx, matters: list[Matter]) -> None:
    rows: list[Json] = [
        {"verb": one.verb, "what": dict(one.what), "asked_by": one.asked_by,
         "asked_at": one.asked_at, "confirmed_by": one.confirmed_by}
        for one in matters[-_KEPT_MAX:]
    ]  # fmt: skip
    write_setting(tx.conn, _KEPT, canonical(rows).decode("utf-8"))


def ask_for(tx: Tx, network: str, verb: str, what: Mapping[str, Json]) -> SecondPersonNeeded | None:
    """Ask for something that takes two people; None if it may be done now."""
    if not takes_two(tx.conn):
        return None
    if tx.by is None:
        raise Misuse("a matter that nobody asked for")
    matters = list_matters(tx.conn, tx.now)
    held = next((one for one in matters if one.is_of(verb, what, tx.by)), None)
    if held is None:
        held = Matter(verb, what, tx.by, tx.now)
        _keep(tx, [*matters, held])
        tx.record(MatterAsked(network, tx.now, verb, held.code, by=tx.by))
    return None if held.confirmed_by is not None else SecondPersonNeeded(held.code)


def confirm_matter(tx: Tx, network: str, person: Person, code: str) -> Matter | None:
    """Agree to a matter; None if none that waits has this code."""
    matters = list_matters(tx.conn, tx.now)
    for place, one in enumerate(matters):
        if one.code != code or one.confirmed_by is not None:
            continue
        check_second(tx.conn, tx.by, person, {one.asked_by})
        matters[place] = replace(one, confirmed_by=tx.by)
        _keep(tx, matters)
        tx.record(MatterConfirmed(network, tx.now, one.verb, code, by=tx.by))
        return matters[place]
    return None


def forget_matter(tx: Tx, verb: str, what: Mapping[str, Json]) -> None:
    """Forget what was asked for, as it is done."""
    matters = list_matters(tx.conn, tx.now)
    left = [one for one in matters if not one.is_of(verb, what, tx.by or "")]
    if len(left) != len(matters):
        _keep(tx, left)
