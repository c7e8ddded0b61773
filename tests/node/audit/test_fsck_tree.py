"""Two ways to the same tree: the audit's stack of peaks and the writer's tiles agree."""

from __future__ import annotations

import pytest

from node.audit.fsck.tree import Peaks, root_from_tiles
from protocol.merkle import EMPTY_ROOT, HASH_BYTES, tree_root
from tests.support.tree import TileStore, some_leaves

SIZES = (0, 1, 2, 3, 255, 256, 257, 511, 512, 700, 1_023, 65_535, 65_536, 65_537, 66_000)


@pytest.mark.parametrize("size", SIZES)
def test_both_ways_give_the_same_tiles_and_root(size: int) -> None:
    """Tiles and root are the same whichever code made them, and at whatever step."""
    store = TileStore()
    store.append(some_leaves(size))
    tiles: dict[tuple[int, int], bytes] = {}
    peaks = Peaks(lambda level, index, hashes: tiles.update({(level, index): hashes}))
    for start in range(0, size, 1_000):
        peaks.extend(store.leaves[start : start + 1_000])
    assert peaks.root() == tree_root(size, store.read)
    peaks.end()
    assert tiles == store.tiles
    assert sum(peaks.tiles()) == len(tiles)


def test_the_empty_tree_has_its_root() -> None:
    """No leaves, no tiles, and the root of nothing."""
    assert Peaks(lambda *_tile: None).root() == EMPTY_ROOT == root_from_tiles(0, lambda *_: b"")


@pytest.mark.parametrize("size", [1, 2, 3, 255, 256, 257, 511, 699, 700])
def test_an_earlier_root_is_found_in_later_tiles(size: int) -> None:
    """Tiles only grow, so the root of every earlier size is still in them."""
    store = TileStore()
    store.append(some_leaves(700))
    found = root_from_tiles(size, lambda level, index: store.tiles[level, index])
    assert found == tree_root(size, store.read)


def test_an_earlier_root_of_a_high_tree_is_found() -> None:
    """The third level of tiles begins at 65,536 leaves."""
    store = TileStore()
    store.append(some_leaves(66_100))
    for size in (65_535, 65_536, 65_800, 66_100):
        found = root_from_tiles(size, lambda level, index: store.tiles[level, index])
        assert found == tree_root(size, store.read)
        assert len(found) == HASH_BYTES
