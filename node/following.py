"""Following the logs of peers: what an answer shows of them, against what we remember.

An answer with receipts comes with a continuation: the sender's log, at the sizes that the
receipts rest on and at the size that we cosigned last, leads to one newer checkpoint. Then

* consistent: our memory moves to the newer one, cosigned, and the receipts count, all in
  one transaction;
* inconsistent: the log has shown two histories. The proof is kept, the receipts are kept
  and count for nothing;
* not shown: the receipts count, since they bind their issuer whatever its log does later,
  and their checkpoints are remembered as unproved until the monitor has looked, which
  accuses nobody.

Nothing here is about our own log, and no message is seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from node.audit.witness import Witness, alarm_truncated
from node.forks import Forks
from node.logs import get
from node.office import Office
from node.storage import Connection, watch_rows, witness_rows
from node.storage.watch_rows import Unproved
from node.storage.writer import Tx
from protocol.checkpoint import Checkpoint, SignedCheckpoint
from protocol.continuation import Link, VerifiedContinuation, verify_continuation
from protocol.errors import Forked, Rejected, Unproven
from protocol.fork import make_fork
from protocol.limits import CONTINUATION_LINKS_MAX

_log = get("following")

# Of one log; what an honest peer leaves unproved goes with the monitor's next look. A
# continuation holds a link for each, and one for what we have cosigned.
UNPROVED_MAX: Final = CONTINUATION_LINKS_MAX // 2

_Verdict: TypeAlias = Literal["shown", "unproved", "contradicts"]


@dataclass(frozen=True, slots=True)
class Followed:
    """What became of the checkpoints of an answer's receipts."""

    contradicting: frozenset[Checkpoint] = frozenset()
    unproved: bool = False  # whether something of the log is not shown yet


class Following:
    """Remembers the logs of peers, and judges what they show against it."""

    def __init__(self, office: Office, witness: Witness, forks: Forks) -> None:
        """Judge by the keys that `office` trusts; `witness` holds the memory."""
        self._office = office
        self._witness = witness
        self._forks = forks

    def seen(self, conn: Connection, peer: str) -> bytes | None:
        """Give the newest checkpoint of a peer's open log that we have cosigned, with our word."""
        directory = self._office.directory
        try:
            origin, _ = directory.log_keys(peer)
        except Rejected:
            return None
        state = witness_rows.read_witnessed(conn, origin)
        return None if state is None else state.raw

    def examine(self, peer: str, raw: bytes | None) -> VerifiedContinuation | None:
        """Verify a continuation of a peer's open log; needs no storage, so any thread may.

        One that does not verify is none: what it should have shown is then not shown.
        """
        if raw is None:
            return None
        try:
            origin, keys = self._office.directory.log_keys(peer)
            return verify_continuation(raw, origin=origin, keys=keys)
        except Rejected as fault:
            _log.warning("continuation-refused", peer=peer, code=fault.code, detail=fault.detail)
            return None

    def follow(
        self,
        tx: Tx,
        peer: str,
        told: VerifiedContinuation | None,
        receipted: Iterable[SignedCheckpoint],
    ) -> Followed:
        """Move our memory as far as is shown, and judge the checkpoints against it.

        `receipted` are the checkpoints that receipts of this answer rest on.
        """
        distinct = {one.checkpoint: one for one in receipted}
        try:
            shown = told if told is not None and self.move(tx, peer, told) else None
        except Forked:
            _log.error("log-contradicts", peer=peer, count=len(distinct))
            return Followed(frozenset(distinct))
        judged = {one: self._judge(tx, peer, signed, shown) for one, signed in distinct.items()}
        return Followed(
            frozenset(one for one, verdict in judged.items() if verdict == "contradicts"),
            "unproved" in judged.values(),
        )

    def move(self, tx: Tx, peer: str, told: VerifiedContinuation) -> bool:
        """Move our memory along a continuation; False if nothing shows that it continues it.

        Raises `Forked`, once the proof is kept, if the log had another history before.
        """
        origin, head = told.signed.checkpoint.origin, told.signed.checkpoint
        state = witness_rows.read_witnessed(tx.conn, origin)
        if state is not None:
            try:
                told.require(state.size, state.root)
            except Unproven:
                return False
            except Forked:
                self.prove(tx, peer, state.raw, told.signed.raw, told.links.get(state.size))
                raise
            if (state.size, state.root) == (head.size, head.root):
                return True
        try:
            self._witness.follow(tx, origin, told)
        except Forked:  # consistent with all before, and beyond where the log was closed
            self._cut_off(tx, told.signed)
            raise
        return True

    def _judge(
        self, tx: Tx, peer: str, signed: SignedCheckpoint, told: VerifiedContinuation | None
    ) -> _Verdict:
        """Judge one checkpoint against what is remembered and what was just shown."""
        one = signed.checkpoint
        state = witness_rows.read_witnessed(tx.conn, one.origin)
        if state is not None and state.size == one.size:
            if state.root == one.root:
                return "shown"
            return self.prove(tx, peer, state.raw, signed.raw)
        if told is not None and told.signed.checkpoint.origin == one.origin:
            try:
                told.require(one.size, one.root)
            except Forked:
                return self.prove(tx, peer, signed.raw, told.signed.raw, told.links.get(one.size))
            except Unproven:
                pass
            else:
                return "shown"
        if self._cut_off(tx, signed):
            return "contradicts"
        return self._remember(tx, peer, signed)

    def _cut_off(self, tx: Tx, signed: SignedCheckpoint) -> bool:
        """Say whether a closed log was cut off below a checkpoint that it has signed."""
        closure = self._office.trusted(tx).closure(signed.checkpoint.origin)
        if closure is None:
            return False
        try:
            closure.closure.require_within(signed.checkpoint)
        except Forked as fault:
            alarm_truncated(tx, signed, closure.digest, fault.detail)
            return True
        return False

    def _remember(self, tx: Tx, peer: str, signed: SignedCheckpoint) -> _Verdict:
        """Remember as unproved, unless another one of its size stands there: that is a fork.

        A peer can sign as many as it likes, so only so many of a log are remembered.
        """
        one = signed.checkpoint
        for other in watch_rows.unproved_at(tx.conn, one.origin, one.size):
            if other.root != one.root:
                return self.prove(tx, peer, other.raw, signed.raw)
        if watch_rows.count_unproved(tx.conn, one.origin) < UNPROVED_MAX:
            unproved = Unproved(one.origin, one.size, one.root, signed.raw, tx.now)
            watch_rows.insert_unproved(tx.conn, unproved)
        return "unproved"

    def prove(
        self, tx: Tx, peer: str, one: bytes, other: bytes, link: Link | None = None
    ) -> Literal["contradicts"]:
        """Keep the proof that two checkpoints contradict each other."""
        self._forks.keep(tx, make_fork(one, other, link), told_by=peer)
        return "contradicts"
