"""Our own people, who want more than their roles: to decide, to sign twice, to know, to spoil."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from node.access.roles import Role
from protocol.encoding import Json
from tests.support.office import Office, offices, settle
from tests.support.pair import FIJI, QUMRAN, Pair
from tests.support.requests import good_request

KIND: Final = "MLA_BANK_RECORDS"
REFUSAL: Final[dict[str, Json]] = {
    "ground": "46-21-b",
    "reasons": "A trial of our own would suffer from it.",
}


def sent(fiji: Office, drafter: str = "dora") -> str:
    """Let a request be written, approved and sent; gives its case."""
    body = good_request(KIND)
    draft = fiji.do(drafter, "draft.create", to=QUMRAN, kind=KIND, body=body)["draft"]
    fiji.do(drafter, "draft.submit", draft=draft, version=1)
    fiji.do("april", "draft.approve", draft=draft, version=1)
    return str(fiji.do("omar", "draft.send", draft=draft)["case"])


async def refusing(pair: Pair) -> tuple[Office, str, str]:
    """Bring a case to where a refusal waits for its second person; gives it and the draft."""
    fiji, qumran = offices(pair)
    case = sent(fiji)
    await settle(pair)
    contact: Json = {"own_ref": "Q-1", "contact": {"name": "Carl"}, "reply_language": "en"}
    qumran.do("ines", "case.hand_over", case=case, to="carl")
    for one in ("dee", "dora", "ines"):
        qumran.do("carl", "case.let_in", case=case, login=one)
    qumran.do("ines", "case.acknowledge", case=case, body=contact)
    now = pair.clock.now()
    qumran.do("dee", "case.open_consultation", case=case, body={
        "intended": "refuse", "ground": REFUSAL["ground"], "due": now + 7 * 86_400,
    })  # fmt: skip
    await settle(pair)
    fiji.do("dora", "case.let_in", case=case, login="april")
    fiji.do("april", "case.reply_consultation", case=case, body={"conditions": "none"})
    await settle(pair)
    draft = qumran.do("dee", "case.refuse", case=case, body=REFUSAL)["draft"]
    return qumran, case, str(draft)


async def test_nobody_puts_their_own_words_into_the_mouth_of_who_decides(light_pair: Pair) -> None:
    """Who edits a refusal does not submit it, unless refusing is theirs."""
    qumran, _, draft = await refusing(light_pair)
    qumran.do("april", "draft.return", draft=draft, version=1, comment="Say more.")
    worse: Json = {**REFUSAL, "reasons": "Because I say so."}
    edited = qumran.do("dora", "draft.edit", draft=draft, version=1, body=worse)
    told = qumran.refused("dora", "draft.submit", draft=draft, version=edited["version"])
    assert told.code == "role"
    qumran.do("dee", "draft.submit", draft=draft, version=edited["version"])
    posted = qumran.do("april", "draft.approve", draft=draft, version=edited["version"])
    assert posted["posted"] is not None


async def test_who_sent_alone_is_no_second_person_under_another_role(light_pair: Pair) -> None:
    """The second signature under an urgent request is another person's."""
    fiji, _ = offices(light_pair)
    both = fiji.people["duty"].roles | {Role.APPROVER}
    fiji.people["duty"] = replace(fiji.people["duty"], roles=both)
    body = good_request("PRESERVATION")
    case = fiji.do("duty", "request.send", to=QUMRAN, kind="PRESERVATION", body=body)["case"]
    await settle(light_pair)
    assert fiji.refused("duty", "case.countersign", case=case).code == "second-person"
    fiji.do("duty", "case.let_in", case=case, login="april")
    fiji.do("april", "case.countersign", case=case)


def test_a_case_is_handed_over_to_somebody_who_works_on_cases(light_pair: Pair) -> None:
    """Else nobody could open it who is in charge of it."""
    fiji = Office(light_pair, FIJI)
    case = sent(fiji)
    assert fiji.refused("omar", "case.hand_over", case=case, to="audra").code == "not-possible"
    assert fiji.do("dora", "case.show", case=case)["case"]["officer"] == "dora"


def test_a_link_does_not_tell_which_cases_there_are(light_pair: Pair) -> None:
    """What somebody links with and may not know of is kept as they typed it."""
    fiji = Office(light_pair, FIJI)
    case, own = sent(fiji), sent(fiji, "drew")
    begun = case.partition("/")[2][:8]
    assert fiji.refused("drew", "case.show", case=case).code == "not-found"
    linked = fiji.do("drew", "case.link", case=own, relation="related", other=begun)
    assert linked["other"] == begun
    assert fiji.do("omar", "case.link", case=own, relation="related", other=begun)["other"] == case
