"""A real Chromium, without a network, with the verifier page open from a file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from node.page import PAGE
from tests.browser.verifier import Verifier

PATHS = ("chromium", "chromium-browser", "google-chrome")


def _chromium() -> str:
    found = next((path for name in PATHS if (path := shutil.which(name))), None)
    if found is None:
        reason = "Chromium (Debian: chromium) is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Run one Chromium for all tests of this worker."""
    executable = _chromium()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def verifier(browser: Browser, tmp_path: Path) -> Iterator[Verifier]:
    """Open the page from a folder where nothing else is, as somebody who was sent it would."""
    copy = tmp_path / "verify.html"
    shutil.copy(PAGE, copy)
    context = browser.new_context(viewport={"width": 1100, "height": 900})
    chosen = tmp_path / "chosen"
    chosen.mkdir()
    verifier = Verifier(context.new_page(), chosen)
    verifier.open(copy)
    yield verifier
    context.close()
    assert verifier.requests == [copy.as_uri()]
    assert verifier.complaints == []
