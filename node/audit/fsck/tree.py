"""The tree once more, as plainly as RFC 6962 says it: a stack of peaks.

This is not the code that grows the log, on purpose: what both compute alike is right, or
two people made the same mistake. A peak is a complete subtree; two of one height become
one of the next. The peaks of height 8, 16, … are what the tiles of levels 1, 2, … hold.
Knows no entry and no database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Final

HASH_BYTES: Final = 32
TILE_HASHES: Final = 256
_LEVEL_HEIGHT: Final = 8

_sha256 = hashlib.sha256


class Peaks:
    """The peaks of a growing tree, and the tiles that it passes."""

    __slots__ = ("_done", "_peaks", "_rows", "_take", "size")

    def __init__(self, take_tile: Callable[[int, int, bytes], None]) -> None:
        """Begin empty; `take_tile` gets level, index and hashes of each tile that is done."""
        self.size = 0
        self._peaks: list[bytes] = []  # from the left: one for each one bit of `size`
        self._rows: list[list[bytes]] = [[]]  # of each level, the hashes since its last tile
        self._done: list[int] = [0]  # of each level, the tiles so far
        self._take = take_tile

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add the hashes of leaves, one by one."""
        peaks, bottom = self._peaks, self._rows[0]
        for leaf in leaves:
            node, carry, height = leaf, self.size, 0
            # As adding one to a binary number: every one bit at its end carries.
            while carry & 1:
                node = _sha256(b"\1" + peaks.pop() + node).digest()
                carry >>= 1
                height += 1
                if height % _LEVEL_HEIGHT == 0:
                    self._raise(height // _LEVEL_HEIGHT, node)
            peaks.append(node)
            self.size += 1
            bottom.append(leaf)
            if len(bottom) == TILE_HASHES:
                self._finish(0)

    def end(self) -> None:
        """Give out the tiles of the right edge, which are not full."""
        for level, row in enumerate(self._rows):
            if row:
                self._finish(level)

    def root(self) -> bytes:
        """Give the root: the peaks folded from the right."""
        return _fold(self._peaks)

    def tiles(self) -> list[int]:
        """Give, level by level, how many tiles there have been."""
        return list(self._done)

    def _raise(self, level: int, node: bytes) -> None:
        if level == len(self._rows):
            self._rows.append([])
            self._done.append(0)
        self._rows[level].append(node)
        if len(self._rows[level]) == TILE_HASHES:
            self._finish(level)

    def _finish(self, level: int) -> None:
        self._take(level, self._done[level], b"".join(self._rows[level]))
        self._done[level] += 1
        self._rows[level].clear()


def root_from_tiles(size: int, read: Callable[[int, int], bytes]) -> bytes:
    """Compute the root that the tree had at a size, from tiles that were compared before."""
    peaks = []
    for height in reversed(range(size.bit_length())):
        if size >> height & 1:
            level, within = divmod(height, _LEVEL_HEIGHT)
            first = (size >> height + 1 << height + 1) >> level * _LEVEL_HEIGHT
            tile, at = divmod(first, TILE_HASHES)
            hashes = read(level, tile)[at * HASH_BYTES : (at + (1 << within)) * HASH_BYTES]
            peaks.append(_complete(hashes))
    return _fold(peaks)


def _complete(hashes: bytes) -> bytes:
    """Hash a power of two of neighbours to the node above all of them."""
    row = [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
    while len(row) > 1:
        row = [_sha256(b"\1" + row[at] + row[at + 1]).digest() for at in range(0, len(row) - 1, 2)]
    return row[0] if row else b""


def _fold(peaks: list[bytes]) -> bytes:
    if not peaks:
        return _sha256().digest()
    *others, root = peaks
    for peak in reversed(others):
        root = _sha256(b"\1" + peak + root).digest()
    return root
