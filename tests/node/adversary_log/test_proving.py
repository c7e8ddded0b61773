"""What a peer returns to a node that lost its state is proved, whatever the peer makes of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from node.recovery import PeersAway
from node.recovery.proving import prove
from node.returning import Returning
from node.transport.batch import Batch, Receipted
from node.transport.routes import Recovery
from protocol.errors import Rejected
from protocol.limits import INTEGER_MAX
from protocol.messages import Message
from tests.support.forge import flipped
from tests.support.pair import FIJI, QUMRAN, TONGA, Pair
from tests.support.receipts import receipt_of
from tests.support.recovering import messages, recovered, set_back

ALL = Recovery(0, 1, 0, None)


def returned(pair: Pair, by: str, to: str, lost: Recovery = ALL) -> list[tuple[bytes, bytes]]:
    """Give what a peer returns, each with its receipt."""
    batch = pair[by].node.returning.page(to, lost, pair.clock.now())
    receipts = [one.receipt for one in batch.answers.answers if isinstance(one, Receipted)]
    return list(zip(batch.envelopes, receipts, strict=True))


async def talked(pair: Pair) -> Message:
    """Let Fiji and Qumran exchange a request and its answer; gives the request."""
    posted = await pair.request()
    await pair[FIJI].send_to(QUMRAN)
    await pair.event(posted.case, sender=QUMRAN, kind="acknowledge")
    await pair[QUMRAN].send_to(FIJI)
    return pair.opened(posted.identity)


async def test_only_what_both_sides_have_signed_comes_back(light_pair: Pair) -> None:
    """Messages that nobody signed, others' receipts, other readers: none of them is proved."""
    pair = light_pair
    request = await talked(pair)
    node = pair[QUMRAN].node
    true = returned(pair, FIJI, QUMRAN)
    assert {prove(node, FIJI, *one).signed.message.sender for one in true} == {FIJI, QUMRAN}
    (mine, mine_receipt), (theirs, their_receipt) = true
    if prove(node, FIJI, mine, mine_receipt).signed.message.sender == FIJI:
        mine, mine_receipt, theirs, their_receipt = theirs, their_receipt, mine, mine_receipt
    words = replace(request, body={"request_kind": "MLA_EVIDENCE", "text": "never said"})
    as_qumran = replace(words, sender=QUMRAN, recipient=FIJI, order=9)
    identity = prove(node, FIJI, theirs, their_receipt).signed.identity
    envelope = prove(node, FIJI, theirs, their_receipt).proven.decision.envelope
    by_fiji = await receipt_of(pair, FIJI, identity, envelope)
    by_tonga = await receipt_of(pair, TONGA, identity, envelope)
    forged = {
        "another message by true keys": (pair.forge(words).encode(), their_receipt),
        "our message by their keys": (
            replace(pair.forge(as_qumran, to=QUMRAN), signers=tuple(pair.trust.sign_pair(FIJI)))
            .encode(),
            mine_receipt,
        ),
        "receipts swapped": (theirs, mine_receipt),
        "a receipt of their own log for what we should have accepted": (theirs, by_fiji),
        "a receipt of a third": (theirs, by_tonga),
        "a receipt with a turned bit": (theirs, flipped(their_receipt, 300)),
        "an envelope with a turned bit": (flipped(theirs, -9), their_receipt),
        "nothing": (b"", b""),
    }  # fmt: skip
    for name, one in forged.items():
        with pytest.raises(Rejected):
            pytest.fail(f"proved: {name} {prove(node, FIJI, *one)}")
    for brought_by in (TONGA, QUMRAN):
        with pytest.raises(Rejected):
            prove(node, brought_by, theirs, their_receipt)
    for_fiji, fijis_receipt = returned(pair, QUMRAN, FIJI)[0]
    with pytest.raises(Rejected):
        prove(node, FIJI, for_fiji, fijis_receipt)


async def test_a_peer_is_given_nothing_of_cases_with_others(light_pair: Pair) -> None:
    """Whatever it asks for, and whichever message it names as the last that it got."""
    await talked(light_pair)
    identity = str(light_pair[FIJI].rows("messages")[0]["identity"])
    for lost in (
        ALL, Recovery(0, 2, 0, None), Recovery(0, 1, 0, identity),
        Recovery(INTEGER_MAX, 999_999_999, INTEGER_MAX, identity),
        Recovery(INTEGER_MAX, 1, 0, "00" * 32),
    ):  # fmt: skip
        for by in (FIJI, QUMRAN):
            assert returned(light_pair, by, TONGA, lost) == []
    assert returned(light_pair, FIJI, QUMRAN, Recovery(0, 1, INTEGER_MAX, None)) == []
    assert len(returned(light_pair, FIJI, QUMRAN, Recovery(INTEGER_MAX, 1, 0, None))) == 1


async def test_an_altered_receipt_keeps_no_other_message_back(light_pair: Pair) -> None:
    """The peer that lost its state gets all that still proves itself."""
    await talked(light_pair)
    await talked(light_pair)
    rows = light_pair[FIJI].dump()
    (first, *_) = [row for row in rows["messages"] if row["direction"] == "out"]
    first["receipt"] = b"altered"
    light_pair[FIJI].load(rows)
    assert len(returned(light_pair, FIJI, QUMRAN)) == 3


@dataclass(slots=True)
class Lying(Returning):
    """Returns what a test has it return."""

    pages: list[Batch]
    asked: int = 0

    def page(self, peer: str, lost: Recovery, now: int) -> Batch:
        """Give the next page, the last one for ever."""
        del peer, lost, now
        self.asked += 1
        return self.pages[min(self.asked, len(self.pages)) - 1]


@pytest.mark.parametrize("lie", ["for ever", "no receipts", "another's page", "swapped"])
async def test_a_peer_that_lies_costs_a_recovery_no_message_of_others(
    tmp_path: Path, lie: str
) -> None:
    """It is left out by name at worst; whatever it said, nothing false was put back."""
    async with set_back(tmp_path) as (nodes, _case, lost):
        fiji, tonga, qumran = (nodes[name].node_or_none for name in (FIJI, TONGA, QUMRAN))
        assert fiji is not None
        assert tonga is not None
        assert qumran is None
        now = fiji.clock.now()
        true = await asyncio.to_thread(tonga.returning.page, QUMRAN, ALL, now)
        other = await asyncio.to_thread(fiji.returning.page, QUMRAN, ALL, now)
        receipts = [one for one in other.answers.answers if isinstance(one, Receipted)]
        shuffled = tuple(
            Receipted(one.envelope, before.receipt)
            for one, before in zip(receipts, [*receipts[1:], receipts[0]], strict=True)
        )
        swapped = replace(other, answers=replace(other.answers, answers=shuffled))
        pages = {
            "for ever": [true],
            "no receipts": [replace(true, answers=replace(true.answers, answers=()))],
            "another's page": [other, Batch()],
            "swapped": [swapped, Batch()],
        }[lie]
        tonga.returning = Lying(pages)
        if lie in {"for ever", "no receipts"}:
            with pytest.raises(PeersAway) as caught:
                await recovered(nodes[QUMRAN])
            assert caught.value.away == {TONGA: "bad-answer"}
            done = await recovered(nodes[QUMRAN], TONGA)
        else:
            done = await recovered(nodes[QUMRAN])
            assert done.installed.refused == len(receipts)
        of_tonga = 1
        assert len(messages(nodes[QUMRAN])) == len(lost) - of_tonga
        assert {one for one, _, _ in messages(nodes[QUMRAN])} < lost
