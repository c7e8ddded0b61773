"""Ed25519 signatures that only a hostile signer makes, by arithmetic on the curve.

    made = with_cofactor(seed, b"text")       # holds eightfold, and not as it must
    verify_signature(PublicKey("sign", "ed25519", made.key), made.signature, made.text)

Each function says which reader would take its signature. The arithmetic is libsodium's;
nothing here is for use outside tests.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import nacl.bindings as sodium

ORDER: Final = 2**252 + 27742317777372353535851937790883648493
FIELD: Final = 2**255 - 19

IDENTITY: Final = bytes([1]) + bytes(31)
ORDER_TWO: Final = (FIELD - 1).to_bytes(32, "little")
ORDER_FOUR: Final = bytes(32)
ORDER_EIGHT: Final = bytes.fromhex(
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
)
IDENTITY_NOT_CANONICAL: Final = (FIELD + 1).to_bytes(32, "little")
IDENTITY_WITH_SIGN: Final = bytes([1]) + bytes(30) + bytes([0x80])


@dataclass(frozen=True, slots=True)
class Hostile:
    """A public key, a text and a signature over it."""

    key: bytes
    text: bytes
    signature: bytes


def _scalar(number: int) -> bytes:
    return (number % ORDER).to_bytes(32, "little")


def _base(number: int) -> bytes:
    """Multiply the base point; libsodium refuses 0, which gives the identity."""
    if number % ORDER == 0:
        return IDENTITY
    return sodium.crypto_scalarmult_ed25519_base_noclamp(_scalar(number))


def _add(first: bytes, second: bytes) -> bytes:
    return sodium.crypto_core_ed25519_add(first, second)


def _challenge(commitment: bytes, key: bytes, text: bytes) -> int:
    return int.from_bytes(hashlib.sha512(commitment + key + text).digest(), "little") % ORDER


def _secret(seed: bytes) -> tuple[int, bytes]:
    digest = bytearray(hashlib.sha512(seed).digest()[:32])
    digest[0] &= 248
    digest[31] &= 127
    digest[31] |= 64
    secret = int.from_bytes(digest, "little")
    return secret, _base(secret)


def _nonce(seed: bytes, text: bytes) -> int:
    return int.from_bytes(hashlib.sha512(b"nonce" + seed + text).digest(), "little") % ORDER


def honest(seed: bytes, text: bytes) -> Hostile:
    """Give the usual signature: everybody takes it."""
    public, secret = sodium.crypto_sign_seed_keypair(seed)
    return Hostile(public, text, sodium.crypto_sign(text, secret)[:64])


def with_large_scalar(seed: bytes, text: bytes) -> Hostile:
    """Add the order to S: a second signature, for those who do not check S < L."""
    good = honest(seed, text)
    large = int.from_bytes(good.signature[32:], "little") + ORDER
    return Hostile(good.key, text, good.signature[:32] + large.to_bytes(32, "little"))


def with_small_key(key: bytes, seed: bytes, text: bytes) -> Hostile:
    """Sign under a key of small order, without any secret: [k]A vanishes for some texts.

    Under the identity it vanishes for all, and the signature is good for every text.
    """
    for counter in range(256):
        nonce = _nonce(seed + bytes([counter]), text)
        commitment = _base(nonce)
        if key == IDENTITY or _challenge(commitment, key, text) % 8 == 0:
            return Hostile(key, text, commitment + _scalar(nonce))
    raise AssertionError("no nonce in 256 fits")


def with_small_commitment(commitment: bytes, seed: bytes, text: bytes) -> Hostile:
    """Sign with an R of small order: the equation holds for R = identity, eightfold else."""
    secret, public = _secret(seed)
    challenge = _challenge(commitment, public, text)
    return Hostile(public, text, commitment + _scalar(challenge * secret))


def with_cofactor(seed: bytes, text: bytes) -> Hostile:
    """Add a point of order eight to R: holds times eight, for those who multiply by it."""
    secret, public = _secret(seed)
    nonce = _nonce(seed, text)
    commitment = _add(_base(nonce), ORDER_EIGHT)
    scalar = nonce + _challenge(commitment, public, text) * secret
    return Hostile(public, text, commitment + _scalar(scalar))


def with_mixed_key(seed: bytes, text: bytes, *, holds: bool) -> Hostile:
    """Sign under a key with a part of order eight.

    If `holds`, the challenge is a multiple of eight and the equation holds exactly, so that
    the rule takes it; otherwise it holds only times eight.
    """
    secret, public = _secret(seed)
    key = _add(public, ORDER_EIGHT)
    for counter in range(256):
        nonce = _nonce(seed + bytes([counter]), text)
        commitment = _base(nonce)
        challenge = _challenge(commitment, key, text)
        if (challenge % 8 == 0) is holds:
            return Hostile(key, text, commitment + _scalar(nonce + challenge * secret))
    raise AssertionError("no nonce in 256 fits")
