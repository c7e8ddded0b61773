"""Signed notes: one form, public vectors, and every way to be out of form."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import Malformed, NotAuthentic, Rejected, TooLarge
from protocol.identity import PublicKey
from protocol.limits import NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX
from protocol.note import (
    ED25519,
    ED25519_COSIGNATURE,
    ML_DSA_44,
    Kind,
    Note,
    NoteSignature,
    VerifierKey,
    decode_note,
    decode_verifier_key,
)
from protocol.primitives import verify_signature
from tests.support.public_data import public

LINE = "— example.org/log AAAAAAE=\n"
NOTE = f"one\n\ntwo\n\n{LINE}".encode()
SIGNATURE = NoteSignature("example.org/log", bytes(4), b"\1")

# The example in C2SP's signed-note specification.
EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE_NOTE = (
    "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2O"
    "NncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()


def verified(raw: bytes, keys: list[VerifierKey]) -> list[str]:
    """Verify the plain Ed25519 lines of these keys; gives the names of those that held."""
    note = decode_note(raw)
    known = {(key.name, key.key_hash): key.raw for key in keys}
    names = []
    for line in note.signatures:
        if (line.name, line.key_hash) in known:
            key = PublicKey("log", "ed25519", known[line.name, line.key_hash])
            verify_signature(key, line.raw, note.body.encode())
            names.append(line.name)
    return names


def test_the_example_of_the_specification_holds() -> None:
    """Key and note of C2SP's example decode, encode again, and verify."""
    key = decode_verifier_key(EXAMPLE_KEY)
    assert (key.name, key.kind, key.key_hash.hex()) == ("example.com/foo", ED25519, "530d903a")
    assert key.encode() == EXAMPLE_KEY
    assert verified(EXAMPLE_NOTE, [key]) == ["example.com/foo"]


def test_a_note_is_its_text_and_its_lines() -> None:
    """The last empty line parts them; the text keeps its own empty lines."""
    note = decode_note(NOTE)
    assert note == Note("one\n\ntwo\n", (SIGNATURE,))
    assert note.encode() == NOTE
    assert decode_note(f"\n\n{LINE}".encode()).body == "\n"
    assert decode_note(f"a\n\n\n{LINE}".encode()).body == "a\n\n"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"text\n", id="no lines"),
        pytest.param(b"text\n\n", id="an empty line and no lines"),
        pytest.param(f"\n{LINE}".encode(), id="no text"),
        pytest.param(f"text\n{LINE}".encode(), id="no empty line"),
        pytest.param(NOTE[:-1], id="no last newline"),
        pytest.param(NOTE + b"\n", id="one newline more"),
        pytest.param(NOTE + b"a line\n", id="a line that is no signature"),
        pytest.param(NOTE.replace(b"\n", b"\r\n"), id="carriage returns"),
        pytest.param(NOTE.replace(b"one", b"o\tne"), id="a control character"),
        pytest.param(NOTE.replace(b"one", b"o\0ne"), id="a zero byte"),
        pytest.param(NOTE.replace(b"one", b"\xff"), id="not UTF-8"),
        pytest.param(NOTE.replace(b"one", b"\xed\xa0\x80"), id="a surrogate in UTF-8"),
        pytest.param(b"\xef\xbb\xbf" + EXAMPLE_NOTE[:-1], id="a byte order mark and a cut"),
        pytest.param(NOTE.replace("—".encode(), b"-"), id="a hyphen for the dash"),
        pytest.param(NOTE.replace("— ".encode(), "—".encode()), id="no space after the dash"),
        pytest.param(NOTE.replace(b"example.org/log", b""), id="no name"),
        pytest.param(NOTE.replace(b"example.org/log", b"a+b"), id="a plus in the name"),
        pytest.param(NOTE.replace(b"org/log", "org\u00a0log".encode()), id="a wide space in it"),
        pytest.param(NOTE.replace(b"AAAAAAE=", b"AAAA AAE="), id="a space in the base64"),
        pytest.param(NOTE.replace(b"AAAAAAE=", b"AAAAAAE"), id="no padding"),
        pytest.param(NOTE.replace(b"AAAAAAE=", b"AAAAAAF="), id="stray bits in the base64"),
        pytest.param(NOTE.replace(b"AAAAAAE=", b"AAAAAAE= "), id="a space at the end"),
        pytest.param(NOTE.replace(b"AAAAAAE=", b"AAAAAA=="), id="a mark and no signature"),
        pytest.param(NOTE.replace(b"AAAAAAE=", b"AAAA"), id="less than a mark"),
    ],
)
def test_anything_out_of_form_is_malformed(raw: bytes) -> None:
    """There is one form, and each of these is not it."""
    with pytest.raises(Malformed):
        decode_note(raw)


def test_a_note_cut_anywhere_is_refused() -> None:
    """No prefix of this note is a note."""
    for end in range(len(EXAMPLE_NOTE)):
        with pytest.raises(Malformed):
            decode_note(EXAMPLE_NOTE[:end])


def test_the_longest_note_is_read_and_one_byte_more_is_not() -> None:
    """The cap is counted in bytes, before anything is parsed."""
    longest = b"a" * (NOTE_BYTES_MAX - len(LINE.encode()) - 2) + b"\n\n" + LINE.encode()
    assert decode_note(longest).encode() == longest
    with pytest.raises(TooLarge):
        decode_note(b"a" + longest)
    with pytest.raises(TooLarge):
        Note("a" * NOTE_BYTES_MAX + "\n", (SIGNATURE,)).encode()


def test_the_lines_of_a_note_are_counted() -> None:
    """As many lines as the limit allows are read, one more is not."""
    assert len(decode_note(b"a\n\n" + LINE.encode() * NOTE_SIGNATURES_MAX).signatures) == 64
    with pytest.raises(TooLarge):
        decode_note(b"a\n\n" + LINE.encode() * (NOTE_SIGNATURES_MAX + 1))
    with pytest.raises(TooLarge):
        Note("a\n", (SIGNATURE,) * (NOTE_SIGNATURES_MAX + 1))


@pytest.mark.parametrize("body", ["", "a", "a\0\n", "\ud800\n", "a\rb\n"])
def test_a_text_that_no_note_can_hold_is_refused_when_made(body: str) -> None:
    """What could not be decoded again cannot be encoded either."""
    with pytest.raises(Malformed):
        Note(body, (SIGNATURE,))


def test_a_line_that_no_note_can_hold_is_refused_when_made() -> None:
    """A name, a mark and a signature are in their form from the start."""
    for name in ("", "a b", "a+b", "a\u2003b", "a\0b", "\ud800", "a\nb"):
        with pytest.raises(Malformed):
            NoteSignature(name, bytes(4), b"\1")
    for mark, raw in ((bytes(3), b"\1"), (bytes(5), b"\1"), (bytes(4), b"")):
        with pytest.raises(Malformed):
            NoteSignature("a", mark, raw)
    with pytest.raises(Malformed):
        Note("a\n", ())


def test_one_public_key_has_another_mark_in_every_kind_and_under_every_name() -> None:
    """Name and kind are inside the mark, so lines of one key are never mixed up."""
    keys = {
        VerifierKey(name, kind, bytes(32)).key_hash
        for name in ("a", "b")
        for kind in (ED25519, ED25519_COSIGNATURE)
    }
    assert len(keys) == 4
    assert VerifierKey("a", ML_DSA_44, bytes(1_312)).key_hash not in keys


@pytest.mark.parametrize("kind", [ED25519, ED25519_COSIGNATURE, ML_DSA_44])
def test_a_verifier_key_survives_its_encoding(kind: Kind) -> None:
    """Each kind decodes to what was encoded, also with a plus inside the base64."""
    size = 1_312 if kind == ML_DSA_44 else 32
    raw = b"\0\0" + b"\xfb\xef\xbe" * 10 + bytes(size - 32)  # each three are "++++"
    text = VerifierKey("a/b", kind, raw).encode()
    assert "+" in text.split("+", 2)[2]
    assert decode_verifier_key(text).encode() == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a+b",
        EXAMPLE_KEY + " ",
        EXAMPLE_KEY.replace("530d903a", "530D903A"),
        EXAMPLE_KEY.replace("530d903a", "530d903b"),
        EXAMPLE_KEY.replace("530d903a", "0530d903a"),
        EXAMPLE_KEY.replace("foo", "fop"),
        EXAMPLE_KEY.replace("foo", "f o"),
        EXAMPLE_KEY.replace("example.com/foo", ""),
        EXAMPLE_KEY[:-4],
        EXAMPLE_KEY.replace("+Ae", "+Be"),
        "a+00000000+",
        "é+00000000+é",
    ],
)
def test_a_verifier_key_out_of_form_is_malformed(text: str) -> None:
    """A changed name, mark, kind or key no longer fits together."""
    with pytest.raises(Malformed):
        decode_verifier_key(text)


def test_a_verifier_key_is_capped() -> None:
    """A long text is refused unread."""
    with pytest.raises(TooLarge):
        decode_verifier_key("a" * 4_097)


@given(st.one_of(st.binary(max_size=300), st.text(max_size=100).map(lambda text: text.encode())))
def test_arbitrary_bytes_give_a_note_or_a_refusal(raw: bytes) -> None:
    """The decoder is total, above the parting line and below it."""
    for candidate in (raw, raw + b"\n\n" + LINE.encode(), b"a\n\n\xe2\x80\x94 " + raw + b"\n"):
        try:
            assert decode_note(candidate).encode() == candidate
        except Rejected:
            continue


@given(st.text(max_size=80))
def test_arbitrary_text_gives_a_verifier_key_or_a_refusal(text: str) -> None:
    """The decoder of keys is total as well."""
    for candidate in (text, f"a+00000000+{text}"):
        try:
            assert decode_verifier_key(candidate).encode() == candidate
        except Rejected:
            continue


def test_public_notes_hold() -> None:
    """Go's own notes are read, refused and verified as Go does it."""
    cases = json.loads(public("note", "note.json").read_bytes())
    keys = {name: decode_verifier_key(text) for name, text in cases["vkeys"].items()}
    for case in cases["cases"]:
        raw, known = case["note"].encode(), [keys[name] for name in case["keys"]]
        match case.get("error"):
            case "malformed note":
                with pytest.raises((Malformed, TooLarge)):
                    decode_note(raw)
            case "invalid signature":
                with pytest.raises(NotAuthentic):
                    verified(raw, known)
            case _:
                assert set(verified(raw, known)) == set(case.get("verified", []))


def test_public_bad_keys_are_refused() -> None:
    """Go's bad verifier keys are bad here too, and the private one is no public one."""
    cases = json.loads(public("note", "note.json").read_bytes())
    for text in [*cases["bad_vkeys"], *cases["skeys"].values()]:
        with pytest.raises(Malformed):
            decode_verifier_key(text)


def test_public_example_of_c2sp_is_the_one_written_here() -> None:
    """The copy of the specification's example in this file is exact."""
    example = json.loads(public("note", "c2sp-example.json").read_bytes())
    assert (example["vkey"], example["note"].encode()) == (EXAMPLE_KEY, EXAMPLE_NOTE)
    assert base64.b64encode(decode_verifier_key(EXAMPLE_KEY).raw).endswith(b"=")
