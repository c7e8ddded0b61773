"""What somebody with access to a disk might try, done to copies: a byte changed, a record gone.

Nothing here touches what a node works with. An authority's folder is copied while its node
runs, and what the database's write-ahead log still holds is folded in, so that the byte is
changed where it counts. Knows no command and no story.
"""

from __future__ import annotations

import re
import shutil
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Final

from node.demo.stage import StepFailed
from node.storage import Connection, log_rows
from node.storage.engine import open_database
from node.storage.erasure_rows import erase_entries

DATABASE: Final = "comity.db"
_TRIES_MAX: Final = 50
_NOT_COPIED: Final = shutil.ignore_patterns("run", "*.lock", "*-shm", "*.log")
_ACCEPTED: Final = b'"kind":"message.accepted"'
_TIME: Final = re.compile(rb'"at":[0-9]+')
_RECORD_BYTES_MAX: Final = 1_024
_RECEIPT: Final = b'"receipt":"'
_SALT: Final = b'"salt":"'
_LAST_OF_THREE: Final = 2
_SALT_CHARS: Final = 40  # without the last four, of which not every letter is a bit


def copy_node(home: Path, copy: Path) -> None:
    """Copy an authority's folder as it is at one moment, with its database in one file."""
    for _ in range(_TRIES_MAX):
        before = _marks(home)
        shutil.copytree(home, copy, ignore=_NOT_COPIED)
        if _marks(home) == before:
            _fold(copy / DATABASE)
            return
        shutil.rmtree(copy)
    raise StepFailed(f"{home} would not be still for long enough to be copied")


def _fold(path: Path) -> None:
    """Let SQLite move what its write-ahead log holds into the file, as its last writer does."""
    database = open_database(f"sqlite:///{path}")
    database.transact(lambda _conn: None)
    database.close()


def _marks(home: Path) -> list[tuple[str, int, int]]:
    """Give what changes when somebody writes to the database."""
    parts = [one.stat() for one in sorted(home.glob(f"{DATABASE}*")) if one.suffix != ".db-shm"]
    return [(str(one.st_ino), one.st_size, one.st_mtime_ns) for one in parts]


def alter_acceptance(database: Path) -> None:
    """Move the time at which a message was accepted, as its record has it, by some seconds."""
    content = bytearray(database.read_bytes())
    # SQLite may leave old copies of a row in free space; the last page is the newest.
    kind = content.rfind(_ACCEPTED)
    times = (
        [] if kind < 0 else list(_TIME.finditer(content, max(0, kind - _RECORD_BYTES_MAX), kind))
    )
    if not times:
        raise StepFailed(f"{database.name} holds no record of an accepted message")
    last = times[-1].end() - 1
    content[last] = _other_digit(content[last])
    database.write_bytes(content)


def delete_record(database: Path, kind: str) -> int:
    """Destroy the newest record of a kind, as no erasure of the node does; gives its place."""
    opened = open_database(f"sqlite:///{database}")
    try:
        return opened.transact(lambda conn: _delete_newest(conn, kind))
    finally:
        opened.close()


def _delete_newest(conn: Connection, kind: str) -> int:
    places = [one.position for one in log_rows.iterate_entries(conn, 1) if one.kind == kind]
    if not places:
        raise StepFailed(f"there is no record of the kind {kind} to delete")
    erase_entries(conn, 1, places[-1], places[-1])
    return places[-1]


def _other_digit(digit: int) -> int:
    return ord("0") + (digit - ord("0") + 5) % 10


def alter_text(path: Path, was: bytes, becomes: bytes) -> None:
    """Change one byte of a file that holds `was` once, so that it holds `becomes`."""
    content = path.read_bytes()
    changed = sum(one != other for one, other in zip(was, becomes, strict=True))
    if content.count(was) != 1 or changed != 1:
        raise StepFailed(f"{path.name} is not the file that was to be altered")
    path.write_bytes(content.replace(was, becomes))


def alter_receipt(path: Path) -> None:
    """Change one byte of a receipt file so that it keeps its form and another salt stands in it.

    The salt stands in base64 within base64: a letter at the end of a group of three is one
    letter outside too.
    """
    was = path.read_bytes()
    start = was.index(_RECEIPT) + len(_RECEIPT)
    end = was.index(b'"', start)
    inner = bytearray(b64decode(was[start:end]))
    salt = inner.index(_SALT) + len(_SALT)
    place = next(
        at
        for at in range(salt, salt + _SALT_CHARS)
        if at % 3 == _LAST_OF_THREE and chr(inner[at]).isalpha()
    )
    inner[place] = ord("B") if inner[place] == ord("A") else ord("A")
    becomes = was[:start] + b64encode(inner) + was[end:]
    alter_text(path, was, becomes)
