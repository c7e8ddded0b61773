"""What a log says of its own past: every link is proved, and forks come out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.continuation import (
    Continuation,
    Link,
    decode_continuation,
    encode_continuation,
    verify_continuation,
)
from protocol.errors import Forked, Malformed, NotAuthentic, Rejected, TooLarge, Unproven
from protocol.limits import CONTINUATION_BYTES_MAX, CONTINUATION_LINKS_MAX
from protocol.merkle import EMPTY_ROOT
from tests.support.histories import KEYS, NOW, ORIGIN, History

TRUE, FALSE = History(), History(b"false", shared=3)
HEAD = TRUE.head(13)
RAW = encode_continuation(HEAD, [TRUE.link(5, 13), TRUE.link(7, 13)])


def test_what_is_remembered_is_found_again() -> None:
    """A link of that size and root satisfies; the head and the empty tree need none."""
    found = verify_continuation(RAW, origin=ORIGIN, keys=KEYS)
    for size in (0, 5, 7, 13):
        found.require(size, TRUE.root(size))
    assert (found.signed.raw, found.signed.time) == (HEAD, NOW + 13)
    assert set(found.roots) == {0, 5, 7, 13}
    assert found.links[5].path == TRUE.link(5, 13).path


def test_another_root_than_is_remembered_is_a_fork() -> None:
    """Also at the size of the checkpoint itself."""
    found = verify_continuation(RAW, origin=ORIGIN, keys=KEYS)
    for size in (5, 13):
        with pytest.raises(Forked):
            found.require(size, FALSE.root(size))


def test_a_size_that_nothing_is_about_accuses_nobody() -> None:
    """No link is no fork, also beyond the checkpoint."""
    found = verify_continuation(RAW, origin=ORIGIN, keys=KEYS)
    for size in (6, 14):
        with pytest.raises(Unproven):
            found.require(size, TRUE.root(size))


def test_links_are_sorted_and_one_of_a_size_is_kept() -> None:
    """A caller collects the sizes of receipts in whatever order they came."""
    links = [TRUE.link(size, 13) for size in (7, 5, 7)]
    assert encode_continuation(HEAD, links) == RAW
    assert decode_continuation(RAW) == Continuation(HEAD, (links[1], links[0]))


def test_a_link_may_be_its_own_checkpoint() -> None:
    """A log that has not grown continues itself with an empty path."""
    raw = encode_continuation(HEAD, [Link(0, EMPTY_ROOT), Link(13, TRUE.root(13))])
    found = verify_continuation(raw, origin=ORIGIN, keys=KEYS)
    assert set(found.links) == {0, 13}


@given(
    new=st.integers(1, 90),
    sizes=st.lists(st.integers(0, 90), max_size=4),
    shared=st.integers(0, 90),
)
@settings(max_examples=30)
def test_every_link_of_a_log_holds_and_none_of_another_history(
    new: int, sizes: list[int], shared: int
) -> None:
    """Whatever the sizes: what is true verifies, and the other history's root does not."""
    known = sorted({min(size, new) for size in sizes})
    raw = encode_continuation(TRUE.head(new), [TRUE.link(size, new) for size in known])
    found = verify_continuation(raw, origin=ORIGIN, keys=KEYS)
    other = History(b"other", shared=min(shared, new))
    for size in known:
        found.require(size, TRUE.root(size))
        if size and other.root(size) != TRUE.root(size):
            wrong = Link(size, other.root(size), TRUE.link(size, new).path)
            with pytest.raises(NotAuthentic):
                verify_continuation(
                    encode_continuation(TRUE.head(new), [wrong]), origin=ORIGIN, keys=KEYS
                )


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"{}", Malformed),
        (b" " * (CONTINUATION_BYTES_MAX + 1), TooLarge),
        (encode_continuation(HEAD, [Link(at, EMPTY_ROOT) for at in range(513)]), TooLarge),
        (encode_continuation(FALSE.head(13), [TRUE.link(5, 13)]), NotAuthentic),
        (encode_continuation(HEAD, [Link(5, TRUE.root(5), (b"short",) * 5)]), Malformed),
        (Continuation(HEAD, (TRUE.link(7, 13), TRUE.link(5, 13))).encode(), Malformed),
    ],
)
def test_what_does_not_hold_is_refused_whole(raw: bytes, fault: type[Rejected]) -> None:
    """Whatever it is that is wrong; the vectors have the rest."""
    with pytest.raises(fault):
        verify_continuation(raw, origin=ORIGIN, keys=KEYS)


def test_a_link_for_each_answer_of_a_batch_has_room() -> None:
    """512 links of a log of 2^22 entries, each with a path of 22 hashes, fit the limit."""
    links = [Link(at, EMPTY_ROOT, (EMPTY_ROOT,) * 22) for at in range(CONTINUATION_LINKS_MAX)]
    assert len(encode_continuation(HEAD, links)) <= CONTINUATION_BYTES_MAX
