"""What every test of the audit starts from: two authorities that have exchanged, at rest."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.exchanged import AtRest, Exchanged, exchange
from tests.support.tampering import Bench
from tests.support.watched import Watched, watched


@pytest.fixture(scope="session")
def exchanged(tmp_path_factory: pytest.TempPathFactory) -> Exchanged:
    """Let two authorities exchange once; tests work on copies."""
    return asyncio.run(exchange(tmp_path_factory.mktemp("exchanged")))


@pytest.fixture
def fiji(exchanged: Exchanged, tmp_path: Path) -> AtRest:
    """Give a copy of Fiji's node."""
    return exchanged.fiji.copy(tmp_path / "copy")


@pytest.fixture(scope="session")
def met(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """Let three authorities meet everything once."""
    return asyncio.run(watched(tmp_path_factory.mktemp("watched") / "nodes"))


@pytest.fixture
def bench(met: Watched, tmp_path: Path) -> Bench:
    """Give Fiji's node, as often as it is needed."""
    return Bench(met.fiji, tmp_path / "bench", met.now)
