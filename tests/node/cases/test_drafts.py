"""Drafts: what is written is approved by somebody else, version by version, before it goes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from node.storage import Connection, draft_rows
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


def test_nobody_approves_what_they_wrote_or_submitted(fiji: Office) -> None:
    """Not even a person with every role: whoever wrote a version is not its second person."""
    everything = frozenset(set(fiji.people["april"].roles) | set(fiji.people["dora"].roles))
    fiji.people["both"] = replace(fiji.people["april"], roles=everything)
    draft = fiji.do("both", "draft.create", to=QUMRAN, kind=KIND, body=good_request(KIND))["draft"]
    fiji.do("both", "draft.submit", draft=draft, version=1)
    told = fiji.refused("both", "draft.approve", draft=draft, version=1)
    assert told.code == "second-person"
    assert fiji.do("both", "draft.show", draft=draft)["state"] == "IN_APPROVAL"


def test_who_wrote_any_earlier_version_is_no_second_person_either(fiji: Office) -> None:
    """Words of theirs may still stand in it."""
    fiji.people["drew"] = replace(
        fiji.people["drew"], roles=fiji.people["drew"].roles | fiji.people["april"].roles
    )
    draft = fiji.do("drew", "draft.create", to=QUMRAN, kind=KIND, body=good_request(KIND))["draft"]
    fiji.do("drew", "draft.edit", draft=draft, version=1, body=good_request(KIND))
    fiji.do("drew", "draft.submit", draft=draft, version=2)
    assert fiji.refused("drew", "draft.approve", draft=draft, version=2).code == "second-person"


def test_a_change_voids_the_approval(fiji: Office) -> None:
    """An officer cannot send what the approver has not seen."""
    draft = approved(fiji)["draft"]
    edited = fiji.do("dora", "draft.edit", draft=draft, version=1, body=good_request(KIND))
    assert (edited["state"], edited["version"], edited["approved_by"]) == ("DRAFT", 2, None)
    assert fiji.refused("omar", "draft.send", draft=draft).code == "not-found"
    fiji.do("dora", "draft.submit", draft=draft, version=2)
    assert fiji.do("april", "draft.approve", draft=draft, version=2)["state"] == "APPROVED"


def test_an_approval_names_the_version_that_was_looked_at(fiji: Office) -> None:
    """A version that came meanwhile is not approved by mistake, nor overwritten."""
    draft = begun(fiji)["draft"]
    body = good_request(KIND) | {"subject_matter": "Something else"}
    fiji.do("dora", "draft.edit", draft=draft, version=1, body=body)
    fiji.do("dora", "draft.submit", draft=draft, version=2)
    told = fiji.refused("april", "draft.approve", draft=draft, version=1)
    assert told.code == "stale"
    told = fiji.refused("dora", "draft.edit", draft=draft, version=1, body=good_request(KIND))
    assert told.code == "stale"
    assert "nothing lost" in told.sentence
    assert fiji.do("dora", "draft.show", draft=draft)["body"] == body


def test_what_the_law_makes_mandatory_blocks_and_is_named_with_its_rule(fiji: Office) -> None:
    """The draft stays as it was, and every finding says which field and which rule."""
    body = good_request(KIND)
    del body["facts_summary"]
    draft = fiji.do("dora", "draft.create", to=QUMRAN, kind=KIND, body=body)["draft"]
    told = fiji.refused("dora", "draft.submit", draft=draft, version=1)
    assert told.code == "incomplete"
    assert ("facts_summary", "UNCAC 46(15)(c)") in {
        (one["field"], one["rule"]) for one in told.findings
    }
    checked = fiji.do("dora", "draft.check", draft=draft)
    assert checked["may_be_sent"] is False
    assert fiji.do("dora", "draft.show", draft=draft)["state"] == "DRAFT"


def test_a_draft_goes_back_with_a_comment_and_is_cancelled_with_a_reason(fiji: Office) -> None:
    """Both are kept with it; a cancelled draft allows nothing any more."""
    draft = begun(fiji)["draft"]
    fiji.do("dora", "draft.submit", draft=draft, version=1)
    back = fiji.do("april", "draft.return", draft=draft, version=1, comment="Name the branch.")
    assert (back["state"], back["notes"][0]["text"]) == ("DRAFT", "Name the branch.")
    gone = fiji.do("dora", "draft.cancel", draft=draft, reasons="Settled by telephone.")
    assert gone["state"] == "CANCELLED"
    again = fiji.refused("dora", "draft.edit", draft=draft, version=1, body={})
    assert again.code == "not-now"


def test_the_text_of_a_draft_stands_nowhere_in_clear(fiji: Office) -> None:
    """Neither in its row nor in the log: there are digests of a salted text."""
    body = good_request(KIND) | {"subject_matter": "canary-7f3a"}
    draft = fiji.do("dora", "draft.create", to=QUMRAN, kind=KIND, body=body)
    fiji.do("dora", "draft.submit", draft=draft["draft"], version=1)
    assert "canary-7f3a" not in repr(fiji.pair[FIJI].dump())


def test_the_same_text_in_two_drafts_has_two_digests(fiji: Office) -> None:
    """The salt hides from the log that two texts are equal."""
    assert begun(fiji)["digest"] != begun(fiji)["digest"]


def test_a_sealed_text_opens_in_no_other_draft(fiji: Office) -> None:
    """Whoever swaps rows in the database is found out."""
    one, other = begun(fiji)["draft"], begun(fiji)["draft"]
    row = next(row for row in fiji.pair[FIJI].rows("drafts") if row["id"] == one)

    def swap(conn: Connection) -> None:
        sealed, key = row["sealed_text"], row["wrapped_key"]
        assert isinstance(sealed, bytes)
        assert isinstance(key, bytes)
        draft_rows.change_draft(conn, other, sealed_text=sealed, wrapped_key=key)

    fiji.pair[FIJI].node.database.transact(swap)
    assert fiji.refused("dora", "draft.show", draft=other).code == "not-authentic"


async def test_a_duty_officer_alone_preserves_and_a_second_person_countersigns(
    light_pair: Pair,
) -> None:
    """The request says until when the second signature is due; both sides see it come."""
    fiji, qumran = offices(light_pair)
    body = good_request("PRESERVATION")
    sent = fiji.do("duty", "request.send", to=QUMRAN, kind="PRESERVATION", body=body)
    await settle(light_pair)
    case = sent["case"]
    (message,) = fiji.do("duty", "case.show", case=case)["messages"]
    assert message["body"]["signatories"] == [{"name": "duty", "role": "duty-officer"}]
    assert message["body"]["second_person_due"] > message["created"]
    fiji.do("duty", "case.let_in", case=case, login="april")
    fiji.do("april", "case.countersign", case=case)
    await settle(light_pair)
    theirs = qumran.do("ines", "case.show", case=case)["messages"][1]
    assert theirs["body"]["signatories"] == [{"name": "april", "role": "approver"}]
    assert theirs["effect"]["why"] is None


def test_a_duty_officer_alone_sends_nothing_else(fiji: Office) -> None:
    """Other formal requests take their second person before."""
    told = fiji.refused("duty", "request.send", to=QUMRAN, kind=KIND, body=good_request(KIND))
    assert told.code == "second-person"


async def test_one_person_alone_sends_an_inquiry(light_pair: Pair) -> None:
    """It asks for nothing formal, and is answered as intelligence only."""
    fiji, qumran = offices(light_pair)
    body = good_request("INFORMAL_INQUIRY")
    sent = fiji.do("carl", "request.send", to=QUMRAN, kind="INFORMAL_INQUIRY", body=body)
    await settle(light_pair)
    qumran.do("omar", "case.hand_over", case=sent["case"], to="carl")
    qumran.do("carl", "case.answer", case=sent["case"], body={"text": "A holding company."})
    await settle(light_pair)
    assert fiji.do("carl", "case.show", case=sent["case"])["case"]["state"] == "ANSWERED"
