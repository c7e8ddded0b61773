"""What a server can do to us: forget, go away, hold a lock, or be the wrong one."""

from __future__ import annotations

import secrets
import socket
import traceback
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, insert, select

from node.storage.engine import Database, StorageFailed, open_database
from node.storage.tables import settings_kept
from tests.conftest import TEMPLATE
from tests.support.postgres import PostgresServer
from tests.support.rows import setting_row


@pytest.fixture
def name(postgres_server: PostgresServer) -> Iterator[str]:
    """Give the name of a database of its own with the tables."""
    made = f"p_{secrets.token_hex(8)}"
    postgres_server.create(made, TEMPLATE)
    yield made
    postgres_server.drop(made)


@pytest.fixture
def database(postgres_server: PostgresServer, name: str) -> Iterator[Database]:
    """Open that database."""
    opened = open_database(postgres_server.url(name))
    yield opened
    opened.close()


def _put(conn: Connection) -> None:
    conn.execute(insert(settings_kept), setting_row())


def _names(conn: Connection) -> list[str]:
    return list(conn.execute(select(settings_kept.c.name)).scalars())


def _end_sessions(server: PostgresServer, name: str) -> None:
    """End all sessions of a database, as a restart of the server would."""
    query = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = "
    server.run_sql(f"{query}'{name}'")


@pytest.mark.parametrize("value", ["off", "local", "remote_write"])
def test_a_server_that_confirms_before_its_disk_is_refused(
    postgres_server: PostgresServer, name: str, value: str
) -> None:
    """A commit that a power cut can undo is worth nothing, so we do not connect."""
    postgres_server.run_sql(f"ALTER DATABASE {name} SET synchronous_commit = {value}")
    database = open_database(postgres_server.url(name))
    with pytest.raises(StorageFailed, match=f"synchronous_commit is {value}") as caught:
        database.transact(_put)
    assert caught.value.reason == "refused"
    database.close()


def test_the_password_is_in_no_error(postgres_server: PostgresServer, name: str) -> None:
    """Neither what we say nor what lies below it repeats the URL."""
    password = "correct-horse"
    database = open_database(postgres_server.tcp_url(name, password))
    with pytest.raises(StorageFailed) as caught:
        database.transact(_put)
    assert caught.value.reason == "refused"
    assert password not in "".join(traceback.format_exception(caught.value))
    assert password not in repr(caught.value)
    database.close()


def test_a_url_that_the_driver_cannot_read_is_not_repeated(postgres_server: PostgresServer) -> None:
    """A parameter that does not exist is a fault of configuration, told without the URL."""
    url = f"{postgres_server.tcp_url('postgres', 'correct-horse')}?sslmode=correct-horse"
    database = open_database(url)
    with pytest.raises(StorageFailed) as caught:
        database.transact(_put)
    assert caught.value.reason == "refused"
    assert "correct-horse" not in "".join(traceback.format_exception(caught.value))
    database.close()


def test_a_password_opens_over_tcp(postgres_server: PostgresServer, name: str) -> None:
    """The right password works, so the tests of the wrong one mean something."""
    database = open_database(postgres_server.tcp_url(name))
    database.transact(_put)
    assert database.read(_names) == ["a name"]
    database.close()


def test_a_server_that_is_not_there_is_lost() -> None:
    """When nobody listens, the failure says so, and the next try is a new one."""
    with socket.socket() as nobody:  # bound and not listening: the port is nobody else's
        nobody.bind(("127.0.0.1", 0))
        database = open_database(f"postgresql://u@127.0.0.1:{nobody.getsockname()[1]}/d")
        for _ in range(2):
            with pytest.raises(StorageFailed, match="cannot connect") as caught:
                database.transact(_put)
            assert caught.value.reason == "lost"
        database.close()


def test_a_connection_lost_within_a_unit_keeps_nothing(
    postgres_server: PostgresServer, name: str, database: Database
) -> None:
    """Lost before the commit was asked for: nothing is kept, and the next unit connects anew."""

    def cut(conn: Connection) -> None:
        _put(conn)
        _end_sessions(postgres_server, name)
        _names(conn)

    with pytest.raises(StorageFailed) as caught:
        database.transact(cut)
    assert (caught.value.reason, caught.value.in_doubt) == ("lost", False)
    assert caught.value.__cause__ is not None
    assert database.read(_names) == []
    database.transact(_put)


def test_a_connection_lost_at_the_commit_is_in_doubt(
    postgres_server: PostgresServer, name: str, database: Database
) -> None:
    """With no answer to the commit nobody knows; the caller must read before it repeats."""

    def cut_last(conn: Connection) -> None:
        _put(conn)
        _end_sessions(postgres_server, name)

    with pytest.raises(StorageFailed) as caught:
        database.transact(cut_last)
    assert (caught.value.reason, caught.value.in_doubt) == ("lost", True)


def test_a_restart_of_the_server_between_units_is_not_noticed(
    postgres_server: PostgresServer, name: str, database: Database
) -> None:
    """Idle connections that have died are replaced before they are used."""
    database.transact(_put)
    _end_sessions(postgres_server, name)
    assert database.read(_names) == ["a name"]


def test_a_lock_that_is_not_given_in_time_is_busy(
    postgres_server: PostgresServer, name: str, database: Database
) -> None:
    """A unit does not wait for ever for somebody else's lock."""
    other = open_database(postgres_server.url(name))

    def wait_for_other(conn: Connection) -> None:
        conn.exec_driver_sql("SET LOCAL lock_timeout = '20ms'")
        conn.exec_driver_sql("LOCK TABLE settings_kept IN EXCLUSIVE MODE")

    def hold(conn: Connection) -> None:
        conn.exec_driver_sql("LOCK TABLE settings_kept IN EXCLUSIVE MODE")
        with pytest.raises(StorageFailed) as caught:
            database.transact(wait_for_other)  # another thread than that of `other`
        assert caught.value.reason == "busy"

    other.transact(hold)
    other.close()


def test_a_full_disk_is_told_as_full(database: Database) -> None:
    """The server's code for a full disk is ours for it too."""
    raised = "DO $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END $$"
    with pytest.raises(StorageFailed, match="53100") as caught:
        database.transact(lambda conn: conn.exec_driver_sql(raised))
    assert caught.value.reason == "full"


def test_a_text_with_a_zero_byte_is_an_error_of_its_unit(database: Database) -> None:
    """PostgreSQL holds no zero byte in a text: the value is at fault, and not the storage."""
    with pytest.raises(Exception, match="0x00") as caught:
        database.transact(lambda conn: conn.execute(insert(settings_kept), setting_row("\0")))
    assert not isinstance(caught.value, StorageFailed)
    database.transact(_put)


def test_a_reader_sees_one_snapshot_while_others_write(
    postgres_server: PostgresServer, name: str, database: Database
) -> None:
    """What is committed while a reader reads is not seen by that reader."""
    statement = "INSERT INTO settings_kept VALUES ('a name', '')"

    def read_twice(conn: Connection) -> tuple[list[str], list[str]]:
        before = _names(conn)
        postgres_server.run_sql(statement, name)
        return before, _names(conn)

    assert database.read(read_twice) == ([], [])
    assert database.read(_names) == ["a name"]
