"""The receipt file: a receipt with all that a stranger needs to verify it offline (SPEC 7.4).

    {"closures":[],"documents":[…],"kind":"comity-receipt","listings":[…],"receipt":"…","v":1}

Beside the receipt stand the network document of the time and the issuer's listing, byte for
byte as they were signed; for a log that no document lists, because it goes on for one whose
state was lost, also the closures that lead to it. What they prove is relative: the document
is believed by its own list of stewards, and whether it is the network's true one is for a
person to say, who compares its fingerprint. This module knows no directory, no clock and no
disk; whether a key was revoked later is not in the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from protocol.checkpoint import LogKeys, SignedCheckpoint, claimed_checkpoint, log_origin, number_of
from protocol.closure import (
    Closure,
    TrustedClosure,
    decode_closure,
    decode_closure_text,
    log_terms,
    verify_closure,
)
from protocol.document import Document, KeyIds, decode_document_text
from protocol.dsse import Unverified
from protocol.encoding import Fields, canonical, decode, to_base64
from protocol.errors import KeyUnknown, Malformed, Misuse, NotAuthentic, NotForUs, NotPermitted
from protocol.limits import (
    CLOSURE_BYTES_MAX,
    DOCUMENT_BYTES_MAX,
    DOCUMENTS_MAX,
    LISTING_BYTES_MAX,
    RECEIPT_BYTES_MAX,
    RECEIPT_FILE_BYTES_MAX,
    RECEIPT_FILE_CLOSURES_MAX,
    RECEIPT_FILE_LISTINGS_MAX,
)
from protocol.listing import (
    Listing,
    TrustedListing,
    decode_listing,
    decode_listing_text,
    verify_listing,
)
from protocol.merkle import leaf_hash, verify_inclusion
from protocol.network import TrustedDocument, decode_document, verify_first
from protocol.proof import decode_proof
from protocol.receipt import Receipt, decode_receipt, verify_receipt
from protocol.record import Decision, commitment, decode_decision, entry

RECEIPT_FILE_KIND: Final = "comity-receipt"

Shown: TypeAlias = tuple[bytes, Listing]
"""A listing as it was signed, and what it says."""


@dataclass(frozen=True, slots=True)
class ReceiptFile:
    """A receipt file in its right form; nothing of it is proved yet."""

    receipt: bytes = field(repr=False)
    documents: tuple[bytes, ...] = field(repr=False)
    listings: tuple[bytes, ...] = field(repr=False)
    closures: tuple[bytes, ...] = field(default=(), repr=False)

    def encode(self) -> bytes:
        """Give the canonical bytes of the file."""
        return canonical({
            "v": 1, "kind": RECEIPT_FILE_KIND, "receipt": to_base64(self.receipt),
            "documents": [to_base64(raw) for raw in self.documents],
            "listings": [to_base64(raw) for raw in self.listings],
            "closures": [to_base64(raw) for raw in self.closures],
        })  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReceiptClaim:
    """What a receipt says of itself: whose it is, of which log, and about which message."""

    receipt: Receipt = field(repr=False)
    decision: Decision
    origin: str
    index: int
    size: int

    @property
    def log_number(self) -> int:
        """The number of the log within its authority's logs."""
        return number_of(self.origin)


@dataclass(frozen=True, slots=True)
class VerifiedReceiptFile:
    """A decision that stands in its issuer's log, if `documents` are the network's own."""

    decision: Decision
    index: int
    signed: SignedCheckpoint
    documents: tuple[TrustedDocument, ...]
    listing: TrustedListing
    receipt: bytes = field(repr=False)
    closures: tuple[TrustedClosure, ...] = ()  # oldest first; they lead to the log

    @property
    def issuer(self) -> str:
        """The authority whose log it is."""
        return self.decision.recipient

    @property
    def document_digest(self) -> str:
        """The digest of the document that all this rests on: the newest in the file."""
        return self.documents[-1].digest


def encode_receipt_file(
    receipt: bytes,
    *,
    documents: Sequence[bytes],
    listings: Sequence[bytes],
    closures: Sequence[bytes] = (),
) -> bytes:
    """Make the file of a receipt from the documents that judge it and its issuer's statements.

    Of the closures only those go in that lead to a log which the documents do not list; of
    the listings, oldest first, only the newest that shows the keys of the receipt's log, and
    those that closed one: it is all that a reader needs. Raises `Rejected` if any part is not
    in its form.
    """
    claim = read_claim(receipt)
    texts = [decode_document_text(decode_document(raw).text) for raw in documents]
    leading = _leading(texts, closures, claim)
    ends = [decode_closure_text(one.text) for one in leading]
    wanted: set[tuple[str, ...]] = {
        key_ids for one in texts if (key_ids := _log_key_ids(one, ends, claim))
    }
    wanted |= {tuple(made.key_id for made in one.signatures) for one in leading}
    shown = _decode_listings(listings)
    newest = {found[-1] for key_ids in wanted if (found := _showing(shown, key_ids))}
    made = ReceiptFile(
        receipt,
        tuple(documents),
        tuple(raw for raw in listings if raw in newest),
        tuple(one.encode() for one in leading),
    ).encode()
    counts_fit = len(documents) <= DOCUMENTS_MAX and len(leading) <= RECEIPT_FILE_CLOSURES_MAX
    if not counts_fit or len(made) > RECEIPT_FILE_BYTES_MAX:
        raise Misuse("more documents or closures than a receipt file may hold")
    return made


def _leading(
    documents: Sequence[Document], closures: Sequence[bytes], claim: ReceiptClaim
) -> tuple[Unverified, ...]:
    """Give the closures that lead to the receipt's log from one that all documents list."""
    before: dict[int, tuple[int, Unverified]] = {}  # the closed log, by the one that goes on
    for raw in closures:
        statement = decode_closure(raw)
        one = decode_closure_text(statement.text)
        ours = (one.authority, one.reason) == (claim.decision.recipient, "lost-state")
        if ours and one.number < before.get(one.next_number, (one.next_number,))[0]:
            before[one.next_number] = (one.number, statement)
    leading: list[Unverified] = []
    number = claim.log_number
    while number in before and not all(number in _listed(one, claim) for one in documents):
        number, statement = before[number]
        leading.insert(0, statement)
    return tuple(leading)


def decode_receipt_file(raw: bytes) -> ReceiptFile:
    """Decode a receipt file strictly; what is inside is decoded when it is verified."""
    fields = Fields(decode(raw, bytes_max=RECEIPT_FILE_BYTES_MAX), "receipt file")
    fields.integer("v", low=1, high=1)
    fields.choice("kind", (RECEIPT_FILE_KIND,))
    file = ReceiptFile(
        receipt=fields.base64("receipt", bytes_max=RECEIPT_BYTES_MAX),
        documents=_statements(fields, "documents", DOCUMENTS_MAX, DOCUMENT_BYTES_MAX),
        listings=_statements(fields, "listings", RECEIPT_FILE_LISTINGS_MAX, LISTING_BYTES_MAX),
        closures=_statements(fields, "closures", RECEIPT_FILE_CLOSURES_MAX, CLOSURE_BYTES_MAX),
    )
    fields.done()
    return file


def _statements(fields: Fields, name: str, count_max: int, bytes_max: int) -> tuple[bytes, ...]:
    return tuple(
        Fields({"item": item}, name).base64("item", bytes_max=bytes_max)
        for item in fields.items(name, count_max=count_max)
    )


def read_claim(raw: bytes) -> ReceiptClaim:
    """Decode a receipt to its last part and check that its parts fit; proves nothing.

    Raises `Malformed` or `TooLarge` if a part is not in its form, `NotAuthentic` if the
    receipt contradicts itself: a decision about a message to somebody else than its log's
    owner, or a path that does not lead from the record to the root. No signature is judged.
    """
    receipt = decode_receipt(raw)
    decision = decode_decision(receipt.record)
    proof = decode_proof(receipt.proof)
    checkpoint = claimed_checkpoint(proof.checkpoint_raw)
    claim = ReceiptClaim(receipt, decision, checkpoint.origin, proof.index, checkpoint.size)
    if claim.origin != log_origin(decision.network, decision.recipient, claim.log_number):
        raise NotAuthentic("a decision that is not made by the owner of the log")
    leaf = leaf_hash(entry(commitment(receipt.record, receipt.salt)))
    verify_inclusion(
        leaf=leaf,
        index=proof.index,
        size=checkpoint.size,
        path=proof.path,
        root=checkpoint.root,
    )
    return claim


def verify_receipt_file(raw: bytes) -> VerifiedReceiptFile:
    """Verify a receipt file by what is in it (SPEC 7.4), relative to its documents.

    Raises `KeyUnknown` if the file does not hold what would decide it, and another
    `Rejected` if something in it is wrong. The caller must show the fingerprint of the
    document to a person, or compare it with one that is trusted.
    """
    # (1) The form of the file, of the receipt to its last part, and of the way to its log.
    file = decode_receipt_file(raw)
    claim = read_claim(file.receipt)
    ends = _decode_ends(file.closures, claim)
    listings = _decode_listings(file.listings)
    # (2) Each document, by its own stewards.
    documents = _verify_documents(file, claim)
    # (3) Closures, by the sign pairs of their time.
    closures = tuple(_verify_closure(raw, documents, listings) for raw in file.closures)
    # (4) All documents give the log one pair of keys, whichever is the network's own.
    key_ids = _agreed_key_ids(documents, ends, claim)
    # (5) The newest listing that shows these keys, by the sign keys that each document names.
    listing = _verify_listing(listings, documents, claim.decision.recipient, key_ids)
    # (6) Keys, found by the ids that the stewards signed.
    keys = _log_keys(listing, key_ids)
    # (7) The receipt itself.
    proven = verify_receipt(
        file.receipt,
        network=claim.decision.network,
        issuer=claim.decision.recipient,
        origin=claim.origin,
        keys=keys,
    )
    return VerifiedReceiptFile(
        proven.decision, proven.index, proven.signed, documents, listing, file.receipt, closures
    )


def _decode_ends(closures: Sequence[bytes], claim: ReceiptClaim) -> tuple[Closure, ...]:
    """Decode the closures and check that each leads to the next, and the last to the log."""
    ends = tuple(decode_closure_text(decode_closure(raw).text) for raw in closures)
    closed = [one.origin for one in ends]
    if [one.next_origin for one in ends] != [*closed, claim.origin][1:]:
        raise NotAuthentic("closures that do not lead to the log of the receipt")
    return ends


def _verify_documents(file: ReceiptFile, claim: ReceiptClaim) -> tuple[TrustedDocument, ...]:
    documents = tuple(verify_first(decode_document(one)) for one in file.documents)
    if not documents:
        raise KeyUnknown("the file holds no network document")
    if any(one.document.network != claim.decision.network for one in documents):
        raise NotForUs("a document of another network than the receipt's")
    return documents


def _verify_closure(
    raw: bytes, documents: Sequence[TrustedDocument], listings: Sequence[Shown]
) -> TrustedClosure:
    statement = decode_closure(raw)
    closure = decode_closure_text(statement.text)
    found = {_sign_key_ids(one.document, closure) for one in documents}
    if len(found) > 1:
        raise KeyUnknown("the documents name different keys for the closure of a log")
    (key_ids,) = found
    listing = _verify_listing(listings, documents, closure.authority, key_ids)
    pair = [one.key for key_id in key_ids if (one := listing.listing.key(key_id)) is not None]
    return [verify_closure(statement, one.document, pair) for one in documents][-1]


def _sign_key_ids(document: Document, closure: Closure) -> KeyIds:
    entry = document.authority(closure.authority)
    if entry is None:
        raise NotPermitted("the document does not list the authority that closed the log")
    return entry.sign_at(closure.created)


def _agreed_key_ids(
    documents: Sequence[TrustedDocument], ends: Sequence[Closure], claim: ReceiptClaim
) -> KeyIds:
    found = {_log_key_ids(one.document, ends, claim) for one in documents}
    if len(found) > 1:
        raise KeyUnknown("the documents name different keys for the log")
    (key_ids,) = found
    if key_ids is None:
        raise KeyUnknown("the document does not list the log of the receipt")
    return key_ids


def _log_key_ids(document: Document, ends: Sequence[Closure], claim: ReceiptClaim) -> KeyIds | None:
    return _listed(document, claim, ends).get(claim.log_number)


def _listed(
    document: Document, claim: ReceiptClaim, ends: Sequence[Closure] = ()
) -> Mapping[int, KeyIds]:
    """Give the keys of the issuer's logs: listed ones, and those that closures lead to."""
    entry = document.authority(claim.decision.recipient)
    return {} if entry is None else log_terms(entry, ends)


def _decode_listings(listings: Sequence[bytes]) -> tuple[Shown, ...]:
    return tuple((raw, decode_listing_text(decode_listing(raw).text)) for raw in listings)


def _showing(listings: Sequence[Shown], key_ids: Sequence[str]) -> list[bytes]:
    """Give the listings, verified or not, that show all these keys."""
    return [raw for raw, one in listings if all(one.key(key_id) for key_id in key_ids)]


def _verify_listing(
    listings: Sequence[Shown],
    documents: Sequence[TrustedDocument],
    issuer: str,
    key_ids: KeyIds,
) -> TrustedListing:
    showing = _showing(listings, key_ids)
    if not showing:
        raise KeyUnknown("no listing in the file shows the keys of the log, or of its closure")
    verified = [
        verify_listing(decode_listing(showing[-1]), _as_listed(one.document, issuer))
        for one in documents
    ]
    # It is the issuer's own: a key stands once in a document, and a listing shows no other's.
    return verified[-1]


def _as_listed(document: Document, issuer: str) -> Document:
    """Give the document with its issuer active.

    An authority that was removed stays listed exactly so that its receipts can still be
    verified; only new listings of it are refused, and this is an old one.
    """
    entry = document.authority(issuer)
    return document if entry is None else document.with_authority(replace(entry, status="active"))


def _log_keys(listing: TrustedListing, key_ids: KeyIds) -> LogKeys:
    first, second = (listing.listing.key(key_id) for key_id in key_ids)
    if first is None or second is None or {first.key.purpose, second.key.purpose} != {"log"}:
        raise NotAuthentic("the keys of the log are listed for another purpose")
    if (first.key.algorithm, second.key.algorithm) != ("ed25519", "ml-dsa-44"):
        raise Malformed("the keys of the log are not a pair in its order")
    return LogKeys(first.key, second.key)
