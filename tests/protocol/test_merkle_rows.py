"""Rows that are kept of a log's tiles: the same tree, read once, in bounded memory."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.merkle import (
    HASH_BYTES,
    TileRows,
    TreeView,
    consistency_path,
    grow,
    inclusion_path,
    tree_root,
)
from tests.support.tree import TileStore, some_leaves


@given(st.lists(st.integers(1, 300), min_size=1, max_size=12), st.randoms())
@settings(max_examples=25, deadline=None)
def test_rows_that_are_kept_give_the_same_tree_at_every_size(
    steps: list[int], chance: random.Random
) -> None:
    """Growing and viewing with what was computed before, in any order of sizes."""
    plain, size, tiles = TileStore(), 0, dict[tuple[int, int], bytes]()
    kept = TileRows(chance.choice([2, 5, 64]))

    def read(level: int, index: int, width: int) -> bytes:
        return tiles[level, index][: width * HASH_BYTES]

    for step in steps:
        leaves = some_leaves(step, size)
        plain.append(leaves)
        for place, gained in grow(size, leaves, read, kept).items():
            tiles[place] = tiles.get(place, b"") + gained
        size += step
        assert tiles == plain.tiles
        for seen in (size, chance.randint(1, size)):
            view = TreeView(seen, read, kept)
            index, old = chance.randrange(seen), chance.randint(0, seen)
            assert view.root() == tree_root(seen, plain.read)
            assert view.inclusion_path(index) == inclusion_path(index, seen, plain.read)
            assert view.consistency_path(old) == consistency_path(old, seen, plain.read)


def test_rows_are_kept_of_so_many_tiles_and_then_read_again() -> None:
    """Memory is bounded; within the bound each tile is read once for all views."""
    tiles, kept = TileStore(), TileRows(4)
    tiles.append(some_leaves(256 * 8))

    def reads(*indices: int) -> int:
        tiles.reads.clear()
        for index in indices:
            kept.rows(0, index, 256, tiles.read)
        return len(tiles.reads)

    assert reads(0, 1, 2, 3) == 4
    assert reads(3, 2, 1, 0) == 0
    assert reads(4, 4, 1) == 1
    assert reads(0) == 1
