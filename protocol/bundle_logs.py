"""The logs that a bundle rests on: proofs, heads, and who has cosigned them (SPEC 15.4).

    logs = judge_logs(parts, ground, doubts)
    logs.standing(part)        # Standing: witnessed by j of k, since when

Every record and receipt is proved in its log. Heads show that all these checkpoints of one
log belong to one tree; whoever has cosigned a head has then cosigned everything below it.
Two roots at one size, or a checkpoint beyond the end of a closed log, are raised: the log
contradicts itself. This module knows no message and no case.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from protocol.bundle_parts import HeadPart, Parts, ProofPart
from protocol.bundle_trust import Doubts, Ground, as_pair
from protocol.checkpoint import (
    LogKeys,
    SignedCheckpoint,
    owner_of,
    verify_checkpoint,
    verify_cosignature,
    witness_name,
)
from protocol.continuation import VerifiedContinuation, verify_continuation
from protocol.errors import Forked, KeyUnknown, Malformed, NotAuthentic, Rejected
from protocol.fork import verify_fork
from protocol.merkle import leaf_hash
from protocol.note import NoteSignature
from protocol.proof import verify_proof
from protocol.record import commitment, entry

Words = Mapping[str, int]
"""The times of valid words, by the authority that cosigned."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a checkpoint is witnessed: by `witnesses` of the `quorum` that the network asks for.

    `since` is when the quorum was reached, None if it was not, or if there is none.
    """

    witnesses: tuple[str, ...]
    quorum: int
    since: int | None

    @property
    def reached(self) -> bool:
        """Whether enough witnesses have cosigned; never where no witness is asked for."""
        return self.since is not None


@dataclass(frozen=True, slots=True)
class Head:
    """A proved head of a log."""

    continuation: VerifiedContinuation
    words: Words

    @property
    def size(self) -> int:
        """How many entries it covers."""
        return self.continuation.signed.checkpoint.size


class _Log:
    """What is gathered of one log before it is judged as a whole."""

    __slots__ = ("heads", "keys", "origin", "resting", "roots")

    def __init__(self, origin: str, keys: LogKeys) -> None:
        self.origin = origin
        self.keys = keys
        self.heads: list[Head] = []
        self.roots: dict[int, bytes] = {}
        self.resting: set[int] = set()  # sizes of receipts, records and timestamps

    def note(self, signed: SignedCheckpoint) -> None:
        """Keep a signed root; a second one of one size is a fork."""
        checkpoint = signed.checkpoint
        if self.roots.setdefault(checkpoint.size, checkpoint.root) != checkpoint.root:
            raise Forked(
                f"the log {self.origin} contradicts itself: two roots at size {checkpoint.size}"
            )


@dataclass(frozen=True, slots=True)
class Logs:
    """The logs of a bundle, each of one history; `forked` are those proved to have two."""

    ground: Ground
    heads: Mapping[str, tuple[Head, ...]]
    forked: frozenset[str]
    own_words: Mapping[tuple[str, int], Words]
    proved: frozenset[bytes] = field(repr=False)  # raw receipts and records
    covered: frozenset[tuple[str, int]] = field(repr=False)
    resting: frozenset[tuple[str, int]] = field(repr=False)  # origins and sizes

    def standing(self, part: ProofPart) -> Standing:
        """Say how the checkpoint that a proof leads to is witnessed."""
        origin, size = part.checkpoint.origin, part.checkpoint.size
        quorum = self.ground.newest.quorum(self.ground.entry(owner_of(origin)))
        if origin in self.forked or part.raw not in self.proved:
            return Standing((), quorum, None)
        words = [self.own_words.get(part.place, {})]
        if (origin, size) in self.covered:
            words += [head.words for head in self.heads[origin] if head.size >= size]
        best = max(words, key=len)
        since = [sorted(one.values())[quorum - 1] for one in words if len(one) >= quorum > 0]
        return Standing(tuple(sorted(best)), quorum, min(since, default=None))


def judge_logs(parts: Parts, ground: Ground, doubts: Doubts) -> Logs:
    """Verify forks, proofs, timestamps and heads of a bundle; raises what does not hold."""
    judge = _Judge(ground, doubts)
    forked = frozenset(judge.forks(parts))
    proofs = [*(one.proof for one in parts.receipts), *parts.records]
    proved = frozenset(part.raw for part in proofs if judge.proof(part))
    own_words = {
        part.place: judge.words(part.proof.checkpoint_raw, part.checkpoint.origin)
        for part in parts.records
        if part.raw in proved
    }
    for stamp in parts.timestamps:
        with doubts:
            log = judge.log(stamp.checkpoint.origin)
            signed = verify_checkpoint(stamp.checkpoint_raw, origin=log.origin, keys=log.keys)
            judge.rest(log, signed)
    for part in parts.heads:
        with doubts:
            judge.head(part)
    covered = frozenset(place for log in judge.logs.values() for place in judge.join(log))
    heads = {log.origin: tuple(log.heads) for log in judge.logs.values()}
    resting = frozenset((log.origin, one) for log in judge.logs.values() for one in log.resting)
    return Logs(ground, heads, forked, own_words, proved, covered, resting)


class _Judge:
    """Goes through the parts in turn and gathers them by their logs."""

    __slots__ = ("doubts", "ground", "logs")

    def __init__(self, ground: Ground, doubts: Doubts) -> None:
        self.ground = ground
        self.doubts = doubts
        self.logs: dict[str, _Log] = {}

    def log(self, origin: str) -> _Log:
        """Give the log of a name; its keys must be known."""
        if origin not in self.logs:
            self.logs[origin] = _Log(origin, self.ground.log_keys(origin))
        return self.logs[origin]

    def rest(self, log: _Log, signed: SignedCheckpoint) -> None:
        """Keep a checkpoint on which something in the file rests."""
        self.keep(log, signed)
        log.resting.add(signed.checkpoint.size)

    def keep(self, log: _Log, signed: SignedCheckpoint) -> None:
        """Keep a signed checkpoint, which must not contradict anything that is known."""
        self.ground.require_not_cut(signed.checkpoint)
        log.note(signed)

    def forks(self, parts: Parts) -> Iterator[str]:
        """Verify the fork proofs; gives the logs that have two histories."""
        for fork, raw in zip(parts.forks, parts.forks_raw, strict=True):
            with self.doubts:
                log = self.log(fork.origin)
                yield verify_fork(raw, origin=log.origin, keys=log.keys).origin

    def proof(self, part: ProofPart) -> bool:
        """Verify the proof of a record; says whether it could be judged."""
        with self.doubts:
            log = self.log(part.checkpoint.origin)
            leaf = leaf_hash(entry(commitment(part.receipt.record, part.receipt.salt)))
            proven = verify_proof(part.receipt.proof, leaf=leaf, origin=log.origin, keys=log.keys)
            self.rest(log, proven.signed)
            return True
        return False

    def head(self, part: HeadPart) -> None:
        """Verify a head and the words of witnesses on it."""
        log = self.log(part.checkpoint.origin)
        found = verify_continuation(part.raw, origin=log.origin, keys=log.keys)
        self.keep(log, found.signed)
        log.heads.append(Head(found, self.words(found.signed.raw, log.origin)))

    def words(self, raw: bytes, origin: str) -> Words:
        """Verify every line below a log's own; what is nobody's word is refused.

        The word of a witness whose key was revoked holds and counts for nothing: whoever
        has the key can write any time.
        """
        signed = verify_checkpoint(raw, origin=origin, keys=self.log(origin).keys)
        named = {
            witness_name(self.ground.network, one): one
            for one in self.ground.entry(owner_of(origin)).witnesses
        }
        lines: dict[str, list[NoteSignature]] = {}
        for line in signed.other_signatures:
            lines.setdefault(line.name, []).append(line)
        if not lines.keys() <= named.keys():
            raise NotAuthentic("a line below a checkpoint is by nobody who should witness it")
        found: dict[str, int] = {}
        for name, mine in lines.items():
            with self.doubts:
                time, revoked = self._word(signed, named[name], mine)
                if not revoked:
                    found[named[name]] = time
        return found

    def _word(
        self, signed: SignedCheckpoint, witness: str, lines: list[NoteSignature]
    ) -> tuple[int, bool]:
        if len(lines) != 2:  # noqa: PLR2004  (a word is two lines)
            raise NotAuthentic("a witness has not exactly two lines")
        name = witness_name(self.ground.network, witness)
        unknown: KeyUnknown | None = None
        for term in self.ground.entry(witness).witness:
            try:
                keys = as_pair(self.ground.pair(term.key_ids), "witness")
                time = verify_cosignature(signed.checkpoint, lines, name=name, keys=keys)
            except KeyUnknown as fault:
                unknown = fault
                continue
            except Rejected:
                continue  # another term's pair may hold
            if term.covers(time):
                return time, bool(self.ground.revocations_of(term.key_ids))
        raise unknown or NotAuthentic(f"the word of {witness} on a checkpoint does not hold")

    # --- one log as a whole -------------------------------------------------

    def join(self, log: _Log) -> Iterator[tuple[str, int]]:
        """Check that all checkpoints of a log are of one tree; gives what heads cover."""
        if not log.heads:
            return
        sizes = {head.size for head in log.heads}
        linked: dict[int, int] = {}  # size: the largest head that shows it
        for head in log.heads:
            for size, link in head.continuation.links.items():
                self._check_link(log, head, size, sizes)
                if log.roots[size] != link.root:
                    raise Forked(
                        f"the log {log.origin} contradicts itself: two roots at size {size}"
                    )
                linked[size] = max(linked.get(size, 0), head.size)
        apart = [size for size in sizes if size != max(sizes) and linked.get(size, 0) <= size]
        if apart:
            self.doubts.add(f"nothing shows that the heads of {log.origin} belong together")
            return
        for size in sorted(log.resting):
            if size in linked or size in sizes:
                yield log.origin, size
            else:
                self.doubts.add(f"nothing shows that {log.origin} at {size} is in its head")

    def _check_link(self, log: _Log, head: Head, size: int, sizes: Iterable[int]) -> None:
        if size not in log.resting and not (size in sizes and size < head.size):
            raise Malformed("a head has a link on which nothing in the file rests")
