"""The verifier page as a file: built from its sources, and shut by its own policy."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from node.page import FOLDER, PAGE, verifier_html
from node.page.build import BuildError, bundle, page


def test_the_committed_page_is_the_one_that_its_sources_make() -> None:
    """Nobody edits it by hand, and nobody forgets to build it."""
    assert PAGE.read_bytes() == page() == verifier_html()


def test_the_page_allows_no_connection_and_no_markup_from_texts() -> None:
    """The policy stands in the page itself, wherever it is opened from."""
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', PAGE.read_text())
    assert policy is not None
    rules = dict(rule.strip().partition(" ")[::2] for rule in policy[1].split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["require-trusted-types-for"] == "'script'"
    assert {"connect-src", "img-src", "frame-src"}.isdisjoint(rules)
    assert all(re.fullmatch(r"'sha256-[^']+'", rules[name]) for name in ("script-src", "style-src"))


def test_the_vendored_code_is_the_one_that_is_named() -> None:
    """Its digest stands beside it, with the versions and how it was made."""
    digest = hashlib.sha256((FOLDER / "vendor" / "noble.mjs").read_bytes()).hexdigest()
    assert digest in (FOLDER / "vendor" / "VENDOR.md").read_text()


def test_modules_are_joined_in_the_order_of_their_imports(tmp_path: Path) -> None:
    """Each becomes a function whose exports the others take."""
    (tmp_path / "main.mjs").write_text('import { one as two } from "./one.mjs";\nuse(two);\n')
    (tmp_path / "one.mjs").write_text("export const one = 1;\n")
    made = bundle(tmp_path, "main.mjs")
    assert made.index("const one = 1;") < made.index("const { one: two } = $one;")
    assert "return { one };" in made


@pytest.mark.parametrize(
    "line", ['import "./one.mjs";', "export default 1;", 'export * from "./b";']
)
def test_what_the_builder_does_not_know_is_refused(tmp_path: Path, line: str) -> None:
    """Nothing is left out of the page in silence."""
    (tmp_path / "main.mjs").write_text(f"{line}\n")
    with pytest.raises(BuildError, match="not understood"):
        bundle(tmp_path, "main.mjs")


def test_modules_that_import_each_other_are_refused(tmp_path: Path) -> None:
    """One of them would be used before it is there."""
    (tmp_path / "main.mjs").write_text('import { b } from "./b.mjs";\nexport const a = b;\n')
    (tmp_path / "b.mjs").write_text('import { a } from "./main.mjs";\nexport const b = a;\n')
    with pytest.raises(BuildError, match="imports itself"):
        bundle(tmp_path, "main.mjs")
