"""`audit export`: the log as files that any C2SP client reads, whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from node.exits import Exit
from protocol.checkpoint import decode_body
from protocol.note import decode_note, decode_verifier_key
from protocol.policy import Policy, decode_policy, verify_by_policy
from tests.support.commands import comity
from tests.support.exchanged import FIJI, QUMRAN, AtRest


def test_an_export_holds_the_log_and_whose_lines_to_look_for(
    exchanged: Path, tmp_path: Path
) -> None:
    """Checkpoint, tile and entries of the layout, and the keys of the log and its witnesses."""
    out = tmp_path / "out"
    done = comity("--config", exchanged / FIJI, "audit", "export", "--dir", out, "--json")
    assert done.status is Exit.DONE
    size = done.json["size"]
    assert size > 5
    found = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    assert [one for one in found if one.startswith("tile")] == [
        f"tile/0/000.p/{size}", f"tile/entries/000.p/{size}",
    ]  # fmt: skip
    assert (out / f"tile/entries/000.p/{size}").stat().st_size == size * 35
    checkpoint = decode_body(decode_note((out / "checkpoint").read_bytes()).body)
    assert (checkpoint.size, checkpoint.origin) == (size, f"pacific/{FIJI}/1")
    log = [decode_verifier_key(one) for one in (out / "log.vkey").read_text().splitlines()]
    assert [(one.name, one.kind) for one in log] == [(checkpoint.origin, 1), (checkpoint.origin, 6)]


def open_to(policy: Policy) -> Policy:
    """Give a policy without its quorum: nobody has cosigned here."""
    return replace(policy, quorum=None)


def test_an_export_names_the_witnesses_whose_words_count(
    nodes: Path, exchanged: Path, tmp_path: Path
) -> None:
    """Both keys of each, one a line; a witness with a revoked key is no witness."""
    assert comity("--config", nodes / FIJI, "audit", "export", "--dir", tmp_path / "one").out
    witness = f"pacific/{QUMRAN}/witness"
    lines = (tmp_path / "one" / "witnesses.vkey").read_text().splitlines()
    keys = [decode_verifier_key(line) for line in lines]
    assert [(one.name, one.kind) for one in keys] == [(witness, 4), (witness, 6)]
    policy = decode_policy((tmp_path / "one" / "policy").read_bytes())
    signed = verify_by_policy((tmp_path / "one" / "checkpoint").read_bytes(), open_to(policy))
    assert signed.signed.checkpoint.origin == f"pacific/{FIJI}/1"
    assert policy.quorum == "quorum"
    assert comity("--config", exchanged / FIJI, "audit", "export", "--dir", tmp_path / "two").out
    assert not (tmp_path / "two" / "policy").exists()
    assert (tmp_path / "two" / "witnesses.vkey").read_bytes() == b""


def test_an_export_replaces_no_folder_and_leaves_none_half_made(
    exchanged: Path, tmp_path: Path
) -> None:
    """A folder that is there stays as it is; a log that does not hold leaves nothing behind."""
    folder = tmp_path / "out"
    way = ("--config", exchanged / FIJI, "audit", "export", "--dir", folder)
    assert comity(*way).status is Exit.DONE
    again = comity(*way, "--json")
    assert (again.status, again.json["code"]) == (Exit.FAILED, "exists")
    node = AtRest(exchanged / FIJI)
    node.tamper("UPDATE log_entries SET commitment = zeroblob(32) WHERE position = 3")
    before = sorted(tmp_path.iterdir())
    broken = comity(*way[:-1], tmp_path / "broken", "--json")
    assert (broken.status, broken.json["code"]) == (Exit.FAILED, "not-authentic")
    assert sorted(tmp_path.iterdir()) == before


def test_a_size_that_nobody_signed_for_is_not_exported(exchanged: Path, tmp_path: Path) -> None:
    """The head is there, and what witnesses cosigned; in between nothing was kept."""
    way = ("--config", exchanged / FIJI, "audit", "export", "--json", "--dir")
    size = comity(*way, tmp_path / "one").json["size"]
    assert comity(*way, tmp_path / "two", "--size", str(size)).json["size"] == size
    asked = comity(*way, tmp_path / "three", "--size", str(size - 1))
    assert (asked.status, asked.json["code"]) == (Exit.FAILED, "not-found")
    assert comity(*way, tmp_path / "four", "--log", "7").status is Exit.FAILED
