"""One small interface over two databases: SQLite in a file, PostgreSQL by URL.

    database = open_database("sqlite:///comity.db", folder=Path("/var/lib/comity"))
    database.transact(lambda conn: conn.execute(insert(alarms).values(...)))

A unit of work is a plain function over a `Connection`, and the same function runs on both.
What `transact` has returned survives power loss; a database that is set to forget what it
confirmed is refused. `work` touches nothing but its connection, and may have to be run
again. This module knows no table; `exclusive_lock` is what makes one process the writer.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol, TypeVar

from sqlalchemy import Connection, make_url
from sqlalchemy.exc import ArgumentError

from node.storage.failures import Reason, StorageFailed
from node.storage.postgresql import PostgresDatabase
from node.storage.sqlite import SqliteDatabase

__all__ = [
    "Database",
    "NodeRuns",
    "PostgresDatabase",
    "Reason",
    "SqliteDatabase",
    "StorageFailed",
    "exclusive_lock",
    "open_database",
]

T = TypeVar("T")

LOCK_FILE: Final = Path("run") / "node.lock"
_URLS: Final = "sqlite:///PATH or postgresql://HOST/NAME"


class NodeRuns(Exception):
    """Another process of this node writes already; commands go through its socket."""


class Database(Protocol):
    """Where a node keeps everything; used from any thread, always blocking.

    All of them raise `StorageFailed` when the database does not do its part, and let pass
    what is about the statement (`IntegrityError` above all).
    """

    @property
    def dialect(self) -> str:
        """Give `sqlite` or `postgresql`."""
        ...

    def transact(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one writing transaction; its result is returned after the commit."""
        ...

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on one unchanging snapshot, on which it cannot write."""
        ...

    def alter(self, work: Callable[[Connection], T]) -> T:
        """Run a migration: as `transact`, but in its own time and with tables rebuilt."""
        ...

    def forget(self) -> bool:
        """Clear what was overwritten from files beside the database.

        False if somebody still reads it as it was: it goes with a later call, or at the end.
        """
        ...

    def version(self) -> str:
        """Say which database this is, and which version of it."""
        ...

    def close(self) -> None:
        """End all connections; whoever asks later gets `StorageFailed`."""
        ...


def open_database(url: str, *, read_only: bool = False, folder: Path | None = None) -> Database:
    """Open the database that `url` names; a relative SQLite path starts at `folder`."""
    try:
        parts = make_url(url)
    except (ArgumentError, ValueError):  # from None: the URL may hold a password
        raise StorageFailed(f"the database URL must be {_URLS}", reason="refused") from None
    if parts.drivername in {"postgresql", "postgres"} and parts.database:
        return PostgresDatabase(parts, read_only=read_only)
    more = parts.query or parts.host
    if parts.drivername == "sqlite" and parts.database not in {None, "", ":memory:"} and not more:
        return SqliteDatabase((folder or Path()) / str(parts.database), read_only=read_only)
    raise StorageFailed(f"the database URL must be {_URLS}", reason="refused")


@contextlib.contextmanager
def exclusive_lock(folder: Path) -> Iterator[None]:
    """Be the only process that writes for the node in `folder`, or say who is."""
    path = folder / LOCK_FILE
    path.parent.mkdir(mode=0o700, exist_ok=True)
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.pread(lock, 20, 0).decode("ascii", "replace").strip()
            detail = f"the node in {folder} runs already (process {owner or 'unknown'})"
            raise NodeRuns(detail) from error
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(lock)  # gives the lock up; the file stays, for removing it would be a race
