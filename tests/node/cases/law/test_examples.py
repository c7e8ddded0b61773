"""The examples are requests that could be sent: whoever begins with one begins with a good one."""

from __future__ import annotations

import json

import pytest

from node.cases.completeness.request import check_request
from node.cases.completeness.wanted import Wanted
from node.cases.law import load_law
from node.cases.law.examples import example_of

LAW = load_law()
NOW = 1_800_000_000  # in January 2027


@pytest.mark.parametrize("kind", sorted(LAW.kinds))
def test_nothing_blocks_an_example(kind: str) -> None:
    """Of every kind there is one, and as a draft it lacks nothing that the law wants."""
    body = example_of(kind)
    assert body is not None
    to = Wanted.declared(("en",), {"country": "QP", "accepts_electronic": True})
    report = check_request(LAW, {"request_kind": kind, **body}, to=to, now=NOW)
    assert report.may_be_sent, [one for one in report.findings if one.severity == "blocks"]


def test_examples_are_marked_and_each_is_its_own() -> None:
    """A kind of an authority's own has none; a change to one that was given changes no other."""
    assert example_of("X_SITE_VISIT") is None
    first = example_of("MLA_BANK_RECORDS")
    assert first is not None
    first.clear()
    second = example_of("MLA_BANK_RECORDS")
    assert "(fictional)" in json.dumps(second)
