"""The check of requests against tables of good and bad ones, each row citing its rule."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cases.completeness.report import Report
from node.cases.completeness.request import check_request
from node.cases.completeness.wanted import Wanted
from node.cases.law import load_law
from tests.node.cases.completeness import table_formal, table_kinds
from tests.node.cases.completeness.rows import GONE, Row
from tests.support.requests import KINDS, WANTED, changed, good_request

LAW = load_law()
NOW = 1_900_000_000  # in March 2030, after the good requests' orders and before their hearings
ROWS = (*table_formal.ROWS, *table_kinds.ROWS)


def wanted(row: Row | None = None) -> Wanted:
    """Give what the requested authority of a row wants."""
    if row is None:
        return Wanted.declared(WANTED["languages"], WANTED["declarations"])
    return Wanted.declared(row.languages, {**WANTED["declarations"], **row.to})


def check(body: object, row: Row | None = None) -> Report:
    """Check a body as it is when it is sent."""
    return check_request(LAW, body, to=wanted(row), now=NOW, signed=True)


def found(report: Report) -> dict[str, tuple[str, str]]:
    """Give the findings by "FIELD CODE", but for what only says that no lawyer has looked."""
    return {
        f"{one.field} {one.code}": (one.severity, one.rule)
        for one in report.findings
        if one.code != "limit-unreviewed"
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name.replace(" ", "-"))
def test_a_change_is_found_with_its_rule(row: Row) -> None:
    """What the change spoils is named, with field, code, severity and citation; else nothing."""
    seen = found(check(changed(good_request(row.kind), row.change), row))
    if row.found is None or row.expected is None:
        assert seen == {}
    else:
        assert seen.get(row.found) == (row.expected.severity, row.expected.rule), seen


def test_the_tables_are_long_and_no_row_stands_twice() -> None:
    """At least 120 rows, each with a name and a change of its own."""
    assert len(ROWS) >= 120
    assert len({(row.name, row.kind) for row in ROWS}) == len(ROWS)
    assert sum(row.found is not None for row in ROWS) >= 120


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_found_in_a_good_request(kind: str) -> None:
    """The good requests that everything else starts from are good."""
    assert found(check(good_request(kind))) == {}


def test_there_is_a_good_request_of_every_kind() -> None:
    """A kind that is added to the law is added here."""
    assert set(KINDS) == set(LAW.kinds)


MANDATORY = [
    (kind.code, rule.name, rule.rule)
    for kind in LAW.kinds.values()
    for rule in kind.fields
    if rule.need == "mandatory"
]


@pytest.mark.parametrize(("kind", "name", "rule"), MANDATORY)
def test_a_mandatory_field_blocks_when_it_is_missing(kind: str, name: str, rule: str) -> None:
    """Whatever the law's files make mandatory keeps the request back, with their citation."""
    body = good_request(kind)
    whole, in_list, _part = name.partition("[].")
    if in_list and whole not in body:  # a list that may be left out: one element, saying nothing
        body[whole] = [{"note": "An element that says nothing of this."}]
        spoilt = body
    else:
        spoilt = changed(body, {name.replace("[]", "[0]"): " " if in_list else GONE})
    report = check(spoilt)
    assert not report.may_be_sent
    assert found(report)[f"{name.replace('[]', '[0]')} missing"] == ("blocks", rule)


def test_who_signs_is_not_asked_of_the_drafter() -> None:
    """What the node fills in on sending is no finding in a draft."""
    body = changed(good_request("MLA_EVIDENCE"), {"signatories": GONE})
    assert check_request(LAW, body, to=wanted(), now=NOW).may_be_sent
    assert not check_request(LAW, body, to=wanted(), now=NOW, signed=True).may_be_sent


def test_a_draft_for_comment_blocks_nothing() -> None:
    """However incomplete the draft is, it may be sent for comment."""
    body = changed(good_request("CONSULTATION"), {"draft": {"request_kind": "EXTRADITION"}})
    report = check(body)
    assert report.may_be_sent
    assert len(report.findings) > 10


def test_rules_that_no_lawyer_has_confirmed_are_marked() -> None:
    """A finding from a rule of less than high confidence says so."""
    body = changed(good_request("MLA_BANK_RECORDS"), {"nexus": GONE, "channel": GONE})
    marks = {one.field: one.unreviewed for one in check(body).findings}
    assert marks == {"nexus": True, "channel": False}


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["UNCAC", "46-3-a", "FORMAL", "en", "XTS", "2030-01-01", "MLA_EVIDENCE"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text() | st.sampled_from(["no", "amount", "value"]), inner, max_size=4)
    ),
    max_leaves=12,
)
NAMES = sorted(
    {rule.name.partition("[]")[0] for kind in LAW.kinds.values() for rule in kind.fields}
)


@given(JSON)
def test_any_json_gives_a_report(body: object) -> None:
    """Nothing raises, and what is no request may not be sent."""
    assert not check(body).may_be_sent


@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6))
def test_any_value_of_any_field_gives_a_report(kind: str, values: dict[str, object]) -> None:
    """Whatever stands in the fields that the law knows, there is a report in JSON."""
    body = {**good_request(kind), **{name.split(".")[0]: one for name, one in values.items()}}
    json.dumps(check(body).to_json())


CANARY = "Kanarienvogel7731"


def poisoned(value: object) -> object:
    """Put the canary into every text and every key of a value."""
    if isinstance(value, dict):
        inner = {key: poisoned(one) for key, one in value.items()}
        return {**inner, f"{CANARY} key": CANARY}
    if isinstance(value, list):
        return [poisoned(one) for one in value]
    return f"{CANARY}\u202e{value}" if isinstance(value, str) else value


@pytest.mark.parametrize("kind", KINDS)
def test_no_finding_quotes_what_was_typed(kind: str) -> None:
    """Neither sentence nor path holds a value, or a key that somebody made up."""
    body = poisoned(good_request(kind))
    assert isinstance(body, dict)
    report = check({**body, "request_kind": kind})
    assert report.findings
    assert CANARY not in json.dumps(report.to_json())


def test_sentences_say_what_to_do() -> None:
    """Each is whole, and none is the same for want of anything to say."""
    for row in ROWS:
        for one in check(changed(good_request(row.kind), row.change), row).findings:
            assert one.sentence.endswith("."), one
            assert len(one.sentence) > 30, one
            assert one.rule, one


def test_a_thousand_items_are_checked_soon() -> None:
    """The work grows with the request, not with its square."""
    body = good_request("MLA_BANK_RECORDS")
    body["items"] = [{**body["items"][0], "no": number} for number in range(1_000)]
    started = time.perf_counter()
    assert check(body).may_be_sent
    assert time.perf_counter() - started < 5
