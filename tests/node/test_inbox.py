"""The inbox: what arrives twice, late or for somebody else has one effect or none."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from node.inbox import Verdict
from protocol.errors import NotAuthentic
from protocol.limits import BATCH_ENVELOPES_MAX
from tests.support.forge import flipped
from tests.support.pair import FIJI, QUMRAN, TONGA, Pair, fresh_message, sealed


def codes(verdicts: list[Verdict]) -> list[str | None]:
    """Give the refusal of each verdict, None for a receipt."""
    return [one.refusal for one in verdicts]


async def test_a_request_reaches_the_other_side_and_its_receipt_comes_back(pair: Pair) -> None:
    """The plain story: queued, carried, accepted, receipted, delivered; both logs sound."""
    posted = await pair.request()
    assert await pair[FIJI].send_to(QUMRAN) is None
    assert pair[FIJI].message(posted.identity)["state"] == "delivered"
    assert pair[QUMRAN].message(posted.identity)["state"] == "accepted"
    assert pair[FIJI].waiting() == []
    assert pair[QUMRAN].records()[-1] == "message.accepted"
    pair.assert_sound()


async def test_an_envelope_that_comes_twice_has_one_effect_and_one_receipt(pair: Pair) -> None:
    """The second time the bytes of the first receipt come back, and no row is added."""
    (raw,) = sealed(pair, [fresh_message(pair)])
    (first,) = await pair.offer(raw)
    before = pair[QUMRAN].counts()
    (second,) = await pair.offer(raw)
    assert first.receipt is not None
    assert second.receipt == first.receipt
    assert pair[QUMRAN].counts() == before
    pair.assert_sound()


async def test_an_envelope_that_comes_twice_at_once_has_one_effect(pair: Pair) -> None:
    """Eight requests at the same moment: one acceptance, and no two different receipts."""
    (raw,) = sealed(pair, [fresh_message(pair)])
    answers = await asyncio.gather(*(pair.offer(raw) for _ in range(8)))
    receipts = {one.receipt for (one,) in answers} - {None}
    assert codes([one for (one,) in answers]) == [None] * 8
    assert len(receipts) == 1
    assert pair[QUMRAN].records().count("message.accepted") == 1
    (again,) = await pair.offer(raw)
    assert {again.receipt} == receipts
    pair.assert_sound()


async def test_an_envelope_that_comes_twice_in_one_batch_has_one_effect(pair: Pair) -> None:
    """Both places of the batch get the same receipt."""
    (raw,) = sealed(pair, [fresh_message(pair)])
    first, second = await pair.offer(raw, raw)
    assert first.receipt is not None
    assert first.receipt == second.receipt
    assert pair[QUMRAN].records().count("message.accepted") == 1


async def test_an_envelope_that_comes_again_after_a_restart_gets_the_same_receipt(
    pair: Pair,
) -> None:
    """What was answered is on disk, byte for byte."""
    (raw,) = sealed(pair, [fresh_message(pair)])
    (first,) = await pair.offer(raw)
    pair.close(QUMRAN)
    before = pair[QUMRAN].counts()
    (second,) = await pair.offer(raw)
    assert second.receipt == first.receipt
    assert pair[QUMRAN].counts() == before
    pair.assert_sound()


async def test_a_message_sealed_again_gets_the_receipt_it_had(pair: Pair) -> None:
    """Another envelope of the same message is the same message."""
    message = fresh_message(pair)
    parts = pair.forge(message)
    inner = parts.statement()
    parts = replace(parts, signatures=inner.signatures)
    (first,) = await pair.offer(parts.encode())
    before = pair[QUMRAN].counts()
    (second,) = await pair.offer(parts.encode())
    assert second.receipt == first.receipt
    assert pair[QUMRAN].counts() == before


async def test_two_envelopes_of_one_message_at_once_have_one_effect(pair: Pair) -> None:
    """Whichever comes first is accepted; the other is the same message."""
    parts = pair.forge(fresh_message(pair))
    parts = replace(parts, signatures=parts.statement().signatures)
    answers = await asyncio.gather(*(pair.offer(parts.encode()) for _ in range(4)))
    assert codes([one for (one,) in answers]) == [None] * 4
    assert len({one.receipt for (one,) in answers} - {None}) == 1
    assert pair[QUMRAN].records().count("message.accepted") == 1
    pair.assert_sound()


async def test_after_a_lost_answer_the_message_is_sent_again_and_accepted_once(pair: Pair) -> None:
    """The recipient repeats its receipt; the sender then knows that it is delivered."""
    posted = await pair.request()
    pair.link(FIJI, QUMRAN).next("lose the answer")
    assert await pair[FIJI].send_to(QUMRAN) is not None
    assert pair[FIJI].message(posted.identity)["state"] == "queued"
    assert await pair[FIJI].send_to(QUMRAN) is None
    assert pair[FIJI].message(posted.identity)["state"] == "delivered"
    assert pair[QUMRAN].records().count("message.accepted") == 1
    pair.assert_sound()


@pytest.mark.parametrize("trick", ["double the batch", "double each envelope"])
async def test_a_link_that_doubles_changes_nothing(light_pair: Pair, trick: str) -> None:
    """Repeats are answered, not repeated."""
    posted = await light_pair.request()
    light_pair.link(FIJI, QUMRAN).next(trick)
    assert await light_pair[FIJI].send_to(QUMRAN) is None
    assert light_pair[FIJI].message(posted.identity)["state"] == "delivered"
    assert light_pair[QUMRAN].records().count("message.accepted") == 1
    assert light_pair[FIJI].records().count("message.delivered") == 1
    assert light_pair[FIJI].alarms() == []
    light_pair.assert_sound()


@pytest.mark.parametrize("trick", ["reverse the batch", "one batch for each, last first"])
async def test_messages_out_of_order_are_accepted_in_their_order(pair: Pair, trick: str) -> None:
    """What came too early is refused for now, and accepted when its turn has come."""
    posted = await pair.request()
    notes = [await pair.event(posted.case, sender=FIJI) for _ in range(3)]
    pair.link(FIJI, QUMRAN).next(*[trick] * 4)
    for _ in range(4):
        await pair[FIJI].send_to(QUMRAN)
    rows = {row["identity"]: row for row in pair[QUMRAN].rows("messages")}
    assert [rows[one.identity]["seq"] for one in (posted, *notes)] == [1, 2, 3, 4]
    assert [rows[one.identity]["order_number"] for one in (posted, *notes)] == [1, 2, 3, 4]
    assert {row["state"] for row in pair[FIJI].rows("messages")} == {"delivered"}
    pair.assert_sound()


async def test_one_poisoned_envelope_spoils_none_of_the_sixty_three_beside_it(pair: Pair) -> None:
    """Each envelope of a batch gets its own answer."""
    messages = [
        fresh_message(pair, case=f"{FIJI}/{number:032x}") for number in range(BATCH_ENVELOPES_MAX)
    ]
    batch = sealed(pair, messages)
    batch[17] = flipped(batch[17], -20)
    verdicts = await pair.offer(*batch)
    assert [index for index, one in enumerate(verdicts) if one.receipt is None] == [17]
    assert verdicts[17].refusal == "not-authentic"
    assert pair[QUMRAN].records().count("message.accepted") == BATCH_ENVELOPES_MAX - 1
    pair.assert_sound()


async def test_a_poisoned_envelope_in_the_queue_lets_those_behind_it_pass(light_pair: Pair) -> None:
    """A whole queue behind one that is refused: everything else is delivered."""
    for _ in range(BATCH_ENVELOPES_MAX + 6):
        await light_pair.request()
    (poisoned, *_) = light_pair[FIJI].waiting(QUMRAN)
    link = light_pair.link(FIJI, QUMRAN)
    link.next("corrupt the envelopes")
    await light_pair[FIJI].send_to(QUMRAN)
    states = [row["state"] for row in light_pair[FIJI].rows("messages")]
    assert states.count("delivered") == 6
    assert states.count("queued") == BATCH_ENVELOPES_MAX
    assert await light_pair[FIJI].send_to(QUMRAN) is None
    assert light_pair[FIJI].message(poisoned.identity)["state"] == "delivered"
    light_pair.assert_sound()


async def test_an_envelope_for_somebody_else_is_refused(pair: Pair) -> None:
    """Tonga is offered what Fiji sealed to Qumran: not for us, and no effect."""
    (raw,) = sealed(pair, [fresh_message(pair)])
    before = pair[TONGA].counts()
    (verdict,) = await pair.offer(raw, to=TONGA)
    assert (verdict.refusal, verdict.receipt, verdict.proof) == ("not-for-us", None, None)
    assert pair[TONGA].counts() == before
    pair.assert_sound()


async def test_an_envelope_of_another_network_is_refused(light_pair: Pair) -> None:
    """The same two authorities in another network are strangers here."""
    (raw,) = sealed(light_pair, [fresh_message(light_pair, network="atlantic")])
    assert codes(await light_pair.offer(raw)) == ["not-for-us"]


async def test_an_envelope_that_a_third_party_brings_is_refused(light_pair: Pair) -> None:
    """Tonga caught an envelope of Fiji's and brings it under its own hop key."""
    (raw,) = sealed(light_pair, [fresh_message(light_pair)])
    assert codes(await light_pair.offer(raw, brought_by=TONGA)) == ["wrong-sender"]
    assert codes(await light_pair.offer(raw)) == [None]


async def test_a_nonce_that_was_used_undoes_the_whole_request(pair: Pair) -> None:
    """A replayed request has no effect at all, also if the batch in it is new."""
    first, second = sealed(
        pair, [fresh_message(pair), fresh_message(pair, case=f"{FIJI}/{'77' * 16}")]
    )
    await pair.offer(first, nonce="n" * 32)
    before = pair[QUMRAN].counts()
    with pytest.raises(NotAuthentic):
        await pair.offer(second, nonce="n" * 32)
    with pytest.raises(NotAuthentic):
        await pair.offer(first, nonce="n" * 32)
    assert pair[QUMRAN].counts() == before
    assert codes(await pair.offer(second, nonce="m" * 32)) == [None]
    pair.assert_sound()


async def test_a_nonce_is_remembered_over_a_restart(pair: Pair) -> None:
    """The database holds it, not the process."""
    (raw,) = sealed(pair, [fresh_message(pair)])
    await pair.offer(raw, nonce="n" * 32)
    pair.close(QUMRAN)
    with pytest.raises(NotAuthentic):
        await pair.offer(raw, nonce="n" * 32)


async def test_one_nonce_at_once_lets_one_request_in(pair: Pair) -> None:
    """Of eight requests with one nonce at the same moment, seven fail as replays."""
    raws = sealed(pair, [fresh_message(pair, case=f"{FIJI}/{number:032x}") for number in range(8)])
    results = await asyncio.gather(
        *(pair.offer(raw, nonce="n" * 32) for raw in raws), return_exceptions=True
    )
    assert sum(isinstance(one, NotAuthentic) for one in results) == 7
    assert pair[QUMRAN].records().count("message.accepted") == 1
    pair.assert_sound()


async def test_a_hop_key_of_another_authority_may_use_the_same_nonce(light_pair: Pair) -> None:
    """Nonces are unique for each key, so nobody can use up another's."""
    (raw,) = sealed(light_pair, [fresh_message(light_pair)])
    await light_pair.offer(brought_by=TONGA, nonce="n" * 32)
    assert codes(await light_pair.offer(raw, nonce="n" * 32)) == [None]
