"""What a case keeps between two messages: its encoding, what a node owes by it, any input."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.encoding import Json, canonical
from protocol.errors import Rejected
from protocol.lifecycle import EVENTS, OneSide, Rule, State, Step, apply, decode_standing, owed
from protocol.limits import STANDING_BYTES_MAX, STANDING_NUMBERS_MAX
from tests.support.lifecycles import BEGUN_AT, DAY, ON_WIRE, SHARED, begun, scenes
from tests.support.strategies import json_values

SIDES: tuple[OneSide, ...] = ("requesting", "requested")
EVERY = pytest.mark.parametrize("rule", SHARED, ids=lambda rule: rule.id)


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
