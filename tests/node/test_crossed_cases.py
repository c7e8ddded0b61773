"""Real nodes in which both sides move at once: they agree where each case stands.

`tests/stories` goes through all interleavings with replicas; here one pair of moves for each
state in which both may move goes through signatures, queues, logs and storage.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from node.storage import standing_rows
from node.storage.standing_rows import StoredStanding
from protocol.encoding import Json
from protocol.lifecycle import OneSide, State, Step, apply, decode_standing
from tests.support.lifecycles import body_of, explored
from tests.support.pair import FIJI, QUMRAN, Pair

NODES: dict[OneSide, str] = {"requesting": FIJI, "requested": QUMRAN}
CROSSINGS: list[tuple[str, str, str]] = [
    ("DELIVERED", "withdraw", "acknowledge"),
    ("ACKNOWLEDGED", "withdraw", "request_information"),
    ("INFO_REQUESTED", "provide_information", "reminder"),
    ("IN_CONSULTATION", "withdraw", "note"),
    ("POSTPONED", "withdraw", "resume_review"),
    ("ACCEPTED", "withdraw", "assign_execution"),
    ("IN_EXECUTION", "withdraw", "send_final_result"),
    ("MEASURE_IN_FORCE", "extension_requested", "intent_to_lift"),
    ("PARTIALLY_EXECUTED", "withdraw", "send_final_result"),
    ("REFUSED", "close", "reopen"),
    ("RETURNED", "close", "reopen"),
    ("WITHDRAWAL_PENDING", "note", "confirm_withdrawal"),
]


@dataclass(slots=True)
class RealCase:
    """A case that two real nodes hold."""

    pair: Pair
    id: str = ""

    async def open(self) -> None:
        """Open a case about a measure that is limited in time."""
        register, sender = self.pair[FIJI].node.register, self.pair[FIJI]
        posted = await sender.write(
            lambda tx: register.send_request(tx, to=QUMRAN, request_kind="FREEZING", body={})
        )
        self.id = posted.case

    async def post(self, side: OneSide, event: str) -> None:
        """Post an event with a good body, as its side sees the case now."""
        row = self.row(side)
        standing = decode_standing(row.standing.encode())
        body: dict[str, Json] = body_of(event, standing, self.pair.clock.now())
        await self.pair.event(self.id, sender=NODES[side], kind=event, body=body)

    async def exchange(self, *sides: OneSide) -> None:
        """Let all that waits at these sides arrive, one side after the other."""
        for side in sides:
            other: OneSide = "requested" if side == "requesting" else "requesting"
            await self.pair[NODES[side]].send_to(NODES[other])

    async def say(self, side: OneSide, event: str) -> None:
        """Post an event and let it arrive."""
        await self.post(side, event)
        await self.exchange(side)

    def row(self, side: OneSide) -> StoredStanding:
        """Give what a side keeps of where the case stands."""
        row = self.pair[NODES[side]].read(lambda conn: standing_rows.read_standing(conn, self.id))
        assert row is not None
        return row

    async def bring_to(self, state: str) -> None:
        """Say what leads a case there, nearest way first."""
        await self.open()
        await self.exchange("requesting")
        for side, event in way_to(state):
            self.pair.clock.jump(1)
            await self.say(side, event)
        assert self.row("requested").state == self.row("requesting").state == state


def way_to(state: str) -> list[tuple[OneSide, str]]:
    """Give the events that lead a freezing request to a state, the opening left out."""
    found = explored()
    shape = next(
        shape
        for shape, one in found.standings.items()
        if one.state == State(state) and one.kind == "FREEZING" and len(found.paths[shape])
    )
    return [(step.side, step.event) for step in found.paths[shape][1:]]


BOTH_WAYS = [
    # Each crossing once here, requesting and requested side in turn; the other way when slow.
    pytest.param(*row, first, id=f"{row[0]}-{first}", marks=() if quick else pytest.mark.slow)
    for number, row in enumerate(CROSSINGS)
    for first, quick in (("requesting", number % 2 == 0), ("requested", number % 2 == 1))
]


@pytest.mark.parametrize(("state", "theirs", "ours", "first"), BOTH_WAYS)
async def test_two_moves_that_cross_leave_both_sides_at_one_place(
    light_pair: Pair, state: str, theirs: str, ours: str, first: OneSide
) -> None:
    """Whichever arrives first, and although an answer is lost and a batch comes twice."""
    case = RealCase(light_pair)
    await case.bring_to(state)
    before = case.row("requesting")
    sides: tuple[OneSide, OneSide] = ("requesting", "requested")
    await case.post("requesting", theirs)
    asks = case.row("requesting")
    moved = apply(decode_standing(before.standing.encode()), _latest(theirs, before, light_pair))
    assert moved.standing is not None
    assert asks.state == state
    shown = moved.standing.state
    assert asks.unconfirmed == (None if shown == state else shown.value)
    if first == "requesting":
        light_pair.link(FIJI, QUMRAN).next("lose the answer")
        await case.exchange("requesting")
    await case.post("requested", ours)
    light_pair.link(QUMRAN, FIJI).next("double the batch")
    for _ in range(2):
        light_pair.clock.jump(100)
        await case.exchange(*sides)
    asks, asked = case.row("requesting"), case.row("requested")
    assert asks.unconfirmed is None
    assert (asks.standing, asks.state) == (asked.standing, asked.state)
    assert decode_standing(asks.standing.encode()).state == asks.state
    assert not light_pair[FIJI].waiting() + light_pair[QUMRAN].waiting()


def _latest(event: str, row: StoredStanding, pair: Pair) -> Step:
    standing = decode_standing(row.standing.encode())
    now = pair.clock.now()
    return Step(event, "requesting", body_of(event, standing, now), now, "1" * 64)
