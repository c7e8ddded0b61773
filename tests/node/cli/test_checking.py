"""`audit verify`, `verify` and `doctor`: what holds, what does not, and what cannot be said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from node.exits import Exit
from tests.support.commands import comity
from tests.support.exchanged import FIJI, AtRest


def test_a_sound_log_is_sound_without_any_key(
    exchanged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An auditor needs no passphrase; what was not checked is said."""
    monkeypatch.delenv("COMITY_KEYS__PASSPHRASE_FILE")
    done = comity("--config", exchanged / FIJI, "audit", "verify", "--json")
    assert (done.status, done.json["conclusion"]) == (Exit.DONE, "sound")
    assert done.json["counts"]["entries"] > 5
    assert any("texts" in one for one in done.json["not_checked"])
    assert "SOUND" in comity("--config", exchanged / FIJI, "audit", "verify").out


def test_texts_are_checked_where_the_keys_are(exchanged: Path) -> None:
    """With --texts nothing is left unchecked."""
    done = comity("--config", exchanged / FIJI, "audit", "verify", "--texts", "--json")
    assert (done.status, done.json["not_checked"]) == (Exit.DONE, [])


def test_one_changed_byte_in_a_log_is_false(exchanged: Path) -> None:
    """Exit status 3, and the place."""
    node = AtRest(exchanged / FIJI)
    node.alter("log_entries", "commitment", node.places("log_entries")[3])
    done = comity("--config", exchanged / FIJI, "audit", "verify")
    assert done.status is Exit.FALSE
    assert "FALSE" in done.out
    told = comity("--config", exchanged / FIJI, "audit", "verify", "--json")
    assert told.status is Exit.FALSE
    assert told.json["findings_total"] == len(told.json["findings"]) > 0


@pytest.fixture
def receipt(exchanged: Path, case: str, tmp_path: Path) -> Path:
    """Give a receipt file."""
    out = tmp_path / "receipts"
    comity("--config", exchanged / FIJI, "case", "receipts", case, "--out", out)
    return min(out.iterdir())


def test_a_receipt_is_verified_under_the_document_that_is_trusted(
    receipt: Path, exchanged: Path
) -> None:
    """By the digits or the hex of its fingerprint; under another it cannot be decided."""
    shown = comity("--config", exchanged / FIJI, "network", "show", "--json").json
    for typed in (shown["fingerprint"], shown["sha256"]):
        done = comity("verify", receipt, "--fingerprint", typed, "--json")
        assert (done.status, done.json["conclusion"]) == (Exit.DONE, "true")
    assert comity("verify", receipt, "--fingerprint", "0" * 60).status is Exit.UNDECIDED
    assert comity("verify", receipt, "--fingerprint", "12345").status is Exit.USAGE


def test_a_changed_receipt_is_false_and_a_foreign_file_undecided(
    receipt: Path, tmp_path: Path
) -> None:
    """Exit status 3 is an accusation, 4 is none."""
    whole = json.loads(receipt.read_bytes())
    place = len(whole["receipt"]) // 2
    letter = "A" if whole["receipt"][place] != "A" else "B"
    whole["receipt"] = whole["receipt"][:place] + letter + whole["receipt"][place + 1 :]
    changed = tmp_path / "changed"
    changed.write_text(json.dumps(whole, separators=(",", ":"), sort_keys=True))
    done = comity("verify", changed, "--json")
    assert (done.status, done.json["conclusion"]) == (Exit.FALSE, "false")
    (tmp_path / "letter").write_text("Dear colleague")
    assert comity("verify", tmp_path / "letter").status is Exit.UNDECIDED


def test_the_doctor_says_what_is_wrong_and_what_to_do(exchanged: Path) -> None:
    """Every check has a sentence; something broken is exit status 1."""
    way = ("--config", exchanged / FIJI, "doctor", "--offline")
    well = comity(*way, "--json")
    names = {one["name"] for one in well.json["checks"]}
    assert {"database", "key-file", "guard", "network", "clock"} <= names
    assert all(one["sentence"] for one in well.json["checks"])
    (exchanged / FIJI / "guard" / "checkpoint").unlink()
    sick = comity(*way)
    assert sick.status is Exit.FAILED
    assert "FAIL  guard" in sick.out
    assert "-> " in sick.out


def test_warnings_count_only_under_strict(exchanged: Path) -> None:
    """An alarm that waits is a warning here: 0, and 5 for whoever is strict."""
    AtRest(exchanged / FIJI).tamper(
        "INSERT INTO alarms (at, kind, peer, subject, detail) VALUES (1, 'x', NULL, NULL, '')"
    )
    way = ("--config", exchanged / FIJI, "doctor", "--offline")
    assert comity(*way).status is Exit.DONE
    assert comity(*way, "--strict").status is Exit.WARNINGS


def test_a_passphrase_that_opens_nothing_is_found(exchanged: Path, passphrase_file: Path) -> None:
    """Before the node has to be started again and does not."""
    passphrase_file.write_text("another passphrase")
    done = comity("--config", exchanged / FIJI, "doctor", "--offline", "--json")
    assert done.status is Exit.FAILED
    assert "passphrase" in [one["name"] for one in done.json["checks"] if one["status"] == "failed"]
