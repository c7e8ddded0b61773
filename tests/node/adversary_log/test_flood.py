"""What a peer can make a node do for nothing: alarms, looks, words, waiting. All of it ends."""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from node.transport.c2sp import LogFile
from protocol.checkpoint import Checkpoint, sign_checkpoint
from tests.node.adversary_log.liar import Liar, with_leaves
from tests.support.memory_log import MemoryLog
from tests.support.network import bound, make_network, running_network
from tests.support.pair import FIJI, QUMRAN, TONGA, Pair
from tests.support.recovering import delivered


async def sent(pair: Pair) -> None:
    """Have Fiji send Tonga a request."""
    await pair.request(to=TONGA)
    await pair[FIJI].send_to(TONGA)


async def test_a_log_that_comes_and_goes_raises_few_alarms(light_pair: Pair) -> None:
    """A peer that goes back and forth tells the operator once in a while, not at every look."""
    liar = Liar(light_pair)
    for _ in range(3):
        await sent(light_pair)
    whole = liar.log
    for _ in range(20):
        light_pair.clock.advance(1)
        liar.log = with_leaves(MemoryLog(whole.ring, TONGA), whole.leaves[:1])
        await light_pair[FIJI].watch.monitor.look(TONGA)
        liar.log = whole
        await light_pair[FIJI].watch.monitor.look(TONGA)
    assert 1 <= len(light_pair[FIJI].alarms()) <= 3


async def test_a_log_of_any_claimed_size_costs_a_look_few_requests(light_pair: Pair) -> None:
    """It signs a size beyond all measure, and gives tiles for ever: each is asked for once."""
    liar, fiji = Liar(light_pair), light_pair[FIJI]
    await sent(light_pair)
    keys = liar.log.ring.signers("log")

    async def file(_number: int, path: str) -> LogFile:
        liar.asked.append(path)
        head = Checkpoint(liar.log.origin, 2**50, b"x" * 32)
        if path == "checkpoint":
            now = light_pair.clock.now()
            return LogFile(sign_checkpoint(head, ed25519=keys.first, ml_dsa=keys.second, now=now))
        return LogFile(bytes(32 * int(path.partition(".p/")[2] or 256)))

    routes = replace(light_pair.link(FIJI, TONGA).routes(), log=file)
    light_pair.link(FIJI, TONGA).routes = lambda: routes
    (finding,) = await fiji.watch.monitor.look(TONGA)
    assert finding.verdict in {"ok", "unproven"}
    assert len(liar.asked) <= 20
    assert fiji.alarms() == []


async def test_cosigning_without_end_needs_a_log_without_end(light_pair: Pair) -> None:
    """The same checkpoint a thousand times is answered by readers, with the lines that are kept."""
    qumran, log = light_pair[QUMRAN], MemoryLog(light_pair.trust.rings[TONGA], TONGA).grown(9)
    now = light_pair.clock.now()
    first = await qumran.routes().add_checkpoint(log.add_checkpoint(0, 9, now=now))
    before = qumran.dump()
    for _ in range(100):
        again = await qumran.routes().add_checkpoint(log.add_checkpoint(9, 9, now=now))
        assert again == first
        old = await qumran.routes().add_checkpoint(log.add_checkpoint(0, 5, now=now))
        assert (old.status, old.body) == (409, b"9\n")
    assert qumran.dump() == before


@pytest.mark.slow  # the three seconds themselves
async def test_a_start_among_black_holes_takes_seconds(tmp_path: Path) -> None:
    """Peers that accept connections and never say a word keep a node from serving for 3 s."""
    nodes = make_network(tmp_path, (FIJI, QUMRAN, TONGA))
    holes = [bound(nodes[name].port) for name in (QUMRAN, TONGA)]
    try:
        began = time.monotonic()
        await nodes[FIJI].start()
        assert time.monotonic() - began < 4.5
        assert nodes[FIJI].node.log.halted is None
        posted = await asyncio.wait_for(
            nodes[FIJI].write(
                lambda tx: nodes[FIJI].node.register.send_request(
                    tx, to=QUMRAN, request_kind="MLA_EVIDENCE", body={"text": "x"}
                )
            ),
            2.0,
        )
        assert posted.identity
    finally:
        await nodes[FIJI].stop()
        for hole in holes:
            hole.close()


async def test_strangers_by_the_dozen_stop_no_exchange(tmp_path: Path) -> None:
    """Two hundred unsigned requests and fifty silent connections: peers deliver meanwhile."""
    async with running_network(tmp_path, (FIJI, QUMRAN)) as nodes:
        fiji, qumran = nodes[FIJI], nodes[QUMRAN]
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        silent = [await asyncio.open_connection("127.0.0.1", qumran.port) for _ in range(50)]
        log = f"https://127.0.0.1:{qumran.port}/comity/v1"
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:

            async def ask(number: int) -> int:
                try:
                    async with session.request(
                        ("GET", "HEAD", "PUT", "POST")[number % 4],
                        f"{log}/log/1/checkpoint?token=x",
                        headers={"Authorization": f"Bearer {number}"},
                    ) as answer:
                        return answer.status
                except aiohttp.ClientError:
                    return 0

            flood = asyncio.gather(*(ask(number) for number in range(200)))
            posted = await fiji.write(
                lambda tx: fiji.node.register.send_request(
                    tx, to=QUMRAN, request_kind="MLA_EVIDENCE", body={"text": "x"}
                )
            )
            await fiji.until(delivered(posted.identity))
            assert set(await flood) <= {0, 400, 401, 404, 405, 429}
        for _, writer in silent:
            writer.close()
