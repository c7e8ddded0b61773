"""What stands in the headers of vectors: keys, by seed or by their public half."""

from __future__ import annotations

from typing import cast

from keys.pairs import signer_from_seed
from protocol.checkpoint import LogKeys
from protocol.encoding import from_base64
from protocol.identity import Algorithm, PublicKey, Purpose
from tests.vectors.form import Vector


def key_of(vector: Vector, header: str) -> PublicKey:
    """Give the public key of a header such as `sign-ed25519: seed 00…`."""
    purpose, _, algorithm = header.partition("-")
    form, _, value = vector.headers[header].partition(" ")
    named = cast("Purpose", purpose), cast("Algorithm", algorithm)
    if form == "public":
        return PublicKey(*named, from_base64(value))
    return signer_from_seed(*named, bytes.fromhex(value)).public


def log_keys(vector: Vector, role: str = "log") -> LogKeys:
    """Give the pair of a log, or of a witness."""
    return LogKeys(key_of(vector, f"{role}-ed25519"), key_of(vector, f"{role}-ml-dsa-44"))


def sign_pair(vector: Vector) -> tuple[PublicKey, PublicKey]:
    """Give the `sign` pair of an authority."""
    return key_of(vector, "sign-ed25519"), key_of(vector, "sign-ml-dsa-65")
