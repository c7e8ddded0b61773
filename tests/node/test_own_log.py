"""A node that is not the one it was learns it from its peers, and signs nothing more."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from node.exits import Exit
from node.own_log import kept_reason
from node.storage import Connection, case_rows, log_rows, witness_rows
from node.storage.log_rows import Head
from node.transport.batch import Answers
from protocol.checkpoint import Checkpoint, sign_checkpoint
from protocol.errors import Recovering
from tests.support.clones import exchanged, set_back
from tests.support.commands import comity
from tests.support.network import running_network
from tests.support.pair import FIJI, QUMRAN, TONGA, Pair


async def assert_halted(pair: Pair, name: str = QUMRAN) -> None:
    """Nothing is signed any more, the reason says what to do, and a restart forgets nothing."""
    origin = f"pacific/{name}/1"
    size = pair[name].read(lambda conn: log_rows.read_head(conn, origin))
    for _ in ("running", "restarted"):
        log = pair[name].node.log
        assert log.halted is not None
        assert "comity audit recover" in log.halted
        with pytest.raises(Recovering):
            await pair.request(sender=name, to=TONGA)
        assert pair[name].read(lambda conn: kept_reason(conn, origin=origin)) == log.halted
        assert pair[name].alarms()[-1] == "log-halted"
        assert size == pair[name].read(lambda conn: log_rows.read_head(conn, origin))
        pair.close(name)


async def test_a_resumed_clone_is_told_before_it_accepts_anything(light_pair: Pair) -> None:
    """The request says what its sender has cosigned, and it comes before any signature."""
    await set_back(light_pair)
    posted = await light_pair.request()
    await light_pair[FIJI].send_to(QUMRAN)
    assert light_pair[FIJI].message(posted.identity)["state"] == "queued"
    await assert_halted(light_pair)


async def test_a_resumed_clone_is_told_when_it_asks_at_start(light_pair: Pair) -> None:
    """Before it serves anybody it asks all peers, of whom some may be away."""
    await set_back(light_pair)
    light_pair.link(QUMRAN, TONGA).down = True
    await light_pair[QUMRAN].watch.witnessing.ask_before_signing()
    await assert_halted(light_pair)


async def test_a_resumed_clone_is_told_by_its_witness(light_pair: Pair) -> None:
    """A 409 is a bare number and halts nothing; the checkpoint behind it does."""
    await set_back(light_pair)
    await light_pair[QUMRAN].watch.witnessing.push()
    await assert_halted(light_pair)


async def test_a_resumed_clone_that_sends_is_told_by_the_answer(light_pair: Pair) -> None:
    """It has signed a message before it could know; what comes back ends it."""
    await set_back(light_pair)
    await light_pair.request(sender=QUMRAN, to=FIJI)
    with pytest.raises(Recovering):
        await light_pair[QUMRAN].send_to(FIJI)
    assert light_pair[QUMRAN].node.log.halted is not None


async def test_a_node_in_good_order_hears_nothing_that_halts_it(light_pair: Pair) -> None:
    """Start, exchanges and words of witnesses in any order."""
    for _ in range(3):
        await light_pair[QUMRAN].watch.witnessing.ask_before_signing()
        await exchanged(light_pair)
        await light_pair[QUMRAN].watch.witnessing.push()
        light_pair.close(QUMRAN)
        light_pair.clock.advance(60)
    assert light_pair[QUMRAN].node.log.halted is None
    light_pair.assert_sound()


@pytest.mark.parametrize("by", ["nobody", "another log", "garbage", "of a closed log"])
async def test_what_the_log_has_not_signed_halts_nothing(light_pair: Pair, by: str) -> None:
    """A peer says that it has seen more of our log than there is."""
    own = light_pair[QUMRAN].watch.own
    ring = light_pair.trust.rings[TONGA if by != "of a closed log" else QUMRAN]
    ed25519, ml_dsa = ring.signers("log")
    origin = own.origin if by != "of a closed log" else own.origin[:-1] + "0"
    raw = sign_checkpoint(
        Checkpoint(origin, 10_000, bytes(32)), ed25519=ed25519, ml_dsa=ml_dsa, now=1
    )
    shown = {"garbage": b"x" * 100, "nobody": raw.split("—".encode())[0]}.get(by, raw)
    assert await own.look(shown, shown_by=FIJI) is None
    assert own.halted is None


async def test_another_root_that_the_log_has_signed_halts_it(light_pair: Pair) -> None:
    """Somebody else signs with our keys: whichever of the two this is, it stops."""
    await exchanged(light_pair)
    own = light_pair[QUMRAN].watch.own
    ed25519, ml_dsa = light_pair.trust.rings[QUMRAN].signers("log")
    raw = sign_checkpoint(
        Checkpoint(own.origin, 2, bytes(32)), ed25519=ed25519, ml_dsa=ml_dsa, now=1
    )
    await light_pair[QUMRAN].exchange._shown.heard(FIJI, None)
    with pytest.raises(Recovering):
        await light_pair[QUMRAN].courier.settle(FIJI, Answers(seen=raw))
    assert "another history" in str(own.halted)
    await assert_halted(light_pair)


async def test_a_clone_over_tls_halts_before_it_serves_anybody(tmp_path: Path) -> None:
    """A copy of yesterday, guard and all, started where the peers can be reached."""
    async with running_network(tmp_path / "net", (FIJI, QUMRAN)) as nodes:
        folder = nodes[QUMRAN].settings.folder
        await nodes[QUMRAN].stop()
        shutil.copytree(folder, tmp_path / "yesterday")
        await nodes[QUMRAN].start()
        before = nodes[QUMRAN].node.log.published
        assert before is not None
        register = nodes[FIJI].node.register
        posted = await nodes[FIJI].write(
            lambda tx: register.send_request(
                tx, to=QUMRAN, request_kind="MLA_EVIDENCE", body={"text": "please"}
            )
        )
        await nodes[FIJI].until(lambda conn: _delivered(conn, posted.identity))
        # Where a push crossed the exchange, the monitor has to look before Fiji has seen more.
        await nodes[FIJI].until(lambda conn: _has_seen_more(conn, before))
        await nodes[QUMRAN].stop()
        shutil.rmtree(folder)
        (tmp_path / "yesterday").rename(folder)
        await nodes[QUMRAN].start()
        halted = nodes[QUMRAN].node.log.halted
        assert f"{FIJI} holds a checkpoint" in str(halted)
        status = comity("--config", folder, "status", "--json")
        assert (status.status, status.json["log"]["halted"]) == (
            Exit.FAILED,
            halted,
        )
        told = comity("--config", folder, "doctor", "--offline", "--json").json["checks"]
        assert any("comity audit recover" in one["sentence"] for one in told)


def _has_seen_more(conn: Connection, head: Head) -> bool:
    state = witness_rows.read_witnessed(conn, head.origin)
    return state is not None and state.size > head.size


def _delivered(conn: Connection, identity: str) -> bool:
    stored = case_rows.read_message(conn, identity)
    return stored is not None and stored.state == "delivered"
