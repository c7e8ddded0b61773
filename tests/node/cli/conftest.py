"""Two nodes at rest for the commands: they trust each other, or have exchanged already.

def test_something(nodes: Path) -> None: ...        nodes / "fj.justice" is a node's folder
def test_other(exchanged: Path, case: str) -> None: ...
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.support.exchanged import FIJI, QUMRAN, exchange
from tests.support.keyfiles import PASSPHRASE
from tests.support.network import make_network
from tests.support.people import settle_in


@pytest.fixture
def passphrase_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a file with the passphrase, which the settings name."""
    path = tmp_path / "passphrase"
    path.touch(mode=0o600)
    path.write_bytes(PASSPHRASE + b"\n")
    monkeypatch.setenv("COMITY_KEYS__PASSPHRASE_FILE", str(path))
    return path


@pytest.fixture(scope="session")
def _fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fresh")
    for node in make_network(folder, (FIJI, QUMRAN)).values():
        settle_in(node.settings)
    return folder


@pytest.fixture(scope="session")
def _talked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("talked")
    made = asyncio.run(exchange(folder))
    settle_in(made.fiji.settings)
    settle_in(made.qumran.settings)
    return folder, made.case


@pytest.fixture
def nodes(tmp_path: Path, _fresh: Path, passphrase_file: Path) -> Path:
    """Give the folder of two nodes that have not said anything yet."""
    return Path(shutil.copytree(_fresh, tmp_path / "nodes"))


@pytest.fixture
def exchanged(tmp_path: Path, _talked: tuple[Path, str], passphrase_file: Path) -> Path:
    """Give the folder of two nodes that have exchanged a request, an answer and notes."""
    return Path(shutil.copytree(_talked[0], tmp_path / "exchanged"))


@pytest.fixture
def case(_talked: tuple[Path, str]) -> str:
    """Give the id of the case that they share."""
    return _talked[1]
