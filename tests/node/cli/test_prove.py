"""`audit prove`: one record, its salt and the proof of its entry, for somebody without a node."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.exits import Exit
from protocol.checkpoint import LogKeys, log_origin
from protocol.identity import PublicKey
from protocol.merkle import leaf_hash
from protocol.note import decode_verifier_key
from protocol.proof import verify_proof
from protocol.receipt import decode_receipt
from protocol.record import commitment, entry
from tests.support.commands import Done, comity
from tests.support.cosigned import cosign
from tests.support.exchanged import FIJI, QUMRAN, AtRest

ORIGIN = log_origin("pacific", FIJI, 1)


def prove(folder: Path, name: str, out: Path) -> Done:
    """Prove one record."""
    return comity("--config", folder, "audit", "prove", name, "-o", out, "--json")


def keys_of(folder: Path, scratch: Path) -> LogKeys:
    """Give the keys of a log, as its export names them."""
    comity("--config", folder, "audit", "export", "--dir", scratch)
    lines = (scratch / "log.vkey").read_text().splitlines()
    first, second = (decode_verifier_key(line).raw for line in lines)
    return LogKeys(PublicKey("log", "ed25519", first), PublicKey("log", "ml-dsa-44", second))


def test_every_record_is_proved_by_its_position(exchanged: Path, tmp_path: Path) -> None:
    """The same proof stands in both files, and leads from the record to the signed root."""
    folder = exchanged / FIJI
    keys = keys_of(folder, tmp_path / "export")
    every = comity("--config", folder, "audit", "search", "--json").json["entries"]
    for one in every:
        place = one["position"]
        done = prove(folder, str(place), tmp_path / f"p{place}")
        assert (done.status, done.json["kind"]) == (Exit.DONE, one["kind"])
        bare = (tmp_path / f"p{place}.tlog-proof").read_bytes()
        whole = decode_receipt((tmp_path / f"p{place}.proof.json").read_bytes())
        assert whole.proof == bare
        leaf = leaf_hash(entry(commitment(whole.record, whole.salt)))
        proven = verify_proof(bare, leaf=leaf, origin=ORIGIN, keys=keys)
        assert (proven.index, proven.signed.checkpoint.size) == (place, len(every))


def test_a_message_is_proved_by_how_it_begins(exchanged: Path, tmp_path: Path) -> None:
    """Its own entry: what was sent or accepted."""
    folder = exchanged / FIJI
    found = comity("--config", folder, "audit", "search", "--kind", "message.accepted", "--json")
    one = found.json["entries"][0]
    done = prove(folder, one["message"][:10], tmp_path / "m")
    assert (done.json["position"], done.json["kind"]) == (one["position"], "message.accepted")


def test_a_proof_stands_under_what_a_witness_has_seen(nodes: Path, tmp_path: Path) -> None:
    """Also when the log has gone on; what came later stands under the head."""
    folder = nodes / FIJI
    size = cosign(folder, by=nodes / QUMRAN)
    comity("--config", folder, "keys", "publish")
    done = prove(folder, "1/2", tmp_path / "a")
    assert (done.json["size"], done.json["witnesses"], done.json["quorum"]) == (size, [QUMRAN], 1)
    assert b"/witness " in (tmp_path / "a.tlog-proof").read_bytes()
    later = prove(folder, str(size), tmp_path / "b")
    assert (later.json["size"], later.json["witnesses"]) == (size + 1, [])
    shown = comity("--config", folder, "audit", "prove", "2", "-o", tmp_path / "c").out
    assert f"by 1 of 1 that are asked for: {QUMRAN}" in shown


@pytest.mark.parametrize("name", ["999", "7/0", "zz", "", "-", "0x1", "9" * 40])
def test_what_is_not_there_is_not_proved(nodes: Path, tmp_path: Path, name: str) -> None:
    """And no file is written."""
    done = comity(
        "--config", nodes / FIJI, "audit", "prove", "-o", tmp_path / "p", "--json", "--", name
    )
    assert done.status is Exit.FAILED
    assert not (tmp_path / "p.tlog-proof").exists()


def test_an_erased_record_cannot_be_proved(nodes: Path, tmp_path: Path) -> None:
    """Its entry is there, and nobody can say what it was."""
    way = ("--config", nodes / FIJI, "audit", "erase", "2", "--reason", "court-order", "--yes")
    assert comity(*way).status is Exit.DONE
    done = prove(nodes / FIJI, "2", tmp_path / "p")
    assert (done.status, done.json["code"]) == (Exit.FAILED, "not-found")


def test_an_altered_record_or_tile_is_not_proved(exchanged: Path, tmp_path: Path) -> None:
    """What would not verify is not given away."""
    node = AtRest(exchanged / FIJI)
    node.tamper("UPDATE log_entries SET record = CAST(record || x'20' AS BLOB) WHERE position = 2")
    assert prove(node.folder, "2", tmp_path / "p").json["code"] == "not-authentic"
    node.tamper("UPDATE log_tiles SET hashes = substr(hashes, 1, 32)")
    assert prove(node.folder, "3", tmp_path / "p").json["code"] == "not-authentic"
