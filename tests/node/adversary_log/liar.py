"""A peer with its true keys whose log is whatever a test signs, and who answers as it likes.

liar = Liar(pair)                         # Tonga; Fiji's link leads to it from here on
liar.histories["true"] = liar.log.grown(9)
liar.answer = lambda answers: replace(answers, log=None)
await pair[FIJI].send_to(TONGA)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from node.transport.batch import Answers, Batch, Receipted
from node.transport.c2sp import LogFile, WitnessAnswer
from node.transport.hop import VerifiedHop
from protocol.continuation import Link as Step
from protocol.continuation import encode_continuation
from protocol.digest import sha256_hex
from protocol.merkle import TILE_WIDTH, TreeView, grow, leaf_hash
from protocol.proof import encode_proof
from protocol.receipt import Receipt
from protocol.record import SALT_BYTES, Decision, commitment, entry
from tests.support.memory_log import MemoryLog
from tests.support.pair import FIJI, TONGA, Pair

_SALT = bytes(SALT_BYTES)


@dataclass(slots=True)
class Liar:
    """Tonga as it should not be."""

    pair: Pair
    log: MemoryLog = field(init=False)
    answer: Callable[[Answers], Answers] = lambda answers: answers
    continues: Callable[[MemoryLog, Iterable[int]], bytes | None] = field(init=False)
    cosigned: bytes | None = None  # what its monitoring path gives
    said: WitnessAnswer = field(default_factory=lambda: WitnessAnswer(404, "text/plain", b"no\n"))
    asked: list[str] = field(default_factory=list)  # the paths of its log that were read

    def __post_init__(self) -> None:
        """Take Tonga's place for Fiji."""
        self.log = MemoryLog(self.pair.trust.rings[TONGA], TONGA)
        self.continues = self.continuation
        honest = self.pair.link(FIJI, TONGA).routes()
        routes = replace(
            honest, accept=self._accept, log=self._file, witnessed=self._witnessed,
            add_checkpoint=self._add_checkpoint, heard=lambda _: None,
        )  # fmt: skip
        self.pair.link(FIJI, TONGA).routes = lambda: routes

    # --- what it signs ----------------------------------------------------------------------

    def receipts(self, envelopes: Sequence[tuple[str, str]]) -> list[bytes]:
        """Log that these (identity, envelope) were accepted; gives the receipts."""
        first, now = len(self.log.leaves), self.pair.clock.now()
        records = [
            Decision(
                "message.accepted", self.pair.trust.network, now, identity, envelope, FIJI,
                TONGA, first + at + 1,
            ).encode()
            for at, (identity, envelope) in enumerate(envelopes)
        ]  # fmt: skip
        self.log = with_leaves(self.log, [leaf_hash(entry(commitment(r, _SALT))) for r in records])
        return [self.receipt(first + at, record) for at, record in enumerate(records)]

    def receipt(self, index: int, record: bytes) -> bytes:
        """Give the receipt of a record of the log, under its newest head."""
        size = len(self.log.leaves)
        path = TreeView(size, self.log.read).inclusion_path(index)
        note = self.log.checkpoint(size, now=self.pair.clock.now())
        return Receipt(
            record, _SALT, encode_proof(index=index, path=path, checkpoint=note)
        ).encode()

    def continuation(self, log: MemoryLog, sizes: Iterable[int]) -> bytes:
        """Show a history at these sizes, as an honest peer does."""
        head = len(log.leaves)
        links = [Step(one, log.root(one), tuple(log.path(one, head))) for one in sizes]
        return encode_continuation(log.checkpoint(head, now=self.pair.clock.now()), links)

    # --- what it answers --------------------------------------------------------------------

    async def _accept(self, _hop: VerifiedHop, batch: Batch) -> Answers:
        waiting = {one.digest: one.identity for one in self.pair[FIJI].waiting(TONGA)}
        named = [(waiting[digest], digest) for digest in map(sha256_hex, batch.envelopes)]
        before = {int(str(r["size"])) for r in self.pair[FIJI].rows("witnessed")
                  if r["origin"] == self.log.origin}  # fmt: skip
        receipts = self.receipts(named)
        answers = tuple(
            Receipted(digest, raw) for (_, digest), raw in zip(named, receipts, strict=True)
        )
        sizes = sorted({*before, len(self.log.leaves)} - {0})
        sizes = [one for one in sizes if one <= len(self.log.leaves)]
        return self.answer(Answers(answers, log=self.continues(self.log, sizes)))

    async def _file(self, _number: int, path: str) -> LogFile | None:
        self.asked.append(path)
        if path == "checkpoint":
            size = len(self.log.leaves)
            return LogFile(self.log.checkpoint(size, now=self.pair.clock.now()))
        level, _, rest = path.removeprefix("tile/").partition("/")
        index, _, width = rest.partition(".p/")
        tile = self.log.read(int(level), int(index.replace("x", "").replace("/", "")), 0)
        return LogFile(tile[: 32 * int(width or TILE_WIDTH)])

    async def _witnessed(self, _origin: str) -> bytes | None:
        return self.cosigned

    async def _add_checkpoint(self, _body: bytes) -> WitnessAnswer:
        return self.said


def with_leaves(log: MemoryLog, leaves: Sequence[bytes]) -> MemoryLog:
    """Give a log with these leaves behind what it has."""
    tiles = dict(log.tiles)
    for place, gained in grow(len(log.leaves), list(leaves), log.read).items():
        tiles[place] = tiles.get(place, b"") + gained
    return replace(log, leaves=(*log.leaves, *leaves), tiles=tiles)
