"""Witnessing: our checkpoints go to those who watch this log, and their words come back.

The newest head goes to every witness that the network document names, when the log has
grown and at most once a minute; an idle log is signed again once a day, so that others see
it is alive. What comes back is believed only if both lines of that witness hold on that
very checkpoint; anything else, whoever wrote the witness, is "not cosigned". Words also
come with exchanges. Missing ones raise an alarm and never stop recording.

A witness that says it knows a larger log proves nothing; it is asked for the checkpoint,
and our own signature on that does. Before a node serves anybody it asks all its peers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

from node.clock import Clock
from node.logs import get
from node.office import Office
from node.own_log import OwnLog
from node.quorum import Quorum, word_of, words_on
from node.storage import Connection, peer_rows, watch_rows
from node.storage.engine import Database
from node.storage.log_rows import Head
from node.storage.peer_rows import Alarm
from node.storage.watch_rows import KeptCheckpoint
from node.storage.writer import Tx, Writer
from node.transport.c2sp import WitnessAnswer
from node.transport.errors import TransportFailure
from protocol.checkpoint import (
    SignedCheckpoint,
    verify_checkpoint,
    with_cosignatures,
    without_cosignatures,
    witness_name,
)
from protocol.errors import Recovering, Rejected
from protocol.note import NoteSignature, decode_note
from protocol.witness_wire import (
    decode_cosignatures,
    decode_size,
    encode_add_checkpoint,
)

_log = get("witnessing")

_EVERY_S: Final = 60.0
_ALIVE_S: Final = 86_400
_START_S_MAX: Final = 3.0
_MISSING_S: Final = 3_600
_COSIGNED: Final = 200
_CONFLICT: Final = 409


class NotCosigned(Exception):  # (no error of ours: a witness need not give its word)
    """A witness answered, and not with its word."""

    code: Final = "not-cosigned"


class Ask(Protocol):
    """What is needed of a witness; the transport's client."""

    async def add_checkpoint(self, body: bytes) -> WitnessAnswer:
        """Ask for a cosignature, and give whatever status comes back."""
        ...

    async def witness_checkpoint(self, origin: str) -> bytes | None:
        """Give the newest checkpoint of a log that it has cosigned, if there is one."""
        ...


@dataclass(slots=True)
class _Known:
    """What is in memory of one witness."""

    size: int = 0  # what it cosigned last, as far as is known here
    said: bytes = field(default=b"", repr=False)  # the head that it gave its word on
    taken_at: float | None = None  # when its word came with an exchange
    trouble: str | None = None  # why it gave none, said once


class Witnessing:
    """Gathers the words of witnesses on our own log."""

    def __init__(
        self,
        office: Office,
        own: OwnLog,
        database: Database,
        writer: Writer,
        clock: Clock,
        *,
        ask: Callable[[str], Ask | None],
    ) -> None:
        """Gather for `office`; `ask` gives a peer's client, None if it has no address."""
        self._office = office
        self._own = own
        self._database = database
        self._writer = writer
        self._clock = clock
        self._ask = ask
        self._known: dict[str, _Known] = {}
        self._missing = False

    async def run(self) -> None:
        """Push until cancelled, at most once a minute."""
        while True:
            await self.push()
            await self._clock.sleep(_EVERY_S)

    def quorum(self) -> Quorum:
        """Give what the newest network document asks for."""
        return Quorum.of(self._office.directory, self._office.authority)

    def _of(self, witness: str) -> _Known:
        return self._known.setdefault(witness, _Known())

    # --- pushing ----------------------------------------------------------------------------

    async def push(self) -> None:
        """Bring the newest head to every witness that has not cosigned it, and keep the words."""
        if self._own.halted is not None or not self._office.directory.chain:
            return
        try:
            await self._keep_alive()
            head = self._own.head()
        except Recovering as fault:
            _log.warning("not-pushed", detail=fault.detail)
            return
        lacking = [one for one in self.quorum().witnesses if self._of(one).said != head.checkpoint]
        await asyncio.gather(*(self._push_to(witness, head) for witness in lacking))
        await self._watch_missing()

    async def _keep_alive(self) -> None:
        """Sign an idle log again once a day."""
        head = self._own.head()
        signed = await asyncio.to_thread(self._verified, head.checkpoint)
        if self._clock.now() - signed.time >= _ALIVE_S:
            await self._writer.write(self._own.renew)

    def _verified(self, raw: bytes) -> SignedCheckpoint:
        return verify_checkpoint(raw, origin=self._own.origin, keys=self._own.keys)

    async def _push_to(self, witness: str, head: Head) -> None:
        """Ask one witness for its word, and keep it; a slow one keeps nobody else's back."""
        client = self._ask(witness)
        if client is None:
            return
        known = self._of(witness)
        try:
            lines = await self._cosigned(witness, client, head)
        except (TransportFailure, NotCosigned, Rejected) as fault:
            self._note(witness, fault.code)
            return
        known.trouble, known.size, known.said = None, head.size, head.checkpoint
        await self._writer.write(lambda tx: self._keep(tx, head.size, head.checkpoint, lines))

    async def _cosigned(self, witness: str, client: Ask, head: Head) -> Sequence[NoteSignature]:
        """Get a witness's word; raises `NotCosigned` or `Rejected` if it is none."""
        known = self._of(witness)
        answer = await self._add(client, known.size, head)
        if answer.status == _CONFLICT:
            size = decode_size(answer.body)
            if size <= head.size:
                answer = await self._add(client, size, head)
        if answer.status == _COSIGNED:
            return await asyncio.to_thread(self._lines, witness, head, answer.body)
        # Whatever it says, it may know more of this log than this node does.
        await self._look(witness, client)
        raise NotCosigned

    async def _add(self, client: Ask, known: int, head: Head) -> WitnessAnswer:
        old = min(known, head.size)
        path = await asyncio.to_thread(self._own.path, old, head)
        return await client.add_checkpoint(encode_add_checkpoint(old, path, head.checkpoint))

    def _lines(self, witness: str, head: Head, body: bytes) -> Sequence[NoteSignature]:
        """Give the witness's own two lines, verified; lines of others are ignored."""
        lines = decode_cosignatures(body)
        return word_of(head.checkpoint, lines, self._office.directory, witness)

    async def _look(self, peer: str, client: Ask) -> None:
        """Fetch what a peer has cosigned of this log, and compare it with the log."""
        raw = await client.witness_checkpoint(self._own.origin)
        if raw is not None:
            await self._own.look(raw, shown_by=peer)

    def _note(self, witness: str, code: str) -> None:
        known = self._of(witness)
        if known.trouble != code:
            known.trouble = code
            _log.warning("not-cosigned", peer=witness, code=code)

    # --- keeping words ----------------------------------------------------------------------

    async def take(self, raw: bytes, *, peer: str) -> None:
        """Keep a peer's word that came with an exchange; once a minute is enough.

        The caller has compared the checkpoint with our log.
        """
        known, now = self._of(peer), self._clock.monotonic()
        if known.taken_at is not None and now - known.taken_at < _EVERY_S:
            return
        if peer not in self.quorum().witnesses or self._own.halted is not None:
            return
        known.taken_at = now
        try:
            signed, lines = await asyncio.to_thread(self._word_of, peer, raw)
        except Rejected as fault:
            self._note(peer, fault.code)
            return
        size = signed.checkpoint.size
        known.size = max(known.size, size)
        await self._writer.write(lambda tx: self._keep(tx, size, raw, lines))

    def _word_of(self, peer: str, raw: bytes) -> tuple[SignedCheckpoint, list[NoteSignature]]:
        signed = self._verified(raw)
        return signed, word_of(raw, signed.other_signatures, self._office.directory, peer)

    def _keep(self, tx: Tx, size: int, raw: bytes, lines: Sequence[NoteSignature]) -> None:
        """Add verified lines to the checkpoint of a size, and count its witnesses again."""
        kept = watch_rows.read_checkpoint(tx.conn, self._own.number, size)
        quorum = self.quorum()
        names = {witness_name(self._office.network, one) for one in quorum.witnesses}
        before = () if kept is None else decode_note(kept.raw).signatures
        merged = with_cosignatures(
            without_cosignatures(raw), [*(one for one in before if one.name in names), *lines]
        )
        words = words_on(merged, self._office.trusted(tx), quorum)
        fresh = KeptCheckpoint(self._own.number, size, merged, len(words), tx.now)
        watch_rows.keep_checkpoint(tx.conn, fresh)

    # --- what is missing --------------------------------------------------------------------

    async def _watch_missing(self) -> None:
        """Raise the alarm if what is older than an hour is below the quorum; once, while it is."""
        quorum = self.quorum()
        if not quorum.needed:
            return
        read = partial(self._uncovered_since, needed=quorum.needed)
        since = await asyncio.to_thread(self._database.read, read)
        late = since is not None and self._clock.now() - since > _MISSING_S
        if late and not self._missing:
            silent = [one for one in quorum.witnesses if not self._of(one).said]
            detail = f"fewer than {quorum.needed} words of witnesses for an hour"
            detail += f"; none of {', '.join(silent)}" if silent else ""
            _log.warning("witnesses-missing", detail=detail)
            await self._writer.write(
                lambda tx: peer_rows.insert_alarm(
                    tx.conn, Alarm(tx.now, "witnesses-missing", None, None, detail)
                )
            )
        self._missing = late

    def _uncovered_since(self, conn: Connection, *, needed: int) -> int | None:
        """Give the time of the oldest entry that no witnessed checkpoint covers, if any."""
        log = self._own.number
        covered = watch_rows.newest_checkpoint(conn, log, witnesses_min=needed)
        return watch_rows.entry_time(conn, log, 0 if covered is None else covered.size)

    # --- before anything is signed ----------------------------------------------------------

    async def ask_before_signing(self) -> None:
        """Ask all peers at once, for a few seconds, what they have cosigned of this log."""
        directory = self._office.directory
        if self._own.halted is not None or not directory.chain:
            return
        peers = directory.peers(self._office.authority)
        asking = asyncio.ensure_future(self._ask_all(peers))
        rest = asyncio.ensure_future(self._clock.sleep(_START_S_MAX))
        try:
            await asyncio.wait({asking, rest}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            rest.cancel()
            asking.cancel()
            await asyncio.gather(asking, rest, return_exceptions=True)

    async def _ask_all(self, peers: Sequence[str]) -> None:
        await asyncio.gather(*(self._ask_once(peer) for peer in peers))

    async def _ask_once(self, peer: str) -> None:
        client = self._ask(peer)
        if client is None:
            return
        try:
            await self._look(peer, client)
        except TransportFailure as fault:
            _log.info("not-asked", peer=peer, code=fault.code)
