"""Private keys that sign, one class for each algorithm, and pairs of them by purpose.

Every private key of Comity is one 32-byte seed; this module expands a seed into something
that signs, once, and keeps the expanded key (an ML-DSA key costs more to expand than to
use). A purpose with two algorithms (SPEC 2.2) gets a `SignerPair`, which holds exactly
both, in the order in which signatures stand, so that nobody can sign with one of them.

Sealing keys do not sign: they are expanded by `protocol.primitives.seal_private`.
Knows no file, no passphrase, no clock and no document; where a seed comes from and how
long its key lives is for others to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import nacl.bindings
from cryptography.hazmat.primitives.asymmetric import mldsa

from protocol.errors import Misuse
from protocol.identity import ALGORITHMS, Algorithm, PublicKey, Purpose, Signer
from protocol.primitives import SEED_BYTES

Random: TypeAlias = Callable[[int], bytes]
"""Gives as many bytes as asked for, that nobody can guess: `secrets.token_bytes` in a node."""

_PAIR: Final = 2


@dataclass(frozen=True, slots=True)
class Ed25519Signer:
    """One expanded Ed25519 private key; made by `signer_from_seed`."""

    public: PublicKey
    _secret: bytes

    def sign(self, text: bytes) -> bytes:
        """Sign exactly these bytes."""
        # libsodium's secret key is seed || public key, made together from the seed, so
        # there is no signing under a foreign public key. Deterministic: no nonce to leak.
        return nacl.bindings.crypto_sign(text, self._secret)[: nacl.bindings.crypto_sign_BYTES]

    def __repr__(self) -> str:
        """Name the public half only."""
        return _shown(self, self.public)


@dataclass(frozen=True, slots=True)
class MlDsaSigner:
    """One expanded ML-DSA-65 or ML-DSA-44 private key; made by `signer_from_seed`."""

    public: PublicKey
    _secret: mldsa.MLDSA65PrivateKey | mldsa.MLDSA44PrivateKey

    def sign(self, text: bytes) -> bytes:
        """Sign exactly these bytes; two signatures of one text differ."""
        # Hedged signing (FIPS 204) with an empty context, as SPEC 2.3 has it. The purpose
        # is bound by the key itself: one key has one purpose.
        return self._secret.sign(text)

    def __repr__(self) -> str:
        """Name the public half only."""
        return _shown(self, self.public)


@dataclass(frozen=True, slots=True)
class SignerPair:
    """Both keys of a purpose that needs two signatures; iterates in the order of SPEC 2.2."""

    purpose: Purpose
    first: Signer
    second: Signer

    def __post_init__(self) -> None:
        """Refuse keys of another purpose, or not exactly the two algorithms in order."""
        public = (self.first.public, self.second.public)
        if tuple(key.algorithm for key in public) != ALGORITHMS[self.purpose]:
            raise Misuse(f"a {self.purpose} pair needs {' and '.join(ALGORITHMS[self.purpose])}")
        if any(key.purpose != self.purpose for key in public):
            raise Misuse(f"a {self.purpose} pair made of keys with another purpose")

    def __iter__(self) -> Iterator[Signer]:
        """Give the signers in the order in which their signatures stand."""
        yield self.first
        yield self.second

    @property
    def public(self) -> tuple[PublicKey, PublicKey]:
        """Both public halves, in the same order."""
        return self.first.public, self.second.public

    @property
    def key_ids(self) -> tuple[str, str]:
        """The ids of both keys, in the same order."""
        return self.first.public.key_id, self.second.public.key_id


def signer_from_seed(purpose: Purpose, algorithm: Algorithm, seed: bytes) -> Signer:
    """Expand one 32-byte seed into the signing key of this purpose and algorithm.

    The same seed gives the same key for ever, whatever the purpose: so a seed must be used
    for one key only, and `new_ring` draws a fresh one for each.
    """
    if len(seed) != SEED_BYTES:
        raise Misuse(f"a seed has {SEED_BYTES} bytes")
    if algorithm not in ALGORITHMS[purpose]:
        raise Misuse(f"a {purpose} key cannot be {algorithm}")
    match algorithm:
        case "ed25519":
            raw, secret = nacl.bindings.crypto_sign_seed_keypair(seed)
            return Ed25519Signer(PublicKey(purpose, algorithm, raw), secret)
        case "ml-dsa-65":
            return _ml_dsa(purpose, algorithm, mldsa.MLDSA65PrivateKey.from_seed_bytes(seed))
        case "ml-dsa-44":
            return _ml_dsa(purpose, algorithm, mldsa.MLDSA44PrivateKey.from_seed_bytes(seed))
        case _:
            raise Misuse("an x-wing key does not sign")


def pair_from_seeds(purpose: Purpose, seeds: Sequence[bytes]) -> SignerPair:
    """Expand the two seeds of a purpose, in the order of its algorithms, into a pair."""
    algorithms = ALGORITHMS[purpose]
    if len(algorithms) != _PAIR:
        raise Misuse(f"a {purpose} key stands alone")
    if len(seeds) != _PAIR or seeds[0] == seeds[1]:
        raise Misuse("a pair is made of two different seeds")
    first, second = (
        signer_from_seed(purpose, algorithm, seed)
        for algorithm, seed in zip(algorithms, seeds, strict=True)
    )
    return SignerPair(purpose, first, second)


def _ml_dsa(
    purpose: Purpose,
    algorithm: Algorithm,
    secret: mldsa.MLDSA65PrivateKey | mldsa.MLDSA44PrivateKey,
) -> MlDsaSigner:
    raw = secret.public_key().public_bytes_raw()
    return MlDsaSigner(PublicKey(purpose, algorithm, raw), secret)


def _shown(signer: Signer, public: PublicKey) -> str:
    kind = type(signer).__name__
    return f"{kind}({public.purpose} {public.algorithm} {public.key_id[:16]})"
