"""The guard in a file: made once, moved from exactly the old checkpoint, whole or not at all."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path
from typing import TypeAlias

import pytest

from keys.pairs import pair_from_seeds
from node.audit.guard import (
    FILE_BYTES,
    SLOT_BYTES,
    FileGuard,
    Guarded,
    guarded_checkpoint,
    read_guard,
)
from protocol.checkpoint import Checkpoint, sign_checkpoint
from protocol.errors import Recovering
from protocol.merkle import EMPTY_ROOT
from tests.support.clock import START

ORIGIN = "pacific/fj.justice/1"
Made: TypeAlias = tuple[Checkpoint, bytes]
PAIR = pair_from_seeds("log", (b"a" * 32, b"b" * 32))


def checkpoint(size: int, root: bytes | None = None, origin: str = ORIGIN) -> Made:
    """Give a checkpoint and its signed bytes."""
    made = Checkpoint(origin, size, root or (b"r" * 32 if size else EMPTY_ROOT))
    ed25519, ml_dsa = PAIR
    return made, sign_checkpoint(made, ed25519=ed25519, ml_dsa=ml_dsa, now=START)


def held_size(path: Path) -> int:
    """Give the size in the checkpoint that the file holds."""
    held = FileGuard(path).read()
    assert held is not None
    return guarded_checkpoint(held.checkpoint).size


def moved(path: Path, size: int) -> list[bytes]:
    """Make a guard and move it up to `size`; gives the content of its file at each size."""
    guard = FileGuard(path)
    guard.create(checkpoint(0)[1])
    contents = [path.read_bytes()]
    for following in range(1, size + 1):
        guard.advance(checkpoint(following - 1)[0], checkpoint(following)[1])
        contents.append(path.read_bytes())
    return contents


def test_a_guard_is_made_once(tmp_path: Path) -> None:
    """Whoever finds one leaves it alone, with what it holds."""
    guard = FileGuard(tmp_path / "guard" / "checkpoint")
    guard.create(checkpoint(3)[1])
    with pytest.raises(FileExistsError):
        guard.create(checkpoint(0)[1])
    assert held_size(tmp_path / "guard" / "checkpoint") == 3


def test_a_guard_and_its_folder_are_its_owners_alone(tmp_path: Path) -> None:
    """Also when the process lets others read what it makes."""
    before = os.umask(0)
    try:
        guard = FileGuard(tmp_path / "guard" / "checkpoint")
        guard.create(checkpoint(0)[1])
        guard.advance(checkpoint(0)[0], checkpoint(1)[1])
    finally:
        os.umask(before)
    assert (tmp_path / "guard").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "guard" / "checkpoint").stat().st_mode & 0o777 == 0o600


def test_an_absent_guard_is_nothing(tmp_path: Path) -> None:
    """And cannot be moved: only `init` makes one."""
    guard = FileGuard(tmp_path / "checkpoint")
    assert guard.read() is None
    with pytest.raises(Recovering):
        guard.advance(checkpoint(0)[0], checkpoint(1)[1])
    assert not (tmp_path / "checkpoint").exists()


def test_a_guard_moves_from_exactly_the_checkpoint_that_was_there(tmp_path: Path) -> None:
    """Same size and another root, another size, another log: it stays where it is."""
    guard = FileGuard(tmp_path / "checkpoint")
    first, raw = checkpoint(1)
    guard.create(raw)
    _, following = checkpoint(2)
    others = [checkpoint(1, b"x" * 32), checkpoint(0), checkpoint(2), checkpoint(1, origin="p/x/1")]
    for other, _ in others:
        with pytest.raises(Recovering):
            guard.advance(other, following)
        assert guard.read() == Guarded(raw)
    guard.advance(first, following)
    assert guard.read() == Guarded(following)
    with pytest.raises(Recovering):
        guard.advance(first, following)


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"nonsense\n", b"\xff" * 100, b"x" * 200_000, bytes(FILE_BYTES)],
    ids=len,
)
def test_a_damaged_guard_is_not_moved(tmp_path: Path, content: bytes) -> None:
    """And not mended either: a person must see it."""
    path = tmp_path / "checkpoint"
    path.write_bytes(content)
    guard = FileGuard(path)
    with pytest.raises(Recovering):
        guard.read()
    with pytest.raises(Recovering):
        guarded_checkpoint(read_guard(path) or b"")
    with pytest.raises(Recovering):
        guard.advance(checkpoint(0)[0], checkpoint(1)[1])
    assert path.read_bytes() == content


def test_a_guard_never_changes_its_length_and_keeps_the_state_before(tmp_path: Path) -> None:
    """So that moving it needs one sync, and a torn write leaves something whole."""
    contents = moved(tmp_path / "checkpoint", 5)
    assert {len(content) for content in contents} == {FILE_BYTES}
    for before, after in itertools.pairwise(contents):
        kept = [at for at in (0, SLOT_BYTES) if before[at:][:SLOT_BYTES] == after[at:][:SLOT_BYTES]]
        assert len(kept) == 1


@pytest.mark.parametrize("size", [1, 2, 3], ids=["second-slot", "first-slot", "second-again"])
def test_a_write_torn_at_any_byte_leaves_the_state_before(tmp_path: Path, size: int) -> None:
    """Every cut gives the old checkpoint or, when all is there, the new; the cut shows."""
    path = tmp_path / "checkpoint"
    before, after = moved(path, size)[-2:]
    written = [at for at in range(FILE_BYTES) if before[at] != after[at]]
    slot = written[0] // SLOT_BYTES * SLOT_BYTES
    end = slot + len(checkpoint(size)[1]) + 128
    for cut in range(slot, end):
        torn = after[:cut] + before[cut:] if slot == 0 else before[:slot] + after[slot:cut]
        path.write_bytes(torn + before[len(torn) :])
        held = FileGuard(path).read()
        assert held is not None
        whole = cut > written[-1]
        assert guarded_checkpoint(held.checkpoint).size == (size if whole else size - 1)
        assert held.torn == (not whole and cut > written[0])


def test_a_write_of_which_only_some_sectors_arrived_leaves_the_state_before(
    tmp_path: Path,
) -> None:
    """In whatever order the disk writes its sectors of 512 bytes."""
    path = tmp_path / "checkpoint"
    before, after = moved(path, 3)[-2:]
    sectors = [at for at in range(0, FILE_BYTES, 512) if before[at:][:512] != after[at:][:512]]
    assert 1 < len(sectors) <= 8
    for chosen in itertools.product([False, True], repeat=len(sectors)):
        content = bytearray(before)
        for at, arrived in zip(sectors, chosen, strict=True):
            if arrived:
                content[at : at + 512] = after[at : at + 512]
        path.write_bytes(content)
        assert held_size(path) == (3 if all(chosen) else 2)


def test_after_a_torn_write_the_guard_moves_on_from_the_state_before(tmp_path: Path) -> None:
    """The torn slot is written again, and then both are whole."""
    path = tmp_path / "checkpoint"
    before, after = moved(path, 4)[-2:]
    path.write_bytes(after[:1_000] + before[1_000:])
    guard = FileGuard(path)
    held = guard.read()
    assert held is not None
    assert held.torn
    guard.advance(checkpoint(3)[0], checkpoint(5)[1])
    assert guard.read() == Guarded(read_guard(path) or b"", torn=False)
    assert held_size(path) == 5


def test_a_guard_whose_slots_are_both_damaged_is_damaged(tmp_path: Path) -> None:
    """Nothing in it can be relied on: one byte of each is enough."""
    path = tmp_path / "checkpoint"
    (content,) = moved(path, 3)[-1:]
    for at in (0, 20, 100, 3_000):
        both = bytearray(content)
        both[at] ^= 1
        both[SLOT_BYTES + at] ^= 1
        path.write_bytes(both)
        with pytest.raises(Recovering):
            FileGuard(path).read()
        with pytest.raises(Recovering):
            FileGuard(path).advance(checkpoint(3)[0], checkpoint(4)[1])
        with pytest.raises(Recovering):
            guarded_checkpoint(read_guard(path) or b"")


def test_two_slots_of_one_turn_are_damaged(tmp_path: Path) -> None:
    """Somebody put them together from two files: which is newer, nobody can say."""
    path = tmp_path / "checkpoint"
    contents = moved(path, 1)
    path.write_bytes(contents[0][:SLOT_BYTES] * 2)
    with pytest.raises(Recovering):
        FileGuard(path).read()


def test_an_older_file_put_back_while_the_log_goes_on_is_not_moved(tmp_path: Path) -> None:
    """It is behind what was committed last, and the log stops."""
    path = tmp_path / "checkpoint"
    contents = moved(path, 3)
    for older in contents[:-1]:
        path.write_bytes(older)
        with pytest.raises(Recovering):
            FileGuard(path).advance(checkpoint(3)[0], checkpoint(4)[1])
        assert path.read_bytes() == older


def test_a_checkpoint_alone_is_read_and_becomes_two_slots_when_it_moves(tmp_path: Path) -> None:
    """As release 0.1 left it; a half-written new file beside it changes nothing."""
    path = tmp_path / "checkpoint"
    first, raw = checkpoint(1)
    path.write_bytes(raw)
    path.with_name("checkpoint.new").write_bytes(b"half of a check")
    guard = FileGuard(path)
    assert guard.read() == Guarded(raw)
    assert read_guard(path) == raw
    with pytest.raises(Recovering):
        guard.advance(checkpoint(2)[0], checkpoint(3)[1])
    guard.advance(first, checkpoint(2)[1])
    assert len(path.read_bytes()) == FILE_BYTES
    assert path.stat().st_mode & 0o777 == 0o600
    guard.advance(checkpoint(2)[0], checkpoint(3)[1])
    assert held_size(path) == 3


@pytest.mark.parametrize(
    "there", [None, b"damaged", checkpoint(7)[1]], ids=["absent", "damaged", "whole"]
)
def test_a_recovery_gives_the_guard_to_the_next_log(tmp_path: Path, there: bytes | None) -> None:
    """Whatever was there belongs to a log that is closed."""
    path = tmp_path / "guard" / "checkpoint"
    if there is not None:
        path.parent.mkdir()
        path.write_bytes(there)
    next_log = checkpoint(0, origin="pacific/fj.justice/2")
    guard = FileGuard(path)
    guard.supersede(next_log[1])
    assert guard.read() == Guarded(next_log[1])
    guard.advance(next_log[0], checkpoint(1, origin="pacific/fj.justice/2")[1])


def test_a_guard_that_cannot_be_synced_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the disk did not confirm is not confirmed to anybody."""
    path = tmp_path / "checkpoint"
    moved(path, 1)

    def broken(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", broken)
    with pytest.raises(OSError, match="Input/output"):
        FileGuard(path).advance(checkpoint(1)[0], checkpoint(2)[1])


_MOVES = """
import itertools, sys
from pathlib import Path
from tests.node.audit.test_guard import checkpoint
from node.audit.guard import FileGuard
made = [checkpoint(size) for size in range(8)]
guard = FileGuard(Path(sys.argv[1]))
print("ready", flush=True)
for size in itertools.cycle(range(8)):
    guard.advance(made[size][0], made[(size + 1) % 8][1])
"""


def test_a_guard_that_is_killed_while_it_moves_is_whole(tmp_path: Path) -> None:
    """At any moment: what it holds afterwards is a checkpoint that it was given."""
    path = tmp_path / "checkpoint"
    for _ in range(3):
        path.unlink(missing_ok=True)
        FileGuard(path).create(checkpoint(0)[1])
        command = [sys.executable, "-c", _MOVES, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            while held_size(path) == 0:
                assert process.poll() is None
            process.kill()
        held = FileGuard(path).read()
        assert held is not None
        assert not held.torn
