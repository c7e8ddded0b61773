"""What peers can make a node do to itself: halt by its own signature alone, and never end."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest

from node.storage import witness_rows
from node.transport.batch import Notices
from node.transport.c2sp import TEXT, WitnessAnswer
from protocol.checkpoint import Checkpoint, cosign, with_cosignatures, witness_name
from protocol.digest import sha256
from protocol.errors import Recovering, Rejected
from protocol.fork import Fork, make_fork
from protocol.note import decode_note
from protocol.witness_wire import SIZE_TYPE, encode_cosignatures
from tests.node.adversary_log.liar import Liar
from tests.support.forge import flipped
from tests.support.memory_log import MemoryLog
from tests.support.network import NETWORK
from tests.support.pair import FIJI, QUMRAN, TONGA, Pair


async def exchanged(pair: Pair, rounds: int = 1, to: str = QUMRAN) -> None:
    """Let Fiji send requests that arrive."""
    for _ in range(rounds):
        await pair.request(to=to)
        await pair[FIJI].send_to(to)


async def test_a_halted_node_lives_on_while_its_peers_logs_grow(light_pair: Pair) -> None:
    """Reading goes on, so what watches peers must not end it."""
    await exchanged(light_pair)
    await light_pair[FIJI].watch.monitor.look(QUMRAN)
    await exchanged(light_pair)
    light_pair[FIJI].node.log.halt("a test")
    await light_pair[QUMRAN].write(
        lambda tx: light_pair[QUMRAN].node.register.send_request(
            tx, to=TONGA, request_kind="MLA_EVIDENCE", body={"text": "x"}
        )
    )
    (finding,) = await light_pair[FIJI].watch.monitor.look(QUMRAN)
    assert finding.verdict != "fork"
    await light_pair[FIJI].watch.witnessing.push()
    await light_pair[FIJI].watch.notices.push()


async def test_a_halted_node_that_finds_a_fork_lives_on(light_pair: Pair) -> None:
    """It cannot record the proof; that must not end it either."""
    liar = Liar(light_pair)
    await exchanged(light_pair, 2, TONGA)
    liar.log = MemoryLog(liar.log.ring, TONGA).grown(9)
    light_pair[FIJI].node.log.halt("a test")
    (finding,) = await light_pair[FIJI].watch.monitor.look(TONGA)
    assert finding.verdict == "fork"


async def test_only_what_our_own_keys_signed_halts_a_node(light_pair: Pair) -> None:
    """Numbers, notes of others, forged lines and garbage are anybody's word."""
    await exchanged(light_pair)
    fiji = light_pair[FIJI]
    own, ring = fiji.watch.own, light_pair.trust.rings[FIJI]
    ahead = MemoryLog(ring, FIJI).grown(900)
    true = ahead.checkpoint(900, now=light_pair.clock.now())
    tonga = light_pair.trust.rings[TONGA].signers("witness")
    words = cosign(
        Checkpoint(own.origin, 900, ahead.root(900)), name=witness_name(NETWORK, TONGA),
        ed25519=tonga.first, ml_dsa=tonga.second, now=light_pair.clock.now(),
    )  # fmt: skip
    note = decode_note(true)
    harmless = [
        flipped(true, -9), true.replace(b"\n900\n", b"\n901\n"), b"", b"garbage", b"\xff" * 900,
        replace(note, signatures=tuple(words)).encode(),
        replace(note, signatures=note.signatures[:1]).encode(),
        MemoryLog(ring, FIJI, number=2).grown(5).checkpoint(5, now=light_pair.clock.now()),
        MemoryLog(ring, TONGA).grown(5).checkpoint(5, now=light_pair.clock.now()),
    ]  # fmt: skip
    for raw in harmless:
        await fiji.watch.shown.heard(TONGA, raw)
    liar = Liar(light_pair)
    for status, size in ((409, b"999999999999\n"), (409, b"x"), (200, b"junk"), (500, b"")):
        liar.said = WitnessAnswer(status, SIZE_TYPE, size)
        for liar.cosigned in (None, *harmless):
            await fiji.watch.witnessing.push()
    assert own.halted is None
    assert fiji.alarms() == []
    cosigned = light_pair[QUMRAN].read(lambda conn: witness_rows.read_witnessed(conn, own.origin))
    assert cosigned is not None
    await fiji.watch.shown.heard(TONGA, cosigned.raw)
    assert own.halted is None
    with pytest.raises(Recovering):
        await fiji.watch.shown.heard(TONGA, with_cosignatures(true, words))
    assert fiji.alarms() == ["log-halted"]
    for _ in range(3):
        with pytest.raises(Recovering):
            await fiji.watch.shown.heard(TONGA, true)
    assert fiji.alarms() == ["log-halted"]


async def test_a_node_that_its_peer_has_halted_is_halted_after_a_restart(light_pair: Pair) -> None:
    """And signs nothing, whether or not that peer is there."""
    await exchanged(light_pair)
    ahead = MemoryLog(light_pair.trust.rings[FIJI], FIJI).grown(900)
    with pytest.raises(Recovering):
        await light_pair[FIJI].watch.shown.heard(TONGA, ahead.checkpoint(900, now=1_800_000_000))
    light_pair.close(FIJI)
    assert light_pair[FIJI].node.log.halted is not None
    with pytest.raises(Recovering):
        await light_pair.request()
    assert light_pair[FIJI].alarms() == ["log-halted"]


async def test_a_forged_fork_proof_accuses_nobody(light_pair: Pair) -> None:
    """Other keys, one history, no difference, sizes of nothing, another tree's path."""
    await exchanged(light_pair)
    now, rings = light_pair.clock.now(), light_pair.trust.rings
    one = MemoryLog(rings[TONGA], TONGA).grown(9)
    two = one.rewritten(3)
    other = MemoryLog(rings[QUMRAN], TONGA).grown(9)  # Tonga's name, Qumran's keys
    first, second = one.checkpoint(5, now=now), one.checkpoint(9, now=now)
    empty = MemoryLog(rings[TONGA], TONGA).checkpoint(0, now=now)
    proof = make_fork(one.checkpoint(9, now=now), two.checkpoint(9, now=now))
    names = (one.checkpoint(9, now=now), two.checkpoint(9, now=now))
    left, right = names if one.root(9) > two.root(9) else names[::-1]
    forged = [
        make_fork(other.checkpoint(9, now=now), other.rewritten(3).checkpoint(9, now=now)),
        Fork(one.origin, first, second, two.root(5), tuple(one.path(5, 9))).encode(),
        Fork(one.origin, first, second, two.root(5), tuple(two.path(5, 9))).encode(),
        Fork(one.origin, first, second, one.root(5), tuple(one.path(5, 9))).encode(),
        Fork(one.origin, empty, second, sha256(b"x"), ()).encode(),
        Fork(one.origin, empty, empty).encode(),
        Fork(one.origin, first, first).encode(),
        Fork(one.origin, left, right).encode(),  # the larger root first
        Fork(one.origin, second, first, one.root(9), ()).encode(),
        Fork(MemoryLog(rings[FIJI], FIJI).origin, first, second).encode(),
        flipped(proof, len(proof) // 2), proof + b" ", b"", b"{}",
    ]  # fmt: skip
    fiji = light_pair[FIJI]
    assert await fiji.watch.notices.take(QUMRAN, Notices((), tuple(forged))) == ()
    assert fiji.alarms() == []
    assert fiji.rows("log_notices") == []
    assert fiji.node.log.halted is None
    assert len(await fiji.watch.notices.take(QUMRAN, Notices((), (proof,)))) == 1
    assert fiji.alarms() == ["log-fork"]


async def test_one_fork_is_told_once_however_often_and_variously_it_is_proved(
    light_pair: Pair,
) -> None:
    """One row, one record, one alarm, and no memory for what a peer repeats."""
    await exchanged(light_pair)
    one = MemoryLog(light_pair.trust.rings[TONGA], TONGA).grown(64)
    two, now, fiji = one.rewritten(3), light_pair.clock.now(), light_pair[FIJI]
    proofs = [
        make_fork(one.checkpoint(size, now=now), two.checkpoint(size, now=now))
        for size in range(5, 65)
    ]
    for _ in range(20):
        await fiji.watch.notices.take(QUMRAN, Notices((), tuple(proofs)))
    assert fiji.alarms() == ["log-fork"]
    assert len(fiji.rows("log_notices")) == 1
    assert fiji.records().count("log.fork-found") == 1
    assert len(fiji.watch.notices._known[QUMRAN]) == 1


async def test_a_fork_proof_about_this_node_halts_it(light_pair: Pair) -> None:
    """Somebody else has its keys, or it is a copy: it signs nothing, and says so once."""
    await exchanged(light_pair)
    one = MemoryLog(light_pair.trust.rings[FIJI], FIJI).grown(9)
    now = light_pair.clock.now()
    proof = make_fork(one.checkpoint(9, now=now), one.rewritten(3).checkpoint(9, now=now))
    for _ in range(3):
        await light_pair[FIJI].watch.notices.take(QUMRAN, Notices((), (proof,)))
    assert light_pair[FIJI].alarms() == ["log-halted"]
    with pytest.raises(Recovering):
        await light_pair.request()
    light_pair.close(FIJI)
    assert light_pair[FIJI].node.log.halted is not None


async def test_lines_that_a_witness_adds_to_its_word_are_not_kept(light_pair: Pair) -> None:
    """Repeated, of unknown keys or of others: the log stays sound, and keeps two lines of each."""
    await exchanged(light_pair)
    await light_pair[QUMRAN].write(
        lambda tx: light_pair[QUMRAN].node.register.send_request(
            tx, to=FIJI, request_kind="MLA_EVIDENCE", body={"text": "x"}
        )
    )
    await light_pair[QUMRAN].send_to(FIJI)
    fiji, origin = light_pair[FIJI], light_pair[FIJI].watch.own.origin
    state = light_pair[QUMRAN].read(lambda conn: witness_rows.read_witnessed(conn, origin))
    assert state is not None
    note = decode_note(state.raw)
    words = [one for one in note.signatures if one.name.startswith(f"{NETWORK}/{QUMRAN}")]
    assert len(words) == 2
    strange = [replace(words[0], key_hash=bytes([n] * 4)) for n in range(6)]
    for lines in (
        (*note.signatures, *strange),
        (*note.signatures, *words),
        (*strange, *note.signatures),
    ):
        raw = replace(note, signatures=tuple(lines)).encode()
        with contextlib.suppress(Rejected):
            await fiji.watch.witnessing.take(raw, peer=QUMRAN)
            light_pair.clock.advance(61)
    for row in fiji.rows("checkpoints"):
        assert isinstance(row["raw"], bytes)
        assert len(decode_note(row["raw"]).signatures) == 4
    fiji.assert_sound()


async def test_an_answer_of_a_witness_full_of_its_own_name_leaves_room_for_others(
    light_pair: Pair,
) -> None:
    """Sixty lines of unknown keys beside a true word: no push fails by them, and none is kept."""
    await exchanged(light_pair)
    fiji = light_pair[FIJI]
    liar, head = Liar(light_pair), fiji.watch.own.head()
    pair = light_pair.trust.rings[TONGA].signers("witness")
    words = cosign(
        Checkpoint(head.origin, head.size, head.root), name=witness_name(NETWORK, TONGA),
        ed25519=pair.first, ml_dsa=pair.second, now=light_pair.clock.now(),
    )  # fmt: skip
    strange = [replace(words[0], key_hash=bytes([7, 7, 7, n])) for n in range(60)]
    liar.said = WitnessAnswer(200, TEXT, encode_cosignatures((*words, *strange)))
    await fiji.watch.witnessing.push()
    (row,) = [row for row in fiji.rows("checkpoints") if row["size"] == head.size]
    assert isinstance(row["raw"], bytes)
    assert len(decode_note(row["raw"]).signatures) == 6  # the log, Qumran, Tonga
    assert row["witnesses"] == 2
