"""Checkpoints and cosignatures: what is signed, and every way to be cheated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import nacl.bindings
import pytest
from cryptography.hazmat.primitives.asymmetric import mldsa
from hypothesis import given
from hypothesis import strategies as st

from keys.pairs import signer_from_seed
from protocol.checkpoint import (
    Checkpoint,
    LogKeys,
    cosign,
    decode_body,
    log_origin,
    sign_checkpoint,
    verify_checkpoint,
    verify_cosignature,
    with_cosignatures,
    without_cosignatures,
    witness_name,
)
from protocol.errors import Malformed, Misuse, NotAuthentic, Rejected
from protocol.identity import Purpose, Signer
from protocol.limits import INTEGER_MAX, NOTE_BYTES_MAX, WITNESSES_MAX
from protocol.merkle import EMPTY_ROOT, leaf_hash
from protocol.note import Note, NoteSignature, VerifierKey, decode_note

NOW = 1_760_000_000
ORIGIN = log_origin("regional", "qm.justice", 1)
WITNESS = witness_name("regional", "zz.prosecution")
HEAD = Checkpoint(ORIGIN, 42, leaf_hash(b"root"))


def pair(purpose: Purpose, seed: bytes = b"a") -> tuple[Signer, Signer]:
    """Make the two signers of a log or a witness."""
    return (
        signer_from_seed(purpose, "ed25519", seed * 32),
        signer_from_seed(purpose, "ml-dsa-44", (seed + b"2") * 16),
    )


LOG, OTHER_LOG = pair("log"), pair("log", b"b")
WITNESSING = pair("witness", b"c")
KEYS = LogKeys(LOG[0].public, LOG[1].public)
WITNESS_KEYS = LogKeys(WITNESSING[0].public, WITNESSING[1].public)


def signed(head: Checkpoint = HEAD, by: tuple[Signer, Signer] = LOG, now: int = NOW) -> bytes:
    """Sign a checkpoint."""
    return sign_checkpoint(head, ed25519=by[0], ml_dsa=by[1], now=now)


def cosigned(
    head: Checkpoint = HEAD,
    name: str = WITNESS,
    by: tuple[Signer, Signer] = WITNESSING,
    now: int = NOW,
) -> tuple[NoteSignature, NoteSignature]:
    """Cosign a checkpoint."""
    return cosign(head, name=name, ed25519=by[0], ml_dsa=by[1], now=now)


SIGNED = signed()
COSIGNED = cosigned()


def relined(change: Callable[[tuple[NoteSignature, ...]], tuple[NoteSignature, ...]]) -> bytes:
    """Take the valid checkpoint and change its lines."""
    note = decode_note(SIGNED)
    return Note(note.body, change(note.signatures)).encode()


def test_a_signed_checkpoint_verifies() -> None:
    """What the log signed comes back whole, with its time and its exact bytes."""
    found = verify_checkpoint(SIGNED, origin=ORIGIN, keys=KEYS)
    assert (found.checkpoint, found.raw, found.time) == (HEAD, SIGNED, NOW)
    assert found.other_signatures == ()


def test_the_lines_sign_the_bytes_that_c2sp_gives() -> None:
    """Both lines hold for bytes written out here, by libraries called directly."""
    note = decode_note(SIGNED)
    plain, timed = note.signatures
    nacl.bindings.crypto_sign_open(plain.raw + note.body.encode(), KEYS.ed25519.raw)
    origin = bytes([len(ORIGIN)]) + ORIGIN.encode()
    text = b"subtree/v1\n\0" + origin + timed.raw[:8] + origin
    text += bytes(8) + bytes([0, 0, 0, 0, 0, 0, 0, 42]) + HEAD.root
    key = mldsa.MLDSA44PublicKey.from_public_bytes(KEYS.ml_dsa.raw)
    key.verify(timed.raw[8:], text)
    assert int.from_bytes(timed.raw[:8], "big") == NOW
    first = COSIGNED[0]
    text = f"cosignature/v1\ntime {NOW}\n{note.body}".encode()
    nacl.bindings.crypto_sign_open(first.raw[8:] + text, WITNESS_KEYS.ed25519.raw)


def test_the_marks_are_those_of_the_kinds() -> None:
    """A log signs with 0x01 and 0x06, a witness with 0x04 and 0x06."""
    lines = [*decode_note(SIGNED).signatures, *COSIGNED]
    keys = [
        VerifierKey(ORIGIN, 0x01, KEYS.ed25519.raw),
        VerifierKey(ORIGIN, 0x06, KEYS.ml_dsa.raw),
        VerifierKey(WITNESS, 0x04, WITNESS_KEYS.ed25519.raw),
        VerifierKey(WITNESS, 0x06, WITNESS_KEYS.ml_dsa.raw),
    ]
    assert [(line.name, line.key_hash) for line in lines] == [
        (key.name, key.key_hash) for key in keys
    ]


def named_after_another_log() -> bytes:
    """Sign the text of log 2 with lines that bear the name of log 1, as only its keys can."""
    body = replace(HEAD, origin=ORIGIN[:-1] + "2").body()
    plain, timed = decode_note(SIGNED).signatures
    name, origin = ORIGIN.encode(), ORIGIN[:-1].encode() + b"2"
    text = b"subtree/v1\n\0" + bytes([len(name)]) + name + timed.raw[:8]
    text += bytes([len(origin)]) + origin + bytes(8) + (42).to_bytes(8, "big") + HEAD.root
    plain = replace(plain, raw=LOG[0].sign(body.encode()))
    return Note(body, (plain, replace(timed, raw=timed.raw[:8] + LOG[1].sign(text)))).encode()


FORGERIES: dict[str, bytes] = {
    "the text of another log under this log's name": named_after_another_log(),
    "the Ed25519 line is stripped": relined(lambda own: own[1:]),
    "the ML-DSA line is stripped": relined(lambda own: own[:1]),
    "the lines are swapped": relined(lambda own: own[::-1]),
    "one line stands twice instead of both": relined(lambda own: own[:1] * 2),
    "the log's lines are repeated": relined(lambda own: own * 2),
    "a cosignature stands first": relined(lambda own: (COSIGNED[0], *own)),
    "a cosignature stands between": relined(lambda own: (own[0], COSIGNED[0], own[1])),
    "another log signed": signed(by=OTHER_LOG),
    "another log's Ed25519 key signed": signed(by=(OTHER_LOG[0], LOG[1])),
    "another log's ML-DSA key signed": signed(by=(LOG[0], OTHER_LOG[1])),
    "another number of the same authority": signed(replace(HEAD, origin=ORIGIN[:-1] + "2")),
    "another origin over the same lines": SIGNED.replace(b"regional/qm", b"regional/qn"),
    "another size over the same lines": SIGNED.replace(b"\n42\n", b"\n43\n"),
    "the Ed25519 line is of another checkpoint": relined(
        lambda own: (decode_note(signed(replace(HEAD, size=43))).signatures[0], own[1])
    ),
    "the ML-DSA line is of another checkpoint": relined(
        lambda own: (own[0], decode_note(signed(replace(HEAD, size=43))).signatures[1])
    ),
    "another time than was signed": relined(
        lambda own: (own[0], replace(own[1], raw=(NOW + 1).to_bytes(8, "big") + own[1].raw[8:]))
    ),
    "no time": relined(lambda own: (own[0], replace(own[1], raw=bytes(8) + own[1].raw[8:]))),
    "a time beyond all time": relined(
        lambda own: (own[0], replace(own[1], raw=b"\xff" * 8 + own[1].raw[8:]))
    ),
    "the timestamped line is cut": relined(
        lambda own: (own[0], replace(own[1], raw=own[1].raw[:-1]))
    ),
    "the timestamped line is a time only": relined(
        lambda own: (own[0], replace(own[1], raw=own[1].raw[:8]))
    ),
    "the plain line has a byte more": relined(
        lambda own: (replace(own[0], raw=own[0].raw + b"\0"), own[1])
    ),
    "the lines bear another name": relined(
        lambda own: (replace(own[0], name=WITNESS), replace(own[1], name=WITNESS))
    ),
}


@pytest.mark.parametrize("raw", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_checkpoint_is_not_authentic(raw: bytes) -> None:
    """However the lines are bent, both of the log's own must stand and hold."""
    with pytest.raises(NotAuthentic):
        verify_checkpoint(raw, origin=ORIGIN, keys=KEYS)


def test_an_ml_dsa_line_without_a_time_is_refused_even_if_it_holds() -> None:
    """C2SP lets a valid signature say time 0; it is no word on the newest tree."""
    origin = bytes([len(ORIGIN)]) + ORIGIN.encode()
    text = b"subtree/v1\n\0" + origin + bytes(8) + origin
    text += bytes(8) + (42).to_bytes(8, "big") + HEAD.root
    timeless = bytes(8) + LOG[1].sign(text)
    raw = relined(lambda own: (own[0], replace(own[1], raw=timeless)))
    with pytest.raises(NotAuthentic):
        verify_checkpoint(raw, origin=ORIGIN, keys=KEYS)


def test_a_refusal_is_not_forgotten_and_an_acceptance_is_for_its_keys_alone() -> None:
    """What was verified once is verified for these bytes, this origin and these keys."""
    verify_checkpoint(SIGNED, origin=ORIGIN, keys=KEYS)
    other = LogKeys(OTHER_LOG[0].public, OTHER_LOG[1].public)
    for keys, origin in ((other, ORIGIN), (KEYS, ORIGIN[:-1] + "2")):
        for _ in range(2):
            with pytest.raises(NotAuthentic):
                verify_checkpoint(SIGNED, origin=origin, keys=keys)


def test_a_checkpoint_cut_or_flipped_anywhere_is_refused() -> None:
    """No prefix and no changed byte of a checkpoint is one."""
    for place in range(0, len(SIGNED), 7):
        flipped = bytearray(SIGNED)
        flipped[place] ^= 1
        for raw in (SIGNED[:place], bytes(flipped)):
            with pytest.raises(Rejected):
                verify_checkpoint(raw, origin=ORIGIN, keys=KEYS)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("", id="nothing"),
        pytest.param(HEAD.body()[:-1], id="no last newline"),
        pytest.param(HEAD.body() + "extension\n", id="an extension line"),
        pytest.param(HEAD.body() + "\n", id="an empty line"),
        pytest.param("\n" + HEAD.body(), id="an empty line first"),
        pytest.param(HEAD.body().replace("42", "042"), id="a leading zero"),
        pytest.param(HEAD.body().replace("42", "+42"), id="a plus"),
        pytest.param(HEAD.body().replace("42", "-42"), id="a minus"),
        pytest.param(HEAD.body().replace("42", "4_2"), id="an underscore"),
        pytest.param(HEAD.body().replace("42", " 42"), id="a space"),
        pytest.param(HEAD.body().replace("42", "\uff14\uff12"), id="digits of another script"),
        pytest.param(HEAD.body().replace("42", ""), id="no size"),
        pytest.param(HEAD.body().replace("42", str(INTEGER_MAX + 1)), id="too large a size"),
        pytest.param(HEAD.body().replace("42", "9" * 5_000), id="far too large a size"),
        pytest.param(HEAD.body().replace("42", "0"), id="an empty log with another root"),
        pytest.param(HEAD.body().replace("=\n", "\n"), id="no padding"),
        pytest.param(f"{ORIGIN}\n42\n{'A' * 43}B\n", id="33 bytes of root"),
        pytest.param(f"{ORIGIN}\n42\n{'A' * 42}B=\n", id="stray bits in the root"),
        pytest.param(HEAD.body().replace("/1\n", "\n"), id="an origin without a number"),
        pytest.param(HEAD.body().replace("/1\n", "/01\n"), id="a number with a leading zero"),
        pytest.param(HEAD.body().replace("/1\n", "/witness\n"), id="a witness for a log"),
        pytest.param(HEAD.body().replace("qm", "QM"), id="capitals in an authority"),
        pytest.param(HEAD.body().replace("regional", "r" * 65), id="too long a network"),
        pytest.param(HEAD.body().replace("\n", "\r\n"), id="carriage returns"),
    ],
)
def test_a_body_out_of_form_is_malformed(body: str) -> None:
    """There is one form of a checkpoint's text, and each of these is not it."""
    with pytest.raises(Malformed):
        decode_body(body)


@pytest.mark.parametrize(
    "head",
    [
        HEAD,
        Checkpoint(ORIGIN, 0, EMPTY_ROOT),
        Checkpoint(ORIGIN, INTEGER_MAX, HEAD.root),
        Checkpoint(log_origin("n" * 64, "a" * 64, 999_999_999), 1, HEAD.root),
    ],
)
def test_the_smallest_and_largest_checkpoints_come_back(head: Checkpoint) -> None:
    """Bodies survive their encoding, and the signed form verifies."""
    assert decode_body(head.body()) == head
    found = verify_checkpoint(signed(head), origin=head.origin, keys=KEYS)
    assert found.checkpoint == head


@given(st.one_of(st.text(max_size=200), st.text("0123456789\n/=AaBb", max_size=120)))
def test_arbitrary_text_gives_a_checkpoint_or_a_refusal(body: str) -> None:
    """The decoder is total."""
    for candidate in (body, f"{ORIGIN}\n{body}", f"{ORIGIN}\n42\n{body}\n"):
        try:
            assert decode_body(candidate).body() == candidate
        except Rejected:
            continue


def test_a_cosignature_verifies_and_gives_its_time() -> None:
    """Both lines of the witness hold, wherever they stand among lines of others."""
    strangers = cosigned(name=witness_name("regional", "aa.fiu"), by=pair("witness", b"d"))
    lines = [*decode_note(SIGNED).signatures, *strangers, *COSIGNED]
    assert verify_cosignature(HEAD, lines, name=WITNESS, keys=WITNESS_KEYS) == NOW


LATER = cosigned(now=NOW + 1)
BAD_COSIGNATURES: dict[str, tuple[NoteSignature, ...]] = {
    "none": (),
    "Ed25519 alone": COSIGNED[:1],
    "ML-DSA alone": COSIGNED[1:],
    "the wrong order": COSIGNED[::-1],
    "both twice": COSIGNED * 2,
    "two times": (COSIGNED[0], LATER[1]),
    "of another size": cosigned(replace(HEAD, size=41)),
    "of another root": cosigned(replace(HEAD, root=EMPTY_ROOT)),
    "of another log": cosigned(replace(HEAD, origin=ORIGIN[:-1] + "2")),
    "one of another size": (COSIGNED[0], cosigned(replace(HEAD, size=41))[1]),
    "made under another name": cosigned(name=witness_name("other", "zz.prosecution")),
    "renamed": tuple(
        replace(line, name=WITNESS)
        for line in cosigned(name=witness_name("other", "zz.prosecution"))
    ),
    "borne under another name": tuple(
        replace(line, name=witness_name("other", "zz.prosecution")) for line in COSIGNED
    ),
    "by other keys": cosigned(by=pair("witness", b"d")),
    "by another Ed25519 key": cosigned(by=(pair("witness", b"d")[0], WITNESSING[1])),
    "by another ML-DSA key": cosigned(by=(WITNESSING[0], pair("witness", b"d")[1])),
    "no time": tuple(replace(line, raw=bytes(8) + line.raw[8:]) for line in COSIGNED),
    "another time": tuple(
        replace(line, raw=(NOW + 9).to_bytes(8, "big") + line.raw[8:]) for line in COSIGNED
    ),
    "cut": tuple(replace(line, raw=line.raw[:7]) for line in COSIGNED),
}


@pytest.mark.parametrize("lines", BAD_COSIGNATURES.values(), ids=BAD_COSIGNATURES.keys())
def test_a_bad_cosignature_is_not_authentic(lines: tuple[NoteSignature, ...]) -> None:
    """Only both lines of one witness, of one time, on this checkpoint are its word."""
    with pytest.raises(NotAuthentic):
        verify_cosignature(HEAD, lines, name=WITNESS, keys=WITNESS_KEYS)


def test_a_log_key_cannot_witness_by_being_the_same_bytes() -> None:
    """The log's plain line is no cosignature, even where one key had both purposes."""
    seeds = (signer_from_seed("witness", "ed25519", b"a" * 32), WITNESSING[1])
    keys = LogKeys(seeds[0].public, seeds[1].public)
    key_hash = VerifierKey(WITNESS, 0x04, seeds[0].public.raw).key_hash
    plain = decode_note(SIGNED).signatures[0]
    posing = NoteSignature(WITNESS, key_hash, NOW.to_bytes(8, "big") + plain.raw)
    with pytest.raises(NotAuthentic):
        verify_cosignature(HEAD, (posing, cosigned(by=seeds)[1]), name=WITNESS, keys=keys)


def test_cosignatures_join_a_checkpoint_in_one_order_and_once() -> None:
    """The log's lines stay first; the others have one encoding, however they came."""
    second = cosigned(name=witness_name("regional", "aa.fiu"), by=pair("witness", b"d"))
    together = with_cosignatures(SIGNED, [*COSIGNED, *second])
    assert together == with_cosignatures(SIGNED, [*second[::-1], *COSIGNED, *COSIGNED])
    assert together == with_cosignatures(with_cosignatures(SIGNED, COSIGNED), second)
    assert together == with_cosignatures(together, [])
    found = verify_checkpoint(together, origin=ORIGIN, keys=KEYS)
    assert found.other_signatures == (*second, *COSIGNED)
    assert without_cosignatures(together) == without_cosignatures(SIGNED) == SIGNED


def test_a_newer_cosignature_takes_the_place_of_an_older_one() -> None:
    """One witness has one pair of lines; the newest of those given stays."""
    for lines in ([*COSIGNED, *LATER], [*LATER, *COSIGNED]):
        found = verify_checkpoint(with_cosignatures(SIGNED, lines), origin=ORIGIN, keys=KEYS)
        assert found.other_signatures == LATER
    junk = replace(COSIGNED[0], raw=b"\xff" * 72)
    mended = with_cosignatures(relined(lambda own: (*own, junk)), COSIGNED)
    assert mended == with_cosignatures(SIGNED, COSIGNED)


def test_a_log_cannot_be_its_own_witness() -> None:
    """Lines under the log's own name do not join, and a foreign note takes none."""
    with pytest.raises(Misuse):
        with_cosignatures(SIGNED, decode_note(SIGNED).signatures)
    with pytest.raises(Malformed):
        with_cosignatures(relined(lambda own: own[:1]), COSIGNED)


def test_a_checkpoint_with_all_witnesses_and_the_longest_names_fits() -> None:
    """The cap on notes leaves room for the log and nine witnesses of 64 letters."""
    head = replace(HEAD, origin=log_origin("n" * 64, "a" * 64, 999_999_999))
    raw = signed(head)
    for number in range(WITNESSES_MAX):
        name = witness_name("n" * 64, f"{'w' * 63}{number}")
        raw = with_cosignatures(raw, cosigned(head, name, pair("witness", b"%d" % number)))
    assert len(raw) < NOTE_BYTES_MAX
    found = verify_checkpoint(raw, origin=head.origin, keys=KEYS)
    assert len(found.other_signatures) == 2 * WITNESSES_MAX


def test_names_are_made_of_ids_alone() -> None:
    """A network, an authority and a number make one name, and nothing else does."""
    assert ORIGIN == "regional/qm.justice/1"
    assert WITNESS == "regional/zz.prosecution/witness"
    for network, authority, number in (("A", "b", 1), ("a", "b/c", 1), ("a", "b", -1)):
        with pytest.raises(Malformed):
            log_origin(network, authority, number)
    with pytest.raises(Malformed):
        witness_name("a", "")


def test_wrong_keys_and_times_are_our_own_fault() -> None:
    """A key of another purpose or a missing time is `Misuse`, before anything is signed."""
    with pytest.raises(Misuse):
        signed(by=WITNESSING)
    with pytest.raises(Misuse):
        signed(by=(LOG[0], WITNESSING[1]))
    with pytest.raises(Misuse):
        signed(by=(LOG[1], LOG[0]))
    with pytest.raises(Misuse):
        signed(now=0)
    with pytest.raises(Misuse):
        cosigned(by=LOG)
    with pytest.raises(Malformed):
        cosigned(name=ORIGIN)
    with pytest.raises(Misuse):
        verify_checkpoint(SIGNED, origin=ORIGIN, keys=WITNESS_KEYS)
    with pytest.raises(Misuse):
        verify_cosignature(HEAD, COSIGNED, name=WITNESS, keys=KEYS)
