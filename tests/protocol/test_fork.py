"""Fork proofs: two histories prove themselves, one history never does."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from keys.pairs import pair_from_seeds
from protocol.continuation import Link
from protocol.errors import Misuse, NotAuthentic
from protocol.fork import Fork, decode_fork, make_fork, verify_fork
from protocol.limits import FORK_BYTES_MAX, NOTE_BYTES_MAX
from protocol.merkle import EMPTY_ROOT
from protocol.witness_wire import encode_cosignatures
from tests.support.histories import KEYS, ORIGIN, History

TRUE, FALSE = History(), History(b"false", shared=3)


def test_one_size_with_two_roots_is_a_fork_in_either_order() -> None:
    """The proof is the same, whichever checkpoint was known first."""
    raw = make_fork(TRUE.head(9), FALSE.head(9))
    found = verify_fork(raw, origin=ORIGIN, keys=KEYS)
    roots = [one.checkpoint.root for one in (found.first, found.second)]
    assert sorted(roots) == roots == sorted([TRUE.root(9), FALSE.root(9)])
    assert (found.origin, found.raw) == (ORIGIN, raw)
    turned = decode_fork(make_fork(FALSE.head(9), TRUE.head(9)))
    assert verify_fork(turned.encode(), origin=ORIGIN, keys=KEYS).first.checkpoint.root == roots[0]


@given(
    small=st.integers(1, 40), more=st.integers(1, 40), shared=st.integers(0, 39), swap=st.booleans()
)
@settings(max_examples=30)
def test_any_two_histories_prove_a_fork(small: int, more: int, shared: int, swap: bool) -> None:
    """The larger checkpoint shows another root at the size of the smaller one."""
    assume(shared < small)
    false = History(b"false", shared=shared)
    true = History(b"true", shared=shared)
    one, other = false.head(small), true.head(small + more)
    if swap:
        one, other = other, one
    raw = make_fork(one, other, true.link(small, small + more))
    found = verify_fork(raw, origin=ORIGIN, keys=KEYS)
    assert (found.first.checkpoint.size, found.second.checkpoint.size) == (small, small + more)


@given(small=st.integers(0, 40), more=st.integers(0, 40))
@settings(max_examples=30)
def test_one_history_proves_no_fork(small: int, more: int) -> None:
    """Neither by what is made here, nor by what is forged with its own path."""
    first, second = TRUE.head(small), TRUE.head(small + more)
    link = TRUE.link(small, small + more)
    with pytest.raises(Misuse):
        make_fork(first, second, link)
    for forged in (
        Fork(ORIGIN, first, second, link.root, link.path),
        Fork(ORIGIN, first, second),
        Fork(ORIGIN, first, second, FALSE.root(small), link.path),
    ):
        with pytest.raises(NotAuthentic):
            verify_fork(forged.encode(), origin=ORIGIN, keys=KEYS)


def test_nothing_is_made_of_what_is_no_fork() -> None:
    """A link of another size, none at all, and two logs are bugs of the caller."""
    smaller, larger = FALSE.head(5), TRUE.head(13)
    other = History(origin=f"{ORIGIN}2").head(13)
    for link in (None, TRUE.link(7, 13), Link(5, FALSE.root(5), TRUE.link(5, 13).path)):
        with pytest.raises(Misuse):
            make_fork(smaller, larger, link)
    with pytest.raises(Misuse):
        make_fork(other, FALSE.head(13))


def test_checkpoints_that_somebody_else_signed_accuse_no_log() -> None:
    """The proof is made without keys; they decide when it is verified."""
    strangers = pair_from_seeds("log", [b"x" * 32, b"y" * 32])
    raw = make_fork(TRUE.head(9), FALSE.head(9, by=strangers))
    with pytest.raises(NotAuthentic):
        verify_fork(raw, origin=ORIGIN, keys=KEYS)
    with pytest.raises(NotAuthentic):
        verify_fork(make_fork(TRUE.head(9), FALSE.head(9)), origin=f"{ORIGIN}2", keys=KEYS)


def test_the_word_of_a_witness_stays_with_the_proof() -> None:
    """Who cosigned one of the two can show that it did not know of the other."""
    cosigned = TRUE.head(9) + encode_cosignatures(TRUE.words(9))
    found = verify_fork(make_fork(cosigned, FALSE.head(9)), origin=ORIGIN, keys=KEYS)
    assert cosigned in (found.first.raw, found.second.raw)


def test_two_notes_of_any_length_have_room() -> None:
    """A proof may not fail because of the lines that others have added."""
    note = b"n" * NOTE_BYTES_MAX
    raw = Fork(ORIGIN, note, note, EMPTY_ROOT, (EMPTY_ROOT,) * 63).encode()
    assert len(raw) <= FORK_BYTES_MAX
