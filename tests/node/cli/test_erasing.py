"""`audit erase` and `case erase`: what is gone is gone from the file, and the log verifies."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.exits import Exit
from tests.support.commands import comity
from tests.support.exchanged import FIJI, QUMRAN, AtRest

WORD = "retention-ended"


def entries_of(folder: Path, kind: str) -> list[int]:
    """Give the positions of the records of a kind."""
    done = comity("--config", folder, "audit", "search", "--kind", kind, "--json")
    return [one["position"] for one in done.json["entries"]]


def files_of(node: AtRest) -> bytes:
    """Give every byte that the database has on the disk."""
    return b"".join(path.read_bytes() for path in sorted(node.folder.glob("comity.db*")))


def test_an_erased_record_is_gone_from_the_file_and_the_log_verifies(exchanged: Path) -> None:
    """Record and salt; what is left is an entry that says nothing, and who erased it."""
    node = AtRest(exchanged / FIJI)
    (place, *_) = entries_of(node.folder, "message.sent")
    query = f"SELECT record, salt FROM log_entries WHERE position = {place}"  # noqa: S608  (a number)
    ((record, salt),) = node.select(query)
    assert isinstance(record, bytes)
    assert isinstance(salt, bytes)
    assert record in files_of(node)
    way = ("--config", node.folder, "audit", "erase")
    done = comity(*way, str(place), "--reason", WORD, "--yes", "--json")
    assert (done.status, done.json["entries"], done.json["count"]) == (Exit.DONE, str(place), 1)
    assert node.select(query) == [(None, None)]
    assert record not in files_of(node)
    assert salt not in files_of(node)
    audited = comity("--config", node.folder, "audit", "verify", "--json")
    assert (audited.status, audited.json["counts"]["erased"]) == (Exit.DONE, 1)
    told = comity("--config", node.folder, "audit", "search", "--kind", "record.erased", "--json")
    assert told.json["entries"][0]["record"]["entries"] == str(place)
    assert told.json["entries"][0]["person"].startswith("uid ")
    shown = comity("--config", node.folder, "audit", "search").out
    assert "message.sent (erased)" in shown


def test_a_receipt_goes_with_the_record_that_it_holds(exchanged: Path) -> None:
    """Once nobody may ask for it again; the other side still has its own."""
    node = AtRest(exchanged / FIJI)
    (place, *_) = entries_of(node.folder, "message.accepted")
    way = ("--config", node.folder, "audit", "erase", str(place), "--reason", WORD, "--yes")
    early = comity(*way, "--json")
    assert (early.status, early.json["code"]) == (Exit.FAILED, "not-erasable")
    node.tamper("UPDATE messages SET expires = 1000 WHERE direction = 'in'")
    assert comity(*way).status is Exit.DONE
    query = f"SELECT receipt FROM messages WHERE log_position = {place}"  # noqa: S608  (a number)
    assert node.select(query) == [(b"",)]
    (refused, *_) = entries_of(node.folder, "message.refused")
    way = ("--config", node.folder, "audit", "erase", f"1/{refused}", "--reason", WORD, "--yes")
    assert comity(*way).status is Exit.DONE
    assert node.select("SELECT proof FROM refusals") == [(b"",)]


def test_what_documents_an_erasure_cannot_be_erased(exchanged: Path) -> None:
    """Nor what says whose log it is, nor what is gone, nor what never was."""
    folder = exchanged / FIJI
    way = ("--config", folder, "audit", "erase", "--reason", WORD, "--yes", "--json")
    assert comity(*way, "2-4").json["entries"] == "2-4"
    (erasure,) = entries_of(folder, "record.erased")
    for entries in ("0", str(erasure), "2-4", "1000-2000"):
        assert comity(*way, entries).json["code"] == "not-erasable"
    again = comity(*way, "3", "5", "1-2")
    assert (again.json["entries"], again.json["count"]) == ("1,5", 2)
    for entries in ("x", "5-3", "-1", "01", "1.5", ""):
        assert comity(*way, "--", entries).status in {Exit.FAILED, Exit.USAGE}
    assert comity(*way, "1/7", "2/8").status is Exit.USAGE


def test_an_erasure_is_meant_and_has_a_reason_of_one_word(exchanged: Path) -> None:
    """Nothing that a person writes freely gets into the log; nothing goes without a yes."""
    way = ("--config", exchanged / FIJI, "audit", "erase", "3")
    assert comity(*way, "--reason", WORD).status is Exit.USAGE
    assert comity(*way, "--reason", "because Mrs X asked", "--yes").status is Exit.FAILED
    assert entries_of(exchanged / FIJI, "record.erased") == []


def test_an_erased_case_cannot_be_read_by_anybody_here(exchanged: Path, case: str) -> None:
    """Its key is gone from the file, and every command says so."""
    node = AtRest(exchanged / FIJI)
    way = ("--config", node.folder, "case", "erase", case, "--reason", WORD, "--yes", "--json")
    waiting = comity(*way)
    assert (waiting.status, waiting.json["code"]) == (Exit.FAILED, "not-erasable")
    node.tamper("DELETE FROM outbox")
    ((key, log_id),) = node.select("SELECT wrapped_key, log_id FROM cases")
    assert isinstance(key, bytes)
    assert key in files_of(node)
    assert comity(*way).json["case"] == case
    assert key not in files_of(node)
    for command in (("case", "show", case), ("case", "receipts", case, "--out", "x")):
        shown = comity("--config", node.folder, *command, "--json")
        assert (shown.status, shown.json["code"]) == (Exit.FAILED, "not-found")
        assert "erased" in shown.json["sentence"]
    note = comity("--config", node.folder, "case", "note", case, "--body", "-", stdin=b"more")
    assert note.status is Exit.FAILED
    assert comity(*way).json["code"] == "not-erasable"
    assert comity("--config", node.folder, "case", "list").status is Exit.DONE
    found = comity("--config", node.folder, "audit", "search", "--kind", "case.erased", "--json")
    assert found.json["entries"][0]["case"] == case
    assert found.json["entries"][0]["record"]["case"] == log_id


@pytest.mark.parametrize("name", [FIJI, QUMRAN])
def test_no_case_is_erased_by_a_name_that_means_several(exchanged: Path, name: str) -> None:
    """An empty name means none."""
    way = ("--config", exchanged / name, "case", "erase", "--reason", WORD, "--yes", "--json", "--")
    assert comity(*way, "").json["code"] == "not-found"
