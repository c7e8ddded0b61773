"""The life cycle: every move of the table, and nothing beside the table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from protocol.encoding import Json
from protocol.lifecycle import (
    EVENTS,
    RULES,
    Applied,
    OneSide,
    Rule,
    Standing,
    State,
    Step,
    apply,
    fold,
    hindrances,
    machine_of,
    moves,
    propose,
)
from protocol.lifecycle_guards import BODY, CROSSED, HISTORY
from protocol.lifecycle_table import BEGIN
from tests.support.lifecycles import (
    BEGUN_AT,
    DAY,
    ON_WIRE,
    SHARED,
    begun,
    body_of,
    closable,
    explored,
    opening,
    scenes,
)

SIDES: tuple[OneSide, ...] = ("requesting", "requested")
EVERY = pytest.mark.parametrize("rule", SHARED, ids=lambda rule: rule.id)
WRONG: tuple[Json, ...] = (None, "", " \n", [], {}, True, False)


# --- the table ---------------------------------------------------------------------------------


def test_every_rule_has_a_name_of_its_own() -> None:
    """What a case shows of its history can be looked up in the table."""
    names = [rule.id for rule in (*RULES, *BEGIN.values())]
    assert len(set(names)) == len(names)


def test_one_event_in_one_state_has_one_rule() -> None:
    """Two rules for one place could lead two readers apart."""
    places = [(rule.machine, rule.source, rule.event) for rule in RULES]
    assert len(set(places)) == len(places)


def test_every_event_is_in_a_rule_and_every_state_can_be_reached() -> None:
    """Nothing in the lists is dead."""
    begins = BEGIN.values()
    assert {rule.event for rule in RULES} | {"transmit"} == set(EVENTS)
    assert {rule.target for rule in (*RULES, *begins)} | {State.DRAFT} == set(State)


def test_the_guards_of_shared_rules_are_there_and_none_is_idle() -> None:
    """A name without a guard would fail late; a guard without a rule guards nothing."""
    used = {name for rule in SHARED for name in rule.guards}
    assert used == set(HISTORY) | set(BODY)
    assert not set(HISTORY) & set(BODY)


def test_both_sides_may_move_in_twelve_states_of_a_request() -> None:
    """These are the places where two moves can cross."""
    sides: dict[State, set[str]] = {}
    for rule in RULES:
        local = {State.SENT, State.UNDELIVERABLE}
        if rule.machine == "request" and rule.source not in local and rule.source != rule.target:
            sides.setdefault(rule.source, set()).add(rule.side)
    both = {state for state, found in sides.items() if len(found) > 1}
    assert len(both) == 12
    assert both == {
        State.DELIVERED, State.ACKNOWLEDGED, State.INFO_REQUESTED, State.IN_CONSULTATION,
        State.POSTPONED, State.ACCEPTED, State.IN_EXECUTION, State.MEASURE_IN_FORCE,
        State.PARTIALLY_EXECUTED, State.REFUSED, State.RETURNED, State.WITHDRAWAL_PENDING,
    }  # fmt: skip


# --- every rule --------------------------------------------------------------------------------


@EVERY
def test_a_rule_leads_where_it_says(rule: Rule) -> None:
    """Every rule can be reached by good messages, and does what its row says."""
    scene = scenes()[rule.id]
    applied = apply(scene.standing, scene.step)
    assert (applied.rule, applied.why) == (rule, None)
    assert applied.standing is not None
    assert applied.standing.state == rule.target
    assert apply(fold(scene.before), scene.step) == applied


@EVERY
def test_a_rule_has_no_effect_without_a_field_that_it_needs(rule: Rule) -> None:
    """Each required field, left out or empty or of a wrong form, leaves the case as it was."""
    scene = scenes()[rule.id]
    for name in EVENTS[rule.event].required:
        without = {key: value for key, value in scene.step.body.items() if key != name}
        for body in (without, *({**without, name: wrong} for wrong in WRONG)):
            applied = apply(scene.standing, replace(scene.step, body=body))
            assert applied.standing == scene.standing
            assert applied.rule is None
            assert applied.why is not None
            assert applied.why.startswith("guard:")


@EVERY
def test_a_rule_has_no_effect_for_the_other_side(rule: Rule) -> None:
    """Only the side that the table names can make a move."""
    scene = scenes()[rule.id]
    other: OneSide = "requested" if scene.step.side == "requesting" else "requesting"
    applied = apply(scene.standing, replace(scene.step, side=other))
    if rule.side == "either":
        assert applied.rule == rule
    else:
        assert applied == Applied(scene.standing, None, "not-this-side")


def test_what_is_not_in_the_table_has_no_effect() -> None:
    """Every event in every state that the table does not name, from both sides."""
    allowed = {(rule.machine, rule.source, rule.event) for rule in SHARED}
    starts = {scene.standing.machine: scene.standing for scene in scenes().values()}
    for machine, standing in starts.items():
        for state in State:
            for event in {*ON_WIRE, "transmit"} - {
                e for m, s, e in allowed if (m, s) == (machine, state)
            }:
                here = replace(standing, state=state)
                for side in SIDES:
                    step = Step(event, side, body_of(event, here, BEGUN_AT), BEGUN_AT, "1" * 64)
                    assert apply(here, step) == Applied(here, None, "not-allowed-now")


@pytest.mark.parametrize(
    "event", ["gossip", "delivery_receipt", "abandon_undelivered", "resend", "approve", "cancel"]
)
def test_an_event_that_no_message_carries_has_no_effect(event: str) -> None:
    """Unknown kinds, and the steps that a node takes by itself, change nothing on the wire."""
    standing = begun("FREEZING")
    step = Step(event, "requesting", {"reasons": "x"}, BEGUN_AT, "1" * 64)
    assert apply(standing, step) == Applied(standing, None, "unknown-event")


# --- the beginning -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "machine", "state"),
    [
        ("MLA_EVIDENCE", "request", State.DELIVERED),
        ("A_KIND_OF_TOMORROW", "request", State.DELIVERED),
        ("SPONTANEOUS", "spontaneous", State.OFFERED),
        ("INFORMAL_INQUIRY", "inquiry", State.DELIVERED),
        ("CONSULTATION", "inquiry", State.DELIVERED),
    ],
)
def test_a_request_begins_the_machine_of_its_kind(kind: str, machine: str, state: State) -> None:
    """The kind of request alone decides which life cycle a case has."""
    standing = begun(kind)
    assert (standing.machine, standing.kind, standing.state) == (machine, kind, state)
    assert machine_of(kind) == machine


@pytest.mark.parametrize("kind", [None, 7, "", "two words", "x" * 65, ["FREEZING"], "free\ning"])
def test_a_request_of_no_readable_kind_begins_too(kind: Json) -> None:
    """Only so can the other side return it; what was written is not copied."""
    applied = apply(None, Step("transmit", "requesting", {"request_kind": kind}, 1, "0" * 64))
    assert applied.standing == Standing(machine="request", kind="UNKNOWN", state=State.DELIVERED)


def test_nothing_but_a_request_begins_a_case() -> None:
    """No other event, and no request by the side that is asked."""
    for event in (*ON_WIRE, "gossip"):
        assert apply(None, Step(event, "requesting", {}, 1, "0" * 64)) == Applied(
            None, None, "not-begun"
        )
    late = replace(opening("FREEZING"), side="requested")
    assert apply(None, late) == Applied(None, None, "not-this-side")
    assert fold([late]) is None


def test_an_urgent_request_signed_by_one_awaits_the_second() -> None:
    """Both sides see until when, and that it came."""
    alone = opening(
        "PRESERVATION", signatories=[{"name": "Ana"}, {"name": " ANA "}, {"name": 3}, 4]
    )
    standing = fold([alone])
    assert standing is not None
    assert standing.countersign_due == BEGUN_AT + DAY
    step = Step("countersign", "requesting", {"signatories": [{"name": "Jo"}]}, BEGUN_AT + 9, "1")
    signed = apply(standing, step).standing
    assert signed is not None
    assert signed.countersign_due is None
    assert apply(signed, step).why == "guard:countersign-due"
    assert begun("PRESERVATION").countersign_due is None
    ordinary = fold([opening("MLA_EVIDENCE", signatories=[{"name": "Ana"}])])
    assert ordinary is not None
    assert ordinary.countersign_due is None


# --- what a side may do ------------------------------------------------------------------------


def test_moves_are_the_rules_of_the_place_and_side() -> None:
    """The table is the only source of what is offered."""
    standing = begun("FREEZING")
    offered = {rule.event for rule in moves(standing, "requested") if rule.target != rule.source}
    assert offered == {"acknowledge", "return_misdirected"}
    offered = {rule.event for rule in moves(standing, "requesting") if rule.target != rule.source}
    assert offered == {"withdraw"}
    assert "note" in {rule.event for rule in moves(standing, "requested")}
    assert {rule.event for rule in moves(None, "requesting")} == {"transmit"}
    assert moves(None, "requested") == ()


def test_moves_before_delivery_are_those_of_the_table() -> None:
    """A node that shows a request as sent asks the same table."""
    late = replace(begun("FREEZING"), state=State.UNDELIVERABLE)
    assert [rule.event for rule in moves(late, "requesting")] == ["resend", "withdraw"]


def test_a_crossing_is_nobody_s_move() -> None:
    """Late answers and withdrawals count where they were on their way; none is offered."""
    for scene in scenes().values():
        crossed = CROSSED in scene.rule.guards
        offered = scene.rule in moves(scene.standing, scene.step.side)
        proposed = propose(scene.standing, scene.step)
        assert offered != crossed
        assert proposed.rule == (None if crossed else scene.rule)
        assert (proposed.why == "not-allowed-now") == crossed


def test_hindrances_are_told_before_a_body_is_written() -> None:
    """Who wants to refuse is told to consult first."""
    scene = scenes()["T23"]
    fresh = replace(scene.standing, consultation_done=False, consultation_due=BEGUN_AT)
    assert hindrances(scene.standing, scene.rule, now=BEGUN_AT) == ()
    assert hindrances(fresh, scene.rule, now=BEGUN_AT) == ("consultation-done",)
    assert hindrances(fresh, scene.rule, now=BEGUN_AT + 1) == ()


def test_nobody_is_ever_stuck() -> None:
    """From every standing that good messages reach, good messages lead to the end of the case."""
    found = explored()
    assert len(found.standings) > 800
    assert set(found.standings) == closable()
    over = [shape for shape, one in found.standings.items() if one.state == State.CLOSED]
    for shape in over:
        assert {found.standings[one].state for one in found.following[shape]} == {State.CLOSED}
