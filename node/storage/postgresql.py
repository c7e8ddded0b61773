"""PostgreSQL by URL, refused if it confirms before its disk does.

The driver is asynchronous, so it has an event loop on a thread of its own; callers wait.
`work` runs on that thread too, between two answers of the server: it must wait for nothing
but its connection. The URL goes to the driver whole, so whatever libpq knows (`sslmode`,
`sslrootcert`, a socket as `host`) works; people are shown host and name only.
This module knows no table.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, TypeVar

import asyncpg  # type: ignore[import-untyped]  # ships without types
from sqlalchemy import URL, Connection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from node.storage.failures import StorageFailed, in_transaction, translated
from protocol.errors import Misuse

T = TypeVar("T")

CONNECTIONS_MAX: Final = 5  # one writes, as a rule; the others read
CONNECTION_WAIT_S_MAX: Final = 30
CONNECT_S_MAX: Final = 10
COMMAND_S_MAX: Final = 90  # the client's own clock, for a server that is gone without a word
VERSION_MIN: Final = 15

# A statement that runs into one of these is a fault of ours or of the network: it must end.
_SESSION: Final = {
    "application_name": "comity",
    "statement_timeout": "60s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "300s",
    "jit": "off",  # costs more than it gives on short statements
}

_SAFE: Final[Mapping[str, frozenset[str]]] = {
    "synchronous_commit": frozenset({"on", "remote_apply"}),
    "fsync": frozenset({"on"}),
    "full_page_writes": frozenset({"on"}),
    "server_encoding": frozenset({"UTF8"}),
}
"""What a server's settings may be, if what it confirms is to survive power loss."""

_UNFIT: Final = (
    asyncpg.InvalidAuthorizationSpecificationError,  # user or password
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
)
"""Why a server turns us away in a way that waiting does not mend."""


class PostgresDatabase:
    """One database of a PostgreSQL server, used from any thread."""

    dialect: Final = "postgresql"

    def __init__(self, url: URL, *, read_only: bool = False) -> None:
        """Name the server; connections are made on first use."""
        self._url = url.set(drivername="postgresql").render_as_string(hide_password=False)
        host = url.host or url.query.get("host") or "localhost"
        self._place = f"PostgreSQL at {host}, database {url.database}"
        self._read_only = read_only
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="postgresql", daemon=True
        )
        self._engine: AsyncEngine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self._connect,
            pool_size=CONNECTIONS_MAX,
            max_overflow=0,
            pool_timeout=CONNECTION_WAIT_S_MAX,
            pool_use_lifo=True,
            pool_pre_ping=True,  # after a restart of the server: a new connection, no error
            isolation_level="READ COMMITTED",
            hide_parameters=True,
        )
        self._thread.start()

    def version(self) -> str:
        """Ask the server which it is."""
        found = self.read(lambda conn: conn.exec_driver_sql("SHOW server_version").scalar_one())
        return f"PostgreSQL {found}"

    def transact(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction at READ COMMITTED; several may run at once."""
        if self._read_only:
            raise Misuse("the database was opened for reading")
        return self._wait(self._with_connection(lambda c: in_transaction(c, work, self._place)))

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on one read-only snapshot, as a reader of SQLite has it."""
        return self._wait(
            self._with_connection(work, isolation_level="REPEATABLE READ", postgresql_readonly=True)
        )

    def alter(self, work: Callable[[Connection], T]) -> T:
        """Run a migration, whose statements may take their time."""

        def unhurried(conn: Connection) -> T:
            conn.exec_driver_sql("SET LOCAL statement_timeout = 0")
            return work(conn)

        return self.transact(unhurried)

    def forget(self) -> bool:
        """Do nothing: what is overwritten is the server's to clear, in its own time."""
        return True

    def close(self) -> None:
        """End the connections and the thread."""
        if self._loop.is_closed():
            return
        self._wait(self._engine.dispose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, step: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the thread of the database, and wait for it."""
        if self._loop.is_closed():
            step.close()
            raise StorageFailed("the database is closed", reason="lost")
        if threading.current_thread() is self._thread:
            step.close()
            raise Misuse("a unit of work uses the connection it was given")
        return asyncio.run_coroutine_threadsafe(step, self._loop).result()

    async def _with_connection(self, work: Callable[[Connection], T], **options: object) -> T:
        """Take a connection from the pool and run `work` on it."""
        with translated(self._place):
            async with self._engine.connect() as conn:
                if options:
                    await conn.execution_options(**options)
                return await conn.run_sync(work)

    async def _connect(self) -> object:
        """Connect, and refuse a server whose confirmations are worth nothing."""
        try:
            conn = await asyncpg.connect(
                self._url,
                timeout=CONNECT_S_MAX,
                command_timeout=COMMAND_S_MAX,
                server_settings=_SESSION,
            )
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            unfit = isinstance(error, _UNFIT)
            detail = f"cannot connect to {self._place} ({type(error).__name__})"
            raise StorageFailed(detail, reason="refused" if unfit else "lost") from error
        except (asyncpg.InterfaceError, ValueError) as error:
            # The driver's words about a URL may hold the password: they go no further.
            detail = f"cannot use the URL of {self._place} ({type(error).__name__})"
            raise StorageFailed(detail, reason="refused") from None
        try:
            self._refuse_unsafe(await conn.fetch("SELECT name, setting FROM pg_settings"))
        except BaseException:
            await conn.close()
            raise
        return conn

    def _refuse_unsafe(self, rows: list[tuple[str, str]]) -> None:
        """Refuse an old server, and one that may forget what it has confirmed."""
        settings = dict(rows)
        if int(settings["server_version_num"]) < VERSION_MIN * 10_000:
            detail = f"{self._place}: version {VERSION_MIN} or later is needed"
            raise StorageFailed(detail, reason="refused")
        for name, safe in _SAFE.items():
            if settings[name] not in safe:
                wanted = " or ".join(sorted(safe))
                detail = f"{self._place}: {name} is {settings[name]} and must be {wanted}"
                raise StorageFailed(detail, reason="refused")
