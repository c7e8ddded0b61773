"""The texts of tlog-witness: one form for what is ours, any key for what is theirs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import Malformed, TooLarge
from protocol.limits import INTEGER_MAX, NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX, WITNESS_BODY_BYTES_MAX
from protocol.merkle import leaf_hash
from protocol.note import NoteSignature
from protocol.witness_wire import (
    SIZE_TYPE,
    AddCheckpoint,
    decode_add_checkpoint,
    decode_cosignatures,
    decode_size,
    encode_add_checkpoint,
    encode_cosignatures,
    encode_size,
)
from tests.support.histories import ORIGIN, History

TRUE = History()
HEAD = TRUE.head(13)

# As in C2SP tlog-witness, with its lines of signatures shortened to one.
OF_C2SP = """old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
"""  # noqa: E501  (a line of a note)


def test_the_example_of_c2sp_is_read() -> None:
    """The origin is not one of ours; whose log it is, the witness says later."""
    found = decode_add_checkpoint(OF_C2SP.encode())
    assert (found.origin, found.old_size, found.size) == (
        "example.com/behind-the-sofa", 20852014, 20852163,
    )  # fmt: skip
    assert len(found.path) == 4
    assert found.encode() == OF_C2SP.encode()


@given(old=st.integers(0, 13), count=st.integers(0, 63))
def test_a_request_comes_back_as_it_was(old: int, count: int) -> None:
    """Whether its path holds is not asked here."""
    path = tuple(leaf_hash(bytes([at])) for at in range(count))
    raw = encode_add_checkpoint(old, path, HEAD)
    assert decode_add_checkpoint(raw) == AddCheckpoint(old, path, HEAD, ORIGIN, 13)
    assert decode_add_checkpoint(raw).encode() == raw


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"", Malformed),
        (b"old 0\n", Malformed),
        ("old 0\n\u2014\n\n".encode() + HEAD, Malformed),
        (b"old 0\n\nno note", Malformed),
        ("old 0\n\none line\n\n\u2014 a AAAAAAA=\n".encode(), Malformed),
        (encode_add_checkpoint(14, (), HEAD), Malformed),
        (encode_add_checkpoint(0, (leaf_hash(b""),) * 64, HEAD), TooLarge),
        (b" " * (WITNESS_BODY_BYTES_MAX + 1), TooLarge),
    ],
)
def test_what_is_no_request_is_refused(raw: bytes, fault: type[Exception]) -> None:
    """The vectors have more of it."""
    with pytest.raises(fault):
        decode_add_checkpoint(raw)


def test_the_lines_of_an_answer_come_back_whoever_made_them() -> None:
    """Lines of keys that nobody here knows are no fault of the others."""
    lines = (NoteSignature("witness.example/w1", b"mark", b"signed"), *TRUE.words(13))
    raw = encode_cosignatures(lines)
    assert decode_cosignatures(raw) == lines


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"", Malformed),
        (b"\xff", Malformed),
        (b"Bad Request\n", Malformed),
        (encode_cosignatures(TRUE.words(13))[:-1], Malformed),
        (encode_cosignatures(TRUE.words(13)).replace("\u2014".encode(), b"-"), Malformed),
        ("\u2014 a AAAAAAA=\n".encode() * (NOTE_SIGNATURES_MAX + 1), TooLarge),
        (b" " * (NOTE_BYTES_MAX + 1), TooLarge),
    ],
)
def test_what_is_no_line_of_a_witness_is_refused(raw: bytes, fault: type[Exception]) -> None:
    """A page in HTML, half a line, no line."""
    with pytest.raises(fault):
        decode_cosignatures(raw)


@given(st.integers(0, INTEGER_MAX))
def test_a_size_comes_back(size: int) -> None:
    """In decimal, on a line."""
    assert decode_size(encode_size(size)) == size


BAD_SIZES = ("", "\n", "5", "05\n", "-1\n", "5 \n", "5\n\n", "\xb2\n", f"{INTEGER_MAX + 1}\n")


@pytest.mark.parametrize("text", BAD_SIZES)
def test_what_is_no_size_is_refused(text: str) -> None:
    """A bare number proves nothing; one that is none says nothing either."""
    with pytest.raises(Malformed):
        decode_size(text.encode("latin-1"))
    assert SIZE_TYPE == "text/x.tlog.size"
