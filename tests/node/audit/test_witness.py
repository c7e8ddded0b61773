"""The witness: C2SP's answers, a memory that never goes back, and what proves a fork."""

from __future__ import annotations

from dataclasses import replace

import pytest

from node.audit.witness import FRESH_S, Said
from node.storage import Connection, peer_rows, witness_rows
from node.storage.engine import Database
from node.storage.witness_rows import Witnessed
from node.storage.writer import Tx
from protocol.checkpoint import verify_checkpoint, verify_cosignature, with_cosignatures
from protocol.digest import sha256_hex
from protocol.errors import Forked, NotAuthentic, Recovering, Unproven
from protocol.fork import verify_fork
from protocol.note import Note, NoteSignature, decode_note
from protocol.witness_wire import decode_cosignatures, encode_add_checkpoint
from tests.support.clock import START
from tests.support.memory_log import MemoryLog
from tests.support.trust import Trust, make_trust
from tests.support.witness_scene import FIJI, QUMRAN, TONGA, Scene, scene_of


@pytest.fixture(scope="module")
def trust() -> Trust:
    """Make the network once."""
    return make_trust((FIJI, QUMRAN, TONGA))


@pytest.fixture
def scene(database: Database, trust: Trust) -> Scene:
    """Give a witness on each kind of database."""
    return scene_of(database, trust)


def words_hold(scene: Scene, said: Said, raw: bytes, log: MemoryLog) -> int:
    """Check that an answer is Qumran's word on a checkpoint; gives its time."""
    assert said.status == 200
    lines = decode_cosignatures(said.body)
    assert len(lines) == 2
    signed = verify_checkpoint(with_cosignatures(raw, lines), origin=log.origin, keys=log.keys)
    name, keys = scene.trust.directory.witness_keys(QUMRAN)
    return verify_cosignature(signed.checkpoint, signed.other_signatures, name=name, keys=keys)


def test_a_log_is_cosigned_from_its_first_size_on(scene: Scene) -> None:
    """Each answer is the word on exactly that checkpoint; the state is kept with it."""
    log = scene.log.grown(300)
    for old, size in ((0, 1), (1, 257), (257, 300)):
        said = scene.say(log.add_checkpoint(old, size, now=scene.now))
        assert words_hold(scene, said, log.checkpoint(size, now=scene.now), log) == scene.now
        state = scene.state()
        assert state is not None
        assert (state.size, state.root) == (size, log.root(size))
        assert [line.name for line in decode_note(state.raw).signatures] == [
            log.origin, log.origin, scene.witness.name, scene.witness.name,
        ]  # fmt: skip


def test_the_same_state_is_cosigned_once_and_anew_when_the_word_is_old(scene: Scene) -> None:
    """A repeat gets the bytes that are kept; after half a day a fresh word."""
    log = scene.log.grown(9)
    first = scene.say(log.add_checkpoint(0, 9, now=scene.now))
    scene.now += FRESH_S - 1
    assert scene.say(log.add_checkpoint(9, 9, now=scene.now)) == first
    scene.now += 1
    again = scene.say(log.add_checkpoint(9, 9, now=scene.now))
    assert words_hold(scene, again, log.checkpoint(9, now=scene.now), log) == scene.now


def test_an_empty_log_can_be_cosigned(scene: Scene) -> None:
    """Size zero has one root, and old size zero no proof."""
    assert scene.say(scene.log.add_checkpoint(0, 0, now=START)).status == 200
    log = scene.log.grown(4)
    assert scene.say(log.add_checkpoint(0, 4, now=START)).status == 200


def with_line(body: bytes, signature: bytes) -> bytes:
    """Give a request with another signature in the note's first line."""
    head, _, note_raw = body.partition(b"\n\n")
    note = decode_note(note_raw)
    first = replace(note.signatures[0], raw=signature)
    return head + b"\n\n" + Note(note.body, (first, *note.signatures[1:])).encode()


def ask(checkpoint: bytes, *path: bytes, old: int = 100) -> bytes:
    """Give a request with any path."""
    return encode_add_checkpoint(old, path, checkpoint)


def test_each_fault_has_the_answer_that_c2sp_gives_it(scene: Scene, trust: Trust) -> None:
    """400, 403, 404, 409 with the size, 422; and the state stays."""
    log = scene.log.grown(300)
    assert scene.say(log.add_checkpoint(0, 100, now=START)).status == 200
    before = scene.state()
    good = log.add_checkpoint(100, 200, now=START)
    two_hundred = log.checkpoint(200, now=START)
    other, own = log.rewritten(50), MemoryLog(trust.rings[QUMRAN], QUMRAN).grown(3)
    strange = MemoryLog(trust.rings[TONGA], FIJI).grown(300)  # Fiji's name, Tonga's keys
    fault = NoteSignature(
        log.origin, decode_note(log.checkpoint(9, now=1)).signatures[0].key_hash, bytes(64)
    )
    cases = {
        "nothing": (b"", 400),
        "no old line": (good.removeprefix(b"old 100\n"), 400),
        "old with a zero": (good.replace(b"old 100", b"old 0100", 1), 400),
        "old above the size": (good.replace(b"old 100", b"old 201", 1), 400),
        "a hash cut": (good.replace(b"=\n", b"\n", 1), 400),
        "64 hashes": (ask(two_hundred, *[bytes(32)] * 64), 400),
        "no note": (b"old 100\n\nhello\n", 400),
        "our own log": (own.add_checkpoint(0, 3, now=START), 404),
        "a log not listed": (replace(log, number=2).add_checkpoint(0, 3, now=START), 404),
        "a stranger": (good.replace(b"fj.justice", b"xx.justice"), 404),
        "another network": (good.replace(b"pacific", b"atlantis"), 404),
        "no origin of ours": (good.replace(b"pacific/fj.justice/1", b"example.com/log"), 404),
        "another's keys": (strange.add_checkpoint(100, 200, now=START), 403),
        "a broken line": (with_line(good, bytes(64)), 403),
        "a line twice": (good + fault.line().encode(), 403),
        "an old size we have not": (log.add_checkpoint(99, 200, now=START), 409),
        "an old size ahead of us": (log.add_checkpoint(150, 200, now=START), 409),
        "back": (log.add_checkpoint(0, 50, now=START), 409),
        "a proof too short": (ask(two_hundred), 422),
        "another history": (other.add_checkpoint(100, 200, now=START), 422),
        "a proof for the same size": (ask(log.checkpoint(100, now=START), bytes(32)), 422),
    }  # fmt: skip
    for name, (body, status) in cases.items():
        said = scene.say(body)
        assert said.status == status, name
        if status == 409:
            assert (said.body, said.content_type) == (b"100\n", "text/x.tlog.size")
    assert scene.state() == before
    assert scene.forks == []


def test_an_empty_log_with_another_root_is_inconsistent(scene: Scene) -> None:
    """C2SP has a 422 for it, whoever signed it."""
    raw = scene.log.checkpoint(0, now=START).replace(
        b"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", b"A" * 43 + b"="
    )
    assert scene.say(encode_add_checkpoint(0, [], raw)).status == 422


def test_lines_of_others_may_stand_anywhere_and_are_ignored(scene: Scene) -> None:
    """Unknown keys, and the log's own name with another key, change nothing."""
    log = scene.log.grown(5)
    note = decode_note(log.checkpoint(5, now=START))
    strangers = (
        NoteSignature("example.com/witness", b"1234", b"x" * 72),
        NoteSignature(log.origin, b"4321", b"x" * 64),
    )
    mixed = Note(note.body, (strangers[0], note.signatures[1], strangers[1], note.signatures[0]))
    said = scene.say(encode_add_checkpoint(0, [], mixed.encode()))
    words_hold(scene, said, log.checkpoint(5, now=START), log)
    state = scene.state()
    assert state is not None
    assert b"example.com" not in state.raw
    only_strangers = Note(note.body, strangers).encode()
    assert scene.say(encode_add_checkpoint(5, [], only_strangers)).status == 403


@pytest.mark.parametrize("old", [9, 0])
def test_two_signed_roots_of_one_size_are_handed_on_as_a_fork(scene: Scene, old: int) -> None:
    """With the right old size a 422, with another a 409, and the proof in either case."""
    log = scene.log.grown(9)
    scene.say(log.add_checkpoint(0, 9, now=START))
    before = scene.state()
    rival = log.rewritten(4)
    body = encode_add_checkpoint(old, [], rival.checkpoint(9, now=START))
    assert scene.say(body).status == (422 if old else 409)
    (proof,) = scene.forks
    fork = verify_fork(proof, origin=log.origin, keys=log.keys)
    assert {fork.first.checkpoint.root, fork.second.checkpoint.root} == {log.root(9), rival.root(9)}
    assert scene.state() == before


def test_a_closed_log_is_cosigned_no_further_than_its_end(scene: Scene) -> None:
    """Up to the end yes; beyond it no word, and an alarm with the checkpoint, once a day."""
    log = scene.log.grown(20)
    scene.trusts(scene.trust.with_closure(FIJI, 9, log.root(9), now=START))
    assert scene.say(log.add_checkpoint(0, 9, now=START)).status == 200
    for _ in range(3):
        assert scene.say(log.add_checkpoint(9, 12, now=START)).status == 422
    (alarm,) = scene.database.read(peer_rows.list_alarms)
    assert (alarm.kind, alarm.peer) == ("log-truncated", FIJI)
    assert alarm.kept is not None
    assert b"fj.justice/1\n12\n" in alarm.kept


def test_the_next_log_is_started_only_once_the_old_one_is_closed(scene: Scene) -> None:
    """Its number is unknown before; then it has a state of its own."""
    second = replace(scene.log, number=2).grown(3)
    assert scene.say(second.add_checkpoint(0, 3, now=START)).status == 404
    scene.trusts(scene.trust.with_closure(FIJI, 0, scene.log.root(0), now=START))
    assert scene.say(second.add_checkpoint(0, 3, now=START)).status == 200
    assert scene.state(second.origin) is not None
    assert scene.state() is None


def test_a_revoked_log_key_is_no_key(scene: Scene) -> None:
    """Whoever stole it gets no word for it."""
    log = scene.log.grown(3)
    key_id = log.keys.ed25519.key_id
    raw = scene.trust.revocation(FIJI, "log", key_id)
    directory = scene.trust.directory.install_revocation(raw, now=START)
    scene.trusts(replace(scene.trust, directory=directory))
    assert scene.say(log.add_checkpoint(0, 3, now=START)).status == 404


def test_a_node_whose_own_log_is_halted_gives_no_word(scene: Scene) -> None:
    """Its memory may be of yesterday, and a word from it lead to two histories."""
    log = scene.log.grown(9)
    scene.say(log.add_checkpoint(0, 5, now=START))
    scene.halted = "restored"
    with pytest.raises(Recovering):
        scene.say(log.add_checkpoint(5, 9, now=START))
    assert scene.say(log.add_checkpoint(5, 5, now=START)).status == 200  # given before


def test_of_two_heads_from_one_state_one_moves_it(scene: Scene) -> None:
    """Whoever compared with a state that has gone moves nothing, and hears the new size."""
    log = scene.log.grown(9)
    scene.say(log.add_checkpoint(0, 3, now=START))
    old = scene.state()

    def late(conn: Connection) -> bool:
        new = Witnessed(log.origin, 7, log.root(7), b"raw", START)
        return witness_rows.move_witnessed(conn, old, new)

    def put(conn: Connection) -> bool:
        return witness_rows.move_witnessed(conn, None, first)

    assert scene.say(log.add_checkpoint(3, 9, now=START)).status == 200
    assert scene.database.transact(late) is False
    said = scene.say(log.add_checkpoint(3, 7, now=START))
    assert (said.status, said.body) == (409, b"9\n")
    state = scene.state()
    assert state is not None
    assert state.size == 9
    first = Witnessed("pacific/to.justice/1", 1, bytes(32), b"raw", START)
    for moved in (True, False):
        assert scene.database.transact(put) is moved


def test_what_is_not_committed_was_never_said(scene: Scene) -> None:
    """A crash between the cosigning and the commit: the next one starts from the old state."""
    log = scene.log.grown(9)

    def crash(conn: Connection) -> None:
        said = scene.witness.answer(Tx(conn, START), log.add_checkpoint(0, 5, now=START))
        assert said.status == 200
        raise RuntimeError("power")

    with pytest.raises(RuntimeError):
        scene.database.transact(crash)
    assert scene.state() is None
    assert scene.say(log.rewritten(0).add_checkpoint(0, 5, now=START)).status == 200


def test_the_state_follows_a_continuation_as_it_does_a_request(scene: Scene) -> None:
    """The same memory: what one moved the other finds, and repeats get the kept note."""
    log = scene.log.grown(30)

    def follow(size: int, *sizes: int, of: MemoryLog = log) -> bytes:
        told = of.continuation(size, *sizes, now=START)
        return scene.database.transact(
            lambda conn: scene.witness.follow(Tx(conn, START), log.origin, told)
        )

    raw = follow(10)
    state = scene.state()
    assert state is not None
    assert raw == state.raw == follow(10, 4)
    assert scene.say(log.add_checkpoint(10, 20, now=START)).status == 200
    with pytest.raises(Unproven):
        follow(30, 19)
    with pytest.raises(Unproven):
        follow(15, 10)
    with pytest.raises(Forked):
        follow(30, 20, of=log.rewritten(12))
    assert follow(30, 20) != raw
    tonga = "pacific/to.justice/1"
    told = log.continuation(30, now=START)
    with pytest.raises(NotAuthentic):
        scene.database.transact(lambda conn: scene.witness.follow(Tx(conn, START), tonga, told))
    scene.trusts(scene.trust.with_closure(FIJI, 29, log.root(29), now=START))
    with pytest.raises(Forked):
        follow(30, 30)


def test_the_monitor_gets_the_kept_checkpoint_by_the_digest_of_its_origin(scene: Scene) -> None:
    """With the log's lines and ours; nothing for a log that was never cosigned."""
    log = scene.log.grown(3)
    scene.say(log.add_checkpoint(0, 3, now=START))

    def ask(origin: str) -> bytes | None:
        digest = sha256_hex(origin.encode())
        return scene.database.read(lambda conn: scene.witness.checkpoint(conn, digest))

    raw = ask(log.origin)
    assert raw is not None
    assert len(decode_note(raw).signatures) == 4
    assert ask("pacific/to.justice/1") is None
