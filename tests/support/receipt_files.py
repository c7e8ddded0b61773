"""A receipt as a recipient's log gives it, and the file in which it proves itself.

    made = receipt_of(trust, "qm.justice")       # qm.justice accepted a message
    raw = file_of(trust, made)                   # with the document and the listing

Signed by the keys of a `Trust`; the log is a small tree in memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from protocol.checkpoint import Checkpoint, log_origin, sign_checkpoint
from protocol.merkle import inclusion_path, leaf_hash, tree_root
from protocol.proof import encode_proof
from protocol.receipt import Receipt
from protocol.receipt_file import encode_receipt_file
from protocol.record import Decision, commitment, entry
from tests.support.clock import START
from tests.support.tree import TileStore, some_leaves
from tests.support.trust import Trust

SALT = bytes(range(32))


@dataclass(frozen=True, slots=True)
class Made:
    """A receipt and what it was made from."""

    decision: Decision
    receipt: Receipt
    raw: bytes = field(repr=False)


def decision_of(trust: Trust, issuer: str, **changes: object) -> Decision:
    """Give the record of a message that `issuer` accepted."""
    decision = Decision(
        kind="message.accepted", network=trust.network, at=START + 60, identity="1d" * 32,
        envelope="e4" * 32, sender="fj.justice", recipient=issuer, order=1,
    )  # fmt: skip
    return replace(decision, **changes)  # type: ignore[arg-type]  # fields by name


def receipt_of(
    trust: Trust,
    issuer: str,
    *,
    signer: str | None = None,
    number: int = 1,
    size: int = 700,
    **changes: object,
) -> Made:
    """Give a receipt of `issuer`, signed by the log keys of `signer` if that is another."""
    decision = decision_of(trust, issuer, **changes)
    record = decision.encode()
    store, index = TileStore(), size // 2
    leaves = some_leaves(size)
    leaves[index] = leaf_hash(entry(commitment(record, SALT)))
    store.append(leaves)
    origin = log_origin(trust.network, issuer, number)
    checkpoint = Checkpoint(origin, size, tree_root(size, store.read))
    ed25519, ml_dsa = trust.rings[signer or issuer].signers("log")
    signed = sign_checkpoint(checkpoint, ed25519=ed25519, ml_dsa=ml_dsa, now=START + 61)
    path = inclusion_path(index, size, store.read)
    receipt = Receipt(record, SALT, encode_proof(index=index, path=path, checkpoint=signed))
    return Made(decision, receipt, receipt.encode())


def file_of(trust: Trust, made: Made) -> bytes:
    """Give the file of a receipt, as a node that trusts `trust` would make it."""
    directory = trust.directory
    return encode_receipt_file(
        made.raw,
        documents=directory.documents_raw(directory.document.version),
        listings=directory.listings_raw(made.decision.recipient),
        closures=directory.closures_raw(),
    )
