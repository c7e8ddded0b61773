"""The log as C2SP's files: tiles, entry bundles and checkpoints from the database (SPEC 6.2).

    source = TileSource(database, head_of)
    source.file(1, "tile/0/x001/067.p/3")     # bytes, or None if there is no such file
    source.root_at(1, 70_000)                 # and what can be computed from tiles

A tile never changes but by growing at its end, so a tile of any smaller width is its
beginning, and a full one may be kept in memory for ever; how much is bounded in bytes.
Nothing beyond the head that `head_of` gives is ever read: what was committed and is not
guarded yet may still be undone. Reads go through readers and never wait for the writer.

Whoever asks over the network names files by paths; there is one way to write each, and
whatever else is written is no file. What is read here is not believed by whoever gets it:
every tile and entry leads to a signed root.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from node.storage import Connection, log_rows, watch_rows
from node.storage.engine import Database
from node.storage.log_rows import Head
from protocol.errors import Misuse, NotAuthentic, Recovering
from protocol.limits import INTEGER_MAX, WITNESSES_MAX
from protocol.merkle import HASH_BYTES, TILE_WIDTH, ReadTile, TileRows, TreeView
from protocol.record import entry

HeadOf: TypeAlias = Callable[[int], "Head | None"]
"""Gives the newest head of log number n that may be shown, or None if there is none."""

KEPT_BYTES_MAX: Final = 16 * 1024 * 1024  # full tiles in memory: the hashes of half a million

CHECKPOINT: Final = "checkpoint"
WITNESSED: Final = "witnessed"

_VIEWS_MAX: Final = 4
_VIEW_USES_MAX: Final = 256
_ROWS_KEPT_MAX: Final = 1_024  # of 16 KiB each, for all sizes of a log
_LEVEL_MAX: Final = 6  # 256^7 is more than any size
_LENGTH_BYTES: Final = 2
_GROUP: Final = 1_000
_PATH: Final = re.compile(
    r"tile/(?P<level>entries|[0-9]|[1-5][0-9]|6[0-3])/(?P<index>(?:x[0-9]{3}/){0,5}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5]))?"
)


@dataclass(frozen=True, slots=True)
class TilePath:
    """Which tile or bundle a path names; `level` is None for a bundle of entries."""

    level: int | None
    index: int
    width: int

    def encode(self) -> str:
        """Give the one path of this file."""
        level = "entries" if self.level is None else str(self.level)
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        groups, rest = [f"{self.index % _GROUP:03}"], self.index // _GROUP
        while rest:
            groups.append(f"x{rest % _GROUP:03}")
            rest //= _GROUP
        return f"tile/{level}/{'/'.join(reversed(groups))}{partial}"


def parse_path(path: str) -> TilePath | None:
    """Read the path of a tile or a bundle; None if it is not written in the one way."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    level = None if match["level"] == "entries" else int(match["level"])
    index = int(match["index"].replace("/", "").replace("x", ""))
    found = TilePath(level, index, int(match["width"] or TILE_WIDTH))
    return found if found.encode() == path else None


def tile_reader(conn: Connection, log: int) -> ReadTile:
    """Read the tiles of a log in one transaction; raises `NotAuthentic` if they are not whole."""

    def read(level: int, index: int, width: int) -> bytes:
        raw = log_rows.read_tile(conn, log, level, index)
        if len(raw) < width * HASH_BYTES:
            raise NotAuthentic(f"tile {level}/{index} of the log is not whole")
        return raw

    return read


@dataclass(slots=True)
class _Kept:
    """Full tiles in memory, the longest unused forgotten first; used by many threads."""

    bytes_max: int
    _tiles: OrderedDict[tuple[int, int, int], bytes] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _bytes: int = 0

    def get(self, key: tuple[int, int, int]) -> bytes | None:
        with self._lock:
            found = self._tiles.get(key)
            if found is not None:
                self._tiles.move_to_end(key)
            return found

    def put(self, key: tuple[int, int, int], tile: bytes) -> None:
        with self._lock:
            if key in self._tiles:
                return
            self._tiles[key] = tile
            self._bytes += len(tile)
            while self._bytes > self.bytes_max:
                _, dropped = self._tiles.popitem(last=False)
                self._bytes -= len(dropped)


class TileSource:
    """Gives what a log consists of, from the database, up to the head that may be shown."""

    def __init__(
        self, database: Database, head_of: HeadOf, *, kept_bytes_max: int = KEPT_BYTES_MAX
    ) -> None:
        """Read from `database` no further than `head_of` says."""
        self._database = database
        self._head_of = head_of
        self._kept = _Kept(kept_bytes_max)
        self._views: dict[tuple[int, int], tuple[TreeView, int]] = {}
        self._views_lock = threading.Lock()
        self._rows: dict[int, TileRows] = {}

    # --- files ------------------------------------------------------------------------------
    def file(self, log: int, path: str) -> bytes | None:
        """Give a file of log number `log` by its path; None if there is none."""
        if path == WITNESSED:
            return self.witnessed(log)
        head = self._head_of(log)
        if head is None:
            return None
        if path == CHECKPOINT:
            return head.checkpoint
        tile = parse_path(path)
        if tile is None or not 0 < tile.width <= self._width_now(head, tile.level or 0, tile.index):
            return None
        if tile.level is None:
            return self.bundle(log, tile.index, tile.width)
        return self.read(log, tile.level, tile.index, tile.width)

    def witnessed(self, log: int) -> bytes | None:
        """Give the newest of the kept checkpoints with the most cosignatures, if there is one."""
        found = self._database.read(
            lambda conn: watch_rows.best_checkpoint(conn, log, quorum=WITNESSES_MAX)
        )
        return None if found is None else found.raw

    @staticmethod
    def _width_now(head: Head, level: int, index: int) -> int:
        """Say how many hashes a tile has under this head: 0 if it has not begun."""
        if level > _LEVEL_MAX or index > INTEGER_MAX:
            return 0
        complete = head.size >> 8 * level
        return max(0, min(TILE_WIDTH, complete - index * TILE_WIDTH))

    # --- tiles and entries --------------------------------------------------------------------
    def read(self, log: int, level: int, index: int, width: int) -> bytes:
        """Give the first `width` hashes of a tile; raises `Recovering` if they are missing."""
        full = self._kept.get((log, level, index))
        if full is None:
            full = self._database.read(lambda conn: log_rows.read_tile(conn, log, level, index))
            if len(full) == TILE_WIDTH * HASH_BYTES:
                self._kept.put((log, level, index), full)
        if len(full) < width * HASH_BYTES:
            raise Recovering("tiles of the log are missing in the database")
        return full[: width * HASH_BYTES]

    def reader(self, log: int) -> ReadTile:
        """Give the tiles of one log as `protocol.merkle` wants to read them."""
        return lambda level, index, width: self.read(log, level, index, width)

    def entries(self, log: int, index: int, width: int) -> Sequence[bytes]:
        """Give the `width` entries of a bundle; raises `Recovering` if some are missing."""
        first = index * TILE_WIDTH

        def read(conn: Connection) -> list[bytes]:
            return log_rows.read_commitments(conn, log, first, width)

        found = self._database.read(read)
        if len(found) != width:
            raise Recovering("entries of the log are missing in the database")
        return [entry(commitment) for commitment in found]

    def bundle(self, log: int, index: int, width: int) -> bytes:
        """Give an entry bundle: each entry behind its length in two bytes."""
        entries = self.entries(log, index, width)
        return b"".join(len(one).to_bytes(_LENGTH_BYTES) + one for one in entries)

    # --- what follows from tiles --------------------------------------------------------------
    def head(self, log: int) -> Head:
        """Give the newest head that may be shown; raises `Recovering` if there is none."""
        head = self._head_of(log)
        if head is None:
            raise Recovering("there is no log of that number, or nothing of it may be shown")
        return head

    def tree(self, log: int, size: int) -> TreeView:
        """Give the tree at a size that the database has, whether or not it may be shown.

        Trees of all sizes of one log share what they compute from its tiles.
        """
        kept = self._rows.setdefault(log, TileRows(_ROWS_KEPT_MAX))
        return TreeView(size, self.reader(log), kept)

    def view(self, log: int, size: int) -> TreeView:
        """Give the tree at a size; raises `Misuse` beyond the head.

        The last few are kept, for what one path has computed is most of the next; each for
        so many paths.
        """
        if size > self.head(log).size:
            raise Misuse("a tree larger than the log")
        with self._views_lock:
            view, uses = self._views.pop((log, size), (self.tree(log, size), 0))
            if uses < _VIEW_USES_MAX:
                self._views[log, size] = view, uses + 1
            while len(self._views) > _VIEWS_MAX:
                del self._views[next(iter(self._views))]
        return view

    def root_at(self, log: int, size: int) -> bytes:
        """Give the root that the log had at a size."""
        return self.view(log, size).root()

    def consistency(self, log: int, old: int, new: int) -> list[bytes]:
        """Give the path that shows the log at `new` to continue what it was at `old`."""
        return self.view(log, new).consistency_path(old)

    def inclusion(self, log: int, index: int, size: int) -> list[bytes]:
        """Give the path of the entry at `index` to the root at `size`."""
        return self.view(log, size).inclusion_path(index)
