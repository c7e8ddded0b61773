"""Each guard of the life cycle, with what it lets through and what it stops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from protocol.encoding import Json
from protocol.lifecycle import RULES, apply
from protocol.lifecycle_guards import BODY, CROSSED, HISTORY, Step, unmet
from protocol.lifecycle_standing import Standing
from tests.support.lifecycles import BEGUN_AT, CONDITIONS, DAY, EVIDENCE, begun, scenes

AT = BEGUN_AT
HERE = begun("FREEZING")


def held(guard: str, standing: Standing, body: Mapping[str, Json]) -> str | None:
    """Name the guard if it does not hold for a body at `AT`."""
    return unmet(standing, (guard,), Step("note", "requested", body, AT, "1" * 64))


# --- what came before --------------------------------------------------------------------------

ASKED = replace(HERE, info_due=AT - 1)
CONSULTED = replace(HERE, consultation_done=True)

PAST: dict[str, tuple[Standing, Standing]] = {
    "accepted-before": (replace(HERE, accepted_before=True), HERE),
    "concluded": (replace(HERE, concluded=True), HERE),
    "consent-asked": (replace(HERE, consent_asked=True), HERE),
    "consultation-done": (CONSULTED, HERE),
    "consultation-open": (replace(HERE, consultation_due=AT), CONSULTED),
    "consultation-overdue": (
        replace(HERE, consultation_due=AT - 1),
        replace(HERE, consultation_due=AT),
    ),
    "countersign-due": (replace(HERE, countersign_due=AT), HERE),
    "extension-requested": (replace(HERE, extension_until=AT), HERE),
    "heard-on-lifting": (replace(HERE, lift_due=AT - 1), replace(HERE, lift_due=AT)),
    "info-overdue": (ASKED, replace(HERE, info_due=AT)),
    "intent-known": (replace(HERE, lift_due=AT), HERE),
    "measure-over": (replace(HERE, valid_until=AT), replace(HERE, valid_until=AT + 1)),
    "not-accepted-before": (HERE, replace(HERE, accepted_before=True)),
    "not-concluded": (HERE, replace(HERE, concluded=True)),
    "nothing-delivered": (HERE, replace(HERE, result_sent=True)),
    "reminded": (replace(HERE, reminded=True), ASKED),
    "result-sent": (replace(HERE, result_sent=True), HERE),
    "time-limited-kind": (HERE, replace(HERE, kind="MLA_EVIDENCE")),
}


@pytest.mark.parametrize("guard", PAST)
def test_a_guard_of_the_past_looks_at_the_past(guard: str) -> None:
    """It holds for one standing and not for the other, whatever the body says."""
    holds, fails = PAST[guard]
    assert held(guard, holds, {}) is None
    assert held(guard, fails, {"reasons": "x", "due": AT + 1, "conditions": "accepted"}) == guard


def test_every_guard_of_the_past_has_its_two_standings() -> None:
    """A new guard is not left out."""
    assert set(PAST) | {CROSSED} == set(HISTORY)


@pytest.mark.parametrize(
    ("guard", "standing"),
    [
        ("consultation-done", replace(HERE, consultation_due=AT - 1)),
        ("heard-on-lifting", replace(HERE, lift_due=AT + DAY, lift_answered=True)),
    ],
)
def test_silence_beyond_a_due_time_is_an_answer_and_so_is_an_answer(
    guard: str, standing: Standing
) -> None:
    """Who was asked and let the time pass, or answered before it, was heard."""
    assert held(guard, standing, {}) is None


@pytest.mark.parametrize(
    "guard", ["consultation-overdue", "info-overdue", "heard-on-lifting", "measure-over"]
)
def test_what_was_never_due_is_never_overdue(guard: str) -> None:
    """However late it is."""
    late = Step("note", "requested", {}, 2**53 - 1, "1" * 64)
    assert unmet(HERE, (guard,), late) == guard


# --- what the body holds -----------------------------------------------------------------------

TWO: Json = [{"name": "Ana Vule"}, {"name": "Joe Bale"}]
ASKED_TWO = replace(HERE, info_items=("1", "2"))
AGREED = replace(HERE, conditions=("1", "2b"))
WITH_ITEMS = replace(HERE, items_sent=True)
MEASURE = replace(HERE, valid_until=AT)
ITEM_REFUSED: Json = {"no": 2, "decision": "refuse", "ground": "46-21-c", "reasons": "x"}

Row = tuple[str, Standing, dict[str, Json]]

GOOD: tuple[Row, ...] = (
    ("answered", HERE, {"answers": [{"text": "so"}]}),
    ("answers", ASKED_TWO, {"answers": [{"no": "2", "text": "b"}, {"no": 1, "text": "a"}]}),
    ("conditions-accepted", HERE, {}),
    ("conditions-accepted", HERE, {"conditions": []}),
    ("conditions-accepted", AGREED, {"conditions": [1, "2b"]}),
    ("confirmed-items", HERE, {"nil": True}),
    ("confirmed-items", WITH_ITEMS, {"items": ["a.pdf", 2]}),
    ("contact", HERE, {"contact": {"name": "Ro"}}),
    ("decision", HERE, {"decision": "refused"}),
    ("disputed-items", HERE, {"items": [{"no": "a b.pdf", "why": "x"}, {"no": 3, "why": "y"}]}),
    ("done", HERE, {"done": [{"no": 1}]}),
    ("done", HERE, {"done": "nothing"}),
    ("due-date", HERE, {"due": AT + 1}),
    ("evidence", HERE, {"evidence": EVIDENCE}),
    ("evidence-or-nil", HERE, {"evidence": EVIDENCE}),
    ("evidence-or-nil", HERE, {"nil": "no account was found"}),
    ("executing-authority", HERE, {"executing_authority": "withheld"}),
    ("expected-date", HERE, {"expected": AT + 1}),
    ("ground", HERE, {"ground": "46-21-b"}),
    ("intention", HERE, {"intended": "refuse", "ground": "44-11"}),
    ("intention", HERE, {"intended": "conditions", "conditions": CONDITIONS}),
    ("intention", HERE, {"intended": "postpone", "ground": "46-25", "conditions": CONDITIONS}),
    ("items", HERE, {"items": [1]}),
    ("language", HERE, {"language": "pt"}),
    ("linked-request", HERE, {"request": f"fj.justice/{'0' * 32}"}),
    ("longer", MEASURE, {"valid_until": AT + 1}),
    ("longer", HERE, {"valid_until": 1}),
    ("outcome", HERE, {"outcome": "NIL"}),
    ("own-reference", HERE, {"own_ref": "B/7"}),
    ("proceedings", HERE, {"proceedings": "tax"}),
    ("proceedings", HERE, {"proceedings": ["tax"]}),
    ("protected-person", HERE, {"pseudonym": "W1", "identity": {"name": "x"}}),
    ("questions", HERE, {"items": [{"no": 1, "text": "Which?"}]}),
    ("reason-code", HERE, {"reason": "DUPLICATE"}),
    ("reasons", HERE, {"reasons": "\u0645"}),
    ("reply-language", HERE, {"reply_language": "ar"}),
    ("review-date", HERE, {"review": AT + 1}),
    ("scope", HERE, {"scope": "full"}),
    ("scope", HERE, {"scope": "partial", "items": [{"no": 1, "decision": "accept"}]}),
    ("scope", HERE, {"scope": "partial", "items": [ITEM_REFUSED]}),
    ("signatory", HERE, {"signatories": [{"name": "Ana"}]}),
    ("text", HERE, {"text": "x"}),
    ("translations", HERE, {"translations": [{"language": "fr"}]}),
    ("two-signatories", HERE, {"signatories": TWO}),
    ("until-date", HERE, {"until": AT + 1}),
    ("validity", HERE, {"valid_from": 0, "valid_until": 1}),
    ("word-on-conditions", HERE, {"conditions": "none"}),
)

BAD: tuple[Row, ...] = (
    ("answered", HERE, {"answers": [{"no": 1}]}),
    ("answers", ASKED_TWO, {"answers": [{"no": 1, "text": "a"}]}),
    ("answers", ASKED_TWO, {"answers": [{"no": 1, "text": "a"}, {"no": 2, "text": " "}]}),
    ("answers", ASKED_TWO, {"answers": {"1": "a", "2": "b"}}),
    ("conditions-accepted", HERE, {"conditions": [1]}),
    ("conditions-accepted", AGREED, {"conditions": [1, 3]}),
    ("conditions-accepted", AGREED, {"conditions": [None]}),
    ("conditions-accepted", AGREED, {"conditions": "1"}),
    ("confirmed-items", HERE, {"items": ["a.pdf"]}),
    ("confirmed-items", HERE, {"nil": 1}),
    ("confirmed-items", WITH_ITEMS, {"nil": True}),
    ("confirmed-items", WITH_ITEMS, {"items": ["a.pdf", ""]}),
    ("confirmed-items", WITH_ITEMS, {"items": []}),
    ("contact", HERE, {"contact": "Ro"}),
    ("contact", HERE, {"contact": {"name": ""}}),
    ("decision", HERE, {"decision": "perhaps"}),
    ("disputed-items", HERE, {"items": [{"no": "a.pdf"}]}),
    ("disputed-items", HERE, {"items": [{"why": "x"}]}),
    ("disputed-items", HERE, {"items": ["a.pdf"]}),
    ("done", HERE, {"done": []}),
    ("done", HERE, {"done": 1}),
    ("due-date", HERE, {"due": AT}),
    ("due-date", HERE, {"due": True}),
    ("due-date", HERE, {"due": "2027-01-01"}),
    ("due-date", HERE, {"due": 2**53}),
    ("evidence", HERE, {"evidence": {"items": 0, "sha256": "0f" * 32}}),
    ("evidence", HERE, {"evidence": {"items": True, "sha256": "0f" * 32}}),
    ("evidence", HERE, {"evidence": {"items": 1, "sha256": "0F" * 32}}),
    ("evidence", HERE, {"evidence": {"items": 1, "sha256": 7}}),
    ("evidence", HERE, {"evidence": "a.pdf"}),
    ("evidence-or-nil", HERE, {}),
    ("evidence-or-nil", HERE, {"nil": True}),
    ("evidence-or-nil", HERE, {"evidence": EVIDENCE, "nil": "nothing was found"}),
    ("executing-authority", HERE, {"executing_authority": None}),
    ("expected-date", HERE, {"expected": AT}),
    ("ground", HERE, {"ground": ""}),
    ("ground", HERE, {"ground": "x" * 65}),
    ("intention", HERE, {"intended": "refuse"}),
    ("intention", HERE, {"intended": "conditions"}),
    ("intention", HERE, {"intended": "conditions", "conditions": []}),
    ("intention", HERE, {"intended": "conditions", "conditions": [{"no": 1}]}),
    ("intention", HERE, {"intended": "conditions", "conditions": [{"no": "!", "text": "x"}]}),
    ("intention", HERE, {"intended": "refuse", "ground": "44-11", "conditions": "costs"}),
    ("intention", HERE, {"intended": "wait", "ground": "44-11"}),
    ("items", HERE, {"items": "all"}),
    ("language", HERE, {"language": ["pt"]}),
    ("linked-request", HERE, {"request": "71"}),
    ("linked-request", HERE, {"request": 71}),
    ("longer", MEASURE, {"valid_until": AT}),
    ("longer", MEASURE, {}),
    ("outcome", HERE, {"outcome": 1}),
    ("own-reference", HERE, {"own_ref": "\t"}),
    ("proceedings", HERE, {}),
    ("protected-person", HERE, {"pseudonym": "W1", "identity": {}}),
    ("protected-person", HERE, {"pseudonym": "", "identity": {"name": "x"}}),
    ("questions", HERE, {"items": [{"no": 1}]}),
    ("questions", HERE, {"items": [{"text": "Which?"}]}),
    ("questions", HERE, {"items": [{"no": True, "text": "Which?"}]}),
    ("questions", HERE, {"items": [{"no": 2**53, "text": "Which?"}]}),
    ("questions", HERE, {"items": [{"no": n, "text": "Which?"} for n in range(257)]}),
    ("reason-code", HERE, {"reason": " "}),
    ("reasons", HERE, {"reasons": " "}),
    ("reply-language", HERE, {}),
    ("review-date", HERE, {"review": AT}),
    ("scope", HERE, {"scope": "some"}),
    ("scope", HERE, {"scope": "partial"}),
    ("scope", HERE, {"scope": "partial", "items": [1]}),
    ("scope", HERE, {"scope": "partial", "items": [{"decision": "accept"}]}),
    ("scope", HERE, {"scope": "partial", "items": [{"no": 1, "decision": "maybe"}]}),
    ("scope", HERE, {"scope": "partial", "items": [{"no": 1, "decision": ["accept"]}]}),
    ("scope", HERE, {"scope": "partial", "items": [{"no": 1, "decision": "refuse"}]}),
    ("scope", HERE, {"scope": "full", "items": [{"no": 1, "decision": "postpone"}]}),
    ("signatory", HERE, {"signatories": [{"role": "director"}]}),
    ("text", HERE, {"text": {"en": "x"}}),
    ("translations", HERE, {"translations": [{"language": ""}]}),
    ("two-signatories", HERE, {"signatories": [{"name": "Ana Vule"}, {"name": "ANA  VULE "}]}),
    ("two-signatories", HERE, {"signatories": ["Ana", "Joe"]}),
    ("until-date", HERE, {"until": AT}),
    ("validity", HERE, {"valid_from": 1, "valid_until": 1}),
    ("validity", HERE, {"valid_until": 1}),
    ("word-on-conditions", HERE, {"conditions": ["accepted"]}),
)


@pytest.mark.parametrize(("guard", "standing", "body"), GOOD)
def test_a_guard_lets_through_what_it_asks_for(
    guard: str, standing: Standing, body: dict[str, Json]
) -> None:
    """Each form that the specification allows."""
    assert held(guard, standing, body) is None


@pytest.mark.parametrize(("guard", "standing", "body"), BAD)
def test_a_guard_stops_what_is_missing_or_in_another_form(
    guard: str, standing: Standing, body: dict[str, Json]
) -> None:
    """And says its own name, which both sides then show."""
    assert held(guard, standing, body) == guard


def test_every_guard_of_a_body_stands_in_both_tables() -> None:
    """A new guard is not left out."""
    assert {guard for guard, _, _ in GOOD} == set(BODY)
    assert {guard for guard, _, _ in BAD} == set(BODY)


# --- what the law forbids, whatever else is right ----------------------------------------------


@pytest.mark.parametrize("rule", [r.id for r in RULES if r.event in ("refuse", "postpone")])
def test_nobody_refuses_or_postpones_without_having_consulted(rule: str) -> None:
    """UNCAC 46(26), from every state in which a decision can be made."""
    scene = scenes()[rule]
    unheard = replace(scene.standing, consultation_done=False, consultation_due=None)
    assert apply(scene.standing, scene.step).rule == scene.rule
    assert apply(unheard, scene.step).why == "guard:consultation-done"


@pytest.mark.parametrize("rule", [r.id for r in RULES if r.event.startswith("refuse")])
def test_nobody_refuses_alone(rule: str) -> None:
    """Two different people sign a refusal, of the whole or of the rest."""
    scene = scenes()[rule]
    for names in (["Ana"], ["Ana", "ana "], []):
        signatories: Json = [{"name": name} for name in names]
        step = replace(scene.step, body={**scene.step.body, "signatories": signatories})
        assert apply(scene.standing, step).why == "guard:two-signatories"


@pytest.mark.parametrize("rule", ["T22", "T24", "T28"])
def test_a_decision_uses_up_the_consultation_before_it(rule: str) -> None:
    """Whoever refuses later has to consult again."""
    scene = scenes()[rule]
    consulted = replace(scene.standing, consultation_done=True, proposed=("1",))
    after = apply(consulted, scene.step).standing
    assert after is not None
    assert (after.consultation_done, after.consultation_due, after.proposed) == (False, None, ())


def test_a_late_answer_is_noted_and_changes_nothing() -> None:
    """It may be why the case is opened again; the condition it accepts is not agreed."""
    for rule in ("N26.1", "N27.1", "N27.3"):
        scene = scenes()[rule]
        standing = replace(scene.standing, proposed=("1",))
        applied = apply(standing, scene.step)
        assert (applied.standing, applied.rule) == (standing, scene.rule)


def test_what_was_delivered_bars_the_refusal_of_the_whole() -> None:
    """The rest can be refused, so that what came can be confirmed."""
    for whole, rest in (("T30", "T67"), ("T41", "T68")):
        scene, remainder = scenes()[whole], scenes()[rest]
        sent = replace(scene.standing, result_sent=True, items_sent=True)
        assert apply(sent, scene.step).why == "guard:nothing-delivered"
        assert apply(sent, replace(scene.step, event="refuse_remainder")).rule == remainder.rule
        assert apply(scene.standing, replace(scene.step, event="refuse_remainder")).rule is None
