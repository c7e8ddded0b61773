"""A log with two histories, signed at any size: for whatever compares what a log has said.

one, other = History(b"true"), History(b"false", shared=3)
raw = encode_continuation(one.head(13), [one.link(5, 13)])
"""

from __future__ import annotations

from dataclasses import dataclass

from keys.pairs import SignerPair, pair_from_seeds
from protocol.checkpoint import (
    Checkpoint,
    LogKeys,
    cosign,
    log_origin,
    sign_checkpoint,
    witness_name,
)
from protocol.continuation import Link
from protocol.merkle import TreeView, leaf_hash, root_of
from protocol.note import NoteSignature

ORIGIN = log_origin("regional", "qm.justice", 1)
WITNESS = witness_name("regional", "zz.prosecution")
NOW = 1_760_000_000

LOG: SignerPair = pair_from_seeds("log", [b"a" * 32, b"b" * 32])
WITNESSING: SignerPair = pair_from_seeds("witness", [b"c" * 32, b"d" * 32])
KEYS = LogKeys(LOG.first.public, LOG.second.public)
WITNESS_KEYS = LogKeys(WITNESSING.first.public, WITNESSING.second.public)


@dataclass(frozen=True, slots=True)
class History:
    """One history of the log: `shared` entries that every history has, then its own."""

    name: bytes = b"true"
    shared: int = 0
    origin: str = ORIGIN

    def leaves(self, size: int) -> list[bytes]:
        """Give the leaves of this history."""
        return [
            leaf_hash(b"%b %d" % (b"shared" if at < self.shared else self.name, at))
            for at in range(size)
        ]

    def root(self, size: int) -> bytes:
        """Give the root at a size."""
        return root_of(self.leaves(size))

    def checkpoint(self, size: int) -> Checkpoint:
        """Give the head at a size, unsigned."""
        return Checkpoint(self.origin, size, self.root(size))

    def head(self, size: int, by: SignerPair = LOG) -> bytes:
        """Sign the head at a size."""
        checkpoint = self.checkpoint(size)
        return sign_checkpoint(checkpoint, ed25519=by.first, ml_dsa=by.second, now=NOW + size)

    def words(self, size: int, now: int = NOW) -> tuple[NoteSignature, NoteSignature]:
        """Cosign the head at a size as the one witness."""
        return cosign(
            self.checkpoint(size),
            name=WITNESS,
            ed25519=WITNESSING.first,
            ml_dsa=WITNESSING.second,
            now=now,
        )

    def link(self, size: int, to: int) -> Link:
        """Show this history at `size` to be the beginning of itself at `to`; at most 256."""
        whole = b"".join(self.leaves(to))
        path = TreeView(to, lambda *_: whole).consistency_path(size)
        return Link(size, self.root(size), tuple(path))
