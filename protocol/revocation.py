"""The revocation of one key: a statement of its own, outside every chain (SPEC 12).

It is in force where it is installed, at once, and nothing takes it back. An authority
revokes its own keys with its `sign` pair; stewards, k of n, revoke for an authority that
cannot. This module knows no clock and does not know what is installed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, cast

from protocol import limits
from protocol.document import Document
from protocol.dsse import (
    Unverified,
    decode_statement,
    merge_signatures,
    sign,
    verify_exactly,
    verify_offices,
)
from protocol.encoding import Fields, canonical, decode
from protocol.errors import NotAuthentic, NotForUs, NotPermitted
from protocol.identity import AUTHORITY_ID, PublicKey, Purpose, Signer

REVOCATION_TYPE: Final = "application/vnd.comity.revocation.v1+json"

# A steward's key is not revoked: the next network document leaves it out.
REVOCABLE: Final[tuple[Purpose, ...]] = ("sign", "seal", "hop", "log", "witness")


@dataclass(frozen=True, slots=True)
class Revocation:
    """That a key of an authority is trusted no more, and since when."""

    network: str
    authority: str
    purpose: Purpose
    key_id: str
    at: int
    log_size: int | None  # the authority's own log answers for what lies below it

    def text(self) -> bytes:
        """Give the canonical text that is signed."""
        return canonical({
            "v": 1, "network": self.network, "authority": self.authority,
            "purpose": self.purpose, "key_id": self.key_id, "at": self.at,
            "log_size": self.log_size,
        })  # fmt: skip


@dataclass(frozen=True, slots=True)
class TrustedRevocation:
    """A revocation by those who may revoke, with the statement that proves it."""

    revocation: Revocation
    statement: Unverified
    digest: str

    @property
    def raw(self) -> bytes:
        """The bytes to store and to hand on."""
        return self.statement.encode()


def decode_revocation(raw: bytes) -> Unverified:
    """Decode the statement around a revocation; its text is still anybody's word."""
    return decode_statement(raw, kind=REVOCATION_TYPE, bytes_max=limits.REVOCATION_BYTES_MAX)


def decode_revocation_text(text: bytes) -> Revocation:
    """Decode the text of a revocation strictly (SPEC 12.1), whoever signed it."""
    fields = Fields(decode(text, bytes_max=limits.REVOCATION_BYTES_MAX), "revocation")
    fields.integer("v", low=1, high=1)
    revocation = Revocation(
        network=fields.text("network", pattern=AUTHORITY_ID),
        authority=fields.text("authority", pattern=AUTHORITY_ID),
        purpose=cast("Purpose", fields.choice("purpose", REVOCABLE)),
        key_id=fields.digest("key_id"),
        at=fields.integer("at"),
        log_size=fields.integer_or_none("log_size"),
    )
    fields.done()
    return revocation


def sign_revocation(revocation: Revocation, pair: Iterable[Signer]) -> Unverified:
    """Sign a revocation with the authority's own sign pair."""
    decode_revocation_text(revocation.text())
    return sign(REVOCATION_TYPE, revocation.text(), pair)


def sign_revocation_as_stewards(
    revocation: Revocation, pairs: Iterable[Iterable[Signer]]
) -> Unverified:
    """Sign a revocation with several stewards' pairs, sorted as SPEC 3.5 wants them."""
    decode_revocation_text(revocation.text())
    statement = Unverified(REVOCATION_TYPE, revocation.text(), ())
    for pair in pairs:
        statement = merge_signatures(sign(statement.type, statement.text, pair), statement)
    return statement


def verify_own(
    statement: Unverified, document: Document, pair: Sequence[PublicKey]
) -> TrustedRevocation:
    """Verify a revocation by the authority's own pair; which pair may, the caller judges."""
    _check_place(decode_revocation_text(statement.text), document)
    return _trusted(statement, verify_exactly(statement, pair))


def verify_by_stewards(statement: Unverified, document: Document) -> TrustedRevocation:
    """Verify a revocation by enough distinct stewards of a trusted document."""
    _check_place(decode_revocation_text(statement.text), document)
    if len(verify_offices(statement, document.offices())) < document.threshold:
        raise NotAuthentic("too few stewards signed the revocation")
    return _trusted(statement, statement.text)


def _check_place(revocation: Revocation, document: Document) -> None:
    if revocation.network != document.network:
        raise NotForUs("a revocation of another network")
    if document.authority(revocation.authority) is None:
        raise NotPermitted("a revocation for an authority that is not listed")


def _trusted(statement: Unverified, text: bytes) -> TrustedRevocation:
    return TrustedRevocation(decode_revocation_text(text), statement, statement.identity)
