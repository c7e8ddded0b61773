"""What our own code says of a vector: the headers it can confirm, or a refusal.

    outcome = judge(read("receipt/ok"))
    assert outcome.code == vector.expect

`Outcome.found` holds what was computed, under the names of the vector's headers; where the
vector has such a header, the two must agree.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias, cast

from keys.fingerprint import fingerprint, safety_number
from node.transport import hop
from node.transport.batch import decode_batch
from protocol import merkle
from protocol.checkpoint import verify_checkpoint, verify_cosignature
from protocol.document import decode_document_text
from protocol.dsse import decode_statement, pae
from protocol.encoding import canonical, decode, from_base64
from protocol.envelope import (
    authenticate,
    check_addressed,
    open_envelope,
    padded_length,
    read_envelope,
)
from protocol.errors import KeyUnknown, Malformed, Mismatch, Rejected
from protocol.identity import Algorithm, PublicKey, Purpose
from protocol.limits import SEALED_TEXT_BYTES_MAX
from protocol.listing import decode_listing, decode_listing_text, verify_listing
from protocol.messages import check_time, decode_message_text
from protocol.network import decode_document, verify_first, verify_healing, verify_next
from protocol.primitives import SealPrivate, seal_private, verify_signature
from protocol.receipt import verify_receipt
from protocol.record import commitment, decode_decision, entry
from protocol.revocation import decode_revocation, verify_by_stewards, verify_own
from tests.vectors import judge_logs
from tests.vectors.form import Vector, read
from tests.vectors.headers import key_of, log_keys, sign_pair
from tests.vectors.judge_bundles import judge_bundle
from tests.vectors.judge_cases import judge_lifecycle

Found: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Either `ok` with what was found, or a refusal's code."""

    code: str
    found: Found = field(default_factory=dict)


def judge(vector: Vector) -> Outcome:
    """Run one vector; only a `Rejected` is an outcome, anything else is a fault of ours."""
    try:
        return Outcome("ok", _JUDGES[vector.type](vector))
    except Rejected as refusal:
        return Outcome(refusal.code)


def fault_of(vector: Vector) -> str | None:
    """Say how a vector contradicts our own reader, or None if it does not."""
    outcome = judge(vector)
    if outcome.code != vector.expect:
        return f"{vector.name}: expected {vector.expect}, found {outcome.code}"
    wrong = [
        name for name, value in outcome.found.items()
        if vector.headers.get(name, value) != value
    ]  # fmt: skip
    return f"{vector.name}: found other values for {wrong}" if wrong else None


def _seal_private(vector: Vector) -> SealPrivate:
    return seal_private(bytes.fromhex(vector.headers["seal-x-wing"].removeprefix("seed ")))


# --- encoding, names, statements -----------------------------------------------------------


def _json(vector: Vector) -> Found:
    bytes_max = int(vector.headers.get("bytes-max", SEALED_TEXT_BYTES_MAX))
    value = decode(vector.body, bytes_max=bytes_max)
    return {"again": canonical(value).hex()}


def _base64(vector: Vector) -> Found:
    return {"value": from_base64(vector.body.decode("latin-1")).hex()}


def _key_id(vector: Vector) -> Found:
    purpose = cast("Purpose", vector.headers["purpose"])
    algorithm = cast("Algorithm", vector.headers["algorithm"])
    return {"value": PublicKey(purpose, algorithm, vector.body).key_id}


def _signature(vector: Vector) -> Found:
    algorithm = cast("Algorithm", vector.headers["algorithm"])
    purpose: Purpose = "log" if algorithm == "ml-dsa-44" else "sign"
    key = PublicKey(purpose, algorithm, from_base64(vector.headers["key"]))
    verify_signature(key, from_base64(vector.headers["signature"]), vector.body)
    return {}


def _identity(vector: Vector) -> Found:
    return {"value": hashlib.sha256(pae(vector.headers["kind"], vector.body)).hexdigest()}


def _statement(vector: Vector) -> Found:
    statement = decode_statement(
        vector.body, kind=vector.headers["kind"], bytes_max=SEALED_TEXT_BYTES_MAX
    )
    return {"identity": statement.identity}


# --- messages and envelopes ----------------------------------------------------------------


def _message_text(vector: Vector) -> Found:
    text = decode_message_text(vector.body).text()
    kind = "application/vnd.comity.message.v1+json"
    return {"identity": hashlib.sha256(pae(kind, text)).hexdigest()}


def _padding(vector: Vector) -> Found:
    return {"value": str(padded_length(int(vector.headers["length"])))}


def _envelope(vector: Vector) -> Found:
    headers = vector.headers
    envelope = read_envelope(vector.body)
    check_addressed(
        envelope,
        network=headers["network"],
        recipient=headers["recipient"],
        brought_by=headers.get("brought-by"),
    )
    private = _seal_private(vector)
    if envelope.header.key_id != private.public.key_id:
        raise KeyUnknown("not a key of ours")
    opened = open_envelope(
        envelope, private, suite_min=headers.get("suite-min", "hpke-647a-0001-0002")
    )
    pair = sign_pair(vector)
    signed = authenticate(opened, pair)
    check_time(signed.message, int(headers["now"]))
    return {
        "identity": signed.identity,
        "digest": envelope.digest,
        "text-sha256": hashlib.sha256(signed.message.text()).hexdigest(),
        "file-keys": str(len(opened.file_keys)),
    }


# --- the log -------------------------------------------------------------------------------


def _entry(vector: Vector) -> Found:
    salt = bytes.fromhex(vector.headers["salt"])
    return {"value": entry(commitment(vector.body, salt)).hex()}


def _record(vector: Vector) -> Found:
    return {"kind": decode_decision(vector.body).kind}


def _path(vector: Vector) -> list[bytes]:
    return [vector.body[at : at + 32] for at in range(0, len(vector.body), 32)]


def _inclusion(vector: Vector) -> Found:
    headers = vector.headers
    merkle.verify_inclusion(
        leaf=bytes.fromhex(headers["leaf"]), index=int(headers["index"]),
        size=int(headers["size"]), path=_path(vector), root=bytes.fromhex(headers["root"]),
    )  # fmt: skip
    return {}


def _consistency(vector: Vector) -> Found:
    headers = vector.headers
    merkle.verify_consistency(
        old_size=int(headers["old-size"]), old_root=bytes.fromhex(headers["old-root"]),
        new_size=int(headers["new-size"]), new_root=bytes.fromhex(headers["new-root"]),
        path=_path(vector),
    )  # fmt: skip
    return {}


def _checkpoint(vector: Vector) -> Found:
    signed = verify_checkpoint(vector.body, origin=vector.headers["origin"], keys=log_keys(vector))
    return {
        "size": str(signed.checkpoint.size),
        "root": signed.checkpoint.root.hex(),
        "time": str(signed.time),
        "lines": str(2 + len(signed.other_signatures)),
    }


def _cosignature(vector: Vector) -> Found:
    signed = verify_checkpoint(vector.body, origin=vector.headers["origin"], keys=log_keys(vector))
    time = verify_cosignature(
        signed.checkpoint, signed.other_signatures,
        name=vector.headers["witness"], keys=log_keys(vector, "witness"),
    )  # fmt: skip
    return {"time": str(time)}


def _receipt(vector: Vector) -> Found:
    headers = vector.headers
    proven = verify_receipt(
        vector.body, network=headers["network"], issuer=headers["issuer"],
        origin=headers["origin"], keys=log_keys(vector),
    )  # fmt: skip
    decision = proven.decision
    asked = headers["sender"], headers["message"], headers["envelope"]
    if (decision.sender, decision.identity, decision.envelope) != asked:
        raise Mismatch("a decision about another message than the one that was sent")
    return {
        "kind": decision.kind, "index": str(proven.index),
        "size": str(proven.signed.checkpoint.size),
        "order": str(decision.order), "code": str(decision.code),
    }  # fmt: skip


# --- trust ---------------------------------------------------------------------------------


def _network(vector: Vector) -> Found:
    statement = decode_document(vector.body)
    trusted = vector.headers.get("trusted")
    rivals = vector.headers.get("rivals")
    if trusted is None:
        return {"digest": verify_first(statement).digest}
    before = verify_first(decode_document(read(trusted).body))
    if rivals is None:
        return {"digest": verify_next(statement, before).digest}
    branches = [decode_document(read(name).body).identity for name in rivals.split(" ")]
    found = verify_healing(statement, common=before, branches=branches, newest=before.version + 1)
    return {"digest": found.digest}


def _network_text(vector: Vector) -> Found:
    return {"again": decode_document_text(vector.body).text().hex()}


def _listing(vector: Vector) -> Found:
    document = verify_first(decode_document(read(vector.headers["document"]).body)).document
    return {"digest": verify_listing(decode_listing(vector.body), document).digest}


def _listing_text(vector: Vector) -> Found:
    return {"again": decode_listing_text(vector.body).text().hex()}


def _revocation(vector: Vector) -> Found:
    document = verify_first(decode_document(read(vector.headers["document"]).body)).document
    statement = decode_revocation(vector.body)
    if vector.headers["by"] == "stewards":
        verify_by_stewards(statement, document)
    else:
        pair = sign_pair(vector)
        verify_own(statement, document, pair)
    return {}


def _fingerprint(vector: Vector) -> Found:
    made = fingerprint(vector.body.decode().split())
    return {"value": made.hex, "digits": made.digits}


def _safety_number(vector: Vector) -> Found:
    (a_id, *a_keys), (b_id, *b_keys) = (line.split() for line in vector.body.decode().splitlines())
    made = safety_number(a_id, a_keys, b_id, b_keys)
    return {"value": made.hex, "digits": made.digits}


# --- between nodes -------------------------------------------------------------------------


def _batch(vector: Vector) -> Found:
    batch = decode_batch(vector.body)
    if batch.encode() != vector.body:
        raise Malformed("a batch that is not in its one form")
    return {"answers": str(len(batch.answers.answers)), "envelopes": str(len(batch.envelopes))}


@dataclass(frozen=True, slots=True)
class _Known:
    authority: str
    key: PublicKey


def _resolver(vector: Vector) -> Callable[[str], _Known | None]:
    known = _Known("fj.justice", key_of(vector, "hop-ed25519"))
    return lambda key_id: known if key_id == known.key.key_id else None


def _http(vector: Vector) -> tuple[list[tuple[str, str]], bytes]:
    head, _, body = vector.body.partition(b"\r\n\r\n")
    pairs = (line.split(": ", 1) for line in head.decode("latin-1").split("\r\n"))
    return [(name, value) for name, value in pairs], body


def _hop_request(vector: Vector) -> Found:
    headers, body = _http(vector)
    target = vector.headers["target"]
    hop.verify_request(
        vector.headers["method"], [url + target for url in vector.headers["urls"].split(" ")],
        headers, body, resolve=_resolver(vector), now=int(vector.headers["now"]),
    )  # fmt: skip
    return {}


def _hop_response(vector: Vector) -> Found:
    headers, body = _http(vector)
    request = hop.HopRequest(
        vector.headers["method"], vector.headers["target"],
        vector.headers["request-digest"], vector.headers["request-signature"],
    )  # fmt: skip
    hop.verify_response(
        int(vector.headers["status"]), headers, body, request=request,
        expected_authority="fj.justice", resolve=_resolver(vector),
        now=int(vector.headers["now"]),
    )  # fmt: skip
    return {}


_JUDGES: Final[Mapping[str, Callable[[Vector], Found]]] = {
    **judge_logs.JUDGES,
    "bundle": judge_bundle,
    "lifecycle": judge_lifecycle,
    "json": _json, "base64": _base64, "key-id": _key_id, "signature": _signature,
    "identity": _identity, "statement": _statement, "message-text": _message_text,
    "padding": _padding, "envelope": _envelope, "entry": _entry, "record": _record,
    "inclusion": _inclusion, "consistency": _consistency, "checkpoint": _checkpoint,
    "cosignature": _cosignature, "receipt": _receipt, "network": _network,
    "network-text": _network_text, "listing": _listing, "listing-text": _listing_text,
    "revocation": _revocation, "fingerprint": _fingerprint, "safety-number": _safety_number,
    "batch": _batch, "hop-request": _hop_request, "hop-response": _hop_response,
}  # fmt: skip
