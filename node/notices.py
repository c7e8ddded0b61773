"""Notices about logs: closings and fork proofs go from node to node until everybody has them.

Each proves itself, so it does not matter who hands it on. A node pushes what it holds to
every peer until that peer says it holds it too; after a restart it asks once more. What
comes and is new is pushed on. Knows no message, no envelope and no receipt.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, get_args

from node.clock import Clock
from node.forks import Forks
from node.logs import get
from node.office import Office
from node.rounds import EVERY_S, PAUSE_S, rung_or_later
from node.storage import Connection, notice_rows
from node.storage.engine import Database
from node.storage.notice_rows import NoticeKind
from node.storage.writer import Tx, Writer
from node.transport.batch import Notices
from node.transport.errors import TransportFailure
from protocol.digest import sha256_hex
from protocol.errors import Rejected
from protocol.limits import NOTICES_BODY_BYTES_MAX, NOTICES_MAX

_log = get("notices")

_BYTES_MAX: Final = NOTICES_BODY_BYTES_MAX * 3 // 4 - 4_096  # as they are, before base64


class Tell(Protocol):
    """How notices reach a peer; the transport's client."""

    async def post_notices(self, notices: Notices) -> Sequence[str]:
        """Bring notices; gives the digests of those that the peer holds now."""
        ...


@dataclass(frozen=True, slots=True)
class _Taking:
    """How notices of a kind are taken: looked at by a reader first, then installed."""

    known: Callable[[bytes], bool]
    install: Callable[[Tx, bytes, str], bool]


class NoticeBoard:
    """Takes notices from peers, keeps them, and pushes them to all others."""

    def __init__(
        self,
        office: Office,
        forks: Forks,
        database: Database,
        writer: Writer,
        clock: Clock,
        *,
        tell: Callable[[str], Tell | None],
    ) -> None:
        """Push for `office`; `tell` gives a peer's client, None if it has no address."""
        self._office = office
        self._forks = forks
        self._database = database
        self._writer = writer
        self._clock = clock
        self._tell = tell
        self._known: dict[str, set[str]] = {}  # by peer, what it has said it holds
        self._bell = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def ring(self) -> None:
        """Say that there is something new; safe from any thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._bell.set)

    async def run(self) -> None:
        """Push until cancelled: at once what is new, now and again what was not taken."""
        self._loop = asyncio.get_running_loop()
        self._forks.ring = self.ring
        try:
            while True:
                self._bell.clear()
                await self.push()
                await self._clock.sleep(PAUSE_S)
                await rung_or_later(self._clock, self._bell, EVERY_S)
        finally:
            self._forks.ring, self._loop = None, None

    # --- giving -----------------------------------------------------------------------------

    async def push(self) -> None:
        """Bring every peer what it has not said it holds."""
        held = await asyncio.to_thread(self._database.read, _held)
        if held and self._office.directory.chain:
            peers = self._office.directory.peers(self._office.authority)
            await asyncio.gather(*(self._push_to(peer, held) for peer in peers))

    async def _push_to(self, peer: str, held: Sequence[tuple[str, str, bytes]]) -> None:
        client, known = self._tell(peer), self._known.setdefault(peer, set())
        while client is not None:
            batch = _next([(kind, raw) for kind, _, raw in held if sha256_hex(raw) not in known])
            given = {sha256_hex(raw) for raw in (*batch.closures, *batch.forks)}
            if not given:
                return
            try:
                taken = given & set(await client.post_notices(batch))
            except TransportFailure as fault:
                _log.info("not-told", peer=peer, code=fault.code)
                return
            known |= taken
            if not taken:
                _log.warning("notices-refused", peer=peer, count=len(given))
                return

    async def held(self, *, about: str) -> Notices:
        """Give as many notices as one body holds, those about one authority's logs first."""
        held = await asyncio.to_thread(self._database.read, _held)
        mine = f"/{about}/"
        return _next([
            (kind, raw) for kind, origin, raw in sorted(held, key=lambda one: mine not in one[1])
        ])  # fmt: skip

    # --- taking -----------------------------------------------------------------------------

    async def take(self, peer: str, notices: Notices) -> tuple[str, ...]:
        """Keep what proves itself; gives the digests of what is held here now."""
        held = [
            sha256_hex(raw)
            for taking, raws in (
                (_Taking(self._knows_closure, self._install_closure), notices.closures),
                (_Taking(self._knows_fork, self._keep_fork), notices.forks),
            )
            for raw in raws
            if await self._take(peer, taking, raw)
        ]
        return tuple(held)

    async def _take(self, peer: str, taking: _Taking, raw: bytes) -> bool:
        """Install one notice; False for one that is refused, which stops no other."""
        try:
            if await asyncio.to_thread(taking.known, raw):
                return True
            new = await self._writer.write(lambda tx: taking.install(tx, raw, peer))
        except Rejected as fault:
            _log.info("notice-refused", peer=peer, code=fault.code, detail=fault.detail)
            return False
        if new:  # and only then: a peer can say one thing in many ways
            self._known.setdefault(peer, set()).add(sha256_hex(raw))
            self.ring()
        return True

    def _knows_closure(self, raw: bytes) -> bool:
        """Say whether a closing is installed; raises `Rejected` if it may not be."""
        directory = self._office.directory
        return directory.install_closure(raw, now=self._clock.now()) is directory

    def _knows_fork(self, raw: bytes) -> bool:
        return self._database.read(lambda conn: self._forks.known(conn, raw))

    def _install_closure(self, tx: Tx, raw: bytes, _peer: str) -> bool:
        return self._office.install_closure(tx, raw)

    def _keep_fork(self, tx: Tx, raw: bytes, peer: str) -> bool:
        return self._forks.keep(tx, raw, told_by=peer)


def _held(conn: Connection) -> list[tuple[str, str, bytes]]:
    """Give the notices that are stored, with their kinds and logs; by kind."""
    return [
        (kind, one.origin, one.raw)
        for kind in get_args(NoticeKind)
        for one in notice_rows.read_notices(conn, kind)
    ]


def _next(notices: Sequence[tuple[str, bytes]]) -> Notices:
    """Give as many notices as one body holds."""
    chosen: dict[str, list[bytes]] = {"closed": [], "fork": []}
    size = 0
    for kind, raw in notices:
        size += len(raw)
        if len(chosen[kind]) == NOTICES_MAX or size > _BYTES_MAX:
            break
        chosen[kind].append(raw)
    return Notices(tuple(chosen["closed"]), tuple(chosen["fork"]))
