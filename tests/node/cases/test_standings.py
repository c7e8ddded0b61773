"""Where cases stand: both sides alike, whatever the line does, and always derivable again."""

from __future__ import annotations

from functools import partial
from typing import Final

import pytest

from node.cases.dues import Dues
from node.cases.happened import Happened
from node.cases.register import NotNow
from node.cases.standings import decode_kept
from node.storage import case_rows, standing_rows
from node.storage.standing_rows import StoredStanding
from node.storage.writer import Tx
from protocol.encoding import Json
from protocol.limits import MESSAGE_LIFETIME_S
from tests.support.pair import FIJI, QUMRAN, Pair

DAY_S: Final = 86_400
CONTACT: Final[dict[str, Json]] = {"name": "Amal", "function": "case officer"}
ACKNOWLEDGE: Final[dict[str, Json]] = {
    "own_ref": "QM/77", "contact": CONTACT, "reply_language": "en",
}  # fmt: skip
ACCEPT: Final[dict[str, Json]] = {"scope": "full"}
WITHDRAW: Final[dict[str, Json]] = {"reasons": "No longer needed."}


def standing(pair: Pair, name: str, case: str) -> StoredStanding:
    """Give where a node says that a case stands."""
    found = pair[name].read(lambda conn: standing_rows.read_standing(conn, case))
    assert found is not None
    return found


def assert_alike(pair: Pair, case: str) -> None:
    """Fail unless both sides hold the same standing, and each can derive it again."""
    ours, theirs = standing(pair, FIJI, case), standing(pair, QUMRAN, case)
    assert (ours.state, ours.standing, ours.applied) == (
        theirs.state, theirs.standing, theirs.applied,
    )  # fmt: skip
    for name in (FIJI, QUMRAN):
        row = pair[name].read(lambda conn: case_rows.read_case(conn, case))
        assert row is not None
        kept = standing(pair, name, case)
        folded = pair[name].read(partial(pair[name].node.register.standings.fold, case=row))
        assert folded == (decode_kept(kept), kept.applied)
        assert row.state == kept.state


async def move(pair: Pair, name: str, case: str, event: str, body: dict[str, Json]) -> None:
    """Make a move that must have an effect, and leave it in the queue."""
    register = pair[name].node.register
    await pair[name].write(lambda tx: register.make_move(tx, case, event=event, body=body))


def dues_of(pair: Pair, name: str = FIJI) -> Dues:
    """Give what makes the steps of a node that fall due."""
    node = pair[name].node
    return Dues(node.register, node.database, node.writer, pair.clock)


async def exchanged(pair: Pair) -> str:
    """Open a case that the other side has acknowledged."""
    case = (await pair.request({"own_ref": "FJ/1"})).case
    await pair[FIJI].send_to(QUMRAN)
    await move(pair, QUMRAN, case, "acknowledge", ACKNOWLEDGE)
    await pair[QUMRAN].send_to(FIJI)
    return case


async def test_both_sides_reach_the_same_standing(pair: Pair) -> None:
    """Each by the messages and receipts that it holds."""
    case = (await pair.request({"own_ref": "FJ/1"})).case
    assert standing(pair, FIJI, case).state == "SENT"
    await pair[FIJI].send_to(QUMRAN)
    assert standing(pair, FIJI, case).state == standing(pair, QUMRAN, case).state == "DELIVERED"
    await move(pair, QUMRAN, case, "acknowledge", ACKNOWLEDGE)
    await pair[QUMRAN].send_to(FIJI)
    assert standing(pair, FIJI, case).state == "ACKNOWLEDGED"
    assert_alike(pair, case)


async def test_each_side_knows_both_references(pair: Pair) -> None:
    """Its own and the other's."""
    case = await exchanged(pair)
    ours, theirs = standing(pair, FIJI, case), standing(pair, QUMRAN, case)
    assert (ours.own_ref, ours.peer_ref) == ("FJ/1", "QM/77")
    assert (theirs.own_ref, theirs.peer_ref) == ("QM/77", "FJ/1")
    for name, reference in ((FIJI, "qm/77"), (QUMRAN, "fj/1")):
        found = pair[name].read(partial(standing_rows.find_by_reference, reference=reference))
        assert found == [case]


async def test_a_step_of_the_requesting_side_is_unconfirmed_until_its_receipt(pair: Pair) -> None:
    """What the other side has not ordered may still be overtaken."""
    case = await exchanged(pair)
    await move(pair, FIJI, case, "withdraw", WITHDRAW)
    before = standing(pair, FIJI, case)
    assert (before.state, before.unconfirmed) == ("ACKNOWLEDGED", "WITHDRAWAL_PENDING")
    await pair[FIJI].send_to(QUMRAN)
    after = standing(pair, FIJI, case)
    assert (after.state, after.unconfirmed) == ("WITHDRAWAL_PENDING", None)
    assert_alike(pair, case)


@pytest.mark.parametrize("first", [FIJI, QUMRAN])
async def test_moves_that_cross_end_alike_on_both_sides(light_pair: Pair, first: str) -> None:
    """Whoever's message is carried first: the requested side's order decides."""
    pair, case = light_pair, await exchanged(light_pair)
    await move(pair, QUMRAN, case, "accept", ACCEPT)
    await move(pair, FIJI, case, "withdraw", WITHDRAW)
    second = QUMRAN if first == FIJI else FIJI
    await pair[first].send_to(second)
    await pair[second].send_to(first)
    assert standing(pair, QUMRAN, case).state == "WITHDRAWAL_PENDING"
    assert_alike(pair, case)


async def test_a_result_that_crosses_a_withdrawal_overtakes_it_by_itself(
    light_pair: Pair,
) -> None:
    """The requested node says so; nobody has to."""
    pair, case = light_pair, await exchanged(light_pair)
    for event, body in (
        ("accept", ACCEPT),
        ("assign_execution", {"executing_authority": "withheld"}),
    ):
        await move(pair, QUMRAN, case, event, body)  # type: ignore[arg-type]  # dict is invariant
    await pair[QUMRAN].send_to(FIJI)
    nil: dict[str, Json] = {"outcome": "NIL", "nil": "Nothing was found."}
    await move(pair, QUMRAN, case, "send_final_result", nil)
    await move(pair, FIJI, case, "withdraw", WITHDRAW)
    await pair[FIJI].send_to(QUMRAN)
    await pair[QUMRAN].send_to(FIJI)
    assert standing(pair, FIJI, case).state == "EXECUTED"
    assert_alike(pair, case)


async def test_a_move_that_would_have_no_effect_is_refused_with_those_that_would(
    light_pair: Pair,
) -> None:
    """And nothing is posted."""
    pair, case = light_pair, await exchanged(light_pair)
    before = len(pair[QUMRAN].rows("messages"))
    with pytest.raises(NotNow, match=r"Possible now: .*accept"):
        await move(pair, QUMRAN, case, "send_final_result", {"outcome": "FULL"})
    assert len(pair[QUMRAN].rows("messages")) == before


async def test_what_is_not_allowed_is_accepted_and_changes_nothing(light_pair: Pair) -> None:
    """Law never decides about delivery."""
    pair, case = light_pair, await exchanged(light_pair)
    await pair.event(case, sender=QUMRAN, kind="confirm_result", body={})
    await pair.event(case, sender=QUMRAN, kind="no_such_event", body={})
    await pair[QUMRAN].send_to(FIJI)
    assert standing(pair, FIJI, case).state == "ACKNOWLEDGED"
    assert_alike(pair, case)


async def test_a_step_that_is_given_up_is_undone(light_pair: Pair) -> None:
    """The other side never saw it, so it never happened."""
    pair, case = light_pair, await exchanged(light_pair)
    await move(pair, QUMRAN, case, "accept", ACCEPT)
    assert standing(pair, QUMRAN, case).state == "ACCEPTED"
    pair.clock.jump(MESSAGE_LIFETIME_S + 1)
    await pair[QUMRAN].write(pair[QUMRAN].node.outbox.give_up_expired)
    assert standing(pair, QUMRAN, case).state == "ACKNOWLEDGED"
    assert standing(pair, QUMRAN, case).standing == standing(pair, FIJI, case).standing


async def test_a_request_that_never_arrived_shows_so_and_can_be_abandoned(
    light_pair: Pair,
) -> None:
    """If it arrives after all, it is withdrawn at once."""
    pair = light_pair
    case = (await pair.request()).case
    pair.clock.jump(2 * DAY_S)
    assert await dues_of(pair).pay_all() == 1
    assert standing(pair, FIJI, case).state == "UNDELIVERABLE"
    await pair[FIJI].write(partial(pair[FIJI].node.register.abandon, name=case))
    assert standing(pair, FIJI, case).state == "CLOSED"
    await pair[FIJI].send_to(QUMRAN)
    await pair[FIJI].send_to(QUMRAN)
    assert standing(pair, QUMRAN, case).state == "WITHDRAWAL_PENDING"
    assert_alike(pair, case)


async def test_a_lost_standing_is_derived_when_the_node_starts(pair: Pair) -> None:
    """As after a migration from a release that kept none."""
    case = await exchanged(pair)
    kept = standing(pair, FIJI, case)
    pair[FIJI].node.database.transact(lambda conn: conn.exec_driver_sql("DELETE FROM standings"))
    pair.close(FIJI)
    again = standing(pair, FIJI, case)
    assert (again.state, again.standing, again.applied) == (
        kept.state, kept.standing, kept.applied,
    )  # fmt: skip
    assert (again.own_ref, again.peer_ref) == (kept.own_ref, kept.peer_ref)
    assert (again.delivered_at, again.acknowledged_at) == (kept.delivered_at, kept.acknowledged_at)
    assert_alike(pair, case)


def _hear(heard: list[tuple[str, bool, bool, str | None]], tx: Tx, one: Happened) -> None:
    """Keep what an effect is told, inside a unit of work."""
    assert tx.conn.in_transaction()
    after = None if one.after is None else str(one.after.state)
    heard.append((one.event, one.ours, one.confirmed, after))


async def test_effects_hear_of_our_own_step_before_and_after_its_receipt(
    light_pair: Pair,
) -> None:
    """In the very unit that makes it, on both sides."""
    pair = light_pair
    heard: dict[str, list[tuple[str, bool, bool, str | None]]] = {FIJI: [], QUMRAN: []}
    for name in (FIJI, QUMRAN):
        pair[name].node.register.standings.effects = (partial(_hear, heard[name]),)
    await pair.request()
    await pair[FIJI].send_to(QUMRAN)
    assert heard[FIJI] == [
        ("transmit", True, False, "DELIVERED"),
        ("transmit", True, True, "DELIVERED"),
    ]
    assert heard[QUMRAN] == [("transmit", False, True, "DELIVERED")]


async def test_sending_again_gives_a_request_new_time_and_is_the_same_message(
    light_pair: Pair,
) -> None:
    """It stands as sent until that time is over too, and arrives once."""
    pair = light_pair
    posted = await pair.request()
    register, dues = pair[FIJI].node.register, dues_of(pair)
    with pytest.raises(NotNow):
        await pair[FIJI].write(partial(register.send_again, name=posted.case))
    pair.clock.jump(2 * DAY_S)
    assert await dues.pay_all() == 1
    assert standing(pair, FIJI, posted.case).state == "UNDELIVERABLE"
    await pair[FIJI].write(partial(register.send_again, name=posted.case))
    assert standing(pair, FIJI, posted.case).state == "SENT"
    assert await dues.pay_all() == 0
    pair.clock.jump(2 * DAY_S)
    assert await dues.pay_all() == 1
    await pair[FIJI].send_to(QUMRAN)
    assert standing(pair, FIJI, posted.case).state == "DELIVERED"
    assert len(pair[QUMRAN].rows("messages")) == 1
    assert pair[FIJI].records().count("case.sent-again") == 1


async def test_a_measure_ends_by_itself_when_its_time_is_over(light_pair: Pair) -> None:
    """The requested node says so, once, and both sides show it lapsed."""
    pair = light_pair
    register = pair[FIJI].node.register
    posted = await pair[FIJI].write(
        lambda tx: register.send_request(tx, to=QUMRAN, request_kind="PRESERVATION", body={})
    )
    await pair[FIJI].send_to(QUMRAN)
    now = pair.clock.now()
    for event, body in (
        ("acknowledge", ACKNOWLEDGE), ("accept", ACCEPT),
        ("assign_execution", {"executing_authority": "withheld"}),
        ("impose_measure", {"valid_from": now, "valid_until": now + 60 * DAY_S}),
    ):  # fmt: skip
        await move(pair, QUMRAN, posted.case, event, dict(body))
    await pair[QUMRAN].send_to(FIJI)
    assert standing(pair, FIJI, posted.case).state == "MEASURE_IN_FORCE"
    assert await dues_of(pair, QUMRAN).pay_all() == 0
    pair.clock.jump(61 * DAY_S)
    assert await dues_of(pair, QUMRAN).pay_all() == 1
    assert await dues_of(pair, QUMRAN).pay_all() == 0
    await pair[QUMRAN].send_to(FIJI)
    assert standing(pair, FIJI, posted.case).state == "LAPSED"
    assert_alike(pair, posted.case)
