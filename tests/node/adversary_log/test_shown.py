"""What a lying peer shows of its log: nothing false is believed, and nothing grows without end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from node.transport.batch import Answers, Receipted
from protocol.closure import Closure, sign_closure
from protocol.digest import sha256_hex
from tests.node.adversary_log.liar import Liar, with_leaves
from tests.support.memory_log import MemoryLog
from tests.support.network import NETWORK
from tests.support.pair import FIJI, TONGA, Pair


async def sent(pair: Pair) -> str:
    """Have Fiji send Tonga a request; gives its identity."""
    posted = await pair.request(to=TONGA)
    await pair[FIJI].send_to(TONGA)
    return posted.identity


def state(pair: Pair, identity: str) -> object:
    """Give what became of a message of Fiji's."""
    return pair[FIJI].message(identity)["state"]


async def test_an_answer_that_shows_no_log_delivers_and_the_monitor_proves_it(
    light_pair: Pair,
) -> None:
    """A receipt binds its issuer; what is unproved accuses nobody, and goes once it is shown."""
    liar = Liar(light_pair)
    liar.answer = lambda answers: replace(answers, log=None)
    assert state(light_pair, await sent(light_pair)) == "delivered"
    assert len(light_pair[FIJI].rows("unproven")) == 1
    (finding,) = await light_pair[FIJI].watch.monitor.look(TONGA)
    assert finding.verdict == "ok", finding
    assert light_pair[FIJI].rows("unproven") == []
    assert light_pair[FIJI].alarms() == []


async def test_a_log_that_lacks_the_receipts_it_gives_is_found_by_its_tiles(
    light_pair: Pair,
) -> None:
    """The receipt's history and the shown one differ: a fork proof, once, and no delivery then."""
    liar = Liar(light_pair)
    assert state(light_pair, await sent(light_pair)) == "delivered"
    liar.answer = lambda answers: replace(answers, log=None)
    await sent(light_pair)
    honest = MemoryLog(liar.log.ring, TONGA)
    liar.log = with_leaves(honest, liar.log.leaves[:1]).grown(7)
    (finding,) = await light_pair[FIJI].watch.monitor.look(TONGA)
    assert finding.verdict == "fork", finding
    assert light_pair[FIJI].alarms() == ["log-fork"]
    (notice,) = light_pair[FIJI].rows("log_notices")
    assert notice["kind"] == "fork"
    for _ in range(3):
        await light_pair[FIJI].watch.monitor.look(TONGA)
    assert light_pair[FIJI].alarms() == ["log-fork"]


async def test_a_continuation_with_another_root_at_the_receipts_size_proves_a_fork(
    light_pair: Pair,
) -> None:
    """The message is not delivered by it, and the proof is kept."""
    liar = Liar(light_pair)
    await sent(light_pair)

    def other(log: MemoryLog, sizes: object) -> bytes:
        del sizes
        rewritten = with_leaves(MemoryLog(log.ring, TONGA), log.leaves[:1]).grown(5)
        return liar.continuation(rewritten, [1, 2])

    liar.continues = other
    identity = await sent(light_pair)
    assert state(light_pair, identity) == "queued"
    assert "log-fork" in light_pair[FIJI].alarms()
    (notice,) = light_pair[FIJI].rows("log_notices")
    assert notice["origin"] == liar.log.origin
    assert [one.identity for one in light_pair[FIJI].waiting(TONGA)] == [identity]


async def test_an_older_continuation_moves_no_memory_back(light_pair: Pair) -> None:
    """A log that went back after a restart is unproved, then a rollback, and never believed."""
    liar = Liar(light_pair)
    for _ in range(3):
        await sent(light_pair)
    (before,) = light_pair[FIJI].rows("witnessed")
    liar.log = with_leaves(MemoryLog(liar.log.ring, TONGA), liar.log.leaves[:1])
    light_pair.clock.advance(5)
    liar.continues = lambda log, _: liar.continuation(log, [2])
    await sent(light_pair)
    (after,) = light_pair[FIJI].rows("witnessed")
    assert after == before
    liar.log = with_leaves(MemoryLog(liar.log.ring, TONGA), liar.log.leaves[:1])
    (finding,) = await light_pair[FIJI].watch.monitor.look(TONGA)
    assert finding.verdict == "rollback"
    assert light_pair[FIJI].rows("witnessed") == [before]


@pytest.mark.parametrize("number", [2, 7])
async def test_a_continuation_of_another_log_shows_nothing_of_the_open_one(
    light_pair: Pair, number: int
) -> None:
    """Its links say nothing about the log that gave the receipts."""
    liar = Liar(light_pair)
    liar.continues = lambda log, sizes: liar.continuation(replace(log, number=number), sizes)
    assert state(light_pair, await sent(light_pair)) == "delivered"
    assert light_pair[FIJI].rows("witnessed") == []
    assert len(light_pair[FIJI].rows("unproven")) == 1


async def test_invented_receipts_fill_no_table_and_leave_the_true_ones_provable(
    light_pair: Pair,
) -> None:
    """However many checkpoints a peer signs, what is remembered of them has an end."""
    liar = Liar(light_pair)
    raws = [
        raw
        for at in range(700)
        for raw in liar.receipts([(sha256_hex(b"i%d" % at), sha256_hex(b"e%d" % at))])
    ]
    answers = tuple(Receipted(sha256_hex(raw), raw) for raw in raws)
    for at in range(0, len(answers), 100):
        await light_pair[FIJI].courier.settle(TONGA, Answers(answers[at : at + 100]))
    assert len(light_pair[FIJI].rows("unproven")) <= 256
    assert len(light_pair[FIJI].alarms()) <= 100
    (finding,) = await light_pair[FIJI].watch.monitor.look(TONGA)
    assert finding.verdict == "ok", finding
    assert light_pair[FIJI].rows("unproven") == []


async def test_receipts_beyond_the_end_of_a_closed_log_deliver_nothing_and_alarm_once(
    light_pair: Pair,
) -> None:
    """Whoever closed a log and goes on signing is shown to have, and cannot flood the operator."""
    liar, fiji = Liar(light_pair), light_pair[FIJI]
    await sent(light_pair)
    end = Closure(
        NETWORK, TONGA, 1, 1, liar.log.root(1), "lost-state", 2, light_pair.clock.now()
    )  # fmt: skip
    raw = sign_closure(end, liar.log.ring.signers("sign")).encode()
    await fiji.write(lambda tx: fiji.node.office.install_closure(tx, raw))
    for show in (True, False, True, False):
        liar.continues = liar.continuation if show else lambda *_: None
        assert state(light_pair, await sent(light_pair)) == "queued"
    alarms = fiji.alarms()
    assert alarms.count("log-truncated") == 1
    assert fiji.rows("unproven") == []
    assert len(alarms) <= 20
