"""What a file can do to us, and what we keep from it."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select

from node.storage.engine import SqliteDatabase, StorageFailed
from node.storage.tables import log_entries, settings_kept, skips
from tests.support.rows import IDENTITY, entry_row, setting_row

FILE_BYTES_MAX = 1024 * 1024


@pytest.fixture
def path(sqlite_template: Path, tmp_path: Path) -> Path:
    """Give a file of its own with the tables."""
    copy = tmp_path / "comity.db"
    copy.write_bytes(sqlite_template.read_bytes())
    return copy


@pytest.fixture
def database(path: Path) -> Iterator[SqliteDatabase]:
    """Open that file for writing."""
    opened = SqliteDatabase(path)
    yield opened
    opened.close()


def _put(conn: Connection) -> None:
    conn.execute(insert(settings_kept), setting_row())


def _put_much(conn: Connection) -> None:
    rows = [entry_row(position, record=bytes(8_192)) for position in range(512)]
    conn.execute(insert(log_entries), rows)


def _names(conn: Connection) -> list[str]:
    return list(conn.execute(select(settings_kept.c.name)).scalars())


def _run_python(code: str, *arguments: object, powerless: bool = False) -> subprocess.Popen[str]:
    """Run code in another process; `powerless`: root there obeys the modes of files too."""
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    if powerless and os.geteuid() == 0:
        capability = "-dac_override,-dac_read_search"
        limits = [f"--bounding-set={capability}", f"--inh-caps={capability}"]
        command = ["setpriv", *limits, *command]
    root = Path(__file__).parents[3]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)


def test_all_its_files_are_for_the_owner_only(path: Path, database: SqliteDatabase) -> None:
    """The file and the two beside it are 0600, whatever they were before."""
    path.chmod(0o644)
    database.transact(_put)
    files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert files == {"comity.db": 0o600, "comity.db-wal": 0o600, "comity.db-shm": 0o600}


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("busy_timeout", 5_000),
        ("trusted_schema", 0),
        ("cell_size_check", 1),
        ("secure_delete", 1),
        ("wal_autocheckpoint", 1_000),
    ],
)
def test_every_safeguard_is_on_when_read_back(
    database: SqliteDatabase, pragma: str, value: object
) -> None:
    """SQLite ignores a pragma it does not know, so we ask what it made of ours."""
    read = database.transact(lambda conn: conn.exec_driver_sql(f"PRAGMA {pragma}").scalar())
    assert read == value


def test_a_reader_never_checkpoints(path: Path, database: SqliteDatabase) -> None:
    """Opening, reading and closing elsewhere leaves the write-ahead log as it was."""
    database.transact(_put)
    log = Path(f"{path}-wal")
    before = log.read_bytes()
    reader = SqliteDatabase(path, read_only=True)
    assert reader.read(_names) == ["a name"]
    pragma = "PRAGMA wal_autocheckpoint"
    assert reader.read(lambda conn: conn.exec_driver_sql(pragma).scalar()) == 0
    reader.close()
    assert before
    assert log.read_bytes() == before


def test_a_reader_sees_one_snapshot_while_others_write(database: SqliteDatabase) -> None:
    """What is committed while a reader reads is not seen by that reader."""

    def read_twice(conn: Connection) -> tuple[list[str], list[str]]:
        before = _names(conn)
        writing = threading.Thread(target=database.transact, args=(_put,))
        writing.start()
        writing.join()
        return before, _names(conn)

    assert database.read(read_twice) == ([], [])
    assert database.read(_names) == ["a name"]


def test_a_copy_is_read_without_the_files_beside_it(path: Path, database: SqliteDatabase) -> None:
    """After a clean end the file alone is the whole database."""
    database.transact(_put)
    database.close()
    assert not Path(f"{path}-wal").exists()
    reader = SqliteDatabase(path, read_only=True)
    assert reader.read(_names) == ["a name"]
    reader.close()


def test_a_copy_in_a_folder_that_nobody_may_write_is_read(path: Path) -> None:
    """An auditor reads a file from a medium on which nothing can be made."""
    code = """
        import sys
        from pathlib import Path
        from sqlalchemy import select
        from node.storage.engine import SqliteDatabase
        from node.storage.tables import settings_kept
        database = SqliteDatabase(Path(sys.argv[1]), read_only=True)
        print(database.read(lambda conn: len(conn.execute(select(settings_kept)).all())))
        database.close()
    """
    path.chmod(0o400)
    path.parent.chmod(0o500)
    with _run_python(code, path, powerless=True) as reader:
        assert reader.stdout is not None
        assert reader.stdout.read() == "0\n"
    path.parent.chmod(0o700)
    assert [file.name for file in path.parent.iterdir()] == ["comity.db"]


def test_it_is_read_while_another_process_writes(path: Path) -> None:
    """Commands that read need not wait for the node, nor stop it."""
    code = """
        import sys
        from pathlib import Path
        from sqlalchemy import insert
        from node.storage.engine import SqliteDatabase
        from node.storage.tables import settings_kept
        database = SqliteDatabase(Path(sys.argv[1]))
        number = 0
        while True:
            row = {"name": f"{number:09}", "value": ""}
            database.transact(lambda conn: conn.execute(insert(settings_kept), row))
            number += 1
            print(number, flush=True)
    """
    with _run_python(code, path) as writer:
        assert writer.stdout is not None
        reader = SqliteDatabase(path, read_only=True)
        for _ in range(20):
            confirmed = int(writer.stdout.readline())
            assert len(reader.read(_names)) >= confirmed
        writer.send_signal(signal.SIGKILL)
        confirmed = [confirmed, *map(int, writer.stdout.read().split())][-1]
        reader.close()
    after = SqliteDatabase(path)
    names = sorted(after.read(_names))
    after.close()
    assert len(names) >= confirmed
    assert names == [f"{number:09}" for number in range(len(names))]


def test_a_place_without_a_write_ahead_log_is_refused(tmp_path: Path) -> None:
    """Where SQLite cannot share memory between processes, as over a network, we do not start."""
    database = SqliteDatabase(tmp_path / "comity.db", vfs="unix-dotfile")
    with pytest.raises(StorageFailed, match="write-ahead log") as caught:
        database.transact(_put)
    assert caught.value.reason == "refused"
    database.close()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda _path: None, "No such file"),
        (lambda path: path.mkdir(parents=True), "directory"),
        (lambda path: (path.parent.mkdir(), path.write_bytes(b"x" * 8_192)), "NOTADB"),
    ],
    ids=["no folder", "a folder", "not a database"],
)
def test_a_path_that_is_no_database_is_refused(tmp_path: Path, make: object, words: str) -> None:
    """A wrong path is said to be one, and never overwritten."""
    path = tmp_path / "folder" / "comity.db"
    assert callable(make)
    make(path)
    database = SqliteDatabase(path)
    with pytest.raises(StorageFailed, match=words) as caught:
        database.transact(_put)
    assert caught.value.reason == "refused"
    database.close()


def test_an_absent_file_is_not_made_by_reading(tmp_path: Path) -> None:
    """A command that only reads leaves no empty database behind a misspelt path."""
    database = SqliteDatabase(tmp_path / "misspelt.db", read_only=True)
    with pytest.raises(StorageFailed):
        database.read(_names)
    database.close()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_fails_one_unit_and_heals(database: SqliteDatabase) -> None:
    """When there is no room nothing of the unit is kept; when there is, work goes on."""

    def too_much(conn: Connection) -> None:
        conn.exec_driver_sql("PRAGMA max_page_count=64")  # of this connection only
        _put_much(conn)

    with pytest.raises(StorageFailed, match="FULL") as caught:
        database.transact(too_much)
    assert (caught.value.reason, caught.value.in_doubt) == ("full", False)
    assert isinstance(caught.value.__cause__, Exception)
    database.transact(_put_much)


def test_after_an_io_error_nothing_is_confirmed_any_more(
    path: Path, database: SqliteDatabase
) -> None:
    """A write that failed may be lost for good, so this process never commits again."""
    database.transact(_put)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES_MAX, hard))
    try:
        with pytest.raises(StorageFailed, match="IOERR") as caught:
            database.transact(_put_much)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.reason == "broken"
    with pytest.raises(StorageFailed, match="IOERR"):
        database.transact(_names)
    assert database.read(_names) == ["a name"]
    again = SqliteDatabase(path)
    assert again.transact(_names) == ["a name"]
    again.close()


def test_a_second_writer_waits_its_turn_and_then_fails(
    path: Path, database: SqliteDatabase
) -> None:
    """A foreign lock on the file is told as *busy*, and nothing is half done."""
    foreign = sqlite3.connect(path, isolation_level=None)
    impatient = "PRAGMA busy_timeout=20"
    database.transact(lambda conn: conn.exec_driver_sql(impatient).close())
    foreign.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageFailed) as caught:
        database.transact(_put)
    foreign.close()
    assert caught.value.reason == "busy"
    database.transact(_put)


def test_a_migration_that_leaves_orphans_is_refused(database: SqliteDatabase) -> None:
    """Foreign keys are off while tables are made anew, so they are all checked at the end."""
    orphan = {"case_id": "no case", "identity": IDENTITY}
    with pytest.raises(StorageFailed, match="refer to nothing"):
        database.alter(lambda conn: conn.execute(insert(skips), orphan))
    assert database.read(lambda conn: conn.execute(select(skips)).all()) == []


def test_foreign_keys_are_enforced_again_after_a_migration(database: SqliteDatabase) -> None:
    """What a migration switches off for itself is on for the next unit."""
    database.alter(_put)
    pragma = "PRAGMA foreign_keys"
    assert database.transact(lambda conn: conn.exec_driver_sql(pragma).scalar()) == 1
