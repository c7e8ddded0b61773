"""The counts of the listener, without a listener."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.transport.limits import TransportLimits
from node.transport.quota import Buckets, Gate, Slots
from protocol.errors import Busy, Misuse
from tests.support.clock import ManualClock

LIMITS = TransportLimits(
    connections_max=5, strangers_max=3, connections_per_peer_max=2, requests_max=3,
    requests_per_peer_max=2, rate_per_peer=2.0, rate_burst=4.0, buckets_max=3,
)  # fmt: skip


@dataclass(eq=False)
class Guest:
    """A visitor that remembers being sent away."""

    idle: bool = True
    gone: bool = False

    def cut(self) -> None:
        """Remember it."""
        self.gone = True


@given(st.lists(st.tuples(st.sampled_from(["admit", "recognise", "leave"]), st.integers(0, 9),
                          st.sampled_from("abc")), max_size=60))  # fmt: skip
def test_the_gate_never_holds_more_than_its_bounds(steps: list[tuple[str, int, str]]) -> None:
    """Whatever happens in whatever order, the counts hold and nobody is cut and kept."""
    gate = Gate(LIMITS)
    inside: list[Guest] = []
    for step, number, authority in steps:
        if step == "admit":
            guest = Guest(idle=number % 2 == 0)
            if gate.admit(guest):
                inside.append(guest)
        elif inside:
            guest = inside[number % len(inside)]
            if step == "leave":
                gate.leave(guest)
                inside.remove(guest)
            else:
                try:
                    gate.recognise(guest, authority)
                except Busy:
                    gate.leave(guest)
                    inside.remove(guest)
        inside = [each for each in inside if not each.gone]
        assert gate.count == len(inside) <= LIMITS.connections_max
        assert {id(each) for each in gate.everybody()} == {id(each) for each in inside}


def test_the_oldest_stranger_goes_and_peers_stay() -> None:
    """A connection that has shown a signature is not at the mercy of strangers."""
    gate = Gate(LIMITS)
    peer, first, *rest = (Guest() for _ in range(8))
    gate.admit(peer)
    gate.recognise(peer, "a")
    for guest in (first, *rest):
        assert gate.admit(guest)
    assert first.gone
    assert not peer.gone
    assert not rest[-1].gone


def test_a_full_house_of_peers_turns_strangers_away() -> None:
    """With no stranger to send away, the newcomer is not let in."""
    gate = Gate(LIMITS)
    for number in range(5):
        guest = Guest()
        assert gate.admit(guest)
        gate.recognise(guest, f"peer-{number}")
    assert not gate.admit(Guest())


def test_slots_are_given_back_whatever_happens() -> None:
    """A failed request frees its place; a refused one took none."""
    slots = Slots(LIMITS)
    with slots.take("a"), slots.take("a"):
        with pytest.raises(Busy), slots.take("a"):
            pass
        with slots.take("b"), pytest.raises(Busy), slots.take("c"):
            pass
    with pytest.raises(RuntimeError), slots.take("a"):
        raise RuntimeError
    with slots.take("a"), slots.take("a"):
        pass


def test_a_bucket_fills_with_time_and_no_further_than_its_burst() -> None:
    """Two a second, four at once."""
    clock = ManualClock()
    buckets = Buckets(LIMITS, clock.monotonic)

    def taken() -> int:
        count = 0
        while True:
            try:
                buckets.take("a")
            except Busy:
                return count
            count += 1

    assert taken() == 4
    clock.advance(1)
    assert taken() == 2
    clock.advance(1_000)
    assert taken() == 4
    buckets.take("b")


def test_made_up_names_cannot_fill_the_memory() -> None:
    """The bucket unused for longest is forgotten."""
    buckets = Buckets(LIMITS, ManualClock().monotonic)
    for number in range(1_000):
        buckets.take(str(number))
    assert len(buckets._buckets) == 3


@pytest.mark.parametrize("name", [field.name for field in fields(TransportLimits)])
def test_no_limit_can_be_switched_off(name: str) -> None:
    """Zero, which some libraries take for `none`, is a mistake of the settings."""
    with pytest.raises(Misuse, match=name):
        replace(LIMITS, **{name: 0})
