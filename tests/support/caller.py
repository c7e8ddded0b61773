"""A peer by hand: real hop keys and real TLS, and control over every byte of a request.

caller = Caller.to(nodes["qm.justice"], ring=ring_of(nodes["fj.justice"]))
signed = caller.signed("POST", ENVELOPES, body, BATCH_TYPE)
status, headers, body = await caller.send(signed)
status, headers, body = await caller.send(signed)          # the very same bytes again
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace

from keys.keyfile import read_key_file
from keys.ring import KeyRing
from node.clock import SystemClock
from node.transport import hop
from node.transport.tls import client_context, pin_of
from tests.support.keyfiles import PASSPHRASE
from tests.support.network import RunningNode

_ANSWER_S_MAX = 20


def ring_of(node: RunningNode) -> KeyRing:
    """Give the keys of a node of a test's network."""
    ring = read_key_file(node.settings.keys.file, PASSPHRASE)
    assert isinstance(ring, KeyRing)
    return ring


@dataclass(frozen=True, slots=True)
class Signed:
    """A request as it goes over the wire; change anything of it with `replace`."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    request: hop.HopRequest

    def encode(self, host: str) -> bytes:
        """Give its bytes."""
        headers = {
            "host": host, "content-length": str(len(self.body)), "connection": "close",
            **self.headers,
        }  # fmt: skip
        lines = [f"{self.method} {self.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with the hop key of `ring` who speaks to the node at `url`."""

    url: str
    port: int
    pin: str
    ring: KeyRing

    @classmethod
    def to(cls, node: RunningNode, *, ring: KeyRing) -> Caller:
        """Speak to a node."""
        pin = pin_of(node.settings.peers.certificate.read_bytes())
        return cls(f"https://127.0.0.1:{node.port}", node.port, pin, ring)

    def signed(
        self, method: str, target: str, body: bytes = b"", content_type: str | None = None,
        *, url: str | None = None, now: int | None = None,
    ) -> Signed:  # fmt: skip
        """Sign a request, for this URL or for another one."""
        made = hop.sign_request(
            method, f"{url or self.url}{target}", body, content_type, signer=self.ring.hop(),
            nonce=secrets.token_hex(16), now=SystemClock().now() if now is None else now,
        )  # fmt: skip
        return Signed(method, target, made.headers, body, made.request)

    async def send(self, signed: Signed, host: str | None = None) -> tuple[int, str, bytes]:
        """Send it over a connection of its own; gives status, head and body of the answer."""
        context = client_context(frozenset({self.pin}))
        async with asyncio.timeout(_ANSWER_S_MAX):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=context)
            try:
                writer.write(signed.encode(host or f"127.0.0.1:{self.port}"))
                raw = await reader.read(-1)
            finally:
                writer.close()
        head, _, body = raw.partition(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]), head.decode(), body


def with_body(signed: Signed, body: bytes) -> Signed:
    """Put another body under the same, validly signed headers."""
    return replace(signed, body=body)
