"""The log at start and at every write: it signs one history, or nothing at all."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from node.audit.guard import guarded_checkpoint, read_guard
from node.audit.records import RECORD_KINDS, KeyRotated
from node.run import run_node
from node.storage.writer import Sequenced, Tx
from protocol.checkpoint import verify_checkpoint
from protocol.errors import Recovering
from protocol.merkle import leaf_hash
from protocol.proof import verify_proof
from protocol.record import commitment, entry
from tests.support.pair import FIJI, QUMRAN, Pair, fresh_message, sealed


def guard_file(pair: Pair, name: str = QUMRAN) -> Path:
    """Give the file of a node's guard."""
    return pair.folder / name / "guard" / "checkpoint"


async def assert_signs_nothing(pair: Pair, name: str, *words: str) -> None:
    """Every attempt to record fails, nothing is added, and reading goes on."""
    wired = pair[name]
    assert wired.node.log.halted is not None
    for word in words:
        assert word in wired.node.log.halted
    file = guard_file(pair, name)
    before, guard = wired.counts(), file.read_bytes() if file.exists() else None
    with pytest.raises(Recovering):
        await pair.request(sender=name, to=FIJI if name == QUMRAN else QUMRAN)
    with pytest.raises(Recovering):
        await pair.offer(*sealed(pair, [fresh_message(pair, case=f"{FIJI}/{'ee' * 16}")]))
    with pytest.raises(Recovering):
        await wired.write(lambda tx: tx.record(KeyRotated("pacific", tx.now, "hop", "00", "x")))
    assert wired.counts() == before
    assert isinstance(wired.records(), list)
    assert (file.read_bytes() if file.exists() else None) == guard


def _broken(_: int) -> None:
    raise OSError(errno.EIO, "Input/output error")


class Restore:
    """A database as it was at one moment, put back later."""

    def __init__(self, pair: Pair, name: str = QUMRAN) -> None:
        """Take the copy."""
        self._pair, self._name = pair, name
        pair.close(*[name] if name in pair.nodes else [])
        self._folder = pair.folder / name
        self._kept = self._folder.parent / "kept"
        url = pair.url(name)
        if url is None:
            self._kept.mkdir()
            for file in self._folder.glob("comity.db*"):
                shutil.copy(file, self._kept)
            return
        self._rows = pair[name].dump()
        pair.close(name)

    def put_back(self) -> None:
        """Put the copy in the place of what is there."""
        if self._pair.url(self._name) is None:
            self._pair.close(self._name)
            for file in self._folder.glob("comity.db*"):
                file.unlink()
            for file in self._kept.iterdir():
                shutil.copy(file, self._folder)
            return
        self._pair[self._name].load(self._rows)
        self._pair.close(self._name)


async def test_a_restored_database_signs_nothing(pair: Pair) -> None:
    """It is behind the guard: halted with a reason, every write refused, `run` refuses too."""
    await pair.offer(*sealed(pair, [fresh_message(pair)]))
    backup = Restore(pair)
    await pair.offer(*sealed(pair, [fresh_message(pair, case=f"{FIJI}/{'aa' * 16}")]))
    backup.put_back()
    await assert_signs_nothing(pair, QUMRAN, "behind the guard", "restored")
    settings = pair[QUMRAN].node.settings
    ring = pair.trust.rings[QUMRAN]
    pair.close(QUMRAN)
    with pytest.raises(Recovering, match="behind the guard"):
        run_node(settings, ring)


async def test_a_copy_that_went_another_way_signs_nothing(pair: Pair) -> None:
    """As many entries as the guard remembers, but others."""
    backup = Restore(pair)
    guard = guard_file(pair).read_bytes()
    await pair.offer(*sealed(pair, [fresh_message(pair)]))
    later = guard_file(pair).read_bytes()
    backup.put_back()
    guard_file(pair).write_bytes(guard)
    await pair.offer(*sealed(pair, [fresh_message(pair, case=f"{FIJI}/{'bb' * 16}")]))
    pair.close(QUMRAN)
    guard_file(pair).write_bytes(later)
    await assert_signs_nothing(pair, QUMRAN, "another history")


async def test_a_database_that_went_on_from_another_history_signs_nothing(pair: Pair) -> None:
    """More entries than the guard remembers, and not the same ones below."""
    backup = Restore(pair)
    guard = guard_file(pair).read_bytes()
    await pair.offer(*sealed(pair, [fresh_message(pair)]))
    later = guard_file(pair).read_bytes()
    backup.put_back()
    guard_file(pair).write_bytes(guard)
    for number in range(3):
        await pair.offer(*sealed(pair, [fresh_message(pair, case=f"{FIJI}/{number:032x}")]))
    pair.close(QUMRAN)
    guard_file(pair).write_bytes(later)
    await assert_signs_nothing(pair, QUMRAN, "another history")


async def test_without_its_guard_a_log_signs_nothing(pair: Pair) -> None:
    """Only `init` makes one; a missing guard is never made again on the way."""
    pair[QUMRAN]
    pair.close(QUMRAN)
    guard_file(pair).unlink()
    await assert_signs_nothing(pair, QUMRAN, "absent")
    assert not guard_file(pair).exists()


@pytest.mark.parametrize("content", [b"", b"damaged\n", b"\x00" * 64])
async def test_with_a_damaged_guard_a_log_signs_nothing(light_pair: Pair, content: bytes) -> None:
    """Whatever stands in it."""
    guard_file(light_pair).write_bytes(content)
    await assert_signs_nothing(light_pair, QUMRAN, "damaged")


async def test_with_the_guard_of_another_log_a_log_signs_nothing(light_pair: Pair) -> None:
    """Fiji's guard in Qumran's place."""
    shutil.copy(guard_file(light_pair, FIJI), guard_file(light_pair))
    await assert_signs_nothing(light_pair, QUMRAN)


async def test_a_crash_between_commit_and_guard_is_made_good_at_start(pair: Pair) -> None:
    """The database is ahead and consistent: nothing had left, so the guard moves on."""
    await pair.offer(*sealed(pair, [fresh_message(pair)]))
    behind = guard_file(pair).read_bytes()
    (raw,) = sealed(pair, [fresh_message(pair, case=f"{FIJI}/{'aa' * 16}")])
    await pair.offer(raw)
    pair.close(QUMRAN)
    guard_file(pair).write_bytes(behind)
    assert pair[QUMRAN].node.log.halted is None
    assert guarded_checkpoint(read_guard(guard_file(pair)) or b"").size == len(
        pair[QUMRAN].records()
    )
    (again,) = await pair.offer(raw)
    assert again.receipt is not None
    await pair.request(sender=QUMRAN, to=FIJI)
    pair.assert_sound()


def torn(before: bytes, after: bytes) -> bytes:
    """Give the guard's file as a crash in the middle of a move leaves it."""
    at = next(at for at in range(len(after)) if before[at] != after[at]) + 1_000
    return after[:at] + before[at:]


async def test_a_crash_in_the_middle_of_a_move_is_made_good_at_start(pair: Pair) -> None:
    """Half of the new slot is there, the database is ahead: nothing had left."""
    await pair.offer(*sealed(pair, [fresh_message(pair)]))
    before = guard_file(pair).read_bytes()
    (raw,) = sealed(pair, [fresh_message(pair, case=f"{FIJI}/{'aa' * 16}")])
    await pair.offer(raw)
    pair.close(QUMRAN)
    guard_file(pair).write_bytes(torn(before, guard_file(pair).read_bytes()))
    assert pair[QUMRAN].node.log.halted is None
    (again,) = await pair.offer(raw)
    assert again.receipt is not None
    pair.assert_sound()


async def test_a_damaged_slot_does_not_let_an_older_database_sign(pair: Pair) -> None:
    """The newer slot no longer says what was signed, but that something was."""
    await pair.offer(*sealed(pair, [fresh_message(pair)]))
    backup, before = Restore(pair), guard_file(pair).read_bytes()
    await pair[QUMRAN].write(
        lambda tx: tx.record(KeyRotated("pacific", tx.now, "hop", "00", "once"))
    )
    backup.put_back()
    guard_file(pair).write_bytes(torn(before, guard_file(pair).read_bytes()))
    await assert_signs_nothing(pair, QUMRAN, "lost a state newer")


async def test_a_guard_that_is_taken_away_while_the_node_runs_stops_it(pair: Pair) -> None:
    """The next commit finds it gone: nobody is answered, and no repeat gets a receipt."""
    (known,) = sealed(pair, [fresh_message(pair)])
    await pair.offer(known)
    guard_file(pair).unlink()
    (raw,) = sealed(pair, [fresh_message(pair, case=f"{FIJI}/{'aa' * 16}")])
    with pytest.raises(Recovering):
        await pair.offer(raw)
    for one in (raw, known):
        with pytest.raises(Recovering):
            await pair.offer(one)
    assert pair[QUMRAN].node.log.halted is not None
    assert pair[QUMRAN].node.failure.fault is not None


async def test_a_guard_that_cannot_be_written_stops_the_node(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its disk fails: nobody is answered; once it works again, start-up makes it good."""
    pair[QUMRAN]
    (raw,) = sealed(pair, [fresh_message(pair)])
    monkeypatch.setattr(os, "fdatasync", _broken)
    for _ in range(2):
        with pytest.raises(Recovering, match="guard cannot be written"):
            await pair.offer(raw)
    assert "guard cannot be written" in str(pair[QUMRAN].node.log.halted)
    monkeypatch.undo()
    pair.close(QUMRAN)
    (answer,) = await pair.offer(raw)
    assert answer.receipt is not None
    pair.assert_sound()


async def test_a_guard_that_somebody_else_moved_stops_the_node(pair: Pair) -> None:
    """A clone of this node went on elsewhere with the same guard."""
    await pair.offer(*sealed(pair, [fresh_message(pair)]))
    moved = guard_file(pair).read_bytes()
    guard_file(pair).write_bytes(guard_file(pair, FIJI).read_bytes())
    with pytest.raises(Recovering):
        await pair.request(sender=QUMRAN, to=FIJI)
    guard_file(pair).write_bytes(moved)
    pair.close(QUMRAN)
    assert pair[QUMRAN].node.log.halted is None
    pair.assert_sound()


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("UPDATE log_head SET size = size - 1", "not what its checkpoint says"),
        ("UPDATE log_head SET root = zeroblob(32)", "not what its checkpoint says"),
        ("UPDATE log_head SET checkpoint = x'00'", ""),
        ("DELETE FROM log_head", "no log"),
        ("UPDATE log_tiles SET hashes = zeroblob(length(hashes))", "tiles"),
        ("UPDATE log_tiles SET hashes = substr(hashes, 33)", "missing"),
        ("DELETE FROM log_tiles", "missing"),
    ],
)
async def test_a_head_or_tile_that_was_altered_signs_nothing(
    light_pair: Pair, statement: str, word: str
) -> None:
    """Database and signature must agree before anything else is signed."""
    await light_pair.offer(*sealed(light_pair, [fresh_message(light_pair)]))
    light_pair.close(QUMRAN)
    conn = sqlite3.connect(light_pair.folder / QUMRAN / "comity.db")
    with conn:
        conn.execute(statement)
    conn.close()
    await assert_signs_nothing(light_pair, QUMRAN, word)


async def test_two_nodes_on_one_database_do_not_fork_the_log(light_pair: Pair) -> None:
    """Two processes where the lock was circumvented: one of them stops, neither forks."""
    first = light_pair[QUMRAN]
    second = light_pair._open(QUMRAN)
    await first.write(lambda tx: tx.record(KeyRotated("pacific", tx.now, "hop", "00", "first")))
    await second.write(lambda tx: tx.record(KeyRotated("pacific", tx.now, "hop", "00", "second")))
    await first.write(lambda tx: tx.record(KeyRotated("pacific", tx.now, "hop", "00", "third")))
    second.node.close()
    light_pair.assert_sound()


async def test_every_entry_gets_a_proof_under_the_checkpoint_of_its_group(pair: Pair) -> None:
    """Across tiles: at every size each new proof verifies under the keys of the log."""
    origin, keys = pair.trust.directory.log_keys(QUMRAN)
    placed: list[Sequenced] = []

    def unit(tx: Tx) -> None:
        for number in range(37):
            tx.record(KeyRotated("pacific", tx.now, "hop", "00", str(number)), placed.append)

    for _ in range(8):
        await pair[QUMRAN].write(unit)
    assert len(placed) == 8 * 37
    assert [one.position for one in placed] == list(
        range(placed[0].position, placed[-1].position + 1)
    )
    for one in placed[::13]:
        leaf = leaf_hash(entry(commitment(one.record, one.salt)))
        verify_proof(one.proof, leaf=leaf, origin=origin, keys=keys)
    pair.assert_sound()


async def test_the_log_holds_only_kinds_of_the_closed_list(light_pair: Pair) -> None:
    """A kind that nobody has written down cannot be audited."""
    posted = await light_pair.request()
    await light_pair[FIJI].send_to(QUMRAN)
    await light_pair.event(posted.case, sender=QUMRAN)
    await light_pair[QUMRAN].send_to(FIJI)
    kinds = {*light_pair[FIJI].records(), *light_pair[QUMRAN].records()}
    assert kinds <= set(RECORD_KINDS)
    assert {"log.opened", "network.installed", "listing.installed", "message.sent"} <= kinds


async def test_salts_are_never_used_twice(light_pair: Pair) -> None:
    """Equal records have different entries."""
    for _ in range(3):
        await light_pair[QUMRAN].write(
            lambda tx: tx.record(KeyRotated("pacific", tx.now, "hop", "00", "same"))
        )
    rows = light_pair[QUMRAN].rows("log_entries")
    assert len({row["salt"] for row in rows}) == len(rows)
    assert len({row["commitment"] for row in rows}) == len(rows)


async def test_a_renewed_head_has_a_new_time_and_the_same_tree(pair: Pair) -> None:
    """An idle log is signed again, in database and guard, and goes on from there."""
    log = pair[QUMRAN].node.log
    before = log.published
    assert before is not None
    pair.clock.advance(86_400)
    await pair[QUMRAN].write(lambda tx: log.renew(tx.conn, tx.now))
    after = log.published
    assert after is not None
    assert read_guard(guard_file(pair)) == after.checkpoint != before.checkpoint
    signed = verify_checkpoint(after.checkpoint, origin=log.origin, keys=log.keys)
    assert (signed.checkpoint.size, signed.checkpoint.root) == (before.size, before.root)
    assert signed.time == pair.clock.now()
    await pair.request(sender=QUMRAN, to=FIJI)
    pair.close(QUMRAN)
    assert pair[QUMRAN].node.log.halted is None
    pair.assert_sound()


async def test_a_log_that_is_halted_while_it_runs_signs_nothing_more(pair: Pair) -> None:
    """For whatever reason; the first one stays."""
    log = pair[QUMRAN].node.log
    log.halt("a peer has seen another history")
    log.halt("another reason")
    await assert_signs_nothing(pair, QUMRAN, "a peer has seen another history")
    with pytest.raises(Recovering):
        await pair[QUMRAN].write(lambda tx: log.renew(tx.conn, tx.now))
