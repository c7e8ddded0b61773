"""Two nodes with one key: whoever shows peers two histories is caught, and everybody hears."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from node.storage import Connection, notice_rows, peer_rows
from protocol.checkpoint import log_origin
from protocol.errors import Recovering
from protocol.fork import verify_fork
from tests.support.network import NETWORK, running_network
from tests.support.pair import FIJI, QUMRAN, TONGA, Pair
from tests.support.recovering import ask

SAMOA = "ws.justice"
FORKED = log_origin(NETWORK, QUMRAN, 1)


async def sent(pair: Pair, sender: str, to: str) -> str:
    """Let one send the other a request; gives the state of the message afterwards."""
    posted = await pair.request(sender=sender, to=to)
    await pair[sender].send_to(to)
    return str(pair[sender].message(posted.identity)["state"])


def cloned(pair: Pair) -> Path:
    """Copy Qumran at rest, guard and all; gives the copy, to be exchanged with `swap`."""
    if QUMRAN in pair.nodes:
        pair.close(QUMRAN)
    copy = pair.folder / "copy"
    shutil.copytree(pair.folder / QUMRAN, copy)
    return copy


def swap(pair: Pair, copy: Path) -> None:
    """Let the other one of the two be Qumran from here on."""
    if QUMRAN in pair.nodes:
        pair.close(QUMRAN)
    here, aside = pair.folder / QUMRAN, copy.with_name("aside")
    for source, target in ((here, aside), (copy, here), (aside, copy)):
        source.rename(target)


async def test_an_honest_clone_stops_at_its_first_exchange_with_who_knows_better(
    light_pair: Pair,
) -> None:
    """The peer's memory is shown first, so nothing is signed for it, and no fork is made."""
    copy = cloned(light_pair)
    assert await sent(light_pair, FIJI, QUMRAN) == "delivered"
    swap(light_pair, copy)
    assert await sent(light_pair, FIJI, QUMRAN) == "queued"
    assert light_pair[QUMRAN].node.log.halted is not None
    assert light_pair[QUMRAN].alarms() == ["log-halted"]
    for name in (FIJI, TONGA):
        assert light_pair[name].rows("log_notices") == []
    swap(light_pair, copy)  # the true one goes on
    light_pair.clock.advance(60)
    assert await light_pair[FIJI].send_to(QUMRAN) is None
    assert light_pair[FIJI].waiting(QUMRAN) == []


async def test_a_clone_asks_before_it_signs(light_pair: Pair) -> None:
    """At its start already, if any peer that knows better can be reached."""
    copy = cloned(light_pair)
    assert await sent(light_pair, FIJI, QUMRAN) == "delivered"
    swap(light_pair, copy)
    await light_pair[QUMRAN].watch.witnessing.ask_before_signing()
    assert light_pair[QUMRAN].node.log.halted is not None
    with pytest.raises(Recovering):
        await light_pair.request(sender=QUMRAN, to=TONGA)


async def test_two_histories_for_two_peers_are_caught_when_these_two_look(
    light_pair: Pair,
) -> None:
    """Each saw one; as soon as either sees the other one's head the proof is there, and spreads."""
    pair = light_pair
    copy = cloned(pair)
    assert await sent(pair, FIJI, QUMRAN) == "delivered"
    swap(pair, copy)
    assert await sent(pair, TONGA, QUMRAN) == "delivered"
    assert await sent(pair, TONGA, QUMRAN) == "delivered"
    # Tonga's side of it is served on; Fiji's monitor looks at it.
    (finding,) = await pair[FIJI].watch.monitor.look(QUMRAN)
    assert finding.verdict == "fork", finding
    await pair[FIJI].watch.notices.push()
    for name in (FIJI, TONGA):
        assert pair[name].alarms().count("log-fork") == 1
        notice = pair[name].read(lambda conn: notice_rows.read_notice(conn, "fork", FORKED))
        assert notice is not None
        keys = pair[name].node.office.directory.keys_of_log(FORKED)
        verify_fork(notice.raw, origin=FORKED, keys=keys)
    assert pair[QUMRAN].node.log.halted is not None  # it was told as well
    pair.close(FIJI)
    assert pair[FIJI].rows("log_notices") != []
    assert len(pair[FIJI].alarms()) == 1


async def test_a_proof_reaches_who_was_down_and_who_was_restarted(light_pair: Pair) -> None:
    """A peer that did not answer is told later; a restart forgets no proof and asks again."""
    pair = light_pair
    copy = cloned(pair)
    await sent(pair, FIJI, QUMRAN)
    swap(pair, copy)
    await sent(pair, TONGA, QUMRAN)
    pair.link(FIJI, TONGA).down = True
    await pair[FIJI].watch.monitor.look(QUMRAN)
    await pair[FIJI].watch.notices.push()
    assert pair[TONGA].rows("log_notices") == []
    pair.close(FIJI)
    pair.link(FIJI, TONGA).down = False
    await pair[FIJI].watch.notices.push()
    assert len(pair[TONGA].rows("log_notices")) == 1
    assert pair[TONGA].alarms() == ["log-fork"]


def told(conn: Connection) -> bool:
    """Say whether a proof of Qumran's fork is kept, with its alarm."""
    kinds = [one.kind for one in peer_rows.list_alarms(conn)]
    return notice_rows.read_notice(conn, "fork", FORKED) is not None and "log-fork" in kinds


@pytest.mark.slow  # a push waits a few seconds after the one before
async def test_a_fork_reaches_everybody_over_the_wire_and_survives_restarts(
    tmp_path: Path,
) -> None:
    """A clone that hides from one peer what it shows another; a third and a fourth hear of it."""
    names = (FIJI, QUMRAN, TONGA, SAMOA)
    async with running_network(tmp_path, names) as nodes:
        fiji, qumran, tonga, samoa = (nodes[name] for name in names)
        await ask(tonga, QUMRAN)
        await qumran.stop()
        copy = tmp_path / "copy"
        shutil.copytree(qumran.settings.folder, copy)
        await qumran.start()
        await ask(fiji, QUMRAN)
        await qumran.stop()
        await fiji.stop()
        shutil.rmtree(qumran.settings.folder)
        copy.rename(tmp_path / QUMRAN)
        await qumran.start()
        await ask(tonga, QUMRAN)
        await ask(tonga, QUMRAN)
        await samoa.stop()
        await fiji.start()
        watch = fiji.node.watch
        assert watch is not None
        await watch.monitor.look(QUMRAN)
        for node in (fiji, tonga):
            await node.until(told)
        await fiji.stop()
        await samoa.start()
        await fiji.start()
        for node in (fiji, samoa):
            await node.until(told)
