"""Hashing what is offered, and checking what came, with an exit status for each outcome."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.exits import Exit
from tests.support.commands import comity
from tests.support.exchanged import FIJI, QUMRAN


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with two files."""
    made = tmp_path / "evidence"
    (made / "sub").mkdir(parents=True)
    (made / "a.csv").write_text("1")
    (made / "sub" / "réponse.pdf").write_text("2")
    return made


@pytest.fixture
def manifest(folder: Path, tmp_path: Path) -> Path:
    """Give its manifest."""
    path = tmp_path / "manifest.json"
    assert comity("evidence", "hash", folder, "--out", path).status is Exit.DONE
    return path


def test_hashes_are_given_as_sha256sum_gives_them(folder: Path) -> None:
    """Digest and path, a line each; for programs the whole list."""
    said = comity("evidence", "hash", folder).out.splitlines()
    one = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"
    assert said[0] == f"{one}  a.csv"
    assert said[1].endswith("  sub/réponse.pdf")
    found = comity("evidence", "hash", folder, "--json").json
    assert found["schema"] == "comity.manifest/1"
    assert next(item["sha256"] for item in found["items"]) == one
    assert found["sha256"] in said[-1]


def test_a_manifest_is_never_overwritten(folder: Path, manifest: Path) -> None:
    """It may be the only one of its kind."""
    before = manifest.read_bytes()
    done = comity("evidence", "hash", folder, "--out", manifest)
    assert done.status is Exit.FAILED
    assert manifest.read_bytes() == before


CHANGES = {
    "nothing": ("same", Exit.DONE, Exit.DONE),
    "extra": ("extra", Exit.DONE, Exit.WARNINGS),
    "different": ("false", Exit.FALSE, Exit.FALSE),
    "missing": ("false", Exit.FALSE, Exit.FALSE),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_item_has_a_verdict_and_all_together_an_exit_status(
    change: str, folder: Path, manifest: Path
) -> None:
    """Same 0, extra 0 with a warning or 5, different and missing 3."""
    match change:
        case "extra":
            (folder / "more.txt").write_text("x")
        case "different":
            (folder / "a.csv").write_text("2")
        case "missing":
            (folder / "a.csv").unlink()
    conclusion, status, strict = CHANGES[change]
    done = comity("evidence", "verify", manifest, folder, "--json")
    assert (done.status, done.json["conclusion"]) == (status, conclusion)
    assert ("Warning" in done.err) is (change == "extra")
    assert comity("evidence", "verify", manifest, folder, "--strict").status is strict
    if change != "nothing":
        assert change.upper() in comity("evidence", "verify", manifest, folder).out


def test_evidence_of_a_case_is_checked_as_the_other_side_listed_it(
    exchanged: Path, case: str, tmp_path: Path
) -> None:
    """The newest message received that lists some; --ours for what went out."""
    at = tmp_path / "got"
    at.mkdir()
    done = comity("--config", exchanged / QUMRAN, "evidence", "verify", case, at, "--json")
    assert done.status is Exit.FALSE
    assert (done.json["from"], done.json["seq"]) == (FIJI, 1)
    assert [item["verdict"] for item in done.json["items"]] == ["missing"]
    sender = ("--config", exchanged / FIJI, "evidence", "verify", case, at)
    assert "no-evidence" in comity(*sender, "--json").out
    assert comity(*sender, "--ours").status is Exit.FALSE
    assert "number 7" in comity(*sender, "--ours", "--message", "7").err


def test_a_file_that_is_no_manifest_is_refused(tmp_path: Path) -> None:
    """With a sentence; it is not taken for an empty one."""
    path = tmp_path / "x"
    path.write_text("{}")
    done = comity("evidence", "verify", path, tmp_path)
    assert done.status is Exit.FAILED
    assert done.err.startswith("Error: ")
