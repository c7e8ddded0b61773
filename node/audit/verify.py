"""One file and what it proves: for somebody who has nothing else, no node and no network.

    judged = verify_file(path.read_bytes(), trusted_fingerprint=None)

A bundle, a receipt file, a receipt or another record with its proof, a bare proof, a fork
proof, a document or any other statement is recognised by its content, verified as far as
it goes, and told in sentences for people: what is proved, on which condition, and what is
not. A file that is recognisably one of ours and does not hold is false; what cannot be
decided from the file alone is undecided.

This module opens no file and knows no node. Everything it says about trust is relative to
a network document, named by its fingerprint.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from cryptography.x509 import Certificate

from keys.fingerprint import document_fingerprint
from node.audit import verify_logs
from node.audit.judged import (
    OTHER_DOCUMENT,
    Asked,
    Judgement,
    Verdict,
    bare_fingerprint,
    decision_fields,
    end_fields,
    told,
    told_end,
    under,
)
from node.audit.verify_bundle import KIND, judge_bundle
from protocol.bundle import ABOUT_NAME, BUNDLE_KIND
from protocol.closure import CLOSURE_TYPE
from protocol.digest import sha256_hex
from protocol.dsse import Unverified, verify_exactly
from protocol.encoding import Json
from protocol.errors import Equivocation, Forked, KeyUnknown, NotAuthentic, Rejected, Unproven
from protocol.fork import FORK_KIND
from protocol.listing import LISTING_TYPE, decode_listing, decode_listing_text
from protocol.network import NETWORK_TYPE, decode_document, verify_first
from protocol.policy import Policy
from protocol.receipt_file import RECEIPT_FILE_KIND, VerifiedReceiptFile, verify_receipt_file
from protocol.record import Decision
from protocol.revocation import REVOCATION_TYPE
from protocol.summary import show_time

__all__ = ["Asked", "Judgement", "Verdict", "verify_file"]

_DOCUMENT: Final = "network document"
_LISTING: Final = "listing"
_FILE: Final = "receipt file"


def verify_file(
    raw: bytes,
    *,
    trusted_fingerprint: str | None = None,
    policy: Policy | None = None,
    tsa_roots: Sequence[Certificate] = (),
) -> Judgement:
    """Judge the content of one file.

    `trusted_fingerprint` is that of the network document which the reader trusts, as 60
    digits or 64 hex digits, with spaces or without; anything else is `Misuse`. `policy` is
    one that the reader trusts. Without either, what a file proves is told on the condition
    that its document is the true one. `tsa_roots` are whom the reader trusts to have said
    what time it was; without them timestamps are not judged.
    """
    trusted = None if trusted_fingerprint is None else bare_fingerprint(trusted_fingerprint)
    kind = _recognise(raw)
    if kind is None:
        sentence = "This is no bundle, receipt, proof, document or statement of Comity."
        advice = "Is it the right file, and all of it? An exported log is verified as a folder."
        return Judgement(Verdict.UNDECIDED, None, (), (sentence, advice))
    fields: dict[str, Json]
    try:
        return _JUDGES[kind](raw, Asked(trusted, policy, tuple(tsa_roots)))
    except (KeyUnknown, Unproven) as fault:
        missing = f"It cannot be decided from this file alone: {fault.detail}."
        return Judgement(Verdict.UNDECIDED, kind, (), (missing,))
    except (Equivocation, Forked) as fault:
        # Who holds what others have signed twice is their victim, and made nothing up.
        alarm = f"{'FORK' if isinstance(fault, Forked) else 'CONTRADICTION'}: {fault.detail}."
        left = "Keep the file: what was signed binds who signed it, and both together accuse them."
        fields = {"code": fault.code, "fault": fault.detail}
        return Judgement(Verdict.FALSE, kind, (), (left,), fields, alarms=(alarm,))
    except Rejected as fault:
        said = f"This {kind} does not hold: {fault.detail}."
        nothing = "Nothing that it says is proved: it was altered, damaged or made up."
        fields = {"code": fault.code, "fault": fault.detail}
        return Judgement(Verdict.FALSE, kind, (said,), (nothing,), fields)


# Marks that stand in files of ours also after somebody has reformatted or damaged them.
_MARKS: Final = (
    (_FILE, (RECEIPT_FILE_KIND.encode(),)),
    (_FILE, (b'"documents"', b'"listings"', b'"receipt"')),
    (verify_logs.FORK, (f'"{FORK_KIND}"'.encode(),)),
    (verify_logs.FORK, (b'"first"', b'"second"', b'"origin"')),
    (_DOCUMENT, (NETWORK_TYPE.encode(),)),
    (_LISTING, (LISTING_TYPE.encode(),)),
    (verify_logs.CLOSURE, (CLOSURE_TYPE.encode(),)),
    (verify_logs.REVOCATION, (REVOCATION_TYPE.encode(),)),
    (verify_logs.CONTINUATION, (b'"checkpoint"', b'"links"')),
    (verify_logs.RECORD, (b'"proof"', b'"record"', b'"salt"')),
)
_PROOF_MARK: Final = b"c2sp.org/tlog-proof@"
_FIRST_ENTRY_BYTES: Final = 8_192  # what stands before and in `comity.json`


def _recognise(raw: bytes) -> str | None:
    """Say which kind of file it is, or is meant to be."""
    if raw.startswith(_PROOF_MARK):
        return verify_logs.PROOF
    first = raw[:_FIRST_ENTRY_BYTES]
    whole = raw.strip()
    if not (whole.startswith(b"{") or whole.endswith(b"}")):
        # Also a bundle whose first bytes are damaged; a text about files of ours is none.
        in_bundle = first.startswith(b"PK") or f'"{BUNDLE_KIND}"'.encode() in first
        return KIND if in_bundle and ABOUT_NAME.encode() in first + raw[-4096:] else None
    return next((kind for kind, marks in _MARKS if all(mark in raw for mark in marks)), None)


# --- receipts --------------------------------------------------------------


def _judge_file(raw: bytes, asked: Asked) -> Judgement:
    file = verify_receipt_file(raw)
    fields = decision_fields(file.decision) | _file_fields(file)
    said = told(file.decision)
    place = (
        f"It stands as entry {file.index} in the log {file.signed.checkpoint.origin}, which had"
        f" {file.signed.checkpoint.size} entries when its owner signed it at"
        f" {show_time(file.signed.time)}."
    )
    ends = [told_end(one.closure) for one in file.closures]
    shown, matches = under(file.documents, asked.fingerprint)
    if not matches:
        return Judgement(Verdict.UNDECIDED, _FILE, (), (OTHER_DOCUMENT, *shown), fields)
    not_proved = [
        _acceptance(file.decision),
        "Not that the log shows everybody the same: no witness's word was counted here.",
        "Not that no key of it was revoked: revocations are not in the file.",
    ]
    if asked.fingerprint is None:
        not_proved.insert(0, "Not that the document is the network's: compare its fingerprint.")
    return Judgement(Verdict.TRUE, _FILE, (said, place, *ends, *shown), tuple(not_proved), fields)


# --- documents and listings ------------------------------------------------


def _judge_document(raw: bytes, asked: Asked) -> Judgement:
    document = verify_first(decode_document(raw))
    shown, matches = under((document,), asked.fingerprint)
    said = (
        (
            f"{len(document.signed_by)} of its {len(document.document.stewards)} stewards signed"
            f" it, {document.document.threshold} must: {', '.join(sorted(document.signed_by))}."
        ),
        (
            f"It is version {document.version} of the network {document.document.network}, with"
            f" {len(document.document.authorities)} authorities, and expires at"
            f" {show_time(document.document.expires)}."
        ),
    )
    fields: dict[str, Json] = {
        "network": document.document.network, "version": document.version,
        "document": document.digest, "fingerprint": document_fingerprint(document.digest).digits,
        "signed_by": sorted(document.signed_by), "expires": document.document.expires,
    }  # fmt: skip
    if not matches:
        return Judgement(Verdict.UNDECIDED, _DOCUMENT, said, (OTHER_DOCUMENT, *shown), fields)
    left = ["Not that a newer version does not exist."]
    if asked.fingerprint is None:
        left.insert(0, "Not that its stewards are who they should be: compare its fingerprint.")
    return Judgement(Verdict.TRUE, _DOCUMENT, (*said, *shown), tuple(left), fields)


def _judge_listing(raw: bytes, _asked: Asked) -> Judgement:
    statement = decode_listing(raw)
    listing = decode_listing_text(statement.text)
    _verify_by_itself(statement)
    said = (
        (
            f"It calls itself listing {listing.serial} of {listing.authority} in {listing.network},"
            f" and expires at {show_time(listing.expires)}."
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


def _acceptance(decision: Decision) -> str:
    if decision.kind == "message.accepted":
        return (
            "Not that anybody has read it: it was accepted into the log, and the authority is"
            " bound to that."
        )
    return "Not why beyond the code, and not what the message said."


def _file_fields(file: VerifiedReceiptFile) -> dict[str, Json]:
    checkpoint = file.signed.checkpoint
    return {
        "origin": checkpoint.origin, "index": file.index, "size": checkpoint.size,
        "root": checkpoint.root.hex(), "signed_at": file.signed.time,
        "document": file.document_digest, "receipt_sha256": sha256_hex(file.receipt),
        "fingerprint": document_fingerprint(file.document_digest).digits,
        "closed": [end_fields(one.closure) for one in file.closures],
    }  # fmt: skip


_JUDGES: Final[dict[str, Callable[[bytes, Asked], Judgement]]] = {
    KIND: judge_bundle,
    _FILE: _judge_file,
    _DOCUMENT: _judge_document,
    _LISTING: _judge_listing,
    **verify_logs.JUDGES,
}
