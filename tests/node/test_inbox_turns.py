"""The inbox and the places in a case: numbers, links, orders and what was given up.

The forgers here are authorities that sign twice: whatever they sign is kept and shown, and
the second message for one place is never applied.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from node.cases.register import ShownCase
from node.inbox import Verdict
from protocol.messages import Message, sign_message
from protocol.receipt import verify_receipt
from protocol.record import Decision
from tests.support.pair import FIJI, QUMRAN, Pair, fresh_message, sealed


@dataclass(slots=True)
class Thread:
    """One side of a case, written by a forger: each message continues the one before."""

    pair: Pair
    last: Message | None = None
    identity: str | None = None

    def signed(self, **changes: object) -> tuple[Message, str]:
        """Give the next message, changed, and its identity; it is not the last one yet."""
        seq = 1 if self.last is None else self.last.seq + 1
        salt = (seq * 7 % 251).to_bytes(1) * 32
        fields = {"seq": seq, "prev": self.identity, "salt": salt, **changes}
        message = fresh_message(self.pair, **fields)
        signed = sign_message(message, self.pair.trust.sign_pair(message.sender))
        return message, signed.identity

    def next(self, **changes: object) -> Message:
        """Give the next message, and go on from it."""
        self.last, self.identity = self.signed(**changes)
        return self.last


def decision_of(pair: Pair, verdict: Verdict) -> Decision:
    """Verify what Qumran's log says in a verdict, as any peer would."""
    origin, keys = pair.trust.directory.log_keys(QUMRAN)
    raw = verdict.receipt or verdict.proof
    assert raw is not None
    proven = verify_receipt(
        raw, network=pair.trust.network, issuer=QUMRAN, origin=origin, keys=keys
    )
    return proven.decision


def shown(pair: Pair, case: str) -> ShownCase:
    """Give a case as Qumran shows it."""
    node = pair[QUMRAN].node
    return pair[QUMRAN].read(lambda conn: node.register.show(conn, case))


async def test_a_second_message_for_one_number_is_kept_and_never_applied(pair: Pair) -> None:
    """Fiji signs two messages with number 2: a proven refusal, an alarm, and both are shown."""
    thread = Thread(pair)
    first = thread.next()
    other, identity = thread.signed(body={"text": "another story"})
    second = thread.next(body={"text": "one story"})
    *accepted, refused = await pair.offer(*sealed(pair, [first, second, other]))
    assert all(one.receipt for one in accepted)
    assert (refused.refusal, refused.receipt) == ("equivocation", None)
    decision = decision_of(pair, refused)
    assert (decision.kind, decision.code, decision.identity) == (
        "message.refused", "equivocation", identity,
    )  # fmt: skip
    assert pair[QUMRAN].alarms() == ["equivocation"]
    case = shown(pair, first.case)
    assert [one.message.body for one in case.messages][-1] == {"text": "one story"}
    assert case.contested == ((identity, 2, "equivocation"),)
    assert case.case.accepted_seq == 2
    before = pair[QUMRAN].counts()
    (again,) = await pair.offer(*sealed(pair, [other]))
    assert (again.refusal, pair[QUMRAN].counts()) == ("equivocation", before)
    pair.assert_sound()


async def test_a_proven_refusal_is_repeated_byte_for_byte(pair: Pair) -> None:
    """Also after a restart, and whichever envelope of the message comes."""
    thread = Thread(pair)
    first, parts = thread.next(), pair.forge(thread.signed(body={"text": "another"})[0])
    second = thread.next()
    parts = replace(parts, signatures=parts.statement().signatures)
    await pair.offer(*sealed(pair, [first, second]))
    (refused,) = await pair.offer(parts.encode())
    pair.close(QUMRAN)
    (again,) = await pair.offer(parts.encode())
    assert refused.proof is not None
    assert again.proof == refused.proof
    assert pair[QUMRAN].records().count("message.refused") == 1


async def test_two_messages_for_one_number_in_one_batch_are_one_and_one(pair: Pair) -> None:
    """Whichever stands first in the batch is applied."""
    thread = Thread(pair)
    first = thread.next()
    other, identity = thread.signed(body={"text": "another story"})
    verdicts = await pair.offer(*sealed(pair, [first, thread.next(), other]))
    assert [one.refusal for one in verdicts] == [None, None, "equivocation"]
    assert [row["identity"] for row in pair[QUMRAN].rows("contested")] == [identity]


async def test_a_second_first_message_of_a_case_is_equivocation(light_pair: Pair) -> None:
    """A case is opened once."""
    first = fresh_message(light_pair)
    other = replace(first, body={"request_kind": "EXTRADITION"})
    verdicts = await light_pair.offer(*sealed(light_pair, [first, other]))
    assert [one.refusal for one in verdicts] == [None, "equivocation"]
    assert [row["request_kind"] for row in light_pair[QUMRAN].rows("cases")] == ["MLA_EVIDENCE"]


async def test_a_gap_is_refused_for_now_and_leaves_nothing(pair: Pair) -> None:
    """Number 3 before number 2: retry; and after 2 it is accepted."""
    thread = Thread(pair)
    first, second, third = thread.next(), thread.next(), thread.next()
    await pair.offer(*sealed(pair, [first]))
    before = pair[QUMRAN].counts()
    (early,) = await pair.offer(*sealed(pair, [third]))
    assert (early.refusal, early.proof) == ("out-of-order", None)
    assert pair[QUMRAN].counts() == before
    verdicts = await pair.offer(*sealed(pair, [second, third]))
    assert [one.refusal for one in verdicts] == [None, None]
    pair.assert_sound()


@pytest.mark.parametrize("prev", ["ab" * 32, "seen"])
async def test_a_message_that_does_not_continue_the_last_one_is_refused(
    light_pair: Pair, prev: str
) -> None:
    """The right number with another message before it: retry, and no effect."""
    thread = Thread(light_pair)
    first = thread.next()
    await light_pair.offer(*sealed(light_pair, [first]))
    before = light_pair[QUMRAN].counts()
    wrong, _ = thread.signed(prev="cd" * 32 if prev == "seen" else prev)
    (verdict,) = await light_pair.offer(*sealed(light_pair, [wrong]))
    assert (verdict.refusal, verdict.proof) == ("out-of-order", None)
    assert light_pair[QUMRAN].counts() == before


async def test_a_case_that_was_never_opened_here_takes_no_answer(light_pair: Pair) -> None:
    """Qumran's first word in a case that Fiji has never opened."""
    answer = fresh_message(
        light_pair, sender=QUMRAN, recipient=FIJI, case=f"{FIJI}/{'99' * 16}", order=1
    )
    (verdict,) = await light_pair.offer(*sealed(light_pair, [answer]), brought_by=QUMRAN, to=FIJI)
    assert verdict.refusal == "unknown-case"


async def test_an_order_number_given_twice_is_kept_and_never_applied(pair: Pair) -> None:
    """Qumran receipts Fiji's request with order 1 and signs an answer with order 1 too."""
    posted = await pair.request()
    await pair[FIJI].send_to(QUMRAN)
    answer = fresh_message(
        pair, sender=QUMRAN, recipient=FIJI, case=posted.case, order=1, kind="answer"
    )
    (verdict,) = await pair.offer(*sealed(pair, [answer]), brought_by=QUMRAN, to=FIJI)
    assert verdict.refusal == "equivocation"
    assert verdict.proof is not None
    assert pair[FIJI].alarms() == ["equivocation"]
    assert [row["seq"] for row in pair[FIJI].rows("contested")] == [1]
    (case,) = pair[FIJI].rows("cases")
    assert (case["accepted_seq"], case["order_last"]) == (0, 1)
    honest = replace(answer, order=2, salt=b"\1" * 32)
    (accepted,) = await pair.offer(*sealed(pair, [honest]), brought_by=QUMRAN, to=FIJI)
    assert accepted.receipt is not None
    pair.assert_sound()


async def test_two_answers_with_one_order_number_are_equivocation(pair: Pair) -> None:
    """The second one has the right place and an order that the first one holds."""
    posted = await pair.request()
    await pair[FIJI].send_to(QUMRAN)
    first = fresh_message(
        pair, sender=QUMRAN, recipient=FIJI, case=posted.case, order=2, kind="answer"
    )
    identity = sign_message(first, pair.trust.sign_pair(QUMRAN)).identity
    second = replace(first, seq=2, prev=identity)
    verdicts = await pair.offer(*sealed(pair, [first, second]), brought_by=QUMRAN, to=FIJI)
    assert [one.refusal for one in verdicts] == [None, "equivocation"]
    pair.assert_sound()


async def test_the_requested_side_numbers_its_own_answers_and_what_it_accepts(pair: Pair) -> None:
    """One counter for both directions, taken in the transaction, and both sides agree on it."""
    posted = await pair.request()
    await pair[FIJI].send_to(QUMRAN)
    await pair.event(posted.case, sender=QUMRAN)
    await pair.event(posted.case, sender=FIJI)
    await pair[FIJI].send_to(QUMRAN)
    await pair[QUMRAN].send_to(FIJI)
    await pair.event(posted.case, sender=QUMRAN)
    await pair[QUMRAN].send_to(FIJI)
    orders = [
        {row["identity"]: int(str(row["order_number"])) for row in pair[name].rows("messages")}
        for name in (FIJI, QUMRAN)
    ]
    assert orders[0] == orders[1]
    assert sorted(orders[0].values()) == [1, 2, 3, 4]
    pair.assert_sound()


# --- what the sender gave up ----------------------------------------------------------------


async def test_what_never_arrived_is_skipped_by_the_next_message_and_refused_later(
    pair: Pair,
) -> None:
    """Undelivered, then listed, then final: the recipient never takes it any more."""
    posted = await pair.request()
    await pair[FIJI].send_to(QUMRAN)
    lost = await pair.brief_note(posted.case, sender=FIJI, lifetime_s=100)
    (late,) = [one.envelope for one in pair[FIJI].waiting()]
    pair.clock.advance(101)
    assert await pair[FIJI].write(pair[FIJI].node.outbox.give_up_expired) == 1
    assert pair[FIJI].message(lost.identity)["state"] == "undelivered"
    assert pair[FIJI].records()[-1] == "message.undelivered"
    following = await pair.event(posted.case, sender=FIJI)
    assert pair.opened(following.identity).skips == (lost.identity,)
    assert await pair[FIJI].send_to(QUMRAN) is None
    assert pair[FIJI].message(following.identity)["state"] == "delivered"
    pair.clock.wall -= 101  # the recipient's clock would still let it in
    (verdict,) = await pair.offer(late)
    assert verdict.refusal == "skipped"
    assert decision_of(pair, verdict).code == "skipped"
    case = shown(pair, posted.case)
    assert [one.message.seq for one in case.messages] == [1, 3]
    pair.clock.wall += 101
    pair.assert_sound()


async def test_what_did_arrive_and_was_given_up_gets_its_receipt_after_all(pair: Pair) -> None:
    """A valid receipt beats *undelivered*: the next message brings it back."""
    posted = await pair.request()
    await pair[FIJI].send_to(QUMRAN)
    note = await pair.brief_note(posted.case, sender=FIJI, lifetime_s=100)
    pair.link(FIJI, QUMRAN).next("lose the answer")
    await pair[FIJI].send_to(QUMRAN)
    pair.clock.advance(101)
    await pair[FIJI].write(pair[FIJI].node.outbox.give_up_expired)
    following = await pair.event(posted.case, sender=FIJI)
    assert pair.opened(following.identity).skips == (note.identity,)
    assert await pair[FIJI].send_to(QUMRAN) is None
    states = {one: pair[FIJI].message(one)["state"] for one in (note.identity, following.identity)}
    assert set(states.values()) == {"delivered"}
    again = await pair.event(posted.case, sender=FIJI)
    assert pair.opened(again.identity).skips == ()
    assert await pair[FIJI].send_to(QUMRAN) is None
    pair.assert_sound()


async def test_receipts_come_back_also_when_the_answer_that_brought_them_was_lost(
    pair: Pair,
) -> None:
    """A repeat of the message that lists them as given up brings them once more."""
    posted = await pair.request()
    await pair[FIJI].send_to(QUMRAN)
    note = await pair.brief_note(posted.case, sender=FIJI, lifetime_s=100)
    pair.link(FIJI, QUMRAN).next("lose the answer")
    await pair[FIJI].send_to(QUMRAN)
    pair.clock.advance(101)
    await pair[FIJI].write(pair[FIJI].node.outbox.give_up_expired)
    following = await pair.event(posted.case, sender=FIJI)
    pair.link(FIJI, QUMRAN).next("lose the answer")
    await pair[FIJI].send_to(QUMRAN)
    assert pair[FIJI].message(note.identity)["state"] == "undelivered"
    assert await pair[FIJI].send_to(QUMRAN) is None
    states = {one: pair[FIJI].message(one)["state"] for one in (note.identity, following.identity)}
    assert set(states.values()) == {"delivered"}
    pair.assert_sound()


async def test_a_hundred_given_up_messages_that_arrived_all_get_their_receipts_back(
    light_pair: Pair,
) -> None:
    """More than one answer can hold: the rest comes with the messages after it."""
    posted = await light_pair.request()
    await light_pair[FIJI].send_to(QUMRAN)
    for _ in range(100):
        await light_pair.brief_note(posted.case, sender=FIJI, lifetime_s=100)
    light_pair.link(FIJI, QUMRAN).next("lose the answer")
    await light_pair[FIJI].send_to(QUMRAN)
    light_pair.link(FIJI, QUMRAN).next("lose the answer")
    rest = light_pair[FIJI].waiting()[64:]
    await light_pair.offer(*(one.envelope for one in rest))
    light_pair.clock.advance(101)
    assert await light_pair[FIJI].write(light_pair[FIJI].node.outbox.give_up_expired) == 100
    light_pair.link(FIJI, QUMRAN)._tricks.clear()
    for _ in range(3):
        await light_pair.event(posted.case, sender=FIJI)
        assert await light_pair[FIJI].send_to(QUMRAN) is None
    states = [row["state"] for row in light_pair[FIJI].rows("messages")]
    assert states.count("delivered") == 104
    light_pair.assert_sound()


async def test_a_message_that_was_finally_refused_is_skipped_by_the_next(pair: Pair) -> None:
    """A message that came too late is proven refused; the case goes on after it."""
    posted = await pair.request()
    await pair[FIJI].send_to(QUMRAN)
    note = await pair.brief_note(posted.case, sender=FIJI, lifetime_s=100)
    pair.clock.advance(101)
    assert await pair[FIJI].send_to(QUMRAN) is None
    assert pair[FIJI].message(note.identity)["state"] == "refused"
    assert pair[FIJI].alarms() == ["refused"]
    assert "message.refused-by-peer" in pair[FIJI].records()
    following = await pair.event(posted.case, sender=FIJI)
    assert pair.opened(following.identity).skips == (note.identity,)
    assert await pair[FIJI].send_to(QUMRAN) is None
    assert pair[FIJI].message(following.identity)["state"] == "delivered"
    pair.assert_sound()


async def test_a_skip_of_something_unknown_moves_the_number_by_exactly_one(
    light_pair: Pair,
) -> None:
    """A sender cannot hide a gap behind skips, nor invent room."""
    thread = Thread(light_pair)
    first = thread.next()
    await light_pair.offer(*sealed(light_pair, [first]))
    for seq, skips, prev in (
        (4, ("ab" * 32,), "ab" * 32),
        (2, ("ab" * 32,), "ab" * 32),
        (3, ("ab" * 32,), thread.identity),
        (4, ("ab" * 32, "cd" * 32), "ab" * 32),
    ):
        wrong, _ = thread.signed(seq=seq, skips=skips, prev=prev)
        (verdict,) = await light_pair.offer(*sealed(light_pair, [wrong]))
        assert verdict.refusal == "out-of-order", seq
    right, _ = thread.signed(seq=4, skips=("ab" * 32, "cd" * 32), prev="cd" * 32)
    (verdict,) = await light_pair.offer(*sealed(light_pair, [right]))
    assert verdict.receipt is not None
