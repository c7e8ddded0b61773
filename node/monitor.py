"""The monitor: follows the logs of all peers, also of those that send us nothing.

Now and again, and when asked, it fetches each peer's newest checkpoint and compares it with
the one that this node cosigned last, by the peer's own tiles. So a second history, a log
that went back, and one that has gone silent are noticed without any exchange; and what an
exchange left unproved is proved, or stays unproved and accuses nobody. One alarm for each
trouble while it lasts. Knows no message and no receipt.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from node.clock import Clock
from node.following import Following
from node.logs import get
from node.office import Office
from node.rounds import PAUSE_S, Rounds
from node.storage import Connection, notice_rows, peer_rows, watch_rows, witness_rows
from node.storage.engine import Database
from node.storage.peer_rows import Alarm
from node.storage.watch_rows import Unproved
from node.storage.writer import Tx, Writer
from node.tile_client import LogFiles, TileReader
from node.transport.errors import TransportFailure
from protocol.checkpoint import LogKeys, SignedCheckpoint, verify_checkpoint
from protocol.continuation import VerifiedContinuation, verify_continuation
from protocol.errors import Forked, NotAuthentic, Rejected, Unproven

_log = get("monitor")

_AT_ONCE_MAX: Final = 4
_STALE_S: Final = 48 * 3_600
_UNPROVEN_S: Final = 24 * 3_600
_DAY_S: Final = 24 * 3_600
_ALARMS_A_DAY_MAX: Final = 3

Verdict: TypeAlias = Literal["ok", "away", "unproven", "stale", "rollback", "fork"]
ALARMS: Final[dict[Verdict, str]] = {
    "unproven": "log-unproven",
    "stale": "log-stale",
    "rollback": "log-rollback",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look at a log of a peer found."""

    peer: str
    origin: str
    verdict: Verdict
    detail: str
    size: int | None = None
    signed_at: int | None = None


@dataclass(frozen=True, slots=True)
class _Memory:
    """What is remembered here of a log before it is looked at."""

    origin: str
    number: int
    keys: LogKeys
    witnessed: SignedCheckpoint | None
    unproved: tuple[Unproved, ...]
    forked: bool

    @property
    def size(self) -> int:
        """The size that was cosigned last."""
        return 0 if self.witnessed is None else self.witnessed.checkpoint.size

    @property
    def time(self) -> int:
        """When the log signed what was cosigned last."""
        return 0 if self.witnessed is None else self.witnessed.time


class Monitor:
    """Looks at the logs of peers."""

    def __init__(
        self,
        office: Office,
        following: Following,
        database: Database,
        writer: Writer,
        clock: Clock,
        *,
        ask: Callable[[str], LogFiles | None],
    ) -> None:
        """Look for `office`; `ask` gives a peer's client, None if it has no address."""
        self._office = office
        self._following = following
        self._database = database
        self._writer = writer
        self._clock = clock
        self._ask = ask
        self._turns = asyncio.Semaphore(_AT_ONCE_MAX)
        self._raised: dict[str, Verdict] = {}
        self._rounds = Rounds(clock, self._peers, first_s=PAUSE_S)

    def ask_soon(self, peer: str) -> None:
        """Say that something of a peer's log is not proved; on the event loop only."""
        self._rounds.ask_soon(peer)

    async def run(self) -> None:
        """Look until cancelled: at all peers now and again, at some when told to."""
        await self._rounds.run(self.look)

    def _peers(self) -> tuple[str, ...]:
        return self._office.directory.peers(self._office.authority)

    async def look_at_all(self) -> list[Finding]:
        """Look at every log of every peer now."""
        found = await asyncio.gather(*(self.look(peer) for peer in self._peers()))
        return [one for findings in found for one in findings]

    async def look(self, peer: str) -> list[Finding]:
        """Look at a peer's open log, and at older ones of which something is unproved."""
        async with self._turns:
            memories = await asyncio.to_thread(
                self._database.read, lambda conn: list(self._remembered(conn, peer))
            )
            findings = [await self._look_at(peer, memory) for memory in memories]
        for finding in findings:
            await self._raise(finding)
        return findings

    async def continuation(self, peer: str, number: int, sizes: Iterable[int]) -> bytes | None:
        """Fetch a continuation of a peer's log, if possible to a checkpoint with witnesses.

        For whoever needs to prove something of it to a third. None if the peer cannot be
        asked; raises `TransportFailure` or `Rejected` if it gives nothing that holds.
        """
        client = self._ask(peer)
        if client is None:
            return None
        origin, keys = self._office.directory.log_keys(peer, number)
        wanted = sorted(set(sizes))
        for name in ("witnessed", "checkpoint"):
            raw = await client.log_file(number, name)
            if raw is None:
                continue
            signed = verify_checkpoint(raw, origin=origin, keys=keys)
            if not wanted or signed.checkpoint.size >= wanted[-1]:
                return await TileReader(client, number, signed).continuation(wanted)
        return None

    # --- one log ----------------------------------------------------------------------------

    def _remembered(self, conn: Connection, peer: str) -> Iterable[_Memory]:
        """Give what is remembered of each log of a peer that is worth a look."""
        directory = self._office.directory
        try:
            numbers = {directory.open_log_number(peer)}
        except Rejected:
            return
        unproved = watch_rows.list_unproved(conn)
        mine = f"{self._office.network}/{peer}/"
        numbers |= {
            int(one.origin.removeprefix(mine)) for one in unproved if one.origin.startswith(mine)
        }
        for number in sorted(numbers):
            try:
                origin, keys = directory.log_keys(peer, number)
                state = witness_rows.read_witnessed(conn, origin)
                witnessed = (
                    None
                    if state is None
                    else verify_checkpoint(state.raw, origin=origin, keys=keys)
                )
            except Rejected as fault:
                _log.warning("log-not-looked-at", peer=peer, code=fault.code, detail=fault.detail)
                continue
            yield _Memory(
                origin, number, keys, witnessed,
                tuple(one for one in unproved if one.origin == origin),
                notice_rows.read_notice(conn, "fork", origin) is not None,
            )  # fmt: skip

    async def _look_at(self, peer: str, memory: _Memory) -> Finding:
        if memory.forked:
            return Finding(peer, memory.origin, "fork", "a proof of two histories is kept here")
        client = self._ask(peer)
        if client is None:
            return self._away(peer, memory, "nobody can connect to it")
        try:
            told = await self._fetch(client, memory)
        except TransportFailure as fault:
            return self._away(peer, memory, fault.code)
        except Rejected as fault:
            detail = f"{fault.code}: {fault.detail}"
            return Finding(peer, memory.origin, self._unproven(memory), detail)
        return await self._let_take_effect(peer, memory, told)

    async def _let_take_effect(
        self, peer: str, memory: _Memory, told: VerifiedContinuation
    ) -> Finding:
        """Judge in a unit of work; a log of ours that is halted must not end the monitor."""
        found: list[Finding] = []
        try:
            await self._writer.write(lambda tx: found.append(self._judge(tx, peer, memory, told)))
        except Rejected as fault:  # nothing may be signed, or another process was first
            _log.warning("not-followed", peer=peer, code=fault.code, detail=fault.detail)
            return found[-1] if found else self._away(peer, memory, fault.code)
        return found[-1]

    async def _fetch(self, client: LogFiles, memory: _Memory) -> VerifiedContinuation:
        """Fetch the newest checkpoint, and links from whatever is remembered."""
        raw = await client.log_file(memory.number, "checkpoint")
        if raw is None:
            raise NotAuthentic("the peer gives no checkpoint of its log")
        signed = verify_checkpoint(raw, origin=memory.origin, keys=memory.keys)
        sizes = {memory.size, *(one.size for one in memory.unproved)} - {0}
        shown = await TileReader(client, memory.number, signed).continuation(sizes)
        return verify_continuation(shown, origin=memory.origin, keys=memory.keys)

    def _judge(self, tx: Tx, peer: str, memory: _Memory, told: VerifiedContinuation) -> Finding:
        """Let what was fetched take effect, and say what it means."""
        head, time = told.signed.checkpoint, told.signed.time

        def finding(verdict: Verdict, detail: str) -> Finding:
            return Finding(peer, memory.origin, verdict, detail, head.size, time)

        if head.size < memory.size:
            gone = f"it shows {head.size} entries, and {memory.size} were cosigned here"
            # Signed later than what was cosigned, it is the log itself that went back;
            # else an old state was shown, which may be a copy that lags.
            return finding("rollback" if time >= memory.time else "stale", gone)
        try:
            moved = self._following.move(tx, peer, told)
            proved = moved and self._prove(tx, peer, told)
        except Forked as fault:
            return finding("fork", fault.detail)
        if tx.now - max(time, memory.time) > _STALE_S:
            return finding("stale", "its newest checkpoint is older than two days")
        if not proved:
            return finding(self._unproven(memory), "some checkpoint of it is not proved yet")
        return finding("ok", "")

    def _prove(self, tx: Tx, peer: str, told: VerifiedContinuation) -> bool:
        """Prove what was unproved; False if something is left, `Forked` if it is disproved."""
        left = False
        for one in watch_rows.list_unproved(tx.conn, told.signed.checkpoint.origin):
            try:
                told.require(one.size, one.root)
            except Unproven:
                left = True
            except Forked:
                self._following.prove(tx, peer, one.raw, told.signed.raw, told.links.get(one.size))
                raise
            else:
                watch_rows.delete_unproved(tx.conn, one)
        return not left

    def _away(self, peer: str, memory: _Memory, why: str) -> Finding:
        """A peer that cannot be asked: only what is remembered can be stale or unproved."""
        verdict: Verdict = "away"
        if memory.witnessed and self._clock.now() - memory.time > _STALE_S:
            verdict = "stale"
        elif memory.unproved and self._unproven(memory) == "unproven":
            verdict = "unproven"
        time = memory.time or None
        return Finding(peer, memory.origin, verdict, why, memory.size or None, time)

    def _unproven(self, memory: _Memory) -> Verdict:
        """What is unproved is nobody's fault for a day."""
        oldest = min((one.since for one in memory.unproved), default=self._clock.now())
        return "unproven" if self._clock.now() - oldest > _UNPROVEN_S else "ok"

    async def _raise(self, finding: Finding) -> None:
        """Raise one alarm for each trouble, again only if it was over in between."""
        before = self._raised.get(finding.origin)
        self._raised[finding.origin] = finding.verdict
        kind = ALARMS.get(finding.verdict)
        if kind is None or before == finding.verdict:
            return
        _log.warning("log-trouble", kind=kind, peer=finding.peer, detail=finding.detail)
        await self._writer.write(lambda tx: _alarm(tx, kind, finding))


def _alarm(tx: Tx, kind: str, finding: Finding) -> None:
    """Store an alarm, a few a day of each kind: a log may come and go as often as it likes."""
    told = peer_rows.count_alarms(tx.conn, kind, finding.peer, tx.now - _DAY_S)
    if told < _ALARMS_A_DAY_MAX:
        detail = f"{finding.origin}: {finding.detail}"
        peer_rows.insert_alarm(tx.conn, Alarm(tx.now, kind, finding.peer, None, detail))
