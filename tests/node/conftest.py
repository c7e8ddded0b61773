"""Fixtures of the node's tests: networks without sockets, on both databases, and log lines.

async def test_something(pair: Pair) -> None: ...       runs twice, on a copy of one network
async def test_other(light_pair: Pair) -> None: ...     once, where the database is not the point
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from node.logs import configure
from node.storage import tables
from tests.conftest import DIALECTS
from tests.support.pair import NAMES, Pair, Template, make_template
from tests.support.postgres import PostgresServer

TABLES = [table.name for table in tables.metadata.sorted_tables]


@pytest.fixture(scope="session")
def sqlite_network(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Make three nodes on SQLite, to be copied."""
    return make_template(tmp_path_factory.mktemp("network") / "nodes")


@dataclass(slots=True)
class SavedNetwork:
    """The databases of three nodes on PostgreSQL, and their rows as they were made.

    Making and dropping a database costs more than a test, so rows are put back instead.
    """

    server: PostgresServer
    template: Template
    fresh: set[str] = field(default_factory=set)

    def save(self) -> None:
        """Keep the rows of each table beside it."""
        for name in NAMES:
            copies = "".join(f"CREATE TABLE saved.{one} AS TABLE {one};" for one in TABLES)
            self.server.run_sql(f"CREATE SCHEMA saved; {copies}", name)

    def url(self, name: str) -> str:
        """Give the URL of a node's database, as it was made if a test asks the first time."""
        if name not in self.fresh:
            self.fresh.add(name)
            emptied = [f"DELETE FROM {one};" for one in reversed(TABLES)]  # noqa: S608  (our tables)
            filled = [f"INSERT INTO {one} SELECT * FROM saved.{one};" for one in TABLES]  # noqa: S608  (our tables)
            self.server.run_sql(" ".join((*emptied, *filled)), name)
        return self.server.url(name)


@pytest.fixture(scope="session")
def postgres_network(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer
) -> SavedNetwork:
    """Make three nodes on PostgreSQL, to be copied."""
    urls = {name: postgres_server.create(name) for name in NAMES}
    template = make_template(tmp_path_factory.mktemp("network") / "nodes", urls)
    saved = SavedNetwork(postgres_server, template)
    saved.save()
    return saved


@pytest.fixture(params=DIALECTS)
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    """Give the nodes of a network, on each kind of database."""
    if request.param == "sqlite":
        made = Pair.copy_of(request.getfixturevalue("sqlite_network"), tmp_path / "nodes")
    else:
        saved: SavedNetwork = request.getfixturevalue("postgres_network")
        saved.fresh.clear()
        made = Pair.copy_of(saved.template, tmp_path / "nodes", saved.url)
    yield made
    made.close()


@pytest.fixture
def light_pair(sqlite_network: Template, tmp_path: Path) -> Iterator[Pair]:
    """Give the nodes of a network on SQLite."""
    made = Pair.copy_of(sqlite_network, tmp_path / "nodes")
    yield made
    made.close()


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Give the operator's log from here on, down to its finest lines."""
    stream = io.StringIO()
    configure("debug", "json", stream)
    yield stream
    configure("info", "json")
