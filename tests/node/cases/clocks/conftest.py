"""What tests of clocks share: one database for many scenes, each with a name of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.storage.engine import Database, open_database


@pytest.fixture(scope="module")
def light(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Give one database for many scenes, each with a name of its own."""
    path = tmp_path_factory.mktemp("clocks") / "comity.db"
    shutil.copy(sqlite_template, path)
    opened = open_database(f"sqlite:///{path}")
    yield opened
    opened.close()


@pytest.fixture
def fresh(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """Give one database in a file, for what does not depend on its kind."""
    path = tmp_path / "comity.db"
    shutil.copy(sqlite_template, path)
    opened = open_database(f"sqlite:///{path}")
    yield opened
    opened.close()
