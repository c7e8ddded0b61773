"""Files as the person who typed the command reads and writes them, never the node.

What is written is new: nothing is overwritten, and nothing half written is left behind.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from node.cli.call import Call, failed
from protocol.encoding import Json, decode
from protocol.limits import MANIFEST_FILE_BYTES_MAX

if TYPE_CHECKING:
    from node.evidence.hashing import Progress
    from node.evidence.manifest import Manifest

_BAR_BYTES_MIN: Final = 64 * 1024 * 1024  # less than this is over before a bar is drawn


def read_whole(path: Path, bytes_max: int) -> bytes:
    """Read a file of at most so many bytes."""
    with path.open("rb") as file:
        raw = file.read(bytes_max + 1)
    if len(raw) > bytes_max:
        raise failed(
            "too-large", f"{path} has more than {bytes_max:,} bytes: is it the right file?"
        )
    return raw


def write_new(path: Path, raw: bytes) -> None:
    """Write a file that is not there yet."""
    try:
        with path.open("xb") as file:
            file.write(raw)
    except FileExistsError:
        raise failed(
            "exists", f"{path} exists and is never overwritten: choose another place."
        ) from None


def replace_whole(path: Path, raw: bytes) -> None:
    """Put new content in a file's place, whole or not at all."""
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.write_bytes(raw)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def manifest_json(call: Call, paths: Sequence[Path] | None) -> Json:
    """Hash the evidence of a message and give its manifest; None if there is no evidence."""
    if not paths:
        return None
    manifest = hash_paths(call, paths)
    return decode(manifest.encode(), bytes_max=MANIFEST_FILE_BYTES_MAX)


def hash_paths(call: Call, paths: Sequence[Path]) -> Manifest:
    """Hash files and folders, with a bar on a terminal."""
    from node.evidence.hashing import manifest_from, walk

    found = walk(paths)
    with progress_bar(call, "hashing", sum(one.size for one in found)) as progress:
        return manifest_from(found, progress)


@contextlib.contextmanager
def progress_bar(call: Call, what: str, total: int) -> Iterator[Progress | None]:
    """Draw a bar of bytes on standard error, if a person watches and it takes a while."""
    if call.out.as_json or not sys.stderr.isatty() or total < _BAR_BYTES_MIN:
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(what, *columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)
