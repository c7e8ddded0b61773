"""SQLite in one file: one connection writes and checkpoints, a few read.

Releases before 3.51.3 can corrupt a write-ahead log that two connections checkpoint, so the
readers are read-only. Every commit is on the disk when `transact` returns. The driver's own
handling of transactions is switched off: we begin them, so savepoints and BEGIN IMMEDIATE
do what they say. This module knows no table.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool, StaticPool

from node.storage.failures import StorageFailed, in_transaction, translated
from protocol.errors import Misuse

T = TypeVar("T")

READERS_MAX: Final = 4  # more only wait for two cores
READER_WAIT_S_MAX: Final = 30
BUSY_WAIT_MS: Final = 5_000
VERSION_MIN: Final = (3, 37, 0)  # STRICT tables
WAL_BYTES_KEPT_MAX: Final = 64 * 1024 * 1024  # a long reader may grow it; then it shrinks again

# `trusted_schema` and `cell_size_check` are against a hostile file; `secure_delete` and
# `temp_store` keep erased and temporary content off the disk.
_PRAGMAS: Final = (
    f"busy_timeout={BUSY_WAIT_MS}",
    "synchronous=FULL",
    "foreign_keys=ON",
    "trusted_schema=OFF",
    "cell_size_check=ON",
    "secure_delete=ON",
    "temp_store=MEMORY",
)
_READER_PRAGMAS: Final = (*_PRAGMAS, "query_only=ON", "wal_autocheckpoint=0")


class SqliteDatabase:
    """One file in WAL mode, used from any thread."""

    dialect: Final = "sqlite"

    def __init__(self, path: Path, *, read_only: bool = False, vfs: str | None = None) -> None:
        """Name the file; it is opened on first use. `vfs` is one of SQLite's own, by name."""
        if sqlite3.sqlite_version_info < VERSION_MIN:
            raise StorageFailed(f"{self.version()} is too old; 3.37 is needed", reason="refused")
        self._path = path.absolute()
        self._place = str(self._path)
        self._read_only = read_only
        self._vfs = "" if vfs is None else f"&vfs={quote(vfs)}"
        self._turn = threading.Lock()
        self._here = threading.local()
        self._writer: Connection | None = None
        self._made = False  # whether the file is there and in WAL mode
        self._ended: StorageFailed | None = None
        self._readers = _reading_engine(self._connect_reader)

    def version(self) -> str:
        """Say which SQLite is linked."""
        return f"SQLite {sqlite3.sqlite_version}"

    def transact(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on the writing connection, one caller at a time."""
        with self._writing() as conn:
            return in_transaction(conn, work, self._place)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on a read-only connection; it sees one snapshot."""
        self._refuse_nesting()
        if self._ended is not None and self._ended.reason == "lost":
            raise StorageFailed(str(self._ended), reason="lost")
        if not self._made and not self._read_only:
            with self._writing():  # makes the file, so that there is something to read
                pass
        self._here.busy = True
        try:
            with translated(self._place), self._readers.connect() as conn:
                return work(conn)  # rolled back when the connection goes back to the pool
        finally:
            self._here.busy = False

    def alter(self, work: Callable[[Connection], T]) -> T:
        """Run a migration: foreign keys are checked at its end, since tables are rebuilt."""

        def checked(conn: Connection) -> T:
            result = work(conn)
            if conn.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                detail = "the migration leaves rows that refer to nothing"
                raise StorageFailed(detail, reason="refused")
            return result

        with self._writing() as conn:
            _switch_foreign_keys(conn, on=False)
            try:
                return in_transaction(conn, checked, self._place)
            finally:
                _switch_foreign_keys(conn, on=True)

    def forget(self) -> bool:
        """Bring the write-ahead log into the file and empty it: it held what was overwritten."""
        with self._writing() as conn:
            busy, *_ = _driver(conn).execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def close(self) -> None:
        """Close the readers and then the writer, which empties the log into the file."""
        with self._turn:
            self._readers.dispose()
            self._drop_writer()
            self._ended = StorageFailed("the database is closed", reason="lost")

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Connection]:
        """Hold the turn to write.

        After an I/O error nobody gets another one in this process: the kernel may drop the
        pages that it could not write, and says so only once.
        """
        self._refuse_nesting()
        if self._read_only:
            raise Misuse("the database was opened for reading")
        with self._turn:
            if self._ended is not None:
                raise StorageFailed(str(self._ended), reason=self._ended.reason)
            self._here.busy = True
            try:
                with translated(self._place):
                    yield self._writer or self._open_writer()
            except BaseException as error:
                self._recover(error)
                raise
            finally:
                self._here.busy = False

    def _open_writer(self) -> Connection:
        """Connect for writing; there is one such connection at a time."""
        self._writer = _writing_engine(self._connect_writer).connect()
        self._made = True
        return self._writer

    def _recover(self, error: BaseException) -> None:
        """Leave no half transaction behind, and stop for good after an I/O error."""
        if isinstance(error, StorageFailed) and error.reason == "broken":
            self._ended = error
        if self._writer is not None and (
            isinstance(error, StorageFailed) or _driver(self._writer).in_transaction
        ):
            self._drop_writer()

    def _drop_writer(self) -> None:
        """Close the writing connection, and with it whatever it had begun."""
        writer, self._writer = self._writer, None
        if writer is not None:
            with contextlib.suppress(Exception):
                writer.close()
            writer.engine.dispose()

    def _refuse_nesting(self) -> None:
        """Refuse a transaction within a transaction: it would wait for itself."""
        if getattr(self._here, "busy", False):
            raise Misuse("a unit of work uses the connection it was given")

    def _connect_writer(self) -> sqlite3.Connection:
        """Open the file for writing, make it if it is not there, and insist on WAL."""
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            detail = f"cannot open {self._path}: {error.strerror}"
            raise StorageFailed(detail, reason="refused") from error
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise StorageFailed(f"{self._path} is not a file", reason="refused")
            os.fchmod(file, 0o600)  # SQLite gives its two other files the same mode
        finally:
            os.close(file)
        conn = self._connect("mode=rw", _PRAGMAS)
        try:
            self._insist_on_wal(conn)
        except BaseException:
            conn.close()
            raise
        return conn

    def _insist_on_wal(self, conn: sqlite3.Connection) -> None:
        """Switch the write-ahead log on, and refuse the place if it stays off."""
        mode = conn.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        if mode != "wal":
            detail = f"SQLite cannot keep a write-ahead log beside {self._path}"
            raise StorageFailed(f"{detail}; use a local file system", reason="refused")
        conn.execute(f"PRAGMA journal_size_limit={WAL_BYTES_KEPT_MAX}")

    def _connect_reader(self) -> sqlite3.Connection:
        """Open the file for reading; this connection never checkpoints."""
        at_rest = self._read_only and self._is_at_rest()
        return self._connect("immutable=1" if at_rest else "mode=ro", _READER_PRAGMAS)

    def _is_at_rest(self) -> bool:
        """Tell whether the file lies where nobody can write, as an auditor's copy may.

        Only there is SQLite told that nothing changes; elsewhere it makes the two files
        beside the database that a reader needs.
        """
        log = Path(f"{self._path}-wal")
        waiting = log.stat().st_size if log.exists() else 0
        return not waiting and not os.access(self._path.parent, os.W_OK)

    def _connect(self, mode: str, pragmas: tuple[str, ...]) -> sqlite3.Connection:
        """Connect with our pragmas; the driver itself begins no transaction."""
        conn = sqlite3.connect(
            f"file:{quote(self._place)}?{mode}{self._vfs}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        try:
            for pragma in pragmas:
                conn.execute(f"PRAGMA {pragma}")
        except UnicodeDecodeError as fault:  # SQLite names the damaged part of the schema
            conn.close()
            raise StorageFailed(f"{self._place}: broken (its schema is damaged)") from fault
        except BaseException:
            conn.close()
            raise
        return conn


def _writing_engine(connect: Callable[[], sqlite3.Connection]) -> Engine:
    """Make the engine of the one writing connection."""
    engine = create_engine("sqlite://", creator=connect, poolclass=StaticPool, hide_parameters=True)

    @event.listens_for(engine, "begin")
    def begin(conn: Connection) -> None:
        conn.exec_driver_sql("BEGIN IMMEDIATE")  # to wait now, and not in the middle

    return engine


def _reading_engine(connect: Callable[[], sqlite3.Connection]) -> Engine:
    """Make the engine of the readers."""
    engine = create_engine(
        "sqlite://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=READERS_MAX,
        max_overflow=0,
        pool_timeout=READER_WAIT_S_MAX,
        hide_parameters=True,
    )

    @event.listens_for(engine, "begin")
    def begin(conn: Connection) -> None:
        conn.exec_driver_sql("BEGIN")

    return engine


def _driver(conn: Connection) -> sqlite3.Connection:
    """Give the driver's connection below ours."""
    below = conn.connection.driver_connection
    if not isinstance(below, sqlite3.Connection):
        raise Misuse("this connection does not lead to SQLite")
    return below


def _switch_foreign_keys(conn: Connection, *, on: bool) -> None:
    """Switch enforcement, which has an effect only outside a transaction."""
    _driver(conn).execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")
