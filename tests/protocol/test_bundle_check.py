"""What a good bundle proves: who wrote what, who accepted it, and who has seen the log."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from node.audit.records import MessageUndelivered
from protocol.bundle_check import BundleReport, verify_bundle
from protocol.bundle_parts import encode_timestamp
from protocol.digest import sha256_hex
from protocol.encoding import Json, canonical
from protocol.errors import (
    KeyUnknown,
)
from tests.support.bundles import FIJI, QUMRAN, Story, told
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


def relinked(story: Story, *sides: str) -> Story:
    """Make the heads of these sides (of both, without any) anew."""
    story.parts["heads"] = []
    for side in sides or TWO:
        story.cosign(side)
    return story


# --- what a bundle says ----------------------------------------------------


def test_a_report_has_every_message_with_its_receipt(story: Story) -> None:
    """In the order of the file: by sender and number."""
    report = sound(story)
    assert [(one.number, one.message and one.message.kind) for one in report.lines] == [
        (1, "transmit"), (3, "acknowledge"), (2, "answer"),
    ]  # fmt: skip
    assert [one.part.record.kind for one in report.records] == ["message.sent"]
    assert all(one.standing and one.standing.since == CHECKED for one in report.lines)


def test_parts_may_be_given_in_any_order(story: Story) -> None:
    """There is one bundle of one set of parts."""
    turned = {folder: list(reversed(found)) for folder, found in story.parts.items()}
    assert story.bundle(turned).encode() == story.bundle().encode()


def test_a_bundle_with_proofs_only_has_no_word_of_a_message(story: Story) -> None:
    """An auditor who may not read the case sees who received what, and when."""
    story.parts["messages"] = []
    raw = story.bundle(proofs_only=True).encode()
    assert b"Ledgers" not in raw
    report = verify_bundle(raw)
    assert [one.number for one in report.lines if one.number] == [3, 1] or [
        one.number for one in report.lines if one.number
    ] == [1, 3]
    assert all(one.message is None and one.standing for one in report.lines)


def test_a_bundle_of_records_alone_needs_no_case(story: Story) -> None:
    """One record with its log's head is enough."""
    story.parts["messages"], story.parts["receipts"] = [], []
    report = sound(relinked(story, FIJI), case=None)
    assert (report.lines, len(report.records)) == ((), 1)
    assert report.records[0].standing.reached


def test_without_heads_nothing_is_witnessed_and_all_else_holds(story: Story) -> None:
    """A receipt binds its issuer whoever has seen the log."""
    story.parts["heads"] = []
    report = sound(story)
    assert all(one.standing and one.standing.witnesses == () for one in report.lines)
    assert not any(one.standing and one.standing.reached for one in report.lines)


def test_a_record_may_bring_its_own_words(story: Story) -> None:
    """A proof under a cosigned checkpoint is witnessed without a head."""
    book = story.books[FIJI]
    size = len(book.records)
    raw = book.cosigned([QUMRAN], at=CHECKED)
    story.parts["records"] = [book.prove(0, checkpoint=raw, size=size)]
    story.parts["heads"] = []
    assert sound(story).records[0].standing.since == CHECKED


def test_a_log_that_nobody_witnesses_is_said_to_have_no_quorum() -> None:
    """One office alone has no peers to ask."""
    alone = make_trust((FIJI, QUMRAN), stewards=1, threshold=1)
    entries = tuple(replace(one, witnesses=()) for one in alone.document.document.authorities)
    story = told(alone.with_document(now=START, authorities=entries))
    report = sound(story)
    assert {one.standing.quorum for one in report.lines if one.standing} == {0}
    assert not any(one.standing and one.standing.reached for one in report.lines)


def test_a_timestamp_is_there_and_not_judged(story: Story) -> None:
    """Its checkpoint is the log's; the token is for who has the keys of its authority."""
    book = story.books[FIJI]
    story.parts["timestamps"] = [encode_timestamp(book.checkpoint(), b"token")]
    assert len(sound(relinked(story)).timestamps) == 1


# --- what came, and what did not -------------------------------------------


def test_a_message_on_its_way_is_shown_without_a_receipt(story: Story) -> None:
    """It was signed; that it came, nobody says yet."""
    story.send(FIJI, "note", {"text": "more"})
    report = sound(story)
    assert [one.decision for one in report.lines if one.message and one.message.seq == 3] == [None]


def test_a_message_that_was_given_up_is_explained_by_skips(story: Story) -> None:
    """On the sender's side it is in the bundle, without a receipt."""
    lost = story.send(FIJI, "note", {"text": "lost"})
    story.add(FIJI, MessageUndelivered(story.trust.network, story.now, lost.identity))
    story.accept(story.send(FIJI, "note", {"text": "again"}, skips=(lost.identity,)))
    sound(relinked(story))


def test_the_recipient_has_never_had_it(story: Story) -> None:
    """Its bundle has a gap in the numbers that the next message explains."""
    lost = story.send(FIJI, "note", {"text": "lost"})
    story.parts["messages"].pop()
    story.accept(story.send(FIJI, "note", {"text": "again"}, skips=(lost.identity,)))
    sound(relinked(story))


def test_a_skipped_number_of_the_requested_side_leaves_a_gap(story: Story) -> None:
    """It was counted when it was sent, and never came."""
    lost = story.send(QUMRAN, "note", {"text": "lost"})
    story.parts["messages"].pop()
    story.accept(story.send(QUMRAN, "note", {"text": "again"}, skips=(lost.identity,)))
    assert [one.number for one in sound(relinked(story)).lines].count(5) == 1


def test_a_final_refusal_is_a_receipt_too(story: Story) -> None:
    """The log of the recipient says no, and that binds it as well."""
    late = story.send(FIJI, "note", {"text": "late"})
    body = {"kind": "message.refused", "order": None, "code": "expired"}
    story.accept(late, **body)
    report = sound(relinked(story))
    assert [one.decision.code for one in report.lines if one.decision and one.decision.code] == [
        "expired"
    ]


def test_a_manifest_is_bound_by_the_message_that_names_it(story: Story) -> None:
    """As a part of the bundle and in the body; one that differs is shown as such."""
    raw = canonical(EMPTY)
    evidence: Json = {"items": 0, "manifest": EMPTY, "sha256": sha256_hex(raw)}
    story.accept(story.send(FIJI, "note", {"evidence": evidence}))
    story.parts["manifests"] = [raw]
    wrong: Json = {"items": 4, "manifest": EMPTY, "sha256": sha256_hex(raw)}
    for body in (wrong, [1], {"manifest": 3}, {"sha256": 4, "manifest": {"items": 3}}):
        story.accept(story.send(FIJI, "note", {"evidence": body}))
    report = sound(relinked(story))
    shown = [one.evidence for one in report.lines if one.evidence is not None]
    assert shown == [True, False, False, False, False]


# --- documents -------------------------------------------------------------


def test_a_message_is_judged_by_the_document_of_its_time(trust: Trust) -> None:
    """Witnesses and logs by the newest one."""
    story = told(trust)
    later = trust.with_document(now=START + 80, expires=START + 10**6)
    story.parts["documents"] = list(later.documents)
    story.trust = later
    story.accept(story.send(FIJI, "note", {"text": "under version 2"}))
    report = sound(relinked(story))
    assert [one.version for one in report.documents] == [1, 2]


def test_an_authority_that_left_stays_bound(trust: Trust) -> None:
    """It is listed as removed, and its listing still shows its keys."""
    story = told(trust)
    entries = tuple(
        replace(one, status="removed" if one.id == QUMRAN else "active")
        for one in trust.document.document.authorities
    )
    later = trust.with_document(now=START + 80, authorities=entries)
    story.parts["documents"] = list(later.documents)
    sound(story)


def test_a_document_that_heals_a_split_goes_on_from_ours(trust: Trust) -> None:
    """Its rivals are named and need not be in the file; what was before them must be."""
    story = told(trust)
    second = trust.with_document(now=START + 80)
    rivals = tuple(sorted([second.document.digest, "ab" * 32]))
    healing = second.next_document(prev=rivals)
    story.parts["documents"] = [*second.documents, healing]
    assert [one.version for one in sound(story).documents] == [1, 2, 3]
    story.parts["documents"] = [
        *second.documents,
        second.next_document(prev=("ab" * 32, "cd" * 32)),
    ]
    with pytest.raises(KeyUnknown):
        judged(story)
