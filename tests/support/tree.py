"""A log's tiles in memory, grown by the code under test.

tiles = TileStore()
tiles.append([leaf_hash(b"one"), leaf_hash(b"two")])
assert tree_root(tiles.size, tiles.read) == root_of(tiles.leaves)
"""

from __future__ import annotations

from collections.abc import Sequence

from protocol.merkle import HASH_BYTES, grow, leaf_hash


class TileStore:
    """The tiles of one tree, with the leaves beside them to compare with."""

    def __init__(self) -> None:
        """Begin with the empty tree."""
        self.size = 0
        self.leaves: list[bytes] = []
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.reads: list[tuple[int, int, int]] = []

    def read(self, level: int, index: int, width: int) -> bytes:
        """Give exactly the hashes asked for, and remember that they were."""
        self.reads.append((level, index, width))
        return self.tiles.get((level, index), b"")[: width * HASH_BYTES]

    def append(self, leaves: Sequence[bytes]) -> dict[tuple[int, int], bytes]:
        """Grow by these leaves; gives what `grow` gave."""
        grown = grow(self.size, leaves, self.read)
        for place, gained in grown.items():
            self.tiles[place] = self.tiles.get(place, b"") + gained
        self.leaves.extend(leaves)
        self.size += len(leaves)
        return grown


def some_leaves(count: int, start: int = 0) -> list[bytes]:
    """Make leaves that differ from each other and are the same every time."""
    return [leaf_hash(b"entry %d" % number) for number in range(start, start + count)]
