"""`audit token`: a token is shown once, is known by its digest alone, and can be taken back."""

from __future__ import annotations

import hashlib
from pathlib import Path

from node.exits import Exit
from tests.support.commands import comity
from tests.support.exchanged import FIJI, AtRest


def test_a_token_is_shown_once_and_kept_nowhere(nodes: Path) -> None:
    """Not its text, in any file of the node; its digest stands in the table and in the log."""
    node = AtRest(nodes / FIJI)
    made = comity(
        "--config", node.folder, "audit", "token", "make", "audit 26", "--days", "30", "--json"
    )
    assert made.status is Exit.DONE
    text, digest = made.json["token"], made.json["sha256"]
    assert hashlib.sha256(text.encode()).hexdigest() == digest
    assert made.json["expires"] - made.json["created"] == 30 * 86_400
    kept = b"".join(path.read_bytes() for path in node.folder.rglob("*") if path.is_file())
    assert text.encode() not in kept
    found = comity("--config", node.folder, "audit", "search", "--kind", "token.made", "--json")
    record = found.json["entries"][0]["record"]
    assert (record["token"], record["expires"]) == (digest, made.json["expires"])
    assert "audit 26" not in str(record)
    listed = comity("--config", node.folder, "audit", "token", "list", "--json").json["tokens"]
    assert [(one["name"], one["ended"]) for one in listed] == [("audit 26", False)]
    assert "audit 26" in comity("--config", node.folder, "audit", "token", "list").out


def test_a_token_that_is_taken_back_is_gone_and_that_is_recorded(nodes: Path) -> None:
    """Its name may be given again."""
    way = ("--config", nodes / FIJI, "audit", "token")
    assert comity(*way, "list").out.startswith("No auditor")
    first = comity(*way, "make", "one", "--days", "1")
    assert first.out.splitlines()[0]
    again = comity(*way, "make", "one", "--days", "1", "--json")
    assert (again.status, again.json["code"]) == (Exit.FAILED, "exists")
    assert comity(*way, "end", "one").status is Exit.DONE
    gone = comity(*way, "end", "one", "--json")
    assert (gone.status, gone.json["code"]) == (Exit.FAILED, "not-found")
    assert comity(*way, "list", "--json").json["tokens"] == []
    assert comity(*way, "make", "one", "--days", "1").status is Exit.DONE
    found = comity("--config", nodes / FIJI, "audit", "search", "--kind", "token.ended", "--json")
    assert len(found.json["entries"]) == 1
    assert comity("--config", nodes / FIJI, "audit", "verify").status is Exit.DONE


def test_a_token_has_a_name_and_an_end(nodes: Path) -> None:
    """None is for ever, and none is called something that would not show."""
    way = ("--config", nodes / FIJI, "audit", "token", "make")
    assert comity(*way, "one").status is Exit.USAGE
    assert comity(*way, "one", "--days", "0").status is Exit.USAGE
    assert comity(*way, "one", "--days", "99999").status is Exit.USAGE
    assert comity(*way, "\x1b[31m", "--days", "1").status is Exit.FAILED
