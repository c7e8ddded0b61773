"""Sending, reading and waiting, as a caseworker types it, with no node running."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from node.exits import Exit
from node.storage.engine import exclusive_lock
from tests.support.commands import comity
from tests.support.exchanged import FIJI, QUMRAN
from tests.support.requests import good_request

KIND = "INFORMAL_INQUIRY"


@pytest.fixture
def body(tmp_path: Path) -> Path:
    """Give a file with a request."""
    path = tmp_path / "body.json"
    path.write_text(json.dumps({**good_request(KIND), "text": "please", "n": 3}))
    return path


def test_a_request_is_sent_listed_shown_and_waits(nodes: Path, body: Path, tmp_path: Path) -> None:
    """From `request send` to `outbox`: each command sees what the one before did."""
    folder = nodes / FIJI
    (tmp_path / "ev").mkdir()
    (tmp_path / "ev" / "a.csv").write_text("1")
    sent = comity(
        "--config", folder, "request", "send", "--to", QUMRAN, "--kind", KIND.lower(),
        "--body", body, "--evidence", tmp_path / "ev", "--json",
    ).json  # fmt: skip
    assert (sent["schema"], sent["state"], sent["seq"]) == ("comity.request/1", "queued", 1)
    case = sent["case"]
    listed = comity("--config", folder, "case", "list", "--json").json["cases"]
    assert [(one["id"], one["request_kind"], one["side"]) for one in listed] == [
        (case, KIND, "requesting")
    ]
    short = case.rpartition("/")[2][:8]
    shown = comity("--config", folder, "case", "show", short, "--json").json
    said = shown["messages"][0]["body"]
    assert (said["text"], said["n"], said["request_kind"]) == ("please", 3, KIND)
    assert said["signatories"] == [{"name": "anna", "role": "duty-officer"}]
    assert shown["messages"][0]["evidence"]["items"] == 1
    waiting = comity("--config", folder, "outbox", "--json").json["waiting"]
    assert [(one["message"], one["to"], one["attempts"]) for one in waiting] == [
        (sent["message"], QUMRAN, 0)
    ]


def test_people_are_told_what_was_done_and_what_to_type_next(nodes: Path, body: Path) -> None:
    """The command that is printed is one that works."""
    folder = nodes / FIJI
    done = comity(
        "--config", folder, "request", "send", "--to", QUMRAN, "--kind", KIND, "--body", body
    )
    assert done.err == ""
    following = done.out.strip().splitlines()[-1].partition("comity ")[2]
    shown = comity(*following.split())
    assert shown.status is Exit.DONE
    assert "waiting, not receipted yet" in shown.out
    assert "text: please" in shown.out
    assert "not tried yet" in comity("--config", folder, "outbox").out
    assert KIND in comity("--config", folder, "case", "list").out


def test_events_go_into_a_case_from_both_sides(exchanged: Path, case: str) -> None:
    """With a body from standard input."""
    for name, event in ((QUMRAN, "note"), (FIJI, "note")):
        sent = comity(
            "--config", exchanged / name, "case", event, case, "--body", "-", "--json", stdin=b"hi"
        )
        assert sent.json["schema"] == "comity.event/1"
        shown = comity("--config", exchanged / name, "case", "show", case, "--json").json
        newest = max(
            (one for one in shown["messages"] if one["from"] == name), key=lambda one: one["seq"]
        )
        assert (newest["kind"], newest["body"]) == (event, {"text": "hi"})


def test_a_case_is_shown_with_all_that_became_of_it(exchanged: Path, case: str) -> None:
    """Delivered, refused and waiting messages, each in words."""
    shown = comity("--config", exchanged / FIJI, "case", "show", case).out
    for said in ("delivered and receipted", "accepted, receipt given", "REFUSED", "waiting",
                 "evidence: 1 item", "text: please", "text: here"):  # fmt: skip
        assert said in shown


def test_what_a_peer_wrote_cannot_steer_the_terminal(nodes: Path, tmp_path: Path) -> None:
    """Escapes and markup in a body are shown as what they are."""
    path = tmp_path / "evil.json"
    evil = {"text": "\x1b[2J[red]x[/red]\nsecond", "more": {"\x07": "\x9b1m"}}
    path.write_text(json.dumps({**good_request(KIND), **evil}))
    sent = comity(
        "--config", nodes / FIJI, "request", "send", "--to", QUMRAN, "--kind", KIND, "--body", path
    )
    assert sent.status is Exit.DONE
    case = comity("--config", nodes / FIJI, "case", "list", "--json").json["cases"][0]["id"]
    shown = comity("--config", nodes / FIJI, "case", "show", case).out
    assert r"\x1b[2J[red]x[/red]" in shown
    assert not {"\x1b", "\x07", "\x9b"} & set(shown)


def test_receipts_are_written_once_and_prove_themselves(
    exchanged: Path, case: str, tmp_path: Path
) -> None:
    """Each in its own file, never over another; `comity verify` takes them anywhere."""
    out = tmp_path / "receipts"
    way = ("--config", exchanged / FIJI, "case", "receipts", case, "--out", out)
    written = comity(*way, "--json").json["receipts"]
    files = sorted(out.iterdir())
    assert sorted(Path(one["file"]) for one in written) == files
    assert {one.stem for one in files} == {one["message"][:16] for one in written}
    for file in files:
        assert comity("verify", file).status is Exit.DONE
    again = comity(*way)
    assert again.status is Exit.FAILED
    assert "never overwritten" in again.err


def test_a_case_is_named_by_how_its_id_begins(exchanged: Path, case: str) -> None:
    """The whole id, its beginning, or the beginning of its random half."""
    authority, _, half = case.partition("/")
    for name in (case, half[:8], authority, f"{authority}/{half[:2]}"):
        done = comity("--config", exchanged / QUMRAN, "case", "show", name, "--json")
        assert done.json["case"]["id"] == case


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("case", "show", "nothing"), Exit.FAILED, "comity case list"),
        (("case", "note", "nothing"), Exit.USAGE, "--set NAME=VALUE"),
        (("request", "send", "--to", QUMRAN, "--kind", KIND), Exit.USAGE, "--body FILE"),
        (("request", "send", "--to", "x.nobody", "--kind", KIND, "--body"), Exit.FAILED,
         "not in the newest document"),
        (("request", "send", "--to", "NOT AN ID", "--kind", KIND, "--body"), Exit.USAGE, "id"),
        (("request", "send", "--to", FIJI, "--kind", KIND, "--body"), Exit.USAGE, "itself"),
        (("request", "send", "--to", QUMRAN, "--kind", "1", "--body"), Exit.USAGE, "request_kind"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_sentence(
    nodes: Path, body: Path, words: tuple[str, ...], status: Exit, said: str
) -> None:
    """It says what failed and what to do, and nothing is left behind."""
    given: tuple[str | Path, ...] = (*words, body) if words[-1] == "--body" else words
    done = comity("--config", nodes / FIJI, *given)
    assert (done.status, done.out) == (status, "")
    assert said in done.err
    assert comity("--config", nodes / FIJI, "case", "list", "--json").json["cases"] == []


def test_without_a_passphrase_nothing_is_sent_and_lists_are_still_read(
    nodes: Path, body: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists, the outbox and the network need no key; the rest says what is missing."""
    monkeypatch.delenv("COMITY_KEYS__PASSPHRASE_FILE")
    way = ("--config", nodes / FIJI)
    send = ("request", "send", "--to", QUMRAN, "--kind", KIND, "--body", body)
    refused = comity(*way, *send)
    assert refused.status is Exit.CONFIGURATION
    assert "passphrase" in refused.err
    for words in (("case", "list"), ("outbox",), ("network", "show")):
        assert comity(*way, *words).status is Exit.DONE


def test_the_passphrase_may_be_named_for_one_command(
    nodes: Path, body: Path, passphrase_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a file, never as an argument."""
    monkeypatch.delenv("COMITY_KEYS__PASSPHRASE_FILE")
    done = comity(
        "--config", nodes / FIJI, "request", "send", "--to", QUMRAN, "--kind", KIND,
        "--body", body, "--passphrase-file", passphrase_file,
    )  # fmt: skip
    assert done.status is Exit.DONE


def test_another_authoritys_key_file_is_refused(nodes: Path, body: Path) -> None:
    """A node never signs with keys that the settings do not name."""
    own = nodes / FIJI / "keys" / "node.key"
    own.unlink()
    own.hardlink_to(nodes / QUMRAN / "keys" / "node.key")
    done = comity(
        "--config", nodes / FIJI, "request", "send", "--to", QUMRAN, "--kind", KIND, "--body", body
    )
    assert done.status is Exit.CONFIGURATION
    assert f"that of {QUMRAN}" in done.err


def test_an_id_begins_a_sentence_as_it_is_written(nodes: Path, body: Path) -> None:
    """An authority's id has no capital letters, and the sentence says where to look."""
    done = comity(
        "--config", nodes / FIJI, "request", "send", "--to", "x.nobody", "--kind", KIND,
        "--body", body,
    )  # fmt: skip
    assert done.err.startswith("Error: x.nobody is not in the newest document.")
    assert "comity network show" in done.err


def test_a_node_waits_for_a_command_that_writes(
    nodes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says that something runs already only if that does not end."""
    monkeypatch.setattr("node.cli.serving._COMMAND_S_MAX", 0.2)
    with exclusive_lock(nodes / FIJI):
        done = comity("--config", nodes / FIJI, "run")
        assert done.status is Exit.LATER
        assert "runs already" in done.err


def test_a_writing_command_waits_for_another_that_holds_the_lock(
    nodes: Path, body: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If it does not end, the command says so with the status for trying later."""
    monkeypatch.setattr("node.cli.access._STARTING_S_MAX", 0.2)
    with exclusive_lock(nodes / FIJI):
        done = comity(
            "--config", nodes / FIJI, "request", "send", "--to", QUMRAN, "--kind", KIND,
            "--body", body, "--json",
        )  # fmt: skip
        assert (done.status, done.json["code"]) == (Exit.LATER, "node-runs")
        assert comity("--config", nodes / FIJI, "case", "list").status is Exit.DONE
