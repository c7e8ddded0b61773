"""Webhooks as the Standard Webhooks specification has them, with Ed25519 (its `v1a`).

    key = make_hook_key(random)
    signature = sign_hook(key, f"{number}", at, body)     # webhook-signature
    key.public                                            # whpk_…: what the receiver verifies with

The receiver needs the public half alone, so a receiver that is broken into can forge
nothing. The key of each hook is its own and signs nothing else. Knows no row and no HTTP.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import nacl.bindings

from node.storage.vault import WRAPPED_BYTES, Vault
from node.transport.addresses import base_url
from protocol.errors import Malformed, Misuse

_SEED_BYTES: Final = nacl.bindings.crypto_sign_SEEDBYTES
_URL_CHARS_MAX: Final = 512
_SEALED_AS: Final = "signing key"


@dataclass(frozen=True, slots=True)
class HookKey:
    """The signing key of one webhook, by its seed."""

    seed: bytes = field(repr=False)

    @property
    def public(self) -> str:
        """The half that the receiver verifies with."""
        public, _ = nacl.bindings.crypto_sign_seed_keypair(self.seed)
        return f"whpk_{b64encode(public).decode('ascii')}"


def make_hook_key(random: Callable[[int], bytes]) -> HookKey:
    """Make the key of a new webhook."""
    return HookKey(random(_SEED_BYTES))


def sign_hook(key: HookKey, identity: str, at: int, body: bytes) -> str:
    """Sign one message: its id, its time and its body, joined by full stops."""
    _, secret = nacl.bindings.crypto_sign_seed_keypair(key.seed)
    signed = nacl.bindings.crypto_sign(b"%b.%d.%b" % (identity.encode("ascii"), at, body), secret)
    return f"v1a,{b64encode(signed[: nacl.bindings.crypto_sign_BYTES]).decode('ascii')}"


def hook_url(text: str) -> str:
    """Take https://host[:port]/path: it stands in clear, so it has no user and no query."""
    if len(text) > _URL_CHARS_MAX or not text.isascii() or not text.isprintable():
        raise Malformed("a webhook's URL is plain ASCII, of at most 512 characters")
    try:
        base_url(text)
    except Misuse:
        raise Malformed("a webhook's URL is https://host[:port]/path and nothing else") from None
    return text


def seal_hook_key(vault: Vault, webhook: str, key: HookKey) -> bytes:
    """Seal a key for storage, under a key of its own that stands before it."""
    wrapped = vault.new_key(_name(webhook))
    return wrapped + vault.seal(_name(webhook), wrapped, _SEALED_AS, key.seed)


def open_hook_key(vault: Vault, webhook: str, sealed: bytes) -> HookKey:
    """Open a stored key, or raise `NotAuthentic` if the row was altered or swapped."""
    wrapped, text = sealed[:WRAPPED_BYTES], sealed[WRAPPED_BYTES:]
    return HookKey(vault.open(_name(webhook), wrapped, _SEALED_AS, text))


def _name(webhook: str) -> str:
    return f"webhook\0{webhook}"
