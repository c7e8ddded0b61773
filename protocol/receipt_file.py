"""The receipt file: a receipt with all that a stranger needs to verify it offline (SPEC 7.4).

    {"documents":[…],"kind":"comity-receipt","listings":[…],"receipt":"…","v":1}

Beside the receipt stand the network document of the time and the issuer's listing, byte for
byte as they were signed. What they prove is relative: the document is believed by its own
list of stewards, and whether it is the network's true one is for a person to say, who
compares its fingerprint. This module knows no directory, no clock and no disk; whether a
key was revoked later is not in the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from protocol.checkpoint import LogKeys, SignedCheckpoint, decode_body, log_origin
from protocol.document import Document, KeyIds, decode_document_text
from protocol.encoding import Fields, canonical, decode, to_base64
from protocol.errors import KeyUnknown, Malformed, Misuse, NotAuthentic, NotForUs
from protocol.limits import (
    DOCUMENT_BYTES_MAX,
    DOCUMENTS_MAX,
    LISTING_BYTES_MAX,
    RECEIPT_BYTES_MAX,
    RECEIPT_FILE_BYTES_MAX,
    RECEIPT_FILE_LISTINGS_MAX,
)
from protocol.listing import (
    TrustedListing,
    decode_listing,
    decode_listing_text,
    verify_listing,
)
from protocol.merkle import leaf_hash, verify_inclusion
from protocol.network import TrustedDocument, decode_document, verify_first
from protocol.note import decode_note
from protocol.proof import decode_proof
from protocol.receipt import Receipt, decode_receipt, verify_receipt
from protocol.record import Decision, commitment, decode_decision, entry

RECEIPT_FILE_KIND: Final = "comity-receipt"


@dataclass(frozen=True, slots=True)
class ReceiptFile:
    """A receipt file in its right form; nothing of it is proved yet."""

    receipt: bytes = field(repr=False)
    documents: tuple[bytes, ...] = field(repr=False)
    listings: tuple[bytes, ...] = field(repr=False)

    def encode(self) -> bytes:
        """Give the canonical bytes of the file."""
        return canonical({
            "v": 1, "kind": RECEIPT_FILE_KIND, "receipt": to_base64(self.receipt),
            "documents": [to_base64(raw) for raw in self.documents],
            "listings": [to_base64(raw) for raw in self.listings],
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
        return int(self.origin.rpartition("/")[2])


@dataclass(frozen=True, slots=True)
class VerifiedReceiptFile:
    """A decision that stands in its issuer's log, if `documents` are the network's own."""

    decision: Decision
    index: int
    signed: SignedCheckpoint
    documents: tuple[TrustedDocument, ...]
    listing: TrustedListing
    receipt: bytes = field(repr=False)

    @property
    def issuer(self) -> str:
        """The authority whose log it is."""
        return self.decision.recipient

    @property
    def document_digest(self) -> str:
        """The digest of the document that all this rests on: the newest in the file."""
        return self.documents[-1].digest


def encode_receipt_file(
    receipt: bytes, *, documents: Sequence[bytes], listings: Sequence[bytes]
) -> bytes:
    """Make the file of a receipt from the documents that judge it and its issuer's listings.

    Of the listings, oldest first, only the newest that shows the keys of the receipt's log
    goes in: it is all that a reader needs. Raises `Rejected` if any part is not in its form.
    """
    claim = read_claim(receipt)
    wanted = {
        key_ids
        for raw in documents
        if (key_ids := _log_key_ids(decode_document_text(decode_document(raw).text), claim))
    }
    showing = [raw for raw in listings if any(_shows(raw, key_ids) for key_ids in wanted)]
    made = ReceiptFile(receipt, tuple(documents), tuple(showing[-1:])).encode()
    if len(documents) > DOCUMENTS_MAX or len(made) > RECEIPT_FILE_BYTES_MAX:
        raise Misuse("more documents than a receipt file may hold")
    return made


def decode_receipt_file(raw: bytes) -> ReceiptFile:
    """Decode a receipt file strictly; what is inside is decoded when it is verified."""
    fields = Fields(decode(raw, bytes_max=RECEIPT_FILE_BYTES_MAX), "receipt file")
    fields.integer("v", low=1, high=1)
    fields.choice("kind", (RECEIPT_FILE_KIND,))
    file = ReceiptFile(
        receipt=fields.base64("receipt", bytes_max=RECEIPT_BYTES_MAX),
        documents=_statements(fields, "documents", DOCUMENTS_MAX, DOCUMENT_BYTES_MAX),
        listings=_statements(fields, "listings", RECEIPT_FILE_LISTINGS_MAX, LISTING_BYTES_MAX),
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
    checkpoint = decode_body(decode_note(proof.checkpoint_raw).body)
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
    # (1) The form of the file, and of the receipt to its last part.
    file = decode_receipt_file(raw)
    claim = read_claim(file.receipt)
    # (2) Each document, by its own stewards.
    documents = tuple(verify_first(decode_document(one)) for one in file.documents)
    if not documents:
        raise KeyUnknown("the file holds no network document")
    # (3) All of them name one pair of keys for the log, whichever is the network's own.
    key_ids = _agreed_key_ids(documents, claim)
    # (4) The newest listing that shows these keys, by the sign keys that each document names.
    listing = _verify_listing(file.listings, documents, claim.decision.recipient, key_ids)
    # (5) Keys, found by the ids that the stewards signed.
    keys = _log_keys(listing, key_ids)
    # (6) The receipt itself.
    proven = verify_receipt(
        file.receipt,
        network=claim.decision.network,
        issuer=claim.decision.recipient,
        origin=claim.origin,
        keys=keys,
    )
    return VerifiedReceiptFile(
        proven.decision, proven.index, proven.signed, documents, listing, file.receipt
    )


def _agreed_key_ids(documents: Sequence[TrustedDocument], claim: ReceiptClaim) -> KeyIds:
    if any(one.document.network != claim.decision.network for one in documents):
        raise NotForUs("a document of another network than the receipt's")
    found = {_log_key_ids(one.document, claim) for one in documents}
    if len(found) > 1:
        raise KeyUnknown("the documents name different keys for the log")
    (key_ids,) = found
    if key_ids is None:
        raise KeyUnknown("the document does not list the log of the receipt")
    return key_ids


def _log_key_ids(document: Document, claim: ReceiptClaim) -> KeyIds | None:
    entry = document.authority(claim.decision.recipient)
    logs = () if entry is None else entry.logs
    return next((one.key_ids for one in logs if one.number == claim.log_number), None)


def _shows(raw: bytes, key_ids: KeyIds) -> bool:
    """Say whether a listing, verified or not, shows both keys."""
    listing = decode_listing_text(decode_listing(raw).text)
    return all(listing.key(key_id) is not None for key_id in key_ids)


def _verify_listing(
    listings: Sequence[bytes],
    documents: Sequence[TrustedDocument],
    issuer: str,
    key_ids: KeyIds,
) -> TrustedListing:
    shown = [raw for raw in listings if _shows(raw, key_ids)]
    if not shown:
        raise KeyUnknown("no listing in the file shows the keys of the log")
    verified = [
        verify_listing(decode_listing(shown[-1]), _as_listed(one.document, issuer))
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
