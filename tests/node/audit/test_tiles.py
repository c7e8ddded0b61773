"""The log's files: what is given is what the tree says, and nothing else is a file."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.audit.tiles import TilePath, TileSource, parse_path
from node.storage import Connection, log_rows, watch_rows
from node.storage.engine import Database
from node.storage.log_rows import Head
from protocol.digest import sha256
from protocol.errors import Misuse, Recovering
from protocol.merkle import (
    EMPTY_ROOT,
    grow,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from protocol.record import entry

ORIGIN = "pacific/fj.justice/1"
SIZES = (1, 255, 256, 257, 1_000)


@dataclass(slots=True)
class Stored:
    """A log in a database, and the head that may be shown of it."""

    database: Database
    leaves: list[bytes]
    size: int

    def source(self, **changes: int) -> TileSource:
        """Give the files of the log up to `size`."""
        return TileSource(self.database, self._head_of, **changes)

    def _head_of(self, number: int) -> Head | None:
        head = Head(ORIGIN, self.size, root_of(self.leaves[: self.size]), b"a checkpoint\n")
        return head if number == 1 else None


def commitment(position: int) -> bytes:
    """Give what stands at a position."""
    return sha256(position.to_bytes(8, "big"))


def stored(database: Database, size: int, shown: int | None = None) -> Stored:
    """Store a log of so many entries, of which `shown` may be shown."""
    leaves = [leaf_hash(entry(commitment(position))) for position in range(size)]
    tiles = grow(0, leaves, lambda *_: b"")  # nothing is there to be read

    def put(conn: Connection) -> None:
        rows = [(1, one, commitment(one), "log.opened", 1, b"{}", b"") for one in range(size)]
        log_rows.insert_entries(conn, rows)
        for place, hashes in tiles.items():
            log_rows.write_tile(conn, 1, place, hashes, new=True)

    database.transact(put)
    return Stored(database, leaves, size if shown is None else shown)


@pytest.mark.parametrize("size", SIZES)
def test_the_files_of_a_log_are_those_of_its_tree(database: Database, size: int) -> None:
    """Each tile of level 0 is the leaves, each of level 1 the roots below; bundles hash to them."""
    log = stored(database, size)
    source = log.source()
    full, width = divmod(size, 256)
    widths = [256] * full + [width] * bool(width)
    for index, wide in enumerate(widths):
        path = TilePath(0, index, wide)
        leaves = log.leaves[index * 256 : index * 256 + wide]
        assert source.file(1, path.encode()) == b"".join(leaves)
        bundle = source.file(1, TilePath(None, index, wide).encode())
        assert bundle is not None
        assert len(bundle) == 35 * wide
        entries = [bundle[at + 2 : at + 35] for at in range(0, len(bundle), 35)]
        assert {bundle[at : at + 2] for at in range(0, len(bundle), 35)} == {b"\0\x21"}
        assert [leaf_hash(one) for one in entries] == leaves
    roots = [root_of(log.leaves[one * 256 : one * 256 + 256]) for one in range(full)]
    above = source.file(1, TilePath(1, 0, full).encode()) if full else None
    assert above == (b"".join(roots) or None)
    assert source.file(1, TilePath(2, 0, 1).encode()) is None
    assert source.file(1, "checkpoint") == b"a checkpoint\n"
    assert source.root_at(1, size) == root_of(log.leaves)


def test_every_partial_tile_that_was_ever_signed_is_there_and_none_beyond(
    database: Database,
) -> None:
    """Widths of the past are the beginnings of today's tile; those of the future are not files."""
    log = stored(database, 300, shown=257)
    source = log.source()
    for width in (1, 17, 255):
        assert source.file(1, f"tile/0/000.p/{width}") == b"".join(log.leaves[:width])
        assert len(source.file(1, f"tile/entries/000.p/{width}") or b"") == 35 * width
    assert source.file(1, "tile/0/001.p/1") == log.leaves[256]
    for beyond in ("tile/0/001.p/2", "tile/entries/001.p/44", "tile/0/001", "tile/0/002.p/1"):
        assert source.file(1, beyond) is None, beyond
    with pytest.raises(Misuse):
        source.root_at(1, 258)


HOSTILE = [
    "", "tile", "tile/", "tile/0", "tile/0/", "tile/0/0", "tile/0/00", "tile/0/0000",
    "tile/0/x000/000", "tile/0/x001/x000", "tile/0/001/000", "tile/00/000", "tile/64/000",
    "tile/-1/000", "tile/0/-01", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01",
    "tile/0/000.p/", "tile/0/000.p", "tile/0/000.p/1/", "tile/0/000/", "tile/entries/000.p/300",
    "tile/entries/../../checkpoint", "tile/0/../0/000", "tile/0/%30%30%30",
    "tile/0/\u0660\u0660\u0660",
    "tile/0/000\n", "tile/7/000.p/1", "tile/63/000.p/1", "Checkpoint", "checkpoint/", "/checkpoint",
    "tile/0/x999/x999/x999/x999/x999/999", "tile/0/x999/x999/x999/x999/x999/x999/999",
    "entries/000", "tile/names/000",
]  # fmt: skip


def test_a_path_that_is_not_written_in_the_one_way_is_no_file(database: Database) -> None:
    """Nothing is normalised, and no path reaches anything but tiles."""
    source = stored(database, 300).source()
    found = [path for path in HOSTILE if source.file(1, path) is not None]
    assert found == []
    assert source.file(2, "checkpoint") is None
    assert source.file(2, "tile/0/000.p/1") is None


@given(
    st.builds(TilePath, st.none() | st.integers(0, 63), st.integers(0, 10**17), st.integers(1, 256))
)
def test_a_path_comes_back_as_it_went(path: TilePath) -> None:
    """Every tile has one path, and the path has one tile."""
    assert parse_path(path.encode()) == path


@given(st.text("tile/0123xp.", max_size=24))
def test_whatever_is_read_as_a_path_is_written_so(text: str) -> None:
    """No second way to write a path is taken."""
    path = parse_path(text)
    assert path is None or path.encode() == text


@pytest.mark.parametrize("size", SIZES)
def test_paths_from_the_source_hold(database: Database, size: int) -> None:
    """Inclusion and consistency as `protocol.merkle` verifies them, for edges and middles."""
    log = stored(database, size)
    source = log.source()
    root = source.root_at(1, size)
    for index in {0, size // 2, size - 1}:
        path = source.inclusion(1, index, size)
        verify_inclusion(leaf=log.leaves[index], index=index, size=size, path=path, root=root)
    for old in {0, 1, size // 2, size}:
        verify_consistency(
            old_size=old, old_root=root_of(log.leaves[:old]) if old else EMPTY_ROOT,
            new_size=size, new_root=root, path=source.consistency(1, old, size),
        )  # fmt: skip


def test_full_tiles_are_read_once_and_memory_is_bounded(database: Database) -> None:
    """What never changes is kept, as many bytes as allowed and no more."""
    log = stored(database, 1_000)
    reads = 0
    read = database.read

    def counted(work: object) -> object:
        nonlocal reads
        reads += 1
        return read(work)  # type: ignore[arg-type]  # passed on as it came

    database.read = counted  # type: ignore[method-assign,assignment]  # counts, and does the same
    source = log.source(kept_bytes_max=2 * 8_192)
    for _ in range(3):
        source.read(1, 0, 0, 256)
    assert reads == 1
    for index in (1, 2):
        source.read(1, 0, index, 256)
    source.read(1, 0, 0, 256)  # was forgotten: only two are kept
    assert reads == 4
    source.read(1, 0, 3, 1_000 - 768)
    source.read(1, 0, 3, 1_000 - 768)  # still grows, so it is not kept
    assert reads == 6


def test_paths_share_what_they_compute_and_many_sizes_keep_little(database: Database) -> None:
    """A view serves many paths, and is made anew before it has grown too large."""
    source = stored(database, 300).source()
    views = [source.view(1, 300) for _ in range(600)]
    assert 2 <= len({id(view) for view in views}) <= 4
    assert source.view(1, 300) is source.view(1, 300)
    first = source.view(1, 10)
    for size in range(20, 30):
        source.view(1, size)
    assert source.view(1, 10) is not first


def test_missing_rows_are_said_and_never_made_up(database: Database) -> None:
    """A tile or an entry that has gone stops the answer."""
    log = stored(database, 300)
    log.size = 600  # the head says more than there is
    source = log.source()
    with pytest.raises(Recovering):
        source.file(1, "tile/0/001")
    with pytest.raises(Recovering):
        source.file(1, "tile/entries/001")


def test_the_witnessed_file_is_the_newest_with_the_most_words(database: Database) -> None:
    """Three witnesses on an older state count for more than two on a newer one."""
    source = stored(database, 10).source()
    assert source.file(1, "witnessed") is None
    for size, witnesses in ((3, 1), (5, 3), (6, 3), (9, 2)):
        kept = watch_rows.KeptCheckpoint(1, size, b"%d" % size, witnesses, 1)
        database.transact(lambda conn, kept=kept: watch_rows.keep_checkpoint(conn, kept))  # type: ignore[misc]  # mypy cannot type it
    assert source.file(1, "witnessed") == b"6"
