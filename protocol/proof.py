"""Proofs that an entry is in a log: path and checkpoint in one text (C2SP tlog-proof, SPEC 6.6).

    c2sp.org/tlog-proof@v1
    index 2
    gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=

    regional/qm.justice/1
    3
    …

A proof is verified offline, with nothing but the log's keys and the hash of the leaf. This
module knows no record behind the leaf, and no witness: whether enough of them have seen
the checkpoint is for its caller to say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from protocol.checkpoint import LogKeys, SignedCheckpoint, verify_checkpoint
from protocol.encoding import from_base64, to_base64
from protocol.errors import Malformed, TooLarge
from protocol.limits import INTEGER_MAX, PROOF_BYTES_MAX
from protocol.merkle import HASH_BYTES, verify_inclusion

_FIRST_LINE: Final = "c2sp.org/tlog-proof@v1"
_INDEX_LINE: Final = re.compile(r"index ([0-9]{1,16})")
_PATH_HASHES_MAX: Final = INTEGER_MAX.bit_length()  # no tree of ours is higher


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof in its right form; nothing of it has been verified."""

    index: int
    path: tuple[bytes, ...]
    checkpoint_raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class VerifiedProof:
    """The leaf that was asked about stands at `index` under this signed checkpoint."""

    index: int
    signed: SignedCheckpoint


def encode_proof(*, index: int, path: Sequence[bytes], checkpoint: bytes) -> bytes:
    """Give the text of a proof; `checkpoint` goes in byte for byte."""
    lines = "".join(f"{to_base64(sibling)}\n" for sibling in path)
    return f"{_FIRST_LINE}\nindex {index}\n{lines}\n".encode() + checkpoint


def decode_proof(raw: bytes) -> Proof:
    """Decode a proof strictly; raises `Malformed` or `TooLarge`.

    C2SP allows an `extra` line, which nothing authenticates. Comity never writes one, the
    record and its salt stand beside the proof, so one that is there is refused.
    """
    if len(raw) > PROOF_BYTES_MAX:
        raise TooLarge(f"a proof of {len(raw)} bytes, at most {PROOF_BYTES_MAX}")
    head, parting, checkpoint = raw.partition(b"\n\n")
    if not parting or not checkpoint or not head.isascii():
        raise Malformed("a proof without a checkpoint")
    first, *lines = head.decode("ascii").split("\n")
    match = _INDEX_LINE.fullmatch(lines[0]) if lines else None
    if first != _FIRST_LINE or match is None or int(match[1]) > INTEGER_MAX:
        raise Malformed("a proof that does not begin with its name and an index")
    if len(lines) - 1 > _PATH_HASHES_MAX:
        raise TooLarge(f"a path of more than {_PATH_HASHES_MAX} hashes")
    path = tuple(from_base64(line) for line in lines[1:])
    if any(len(sibling) != HASH_BYTES for sibling in path):
        raise Malformed("a path with something that is not a hash")
    proof = Proof(int(match[1]), path, checkpoint)
    if encode_proof(index=proof.index, path=path, checkpoint=checkpoint) != raw:
        raise Malformed("a proof that is not in its one form")
    return proof


def verify_proof(raw: bytes, *, leaf: bytes, origin: str, keys: LogKeys) -> VerifiedProof:
    """Verify that `leaf`, a hash, is in the log `origin` (SPEC 6.6).

    Raises `NotAuthentic` if the checkpoint or the path does not hold, `Malformed` or
    `TooLarge` if the bytes are no proof. The caller must still verify the checkpoint's
    consistency with what it knows of this log, and count its witnesses.
    """
    # (1) The form.
    proof = decode_proof(raw)
    # (2) Both signatures of the log that it must be.
    signed = verify_checkpoint(proof.checkpoint_raw, origin=origin, keys=keys)
    # (3) The path from the leaf to the signed root.
    verify_inclusion(
        leaf=leaf,
        index=proof.index,
        size=signed.checkpoint.size,
        path=proof.path,
        root=signed.checkpoint.root,
    )
    return VerifiedProof(proof.index, signed)
