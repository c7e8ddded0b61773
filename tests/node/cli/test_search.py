"""`audit search`: what happened, found by whatever names it, and harmless wherever it is opened."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path

import pytest

from node.cli.searching import cell_of
from node.exits import Exit
from tests.support.commands import Done, comity
from tests.support.exchanged import FIJI, QUMRAN, AtRest


def found(done: Done) -> list[str]:
    """Give the kinds of what was found."""
    assert done.status is Exit.DONE, done.err
    return [one["kind"] for one in done.json["entries"]]


def test_everything_is_found_in_the_order_of_the_log(exchanged: Path, case: str) -> None:
    """Each entry with its record, and its case where it has one."""
    done = comity("--config", exchanged / FIJI, "audit", "search", "--json")
    entries = done.json["entries"]
    assert [one["position"] for one in entries] == list(range(len(entries)))
    assert entries[0]["kind"] == "log.opened"
    sent = next(one for one in entries if one["kind"] == "message.sent")
    assert (sent["case"], sent["peer"], sent["record"]["to"]) == (case, QUMRAN, QUMRAN)
    shown = comity("--config", exchanged / FIJI, "audit", "search").out
    assert "message.sent" in shown
    assert case in shown


def test_a_case_is_found_by_all_that_happened_in_it(exchanged: Path, case: str) -> None:
    """Also by entries that name only a message of it."""
    way = ("--config", exchanged / FIJI, "audit", "search", "--json")
    kinds = found(comity(*way, "--case", case.rpartition("/")[2][:8]))
    assert {"message.sent", "message.accepted", "message.delivered", "evidence.listed"} <= set(
        kinds
    )
    assert not {"log.opened", "network.installed"} & set(kinds)
    assert found(comity(*way, "--case", case, "--kind", "message.delivered")) == [
        "message.delivered"
    ]
    assert comity(*way, "--case", "nothing").status is Exit.FAILED


def test_a_peer_is_found_by_messages_and_by_what_was_installed_of_it(exchanged: Path) -> None:
    """And by entries that name only a message to it."""
    way = ("--config", exchanged / FIJI, "audit", "search", "--json")
    kinds = set(found(comity(*way, "--peer", QUMRAN)))
    assert {"message.sent", "message.accepted", "message.delivered", "listing.installed"} <= kinds
    assert "log.opened" not in kinds
    assert found(comity(*way, "--peer", "to.justice")) == []


def test_a_message_is_found_by_how_it_begins(exchanged: Path) -> None:
    """Sent, with evidence, delivered: three entries."""
    way = ("--config", exchanged / FIJI, "audit", "search", "--json")
    first = next(one for one in comity(*way).json["entries"] if one["kind"] == "message.delivered")
    kinds = found(comity(*way, "--message", first["message"][:12]))
    assert kinds == ["message.sent", "evidence.listed", "message.delivered"]
    assert comity(*way, "--message", "zz").status is Exit.FAILED


def test_a_span_of_time_includes_its_ends(exchanged: Path) -> None:
    """To the second; a day alone counts whole."""
    way = ("--config", exchanged / FIJI, "audit", "search", "--json")
    every = comity(*way).json["entries"]
    at = every[3]["at"]
    same = [one["position"] for one in every if one["at"] == at]
    assert comity(*way, "--until", "1970-01-01").json["entries"] == []
    moment = dt.datetime.fromtimestamp(at, dt.UTC)
    spans = comity(*way, "--from", moment.isoformat(), "--until", moment.isoformat())
    assert [one["position"] for one in spans.json["entries"]] == same
    first = dt.datetime.fromtimestamp(every[0]["at"], dt.UTC).date()
    last = dt.datetime.fromtimestamp(every[-1]["at"], dt.UTC).date()
    whole = comity(*way, "--from", str(first), "--until", str(last))
    assert len(whole.json["entries"]) == len(every)
    assert comity(*way, "--from", "yesterday").status is Exit.USAGE


def test_a_person_is_found_by_name_and_what_others_did_is_not(exchanged: Path) -> None:
    """The log has a random id; the table beside it says whose."""
    comity("--config", exchanged / FIJI, "keys", "publish")
    way = ("--config", exchanged / FIJI, "audit", "search", "--json")
    every = comity(*way).json["entries"]
    name = every[-1]["person"]
    assert name.startswith("uid ")
    mine = comity(*way, "--by", name).json["entries"]
    assert mine == [one for one in every if one["person"] == name]
    assert mine[0]["record"]["by"] not in name
    assert comity(*way, "--by", mine[0]["record"]["by"][:8]).json["entries"] == mine
    assert comity(*way, "--by", "nobody").status is Exit.FAILED


def test_lines_and_cells_hold_the_same_as_the_table(exchanged: Path, tmp_path: Path) -> None:
    """All of them, however many a table would show."""
    way = ("--config", exchanged / FIJI, "audit", "search")
    every = comity(*way, "--json").json["entries"]
    lines = comity(*way, "--format", "jsonl").out.splitlines()
    assert [json.loads(line) for line in lines] == every
    out = tmp_path / "found.csv"
    assert comity(*way, "--format", "csv", "--out", out).status is Exit.DONE
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [int(row["position"]) for row in rows] == [one["position"] for one in every]
    assert [row["kind"] for row in rows] == [one["kind"] for one in every]
    assert comity(*way, "--format", "csv", "--out", out).status is Exit.FAILED
    assert comity(*way, "--format", "xml").status is Exit.USAGE
    assert comity(*way, "--out", tmp_path / "other").status is Exit.USAGE


def test_a_limit_says_that_there_is_more(exchanged: Path) -> None:
    """And which entries come first."""
    done = comity("--config", exchanged / FIJI, "audit", "search", "--limit", "2", "--json")
    assert ([one["position"] for one in done.json["entries"]], done.json["more"]) == ([0, 1], True)


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\\t=1"), ("\r=1", "'\\r=1"), ("a\x1b[31mb", "a\\x1b[31mb"),
        ("two\nlines", "two\\nlines"), (None, ""), (7, "7"), ("fj.justice", "fj.justice"),
    ],
)  # fmt: skip
def test_a_cell_is_no_formula_and_steers_no_terminal(value: object, cell: str) -> None:
    """Whatever a peer or a person is called."""
    assert cell_of(value) == cell


def test_an_altered_record_is_shown_and_stops_no_search(exchanged: Path) -> None:
    """Whether it is false, `audit verify` says."""
    node = AtRest(exchanged / FIJI)
    node.tamper("UPDATE log_entries SET record = x'00ff' WHERE position = 2")
    entries = comity("--config", exchanged / FIJI, "audit", "search", "--json").json["entries"]
    assert entries[2]["record"] == {"unreadable": "00ff"}


def test_what_cannot_be_searched_for_is_said_with_what_can(exchanged: Path) -> None:
    """A log that is not there is named, and each kind of record stands once in the list."""
    way = ("--config", exchanged / FIJI, "audit", "search")
    no_log = comity(*way, "--log", "2")
    assert (no_log.status, "the open one is log 1" in no_log.err) == (Exit.FAILED, True)
    no_kind = comity(*way, "--kind", "nothing")
    assert (no_kind.status, no_kind.err.count("log.closed,")) == (Exit.FAILED, 1)
