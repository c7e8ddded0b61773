"""Bundles under keys that were revoked, and of logs that were closed or forked."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.bundle_check import BundleReport, verify_bundle
from protocol.checkpoint import Checkpoint, sign_checkpoint
from protocol.encoding import Json
from protocol.fork import make_fork
from tests.support.bundles import FIJI, QUMRAN, Book, Story, told
from tests.support.clock import START
from tests.support.trust import Trust, make_trust

TWO = (FIJI, QUMRAN)
CHECKED = START + 600  # when witnesses cosigned
EMPTY: dict[str, Json] = {"v": 1, "items": []}


@pytest.fixture(scope="module")
def trust() -> Trust:
    """Two authorities that witness each other."""
    return make_trust(TWO, stewards=1, threshold=1)


@pytest.fixture
def story(trust: Trust) -> Story:
    """A case with three messages, receipted and witnessed."""
    return told(trust)


def judged(story: Story, **about: Any) -> BundleReport:  # noqa: ANN401  (fields by name)
    """Verify the bundle of a story."""
    return verify_bundle(story.bundle(**about).encode())


def sound(story: Story, **about: Any) -> BundleReport:  # noqa: ANN401  (fields by name)
    """Verify the bundle of a story, of which nothing may be in doubt."""
    report = judged(story, **about)
    assert report.doubts == ()
    return report


# --- keys that were revoked ------------------------------------------------


def test_what_was_witnessed_before_a_key_was_revoked_stands(story: Story, trust: Trust) -> None:
    """Whoever has the key now could not have made it then."""
    for authority, purpose in ((FIJI, "sign"), (QUMRAN, "log")):
        key_id = trust.rings[authority].signers(purpose).key_ids[0]  # type: ignore[arg-type]  # a purpose
        story.parts["revocations"].append(trust.revocation(authority, purpose, key_id, at=CHECKED))
    sound(story)


def test_an_earlier_head_shows_that_a_message_is_older(story: Story, trust: Trust) -> None:
    """The newest head alone would be too late."""
    key_id = trust.sign_pair(FIJI).key_ids[0]
    story.parts["revocations"] = [trust.revocation_by_stewards(FIJI, "sign", key_id, at=CHECKED)]
    story.parts["heads"] = []
    story.cosign(QUMRAN, at=CHECKED)
    old = len(story.books[QUMRAN].records)
    story.books[QUMRAN].append(b"later")
    book = story.books[QUMRAN]
    raw = book.cosigned([FIJI], at=CHECKED + 999)
    resting = [*story.resting(book.origin), old]
    story.parts["heads"].append(book.continuation(raw, old + 1, sorted(set(resting))))
    sound(story)
    story.parts["heads"] = [book.continuation(raw, old + 1, story.resting(book.origin))]
    assert judged(story).doubts


def test_what_lies_below_the_log_size_of_a_revocation_stands(story: Story, trust: Trust) -> None:
    """The revoked authority answers for what its own log held."""
    story.parts["heads"] = []
    book = story.books[FIJI]
    story.parts["records"] = [
        book.prove(index)
        for index, (record, _) in enumerate(book.records)
        if b"message.sent" in record
    ]
    size = len(book.records)
    for purpose in ("sign", "log"):
        key_id = trust.rings[FIJI].signers(purpose).key_ids[1]
        raw = trust.revocation(FIJI, purpose, key_id, at=START, log_size=size)
        story.parts["revocations"].append(raw)
    sound(story)
    story.parts["revocations"].pop()
    key_id = trust.rings[FIJI].signers("log").key_ids[1]
    raw = trust.revocation(FIJI, "log", key_id, at=START, log_size=2)
    story.parts["revocations"].append(raw)
    assert judged(story).doubts


def test_the_word_of_a_revoked_witness_counts_for_nothing(story: Story, trust: Trust) -> None:
    """Whoever has its key can write any time under it."""
    key_id = trust.rings[FIJI].signers("witness").key_ids[0]
    story.parts["revocations"] = [trust.revocation(FIJI, "witness", key_id, at=CHECKED + 99)]
    standings = {one.decision.recipient: one.standing for one in sound(story).lines if one.decision}
    by_fiji, by_qumran = standings[QUMRAN], standings[FIJI]
    assert by_fiji is not None
    assert (by_fiji.witnesses, by_fiji.reached) == ((), False)
    assert by_qumran is not None
    assert by_qumran.witnesses == (QUMRAN,)


# --- logs that ended or forked ---------------------------------------------


def test_a_closed_log_goes_on_under_its_next_number(story: Story, trust: Trust) -> None:
    """Receipts of both logs hold, by the same keys."""
    old = story.books[QUMRAN]
    closed = trust.closure(QUMRAN, len(old.records), old.head().root, created=START + 70)
    story.parts["closures"] = [closed]
    story.books[QUMRAN] = Book(trust, QUMRAN, number=2)
    story.books[QUMRAN].append(b"opened")
    story.accept(story.send(FIJI, "note", {"text": "after"}))
    story.cosign(QUMRAN)
    sound(story)
    key_id = trust.rings[QUMRAN].signers("log").key_ids[0]
    revoked = trust.revocation(QUMRAN, "log", key_id, at=START + 80, log_size=2)
    story.parts["revocations"] = [revoked]
    sound(story)
    earlier = trust.revocation(QUMRAN, "log", key_id, at=START + 60, log_size=1)
    story.parts["revocations"] = [earlier]
    assert judged(story).doubts


def test_a_log_with_new_keys_never_takes_those_of_the_closed_one(
    story: Story, trust: Trust
) -> None:
    """Only a document says which keys are new; whoever has the old ones must not go on."""
    old = story.books[QUMRAN]
    end = {"created": START + 70, "reason": "new-keys"}
    story.parts["closures"] = [trust.closure(QUMRAN, len(old.records), old.head().root, **end)]
    story.books[QUMRAN] = Book(trust, QUMRAN, number=2)
    story.accept(story.send(FIJI, "note", {"text": "after"}))
    assert judged(story).doubts == ("nothing in the file lists the log pacific/qm.justice/2",)


def test_a_log_that_nothing_lists_is_in_doubt(story: Story, trust: Trust) -> None:
    """A number that no document and no closure gives."""
    story.books[QUMRAN] = Book(trust, QUMRAN, number=3)
    story.accept(story.send(FIJI, "note", {"text": "after"}))
    report = judged(story)
    assert report.doubts == ("nothing in the file lists the log pacific/qm.justice/3",)
    assert [one.standing.witnesses for one in report.lines if one.standing][2] == ()


def test_a_fork_proof_is_said_and_changes_no_outcome(story: Story, trust: Trust) -> None:
    """An honest holder of receipts must be able to show both; nothing there is witnessed."""
    book = story.books[QUMRAN]
    ed25519, ml_dsa = trust.rings[QUMRAN].signers("log")
    other = Checkpoint(book.origin, len(book.records), bytes(32))
    second = sign_checkpoint(other, ed25519=ed25519, ml_dsa=ml_dsa, now=START + 99)
    story.parts["forks"] = [make_fork(book.checkpoint(), second)]
    report = sound(story)
    assert report.forked == (book.origin,)
    mine = [one.standing for one in report.lines if one.decision and one.decision.sender == FIJI]
    assert {one.reached for one in mine if one} == {False}
