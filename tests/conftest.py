"""What many tests share: a database of each kind. Code for tests stands in `support/`.

def test_something(database: Database) -> None: ...      runs twice, on empty tables
def test_other(database_url: str) -> None: ...           for what opens it by itself
def test_more(empty_database_url: str) -> None: ...      before any migration
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.storage.engine import Database, open_database
from node.storage.migrate import migrate
from tests.support.postgres import PostgresServer, find_postgres

DIALECTS = ("sqlite", "postgresql")
TEMPLATE = "comity_template"


def _migrated(url: str) -> str:
    """Make the tables in the database at `url`."""
    database = open_database(url)
    migrate(database)
    database.close()
    return url


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Run one PostgreSQL for all tests of this worker, with a template that has the tables."""
    binaries = find_postgres()
    if binaries is None:
        reason = "PostgreSQL's binaries (Debian: postgresql) and setpriv are not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with PostgresServer.start(binaries) as server:
        _migrated(server.create(TEMPLATE))
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one file with the tables, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    _migrated(f"sqlite:///{path}")
    return path


@pytest.fixture(params=DIALECTS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the URL of a database of its own whose tables are there and empty."""
    if request.param == "sqlite":
        path = tmp_path / "comity.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = f"t_{secrets.token_hex(8)}"
    yield server.create(name, TEMPLATE)
    server.drop(name)


@pytest.fixture(params=DIALECTS)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the URL of a database of its own without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = f"e_{secrets.token_hex(8)}"
    yield server.create(name)
    server.drop(name)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Open that database, and close it at the end."""
    opened = open_database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def empty_postgres_urls(postgres_server: PostgresServer) -> Iterator[dict[str, str]]:
    """Give two empty PostgreSQL databases, one for each node of a pair."""
    names = {one: f"n_{secrets.token_hex(8)}" for one in ("fj.justice", "qm.justice")}
    yield {one: postgres_server.create(name) for one, name in names.items()}
    for name in names.values():
        postgres_server.drop(name)
