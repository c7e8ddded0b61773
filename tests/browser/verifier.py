"""The verifier page, as a person uses it: files in, conclusions out.

    found = verifier.judge({"case.comity": raw})
    assert found["case.comity"].conclusion == "true"

Keeps every address that the page asked for and every complaint of the browser.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

JUDGE_MS_MAX = 60_000
READ_SECTIONS = """() => Array.from(document.querySelectorAll("section.file"), (one) => ({
    ...one.dataset,
    text: one.textContent,
    witnessed: Object.fromEntries(Array.from(one.querySelectorAll("[data-about]"),
        ({ dataset }) => [dataset.about, dataset.witnessed])),
}))"""
DONE = re.compile(r"^Done: ")


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows of one file."""

    conclusion: str
    code: str
    outcome: str
    broken: bool
    text: str
    witnessed: dict[str, str]


@dataclass(slots=True)
class Verifier:
    """One open page."""

    page: Page
    folder: Path
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, path: Path) -> None:
        """Open the page from a file, and listen."""
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(path.as_uri())

    def trust(self, fingerprint: str) -> None:
        """Type the fingerprint of a trusted document."""
        self.page.get_by_label("Fingerprint of the network document").fill(fingerprint)

    def judge(self, files: Mapping[str, bytes]) -> dict[str, Shown]:
        """Choose these files together, and read what is said of each."""
        self.page.set_input_files("#files", [])
        expect(self.page.locator("#status")).to_be_empty()
        for name, raw in files.items():
            (self.folder / name).write_bytes(raw)
        self.page.set_input_files("#files", [self.folder / name for name in files])
        expect(self.page.locator("#status")).to_have_text(DONE, timeout=JUDGE_MS_MAX)
        return self.shown()

    def shown(self) -> dict[str, Shown]:
        """Read what the page shows now."""
        sections: list[dict[str, Any]] = self.page.evaluate(READ_SECTIONS)
        return {
            one["name"]: Shown(
                one["conclusion"], one["code"], one["outcome"], "broken" in one, one["text"],
                one["witnessed"],
            )
            for one in sections
        }  # fmt: skip
