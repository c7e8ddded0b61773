"""Comparing a folder with a manifest: each verdict, and that none can be had by a trick."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from node.evidence import compare as comparing
from node.evidence import hashing
from node.evidence.compare import Conclusion, Outcome, Verdict, compare, conclusion, tally
from node.evidence.hashing import EvidenceFault, build_manifest
from node.evidence.manifest import Manifest, manifest_of
from tests.node.evidence.test_hashing import refuse_to_open, write

DECOMPOSED = "e\u0301"
FILES = {"a.txt": b"first", "sub__b.pdf": b"second", "sub__c": b"third"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give a folder with three files."""
    return write(tmp_path / "root", **FILES)


@pytest.fixture
def manifest(root: Path) -> Manifest:
    """Give the manifest of that folder as it was."""
    return build_manifest([root])


def verdicts(outcomes: tuple[Outcome, ...]) -> dict[str, str]:
    """Give path and verdict of each outcome that is not `same`."""
    return {
        outcome.path: outcome.verdict for outcome in outcomes if outcome.verdict is not Verdict.SAME
    }


def test_an_untouched_folder_is_the_same_in_every_item(manifest: Manifest, root: Path) -> None:
    """Every item has a verdict, and the bytes read are told."""
    told: list[int] = []
    outcomes = compare(manifest, root, told.append)
    assert [outcome.path for outcome in outcomes] == ["a.txt", "sub/b.pdf", "sub/c"]
    assert tally(outcomes)[Verdict.SAME] == 3
    assert conclusion(outcomes) is Conclusion.SAME
    assert sum(told) == manifest.size


def flip(root: Path) -> None:
    """Change one byte and set the times back."""
    path = root / "a.txt"
    before = path.stat()
    path.write_bytes(b"fIrst")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def lengthen(root: Path) -> None:
    """Add a byte."""
    (root / "a.txt").write_bytes(b"first!")


def empty(root: Path) -> None:
    """Leave nothing in the file."""
    (root / "a.txt").write_bytes(b"")


def link_to_the_same_bytes(root: Path) -> None:
    """Move the file out and put a link to it in its place."""
    (root / "a.txt").rename(root.parent / "a.txt")
    (root / "a.txt").symlink_to("../a.txt")


def pipe(root: Path) -> None:
    """Put a FIFO in its place."""
    (root / "a.txt").unlink()
    os.mkfifo(root / "a.txt")


def folder(root: Path) -> None:
    """Put an empty folder in its place."""
    (root / "a.txt").unlink()
    (root / "a.txt").mkdir()


@pytest.mark.parametrize("change", [flip, lengthen, empty, link_to_the_same_bytes, pipe, folder])
def test_whatever_stands_in_a_files_place_is_different(
    manifest: Manifest, root: Path, change: Callable[[Path], None]
) -> None:
    """One byte, a size, a link, a pipe or a folder: different, and the rest the same."""
    change(root)
    outcomes = compare(manifest, root)
    assert verdicts(outcomes) == {"a.txt": "different"}
    assert conclusion(outcomes) is Conclusion.FALSE


def test_a_missing_file_and_an_extra_one_are_told_apart(manifest: Manifest, root: Path) -> None:
    """A renamed file is both: its old name is missing, its new one extra."""
    (root / "a.txt").rename(root / "z.txt")
    outcomes = compare(manifest, root)
    assert verdicts(outcomes) == {"a.txt": "missing", "z.txt": "extra"}
    assert conclusion(outcomes) is Conclusion.FALSE


def test_an_extra_file_alone_is_not_called_the_same(manifest: Manifest, root: Path) -> None:
    """It is not called false either: every item is there and the same."""
    write(root, sub__new=b"1")
    outcomes = compare(manifest, root)
    assert verdicts(outcomes) == {"sub/new": "extra"}
    assert conclusion(outcomes) is Conclusion.EXTRA


def test_a_file_whose_size_is_wrong_is_not_read(manifest: Manifest, root: Path) -> None:
    """Only sizes are needed to know that it is another file."""
    (root / "a.txt").write_bytes(b"x" * 1_000_000)
    told: list[int] = []
    compare(manifest, root, told.append)
    assert sum(told) == manifest.size - len(b"first")


def test_an_odd_name_on_the_disk_is_extra_and_printable(manifest: Manifest, root: Path) -> None:
    """Links, pipes, hidden files and names that no manifest could hold are all reported."""
    for name in (b"\xff\xfe", b"a\nb", "x\u202ey".encode(), b"NUL", b".hidden"):
        Path(os.fsdecode(os.fsencode(root) + b"/" + name)).write_bytes(b"1")
    (root / "link").symlink_to("/etc/passwd")
    (root / "up").symlink_to("..")
    os.mkfifo(root / "pipe")
    outcomes = compare(manifest, root)
    extra = [outcome for outcome in outcomes if outcome.verdict is Verdict.EXTRA]
    assert len(extra) == 8
    assert all(outcome.path.isprintable() and outcome.path.encode() for outcome in outcomes)
    assert conclusion(outcomes) is Conclusion.EXTRA


def test_a_link_to_a_folder_is_not_followed(manifest: Manifest, root: Path) -> None:
    """The files behind it do not count as being there, though their bytes would be right."""
    (root / "sub").rename(root.parent / "sub")
    (root / "sub").symlink_to("../sub", target_is_directory=True)
    outcomes = compare(manifest, root)
    assert verdicts(outcomes) == {"sub": "extra", "sub/b.pdf": "missing", "sub/c": "missing"}


def test_a_name_that_the_disk_spells_in_another_normal_form_is_the_same_file(
    tmp_path: Path,
) -> None:
    """A copy by way of a disk that decomposes names is still the same evidence."""
    made = build_manifest([write(tmp_path / "1", é=b"1")])
    assert conclusion(compare(made, write(tmp_path / "2", **{DECOMPOSED: b"1"}))) is Conclusion.SAME


def test_of_two_spellings_the_listed_one_is_the_item_and_the_other_extra(tmp_path: Path) -> None:
    """A second file cannot stand in for the first, whichever sorts earlier."""
    made = build_manifest([write(tmp_path / "1", é=b"1")])
    both = write(write(tmp_path / "2", é=b"1"), **{DECOMPOSED: b"2"})
    outcomes = compare(made, both)
    assert [outcome.verdict for outcome in outcomes] == [Verdict.EXTRA, Verdict.SAME]
    assert conclusion(outcomes) is Conclusion.EXTRA


@pytest.mark.parametrize(("name", "paths"), [("a.txt", {"a.txt"}), ("sub", {"sub/b.pdf", "sub/c"})])
def test_what_cannot_be_read_is_undecided_and_the_rest_is_judged(
    manifest: Manifest,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    paths: set[str],
) -> None:
    """An unreadable file is not called different, and does not hide the others."""
    refuse_to_open(monkeypatch, name)
    outcomes = compare(manifest, root)
    assert {path for path, verdict in verdicts(outcomes).items() if verdict == "undecided"} == paths
    assert tally(outcomes)[Verdict.SAME] == 3 - len(paths)
    assert conclusion(outcomes) is Conclusion.UNDECIDED


def test_something_wrong_outweighs_something_undecided(
    manifest: Manifest, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is known to be false stays false."""
    (root / "sub/c").unlink()
    refuse_to_open(monkeypatch, "a.txt")
    assert conclusion(compare(manifest, root)) is Conclusion.FALSE


def test_no_outcomes_conclude_nothing() -> None:
    """All of nothing is not the same."""
    assert conclusion(()) is Conclusion.UNDECIDED


def test_one_file_can_be_checked_by_its_own_name(tmp_path: Path) -> None:
    """A root that is a file stands for the folder with that file in it."""
    path = write(tmp_path, a=b"1") / "a"
    made = build_manifest([path])
    assert conclusion(compare(made, path)) is Conclusion.SAME
    path.write_bytes(b"2")
    assert conclusion(compare(made, path)) is Conclusion.FALSE


def test_a_root_that_is_missing_a_link_or_closed_is_a_fault(
    manifest: Manifest, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No verdict is given on a folder that was never seen."""
    (root.parent / "link").symlink_to(root)
    for other in (root.parent / "nowhere", root.parent / "link"):
        with pytest.raises(EvidenceFault):
            compare(manifest, other)
    refuse_to_open(monkeypatch, root.name)
    with pytest.raises(EvidenceFault):
        compare(manifest, root)


def test_the_wrong_folder_is_noticed_before_its_files_fill_memory(
    manifest: Manifest, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many unlisted files end the comparison with a fault."""
    monkeypatch.setattr(comparing, "_EXTRA_MAX", 2)
    write(root, x=b"", y=b"")
    assert conclusion(compare(manifest, root)) is Conclusion.EXTRA
    write(root, z=b"")
    with pytest.raises(EvidenceFault, match="more than 2"):
        compare(manifest, root)


def test_a_folder_too_deep_for_any_manifest_is_extra(manifest: Manifest, root: Path) -> None:
    """It is named, and nobody looks into it."""
    root.joinpath(*["d"] * 32, "below").mkdir(parents=True)
    assert verdicts(compare(manifest, root)) == {"/".join("d" * 32): "extra"}


def test_a_file_that_changes_during_the_comparison_is_never_the_same(
    manifest: Manifest, root: Path
) -> None:
    """A file written to while it is read is undecided, one replaced before is different."""
    kept = manifest_of(manifest.items[:1])

    def progress(_count: int) -> None:
        with (root / "a.txt").open("ab") as file:
            file.write(b"x")

    assert verdicts(compare(kept, root / "a.txt", progress)) == {"a.txt": "undecided"}
    assert hashing.hash_file(root / "a.txt")[0] > len(FILES["a.txt"])


@pytest.mark.parametrize(("call", "undecided"), [("stat", 3), ("listdir", None)])
def test_a_disk_that_fails_below_an_open_folder_never_makes_a_file_missing(
    manifest: Manifest,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    undecided: int | None,
) -> None:
    """A name whose state cannot be had is undecided; a root that lists nothing is a fault."""

    def failing(*_arguments: object, **_named: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing)
        if undecided is None:
            with pytest.raises(EvidenceFault, match="cannot be read"):
                compare(manifest, root)
            return
        outcomes = compare(manifest, root)
    assert tally(outcomes)[Verdict.UNDECIDED] == undecided
    assert conclusion(outcomes) is Conclusion.UNDECIDED


def test_a_closed_folder_beside_the_items_leaves_missing_ones_missing(
    manifest: Manifest, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what lies under the closed folder is undecided."""
    write(root, closed__x=b"1")
    (root / "sub/c").unlink()
    refuse_to_open(monkeypatch, "closed")
    assert verdicts(compare(manifest, root)) == {"closed": "extra", "sub/c": "missing"}
