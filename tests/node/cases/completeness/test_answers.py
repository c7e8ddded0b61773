"""The check of what is said after the request: a table of events, and the life cycle's fields."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cases.completeness.answers import check_event
from node.cases.completeness.event_forms import FORMS
from node.cases.completeness.facts import CaseFacts
from node.cases.completeness.report import Report
from node.cases.law import load_law
from protocol.lifecycle import EVENTS
from tests.node.cases.completeness.rows import Answer
from tests.node.cases.completeness.table_events import BANK, GOOD, NOW, ROWS
from tests.node.cases.completeness.test_request import CANARY, JSON, poisoned
from tests.support.requests import changed, good_request

LAW = load_law()
SAME = {
    "refuse_remainder": "refuse",
    "consultation_replied": "reply_consultation",
}
FILLED_BY_THE_NODE = {"signatories"}


def check(row: Answer) -> Report:
    """Check the event of a row in its case."""
    body = changed(GOOD[SAME.get(row.event, row.event)], row.body)
    facts = CaseFacts(**(row.facts or BANK))
    return check_event(LAW, row.event, body, facts=facts, now=NOW)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name.replace(" ", "-"))
def test_a_change_is_found_with_its_rule(row: Answer) -> None:
    """What the change spoils is named, with field, code, severity and citation; else nothing."""
    report = check(row)
    seen = {f"{one.field} {one.code}": (one.severity, one.rule) for one in report.findings}
    if row.found is None or row.expected is None:
        assert seen == {}
    else:
        assert seen.get(row.found) == (row.expected.severity, row.expected.rule), seen
        assert report.may_be_sent is all(severity == "warns" for severity, _rule in seen.values())


@pytest.mark.parametrize("event", GOOD)
def test_nothing_is_found_in_a_good_body(event: str) -> None:
    """The bodies that the table starts from are good."""
    report = check_event(LAW, event, GOOD[event], facts=CaseFacts(**BANK), now=NOW)
    assert report.findings == ()


def test_forms_ask_for_what_the_life_cycle_asks_for() -> None:
    """Every field that an event requires is mandatory here, and every field it has is known."""
    for name, event in EVENTS.items():
        if name == "transmit" or not event.fields:
            continue
        asked = FORMS[name]
        mandatory = {rule.name for rule in asked.rules if rule.need == "mandatory"}
        compared = {"send_partial_result": {"evidence"}, "confirm_result": {"items"}}.get(
            name, set()
        )
        assert set(event.required) - FILLED_BY_THE_NODE <= mandatory | compared, name
        assert set(event.fields) <= asked.known[""], name


def test_an_event_that_says_nothing_may_be_empty() -> None:
    """A reminder, a receipt or a question about the status needs no words."""
    for name, event in EVENTS.items():
        if not event.fields:
            assert check_event(LAW, name, {}, facts=CaseFacts(), now=NOW).findings == ()


def test_facts_are_read_from_the_case() -> None:
    """Items, bases, open questions, accepted conditions, and whether there was consultation."""
    request = good_request("MLA_BANK_RECORDS")
    opened = {"conditions": [{"no": 1, "text": "Costs are shared."}], "due": NOW}
    facts = CaseFacts.of(request, [
        ("request_information", {"items": [{"no": 3, "text": "Which?"}]}),
        ("open_consultation", opened),
        ("reply_consultation", {"conditions": "accepted"}),
    ])  # fmt: skip
    assert (facts.kind, facts.basis, facts.items) == ("MLA_BANK_RECORDS", "UNCAC", ("1",))
    assert facts.coercive is True
    assert (facts.questions, facts.conditions) == (("3",), ("1",))
    assert (facts.consulted, facts.consultation_due) == (True, NOW)
    assert CaseFacts.of(request).consulted is None
    assert CaseFacts.of(request, []).consulted is False


@given(st.sampled_from(sorted(EVENTS)), JSON, JSON)
def test_any_json_gives_a_report(event: str, body: object, request: object) -> None:
    """Nothing raises, whatever the body and the case hold."""
    whole = request if isinstance(request, dict) else {"items": request}
    facts = CaseFacts.of(whole, [(event, whole)])
    json.dumps(check_event(LAW, event, body, facts=facts, now=NOW).to_json())


@given(st.sampled_from(sorted(GOOD)), st.data())
def test_any_value_of_any_field_gives_a_report(event: str, draw: st.DataObject) -> None:
    """Whatever stands in one field of an event, each finding is a whole sentence."""
    name = draw.draw(st.sampled_from(sorted(GOOD[event])))
    body = {**GOOD[event], name: draw.draw(JSON)}
    report = check_event(LAW, event, body, facts=CaseFacts(**BANK), now=NOW)
    assert all(one.sentence.endswith(".") for one in report.findings)


@pytest.mark.parametrize("event", GOOD)
def test_no_finding_quotes_what_was_typed(event: str) -> None:
    """Neither sentence nor path holds a value, or a key that somebody made up."""
    body = poisoned(GOOD[event])
    report = check_event(LAW, event, body, facts=CaseFacts(**BANK), now=NOW)
    assert report.findings
    assert CANARY not in json.dumps(report.to_json())
