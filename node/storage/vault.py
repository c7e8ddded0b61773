"""What the database holds is sealed: a key per case, wrapped by the key file's storage key.

Destroying a case's wrapped key erases its texts wherever copies of the rows went. Uses
XChaCha20-Poly1305 with random 24-byte nonces, so one key seals any number of texts without
counting. Knows no message and no case beyond the name that it binds into each ciphertext.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import nacl.bindings
import nacl.exceptions

from protocol.errors import NotAuthentic

_NONCE_BYTES: Final = nacl.bindings.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
_KEY_BYTES: Final = nacl.bindings.crypto_aead_xchacha20poly1305_ietf_KEYBYTES
WRAPPED_BYTES: Final = (
    _NONCE_BYTES + _KEY_BYTES + nacl.bindings.crypto_aead_xchacha20poly1305_ietf_ABYTES
)
"""The size of a wrapped key, for those who keep one before what it seals."""


class Vault:
    """Makes, wraps and uses the keys of cases."""

    def __init__(self, storage_key: bytes, random: Callable[[int], bytes]) -> None:
        """Wrap with `storage_key` (32 bytes)."""
        self._random = random
        self._storage_key = storage_key
        self._unwrap = lru_cache(maxsize=1_024)(self._open_key)

    def __repr__(self) -> str:
        """Show nothing of the keys."""
        return "Vault()"

    def derived_key(self, label: bytes) -> bytes:
        """Give another key, from which nobody gets to this one; the same for the same label."""
        return hashlib.blake2b(label, key=self._storage_key, person=b"comity-derived").digest()

    def new_key(self, case_id: str) -> bytes:
        """Make a key for a case and give it wrapped."""
        return self._seal(self._storage_key, self._random(_KEY_BYTES), b"case-key\0", case_id)

    def seal(self, case_id: str, wrapped: bytes, identity: str, text: bytes) -> bytes:
        """Seal a text of a case; it opens only under the same identity."""
        return self._seal(self._unwrap(case_id, wrapped), text, b"text\0", identity)

    def open(self, case_id: str, wrapped: bytes, identity: str, sealed: bytes) -> bytes:
        """Open a text of a case, or raise `NotAuthentic` if the row was altered or swapped."""
        return self._open(self._unwrap(case_id, wrapped), sealed, b"text\0", identity)

    def _open_key(self, case_id: str, wrapped: bytes) -> bytes:
        return self._open(self._storage_key, wrapped, b"case-key\0", case_id)

    def _seal(self, key: bytes, text: bytes, label: bytes, name: str) -> bytes:
        nonce = self._random(_NONCE_BYTES)
        return nonce + nacl.bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
            text, label + name.encode(), nonce, key
        )

    @staticmethod
    def _open(key: bytes, sealed: bytes, label: bytes, name: str) -> bytes:
        try:
            return nacl.bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
                sealed[_NONCE_BYTES:], label + name.encode(), sealed[:_NONCE_BYTES], key
            )
        except (nacl.exceptions.CryptoError, ValueError) as fault:
            raise NotAuthentic("a stored text was altered, or is another row's") from fault
