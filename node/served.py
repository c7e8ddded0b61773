"""What a node serves beside the exchange: its log as files, and its word as a witness.

Joins the routes that any C2SP client can use to the log's tiles, to the witness and to the
auditors' tokens. Questions are answered by readers off the event loop; only a checkpoint
that moves what the witness remembers waits for the writer. Knows no HTTP beyond the values
of its answers, and opens no record: entries say nothing without them.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from node.audit.log import Log
from node.audit.tiles import CHECKPOINT, WITNESSED, HeadOf, TileSource
from node.audit.witness import Witness
from node.clock import Clock
from node.storage import Connection, auditor_rows, watch_rows
from node.storage.engine import Database
from node.storage.log_rows import Head
from node.storage.writer import Writer
from node.transport.c2sp import OCTETS, TEXT, LogFile, WitnessAnswer
from node.transport.routes import PeerRoutes
from protocol.checkpoint import claimed_checkpoint, log_origin
from protocol.errors import Malformed
from protocol.witness_wire import SIZE_TYPE


def heads(log: Log, database: Database, network: str, authority: str) -> HeadOf:
    """Say which head of each of our logs may be shown.

    Of the open one what the guard holds, of a closed one what a witness has seen.
    """

    def head_of(number: int) -> Head | None:
        if number == log.number:
            return log.published
        try:
            origin = log_origin(network, authority, number)
        except Malformed:
            return None
        return database.read(lambda conn: _closed_head(conn, origin, number))

    return head_of


def _closed_head(conn: Connection, origin: str, number: int) -> Head | None:
    """Give the newest state of a closed log that a witness has seen.

    What stands above it here may never have been shown to anybody: where a copy of this
    machine wrote it, showing it now would prove a fork that a recovery has ended.
    """
    kept = watch_rows.newest_checkpoint(conn, number)
    if kept is None:
        return None
    checkpoint = claimed_checkpoint(kept.raw)
    return Head(origin, checkpoint.size, checkpoint.root, kept.raw)


class Served:
    """Answers C2SP's requests, for peers and for clients that sign nothing."""

    def __init__(
        self, source: TileSource, witness: Witness, database: Database, writer: Writer, clock: Clock
    ) -> None:
        """Serve the log in `source`, and the word of `witness`."""
        self._source = source
        self._witness = witness
        self._database = database
        self._writer = writer
        self._clock = clock

    def added_to(self, routes: PeerRoutes) -> PeerRoutes:
        """Give these routes with ours among them."""
        return replace(
            routes,
            add_checkpoint=self.add_checkpoint,
            witnessed=self.witnessed,
            log=self.log_file,
            may_audit=self.may_audit,
        )

    async def add_checkpoint(self, body: bytes) -> WitnessAnswer:
        """Give our word on a checkpoint, or what C2SP has a witness say instead."""
        now = self._clock.now()

        def known(conn: Connection) -> WitnessAnswer | None:
            said = self._witness.known(conn, body, now)
            return None if said is None else _answer(said.status, said.content_type, said.body)

        found = await asyncio.to_thread(self._database.read, known)
        if found is not None:
            return found
        said = await self._writer.write(lambda tx: self._witness.answer(tx, body))
        return _answer(said.status, said.content_type, said.body)

    async def witnessed(self, origin_digest: str) -> bytes | None:
        """Give the newest checkpoint of a log that we have cosigned."""
        return await asyncio.to_thread(
            self._database.read, lambda conn: self._witness.checkpoint(conn, origin_digest)
        )

    async def log_file(self, number: int, path: str) -> LogFile | None:
        """Give a file of one of our logs; only tiles and bundles never change."""
        raw = await asyncio.to_thread(self._source.file, number, path)
        if raw is None:
            return None
        if path in {CHECKPOINT, WITNESSED}:
            return LogFile(raw, TEXT, immutable=False)
        return LogFile(raw, OCTETS)

    async def may_audit(self, token: str) -> bool:
        """Say whether a token lets its owner read the log now."""
        now = self._clock.now()
        found = await asyncio.to_thread(
            self._database.read, lambda conn: auditor_rows.valid_token(conn, token, now)
        )
        return found is not None


def _answer(status: int, content_type: str, body: bytes) -> WitnessAnswer:
    """Give the answer as the transport has it: a signed one names no charset."""
    return WitnessAnswer(status, SIZE_TYPE if content_type == SIZE_TYPE else TEXT, body)
