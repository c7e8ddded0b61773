"""How a database fails, in words of ours: one exception, and what is not one.

A full disk, a lost connection, a broken file: `StorageFailed`. A constraint that does not
hold (`IntegrityError`), a value the database cannot hold or a wrong statement passes through
as it is: those are about one unit of work, and must not stop the others.

This module knows both drivers' codes, and no table, file or server.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from typing import Final, Literal, TypeAlias, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

T = TypeVar("T")
Reason: TypeAlias = Literal["refused", "full", "busy", "lost", "broken"]

_SQLITE: Final[dict[int, Reason]] = {
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
    sqlite3.SQLITE_PROTOCOL: "busy",
    sqlite3.SQLITE_CANTOPEN: "lost",
    sqlite3.SQLITE_PERM: "refused",
    sqlite3.SQLITE_READONLY: "refused",
    sqlite3.SQLITE_NOTADB: "refused",
    sqlite3.SQLITE_NOLFS: "full",
    sqlite3.SQLITE_NOMEM: "broken",
    sqlite3.SQLITE_IOERR: "broken",
    sqlite3.SQLITE_CORRUPT: "broken",
}
"""Primary result codes of SQLite; any other is not a failure of storage."""

_POSTGRES: Final[dict[str, Reason]] = {
    "53100": "full",  # disk_full
    "57014": "busy",  # query_canceled, by a timeout of ours
    "55P03": "busy",  # lock_not_available
    "25006": "refused",  # read_only_sql_transaction: a standby
    "08": "lost",  # connection
    "25P": "lost",  # the server ended an idle transaction
    "28": "refused",  # authorization
    "40": "busy",  # deadlock, serialization
    "53": "busy",  # insufficient resources
    "57": "lost",  # shutdown
    "58": "broken",  # the server's operating system
    "F0": "broken",
    "XX": "broken",  # internal error, corruption
}
"""SQLSTATE codes, or the first characters of whole classes of them."""


class StorageFailed(Exception):
    """The database did not do its part; nothing of the unit is kept, unless `in_doubt`.

    `in_doubt`: the end of the transaction is unknown, so read before you repeat. `reason`:
    *refused* (it is not fit for us: configuration), *full*, *busy* (again may do), *lost*
    (not reachable) or *broken* (after an I/O error nothing it says is to be relied on).
    The detail names no password, and no value of any row.
    """

    def __init__(self, detail: str, *, reason: Reason = "broken", in_doubt: bool = False) -> None:
        """Say in `detail` what failed, and in `reason` what kind of failure it is."""
        super().__init__(detail)
        self.reason = reason
        self.in_doubt = in_doubt


@contextlib.contextmanager
def translated(place: str) -> Iterator[None]:
    """Turn a driver's failure into `StorageFailed`; `place` names the database to people."""
    try:
        yield
    except DBAPIError as error:
        failure = _failure(error, place)
        if failure is None:
            raise
        raise failure from error
    except PoolTimeout as error:
        raise StorageFailed(f"{place}: no connection is free", reason="busy") from error
    except (TimeoutError, ConnectionError) as error:
        detail = f"{place}: no answer ({type(error).__name__})"
        raise StorageFailed(detail, reason="lost") from error


def in_transaction(conn: Connection, work: Callable[[Connection], T], place: str) -> T:
    """Run `work` between begin and commit; whatever it raises rolls everything back."""
    transaction = conn.begin()
    try:
        result = work(conn)
    except BaseException:
        with contextlib.suppress(Exception):  # what `work` raised says more
            transaction.rollback()
        raise
    try:
        with translated(place):
            transaction.commit()
    except StorageFailed as failure:
        # Full and busy are clear answers; with all others the commit may be on disk.
        failure.in_doubt = failure.reason not in {"full", "busy"} or _cancelled(failure)
        raise
    return result


def _failure(error: DBAPIError, place: str) -> StorageFailed | None:
    """Find the failure of storage in a driver's error; None if it is about the statement."""
    if isinstance(error, IntegrityError):
        return None
    if isinstance(error.orig, sqlite3.Error):
        code = getattr(error.orig, "sqlite_errorcode", None)
        reason = None if code is None else _SQLITE.get(code & 0xFF)
        name = getattr(error.orig, "sqlite_errorname", "")
    else:
        name = _sqlstate(error)
        reason = next((_POSTGRES[name[:n]] for n in (5, 3, 2) if name[:n] in _POSTGRES), None)
    if reason is None and error.connection_invalidated:
        reason = "lost"
    if reason is None:
        return None
    return StorageFailed(f"{place}: {reason} ({name or type(error.orig).__name__})", reason=reason)


def _sqlstate(error: DBAPIError) -> str:
    """Give the SQLSTATE of PostgreSQL's error, or nothing."""
    return str(getattr(error.driver_exception, "sqlstate", None) or "")


def _cancelled(failure: StorageFailed) -> bool:
    """Tell whether a commit was cancelled while it waited for a standby: it is then on disk."""
    cause = failure.__cause__
    return isinstance(cause, DBAPIError) and _sqlstate(cause) == "57014"
