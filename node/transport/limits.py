"""How long and how much a peer may take of this node: plain numbers with their reasons.

Seconds, bytes and counts; the settings may change each, none can be switched off. Knows
no socket. What the wire itself bounds stands in `protocol.limits`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from protocol.errors import Misuse
from protocol.limits import BATCH_BYTES_MAX


@dataclass(frozen=True, slots=True)
class TransportLimits:
    """Every bound of the listener and of the clients."""

    # --- deadlines of the listener, in seconds ---
    handshake_s_max: float = 10.0  # TLS, from accept to finished
    header_s_max: float = 10.0  # from the first byte, or from connecting, to a whole header
    body_s_max: float = 120.0  # a whole body, however steady
    body_grace_s_max: float = 10.0  # before the minimum rate counts
    body_rate_min: float = 16_384.0  # bytes a second: 8 MiB take at most 512 s, so 120 s rule
    write_s_max: float = 20.0  # without the progress of `write_rate_min`
    write_rate_min: float = 4_096.0
    keepalive_s_max: float = 90.0  # idle: longer than a long poll, so a peer can keep one
    shutdown_s_max: float = 5.0  # what is under way may finish

    # --- counts ---
    connections_max: int = 256  # in all, peers and strangers
    strangers_max: int = 64  # connections that have not yet shown a valid signature
    connections_per_peer_max: int = 8
    requests_max: int = 32  # in flight in all; a body may hold 8 MiB, and most hold 10 KiB
    requests_per_peer_max: int = 8
    rate_per_peer: float = 200.0  # requests a second; each may carry 64 envelopes
    rate_burst: float = 400.0
    buckets_max: int = 4_096  # token buckets kept; the longest unused is forgotten first

    # --- bytes ---
    body_bytes_max: int = BATCH_BYTES_MAX

    # --- deadlines of a client, in seconds ---
    connect_s_max: float = 10.0
    answer_s_max: float = 60.0  # all of one exchange, on top of a long poll

    def __post_init__(self) -> None:
        """Refuse a bound of nothing: zero means `no limit` to some libraries."""
        for field in fields(self):
            if getattr(self, field.name) <= 0:
                raise Misuse(f"the limit {field.name} must be more than 0")
