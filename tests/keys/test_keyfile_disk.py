"""The key file on a disk: private, whole or absent, and never in place of another."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from keys.keyfile import KeyFileError, KeyRing, read_key_file
from tests.support.keyfiles import PASSPHRASE, ring, write


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_only_the_owner_can_use_the_file(key_path: Path, umask: int) -> None:
    """Whatever the umask says, and also after a rotation."""
    before = os.umask(umask)
    try:
        write(key_path, ring())
        assert key_path.stat().st_mode & 0o777 == 0o600
        write(key_path, ring("next"), replace=True)
        assert key_path.stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)


@pytest.mark.parametrize("mode", [0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o777])
def test_a_file_that_others_can_use_is_refused(key_file: Path, mode: int) -> None:
    """The sentence says how to mend it."""
    key_file.chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        read_key_file(key_file, PASSPHRASE)


def test_an_existing_file_is_never_overwritten(key_file: Path) -> None:
    """Keys that are lost are lost for good."""
    before = key_file.read_bytes()
    with pytest.raises(KeyFileError, match="never overwritten"):
        write(key_file, ring("other"))
    assert key_file.read_bytes() == before
    assert list(key_file.parent.iterdir()) == [key_file]


def test_of_two_writers_at_once_one_wins_and_one_is_told(key_path: Path) -> None:
    """The name is taken in one step: no look first and write later."""
    rings = [ring(str(number)) for number in range(8)]
    won: list[KeyRing] = []
    told: list[str] = []
    start = threading.Barrier(len(rings))

    def race(made: KeyRing) -> None:
        start.wait()
        try:
            write(key_path, made)
            won.append(made)
        except KeyFileError as fault:
            told.append(str(fault))

    threads = [threading.Thread(target=race, args=(made,)) for made in rings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert read_key_file(key_path, PASSPHRASE) == won[0]
    assert all("never overwritten" in sentence for sentence in told)
    assert list(key_path.parent.iterdir()) == [key_path]


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_appears_at_the_last_moment_is_not_overwritten(
    key_path: Path, monkeypatch: pytest.MonkeyPatch, *, links: bool
) -> None:
    """Also where the file system has no hard links, as on many memory sticks."""
    real = os.link

    def link(source: Path, target: Path) -> None:
        target.write_bytes(b"somebody else's")
        if not links:
            raise OSError(errno.EPERM, "no links here")
        real(source, target)

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(KeyFileError, match="never overwritten"):
        write(key_path, ring())
    assert key_path.read_bytes() == b"somebody else's"
    assert list(key_path.parent.iterdir()) == [key_path]


@pytest.mark.parametrize("code", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_hard_links_will_do(
    key_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """A steward's memory stick holds a whole and private file too."""

    def link(source: Path, target: Path) -> None:
        raise OSError(code, "no links here", str(source), None, str(target))

    monkeypatch.setattr(os, "link", link)
    write(key_path, ring())
    assert read_key_file(key_path, PASSPHRASE) == ring()
    assert key_path.stat().st_mode & 0o777 == 0o600
    assert list(key_path.parent.iterdir()) == [key_path]


@pytest.mark.parametrize("call", ["fsync", "link", "open"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EACCES])
def test_a_disk_that_fails_leaves_nothing_behind(
    key_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    """No half file under the name, none beside it, and a sentence with the reason."""

    def fail(*_: object, **__: object) -> int:
        raise OSError(code, "injected")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(KeyFileError, match=os.strerror(code)):
            write(key_path, ring())
    assert list(key_path.parent.iterdir()) == []


@pytest.mark.parametrize("call", ["fsync", "replace", "open"])
def test_a_disk_that_fails_leaves_the_old_file_as_it_was(
    key_file: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """A rotation that fails has not happened."""

    def fail(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "injected")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(KeyFileError, match="cannot be written"):
            write(key_file, ring("next"), replace=True)
    assert read_key_file(key_file, PASSPHRASE) == ring()
    assert list(key_file.parent.iterdir()) == [key_file]


def test_the_file_and_then_its_name_are_brought_to_the_disk(
    key_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a loss of power could leave the name with nothing behind it."""
    order: list[str] = []
    fsync, link, rename = os.fsync, os.link, os.replace

    def noted_fsync(descriptor: int) -> None:
        order.append("folder" if Path(f"/proc/self/fd/{descriptor}").is_dir() else "file")
        fsync(descriptor)

    def noted_link(source: Path, target: Path) -> None:
        order.append("name")
        link(source, target)

    def noted_replace(source: Path, target: Path) -> None:
        order.append("name")
        rename(source, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "link", noted_link)
    monkeypatch.setattr(os, "replace", noted_replace)
    write(key_path, ring())
    write(key_path, ring("next"), replace=True)
    assert order == ["file", "name", "folder"] * 2


def test_a_rotation_replaces_the_file_in_one_step(key_file: Path) -> None:
    """Whoever has the old file open keeps the old one whole; the name leads to the new."""
    with key_file.open("rb") as old:
        write(key_file, ring("next"), replace=True)
        assert len(old.read()) > 1_000
    assert read_key_file(key_file, PASSPHRASE) == ring("next")


def test_a_rotation_removes_what_an_interrupted_one_left(key_file: Path) -> None:
    """It holds keys that were to be destroyed; files of others stay."""
    left = key_file.with_name(".node.key.0123456789abcdef.tmp")
    left.write_bytes(key_file.read_bytes())
    others = key_file.with_name(".node.key.swp")
    others.touch()
    write(key_file, ring("next"), replace=True)
    assert sorted(key_file.parent.iterdir()) == [others, key_file]


def test_a_symbolic_link_is_neither_read_nor_written(key_file: Path) -> None:
    """Whoever can make links in a folder must not choose which file is used."""
    before = key_file.read_bytes()
    link = key_file.with_name("link.key")
    link.symlink_to(key_file)
    for act in (
        lambda: read_key_file(link, PASSPHRASE),
        lambda: write(link, ring("other")),
        lambda: write(link, ring("other"), replace=True),
    ):
        with pytest.raises(KeyFileError, match="symbolic link"):
            act()
    assert link.is_symlink()
    assert key_file.read_bytes() == before
    dangling = key_file.with_name("dangling.key")
    dangling.symlink_to(key_file.with_name("nothing"))
    with pytest.raises(KeyFileError, match="symbolic link"):
        write(dangling, ring())


def test_what_is_not_a_file_is_refused_at_once(key_path: Path) -> None:
    """A pipe does not make the node wait, and a folder is named as one."""
    os.mkfifo(key_path, 0o600)
    with pytest.raises(KeyFileError, match="not a regular file"):
        read_key_file(key_path, PASSPHRASE)
    for act in (
        lambda: read_key_file(key_path.parent, PASSPHRASE),
        lambda: write(key_path.parent, ring()),
        lambda: write(key_path.parent, ring(), replace=True),
    ):
        with pytest.raises(KeyFileError, match=r"not a regular file|is a folder"):
            act()


def test_a_missing_file_or_folder_is_named(key_path: Path) -> None:
    """The sentence names what is missing, not a number."""
    with pytest.raises(KeyFileError, match=r"node\.key is not there"):
        read_key_file(key_path, PASSPHRASE)
    nowhere = key_path.parent / "nowhere"
    with pytest.raises(KeyFileError, match="nowhere is not there"):
        write(nowhere / "node.key", ring())
