"""Walk files and folders and hash them: the bytes that are there, and only those.

Reads in constant memory however large a file is, follows no symbolic link at any step, and
refuses whatever makes a digest doubtful: a link, a device, an unreadable file, a file that
changes while it is read. Folders are opened one below the other by descriptor, so a folder
that is swapped for a link in the middle of the work leads nowhere.

A fault names its file in `EvidenceFault.path` for the user's own terminal and never in its
text, so that a logged exception tells no file name. This module must not know messages,
cases or the network, and decides nothing about what a difference means.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from io import FileIO
from pathlib import Path
from typing import Final, TypeAlias

from node.evidence.manifest import Item, Manifest, manifest_of, media_type
from node.evidence.paths import DEPTH_MAX, collision, normalised, safe_path, shown
from protocol.errors import Rejected
from protocol.limits import MANIFEST_ITEMS_MAX

Progress: TypeAlias = Callable[[int], object]
"""Told the number of bytes just hashed; never called by two threads at once."""
_SILENT: Final[Progress] = int  # takes the number and tells nobody

WORKERS: Final = 2
# Below it, two threads wait for the interpreter's lock more than they hash (measured).
_THREADED_BYTES_MIN: Final = 64 * 1024
_BUFFER_BYTES: Final = 256 * 1024  # stays in a core's cache; measured as fast as any larger
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: a FIFO put in the file's place must not hold us.
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_LINK: Final = "is a symbolic link; give the file or folder itself, or copy it here"
_CHANGED: Final = "changed while it was being hashed; hash again when nothing writes to it"


class EvidenceFault(Exception):
    """A file cannot be offered or checked; the text says why and never names the file."""

    def __init__(self, reason: str, path: str | None = None) -> None:
        """Keep the reason for anybody, and the path for the local user's eyes."""
        super().__init__(reason)
        self.reason = reason
        self.path = path

    @property
    def for_terminal(self) -> str:
        """The reason with the name in front, escaped; for the terminal and nowhere else."""
        return self.reason if self.path is None else f"{shown(self.path)}: {self.reason}"


class Kind(StrEnum):
    """What stands under a name on the disk."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    SPECIAL = "special"
    UNREADABLE = "unreadable"
    TOO_DEEP = "too-deep"


_NOT_OFFERED: Final = {
    Kind.LINK: _LINK,
    Kind.SPECIAL: "is a device, a socket or a pipe, which has no fixed bytes",
    Kind.UNREADABLE: "cannot be read; check who may read it",
    Kind.TOO_DEEP: f"lies more than {DEPTH_MAX} folders deep; put it into an archive",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One name under a root as the disk has it; no names if the root itself is the file."""

    names: tuple[str, ...]
    kind: Kind
    size: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """One file to hash: its path in a manifest, and where it lies on this disk."""

    path: str
    origin: Path
    names: tuple[str, ...]
    size: int

    @property
    def location(self) -> str:
        """The name by which the local user knows the file."""
        return os.path.join(self.origin, *self.names)  # noqa: PTH118 names may hold odd bytes


def walk(paths: Sequence[Path]) -> list[Found]:
    """List every file under `paths`, in the order of a manifest; raise `EvidenceFault`.

    A file argument is listed by its name, the files of a folder argument by their path
    below that folder: a manifest tells nothing of how the sender's disk is arranged, and
    the recipient checks it against a folder of any name. Empty folders leave no trace.
    """
    found: list[Found] = []
    for origin in paths:
        for entry in survey(origin):
            if entry.kind is Kind.FOLDER:
                continue
            if len(found) >= MANIFEST_ITEMS_MAX:
                raise EvidenceFault(f"more than {MANIFEST_ITEMS_MAX} files; archive some of them")
            found.append(_offered(origin, entry))
    if not found:
        raise EvidenceFault("there is no file to hash")
    pair = collision(file.path for file in found)
    if pair is not None:
        reason = "two files would have one path in the manifest, or on a disk that ignores case"
        raise EvidenceFault(reason, " / ".join(pair))
    return sorted(found, key=lambda file: file.path.encode())


def _offered(origin: Path, entry: Entry) -> Found:
    """Give the entry as a file to hash, or refuse what cannot be evidence."""
    path = normalised(entry.names or (origin.name,))
    found = Found(path, origin, entry.names, entry.size)
    if entry.kind is not Kind.FILE:
        raise EvidenceFault(_NOT_OFFERED[entry.kind], found.location)
    try:
        safe_path(path)
    except Rejected as fault:
        raise EvidenceFault(fault.detail, found.location) from fault
    return found


def survey(origin: Path) -> Iterator[Entry]:
    """Yield everything at and below `origin` but itself if it is a folder, sorted by name.

    Follows no link and judges nothing: links, devices and names that no manifest can hold
    come out as what they are. Raises `EvidenceFault` only if `origin` itself is not usable.
    """
    try:
        status = os.lstat(origin)
    except OSError as fault:
        raise _fault(fault, os.fspath(origin)) from None
    kind = _kind(status.st_mode)
    if kind is Kind.LINK:
        raise EvidenceFault(_LINK, os.fspath(origin))
    if kind is not Kind.FOLDER:
        yield Entry((), kind, status.st_size)
        return
    try:
        folder = os.open(origin, _FOLDER)
    except OSError as fault:
        raise _fault(fault, os.fspath(origin)) from None
    yield from _below(folder, ())


def _below(folder: int, names: tuple[str, ...]) -> Iterator[Entry]:
    """Yield an open folder (unless it is the root) and what it holds, and close it."""
    try:
        entries = _listing(folder)
        if entries is None:
            yield Entry(names, Kind.UNREADABLE)
            return
        if names:
            yield Entry(names, Kind.FOLDER)
        for name, status in entries:
            here = (*names, name)
            if status is None:
                yield Entry(here, Kind.UNREADABLE)
            elif stat.S_ISDIR(status.st_mode):
                yield from _descend(folder, here)
            else:
                yield Entry(here, _kind(status.st_mode), status.st_size)
    finally:
        os.close(folder)


def _listing(folder: int) -> list[tuple[str, os.stat_result | None]] | None:
    """Give the names in a folder, sorted, each with its state if that can be had."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return None
    return [(name, _status(folder, name)) for name in names]


def _status(folder: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return None


def _descend(parent: int, names: tuple[str, ...]) -> Iterator[Entry]:
    """Yield a folder and what it holds; at most DEPTH_MAX folders are open at once."""
    if len(names) >= DEPTH_MAX:  # a file in it would have one level too many
        yield Entry(names, Kind.TOO_DEEP)
        return
    try:
        folder = os.open(names[-1], _FOLDER, dir_fd=parent)
    except OSError:
        yield Entry(names, Kind.UNREADABLE)
        return
    yield from _below(folder, names)


def _kind(mode: int) -> Kind:
    if stat.S_ISREG(mode):
        return Kind.FILE
    if stat.S_ISDIR(mode):
        return Kind.FOLDER
    return Kind.LINK if stat.S_ISLNK(mode) else Kind.SPECIAL


def hash_file(path: Path, progress: Progress | None = None) -> tuple[int, str]:
    """Give size and SHA-256 of one file, read in constant memory; raise `EvidenceFault`."""
    return _hash(
        Found(path.name, path, (), 0), progress or _SILENT, memoryview(bytearray(_BUFFER_BYTES))
    )


def _hash(found: Found, progress: Progress, buffer: memoryview) -> tuple[int, str]:
    """Hash one file, and make sure that it stood still from the first byte to the last."""
    try:
        with _parent(found) as (folder, name):
            with FileIO(os.open(name, _FILE, dir_fd=folder)) as file:
                before = _regular(file, found)
                digest = _read(file, before.st_size, progress, buffer)
                after = os.fstat(file.fileno())
            # The name must still mean the file that was read: editors write a new file
            # and rename it over the old one, which the open descriptor does not see.
            named = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError as fault:
        raise _fault(fault, found.location) from None
    if digest is None or not _state(before) == _state(after) == _state(named):
        raise EvidenceFault(_CHANGED, found.location)
    return before.st_size, digest


def _regular(file: FileIO, found: Found) -> os.stat_result:
    if stat.S_ISREG((status := os.fstat(file.fileno())).st_mode):
        return status
    raise EvidenceFault(_NOT_OFFERED[Kind.SPECIAL], found.location)


def _read(file: FileIO, size: int, progress: Progress, buffer: memoryview) -> str | None:
    """Hash to the end; None if that is not after exactly `size` bytes."""
    state = hashlib.sha256()
    left = size
    while count := file.readinto(buffer):
        left -= count
        if left < 0:  # at once: a file that always grows has no end
            return None
        state.update(buffer[:count])
        progress(count)
    return state.hexdigest() if left == 0 else None


def _state(status: os.stat_result) -> tuple[int, ...]:
    """Give what must stay equal; ctime, too, for a writer can set mtime back but not that."""
    times = (status.st_mtime_ns, status.st_ctime_ns)
    return status.st_dev, status.st_ino, status.st_size, *times


@contextmanager
def _parent(found: Found) -> Iterator[tuple[int | None, str]]:
    """Open the folder that holds the file, one name at a time, following no link."""
    if not found.names:
        yield None, os.fspath(found.origin)
        return
    folder = os.open(found.origin, _FOLDER)
    try:
        for name in found.names[:-1]:
            below = os.open(name, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = below
        yield folder, found.names[-1]
    finally:
        os.close(folder)


def _fault(fault: OSError, path: str) -> EvidenceFault:
    """Say what the system said, without the name that it puts into its text."""
    if fault.errno == errno.ELOOP:
        return EvidenceFault(_LINK, path)
    return EvidenceFault(f"cannot be read: {fault.strerror or 'no reason given'}", path)


class _Stopped(Exception):
    """Another thread has failed, or the user has had enough."""


class _Crew:
    """What the hashing threads share: what is left, what was found, when to stop."""

    def __init__(self, found: Sequence[Found], progress: Progress, *, patient: bool) -> None:
        """Take the files; `patient` means to go on after a file with a fault."""
        self.results: list[tuple[int, str] | EvidenceFault | None] = [None] * len(found)
        self._found = found
        self._progress = progress
        self._patient = patient
        self._lock = threading.Lock()
        self._stopped = False

    def stop(self) -> None:
        """Make every thread leave its file at the next buffer."""
        self._stopped = True

    def work(self, left: Iterator[int]) -> None:
        """Hash files by their numbers until none is left; any failure stops the others."""
        buffer = memoryview(bytearray(_BUFFER_BYTES))
        try:
            while (number := self._next(left)) is not None:
                self.results[number] = self._attempt(self._found[number], buffer)
        except _Stopped:
            return
        except BaseException:
            self.stop()
            raise

    def _next(self, left: Iterator[int]) -> int | None:
        with self._lock:
            return None if self._stopped else next(left, None)

    def _attempt(self, found: Found, buffer: memoryview) -> tuple[int, str] | EvidenceFault:
        try:
            return _hash(found, self._tell, buffer)
        except EvidenceFault as fault:
            if not self._patient:
                self.stop()
            return fault

    def _tell(self, count: int) -> None:
        if self._stopped:
            raise _Stopped
        with self._lock:
            self._progress(count)


def hash_each(
    found: Sequence[Found], progress: Progress | None, *, workers: int, patient: bool = True
) -> list[tuple[int, str] | EvidenceFault | None]:
    """Give size and digest of each file, or the fault that kept it from being hashed.

    None stands only for files that were not reached because an impatient run stopped.
    """
    crew = _Crew(found, progress or _SILENT, patient=patient)
    large = [number for number, file in enumerate(found) if file.size >= _THREADED_BYTES_MIN]
    if workers > 1 and len(large) > 1:
        _hire(crew, iter(large), min(workers, len(large)))
    crew.work(number for number, result in enumerate(crew.results) if result is None)
    return crew.results


def _hire(crew: _Crew, left: Iterator[int], workers: int) -> None:
    """Let several threads share the files, until all are done or one fails."""
    with ThreadPoolExecutor(workers, thread_name_prefix="hash") as pool:
        running = [pool.submit(crew.work, left) for _ in range(workers)]
        try:
            for worker in running:
                worker.result()
        except BaseException:  # Ctrl-C, too: a thread may be deep in a file of terabytes
            crew.stop()
            raise


def hash_all(
    found: Sequence[Found], *, progress: Progress | None = None, workers: int = WORKERS
) -> list[tuple[int, str]]:
    """Give size and digest of each file, in order; raise the first fault and stop there."""
    results = hash_each(found, progress, workers=workers, patient=False)
    for fault in (result for result in results if isinstance(result, EvidenceFault)):
        raise fault
    return [result for result in results if isinstance(result, tuple)]


def build_manifest(
    paths: Sequence[Path], progress: Progress | None = None, *, workers: int = WORKERS
) -> Manifest:
    """Walk `paths`, hash every file and give the manifest of all; raise `EvidenceFault`."""
    return manifest_from(walk(paths), progress, workers=workers)


def manifest_from(
    found: Sequence[Found], progress: Progress | None = None, *, workers: int = WORKERS
) -> Manifest:
    """Hash what `walk` has found and give its manifest; raise `EvidenceFault`."""
    hashed = hash_all(found, progress=progress, workers=workers)
    pairs = zip([file.path for file in found], hashed, strict=True)
    return manifest_of([Item(path, media_type(path), *result) for path, result in pairs])
