"""Case 2: data preserved on a Friday night, and the formal request that follows it.

Kibaru's duty officer telephones Nuriya's desk and confirms in writing the same night, while
Nuriya's node is out of reach for nine hours. One mailbox is kept sixty days, then thirty more,
until the formal request takes its place; for the other nobody asks in time, and it lapses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from node.demo.cases.play import DAY_S, Play
from node.demo.cases.texts import Body, contact, request, sending
from node.demo.cases.voices import Actor

ASKING: Final = "qr.justice"
ASKED: Final = "qs.justice"
AUTHORITIES: Final = (ASKING, ASKED)
TITLE: Final = "Data preserved on a Friday night; a formal request takes over, or time does"
WEEKDAY: Final = 4

_KEPT_DAYS: Final = 60
_MORE_DAYS: Final = 30
_ORAL: Final = "oral_confirmation"


@dataclass(frozen=True, slots=True)
class _People:
    """Who works on both sides."""

    duty: Actor
    approver: Actor
    officer: Actor
    custodian: Actor
    desk: Actor
    decider: Actor
    executing: Actor


def play(play: Play) -> None:
    """Play it."""
    people = _People(
        *play.people(
            ASKING,
            juma=("duty-officer", "drafter"),
            neema=("approver",),
            zawadi=("central-authority-officer",),
            asha=("evidence-custodian",),
        ),
        *play.people(
            ASKED,
            samir=("duty-officer", "intake-officer", "case-officer"),
            salma=("decision-officer",),
            karim=("executing-officer",),
        ),
    )
    first = _friday_night(play, people)
    second = _another(play, people)
    _extended(play, people, first)
    _lapsed(play, people, second)
    formal = _converted(play, people, first)
    play.verified(first, second, formal, readers={ASKING: people.officer, ASKED: people.desk})


def _friday_night(play: Play, people: _People) -> str:
    """A call, then the same in writing, to a node that is out of reach."""
    desk, duty = people.desk, people.duty
    play.on(day=1, hour=22)
    spoken = str(play.say(
        desk, "case.register", side="requested", peer=ASKING, kind="PRESERVATION", channel="ORAL",
        body={"text": "DEMO - FICTIONAL: called at 22:00, keep the mailbox d.amari."},
    )["case"])  # fmt: skip
    play.must(_ORAL in play.clocks(desk, spoken), "no clock waits for the writing")
    play.see("Friday, 22:00: Kibaru calls; Nuriya's desk records it, and a clock waits for paper")
    play.on(day=1, hour=23)
    play.house.shut(ASKED)
    case = _preserve(
        play, duty, "QR-2026-0091", "d.amari@barid.example", transmission_effect="CONFIRMATION",
        oral_request="Friday, 22:00: Juma Odera (Kibaru) to Samir Nasser (Nuriya), by telephone.",
    )  # fmt: skip
    play.at(ASKING, case, "SENT")
    play.on(day=2, hour=1)
    play.at(ASKING, case, "UNDELIVERABLE")
    play.see("Written within the hour by the duty officer alone; Nuriya's node is out of reach")
    play.on(day=2, hour=8)
    play.house.open(ASKED)
    play.both(case, "DELIVERED")
    play.say(desk, "case.join", case=spoken, wire=case)
    play.must(_ORAL not in play.clocks(desk, spoken), "the writing is awaited still")
    play.see("Back after nine hours: delivered, its receipt late, and joined with the call")
    _second_person(play, people, case)
    _in_force(play, people, case, "2026/1447/أ")
    play.see("Signed by a second person within the day; kept for 60 days, says Nuriya in Arabic")
    return case


def _another(play: Play, people: _People) -> str:
    """A second mailbox, to which nobody comes back."""
    play.on(day=2, hour=14)
    case = _preserve(
        play, people.duty, "QR-2026-0092", "r.odour@barid.example", transmission_effect="ADVANCE"
    )
    play.both(case, "DELIVERED")
    _second_person(play, people, case)
    _in_force(play, people, case, "2026/1447/ب")
    play.see("The second run: another mailbox, kept on the same terms")
    return case


def _extended(play: Play, people: _People, case: str) -> None:
    """More time is asked for, and given."""
    play.on(day=55)
    until = play.moment(2) + (_KEPT_DAYS + _MORE_DAYS) * DAY_S
    play.step(
        people.officer, "extension_requested", case, until=until,
        reasons="The formal request is being translated.",
    )  # fmt: skip
    play.settled()
    play.step(people.executing, "extend_measure", case, valid_until=until)
    play.settled()
    ends = play.clocks(people.officer, case)["preservation"]["due"]
    play.must(ends == until, f"Kibaru's clock ends at {ends}, not at {until}")
    play.see("Day 55: more time is asked for the first mailbox; 30 days are given")


def _lapsed(play: Play, people: _People, case: str) -> None:
    """Nobody asked for more time: the node of Nuriya says that the measure is over."""
    play.on(day=2 + _KEPT_DAYS, hour=23)
    play.both(case, "LAPSED")
    play.see("Day 62: for the second nobody asked; Nuriya's node itself says that it has lapsed")
    play.step(people.officer, "close", case)
    play.both(case, "CLOSED")


def _converted(play: Play, people: _People, case: str) -> str:
    """The formal request comes, and what was kept is kept for it."""
    desk = people.desk
    play.on(day=71)
    formal = play.request(
        people.duty, people.approver, people.officer, to=ASKED, kind="MLA_EVIDENCE",
        body=_formal(),
    )  # fmt: skip
    play.both(formal, "DELIVERED")
    play.step(
        desk, "acknowledge", formal, own_ref="2026/1502", contact=contact(ASKED),
        reply_language="en",
    )  # fmt: skip
    for who, whose in ((people.officer, "preserves-for"), (desk, "preserves-for")):
        play.say(who, "case.link", case=case, relation=whose, other=formal)
    play.step(people.decider, "convert_measure", case, request=formal)
    play.both(case, "EXECUTED")
    play.both(formal, "ACKNOWLEDGED")
    shown = play.say(desk, "case.show", case=formal)["links"]
    play.must([one["case"] for one in shown] == [case], "the formal request shows no link")
    play.see("Day 71: the formal request; both sides link it, and the measure becomes part of it")
    play.step(people.custodian, "confirm_result", case, nil=True)
    play.both(case, "RESULT_CONFIRMED")
    play.step(people.officer, "close", case)
    play.both(case, "CLOSED")
    play.see("The preservation is closed; the request goes on under its own references")
    return formal


def _second_person(play: Play, people: _People, case: str) -> None:
    """Let the second person sign what the duty officer sent alone."""
    for one in (people.approver, people.officer, people.custodian):
        play.say(people.duty, "case.let_in", case=case, login=one.login)
    play.must("second_person" in play.clocks(people.duty, case), "no clock waits for the second")
    play.step(people.approver, "countersign", case)
    play.settled()
    play.must("second_person" not in play.clocks(people.desk, case), "it was not countersigned")


def _in_force(play: Play, people: _People, case: str, reference: str) -> None:
    """Acknowledge, accept and carry out a preservation."""
    desk = people.desk
    play.step(
        desk, "acknowledge", case, own_ref=reference, contact=contact(ASKED), reply_language="en"
    )
    play.say(desk, "case.hand_over", case=case, to=desk.login)
    for one in (people.decider, people.executing):
        play.say(desk, "case.let_in", case=case, login=one.login)
    play.step(people.decider, "accept", case, scope="full")
    play.step(desk, "assign_execution", case, executing_authority="وحدة الجرائم الإلكترونية")
    play.step(desk, "note", case, text="تم إخطار مقدم الخدمة \u200fBarid Demo\u200f ليلاً.")
    play.step(
        people.executing, "impose_measure", case, valid_from=play.clock.now(),
        valid_until=play.moment(2) + _KEPT_DAYS * DAY_S,
    )  # fmt: skip
    play.both(case, "MEASURE_IN_FORCE")


def _preserve(play: Play, duty: Actor, reference: str, mailbox: str, **effect: str) -> str:
    """Let the duty officer send a request to preserve, alone; gives its case."""
    body = sending(
        ASKING, reference,
        **{
            "legal_basis": [{"instrument": "BUDAPEST", "article": "29", "primary": True}],
            "channel": "TWENTYFOUR_SEVEN",
            "urgency": "URGENT",
            "urgency_reason": "RETENTION",
            "duty_contact": {**contact(ASKING), "name": "24/7 desk of Kibaru (fictional)"},
            "preservation": {"request": "NEW"},
            "offences": [{"code": "17"}],
            "facts_summary": "Public funds were diverted; the orders went by e-mail (fictional).",
            "stored": "The mailbox in which the orders were given, and its login logs",
            "custodian": "Barid Demo (fictional)",
            "identifiers": [f"mailbox {mailbox}"],
            "necessity": "The provider deletes logs after thirty days.",
            "intends_request": True,
            "duration_days": _KEPT_DAYS,
            "confidentiality_requested": True,
            **effect,
        },
    )  # fmt: skip
    sent = play.say(duty, "request.send", to=ASKED, kind="PRESERVATION", body=body)
    return str(sent["case"])


def _formal() -> Body:
    """Write the request for what is kept."""
    return request(
        ASKING, "QR-2026-0117",
        legal_basis=[
            {"instrument": "BUDAPEST", "article": "31", "primary": True},
            {"instrument": "UNCAC", "article": "46", "primary": False},
        ],
        subject_matter="Investigation of diverted public funds (fictional)",
        language="en",
        translation_status="SWORN_OR_CERTIFIED",
        translations=[{
            "language": "ar", "translator": "مترجم محلف (fictional)", "status": "certified",
            "date": "2026-03-02", "sha256": "7c" * 32,
        }],
        offences=[{
            "code": "17", "provision": "Section 31 of the Public Funds Act (fictional)",
            "text": "A public official who diverts public funds commits an offence.",
            "penalty_max": "Ten years of imprisonment",
            "conduct": ["A public official", "diverted public funds"],
        }],
        dual_criminality_note="Diverting public funds is an offence in both States.",
        facts_summary="Kwa barua pepe, fedha za umma zilihamishwa: funds moved on e-mailed orders.",
        nexus="The orders were given from the mailbox that is preserved.",
        persons=[{"role": "SUSPECT", "name": "D. Amari (fictional)", "nationality": "QR"}],
        items=[{
            "no": "1", "assistance": "46-3-i", "coercive": True,
            "description": "Produce the mailbox and the login logs that are preserved.",
            "purpose": "To prove who gave the orders.", "form_of_evidence": "CERTIFIED_COPY",
        }],
    )  # fmt: skip
