"""Closing a log: who may, what it says, and what contradicts it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from protocol.checkpoint import Checkpoint
from protocol.closure import (
    REASONS,
    Closure,
    Reason,
    decode_closure,
    decode_closure_text,
    log_terms,
    sign_closure,
    verify_closure,
)
from protocol.document import KeyTerm, LogTerm
from protocol.errors import (
    Forked,
    Malformed,
    NotAuthentic,
    NotForUs,
    NotPermitted,
    Rejected,
    TooLarge,
)
from protocol.limits import CLOSURE_BYTES_MAX
from protocol.merkle import EMPTY_ROOT, leaf_hash
from tests.support.clock import START
from tests.support.trust import NETWORK, Trust, make_trust

OWN, PEER = "fj.justice", "qm.justice"
ROOT = leaf_hash(b"root")
CLOSURE = Closure(NETWORK, PEER, 1, 42, ROOT, "lost-state", 2, START)


@cache
def trust() -> Trust:
    """Make one network for all tests of this file: it is a value."""
    return make_trust((OWN, PEER))


@pytest.mark.parametrize("reason", REASONS)
def test_a_closure_by_the_pair_of_its_time_is_believed(reason: Reason) -> None:
    """It comes back as it was said, with the bytes that prove it."""
    closure = replace(CLOSURE, reason=reason)
    pair = trust().sign_pair(PEER)
    raw = sign_closure(closure, pair).encode()
    found = verify_closure(decode_closure(raw), trust().document.document, pair.public)
    assert (found.closure, found.raw) == (closure, raw)
    assert found.digest == decode_closure(raw).identity
    assert found.closure.origin == f"{NETWORK}/{PEER}/1"
    assert found.closure.next_origin == f"{NETWORK}/{PEER}/2"


def test_only_the_pair_that_the_document_lists_for_the_time_may() -> None:
    """Another authority's, another one's network, and a time without keys do not."""
    document = trust().document.document
    pair, other = trust().sign_pair(PEER), trust().sign_pair(OWN)
    entry = trust().directory.entry(PEER)
    late = replace(entry, sign=(KeyTerm(entry.sign[0].key_ids, START + 1, None),))
    cases: list[tuple[Any, Any, Any, type[Rejected]]] = [
        (CLOSURE, document, other, NotAuthentic),
        (CLOSURE, document.with_authority(late), pair, NotAuthentic),
        (replace(CLOSURE, network="atlantic"), document, pair, NotForUs),
        (replace(CLOSURE, authority="to.justice"), document, pair, NotPermitted),
    ]
    for closure, judged_by, signers, fault in cases:
        with pytest.raises(fault):
            verify_closure(sign_closure(closure, signers), judged_by, signers.public)


@pytest.mark.parametrize(
    "changes",
    [
        {"next_number": 1},
        {"number": 2},
        {"size": 0},
        {"root": b"short"},
        {"next_number": 1_000_000_000},
        {"authority": "No Name"},
        {"size": -1},
    ],
    ids=str,
)
def test_an_end_that_no_log_can_have_is_refused(changes: dict[str, Any]) -> None:
    """Before anything is signed, and when it is read."""
    with pytest.raises(Malformed):
        replace(CLOSURE, **changes)


def test_nothing_is_signed_that_no_reader_would_take() -> None:
    """A reason of another time is refused where it is made."""
    reason: Any = "tired"
    with pytest.raises(Malformed):
        sign_closure(replace(CLOSURE, reason=reason), trust().sign_pair(PEER))


def test_more_bytes_than_a_closure_can_need_are_not_read() -> None:
    """Before anything is parsed."""
    with pytest.raises(TooLarge):
        decode_closure(b" " * (CLOSURE_BYTES_MAX + 1))
    with pytest.raises(TooLarge):
        decode_closure_text(b" " * (CLOSURE_BYTES_MAX + 1))


def test_a_checkpoint_beyond_the_end_or_beside_it_proves_a_truncation() -> None:
    """One below it, and the end itself, do not."""
    for size, root in ((42, ROOT), (41, leaf_hash(b"anything")), (0, EMPTY_ROOT)):
        CLOSURE.require_within(Checkpoint(CLOSURE.origin, size, root))
    for size, root in ((43, ROOT), (42, leaf_hash(b"another"))):
        with pytest.raises(Forked):
            CLOSURE.require_within(Checkpoint(CLOSURE.origin, size, root))
    with pytest.raises(NotAuthentic):
        CLOSURE.require_within(Checkpoint(CLOSURE.next_origin, 43, ROOT))


def test_a_log_has_the_keys_that_are_listed_or_those_of_the_lost_one_before_it() -> None:
    """New keys are never inherited, nor are those of a log that nobody knows."""
    entry = trust().directory.entry(PEER)
    keys = entry.logs[0].key_ids
    second = replace(CLOSURE, number=2, next_number=3)
    assert log_terms(entry, [second, CLOSURE]) == {1: keys, 2: keys, 3: keys}
    assert log_terms(entry, [second]) == {1: keys}
    assert log_terms(entry, [replace(CLOSURE, reason="new-keys"), second]) == {1: keys}
    assert log_terms(entry, [replace(CLOSURE, authority=OWN)]) == {1: keys}


def test_the_lowest_of_several_closed_logs_gives_the_keys() -> None:
    """Every reader comes to the same keys, in whatever order it learned of the closures."""
    entry = trust().directory.entry(PEER)
    first, other = entry.logs[0], LogTerm(2, trust().directory.entry(OWN).logs[0].key_ids)
    both = [replace(CLOSURE, number=2, next_number=3), replace(CLOSURE, next_number=3)]
    for closures in (both, both[::-1]):
        assert log_terms(replace(entry, logs=(first, other)), closures)[3] == first.key_ids
