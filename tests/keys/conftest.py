"""A key file, and the place for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.keyfiles import ring, write


@pytest.fixture
def key_path(tmp_path: Path) -> Path:
    """Name a key file in a folder of its own; it is not there yet."""
    folder = tmp_path / "keys"
    folder.mkdir()
    return folder / "node.key"


@pytest.fixture
def key_file(key_path: Path) -> Path:
    """Write a key file of a node."""
    write(key_path, ring())
    return key_path
