"""Several logs of one authority: what was closed stays verifiable, and what was lost is said.

Fiji was set back by one entry and has closed its first log where its peers had seen it; its
second one begins with that. What a peer brings back is the matter of `test_recovery.py`.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from keys.keyfile import read_key_file
from keys.ring import KeyRing
from node.app import open_node
from node.audit.fsck import ClosedLog, Conclusion
from node.audit.guard import read_guard
from node.audit.records import LogOpened
from node.clock import SystemRandom
from node.outbox import Draft
from node.recovery.install import Installer
from node.recovery.state import Begun, begin_next_log, keep_begun
from node.storage import log_rows
from node.transport.routes import Recovery
from protocol.checkpoint import Checkpoint, decode_body, log_origin, sign_checkpoint
from protocol.closure import Closure, sign_closure
from protocol.digest import sha256
from protocol.note import decode_note
from tests.support import exchanged
from tests.support.clock import ManualClock
from tests.support.exchanged import FIJI, NETWORK, AtRest, audit
from tests.support.keyfiles import PASSPHRASE
from tests.support.tampering import put_guard
from tests.support.watched import Watched, watched


@pytest.fixture(scope="session")
def met(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """Let three authorities meet everything once."""
    return asyncio.run(watched(tmp_path_factory.mktemp("watched") / "nodes"))


def seen_head(met: Watched) -> Checkpoint:
    """Give the newest state of Fiji's first log that was ever signed."""
    raw = read_guard(met.fiji.settings.guard.file)
    assert raw is not None
    return decode_body(decode_note(raw).body)


def close(met: Watched, rest: AtRest, end: Checkpoint, reason: str = "lost-state") -> None:
    """Close the first log of a node at `end`, open the second and record something there."""
    settings = rest.settings
    ring = read_key_file(settings.keys.file, PASSPHRASE)
    assert isinstance(ring, KeyRing)
    closure = Closure(NETWORK, FIJI, 1, end.size, end.root, "lost-state", 2, met.now)
    if reason != "lost-state":
        closure = replace(closure, reason="new-keys")
    raw = sign_closure(closure, ring.signers("sign")).encode()
    begun = Begun(Recovery(0, 1, met.now, None), raw, ())
    begin_next_log(settings, ring, begun, random=SystemRandom(), now=met.now)
    node = open_node(settings, ring, clock=ManualClock(met.now + 1), recovering=True)
    try:
        asyncio.run(Installer(node).open_log(begun))
        node.writer.write_now(lambda tx: keep_begun(tx.conn, None))
    finally:
        node.close()
    node = rest.open(ManualClock(met.now + 2))
    asyncio.run(exchanged.post(node, met.case, Draft("note", {"text": "in the next log"})))
    node.close()


@pytest.fixture
def closed(met: Watched, tmp_path: Path) -> AtRest:
    """Give Fiji set back by an entry, with its first log closed where it had been."""
    rest = met.before.copy(tmp_path / "closed")
    close(met, rest, seen_head(met))
    return rest


def codes(rest: AtRest) -> set[str]:
    """Give the codes of all findings."""
    return {one.code for one in audit(rest).findings}


def test_a_closed_log_and_the_next_are_sound(met: Watched, closed: AtRest) -> None:
    """Both are derived, and how much of the closed one is here is said."""
    report = audit(closed)
    assert report.findings == ()
    held = int(str(met.before.select("SELECT size FROM log_head")[0][0]))
    end = seen_head(met).size
    assert end == held + 1
    assert report.closed == (ClosedLog(log_origin(NETWORK, FIJI, 1), held, end),)
    assert report.size is not None
    assert report.counts.entries == held + report.size


def test_findings_in_a_closed_log_name_it(closed: AtRest) -> None:
    """An entry of a closed log is not mistaken for one of the open log."""
    closed.tamper("UPDATE log_entries SET at = at + 1 WHERE log = 1 AND position = 3")
    (finding,) = audit(closed).findings
    assert (finding.code, finding.place) == ("columns-altered", "log 1, entry 3")


ATTACKS: dict[str, tuple[str, str]] = {
    "the closing is taken away": (
        "DELETE FROM log_notices WHERE origin LIKE '%fj%'", "head-foreign",
    ),
    "the closed log is cut further": (
        "DELETE FROM log_entries WHERE log = 1 AND position > 20", "entry-missing",
    ),
    "the head of the closed log is taken away": (
        "DELETE FROM log_head WHERE origin LIKE '%/1'", "log-foreign",
    ),
    "the head of the open log is taken away": (
        "DELETE FROM log_head WHERE origin LIKE '%/2'", "log-closed",
    ),
    "an entry is moved into the other log": (
        "UPDATE log_entries SET log = 2, position = 900 WHERE log = 1 AND position = 9",
        "entries-beyond-head",
    ),
    "the entries of a third log are put in": (
        ("INSERT INTO log_entries SELECT 3, position, commitment, kind, at, record, salt"
         " FROM log_entries WHERE log = 1"), "log-foreign",
    ),
    "a message is said to stand in the other log": (
        "UPDATE messages SET log = 1 WHERE log = 2", "message-differs",
    ),
    "a message is said to stand in what was lost": (
        "UPDATE messages SET log = 1, log_position = 25 WHERE log = 2", "message-not-recorded",
    ),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_whoever_changes_a_closed_log_is_found(closed: AtRest, attack: str) -> None:
    """A closed log is no place to hide things in."""
    statement, code = ATTACKS[attack]
    assert closed.tamper(statement) >= 1
    report = audit(closed)
    assert report.conclusion is Conclusion.FALSE
    assert code in {one.code for one in report.findings}


def test_a_log_that_was_closed_below_what_it_signed_is_truncated(
    met: Watched, tmp_path: Path
) -> None:
    """The head that is here, and every receipt beyond the end, show that something was cut off."""
    rest = met.fiji.copy(tmp_path / "cut")
    close(met, rest, Checkpoint(log_origin(NETWORK, FIJI, 1), 12, sha256(b"another root")))
    found = codes(rest)
    assert {"log-truncated", "log-forked"} <= found


def test_a_log_that_was_closed_with_another_root_is_found(met: Watched, tmp_path: Path) -> None:
    """The end that a closing names is the root that the entries give."""
    rest, end = met.fiji.copy(tmp_path / "other"), seen_head(met)
    close(met, rest, replace(end, root=sha256(b"another root")))
    assert "log-truncated" in codes(rest)


def test_a_checkpoint_beyond_the_end_is_found(met: Watched, closed: AtRest) -> None:
    """What a witness has cosigned of a log binds it, also once it was closed."""
    (raw,) = met.fiji.select("SELECT hex(raw) FROM checkpoints ORDER BY size DESC LIMIT 1")[0]
    end = seen_head(met).size
    values = f"1, {end}, x'{raw}', 2, 1"
    closed.tamper(f"INSERT INTO checkpoints VALUES ({values})")  # noqa: S608  (our own values)
    assert audit(closed).findings == ()
    ring = read_key_file(closed.settings.keys.file, PASSPHRASE)
    assert isinstance(ring, KeyRing)
    ed25519, ml_dsa = ring.signers("log")
    beyond = Checkpoint(log_origin(NETWORK, FIJI, 1), end + 1, sha256(b"longer"))
    signed = sign_checkpoint(beyond, ed25519=ed25519, ml_dsa=ml_dsa, now=met.now)
    values = f"1, {end + 1}, x'{signed.hex()}', 0, 1"
    closed.tamper(f"INSERT INTO checkpoints VALUES ({values})")  # noqa: S608  (our own values)
    assert codes(closed) == {"log-forked"}


def test_a_guard_of_the_closed_log_is_found(met: Watched, closed: AtRest) -> None:
    """The guard remembers the log that is open, and no other."""
    before = read_guard(met.fiji.settings.guard.file)
    assert before is not None
    put_guard(closed, before)
    assert codes(closed) == {"guard-foreign"}


def test_a_log_is_opened_once(met: Watched, tmp_path: Path) -> None:
    """A record that opens a log in the middle of one is no record of anything."""
    rest = met.fiji.copy(tmp_path / "twice")
    node = rest.open(ManualClock(met.now + 1))
    origin = node.log.origin
    node.writer.write_now(lambda tx: tx.record(LogOpened(NETWORK, tx.now, origin)))
    assert node.database.read(lambda conn: log_rows.read_head(conn, origin)) is not None
    node.close()
    assert codes(rest) == {"record-misplaced"}
