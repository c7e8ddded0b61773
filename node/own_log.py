"""Our own log, as peers see it: what they are shown of it, and what they show of it back.

A peer that cosigned our log remembers it better than a database that was restored. So each
exchange, each start and each answer of a witness is a chance to learn that this node is not
the one it was: a checkpoint with our own signatures, ahead of what is here or with another
root, halts the log. Nothing less does: a number, or a note that we have not signed, is
anybody's word. What is shown to peers is the newest head that the guard holds, and never
one that was committed a moment before. Knows no peer's log and no message.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from node.audit.log import Log
from node.audit.tiles import TileSource
from node.logs import get
from node.storage import Connection, log_rows, peer_rows
from node.storage.engine import Database
from node.storage.log_rows import Head
from node.storage.peer_rows import Alarm
from node.storage.writer import Tx, Writer
from protocol.checkpoint import Checkpoint, LogKeys, claimed_checkpoint, verify_checkpoint
from protocol.continuation import Link, encode_continuation
from protocol.errors import Recovering, Rejected
from protocol.limits import CONTINUATION_LINKS_MAX

_log = get("own_log")

_KNOWN_MAX: Final = 4_096  # roots that peers may show back, kept to recognise them at once
ADVICE: Final = "`comity audit recover` fetches what is missing and opens the next log"


def halted_setting(origin: str) -> str:
    """Name the kept setting that says why a log was halted; a restart does not forget it."""
    return f"halted {origin}"


class OwnLog:
    """Shows our log to peers, and halts it when they show that it is not the one it was."""

    def __init__(self, log: Log, tiles: TileSource, database: Database, writer: Writer) -> None:
        """Show `log` by its `tiles`; `writer` keeps why it was halted."""
        self._sequencer = log
        self._tiles = tiles
        self._database = database
        self._writer = writer
        self._known: OrderedDict[int, bytes] = OrderedDict()

    @property
    def origin(self) -> str:
        """The name of the log."""
        return self._sequencer.origin

    @property
    def number(self) -> int:
        """Which of this authority's logs it is."""
        return self._sequencer.number

    @property
    def keys(self) -> LogKeys:
        """The keys that sign it."""
        return self._sequencer.keys

    @property
    def halted(self) -> str | None:
        """Why nothing may be signed, or None."""
        return self._sequencer.halted

    def require_signing(self) -> None:
        """Refuse to go on, with `Recovering`, if nothing may be signed."""
        if self._sequencer.halted is not None:
            raise Recovering(self._sequencer.halted)

    def head(self) -> Head:
        """Give the newest head that may be shown; raises `Recovering` if there is none."""
        published = self._sequencer.published
        if published is None:
            raise Recovering(self._sequencer.halted or "nothing of the log may be shown")
        return published

    def renew(self, tx: Tx) -> None:
        """Sign the newest head again with the time of now."""
        self._sequencer.renew(tx.conn, tx.now)

    # --- what peers are shown ---------------------------------------------------------------

    def continuation(self, sizes: Iterable[int]) -> bytes:
        """Show that the log at each of these sizes continues to its newest head (SPEC 6.7)."""
        head = self.head()
        below = sorted(size for size in set(sizes) if size <= head.size)[-CONTINUATION_LINKS_MAX:]
        self._remember(head.size, head.root)
        view = self._tiles.tree(self.number, head.size)
        links = []
        for size in below:
            root = self._known.get(size) or self._tiles.tree(self.number, size).root()
            self._remember(size, root)
            links.append(Link(size, root, tuple(view.consistency_path(size))))
        return encode_continuation(head.checkpoint, links)

    def path(self, old: int, head: Head) -> list[bytes]:
        """Give the path from size `old` of the log to a head of it."""
        self._remember(head.size, head.root)
        return self._tiles.consistency(self.number, old, head.size)

    def _remember(self, size: int, root: bytes) -> None:
        self._known[size] = root
        while len(self._known) > _KNOWN_MAX:
            self._known.popitem(last=False)

    # --- what peers show back ---------------------------------------------------------------

    async def look(self, raw: bytes, *, shown_by: str) -> Checkpoint | None:
        """Compare a checkpoint that a peer shows as ours with the log; halt it if it must be.

        Gives the checkpoint if it is part of the log's history, whoever signed it.
        """
        shown = _shown(raw)
        if shown is None or shown.origin != self.origin or self.halted is not None:
            return None  # no checkpoint, or of a log that was closed
        if self._known.get(shown.size) == shown.root:
            return shown
        held, root = await asyncio.to_thread(self._held, shown.size)
        if root == shown.root:
            self._remember(shown.size, shown.root)
            return shown
        try:
            verify_checkpoint(raw, origin=self.origin, keys=self.keys)
        except Rejected as fault:
            _log.warning("not-our-checkpoint", peer=shown_by, code=fault.code)
            return None
        there = f"{shown_by} holds a checkpoint of this log at {shown.size} entries"
        here = f", and {held} are here: the database was restored, or copied"
        other = " that is of another history"
        reason = f"{there}{here if root is None else other}; {ADVICE}"
        await self.halt(reason, raw, shown_by=shown_by)
        return None

    def _held(self, size: int) -> tuple[int, bytes | None]:
        """Give the size of the log, and its root at `size` if it is that long.

        By the committed head, not the guarded one: a peer must not seem to be ahead of us
        for as long as a guard takes to be written.
        """
        row = self._database.read(lambda conn: log_rows.read_head(conn, self.origin))
        held = 0 if row is None else row.size
        if size > held:
            return held, None
        return held, self._tiles.tree(self.number, size).root()

    async def halt(self, reason: str, raw: bytes, *, shown_by: str | None) -> None:
        """Sign nothing from here on, also after a restart, and raise the alarm with the proof."""
        if self.halted is not None:
            return
        self._sequencer.halt(reason)
        _log.error("log-halted", peer=shown_by, detail=reason)
        await self._writer.write(
            lambda tx: keep_halted(tx, self.origin, reason, kept=raw, shown_by=shown_by)
        )


def kept_reason(conn: Connection, *, origin: str) -> str | None:
    """Give why a log of ours was halted for good, if it was."""
    return peer_rows.read_setting(conn, halted_setting(origin))


def keep_halted(tx: Tx, origin: str, reason: str, *, kept: bytes, shown_by: str | None) -> None:
    """Remember why a log of ours signs nothing, with the bytes that prove it, and alarm."""
    peer_rows.write_setting(tx.conn, halted_setting(origin), reason)
    peer_rows.insert_alarm(tx.conn, Alarm(tx.now, "log-halted", shown_by, None, reason, kept=kept))


def _shown(raw: bytes) -> Checkpoint | None:
    """Read what a note says, whoever signed it; None if it is no checkpoint."""
    try:
        return claimed_checkpoint(raw)
    except Rejected:
        return None
