"""The page, the diagram and the specification say what the table says."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree as ET

import pytest

from protocol.lifecycle import RULES, State
from protocol.lifecycle_guards import BODY, HISTORY
from protocol.lifecycle_words import GUARD_WORDS
from tests.protocol.lifecycle_page import (
    PAGE,
    SVG,
    page,
    spec_events,
    spec_guards,
    spec_rules,
)
from tests.protocol.lifecycle_svg import LETTERS, PLACES, draw, drawn
from tests.protocol.test_spec_tables import SPEC


def test_the_page_and_the_diagram_are_made_from_the_table() -> None:
    """`python -m tests.protocol.lifecycle_page --write` makes them again."""
    assert PAGE.read_text(encoding="utf-8") == page()
    assert SVG.read_text(encoding="utf-8") == draw()


@pytest.mark.parametrize(
    ("heading", "table"),
    [
        ("### 16.2 Events", spec_events()),
        ("### 16.3 Guards", spec_guards()),
        ("### 16.4 Rules", spec_rules()),
    ],
)
def test_the_tables_of_the_specification_are_the_code_s(heading: str, table: Iterable[str]) -> None:
    """Every event, guard and rule of the shared part, and no other."""
    section = SPEC.partition(f"\n{heading}\n")[2].partition("\n#")[0]
    assert [line for line in section.splitlines() if line.startswith("|")] == list(table)


def test_every_guard_has_its_sentence() -> None:
    """People are told what is missing in words, also by a node's own guards."""
    named = {name for rule in RULES for name in rule.guards}
    assert named == set(GUARD_WORDS)
    assert set(HISTORY) | set(BODY) <= set(GUARD_WORDS)


def test_every_state_and_move_is_on_the_sheet() -> None:
    """Boxes for all states, a line or a letter for all moves."""
    assert {state for _, state in PLACES} == {state.value for state in State}
    root = ET.fromstring(draw())  # noqa: S314 - our own text
    texts = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
    for rule in drawn():
        assert rule.event.replace("_", " ") in texts or LETTERS[rule.event] in texts


def test_no_two_boxes_share_a_place() -> None:
    """A state behind another could not be read."""
    assert len(set(PLACES.values())) == len(PLACES)
