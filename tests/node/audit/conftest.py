"""What every test of the audit starts from: two authorities that have exchanged, at rest."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.exchanged import AtRest, Exchanged, exchange


@pytest.fixture(scope="session")
def exchanged(tmp_path_factory: pytest.TempPathFactory) -> Exchanged:
    """Let two authorities exchange once; tests work on copies."""
    return asyncio.run(exchange(tmp_path_factory.mktemp("exchanged")))


@pytest.fixture
def fiji(exchanged: Exchanged, tmp_path: Path) -> AtRest:
    """Give a copy of Fiji's node."""
    return exchanged.fiji.copy(tmp_path / "copy")
