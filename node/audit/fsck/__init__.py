"""The audit of a log: derive all of it again from storage, and believe nothing on the way.

    report = fsck(database, network="pacific", authority="fj.justice", origin=origin,
                  guard=read_guard(guard_file))

Nothing here is shared with what writes: statements, tree and form of records are of their
own; only the signatures are verified by the protocol's own verifiers. One snapshot, read
once; it never stops at the first finding. All logs of the authority are derived, closed ones
too, and everything that was ever signed of them is compared. It says what it did not check.
It does not say what nobody can from one side: that the log shows everybody the same
(witnesses do), or that nothing happened unrecorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from node.audit.fsck.casework import CaseworkReader
from node.audit.fsck.entries import EntryReader
from node.audit.fsck.heads import HeadReader
from node.audit.fsck.messages import MessageReader
from node.audit.fsck.notices import load_notices
from node.audit.fsck.own import Own, OwnLog, roots_of
from node.audit.fsck.people import read_people
from node.audit.fsck.readers import read_persons, read_tokens, read_waiting
from node.audit.fsck.receipts import Receipts
from node.audit.fsck.report import (
    ClosedLog,
    Conclusion,
    Counts,
    Finding,
    Notes,
    Progress,
    Report,
)
from node.audit.fsck.rows import RowsOfRecords
from node.audit.fsck.trust import StoredTrust, load_trust
from node.audit.fsck.watch import Watch, read_timestamps
from node.storage import Connection
from node.storage.audit_rows import RowsUnreadable
from node.storage.engine import Database
from node.storage.vault import Vault

__all__ = ["ClosedLog", "Conclusion", "Counts", "Finding", "Progress", "Report", "fsck"]


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
    """Audit the logs of an authority, of which `origin` is open, and all that they are about.

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
    audit = _Audit(_Whose(network, authority, origin), guard, vault, notes)
    database.read(lambda conn: audit.run(conn, progress or _silent))
    return notes.report(size=audit.size, root=audit.root, seconds=monotonic() - begun)


def _silent(_part: str, _done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class _Whose:
    """Whose logs are to be audited, and which of them is open."""

    network: str
    authority: str
    origin: str


class _Audit:
    """One audit, part by part; a part that cannot be read does not stop the others."""

    def __init__(
        self, whose: _Whose, guard: bytes | None, vault: Vault | None, notes: Notes
    ) -> None:
        self._whose = whose
        self._guard = guard
        self._vault = vault
        self._notes = notes
        self.size: int | None = None
        self.root: bytes | None = None

    def run(self, conn: Connection, progress: Progress) -> None:
        """Read everything on one snapshot."""
        whose, notes = self._whose, self._notes
        try:
            trust = load_trust(conn, whose.network, notes)
            notices = load_notices(conn, trust, notes)
            heads = HeadReader(whose.network, whose.authority, whose.origin, trust, notes)
            own = Own(whose.network, whose.authority, heads.read(conn, notices.closings))
            guard = heads.read_guard(self._guard)
        except RowsUnreadable as fault:
            self._unreadable(fault)
            return
        open_log = own.logs.get(heads.number)
        if open_log is None:
            return  # said with the heads
        self.size = open_log.head.size
        rows = RowsOfRecords(conn, own.authority, trust, notes)
        for log in own.logs.values():
            log.root_at = roots_of(conn, log)
            state = guard if log is open_log else None
            try:
                EntryReader(conn, log, state, rows, notes).read(progress)
            except RowsUnreadable as fault:
                log.readable = False
                self._unreadable(fault)
        rows.end()
        self.root = open_log.root
        if all(log.readable for log in own.logs.values()):
            trust.compare(notes, erased=rows.erased_installations)
            notices.compare(rows.told, own.authority, notes)
            rows.erasures.compare({log.number: log.head.size for log in own.logs.values()}, notes)
        for part in self._parts(conn, own, trust, rows, progress):
            try:
                part()
            except RowsUnreadable as fault:
                self._unreadable(fault)
        notes.closed.extend(_closed(log) for log in own.logs.values() if log is not open_log)

    def _parts(
        self,
        conn: Connection,
        own: Own,
        trust: StoredTrust,
        rows: RowsOfRecords,
        progress: Progress,
    ) -> Iterator[Callable[[], None]]:
        """Give what is read behind the entries, in its order."""
        notes, told = self._notes, rows.told
        watch = Watch(own, trust, notes)
        yield lambda: watch.load(conn)
        yield lambda: watch.read_own(conn)
        yield lambda: read_timestamps(conn, watch, told.timestamps, notes)
        receipts = Receipts(conn, own, trust, rows, watch)
        messages = MessageReader(conn, receipts, self._vault, notes)
        yield lambda: messages.read(progress)
        yield lambda: messages.read_refusals(progress)
        casework = CaseworkReader(conn, told, messages.folds, self._vault, notes)
        if all(log.readable for log in own.logs.values()):
            yield lambda: read_tokens(conn, told, notes)
            yield lambda: read_people(conn, told, notes)
            yield lambda: casework.read(erased_cases=bool(rows.erasures.cases))
        yield lambda: read_persons(conn, told, notes)
        yield lambda: read_waiting(conn, notes, progress)

    def _unreadable(self, fault: RowsUnreadable) -> None:
        self._notes.false("unreadable", fault.place, "The database cannot give these rows.")


def _closed(log: OwnLog) -> ClosedLog:
    return ClosedLog(log.origin, log.head.size, log.end)
