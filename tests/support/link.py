"""A link between two nodes that does to what it carries what a test says, by name.

    link = pair.link(FIJI, QUMRAN)
    link.next("lose the answer")              # of the next batch; then it is honest again
    await pair[FIJI].send_to(QUMRAN)

It stands in the place of the transport's client: whole batches and answers pass through it,
so whoever holds it is a network (or a thief of a hop key), and can do no more than bytes can.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from node.transport.batch import (
    Answer,
    Answers,
    Batch,
    Notices,
    Pending,
    Receipted,
    Refused,
    decode_answers,
    decode_batch,
    decode_notices,
)
from node.transport.c2sp import WitnessAnswer
from node.transport.errors import TransportFailure
from node.transport.hop import HopRequest, VerifiedHop
from node.transport.routes import PeerRoutes
from protocol.digest import sha256_hex
from protocol.errors import Rejected
from tests.support.forge import flipped

OnBatch: TypeAlias = Callable[[Batch], Sequence[Batch]]
OnAnswers: TypeAlias = Callable[[tuple[Answer, ...]], tuple[Answer, ...]]


@dataclass(frozen=True, slots=True)
class Trick:
    """What happens to one exchange: to its batch on the way, and to the answers back."""

    batch: OnBatch = field(default=lambda batch: [batch])
    answers: OnAnswers = field(default=lambda answers: answers)
    shown: Callable[[Answers], Answers] = field(default=lambda shown: shown)  # seen and log too
    lost: bool = False  # whether the answers never come back


def _failed(_batch: Batch) -> Sequence[Batch]:
    raise TransportFailure("unreachable", "the link is down")


def _with(change: Callable[[tuple[bytes, ...]], Sequence[bytes]]) -> OnBatch:
    return lambda batch: [replace(batch, envelopes=tuple(change(batch.envelopes)))]


def _corrupt_receipts(answers: tuple[Answer, ...]) -> tuple[Answer, ...]:
    """Turn one bit in the middle of each receipt."""
    return tuple(
        replace(one, receipt=flipped(one.receipt, len(one.receipt) // 2))
        if isinstance(one, Receipted)
        else one
        for one in answers
    )


def _swap_receipts(answers: tuple[Answer, ...]) -> tuple[Answer, ...]:
    """Give the first envelope the receipt of the last, and the other way round."""
    first, *between, last = answers
    assert isinstance(first, Receipted)
    assert isinstance(last, Receipted)
    return (
        replace(first, receipt=last.receipt), *between, replace(last, receipt=first.receipt)
    )  # fmt: skip


TRICKS: Final[Mapping[str, Trick]] = {
    "lose the batch": Trick(batch=_failed),
    "lose the answer": Trick(lost=True),
    "double the batch": Trick(batch=lambda batch: [batch, batch]),
    "double each envelope": Trick(batch=_with(lambda raw: [one for one in raw for _ in "12"])),
    "reverse the batch": Trick(batch=_with(lambda raw: raw[::-1])),
    "one batch for each, last first": Trick(
        batch=lambda batch: [replace(batch, envelopes=(one,)) for one in batch.envelopes[::-1]]
    ),
    "corrupt the envelopes": Trick(batch=_with(lambda raw: [flipped(one, -20) for one in raw])),
    "corrupt the receipts": Trick(answers=_corrupt_receipts),
    "swap the receipts": Trick(answers=_swap_receipts),
    "refuse without proof": Trick(
        answers=lambda answers: tuple(Refused(one.envelope, "expired") for one in answers)
    ),
    "say pending": Trick(answers=lambda answers: tuple(Pending(one.envelope) for one in answers)),
    "say nothing": Trick(answers=lambda _: ()),
    "withhold the log": Trick(shown=lambda answers: replace(answers, log=None)),
}


@dataclass(slots=True, repr=False)
class Link:
    """The way from one node to another; `carried` is all that ever passed."""

    sender: str
    recipient: str
    routes: Callable[[], PeerRoutes]
    now: Callable[[], int]
    key_id: Callable[[], str]
    carried: list[Batch] = field(default_factory=list)
    answered: list[Answers] = field(default_factory=list)
    down: bool = False  # for everything but envelopes, which have their tricks
    word: Callable[[WitnessAnswer], WitnessAnswer] = field(default=lambda answer: answer)
    file: Callable[[bytes | None], bytes | None] = field(default=lambda raw: raw)
    _tricks: deque[Trick] = field(default_factory=deque)
    _nonces: int = 0

    def next(self, *tricks: str | Trick) -> None:
        """Say what happens to the next exchanges, one after the other."""
        self._tricks.extend(TRICKS[one] if isinstance(one, str) else one for one in tricks)

    async def post_envelopes(self, batch: Batch) -> Answers:
        """Carry a batch there and its answers back, as the transport's client does."""
        trick = self._tricks.popleft() if self._tricks else Trick()
        back = Answers()
        for one in trick.batch(batch):
            answers = await self.carry(one)
            back = replace(answers, answers=back.answers + answers.answers)
        if trick.lost:
            raise TransportFailure("timeout", "the answer was lost")
        return trick.shown(replace(back, answers=trick.answers(back.answers)))

    async def carry(self, batch: Batch, nonce: str | None = None) -> Answers:
        """Carry one batch as bytes; a refusal of all of it is the word that a client gives."""
        self.carried.append(batch)
        routes = self.routes()
        routes.heard(self.sender)
        try:
            answers = await routes.accept(self.hop(nonce), decode_batch(batch.encode()))
            self.answered.append(decode_answers(answers.encode()))
        except Rejected as refusal:
            raise TransportFailure(refusal.code, "refused", signed=True) from refusal
        return self.answered[-1]

    def hop(self, nonce: str | None = None) -> VerifiedHop:
        """Give what the listener makes of a verified request of the sender."""
        self._nonces += 1
        now = self.now()
        request = HopRequest("POST", "https://x.example/comity/v1/envelopes", "", "")
        return VerifiedHop(
            self.sender, self.key_id(), nonce or f"{self.sender}-{self._nonces:032}",
            now, now + 120, request,
        )  # fmt: skip

    async def get_network(self, version: int | None) -> Sequence[bytes]:
        """Give the recipient's network documents."""
        try:
            return await self.routes().network(version)
        except Rejected as refusal:
            raise TransportFailure(refusal.code, "refused", signed=True) from refusal

    async def get_listings(
        self, known: str | None = None
    ) -> tuple[Sequence[bytes], Sequence[bytes]]:
        """Give the recipient's listings and revocations."""
        return await self.routes().listings(known)

    def _reach(self) -> PeerRoutes:
        if self.down:
            raise TransportFailure("unreachable", "the link is down")
        return self.routes()

    async def add_checkpoint(self, body: bytes) -> WitnessAnswer:
        """Ask the recipient for its word as a witness."""
        return self.word(await self._reach().add_checkpoint(body))

    async def witness_checkpoint(self, origin: str) -> bytes | None:
        """Give what the recipient has cosigned of a log."""
        return await self._reach().witnessed(sha256_hex(origin.encode()))

    async def log_file(self, number: int, path: str) -> bytes | None:
        """Give a file of the recipient's log."""
        found = await self._reach().log(number, path)
        return self.file(None if found is None else found.body)

    async def post_notices(self, notices: Notices) -> Sequence[str]:
        """Carry notices there, as bytes, and back what is held."""
        carried = decode_notices(notices.encode())
        return await self._reach().notices(self.hop(), carried)


__all__ = ["TRICKS", "Link", "Trick"]
