"""The guard in a file: made once, moved from exactly the old checkpoint, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

import pytest

from keys.pairs import pair_from_seeds
from node.audit.guard import FileGuard, guarded_checkpoint
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


def test_a_guard_is_made_once(tmp_path: Path) -> None:
    """Whoever finds one leaves it alone, with what it holds."""
    guard = FileGuard(tmp_path / "guard" / "checkpoint")
    guard.create(checkpoint(3)[1])
    with pytest.raises(FileExistsError):
        guard.create(checkpoint(0)[1])
    assert guarded_checkpoint(guard.read() or b"").size == 3


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
        assert guard.read() == raw
    guard.advance(first, following)
    assert guard.read() == following
    with pytest.raises(Recovering):
        guard.advance(first, following)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"nonsense\n", b"\xff" * 100, b"x" * 200_000], ids=len
)
def test_a_damaged_guard_is_not_moved(tmp_path: Path, content: bytes) -> None:
    """And not mended either: a person must see it."""
    path = tmp_path / "checkpoint"
    path.write_bytes(content)
    guard = FileGuard(path)
    with pytest.raises(Recovering):
        guard.advance(checkpoint(0)[0], checkpoint(1)[1])
    assert path.read_bytes() == content


def test_a_crash_before_the_rename_leaves_the_old_guard(tmp_path: Path) -> None:
    """A half-written new one beside it is overwritten by the next move."""
    path = tmp_path / "checkpoint"
    guard = FileGuard(path)
    first, raw = checkpoint(1)
    guard.create(raw)
    path.with_name("checkpoint.new").write_bytes(b"half of a check")
    assert guard.read() == raw
    guard.advance(first, checkpoint(2)[1])
    assert guarded_checkpoint(guard.read() or b"").size == 2


def test_a_guard_that_cannot_be_written_keeps_the_old_checkpoint(tmp_path: Path) -> None:
    """No room, no permission: the old one stays whole."""
    path = tmp_path / "checkpoint"
    guard = FileGuard(path)
    first, raw = checkpoint(1)
    guard.create(raw)
    path.with_name("checkpoint.new").mkdir()
    with pytest.raises(OSError, match="checkpoint"):
        guard.advance(first, checkpoint(2)[1])
    assert guard.read() == raw
