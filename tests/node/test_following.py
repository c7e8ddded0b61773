"""Logs of peers that contradict themselves, or show nothing: what counts, and what is proved."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.exits import Exit
from node.own_log import OwnLog
from node.transport.batch import Notices
from protocol.checkpoint import Checkpoint, decode_body
from protocol.fork import verify_fork
from protocol.note import decode_note
from protocol.policy import encode_policy
from tests.support.clones import copy_of, exchanged, resume, set_back
from tests.support.commands import comity
from tests.support.link import TRICKS
from tests.support.pair import FIJI, QUMRAN, TONGA, Pair

ORIGIN = f"pacific/{QUMRAN}/1"


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no node mind what others have seen of its log: one that lies, or is two."""

    async def agree(_own: OwnLog, raw: bytes, *, shown_by: str) -> Checkpoint:
        return decode_body(decode_note(raw).body)

    monkeypatch.setattr(OwnLog, "look", agree)


def assert_proved(pair: Pair, name: str) -> bytes:
    """The node holds a proof that Qumran's log has forked, recorded, alarmed, and true."""
    (row,) = pair[name].rows("log_notices")
    raw = row["raw"]
    assert isinstance(raw, bytes)
    assert (row["kind"], row["origin"]) == ("fork", ORIGIN)
    keys = pair[name].node.office.directory.keys_of_log(ORIGIN)
    assert verify_fork(raw, origin=ORIGIN, keys=keys).raw == raw
    assert pair[name].records().count("log.fork-found") == 1
    assert pair[name].alarms().count("log-fork") == 1
    return raw


async def two_histories(pair: Pair, *, more: int = 3) -> None:
    """Let Qumran's clone go another way than the log that Fiji has cosigned."""
    await set_back(pair)
    for _ in range(more):
        await exchanged(pair, sender=TONGA)


# --- consistent -----------------------------------------------------------------------------


async def test_what_an_exchange_shows_is_cosigned_and_told_with_the_next(light_pair: Pair) -> None:
    """Memory and delivery are of one transaction; the peer has our word at the next exchange."""
    for count in (1, 2, 3):
        await exchanged(light_pair)
        (state,) = light_pair[FIJI].rows("witnessed")
        size = len(light_pair[QUMRAN].records())
        assert (state["origin"], state["size"]) == (ORIGIN, size), count
        assert light_pair[FIJI].rows("unproven") == []
        light_pair.clock.advance(61)
    (kept, *_) = light_pair[QUMRAN].rows("checkpoints")
    assert kept["witnesses"] == 1
    light_pair.assert_sound()


async def test_answers_may_cross_without_losing_what_was_seen(light_pair: Pair) -> None:
    """Both send at once; each has cosigned the other in the end."""
    for _ in range(3):
        await light_pair.request()
        await light_pair.request(sender=QUMRAN, to=FIJI)
        await light_pair[FIJI].send_to(QUMRAN)
        await light_pair[QUMRAN].send_to(FIJI)
    assert [len(light_pair[one].rows("witnessed")) for one in (FIJI, QUMRAN)] == [1, 1]
    assert light_pair[FIJI].alarms() == light_pair[QUMRAN].alarms() == []
    light_pair.assert_sound()


# --- two histories --------------------------------------------------------------------------


@pytest.mark.usefixtures("deaf")
@pytest.mark.parametrize("more", [0, 1, 5])
async def test_two_histories_are_caught_in_one_exchange_and_deliver_nothing(
    light_pair: Pair, more: int
) -> None:
    """The receipt is kept, the proof is kept, the message waits."""
    await two_histories(light_pair, more=more)
    posted = await light_pair.request()
    await light_pair[FIJI].send_to(QUMRAN)
    assert light_pair[FIJI].message(posted.identity)["state"] == "queued"
    if more == 0:  # the other history is the shorter one still: nothing is shown about it
        return
    assert_proved(light_pair, FIJI)
    assert "receipt-contradicts" in light_pair[FIJI].alarms()
    (waiting,) = light_pair[FIJI].waiting()
    assert waiting.last_code == "log-fork"


@pytest.mark.usefixtures("deaf")
async def test_the_proof_of_a_fork_reaches_everybody(light_pair: Pair) -> None:
    """Fiji finds it, tells Tonga; each tells the others until they have said they hold it."""
    await two_histories(light_pair)
    await light_pair.request()
    await light_pair[FIJI].send_to(QUMRAN)
    proof = assert_proved(light_pair, FIJI)
    light_pair.link(FIJI, QUMRAN).down = True
    await light_pair[FIJI].watch.notices.push()
    assert assert_proved(light_pair, TONGA) == proof
    await light_pair[TONGA].watch.notices.push()
    assert light_pair[QUMRAN].node.log.halted is not None  # it hears of itself, and stops
    assert light_pair[QUMRAN].alarms() == ["log-halted"]
    for name in (FIJI, TONGA):
        light_pair[name].assert_sound()


async def test_a_log_that_does_not_show_what_was_cosigned_is_looked_at(light_pair: Pair) -> None:
    """No link, no accusation: the receipt counts, and the monitor finds the second history."""
    await two_histories(light_pair)
    strip = TRICKS["withhold the log"]
    light_pair.link(FIJI, QUMRAN).next(strip)
    monkey = light_pair[QUMRAN].watch.own
    state = light_pair[FIJI].rows("witnessed")[0]
    monkey._known[int(str(state["size"]))] = bytes(state["root"])  # type: ignore[call-overload]  # it looks away
    posted = await light_pair.request()
    await light_pair[FIJI].send_to(QUMRAN)
    assert light_pair[FIJI].message(posted.identity)["state"] == "delivered"
    assert len(light_pair[FIJI].rows("unproven")) == 1
    (finding,) = await light_pair[FIJI].watch.monitor.look(QUMRAN)
    assert finding.verdict == "fork"
    assert_proved(light_pair, FIJI)


async def test_a_true_log_that_is_withheld_is_proved_by_its_tiles(light_pair: Pair) -> None:
    """Delivered at once, unproved until somebody has looked, and then no more."""
    light_pair.link(FIJI, QUMRAN).next("withhold the log", "withhold the log")
    await exchanged(light_pair)
    await exchanged(light_pair)
    assert len(light_pair[FIJI].rows("unproven")) == 2
    light_pair[FIJI].assert_sound()
    (finding,) = await light_pair[FIJI].watch.monitor.look(QUMRAN)
    assert (finding.verdict, finding.detail) == ("ok", "")
    assert light_pair[FIJI].rows("unproven") == []
    assert light_pair[FIJI].alarms() == []
    light_pair.assert_sound()


@pytest.mark.usefixtures("deaf")
async def test_two_receipts_of_one_size_and_two_roots_are_a_fork(light_pair: Pair) -> None:
    """Neither is shown to continue anything; together they prove it."""
    kept = copy_of(light_pair, QUMRAN)
    light_pair.link(FIJI, QUMRAN).next("withhold the log", "withhold the log")
    await exchanged(light_pair)
    resume(light_pair, QUMRAN, kept)
    posted = await light_pair.request()
    await light_pair[FIJI].send_to(QUMRAN)
    assert light_pair[FIJI].message(posted.identity)["state"] == "queued"
    assert_proved(light_pair, FIJI)


# --- notices --------------------------------------------------------------------------------


async def test_a_notice_that_proves_nothing_is_not_kept(light_pair: Pair) -> None:
    """Garbage, and a proof about a log whose keys nobody has signed for."""
    digests = await light_pair.link(TONGA, FIJI).post_notices(
        Notices(closures=(b"{}",), forks=(b"{}", b"x"))
    )
    assert digests == ()
    assert light_pair[FIJI].rows("log_notices") == []
    assert light_pair[FIJI].alarms() == []


@pytest.mark.usefixtures("deaf")
async def test_a_proof_that_comes_twice_is_kept_once(light_pair: Pair) -> None:
    """From two peers, or from one that forgot."""
    await two_histories(light_pair)
    await light_pair.request()
    await light_pair[FIJI].send_to(QUMRAN)
    proof = assert_proved(light_pair, FIJI)
    forks = light_pair[TONGA].node.forks
    assert await light_pair[TONGA].write(lambda tx: forks.keep(tx, proof, told_by=FIJI))
    assert not await light_pair[TONGA].write(lambda tx: forks.keep(tx, proof, told_by=FIJI))
    assert_proved(light_pair, TONGA)


async def test_no_file_of_another_log_makes_the_monitor_accuse_anybody(light_pair: Pair) -> None:
    """Tiles that do not lead to the signed root, or none, show nothing."""
    await exchanged(light_pair)
    await light_pair.request(sender=TONGA, to=QUMRAN)
    await light_pair[TONGA].send_to(QUMRAN)
    link = light_pair.link(FIJI, QUMRAN)
    for change in (lambda raw: raw and raw[:-1] + bytes([raw[-1] ^ 1]), lambda _: None):
        link.file = change
        (finding,) = await light_pair[FIJI].watch.monitor.look(QUMRAN)
        assert finding.verdict == "ok"
        assert finding.detail
    assert light_pair[FIJI].rows("log_notices") == []


async def test_a_replica_that_lags_is_stale_and_one_that_signs_went_back(light_pair: Pair) -> None:
    """An older head may be a copy's; an older head that was signed later is the log's own."""
    await exchanged(light_pair)
    kept = copy_of(light_pair, QUMRAN)
    light_pair.clock.advance(10)
    await exchanged(light_pair)
    resume(light_pair, QUMRAN, kept)
    monitor = light_pair[FIJI].watch.monitor
    (finding,) = await monitor.look(QUMRAN)
    assert finding.verdict == "stale"
    light_pair.clock.advance(10)
    await light_pair[QUMRAN].write(light_pair[QUMRAN].watch.own.renew)
    for _ in range(2):
        (finding,) = await monitor.look(QUMRAN)
        assert finding.verdict == "rollback"
    assert light_pair[FIJI].alarms() == ["log-stale", "log-rollback"]


@pytest.mark.usefixtures("deaf")
async def test_a_proof_is_written_as_a_file_that_anybody_can_verify(
    light_pair: Pair, tmp_path: Path
) -> None:
    """`comity verify` needs the keys of the log, and neither node nor network."""
    await two_histories(light_pair)
    await light_pair.request()
    await light_pair[FIJI].send_to(QUMRAN)
    proof = assert_proved(light_pair, FIJI)
    policy = tmp_path / "policy"
    keys = light_pair[FIJI].node.office.directory.keys_of_log(ORIGIN)
    policy.write_bytes(encode_policy(ORIGIN, keys, witnesses=(), quorum=0))
    light_pair.close()
    out = tmp_path / "forks"
    done = comity("--config", light_pair.folder / FIJI, "audit", "forks", "--out", out, "--json")
    (name,) = done.json["files"]
    assert (out / name).read_bytes() == proof
    judged = comity("verify", out / name, "--policy", policy)
    assert judged.status is Exit.DONE
    assert "FORK" in judged.out
    (out / name).write_bytes(proof.replace(b'"root":"', b'"root":"A', 1))
    assert comity("verify", out / name, "--policy", policy).status is not Exit.DONE
