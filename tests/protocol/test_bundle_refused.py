"""What has no place in a bundle: other networks, others' cases, parts that are in no form."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from protocol.bundle import Bundle, decode_bundle
from protocol.bundle_check import BundleReport, verify_bundle
from protocol.bundle_parts import make_bundle
from protocol.encoding import Json, canonical
from protocol.errors import (
    Malformed,
    Mismatch,
    NotAuthentic,
    NotForUs,
    NotPermitted,
    Rejected,
)
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
