"""The guard: the newest signed checkpoint, kept outside the database and its backups.

A log forks when an older database signs again. The guard is what notices: it moves only by
compare-and-swap from the checkpoint that was there, after each commit and before anything
leaves. Only `init` makes one; where it is absent nothing is signed. It knows checkpoints
as bytes with a size and a root, no keys and no database.

An attacker who can write this file can at most stop the node from signing, or, together
with an old database, make it fork, which its peers then prove.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from protocol.checkpoint import Checkpoint, decode_body
from protocol.errors import Recovering, Rejected
from protocol.limits import NOTE_BYTES_MAX
from protocol.note import decode_note


class Guard(Protocol):
    """Where the newest checkpoint is remembered."""

    def read(self) -> bytes | None:
        """Give the checkpoint, or None if there is no guard."""
        ...

    def advance(self, old: Checkpoint, new: bytes) -> None:
        """Replace exactly `old` by `new`, durably, or raise `Recovering`."""
        ...


class FileGuard:
    """A guard in a file of its own, for one node process on one machine."""

    def __init__(self, path: Path) -> None:
        """Keep the checkpoint at `path`."""
        self._path = path

    def create(self, checkpoint: bytes) -> None:
        """Make the guard; for `init` alone. Raises `FileExistsError` if there is one."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(checkpoint)
            file.flush()
            os.fsync(file.fileno())
        self._sync_folder()

    def read(self) -> bytes | None:
        """Give the checkpoint, or None if the file is absent."""
        try:
            with self._path.open("rb") as file:
                return file.read(NOTE_BYTES_MAX + 1)
        except FileNotFoundError:
            return None

    def advance(self, old: Checkpoint, new: bytes) -> None:
        """Replace the file atomically, if it still holds `old`."""
        found = self.read()
        if found is None or guarded_checkpoint(found) != old:
            raise Recovering("the guard does not hold the checkpoint that was last committed")
        self._replace(new)

    def supersede(self, new: bytes) -> None:
        """Give the guard to another log, whatever it held; for a recovery alone.

        The log that it guarded is closed by then: nothing will sign it again.
        """
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._replace(new)

    def _replace(self, new: bytes) -> None:
        fresh = self._path.with_name(self._path.name + ".new")
        # Expected system calls: open, write, fsync, rename, open, fsync. A crash before the
        # rename leaves the old guard, which start-up advances again.
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(new)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        self._sync_folder()

    def _sync_folder(self) -> None:
        descriptor = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_guard(path: Path) -> bytes | None:
    """Read the checkpoint that a guard's file holds, or None if there is no file."""
    return FileGuard(path).read()


def guarded_checkpoint(raw: bytes) -> Checkpoint:
    """Read origin, size and root of a guard's checkpoint; a damaged one is `Recovering`."""
    try:
        return decode_body(decode_note(raw).body)
    except Rejected as fault:
        raise Recovering("the guard's checkpoint is damaged") from fault
