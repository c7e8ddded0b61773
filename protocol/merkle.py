"""The RFC 6962 tree with SHA-256, and the C2SP tiles it is kept in (SPEC 6.2).

Theory. A leaf is SHA-256(00 || entry), a node SHA-256(01 || left || right). A node is
named by its height and its index: it covers the leaves [index * 2^height, (index + 1) *
2^height). It is *complete* when all of them exist, and never changes again. Everything in
the tree of one size is made from complete nodes and, on the right, of one ragged rest.

A tile of level L holds up to 256 complete nodes of height 8 L, side by side; the seven
heights between two levels are computed. A tile only grows at its end, so every smaller
tile of the same place is a prefix of it.

Two verifiers need no tiles at all: `verify_inclusion` and `verify_consistency`. This
module knows no entry, checkpoint or storage: tiles come through a function.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from protocol.errors import Misuse, NotAuthentic

HASH_BYTES: Final = 32
TILE_WIDTH: Final = 256
EMPTY_ROOT: Final = hashlib.sha256().digest()

_TILE_HEIGHT: Final = 8
_TILE_BYTES: Final = TILE_WIDTH * HASH_BYTES
_PAIR_BYTES: Final = 2 * HASH_BYTES
_TILES_KEPT: Final = 4_096  # of 16 KB each: a million entries

ReadTile: TypeAlias = Callable[[int, int, int], bytes]
"""Read a tile: (level, index, width) gives at least `width` hashes; more are ignored.

Fewer are `Misuse`: whoever reads tiles from outside checks their length where they come in.
"""


def leaf_hash(entry: bytes) -> bytes:
    """Hash one entry to its leaf. The prefix keeps leaves and nodes apart."""
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two neighbours to the node above them."""
    return hashlib.sha256(b"\1" + left + right).digest()


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """Compute a root from all leaves, plainly: pairs, row by row, an odd last one moves up."""
    if not leaf_hashes:
        return EMPTY_ROOT
    row = list(leaf_hashes)
    while len(row) > 1:
        odd = row[-1:] if len(row) % 2 else []
        row = [node_hash(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)] + odd
    return row[0]


def verify_inclusion(
    *, leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> None:
    """Check that `leaf` stands at `index` in the tree of `size` leaves with this root.

    Raises `NotAuthentic` otherwise. The length of the path follows from index and size, so
    there is one path for one leaf and nothing to add to it.
    """
    if not 0 <= index < size:
        raise NotAuthentic("an index outside the tree")
    # Below `split` the leaf has a neighbour on either side; above, only on its left.
    split = (index ^ (size - 1)).bit_length()
    if len(path) != split + (index >> split).bit_count():
        raise NotAuthentic("an inclusion path of a wrong length")
    _check_hashes(leaf, root, path)
    found = leaf
    for height, sibling in enumerate(path):
        if height >= split or index >> height & 1:
            found = node_hash(sibling, found)
        else:
            found = node_hash(found, sibling)
    if found != root:
        raise NotAuthentic("the inclusion path does not lead to the root")


def verify_consistency(
    *, old_size: int, old_root: bytes, new_size: int, new_root: bytes, path: Sequence[bytes]
) -> None:
    """Check that the tree of `old_size` leaves is the beginning of that of `new_size`.

    Raises `NotAuthentic` otherwise. Every tree continues the empty one, with an empty path
    (the C2SP witness rule); that is no news of the new root.
    """
    _check_hashes(old_root, new_root, path)
    if not 0 <= old_size <= new_size:
        raise NotAuthentic("a tree that would have to shrink")
    if (old_size == 0 and old_root != EMPTY_ROOT) or (
        old_size == new_size and old_root != new_root
    ):
        raise NotAuthentic("two roots for one size")
    if old_size in {0, new_size}:
        if path:
            raise NotAuthentic("a consistency path where none is needed")
        return
    _verify_growth(old_size, old_root, new_size, new_root, path)


def _verify_growth(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, path: Sequence[bytes]
) -> None:
    """Walk from the last complete node of the old tree up to both roots, 0 < old < new."""
    low = _trailing_zeros(old_size)
    last = old_size - 1
    split = (last ^ (new_size - 1)).bit_length()
    # The walk starts at the largest node that ends the old tree. Where that is the whole
    # old tree, its root is known and the path does not repeat it.
    whole = old_size == 1 << low
    siblings = path if whole else path[1:]
    if len(path) != (not whole) + split - low + (last >> split).bit_count():
        raise NotAuthentic("a consistency path of a wrong length")
    old = new = old_root if whole else path[0]
    for height, sibling in enumerate(siblings, low):
        if height >= split or last >> height & 1:
            old = node_hash(sibling, old)
            new = node_hash(sibling, new)
        else:
            new = node_hash(new, sibling)
    if old != old_root or new != new_root:
        raise NotAuthentic("the consistency path does not lead to both roots")


class TileRows:
    """The nodes computed from tiles of one log, so that they are computed once.

    A complete node never changes and a tile only grows, so what is kept is right for every
    size of the log, and a tile that has grown costs its new nodes only. At most `tiles_max`
    are kept; the one that came first goes first.
    """

    __slots__ = ("_rows", "_tiles_max")

    def __init__(self, tiles_max: int = _TILES_KEPT) -> None:
        """Keep nothing yet."""
        self._rows: dict[tuple[int, int], list[bytes]] = {}
        self._tiles_max = tiles_max

    def rows(self, level: int, index: int, width: int, read: ReadTile) -> list[bytes]:
        """Give the hashes of a tile and the seven rows above them, for `width` or more."""
        known = self._rows.get((level, index))
        if known is not None and len(known[0]) >= width * HASH_BYTES:
            return known
        return self._keep(level, index, _read_exactly(read, level, index, width))

    def tile(self, level: int, index: int, width: int, read: ReadTile) -> bytes:
        """Give the first `width` hashes of a tile; one that has not begun is not read."""
        return self.rows(level, index, width, read)[0][: width * HASH_BYTES] if width else b""

    def full_root(self, level: int, index: int, tile: bytes) -> bytes:
        """Give the root of a full tile, and keep its rows."""
        row = self._keep(level, index, tile)[-1]
        return node_hash(row[:HASH_BYTES], row[HASH_BYTES:])

    def _keep(self, level: int, index: int, tile: bytes) -> list[bytes]:
        rows = _rows(tile, self._rows.get((level, index), ()))
        self._rows[level, index] = rows
        if len(self._rows) > self._tiles_max:
            first, *_ = list(self._rows)  # a copy: another thread may add to them meanwhile
            self._rows.pop(first, None)
        return rows


def grow(
    size: int, leaf_hashes: Sequence[bytes], read: ReadTile, kept: TileRows | None = None
) -> dict[tuple[int, int], bytes]:
    """Append leaves to the tree of `size`: gives, by (level, index), what each tile gains.

    A tile that becomes full adds its root to the level above, at once. Only tiles of the
    right edge that become full are read, at most one a level.
    """
    kept = TileRows() if kept is None else kept
    if size < 0 or any(len(leaf) != HASH_BYTES for leaf in leaf_hashes):
        raise Misuse("a leaf that is not a hash, or a size below zero")
    grown: dict[tuple[int, int], bytes] = {}
    level, start, hashes = 0, size, b"".join(leaf_hashes)
    while hashes:
        above = []
        index, width = divmod(start, TILE_WIDTH)
        while hashes:
            free = _TILE_BYTES - width * HASH_BYTES
            gained, hashes = hashes[:free], hashes[free:]
            grown[level, index] = gained
            if len(gained) == free:
                tile = kept.tile(level, index, width, read) + gained
                above.append(kept.full_root(level, index, tile))
            index, width = index + 1, 0
        level, start, hashes = level + 1, start // TILE_WIDTH, b"".join(above)
    return grown


def tree_root(size: int, read: ReadTile) -> bytes:
    """Compute the root of the tree of `size` leaves from the tiles of its right edge."""
    return TreeView(size, read).root()


def inclusion_path(index: int, size: int, read: ReadTile) -> list[bytes]:
    """Give the path of the leaf at `index`, from its sibling up to the root's child."""
    return TreeView(size, read).inclusion_path(index)


def consistency_path(old_size: int, new_size: int, read: ReadTile) -> list[bytes]:
    """Give the path that shows the tree of `new_size` to continue that of `old_size`."""
    return TreeView(new_size, read).consistency_path(old_size)


class TreeView:
    """The tree of one size, seen through its tiles; what it has computed it keeps.

    Make one for a batch: the paths of neighbours share nearly everything. Views of several
    sizes of one log may share their `kept` rows.

        view = TreeView(size, read)
        root, paths = view.root(), [view.inclusion_path(i) for i in range(old, size)]
    """

    __slots__ = ("_edges", "_kept", "_read", "_upper_paths", "size")

    def __init__(self, size: int, read: ReadTile, kept: TileRows | None = None) -> None:
        """See the first `size` leaves; `read` may know of more."""
        if size < 0:
            raise Misuse("a tree of a size below zero")
        self.size = size
        self._read = read
        self._kept = TileRows() if kept is None else kept
        self._edges: dict[int, bytes] = {}
        self._upper_paths: dict[int, list[bytes]] = {}

    def root(self) -> bytes:
        """Give the root."""
        return self._edge(self.size.bit_length()) if self.size else EMPTY_ROOT

    def inclusion_path(self, index: int) -> list[bytes]:
        """Give the path of the leaf at `index`, from its sibling up to the root's child."""
        if not 0 <= index < self.size:
            raise Misuse("a path is asked for a leaf that is not in the tree")
        place = index >> _TILE_HEIGHT
        upper = self._upper_paths.get(place)
        if upper is None:
            upper = self._siblings(index, _TILE_HEIGHT, self.size.bit_length())
            self._upper_paths[place] = upper
        return self._siblings(index, 0, _TILE_HEIGHT) + upper

    def consistency_path(self, old_size: int) -> list[bytes]:
        """Give the path that shows this tree to continue the one of `old_size` leaves."""
        if not 0 <= old_size <= self.size:
            raise Misuse("a tree does not continue a larger one")
        if old_size in {0, self.size}:
            return []
        low = _trailing_zeros(old_size)
        start = [] if old_size == 1 << low else [self._node(low, (old_size - 1) >> low)]
        return start + self._siblings(old_size - 1, low, self.size.bit_length())

    def _siblings(self, index: int, low: int, high: int) -> list[bytes]:
        """Give the siblings on the way up from leaf `index`, for heights in [low, high)."""
        found = []
        split = (index ^ (self.size - 1)).bit_length()
        for height in range(low, high):
            place = index >> height
            if place & 1:
                found.append(self._node(height, place - 1))
            elif height < split:
                complete = (place + 2) << height <= self.size
                found.append(self._node(height, place + 1) if complete else self._edge(height))
        return found

    def _edge(self, height: int) -> bytes:
        """Hash the leaves to the right of the last complete node of `height`: at least one."""
        known = self._edges.get(height)
        if known is not None:
            return known
        edge = b""
        rest = self.size & ((1 << height) - 1)
        while rest:
            low = _trailing_zeros(rest)
            peak = self._node(low, (self.size >> low) - 1)
            edge = node_hash(peak, edge) if edge else peak
            rest &= rest - 1
        self._edges[height] = edge
        return edge

    def _node(self, height: int, index: int) -> bytes:
        """Give one complete node."""
        level, within = divmod(height, _TILE_HEIGHT)
        tile, place = divmod(index, TILE_WIDTH >> within)
        count = self.size >> level * _TILE_HEIGHT  # complete nodes of this level
        width = min(TILE_WIDTH, count - tile * TILE_WIDTH)
        rows = self._kept.rows(level, tile, width, self._read)
        at = place * HASH_BYTES
        return rows[within][at : at + HASH_BYTES]


def _rows(tile: bytes, known: Sequence[bytes]) -> list[bytes]:
    """Compute the complete nodes above the hashes of a tile, row by row below its root.

    `known` are the rows of the same tile when it was smaller, or nothing.
    """
    sha256 = hashlib.sha256
    rows = [tile]
    for height in range(1, _TILE_HEIGHT):
        row, begun = rows[-1], known[height] if known else b""
        pairs = range(2 * len(begun), len(row) // _PAIR_BYTES * _PAIR_BYTES, _PAIR_BYTES)
        more = [sha256(b"\1" + row[at : at + _PAIR_BYTES]).digest() for at in pairs]
        rows.append(begun + b"".join(more))
    return rows


def _read_exactly(read: ReadTile, level: int, index: int, width: int) -> bytes:
    """Read the first `width` hashes of a tile; a tile of which none exist yet is not read."""
    tile = read(level, index, width)[: width * HASH_BYTES] if width else b""
    if len(tile) != width * HASH_BYTES:
        raise Misuse("a tile reader gave fewer hashes than the tree must have")
    return tile


def _check_hashes(one: bytes, other: bytes, path: Sequence[bytes]) -> None:
    """Refuse whatever is not a whole hash, before anything is computed from it."""
    if len(one) != HASH_BYTES or len(other) != HASH_BYTES:
        raise NotAuthentic("a leaf or root that is not a hash")
    if any(len(sibling) != HASH_BYTES for sibling in path):
        raise NotAuthentic("a path with something that is not a hash")


def _trailing_zeros(number: int) -> int:
    """Count the zero bits below the lowest one bit of a positive number."""
    return (number & -number).bit_length() - 1
