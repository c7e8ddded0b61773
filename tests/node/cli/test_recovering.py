"""`comity audit recover`: what it says, what it refuses, and that it changes nothing unasked."""

from __future__ import annotations

import hashlib
from pathlib import Path

from node.exits import Exit
from node.storage.engine import exclusive_lock
from tests.support.commands import comity
from tests.support.exchanged import FIJI, QUMRAN


def digest(folder: Path) -> str:
    """Give a digest of Qumran's database and guard."""
    node = folder / QUMRAN
    files = [*sorted(node.glob("comity.db")), *sorted((node / "guard").iterdir())]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def test_a_log_that_is_whole_is_not_closed(exchanged: Path) -> None:
    """The command says so, and succeeds."""
    done = comity("--config", exchanged / QUMRAN, "audit", "recover", "--json", "--without", FIJI)
    assert (done.status, done.json["recovered"]) == (Exit.DONE, False)


def test_peers_that_are_away_are_named_and_nothing_is_changed(exchanged: Path) -> None:
    """With what to type to leave them out."""
    guard = exchanged / QUMRAN / "guard" / "checkpoint"
    guard.unlink()
    before = digest(exchanged)
    done = comity("--config", exchanged / QUMRAN, "audit", "recover", "--json")
    assert (done.status, done.json["code"]) == (Exit.FAILED, "peers-away")
    assert f"--without {FIJI}" in done.json["sentence"]
    assert digest(exchanged) == before


def test_a_restored_database_is_recovered_and_verifies(
    exchanged: Path, tmp_path: Path, case: str
) -> None:
    """Its guard says so; the peer that was left out stays named until it has been asked."""
    node, word = exchanged / QUMRAN, tmp_path / "word.txt"
    word.write_text("One thing more.")
    kept = {file: file.read_bytes() for file in node.glob("comity.db*")}
    typed = ("--config", node)
    assert comity(*typed, "case", "note", case, "--body", word).status is Exit.DONE
    for file in node.glob("comity.db*"):
        file.unlink()
    for file, raw in kept.items():
        file.write_bytes(raw)
    done = comity(*typed, "audit", "recover", "--json", "--without", FIJI)
    assert done.status is Exit.DONE, done.out
    assert done.json["opened"].endswith(f"{QUMRAN}/2")
    assert done.json["left"] == [FIJI]
    assert comity(*typed, "audit", "verify").status is Exit.DONE
    again = comity(*typed, "audit", "recover", "--json")
    assert (again.status, again.json["code"]) == (Exit.FAILED, "peers-away")


def test_without_a_guard_somebody_must_be_asked(exchanged: Path) -> None:
    """Else a log that was open already might be opened once more."""
    (exchanged / QUMRAN / "guard" / "checkpoint").unlink()
    typed = ("--config", exchanged / QUMRAN, "audit", "recover", "--json", "--without", FIJI)
    before = digest(exchanged)
    done = comity(*typed)
    assert (done.status, done.json["code"]) == (Exit.FAILED, "nobody-asked")
    assert digest(exchanged) == before


def test_a_node_that_runs_is_not_recovered(exchanged: Path) -> None:
    """It must be stopped first; status 75, as for every command that needs the lock."""
    with exclusive_lock(exchanged / QUMRAN):
        done = comity("--config", exchanged / QUMRAN, "audit", "recover", "--json")
    assert (done.status, done.json["code"]) == (Exit.LATER, "node-runs")
