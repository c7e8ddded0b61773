"""The page for lawyers: its example is loaded as it stands there, its tables are complete."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, get_args

import pytest

from node.cases.law import Basis, Clock, FieldRule, read_law
from node.cases.law.model import SIMPLE_TYPES
from node.cases.law.read import FOLDERS_OF_AN_AUTHORITY, OF_AN_AUTHORITY
from node.exits import Exit
from tests.node.cases.law.folders import own
from tests.support.commands import comity
from tests.support.source import ROOT

PAGE: Final = (ROOT / "deploy" / "docs" / "ADD_A_PROFILE.md").read_text(encoding="utf-8")
FILES: Final = dict(re.findall(r"```toml\n# law/(\S+)\n(.*?)```", PAGE, re.DOTALL))


def first_column(after: str) -> set[str]:
    """Give what stands as code in the first column of the table below a heading."""
    table = PAGE.partition(after)[2].lstrip().partition("\n\n")[0]
    cells = [line.split("|")[1] for line in table.splitlines()[2:]]
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_the_worked_example_of_the_page_is_good_law(tmp_path: Path) -> None:
    """A lawyer who copies it has a folder that fits, and that does what the page says."""
    assert PAGE.count("```toml") == len(FILES) == 5
    folder = own(tmp_path, FILES)
    law = read_law(folder)
    arrest = law.limit("QT_QR_2019", "provisional_arrest")
    assert arrest is not None
    assert (arrest.count, arrest.unit) == (40, "days")
    waits = law.limit("UNCAC", "acknowledgement")
    assert waits is not None
    assert (waits.count, waits.unit) == (3, "working_days")
    note = law.kinds["MLA_BANK_RECORDS"].field("dual_criminality_note")
    assert note is not None
    assert note.need == "mandatory"
    assert law.kinds["X_SITE_VISIT"].field("site_order") is not None
    assert law.holidays["QR"].add == ("2026-06-12",)
    done = comity("law", "check", folder)
    assert done.status is Exit.DONE
    assert "The law fits together." in done.out


@pytest.mark.parametrize(
    ("after", "known"),
    [
        ("leave out what you do not need.", set(OF_AN_AUTHORITY) | {
            f"{one}/NAME.toml" for one in FOLDERS_OF_AN_AUTHORITY
        }),
        ("## What a profile of a basis says", set(Basis.model_fields)),
        ("## The clocks", set(get_args(Clock))),
        ("## What a field of a form says", set(FieldRule.model_fields)),
    ],
)  # fmt: skip
def test_the_tables_of_the_page_are_complete(after: str, known: set[str]) -> None:
    """Each file, key and clock stands there, and nothing that there is not."""
    assert first_column(after) - {"X_"} == known


def test_the_page_names_every_type_of_field() -> None:
    """And says what stands in a field of that type."""
    table = PAGE.partition("| type | what stands in it |")[2]
    named = set(re.findall(r"`([^`]+)`", "\n".join(
        line.split("|")[1] for line in table.splitlines() if line.startswith("|")
    )))  # fmt: skip
    assert named == SIMPLE_TYPES | {"code:VOCABULARY", "codes:VOCABULARY"}


def test_every_command_of_the_page_is_there(tmp_path: Path) -> None:
    """What a lawyer is told to type can be typed."""
    for word in set(re.findall(r"comity law ([a-z]+)", PAGE)):
        assert comity("law", word, "--help").status is Exit.DONE
