"""Who may come in, how often, and who has to go: the counts of the listener.

A *visitor* is one accepted connection. It is a stranger until a hop signature has held on
it. Strangers share a small number of places, and when they are full the oldest stranger
goes: a flood of silent connections then costs a good peer nothing, because a good peer
shows its signature at once and is no stranger any more. Nothing here grows without bound.
Knows no HTTP, no key and no socket.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from node.transport.limits import TransportLimits
from protocol.errors import Busy


class Visitor(Protocol):
    """One accepted connection, as far as the gate sees it."""

    @property
    def idle(self) -> bool:
        """Whether no request is under way on it."""
        ...

    def cut(self) -> None:
        """End it now, without a word."""
        ...


@dataclass(slots=True)
class Gate:
    """Keeps the number of connections in its bounds, for strangers and for each peer."""

    limits: TransportLimits
    _strangers: OrderedDict[int, Visitor] = field(default_factory=OrderedDict)
    _peers: dict[str, OrderedDict[int, Visitor]] = field(default_factory=dict)
    _authorities: dict[int, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many connections there are in all."""
        return len(self._strangers) + len(self._authorities)

    def admit(self, visitor: Visitor) -> bool:
        """Let a stranger in, at the cost of the oldest one if need be; False sends it away."""
        full = self.count >= self.limits.connections_max
        if full or len(self._strangers) >= self.limits.strangers_max:
            if not self._strangers:
                return False
            _, oldest = self._strangers.popitem(last=False)
            oldest.cut()
        self._strangers[id(visitor)] = visitor
        return True

    def recognise(self, visitor: Visitor, authority: str) -> None:
        """Note whose connection this is; raises `Busy` if that peer has too many at work.

        Of a peer's idle connections the oldest goes first: after a crash the peer has
        forgotten connections that still look alive from here.
        """
        if self._authorities.get(id(visitor)) == authority:
            return
        self.leave(visitor)
        own = self._peers.setdefault(authority, OrderedDict())
        if len(own) >= self.limits.connections_per_peer_max:
            idle = next((each for each in own.values() if each.idle), None)
            if idle is None:
                self._strangers[id(visitor)] = visitor
                raise Busy("the peer has too many connections at work")
            self.leave(idle)
            idle.cut()
        self._peers.setdefault(authority, own)[id(visitor)] = visitor
        self._authorities[id(visitor)] = authority

    def leave(self, visitor: Visitor) -> None:
        """Forget a connection that has ended, or is about to be counted anew."""
        self._strangers.pop(id(visitor), None)
        authority = self._authorities.pop(id(visitor), None)
        if authority is None:
            return
        own = self._peers[authority]
        del own[id(visitor)]
        if not own:
            del self._peers[authority]

    def everybody(self) -> list[Visitor]:
        """Give all connections, for closing."""
        peers = [visitor for own in self._peers.values() for visitor in own.values()]
        return [*self._strangers.values(), *peers]


@dataclass(slots=True)
class Slots:
    """Keeps the number of requests under way in its bounds, in all and for each peer."""

    limits: TransportLimits
    _taken: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def take(self, authority: str) -> Iterator[None]:
        """Hold one place while a request is under way, or raise `Busy`."""
        if self._taken[authority] >= self.limits.requests_per_peer_max:
            raise Busy("the peer has too many requests under way")
        if self._taken.total() >= self.limits.requests_max:
            raise Busy("too many requests are under way")
        self._taken[authority] += 1
        try:
            yield
        finally:
            self._taken[authority] -= 1
            if not self._taken[authority]:
                del self._taken[authority]


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


@dataclass(slots=True)
class Buckets:
    """Token buckets by name; the one unused for longest is forgotten when there are too many."""

    limits: TransportLimits
    monotonic: Callable[[], float]
    _buckets: OrderedDict[str, _Bucket] = field(default_factory=OrderedDict)

    def take(self, name: str) -> None:
        """Take one token of this name, or raise `Busy`."""
        now = self.monotonic()
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = _Bucket(self.limits.rate_burst, now)
            if len(self._buckets) > self.limits.buckets_max:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(name)
        grown = bucket.tokens + (now - bucket.filled_at) * self.limits.rate_per_peer
        bucket.tokens = min(self.limits.rate_burst, grown)
        bucket.filled_at = now
        if bucket.tokens < 1:
            raise Busy("more requests than the rate allows")
        bucket.tokens -= 1
