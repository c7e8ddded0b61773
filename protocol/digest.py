"""SHA-256 in the forms the wire uses. Knows nothing of what is hashed."""

from __future__ import annotations

import hashlib


def sha256(*parts: bytes) -> bytes:
    """Return the 32 bytes of SHA-256 over the parts, one after the other."""
    return hashlib.sha256(b"".join(parts)).digest()


def sha256_hex(*parts: bytes) -> str:
    """Return SHA-256 over the parts as 64 lower-case hex digits."""
    return sha256(*parts).hex()
