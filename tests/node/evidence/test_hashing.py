"""Walking and hashing real files: what is offered, what is refused, and what a race does."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from node.evidence import hashing
from node.evidence.hashing import (
    EvidenceFault,
    Found,
    build_manifest,
    hash_all,
    hash_each,
    hash_file,
    manifest_from,
    walk,
)
from node.evidence.manifest import decode_manifest

MIB = 1024 * 1024


def write(root: Path, **files: bytes) -> Path:
    """Write files under `root`; `__` in a name stands for a slash."""
    for name, content in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def offered(*paths: Path) -> list[str]:
    """Give the manifest paths of what `walk` finds."""
    return [found.path for found in walk(paths)]


def test_a_folder_and_a_file_make_the_manifest_that_sha256_would(tmp_path: Path) -> None:
    """Digests, sizes and types are those of the bytes; the bytes read are told in full."""
    folder = write(tmp_path / "f", b=b"bee", sub__a=b"", **{"sub__z.pdf": b"%PDF" * 999})
    alone = write(tmp_path, **{"alone.txt": b"x" * (3 * MIB + 1)}) / "alone.txt"
    told: list[int] = []
    manifest = build_manifest([folder, alone], told.append)
    assert [(item.path, item.size, item.type) for item in manifest.items] == [
        ("alone.txt", 3 * MIB + 1, "text/plain"),
        ("b", 3, "application/octet-stream"),
        ("sub/a", 0, "application/octet-stream"),
        ("sub/z.pdf", 3_996, "application/pdf"),
    ]
    files = [alone, folder / "b", folder / "sub/a", folder / "sub/z.pdf"]
    assert [item.sha256 for item in manifest.items] == [
        hashlib.sha256(file.read_bytes()).hexdigest() for file in files
    ]
    assert sum(told) == manifest.size
    assert decode_manifest(manifest.encode()) == manifest


def test_the_order_of_arguments_and_the_number_of_threads_change_nothing(tmp_path: Path) -> None:
    """One set of files has one manifest, byte for byte."""
    first = write(tmp_path / "1", **{f"d{n}__f{n}": bytes([n]) * n * 5_000 for n in range(40)})
    second = write(tmp_path / "2", é=b"1", zz=b"2", A=b"3")
    made = {
        build_manifest(paths, workers=workers).encode()
        for paths in ([first, second], [second, first])
        for workers in (1, 2, 5)
    }
    assert len(made) == 1


def test_a_name_from_a_disk_that_decomposes_is_listed_in_nfc(tmp_path: Path) -> None:
    """The manifest has the composed name, and the file is found under its own."""
    write(tmp_path, **{"Cafe\u0301.txt": b"x"})
    assert offered(tmp_path) == ["Caf\u00e9.txt"]
    assert manifest_from(walk([tmp_path])).items[0].size == 1


def test_the_current_folder_and_a_path_with_dots_are_ordinary_arguments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the user types to reach a file does not reach the manifest."""
    write(tmp_path, sub__a=b"1", b=b"2")
    monkeypatch.chdir(tmp_path / "sub")
    assert offered(Path()) == ["a"]
    assert offered(Path("../b"), Path("../sub")) == ["a", "b"]


def pipe(path: Path) -> None:
    """Put a FIFO there."""
    os.mkfifo(path)


def sock(path: Path) -> None:
    """Put a Unix socket there; its name outlives it."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


def link_to_file(path: Path) -> None:
    """Put a link to an ordinary file there."""
    path.symlink_to(__file__)


def link_to_folder(path: Path) -> None:
    """Put a link to a folder there."""
    path.symlink_to(path.parent.parent, target_is_directory=True)


def dangling(path: Path) -> None:
    """Put a link to nothing there."""
    path.symlink_to("nowhere")


@pytest.mark.parametrize("make", [pipe, sock, link_to_file, link_to_folder, dangling])
def test_what_is_no_plain_file_is_refused_by_name_at_any_place(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    """As an argument or inside a folder; the text of the fault does not have the name."""
    folder = write(tmp_path / "f", a=b"1")
    make(folder / "odd")
    for argument in (folder, folder / "odd"):
        with pytest.raises(EvidenceFault) as fault:
            walk([argument])
        assert fault.value.path == str(folder / "odd")
        assert "odd" not in str(fault.value)
        assert fault.value.for_terminal.startswith(f"{folder / 'odd'}: ")


def test_a_device_is_refused() -> None:
    """Its bytes are not fixed, and may not end."""
    with pytest.raises(EvidenceFault, match="device"):
        walk([Path("/dev/zero")])


@pytest.mark.parametrize(
    "name", [b"a\nb", b"a\xff", b"a\\b", b"NUL.txt", b"a.", "x\u202ey".encode(), b"C:evil"]
)
def test_a_name_that_no_manifest_can_hold_is_refused(tmp_path: Path, name: bytes) -> None:
    """The user sees which file, made harmless for the terminal; the text has no name."""
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"1")
    with pytest.raises(EvidenceFault) as fault:
        walk([tmp_path])
    assert fault.value.for_terminal.isprintable()
    assert os.fsdecode(name) not in str(fault.value)


def test_files_that_would_share_a_path_are_refused(tmp_path: Path) -> None:
    """By case, by normal form, or because two arguments have the same name below them."""
    one = write(tmp_path / "1", a=b"1")
    for number, (first, second) in enumerate(
        [("Report", "report"), ("é", "e\u0301"), ("d__x", "D__y")]
    ):
        folder = write(tmp_path / f"case{number}", **{first: b"1", second: b"2"})
        with pytest.raises(EvidenceFault, match="one path"):
            walk([folder])
    with pytest.raises(EvidenceFault, match="one path"):
        walk([one, write(tmp_path / "2", a=b"1")])
    with pytest.raises(EvidenceFault, match="one path"):
        walk([one / "a", one / "a"])


def test_nothing_to_hash_and_too_much_are_faults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No argument, empty folders, a missing file, and one file more than a manifest holds."""
    (tmp_path / "empty/deeper").mkdir(parents=True)
    for paths in ([], [tmp_path]):
        with pytest.raises(EvidenceFault, match="no file to hash"):
            walk(paths)
    with pytest.raises(EvidenceFault, match="No such file"):
        walk([tmp_path / "missing"])
    monkeypatch.setattr(hashing, "MANIFEST_ITEMS_MAX", 2)
    write(tmp_path, a=b"", b=b"")
    assert len(walk([tmp_path])) == 2
    write(tmp_path, c=b"")
    with pytest.raises(EvidenceFault, match="more than 2 files"):
        walk([tmp_path])


def test_a_tree_deeper_than_a_path_may_be_is_refused_without_walking_it_down(
    tmp_path: Path,
) -> None:
    """The deepest file that fits is listed; a folder below it ends the walk."""
    deepest = tmp_path.joinpath(*["d"] * 31)
    deepest.mkdir(parents=True)
    (deepest / "f").write_bytes(b"1")
    assert offered(tmp_path) == ["d/" * 31 + "f"]
    (deepest / "d").mkdir()
    with pytest.raises(EvidenceFault, match="32 folders deep"):
        walk([tmp_path])


def refuse_to_open(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Make the system refuse to open `name`, as it does to whoever is not root."""
    really = os.open

    def opened(path: str | Path, flags: int, *, dir_fd: int | None = None) -> int:
        if Path(path).name == name:
            raise PermissionError(errno.EACCES, "Permission denied", os.fspath(path))
        return really(path, flags, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", opened)


@pytest.mark.parametrize("name", ["secret", "folder"])
def test_an_unreadable_file_or_folder_is_a_fault_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """It is never left out in silence, and a traceback of the fault does not tell its name."""
    write(tmp_path, folder__secret=b"1", other=b"2")
    refuse_to_open(monkeypatch, name)
    with pytest.raises(EvidenceFault, match="cannot be read") as fault:
        build_manifest([tmp_path])
    assert fault.value.path is not None
    assert fault.value.path.endswith(name)
    assert fault.value.__cause__ is None
    assert fault.value.__suppress_context__ or fault.value.__context__ is None


def test_a_file_that_breaks_off_while_it_is_read_is_a_fault() -> None:
    """An error of the disk in the middle of a file is said, not hashed over."""
    memory = Path("/proc/self/mem")  # a regular file whose first byte cannot be read
    if not memory.exists():
        pytest.skip("needs /proc of Linux")
    with pytest.raises(EvidenceFault, match="cannot be read"):
        hash_file(memory)


def grow(path: Path) -> None:
    """Append a byte."""
    with path.open("ab") as file:
        file.write(b"x")


def shrink(path: Path) -> None:
    """Cut the file short."""
    os.truncate(path, MIB)


def rewrite(path: Path) -> None:
    """Change a byte that has been read, and set the time of change back."""
    before = path.stat()
    with path.open("r+b") as file:
        file.write(b"x")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace(path: Path) -> None:
    """Rename another file of the same size over it."""
    other = path.with_name("other")
    other.write_bytes(bytes(path.stat().st_size))
    other.replace(path)


def remove(path: Path) -> None:
    """Remove the file."""
    path.unlink()


@pytest.mark.parametrize("change", [grow, shrink, rewrite, replace, remove])
def test_a_file_that_changes_while_it_is_hashed_is_a_fault(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    """No digest comes out of bytes that never were in the file together."""
    path = tmp_path / "f"
    path.write_bytes(bytes(2 * MIB))
    changes = iter([change])

    def progress(_count: int) -> None:
        for pending in changes:
            pending(path)

    with pytest.raises(EvidenceFault, match=r"changed|No such file"):
        hash_file(path, progress)
    assert next(changes, None) is None


def test_a_file_that_grows_for_ever_is_left_at_once(tmp_path: Path) -> None:
    """Reading ends when there are more bytes than the file had at the start."""
    path = tmp_path / "f"
    path.write_bytes(bytes(MIB))
    told: list[int] = []

    def progress(count: int) -> None:
        told.append(count)
        with path.open("ab") as file:
            file.write(bytes(count))

    with pytest.raises(EvidenceFault, match="changed"):
        hash_file(path, progress)
    assert sum(told) <= MIB


@pytest.mark.parametrize("depth", [1, 2])
def test_a_link_put_in_the_way_after_the_walk_leads_nowhere(tmp_path: Path, depth: int) -> None:
    """Neither the file nor a folder above it may have become a link to another place."""
    outside = write(tmp_path / "outside", g__f=b"other") / "g"
    root = write(tmp_path / "root", g__f=b"right")
    found = walk([root])
    victim = root / "g" / "f" if depth == 2 else root / "g"
    victim.rename(tmp_path / "aside")
    victim.symlink_to(outside / "f" if depth == 2 else outside)
    with pytest.raises(EvidenceFault):
        hash_all(found)


def test_a_pipe_put_in_a_files_place_does_not_hold_the_walk_up(tmp_path: Path) -> None:
    """A FIFO without a writer would block an ordinary open for ever."""
    os.mkfifo(tmp_path / "f")
    with pytest.raises(EvidenceFault, match="pipe"):
        hash_file(tmp_path / "f")


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """64 MiB are hashed within less than one."""
    path = tmp_path / "f"
    with path.open("wb") as file:
        file.truncate(64 * MIB)
    tracemalloc.start()
    try:
        size, digest = hash_file(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size == 64 * MIB
    assert digest == hashlib.sha256(bytes(64 * MIB)).hexdigest()
    assert peak < MIB


def test_a_fault_stops_the_rest_unless_all_are_wanted(tmp_path: Path) -> None:
    """The impatient run raises it; the patient one gives every other digest."""
    found = walk([write(tmp_path, **{f"f{n:03}": bytes([n]) for n in range(100)})])
    (tmp_path / "f000").unlink()
    with pytest.raises(EvidenceFault) as fault:
        hash_all(found)
    assert fault.value.path == str(tmp_path / "f000")
    results = hash_each(found, None, workers=2)
    assert isinstance(results[0], EvidenceFault)
    assert results[1:] == [(1, hashlib.sha256(bytes([n])).hexdigest()) for n in range(1, 100)]


def test_progress_is_never_told_by_two_threads_at_once(tmp_path: Path) -> None:
    """A progress bar needs no lock of its own."""
    found = walk([write(tmp_path, **{f"f{n}": bytes(MIB) for n in range(8)})])
    inside = threading.Lock()
    told: list[int] = []

    def progress(count: int) -> None:
        assert inside.acquire(blocking=False)
        told.append(count)
        inside.release()

    hash_all(found, progress=progress, workers=4)
    assert sum(told) == 8 * MIB


class _Enough(Exception):
    """What the user's Ctrl-C becomes in the caller's callback."""


@pytest.mark.parametrize("workers", [1, 2])
def test_a_callback_that_raises_ends_all_threads(tmp_path: Path, workers: int) -> None:
    """The caller's own exception comes out, and no thread goes on reading."""
    found = walk([write(tmp_path, **{f"f{n}": bytes(8 * MIB) for n in range(4)})])
    told: list[int] = []

    def progress(count: int) -> None:
        told.append(count)
        if len(told) >= 2:
            raise _Enough

    with pytest.raises(_Enough):
        hash_all(found, progress=progress, workers=workers)
    assert len(told) <= 2 + workers


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    """Neither after success nor after any of the faults."""
    root = write(tmp_path, a__b__c=b"1", a__d=b"2")
    before = len(list(Path("/dev/fd").iterdir()))
    found = walk([root])
    hash_all(found)
    with pytest.raises(EvidenceFault):
        hash_all([*found, Found("a/x/y", root, ("a", "x", "y"), 1)])
    (root / "a/b/link").symlink_to("c")
    with pytest.raises(EvidenceFault):
        walk([root])
    assert len(list(Path("/dev/fd").iterdir())) == before
