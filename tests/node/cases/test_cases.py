"""Cases as people work on them: each step is a verb, and decides only what two may decide."""

from __future__ import annotations

import pytest

from node.desk.casework import STEPS
from protocol.lifecycle import EVENTS
from tests.support.office import Office, Tree, offices, settle
from tests.support.pair import QUMRAN, Pair
from tests.support.requests import good_request

KIND = "MLA_BANK_RECORDS"
DAY_S = 86_400


async def opened(pair: Pair) -> tuple[Office, Office, str]:
    """Let Fiji ask Qumran, with all that belongs to it, and Qumran take charge."""
    fiji, qumran = offices(pair)
    draft = fiji.do("dora", "draft.create", to=QUMRAN, kind=KIND, body=good_request(KIND))["draft"]
    fiji.do("dora", "draft.submit", draft=draft, version=1)
    fiji.do("april", "draft.approve", draft=draft, version=1)
    case = str(fiji.do("omar", "draft.send", draft=draft)["case"])
    await settle(pair)
    qumran.do("ines", "case.acknowledge", case=case, body={
        "own_ref": "QM/7/2026", "contact": {"name": "ines", "email": "ines@qumran.example"},
        "reply_language": "en",
    })  # fmt: skip
    await settle(pair)
    return fiji, qumran, case


async def consulted(pair: Pair) -> tuple[Office, Office, str]:
    """Let Qumran consult about a refusal, and Fiji answer."""
    fiji, qumran, case = await opened(pair)
    now = pair.clock.now()
    qumran.do("dee", "case.open_consultation", case=case, body={
        "intended": "refuse", "ground": "46-21-b", "due": now + 10 * DAY_S,
    })  # fmt: skip
    await settle(pair)
    fiji.do("april", "case.reply_consultation", case=case, body={"conditions": "none"})
    await settle(pair)
    return fiji, qumran, case


def state(office: Office, who: str, case: str) -> str:
    """Say where a case stands for somebody."""
    return str(office.do(who, "case.show", case=case)["case"]["state"])


async def test_both_sides_show_both_references(light_pair: Pair) -> None:
    """Ours and theirs stand on the case, and either finds it."""
    fiji, qumran, case = await opened(light_pair)
    ours = fiji.do("dora", "case.show", case=case)["case"]
    theirs = qumran.do("ines", "case.show", case="QM/7/2026")["case"]
    assert (ours["own_ref"], ours["peer_ref"]) == ("QM-2030-0147", "QM/7/2026")
    assert (theirs["own_ref"], theirs["peer_ref"]) == ("QM/7/2026", "QM-2030-0147")
    (row,) = fiji.do("omar", "case.list", reference="QM/7/2026")["cases"]
    assert row["id"] == case


async def test_a_refusal_takes_a_consultation_and_two_persons(light_pair: Pair) -> None:
    """One proposes, another agrees, and the message names both."""
    fiji, qumran, case = await consulted(light_pair)
    body = {"ground": "46-21-b", "reasons": "It would harm an essential interest."}
    proposed = qumran.do("dee", "case.refuse", case=case, body=body)
    assert (proposed["schema"], proposed["state"]) == ("comity.draft/1", "IN_APPROVAL")
    await settle(light_pair)
    assert state(fiji, "dora", case) == "ACKNOWLEDGED"
    draft = proposed["draft"]
    assert qumran.refused("dee", "draft.approve", draft=draft, version=1).code == "second-person"
    posted = qumran.do("dan", "draft.approve", draft=draft, version=1)
    assert (posted["state"], posted["posted"]["case"]) == ("SENT", case)
    await settle(light_pair)
    assert state(fiji, "dora", case) == state(qumran, "dee", case) == "REFUSED"
    said = fiji.do("dora", "case.show", case=case)["messages"][-1]["body"]["signatories"]
    assert [one["name"] for one in said] == ["dee", "dan"]


async def test_nothing_is_refused_before_the_other_side_was_consulted(light_pair: Pair) -> None:
    """The proposal itself is refused, by the rule and with what to do (UNCAC 46(26))."""
    _fiji, qumran, case = await opened(light_pair)
    body = {"ground": "46-21-b", "reasons": "It would harm an essential interest."}
    told = qumran.refused("dee", "case.refuse", case=case, body=body)
    assert told.code == "incomplete"
    (found,) = told.findings
    assert found["rule"] == "UNCAC 46(26)"
    assert "open a consultation" in found["sentence"]


async def test_bank_secrecy_is_no_ground_of_refusal(light_pair: Pair) -> None:
    """It cannot be chosen, and who tries is told by which rule (UNCAC 46(8))."""
    _fiji, qumran, case = await consulted(light_pair)
    body = {"ground": "46-8", "reasons": "The bank may not speak."}
    told = qumran.refused("dee", "case.refuse", case=case, body=body)
    assert told.code == "incomplete"
    assert any("46(8)" in one["rule"] for one in told.findings)


async def test_finding_nothing_is_a_result(light_pair: Pair) -> None:
    """A nil result executes the request, and is confirmed as such."""
    fiji, qumran, case = await opened(light_pair)
    qumran.do("dee", "case.accept", case=case, body={"scope": "full"})
    qumran.do("omar", "case.hand_over", case=case, to="carl")
    body = {"executing_authority": "withheld"}
    qumran.do("carl", "case.assign_execution", case=case, body=body)
    qumran.do("carl", "case.let_in", case=case, login="kit")
    nil = {"outcome": "NIL", "nil": "No account of that number was ever opened."}
    qumran.do("kit", "case.send_final_result", case=case, body=nil)
    await settle(light_pair)
    assert state(fiji, "dora", case) == "EXECUTED"
    fiji.do("dora", "case.let_in", case=case, login="kit")
    fiji.do("kit", "case.confirm_result", case=case, body={"nil": True})
    await settle(light_pair)
    fiji.do("omar", "case.close", case=case)
    await settle(light_pair)
    assert state(fiji, "dora", case) == state(qumran, "carl", case) == "CLOSED"


async def test_a_step_that_is_not_allowed_now_is_refused_before_it_is_signed(
    light_pair: Pair,
) -> None:
    """Nothing is queued, and the person hears what is possible."""
    _fiji, qumran, case = await opened(light_pair)
    before = qumran.pair[QUMRAN].counts()["messages"]
    told = qumran.refused("dee", "case.resume_review", case=case)
    assert told.code == "not-now"
    assert qumran.pair[QUMRAN].counts()["messages"] == before


async def test_our_own_step_is_unconfirmed_until_its_receipt(light_pair: Pair) -> None:
    """The requested side orders what both say; until then we show ours apart."""
    fiji, _qumran, case = await opened(light_pair)
    fiji.do("omar", "case.withdraw", case=case, body={"reasons": "No longer needed."})
    shown = fiji.do("omar", "case.show", case=case)
    assert (shown["case"]["state"], shown["case"]["unconfirmed"]) == (
        "ACKNOWLEDGED", "WITHDRAWAL_PENDING",
    )  # fmt: skip
    assert shown["messages"][-1]["effect"]["confirmed"] is False
    await settle(light_pair)
    shown = fiji.do("omar", "case.show", case=case)["case"]
    assert (shown["state"], shown["unconfirmed"]) == ("WITHDRAWAL_PENDING", None)


async def test_an_event_without_effect_is_shown_with_its_reason(light_pair: Pair) -> None:
    """It is kept, and says why it changed nothing."""
    fiji, _qumran, case = await opened(light_pair)
    await light_pair.event(case, sender=QUMRAN, kind="resume_review", body={})
    await settle(light_pair)
    effect = fiji.do("dora", "case.show", case=case)["messages"][-1]["effect"]
    assert (effect["rule"], effect["why"]) == (None, "not-allowed-now")


async def test_who_a_pseudonym_is_stands_in_no_view_of_the_case(light_pair: Pair) -> None:
    """It is read by its own verb, by those who were let in as far as that."""
    fiji, qumran, case = await opened(light_pair)
    body: Tree = {"pseudonym": "W1", "identity": {"name": "canary-person"}}
    fiji.do("omar", "case.protected_identity", case=case, body=body)
    await settle(light_pair)
    for office, who in ((fiji, "omar"), (fiji, "dora"), (qumran, "dee")):
        assert "canary-person" not in repr(office.do(who, "case.show", case=case))
    assert fiji.refused("dora", "case.identity", case=case).code == "not-allowed"
    assert qumran.refused("dee", "case.identity", case=case).code == "not-allowed"
    (told,) = fiji.do("omar", "case.identity", case=case)["identities"]
    assert told["identity"] == {"name": "canary-person"}


async def test_a_hand_over_tells_the_other_side_whom_to_ask(light_pair: Pair) -> None:
    """And who was in charge before goes on reading."""
    fiji, qumran, case = await opened(light_pair)
    qumran.do("omar", "case.hand_over", case=case, to="carl")
    await settle(light_pair)
    last = fiji.do("dora", "case.show", case=case)["messages"][-1]
    assert (last["kind"], last["body"]["contact"]) == ("handler_changed", {"name": "carl"})
    fiji.do("dora", "case.hand_over", case=case, to="drew")
    assert state(fiji, "drew", case) == state(fiji, "dora", case) == "ACKNOWLEDGED"


async def test_a_link_is_shown_from_both_cases(light_pair: Pair) -> None:
    """What one continues is continued by it; a case elsewhere is named as it was."""
    fiji, _qumran, case = await opened(light_pair)
    body = good_request("INFORMAL_INQUIRY")
    other = fiji.do("dora", "request.send", to=QUMRAN, kind="INFORMAL_INQUIRY", body=body)["case"]
    fiji.do("dora", "case.link", case=case, relation="continues", other=other)
    fiji.do("dora", "case.link", case=case, relation="related", other="POL/99 of 2019")
    links = fiji.do("dora", "case.show", case=case)["links"]
    assert [(one["relation"], one["case"]) for one in links] == [
        ("related", "POL/99 of 2019"), ("continues", other),
    ] or [(one["relation"], one["case"]) for one in links] == [
        ("continues", other), ("related", "POL/99 of 2019"),
    ]  # fmt: skip
    (back,) = fiji.do("dora", "case.show", case=other)["links"]
    assert (back["relation"], back["case"]) == ("continued-by", case)


def inquiries(office: Office, count: int) -> list[str]:
    """Let one person send so many inquiries."""
    body = good_request("INFORMAL_INQUIRY")
    return [
        str(
            office.do("carl", "request.send", to=QUMRAN, kind="INFORMAL_INQUIRY", body=body)["case"]
        )
        for _ in range(count)
    ]


def test_a_list_is_read_page_by_page_without_loss(light_pair: Pair) -> None:
    """Each case stands on exactly one page, also where several changed in one second."""
    fiji, _ = offices(light_pair)
    sent = inquiries(fiji, 7)
    seen: list[str] = []
    after: Tree = {}
    while True:
        page = fiji.do("carl", "case.list", count=3, **after)
        seen += [one["id"] for one in page["cases"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert sorted(seen) == sorted(sent)
    assert fiji.do("drew", "case.list")["cases"] == []


@pytest.mark.parametrize("cursor", ["", "at:", "at:x:y", "7", "at:99999999999999999:fj"])
def test_a_place_that_was_never_given_is_refused(light_pair: Pair, cursor: str) -> None:
    """Not read as the beginning, which would list everything twice."""
    fiji, _ = offices(light_pair)
    assert fiji.refused("carl", "case.list", after=cursor).code == "malformed"


def test_every_event_that_people_make_has_its_verb() -> None:
    """All but the request itself, and what a node does by itself."""
    by_node = {"measure_expired"}
    drafting = {"submit_for_approval", "return_to_drafter", "approve", "edit", "cancel"}
    delivery = {"delivery_receipt", "delivery_timeout", "resend", "abandon_undelivered"}
    wanted = set(EVENTS) - by_node - drafting - delivery - {"transmit"}
    assert {one.name for one in STEPS} == wanted
