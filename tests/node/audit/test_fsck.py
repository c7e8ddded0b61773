"""The audit: a sound log is sound, and whatever somebody changes in it is found.

The walk over every table and every column is beside, in `test_tamper_matrix.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from node.audit.fsck import Conclusion, Report
from node.audit.fsck.report import FINDINGS_KEPT
from node.audit.guard import read_guard
from node.audit.records import KeyRotated
from node.storage.engine import StorageFailed
from tests.support.clock import ManualClock
from tests.support.exchanged import FIJI, AtRest, Exchanged, audit, carry, exchange


def codes(report: Report) -> set[str]:
    """Give the codes of all findings."""
    return {finding.code for finding in report.findings}


def test_both_logs_of_an_exchange_are_sound(exchanged: Exchanged) -> None:
    """Nothing is found where nothing is wrong, and everything was read."""
    for node in (exchanged.fiji, exchanged.qumran):
        report = audit(node)
        assert report.findings == ()
        assert report.conclusion is Conclusion.SOUND
        assert report.not_checked == ()
        counts = report.counts
        assert counts.entries == counts.records == report.size
        assert counts.messages == counts.texts >= 3
        assert min(counts.receipts_issued, counts.receipts_held, counts.refusals) >= 1
        assert (counts.documents, counts.tiles) == (4 if node is exchanged.fiji else 3, 1)


async def test_a_log_is_sound_on_either_database(tmp_path: Path, database_url: str) -> None:
    """The audit's own statements say the same on SQLite and on PostgreSQL."""
    made = await exchange(tmp_path / "nodes", {FIJI: database_url})
    report = audit(made.fiji)
    assert report.findings == ()
    assert report.counts.receipts_held == 2


def test_what_was_not_checked_is_said(exchanged: Exchanged) -> None:
    """Without a storage key and a guard the audit goes on and says what it left out."""
    report = audit(exchanged.fiji, texts=False, guard=False)
    assert report.conclusion is Conclusion.SOUND
    assert len(report.not_checked) == 2
    assert report.counts.texts == 0


def test_the_database_is_not_written(fiji: AtRest) -> None:
    """An audit leaves every byte of the file as it was."""
    before = fiji.database_file.read_bytes()
    audit(fiji)
    assert fiji.database_file.read_bytes() == before


# --- whatever is changed is found -----------------------------------------------------------

SWAP_ENTRIES = (
    "UPDATE log_entries SET position = 1000 WHERE position = 3",
    "UPDATE log_entries SET position = 3 WHERE position = 4",
    "UPDATE log_entries SET position = 4 WHERE position = 1000",
)
FORGE_ENTRY = (
    "UPDATE log_entries SET record = (SELECT record FROM log_entries WHERE position = 1),"
    " salt = (SELECT salt FROM log_entries WHERE position = 1),"
    " commitment = (SELECT commitment FROM log_entries WHERE position = 1),"
    " kind = (SELECT kind FROM log_entries WHERE position = 1),"
    " at = (SELECT at FROM log_entries WHERE position = 1) WHERE position = 5"
)

ATTACKS: dict[str, tuple[tuple[str, ...], str]] = {
    "the columns of a record say something else": (
        ("UPDATE log_entries SET kind = 'message.sent' WHERE position = 0",), "columns-altered",
    ),
    "a record is exchanged with another and its commitment with it": (
        (FORGE_ENTRY,), "root-differs",
    ),
    "two entries change places": (SWAP_ENTRIES, "tile-differs"),
    "the last entry is cut off": (
        ("DELETE FROM log_entries WHERE position = (SELECT max(position) FROM log_entries)",),
        "entry-missing",
    ),
    "the first entry is cut off": (
        ("DELETE FROM log_entries WHERE position = 0",), "entry-missing",
    ),
    "an entry is put in that was never signed": (
        (
            ("INSERT INTO log_entries SELECT 1, position + 1000, commitment, kind, at, record, salt"
            " FROM log_entries WHERE position = 1"),
        ),
        "entries-beyond-head",
    ),
    "a tile is put in that the tree does not have": (
        ("INSERT INTO log_tiles SELECT 1, 1, 0, hashes FROM log_tiles",), "tile-extra",
    ),
    "only the salt is erased": (
        ("UPDATE log_entries SET salt = NULL WHERE position = 3",), "half-erased",
    ),
    "a message that arrived is shown as waiting": (
        ("UPDATE messages SET state = 'queued' WHERE direction = 'out' AND seq = 1",),
        "state-altered",
    ),
    "a receipt is taken away": (
        ("UPDATE messages SET receipt = NULL WHERE direction = 'in'",), "receipt-missing",
    ),
    "a proof of refusal is put in the place of a receipt": (
        (
            ("UPDATE messages SET receipt = (SELECT receipt FROM messages WHERE state = 'refused')"
            " WHERE state = 'delivered'"),
        ),
        "receipt-differs",
    ),
    "the texts of two messages are exchanged": (
        (
            ("UPDATE messages SET sealed_text = (SELECT sealed_text FROM messages WHERE"
            " direction = 'in') WHERE direction = 'out' AND seq = 1"),
        ),
        "text-altered",
    ),
    "the envelope of a message is said to be another's": (
        ("UPDATE envelopes SET identity = (SELECT min(identity) FROM messages)",),
        "envelope-unknown",
    ),
    "a message is kept as a contradiction that nobody refused": (
        (
            ("INSERT INTO contested SELECT identity, case_id, 9, 'equivocation', 1, sealed_text"
            " FROM messages WHERE direction = 'in'"),
        ),
        "refusal-missing",
    ),
    "the log of another authority lies beside this one": (
        ("INSERT INTO log_head SELECT 'pacific/xx/1', size, root, checkpoint FROM log_head",),
        "head-foreign",
    ),
    "a listing is shown that the log never recorded": (
        ("DELETE FROM listings WHERE authority = 'qm.justice'",), "trust-row-missing",
    ),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_found_by_its_name(fiji: AtRest, attack: str) -> None:
    """Each way to change the past gives the finding that says so."""
    statements, code = ATTACKS[attack]
    assert fiji.tamper(*statements) >= 1
    report = audit(fiji)
    assert report.conclusion is Conclusion.FALSE
    assert code in codes(report)


def test_the_finding_names_the_entry(fiji: AtRest) -> None:
    """Who reads a finding knows where to look."""
    fiji.tamper("UPDATE log_entries SET at = at + 1 WHERE position = 3")
    (finding,) = audit(fiji).findings
    assert (finding.code, finding.place, finding.open) == ("columns-altered", "entry 3", False)


def test_one_changed_byte_of_the_file_is_never_believed(fiji: AtRest) -> None:
    """A byte flipped inside any record of the database file is found, whatever it hits."""
    raw = fiji.database_file.read_bytes()
    (record,) = fiji.select("SELECT record FROM log_entries WHERE position = 4")[0]
    assert isinstance(record, bytes)
    start = raw.index(record)
    for at in range(start, start + len(record), 7):
        fiji.database_file.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
        assert audit(fiji, texts=False).conclusion is Conclusion.FALSE


def test_a_damaged_page_is_a_finding_and_not_a_crash(fiji: AtRest) -> None:
    """Pages of rubbish are reported; what is beside them is still read."""
    raw = bytearray(fiji.database_file.read_bytes())
    found = fiji.select("SELECT rootpage FROM sqlite_schema WHERE name = 'log_entries'")
    page = int(str(found[0][0]))
    raw[(page - 1) * 4096 : page * 4096] = bytes([0xA5]) * 4096
    fiji.database_file.write_bytes(raw)
    report = audit(fiji)
    assert report.conclusion is Conclusion.FALSE
    assert "unreadable" in codes(report)
    assert report.counts.messages > 0


def test_a_text_that_is_none_is_a_finding(fiji: AtRest) -> None:
    """Bytes that are not UTF-8 in a text column end that part and nothing else."""
    fiji.tamper("UPDATE log_entries SET kind = CAST(x'FFFE' AS TEXT) WHERE position = 2")
    assert "unreadable" in codes(audit(fiji))


def test_a_database_that_is_not_there_is_no_finding(fiji: AtRest) -> None:
    """Nothing is concluded about a log that cannot be reached."""
    fiji.database_file.unlink()
    with pytest.raises(StorageFailed):
        audit(fiji)


# --- keys, guard and forks ------------------------------------------------------------------


def test_without_the_document_nothing_is_judged(fiji: AtRest) -> None:
    """Signatures without keys are open, not false; the missing rows are false."""
    fiji.tamper("DELETE FROM network_documents", "DELETE FROM listings")
    report = audit(fiji)
    assert {"no-document", "log-keys-missing", "peer-keys-missing"} <= codes(report)
    assert all(one.open for one in report.findings if one.code != "trust-row-missing")


def test_a_guard_that_is_ahead_is_found(exchanged: Exchanged, fiji: AtRest) -> None:
    """A database restored from before is behind what was already signed."""
    clock = ManualClock(exchanged.now)
    guard = _after_more(fiji, clock)
    older = exchanged.fiji.copy(fiji.folder.parent / "restored")
    older.settings.guard.file.write_bytes(guard)
    assert codes(audit(older)) == {"behind-guard"}


def test_a_guard_of_an_earlier_state_is_consistent(exchanged: Exchanged, fiji: AtRest) -> None:
    """A crash between commit and guard leaves this, and it is sound."""
    before = fiji.settings.guard.file.read_bytes()
    _after_more(fiji, ManualClock(exchanged.now))
    fiji.settings.guard.file.write_bytes(before)
    assert audit(fiji).findings == ()


def test_a_guard_of_another_history_is_found(exchanged: Exchanged, fiji: AtRest) -> None:
    """Two histories of one log differ at the size that the guard remembers."""
    other = exchanged.fiji.copy(fiji.folder.parent / "other")
    guard = _after_more(other, ManualClock(exchanged.now + 5))
    _after_more(fiji, ManualClock(exchanged.now))
    _after_more(fiji, ManualClock(exchanged.now))
    fiji.settings.guard.file.write_bytes(guard)
    assert codes(audit(fiji)) == {"guard-differs"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda raw: b"rubbish", "guard-damaged"),
        (lambda raw: raw.replace(b"fj.justice/1\n", b"qm.justice/1\n", 1), "guard-foreign"),
        (lambda raw: raw.replace(b"A", b"B", 1), None),
    ],
)
def test_a_guard_that_was_altered_is_found(
    fiji: AtRest, change: Callable[[bytes], bytes], code: str | None
) -> None:
    """Whatever the guard's file holds instead of its checkpoint is a finding."""
    guard = fiji.settings.guard.file
    guard.write_bytes(change(read_guard(guard) or b""))
    report = audit(fiji)
    assert report.conclusion is Conclusion.FALSE
    assert code is None or code in codes(report)


async def test_a_receipt_under_another_history_is_a_fork(
    exchanged: Exchanged, tmp_path: Path
) -> None:
    """A receipt that this log signed under a root it never had proves two histories."""
    clock = ManualClock(exchanged.now)
    first = exchanged.qumran.copy(tmp_path / "first")
    second = exchanged.qumran.copy(tmp_path / "second")
    _after_more(first, ManualClock(exchanged.now + 3))  # one history has an entry more
    for rest in (first, second):
        sender = exchanged.fiji.copy(tmp_path / f"to-{rest.folder.name}").open(clock)
        recipient = rest.open(clock)
        try:
            await carry(sender, recipient)
        finally:
            sender.close()
            recipient.close()
    newest = "WHERE direction = 'in' ORDER BY log_position DESC LIMIT 1"
    (foreign,) = first.select(f"SELECT hex(receipt) FROM messages {newest}")[0]  # noqa: S608  (our own values)
    (place,) = second.select(f"SELECT log_position FROM messages {newest}")[0]  # noqa: S608  (our own values)
    second.tamper(f"UPDATE messages SET receipt = x'{foreign}' WHERE log_position = {place}")  # noqa: S608  (our own values)
    assert "log-forked" in codes(audit(second))


def test_findings_are_counted_beyond_those_kept(fiji: AtRest) -> None:
    """A log that is wrong everywhere gives a report that can still be read."""
    fiji.tamper(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)"
        " INSERT INTO log_tiles SELECT 1, 3, i, zeroblob(32) FROM n"
    )
    report = audit(fiji)
    assert (len(report.findings), report.findings_total) == (FINDINGS_KEPT, 300)


def _after_more(rest: AtRest, clock: ManualClock) -> bytes:
    """Record one thing more in a node's log; gives its new guard."""
    node = rest.open(clock)
    try:
        node.writer.write_now(
            lambda tx: tx.record(KeyRotated(node.settings.network, tx.now, "hop", "00", "01"))
        )
    finally:
        node.close()
    return rest.settings.guard.file.read_bytes()


def test_a_value_of_another_type_is_a_finding(fiji: AtRest) -> None:
    """What a damaged file holds where a number should be ends that part and nothing else."""
    for table, column in (("log_tiles", "hashes"), ("log_entries", "at"), ("messages", "log")):
        rest = fiji.copy(fiji.folder.parent / table)
        rest.tamper(
            "PRAGMA writable_schema = ON",
            f"UPDATE sqlite_schema SET sql = replace(sql, 'STRICT', '') WHERE name = '{table}'",  # noqa: S608  (a name from the schema)
        )
        rest.tamper(f"UPDATE {table} SET {column} = 'no such value'")  # noqa: S608  (names from the schema)
        assert "unreadable" in codes(audit(rest))
