"""Erasure as the audit sees it: lawful where a record says so, and a finding where none does."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from node.audit.fsck import Conclusion
from node.audit.fsck.erasures import Erasures
from node.audit.fsck.report import Notes
from node.audit.records import CaseErased, RecordErased
from node.storage.tables import cases, log_entries, messages
from node.storage.writer import Tx
from tests.support.clock import ManualClock
from tests.support.exchanged import NETWORK, AtRest, Exchanged, audit


def erase(rest: AtRest, now: int, *kinds: str, receipts: bool = False) -> int:
    """Erase all records of some kinds as a node does, and record it; gives how many."""
    node = rest.open(ManualClock(now))

    def work(tx: Tx) -> int:
        chosen = log_entries.c.kind.in_(kinds)
        places = tx.conn.execute(sa.select(log_entries.c.position).where(chosen)).scalars().all()
        tx.conn.execute(sa.update(log_entries).where(chosen).values(record=None, salt=None))
        if receipts:
            tx.conn.execute(
                sa.update(messages).where(messages.c.direction == "in").values(receipt=b"")
            )
        tx.record(RecordErased(NETWORK, tx.now, 1, ",".join(map(str, sorted(places))), "court"))
        return len(places)

    try:
        return node.writer.write_now(work)
    finally:
        node.close()


def codes(rest: AtRest) -> set[str]:
    """Give the codes of all findings."""
    return {one.code for one in audit(rest).findings}


def test_an_erased_record_leaves_a_sound_log(exchanged: Exchanged, fiji: AtRest) -> None:
    """Erasing record and salt together, with a record that says so, is lawful and counted."""
    assert erase(fiji, exchanged.now, "message.sent") == 3
    report = audit(fiji)
    assert report.findings == ()
    assert report.counts.erased == 3


def test_an_erasure_that_nothing_documents_is_found(fiji: AtRest) -> None:
    """Whoever empties entries and does not say so has not erased, but removed."""
    fiji.tamper("UPDATE log_entries SET record = NULL, salt = NULL WHERE kind = 'message.sent'")
    assert codes(fiji) == {"erasure-undocumented"}


def test_an_erasure_beyond_what_is_documented_is_found(exchanged: Exchanged, fiji: AtRest) -> None:
    """A record that documents some entries covers no other."""
    erase(fiji, exchanged.now, "message.sent")
    fiji.tamper("UPDATE log_entries SET record = NULL, salt = NULL WHERE kind = 'evidence.listed'")
    assert codes(fiji) == {"erasure-undocumented"}


def test_a_record_that_came_back_is_found(exchanged: Exchanged, fiji: AtRest) -> None:
    """What the log says was erased must not be here again."""
    kept = fiji.select("SELECT position, hex(record), hex(salt) FROM log_entries")
    erase(fiji, exchanged.now, "evidence.listed")
    for position, record, salt in kept:
        fiji.tamper(
            f"UPDATE log_entries SET record = x'{record}', salt = x'{salt}'"  # noqa: S608  (our own values)
            f" WHERE position = {position}"
        )
    assert codes(fiji) == {"erasure-undone"}


def test_a_receipt_goes_with_its_record(exchanged: Exchanged, fiji: AtRest) -> None:
    """An erased record must not stay in the copy of the receipt that had it."""
    left = fiji.copy(fiji.folder.parent / "left")
    erase(left, exchanged.now, "message.accepted")
    assert codes(left) == {"erasure-incomplete"}
    erase(fiji, exchanged.now, "message.accepted", receipts=True)
    assert audit(fiji).findings == ()


def test_an_erased_first_record_leaves_it_open(exchanged: Exchanged, fiji: AtRest) -> None:
    """Whose log it is then rests on the head alone, and that is said."""
    erase(fiji, exchanged.now, "log.opened")
    report = audit(fiji)
    assert report.conclusion is Conclusion.UNDECIDED
    assert codes(fiji) == {"first-erased"}


def test_an_erased_installation_leaves_it_open(exchanged: Exchanged, fiji: AtRest) -> None:
    """A listing whose record may be the erased one is neither proved nor refuted."""
    erase(fiji, exchanged.now, "listing.installed")
    report = audit(fiji)
    assert report.conclusion is Conclusion.UNDECIDED
    assert codes(fiji) == {"trust-not-recorded"}


def test_an_erased_case_is_not_opened(exchanged: Exchanged, fiji: AtRest) -> None:
    """Where the key of a case is destroyed, and recorded, its texts are not said to be altered."""
    node = fiji.open(ManualClock(exchanged.now))

    def work(tx: Tx) -> None:
        for log_id in tx.conn.execute(sa.select(cases.c.log_id)).scalars().all():
            tx.record(CaseErased(NETWORK, tx.now, log_id, "retention is over"))
        tx.conn.execute(sa.update(cases).values(wrapped_key=b""))

    node.writer.write_now(work)
    node.close()
    report = audit(fiji)
    assert report.findings == ()
    assert report.counts.texts == 0


def test_a_case_whose_key_is_gone_without_a_word_is_found(fiji: AtRest) -> None:
    """Destroying texts is an act that the log must show."""
    fiji.tamper("UPDATE cases SET wrapped_key = x''")
    assert codes(fiji) == {"erasure-undocumented"}


@pytest.mark.parametrize(
    "entries", ["", "3,", "03", "5-5", "5-4", "3,3", "4,3", "1-5,5", "-3", "3-", "a", "1;2", "٣"]
)
def test_a_list_of_entries_has_one_form(entries: str) -> None:
    """What cannot be read as runs in their order documents nothing."""
    assert not Erasures().note_told(1, entries)


def test_runs_are_compared_across_records() -> None:
    """Several records may document one run of entries, and one record several runs."""
    erasures, notes = Erasures(), Notes()
    for position in (0, 1, 2, 3, 7, 9, 10):
        erasures.note_gone(1, position)
    for told in ("2-3", "0-1,7", "9,12"):
        assert erasures.note_told(1, told)
    erasures.compare({1: 20}, notes)
    assert [(one.code, one.place) for one in notes.findings] == [
        ("erasure-undocumented", "log 1, entry 10"),
        ("erasure-undone", "log 1, entry 12"),
    ]


def test_an_erasure_that_was_lost_with_its_log_is_not_missed() -> None:
    """Entries beyond what a closed log still holds are documented by its closing."""
    erasures, notes = Erasures(), Notes()
    assert erasures.note_told(1, "3,50-60")
    erasures.note_gone(1, 3)
    erasures.compare({1: 20}, notes)
    assert notes.findings == []
