"""The bodies of the peer link: batches of envelopes, answers, documents (SPEC 8).

    batch   = u32be(len A) || A || (u32be(len) || envelope)*
    answers = canonical {v, answers: [{envelope, receipt} | {envelope, refusal, proof}
                                      | {envelope, pending: true}], seen, log}

Envelopes, receipts, proofs, checkpoints and documents are bytes here: this module neither
opens nor believes them, and a receipt that decodes proves nothing yet. Every decoder is
total: bytes in, a value or `Rejected` out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from protocol.encoding import Fields, Json, canonical, decode, to_base64
from protocol.errors import Malformed, Misuse, Rejected, TooLarge
from protocol.limits import (
    ANSWERS_MAX,
    BATCH_BYTES_MAX,
    BATCH_ENVELOPES_MAX,
    CONTINUATION_BYTES_MAX,
    DOCUMENT_BYTES_MAX,
    DOCUMENTS_BODY_BYTES_MAX,
    DOCUMENTS_MAX,
    LISTING_BYTES_MAX,
    LISTINGS_BODY_BYTES_MAX,
    LISTINGS_MAX,
    NOTE_BYTES_MAX,
    NOTICE_BYTES_MAX,
    NOTICES_BODY_BYTES_MAX,
    NOTICES_MAX,
    RECEIPT_BYTES_MAX,
    REVOCATION_BYTES_MAX,
    REVOCATIONS_MAX,
)

BATCH_TYPE: Final = "application/vnd.comity.batch.v1"
ANSWERS_TYPE: Final = "application/vnd.comity.answers.v1+json"
DOCUMENTS_TYPE: Final = "application/vnd.comity.documents.v1+json"
LISTINGS_TYPE: Final = "application/vnd.comity.listings.v1+json"
NOTICES_TYPE: Final = "application/vnd.comity.log-notices.v1+json"
KNOWN_TYPE: Final = "application/vnd.comity.known.v1+json"
REFUSAL_TYPE: Final = "application/vnd.comity.refusal.v1+json"

_LENGTH_BYTES: Final = 4
_REFUSAL_BYTES_MAX: Final = 256
_KNOWN_BYTES_MAX: Final = 16_384
_CODE: Final = re.compile(r"[a-z-]{1,32}")  # a peer newer than us may know a word we do not


@dataclass(frozen=True, slots=True)
class Receipted:
    """The peer says it accepted the envelope; `receipt` is unproven bytes until opened."""

    envelope: str
    receipt: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """The peer refuses the envelope; without a proof that is a hint and never final."""

    envelope: str
    code: str
    proof: bytes | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """The peer has the envelope and promises nothing: post it again."""

    envelope: str


Answer: TypeAlias = Receipted | Refused | Pending


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers to the other's envelopes, and what either side knows of the other's log.

    `seen` is the newest checkpoint of the *reader's* log that the writer of this body has
    cosigned, with its cosignature. `log` is a continuation of the *writer's* own log, up to
    a checkpoint that covers every receipt in the body. Both are unproven bytes.
    """

    answers: tuple[Answer, ...] = ()
    seen: bytes | None = field(default=None, repr=False)
    log: bytes | None = field(default=None, repr=False)

    def encode(self) -> bytes:
        """Give the canonical bytes of the answers document."""
        if len(self.answers) > ANSWERS_MAX:
            raise Misuse(f"more than {ANSWERS_MAX} answers at once")
        items: list[Json] = [_answer_json(answer) for answer in self.answers]
        seen, log = _base64_or_none(self.seen), _base64_or_none(self.log)
        return canonical({"v": 1, "answers": items, "seen": seen, "log": log})


NO_ANSWERS: Final = Answers()


@dataclass(frozen=True, slots=True)
class Batch:
    """What travels in one body: answers to the other's envelopes, and envelopes."""

    answers: Answers = NO_ANSWERS
    envelopes: tuple[bytes, ...] = ()

    def encode(self) -> bytes:
        """Give the bytes of the batch; `Misuse` if it is over the limits of SPEC 8."""
        if len(self.envelopes) > BATCH_ENVELOPES_MAX or not all(self.envelopes):
            raise Misuse("a batch holds at most 64 envelopes, none of them empty")
        parts = (self.answers.encode(), *self.envelopes)
        raw = b"".join(len(part).to_bytes(_LENGTH_BYTES) + part for part in parts)
        if len(raw) > BATCH_BYTES_MAX:
            raise Misuse(f"a batch of {len(raw)} bytes, at most {BATCH_BYTES_MAX}")
        return raw


def decode_batch(raw: bytes, *, envelopes_min: int = 0) -> Batch:
    """Decode a batch of at least `envelopes_min` envelopes; every byte belongs to a part."""
    if len(raw) > BATCH_BYTES_MAX:
        raise TooLarge(f"a batch of {len(raw)} bytes, at most {BATCH_BYTES_MAX}")
    parts: list[bytes] = []
    at = 0
    while at < len(raw):
        if len(parts) > BATCH_ENVELOPES_MAX:
            raise TooLarge(f"more than {BATCH_ENVELOPES_MAX} envelopes in a batch")
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(raw[at:start])
        if start > len(raw) or at == start or at > len(raw):
            raise Malformed("a part of the batch is empty or reaches beyond its end")
        parts.append(raw[start:at])
    if not parts:
        raise Malformed("a batch without its answers")
    if len(parts) - 1 < envelopes_min:
        raise Malformed(f"a batch of fewer than {envelopes_min} envelopes")
    return Batch(decode_answers(parts[0]), tuple(parts[1:]))


def _answer_json(answer: Answer) -> Json:
    match answer:
        case Receipted(envelope, receipt):
            return {"envelope": envelope, "receipt": to_base64(receipt)}
        case Refused(envelope, code, proof):
            return {"envelope": envelope, "refusal": code, "proof": _base64_or_none(proof)}
        case Pending(envelope):
            return {"envelope": envelope, "pending": True}


def _base64_or_none(raw: bytes | None) -> str | None:
    return None if raw is None else to_base64(raw)


def decode_answers(raw: bytes) -> Answers:
    """Decode an answers document; what it claims is for its reader to prove."""
    fields = Fields(decode(raw, bytes_max=BATCH_BYTES_MAX), "answers")
    fields.integer("v", low=1, high=1)
    items = fields.items("answers", count_max=ANSWERS_MAX)
    seen = _bytes_or_none(fields, "seen", NOTE_BYTES_MAX)
    log = _bytes_or_none(fields, "log", CONTINUATION_BYTES_MAX)
    fields.done()
    return Answers(tuple(_decode_answer(item) for item in items), seen, log)


def _decode_answer(item: Json) -> Answer:
    fields = Fields(item, "answer")
    envelope = fields.digest("envelope")
    answer: Answer
    if fields.has("receipt"):
        answer = Receipted(envelope, fields.base64("receipt", bytes_max=RECEIPT_BYTES_MAX))
    elif fields.has("refusal"):
        code = fields.text("refusal", pattern=_CODE)
        answer = Refused(envelope, code, _bytes_or_none(fields, "proof", RECEIPT_BYTES_MAX))
    else:
        if fields.take("pending") is not True:
            raise Malformed("answer.pending is not true")
        answer = Pending(envelope)
    fields.done()
    return answer


def _bytes_or_none(fields: Fields, name: str, bytes_max: int) -> bytes | None:
    value = fields.take(name)
    if value is None:
        return None
    return Fields({name: value}, "answers").base64(name, bytes_max=bytes_max)


def encode_documents(documents: Sequence[bytes]) -> bytes:
    """Give the body of `GET /network`: network documents as they were signed."""
    return canonical({"v": 1, "documents": [to_base64(raw) for raw in documents]})


def decode_documents(raw: bytes) -> tuple[bytes, ...]:
    """Decode the body of `GET /network`; each document still has to prove itself."""
    fields = Fields(decode(raw, bytes_max=DOCUMENTS_BODY_BYTES_MAX), "documents")
    fields.integer("v", low=1, high=1)
    documents = _statements(fields, "documents", DOCUMENTS_MAX, DOCUMENT_BYTES_MAX)
    fields.done()
    return documents


def encode_listings(listings: Sequence[bytes], revocations: Sequence[bytes]) -> bytes:
    """Give the body of `GET /listings`: listings and revocations as they were signed."""
    return canonical(
        {
            "v": 1,
            "listings": [to_base64(raw) for raw in listings],
            "revocations": [to_base64(raw) for raw in revocations],
        }
    )


def decode_listings(raw: bytes) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Decode the body of `GET /listings` into listings and revocations, all unproven."""
    fields = Fields(decode(raw, bytes_max=LISTINGS_BODY_BYTES_MAX), "listings")
    fields.integer("v", low=1, high=1)
    listings = _statements(fields, "listings", LISTINGS_MAX, LISTING_BYTES_MAX)
    revocations = _statements(fields, "revocations", REVOCATIONS_MAX, REVOCATION_BYTES_MAX)
    fields.done()
    return listings, revocations


def _statements(fields: Fields, name: str, count_max: int, bytes_max: int) -> tuple[bytes, ...]:
    return tuple(
        Fields({"item": item}, name).base64("item", bytes_max=bytes_max)
        for item in fields.items(name, count_max=count_max)
    )


@dataclass(frozen=True, slots=True)
class Notices:
    """Statements about logs that prove themselves: that one was closed, or that one forked."""

    closures: tuple[bytes, ...] = ()
    forks: tuple[bytes, ...] = ()

    def encode(self) -> bytes:
        """Give the body of `POST /log-notices`."""
        if max(len(self.closures), len(self.forks)) > NOTICES_MAX:
            raise Misuse(f"more than {NOTICES_MAX} notices of a kind at once")
        raw = canonical(
            {
                "v": 1,
                "closures": [to_base64(one) for one in self.closures],
                "forks": [to_base64(one) for one in self.forks],
            }
        )
        if len(raw) > NOTICES_BODY_BYTES_MAX:
            raise Misuse(f"notices of {len(raw)} bytes, at most {NOTICES_BODY_BYTES_MAX}")
        return raw


def decode_notices(raw: bytes) -> Notices:
    """Decode the body of `POST /log-notices`; each notice still has to prove itself."""
    fields = Fields(decode(raw, bytes_max=NOTICES_BODY_BYTES_MAX), "notices")
    fields.integer("v", low=1, high=1)
    closures = _statements(fields, "closures", NOTICES_MAX, NOTICE_BYTES_MAX)
    forks = _statements(fields, "forks", NOTICES_MAX, NOTICE_BYTES_MAX)
    fields.done()
    return Notices(closures, forks)


def encode_known(digests: Sequence[str]) -> bytes:
    """Give the answer to notices: the SHA-256 of each of them that is held now."""
    return canonical({"v": 1, "known": [*digests]})


def decode_known(raw: bytes) -> tuple[str, ...]:
    """Decode which notices the peer holds now."""
    fields = Fields(decode(raw, bytes_max=_KNOWN_BYTES_MAX), "known")
    fields.integer("v", low=1, high=1)
    items = fields.items("known", count_max=2 * NOTICES_MAX)
    fields.done()
    return tuple(Fields({"digest": item}, "known").digest("digest") for item in items)


def encode_refusal(refusal: Rejected) -> bytes:
    """Give the body that refuses a whole request: one short code and nothing else."""
    return canonical({"v": 1, "refusal": refusal.code})


def decode_refusal(raw: bytes) -> str:
    """Decode the body of a refused request into its code."""
    fields = Fields(decode(raw, bytes_max=_REFUSAL_BYTES_MAX), "refusal")
    fields.integer("v", low=1, high=1)
    code = fields.text("refusal", pattern=_CODE)
    fields.done()
    return code
