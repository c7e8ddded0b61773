"""Reading the log of a peer by its tiles: nothing that comes is believed but by its hashes.

    reader = TileReader(client, number=1, signed)
    link = await reader.link(1_000)       # what the log was at 1,000, and the path to `signed`

Whatever tiles a peer hands out, a link is given only if its path leads to the root that the
peer's log has signed. Each tile is asked for once. Knows no storage and judges nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final, Protocol

from node.audit.tiles import TilePath
from protocol.checkpoint import SignedCheckpoint
from protocol.continuation import Link, encode_continuation
from protocol.errors import NotAuthentic
from protocol.merkle import HASH_BYTES, TILE_WIDTH, TreeView, verify_consistency

_TILE_BITS: Final = 8


class LogFiles(Protocol):
    """How a peer's log is read; the transport's client."""

    async def log_file(self, number: int, path: str) -> bytes | None:
        """Give one file of a log of the peer, or None if it is not there."""
        ...


class _Lacking(Exception):  # (no error: the tile is fetched, and the work begun again)
    """A tile is needed that has not been fetched yet."""

    def __init__(self, level: int, index: int) -> None:
        super().__init__(f"{level}/{index}")
        self.place = level, index


class TileReader:
    """Reads the tree below one signed checkpoint of a peer."""

    def __init__(self, client: LogFiles, number: int, signed: SignedCheckpoint) -> None:
        """Read log `number`, as far as `signed` goes."""
        self._client = client
        self._number = number
        self._signed = signed
        self._tiles: dict[tuple[int, int], bytes] = {}

    async def links(self, sizes: Iterable[int]) -> list[Link]:
        """Give the links from these sizes to the checkpoint; sizes beyond it are left out."""
        size = self._signed.checkpoint.size
        return [await self.link(one) for one in sorted(set(sizes)) if one < size]

    async def continuation(self, sizes: Iterable[int]) -> bytes:
        """Give the same as a continuation (SPEC 6.7)."""
        return encode_continuation(self._signed.raw, await self.links(sizes))

    async def link(self, size: int) -> Link:
        """Give what the log was at a size, proved; raises `NotAuthentic` if its tiles do not."""
        while True:
            try:
                return await asyncio.to_thread(self._prove, size)
            except _Lacking as lacking:
                self._tiles[lacking.place] = await self._fetch(*lacking.place)

    def _prove(self, size: int) -> Link:
        head = self._signed.checkpoint
        root = TreeView(size, self._read).root()
        path = tuple(TreeView(head.size, self._read).consistency_path(size))
        verify_consistency(
            old_size=size, old_root=root, new_size=head.size, new_root=head.root, path=path
        )
        return Link(size, root, path)

    def _read(self, level: int, index: int, _width: int) -> bytes:
        try:
            return self._tiles[level, index]
        except KeyError:
            raise _Lacking(level, index) from None

    async def _fetch(self, level: int, index: int) -> bytes:
        """Fetch a tile as wide as it is below the checkpoint: smaller ones are its beginning."""
        nodes = self._signed.checkpoint.size >> level * _TILE_BITS
        width = min(TILE_WIDTH, nodes - index * TILE_WIDTH)
        found = await self._client.log_file(self._number, TilePath(level, index, width).encode())
        if found is None or len(found) != width * HASH_BYTES:
            raise NotAuthentic("a tile is absent, or not as long as it must be")
        return found
