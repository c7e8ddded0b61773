"""Closing a log for good: where it ends, why, and which one goes on (SPEC 6.9).

Keys of a log never change. An authority that has lost its log's state, or gives it new
keys, says with its `sign` keys where the old log ends; the next one begins with that. What
was receipted stays provable under the closed origin, and a checkpoint beyond its end that
the log has signed proves that something was cut off. This module knows no clock, and not
which logs and closings are known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, cast, get_args

from protocol import limits
from protocol.checkpoint import LOG_ORIGIN, Checkpoint, log_origin, number_of
from protocol.document import Authority, Document, KeyIds
from protocol.dsse import Unverified, decode_statement, sign, verify_exactly
from protocol.encoding import HEX64, Fields, canonical, decode
from protocol.errors import Forked, Malformed, NotAuthentic, NotForUs, NotPermitted
from protocol.identity import AUTHORITY_ID, PublicKey, Signer

CLOSURE_TYPE: Final = "application/vnd.comity.log-closed.v1+json"

Reason: TypeAlias = Literal["lost-state", "new-keys"]
REASONS: Final[tuple[Reason, ...]] = get_args(Reason)


@dataclass(frozen=True, slots=True)
class Closure:
    """That a log of an authority ends at a size, and which number the next one has."""

    network: str
    authority: str
    number: int
    size: int
    root: bytes
    reason: Reason
    next_number: int
    created: int

    def __post_init__(self) -> None:
        """Refuse an end that no log can have, and a next log that is not a later one."""
        Checkpoint(self.origin, self.size, self.root)
        log_origin(self.network, self.authority, self.next_number)
        if self.next_number <= self.number:
            raise Malformed("the next log has a higher number than the closed one")

    @property
    def origin(self) -> str:
        """The log that is closed."""
        return log_origin(self.network, self.authority, self.number)

    @property
    def next_origin(self) -> str:
        """The log that goes on."""
        return log_origin(self.network, self.authority, self.next_number)

    def text(self) -> bytes:
        """Give the canonical text that is signed."""
        return canonical({
            "v": 1, "network": self.network, "authority": self.authority,
            "origin": self.origin, "size": self.size, "root": self.root.hex(),
            "reason": self.reason, "next": self.next_number, "created": self.created,
        })  # fmt: skip

    def require_within(self, checkpoint: Checkpoint) -> None:
        """Check that a checkpoint of the closed log lies within its end.

        Raises `Forked` if it lies beyond, or has another root where the log ends: then,
        if the log has signed it, it was cut off or rewritten before it was closed. What a
        smaller checkpoint has as its root only a consistency path can judge.
        """
        if checkpoint.origin != self.origin:
            raise NotAuthentic("a checkpoint of another log than the closed one")
        if checkpoint.size > self.size:
            raise Forked(f"the log was closed at {self.size} and has signed {checkpoint.size}")
        if checkpoint.size == self.size and checkpoint.root != self.root:
            raise Forked("the log was closed with another root than it has signed")


@dataclass(frozen=True, slots=True)
class TrustedClosure:
    """A closure by those who may close, with the statement that proves it."""

    closure: Closure
    statement: Unverified
    digest: str

    @property
    def raw(self) -> bytes:
        """The bytes to store and to hand on."""
        return self.statement.encode()


def log_terms(entry: Authority, closures: Iterable[Closure]) -> dict[int, KeyIds]:
    """Give the key ids of each log of an authority, by its number.

    Those that the stewards list, and those that continue a closed one: with its keys, for
    only lost state lets a log go on under the same keys (SPEC 6.9). A number that the
    stewards list has the keys that they list; of several closures that name one number,
    that of the lowest closed log counts.
    """
    terms = {term.number: term.key_ids for term in entry.logs}
    own = [one for one in closures if one.authority == entry.id and one.reason == "lost-state"]
    for one in sorted(own, key=lambda one: one.number):
        if one.number in terms:
            terms.setdefault(one.next_number, terms[one.number])
    return terms


def decode_closure(raw: bytes) -> Unverified:
    """Decode the statement around a closure; its text is still anybody's word."""
    return decode_statement(raw, kind=CLOSURE_TYPE, bytes_max=limits.CLOSURE_BYTES_MAX)


def decode_closure_text(text: bytes) -> Closure:
    """Decode the text of a closure strictly (SPEC 6.9), whoever signed it."""
    fields = Fields(decode(text, bytes_max=limits.CLOSURE_BYTES_MAX), "closure")
    fields.integer("v", low=1, high=1)
    origin = fields.text("origin", pattern=LOG_ORIGIN)
    closure = Closure(
        network=fields.text("network", pattern=AUTHORITY_ID),
        authority=fields.text("authority", pattern=AUTHORITY_ID),
        number=number_of(origin),
        size=fields.integer("size"),
        root=bytes.fromhex(fields.text("root", pattern=HEX64)),
        reason=cast("Reason", fields.choice("reason", REASONS)),
        next_number=fields.integer("next", low=1),
        created=fields.integer("created"),
    )
    fields.done()
    if closure.origin != origin:
        raise Malformed("the closed log is not one of the authority that closes it")
    return closure


def sign_closure(closure: Closure, pair: Iterable[Signer]) -> Unverified:
    """Sign a closure with the authority's `sign` pair; `.encode()` gives the bytes."""
    decode_closure_text(closure.text())
    return sign(CLOSURE_TYPE, closure.text(), pair)


def verify_closure(
    statement: Unverified, document: Document, pair: Sequence[PublicKey]
) -> TrustedClosure:
    """Verify a closure by the authority's pair of its time, as the document lists it.

    Raises `NotForUs` for another network, `NotPermitted` for an authority that is not
    listed, and `NotAuthentic` unless exactly the pair that was in force at `created` signed.
    """
    closure = decode_closure_text(statement.text)
    if closure.network != document.network:
        raise NotForUs("a closure of another network")
    entry = document.authority(closure.authority)
    if entry is None:
        raise NotPermitted("a closure by an authority that is not listed")
    if tuple(key.key_id for key in pair) != entry.sign_at(closure.created):
        raise NotAuthentic("the closure is not signed by the sign pair of its time")
    verify_exactly(statement, pair)
    return TrustedClosure(closure, statement, statement.identity)
