"""The courier: brings what waits to each peer, in order, until it is receipted.

How does an envelope get sent?

* It waits in the outbox table; the table is the truth, and what is in memory only wakes
  somebody up. A node that was off goes on where it stopped.
* There is one sender per peer, and it claims the peer's whole queue, never one message, so
  two processes on one database do not interleave (a claim that is not renewed lapses).
* It goes through the queue in passes: up to 64 envelopes or 8 MiB a request, one request in
  flight. An envelope that is refused for now stays behind and the pass goes on, so one
  poisoned envelope never blocks a queue.
* When the peer could not be reached, the whole queue waits: 5 s, doubling to an hour, with
  jitter. A *signed* word from the peer ends the wait at once: it has come back. An answer
  without a valid signature changes nothing but the next try.
* What the peer refused for now waits as long, and is passed meanwhile by what is new.
* A peer that no one can connect to fetches its envelopes itself; `fetch` hands them out.
* Receipts are examined off the event loop and settled, with the state of the queue, in one
  unit of work. Nothing is ever given up before it expires.

This module handles sealed bytes and answers, and never sees a message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from node.clock import Clock
from node.examined import Doubtful, Proven, contradicted
from node.logs import get
from node.logs_shown import LogsShown, proofs_in
from node.office import Office
from node.outbox import Outbox
from node.rounds import rung_or_done, rung_or_later
from node.storage import peer_rows, queue_rows
from node.storage.engine import Database, StorageFailed
from node.storage.queue_rows import QueueState, Waiting
from node.storage.writer import Tx, Writer
from node.transport.batch import Answer, Answers, Batch, Pending, Receipted, Refused
from node.transport.errors import TransportFailure
from protocol.checkpoint import Checkpoint
from protocol.continuation import VerifiedContinuation
from protocol.errors import EpochAhead, KeyUnknown, Recovering
from protocol.limits import BATCH_BYTES_MAX, BATCH_ENVELOPES_MAX, NOTE_BYTES_MAX

_log = get("courier")

_FAULT_WAIT_S: Final = 60.0
_CLAIM_S: Final = 120  # longer than one exchange may take
_EXPIRY_CHECK_S: Final = 60.0
# Beside envelopes a batch needs a length for each, and one checkpoint in base64.
_ROOM_BYTES: Final = BATCH_BYTES_MAX - 4 * BATCH_ENVELOPES_MAX - 2 * NOTE_BYTES_MAX
_TRUST_CODES: Final = frozenset({KeyUnknown.code, EpochAhead.code, "unauthorised"})


@dataclass(frozen=True, slots=True)
class BackOff:
    """How long a queue waits after failures, in seconds; jitter takes up to a quarter off."""

    first_s: float = 5.0
    most_s: float = 3_600.0

    def delay_s(self, failures: int, chance: int) -> float:
        """Give the wait after so many failures in a row; `chance` is a byte of randomness."""
        whole: float = min(self.most_s, self.first_s * 2 ** min(failures - 1, 20))
        return whole * (1 - chance / 1_024)


class Deliver(Protocol):
    """How envelopes reach a peer; the transport's client."""

    async def post_envelopes(self, batch: Batch) -> Answers:
        """Post a batch and give the peer's signed answers, or raise `TransportFailure`."""
        ...


@dataclass(slots=True)
class _Sender:
    """What is in memory of one peer: something new waits, the peer was heard, its task."""

    bell: asyncio.Event = field(default_factory=asyncio.Event)
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How a pass over a queue ended."""

    wait_s: float | None = None  # None: nothing was left behind
    reached: bool = True  # whether the peer answered
    last: int = 0  # the newest envelope that was offered


class Courier:
    """Sends what waits, to every peer at once and to each in order."""

    def __init__(  # noqa: PLR0913  (it joins what a delivery needs)
        self,
        office: Office,
        outbox: Outbox,
        database: Database,
        writer: Writer,
        clock: Clock,
        *,
        name: str,
        random: Callable[[int], bytes],
        deliver: Callable[[str], Deliver | None],
        logs: LogsShown,
        ask_for_trust: Callable[[str], None],
        back_off: BackOff | None = None,
    ) -> None:
        """Send for `office`; `deliver` gives a peer's client, None if it must fetch itself.

        `name` claims queues. It is the same after a restart, so that a node that was killed
        takes up its own queues at once, and differs between nodes that share a database.
        """
        self._office = office
        self._outbox = outbox
        self._database = database
        self._writer = writer
        self._clock = clock
        self._random = random
        self._deliver = deliver
        self._logs = logs
        self._ask_for_trust = ask_for_trust
        self._back_off = back_off or BackOff()
        self._name = name
        self._senders: dict[str, _Sender] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._fetched: dict[str, asyncio.Event] = {}
        self._given: dict[str, int] = {}  # the last place in the queue that a peer fetched

    def wake(self, peer: str) -> None:
        """Say that something waits for a peer; safe from any thread, cheap when repeated."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._ring, peer)

    def heard_from(self, peer: str) -> None:
        """A signed word came from the peer: if its queue waits, it waits no longer."""
        sender = self._senders.get(peer)
        if sender is not None:
            sender.heard.set()

    async def run(self) -> None:
        """Send until cancelled."""
        self._loop = asyncio.get_running_loop()
        try:
            for peer in await asyncio.to_thread(self._database.read, queue_rows.peers_waiting):
                self._ring(peer)
            while True:
                if await self._writer.write(self._outbox.give_up_expired):
                    _log.warning("undelivered")
                await self._clock.sleep(_EXPIRY_CHECK_S)
        finally:
            self._loop = None
            await self._end_senders()

    async def _end_senders(self) -> None:
        tasks = [sender.task for sender in self._senders.values() if sender.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._senders.clear()

    def _ring(self, peer: str) -> None:
        sender = self._senders.setdefault(peer, _Sender())
        sender.bell.set()
        if sender.task is None or sender.task.done():
            sender.task = asyncio.get_running_loop().create_task(self._send_to(peer, sender))

    async def _send_to(self, peer: str, sender: _Sender) -> None:
        """Make passes over one peer's queue whenever the bell rings, for ever."""
        while True:
            await sender.bell.wait()
            sender.bell.clear()
            sender.heard.clear()
            outcome = await self._attempt(peer)
            while outcome.wait_s is not None:
                outcome = await self._rest(peer, sender, outcome)

    async def _rest(self, peer: str, sender: _Sender, outcome: _Outcome) -> _Outcome:
        """Wait until it is time for a whole pass again, and make it.

        A peer that could not be reached is tried earlier if it is heard, also if that was
        during the pass; new messages change nothing. One that answered gets what is new.
        """
        rest = asyncio.ensure_future(self._clock.sleep(outcome.wait_s or 0.0))
        awaited = sender.bell if outcome.reached else sender.heard
        last = outcome.last
        try:
            while not rest.done():
                await rung_or_done(awaited, rest)
                if rest.done() or not outcome.reached:
                    break
                sender.bell.clear()
                fresh = await self._attempt(peer, last)
                if not fresh.reached:
                    return fresh
                last = max(last, fresh.last)
        finally:
            rest.cancel()
        sender.heard.clear()
        return await self._attempt(peer)

    async def _attempt(self, peer: str, after: int = 0) -> _Outcome:
        """Make a pass; a fault of our own costs this peer a wait, and never its sender."""
        try:
            return await self._pass(peer, after)
        except StorageFailed:
            raise
        except Recovering as fault:
            _log.warning("not-sent", peer=peer, detail=fault.detail)
            return _Outcome(_FAULT_WAIT_S, reached=False, last=after)
        except Exception:  # noqa: BLE001  (the operator sees it, and the queue goes on)
            _log.exception("pass-failed", peer=peer)
            return _Outcome(_FAULT_WAIT_S, reached=False, last=after)

    async def _pass(self, peer: str, after: int = 0) -> _Outcome:
        """Offer everything that waits behind `after` once."""
        client = self._deliver(peer)
        if client is None:
            self._fetch_bell(peer).set()
            return _Outcome()
        self._logs.require_signing()
        if not await self._claim(peer):
            return _Outcome(self._back_off.first_s, last=after)
        last, stuck = after, False
        while batch := await asyncio.to_thread(self._next_batch, peer, last):
            last = batch[-1].id
            first = await asyncio.to_thread(self._logs.tell, peer)
            sent = Batch(first, envelopes=tuple(one.envelope for one in batch))
            try:
                answers = await client.post_envelopes(sent)
            except TransportFailure as fault:
                return _Outcome(await self._failed(peer, batch, fault), reached=False)
            left = await self.settle(peer, answers, sent=batch)
            stuck = stuck or bool(left)
        return _Outcome(await self._refused(peer) if stuck else None, last=last)

    async def _claim(self, peer: str) -> bool:
        return await self._writer.write(
            lambda tx: queue_rows.claim_queue(
                tx.conn, peer, self._name, now=tx.now, until=tx.now + _CLAIM_S
            )
        )

    def _next_batch(self, peer: str, after: int) -> list[Waiting]:
        return self._database.read(
            lambda conn: queue_rows.next_batch(
                conn, peer, after=after, count_max=BATCH_ENVELOPES_MAX, bytes_max=_ROOM_BYTES
            )
        )

    async def settle(
        self, peer: str, answers: Answers, sent: Sequence[Waiting] = ()
    ) -> Mapping[str, str]:
        """Let a peer's answers take effect; gives what still waits, by envelope, and why.

        What its log shows and what its receipts deliver go into one transaction.
        """
        await self._logs.heard(peer, answers.seen)
        examined, told = await asyncio.to_thread(self._examine, peer, answers)

        def effect(tx: Tx) -> tuple[Mapping[str, str], bool]:
            signed = [one.answer.signed for one in examined if isinstance(one, Proven)]
            followed = self._logs.follow(tx, peer, told, signed)
            judged = [_judged(one, followed.contradicting) for one in examined]
            self._outbox.settle(tx, judged)
            hints = _hints(answers.answers, sent, judged)
            self._outbox.note_hints(tx, peer, hints)
            state = queue_rows.read_queue(tx.conn, peer)
            queue_rows.write_queue(tx.conn, _heard(state, tx.now, hints))
            return hints, followed.unproved

        hints, unproved = await self._writer.write(effect)
        if _TRUST_CODES.intersection(hints.values()):
            self._ask_for_trust(peer)
        if unproved:
            self._logs.ask_about(peer)
        _log.info("settled", peer=peer, count=len(examined), waiting=len(hints))
        return hints

    def _examine(
        self, peer: str, answers: Answers
    ) -> tuple[list[Proven | Doubtful], VerifiedContinuation | None]:
        examined = [self._outbox.examine(peer, raw) for raw in proofs_in(answers.answers)]
        return examined, self._logs.examine(peer, answers)

    async def _failed(self, peer: str, batch: Sequence[Waiting], fault: TransportFailure) -> float:
        """Note a failure of the way and give the time to wait."""
        _log.warning("unsent", peer=peer, code=fault.code, detail=fault.detail, count=len(batch))
        if fault.code in _TRUST_CODES:
            self._ask_for_trust(peer)
        identities = [one.identity for one in batch]

        def note(tx: Tx) -> float:
            queue_rows.note_attempt(tx.conn, peer, identities, fault.code)
            return self._delay(tx, peer, fault.code)

        return await self._writer.write(note)

    async def _refused(self, peer: str) -> float:
        """The peer answers, but something stays behind: try it again later."""
        return await self._writer.write(lambda tx: self._delay(tx, peer, None))

    def _delay(self, tx: Tx, peer: str, code: str | None) -> float:
        state = queue_rows.read_queue(tx.conn, peer)
        failures = state.failures + 1
        delay_s = self._back_off.delay_s(failures, self._random(1)[0])
        queue_rows.write_queue(
            tx.conn,
            replace(
                state, failures=failures, last_code=code or state.last_code, last_tried_at=tx.now,
                next_try_at=tx.now + int(delay_s), claimed_until=0,
            ),
        )  # fmt: skip
        if code in {"tls-pin", "bad-answer"} and failures == 1:
            peer_rows.insert_alarm(
                tx.conn, peer_rows.Alarm(tx.now, "peer-not-authentic", peer, None, code)
            )
        return delay_s

    async def fetch(self, peer: str, wait_s: float) -> tuple[bytes, ...]:
        """Give a peer that fetches itself what waits for it, waiting for the first if need be."""
        bell = self._fetch_bell(peer)
        bell.clear()
        # Behind what was given last, and from the front when there is no more: what a peer
        # leaves unanswered comes again, and keeps nothing else back.
        batch = await self._next_fetch(peer)
        if not batch and wait_s > 0:
            await rung_or_later(self._clock, bell, wait_s)
            batch = await self._next_fetch(peer)
        return tuple(one.envelope for one in batch)

    async def _next_fetch(self, peer: str) -> list[Waiting]:
        for after in (self._given.get(peer, 0), 0):
            batch = await asyncio.to_thread(self._next_batch, peer, after)
            if batch:
                self._given[peer] = batch[-1].id
                return batch
        return []

    def _fetch_bell(self, peer: str) -> asyncio.Event:
        return self._fetched.setdefault(peer, asyncio.Event())


def _judged(one: Proven | Doubtful, contradicting: Collection[Checkpoint]) -> Proven | Doubtful:
    """A receipt under a checkpoint that contradicts its log is kept, and settles nothing."""
    if isinstance(one, Proven) and one.answer.signed.checkpoint in contradicting:
        return contradicted(one)
    return one


def _hints(
    answers: Sequence[Answer], sent: Sequence[Waiting], judged: Sequence[Proven | Doubtful]
) -> Mapping[str, str]:
    """Words about envelopes that prove nothing; no word at all about one sent is one too."""
    hints: dict[str, str] = {}
    proven = set()
    contradicting = {one.raw for one in judged if isinstance(one, Doubtful) and one.contradicts}
    for one in answers:
        if contradicting.intersection(proofs_in([one])):
            hints[one.envelope] = "log-fork"
            continue
        if isinstance(one, Receipted) or (isinstance(one, Refused) and one.proof is not None):
            proven.add(one.envelope)
        elif isinstance(one, Refused):
            hints[one.envelope] = one.code
        elif isinstance(one, Pending):
            hints[one.envelope] = "pending"
    for waiting in sent:
        if waiting.digest not in proven:
            hints.setdefault(waiting.digest, "unanswered")
    return hints


def _heard(state: QueueState, now: int, hints: Mapping[str, str]) -> QueueState:
    """The queue after a signed word of the peer: no back-off but for what it refused."""
    code = next(iter(hints.values()), None)
    failures = state.failures if hints else 0
    return replace(
        state, failures=failures, last_code=code, last_tried_at=now, last_word_at=now, next_try_at=0
    )
