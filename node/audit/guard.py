"""The guard: the newest signed checkpoint, kept outside the database and its backups.

A log forks when an older database signs again. The guard is what notices: it moves only by
compare-and-swap from the checkpoint that was there, after each commit and before anything
leaves. Only `init` makes one, and a recovery for the log after a closed one; where it is
absent nothing is signed. It knows checkpoints as bytes with a size and a root, no keys and
no database.

The file has two slots of fixed size, written in turn, so that a move is one write in place
and one sync, and the slot before stays whole until the next one is. A slot is

    comity-guard <turn> <length> <SHA-256 of turn, length and checkpoint>
    <the checkpoint, a signed note>

and the whole slot of the higher turn counts. One that is neither whole nor empty is *torn*:
the machine stopped in the middle of a move, and then the database, which had committed
before, is ahead of the slot that is left. Where it is not, something newer was lost.

An attacker who can write this file can at most stop the node from signing, or, together
with an old database, make it fork, which its peers then prove.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from protocol.checkpoint import Checkpoint, claimed_checkpoint
from protocol.digest import sha256_hex
from protocol.errors import Misuse, Recovering, Rejected
from protocol.limits import NOTE_BYTES_MAX

SLOT_BYTES: Final = 8_192  # a log's own checkpoint has at most 5 KB: two lines of signatures
FILE_BYTES: Final = 2 * SLOT_BYTES
_HEAD: Final = re.compile(rb"comity-guard ([0-9]{16}) ([0-9]{4}) ([0-9a-f]{64})\n")
_EMPTY: Final = bytes(SLOT_BYTES)


@dataclass(frozen=True, slots=True)
class Guarded:
    """What a guard holds; `torn` if beside it something was not written to its end."""

    checkpoint: bytes = field(repr=False)
    torn: bool = False


class Guard(Protocol):
    """Where the newest checkpoint is remembered."""

    def read(self) -> Guarded | None:
        """Give what it holds, or None if there is no guard; a damaged one is `Recovering`."""
        ...

    def advance(self, old: Checkpoint, new: bytes) -> None:
        """Replace exactly `old` by `new`, durably, or raise `Recovering`."""
        ...


@dataclass(frozen=True, slots=True)
class _Slot:
    """A whole slot: its place in the file, its turn and its checkpoint."""

    place: int
    turn: int
    checkpoint: bytes = field(repr=False)

    def encode(self) -> bytes:
        length = len(self.checkpoint)
        head = f"comity-guard {self.turn:016} {length:04} {_check(self.turn, self.checkpoint)}\n"
        raw = head.encode() + self.checkpoint
        if len(raw) > SLOT_BYTES:
            raise Misuse(f"a checkpoint of {length} bytes does not fit the guard")
        return raw


@dataclass(frozen=True, slots=True)
class _Slots:
    """A file of two slots, read: the one that counts, and whether the other is torn."""

    newest: _Slot
    torn: bool


class FileGuard:
    """A guard in a file of its own, for one node process on one machine."""

    def __init__(self, path: Path) -> None:
        """Keep the checkpoint at `path`."""
        self._path = path

    def create(self, checkpoint: bytes) -> None:
        """Make the guard; for `init` alone. Raises `FileExistsError` if there is one."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._write_new(self._path, checkpoint)
        _sync_folder(self._path)

    def read(self) -> Guarded | None:
        """Give what the file holds, or None if it is absent; a damaged one is `Recovering`."""
        raw = _read_file(self._path)
        if raw is None:
            return None
        slots = _read_slots(raw)
        held = Guarded(raw) if slots is None else Guarded(slots.newest.checkpoint, slots.torn)
        guarded_checkpoint(held.checkpoint)
        return held

    def advance(self, old: Checkpoint, new: bytes) -> None:
        """Move from exactly `old`: write the other slot and sync it (2 to 5 system calls).

        A crash on the way leaves the old slot whole, which start-up advances again.
        """
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError as fault:
            raise Recovering("the guard is absent; only `init` makes one") from fault
        try:
            raw = os.pread(descriptor, NOTE_BYTES_MAX + 1, 0)
            slots = _read_slots(raw)
            if not _is_of(old, raw if slots is None else slots.newest.checkpoint):
                raise Recovering("the guard does not hold the checkpoint that was last committed")
            if slots is None:
                self.supersede(new)  # a checkpoint alone, as release 0.1 left it
                return
            newest = slots.newest
            _write_all(descriptor, _Slot(1 - newest.place, newest.turn + 1, new))
            os.fdatasync(descriptor)  # the length of the file does not change, so this is enough
        finally:
            os.close(descriptor)

    def supersede(self, new: bytes) -> None:
        """Put a whole new file in the place of what is there, if anything; all or nothing.

        For a recovery, which has closed the log that it held: nothing signs that again.
        """
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self._path.with_name(self._path.name + ".new")
        fresh.unlink(missing_ok=True)  # of a recovery that was cut short
        self._write_new(fresh, new)
        fresh.replace(self._path)
        _sync_folder(self._path)

    @staticmethod
    def _write_new(path: Path, checkpoint: bytes) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.pwrite(descriptor, _EMPTY, SLOT_BYTES)  # all of the file's room, from the start
            os.pwrite(descriptor, _EMPTY, 0)
            _write_all(descriptor, _Slot(0, 1, checkpoint))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_guard(path: Path) -> bytes | None:
    """Read the checkpoint that a guard's file holds, or None if there is no file.

    Of a damaged file it gives the bytes as they are: `guarded_checkpoint` refuses them.
    """
    raw = _read_file(path)
    if raw is None:
        return None
    try:
        slots = _read_slots(raw)
    except Recovering:
        return raw
    return raw if slots is None else slots.newest.checkpoint


def guarded_checkpoint(raw: bytes) -> Checkpoint:
    """Read origin, size and root of a guard's checkpoint; a damaged one is `Recovering`."""
    try:
        return claimed_checkpoint(raw)
    except Rejected as fault:
        raise Recovering("the guard's checkpoint is damaged") from fault


def _is_of(checkpoint: Checkpoint, raw: bytes) -> bool:
    """Say whether a note is of this checkpoint: its text is all that stands before a dash."""
    return raw.startswith(f"{checkpoint.body()}\n\u2014 ".encode())


def _read_file(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(NOTE_BYTES_MAX + 1)
    except FileNotFoundError:
        return None


def _read_slots(raw: bytes) -> _Slots | None:
    """Read a file of two slots; None if it has not their form, and may be a checkpoint alone."""
    if len(raw) != FILE_BYTES:
        return None
    halves = raw[:SLOT_BYTES], raw[SLOT_BYTES:]
    whole = [slot for place, half in enumerate(halves) if (slot := _read_slot(place, half))]
    if not whole or (len(whole) == len(halves) and whole[0].turn == whole[1].turn):
        raise Recovering("the guard is damaged: no slot of it can be relied on")
    newest = max(whole, key=lambda slot: slot.turn)
    other = halves[1 - newest.place]
    return _Slots(newest, torn=len(whole) < len(halves) and other != _EMPTY)


def _read_slot(place: int, half: bytes) -> _Slot | None:
    """Read one slot; None if it is not whole."""
    head = _HEAD.match(half)
    if head is None:
        return None
    turn, checkpoint = int(head[1]), half[head.end() : head.end() + int(head[2])]
    if len(checkpoint) != int(head[2]) or _check(turn, checkpoint).encode() != head[3]:
        return None
    return _Slot(place, turn, checkpoint)


def _check(turn: int, checkpoint: bytes) -> str:
    """Hash all that a slot says: this finds what was not written to its end, not fraud."""
    return sha256_hex(b"%d %d\n" % (turn, len(checkpoint)), checkpoint)


def _write_all(descriptor: int, slot: _Slot) -> None:
    raw = slot.encode()
    if os.pwrite(descriptor, raw, slot.place * SLOT_BYTES) != len(raw):
        raise Recovering("the guard was not written to its end")


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
