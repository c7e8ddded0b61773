"""Files about a log that goes on for a closed one: what is said of them, with and without keys."""

from __future__ import annotations

import pytest

from node.audit.verify import Verdict, verify_file
from protocol.checkpoint import LogKeys, witness_name
from protocol.merkle import leaf_hash
from protocol.policy import Policy, decode_policy, encode_policy
from tests.support.bundles import FIJI, QUMRAN, Book, Story, told
from tests.support.clock import START
from tests.support.forge import flipped
from tests.support.receipt_files import file_of, receipt_of
from tests.support.trust import Trust, make_trust

CHECKED = START + 600
FIRST, SECOND = f"pacific/{QUMRAN}/1", f"pacific/{QUMRAN}/2"


@pytest.fixture(scope="module")
def trust() -> Trust:
    """Two authorities that witness each other."""
    return make_trust((FIJI, QUMRAN), stewards=1, threshold=1)


@pytest.fixture(scope="module")
def receipt_file(trust: Trust) -> bytes:
    """Make the receipt file of a log whose predecessor's state was lost."""
    after = trust.with_closure(QUMRAN, 40, leaf_hash(b"the end"), now=START)
    return file_of(after, receipt_of(after, QUMRAN, number=2))


@pytest.fixture
def story(trust: Trust) -> Story:
    """A case in which Qumran lost its state, and went on."""
    return continued(trust, "lost-state")


def continued(trust: Trust, reason: str) -> Story:
    """Give a case with receipts of a log and of the one after it."""
    story = told(trust)
    old = story.books[QUMRAN]
    end = {"created": START + 70, "reason": reason}
    story.parts["closures"] = [trust.closure(QUMRAN, len(old.records), old.head().root, **end)]
    story.books[QUMRAN] = Book(trust, QUMRAN, number=2)
    story.books[QUMRAN].append(b'{"at":1,"kind":"log.closed","network":"pacific","v":1}')
    story.accept(story.send(FIJI, "note", {"text": "after"}))
    story.cosign(QUMRAN, at=CHECKED)
    return story


def policy_of(trust: Trust, origin: str) -> Policy:
    """Give a policy for a log under Qumran's keys, with Fiji as its witness."""
    log, witness = trust.rings[QUMRAN].signers("log"), trust.rings[FIJI].signers("witness")
    named = [(witness_name(trust.network, FIJI), LogKeys(*witness.public))]
    return decode_policy(encode_policy(origin, LogKeys(*log.public), witnesses=named, quorum=1))


def test_a_receipt_file_says_that_its_log_goes_on_for_another(receipt_file: bytes) -> None:
    """The reader learns why the keys count, and where the other log ended."""
    judged = verify_file(receipt_file)
    assert judged.conclusion is Verdict.TRUE
    (said,) = (one for one in judged.statements if "was closed" in one)
    assert said.startswith(f"The log {FIRST} was closed with 40 entries at ")
    assert said.endswith(f"because its state was lost; {SECOND} goes on for it.")
    assert judged.fields["origin"] == SECOND
    assert judged.fields["closed"] == [
        {"origin": FIRST, "size": 40, "reason": "lost-state", "created": START, "next": SECOND}
    ]


def test_a_receipt_file_of_a_listed_log_says_nothing_of_the_kind(trust: Trust) -> None:
    """Nothing was closed that matters to it."""
    judged = verify_file(file_of(trust, receipt_of(trust, QUMRAN)))
    assert judged.fields["closed"] == []
    assert not any("was closed" in one for one in judged.statements)


def test_a_changed_byte_of_such_a_file_is_never_true(receipt_file: bytes) -> None:
    """Closures are as well guarded as everything else in it."""
    at, end = receipt_file.index(b'"closures"'), receipt_file.index(b'"documents"')
    for place in range(at, end, max(1, (end - at) // 80)):
        judged = verify_file(flipped(receipt_file, place, 2))
        assert judged.conclusion is not Verdict.TRUE, place


def test_a_record_of_the_next_log_is_proved_under_a_policy_that_names_it(
    trust: Trust, story: Story
) -> None:
    """The origin decides, though the keys are those of the log before it."""
    book = story.books[QUMRAN]
    raw = book.prove(0, checkpoint=book.cosigned([FIJI], at=CHECKED))
    alone = verify_file(raw)
    assert (alone.kind, alone.conclusion) == ("record", Verdict.UNDECIDED)
    assert alone.fields["origin"] == SECOND
    assert verify_file(raw, policy=policy_of(trust, SECOND)).conclusion is Verdict.TRUE
    assert verify_file(raw, policy=policy_of(trust, FIRST)).conclusion is Verdict.UNDECIDED


def test_a_bundle_says_that_a_log_was_closed(trust: Trust, story: Story) -> None:
    """Receipts and records of both logs hold in it, also under a policy for the newer one."""
    book = story.books[QUMRAN]
    story.parts["records"].append(book.prove(0, checkpoint=book.cosigned([FIJI], at=CHECKED)))
    raw = story.bundle().encode()
    for policy in (None, policy_of(trust, SECOND)):
        judged = verify_file(raw, policy=policy)
        assert judged.conclusion is Verdict.TRUE, judged
        (said,) = (one for one in judged.statements if "was closed" in one)
        assert f"{SECOND} goes on" in said
        closed = judged.fields["closed"]
        assert isinstance(closed, list)
        assert len(closed) == 1
        assert any(f"entry 0 of {SECOND}" in one for one in judged.statements)


def test_a_bundle_does_not_take_old_keys_for_new_ones(trust: Trust) -> None:
    """The log was closed for new keys, and no document lists them."""
    judged = verify_file(continued(trust, "new-keys").bundle().encode())
    assert judged.conclusion is Verdict.UNDECIDED
    assert any("because it got new keys" in one for one in judged.statements)
    assert any(SECOND in one for one in judged.not_proved)
