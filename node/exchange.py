"""The exchange with peers: what a verified request does here, and what we fetch ourselves.

Joins the listener's routes to the inbox, the courier and the directory, and turns verdicts
into answers. This is where a refusal's detail goes to the operator's log and its code to
the peer. Bytes and answers only: no message is seen here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from node.clock import Clock
from node.courier import Courier
from node.gossip import Gossip
from node.inbox import Brought, Inbox, Verdict
from node.logs import get
from node.office import Office
from node.peers import Peers, resolved
from node.storage import peer_rows
from node.storage.writer import Tx, Writer
from node.transport.batch import (
    Answer,
    Answers,
    Batch,
    Notices,
    Pending,
    Receipted,
    Refused,
)
from node.transport.client import PeerClient
from node.transport.errors import TransportFailure
from node.transport.hop import HopKey, VerifiedHop
from node.transport.routes import PeerRoutes
from node.watch import Watch
from protocol.errors import EpochAhead, Malformed, NotAuthentic, Rejected
from protocol.limits import (
    ANSWERS_MAX,
    LISTINGS_BODY_BYTES_MAX,
    LISTINGS_MAX,
    LONG_POLL_S_MAX,
    REVOCATIONS_MAX,
)

_log = get("exchange")

_FETCH_AGAIN_S: Final = 30.0


class Exchange:
    """One node's side of the exchange with all its peers."""

    def __init__(
        self, office: Office, inbox: Inbox, courier: Courier, gossip: Gossip, peers: Peers,
        *, watch: Watch, writer: Writer, clock: Clock,
    ) -> None:  # fmt: skip
        """Join the parts; nothing runs yet."""
        self._office = office
        self._inbox = inbox
        self._courier = courier
        self._gossip = gossip
        self._peers = peers
        self._shown = watch.shown
        self._words_given: dict[str, bytes] = {}  # by peer, our word on its log, as given last
        self._notices = watch.notices
        self._writer = writer
        self._clock = clock

    def resolve(self, key_id: str) -> HopKey | None:
        """Find the authority of a hop key that is in use now."""
        return resolved(lambda: self._office.directory.hop_key(key_id, self._clock.now()))

    def resolve_any(self, key_id: str) -> HopKey | None:
        """Find the authority of a hop key of any time: enough to be handed documents."""
        return resolved(lambda: self._office.directory.hop_key_ever(key_id))

    def routes(self) -> PeerRoutes:
        """Give what the listener serves."""
        return PeerRoutes(
            accept=self._accept,
            pull=self._pull,
            receipts=self._receipts,
            network=self._network,
            listings=self._listings,
            heard=self._courier.heard_from,
            notices=self._take_notices,
            held_notices=self._held_notices,
        )

    async def _accept(self, hop: VerifiedHop, batch: Batch) -> Answers:
        """Envelopes that a peer posted; answers of its own may come with them."""
        brought = Brought(hop.authority, hop.key_id, hop.nonce, hop.expires)
        await self._shown.heard(hop.authority, batch.answers.seen)
        verdicts = await self._inbox.accept(brought, batch.envelopes)
        if batch.answers.answers:
            await self._courier.settle(hop.authority, batch.answers)
        return await self._told(hop.authority, verdicts)

    async def _told(self, peer: str, verdicts: Sequence[Verdict]) -> Answers:
        """Give the answers as they leave: with what either side has seen of the other's log."""
        answers = self._answers(peer, verdicts)
        plain = all(one.size is not None or not _proves(one) for one in verdicts)
        known = plain and not any(one.also for one in verdicts)
        sizes = {one.size for one in verdicts if one.size is not None} if known else None
        return await asyncio.to_thread(self._shown.tell, peer, answers, sizes)

    def _answers(self, peer: str, verdicts: Sequence[Verdict]) -> Sequence[Answer]:
        for verdict in verdicts:
            if verdict.refusal is not None:
                _log.warning(
                    "refused", peer=peer, code=verdict.refusal, detail=verdict.detail,
                    envelope=verdict.envelope,
                )  # fmt: skip
        if any(verdict.refusal == EpochAhead.code for verdict in verdicts):
            self._gossip.ask_soon(peer)
        # A body holds so many answers. A receipt that has to wait comes back with the next
        # message of its case, which lists the message as given up once more.
        also = (one for verdict in verdicts for one in verdict.also)
        return [_answer(one) for one in (*verdicts, *also)][:ANSWERS_MAX]

    async def _pull(self, hop: VerifiedHop, wait_s: int) -> Batch:
        """A peer that nobody can connect to fetches what waits for it."""
        await self._take_nonce(hop)
        envelopes = await self._courier.fetch(hop.authority, float(wait_s))
        first = await asyncio.to_thread(self._shown.tell, hop.authority)
        return Batch(first, envelopes=envelopes)

    async def _receipts(self, hop: VerifiedHop, answers: Answers) -> Answers:
        """Answers to what a peer fetched."""
        await self._take_nonce(hop)
        await self._courier.settle(hop.authority, answers)
        return await asyncio.to_thread(self._shown.tell, hop.authority)

    async def _take_notices(self, hop: VerifiedHop, notices: Notices) -> Sequence[str]:
        """Closings and fork proofs, which prove themselves."""
        return await self._notices.take(hop.authority, notices)

    async def _held_notices(self, hop: VerifiedHop) -> Notices:
        """What is kept here of closings and forks, for a node that has lost it."""
        return await self._notices.held(about=hop.authority)

    async def _take_nonce(self, hop: VerifiedHop) -> None:
        def take(tx: Tx) -> None:
            if not peer_rows.take_nonce(tx.conn, hop.key_id, hop.nonce, hop.expires):
                raise NotAuthentic("a request with a nonce that was used before")

        await self._writer.write(take)

    async def _network(self, version: int | None) -> Sequence[bytes]:
        directory = self._office.directory
        wanted = directory.document.version if version is None else version
        found = directory.documents_raw(wanted)
        if not found:
            raise Malformed("no network document of that version")
        return found

    async def _listings(self, known: str | None) -> tuple[Sequence[bytes], Sequence[bytes]]:
        """Nothing to a peer that knows the same; else each chain's end, as much as fits."""
        directory = self._office.directory
        if known == directory.state:
            return (), ()
        revocations = directory.revocations_raw()[-REVOCATIONS_MAX:]
        room = LISTINGS_BODY_BYTES_MAX * 3 // 4 - sum(len(raw) + 8 for raw in revocations)
        for newest in (64, 16, 4, 2):
            listings = directory.listings_raw(newest=newest)
            if len(listings) <= LISTINGS_MAX and sum(len(raw) + 8 for raw in listings) < room:
                return listings, revocations
        return directory.listings_raw(newest=1), revocations

    async def fetch_for_ever(self) -> None:
        """Fetch from every peer that can be reached: for a node to which nobody can connect."""
        async with asyncio.TaskGroup() as tasks:
            running: set[str] = set()
            while True:
                wanted = set(self._office.directory.peers(self._office.authority))
                for peer in sorted(wanted - running):
                    running.add(peer)
                    tasks.create_task(self._fetch_from(peer))
                await self._clock.sleep(_FETCH_AGAIN_S)

    async def _fetch_from(self, peer: str) -> None:
        while True:
            again_at = self._clock.monotonic() + _FETCH_AGAIN_S
            try:
                settled = await self._fetch_once(peer)
            except (TransportFailure, Rejected) as fault:
                _log.info("not-fetched", peer=peer, code=fault.code)
                settled = False
            if not settled:  # a long poll that brought nothing has waited long enough
                await self._clock.sleep(again_at - self._clock.monotonic())

    async def _fetch_once(self, peer: str) -> bool:
        """Make one long poll and answer what it brought; says whether anything was settled."""
        client = self._peers.client(peer)
        if client is None:
            return False
        batch = await client.pull(LONG_POLL_S_MAX)
        await self._shown.heard(peer, batch.answers.seen)
        verdicts: list[Verdict] = []
        if batch.envelopes:
            brought = Brought(peer, "", None, 0)
            verdicts = await self._inbox.accept(brought, batch.envelopes)
            back = await client.post_receipts(await self._told(peer, verdicts))
            await self._shown.heard(peer, back.seen)
        else:
            await self._give_word(peer, client)
        if batch.answers.answers:
            await self._courier.settle(peer, batch.answers)
        return any(_proves(one) for one in verdicts)

    async def _give_word(self, peer: str, client: PeerClient) -> None:
        """Tell a peer what was cosigned of its log: nobody can come here and ask for it."""
        told = await asyncio.to_thread(self._shown.tell, peer)
        if told.seen is not None and told.seen != self._words_given.get(peer):
            await client.post_receipts(told)
            self._words_given[peer] = told.seen


def _proves(verdict: Verdict) -> bool:
    """Say whether a verdict comes with a receipt or a proof."""
    return verdict.receipt is not None or verdict.proof is not None


def _answer(verdict: Verdict) -> Answer:
    """Give a verdict as the peer may know it: the code, never the detail."""
    if verdict.receipt is not None:
        return Receipted(verdict.envelope, verdict.receipt)
    if verdict.refusal is not None:
        return Refused(verdict.envelope, verdict.refusal, verdict.proof)
    return Pending(verdict.envelope)
