"""Case 5: a witness is heard by video link, and a withdrawal crosses the result.

Nuriya asks Sahelle to have a witness heard (UNCAC 46(18)). The witness is on trial in Sahelle:
after consultation the hearing is postponed (46(25)) until a day on which it is looked at again.
The oath in the form that is wished for is not possible; an affirmation is agreed. One test
call fails. When the minutes are on their way, Nuriya withdraws: the result came first.
"""

from __future__ import annotations

from typing import Final

from node.demo.cases import case_5_texts as texts
from node.demo.cases.play import Play
from node.demo.cases.texts import dated
from node.demo.cases.usual import Cast, accept, ask, confirm, files, rules, take_in, told

ASKING: Final = texts.ASKING
ASKED: Final = "qn.court"
AUTHORITIES: Final = (ASKING, ASKED)
TITLE: Final = "Video hearing, Arabic and French; a withdrawal that crosses the result"

_CROSSED: Final = ["T39", "T66", "T64"]
"""By which rules the end goes: the result, the withdrawal after it, and that it was overtaken."""


def play(play: Play) -> None:
    """Play it."""
    cast = Cast(
        *play.people(
            ASKING,
            karim=("drafter", "case-officer", "evidence-custodian"),
            huda=("approver",),
            nabil=("central-authority-officer",),
        ),
        *play.people(
            ASKED,
            moussa=("intake-officer", "case-officer"),
            aminata=("decision-officer",),
            ibra=("evidence-custodian",),
        ),
    )
    case = _ask(play, cast)
    _postpone(play, cast, case)
    _agree(play, cast, case)
    _hear(play, cast, case)
    _cross(play, cast, case)
    confirm(play, cast, case, cast.registrar.home.folder / "heard", texts.FEEDBACK)
    play.see("Minutes and recording are confirmed by their hashes; Nuriya closes the case")
    play.verified(case, readers=cast.readers)


def _ask(play: Play, cast: Cast) -> str:
    """Send the request, and take it in; gives the case."""
    days = {"first": play.moment(40), "second": play.moment(95), "test": play.moment(35)}
    body = texts.hearing(**{name: dated(moment) for name, moment in days.items()})
    case = ask(play, cast, "MLA_VIDEO_HEARING", body)
    play.on(day=3)
    take_in(play, cast, case, "TC/2026/55", "fr")
    play.see("Nuriya asks in Arabic, with a certified French translation; Sahelle acknowledges")
    return case


def _postpone(play: Play, cast: Cast, case: str) -> None:
    """Postpone, but not before consultation and not without a day to look at it again."""
    play.on(day=5)
    postponed = {
        "ground": "46-25", "reasons": texts.OWN_TRIAL, "review": play.moment(60),
    }  # fmt: skip
    play.refused(
        cast.decider, "case.postpone", "incomplete", rule="UNCAC 46(26)", case=case, body=postponed
    )
    play.step(
        cast.decider, "open_consultation", case, intended="postpone", ground="46-25",
        due=play.moment(15),
    )  # fmt: skip
    play.both(case, "IN_CONSULTATION")
    play.see("The witness is on trial in Sahelle: it cannot postpone before it consults")
    play.on(day=8)
    play.step(
        cast.judge, "reply_consultation", case, conditions="none", text=texts.TAKEN_NOTE
    )  # fmt: skip
    play.both(case, "ACKNOWLEDGED")
    play.step(cast.decider, "postpone", case, **postponed)
    play.both(case, "POSTPONED")
    play.see("Postponed for the trial that is running (46(25)); looked at again on day 60")


def _agree(play: Play, cast: Cast, case: str) -> None:
    """Take it up again on the day that was said, and agree on an affirmation."""
    play.on(day=60)
    play.step(cast.decider, "resume_review", case)
    play.both(case, "ACKNOWLEDGED")
    play.step(
        cast.decider, "open_consultation", case, intended="conditions",
        conditions=texts.CONDITIONS, due=play.moment(70),
    )  # fmt: skip
    play.both(case, "IN_CONSULTATION")
    play.on(day=63)
    play.step(
        cast.judge, "reply_consultation", case, conditions="accepted",
        text=texts.AFFIRMATION_ACCEPTED,
    )  # fmt: skip
    play.both(case, "ACKNOWLEDGED")
    accept(play, cast, case, texts.EXECUTING, conditions=["1", "2"])
    play.see("Oath in the form of Nuriya: not possible; an affirmation is agreed, and accepted")


def _hear(play: Play, cast: Cast, case: str) -> None:
    """Try the line twice, and hear the witness."""
    play.on(day=72)
    play.step(cast.intake, "status_report", case, text=texts.TEST_FAILED)
    told(play, cast, case, "status_report", texts.TEST_FAILED)
    play.step(cast.clerk, "note", case, text=texts.PLAN)
    told(play, cast, case, "note", texts.PLAN)
    play.see("First test call: failed, and recorded; both agree on a plan for a thin line")
    play.on(day=74)
    play.step(cast.intake, "status_report", case, text=texts.TEST_GOOD)
    told(play, cast, case, "status_report", texts.TEST_GOOD)
    play.on(day=80)
    play.step(cast.intake, "status_report", case, text=texts.HEARD)
    told(play, cast, case, "status_report", texts.HEARD)
    play.see("Second test call: good. The witness is heard, through an interpreter")


def _cross(play: Play, cast: Cast, case: str) -> None:
    """Let a withdrawal and the result be on their way at one time."""
    folder = files(cast.registrar.home.folder / "heard", texts.FILES)
    play.on(day=82)
    play.house.shut(ASKING)
    play.step(
        cast.registrar, "send_final_result", case, outcome="FULL",
        evidence=folder,
    )  # fmt: skip
    play.house.shut(ASKED)
    play.house.open(ASKING)
    play.step(cast.officer, "withdraw", case, reasons=texts.NO_LONGER_NEEDED)
    row = play.say(cast.clerk, "case.show", case=case)["case"]
    play.must(
        row["state"] == "IN_EXECUTION" and row["unconfirmed"] == "WITHDRAWAL_PENDING",
        f"{ASKING} shows {row['state']}, {row['unconfirmed']} while nobody has received it",
    )
    play.see("The result is on its way; Nuriya knows nothing of it, and withdraws")
    play.house.open(ASKED)
    told(play, cast, case, "withdrawal_overtaken")
    for who in (cast.clerk, cast.intake):
        last = rules(play, who, case)[-3:]
        play.must(last == _CROSSED, f"{who.home.name} shows {last}, and not {_CROSSED}")
    play.both(case, "EXECUTED")
    play.refused(
        cast.officer, "case.withdraw", "not-now", case=case,
        body={"reasons": texts.NO_LONGER_NEEDED},
    )  # fmt: skip
    play.see("They crossed: the result came first in the order of the case, so the withdrawal is "
             "overtaken, on both sides")  # fmt: skip
