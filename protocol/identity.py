"""Who is who: the grammar of names, key purposes, public keys and their ids (SPEC 2).

A key has one purpose, and the purpose is inside its id, so a key can never be taken for
one of another purpose. `Signer` is all that the rest of the protocol knows of a private
key. This module verifies nothing and holds no private key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias, cast, get_args

from protocol.digest import sha256_hex
from protocol.encoding import Fields, Json, to_base64
from protocol.errors import Malformed

Purpose: TypeAlias = Literal["sign", "seal", "hop", "log", "witness", "steward"]
Algorithm: TypeAlias = Literal["ed25519", "ml-dsa-65", "ml-dsa-44", "x-wing"]

PUBLIC_KEY_BYTES: Final[dict[Algorithm, int]] = {
    "ed25519": 32,
    "ml-dsa-65": 1_952,
    "ml-dsa-44": 1_312,
    "x-wing": 1_216,
}
SIGNATURE_BYTES: Final[dict[Algorithm, int]] = {
    "ed25519": 64,
    "ml-dsa-65": 3_309,
    "ml-dsa-44": 2_420,
}

ALGORITHMS: Final[dict[Purpose, tuple[Algorithm, ...]]] = {
    "sign": ("ed25519", "ml-dsa-65"),
    "seal": ("x-wing",),
    "hop": ("ed25519",),
    "log": ("ed25519", "ml-dsa-44"),
    "witness": ("ed25519", "ml-dsa-44"),
    "steward": ("ed25519", "ml-dsa-65"),
}
"""The algorithms of each purpose, in the order in which signatures stand."""

AUTHORITY_ID: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?")
CASE_ID: Final = re.compile(rf"(?P<authority>{AUTHORITY_ID.pattern})/[0-9a-f]{{32}}")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One public key with its purpose; `raw` has the length its algorithm fixes."""

    purpose: Purpose
    algorithm: Algorithm
    raw: bytes

    def __post_init__(self) -> None:
        """Refuse an algorithm that the purpose does not use, or a wrong length."""
        if self.algorithm not in ALGORITHMS[self.purpose]:
            raise Malformed(f"a {self.purpose} key cannot be {self.algorithm}")
        if len(self.raw) != PUBLIC_KEY_BYTES[self.algorithm]:
            raise Malformed(f"a {self.algorithm} key has {PUBLIC_KEY_BYTES[self.algorithm]} bytes")

    @property
    def key_id(self) -> str:
        """SHA-256("comity/v1/key" 00 purpose 00 algorithm 00 raw) as hex (SPEC 2.2)."""
        label = f"comity/v1/key\0{self.purpose}\0{self.algorithm}\0".encode()
        return sha256_hex(label, self.raw)

    def to_json(self) -> dict[str, Json]:
        """Give the key as it stands in listings and steward lists."""
        return {"purpose": self.purpose, "algorithm": self.algorithm, "key": to_base64(self.raw)}

    @classmethod
    def from_fields(cls, fields: Fields) -> PublicKey:
        """Read the three fields of a key from an object that may hold more."""
        purpose = cast("Purpose", fields.choice("purpose", get_args(Purpose)))
        algorithm = cast("Algorithm", fields.choice("algorithm", get_args(Algorithm)))
        return cls(purpose, algorithm, fields.base64("key", size=PUBLIC_KEY_BYTES[algorithm]))


class Signer(Protocol):
    """A private key that signs: all that the protocol knows of one."""

    @property
    def public(self) -> PublicKey:
        """The public half."""
        ...

    def sign(self, text: bytes) -> bytes:
        """Sign exactly these bytes."""
        ...


def check_authority_id(text: str) -> str:
    """Return `text` if it is an authority or network id (SPEC 2.1), else refuse it."""
    if AUTHORITY_ID.fullmatch(text) is None:
        raise Malformed("not an authority id: lower-case letters, digits, '.', '-', at most 64")
    return text


def case_opener(case: str) -> str:
    """Return the authority that opened a case, from the case id (SPEC 4.1)."""
    match = CASE_ID.fullmatch(case)
    if match is None:
        raise Malformed("not a case id: <authority>/<32 hex digits>")
    return match["authority"]
