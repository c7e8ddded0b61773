"""`comity law`: what a lawyer sees of the law, and of what is wrong with their own files."""

from __future__ import annotations

import json
from pathlib import Path

from node.exits import Exit
from tests.support.commands import comity


def test_every_part_of_the_law_can_be_shown(nodes: Path) -> None:
    """Each command ends well, for a person and for a program, and names what it is about."""
    at = ("--config", nodes / "fj.justice", "law")
    for words, seen in (
        (("kinds",), "MLA_BANK_RECORDS"),
        (("kind", "MLA_BANK_RECORDS"), "UNCAC 46(15)(c)"),
        (("kind", "SPONTANEOUS"), "Released once the restrictions are accepted"),
        (("bases",), "SADC_MLA_2002"),
        (("basis", "BUDAPEST"), "Budapest Convention 29(7)"),
        (("offences",), "Illicit enrichment"),
        (("term", "extradicion"), "extradición"),
        (("codes",), "refusal_ground_mla"),
        (("codes", "outcome"), "nothing was found"),
        (("check",), "The law fits together."),
    ):
        done = comity(*at, *words)
        assert done.status is Exit.DONE, done.err
        assert seen in done.out, words
        assert comity(*at, *words, "--json").json["schema"].startswith("comity.")


def test_what_no_lawyer_has_confirmed_is_marked(nodes: Path) -> None:
    """The mark stands in the text and in the JSON, and nowhere where confidence is high."""
    at = ("--config", nodes / "fj.justice", "law")
    swahili = [
        line for line in comity(*at, "term", "extradition").out.splitlines() if " sw " in line
    ]
    assert swahili
    assert all("[unreviewed]" in line for line in swahili)
    assert "[unreviewed]" not in comity(*at, "basis", "UNCAC").out.splitlines()[0]
    found = comity(*at, "basis", "SADC_EXTRADITION_2002", "--json").json
    limits = {one["clock"]: one for one in found["limits"]}
    assert limits["provisional_arrest"]["unreviewed"] is True
    assert limits["decision"]["product_default"] is True


def test_an_example_is_the_body_of_a_draft(nodes: Path) -> None:
    """What `--example` writes is what `draft new --body` takes, and nothing in it is missing."""
    at = ("--config", nodes / "fj.justice", "law")
    written = comity(*at, "kind", "mla_bank_records", "--example")
    assert written.status is Exit.DONE, written.err
    body = json.loads(written.out)
    assert body["items"]
    assert body == comity(*at, "kind", "MLA_BANK_RECORDS", "--json").json["example"]
    assert "--example > request.json" in comity(*at, "kind", "MLA_BANK_RECORDS").out


def test_a_code_that_there_is_not_leads_to_the_list(nodes: Path) -> None:
    """Whoever mistypes a code is told which command shows them all."""
    at = ("--config", nodes / "fj.justice", "law")
    for words, advice in (
        (("kind", "MLA_BANK"), "comity law kinds"),
        (("basis", "UNKAC"), "comity law bases"),
        (("codes", "outcomes"), "comity law codes"),
    ):
        done = comity(*at, *words)
        assert done.status is not Exit.DONE
        assert advice in done.err
    assert "Without a word" in comity(*at, "term", "no such word").out


def test_the_check_reads_the_folder_beside_the_configuration(nodes: Path) -> None:
    """Files in `law/` count at once, and what is wrong in them is said by file and place."""
    folder = nodes / "fj.justice"
    (folder / "law").mkdir()
    (folder / "law" / "holidays.toml").write_text('[countries.QM]\nadd = ["2026-05-04"]\n')
    assert comity("--config", folder, "law", "check", "--json").json["counts"]["holidays"] == 1
    (folder / "law" / "kinds").mkdir()
    (folder / "law" / "kinds" / "y_own.toml").write_text('code = "Y_OWN"\n')
    done = comity("--config", folder, "law", "check")
    assert done.status is Exit.CONFIGURATION
    assert "law/kinds/y_own.toml: title: this key is missing." in done.out


def test_a_folder_is_checked_before_it_belongs_to_a_node(tmp_path: Path) -> None:
    """A lawyer needs no node to see whether a profile fits."""
    assert comity("law", "check", tmp_path).status is Exit.DONE
    assert comity("law", "check", tmp_path / "none").status is Exit.CONFIGURATION


def test_a_node_does_not_start_with_law_that_does_not_fit(nodes: Path) -> None:
    """It says file, place and what would be right, and the check beside it says the same."""
    folder = nodes / "fj.justice"
    (folder / "law").mkdir()
    (folder / "law" / "limits.toml").write_text(
        '[[limits]]\nclock = "provisional_arrest"\ncount = 40\nunit = "days"\nsource = "practice"\n'
    )
    for words in (("run",), ("case", "list")):
        done = comity("--config", folder, *words)
        assert done.status is Exit.CONFIGURATION
        assert "law/limits.toml: provisional_arrest has no limit for all" in done.err
