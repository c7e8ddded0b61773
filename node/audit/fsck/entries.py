"""The entries, from the first to the last: commitments, records, tree, tiles, head, guard.

One pass in pages, in constant memory. A record must open its commitment and be in its one
form; the leaves must give every tile, the root that was signed and, on the way, the root
that the guard remembers. Records that name a message, a refusal or an installation are
compared with their rows as they come. Knows no signature.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from node.audit.fsck.own import OwnLog
from node.audit.fsck.records import Record, RecordFault, read_record
from node.audit.fsck.report import Notes, Progress
from node.audit.fsck.rows import RowsOfRecords
from node.audit.fsck.tree import HASH_BYTES, TILE_HASHES, Peaks
from node.storage import Connection, audit_rows
from node.storage.audit_rows import RowsUnreadable, Values
from protocol.checkpoint import Checkpoint

_RECORD_LABEL: Final = b"comity/v1/record\0"  # SPEC 6.1, written out once more
_LEAF_OF_ENTRY: Final = b"\0\x01"  # the prefix of a leaf, then the first byte of an entry

FIRST_NUMBER: Final = 1  # of the log that continues none

_sha256 = hashlib.sha256


class EntryReader:
    """Reads all entries of one log once, and leaves in it the root that they give."""

    def __init__(
        self,
        conn: Connection,
        log: OwnLog,
        guard: Checkpoint | None,
        rows: RowsOfRecords,
        notes: Notes,
    ) -> None:
        """Read `log` on `conn`, whose snapshot does not change; `guard` is a state of it."""
        self._conn = conn
        self._network = log.origin.partition("/")[0]
        self._of = log
        self._log = log.number
        self._guard = guard
        self._rows = rows
        self._notes = notes
        self._peaks = Peaks(self._compare_tile)
        self._next = 0
        self._beyond = 0
        self._whole = True  # until an entry is missing: then no root can be derived

    def read(self, progress: Progress) -> None:
        """Read and compare everything."""
        head, notes = self._of.head, self._notes
        self._rows.begin(self._of)
        self._pass_guard()
        try:
            for page in audit_rows.entry_pages(self._conn, self._log):
                self._read_page(page)
                progress("entries", min(self._next, head.size), head.size)
        except RowsUnreadable as fault:
            self._whole = self._of.readable = False
            notes.false("unreadable", fault.place, "The database cannot give these rows.")
        if self._beyond:
            sentence = f"{self._beyond} entries stand beyond the signed size."
            notes.false("entries-beyond-head", self._entry(head.size), sentence)
        if self._whole and self._peaks.size < head.size:
            self._miss(self._peaks.size, head.size)
        if self._whole:
            self._compare_end()

    # --- one page -----------------------------------------------------------

    def _read_page(self, page: Sequence[Values]) -> None:
        leaves: list[bytes] = []
        found: list[tuple[int, Record]] = []
        head_size, network, next_ = self._of.head.size, self._network, self._next
        erased = 0
        for position, commitment, kind, at, record, salt in page:
            if position >= head_size:
                self._beyond += 1
                continue
            if position != next_:
                self._miss(next_, position)
            next_ = position + 1
            leaves.append(_sha256(_LEAF_OF_ENTRY + commitment).digest())
            if record is None or salt is None:
                erased += 1
                self._check_erased(position, kind, record, salt)
                continue
            if _sha256(_RECORD_LABEL + salt + record).digest() != commitment:
                self._unopened(position)
                continue
            try:
                read = read_record(record, network)
            except RecordFault as fault:
                self._notes.false("record-malformed", self._entry(position), str(fault))
                continue
            if read["kind"] != kind or read["at"] != at:
                self._differs(position)
            found.append((position, read))
        self._notes.count("entries", len(page))
        self._notes.count("records", len(found))
        self._notes.count("erased", erased)
        self._next = next_
        self._grow(leaves)
        self._rows.compare(found)
        self._check_first(found)

    def _entry(self, position: int) -> str:
        return f"{self._of.prefix}entry {position}"

    def _miss(self, first: int, after: int) -> None:
        self._whole = False
        several = f"{self._of.prefix}entries {first} to {after - 1}"
        place = self._entry(first) if after - first == 1 else several
        self._notes.false("entry-missing", place, "The log was signed with it, and it is gone.")

    def _unopened(self, position: int) -> None:
        sentence = "The record and its salt do not open the commitment."
        self._notes.false("record-altered", self._entry(position), sentence)

    def _differs(self, position: int) -> None:
        sentence = "The columns kind and at are not what the record says."
        self._notes.false("columns-altered", self._entry(position), sentence)

    def _check_erased(
        self, position: int, kind: str, record: bytes | None, salt: bytes | None
    ) -> None:
        if (record is None) != (salt is None):
            sentence = "Record and salt are erased together or not at all."
            self._notes.false("half-erased", self._entry(position), sentence)
        if position == 0:
            sentence = (
                "The record that opened the log was erased; whose log it is rests on the head."
            )
            self._notes.open("first-erased", self._entry(position), sentence)
        self._rows.note_erased(position, kind)

    def _check_first(self, found: Sequence[tuple[int, Record]]) -> None:
        """Leaf 0 says whose log it is, and which closed one it continues."""
        if not found or found[0][0] != 0:
            return
        first, closed = found[0][1], self._of.continues
        if closed is None:
            right = first["kind"] == "log.opened" and self._of.number == FIRST_NUMBER
        else:
            end = closed.closure
            right = first["kind"] == "log.closed" and (
                first["closed"], first["size"], first["root"], first["reason"], first["statement"],
            ) == (end.origin, end.size, end.root.hex(), end.reason, closed.digest)  # fmt: skip
        if not right or first["origin"] != self._of.origin:
            sentence = "The first record does not open this log."
            self._notes.false("first-foreign", self._entry(0), sentence)

    # --- the tree -----------------------------------------------------------

    def _grow(self, leaves: list[bytes]) -> None:
        """Add the leaves, and stop where the guard stood to compare the root there."""
        if not self._whole:
            return
        guard = self._guard
        ahead = guard.size - self._peaks.size if guard is not None else 0
        if 0 < ahead <= len(leaves):
            self._peaks.extend(leaves[:ahead])
            self._pass_guard()
            leaves = leaves[ahead:]
        self._peaks.extend(leaves)

    def _pass_guard(self) -> None:
        guard = self._guard
        if guard is None or guard.size != self._peaks.size:
            return
        if guard.root != self._peaks.root():
            sentence = "The guard remembers another history of this log."
            self._notes.false("guard-differs", f"{self._of.prefix}size {guard.size}", sentence)

    def _compare_end(self) -> None:
        self._peaks.end()
        root = self._of.root = self._peaks.root()
        if root != self._of.head.root:
            sentence = "The entries do not give the root that was signed."
            place = f"{self._of.prefix}size {self._peaks.size}"
            self._notes.false("root-differs", place, sentence)
        done = self._peaks.tiles()
        for level, position in audit_rows.tile_places(self._conn, self._log):
            if not (0 <= level < len(done) and 0 <= position < done[level]):
                sentence = "The tree has no such tile."
                place = f"{self._of.prefix}tile {level}/{position}"
                self._notes.false("tile-extra", place, sentence)

    def _compare_tile(self, level: int, index: int, hashes: bytes) -> None:
        self._notes.count("tiles")
        place = f"{self._of.prefix}tile {level}/{index}"
        try:
            stored = audit_rows.read_tile(self._conn, self._log, level, index)
        except RowsUnreadable as fault:
            self._notes.false("unreadable", fault.place, "The database cannot give this tile.")
            return
        if stored is None:
            self._notes.false("tile-missing", place, "The tree has it, and it is not stored.")
        elif stored != hashes:
            self._notes.false("tile-differs", place, _difference(level, index, hashes, stored))


def _difference(level: int, index: int, derived: bytes, stored: bytes) -> str:
    """Say what differs in a tile; on the lowest level that is an entry."""
    if len(derived) != len(stored):
        return f"It should have {len(derived) // HASH_BYTES} hashes."
    starts = range(0, len(derived), HASH_BYTES)
    first = next(
        at for at in starts if derived[at : at + HASH_BYTES] != stored[at : at + HASH_BYTES]
    )
    number = index * TILE_HASHES + first // HASH_BYTES
    if level == 0:
        return f"Entry {number} is not the one that the tile was made from."
    return f"Its hash {first // HASH_BYTES} is not what the entries below it give."
