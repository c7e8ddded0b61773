"""Signatures by the one rule, and HPKE with X-Wing against published values."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from keys.pairs import signer_from_seed
from protocol.errors import Malformed, NotAuthentic
from protocol.identity import SIGNATURE_BYTES, Algorithm, PublicKey, Purpose
from protocol.primitives import (
    X_WING_ENC_BYTES,
    hpke_open,
    hpke_seal,
    seal_private,
    verify_signature,
)
from tests.support.forge import flipped
from tests.support.hpke import SUITE_ID, key_schedule
from tests.support.public_data import public

SEED = bytes(range(32))
ALGORITHMS: tuple[tuple[Purpose, Algorithm], ...] = (
    ("sign", "ed25519"), ("sign", "ml-dsa-65"), ("log", "ml-dsa-44"),
)  # fmt: skip


# --- signatures ----------------------------------------------------------------------------


@pytest.mark.parametrize(("purpose", "algorithm"), ALGORITHMS)
@given(text=st.binary(max_size=64), at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_signature_holds_for_its_text_and_key_and_no_other(
    purpose: Purpose, algorithm: Algorithm, text: bytes, at: int, bit: int
) -> None:
    """One bit of the signature, the text or the key, and it does not hold."""
    signer = signer_from_seed(purpose, algorithm, SEED)
    made = signer.sign(text)
    assert len(made) == SIGNATURE_BYTES[algorithm]
    verify_signature(signer.public, made, text)
    other = signer_from_seed(purpose, algorithm, SEED[::-1]).public
    cases = ((signer.public, flipped(made, at, bit), text), (signer.public, made, text + b"\0"),
             (other, made, text))  # fmt: skip
    for key, signature, signed in cases:
        with pytest.raises(NotAuthentic):
            verify_signature(key, signature, signed)


@pytest.mark.parametrize(("purpose", "algorithm"), ALGORITHMS)
def test_a_signature_has_one_length(purpose: Purpose, algorithm: Algorithm) -> None:
    """Shorter, longer and none are refused before anything is computed."""
    signer = signer_from_seed(purpose, algorithm, SEED)
    made = signer.sign(b"")
    for wrong in (b"", made[:-1], made + b"\0"):
        with pytest.raises(NotAuthentic):
            verify_signature(signer.public, wrong, b"")


def test_a_key_with_no_point_behind_it_verifies_nothing() -> None:
    """Thirty-two bytes that are no point of the curve."""
    key = PublicKey("sign", "ed25519", b"\x02" + bytes(31))
    with pytest.raises(NotAuthentic):
        verify_signature(key, bytes(64), b"")


def test_a_key_that_seals_does_not_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    """X-Wing has no signature, whatever length one claims."""
    monkeypatch.setitem(SIGNATURE_BYTES, "x-wing", 1)
    with pytest.raises(NotAuthentic, match="does not sign"):
        verify_signature(seal_private(SEED).public, b"\0", b"")


# --- sealing -------------------------------------------------------------------------------


@given(text=st.binary(max_size=300), bound=st.binary(max_size=40), at=st.integers(0, 2_000))
def test_what_is_sealed_opens_for_its_key_and_binding_alone(
    text: bytes, bound: bytes, at: int
) -> None:
    """Another key, another binding or one bit, and it does not open."""
    private = seal_private(SEED)
    sealed = hpke_seal(private.public, bound, text)
    assert len(sealed) == X_WING_ENC_BYTES + len(text) + 16
    assert hpke_open(private, bound, sealed) == text
    cases = ((seal_private(SEED[::-1]), bound, sealed), (private, bound + b"\0", sealed),
             (private, bound, flipped(sealed, at)), (private, bound, sealed[:-1]))  # fmt: skip
    for key, binding, raw in cases:
        with pytest.raises(NotAuthentic):
            hpke_open(key, binding, raw)


@pytest.mark.parametrize("size", [0, 1, 1_119, 1_120, 1_135])
def test_what_is_too_short_to_be_sealed_does_not_open(size: int) -> None:
    """Shorter than an encapsulated key and a tag."""
    with pytest.raises(NotAuthentic):
        hpke_open(seal_private(SEED), b"", bytes(size))


def test_two_sealings_of_one_text_differ() -> None:
    """Each has a fresh key, so nonce 0 is used once."""
    private = seal_private(SEED)
    assert hpke_seal(private.public, b"", b"x") != hpke_seal(private.public, b"", b"x")


def test_a_key_that_is_no_lattice_key_is_malformed() -> None:
    """Coefficients beyond the modulus are not reduced in silence."""
    with pytest.raises(Malformed):
        hpke_seal(PublicKey("seal", "x-wing", b"\xff" * 1_216), b"", b"x")


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_seed_has_32_bytes(size: int) -> None:
    """The expanded form is not taken for one."""
    with pytest.raises(Malformed):
        seal_private(bytes(size))


def test_a_private_key_shows_its_public_half_only() -> None:
    """Logs and tracebacks may show it."""
    private = seal_private(SEED)
    assert repr(private) == f"SealPrivate({private.public.key_id[:16]})"


# --- published values ----------------------------------------------------------------------


def _opens(seed: bytes, enc: bytes, shared_secret: bytes, public_key: bytes) -> None:
    """Seal with a published shared secret by hand, and open with our own code."""
    private = seal_private(seed)
    assert private.public.raw == public_key
    key, nonce = key_schedule(shared_secret, SUITE_ID, bound=b"bound", key_bytes=32)
    sealed = enc + AESGCM(key).encrypt(nonce, b"a text", b"")
    assert hpke_open(private, b"bound", sealed) == b"a text"


def test_the_published_x_wing_values_open() -> None:
    """Seed to key, and encapsulated key to shared secret, as in the draft."""
    cases = json.loads(public("xwing", "test-vectors.json").read_text())
    assert len(cases) == 3
    for case in cases:
        raw = {name: bytes.fromhex(value) for name, value in case.items()}
        _opens(raw["seed"], raw["ct"], raw["ss"], raw["pk"])


def test_the_published_hpke_values_open() -> None:
    """The hybrid's entries: key schedule where it is ours, and the KEM in all of them."""
    cases = [
        case
        for case in json.loads(public("xwing", "hpke-pq.json").read_text())
        if case["kem_id"] == 0x647A
    ]
    assert {case["kdf_id"] for case in cases} == {1, 17}
    for case in cases:
        raw = {name: bytes.fromhex(value) for name, value in case.items()
               if name in {"skRm", "enc", "shared_secret", "pkRm", "suite_id", "info", "key",
                           "base_nonce"}}  # fmt: skip
        _opens(raw["skRm"], raw["enc"], raw["shared_secret"], raw["pkRm"])
        if case["kdf_id"] == 1:
            made = key_schedule(
                raw["shared_secret"], raw["suite_id"], bound=raw["info"], key_bytes=32
            )
            assert made == (raw["key"], raw["base_nonce"])
