"""`audit bundle`: one file for a stranger, made from what is here, and verified as it is made."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from node.exits import Exit
from tests.support.commands import Done, comity
from tests.support.cosigned import cosign
from tests.support.exchanged import FIJI, QUMRAN, AtRest


def bundle(folder: Path, case: str, out: Path, *more: str) -> Done:
    """Make a bundle."""
    return comity("--config", folder, "audit", "bundle", case, "-o", out, "--json", *more)


def names(file: Path) -> list[str]:
    """Give what is in a bundle, as any tool for such files sees it."""
    with zipfile.ZipFile(file) as opened:
        assert opened.testzip() is None
        return opened.namelist()


@pytest.mark.parametrize("name", [FIJI, QUMRAN])
def test_a_bundle_holds_all_that_is_here_of_a_case(
    exchanged: Path, case: str, tmp_path: Path, name: str
) -> None:
    """Messages, receipts of both sides, manifest, records, documents, keys, heads, summary."""
    out = tmp_path / "case.comity"
    made = bundle(exchanged / name, case, out)
    assert made.json["conclusion"] == "true", made.out
    assert made.status is Exit.DONE
    folders = {one.partition("/")[0] for one in names(out)}
    assert folders >= {
        "comity.json", "summary.html", "messages", "receipts", "manifests", "records",
        "documents", "listings", "heads",
    }  # fmt: skip
    judged = comity("verify", out, "--json")
    assert (judged.status, judged.json["conclusion"]) == (Exit.DONE, "true")
    again = bundle(exchanged / name, case, out)
    assert (again.status, again.json["code"]) == (Exit.FAILED, "exists")


def test_a_bundle_of_proofs_has_no_text_and_needs_no_key(
    exchanged: Path, case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Identities, receipts and proofs; also for whoever may not read the case."""
    monkeypatch.delenv("COMITY_KEYS__PASSPHRASE_FILE")
    out = tmp_path / "case.comity"
    made = bundle(exchanged / FIJI, case, out, "--proofs-only")
    assert (made.status, made.json["conclusion"]) == (Exit.DONE, "true")
    assert not any(one.startswith(("messages", "manifests")) for one in names(out))
    assert b"please" not in out.read_bytes()
    assert comity("verify", out).status is Exit.DONE


def test_an_erased_case_can_still_be_proved(exchanged: Path, case: str, tmp_path: Path) -> None:
    """That it was, and what was accepted when; not what was said."""
    node = AtRest(exchanged / FIJI)
    node.tamper("DELETE FROM outbox")
    way = ("--config", node.folder, "case", "erase", case, "--reason", "court-order", "--yes")
    assert comity(*way).status is Exit.DONE
    assert bundle(node.folder, case, tmp_path / "a").json["code"] == "not-found"
    made = bundle(node.folder, case, tmp_path / "b", "--proofs-only")
    assert (made.status, made.json["conclusion"]) == (Exit.DONE, "true")


def test_what_is_left_out_is_said(exchanged: Path, case: str, tmp_path: Path) -> None:
    """The log of the other side can only be asked by a node that runs."""
    made = bundle(exchanged / FIJI, case, tmp_path / "a")
    assert any(QUMRAN in one for one in made.json["left_out"])
    assert any("receipts" in one for one in made.json["left_out"])
    shown = comity("--config", exchanged / FIJI, "audit", "bundle", case, "-o", tmp_path / "b")
    assert "left out: " in shown.out
    assert "comity verify" in shown.out


def test_a_bundle_says_who_has_witnessed_what_it_rests_on(
    exchanged: Path, case: str, tmp_path: Path
) -> None:
    """Also where the log has gone on since."""
    made = bundle(exchanged / QUMRAN, case, tmp_path / "a")
    assert "witnessed by 1 of 1" not in str(made.json)
    cosign(exchanged / QUMRAN, by=exchanged / FIJI)
    comity("--config", exchanged / QUMRAN, "keys", "publish")
    made = bundle(exchanged / QUMRAN, case, tmp_path / "b")
    assert made.json["conclusion"] == "true"
    assert "1 of 1" in str(made.json), made.out


def test_a_bundle_that_would_not_hold_says_so(exchanged: Path, case: str, tmp_path: Path) -> None:
    """A changed message cannot be opened; a changed receipt makes the file false."""
    node = AtRest(exchanged / FIJI)
    node.tamper(
        "UPDATE messages SET receipt = (SELECT receipt FROM messages AS other"
        " WHERE other.direction = 'in' LIMIT 1) WHERE direction = 'out' AND receipt IS NOT NULL"
    )
    made = bundle(node.folder, case, tmp_path / "a")
    assert made.status is not Exit.DONE
    node.tamper("UPDATE messages SET sealed_text = zeroblob(100)")
    assert bundle(node.folder, case, tmp_path / "b").json["code"] == "not-authentic"
