"""Case 5: a witness is heard by video link, and a withdrawal crosses the result.

Nuriya asks Sahelle to have a witness heard (UNCAC 46(18)). The witness is on trial in Sahelle:
after consultation the hearing is postponed (46(25)) until a day on which it is looked at again.
The oath in the form that is wished for is not possible; an affirmation is agreed. One test
call fails. When the minutes are on their way, Nuriya withdraws: the result came first.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from node.demo.cases import case_5_texts as texts
from node.demo.cases.play import Play
from node.demo.cases.texts import contact, dated
from node.demo.cases.voices import Actor

ASKING: Final = texts.ASKING
ASKED: Final = "qn.court"
AUTHORITIES: Final = (ASKING, ASKED)
TITLE: Final = "Video hearing, Arabic and French; a withdrawal that crosses the result"

_MINUTE_S: Final = 60


@dataclass(frozen=True, slots=True)
class _People:
    """Who plays: three at the court that asks, three at the court that is asked."""

    clerk: Actor
    judge: Actor
    officer: Actor
    intake: Actor
    decider: Actor
    registrar: Actor


def play(play: Play) -> None:
    """Play it."""
    people = _People(
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
    case = _ask(play, people)
    _postpone(play, people, case)
    _agree(play, people, case)
    _hear(play, people, case)
    _cross(play, people, case)
    play.step(people.clerk, "confirm_result", case, items=sorted(texts.FILES))
    play.both(case, "RESULT_CONFIRMED")
    play.step(people.officer, "close", case, feedback=texts.FEEDBACK)
    play.both(case, "CLOSED")
    play.see("Minutes and recording are confirmed by their hashes; Nuriya closes the case")
    play.verified(case, readers={ASKING: people.clerk, ASKED: people.intake})


def _ask(play: Play, people: _People) -> str:
    """Send the request, and take it in; gives the case."""
    days = {"first": play.moment(40), "second": play.moment(95), "test": play.moment(35)}
    case = play.request(
        people.clerk, people.judge, people.officer, to=ASKED, kind="MLA_VIDEO_HEARING",
        body=texts.hearing(**{name: dated(moment) for name, moment in days.items()}),
    )  # fmt: skip
    play.both(case, "DELIVERED")
    play.on(day=3)
    play.step(
        people.intake, "acknowledge", case, own_ref="TC/2026/55", contact=contact(ASKED),
        reply_language="fr",
    )  # fmt: skip
    play.say(people.intake, "case.hand_over", case=case, to=people.intake.login)
    for one in (people.decider, people.registrar):
        play.say(people.intake, "case.let_in", case=case, login=one.login)
    play.both(case, "ACKNOWLEDGED")
    play.see("Nuriya asks in Arabic, with a certified French translation; Sahelle acknowledges")
    return case


def _postpone(play: Play, people: _People, case: str) -> None:
    """Postpone, but not before consultation and not without a day to look at it again."""
    play.on(day=5)
    postponed = {
        "ground": "46-25", "reasons": texts.OWN_TRIAL, "review": play.moment(60),
    }  # fmt: skip
    play.refused(people.decider, "case.postpone", "incomplete", case=case, body=postponed)
    play.step(
        people.decider, "open_consultation", case, intended="postpone", ground="46-25",
        due=play.moment(15),
    )  # fmt: skip
    play.both(case, "IN_CONSULTATION")
    play.see("The witness is on trial in Sahelle: it cannot postpone before it consults")
    play.on(day=8)
    play.step(
        people.judge, "reply_consultation", case, conditions="none", text=texts.TAKEN_NOTE
    )  # fmt: skip
    play.both(case, "ACKNOWLEDGED")
    play.step(people.decider, "postpone", case, **postponed)
    play.both(case, "POSTPONED")
    play.see("Postponed for the trial that is running (46(25)); looked at again on day 60")


def _agree(play: Play, people: _People, case: str) -> None:
    """Take it up again on the day that was said, and agree on an affirmation."""
    play.on(day=60)
    play.step(people.decider, "resume_review", case)
    play.both(case, "ACKNOWLEDGED")
    play.step(
        people.decider, "open_consultation", case, intended="conditions",
        conditions=texts.CONDITIONS, due=play.moment(70),
    )  # fmt: skip
    play.both(case, "IN_CONSULTATION")
    play.on(day=63)
    play.step(
        people.judge, "reply_consultation", case, conditions="accepted",
        text=texts.AFFIRMATION_ACCEPTED,
    )  # fmt: skip
    play.both(case, "ACKNOWLEDGED")
    play.step(people.decider, "accept", case, scope="full", conditions=["1", "2"])
    play.step(
        people.intake, "assign_execution", case,
        executing_authority="Tribunal correctionnel de Sahelle (fictional)",
    )  # fmt: skip
    play.both(case, "IN_EXECUTION")
    play.see("Oath in the form of Nuriya: not possible; an affirmation is agreed, and accepted")


def _hear(play: Play, people: _People, case: str) -> None:
    """Try the line twice, and hear the witness."""
    play.on(day=72)
    play.step(people.intake, "status_report", case, text=texts.TEST_FAILED)
    _shown(play, people.clerk, case, "status_report", texts.TEST_FAILED)
    play.step(people.clerk, "note", case, text=texts.PLAN)
    _shown(play, people.intake, case, "note", texts.PLAN)
    play.see("First test call: failed, and recorded; both agree on a plan for a thin line")
    play.on(day=74)
    play.step(people.intake, "status_report", case, text=texts.TEST_GOOD)
    _shown(play, people.clerk, case, "status_report", texts.TEST_GOOD)
    play.on(day=80)
    play.step(people.intake, "status_report", case, text=texts.HEARD)
    _shown(play, people.clerk, case, "status_report", texts.HEARD)
    play.see("Second test call: good. The witness is heard, through an interpreter")


def _cross(play: Play, people: _People, case: str) -> None:
    """Let a withdrawal and the result be on their way at one time."""
    play.on(day=82)
    play.house.shut(ASKING)
    play.step(
        people.registrar, "send_final_result", case, outcome="FULL",
        evidence=_files(people.registrar.home.folder / "heard"),
    )  # fmt: skip
    play.house.shut(ASKED)
    play.house.open(ASKING)
    play.step(people.officer, "withdraw", case, reasons=texts.NO_LONGER_NEEDED)
    told = play.say(people.clerk, "case.show", case=case)["case"]
    play.must(
        told["state"] == "IN_EXECUTION" and told["unconfirmed"] == "WITHDRAWAL_PENDING",
        f"{ASKING} shows {told['state']}, {told['unconfirmed']} while nobody has received it",
    )
    play.see("The result is on its way; Nuriya knows nothing of it, and withdraws")
    play.house.open(ASKED)
    play.until(
        lambda: (
            {"T66", "T64"} <= _rules(play, people.clerk, case)
            and {"T66", "T64"} <= _rules(play, people.intake, case)
        ),
        lambda: "the withdrawal was not overtaken on both sides",
    )
    play.both(case, "EXECUTED")
    play.refused(
        people.officer, "case.withdraw", "not-now", case=case,
        body={"reasons": texts.NO_LONGER_NEEDED},
    )  # fmt: skip
    play.see("They crossed: the result came first in the order of the case, so the withdrawal is "
             "overtaken, on both sides")  # fmt: skip


def _files(folder: Path) -> Path:
    """Write what comes back."""
    folder.mkdir()
    for name, text in texts.FILES.items():
        (folder / name).write_text(text)
    return folder


def _rules(play: Play, who: Actor, case: str) -> set[str]:
    """Give the rules by which the messages of a case had their effects, as somebody sees it."""
    told = play.say(who, "case.show", case=case)["messages"]
    return {one["effect"]["rule"] for one in told if one["effect"]["confirmed"]}


def _shown(play: Play, who: Actor, case: str, event: str, text: str) -> None:
    """Wait until somebody sees a text, as it was written."""
    play.until(
        lambda: any(
            one["kind"] == event and one["body"].get("text") == text
            for one in play.say(who, "case.show", case=case)["messages"]
        ),
        lambda: f"{who.home.name} does not show what was written",
    )
