"""The refusal: essential interests, after consultation, by two people, with reasons.

Aldoria asks Nuriya for the bank records of a state company. Nuriya's node holds back what the
law does not allow: bank secrecy as a ground, a refusal before consultation, a refusal by one
person. In the end its auditor finds a record that somebody has taken out of a copy of the log.
"""

from __future__ import annotations

from typing import Final

from node.demo import fraud
from node.demo.cases.play import Play
from node.demo.cases.texts import Body, contact, request
from node.demo.cases.voices import Actor
from node.exits import Exit

ASKING: Final = "qm.prosecution"
ASKED: Final = "qs.justice"
AUTHORITIES: Final = (ASKING, ASKED)
TITLE: Final = "Refused for essential interests: consulted, reasoned, decided by two"

_REASONS: Final = (
    "The records show purchases for the defence of the State (UNCAC 46(21)(b)); a part of them "
    "can be asked for again when the procurement is public. DEMO - FICTIONAL."
)
_GROUND: Final = {"ground": "46-21-b", "reasons": _REASONS}


def play(play: Play) -> None:
    """Play it."""
    drafter, approver, officer, asking_auditor = play.people(
        ASKING,
        tobin=("drafter", "case-officer"),
        ada=("approver",),
        mira=("central-authority-officer",),
        petra=("auditor",),
    )
    desk, decider, second, auditor = play.people(
        ASKED,
        samir=("intake-officer", "case-officer"),
        salma=("decision-officer",),
        yusuf=("approver", "decision-officer"),
        huda=("auditor",),
    )
    case = play.request(
        drafter, approver, officer, to=ASKED, kind="MLA_BANK_RECORDS", body=_request()
    )
    play.both(case, "DELIVERED")
    play.see("Aldoria asks Nuriya for bank records of a state company")
    play.on(day=4)
    play.step(
        desk, "acknowledge", case, own_ref="2026/1610", contact=contact(ASKED),
        reply_language="en",
    )  # fmt: skip
    play.say(desk, "case.hand_over", case=case, to=desk.login)
    for one in (decider, second):
        play.say(desk, "case.let_in", case=case, login=one.login)
    play.both(case, "ACKNOWLEDGED")
    _not_so(play, case, decider)
    _consulted(play, case, decider, approver)
    _refused(play, case, decider, second)
    play.step(officer, "close", case)
    play.both(case, "CLOSED")
    play.see("Aldoria closes the case; the reasons stay with it")
    _auditors(play, case, auditor, asking_auditor)
    play.verified(case, readers={ASKING: drafter, ASKED: desk})


def _not_so(play: Play, case: str, decider: Actor) -> None:
    """What the node holds back before anything leaves it."""
    play.on(day=11)
    play.refused(decider, "case.refuse", "incomplete", rule="UNCAC 46(26)", case=case, body=_GROUND)
    play.see("A refusal without consultation is held back by Nuriya's own node")


def _consulted(play: Play, case: str, decider: Actor, approver: Actor) -> None:
    """Ask what else would help, and hear the answer."""
    play.step(
        decider, "open_consultation", case, intended="refuse", ground="46-21-b",
        due=play.moment(25),
    )  # fmt: skip
    play.both(case, "IN_CONSULTATION")
    play.see("Nuriya opens a consultation: it means to refuse, and on which ground")
    play.on(day=17)
    play.step(
        approver, "reply_consultation", case, conditions="none",
        text="We cannot narrow the request: the payments are the offence.",
    )  # fmt: skip
    play.both(case, "ACKNOWLEDGED")
    play.see("Aldoria answers that it cannot ask for less")


def _refused(play: Play, case: str, decider: Actor, second: Actor) -> None:
    """Refuse as the law wants it: a ground that there is, reasons, two persons."""
    play.on(day=23)
    secrecy = {"ground": "46-8", "reasons": "The bank owes its customer secrecy."}
    play.refused(decider, "case.refuse", "incomplete", rule="UNCAC 46(8)", case=case, body=secrecy)
    unsaid = {"ground": "46-21-b", "reasons": ""}
    play.refused(decider, "case.refuse", "incomplete", rule="UNCAC 46(23)", case=case, body=unsaid)
    play.see("Bank secrecy is no ground to choose, and no ground stands without reasons")
    draft = play.step(decider, "refuse", case, **_GROUND)["draft"]
    play.refused(decider, "draft.approve", "second-person", draft=draft, version=1)
    play.both(case, "ACKNOWLEDGED")
    play.see("Who proposes the refusal cannot decide it alone")
    play.say(second, "draft.approve", draft=draft, version=1)
    play.both(case, "REFUSED")
    play.see("Refused by two persons: 46-21-b, essential interests, with reasons")


def _auditors(play: Play, case: str, auditor: Actor, other: Actor) -> None:
    """Let the auditors look: at logs and proofs, but at no content; and at a spoilt copy."""
    for one in (auditor, other):
        play.refused(one, "case.show", "not-allowed", case=case)
        play.house.shut(one.home.name)
        found = play.stage.comity("--config", one.home.folder, "audit", "verify", "--json")
        play.must(found.must().answer()["conclusion"] == "sound", "a log is not sound")
    play.see("The auditors derive both logs again, with the nodes off; the case they cannot read")
    copy = auditor.home.folder.parent / "spoilt" / auditor.home.name
    fraud.copy_node(auditor.home.folder, copy)
    place = fraud.delete_record(copy / fraud.DATABASE, "message.accepted")
    done = play.stage.comity("--config", copy, "audit", "verify", "--json").must(Exit.FALSE)
    finding = done.answer()["findings"][0]
    play.must(str(place) in finding["place"], f"entry {place} is gone, and found was {finding}")
    play.see(f"In a copy, one record was deleted: found at {finding['place']}, status 3")
    for name in AUTHORITIES:
        play.house.open(name)


def _request() -> Body:
    """Write the request."""
    return request(
        ASKING, "QM-2026-0188",
        subject_matter="Investigation of commissions on a defence contract (fictional)",
        language="en",
        translation_status="SOURCE_IS_ACCEPTED_LANGUAGE",
        offences=[{
            "code": "15-b", "provision": "Section 12 of the Public Integrity Act (fictional)",
            "text": "A public official who accepts an undue advantage commits an offence.",
            "penalty_max": "Seven years of imprisonment",
            "conduct": ["A public official", "accepted money", "to award a contract"],
        }],
        dual_criminality_note="Accepting a bribe is an offence in both States.",
        facts_summary="An official of Aldoria was paid for a contract of a company of Nuriya.",
        nexus="The company is believed to have paid from this account.",
        persons=[{
            "role": "ACCOUNT_HOLDER", "name": "Nuriya Defence Works (fictional)",
            "nationality": "QS",
        }],
        items=[{
            "no": "1", "assistance": "46-3-f", "coercive": True,
            "description": "Produce the records of the account.",
            "purpose": "To trace the commission.", "form_of_evidence": "CERTIFIED_COPY",
        }],
        accounts=[{
            "institution": "Bank Demo of Nuriya (fictional)", "number": "QS00-DEMO-0077",
            "holder": "Nuriya Defence Works (fictional)",
        }],
        records_from="2022-01-01", records_to="2023-12-31",
        document_types=["STATEMENTS"],
        no_customer_notice=True,
    )  # fmt: skip
