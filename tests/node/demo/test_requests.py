"""What the demonstration cases 3 to 6 write: requests that are valid, and cannot be mistaken."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.cases.completeness.request import check_request
from node.cases.completeness.wanted import Wanted
from node.cases.law import Law, load_law
from node.clock import SystemClock
from node.demo.cases import (
    case_3,
    case_3_texts,
    case_4,
    case_4_texts,
    case_5,
    case_5_texts,
    case_6,
    case_6_texts,
)
from node.demo.cases.clock import StoryClock
from node.demo.cases.run import begun_at, play_script
from node.demo.cases.texts import Body, wanted_by
from node.demo.stage import Stage
from tests.node.demo.test_cases import Lax

NOW = 1_770_000_000
DAY = "2027-03-01"
ARREST = case_4_texts.arrest("CT-1", case_4_texts.FUGITIVE)
EXTRADITION = case_4_texts.extradition("CT-2", "CT-1", case_4_texts.FUGITIVE, warrant_of=DAY)
REQUESTS: tuple[tuple[str, str, Body], ...] = (
    ("FREEZING", case_3.ASKED, case_3_texts.freezing()),
    ("CONFISCATION", case_3.ASKED, case_3_texts.confiscation("qn.court/00", ordered=DAY)),
    ("PROVISIONAL_ARREST", case_4.ASKED, ARREST),
    ("EXTRADITION", case_4.ASKED, EXTRADITION),
    ("TRANSFER_PROCEEDINGS", case_4.ASKED, case_4_texts.transfer("CT-3", "CT-2")),
    ("MLA_VIDEO_HEARING", case_5.ASKED, case_5_texts.hearing(first=DAY, second=DAY, test=DAY)),
    ("SPONTANEOUS", case_6_texts.TOLD, case_6_texts.offer()),
    ("INFORMAL_INQUIRY", case_6_texts.KNOWING, case_6_texts.inquiry("qp.agency/00")),
    ("MLA_BANK_RECORDS", case_6_texts.CENTRAL, case_6_texts.formal("qt.justice/00")),
)
KINDS = [kind for kind, _, _ in REQUESTS]
DOUBTED = {"basis-undeclared": {"PROVISIONAL_ARREST", "EXTRADITION"}}
"""What a careful reader would ask, and the story leaves open: findings, and for which kinds."""


@pytest.fixture(scope="module")
def law(tmp_path_factory: pytest.TempPathFactory) -> Law:
    """The law of an authority that has added the treaty of case 4."""
    bases = tmp_path_factory.mktemp("own") / "law" / "bases"
    bases.mkdir(parents=True)
    (bases / "qt_qr_2019.toml").write_text(case_4_texts.TREATY)
    return load_law(bases.parent)


def values(body: Any, name: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401  (any JSON)
    """Give every value of a body with the name of its field."""
    if isinstance(body, dict):
        for key, one in body.items():
            yield from values(one, key)
    elif isinstance(body, list):
        for one in body:
            yield from values(one, name)
    else:
        yield name, body


@pytest.mark.parametrize(("kind", "to", "body"), REQUESTS, ids=KINDS)
def test_a_request_of_the_demonstration_is_complete(
    law: Law, kind: str, to: str, body: Body
) -> None:
    """Nothing blocks it, and nothing warns but what is doubtful in the story itself."""
    said = wanted_by(to)
    languages = said["office.languages"]
    assert isinstance(languages, list)
    wanted = Wanted.declared(tuple(languages), {"country": said["office.country"]})
    report = check_request(law, {**body, "request_kind": kind}, to=wanted, now=NOW)
    assert report.may_be_sent
    found = {one.code for one in report.findings}
    assert found == {code for code, kinds in DOUBTED.items() if kind in kinds}


@pytest.mark.parametrize(("kind", "to", "body"), REQUESTS, ids=KINDS)
def test_a_request_of_the_demonstration_cannot_be_mistaken_for_one(
    kind: str, to: str, body: Body
) -> None:
    """No State, currency or address in it exists, and it says that it is fictional."""
    assert re.search(r"FICTIONAL|\(fictional\)", json.dumps(body)), kind
    assert to.startswith("q")
    for name, value in values(body):
        if name == "currency":
            assert value == "XTS"
        elif name in {"country", "nationality"}:
            assert value.startswith("Q")
        elif name == "email":
            assert value.endswith(".example")


def test_an_arrest_is_asked_for_as_long_as_the_treaty_allows(law: Law) -> None:
    """What the request says, and what the profile in the own folder says, is one number."""
    limit = law.bases[case_4_texts.BASIS].limits["provisional_arrest"]
    assert (limit.count, limit.unit) == (ARREST["treaty_limit_days"], "days")
    other = {**ARREST, "request_kind": "PROVISIONAL_ARREST", "treaty_limit_days": limit.count + 1}
    report = check_request(law, other, to=Wanted(), now=NOW)
    assert not report.may_be_sent


def test_the_file_of_a_transfer_is_listed_by_what_is_in_it() -> None:
    """Whoever receives it can check each volume against the request."""
    listed = case_4_texts.transfer("CT-3", "CT-2")["file_list"]
    assert {one["name"] for one in listed} == set(case_4_texts.CASE_FILE)


def test_sums_of_the_flat_and_the_accounts_add_up() -> None:
    """What is frozen is what the request names, and what is returned lacks the costs alone."""
    named = [one["value"] for one in case_3_texts.freezing()["property"]]
    assert sum(map(float, named)) == float(case_3_texts.FROZEN)
    kept = float(case_3_texts.FROZEN) - float(case_3_texts.COSTS)
    assert kept == float(case_3_texts.RETURNED)


@pytest.mark.parametrize("script", [case_3, case_5, case_6], ids=["3", "5", "6"])
def test_a_node_that_lets_everything_through_fails_the_case(tmp_path: Path, script: Any) -> None:  # noqa: ANN401  (a module)
    """Each of them tries what the law forbids, and goes no further if that is taken."""
    clock = StoryClock(begun_at(SystemClock().now(), None) + 36_000)
    with Stage(SystemClock()) as stage:
        _, why = play_script(
            script, tmp_path, stage, Lax(), clock=clock, show=lambda _: None
        )  # fmt: skip
    assert why is not None
    assert "was not refused" in why
