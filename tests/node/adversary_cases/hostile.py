"""A peer that signs whatever it likes: valid messages, in their turn, with any body.

    peer = Hostile(pair)                       # Fiji, in a case of its own with Qumran
    verdict = await peer.say("transmit", {"request_kind": ["x"]})

Frames, numbers and signatures are right, so that every message is accepted; what is in them
is the attack. `answering` gives the other side of a case that its victim began.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from node.inbox import Verdict
from protocol.encoding import Json
from tests.support.pair import FIJI, QUMRAN, Pair, fresh_message

CASE = f"{FIJI}/{'5a' * 16}"


@dataclass(slots=True)
class Hostile:
    """One side of a case, whose keys are in the wrong hands."""

    pair: Pair
    sender: str = FIJI
    to: str = QUMRAN
    case: str = CASE
    seq: int = 0
    prev: str | None = None
    order: int = 0

    @classmethod
    def answering(cls, pair: Pair, case: str) -> Hostile:
        """Give the hostile requested side of a case that Fiji began."""
        return cls(pair, QUMRAN, FIJI, case)

    async def say(
        self, kind: str, body: Mapping[str, Json], *, order: int | None = None
    ) -> Verdict:
        """Say something; the requested side gives it the next order unless told otherwise."""
        (verdict,) = await self.offer(self.made(kind, body, order=order))
        return verdict

    def made(self, kind: str, body: Mapping[str, Json], *, order: int | None = None) -> bytes:
        """Make a sealed message, which takes the next place in the chain."""
        self.seq += 1
        self.order = self.order + 1 if order is None else order
        changes: dict[str, Any] = {
            "sender": self.sender, "recipient": self.to, "case": self.case, "kind": kind,
            "seq": self.seq, "prev": self.prev, "body": body, "salt": self.seq.to_bytes(32),
            "order": None if self.sender == FIJI else self.order,
        }  # fmt: skip
        parts = self.pair.forge(fresh_message(self.pair, **changes))
        self.prev = parts.statement().identity
        return parts.encode()

    async def offer(self, *raw: bytes) -> list[Verdict]:
        """Bring sealed messages."""
        return await self.pair.offer(*raw, brought_by=self.sender, to=self.to)
