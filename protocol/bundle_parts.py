"""The parts of a bundle in their forms, and the one order in which they stand (SPEC 15.2).

    parts = parse_parts(decode_bundle(raw))
    raw = make_bundle(about, {"messages": inners, "receipts": receipts, …}).encode()

Whoever makes a bundle gives the parts of each folder in any order; they are decoded, sorted
and counted, and the summary is written from them. Whoever reads one gets each part decoded,
and no word on whether any of it is true: that is for `protocol/bundle_check.py`. Knows no
key and verifies no signature.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, Generic, TypeAlias, TypeVar, cast

from protocol.bundle import FOLDERS, About, Bundle
from protocol.checkpoint import Checkpoint, claimed_checkpoint
from protocol.closure import Closure, decode_closure, decode_closure_text
from protocol.continuation import Continuation, decode_continuation
from protocol.digest import sha256_hex
from protocol.document import Document, decode_document_text
from protocol.dsse import Unverified
from protocol.encoding import Fields, Json, canonical, decode, to_base64
from protocol.errors import Malformed
from protocol.fork import Fork, decode_fork
from protocol.identity import AUTHORITY_ID
from protocol.limits import (
    MANIFEST_FILE_BYTES_MAX,
    NOTE_BYTES_MAX,
    RECORD_BYTES_MAX,
    TIMESTAMP_BYTES_MAX,
)
from protocol.listing import Listing, decode_listing, decode_listing_text
from protocol.messages import Message, decode_inner, decode_message_text
from protocol.network import decode_document
from protocol.proof import Proof, decode_proof
from protocol.receipt import Receipt, decode_receipt
from protocol.record import Decision, decode_decision
from protocol.revocation import Revocation, decode_revocation, decode_revocation_text
from protocol.summary import Told, render_summary

Key: TypeAlias = tuple[str | int, ...]
Text = TypeVar("Text", Document, Listing, Revocation, Closure)

_KIND: Final = re.compile(r"[a-z]+(\.[a-z-]+)?")


@dataclass(frozen=True, slots=True)
class MessagePart:
    """The statement of a message and its text; nobody has checked the signatures."""

    statement: Unverified = field(repr=False)
    message: Message
    identity: str
    raw: bytes = field(repr=False)

    @property
    def place(self) -> tuple[str, int]:
        """Whose message it is and which."""
        return self.message.sender, self.message.seq


@dataclass(frozen=True, slots=True)
class AnyRecord:
    """A record of any kind: what all have, and the fields of its kind as they are."""

    network: str
    kind: str
    at: int
    fields: Mapping[str, Json] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ProofPart:
    """A record with its salt and the proof of its entry; a receipt is one about a message."""

    receipt: Receipt = field(repr=False)
    record: AnyRecord
    proof: Proof = field(repr=False)
    checkpoint: Checkpoint
    raw: bytes = field(repr=False)
    decision: Decision | None = None

    @property
    def place(self) -> tuple[str, int]:
        """The log it is in, and which entry of it."""
        return self.checkpoint.origin, self.proof.index


@dataclass(frozen=True, slots=True)
class ReceiptPart:
    """The decision of a receipt with its proof."""

    decision: Decision
    proof: ProofPart


@dataclass(frozen=True, slots=True)
class StatementPart(Generic[Text]):
    """A signed statement about the network, and what it says."""

    statement: Unverified = field(repr=False)
    raw: bytes = field(repr=False)
    text: Text

    @property
    def digest(self) -> str:
        """The digest of the statement."""
        return self.statement.identity


DocumentPart: TypeAlias = StatementPart[Document]
ListingPart: TypeAlias = StatementPart[Listing]
RevocationPart: TypeAlias = StatementPart[Revocation]
ClosurePart: TypeAlias = StatementPart[Closure]


@dataclass(frozen=True, slots=True)
class HeadPart:
    """A continuation with the checkpoint that it leads to."""

    continuation: Continuation = field(repr=False)
    checkpoint: Checkpoint
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class TimestampPart:
    """A time-stamp token over the bytes of a checkpoint; who may judge it is outside."""

    checkpoint_raw: bytes = field(repr=False)
    checkpoint: Checkpoint
    token: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything in a bundle in its form and order; nothing of it is proved."""

    about: About
    messages: tuple[MessagePart, ...]
    receipts: tuple[ReceiptPart, ...]
    manifests: tuple[str, ...]  # their digests
    records: tuple[ProofPart, ...]
    documents: tuple[DocumentPart, ...]
    listings: tuple[ListingPart, ...]
    revocations: tuple[RevocationPart, ...]
    closures: tuple[ClosurePart, ...]
    forks: tuple[Fork, ...]
    forks_raw: tuple[bytes, ...] = field(repr=False)
    heads: tuple[HeadPart, ...]
    timestamps: tuple[TimestampPart, ...]


# --- one part --------------------------------------------------------------


def read_message(raw: bytes) -> MessagePart:
    """Decode the statement of a message to its text."""
    statement = decode_inner(raw)
    return MessagePart(statement, decode_message_text(statement.text), statement.identity, raw)


def read_any_record(raw: bytes) -> AnyRecord:
    """Decode a record of any kind: the fields that all have are strict, the others open."""
    fields = Fields(decode(raw, bytes_max=RECORD_BYTES_MAX), "record")
    fields.integer("v", low=1, high=1)
    return AnyRecord(
        network=fields.text("network", pattern=AUTHORITY_ID),
        kind=fields.text("kind", pattern=_KIND, chars_max=64),
        at=fields.integer("at"),
        fields=cast("Mapping[str, Json]", decode(raw, bytes_max=RECORD_BYTES_MAX)),
    )


def read_proof(raw: bytes) -> ProofPart:
    """Decode a record, its salt and its proof (`.proof.json`), to its last part."""
    receipt = decode_receipt(raw)
    proof = decode_proof(receipt.proof)
    return ProofPart(
        receipt,
        read_any_record(receipt.record),
        proof,
        claimed_checkpoint(proof.checkpoint_raw),
        raw,
    )


def read_receipt(raw: bytes) -> ReceiptPart:
    """Decode a receipt, to its last part."""
    part = read_proof(raw)
    return ReceiptPart(decode_decision(part.receipt.record), part)


def _read_manifest(raw: bytes) -> str:
    decode(raw, bytes_max=MANIFEST_FILE_BYTES_MAX)
    return sha256_hex(raw)


def _read_document(raw: bytes) -> DocumentPart:
    statement = decode_document(raw)
    return StatementPart(statement, raw, decode_document_text(statement.text))


def _read_listing(raw: bytes) -> ListingPart:
    statement = decode_listing(raw)
    return StatementPart(statement, raw, decode_listing_text(statement.text))


def _read_revocation(raw: bytes) -> RevocationPart:
    statement = decode_revocation(raw)
    return StatementPart(statement, raw, decode_revocation_text(statement.text))


def _read_closure(raw: bytes) -> ClosurePart:
    statement = decode_closure(raw)
    return StatementPart(statement, raw, decode_closure_text(statement.text))


def read_head(raw: bytes) -> HeadPart:
    """Decode a continuation and the checkpoint in it."""
    continuation = decode_continuation(raw)
    return HeadPart(continuation, claimed_checkpoint(continuation.checkpoint_raw), raw)


def encode_timestamp(checkpoint: bytes, token: bytes) -> bytes:
    """Give a timestamp as it stands in a bundle."""
    return canonical({"v": 1, "checkpoint": to_base64(checkpoint), "token": to_base64(token)})


def read_timestamp(raw: bytes) -> TimestampPart:
    """Decode a timestamp; the token inside is not looked into."""
    bytes_max = (NOTE_BYTES_MAX + TIMESTAMP_BYTES_MAX) * 2
    fields = Fields(decode(raw, bytes_max=bytes_max), "timestamp")
    fields.integer("v", low=1, high=1)
    checkpoint = fields.base64("checkpoint", bytes_max=NOTE_BYTES_MAX)
    token = fields.base64("token", bytes_max=TIMESTAMP_BYTES_MAX)
    fields.done()
    return TimestampPart(checkpoint, claimed_checkpoint(checkpoint), token)


# --- their order -----------------------------------------------------------

_KEYS: Final[Mapping[str, Callable[[bytes], Key]]] = {
    "messages": lambda raw: read_message(raw).place,
    "receipts": lambda raw: (read_receipt(raw).decision.identity,),
    "manifests": lambda raw: (_read_manifest(raw),),
    "records": lambda raw: read_proof(raw).place,
    "documents": lambda raw: (_read_document(raw).text.version,),
    "listings": lambda raw: _listing_key(_read_listing(raw)),
    "revocations": lambda raw: (_read_revocation(raw).digest,),
    "closures": lambda raw: _closure_key(_read_closure(raw)),
    "forks": lambda raw: (decode_fork(raw).origin,),
    "heads": lambda raw: _head_key(read_head(raw)),
    "timestamps": lambda raw: _timestamp_key(read_timestamp(raw)),
}


def _listing_key(part: ListingPart) -> Key:
    return part.text.authority, part.text.serial, part.digest


def _closure_key(part: ClosurePart) -> Key:
    return part.text.authority, part.text.number


def _head_key(part: HeadPart) -> Key:
    links = part.continuation.links
    return part.checkpoint.origin, part.checkpoint.size, links[0].size if links else 0


def _timestamp_key(part: TimestampPart) -> Key:
    return part.checkpoint.origin, part.checkpoint.size, sha256_hex(part.token)


def make_bundle(about: About, parts: Mapping[str, Iterable[bytes]]) -> Bundle:
    """Make a bundle of these parts, in any order, equal ones once; `.encode()` gives the file.

    Raises `Malformed` if a part is not in its form, or if two have one place.
    """
    ordered = {
        folder: tuple(sorted(set(parts.get(folder, ())), key=_KEYS[folder])) for folder in FOLDERS
    }
    read = parse_parts(Bundle(about, ordered, b""))
    return Bundle(about, ordered, summary_of(read))


def summary_of(parts: Parts) -> bytes:
    """Give the summary that belongs to these parts (SPEC 15.5)."""
    told = Told(
        messages=[(one.identity, one.message) for one in parts.messages],
        decisions=[one.decision for one in parts.receipts],
        records=len(parts.records),
    )
    return render_summary(parts.about, told)


def parse_parts(bundle: Bundle) -> Parts:
    """Decode every part and check the order in each folder (SPEC 15.2)."""
    folder = bundle.folder
    forks = folder("forks")
    parts = Parts(
        about=bundle.about,
        messages=tuple(map(read_message, folder("messages"))),
        receipts=tuple(map(read_receipt, folder("receipts"))),
        manifests=tuple(map(_read_manifest, folder("manifests"))),
        records=tuple(map(read_proof, folder("records"))),
        documents=tuple(map(_read_document, folder("documents"))),
        listings=tuple(map(_read_listing, folder("listings"))),
        revocations=tuple(map(_read_revocation, folder("revocations"))),
        closures=tuple(map(_read_closure, folder("closures"))),
        forks=tuple(map(decode_fork, forks)),
        forks_raw=forks,
        heads=tuple(map(read_head, folder("heads"))),
        timestamps=tuple(map(read_timestamp, folder("timestamps"))),
    )
    _check_order("messages", [one.place for one in parts.messages])
    _check_order("receipts", [(one.decision.identity,) for one in parts.receipts])
    _check_order("manifests", [(digest,) for digest in parts.manifests])
    _check_order("records", [one.place for one in parts.records])
    _check_order("documents", [(one.text.version,) for one in parts.documents])
    _check_order("listings", [_listing_key(one) for one in parts.listings])
    _check_order("revocations", [(one.digest,) for one in parts.revocations])
    _check_order("closures", [_closure_key(one) for one in parts.closures])
    _check_order("forks", [(one.origin,) for one in parts.forks])
    _check_order("heads", [_head_key(one) for one in parts.heads])
    _check_order("timestamps", [_timestamp_key(one) for one in parts.timestamps])
    return parts


def _check_order(folder: str, keys: Sequence[Key]) -> None:
    """Refuse two parts with one key, and parts that are not in ascending order."""
    if any(left >= right for left, right in pairwise(keys)):
        raise Malformed(f"two of the {folder} have one place, or they are out of order")
