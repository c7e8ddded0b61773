"""What our own code says of vectors about a log's past, its forks, its end and its witnesses.

A part of `judge`, by type; the same rules hold.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from protocol.closure import decode_closure, verify_closure
from protocol.continuation import decode_continuation, verify_continuation
from protocol.errors import Malformed
from protocol.fork import decode_fork, verify_fork
from protocol.network import decode_document, verify_first
from protocol.policy import decode_policy
from protocol.receipt_file import verify_receipt_file
from protocol.witness_wire import decode_add_checkpoint, decode_cosignatures, encode_cosignatures
from tests.support.trees import dumped
from tests.vectors.form import Vector, read
from tests.vectors.headers import log_keys, sign_pair

Found: TypeAlias = Mapping[str, str]


def _same(again: bytes, vector: Vector) -> None:
    if again != vector.body:
        raise Malformed("not in its one form")


def _continuation(vector: Vector) -> Found:
    origin = vector.headers["origin"]
    verified = verify_continuation(vector.body, origin=origin, keys=log_keys(vector))
    _same(decode_continuation(vector.body).encode(), vector)
    head = verified.signed.checkpoint
    sizes = " ".join(map(str, verified.links)) or "none"
    return {"size": str(head.size), "root": head.root.hex(), "links": sizes}


def _fork(vector: Vector) -> Found:
    verified = verify_fork(vector.body, origin=vector.headers["origin"], keys=log_keys(vector))
    _same(decode_fork(vector.body).encode(), vector)
    return {
        "first-size": str(verified.first.checkpoint.size),
        "second-size": str(verified.second.checkpoint.size),
    }


def _closure(vector: Vector) -> Found:
    document = verify_first(decode_document(read(vector.headers["document"]).body)).document
    trusted = verify_closure(decode_closure(vector.body), document, sign_pair(vector))
    return {
        "digest": trusted.digest,
        "size": str(trusted.closure.size),
        "next": str(trusted.closure.next_number),
    }


def _receipt_file(vector: Vector) -> Found:
    raw = vector.body
    if "base" in vector.headers:
        whole = json.loads(read(vector.headers["base"]).body) | json.loads(raw)
        raw = dumped({name: value for name, value in whole.items() if value is not None})
    verified = verify_receipt_file(raw)
    head = verified.signed.checkpoint
    return {
        "document": verified.document_digest, "kind": verified.decision.kind,
        "origin": head.origin, "index": str(verified.index), "size": str(head.size),
    }  # fmt: skip


def _add_checkpoint(vector: Vector) -> Found:
    request = decode_add_checkpoint(vector.body)
    _same(request.encode(), vector)
    return {
        "origin": request.origin, "old-size": str(request.old_size), "size": str(request.size),
        "hashes": str(len(request.path)),
    }  # fmt: skip


def _cosignatures(vector: Vector) -> Found:
    lines = decode_cosignatures(vector.body)
    _same(encode_cosignatures(lines), vector)
    return {"lines": str(len(lines)), "marks": " ".join(line.key_hash.hex() for line in lines)}


def _policy(vector: Vector) -> Found:
    policy = decode_policy(vector.body)
    groups = " ".join(f"{one.threshold}/{len(one.members)}" for one in policy.groups)
    return {
        "logs": str(len(policy.logs)), "witnesses": str(len(policy.witnesses)),
        "groups": groups or "none", "quorum": policy.quorum or "none",
    }  # fmt: skip


JUDGES: Final[Mapping[str, Callable[[Vector], Found]]] = {
    "continuation": _continuation, "fork": _fork, "closure": _closure,
    "receipt-file": _receipt_file,
    "add-checkpoint": _add_checkpoint, "cosignatures": _cosignatures, "policy": _policy,
}  # fmt: skip
