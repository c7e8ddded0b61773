"""What the two sides of an exchange show each other of their logs (SPEC 8.3).

Each body says which checkpoint of the reader's log its writer has cosigned (`seen`), and
where it brings receipts, how the writer's own log continues to cover them (`log`). So every
exchange is also a look at both logs: ours may turn out not to be the one it was, and the
peer's may turn out to have two histories. Checkpoints and receipts as bytes; no message.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from node.following import Followed, Following
from node.monitor import Monitor
from node.own_log import OwnLog
from node.storage.engine import Database
from node.storage.writer import Tx
from node.transport.batch import Answer, Answers, Receipted, Refused
from node.witnessing import Witnessing
from protocol.checkpoint import SignedCheckpoint
from protocol.continuation import VerifiedContinuation
from protocol.receipt import named_checkpoint


class LogsShown:
    """Shows peers our log, takes what they show of it and of theirs."""

    def __init__(
        self,
        own: OwnLog,
        following: Following,
        witnessing: Witnessing,
        monitor: Monitor,
        database: Database,
    ) -> None:
        """Join what knows our log, peers' logs, and the words of witnesses."""
        self._own = own
        self._following = following
        self._witnessing = witnessing
        self._monitor = monitor
        self._database = database
        self._given: dict[str, int] = {}  # by peer, the size of ours that it said it has seen

    def require_signing(self) -> None:
        """Refuse to go on, with `Recovering`, if nothing may be signed."""
        self._own.require_signing()

    async def heard(self, peer: str, seen: bytes | None) -> None:
        """Take what a peer has seen of our log; raises `Recovering` if nothing may be signed."""
        if seen is not None:
            agreed = await self._own.look(seen, shown_by=peer)
            if agreed is not None:
                self._given[peer] = agreed.size
                await self._witnessing.take(seen, peer=peer)
        self._own.require_signing()

    def tell(
        self, peer: str, answers: Iterable[Answer] = (), sizes: Iterable[int] | None = None
    ) -> Answers:
        """Give a body's first part: answers, what we have seen, and our log under receipts.

        `sizes` are those that the receipts rest on, where that is known; else they are read.
        """
        told = Answers(tuple(answers), self._database.read(lambda c: self._following.seen(c, peer)))
        rested_on = set(self._sizes(told.answers) if sizes is None else sizes)
        if not rested_on:
            return told
        return replace(told, log=self._own.continuation(rested_on | {self._given.get(peer, 0)}))

    def _sizes(self, answers: Iterable[Answer]) -> Iterator[int]:
        """Give the sizes of our open log that receipts and proofs of ours rest on."""
        for raw in proofs_in(answers):
            checkpoint = named_checkpoint(raw)
            if checkpoint.origin == self._own.origin:
                yield checkpoint.size

    def examine(self, peer: str, answers: Answers) -> VerifiedContinuation | None:
        """Verify what an answer shows of its sender's log; in any thread."""
        return self._following.examine(peer, answers.log)

    def follow(
        self,
        tx: Tx,
        peer: str,
        told: VerifiedContinuation | None,
        receipted: Iterable[SignedCheckpoint],
    ) -> Followed:
        """Move our memory of a peer's log, and judge the checkpoints of its receipts."""
        return self._following.follow(tx, peer, told, receipted)

    def ask_about(self, peer: str) -> None:
        """Have the monitor look at a log of which something was not shown."""
        self._monitor.ask_soon(peer)


def proofs_in(answers: Iterable[Answer]) -> list[bytes]:
    """Give the receipts and the proofs of refusals among answers."""
    raws = [one.receipt if isinstance(one, Receipted) else _proof(one) for one in answers]
    return [raw for raw in raws if raw is not None]


def _proof(answer: Answer) -> bytes | None:
    return answer.proof if isinstance(answer, Refused) else None
