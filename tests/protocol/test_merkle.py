"""The tree: tiles against the definition, proofs good and bad, public vectors."""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path
from typing import TypedDict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.errors import Misuse, NotAuthentic
from protocol.merkle import (
    EMPTY_ROOT,
    HASH_BYTES,
    TILE_WIDTH,
    TreeView,
    consistency_path,
    grow,
    inclusion_path,
    leaf_hash,
    node_hash,
    root_of,
    tree_root,
    verify_consistency,
    verify_inclusion,
)
from tests.support.public_data import public
from tests.support.tree import TileStore, some_leaves


class InclusionCase(TypedDict):
    """A public inclusion vector."""

    leafIdx: int
    treeSize: int
    root: str
    leafHash: str
    proof: list[str] | None
    wantErr: bool


class ConsistencyCase(TypedDict):
    """A public consistency vector."""

    size1: int
    size2: int
    root1: str
    root2: str
    proof: list[str] | None
    wantErr: bool


def rfc6962_root(leaves: list[bytes]) -> bytes:
    """Compute MTH as RFC 6962 section 2.1 writes it."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else EMPTY_ROOT
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(rfc6962_root(leaves[:split]), rfc6962_root(leaves[split:]))


def rfc6962_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """Compute PATH as RFC 6962 section 2.1.1 writes it."""
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = leaves[:split], leaves[split:]
    if index < split:
        return [*rfc6962_path(index, left), rfc6962_root(right)]
    return [*rfc6962_path(index - split, right), rfc6962_root(left)]


def rfc6962_consistency(old: int, leaves: list[bytes], *, whole: bool = True) -> list[bytes]:
    """Compute SUBPROOF as RFC 6962 section 2.1.2 writes it."""
    if old == len(leaves):
        return [] if whole else [rfc6962_root(leaves)]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = leaves[:split], leaves[split:]
    if old <= split:
        return [*rfc6962_consistency(old, left, whole=whole), rfc6962_root(right)]
    return [*rfc6962_consistency(old - split, right, whole=False), rfc6962_root(left)]


def stored(count: int) -> TileStore:
    """Make the tiles of a tree of `count` leaves."""
    tiles = TileStore()
    tiles.append(some_leaves(count))
    return tiles


def check(tiles: TileStore, index: int, old_size: int) -> None:
    """Ask for one path of each kind and verify both against the definition of the root."""
    root = root_of(tiles.leaves)
    assert tree_root(tiles.size, tiles.read) == root
    path = inclusion_path(index, tiles.size, tiles.read)
    leaf = tiles.leaves[index]
    verify_inclusion(leaf=leaf, index=index, size=tiles.size, path=path, root=root)
    verify_consistency(
        old_size=old_size,
        old_root=root_of(tiles.leaves[:old_size]),
        new_size=tiles.size,
        new_root=root,
        path=consistency_path(old_size, tiles.size, tiles.read),
    )


def test_plain_root_is_the_rfc_definition() -> None:
    """Pairing row by row gives the root that the RFC defines by splitting."""
    leaves = some_leaves(130)
    for size in range(131):
        assert root_of(leaves[:size]) == rfc6962_root(leaves[:size])


def test_all_small_trees_give_the_paths_of_the_rfc() -> None:
    """Every path of every tree up to 40 leaves is the RFC's, and verifies."""
    tiles = stored(40)
    for size in range(1, 41):
        leaves, root = tiles.leaves[:size], root_of(tiles.leaves[:size])
        view = TreeView(size, tiles.read)
        assert view.root() == root
        for place in range(size):
            path = view.inclusion_path(place)
            assert path == rfc6962_path(place, leaves)
            verify_inclusion(leaf=leaves[place], index=place, size=size, path=path, root=root)
            old_size, old_root = place + 1, root_of(leaves[: place + 1])
            path = view.consistency_path(old_size)
            assert path == rfc6962_consistency(old_size, leaves)
            verify_consistency(
                old_size=old_size, old_root=old_root, new_size=size, new_root=root, path=path
            )


def test_every_size_up_to_600_one_leaf_at_a_time() -> None:
    """Growing leaf by leaf across two tile borders never leaves the definition."""
    chance = random.Random(1)
    tiles = TileStore()
    assert tree_root(0, tiles.read) == EMPTY_ROOT == root_of([])
    for leaf in some_leaves(600):
        tiles.append([leaf])
        check(tiles, chance.randrange(tiles.size), chance.randrange(tiles.size + 1))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 700), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_any_steps_of_growth_give_the_same_tree(steps: list[int], chance: random.Random) -> None:
    """However the leaves are batched, tiles, roots and paths are those of the whole."""
    tiles = TileStore()
    for step in steps:
        tiles.append(some_leaves(step, tiles.size))
    assert tiles.tiles == stored(tiles.size).tiles
    if tiles.size:
        check(tiles, chance.randrange(tiles.size), chance.randrange(tiles.size + 1))


def test_a_tree_of_70000_leaves_has_the_tiles_of_the_c2sp_example() -> None:
    """Three levels of tiles, as wide as C2SP's own example says."""
    tiles = stored(70_000)
    widths: dict[int, list[int]] = {}
    for (level, _), hashes in sorted(tiles.tiles.items()):
        widths.setdefault(level, []).append(len(hashes) // HASH_BYTES)
    assert widths == {0: [256] * 273 + [112], 1: [256, 17], 2: [1]}
    for index, old_size in ((0, 1), (69_999, 69_999), (65_535, 65_536), (65_536, 65_537)):
        check(tiles, index, old_size)


def test_a_full_tile_is_in_the_level_above_at_once() -> None:
    """A tree of 256 leaves has a full tile and one hash above it (C2SP)."""
    tiles = stored(255)
    grown = tiles.append(some_leaves(1, 255))
    assert grown == {(0, 0): tiles.leaves[255], (1, 0): root_of(tiles.leaves)}


def test_an_older_size_is_seen_through_newer_tiles() -> None:
    """Every smaller tile is a prefix, so old roots need no old tiles."""
    tiles = stored(1_500)
    for size in (1, 255, 256, 257, 512, 1_023, 1_499):
        assert tree_root(size, tiles.read) == root_of(tiles.leaves[:size])


def test_growing_reads_only_tiles_that_become_full() -> None:
    """A batch inside a tile reads nothing; one that fills it reads that tile once."""
    tiles = stored(300)
    tiles.reads.clear()
    tiles.append(some_leaves(100, 300))
    assert tiles.reads == []
    tiles.append(some_leaves(400, 400))
    assert tiles.reads == [(0, 1, 144)]


def test_paths_read_logarithmically_many_tiles() -> None:
    """One path in 70,000 leaves reads at most two tiles a level."""
    tiles = stored(70_000)
    tiles.reads.clear()
    inclusion_path(12_345, tiles.size, tiles.read)
    assert len(tiles.reads) <= 6
    tiles.reads.clear()
    consistency_path(12_345, tiles.size, tiles.read)
    assert len(tiles.reads) <= 6


def test_a_path_holds_for_no_other_leaf_index_or_root() -> None:
    """Each change to what is claimed, or to the path, is refused."""
    tiles = stored(13)
    root = root_of(tiles.leaves)
    for index in range(13):
        path = inclusion_path(index, 13, tiles.read)
        for other in {*range(-1, 15)} - {index}:
            with pytest.raises(NotAuthentic):
                verify_inclusion(
                    leaf=tiles.leaves[index], index=other, size=13, path=path, root=root
                )
        wrong = [path[:-1], [*path, root], [root, *path], path[::-1], [*path[:-1], path[-1][:31]]]
        for changed in wrong:
            with pytest.raises(NotAuthentic):
                verify_inclusion(
                    leaf=tiles.leaves[index], index=index, size=13, path=changed, root=root
                )


def test_two_histories_are_never_consistent() -> None:
    """A tree with one early leaf changed continues no tree that has it."""
    true, false = stored(20), TileStore()
    false.append([*some_leaves(3), leaf_hash(b"forged"), *some_leaves(16, 4)])
    for old_size in range(4, 21):
        path = consistency_path(old_size, 20, false.read)
        with pytest.raises(NotAuthentic):
            verify_consistency(
                old_size=old_size,
                old_root=root_of(true.leaves[:old_size]),
                new_size=20,
                new_root=root_of(false.leaves),
                path=path,
            )


@pytest.mark.parametrize(
    ("old_size", "old_root", "new_size", "path"),
    [
        pytest.param(0, EMPTY_ROOT, 4, [EMPTY_ROOT], id="from nothing needs no path"),
        pytest.param(0, leaf_hash(b""), 4, [], id="nothing has one root"),
        pytest.param(5, EMPTY_ROOT, 4, [], id="a tree does not shrink"),
        pytest.param(-1, EMPTY_ROOT, 4, [], id="a size is not negative"),
        pytest.param(3, EMPTY_ROOT, 4, [], id="a path that is missing"),
        pytest.param(4, EMPTY_ROOT, 4, [], id="two roots of one size"),
        pytest.param(4, root_of(some_leaves(4)), 4, [EMPTY_ROOT], id="a path for no step"),
        pytest.param(2, EMPTY_ROOT[:31], 4, [EMPTY_ROOT], id="a root that is no hash"),
    ],
)
def test_an_impossible_step_is_refused(
    old_size: int, old_root: bytes, new_size: int, path: list[bytes]
) -> None:
    """What no growth can look like is refused before anything is hashed."""
    with pytest.raises(NotAuthentic):
        verify_consistency(
            old_size=old_size,
            old_root=old_root,
            new_size=new_size,
            new_root=root_of(some_leaves(4)),
            path=path,
        )


def test_the_empty_tree_is_the_beginning_of_every_tree() -> None:
    """From size 0 the path is empty (the C2SP witness rule)."""
    tiles = stored(7)
    assert consistency_path(0, 7, tiles.read) == []
    verify_consistency(
        old_size=0, old_root=EMPTY_ROOT, new_size=7, new_root=root_of(tiles.leaves), path=[]
    )


@given(
    st.integers(-5, 2**70),
    st.integers(-5, 2**70),
    st.lists(st.binary(max_size=40), max_size=8),
    st.binary(max_size=40),
)
def test_arbitrary_claims_are_refused_and_nothing_else(
    low: int, high: int, path: list[bytes], root: bytes
) -> None:
    """A verifier of chosen nonsense raises `NotAuthentic`, whatever the numbers."""
    with pytest.raises(NotAuthentic):
        verify_inclusion(leaf=leaf_hash(b"x"), index=low, size=high, path=path, root=root)
    with pytest.raises(NotAuthentic):
        verify_consistency(
            old_size=low, old_root=leaf_hash(b"x"), new_size=high, new_root=root, path=path
        )


def test_calls_that_make_no_sense_are_our_own_fault() -> None:
    """A leaf outside the tree, a shrinking tree or a short tile is `Misuse`."""
    tiles = stored(10)
    with pytest.raises(Misuse):
        inclusion_path(10, 10, tiles.read)
    with pytest.raises(Misuse):
        consistency_path(11, 10, tiles.read)
    with pytest.raises(Misuse):
        tree_root(-1, tiles.read)
    with pytest.raises(Misuse):
        grow(10, [b"short"], tiles.read)
    with pytest.raises(Misuse):
        tree_root(TILE_WIDTH, tiles.read)


def test_public_reference_values_hold() -> None:
    """Leaves, nodes and roots for sizes 0 to 8 are those of the reference."""
    reference = json.loads(public("merkle", "rfc6962-reference.json").read_bytes())
    leaves = [leaf_hash(bytes.fromhex(entry)) for entry in reference["leaf_inputs_hex"]]
    assert [leaf.hex() for leaf in leaves] == reference["node_hashes_hex_by_level"][0]
    roots = [root_of(leaves[:size]).hex() for size in range(9)]
    assert roots == reference["root_hashes_hex_by_size"]


def test_public_inclusion_vectors_hold() -> None:
    """Good public proofs are accepted and bad ones refused."""
    for file in _case_files("inclusion"):
        case: InclusionCase = json.loads(file.read_bytes())
        assert _included(case) is not case["wantErr"], file.name


def test_public_consistency_vectors_hold() -> None:
    """Good public proofs are accepted and bad ones refused, but for placeholder roots."""
    other = set()
    for file in _case_files("consistency"):
        case: ConsistencyCase = json.loads(file.read_bytes())
        if _consistent(case) is case["wantErr"]:
            other.add(file.name)
    # Its two equal roots are the text "don't care": no hash, so not looked at here.
    assert other == {"sizes-are-equal-one-and-proof-is-empty.json"}


def _case_files(kind: str) -> list[Path]:
    files = sorted(public("merkle", kind).rglob("*.json"))
    assert len(files) > 80
    return files


def _included(case: InclusionCase) -> bool:
    try:
        verify_inclusion(
            leaf=base64.b64decode(case["leafHash"]),
            index=case["leafIdx"],
            size=case["treeSize"],
            path=[base64.b64decode(sibling) for sibling in case["proof"] or []],
            root=base64.b64decode(case["root"]),
        )
    except NotAuthentic:
        return False
    return True


def _consistent(case: ConsistencyCase) -> bool:
    try:
        verify_consistency(
            old_size=case["size1"],
            old_root=base64.b64decode(case["root1"]),
            new_size=case["size2"],
            new_root=base64.b64decode(case["root2"]),
            path=[base64.b64decode(sibling) for sibling in case["proof"] or []],
        )
    except NotAuthentic:
        return False
    return True
