"""What a good bundle proves: skips, revoked keys, closed and forked logs, earlier documents."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from node.audit.records import MessageUndelivered
from protocol.bundle import Bundle, decode_bundle
from protocol.bundle_check import BundleReport, verify_bundle
from protocol.bundle_parts import encode_timestamp, make_bundle
from protocol.checkpoint import Checkpoint, sign_checkpoint
from protocol.digest import sha256_hex
from protocol.encoding import Json, canonical
from protocol.errors import (
    KeyUnknown,
    Malformed,
    Mismatch,
    NotAuthentic,
    NotForUs,
    NotPermitted,
    Rejected,
)
from protocol.fork import make_fork
from protocol.network import sign_document
from protocol.receipt import decode_receipt
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


# --- what contradicts itself -----------------------------------------------


def _another_network(story: Story) -> None:
    other = make_trust(TWO, stewards=1, threshold=1, network="atlantic")
    story.parts["documents"] = list(other.documents)


def _closure_elsewhere(story: Story) -> None:
    other = make_trust(TWO, stewards=1, threshold=1, network="atlantic")
    story.parts["closures"] = [other.closure(FIJI, 1, bytes(32))]


def _closure_of_nobody(story: Story) -> None:
    other = make_trust((FIJI, "ws.justice"), stewards=1, threshold=1)
    story.parts["closures"] = [other.closure("ws.justice", 1, bytes(32))]


def _receipt_to_oneself(story: Story) -> None:
    raw = story.parts["receipts"][0]
    record = json.loads(decode_receipt(raw).record)
    book = story.books[QUMRAN]
    index = book.append(canonical({**record, "from": QUMRAN, "order": None}))
    story.parts["receipts"] = [book.prove(index)]
    story.parts["messages"], story.parts["heads"], story.parts["records"] = [], [], []


def _keys_in_another_order(story: Story) -> None:
    entries = tuple(
        replace(one, logs=tuple(replace(log, key_ids=log.key_ids[::-1]) for log in one.logs))
        for one in story.trust.document.document.authorities
    )
    document = replace(story.trust.document.document, authorities=entries)
    story.parts["documents"] = [sign_document(document, story.trust.steward_pairs).encode()]


def _word_after_the_term_of_the_keys(story: Story) -> None:
    entries = tuple(
        replace(one, witness=tuple(replace(term, until=START + 90) for term in one.witness))
        for one in story.trust.document.document.authorities
    )
    later = story.trust.with_document(now=START + 80, authorities=entries)
    story.parts["documents"] = list(later.documents)


def _record_elsewhere(story: Story) -> None:
    book = story.books[FIJI]
    index = book.append(canonical({"v": 1, "network": "atlantic", "kind": "log.opened", "at": 1}))
    story.record(FIJI, index)


def _log_elsewhere(story: Story) -> None:
    stranger = make_trust(TWO, stewards=1, threshold=1, network="atlantic")
    book = Book(stranger, FIJI)
    book.append(canonical({"v": 1, "network": "pacific", "kind": "log.opened", "at": 1}))
    story.parts["records"].append(book.prove(0))


def _log_of_nobody(story: Story) -> None:
    stranger = make_trust((FIJI, "ws.justice"), stewards=1, threshold=1)
    book = Book(stranger, "ws.justice")
    book.append(canonical({"v": 1, "network": "pacific", "kind": "log.opened", "at": 1}))
    story.parts["records"].append(book.prove(0))


def _message_elsewhere(story: Story) -> None:
    story.send(FIJI, "note", {}, network="atlantic")


def _message_to_a_third(story: Story) -> None:
    story.send(FIJI, "note", {}, recipient="ws.justice")


def _message_of_nobody(story: Story) -> None:
    third = make_trust((FIJI, "ws.justice"), stewards=1, threshold=1)
    other = Story(third, requesting=FIJI, requested="ws.justice")
    for folder in ("messages", "receipts", "records", "heads"):
        story.parts[folder] = []
    other.send("ws.justice", "note", {})
    story.parts["messages"] = other.parts["messages"]


@pytest.mark.parametrize(
    ("spoil", "refusal"),
    [
        (_another_network, NotForUs), (_closure_elsewhere, NotForUs),
        (_closure_of_nobody, NotAuthentic), (_keys_in_another_order, NotAuthentic),
        (_word_after_the_term_of_the_keys, NotAuthentic),
        (_record_elsewhere, NotForUs), (_log_elsewhere, NotForUs), (_log_of_nobody, NotPermitted),
        (_message_elsewhere, NotForUs), (_message_to_a_third, Mismatch),
        (_message_of_nobody, NotAuthentic),
    ],
)  # fmt: skip
def test_what_belongs_to_another_network_or_to_nobody_is_refused(
    story: Story, spoil: Callable[[Story], None], refusal: type[Rejected]
) -> None:
    """Each part names the network of the bundle, and authorities that are in it."""
    spoil(story)
    with pytest.raises(refusal):
        judged(story)


def test_receipts_between_others_are_refused_with_proofs_only(story: Story) -> None:
    """All are of the case's two sides, one of them its opener."""
    story.parts["messages"], story.parts["heads"] = [], []
    spoilt = replace(story, parts={**story.parts})
    _receipt_to_oneself(spoilt)
    with pytest.raises(Mismatch):
        judged(spoilt, proofs_only=True)
    with pytest.raises(Mismatch):
        judged(story, proofs_only=True, case=f"ws.justice/{'c0' * 16}")


@pytest.mark.parametrize(
    ("folder", "parts"),
    [
        ("receipts", [b"{}"]), ("manifests", [b"{ }"]), ("documents", [b""]), ("heads", [b"[]"]),
        ("timestamps", [b"{}"]), ("records", [canonical({"v": 1})]),
    ],
)  # fmt: skip
def test_a_part_that_is_not_in_its_form_is_refused(
    story: Story, folder: str, parts: Sequence[bytes]
) -> None:
    """By whoever makes the bundle, and by whoever reads it."""
    with pytest.raises(Malformed):
        make_bundle(story.about(), {**story.parts, folder: parts})
    whole = decode_bundle(story.bundle().encode())
    with pytest.raises(Malformed):
        verify_bundle(Bundle(whole.about, {**whole.parts, folder: tuple(parts)}, b"").encode())
