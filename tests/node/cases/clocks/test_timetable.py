"""Clocks follow the steps of a case: start, stop, resume, move and end, on both sides alike."""

from __future__ import annotations

import pytest

from node.storage.engine import Database
from tests.support.clock_stories import ROWS, Row, played


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.clock}-{len(row.moves)}-{row.how}")
def test_a_clock_is_due_as_its_rule_says_and_ends_as_the_case_goes(
    light: Database, row: Row
) -> None:
    """Each line of the table, as the requested side keeps it."""
    found = played(light, row).clock(row.clock)
    waits = "us" if row.waits == "requested" else "them"
    assert (found.waits_for, found.due_at) == (waits, row.due)
    assert (found.ended_how, found.stopped_at) == (row.how, row.stopped)
    assert row.rule in found.rule
    assert (found.warn_at is None) is (row.how is not None or row.stopped is not None)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.clock}-{len(row.moves)}-{row.how}")
def test_both_sides_keep_the_same_clocks(light: Database, row: Row) -> None:
    """Each from its own copy, turned round; but for delivery, which is the sender's own."""
    scene = played(light, row)
    assert scene.shared("requesting") == scene.shared("requested")
