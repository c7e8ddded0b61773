"""One file and what it proves: for somebody who has nothing else, no node and no network.

    judged = verify_file(path.read_bytes(), trusted_fingerprint=None)

A receipt file, a bare receipt, a bare log proof, a network document or a listing is
recognised by its content, verified as far as it goes, and told in sentences for people:
what is proved, on which condition, and what is not. A file that is recognisably one of
ours and does not hold is false; what cannot be decided from the file alone is undecided.

This module opens no file and knows no node. Everything it says about trust is relative to
a network document, named by its fingerprint.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Final

from keys.fingerprint import DIGITS, document_fingerprint
from protocol.checkpoint import decode_body
from protocol.digest import sha256_hex
from protocol.dsse import Unverified, verify_exactly
from protocol.encoding import HEX64, Json
from protocol.errors import KeyUnknown, Misuse, NotAuthentic, Rejected
from protocol.listing import LISTING_TYPE, decode_listing, decode_listing_text
from protocol.network import NETWORK_TYPE, TrustedDocument, decode_document, verify_first
from protocol.note import decode_note
from protocol.proof import decode_proof
from protocol.receipt_file import (
    RECEIPT_FILE_KIND,
    VerifiedReceiptFile,
    read_claim,
    verify_receipt_file,
)
from protocol.record import Decision

_DOCUMENT: Final = "network document"
_LISTING: Final = "listing"
_FILE: Final = "receipt file"
_RECEIPT: Final = "receipt"
_PROOF: Final = "log proof"


class Verdict(Enum):
    """What a file comes to."""

    TRUE = "true"
    FALSE = "false"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome for one file; `fields` hold the same for machines."""

    conclusion: Verdict
    kind: str | None
    statements: tuple[str, ...] = ()
    not_proved: tuple[str, ...] = ()
    fields: Mapping[str, Json] = field(default_factory=dict)


def verify_file(raw: bytes, *, trusted_fingerprint: str | None = None) -> Judgement:
    """Judge the content of one file.

    `trusted_fingerprint` is that of the network document which the reader trusts, as 60
    digits or 64 hex digits, with spaces or without; anything else is `Misuse`. Without it,
    what a file proves is told on the condition that its document is the true one.
    """
    trusted = None if trusted_fingerprint is None else _normal(trusted_fingerprint)
    kind = _recognise(raw)
    if kind is None:
        sentence = "This is no receipt, log proof, network document or listing of Comity."
        return Judgement(Verdict.UNDECIDED, None, (), (sentence,))
    try:
        return _JUDGES[kind](raw, trusted)
    except KeyUnknown as fault:
        missing = f"It cannot be decided from this file alone: {fault.detail}."
        return Judgement(Verdict.UNDECIDED, kind, (), (missing,))
    except Rejected as fault:
        said = f"This {kind} does not hold: {fault.detail}."
        nothing = "Nothing that it says is proved: it was altered, damaged or made up."
        fields: dict[str, Json] = {"code": fault.code, "fault": fault.detail}
        return Judgement(Verdict.FALSE, kind, (said,), (nothing,), fields)


def _normal(fingerprint: str) -> str:
    """Give a fingerprint as its bare digits."""
    bare = re.sub(r"\s", "", fingerprint)
    if HEX64.fullmatch(bare):
        return document_fingerprint(bare).digits.replace(" ", "")
    if re.fullmatch(rf"[0-9]{{{DIGITS}}}", bare):
        return bare
    raise Misuse(f"a fingerprint is {DIGITS} digits, or 64 lower-case hex digits")


# Marks that stand in files of ours also after somebody has reformatted or damaged them.
_MARKS: Final = (
    (_FILE, (RECEIPT_FILE_KIND.encode(),)),
    (_FILE, (b'"documents"', b'"listings"', b'"receipt"')),
    (_DOCUMENT, (NETWORK_TYPE.encode(),)),
    (_LISTING, (LISTING_TYPE.encode(),)),
    (_RECEIPT, (b'"proof"', b'"record"', b'"salt"')),
)
_PROOF_MARK: Final = b"c2sp.org/tlog-proof@"


def _recognise(raw: bytes) -> str | None:
    """Say which kind of file it is, or is meant to be."""
    if raw.startswith(_PROOF_MARK):
        return _PROOF
    whole = raw.strip()
    if not (whole.startswith(b"{") or whole.endswith(b"}")):
        return None  # a text about our files is none of them
    return next((kind for kind, marks in _MARKS if all(mark in raw for mark in marks)), None)


# --- receipts --------------------------------------------------------------


def _judge_file(raw: bytes, trusted: str | None) -> Judgement:
    file = verify_receipt_file(raw)
    fields = _decision_fields(file.decision) | _file_fields(file)
    told = _told(file.decision)
    place = (
        f"It stands as entry {file.index} in the log {file.signed.checkpoint.origin}, which had"
        f" {file.signed.checkpoint.size} entries when its owner signed it at"
        f" {_time(file.signed.time)}."
    )
    under, matches = _under(file.documents, trusted)
    if not matches:
        return Judgement(Verdict.UNDECIDED, _FILE, (), (_OTHER_DOCUMENT, *under), fields)
    not_proved = [
        _acceptance(file.decision),
        "Not that the log shows everybody the same: no witness's word was counted here.",
        "Not that no key of it was revoked: revocations are not in the file.",
    ]
    if trusted is None:
        not_proved.insert(0, "Not that the document is the network's: compare its fingerprint.")
    return Judgement(Verdict.TRUE, _FILE, (told, place, *under), tuple(not_proved), fields)


def _judge_receipt(raw: bytes, _trusted: str | None) -> Judgement:
    claim = read_claim(raw)
    said = (
        f"It says: {_told(claim.decision)}",
        (
            f"Its parts are in their form and fit: it names entry {claim.index} of the log"
            f" {claim.origin} at size {claim.size}."
        ),
    )
    lacking = (
        "Nothing is proved: the keys of that log are not in the file.",
        "A receipt file holds them: who holds the receipt in a node can make one.",
    )
    fields = _decision_fields(claim.decision) | {
        "origin": claim.origin, "index": claim.index, "size": claim.size,
    }  # fmt: skip
    return Judgement(Verdict.UNDECIDED, _RECEIPT, said, lacking, fields)


def _judge_proof(raw: bytes, _trusted: str | None) -> Judgement:
    proof = decode_proof(raw)
    checkpoint = decode_body(decode_note(proof.checkpoint_raw).body)
    if proof.index >= checkpoint.size:
        raise NotAuthentic("an index outside the tree")
    split = (proof.index ^ (checkpoint.size - 1)).bit_length()
    if len(proof.path) != split + (proof.index >> split).bit_count():
        raise NotAuthentic("an inclusion path of a wrong length")
    said = f"It is about entry {proof.index} of the log {checkpoint.origin} at {checkpoint.size}."
    lacking = ("Nothing is proved: neither the entry nor the keys of that log are in the file.",)
    fields: dict[str, Json] = {
        "origin": checkpoint.origin, "index": proof.index, "size": checkpoint.size,
    }  # fmt: skip
    return Judgement(Verdict.UNDECIDED, _PROOF, (said,), lacking, fields)


# --- documents and listings ------------------------------------------------


def _judge_document(raw: bytes, trusted: str | None) -> Judgement:
    document = verify_first(decode_document(raw))
    under, matches = _under((document,), trusted)
    said = (
        (
            f"{len(document.signed_by)} of its {len(document.document.stewards)} stewards signed"
            f" it, {document.document.threshold} must: {', '.join(sorted(document.signed_by))}."
        ),
        (
            f"It is version {document.version} of the network {document.document.network}, with"
            f" {len(document.document.authorities)} authorities, and expires at"
            f" {_time(document.document.expires)}."
        ),
    )
    fields: dict[str, Json] = {
        "network": document.document.network, "version": document.version,
        "document": document.digest, "fingerprint": document_fingerprint(document.digest).digits,
        "signed_by": sorted(document.signed_by), "expires": document.document.expires,
    }  # fmt: skip
    if not matches:
        return Judgement(Verdict.UNDECIDED, _DOCUMENT, said, (_OTHER_DOCUMENT, *under), fields)
    left = ["Not that a newer version does not exist."]
    if trusted is None:
        left.insert(0, "Not that its stewards are who they should be: compare its fingerprint.")
    return Judgement(Verdict.TRUE, _DOCUMENT, (*said, *under), tuple(left), fields)


def _judge_listing(raw: bytes, _trusted: str | None) -> Judgement:
    statement = decode_listing(raw)
    listing = decode_listing_text(statement.text)
    _verify_by_itself(statement)
    said = (
        (
            f"It calls itself listing {listing.serial} of {listing.authority} in {listing.network},"
            f" and expires at {_time(listing.expires)}."
        ),
        "It is signed by sign keys that it shows itself.",
    )
    lacking = (
        "Nothing is proved: whether these are the authority's keys, its network document says.",
    )
    fields: dict[str, Json] = {
        "network": listing.network, "authority": listing.authority, "serial": listing.serial,
        "listing": statement.identity, "expires": listing.expires,
    }  # fmt: skip
    return Judgement(Verdict.UNDECIDED, _LISTING, said, lacking, fields)


def _verify_by_itself(statement: Unverified) -> None:
    """Verify a listing by the sign keys in it: anybody can make such a one."""
    listing = decode_listing_text(statement.text)
    shown = [listing.key(signature.key_id) for signature in statement.signatures]
    keys = [one.key for one in shown if one is not None and one.key.purpose == "sign"]
    if [key.algorithm for key in keys] != ["ed25519", "ml-dsa-65"]:
        raise NotAuthentic("the listing is not signed by a pair of sign keys that it shows")
    verify_exactly(statement, keys)


# --- sentences -------------------------------------------------------------

_OTHER_DOCUMENT: Final = "It rests on another network document than the one you trust."


def _told(decision: Decision) -> str:
    """Say what a decision means."""
    if decision.kind == "message.accepted":
        order = "" if decision.order is None else f" as number {decision.order} of its case"
        done = f"accepted{order}"
    else:
        done = f"finally refused ({decision.code})"
    return (
        f"{decision.recipient} {done} the message {decision.identity} from {decision.sender}"
        f" at {_time(decision.at)}."
    )


def _acceptance(decision: Decision) -> str:
    if decision.kind == "message.accepted":
        return (
            "Not that anybody has read it: it was accepted into the log, and the authority is"
            " bound to that."
        )
    return "Not why beyond the code, and not what the message said."


def _under(documents: tuple[TrustedDocument, ...], trusted: str | None) -> tuple[list[str], bool]:
    """Say under which documents all this holds, and whether one is the trusted one."""
    shown = [document_fingerprint(one.digest).digits for one in documents]
    sentences = [
        f"Network document: {one.document.network} version {one.version}, fingerprint {digits}."
        for one, digits in zip(documents, shown, strict=True)
    ]
    return sentences, trusted is None or trusted in {one.replace(" ", "") for one in shown}


def _time(seconds: int) -> str:
    """Show a time, also one that no calendar has."""
    try:
        return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return f"second {seconds}"


def _decision_fields(decision: Decision) -> dict[str, Json]:
    return {
        "decision": decision.kind, "network": decision.network, "message": decision.identity,
        "envelope": decision.envelope, "from": decision.sender, "to": decision.recipient,
        "at": decision.at, "order": decision.order, "code": decision.code,
    }  # fmt: skip


def _file_fields(file: VerifiedReceiptFile) -> dict[str, Json]:
    checkpoint = file.signed.checkpoint
    return {
        "origin": checkpoint.origin, "index": file.index, "size": checkpoint.size,
        "root": checkpoint.root.hex(), "signed_at": file.signed.time,
        "document": file.document_digest, "receipt_sha256": sha256_hex(file.receipt),
        "fingerprint": document_fingerprint(file.document_digest).digits,
    }  # fmt: skip


_JUDGES: Final[dict[str, Callable[[bytes, str | None], Judgement]]] = {
    _FILE: _judge_file,
    _RECEIPT: _judge_receipt,
    _PROOF: _judge_proof,
    _DOCUMENT: _judge_document,
    _LISTING: _judge_listing,
}
