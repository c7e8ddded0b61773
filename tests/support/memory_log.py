"""A log in memory that signs whatever a test wants it to, also two histories.

log = MemoryLog(ring, "fj.justice").grown(300)
body = log.add_checkpoint(200, 300, now=now)          # as C2SP's add-checkpoint
other = log.rewritten(250)                            # the same keys, another history
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from keys.ring import KeyRing
from protocol.checkpoint import Checkpoint, LogKeys, log_origin, sign_checkpoint
from protocol.continuation import Link, VerifiedContinuation, encode_continuation
from protocol.continuation import verify_continuation as verify
from protocol.digest import sha256
from protocol.merkle import TreeView, grow
from protocol.witness_wire import encode_add_checkpoint


@dataclass(frozen=True, slots=True)
class MemoryLog:
    """The leaves of a log, and the keys that sign it."""

    ring: KeyRing
    authority: str
    number: int = 1
    leaves: tuple[bytes, ...] = ()
    tiles: dict[tuple[int, int], bytes] = field(default_factory=dict, repr=False)

    @property
    def origin(self) -> str:
        """The name of the log."""
        return log_origin(self.ring.network, self.authority, self.number)

    @property
    def keys(self) -> LogKeys:
        """The keys that verify it."""
        return LogKeys(*(one.public for one in self.ring.signers("log")))

    def grown(self, size: int, word: bytes = b"leaf") -> MemoryLog:
        """Give the log with leaves up to `size`."""
        more = [sha256(word, n.to_bytes(8, "big")) for n in range(len(self.leaves), size)]
        tiles = dict(self.tiles)
        for place, gained in grow(len(self.leaves), more, self.read).items():
            tiles[place] = tiles.get(place, b"") + gained
        return replace(self, leaves=(*self.leaves, *more), tiles=tiles)

    def rewritten(self, keep: int) -> MemoryLog:
        """Give another history of the same length, that agrees in the first `keep` leaves."""
        beginning = replace(self, leaves=(), tiles={}).grown(keep)
        return beginning.grown(len(self.leaves), b"another")

    def read(self, level: int, index: int, width: int) -> bytes:
        """Read a tile."""
        del width
        return self.tiles.get((level, index), b"")

    def root(self, size: int) -> bytes:
        """Give the root at a size."""
        return TreeView(size, self.read).root()

    def path(self, old: int, new: int) -> list[bytes]:
        """Give the consistency path between two sizes."""
        return TreeView(new, self.read).consistency_path(old)

    def checkpoint(self, size: int, *, now: int) -> bytes:
        """Sign the state at a size."""
        ed25519, ml_dsa = self.ring.signers("log")
        state = Checkpoint(self.origin, size, self.root(size))
        return sign_checkpoint(state, ed25519=ed25519, ml_dsa=ml_dsa, now=now)

    def add_checkpoint(self, old: int, size: int, *, now: int) -> bytes:
        """Give the body that asks a witness to go from `old` to `size`."""
        path = self.path(old, size) if old <= size else []
        return encode_add_checkpoint(old, path, self.checkpoint(size, now=now))

    def continuation(self, size: int, *sizes: int, now: int) -> VerifiedContinuation:
        """Give the verified continuation from each of these sizes to `size`."""
        links = [Link(one, self.root(one), tuple(self.path(one, size))) for one in sizes]
        raw = encode_continuation(self.checkpoint(size, now=now), links)
        return verify(raw, origin=self.origin, keys=self.keys)
