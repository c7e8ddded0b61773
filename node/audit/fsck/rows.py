"""What records say of rows: each message, refusal and installation that was logged is there.

The other direction, that each row has its record, is read with the rows. Records come in
pages, and their rows are looked up by key, a page at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from node.audit.fsck.records import Record
from node.audit.fsck.report import Notes
from node.audit.fsck.trust import INSTALLED, StoredTrust
from node.storage import Connection, audit_rows
from node.storage.audit_rows import RowsUnreadable, Values

_DIRECTIONS = {"message.sent": "out", "message.accepted": "in"}


class RowsOfRecords:
    """Compares records with the rows that they are about."""

    def __init__(self, conn: Connection, authority: str, trust: StoredTrust, notes: Notes) -> None:
        """Compare with the rows of `authority` on `conn`."""
        self._conn = conn
        self._authority = authority
        self._trust = trust
        self._notes = notes
        self.erased_installations = 0

    def note_erased(self, kind: str) -> None:
        """Note that a record of this kind was erased."""
        self.erased_installations += kind in INSTALLED

    def compare(self, found: Sequence[tuple[int, Record]]) -> None:
        """Compare one page of records, each with its position."""
        messages: list[tuple[int, Record]] = []
        refused: list[tuple[int, Record]] = []
        for position, record in found:
            kind = record["kind"]
            if kind in _DIRECTIONS:
                messages.append((position, record))
            elif kind == "message.refused":
                refused.append((position, record))
            elif kind in INSTALLED:
                table, name = INSTALLED[kind]
                self._trust.recorded[table].add(record[name])
        try:
            self._compare_messages(messages)
            self._compare_refusals(refused)
        except RowsUnreadable as fault:
            self._notes.false("unreadable", fault.place, "The database cannot give these rows.")

    def _compare_messages(self, records: Sequence[tuple[int, Record]]) -> None:
        if not records:
            return
        identities = [record["identity"] for _, record in records]
        rows = audit_rows.message_places(self._conn, identities)
        envelopes = audit_rows.messages_of_envelopes(
            self._conn, [record["envelope"] for _, record in records]
        )
        for position, record in records:
            identity = record["identity"]
            row = rows.get(identity)
            if row is None:
                sentence = f"Entry {position} records it ({record['kind']}), but it is not stored."
                self._notes.false("message-missing", f"message {identity}", sentence)
            elif not self._fits(position, record, row):
                sentence = f"Its row is not what entry {position} records."
                self._notes.false("message-differs", f"message {identity}", sentence)
            elif envelopes.get(record["envelope"]) != identity:
                sentence = f"Its envelope in entry {position} is not known to hold it."
                self._notes.false("envelope-unknown", f"message {identity}", sentence)

    def _fits(self, position: int, record: Record, row: Values) -> bool:
        _identity, direction, log_position, order = row
        if direction != _DIRECTIONS[record["kind"]] or log_position != position:
            return False
        if direction == "in" and record["to"] != self._authority:
            return False
        return record["order"] is None or record["order"] == order

    def _compare_refusals(self, records: Sequence[tuple[int, Record]]) -> None:
        if not records:
            return
        identities = [record["identity"] for _, record in records]
        codes = audit_rows.refusals_of(self._conn, identities)
        for position, record in records:
            identity = record["identity"]
            if codes.get(identity) != record["code"] or record["to"] != self._authority:
                sentence = f"Entry {position} records it, and no row says the same."
                self._notes.false("refusal-missing", f"refusal {identity}", sentence)
