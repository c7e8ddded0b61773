"""Drafts and steps as people type them: nothing is lost, and nothing steers a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from node.cli.steps import time_of
from node.exits import Exit
from tests.support.commands import Done, comity
from tests.support.exchanged import FIJI, QUMRAN
from tests.support.requests import good_request

KIND = "MLA_BANK_RECORDS"
HOSTILE = "\u202e\x1b[2Jgnp.exe =HYPERLINK(1) <b>x</b> \u0645\u0631\u062d\u0628\u0627"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder in which what was refused is kept."""
    folder = tmp_path / "state"
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    return folder / "comity" / "unsent"


@pytest.fixture
def body(tmp_path: Path) -> Path:
    """Give a file with a whole request."""
    path = tmp_path / "request.json"
    path.write_text(json.dumps(good_request(KIND)))
    return path


def types(nodes: Path, *words: str | Path, stdin: bytes = b"") -> Done:
    """Type a command for Fiji's node."""
    return comity("--config", nodes / FIJI, *words, stdin=stdin)


def begun(nodes: Path, body: Path) -> str:
    """Begin a draft, and give its id."""
    made = types(
        nodes, "draft", "new", "--to", QUMRAN, "--kind", KIND.lower(), "--body", body, "--json"
    )
    return str(made.json["draft"])


def test_a_draft_is_begun_checked_shown_submitted_and_listed(nodes: Path, body: Path) -> None:
    """Each command says what comes next."""
    draft = begun(nodes, body)
    assert "Nothing" in types(nodes, "draft", "check", draft[:8]).out
    shown = types(nodes, "draft", "show", draft[:8]).out
    assert f"Draft {draft}: {KIND} to {QUMRAN}" in shown
    assert "DRAFT, version 1, by anna" in shown
    assert "IN_APPROVAL" in types(nodes, "draft", "submit", draft[:8]).out
    assert draft[:8] in types(nodes, "draft", "list", "--state", "in_approval").out
    told = types(nodes, "draft", "approve", draft[:8])
    assert told.status is Exit.FAILED
    assert "somebody else approves it" in told.err


def test_what_is_missing_is_a_table_of_field_what_and_rule(nodes: Path, tmp_path: Path) -> None:
    """And submitting says the same on standard error."""
    lacking = good_request(KIND)
    del lacking["facts_summary"]
    path = tmp_path / "lacking.json"
    path.write_text(json.dumps(lacking))
    draft = begun(nodes, path)
    checked = types(nodes, "draft", "check", draft)
    assert "must be put right" in checked.out
    assert "facts_summary" in checked.out
    assert "UNCAC 46(15)(c)" in checked.out
    told = types(nodes, "draft", "submit", draft)
    assert told.status is Exit.FAILED
    assert "blocks | facts_summary" in told.err
    found = types(nodes, "draft", "submit", draft, "--json").json
    assert found["code"] == "incomplete"
    assert found["findings"][0]["field"] == "facts_summary"


def test_a_field_is_changed_without_the_rest(nodes: Path, body: Path) -> None:
    """`--set` changes what it names, also inside an object, and keeps every letter."""
    draft = begun(nodes, body)
    saved = types(
        nodes, "draft", "edit", draft, "--set", f"subject_matter={HOSTILE}",
        "--set", "second_contact.email=new@desk.example", "--set", "proceedings_instituted:=true",
        "--json",
    ).json  # fmt: skip
    assert saved["version"] == 2
    assert saved["body"]["subject_matter"] == HOSTILE
    assert saved["body"]["second_contact"]["email"] == "new@desk.example"
    assert saved["body"]["proceedings_instituted"] is True
    assert saved["body"]["nexus"] == good_request(KIND)["nexus"]


def test_hostile_text_is_shown_harmlessly_and_kept_exactly(nodes: Path, tmp_path: Path) -> None:
    """In the draft, and in the letter; ten thousand letters too."""
    body = good_request(KIND) | {"subject_matter": HOSTILE, "nexus": "n" * 10_000}
    path = tmp_path / "evil.json"
    path.write_text(json.dumps(body))
    draft = begun(nodes, path)
    for words in (("draft", "show", draft), ("draft", "print", draft, "--language", "fr")):
        out = types(nodes, *words).out
        assert not {"\x1b", "\u202e"} & set(out)
        assert "n" * 10_000 in out
    assert types(nodes, "draft", "show", draft, "--json").json["body"]["nexus"] == "n" * 10_000


def test_a_letter_has_its_labels_in_the_readers_language(nodes: Path, body: Path) -> None:
    """And says what the electronic transmission is worth."""
    draft = begun(nodes, body)
    letter = types(nodes, "draft", "print", draft, "--language", "fr").out
    assert "Documents bancaires" in letter
    assert "Base juridique (Legal basis):" in letter
    assert "Advance copy: the original follows. Not in force as an original unless" in letter


def test_a_stale_save_loses_nothing(nodes: Path, body: Path, state: Path) -> None:
    """What came from standard input lies in a file of the person's own, for this person alone."""
    draft = begun(nodes, body)
    types(nodes, "draft", "edit", draft, "--body", body)
    mine = json.dumps(good_request(KIND) | {"subject_matter": HOSTILE}).encode()
    told = types(nodes, "draft", "edit", draft, "--version", "1", "--body", "-", stdin=mine)
    assert told.status is Exit.FAILED
    assert "Version 1 is not the newest any more: 2 is" in told.err
    (kept,) = state.iterdir()
    assert str(kept) in told.err
    assert kept.stat().st_mode & 0o077 == 0
    assert json.loads(kept.read_text())["subject_matter"] == HOSTILE
    again = types(nodes, "draft", "edit", draft, "--version", "2", "--body", kept, "--json")
    assert again.json["body"]["subject_matter"] == HOSTILE


def test_an_editor_changes_a_draft_and_its_file_stays_if_that_is_refused(
    nodes: Path, body: Path, tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file goes only when its text is saved."""
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i "s/Investigation of/Inquiry into/" "$1"\n')
    editor.chmod(0o700)
    monkeypatch.setenv("VISUAL", str(editor))
    draft = begun(nodes, body)
    saved = types(nodes, "draft", "edit", draft, "--json").json
    assert saved["body"]["subject_matter"].startswith("Inquiry into")
    assert list(state.iterdir()) == []
    told = types(nodes, "draft", "edit", draft, "--version", "1")
    assert told.status is Exit.FAILED
    (kept,) = state.iterdir()
    assert str(kept) in told.err


def test_a_step_that_is_refused_keeps_what_was_typed(
    nodes: Path, state: Path, tmp_path: Path
) -> None:
    """Also the values of `--set`, which stand in no file."""
    path = tmp_path / "ask.json"
    path.write_text(json.dumps(good_request("INFORMAL_INQUIRY")))
    sent = types(
        nodes, "request", "send", "--to", QUMRAN, "--kind", "informal_inquiry", "--body", path,
        "--json",
    ).json  # fmt: skip
    told = types(nodes, "case", "confirm-result", sent["case"], "--set", "note=kept")
    assert told.status is Exit.FAILED
    (kept,) = state.iterdir()
    assert json.loads(kept.read_text()) == {"note": "kept"}


def test_a_missing_field_is_named_before_anything_is_sent(nodes: Path) -> None:
    """With how to give it."""
    told = types(nodes, "case", "acknowledge", "x", "--set", "own_ref=1")
    assert told.status is Exit.USAGE
    assert "needs contact, reply_language" in told.err


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [("2026-12-24", 1_798_156_799), ("2026-12-24T15:00Z", 1_798_124_400), ("17", 17)],
)
def test_a_time_is_a_day_or_a_moment(typed: str, seconds: int) -> None:
    """A day lasts until its end."""
    assert time_of("due", typed) == seconds


def test_a_case_on_paper_is_registered_recorded_and_shown(nodes: Path, tmp_path: Path) -> None:
    """By its channel, and by who recorded it."""
    path = tmp_path / "service.json"
    path.write_text(json.dumps(good_request("MLA_SERVICE")))
    made = types(
        nodes, "case", "register", "--side", "requesting", "--with", "zz.justice", "--kind",
        "MLA_SERVICE", "--channel", "diplomatic", "--name", "Zembla", "--at", "2026-01-02",
        "--body", path, "--json",
    ).json  # fmt: skip
    done = types(
        nodes, "case", "record", made["case"], "acknowledge", "--channel", "POST",
        "--set", "own_ref=Z/1", "--set", "contact.name=Mr. Kinbote", "--set", "reply_language=en",
    )  # fmt: skip
    assert "ACKNOWLEDGED now" in done.out
    shown = types(nodes, "case", "show", made["case"]).out
    assert "by DIPLOMATIC, recorded by anna" in shown
    assert "their reference: Z/1" in shown
    assert "SENT" not in types(nodes, "case", "list").out
