"""The network document as a chain that stewards sign, k of n of them (SPEC 10).

Each document names its predecessor and is signed by enough offices of the old list and of
the new one, so a node that was away walks from document to document and needs nobody's
word. Offices are counted, never keys or signatures.

This module knows no clock: whether a document has expired is judged by the caller, with
its `now`. It does not know which documents are installed here (`keys/directory.py` does),
nor the form of the text (`protocol/document.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from protocol import limits
from protocol.document import (
    Authority,
    Document,
    KeyIds,
    KeyTerm,
    LogTerm,
    Steward,
    decode_document_text,
    quorum,
)  # fmt: skip
from protocol.dsse import (
    Unverified,
    decode_statement,
    merge_signatures,
    sign,
    verify_offices,
)  # fmt: skip
from protocol.errors import (
    EpochAhead,
    EpochOld,
    Mismatch,
    NotAuthentic,
    NotForUs,
    NotPermitted,
)  # fmt: skip
from protocol.identity import PublicKey, Signer

# Readers of the chain need the forms too: one import is enough for them.
__all__ = [
    "NETWORK_TYPE", "Authority", "Document", "KeyIds", "KeyTerm", "LogTerm", "Rotation",
    "Steward", "TrustedDocument", "Unverified", "add_signature", "decode_document",
    "decode_document_text", "merge_signatures", "quorum", "rotations", "sign_document",
    "verify_first", "verify_healing", "verify_next", "verify_rotation",
]  # fmt: skip

NETWORK_TYPE: Final = "application/vnd.comity.network.v1+json"


@dataclass(frozen=True, slots=True)
class TrustedDocument:
    """A document that enough stewards signed, with the statement that proves it."""

    document: Document
    statement: Unverified
    digest: str
    signed_by: frozenset[str]

    @property
    def version(self) -> int:
        """The document's version: the `epoch` of messages signed under it."""
        return self.document.version

    @property
    def raw(self) -> bytes:
        """The bytes to store and to hand on."""
        return self.statement.encode()


@dataclass(frozen=True, slots=True)
class Rotation:
    """A change of an authority's sign keys, which the old pair should have signed too."""

    authority: str
    old: KeyIds
    new: KeyIds
    kept: bool  # the old pair is still listed, with its end


def decode_document(raw: bytes) -> Unverified:
    """Decode the statement around a network document; its text is still anybody's word."""
    return decode_statement(raw, kind=NETWORK_TYPE, bytes_max=limits.DOCUMENT_BYTES_MAX)


def sign_document(document: Document, pairs: Iterable[Iterable[Signer]]) -> Unverified:
    """Sign a document with stewards' pairs; refuses one that no node would take."""
    decode_document_text(document.text())
    return _with_pairs(Unverified(NETWORK_TYPE, document.text(), ()), pairs)


def add_signature(
    statement: Unverified, pair: Iterable[Signer], *, previous: Document | None = None
) -> Unverified:
    """Add one office's signatures; refuses a signer whom the document does not concern.

    It concerns the stewards of the document, those of the `previous` one, and an authority
    whose sign keys change and who signs with its old pair.
    """
    document = decode_document_text(statement.text)
    signers = tuple(pair)
    allowed = [tuple(k.key_id for k in one.keys) for one in document.stewards]
    allowed += [tuple(k.key_id for k in one.keys) for one in previous.stewards] if previous else []
    allowed += [term.key_ids for one in document.authorities for term in one.sign]
    if tuple(signer.public.key_id for signer in signers) not in allowed:
        raise NotPermitted("the signer is no steward of this document")
    return _with_pairs(statement, [signers])


def _with_pairs(statement: Unverified, pairs: Iterable[Iterable[Signer]]) -> Unverified:
    for pair in pairs:
        statement = merge_signatures(sign(statement.type, statement.text, pair), statement)
    return statement


def verify_first(statement: Unverified) -> TrustedDocument:
    """Verify a document by its own list: for the one that officers install by fingerprint."""
    document = decode_document_text(statement.text)
    signed_by = _require_threshold(statement, document)
    return TrustedDocument(document, statement, statement.identity, signed_by)


def verify_next(statement: Unverified, trusted: TrustedDocument) -> TrustedDocument:
    """Verify the successor of a trusted document (SPEC 10.2).

    1. The text is strict, of the same network. 2. Its version is the trusted one plus 1.
    3. `prev` is the trusted digest. 4. Nothing that may not change has changed. 5. Enough
    offices of the old list signed. 6. Enough offices of the new list signed.
    """
    document = decode_document_text(statement.text)
    old = trusted.document
    if document.network != old.network:
        raise NotForUs("a document of another network")
    if document.version > old.version + 1:
        raise EpochAhead("documents between the trusted one and this one are missing")
    if document.version <= old.version:
        raise EpochOld("the document is not newer than the trusted one")
    if document.prev != trusted.digest:
        raise Mismatch("the document does not follow the trusted one")
    return _verify_successor(statement, document, old)


def verify_healing(
    statement: Unverified, *, common: TrustedDocument, branches: Iterable[str], newest: int
) -> TrustedDocument:
    """Verify a document that ends a split (SPEC 10.3).

    `common` is the last list that all trusted, `branches` the digests of the rival
    documents known here, `newest` the highest version seen. `prev` must name exactly the
    rivals: a steward who signs has seen them all, and offices that a later list dropped
    cannot invent a rival that nobody was shown.
    """
    document = decode_document_text(statement.text)
    if document.network != common.document.network:
        raise NotForUs("a document of another network")
    if not isinstance(document.prev, tuple) or set(document.prev) != set(branches):
        raise Mismatch("the document does not name exactly the rivals that are known here")
    if document.version <= newest:
        raise EpochOld("the document is not newer than the rivals that it should end")
    return _verify_successor(statement, document, common.document)


def _verify_successor(statement: Unverified, document: Document, old: Document) -> TrustedDocument:
    if document.created < old.created:
        raise Mismatch("the document is older than its predecessor")
    for before in old.authorities:
        after = document.authority(before.id)
        # An authority that left stays listed as removed: its receipts must stay verifiable.
        if after is None or after.logs[: len(before.logs)] != before.logs:
            raise Mismatch("an authority or one of its logs has vanished or changed its keys")
    signed_by = _require_threshold(statement, old) | _require_threshold(statement, document)
    return TrustedDocument(document, statement, statement.identity, signed_by)


def _require_threshold(statement: Unverified, document: Document) -> frozenset[str]:
    signed_by = verify_offices(statement, document.offices())
    if len(signed_by) < document.threshold:
        raise NotAuthentic(f"{len(signed_by)} stewards signed, {document.threshold} must")
    return signed_by


def rotations(old: Document, new: Document) -> tuple[Rotation, ...]:
    """Give the authorities whose sign keys the new document changes in any way.

    Pruning a term that is over changes nothing. Every other difference, also a new end or
    a new past of an old pair, lets somebody else speak as the authority at some time.
    """
    found = []
    for after in new.authorities:
        before = old.authority(after.id)
        if before is None or _same_terms(before.sign, after.sign):
            continue
        old_pair = before.sign[-1].key_ids
        kept = any(term.key_ids == old_pair for term in after.sign)
        found.append(Rotation(after.id, old_pair, after.sign[-1].key_ids, kept))
    return tuple(found)


def _same_terms(before: Sequence[KeyTerm], after: Sequence[KeyTerm]) -> bool:
    """Say whether two lists of terms differ by nothing but pruned terms that are over."""
    return after[-1] == before[-1] and set(after) <= set(before)


def verify_rotation(rotation: Rotation, statement: Unverified, keys: Sequence[PublicKey]) -> None:
    """Verify that the old pair signed the document that replaces it (SPEC 10.5)."""
    if not rotation.kept or tuple(key.key_id for key in keys) != rotation.old:
        raise NotAuthentic("the old sign pair is not the one that must agree")
    if not verify_offices(statement, {rotation.authority: keys}):
        raise NotAuthentic("the old sign pair has not signed the change")
