"""The outbox: what makes a message delivered, refused or undelivered, and what never does."""

from __future__ import annotations

import pytest

from node.examined import Doubtful
from protocol.digest import sha256_hex
from protocol.errors import KeyUnknown, NotPermitted, TooLarge
from protocol.listing import ListedKey
from tests.support.pair import FIJI, QUMRAN, TONGA, Pair
from tests.support.receipts import accepted, assert_still_queued, settle
from tests.support.trust import seeded


async def test_what_is_posted_is_stored_logged_and_queued_or_not_at_all(pair: Pair) -> None:
    """One unit of work: state, envelope and record; a refusal leaves none of them."""
    before = pair[FIJI].counts()
    posted = await pair.request()
    after = pair[FIJI].counts()
    for table in ("cases", "messages", "envelopes", "outbox", "log_entries"):
        assert after[table] == before[table] + 1, table
    assert pair[FIJI].records()[-1] == "message.sent"
    assert pair[FIJI].message(posted.identity)["log_position"] == after["log_entries"] - 1
    with pytest.raises(NotPermitted):
        await pair.request(to="xx.justice")
    with pytest.raises(TooLarge):
        await pair.request({"text": "x" * (3 * 1024 * 1024)})
    assert pair[FIJI].counts() == after
    pair.assert_sound()


# --- words that prove nothing -----------------------------------------------------------------


@pytest.mark.parametrize("trick", ["refuse without proof", "say pending", "say nothing"])
async def test_a_word_without_proof_never_takes_a_message_out_of_the_queue(
    light_pair: Pair, trick: str
) -> None:
    """A hint changes the next try and what the operator sees, and nothing else."""
    posted = await light_pair.request()
    light_pair.link(FIJI, QUMRAN).next(trick)
    assert await light_pair[FIJI].send_to(QUMRAN) is not None
    await assert_still_queued(light_pair, posted.identity)
    (waiting,) = light_pair[FIJI].waiting()
    code = {"refuse without proof": "expired", "say pending": "pending"}.get(trick, "unanswered")
    assert (waiting.attempts, waiting.last_code) == (1, code)
    assert await light_pair[FIJI].send_to(QUMRAN) is None
    assert light_pair[FIJI].message(posted.identity)["state"] == "delivered"
    light_pair.assert_sound()


async def test_corrupt_receipts_in_an_answer_leave_the_message_queued(light_pair: Pair) -> None:
    """They are kept, alarmed, and the next try gets the true ones."""
    posted = await light_pair.request()
    light_pair.link(FIJI, QUMRAN).next("corrupt the receipts")
    await light_pair[FIJI].send_to(QUMRAN)
    await assert_still_queued(light_pair, posted.identity, "receipt-invalid")
    assert await light_pair[FIJI].send_to(QUMRAN) is None
    assert light_pair[FIJI].message(posted.identity)["state"] == "delivered"


async def test_a_hint_about_what_was_sent_to_another_peer_changes_nothing(pair: Pair) -> None:
    """Tonga speaks of an envelope to Qumran: not its affair."""
    await pair.request()
    (before,) = pair[FIJI].waiting()
    outbox = pair[FIJI].node.outbox
    hints = {before.digest: "key-unknown"}
    await pair[FIJI].write(lambda tx: outbox.note_hints(tx, TONGA, hints))
    assert pair[FIJI].waiting() == [before]


# --- time and keys ----------------------------------------------------------------------------


async def test_what_nobody_receipted_in_time_is_undelivered_and_recorded(pair: Pair) -> None:
    """Thirty days, then a record and an alarm; never silence."""
    posted = await pair.request()
    pair.clock.advance(30 * 86_400)
    outbox = pair[FIJI].node.outbox
    assert await pair[FIJI].write(outbox.give_up_expired) == 0
    pair.clock.advance(1)
    assert await pair[FIJI].write(outbox.give_up_expired) == 1
    assert pair[FIJI].message(posted.identity)["state"] == "undelivered"
    assert [row["state"] for row in pair[FIJI].rows("cases")] == ["UNDELIVERABLE"]
    assert (pair[FIJI].records()[-1], pair[FIJI].alarms()) == (
        "message.undelivered",
        ["undelivered"],
    )
    assert pair[FIJI].waiting() == []
    assert await pair[FIJI].write(outbox.give_up_expired) == 0
    pair.assert_sound()


async def test_a_receipt_that_comes_after_all_beats_undelivered(pair: Pair) -> None:
    """It was accepted in time, and that is what counts."""
    identity, receipt = await accepted(pair)
    pair.clock.advance(30 * 86_400 + 1)
    await pair[FIJI].write(pair[FIJI].node.outbox.give_up_expired)
    await settle(pair, receipt)
    assert pair[FIJI].message(identity)["state"] == "delivered"
    assert [row["state"] for row in pair[FIJI].rows("cases")] == ["DELIVERED"]
    pair.assert_sound()


def rotated(pair: Pair) -> tuple[bytes, str]:
    """Let Qumran use another key for opening, at once; gives its next listing and the key id."""
    office, now = pair[QUMRAN].node.office, pair.clock.now()
    ring = office.keys.ring.rotate_seal(random=seeded("rotation"), now=now)
    office.use_ring(ring, now + 36 * 86_400)  # and the old one is destroyed
    keys = tuple(ListedKey(one, 0, None) for one in ring.public_keys())
    listing = pair.trust.next_listing(QUMRAN, created=now, keys=keys)
    return listing, ring.seal_keys(now)[0].public.key_id


async def test_what_waits_under_a_key_that_is_gone_is_sealed_again_and_delivered(
    pair: Pair,
) -> None:
    """`key-unknown`, the newest listing, another envelope of the same message, one receipt."""
    posted = await pair.request()
    listing, key_id = rotated(pair)
    (old,) = pair[FIJI].waiting()
    assert await pair[FIJI].send_to(QUMRAN) is not None
    assert pair[FIJI].asked == [QUMRAN]
    await assert_still_queued(pair, posted.identity)
    await pair.install(QUMRAN, listing=listing)
    await pair[FIJI].gossip.refresh(QUMRAN)
    (fresh,) = pair[FIJI].waiting()
    assert (fresh.identity, fresh.key_id) == (old.identity, key_id)
    assert fresh.digest != old.digest
    assert fresh.digest == sha256_hex(fresh.envelope)
    assert await pair[FIJI].send_to(QUMRAN) is None
    assert pair[FIJI].message(posted.identity)["state"] == "delivered"
    assert "message.resealed" in pair[FIJI].records()
    pair.assert_sound()


async def test_a_receipt_for_any_envelope_ever_made_of_a_message_counts(pair: Pair) -> None:
    """The first envelope did arrive; Fiji has sealed again meanwhile."""
    identity, receipt = await accepted(pair)
    listing, _ = rotated(pair)
    await pair.install(QUMRAN, listing=listing)
    await pair[FIJI].gossip.refresh(QUMRAN)
    await settle(pair, receipt)
    assert pair[FIJI].message(identity)["state"] == "delivered"
    assert pair[FIJI].waiting() == []
    pair.assert_sound()


async def test_nothing_is_sealed_to_an_authority_whose_listing_has_expired(
    light_pair: Pair,
) -> None:
    """An old listing may name keys that somebody else holds by now."""
    now = light_pair.clock.now()
    listing = light_pair.trust.next_listing(QUMRAN, created=now, expires=now + 60)
    await light_pair.install(FIJI, listing=listing)
    light_pair.clock.advance(60)
    before = light_pair[FIJI].counts()
    with pytest.raises(KeyUnknown):
        await light_pair.request()
    assert light_pair[FIJI].counts() == before


async def test_examining_arbitrary_bytes_gives_a_doubtful_answer_each(light_pair: Pair) -> None:
    """No bytes of a peer raise anything."""
    draw = seeded("noise")
    outbox = light_pair[FIJI].node.outbox
    for raw in (b"", b"{}", b"null", draw(100), draw(70_000), b'{"v":1}'):
        assert isinstance(outbox.examine(QUMRAN, raw), Doubtful)
    assert isinstance(outbox.examine("xx.justice", b"{}"), Doubtful)
