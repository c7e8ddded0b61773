"""Long lives of a case between two replicas: anything is said, any letter comes any time.

Unlike in `test_interleavings`, sides here also say what they should not: events that the
table does not allow, bodies of any form. What is said is exchanged by the rules of SPEC 4; in
the end both sides hold the same.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from protocol.encoding import Json
from protocol.lifecycle import OneSide, Step, moves
from tests.support.interleavings import healed
from tests.support.lawful import broken
from tests.support.lifecycles import BEGUN_AT, DAY, ON_WIRE, opening, step_of
from tests.support.replicas import (
    Letter,
    Replica,
    accept,
    confirmed,
    give_up,
    post,
    replicas,
    settle,
    shown,
)
from tests.support.strategies import json_values

SIDES: tuple[OneSide, OneSide] = ("requesting", "requested")
KINDS = ("FREEZING", "PRESERVATION", "MLA_EVIDENCE", "SPONTANEOUS", "CONSULTATION")
WHO = st.integers(0, 1)
_SERIAL = count(1)
WHICH = st.integers(0, 63)


class LongLife(RuleBasedStateMachine):
    """Two replicas; every rule is something that a side or the link may do."""

    moved: ClassVar[set[str]] = set()

    def __init__(self) -> None:
        """Begin without a case."""
        super().__init__()
        self.sides: list[Replica] = list(replicas(None))
        self.at = BEGUN_AT

    @initialize(kind=st.sampled_from(KINDS))
    def request(self, kind: str) -> None:
        """Open the case."""
        self._post(0, opening(kind))

    def _post(self, index: int, step: Step) -> None:
        # No two letters of any two lives have one identity, as with real ones.
        named = f"{SIDES[index]} {len(self.sides[index].own) + 1} {next(_SERIAL)}"
        step = replace(step, side=SIDES[index], identity=named)
        self.sides[index], _ = post(self.sides[index], step)

    @rule(index=WHO, which=WHICH)
    def make_a_move(self, index: int, which: int) -> None:
        """Do what the table offers to this side, with a good body."""
        standing = shown(self.sides[index])
        if standing is None:
            return
        offered = list(moves(standing, SIDES[index]))
        changing = [one for one in offered if one.source != one.target]
        chosen = (which % 3 and changing) or offered  # mostly those that lead on
        self._post(index, step_of(chosen[which % len(chosen)], standing, self.at))

    @rule(
        index=WHO,
        event=st.sampled_from((*ON_WIRE, "transmit", "gossip")),
        body=st.dictionaries(st.sampled_from(("reasons", "text", "due", "items")), json_values()),
    )
    def say_anything(self, index: int, event: str, body: dict[str, Json]) -> None:
        """Say what need not be allowed; a requested side speaks only in a case it knows."""
        if index == 0 or self.sides[1].accepted:
            self._post(index, Step(event, SIDES[index], body, self.at, ""))

    @rule(days=st.sampled_from((1, 10, 100)))
    def wait(self, days: int) -> None:
        """Let time pass."""
        self.at += days * DAY

    def _letter(self, index: int, which: int) -> Letter | None:
        """Choose one of the letters whose sender knows no receipt."""
        pending = [one.letter for one in self.sides[index].own if one.fate != "delivered"]
        return pending[which % len(pending)] if pending else None

    @rule(index=WHO, which=WHICH)
    def a_letter_arrives(self, index: int, which: int) -> None:
        """In or out of its turn, once more, or after it was held for lost; no receipt yet."""
        letter = self._letter(index, which)
        if letter is not None:
            self.sides[1 - index], _ = accept(self.sides[1 - index], letter)

    @rule(index=WHO, which=WHICH)
    def a_letter_arrives_and_its_receipt_too(self, index: int, which: int) -> None:
        """As most of the time."""
        letter = self._letter(index, which)
        if letter is not None:
            self.sides[1 - index], answer = accept(self.sides[1 - index], letter)
            if not isinstance(answer, str):
                self.sides[index] = settle(self.sides[index], answer)

    @rule(index=WHO, which=WHICH)
    def a_letter_is_given_up(self, index: int, which: int) -> None:
        """Its sender holds it for undelivered; the request itself is not given up here."""
        letter = self._letter(index, which)
        if letter is not None and letter.seq > 1:
            self.sides[index] = give_up(self.sides[index], letter.identity)

    @invariant()
    def what_is_not_receipted_is_unconfirmed(self) -> None:
        """A step of the requesting side is in its history only with its order."""
        asks = self.sides[0]
        known = {identity for identity, _ in confirmed(asks).history}
        assert known.isdisjoint(letter.identity for letter in asks.unconfirmed())

    def teardown(self) -> None:
        """Let all that can arrive arrive: both sides then hold the same."""
        asks, asked = healed((self.sides[0], self.sides[1]))
        view = confirmed(asked)
        assert confirmed(asks) == view
        assert shown(asks) == view.standing
        rules = {name: word for name, word in view.history if word[-1:].isdigit()}
        steps = [one.step for one in asked.placed() if one.identity in rules]
        LongLife.moved |= set(rules.values())
        assert broken(steps) == []


def live(lives: int, steps: int) -> None:
    """Run so many lives of so many steps."""
    chosen = settings(
        max_examples=lives, stateful_step_count=steps, deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )  # fmt: skip
    run_state_machine_as_test(LongLife, settings=chosen)


def test_both_sides_end_alike_whatever_is_said_and_lost() -> None:
    """A hundred lives of sixty steps."""
    live(100, 60)


@pytest.mark.slow
def test_both_sides_end_alike_after_long_lives() -> None:
    """Five hundred lives of a hundred and fifty steps."""
    live(500, 150)
    assert len(LongLife.moved) > 50  # and it was not the same few moves each time
