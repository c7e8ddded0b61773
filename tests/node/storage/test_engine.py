"""What both databases promise alike; the same units of work run on each."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, func, insert, select

from node.storage.engine import (
    Database,
    NodeRuns,
    StorageFailed,
    exclusive_lock,
    open_database,
)
from node.storage.tables import log_entries, settings_kept
from protocol.errors import Misuse
from tests.support.rows import entry_row, setting_row


def _put(conn: Connection, name: str = "a name", value: str = "a value") -> None:
    conn.execute(insert(settings_kept), setting_row(name, value))


def _names(conn: Connection) -> list[str]:
    query = select(settings_kept.c.name).order_by(settings_kept.c.name)
    return list(conn.execute(query).scalars())


def test_what_transact_returned_is_there_for_the_next_process(database_url: str) -> None:
    """A unit whose result was returned is read by whoever opens the database next."""
    first = open_database(database_url)
    first.transact(_put)
    assert first.transact(_names) == ["a name"]
    first.close()
    second = open_database(database_url)
    assert second.read(_names) == ["a name"]
    second.close()


def test_a_unit_that_raises_leaves_nothing(database: Database) -> None:
    """Whatever a unit raises rolls all of it back and comes out as it is."""

    def fails(conn: Connection) -> None:
        _put(conn)
        raise KeyError("ours")

    with pytest.raises(KeyError, match="ours"):
        database.transact(fails)
    assert database.read(_names) == []


def test_a_savepoint_that_fails_leaves_the_rest_of_its_unit(database: Database) -> None:
    """One of several grouped units may fail alone: the writer depends on it."""

    def grouped(conn: Connection) -> None:
        _put(conn, "before")
        savepoint = conn.begin_nested()
        _put(conn, "lost")
        savepoint.rollback()
        with conn.begin_nested():
            _put(conn, "after")

    database.transact(grouped)
    assert database.read(_names) == ["after", "before"]


def test_a_constraint_inside_a_savepoint_does_not_end_the_unit(database: Database) -> None:
    """A second row for one key can be caught in a savepoint, and the unit goes on."""

    def twice(conn: Connection) -> None:
        _put(conn)
        with pytest.raises(sa.exc.IntegrityError), conn.begin_nested():
            _put(conn)
        _put(conn, "more")

    database.transact(twice)
    assert database.read(_names) == ["a name", "more"]


def test_a_constraint_that_fails_is_no_failure_of_storage(database: Database) -> None:
    """`IntegrityError` passes through without the values of the row; the next unit works."""
    database.transact(_put)
    with pytest.raises(sa.exc.IntegrityError) as caught:
        database.transact(lambda conn: _put(conn, value="content of a case"))
    assert "content of a case" not in str(caught.value)
    database.transact(lambda conn: _put(conn, "next"))
    assert database.read(_names) == ["a name", "next"]


@pytest.mark.parametrize("position", [2**63, -(2**63) - 1], ids=["above", "below"])
def test_a_value_that_no_column_holds_is_no_failure_of_storage(
    database: Database, position: int
) -> None:
    """One poisoned value is an error of its unit, and stops nothing else."""
    row = entry_row(position)
    with pytest.raises(Exception, match=r"int|range") as caught:
        database.transact(lambda conn: conn.execute(insert(log_entries), row))
    assert not isinstance(caught.value, StorageFailed)
    database.transact(_put)


def test_a_wrong_statement_is_no_failure_of_storage(database: Database) -> None:
    """A bug in a statement is shown as one, and not taken for a broken disk."""
    with pytest.raises(sa.exc.DBAPIError):
        database.transact(lambda conn: conn.exec_driver_sql("SELECT nothing FROM nowhere"))
    database.transact(_put)


def test_units_from_many_threads_are_all_kept(database: Database) -> None:
    """Any thread may write; no unit is lost or seen half."""

    def put(number: int) -> None:
        database.transact(lambda conn: _put(conn, f"{number:03}"))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(put, range(64)))
    assert database.read(_names) == [f"{number:03}" for number in range(64)]


def test_a_reader_cannot_write(database: Database) -> None:
    """A unit that writes on a reading connection fails, and nothing is written."""
    with pytest.raises((StorageFailed, sa.exc.DBAPIError)):
        database.read(_put)
    assert database.read(_names) == []


def test_a_unit_within_a_unit_is_a_bug(database: Database) -> None:
    """A transaction inside a transaction is refused, for it would wait for itself."""
    verbs = (database.transact, database.read)
    for outer, inner in itertools.product(verbs, verbs):

        def nested(_conn: Connection, verb: Callable[..., object] = inner) -> object:
            return verb(_names)

        with pytest.raises(Misuse):
            outer(nested)
    database.transact(_put)


def test_a_database_opened_for_reading_is_never_written(database_url: str) -> None:
    """`read_only` holds whatever the caller does later."""
    database = open_database(database_url, read_only=True)
    for write in (database.transact, database.alter):
        with pytest.raises(Misuse):
            write(_put)
    assert database.read(_names) == []
    database.close()


def test_a_closed_database_says_so(database_url: str) -> None:
    """After `close`, every verb fails in the same way, and closing again does nothing."""
    database = open_database(database_url)
    database.transact(_put)
    database.close()
    database.close()
    for verb in (database.transact, database.read, database.alter):
        with pytest.raises(StorageFailed, match="closed") as caught:
            verb(_names)
        assert caught.value.reason == "lost"


def test_a_migration_that_fails_leaves_no_table(database: Database) -> None:
    """Statements that make tables are rolled back like all others."""

    def half(conn: Connection) -> None:
        conn.exec_driver_sql("CREATE TABLE half (id INTEGER)")
        raise KeyError("ours")

    with pytest.raises(KeyError):
        database.alter(half)
    assert not database.read(lambda conn: sa.inspect(conn).has_table("half"))


def test_the_version_names_the_database(database: Database) -> None:
    """`doctor` can say what it runs on."""
    name = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[database.dialect]
    assert database.version().startswith(f"{name} ")


def test_a_count_of_rows_is_the_same_on_both(database: Database) -> None:
    """Many rows in one unit are written at once, and counted."""
    rows = [entry_row(position) for position in range(500)]
    database.transact(lambda conn: conn.execute(insert(log_entries), rows))
    query = select(func.count()).select_from(log_entries)
    assert database.read(lambda conn: conn.execute(query).scalar_one()) == len(rows)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///comity.db?mode=memory",
        "sqlite://host/comity.db",
        "mysql://localhost/comity",
        "postgresql://localhost",
        "postgresql+psycopg://localhost/comity",
        "no url: hunter2",
        "postgresql://user:hunter2@localhost:port/comity",
    ],
)
def test_any_other_url_is_refused_without_being_shown(url: str) -> None:
    """A URL of another form is a fault of configuration; its password is not repeated."""
    with pytest.raises(StorageFailed) as caught:
        open_database(url)
    assert caught.value.reason == "refused"
    assert "hunter2" not in str(caught.value)


def test_a_relative_path_starts_at_the_folder_of_the_node(tmp_path: Path) -> None:
    """The same configuration works from any working directory."""
    database = open_database("sqlite:///comity.db", folder=tmp_path)
    database.transact(lambda conn: conn.exec_driver_sql("SELECT 1"))
    database.close()
    assert (tmp_path / "comity.db").is_file()


def test_only_one_process_holds_the_lock_of_a_node(tmp_path: Path) -> None:
    """A second writer is turned away with the number of the first; afterwards it may."""
    with exclusive_lock(tmp_path):
        with pytest.raises(NodeRuns, match=rf"process {os.getpid()}\b"), exclusive_lock(tmp_path):
            pass
        assert (tmp_path / "run" / "node.lock").stat().st_mode & 0o777 == 0o600
    with exclusive_lock(tmp_path):
        pass
