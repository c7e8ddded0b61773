"""What records say of rows: each thing that was logged is there, and as it was logged.

The other direction, that each row has its record, is read with the rows: what is needed for
that and is little (digests of trust, tokens, notices; counts of states) is gathered here.
Records come in pages, and their rows are looked up by key, a page at once.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from node.audit.fsck.deeds import Deeds
from node.audit.fsck.erasures import Erasures
from node.audit.fsck.own import OwnLog
from node.audit.fsck.records import Record
from node.audit.fsck.report import Notes
from node.audit.fsck.trust import INSTALLED, StoredTrust
from node.storage import Connection, audit_rows
from node.storage.audit_rows import RowsUnreadable, Values

_DIRECTIONS = {"message.sent": "out", "message.accepted": "in"}
_STATES = {
    "message.delivered": ("delivered", frozenset({"delivered"})),
    "message.refused-by-peer": ("refused", frozenset({"refused", "delivered"})),
    "message.undelivered": ("undelivered", frozenset({"undelivered", "refused", "delivered"})),
}
"""What a record makes of a message of ours, and the states that it may have since."""

_NOTICES = {
    "log.fork-found": ("fork", "proof"),
    "log.closure-installed": ("closed", "statement"),
}
GAVE_WAY = "recovered"  # the code of what was kept because another message took its place
_OPENERS = frozenset({"log.opened", "log.closed"})

_Found = list[tuple[int, Record]]


@dataclass(slots=True)
class Told:
    """What the records of all logs said of rows that are few, or of how many there are."""

    states: Counter[str] = field(default_factory=Counter)  # of messages, by what they are now
    erased: Counter[str] = field(default_factory=Counter)  # records that are gone, by kind
    recovered: set[str] = field(default_factory=set)
    notices: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    timestamps: dict[str, tuple[int, int]] = field(default_factory=dict)  # size and time
    tokens: dict[str, tuple[int, int]] = field(default_factory=dict)  # made, and until when
    ended: set[str] = field(default_factory=set)
    persons: dict[str, str] = field(default_factory=dict)  # where each acted first
    gave_way: set[str] = field(default_factory=set)  # to a message that came back, recorded so
    deeds: Deeds = field(default_factory=Deeds)


class RowsOfRecords:
    """Compares records with the rows that they are about."""

    def __init__(self, conn: Connection, authority: str, trust: StoredTrust, notes: Notes) -> None:
        """Compare with the rows of `authority` on `conn`."""
        self._conn = conn
        self._authority = authority
        self._trust = trust
        self.notes = notes
        self._log = 0
        self._prefix = ""
        self._moved: dict[str, tuple[int, Record]] = {}  # whose row names a later log
        self._comparing: dict[str, Callable[[_Found], None]] = {
            **dict.fromkeys(_DIRECTIONS, self._compare_messages),
            **dict.fromkeys(_STATES, self._compare_states),
            "message.refused": self._compare_refusals,
            "message.resealed": self._compare_resealed,
            "message.recovered": self._compare_recovered,
            "evidence.listed": self._compare_evidence,
        }
        self.told = Told()
        self.erasures = Erasures()

    def begin(self, log: OwnLog) -> None:
        """Take the records of another log from here on."""
        self._log, self._prefix = log.number, log.prefix

    def note_erased(self, position: int, kind: str) -> None:
        """Note that a record is gone; `kind` is what its row says it was."""
        self.erasures.note_gone(self._log, position)
        self.told.erased[kind] += 1

    @property
    def erased_installations(self) -> int:
        """How many records of installations are gone."""
        return sum(self.told.erased[kind] for kind in INSTALLED)

    def compare(self, found: Sequence[tuple[int, Record]]) -> None:
        """Compare one page of records, each with its position."""
        groups: dict[Callable[[_Found], None], _Found] = {}
        persons = self.told.persons
        for position, record in found:
            kind, by = record["kind"], record.get("by")
            if by is not None and by not in persons:
                persons[by] = self._entry(position)
            compare = self._comparing.get(kind)
            if compare is None:
                self._take(position, kind, record)
            else:
                groups.setdefault(compare, []).append((position, record))
        for compare, records in groups.items():
            try:
                compare(records)
            except RowsUnreadable as fault:
                self.notes.false("unreadable", fault.place, "The database cannot give these rows.")

    def end(self) -> None:
        """Settle what only the last record could: a row may name a later log if it came back."""
        for identity, (position, record) in self._moved.items():
            if identity not in self.told.recovered:
                self._differs(position, record)

    def _entry(self, position: int) -> str:
        return f"{self._prefix}entry {position}"

    def _take(self, position: int, kind: str, record: Record) -> None:
        """Take a record whose rows are read later, all at once."""
        told = self.told
        if kind in INSTALLED:
            table, name = INSTALLED[kind]
            self._trust.recorded[table][record[name]] = record["at"]
        elif kind in _NOTICES:
            notice, name = _NOTICES[kind]
            told.notices[notice, record["origin"]] = record[name], record["at"]
        elif kind == "token.made":
            told.tokens[record["token"]] = record["at"], record["expires"]
        elif kind == "token.ended":
            told.ended.add(record["token"])
        elif kind == "log.timestamped":
            told.timestamps[record["token"]] = record["size"], record["at"]
        elif kind == "case.erased":
            self.erasures.cases[record["case"]] = self._entry(position)
        elif kind == "record.erased":
            if not self.erasures.note_told(record["log"], record["entries"]):
                sentence = "Its list of entries is not in its form."
                self.notes.false("record-malformed", self._entry(position), sentence)
        elif kind in _OPENERS and position != 0:
            sentence = "A log is opened by its first record and by no other."
            self.notes.false("record-misplaced", self._entry(position), sentence)
        else:
            told.deeds.take(record)

    # --- messages -----------------------------------------------------------

    def _compare_messages(self, records: _Found) -> None:
        rows = self._places(records)
        envelopes = self._envelopes(records)
        for position, record in records:
            row = rows.get(record["identity"])
            if row is None:
                self._missing(position, record)
            elif not self._fits(record, row):
                self._differs(position, record)
            elif row.log is not None and row.log > self._log:
                self._moved[record["identity"]] = position, record
            elif (row.log, row.log_position) != (self._log, position):
                self._differs(position, record)
            elif envelopes.get(record["envelope"]) != record["identity"]:
                self._unknown(position, record)

    def _compare_states(self, records: _Found) -> None:
        """What became of messages of ours, and the very receipt that made it so."""
        rows = self._places(records, receipts=any("receipt" in one for _, one in records))
        for position, record in records:
            made, possible = _STATES[record["kind"]]
            row = rows.get(record["identity"])
            if row is None:
                if self._missing(position, record):
                    self.told.gave_way.add(record["identity"])
                continue
            direction, state = row[1], row[5]
            same = state != made or "receipt" not in record or _digest(row) == record["receipt"]
            if direction != "out" or state not in possible or not same:
                self._differs(position, record)
            self.told.states[made] += state == made

    def _compare_recovered(self, records: _Found) -> None:
        rows = self._places(records, receipts=True)
        for position, record in records:
            identity = record["identity"]
            row = rows.get(identity)
            self.told.recovered.add(identity)
            if row is None:
                self._missing(position, record)
                continue
            order = record["order"] in {None, row.order_number}
            same = row.direction == record["direction"] and _digest(row) == record["receipt"]
            if not (order and same):
                self._differs(position, record)
            if row.direction == "out":
                self.told.states[row.state] += 1

    def _compare_resealed(self, records: _Found) -> None:
        envelopes = self._envelopes(records)
        for position, record in records:
            if envelopes.get(record["envelope"]) != record["identity"]:
                self._unknown(position, record)

    def _compare_evidence(self, records: _Found) -> None:
        rows = self._places(records)
        for position, record in records:
            if record["identity"] not in rows:
                self._missing(position, record)

    def _compare_refusals(self, records: _Found) -> None:
        codes = audit_rows.refusals_of(self._conn, [one["identity"] for _, one in records])
        for position, record in records:
            identity = record["identity"]
            if codes.get(identity) != record["code"] or record["to"] != self._authority:
                sentence = f"{self._said(position)} records it, and no row says the same."
                self.notes.false("refusal-missing", f"refusal {identity}", sentence)

    def _places(self, records: _Found, *, receipts: bool = False) -> dict[str, Values]:
        identities = [one["identity"] for _, one in records]
        return audit_rows.message_places(self._conn, identities, receipts=receipts)

    def _envelopes(self, records: _Found) -> dict[str, str]:
        digests = [one["envelope"] for _, one in records]
        return audit_rows.messages_of_envelopes(self._conn, digests)

    def _fits(self, record: Record, row: Values) -> bool:
        if row.direction != _DIRECTIONS[record["kind"]]:
            return False
        if row.direction == "in" and record["to"] != self._authority:
            return False
        return record["order"] is None or record["order"] == row.order_number

    # --- what is said -------------------------------------------------------

    def _said(self, position: int) -> str:
        place = self._entry(position)
        return place[0].upper() + place[1:]

    def _missing(self, position: int, record: Record) -> bool:
        """Say that a message is not there, unless it gave way to one that came back."""
        identity = record["identity"]
        kept = audit_rows.contested_among(self._conn, [identity])
        if kept.get(identity) == GAVE_WAY:
            return True
        sentence = f"{self._said(position)} records it ({record['kind']}), but it is not stored."
        self.notes.false("message-missing", f"message {identity}", sentence)
        return False

    def _differs(self, position: int, record: Record) -> None:
        place = f"message {record['identity']}"
        sentence = f"Its row is not what {self._entry(position)} records ({record['kind']})."
        self.notes.false("message-differs", place, sentence)

    def _unknown(self, position: int, record: Record) -> None:
        place = f"message {record['identity']}"
        sentence = f"Its envelope in {self._entry(position)} is not known to hold it."
        self.notes.false("envelope-unknown", place, sentence)


def _digest(row: Values) -> str | None:
    """Give the SHA-256 of a receipt that came with a row, if there is one."""
    return None if row.receipt is None else hashlib.sha256(row.receipt).hexdigest()
