"""The two authorities of the vectors, their keys from fixed seeds, and one real request.

Everything here is the same in every run. What a signature by ML-DSA or a sealing draws is
not: such vectors are made once and kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias

from keys.pairs import SignerPair, pair_from_seeds, signer_from_seed
from protocol.digest import sha256_hex
from protocol.identity import ALGORITHMS, Algorithm, Purpose
from protocol.messages import Attachment, Message
from protocol.primitives import SealPrivate, seal_private
from tests.vectors.form import Vector

Value: TypeAlias = Any

NETWORK: Final = "pacific"
FJ: Final = "fj.justice"
QM: Final = "qm.justice"
NOW: Final = 1_760_000_000
DAY: Final = 86_400


def seed(name: str) -> bytes:
    """Give the fixed seed of a key: SHAKE-256 of its name."""
    return hashlib.shake_256(f"comity vectors/{name}".encode()).digest(32)


def key_seed(authority: str, purpose: Purpose, algorithm: Algorithm) -> bytes:
    """Give the seed of one key of an authority."""
    return seed(f"{authority} {purpose} {algorithm}")


def pair(authority: str, purpose: Purpose) -> SignerPair:
    """Give both keys of an authority for a purpose that signs twice."""
    seeds = [key_seed(authority, purpose, algorithm) for algorithm in ALGORITHMS[purpose]]
    return pair_from_seeds(purpose, seeds)


def key_headers(authority: str, purpose: Purpose) -> dict[str, str]:
    """Give the headers that name an authority's keys of a purpose."""
    return {
        f"{purpose}-{algorithm}": f"seed {key_seed(authority, purpose, algorithm).hex()}"
        for algorithm in ALGORITHMS[purpose]
    }


def seal_key(authority: str = QM) -> SealPrivate:
    """Give an authority's sealing key."""
    return seal_private(key_seed(authority, "seal", "x-wing"))


FJ_SIGN: Final = pair(FJ, "sign")
QM_SIGN: Final = pair(QM, "sign")
QM_LOG: Final = pair(QM, "log")
FJ_WITNESS: Final = pair(FJ, "witness")
FJ_HOP: Final = signer_from_seed("hop", "ed25519", key_seed(FJ, "hop", "ed25519"))

_LEDGER: Final = b"date,account,amount\n2025-03-04,0042,1200.00\n"
_MANIFEST: Final = {
    "v": 1,
    "items": [
        {
            "path": "bank/ledger.csv",
            "type": "text/csv",
            "size": len(_LEDGER),
            "sha256": sha256_hex(_LEDGER),
        }
    ],
}
_MANIFEST_BYTES: Final = (
    f'{{"items":[{{"path":"bank/ledger.csv","sha256":"{sha256_hex(_LEDGER)}",'
    f'"size":{len(_LEDGER)},"type":"text/csv"}}],"v":1}}'
).encode()

BODY: Final[Mapping[str, Value]] = {
    "request_kind": "MLA.PRODUCE_RECORDS",
    "subject": "Bank records of account 0042, March 2025",
    "evidence": {"items": 1, "sha256": sha256_hex(_MANIFEST_BYTES), "manifest": _MANIFEST},
}
CASE: Final = f"{FJ}/{hashlib.shake_256(b'comity vectors/case').hexdigest(16)}"

REQUEST: Final = Message(
    network=NETWORK, epoch=3, sender=FJ, recipient=QM, case=CASE, seq=1, prev=None, seen=None,
    order=None, salt=seed("request salt"), created=NOW, expires=NOW + 30 * DAY, kind="transmit",
    body=BODY,
)  # fmt: skip
ATTACHMENT: Final = Attachment(
    "ledger.csv", "text/csv", len(_LEDGER), sha256_hex(_LEDGER), 4_096, sha256_hex(b"ciphertext")
)
ANSWER: Final = replace(
    REQUEST, sender=QM, recipient=FJ, seen=sha256_hex(b"the request"), order=1, kind="answer",
    salt=seed("answer salt"), created=NOW + DAY, expires=NOW + 31 * DAY,
    body={"result": "nil", "note": "No account of that number. Ni hasina taha. ✓"},
)  # fmt: skip


def vector(name: str, expect: str, comment: str, body: bytes, **headers: str) -> Vector:
    """Make a vector; underscores in the names of headers stand for hyphens."""
    named = {header.replace("_", "-"): value for header, value in headers.items()}
    return Vector(name, expect, comment, body, named)
