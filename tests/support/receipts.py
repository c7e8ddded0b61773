"""Receipts by hand: true ones, and those that a peer with a true log and a false tongue gives.

identity, receipt = await accepted(pair)                   # Qumran accepted, Fiji has not heard
await settle(pair, receipt)                                # now it has
lie = await receipt_of(pair, TONGA, identity, envelope)    # Tonga logs what it never got
"""

from __future__ import annotations

import contextlib

from node.storage.writer import Sequenced
from node.transport.batch import Answers, Receipted
from protocol.digest import sha256_hex
from protocol.errors import Rejected
from protocol.receipt import Receipt, named_checkpoint
from protocol.record import Decision
from tests.support.pair import FIJI, QUMRAN, Pair


async def settle(pair: Pair, *receipts: bytes, by: str = QUMRAN) -> None:
    """Let a peer give receipts to Fiji, as an answer or by `POST /receipts`, with its log."""
    sizes = {int(str(row["size"])) for row in pair[FIJI].rows("witnessed")}
    for raw in receipts:
        with contextlib.suppress(Rejected):
            sizes.add(named_checkpoint(raw).size)
    answers = tuple(Receipted(sha256_hex(raw), raw) for raw in receipts)
    shown = pair[by].watch.own.continuation(sizes)
    await pair[FIJI].courier.settle(by, Answers(answers, log=shown))


async def accepted(pair: Pair) -> tuple[str, bytes]:
    """Let Qumran accept a request whose receipt Fiji has not heard; gives both."""
    posted = await pair.request()
    (waiting,) = [one for one in pair[FIJI].waiting() if one.identity == posted.identity]
    (verdict,) = await pair.offer(waiting.envelope)
    assert verdict.receipt is not None
    return posted.identity, verdict.receipt


async def assert_still_queued(pair: Pair, identity: str, *alarms: str) -> None:
    """The message waits on, nothing says that it is delivered, and the alarm is raised."""
    row = pair[FIJI].message(identity)
    assert (row["state"], row["receipt"]) == ("queued", None)
    assert [one.identity for one in pair[FIJI].waiting()].count(identity) == 1
    assert pair[FIJI].alarms() == list(alarms)
    assert "message.delivered" not in pair[FIJI].records()


async def receipt_of(
    pair: Pair, issuer: str, identity: str, envelope: str, *, sender: str = FIJI,
    order: int | None = 1,
) -> bytes:  # fmt: skip
    """Let a peer that lies record an acceptance in its true log, and give its receipt."""
    decision = Decision(
        "message.accepted", pair.trust.network, pair.clock.now(), identity, envelope, sender,
        issuer, order,
    )  # fmt: skip
    return await _recorded(pair, issuer, decision)


async def refusal_of(pair: Pair, identity: str, envelope: str) -> bytes:
    """Let Qumran record a refusal in its true log, and give the proof."""
    decision = Decision(
        "message.refused", pair.trust.network, pair.clock.now(), identity, envelope, FIJI, QUMRAN,
        code="expired",
    )  # fmt: skip
    return await _recorded(pair, QUMRAN, decision)


async def _recorded(pair: Pair, issuer: str, decision: Decision) -> bytes:
    proofs: list[bytes] = []

    def prove(placed: Sequenced) -> None:
        proofs.append(Receipt(placed.record, placed.salt, placed.proof).encode())

    await pair[issuer].write(lambda tx: tx.record(decision, prove))
    return proofs[-1]
