"""What watches logs while a node serves: ours by its witnesses, our peers' by us.

Built once by `app.py`, for the exchange, the courier and the desk to use. Joins, and
decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from node.audit.log import Log
from node.audit.tiles import TileSource
from node.audit.witness import Witness
from node.clock import Clock
from node.following import Following
from node.forks import Forks
from node.logs_shown import LogsShown
from node.monitor import Monitor
from node.notices import NoticeBoard, Tell
from node.office import Office
from node.own_log import OwnLog
from node.storage.engine import Database
from node.storage.writer import Writer
from node.tile_client import LogFiles
from node.witnessing import Ask, Witnessing


class Link(Ask, Tell, LogFiles, Protocol):
    """What is needed of a peer to watch logs together; the transport's client."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What a node has of its own, whether it serves or not."""

    office: Office
    log: Log
    tiles: TileSource
    witness: Witness
    forks: Forks
    database: Database
    writer: Writer
    clock: Clock


@dataclass(frozen=True, slots=True)
class Watch:
    """The parts that watch, joined."""

    own: OwnLog
    witnessing: Witnessing
    notices: NoticeBoard
    monitor: Monitor
    shown: LogsShown

    @classmethod
    def over(cls, of: Watched, link: Callable[[str], Link | None]) -> Watch:
        """Watch with the peers that `link` gives; it gives None for one without an address."""
        own = OwnLog(of.log, of.tiles, of.database, of.writer)
        following = Following(of.office, of.witness, of.forks)
        witnessing = Witnessing(of.office, own, of.database, of.writer, of.clock, ask=link)
        notices = NoticeBoard(of.office, of.forks, of.database, of.writer, of.clock, tell=link)
        monitor = Monitor(of.office, following, of.database, of.writer, of.clock, ask=link)
        shown = LogsShown(own, following, witnessing, monitor, of.database)
        return cls(own, witnessing, notices, monitor, shown)
