"""What was watched, as the audit sees it: cosigned heads, doubts, forks, tokens, persons."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from keys.keyfile import read_key_file
from keys.ring import KeyRing
from node.audit.fsck import Conclusion
from node.audit.records import ForkFound, TokenEnded
from node.storage import auditor_rows, notice_rows
from node.storage.writer import Tx
from protocol.checkpoint import Checkpoint, log_origin, sign_checkpoint
from protocol.digest import sha256, sha256_hex
from protocol.fork import make_fork
from tests.support.clock import ManualClock
from tests.support.exchanged import FIJI, NETWORK, QUMRAN, AtRest, audit
from tests.support.keyfiles import PASSPHRASE
from tests.support.watched import TONGA, Watched, watched


@pytest.fixture(scope="session")
def met(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """Let three authorities meet everything once."""
    return asyncio.run(watched(tmp_path_factory.mktemp("watched") / "nodes"))


@pytest.fixture
def fiji(met: Watched, tmp_path: Path) -> AtRest:
    """Give a copy of Fiji's node."""
    return met.fiji.copy(tmp_path / "fiji")


def codes(rest: AtRest) -> set[str]:
    """Give the codes of all findings."""
    return {one.code for one in audit(rest).findings}


def signed(rest: AtRest, authority: str, size: int, root: bytes) -> bytes:
    """Sign a checkpoint with a node's own log keys."""
    ring = read_key_file(rest.settings.keys.file, PASSPHRASE)
    assert isinstance(ring, KeyRing)
    ed25519, ml_dsa = ring.signers("log")
    checkpoint = Checkpoint(log_origin(NETWORK, authority, 1), size, root)
    return sign_checkpoint(checkpoint, ed25519=ed25519, ml_dsa=ml_dsa, now=1_700_000_000)


def test_everything_that_is_watched_is_counted(met: Watched) -> None:
    """What was compared is said, so that nothing of it can be left out in silence."""
    counts = audit(met.fiji).counts
    assert (counts.checkpoints, counts.witnessed, counts.notices) == (2, 2, 2)
    assert (counts.timestamps, counts.tokens, counts.persons, counts.waiting) == (1, 2, 8, 3)


async def test_all_of_it_is_read_on_either_database(tmp_path: Path, database_url: str) -> None:
    """The statements about watching say the same on SQLite and on PostgreSQL."""
    made = await watched(tmp_path / "nodes", {FIJI: database_url})
    report = audit(made.fiji)
    assert report.findings == ()
    assert (report.counts.checkpoints, report.counts.waiting) == (2, 3)


def test_a_witness_that_was_set_back_is_found_by_its_receipts(met: Watched, fiji: AtRest) -> None:
    """A receipt on a state that this node does not remember was counted, and then forgotten."""
    small = signed(met.qumran, QUMRAN, 3, sha256(b"small"))
    where = f"WHERE origin LIKE '%{QUMRAN}%'"
    fiji.tamper(
        f"UPDATE witnessed SET size = 3, root = x'{sha256(b'small').hex()}',"  # noqa: S608  (our own values)
        f" raw = x'{small.hex()}' {where}"
    )
    assert codes(fiji) == {"witnessed-not-cosigned", "receipt-unwitnessed"}


def test_a_witness_that_forgot_a_log_is_missed(fiji: AtRest) -> None:
    """Whoever deletes what was cosigned leaves receipts that rest on nothing."""
    fiji.tamper(f"DELETE FROM witnessed WHERE origin LIKE '%{QUMRAN}%'")  # noqa: S608  (our own name)
    report = audit(fiji)
    assert {one.code for one in report.findings} == {"witnessed-missing"}
    assert report.conclusion is Conclusion.UNDECIDED


def test_a_node_that_never_watched_a_log_is_not_accused(fiji: AtRest) -> None:
    """An older release has counted receipts and cosigned nothing."""
    fiji.tamper("DELETE FROM witnessed", "DELETE FROM unproven")
    assert audit(fiji).findings == ()


def test_what_is_unproven_is_no_finding(met: Watched, fiji: AtRest) -> None:
    """A receipt on a head that nobody has shown yet counts, and the doubt is kept."""
    head = met.qumran.select("SELECT hex(checkpoint), size, hex(root) FROM log_head")[0]
    fiji.tamper(f"DELETE FROM witnessed WHERE origin LIKE '%{QUMRAN}%'")  # noqa: S608  (our own name)
    values = f"'{log_origin(NETWORK, QUMRAN, 1)}', {head[1]}, x'{head[2]}', x'{head[0]}', 1"
    fiji.tamper(f"INSERT INTO unproven VALUES ({values})")  # noqa: S608  (our own values)
    assert audit(fiji).findings == ()


def test_a_proof_that_our_own_log_forked_is_the_worst_finding(met: Watched, fiji: AtRest) -> None:
    """Whoever brought it: a log that has signed two histories is not sound."""
    node = fiji.open(ManualClock(met.now + 1))
    proof = make_fork(
        signed(fiji, FIJI, 9, sha256(b"one")), signed(fiji, FIJI, 9, sha256(b"other"))
    )

    def keep(tx: Tx) -> None:
        notice = notice_rows.Notice(sha256_hex(proof), node.log.origin, proof, tx.now)
        notice_rows.insert_notice(tx.conn, "fork", notice)
        tx.record(ForkFound(NETWORK, tx.now, notice.origin, notice.digest))

    node.writer.write_now(keep)
    node.close()
    assert codes(fiji) == {"log-forked"}


def test_a_cosignature_of_a_stranger_is_found(met: Watched, fiji: AtRest) -> None:
    """Every line on a checkpoint of ours belongs to a witness of the network, or lies."""
    (raw,) = fiji.select("SELECT hex(raw) FROM checkpoints LIMIT 1")[0]
    assert isinstance(raw, str)
    changed = bytes.fromhex(raw).replace(TONGA.encode(), b"tx.justice")
    assert changed != bytes.fromhex(raw)
    fiji.tamper(f"UPDATE checkpoints SET raw = x'{changed.hex()}' WHERE raw = x'{raw}'")  # noqa: S608  (our own values)
    found = codes(fiji)
    assert found >= {"witness-keys-missing", "columns-altered"}


def test_who_acted_is_known_or_said_not_to_be(fiji: AtRest) -> None:
    """A record whose person was removed stays true, and silent about who it was."""
    fiji.tamper("DELETE FROM persons")
    report = audit(fiji)
    assert report.conclusion is Conclusion.UNDECIDED
    assert {one.code for one in report.findings} == {"person-unknown"}
    assert all(one.place.startswith(("entry ", "user ")) for one in report.findings)


def test_a_token_that_was_ended_must_not_come_back(met: Watched, fiji: AtRest) -> None:
    """Whoever puts a row back lets somebody read who may not any more."""
    kept = fiji.select("SELECT digest, name, created, expires FROM auditor_tokens LIMIT 1")[0]
    node = fiji.open(ManualClock(met.now + 1))

    def end(tx: Tx) -> None:
        auditor_rows.delete_token(tx.conn, str(kept[1]))
        tx.record(TokenEnded(NETWORK, tx.now, str(kept[0])))

    node.writer.write_now(end)
    node.close()
    assert audit(fiji).findings == ()
    fiji.tamper(f"INSERT INTO auditor_tokens VALUES {kept!r}")  # noqa: S608  (our own values)
    assert codes(fiji) == {"token-restored"}
