"""A peer whose messages say anything, in any number and order: kept, receipted, and harmless."""

from __future__ import annotations

from tests.node.adversary_cases.hostile import Hostile
from tests.support.pair import FIJI, QUMRAN, Pair


async def test_a_counter_that_goes_back_is_a_contradiction(pair: Pair) -> None:
    """Who numbers a case cannot put each new message before all others, to be judged anew."""
    posted = await pair.request()
    await pair[FIJI].send_to(QUMRAN)
    peer = Hostile.answering(pair, posted.case)
    assert (await peer.say("note", {"text": "far"}, order=2**40)).receipt is not None
    verdict = await peer.say("note", {"text": "before it"}, order=2**39)
    assert verdict.refusal == "equivocation"
    assert pair[FIJI].alarms() == ["equivocation"]
    pair.assert_sound()


async def test_what_came_late_has_the_place_that_it_was_given(pair: Pair) -> None:
    """An answer that was numbered before our receipt, and comes after it, is no contradiction."""
    posted = await pair.request()
    await pair[FIJI].send_to(QUMRAN)
    peer = Hostile.answering(pair, posted.case)
    answer = peer.made("note", {"text": "numbered first"}, order=2)
    await pair[QUMRAN].write(lambda tx: tx.conn.exec_driver_sql("UPDATE cases SET order_last = 2"))
    await pair.event(posted.case, sender=FIJI)
    await pair[FIJI].send_to(QUMRAN)
    (verdict,) = await peer.offer(answer)
    assert verdict.receipt is not None
    orders = [row["order_number"] for row in pair[FIJI].rows("messages")]
    assert sorted(str(one) for one in orders) == ["1", "2", "3"]
