"""Changing a node's database behind its back, and asking who finds it: node or auditor.

    bench = Bench(made.fiji, tmp_path, made.now)
    bench.fresh().alter("messages", "seq", place)
    bench.auditor(), bench.node_at_start()

One folder is put back before each change, which costs less than a copy of all of it.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from keys.keyfile import read_key_file
from keys.ring import KeyRing
from node.audit.fsck import Conclusion, Report
from node.audit.guard import FileGuard
from node.storage.tables import metadata
from protocol.checkpoint import Checkpoint, log_origin, sign_checkpoint
from protocol.errors import Rejected
from protocol.merkle import leaf_hash, root_of
from protocol.record import entry
from tests.support.clock import ManualClock
from tests.support.exchanged import AtRest, audit
from tests.support.keyfiles import PASSPHRASE

HOUR_S = 3_600


@dataclass(slots=True)
class Bench:
    """One node at rest, as often as it is needed."""

    original: AtRest
    folder: Path
    now: int
    _work: AtRest = field(init=False)
    _kept: dict[Path, bytes] = field(init=False)

    def __post_init__(self) -> None:
        """Copy the folder once; afterwards only what can have changed is put back."""
        self._work = self.original.copy(self.folder)
        files = (self._work.database_file, self._work.settings.guard.file)
        self._kept = {file: file.read_bytes() for file in files}

    def fresh(self) -> AtRest:
        """Give the node as it was."""
        for file in self._work.folder.glob("comity.db*"):
            file.unlink()
        for file, raw in self._kept.items():
            file.write_bytes(raw)
        return self._work

    def auditor(self) -> Report:
        """Audit what is there, offline."""
        return audit(self._work)

    def node_at_start(self) -> str | None:
        """Start the node; gives what it says against going on, or None."""
        try:
            node = self._work.open(ManualClock(self.now))
        except Rejected as fault:
            return fault.detail
        try:
            refused = [one.detail for one in node.office.directory.refused]
            return node.log.halted or (refused[0] if refused else None)
        finally:
            node.close()

    def found(self) -> bool:
        """Say whether an auditor does not call the log sound."""
        return self.auditor().conclusion is not Conclusion.SOUND


def unique_columns(table: sa.Table) -> list[str]:
    """Give the columns that keep two rows apart: one of the key, and one of each other rule."""
    rules = [rule for rule in table.constraints if isinstance(rule, sa.UniqueConstraint)]
    names = [list(rule.columns)[-1].name for rule in (table.primary_key, *rules)]
    return list(dict.fromkeys(names))


def insert_like(rest: AtRest, table: str, place: str) -> int:
    """Insert a row that was never written: a copy of one that was, under another key."""
    chosen = metadata.tables[table]
    apart = unique_columns(chosen)
    values = ", ".join(
        f'altered("{column.name}", {_is_number(column)})' if column.name in apart
        else f'"{column.name}"'
        for column in chosen.columns
    )  # fmt: skip
    names = ", ".join(f'"{column.name}"' for column in chosen.columns)
    return rest.tamper(
        f'INSERT INTO "{table}" ({names}) SELECT {values} FROM "{table}" WHERE {place}'  # noqa: S608  (names from the schema)
    )


def swap(rest: AtRest, table: str, first: str, second: str) -> bool:
    """Exchange all that two rows hold beside their keys; False if they hold the same."""
    chosen = metadata.tables[table]
    fixed = {column.name for column in chosen.primary_key.columns}
    for rule in chosen.constraints:
        if isinstance(rule, sa.UniqueConstraint):
            fixed |= {column.name for column in rule.columns}
    names = [column.name for column in chosen.columns if column.name not in fixed]
    if not names:
        return False
    quoted = ", ".join(f'quote("{name}")' for name in names)
    values = [
        rest.select(f'SELECT {quoted} FROM "{table}" WHERE {place}')[0]  # noqa: S608  (names from the schema)
        for place in (first, second)
    ]
    for place, row in zip((second, first), values, strict=True):
        pairs = ", ".join(f'"{name}" = {value}' for name, value in zip(names, row, strict=True))
        rest.tamper(f'UPDATE "{table}" SET {pairs} WHERE {place}')  # noqa: S608  (our own values)
    return values[0] != values[1]


def back_date(rest: AtRest, table: str, column: str, place: str) -> int:
    """Make a time an hour earlier."""
    return rest.tamper(
        f'UPDATE "{table}" SET "{column}" = coalesce("{column}", 0) - {HOUR_S} WHERE {place}'  # noqa: S608  (names from the schema)
    )


def try_alter(rest: AtRest, table: str, column: str, place: str) -> bool:
    """Change one value; False where the database itself refuses."""
    try:
        return rest.alter(table, column, place) == 1
    except sqlite3.IntegrityError:
        return False


def forge_log(rest: AtRest, size: int, *, checkpoint: bytes | None = None) -> bytes:
    """Cut a log to its first entries and sign that, as whoever has the keys can; guard too.

    Gives the checkpoint that is now the head: the given one, or a fresh one over the entries
    as they are. What the rows of messages say is left alone.
    """
    rest.tamper(f"DELETE FROM log_entries WHERE position >= {size}")  # noqa: S608  (a number)
    rows = rest.select("SELECT commitment FROM log_entries ORDER BY position")
    leaves = [leaf_hash(entry(row[0])) for row in rows if isinstance(row[0], bytes)]
    root = root_of(leaves)
    if checkpoint is None:
        settings = rest.settings
        ring = read_key_file(settings.keys.file, PASSPHRASE)
        assert isinstance(ring, KeyRing)
        ed25519, ml_dsa = ring.signers("log")
        signed = Checkpoint(log_origin(settings.network, settings.authority, 1), size, root)
        checkpoint = sign_checkpoint(signed, ed25519=ed25519, ml_dsa=ml_dsa, now=1_700_000_000)
    rest.tamper(
        f"UPDATE log_tiles SET hashes = x'{b''.join(leaves).hex()}'",  # noqa: S608  (our own values)
        f"UPDATE log_head SET size = {size}, root = x'{root.hex()}',"  # noqa: S608  (our own values)
        f" checkpoint = x'{checkpoint.hex()}'",
    )
    return checkpoint


def put_guard(rest: AtRest, checkpoint: bytes) -> None:
    """Make the guard remember another state, as whoever can write its file can."""
    file = rest.settings.guard.file
    file.unlink()
    FileGuard(file).create(checkpoint)


def _is_number(column: sa.Column[object]) -> int:
    return int(not isinstance(column.type, (sa.LargeBinary, sa.String)))
