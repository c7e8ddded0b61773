"""The audit of a log: derive all of it again from storage, and believe nothing on the way.

    report = fsck(database, network="pacific", authority="fj.justice", origin=origin,
                  guard=guard_file.read_bytes())

Nothing here is shared with what writes: statements, tree and form of records are of their
own; only the signatures are verified by the protocol's own verifiers. One snapshot, read
once, in constant memory; it never stops at the first finding. It says what it did not
check. It does not say what nobody can from one side: that the log shows everybody the same
(witnesses do), or that nothing happened unrecorded.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from node.audit.fsck.entries import Claims, EntryReader
from node.audit.fsck.messages import MessageReader
from node.audit.fsck.receipts import Own, Receipts
from node.audit.fsck.report import Conclusion, Counts, Finding, Notes, Progress, Report
from node.audit.fsck.rows import RowsOfRecords
from node.audit.fsck.tree import root_from_tiles
from node.audit.fsck.trust import load_trust
from node.audit.guard import guarded_checkpoint
from node.storage import Connection, audit_rows
from node.storage.audit_rows import RowsUnreadable
from node.storage.engine import Database
from node.storage.vault import Vault
from protocol.checkpoint import Checkpoint, LogKeys, decode_body, verify_checkpoint
from protocol.errors import Rejected
from protocol.note import decode_note

__all__ = ["Conclusion", "Counts", "Finding", "Progress", "Report", "fsck"]


def fsck(
    database: Database,
    *,
    network: str,
    authority: str,
    origin: str,
    guard: bytes | None = None,
    vault: Vault | None = None,
    progress: Progress | None = None,
    monotonic: Callable[[], float] = lambda: 0.0,
) -> Report:
    """Audit the log `origin` of an authority, and all that it is about.

    `guard` is the content of the guard's file, None if it is not at hand; `vault` opens the
    texts of messages; `monotonic` measures the seconds. Raises `StorageFailed` if the
    database is not there or away; a damaged one is a finding.
    """
    notes, begun = Notes(), monotonic()
    if guard is None:
        notes.not_checked.append("The guard: its checkpoint was not given.")
    if vault is None:
        notes.not_checked.append(
            "The texts of messages: they are sealed, and no storage key was given."
        )
    audit = _Audit(Own(network, authority, origin, None), guard, vault, notes)
    root = database.read(lambda conn: audit.run(conn, progress or _silent))
    return notes.report(size=audit.size, root=root, seconds=monotonic() - begun)


def _silent(_part: str, _done: int, _total: int) -> None:
    """Tell nobody."""


class _Audit:
    """One audit, part by part; a part that cannot be read does not stop the others."""

    def __init__(self, own: Own, guard: bytes | None, vault: Vault | None, notes: Notes) -> None:
        self._own = own
        self._guard = guard
        self._vault = vault
        self._notes = notes
        self.size: int | None = None

    def run(self, conn: Connection, progress: Progress) -> bytes | None:
        """Read everything on one snapshot; gives the derived root, if there is one."""
        own, notes = self._own, self._notes
        try:
            trust = load_trust(conn, own.network, notes)
            keys = trust.log_keys(own.authority, int(own.origin.rpartition("/")[2]))
            own = Own(own.network, own.authority, own.origin, keys)
            head = self._read_head(conn, keys)
            if head is None:
                return None
            self.size = head.size
            rows = RowsOfRecords(conn, own.authority, trust, notes)
            reader = EntryReader(
                conn, Claims(own.network, head, self._read_guard(head, keys)), rows, notes
            )
            reader.read(progress)
            if reader.readable:
                trust.compare(notes, erased=rows.erased_installations)
        except RowsUnreadable as fault:
            self._unreadable(fault)
            return None
        receipts = Receipts(conn, own, trust, _roots(conn, head, reader.root), notes)
        receipts.entries_readable = reader.readable
        messages = MessageReader(conn, receipts, self._vault, notes)
        for part in (messages.read, messages.read_refusals):
            try:
                part(progress)
            except RowsUnreadable as fault:
                self._unreadable(fault)
        return reader.root

    def _unreadable(self, fault: RowsUnreadable) -> None:
        self._notes.false("unreadable", fault.place, "The database cannot give these rows.")

    def _read_head(self, conn: Connection, keys: LogKeys | None) -> Checkpoint | None:
        """Read the signed head, and compare it with its row and its keys."""
        heads = {row.origin: row for row in audit_rows.read_heads(conn)}
        row = heads.pop(self._own.origin, None)
        for origin in heads:
            sentence = "The database holds the head of a log that is not this one."
            self._notes.false("head-foreign", f"head {origin}", sentence)
        if row is None:
            sentence = "The database holds no head of this log."
            self._notes.false("head-missing", f"head {self._own.origin}", sentence)
            return None
        head = self._verify(bytes(row.checkpoint), keys, "head")
        if head is not None and (head.size, head.root) != (row.size, bytes(row.root)):
            sentence = "Size and root are not those of its checkpoint."
            self._notes.false("head-differs", f"head {row.origin}", sentence)
        return head

    def _read_guard(self, head: Checkpoint, keys: LogKeys | None) -> Checkpoint | None:
        """Read the guard, which holds the head or an earlier state of the same log."""
        if self._guard is None:
            return None
        try:
            guarded_checkpoint(self._guard)
        except Rejected:
            self._notes.false("guard-damaged", "guard", "It holds no checkpoint.")
            return None
        guard = self._verify(self._guard, keys, "guard")
        if guard is None or guard.size <= head.size:
            return guard
        sentence = (
            f"It remembers {guard.size} entries and the database ends at {head.size}:"
            " the database was restored or copied from an earlier state."
        )
        self._notes.false("behind-guard", "guard", sentence)
        return None

    def _verify(self, raw: bytes, keys: LogKeys | None, what: str) -> Checkpoint | None:
        """Read a checkpoint of this log and, where the keys are here, verify it."""
        place = f"{what} {self._own.origin}"
        try:
            checkpoint = decode_body(decode_note(raw).body)
        except Rejected as fault:
            self._notes.false(f"{what}-damaged", place, f"It is no checkpoint: {fault.detail}.")
            return None
        if checkpoint.origin != self._own.origin:
            self._notes.false(f"{what}-foreign", place, "It is the checkpoint of another log.")
            return None
        if keys is None:
            sentence = "The keys of this log are not here, so its signatures are not judged."
            self._notes.open("log-keys-missing", place, sentence)
            return checkpoint
        try:
            verify_checkpoint(raw, origin=self._own.origin, keys=keys)
        except Rejected as fault:
            self._notes.false(f"{what}-not-signed", place, f"It does not verify: {fault.detail}.")
        return checkpoint


def _roots(conn: Connection, head: Checkpoint, root: bytes | None) -> Callable[[int], bytes | None]:
    """Give what computes the root of an earlier size; None where the tree is not whole."""
    number = int(head.origin.rpartition("/")[2])

    @lru_cache(maxsize=4_096)
    def root_at(size: int) -> bytes | None:
        if root is None:
            return None
        if size > head.size:
            return b""  # no tree of ours was ever that large: no root is right
        return root_from_tiles(
            size, lambda level, at: audit_rows.read_tile(conn, number, level, at) or b""
        )

    return root_at
