"""Signed statements: DSSE with our fixed algorithms and no choice left to the wire (SPEC 3).

A statement is a type and a text. What is signed is the pre-authentication encoding of
both, and SHA-256 of that encoding is the statement's identity. Decoding gives an
`Unverified`; only checking every signature against keys that the caller trusts gives the
text back as something to believe. Knows no message, document or listing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from protocol.digest import sha256_hex
from protocol.encoding import Fields, Json, canonical, decode, to_base64
from protocol.errors import Malformed, Mismatch, NotAuthentic
from protocol.identity import PublicKey, Signer
from protocol.primitives import verify_signature

_TYPE: Final = re.compile(r"application/vnd\.comity\.[a-z]+(?:-[a-z]+)*\.v1\+json")
_SIGNATURES_MAX: Final = 256  # old and new stewards, and authorities that change keys
_SIGNATURE_BYTES_MAX: Final = 4_096


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature with the id of the key that is said to have made it."""

    key_id: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Unverified:
    """A statement whose form is right and whose signatures nobody has checked yet."""

    type: str
    text: bytes
    signatures: tuple[Signature, ...]

    @property
    def identity(self) -> str:
        """SHA-256 of the pre-authentication encoding, as hex (SPEC 3.2)."""
        return sha256_hex(pae(self.type, self.text))

    def encode(self) -> bytes:
        """Give the canonical bytes of the statement."""
        signatures: list[Json] = [
            {"keyid": signature.key_id, "sig": to_base64(signature.raw)}
            for signature in self.signatures
        ]
        return canonical(
            {"payload": to_base64(self.text), "payloadType": self.type, "signatures": signatures}
        )


def pae(kind: str, text: bytes) -> bytes:
    """Give DSSE's pre-authentication encoding: lengths in bytes, decimal (SPEC 3.1)."""
    raw_kind = kind.encode()
    return b"DSSEv1 %d %b %d %b" % (len(raw_kind), raw_kind, len(text), text)


def decode_statement(raw: bytes, *, kind: str, bytes_max: int) -> Unverified:
    """Decode a statement of type `kind` and of at most `bytes_max` bytes (SPEC 3.3)."""
    fields = Fields(decode(raw, bytes_max=bytes_max), "statement")
    found = fields.text("payloadType", pattern=_TYPE)
    text = fields.base64("payload", bytes_max=bytes_max)
    signatures = tuple(
        _decode_signature(item) for item in fields.items("signatures", count_max=_SIGNATURES_MAX)
    )
    fields.done()
    if found != kind:
        raise Malformed("a statement of another type")
    return Unverified(found, text, signatures)


def _decode_signature(item: Json) -> Signature:
    fields = Fields(item, "signature")
    signature = Signature(
        fields.digest("keyid"), fields.base64("sig", bytes_max=_SIGNATURE_BYTES_MAX)
    )
    fields.done()
    return signature


def sign(kind: str, text: bytes, signers: Iterable[Signer]) -> Unverified:
    """Sign `text` with each signer, in the order given."""
    signed = pae(kind, text)
    made = tuple(Signature(signer.public.key_id, signer.sign(signed)) for signer in signers)
    return Unverified(kind, text, made)


def verify_exactly(statement: Unverified, keys: Sequence[PublicKey]) -> bytes:
    """Give the text if the signatures are exactly those of `keys`, in this order (SPEC 3.4).

    One missing, one more, another order or another key is `NotAuthentic`: a signature that
    may be absent protects nothing.
    """
    if [signature.key_id for signature in statement.signatures] != [key.key_id for key in keys]:
        raise NotAuthentic("the signatures are not those of the expected keys, in their order")
    if not keys:
        raise NotAuthentic("no key to verify with")
    signed = pae(statement.type, statement.text)
    for key, signature in zip(keys, statement.signatures, strict=True):
        verify_signature(key, signature.raw, signed)
    return statement.text


def verify_offices(
    statement: Unverified, offices: Mapping[str, Sequence[PublicKey]]
) -> frozenset[str]:
    """Give the offices that signed, each with all its keys (SPEC 3.5).

    For statements that several offices sign. Signatures stand in ascending order of their
    key ids, so none can stand twice. An office with one signature of two, or with one that
    does not hold, refuses the whole. Signatures of keys that are nobody's here count for
    nothing and are kept: they may be those of offices that the caller does not know.
    The caller compares the number of *offices* with its threshold, never that of keys.
    """
    _check_ascending(statement)
    made = {signature.key_id: signature.raw for signature in statement.signatures}
    signed = pae(statement.type, statement.text)
    found = set()
    for office, keys in offices.items():
        there = [(key, made[key.key_id]) for key in keys if key.key_id in made]
        if there and len(there) != len(keys):
            raise NotAuthentic("an office signed with one of its keys only")
        for key, raw in there:
            verify_signature(key, raw, signed)
        if there:
            found.add(office)
    return frozenset(found)


def merge_signatures(first: Unverified, second: Unverified) -> Unverified:
    """Give one statement with the signatures of both, sorted by key id (SPEC 3.5).

    Both must be of one text. Where both have a signature of one key, the first's stays:
    a caller puts its own copy first, so that nobody can push a good signature out.
    """
    if (first.type, first.text) != (second.type, second.text):
        raise Mismatch("signatures of two different texts cannot be merged")
    made = {one.key_id: one for one in (*second.signatures, *first.signatures)}
    return Unverified(first.type, first.text, tuple(made[key_id] for key_id in sorted(made)))


def _check_ascending(statement: Unverified) -> None:
    key_ids = [signature.key_id for signature in statement.signatures]
    if any(left >= right for left, right in pairwise(key_ids)):
        raise Malformed("signatures are not in ascending order of their key ids")
