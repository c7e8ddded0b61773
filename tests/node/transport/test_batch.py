"""The bodies: one form each, and refusals for everything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.transport import batch
from node.transport.batch import Answers, Batch, Notices, Pending, Receipted, Refused
from protocol.errors import Busy, Malformed, Misuse, Rejected, TooLarge
from protocol.limits import (
    ANSWERS_MAX,
    BATCH_BYTES_MAX,
    BATCH_ENVELOPES_MAX,
    CONTINUATION_BYTES_MAX,
    NOTE_BYTES_MAX,
    NOTICE_BYTES_MAX,
    NOTICES_MAX,
)

A, B, C = "a" * 64, "b" * 64, "c" * 64
ANSWERS = Answers(
    (
        Receipted(A, b"receipt"),
        Refused(B, "key-unknown"),
        Refused(B, "expired", b"proof"),
        Pending(C),
    ),
    seen=b"a note",
    log=b"a continuation",
)

digests = st.text("0123456789abcdef", min_size=64, max_size=64)
answers = st.one_of(
    st.builds(Receipted, digests, st.binary(max_size=99)),
    st.builds(Refused, digests, st.from_regex(r"\A[a-z-]{1,32}\Z"),
              st.none() | st.binary(max_size=99)),
    st.builds(Pending, digests),
)  # fmt: skip
batches = st.builds(
    Batch,
    st.builds(
        Answers,
        st.lists(answers, max_size=4).map(tuple),
        st.none() | st.binary(max_size=99),
        st.none() | st.binary(max_size=99),
    ),
    st.lists(st.binary(min_size=1, max_size=300), max_size=6).map(tuple),
)


@given(batches)
def test_a_batch_comes_back_as_it_went(value: Batch) -> None:
    """Encoding and decoding are inverse, and the encoding is the only one."""
    raw = value.encode()
    assert batch.decode_batch(raw) == value
    assert batch.decode_batch(raw).encode() == raw


def test_the_bytes_of_a_batch_are_those_of_the_specification() -> None:
    """A length and its part, the answers first."""
    raw = Batch(Answers((Pending(A),), b"s"), (b"xy",)).encode()
    document = b'{"answers":[{"envelope":"' + A.encode() + b'","pending":true}],'
    document += b'"log":null,"seen":"cw==","v":1}'
    assert raw == len(document).to_bytes(4) + document + b"\0\0\0\2xy"


def test_a_batch_cut_anywhere_is_refused_or_shorter() -> None:
    """No truncation decodes, but where it falls between two envelopes."""
    whole = Batch(ANSWERS, (b"first", b"second", b"x" * 70))
    raw = whole.encode()
    shorter = {len(Batch(ANSWERS, whole.envelopes[:n]).encode()): n for n in range(3)}
    for end in range(len(raw)):
        if end in shorter:
            assert batch.decode_batch(raw[:end]).envelopes == whole.envelopes[: shorter[end]]
            continue
        with pytest.raises(Rejected):
            batch.decode_batch(raw[:end])


@given(st.binary(max_size=400))
def test_any_bytes_give_a_value_or_a_refusal(raw: bytes) -> None:
    """Every decoder of this module is total."""
    decoders = (batch.decode_batch, batch.decode_answers, batch.decode_documents,
                batch.decode_listings, batch.decode_refusal, batch.decode_notices,
                batch.decode_known)  # fmt: skip
    for decoder in decoders:
        try:
            decoder(raw)
        except Rejected:
            continue


def test_the_counts_and_sizes_of_a_batch_are_bounded() -> None:
    """64 envelopes and 8 MiB pass, one more does not, on either side."""
    most = Batch(envelopes=(b"x",) * BATCH_ENVELOPES_MAX)
    assert batch.decode_batch(most.encode()) == most
    with pytest.raises(TooLarge):
        batch.decode_batch(most.encode() + b"\0\0\0\1x")
    with pytest.raises(Misuse):
        Batch(envelopes=(b"x",) * (BATCH_ENVELOPES_MAX + 1)).encode()
    room = BATCH_BYTES_MAX - len(Batch().encode()) - 4
    largest = Batch(envelopes=(b"x" * room,)).encode()
    assert len(largest) == BATCH_BYTES_MAX
    batch.decode_batch(largest)
    with pytest.raises(TooLarge):
        batch.decode_batch(largest + b"x")
    with pytest.raises(Misuse):
        Batch(envelopes=(b"x" * (room + 1),)).encode()
    with pytest.raises(Misuse):
        Batch(envelopes=(b"",)).encode()
    with pytest.raises(Misuse):
        Answers((Pending(A),) * (ANSWERS_MAX + 1)).encode()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0\0\0\0",
        Batch().encode() + b"\0\0\0\0",
        Batch().encode() + b"\0\0\0\2x",
        Batch().encode() + b"\xff\xff\xff\xffx",
        Batch().encode() + b"\0\0\0",
    ],
)
def test_a_part_that_is_empty_or_too_long_is_refused(raw: bytes) -> None:
    """A length must be followed by exactly that many bytes, at least one."""
    with pytest.raises(Malformed):
        batch.decode_batch(raw)


def test_a_post_needs_an_envelope() -> None:
    """What is posted holds at least one envelope; what is pulled may hold none."""
    assert batch.decode_batch(Batch().encode()) == Batch()
    with pytest.raises(Malformed):
        batch.decode_batch(Batch().encode(), envelopes_min=1)


@pytest.mark.parametrize(
    "item",
    [
        "{}",
        f'{{"envelope":"{A}"}}',
        f'{{"envelope":"{A}","pending":false}}',
        f'{{"envelope":"{A}","pending":1}}',
        f'{{"envelope":"{A}","pending":true,"receipt":""}}',
        f'{{"envelope":"{A}","refusal":"expired"}}',
        f'{{"envelope":"{A}","proof":null,"refusal":"Expired"}}',
        f'{{"envelope":"{A}","proof":null,"refusal":""}}',
        f'{{"envelope":"{A}","proof":1,"refusal":"expired"}}',
        f'{{"envelope":"{A}","receipt":"QQ"}}',
        f'{{"envelope":"{A.upper()}","pending":true}}',
        f'{{"envelope":"{A}","pending":true,"x":0}}',
    ],
)
def test_an_answer_has_one_of_three_forms(item: str) -> None:
    """Anything missing, besides or of another type is refused."""
    with pytest.raises(Malformed):
        batch.decode_answers(f'{{"answers":[{item}],"log":null,"seen":null,"v":1}}'.encode())


def test_an_unknown_word_of_a_newer_peer_is_kept() -> None:
    """A refusal code that is not in our list is kept as it is."""
    word = Answers((Refused(A, "word-of-tomorrow"),))
    (kept,) = batch.decode_answers(word.encode()).answers
    assert kept == Refused(A, "word-of-tomorrow")


def test_documents_and_listings_come_back_as_they_went() -> None:
    """The bytes of signed statements are carried unchanged."""
    assert batch.decode_documents(batch.encode_documents([b"1", b"2"])) == (b"1", b"2")
    raw = batch.encode_listings([b"1"], [b"2", b"3"])
    assert batch.decode_listings(raw) == ((b"1",), (b"2", b"3"))
    assert batch.decode_refusal(batch.encode_refusal(Busy("why"))) == "busy"


def test_notices_and_what_is_known_of_them_come_back_as_they_went() -> None:
    """64 of a kind pass, one more does not, on either side; so for the digests of both."""
    most = Notices((b"closure",) * NOTICES_MAX, (b"fork",) * NOTICES_MAX)
    assert batch.decode_notices(most.encode()) == most
    with pytest.raises(Misuse):
        Notices(forks=(b"fork",) * (NOTICES_MAX + 1)).encode()
    with pytest.raises(Misuse):
        Notices(forks=(bytes(NOTICE_BYTES_MAX),) * 30).encode()
    item = b'"Zm9yaw==",' * NOTICES_MAX + b'"Zm9yaw=="'
    with pytest.raises(TooLarge):
        batch.decode_notices(b'{"closures":[],"forks":[' + item + b'],"v":1}')
    known = (A, B) * NOTICES_MAX
    assert batch.decode_known(batch.encode_known(known)) == known
    with pytest.raises(TooLarge):
        batch.decode_known(batch.encode_known((*known, C)))
    with pytest.raises(Malformed):
        batch.decode_known(batch.encode_known(["not a digest"]))


def test_seen_and_log_are_bounded_as_what_they_hold() -> None:
    """A note and a continuation, and not a byte more; an answer without the fields is none."""
    largest = Answers((), bytes(NOTE_BYTES_MAX), bytes(CONTINUATION_BYTES_MAX))
    assert batch.decode_answers(largest.encode()) == largest
    for wrong in (
        Answers(seen=bytes(NOTE_BYTES_MAX + 1)), Answers(log=bytes(CONTINUATION_BYTES_MAX + 1)),
    ):  # fmt: skip
        with pytest.raises(Malformed):
            batch.decode_answers(wrong.encode())
    for text in ('{"answers":[],"v":1}', '{"answers":[],"log":null,"seen":0,"v":1}'):
        with pytest.raises(Malformed):
            batch.decode_answers(text.encode())
