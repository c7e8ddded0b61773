"""The key schedule of HPKE (RFC 9180) written out, to hold the library's against.

    key, nonce = key_schedule(shared_secret, suite_id, bound=b"...", key_bytes=32)

Base mode, HKDF-SHA256. The vectors of the RFC's authors give every value on the way.
"""

from __future__ import annotations

import hashlib
import hmac

SUITE_ID = b"HPKE" + bytes.fromhex("647a00010002")


def _hmac(key: bytes, text: bytes) -> bytes:
    return hmac.new(key, text, hashlib.sha256).digest()


def _extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    return _hmac(salt or bytes(32), b"HPKE-v1" + suite + label + material)


def _expand(suite: bytes, secret: bytes, label: bytes, context: bytes, size: int) -> bytes:
    labelled = size.to_bytes(2, "big") + b"HPKE-v1" + suite + label + context
    return _hmac(secret, labelled + b"\1")[:size]


def key_schedule(
    shared_secret: bytes, suite: bytes, *, bound: bytes, key_bytes: int
) -> tuple[bytes, bytes]:
    """Give the AEAD key and the base nonce."""
    context = (
        b"\0"
        + _extract(suite, b"", b"psk_id_hash", b"")
        + _extract(suite, b"", b"info_hash", bound)
    )
    secret = _extract(suite, shared_secret, b"secret", b"")
    return (
        _expand(suite, secret, b"key", context, key_bytes),
        _expand(suite, secret, b"base_nonce", context, 12),
    )
