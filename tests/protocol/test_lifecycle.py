"""The life cycle: every move of the table, and nothing beside the table."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.encoding import Json, canonical
from protocol.errors import Rejected
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
    decode_standing,
    fold,
    hindrances,
    machine_of,
    moves,
    owed,
    propose,
)
from protocol.lifecycle_guards import BODY, CROSSED, HISTORY
from protocol.lifecycle_table import BEGIN, Machine
from protocol.limits import STANDING_BYTES_MAX, STANDING_NUMBERS_MAX
from tests.support.lifecycles import (
    BEGUN_AT,
    DAY,
    ON_WIRE,
    SHARED,
    begun,
    body_of,
    opening,
    scenes,
)
from tests.support.strategies import json_values

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


def test_somebody_can_always_move_until_a_case_is_closed() -> None:
    """From every standing that is reached, good messages lead on, and in the end to CLOSED."""
    terminal = {
        (scene.rule.machine, scene.rule.target)
        for scene in scenes().values()
        if not any(
            rule.source == scene.rule.target and rule.target != rule.source
            for rule in SHARED
            if rule.machine == scene.rule.machine
        )
    }
    assert terminal == {(machine, State.CLOSED) for machine in get_args(Machine)}


# --- what a node owes --------------------------------------------------------------------------


def test_a_measure_that_is_over_is_said_to_be_by_the_node_of_the_requested_side() -> None:
    """From the second on at which it ends, and by no other node."""
    scene = scenes()["T35"]
    until = scene.standing.valid_until
    assert until is not None
    assert owed(scene.standing, "requested", now=until - 1) is None
    assert owed(scene.standing, "requested", now=until) == "measure_expired"
    assert owed(scene.standing, "requesting", now=until) is None
    body: dict[str, Json] = {}
    early = Step("measure_expired", "requested", body, until - 1, "1")
    assert apply(scene.standing, early).why == "guard:measure-over"
    assert apply(scene.standing, replace(early, created=until)).rule == scene.rule


def test_a_request_that_was_given_up_and_arrives_is_withdrawn() -> None:
    """The requesting node says so by itself, as long as there is something to withdraw."""
    standing = begun("MLA_EVIDENCE")
    assert owed(standing, "requesting", now=BEGUN_AT) is None
    assert owed(standing, "requesting", now=BEGUN_AT, abandoned=True) == "withdraw"
    assert owed(standing, "requested", now=BEGUN_AT, abandoned=True) is None
    returned = replace(standing, state=State.RETURNED)
    assert owed(returned, "requesting", now=BEGUN_AT, abandoned=True) is None
    executed = replace(standing, state=State.EXECUTED, concluded=True)
    assert owed(executed, "requesting", now=BEGUN_AT, abandoned=True) is None
    assert owed(None, "requesting", now=BEGUN_AT, abandoned=True) is None


def test_a_withdrawal_that_the_result_overtook_is_answered_so() -> None:
    """The requested side has one answer left, and its node may give it."""
    scene = scenes()["T64"]
    assert owed(scene.standing, "requested", now=BEGUN_AT) == "withdrawal_overtaken"
    confirmed = Step("confirm_withdrawal", "requested", {"done": "all"}, BEGUN_AT, "1")
    assert apply(scene.standing, confirmed).why == "guard:not-concluded"
    assert owed(scenes()["T63"].standing, "requested", now=BEGUN_AT) is None


# --- any input ---------------------------------------------------------------------------------

PLACES = sorted(scenes())


@settings(max_examples=200)
@given(
    name=st.sampled_from(PLACES),
    event=st.sampled_from((*ON_WIRE, "transmit", "gossip", "")),
    side=st.sampled_from(SIDES),
    drawn=st.dictionaries(
        st.sampled_from(sorted({name for event in EVENTS.values() for name in event.fields})),
        json_values(),
    ),
    created=st.integers(0, 2**53 - 1),
)
def test_a_body_of_any_form_never_stops_the_life_cycle(
    name: str, event: str, side: OneSide, drawn: dict[str, Json], created: int
) -> None:
    """It has its effect by a rule or none with a reason; and the standing stays encodable."""
    before = scenes()[name].standing
    for start in (before, None):
        applied = apply(start, Step(event, side, drawn, created, "1" * 64))
        assert (applied.rule is None) == (applied.why is not None)
        if applied.rule is None:
            assert applied.standing == start
        if applied.standing is not None:
            assert decode_standing(applied.standing.encode()) == applied.standing


@settings(max_examples=300)
@given(name=st.sampled_from(PLACES), junk=json_values(), field=st.integers(0, 5))
def test_a_field_of_any_value_never_stops_the_life_cycle(name: str, junk: Json, field: int) -> None:
    """A good message with one field replaced by any value, also one inside a list."""
    scene = scenes()[name]
    names = sorted(scene.step.body)
    if names:
        spoiled = names[field % len(names)]
        for value in (
            junk,
            [junk],
            [{"no": 1, "text": junk, "name": junk}],
            [{"no": junk, "text": "x"}],
        ):
            step = replace(scene.step, body={**scene.step.body, spoiled: value})
            applied = apply(scene.standing, step)
            assert applied.standing is not None
            assert decode_standing(applied.standing.encode()) == applied.standing


# --- the encoding of a standing ----------------------------------------------------------------


@EVERY
def test_a_standing_is_decoded_as_it_was_encoded(rule: Rule) -> None:
    """One standing has one encoding."""
    standing = scenes()[rule.id].standing
    assert decode_standing(standing.encode()) == standing


def test_a_standing_holds_no_word_of_a_body() -> None:
    """It may be kept in clear: what people wrote is not in it."""
    written = "Zylphia Quorn"
    for scene in scenes().values():
        body = {
            name: written if isinstance(value, str) and name in ("text", "reasons") else value
            for name, value in scene.step.body.items()
        }
        applied = apply(scene.standing, replace(scene.step, body=body))
        assert applied.standing is not None
        assert b"Zylphia" not in applied.standing.encode()
        assert b"because" not in applied.standing.encode()


GOOD: dict[str, Json] = {"machine": "request", "kind": "FREEZING", "state": "DELIVERED"}


@pytest.mark.parametrize(
    "changed",
    [
        {"machine": "appeal"},
        {"kind": "two words"},
        {"state": "GONE"},
        {"state": None},
        {"reminded": False},
        {"reminded": 1},
        {"info_due": None},
        {"info_due": -1},
        {"info_due": True},
        {"proposed": []},
        {"proposed": [1]},
        {"proposed": ["two words"]},
        {"proposed": ["1"] * (STANDING_NUMBERS_MAX + 1)},
        {"text": "x"},
    ],
)
def test_a_standing_in_another_form_is_refused(changed: dict[str, Json]) -> None:
    """A row that somebody changed is noticed, not guessed at."""
    assert decode_standing(canonical(GOOD)).kind == "FREEZING"
    with pytest.raises(Rejected):
        decode_standing(_loose({**GOOD, **changed}))


def _loose(value: dict[str, Json]) -> bytes:
    """Encode also what is no canonical value."""
    if value.get("info_due") == -1:
        return canonical({**value, "info_due": 1}).replace(b'"info_due":1', b'"info_due":-1')
    return canonical(value)


def test_a_standing_that_is_too_long_is_refused() -> None:
    """Its size is looked at before its form."""
    with pytest.raises(Rejected, match="bytes of JSON"):
        decode_standing(b" " * (STANDING_BYTES_MAX + 1))


def test_conditions_that_were_agreed_to_add_up_to_a_bound() -> None:
    """However often conditions are agreed to, the standing can be written."""
    standing = scenes()["T19"].standing
    for turn in range(3):
        many: Json = [{"no": f"{turn}.{n}", "text": "x"} for n in range(STANDING_NUMBERS_MAX)]
        body: dict[str, Json] = {
            "intended": "conditions",
            "conditions": many,
            "due": BEGUN_AT + DAY,
        }
        steps = (
            Step("open_consultation", "requested", body, BEGUN_AT, "1"),
            Step("reply_consultation", "requesting", {"conditions": "accepted"}, BEGUN_AT, "2"),
        )
        for step in steps:
            applied = apply(standing, step)
            assert applied.rule is not None
            assert applied.standing is not None
            standing = applied.standing
    assert len(standing.conditions) == STANDING_NUMBERS_MAX
    assert decode_standing(standing.encode()) == standing
