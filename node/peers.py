"""The links to peers: one client for each, as its newest listing says.

A peer's address comes from its listing and from nowhere else. When the listing changes, the
old link is closed and a new one made; a peer that fetches for itself has none. Knows no
envelope and no message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from node.clock import Clock, Random
from node.office import Office
from node.settings import Settings
from node.transport.client import OwnSide, Peer, PeerClient
from node.transport.hop import HopKey
from node.transport.limits import TransportLimits
from protocol.errors import Rejected


def transport_limits(settings: Settings) -> TransportLimits:
    """Give the transport's limits as the settings have them."""
    limits = settings.limits
    return TransportLimits(
        handshake_s_max=limits.handshake_s_max,
        header_s_max=limits.header_s_max,
        body_s_max=limits.body_s_max,
        body_rate_min=limits.body_bytes_per_s_min,
        write_s_max=limits.write_s_max,
        keepalive_s_max=limits.idle_s_max,
        connections_max=limits.connections_max,
        connections_per_peer_max=limits.connections_per_peer_max,
        requests_max=limits.requests_max,
        requests_per_peer_max=limits.requests_per_peer_max,
        connect_s_max=limits.connect_s_max,
        answer_s_max=limits.answer_s_max,
    )


def resolved(find: Callable[[], HopKey]) -> HopKey | None:
    """Give the key that `find` gives, or None if it is unknown, not in use or revoked."""
    try:
        return find()
    except Rejected:
        return None


class Peers:
    """Gives the client of each peer; on the event loop only."""

    def __init__(self, office: Office, clock: Clock, random: Random, settings: Settings) -> None:
        """Link `office` to its peers."""
        self._office = office
        self._clock = clock
        self._random = random
        self._private = settings.peers.allow_private_addresses
        self._clients: dict[str, PeerClient] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self.limits = transport_limits(settings)

    def client(self, authority: str) -> PeerClient | None:
        """Give the link to a peer, or None if nobody can connect to it or it is not listed."""
        try:
            listing = self._office.directory.listing(authority).listing
        except Rejected:
            return None
        known = self._clients.get(authority)
        if listing.pull or not listing.urls:
            self._drop(authority)
            return None
        peer = Peer(authority, listing.urls, frozenset(listing.pins), listing.any_ca)
        if known is not None and known.peer == peer:
            return known
        self._drop(authority)
        own = OwnSide(
            signer=lambda: self._office.keys.hop_at(self._clock.now()),
            resolve=lambda key_id: resolved(
                lambda: self._office.directory.hop_key(key_id, self._clock.now())
            ),
            allow_private_addresses=self._private,
        )
        fresh = PeerClient(peer, own, clock=self._clock, random=self._random, limits=self.limits)
        self._clients[authority] = fresh
        return fresh

    def _drop(self, authority: str) -> None:
        old = self._clients.pop(authority, None)
        if old is not None:
            task = asyncio.get_running_loop().create_task(old.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Close all links."""
        clients, self._clients = list(self._clients.values()), {}
        await asyncio.gather(*(one.close() for one in clients), *self._closing)
