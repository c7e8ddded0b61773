"""The code cites the specification, and what it cites is there; and it is this code."""

from __future__ import annotations

import importlib
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.support.source import PACKAGES, ROOT, modules

SPEC = ROOT / "protocol" / "SPEC.md"
HEADING = re.compile(r"^#{2,6} (\d+(?:\.\d+)*)\.? \S", re.MULTILINE)
CITATION = re.compile(r"SPEC (\d+(?:\.\d+)*)((?:,? (?:and|to|or) |, )\d+\.\d+)*")


def headings() -> list[str]:
    """Give the numbers of the specification's sections, in order."""
    return HEADING.findall(SPEC.read_text())


def citations(text: str) -> list[str]:
    """Give every section number in "SPEC 4.2", "SPEC 4.2 and 4.3", "SPEC 5.1 to 5.3"."""
    return [
        number
        for match in CITATION.finditer(text)
        for number in re.findall(r"\d+(?:\.\d+)*", match.group())
    ]


def test_several_sections_are_read_from_one_citation() -> None:
    """The reader of citations understands how they are written."""
    text = "SPEC 4.2 and 4.3; (SPEC 9), SPEC 5.1 to 5.3. The SPEC is 7."
    assert citations(text) == ["4.2", "4.3", "9", "5.1", "5.3"]


def test_every_section_that_the_code_cites_exists() -> None:
    """A citation leads a reader to the rule that the line keeps."""
    known = set(headings())
    astray = [
        f"{module.where}:{number} SPEC {cited}"
        for module in modules(*PACKAGES, "tests")
        if module.path != Path(__file__)
        for number, line in enumerate(module.lines, 1)
        for cited in citations(line)
        if cited not in known
    ]
    assert astray == []


def test_sections_are_numbered_once_and_in_order() -> None:
    """No number stands twice, and none goes back."""
    found = headings()
    assert [number for number, count in Counter(found).items() if count > 1] == []
    in_order = sorted(found, key=lambda number: [int(part) for part in number.split(".")])
    assert found == in_order


@pytest.mark.parametrize("name", [*PACKAGES, "tests"])
def test_a_package_is_the_one_in_this_checkout(name: str) -> None:
    """Another `node` or `keys` on the path would be tested in place of ours."""
    package = importlib.import_module(name)
    assert package.__file__ is not None
    assert Path(package.__file__).resolve() == ROOT / name / "__init__.py"


@pytest.mark.parametrize("name", PACKAGES)
def test_every_module_can_be_imported(name: str) -> None:
    """Also one that no other test reaches; Alembic runs its scripts in its own way."""
    for module in modules(name):
        if "migrations" not in module.name:
            assert importlib.import_module(module.name).__name__ == module.name
