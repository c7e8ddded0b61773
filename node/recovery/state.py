"""Where a recovery stands: kept in the database from the closing of the log to its end.

From the transaction that stores it on, the old log is closed; until it is removed, nothing
but the recovery writes. Knows no message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from keys.ring import KeyRing
from node.audit.guard import FileGuard, guarded_checkpoint
from node.audit.log import Log
from node.clock import Random
from node.settings import Settings
from node.storage import Connection, log_rows, peer_rows
from node.storage.engine import Database, open_database
from node.storage.recovery_rows import UNFINISHED
from node.transport.routes import Recovery
from protocol.checkpoint import log_origin
from protocol.closure import decode_closure, decode_closure_text
from protocol.encoding import Fields, canonical, decode, to_base64
from protocol.errors import Recovering
from protocol.identity import check_authority_id
from protocol.limits import AUTHORITIES_MAX, CLOSURE_BYTES_MAX, LOGS_MAX

FOLDER: Final = "recovery"  # beside the settings: what came back and is not installed yet

_NAME: Final = "recovery"
_BYTES_MAX: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Begun:
    """A log that was closed, and what is still to be done; `peers` have not been asked yet."""

    lost: Recovery
    closure: bytes = field(repr=False)
    peers: tuple[str, ...]  # left out: their messages come with a later recovery
    installed: bool = False  # whether what was gathered is in the cases
    before: tuple[bytes, ...] = ()  # closings of earlier logs that were lost, too

    def encode(self) -> str:
        """Give the text that is kept."""
        return canonical({
            "v": 1, "log": self.lost.log, "above": self.lost.above, "since": self.lost.since,
            "closure": to_base64(self.closure), "peers": list(self.peers),
            "installed": self.installed, "before": [to_base64(one) for one in self.before],
        }).decode()  # fmt: skip


def read_begun(conn: Connection) -> Begun | None:
    """Give the recovery that was begun and has not ended, if there is one."""
    text = peer_rows.read_setting(conn, _NAME)
    if not text:
        return None
    fields = Fields(decode(text.encode(), bytes_max=_BYTES_MAX), "recovery")
    fields.integer("v", low=1, high=1)
    lost = Recovery(
        fields.integer("above"), fields.integer("log", low=1), fields.integer("since"), None
    )
    closure = fields.base64("closure", bytes_max=CLOSURE_BYTES_MAX)
    peers = tuple(
        check_authority_id(Fields({"peer": one}, "recovery").text("peer"))
        for one in fields.items("peers", count_max=AUTHORITIES_MAX)
    )
    installed = fields.take("installed") is True
    before = tuple(
        Fields({"raw": one}, "recovery").base64("raw", bytes_max=CLOSURE_BYTES_MAX)
        for one in fields.items("before", count_max=LOGS_MAX)
    )
    fields.done()
    return Begun(lost, closure, peers, installed, before)


def keep_begun(conn: Connection, begun: Begun | None) -> None:
    """Keep where the recovery stands; None when it has ended."""
    peer_rows.write_setting(conn, _NAME, "" if begun is None else begun.encode())
    unfinished = begun is not None and not begun.installed
    peer_rows.write_setting(conn, UNFINISHED, "1" if unfinished else "")


def begin_next_log(
    settings: Settings, ring: KeyRing, begun: Begun, *, random: Random, now: int
) -> None:
    """Open the log after the closed one, empty, and give it the guard.

    May be repeated after a crash: whatever is done already stays as it is.
    """
    database = open_database(settings.database.url.get_secret_value())
    origin = log_origin(settings.network, settings.authority, begun.lost.log + 1)
    guard = FileGuard(settings.guard.file)
    log = Log(origin, ring.signers("log"), guard, random)
    closed = [decode_closure_text(decode_closure(raw).text) for raw in begun.before]
    lost = [
        (Log(one.next_origin, ring.signers("log"), guard, random), one.created) for one in closed
    ]
    try:
        checkpoint = _begin(database, log, begun, now, lost)
        if not _guards(guard, origin):
            guard.supersede(checkpoint)
    finally:
        database.close()


def _begin(
    database: Database, log: Log, begun: Begun, now: int, lost: Sequence[tuple[Log, int]]
) -> bytes:
    """Store the new log's head together with the word that a recovery was begun.

    Of logs between that were lost wholly, only that they were begun is known: they are empty.
    """

    def begin(conn: Connection) -> bytes:
        keep_begun(conn, begun)
        for one, at in lost:
            if log_rows.read_head(conn, one.origin) is None:
                one.create(conn, at)
        head = log_rows.read_head(conn, log.origin)
        return log.create(conn, now) if head is None else head.checkpoint

    return database.transact(begin)


def _guards(guard: FileGuard, origin: str) -> bool:
    """Say whether the guard holds a state of the new log already."""
    try:
        held = guard.read()
    except Recovering:
        return False  # damaged: it held the log that is closed now
    return held is not None and guarded_checkpoint(held.checkpoint).origin == origin
