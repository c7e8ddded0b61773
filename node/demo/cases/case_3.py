"""Case 3: freezing, confiscation and return of what was embezzled.

Sahelle has two accounts and a flat frozen in Aldoria (UNCAC 54(2)(a)). A tenant in good
faith appears, and conditions are agreed before the request is accepted. For want of evidence
the measure is to be lifted: 55(8) gives Sahelle the last word, and it is kept. The final
order is a case of its own, which the freezing goes over into; its return is agreed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from node.demo.cases import case_3_texts as texts
from node.demo.cases.play import Play
from node.demo.cases.texts import contact, dated
from node.demo.cases.voices import Actor

ASKING: Final = texts.ASKING
ASKED: Final = "qm.prosecution"
AUTHORITIES: Final = (ASKING, ASKED)
TITLE: Final = "Freezing, confiscation and return; lifting threatened and averted"

_FREEZING_DAYS: Final = 120
_LONGER_DAYS: Final = 300


@dataclass(frozen=True, slots=True)
class _People:
    """Who plays: three at the court that asks, three at the service that is asked."""

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
            ousmane=("drafter", "case-officer", "evidence-custodian"),
            fatou=("approver",),
            awa=("central-authority-officer",),
        ),
        *play.people(
            ASKED,
            mira=("intake-officer", "case-officer"),
            piet=("decision-officer", "approver"),
            lena=("executing-officer", "evidence-custodian"),
        ),
    )
    frozen = _freeze(play, people)
    _nearly_lifted(play, people, frozen)
    taken = _confiscate(play, people, frozen)
    _give_back(play, people, taken)
    play.step(people.officer, "close", taken, feedback="Les fonds sont au trésor public.")
    play.both(taken, "CLOSED")
    play.see("Sahelle has the money back, and closes the case")
    _count(play, people)
    play.verified(frozen, taken, readers={ASKING: people.clerk, ASKED: people.intake})


def _freeze(play: Play, people: _People) -> str:
    """Ask, agree on conditions, freeze; gives the case."""
    case = play.request(
        people.clerk, people.judge, people.officer, to=ASKED, kind="FREEZING",
        body=texts.freezing(),
    )  # fmt: skip
    play.both(case, "DELIVERED")
    play.see(f"Sahelle asks Aldoria to freeze two accounts and a flat: {texts.FROZEN} XTS")
    play.on(day=2)
    _take_in(play, people, case, "MLA/2026/77")
    # A tenant is found: what shall bind the other side is agreed before it can be relied on.
    play.refused(
        people.decider, "case.accept", "incomplete", case=case,
        body={"scope": "full", "conditions": ["1", "2"]},
    )  # fmt: skip
    play.step(
        people.decider, "open_consultation", case, intended="conditions",
        conditions=texts.CONDITIONS, due=play.moment(9),
    )  # fmt: skip
    play.both(case, "IN_CONSULTATION")
    play.see("A tenant in good faith is found; Aldoria proposes two conditions, and cannot yet "
             "rely on them")  # fmt: skip
    play.on(day=4)
    play.step(
        people.judge, "reply_consultation", case, conditions="accepted",
        text=texts.CONDITIONS_ACCEPTED,
    )  # fmt: skip
    play.both(case, "ACKNOWLEDGED")
    play.step(people.decider, "accept", case, scope="full", conditions=["1", "2"])
    _execute(play, people, case)
    play.step(
        people.registrar, "impose_measure", case, valid_from=play.moment(4),
        valid_until=play.moment(4 + _FREEZING_DAYS),
        sums=[{"stage": "FROZEN", "currency": texts.CURRENCY, "amount": texts.FROZEN}],
    )  # fmt: skip
    play.both(case, "MEASURE_IN_FORCE")
    play.see(f"Conditions accepted; frozen for {_FREEZING_DAYS} days, the lease goes on")
    return case


def _nearly_lifted(play: Play, people: _People, case: str) -> None:
    """Show that a measure is not lifted before the other side was heard (55(8))."""
    play.on(day=64)
    why = {"reasons": texts.LITTLE_EVIDENCE}
    play.refused(people.decider, "case.lift_measure", "not-now", case=case, body=why)
    play.step(people.decider, "intent_to_lift", case, due=play.moment(78), **why)
    play.until(lambda: _did(play, people.clerk, case, "intent_to_lift"), lambda: "no notice came")
    play.refused(people.decider, "case.lift_measure", "not-now", case=case, body=why)
    play.see("No evidence came: Aldoria tells that it will lift, and cannot before Sahelle is "
             "heard (55(8))")  # fmt: skip
    play.on(day=70)
    play.step(people.officer, "reasons_to_continue", case, text=texts.REASONS_TO_CONTINUE)
    play.step(
        people.officer, "extension_requested", case, until=play.moment(_LONGER_DAYS),
        reasons="L'audience est fixée.",
    )  # fmt: skip
    play.until(
        lambda: _did(play, people.intake, case, "extension_requested"), lambda: "no reasons came"
    )
    play.on(day=72)
    play.step(people.intake, "status_report", case, text=texts.KEPT)
    play.step(people.registrar, "extend_measure", case, valid_until=play.moment(_LONGER_DAYS))
    play.until(lambda: _did(play, people.clerk, case, "extend_measure"), lambda: "not extended")
    play.both(case, "MEASURE_IN_FORCE")
    play.see(f"Sahelle gives its reasons: the measure is kept, and runs to day {_LONGER_DAYS}")


def _confiscate(play: Play, people: _People, frozen: str) -> str:
    """Send the final order, and let the freezing go over into it; gives the new case."""
    play.on(day=150)
    case = play.request(
        people.clerk, people.judge, people.officer, to=ASKED, kind="CONFISCATION",
        body=texts.confiscation(frozen, ordered=dated(play.moment(140))),
    )  # fmt: skip
    play.both(case, "DELIVERED")
    play.on(day=152)
    _take_in(play, people, case, "MLA/2026/142")
    for who in (people.clerk, people.intake):
        play.say(who, "case.link", case=case, relation="continues", other=frozen)
        _linked(play, who, frozen, "continued-by", case)
    play.step(people.decider, "accept", case, scope="full")
    _execute(play, people, case)
    play.step(people.decider, "convert_measure", frozen, request=case)
    play.both(frozen, "EXECUTED")
    play.step(people.clerk, "confirm_result", frozen, nil=True)
    play.step(people.officer, "close", frozen)
    play.both(frozen, "CLOSED")
    play.see("The order is final, all were heard: a request of its own, linked; the freezing "
             "goes over into it")  # fmt: skip
    return case


def _give_back(play: Play, people: _People, case: str) -> None:
    """Confiscate, agree on the return, return."""
    folder = people.registrar.home.folder / "confiscated"
    folder.mkdir()
    (folder / "record.txt").write_text("DEMO - FICTIONAL: record of the confiscation\n")
    play.on(day=190)
    play.step(
        people.registrar, "send_partial_result", case, evidence=folder,
        sums=[{"stage": "CONFISCATED", "currency": texts.CURRENCY, "amount": texts.FROZEN}],
    )  # fmt: skip
    play.both(case, "PARTIALLY_EXECUTED")
    play.step(
        people.decider, "consultation_opened", case, intended="conditions",
        conditions=texts.RETURN_AGREED, due=play.moment(204),
    )  # fmt: skip
    play.until(
        lambda: _did(play, people.clerk, case, "consultation_opened"), lambda: "not consulted"
    )
    play.on(day=195)
    play.step(
        people.judge, "consultation_replied", case, conditions="accepted",
        text="Le tribunal accepte la restitution ainsi proposée.",
    )  # fmt: skip
    play.until(
        lambda: _did(play, people.intake, case, "consultation_replied"), lambda: "no agreement"
    )
    play.see("Confiscated; both agree on the return, less the costs of managing the flat (57(5))")
    (folder / "account-of-costs.csv").write_text(f"what;amount\nflat;{texts.COSTS}\n")
    (folder / "transfer.txt").write_text(f"DEMO - FICTIONAL: transfer of {texts.RETURNED} XTS\n")
    play.on(day=210)
    play.step(
        people.registrar, "send_final_result", case, outcome="FULL", evidence=folder,
        sums=[{"stage": "RETURNED", "currency": texts.CURRENCY, "amount": texts.RETURNED}],
    )  # fmt: skip
    play.both(case, "EXECUTED")
    files = sorted(file.name for file in folder.iterdir())
    play.step(people.clerk, "confirm_result", case, items=files)
    play.both(case, "RESULT_CONFIRMED")


def _count(play: Play, people: _People) -> None:
    """Show that both sides count the same sums, each from its own cases."""
    stages = {"FROZEN": texts.FROZEN, "CONFISCATED": texts.FROZEN, "RETURNED": texts.RETURNED}
    for who, direction in ((people.officer, "made"), (people.decider, "received")):
        told = play.say(who, "case.statistics")["sums"]
        sums = {
            one["stage"]: one["amount"]
            for one in told
            if (one["direction"], one["currency"]) == (direction, texts.CURRENCY)
        }
        play.must(sums == stages, f"{who.home.name} counts {sums}")
    play.see(f"Statistics of both: {texts.FROZEN} XTS frozen and confiscated, {texts.RETURNED} "
             "returned")  # fmt: skip


# --- what both cases take --------------------------------------------------


def _take_in(play: Play, people: _People, case: str, reference: str) -> None:
    """Acknowledge a request under a reference, and let in whoever works on it."""
    play.step(
        people.intake, "acknowledge", case, own_ref=reference, contact=contact(ASKED),
        reply_language="en",
    )  # fmt: skip
    play.say(people.intake, "case.hand_over", case=case, to=people.intake.login)
    for one in (people.decider, people.registrar):
        play.say(people.intake, "case.let_in", case=case, login=one.login)
    play.both(case, "ACKNOWLEDGED")


def _execute(play: Play, people: _People, case: str) -> None:
    play.step(
        people.intake, "assign_execution", case,
        executing_authority="Asset Management Office of Aldoria (fictional)",
    )  # fmt: skip
    play.both(case, "IN_EXECUTION")


def _did(play: Play, who: Actor, case: str, event: str) -> bool:
    """Say whether an event of a case has had its effect, as somebody sees it."""
    told = play.say(who, "case.show", case=case)["messages"]
    return any(one["kind"] == event and one["effect"]["rule"] for one in told)


def _linked(play: Play, who: Actor, case: str, relation: str, other: str) -> None:
    told = play.say(who, "case.show", case=case)["links"]
    held = any(one["relation"] == relation and one["case"] == other for one in told)
    play.must(held, f"{who.home.name} does not show the link of the cases")
