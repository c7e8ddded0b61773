"""Case 3: freezing, confiscation and return of what was embezzled.

Sahelle has two accounts and a flat frozen in Aldoria (UNCAC 54(2)(a)). A tenant in good
faith appears, and conditions are agreed before the request is accepted. For want of evidence
the measure is to be lifted: 55(8) gives Sahelle the last word, and it is kept. The final
order is a case of its own, which the freezing goes over into; its return is agreed.
"""

from __future__ import annotations

from typing import Final

from node.demo.cases import case_3_texts as texts
from node.demo.cases.play import Play
from node.demo.cases.texts import dated
from node.demo.cases.usual import Cast, accept, ask, confirm, converted, files, take_in, told

ASKING: Final = texts.ASKING
ASKED: Final = "qm.prosecution"
AUTHORITIES: Final = (ASKING, ASKED)
TITLE: Final = "Freezing, confiscation and return; lifting threatened and averted"

_FREEZING_DAYS: Final = 120
_LONGER_DAYS: Final = 300


def play(play: Play) -> None:
    """Play it."""
    cast = Cast(
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
    frozen = _freeze(play, cast)
    _nearly_lifted(play, cast, frozen)
    taken = _confiscate(play, cast, frozen)
    _give_back(play, cast, taken)
    _count(play, cast)
    play.verified(frozen, taken, readers=cast.readers)


def _freeze(play: Play, cast: Cast) -> str:
    """Ask, agree on conditions, freeze; gives the case."""
    case = ask(play, cast, "FREEZING", texts.freezing())
    play.see(f"Sahelle asks Aldoria to freeze two accounts and a flat: {texts.FROZEN} XTS")
    play.on(day=2)
    take_in(play, cast, case, "MLA/2026/77", "en")
    # A tenant is found: what shall bind the other side is agreed before it can be relied on.
    play.refused(
        cast.decider, "case.accept", "incomplete", rule="UNCAC 46(26)", case=case,
        body={"scope": "full", "conditions": ["1", "2"]},
    )  # fmt: skip
    play.step(
        cast.decider, "open_consultation", case, intended="conditions",
        conditions=texts.CONDITIONS, due=play.moment(9),
    )  # fmt: skip
    play.both(case, "IN_CONSULTATION")
    play.see("A tenant in good faith is found; Aldoria proposes two conditions, and cannot yet "
             "rely on them")  # fmt: skip
    play.on(day=4)
    play.step(
        cast.judge, "reply_consultation", case, conditions="accepted",
        text=texts.CONDITIONS_ACCEPTED,
    )  # fmt: skip
    play.both(case, "ACKNOWLEDGED")
    accept(play, cast, case, texts.EXECUTING, conditions=["1", "2"])
    play.step(
        cast.registrar, "impose_measure", case, valid_from=play.moment(4),
        valid_until=play.moment(4 + _FREEZING_DAYS),
        sums=[{"stage": "FROZEN", "currency": texts.CURRENCY, "amount": texts.FROZEN}],
    )  # fmt: skip
    play.both(case, "MEASURE_IN_FORCE")
    play.see(f"Conditions accepted; frozen for {_FREEZING_DAYS} days, the lease goes on")
    return case


def _nearly_lifted(play: Play, cast: Cast, case: str) -> None:
    """Show that a measure is not lifted before the other side was heard (55(8))."""
    play.on(day=64)
    why = {"reasons": texts.LITTLE_EVIDENCE}
    play.refused(cast.decider, "case.lift_measure", "not-now", case=case, body=why)
    play.step(cast.decider, "intent_to_lift", case, due=play.moment(78), **why)
    told(play, cast, case, "intent_to_lift")
    play.refused(cast.decider, "case.lift_measure", "not-now", case=case, body=why)
    play.see("No evidence came: Aldoria tells that it will lift, and cannot before Sahelle is "
             "heard (55(8))")  # fmt: skip
    play.on(day=70)
    play.step(cast.officer, "reasons_to_continue", case, text=texts.REASONS_TO_CONTINUE)
    play.step(
        cast.officer, "extension_requested", case, until=play.moment(_LONGER_DAYS),
        reasons="L'audience est fixée.",
    )  # fmt: skip
    told(play, cast, case, "reasons_to_continue", texts.REASONS_TO_CONTINUE)
    told(play, cast, case, "extension_requested")
    play.on(day=72)
    play.step(cast.intake, "status_report", case, text=texts.KEPT)
    play.step(cast.registrar, "extend_measure", case, valid_until=play.moment(_LONGER_DAYS))
    told(play, cast, case, "status_report", texts.KEPT)
    told(play, cast, case, "extend_measure")
    play.both(case, "MEASURE_IN_FORCE")
    play.see(f"Sahelle gives its reasons: the measure is kept, and runs to day {_LONGER_DAYS}")


def _confiscate(play: Play, cast: Cast, frozen: str) -> str:
    """Send the final order, and let the freezing go over into it; gives the new case."""
    play.on(day=150)
    body = texts.confiscation(frozen, ordered=dated(play.moment(140)))
    case = ask(play, cast, "CONFISCATION", body)
    play.on(day=152)
    take_in(play, cast, case, "MLA/2026/142", "en")
    accept(play, cast, case, texts.EXECUTING)
    converted(play, cast, frozen, case)
    play.see("The order is final, all were heard: a request of its own, linked; the freezing "
             "goes over into it")  # fmt: skip
    return case


def _give_back(play: Play, cast: Cast, case: str) -> None:
    """Confiscate, agree on the return, return."""
    folder = files(cast.registrar.home.folder / "confiscated", texts.CONFISCATED)
    play.on(day=190)
    play.step(
        cast.registrar, "send_partial_result", case, evidence=folder,
        sums=[{"stage": "CONFISCATED", "currency": texts.CURRENCY, "amount": texts.FROZEN}],
    )  # fmt: skip
    play.both(case, "PARTIALLY_EXECUTED")
    play.step(
        cast.decider, "consultation_opened", case, intended="conditions",
        conditions=texts.RETURN_AGREED, due=play.moment(204),
    )  # fmt: skip
    told(play, cast, case, "consultation_opened")
    play.on(day=195)
    play.step(
        cast.judge, "consultation_replied", case, conditions="accepted",
        text="Le tribunal accepte la restitution ainsi proposée.",
    )  # fmt: skip
    told(play, cast, case, "consultation_replied")
    play.see("Confiscated; both agree on the return, less the costs of managing the flat (57(5))")
    files(folder, texts.GIVEN_BACK)
    play.on(day=210)
    play.step(
        cast.registrar, "send_final_result", case, outcome="FULL", evidence=folder,
        sums=[{"stage": "RETURNED", "currency": texts.CURRENCY, "amount": texts.RETURNED}],
    )  # fmt: skip
    confirm(play, cast, case, folder, texts.FEEDBACK)
    play.see("Sahelle has the money back, and closes the case")


def _count(play: Play, cast: Cast) -> None:
    """Show that both sides count the same sums, each from its own cases."""
    stages = {"FROZEN": texts.FROZEN, "CONFISCATED": texts.FROZEN, "RETURNED": texts.RETURNED}
    for who, direction in ((cast.officer, "made"), (cast.decider, "received")):
        counted = play.say(who, "case.statistics")["sums"]
        sums = {
            one["stage"]: one["amount"]
            for one in counted
            if (one["direction"], one["currency"]) == (direction, texts.CURRENCY)
        }
        play.must(sums == stages, f"{who.home.name} counts {sums}")
    play.see(f"Statistics of both: {texts.FROZEN} XTS frozen and confiscated, {texts.RETURNED} "
             "returned")  # fmt: skip
