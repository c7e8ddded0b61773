"""A text sealed under a passphrase: the form of a key file, as bytes in and bytes out.

Canonical JSON `{v, kind, kdf: {name, mem_bytes, passes, salt}, nonce, sealed}`, where
Argon2id makes a key of the passphrase and XChaCha20-Poly1305 seals the text under it, with
all the other fields as additional data. Knows nothing of what the text says and no disk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import nacl.bindings
import nacl.exceptions
from nacl.pwhash import argon2id

from keys.pairs import Random
from protocol.encoding import Fields, Json, canonical, decode, to_base64
from protocol.errors import Malformed, Misuse, NotAuthentic

WRAPPED_BYTES_MAX: Final = 256 * 1_024  # base64 of the longest ring, and the frame

# A file that somebody else put there must not take all memory or a day before it fails.
_MEM_BYTES_MAX: Final = 1024 * 1024 * 1024
_PASSES_MAX: Final = 10

_KIND: Final = "comity-key-file"
_KDF: Final = "argon2id13"
_AAD_LABEL: Final = b"comity/v1/key-file\0"
_SALT_BYTES: Final = argon2id.SALTBYTES
_NONCE_BYTES: Final = nacl.bindings.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
_KEY_BYTES: Final = nacl.bindings.crypto_aead_xchacha20poly1305_ietf_KEYBYTES
_TAG_BYTES: Final = nacl.bindings.crypto_aead_xchacha20poly1305_ietf_ABYTES


@dataclass(frozen=True, slots=True)
class Costs:
    """What one guess at the passphrase costs. Tests lower it; no setting reaches it."""

    mem_bytes: int
    passes: int


NODE_COSTS: Final = Costs(64 * 1024 * 1024, 3)  # 0.1 s: a node starts unattended
STEWARD_COSTS: Final = Costs(1024 * 1024 * 1024, 4)  # 5 s: a few times a year, for ten years


@dataclass(frozen=True, slots=True)
class _Frame:
    """All of a wrapped text but the text: what a reader needs to make the key."""

    costs: Costs
    salt: bytes
    nonce: bytes

    def to_json(self) -> dict[str, Json]:
        kdf: dict[str, Json] = {
            "name": _KDF,
            "mem_bytes": self.costs.mem_bytes,
            "passes": self.costs.passes,
            "salt": to_base64(self.salt),
        }
        return {"v": 1, "kind": _KIND, "kdf": kdf, "nonce": to_base64(self.nonce)}

    def aad(self) -> bytes:
        return _AAD_LABEL + canonical(self.to_json())


def wrap(text: bytes, passphrase: bytes, costs: Costs, random: Random) -> bytes:
    """Seal `text` under a passphrase; raises `MemoryError` if the costs cannot be paid."""
    frame = _Frame(costs, random(_SALT_BYTES), random(_NONCE_BYTES))
    # Salt and nonce are drawn for this one writing, so the key seals this one text. The
    # frame is authenticated, so nobody can alter what a reader is told to compute.
    sealed = nacl.bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
        text, frame.aad(), frame.nonce, _derive(passphrase, frame)
    )
    return canonical({**frame.to_json(), "sealed": to_base64(sealed)}) + b"\n"


def unwrap(raw: bytes, passphrase: bytes) -> bytes:
    """Open what `wrap` made.

    `Malformed`: these bytes are no wrapped text, or want more work than is reasonable.
    `NotAuthentic`: another passphrase, or an altered file; nobody can tell which.
    Raises `MemoryError` if the machine cannot do the work.
    """
    frame, sealed = _decode(raw.removesuffix(b"\n"))
    key = _derive(passphrase, frame)
    try:
        return nacl.bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
            sealed, frame.aad(), frame.nonce, key
        )
    except nacl.exceptions.CryptoError as fault:
        raise NotAuthentic("the wrapped text does not open") from fault


def _derive(passphrase: bytes, frame: _Frame) -> bytes:
    if not passphrase:
        raise Misuse("an empty passphrase")
    costs = frame.costs
    try:
        return argon2id.kdf(
            _KEY_BYTES, passphrase, frame.salt, opslimit=costs.passes, memlimit=costs.mem_bytes
        )
    except nacl.exceptions.RuntimeError as fault:  # libsodium has this one reason
        raise MemoryError(f"{costs.mem_bytes} bytes for Argon2id") from fault


def _decode(raw: bytes) -> tuple[_Frame, bytes]:
    fields = Fields(decode(raw, bytes_max=WRAPPED_BYTES_MAX), "key file")
    fields.integer("v", low=1, high=1)
    fields.choice("kind", (_KIND,))
    kdf = Fields(fields.object("kdf"), "key file.kdf")
    kdf.choice("name", (_KDF,))
    costs = Costs(
        kdf.integer("mem_bytes", low=argon2id.MEMLIMIT_MIN, high=_MEM_BYTES_MAX),
        kdf.integer("passes", low=argon2id.OPSLIMIT_MIN, high=_PASSES_MAX),
    )
    frame = _Frame(
        costs, kdf.base64("salt", size=_SALT_BYTES), fields.base64("nonce", size=_NONCE_BYTES)
    )
    kdf.done()
    sealed = fields.base64("sealed", bytes_max=WRAPPED_BYTES_MAX)
    fields.done()
    if len(sealed) < _TAG_BYTES:
        raise Malformed("a sealed text shorter than its tag")
    return frame, sealed
