"""The log as files, in the layout that any C2SP client reads (tlog-tiles, SPEC 6.2).

    checkpoint              the newest signed state, with the lines of its witnesses
    tile/L/K[.p/W]          hashes, 256 to a file; the last of a level may be partial
    tile/entries/K[.p/W]    entries: a length in two bytes, then 33 bytes each
    log.vkey witnesses.vkey policy        whose lines to look for, and how many

It is taken from one snapshot of a running node, in constant memory, and every entry and
tile is compared with the signed root on the way: what does not hold is not exported. The
folder appears whole or not at all. Entries are salted commitments, so an export shows how
much happened and nothing of what.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from keys.directory import Directory
from node.audit.kept import KeptHead, witness_pairs
from node.audit.tiles import TilePath, tile_reader
from node.storage import Connection, export_rows
from protocol.errors import NotAuthentic
from protocol.merkle import HASH_BYTES, TILE_WIDTH, grow, leaf_hash, tree_root
from protocol.policy import encode_policy, log_vkeys, witness_vkeys
from protocol.record import entry

_ENTRY_LENGTH: Final = (33).to_bytes(2, "big")


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    origin: str
    size: int
    root: bytes
    tiles: int
    bundles: int
    total_bytes: int


Frame: TypeAlias = Sequence[tuple[str, bytes]]
"""The texts that stand beside the tiles, each with the name of its file."""


def frame_of(directory: Directory, authority: str, head: KeptHead) -> Frame:
    """Give the keys of the log and of its witnesses, one verifier key a line, and the policy.

    There is no policy file where keys are revoked of so many witnesses that no quorum is left.
    """
    origin = head.checkpoint.origin
    pairs = [(name, keys) for _, _, name, keys in witness_pairs(directory, authority)]
    newest = dict(reversed(pairs))  # of each name the first, which is the newest
    witnesses = "".join(f"{line}\n" for name, keys in pairs for line in witness_vkeys(name, keys))
    files = [("log.vkey", log_lines(head)), ("witnesses.vkey", witnesses.encode())]
    if head.quorum <= len(newest):
        given = sorted(newest.items())
        policy = encode_policy(origin, head.keys, witnesses=given, quorum=head.quorum)
        files.append(("policy", policy))
    return files


def log_lines(head: KeptHead) -> bytes:
    """Give the two keys of the log."""
    lines = log_vkeys(head.checkpoint.origin, head.keys)
    return "".join(f"{line}\n" for line in lines).encode()


def export_log(conn: Connection, folder: Path, head: KeptHead, frame: Frame) -> Exported:
    """Write the log up to `head` into `folder`, which must not be there yet.

    Raises `FileExistsError` if it is, `NotAuthentic` if the rows do not give the signed root.
    """
    folder.mkdir()  # ours from here on: nobody else's folder is ever filled or replaced
    beside = folder.with_name(f".{folder.name}.new")
    try:
        with _removed_on_failure(beside):
            exported = _Export(conn, beside, head).write(frame)
            beside.replace(folder)
    except BaseException:
        folder.rmdir()
        raise
    return exported


@contextlib.contextmanager
def _removed_on_failure(folder: Path) -> Iterator[None]:
    folder.mkdir()
    try:
        yield
    except BaseException:
        shutil.rmtree(folder)
        raise


class _Export:
    """One export under way."""

    def __init__(self, conn: Connection, folder: Path, head: KeptHead) -> None:
        self._conn = conn
        self._folder = folder
        self._head = head
        self._read = tile_reader(conn, head.number)
        self._bytes = 0

    def write(self, frame: Frame) -> Exported:
        head, checkpoint = self._head, self._head.checkpoint
        if tree_root(head.size, self._read_tile) != checkpoint.root:
            raise NotAuthentic("the tiles in the database do not give the signed root")
        bundles = self._write_bundles()
        tiles = self._write_tiles()
        for name, raw in (("checkpoint", head.raw), *frame):
            self._write(name, raw)
        return Exported(checkpoint.origin, head.size, checkpoint.root, tiles, bundles, self._bytes)

    def _write_bundles(self) -> int:
        """Write the entries, each bundle compared with its tile of hashes."""
        count = 0
        for count, bundle in enumerate(self._bundles(), 1):
            index, width = count - 1, len(bundle)
            entries = [entry(committed) for committed in bundle]
            leaves = b"".join(leaf_hash(one) for one in entries)
            if self._read_tile(0, index, width) != leaves:
                raise NotAuthentic(f"the entries from {index * TILE_WIDTH} on are not in the tree")
            raw = b"".join(_ENTRY_LENGTH + one for one in entries)
            self._write(TilePath(None, index, width).encode(), raw)
        return count

    def _bundles(self) -> Iterator[list[bytes]]:
        """Give the commitments, 256 at a time; the last may be fewer."""
        waiting: list[bytes] = []
        position = 0
        for place, committed in self._commitments():
            if place != position:
                raise NotAuthentic(f"entry {position} is missing")
            position += 1
            waiting.append(committed)
            if len(waiting) == TILE_WIDTH:
                yield waiting
                waiting = []
        if position != self._head.size:
            raise NotAuthentic(f"entry {position} is missing")
        if waiting:
            yield waiting

    def _commitments(self) -> Iterable[tuple[int, bytes]]:
        for page in export_rows.commitment_pages(self._conn, self._head.number):
            for place, committed in page:
                if place >= self._head.size:
                    return
                yield place, committed

    def _write_tiles(self) -> int:
        """Write the tiles; those above the lowest level are compared with the ones below."""
        count, level, size = 0, 0, self._head.size
        while size:
            for index in range(-(-size // TILE_WIDTH)):
                width = min(TILE_WIDTH, size - index * TILE_WIDTH)
                raw = self._read_tile(level, index, width)
                self._write(TilePath(level, index, width).encode(), raw)
                self._compare_above(level, index, raw)
                count += 1
            level, size = level + 1, size // TILE_WIDTH
        return count

    def _compare_above(self, level: int, index: int, raw: bytes) -> None:
        """A full tile hashes to one place of the level above."""
        if len(raw) != TILE_WIDTH * HASH_BYTES:
            return
        hashes = [raw[at : at + HASH_BYTES] for at in range(0, len(raw), HASH_BYTES)]
        above, place = divmod(index, TILE_WIDTH)
        stored = self._read_tile(level + 1, above, place + 1)[place * HASH_BYTES :]
        if grow(0, hashes, self._read_tile)[1, 0] != stored:
            raise NotAuthentic(f"tile {level}/{index} is not the one that the tree was made from")

    def _read_tile(self, level: int, index: int, width: int) -> bytes:
        return self._read(level, index, width)[: width * HASH_BYTES]

    def _write(self, name: str, raw: bytes) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
        self._bytes += len(raw)
