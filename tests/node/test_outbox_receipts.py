"""The outbox and receipts: only its recipient's proof of this very message delivers it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from node.examined import Proven
from protocol.receipt import decode_receipt
from protocol.record import decode_decision
from tests.support.forge import flipped
from tests.support.pair import FIJI, QUMRAN, TONGA, Pair
from tests.support.receipts import accepted, assert_still_queued, receipt_of, refusal_of, settle


async def test_a_receipt_with_a_changed_byte_delivers_nothing(light_pair: Pair) -> None:
    """Whichever byte it is: kept, alarmed, and the message waits on."""
    identity, receipt = await accepted(light_pair)
    changed = [flipped(receipt, place) for place in range(0, len(receipt), 97)]
    await settle(light_pair, *changed)
    alarms = ["receipt-invalid"] * len(changed)
    await assert_still_queued(light_pair, identity, *alarms)
    kept = {row["kept"] for row in light_pair[FIJI].rows("alarms")}
    assert kept == set(changed)
    await settle(light_pair, receipt)
    assert light_pair[FIJI].message(identity)["state"] == "delivered"
    light_pair.assert_sound()


@pytest.mark.parametrize("part", ["record", "salt", "proof"])
async def test_a_receipt_in_its_form_with_a_changed_part_delivers_nothing(
    light_pair: Pair, part: str
) -> None:
    """The same with valid base64 around it."""
    identity, raw = await accepted(light_pair)
    receipt = decode_receipt(raw)
    changed = replace(receipt, **{part: flipped(getattr(receipt, part), 20)})
    await settle(light_pair, changed.encode())
    await assert_still_queued(light_pair, identity, "receipt-invalid")


async def test_a_receipt_from_the_wrong_peer_delivers_nothing(pair: Pair) -> None:
    """Tonga hands over Qumran's true receipt: it is not Tonga's to give."""
    identity, receipt = await accepted(pair)
    await settle(pair, receipt, by=TONGA)
    await assert_still_queued(pair, identity, "receipt-invalid")
    pair.assert_sound()


async def test_a_peer_cannot_receipt_what_was_sent_to_another(pair: Pair) -> None:
    """Tonga logs that it accepted Fiji's message to Qumran: true signatures, kept, no effect."""
    identity, _ = await accepted(pair)
    (waiting,) = pair[FIJI].waiting()
    receipt = await receipt_of(pair, TONGA, identity, waiting.digest)
    assert isinstance(pair[FIJI].node.outbox.examine(TONGA, receipt), Proven)
    await settle(pair, receipt, by=TONGA)
    await assert_still_queued(pair, identity, "receipt-misplaced")
    pair[FIJI].assert_sound()


@pytest.mark.parametrize(
    ("identity", "envelope"),
    [("ab" * 32, ""), ("", "cd" * 32), ("ab" * 32, "cd" * 32)],
    ids=["never sent", "another envelope", "nothing of ours"],
)
async def test_a_receipt_for_another_message_or_envelope_delivers_nothing(
    light_pair: Pair, identity: str, envelope: str
) -> None:
    """True signatures of the right peer over something that was not sent: kept, alarmed."""
    sent, _ = await accepted(light_pair)
    (waiting,) = light_pair[FIJI].waiting()
    receipt = await receipt_of(light_pair, QUMRAN, identity or sent, envelope or waiting.digest)
    await settle(light_pair, receipt)
    await assert_still_queued(light_pair, sent, "receipt-misplaced")
    assert [row["kept"] for row in light_pair[FIJI].rows("alarms")] == [receipt]


async def test_a_receipt_that_names_another_sender_delivers_nothing(light_pair: Pair) -> None:
    """Qumran says that Tonga sent it."""
    sent, _ = await accepted(light_pair)
    (waiting,) = light_pair[FIJI].waiting()
    receipt = await receipt_of(light_pair, QUMRAN, sent, waiting.digest, sender=TONGA)
    await settle(light_pair, receipt)
    await assert_still_queued(light_pair, sent, "receipt-misplaced")


async def test_swapped_receipts_still_deliver_what_each_of_them_proves(light_pair: Pair) -> None:
    """The envelope digest beside a receipt is no word of anybody: only the receipt counts."""
    first, second = await light_pair.request(), await light_pair.request()
    light_pair.link(FIJI, QUMRAN).next("swap the receipts")
    assert await light_pair[FIJI].send_to(QUMRAN) is None
    rows = [light_pair[FIJI].message(one.identity) for one in (first, second)]
    named = [decode_decision(decode_receipt(row["receipt"]).record).identity for row in rows]  # type: ignore[arg-type]  # the bytes of a receipt
    assert named == [first.identity, second.identity]
    light_pair.assert_sound()


async def test_two_receipts_with_different_orders_are_equivocation(pair: Pair) -> None:
    """The first one holds, the second one is kept and raises the alarm."""
    identity, receipt = await accepted(pair)
    (waiting,) = pair[FIJI].waiting()
    other = await receipt_of(pair, QUMRAN, identity, waiting.digest, order=9)
    await settle(pair, receipt)
    await settle(pair, other)
    assert pair[FIJI].alarms() == ["equivocation"]
    assert [row["kept"] for row in pair[FIJI].rows("alarms")] == [other]
    assert pair[FIJI].message(identity)["receipt"] == receipt
    assert pair[FIJI].message(identity)["order_number"] == 1
    pair[FIJI].assert_sound()


async def test_two_receipts_with_different_orders_at_once_are_equivocation(pair: Pair) -> None:
    """The same when both stand in one answer."""
    identity, receipt = await accepted(pair)
    (waiting,) = pair[FIJI].waiting()
    other = await receipt_of(pair, QUMRAN, identity, waiting.digest, order=9)
    await settle(pair, receipt, other)
    assert pair[FIJI].alarms() == ["equivocation"]
    assert pair[FIJI].message(identity)["receipt"] == receipt


@pytest.mark.parametrize("at_once", [True, False])
async def test_one_order_for_two_messages_in_receipts_is_equivocation(
    pair: Pair, at_once: bool
) -> None:
    """Both are delivered, for the receipts bind Qumran; the second has no order here."""
    posted = await pair.request()
    note = await pair.event(posted.case, sender=FIJI)
    waiting = {one.identity: one for one in pair[FIJI].waiting()}
    receipts = [
        await receipt_of(pair, QUMRAN, one, waiting[one].digest, order=1)
        for one in (posted.identity, note.identity)
    ]
    await settle(pair, *receipts[: 2 if at_once else 1])
    await settle(pair, *receipts)
    assert pair[FIJI].alarms()[0] == "equivocation"
    assert pair[FIJI].message(posted.identity)["order_number"] == 1
    assert pair[FIJI].message(note.identity)["order_number"] is None
    assert pair[FIJI].message(note.identity)["state"] == "delivered"


async def test_a_receipt_without_an_order_for_a_request_raises_the_alarm(light_pair: Pair) -> None:
    """The requested side must number what it accepts."""
    sent, _ = await accepted(light_pair)
    (waiting,) = light_pair[FIJI].waiting()
    receipt = await receipt_of(light_pair, QUMRAN, sent, waiting.digest, order=None)
    await settle(light_pair, receipt)
    assert light_pair[FIJI].alarms() == ["equivocation"]


async def test_the_same_receipt_again_changes_nothing(pair: Pair) -> None:
    """Repeats are no news."""
    identity, receipt = await accepted(pair)
    await settle(pair, receipt)
    before = pair[FIJI].counts()
    await settle(pair, receipt, receipt)
    assert pair[FIJI].counts() == before
    assert pair[FIJI].message(identity)["receipt"] == receipt
    pair.assert_sound()


async def test_the_same_receipt_by_two_ways_at_once_is_recorded_once(pair: Pair) -> None:
    """As an answer and as a delivery of receipts, in one group of writes."""
    identity, receipt = await accepted(pair)
    await asyncio.gather(*(settle(pair, receipt) for _ in range(6)))
    assert pair[FIJI].message(identity)["state"] == "delivered"
    assert pair[FIJI].records().count("message.delivered") == 1
    assert pair[FIJI].alarms() == []
    pair.assert_sound()


async def test_a_receipt_after_a_proven_refusal_is_shown_as_a_contradiction(pair: Pair) -> None:
    """A peer that says both has said both: delivered, with an alarm that keeps the receipt."""
    posted = await pair.request()
    await pair[FIJI].send_to(QUMRAN)
    note = await pair.brief_note(posted.case, sender=FIJI, lifetime_s=10)
    (waiting,) = pair[FIJI].waiting()
    pair.clock.advance(11)
    await pair[FIJI].send_to(QUMRAN)
    assert pair[FIJI].message(note.identity)["state"] == "refused"
    receipt = await receipt_of(pair, QUMRAN, note.identity, waiting.digest, order=2)
    await settle(pair, receipt)
    assert "equivocation" in pair[FIJI].alarms()
    pair[FIJI].assert_sound()


async def test_a_refusal_after_a_receipt_is_shown_as_a_contradiction(light_pair: Pair) -> None:
    """A message that was receipted stays delivered whatever its recipient says later."""
    posted = await light_pair.request()
    await light_pair[FIJI].send_to(QUMRAN)
    (envelope,) = light_pair[FIJI].rows("envelopes")
    proof = await refusal_of(light_pair, posted.identity, str(envelope["digest"]))
    await settle(light_pair, proof)
    assert light_pair[FIJI].message(posted.identity)["state"] == "delivered"
    assert light_pair[FIJI].alarms() == ["equivocation"]
    assert [row["kept"] for row in light_pair[FIJI].rows("alarms")] == [proof]
