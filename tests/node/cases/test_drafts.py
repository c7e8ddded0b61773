"""Drafts: what is written is approved by somebody else, version by version, before it goes."""

from __future__ import annotations

import pytest

from tests.support.office import Office, Tree, offices, settle
from tests.support.pair import FIJI, QUMRAN, Pair
from tests.support.requests import good_request

KIND = "MLA_BANK_RECORDS"


@pytest.fixture
def fiji(light_pair: Pair) -> Office:
    """Give the people of Fiji."""
    return Office(light_pair, FIJI)


def begun(office: Office, kind: str = KIND) -> Tree:
    """Let a drafter begin a request."""
    return office.do("dora", "draft.create", to=QUMRAN, kind=kind, body=good_request(kind))


def approved(office: Office) -> Tree:
    """Let a request be written, submitted and approved."""
    draft = begun(office)["draft"]
    office.do("dora", "draft.submit", draft=draft, version=1)
    return office.do("april", "draft.approve", draft=draft, version=1)


def test_a_request_goes_from_its_drafter_over_an_approver_to_the_officer(fiji: Office) -> None:
    """And is a message with both their names in it, and a case that its drafter is in charge of."""
    draft = approved(fiji)
    assert (draft["state"], draft["approved_by"]) == ("APPROVED", "april")
    sent = fiji.do("omar", "draft.send", draft=draft["draft"])
    shown = fiji.do("dora", "case.show", case=sent["case"])
    (message,) = shown["messages"]
    assert message["body"]["signatories"] == [
        {"name": "april", "role": "approver"},
        {"name": "omar", "role": "central-authority-officer"},
    ]
    assert shown["case"]["officer"] == "dora"
    assert fiji.do("dora", "draft.show", draft=draft["draft"])["state"] == "SENT"
