"""The heads of our logs: signed, as their rows have them, and ended as their closings say.

One log is open; each earlier one has a closing, which the next begins with. Of a closed one
more may have been signed than is stored: that is what was lost. The guard remembers the
log that is open. Knows no entry.
"""

from __future__ import annotations

from collections.abc import Mapping

from node.audit.fsck.own import OwnLog
from node.audit.fsck.report import Notes
from node.audit.fsck.trust import StoredTrust
from node.audit.guard import guarded_checkpoint
from node.storage import Connection, audit_rows, tables
from node.storage.audit_rows import Values
from protocol.checkpoint import (
    Checkpoint,
    LogKeys,
    claimed_checkpoint,
    number_of,
    verify_checkpoint,
)
from protocol.closure import TrustedClosure
from protocol.errors import Rejected


class HeadReader:
    """Reads the heads of all logs of an authority, and the guard."""

    def __init__(
        self, network: str, authority: str, origin: str, trust: StoredTrust, notes: Notes
    ) -> None:
        """Read for the authority whose log `origin` is open."""
        self._ours = f"{network}/{authority}/"
        self._authority = authority
        self._origin = origin
        self._trust = trust
        self._notes = notes
        self.number = number_of(origin)
        self._head: Checkpoint | None = None

    def read(self, conn: Connection, closings: Mapping[str, TrustedClosure]) -> dict[int, OwnLog]:
        """Give the logs by number, the first first; what is not one of them is a finding."""
        heads = {row.origin: row for row in audit_rows.read_heads(conn)}
        logs: dict[int, OwnLog] = {}
        for origin in sorted(heads, key=_number):
            if origin != self._origin and origin not in closings:
                sentence = "The database holds the head of a log that is not open or closed here."
                self._notes.false("head-foreign", f"head {origin}", sentence)
            elif (log := self._read(heads[origin], closings.get(origin))) is not None:
                logs[log.number] = log
        if self._origin not in heads:
            sentence = "The database holds no head of this log."
            self._notes.false("head-missing", f"head {self._origin}", sentence)
        for table in (tables.log_entries, tables.log_tiles):
            for number in set(audit_rows.log_numbers(conn, table)) - logs.keys():
                sentence = "Rows stand here of a log that has no head."
                self._notes.false("log-foreign", f"{table.name} {number}", sentence)
        for log in logs.values():
            before = f"{self._ours}"
            log.continues = next(
                (one for origin, one in closings.items()
                 if origin.startswith(before) and one.closure.next_number == log.number),
                None,
            )  # fmt: skip
        self._head = logs[self.number].head if self.number in logs else None
        return logs

    def _read(self, row: Values, closing: TrustedClosure | None) -> OwnLog | None:
        """Read one signed head, and compare it with its row, its keys and its closing."""
        number, place = _number(row.origin), f"head {row.origin}"
        keys = self._trust.log_keys(self._authority, number)
        head = self._verify(bytes(row.checkpoint), row.origin, keys, "head")
        if head is None:
            return None
        if (head.size, head.root) != (row.size, bytes(row.root)):
            sentence = "Size and root are not those of its checkpoint."
            self._notes.false("head-differs", place, sentence)
        if row.origin == self._origin:
            if closing is not None:
                sentence = "It is the log that is open, and a closing of it is stored."
                self._notes.false("log-closed", place, sentence)
            return OwnLog(number, head, keys)
        if closing is not None:
            try:
                closing.closure.require_within(head)
            except Rejected as fault:
                self._notes.false(
                    "log-truncated", place, f"{fault.detail[0].upper()}{fault.detail[1:]}."
                )
            if head.size < closing.closure.size and closing.closure.reason != "lost-state":
                sentence = "It was closed for new keys, and entries of it are gone."
                self._notes.false("log-truncated", place, sentence)
        return OwnLog(number, head, keys, closing, prefix=f"log {number}, ")

    def read_guard(self, raw: bytes | None) -> Checkpoint | None:
        """Read the guard, which holds the head or an earlier state of the open log."""
        if raw is None or self._head is None:
            return None
        try:
            guarded_checkpoint(raw)
        except Rejected:
            self._notes.false("guard-damaged", "guard", "It holds no checkpoint.")
            return None
        keys = self._trust.log_keys(self._authority, self.number)
        guard = self._verify(raw, self._origin, keys, "guard")
        if guard is None or guard.size <= self._head.size:
            return guard
        sentence = (
            f"It remembers {guard.size} entries and the database ends at {self._head.size}:"
            " the database was restored or copied from an earlier state."
        )
        self._notes.false("behind-guard", "guard", sentence)
        return None

    def _verify(
        self, raw: bytes, origin: str, keys: LogKeys | None, what: str
    ) -> Checkpoint | None:
        """Read a checkpoint of a log of ours and, where the keys are here, verify it."""
        place = f"{what} {origin}"
        try:
            checkpoint = claimed_checkpoint(raw)
        except Rejected as fault:
            self._notes.false(f"{what}-damaged", place, f"It is no checkpoint: {fault.detail}.")
            return None
        if checkpoint.origin != origin:
            self._notes.false(f"{what}-foreign", place, "It is the checkpoint of another log.")
            return None
        if keys is None:
            sentence = "The keys of this log are not here, so its signatures are not judged."
            self._notes.open("log-keys-missing", place, sentence)
            return checkpoint
        try:
            verify_checkpoint(raw, origin=origin, keys=keys)
        except Rejected as fault:
            self._notes.false(f"{what}-not-signed", place, f"It does not verify: {fault.detail}.")
        return checkpoint


def _number(origin: str) -> int:
    """Give the number of a log; 0 for what is no name of one."""
    last = origin.rpartition("/")[2]
    return int(last) if last.isdecimal() and last.isascii() else 0
