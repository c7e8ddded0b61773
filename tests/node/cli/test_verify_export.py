"""An exported log is verified from its files, by any policy, and every change is found."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from node.exits import Exit
from tests.support.commands import comity
from tests.support.exchanged import QUMRAN


@pytest.fixture
def exported(exchanged: Path, tmp_path: Path) -> Path:
    """Export the log of a node that has exchanged."""
    folder = tmp_path / "log"
    done = comity("--config", exchanged / QUMRAN, "audit", "export", "--dir", folder)
    assert done.status is Exit.DONE, done.err
    return folder


def test_an_export_verifies_by_its_own_policy_on_that_condition(exported: Path) -> None:
    """The owner wrote the policy, and the verifier says so."""
    done = comity("verify", exported, "--json")
    assert (done.status, done.json["conclusion"]) == (Exit.DONE, "true")
    assert any("policy in the folder" in one for one in done.json["not_proved"])


def test_an_export_verifies_by_the_readers_policy(exported: Path, tmp_path: Path) -> None:
    """Brought from elsewhere, it needs no policy in the folder."""
    policy = tmp_path / "policy"
    shutil.move(exported / "policy", policy)
    done = comity("verify", exported, "--policy", policy, "--json")
    assert done.status is Exit.DONE
    assert not any("in the folder" in one for one in done.json["not_proved"])
    assert comity("verify", exported, "--json").status is Exit.FALSE


def test_whatever_is_changed_in_an_export_is_found(exported: Path) -> None:
    """One bit in any file that says something, a file less, a file cut short or longer."""
    files = [one for one in sorted(exported.rglob("*")) if one.is_file()]
    looked_at = [one for one in files if one.name not in {"log.vkey", "witnesses.vkey", "policy"}]
    assert len(looked_at) == len(("checkpoint", "tile/0/000.p/W", "tile/entries/000.p/W"))
    for file in looked_at:
        raw = file.read_bytes()
        for changed in (raw[:-1], raw + b"\0", raw[:20] + bytes([raw[20] ^ 1]) + raw[21:]):
            file.write_bytes(changed)
            done = comity("verify", exported, "--json")
            assert done.status is Exit.FALSE, file
            assert done.json["conclusion"] == "false"
        file.unlink()
        if file.name == "checkpoint":
            assert comity("verify", exported).status is Exit.USAGE
        else:
            assert comity("verify", exported).status is Exit.FALSE, file
        file.write_bytes(raw)
    assert comity("verify", exported).status is Exit.DONE


def test_a_fingerprint_verifies_no_export(exported: Path) -> None:
    """A folder that is none is named as well."""
    assert comity("verify", exported, "--fingerprint", "0" * 60).status is Exit.USAGE
    assert comity("verify", exported / "tile").status is Exit.USAGE
