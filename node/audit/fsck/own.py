"""The logs of the authority that is audited: each with its head, and where it ended.

An authority that has lost its log's state, or gives it new keys, closes it with a signed
statement and opens the next. A closed log may lack what was lost: then the entries beyond
what is stored are documented by its closing, and by nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

from node.audit.fsck.tree import root_from_tiles
from node.storage import Connection, audit_rows
from protocol.checkpoint import Checkpoint, LogKeys
from protocol.closure import TrustedClosure

Place: TypeAlias = tuple[int, int]
"""Where an entry stands: the number of the log, and the position in it."""

_ROOTS_KEPT = 4_096


@dataclass(slots=True)
class OwnLog:
    """One of our logs, as its head has it, and as it was derived again once it was read."""

    number: int
    head: Checkpoint
    keys: LogKeys | None
    closed: TrustedClosure | None = None
    continues: TrustedClosure | None = None  # the closing of the log before it
    prefix: str = ""  # before the places of findings: nothing for the log that is open
    readable: bool = True
    root: bytes | None = None
    root_at: Callable[[int], bytes | None] = field(default=lambda _size: None)

    @property
    def origin(self) -> str:
        """The name of the log."""
        return self.head.origin

    @property
    def end(self) -> int:
        """The size beyond which nothing of it can have been signed."""
        return self.head.size if self.closed is None else self.closed.closure.size


@dataclass(frozen=True, slots=True)
class Own:
    """Whose logs they are, by number."""

    network: str
    authority: str
    logs: Mapping[int, OwnLog]


def roots_of(conn: Connection, log: OwnLog) -> Callable[[int], bytes | None]:
    """Give what computes the root that a log had at a size.

    It gives None where nobody can say: the tree is not whole, or that part of it was lost;
    and no root at all, which none equals, for a size that the log never had.
    """

    @lru_cache(maxsize=_ROOTS_KEPT)
    def root_at(size: int) -> bytes | None:
        if size > log.end:
            return b""
        if size > log.head.size:
            return log.closed.closure.root if log.closed and size == log.end else None
        if log.root is None:
            return None
        return root_from_tiles(
            size, lambda level, at: audit_rows.read_tile(conn, log.number, level, at) or b""
        )

    return root_at
