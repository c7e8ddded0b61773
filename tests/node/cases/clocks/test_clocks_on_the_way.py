"""What clocks do that no line of the table says: on the way, by basis, by State, by hand."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.cases.clocks import table
from node.cases.clocks.timetable import lapsed_measures, undelivered
from node.cases.law import Limit, load_law
from node.storage.clock_rows import Clock
from node.storage.engine import Database
from protocol.encoding import Json
from protocol.lifecycle import State
from tests.support.clock_stories import (
    DAY,
    HOUR,
    MEASURE,
    MONDAY,
    PLAIN,
    ROWS,
    URGENT,
    at,
    end_of,
    name,
    played,
)
from tests.support.clockwork import SIDES, Clockwork
from tests.support.lifecycles import explored
from tests.support.strategies import json_values

MOVING: Final = sorted(
    name for name, one in explored().scenes.items() if one.rule.source != one.rule.target
)


@pytest.mark.parametrize("rule", MOVING)
def test_nobody_is_forgotten(light: Database, rule: str) -> None:
    """Along every rule that there is, a clock waits for somebody until the case is closed."""
    found = explored().scenes[rule]
    scene = Clockwork(light, found.before[0].body["request_kind"], name=name())  # type: ignore[arg-type]  # a text
    for step in (*found.before, found.step):
        scene.take(step)
    assert scene.open() or found.rule.target is State.CLOSED
    assert scene.shared("requesting") == scene.shared("requested")


def test_when_a_case_is_closed_only_what_outlives_it_goes_on(light: Database) -> None:
    """Questions end with the case; the return of what was lent, and consent, do not."""
    scene = Clockwork(light, name=name())
    scene.send({**PLAIN, "deadline": "2027-01-01"}, at=MONDAY)
    scene.step("acknowledge", "requested", at=MONDAY + DAY, body={"return_due": "2026-12-01"})
    scene.step("status_query", "requesting", at=MONDAY + DAY)
    scene.step("withdraw", "requesting", at=MONDAY + 2 * DAY)
    scene.step("confirm_withdrawal", "requested", at=MONDAY + 3 * DAY)
    scene.step("close", "requesting", at=MONDAY + 4 * DAY)
    assert set(scene.open()) == {"return_due"}
    assert scene.clock("status_reply").ended_how == "withdrawn"


def test_a_request_on_its_way_has_the_clock_of_delivery(light: Database) -> None:
    """An hour where it presses; a receipt ends it, and what is late is named to the node."""
    scene = Clockwork(light, name=name())
    scene.post(URGENT, at=MONDAY)
    clock = scene.clock("delivery", "requesting")
    assert (clock.due_at, clock.waits_for) == (MONDAY + HOUR, "them")
    case = scene.case_id("requesting")
    assert case not in light.read(lambda conn: undelivered(conn, MONDAY + HOUR - 1))
    assert case in light.read(lambda conn: undelivered(conn, MONDAY + HOUR))
    scene.send(URGENT, at=MONDAY)
    assert scene.clock("delivery", "requesting").ended_how == "met"
    assert case not in light.read(lambda conn: undelivered(conn, MONDAY + HOUR))
    assert scene.open("requested").keys() == {"acknowledgement"}


def test_a_measure_that_has_run_out_is_named_to_the_side_that_set_it(light: Database) -> None:
    """Not before its time, not on the other side, and not once it was said."""
    scene = played(light, replace(ROWS[0], kind="PRESERVATION", moves=MEASURE))
    until = at("2026-08-04T09:00")
    cases = [scene.case_id(side) for side in SIDES]

    def found(now: int) -> list[str]:
        return [one for one in light.read(lambda conn: lapsed_measures(conn, now)) if one in cases]

    assert found(until - 1) == []
    assert found(until) == [scene.case_id("requested")]
    scene.step("measure_expired", "requested", at=until)
    assert found(until) == []


def test_a_step_without_its_place_moves_no_clock(light: Database) -> None:
    """What we have said and the other side has not ordered yet may still come to nothing."""
    scene = Clockwork(light, name=name())
    scene.send(PLAIN, at=MONDAY)
    before = scene.all("requesting")
    scene.post(PLAIN, at=MONDAY + DAY)
    assert [one for one in scene.all("requesting") if one.name != "delivery"] == [
        one for one in before if one.name != "delivery"
    ]


def test_a_step_that_is_not_allowed_starts_nothing(light: Database) -> None:
    """A question that the table does not know where the case stands is only a note."""
    scene = Clockwork(light, name=name())
    scene.send(PLAIN, at=MONDAY)
    scene.step("intent_to_lift", "requested", at=MONDAY + DAY)
    scene.step("delay_notice", "requesting", at=MONDAY + DAY)
    assert set(scene.open()) == {"acknowledgement"}


def test_the_limit_of_the_legal_basis_comes_before_the_default(light: Database) -> None:
    """Where its profile says how long, that holds: also against what the other side expects."""
    own = Limit(count=10, unit="working_days", source="Treaty 9(2)")
    law = load_law()
    basis = law.bases["UNCAC"].model_copy(update={"limits": {"decision": own}})
    ours = replace(law, bases=MappingProxyType({**law.bases, "UNCAC": basis}))
    scene = Clockwork(light, name=name(), law=ours)
    scene.send(PLAIN, at=MONDAY)
    expected: dict[str, Json] = {"decision_expected": MONDAY + 90 * DAY}
    scene.step("acknowledge", "requested", at=at("2026-06-02T09:00"), body=expected)
    clock = scene.clock("decision")
    assert (clock.due_at, clock.rule) == (end_of("2026-06-16"), "10 working days (Treaty 9(2))")
    # Two working days have gone when it stops; eight are left when it goes on.
    scene.step("request_information", "requested", at=at("2026-06-04T09:00"))
    scene.step("provide_information", "requesting", at=at("2026-06-12T16:00"))
    assert scene.clock("decision").due_at == end_of("2026-06-24")


def test_an_arrest_that_outlasts_its_treaty_has_a_second_clock(light: Database) -> None:
    """The profile's limit is warned of, whatever end the measure itself states."""
    own = Limit(count=40, unit="days", source="Treaty 12(4)")
    law = load_law()
    basis = law.bases["UNCAC"].model_copy(update={"limits": {"provisional_arrest": own}})
    ours = replace(law, bases=MappingProxyType({**law.bases, "UNCAC": basis}))
    scene = Clockwork(light, "PROVISIONAL_ARREST", name=name(), law=ours)
    scene.send(PLAIN, at=MONDAY)
    for move in MEASURE:
        scene.step(move[0], move[1], at=at(move[2]), body=move[3] if len(move) > 3 else None)
    assert scene.clock("provisional_arrest").due_at == at("2026-08-04T09:00")
    assert scene.clock(table.ARREST_LIMIT).due_at == end_of("2026-07-15")


def test_what_was_said_by_voice_waits_for_writing(light: Database) -> None:
    """An oral notice that was recorded has three days, until a text of the same side is there."""
    scene = Clockwork(light, "PRESERVATION", name=name())
    scene.send({**PLAIN, "channel": "ORAL"}, at=MONDAY, paper=True)
    assert scene.clock("oral_confirmation").due_at == end_of("2026-06-04")
    scene.step("supplement", "requesting", at=MONDAY + DAY)
    assert scene.clock("oral_confirmation").ended_how == "met"


def test_days_are_those_of_the_state_that_must_act(light: Database) -> None:
    """The requested State's for its decision, the requesting State's for its answer."""
    states = {"fj.justice": "FJ", "qm.justice": "MZ"}
    scene = Clockwork(light, name=name(), states=states)
    scene.send(PLAIN, at=MONDAY)
    assert scene.clock("acknowledgement").due_at == at("2026-06-08T21:59:59")  # 23:59:59 there
    scene.step("withdraw", "requesting", at=MONDAY + DAY)
    scene.step("confirm_withdrawal", "requested", at=MONDAY + 2 * DAY)
    assert scene.clock("closing").due_at == at("2026-07-03T11:59:59")  # 23:59:59 in Fiji


def test_a_clock_that_ran_backwards_between_two_machines_costs_nobody_time(
    light: Database,
) -> None:
    """A step that is signed as of before the one it answers neither shortens nor ends early."""
    scene = Clockwork(light, name=name())
    scene.send(PLAIN, at=MONDAY)
    scene.step("acknowledge", "requested", at=MONDAY - HOUR)
    clock = scene.clock("acknowledgement")
    assert (clock.ended_at, clock.ended_how) == (MONDAY, "met")
    scene.step("request_information", "requested", at=MONDAY + DAY)
    due = scene.clock("decision").due_at
    scene.step("provide_information", "requesting", at=MONDAY)
    assert scene.clock("decision").due_at == due


_TIMED: Final = ("deadline", "return_due", "released", "decision_expected", "expected", "due")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.dictionaries(st.sampled_from([*_TIMED, "legal_basis", "urgency", "channel"]),
                         json_values() | st.integers() | st.dates().map(str), max_size=6),
    event=st.sampled_from(["acknowledge", "delay_notice", "supplement", "close", "note"]),
    when=st.integers(0, 253_402_300_799),
)  # fmt: skip
def test_no_body_stops_a_clock_from_being_kept(
    light: Database, body: dict[str, Json], event: str, when: int
) -> None:
    """Whatever a peer signed, the effect takes what is in its form and leaves the rest."""
    scene = Clockwork(light, name=name())
    scene.send(body, at=when)
    scene.step(event, "requested", at=when, body=body)
    found: list[Clock] = scene.all()
    assert found
    assert all(0 <= one.due_at < 2**63 for one in found)
