"""The only calls into cryptographic libraries that verify, seal or open.

Each function's comment is its proof obligation: why this use of the primitive is safe
here. Ed25519 goes through libsodium (PyNaCl) on every path, because libraries disagree
about hostile keys and signatures and SPEC 2.3 fixes libsodium's rule; ML-DSA, ML-KEM and
HPKE come from `cryptography`. Knows no message, no header and no key file.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import nacl.bindings
import nacl.exceptions
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric import mldsa, mlkem, x25519

from protocol.errors import Malformed, NotAuthentic
from protocol.identity import SIGNATURE_BYTES, PublicKey

SEED_BYTES: Final = 32
X_WING_ENC_BYTES: Final = 1_120  # ML-KEM-768 ciphertext (1,088) then X25519 share (32)
AEAD_TAG_BYTES: Final = 16
_MLKEM_PUBLIC_BYTES: Final = 1_184

_SUITE: Final = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


def verify_signature(key: PublicKey, signature: bytes, text: bytes) -> None:
    """Check one signature over exactly `text`; raises `NotAuthentic` if it does not hold.

    The algorithm comes from the key, never from what is verified, so there is nothing to
    confuse or to downgrade. ML-DSA has an empty context (SPEC 2.3).
    """
    if len(signature) != SIGNATURE_BYTES[key.algorithm]:
        raise NotAuthentic(f"a {key.algorithm} signature of {len(signature)} bytes")
    try:
        match key.algorithm:
            case "ed25519":
                # libsodium's rule: S < L, A and R canonical and not of small order.
                nacl.bindings.crypto_sign_open(signature + text, key.raw)
            case "ml-dsa-65":
                _ml_dsa_65(key.raw).verify(signature, text)
            case "ml-dsa-44":
                _ml_dsa_44(key.raw).verify(signature, text)
            case _:
                raise NotAuthentic(f"a {key.algorithm} key does not sign")
    except (InvalidSignature, nacl.exceptions.BadSignatureError, ValueError) as fault:
        raise NotAuthentic(f"a {key.purpose} {key.algorithm} signature does not hold") from fault


# Parsing an ML-DSA key costs a third of a verification and a network has few keys.
@lru_cache(maxsize=1_024)
def _ml_dsa_65(raw: bytes) -> mldsa.MLDSA65PublicKey:
    return mldsa.MLDSA65PublicKey.from_public_bytes(raw)


@lru_cache(maxsize=1_024)
def _ml_dsa_44(raw: bytes) -> mldsa.MLDSA44PublicKey:
    return mldsa.MLDSA44PublicKey.from_public_bytes(raw)


@dataclass(frozen=True, slots=True)
class SealPrivate:
    """An expanded X-Wing private key. Expanding costs more than opening, so keep it."""

    public: PublicKey
    _key: hpke.MLKEM768X25519PrivateKey

    def __repr__(self) -> str:
        """Name the public half only."""
        return f"SealPrivate({self.public.key_id[:16]})"


def seal_private(seed: bytes) -> SealPrivate:
    """Expand a 32-byte X-Wing seed (draft-connolly-cfrg-xwing-kem, section 5.2).

    SHAKE256(seed, 96): 64 bytes seed ML-KEM-768 and 32 are the X25519 scalar. The seed is
    the key that is stored, so nobody can pair halves of two keys.
    """
    if len(seed) != SEED_BYTES:
        raise Malformed("an X-Wing seed has 32 bytes")
    expanded = hashlib.shake_256(seed).digest(96)
    kem = mlkem.MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
    curve = x25519.X25519PrivateKey.from_private_bytes(expanded[64:])
    raw = kem.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()
    return SealPrivate(PublicKey("seal", "x-wing", raw), hpke.MLKEM768X25519PrivateKey(kem, curve))


def hpke_seal(recipient: PublicKey, info: bytes, text: bytes) -> bytes:
    """Seal `text` in HPKE base mode, single shot: enc (1,120 bytes) || ciphertext.

    A fresh encapsulation makes a fresh AEAD key for this one text, so nonce 0 is used
    once. Base mode authenticates nobody: the signatures are inside. `info` binds the whole
    header, since the single-shot API has no aad (RFC 9180 section 8.1).
    """
    return _SUITE.encrypt(text, _seal_public(recipient.raw), info)


def hpke_open(private: SealPrivate, info: bytes, sealed: bytes) -> bytes:
    """Open what `hpke_seal` made for this key and this `info`, or raise `NotAuthentic`."""
    if len(sealed) < X_WING_ENC_BYTES + AEAD_TAG_BYTES:
        raise NotAuthentic("shorter than an encapsulated key and a tag")
    try:
        return _SUITE.decrypt(sealed, private._key, info)  # noqa: SLF001  (the one user of the key)
    except (InvalidTag, ValueError) as fault:
        raise NotAuthentic("the envelope does not open") from fault


@lru_cache(maxsize=1_024)
def _seal_public(raw: bytes) -> hpke.MLKEM768X25519PublicKey:
    """Split a raw X-Wing public key: ML-KEM-768, then X25519 (SPEC 2.2)."""
    try:
        return hpke.MLKEM768X25519PublicKey(
            mlkem.MLKEM768PublicKey.from_public_bytes(raw[:_MLKEM_PUBLIC_BYTES]),
            x25519.X25519PublicKey.from_public_bytes(raw[_MLKEM_PUBLIC_BYTES:]),
        )
    except ValueError as fault:
        raise Malformed("not an X-Wing public key") from fault
