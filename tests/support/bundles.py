"""A case of two authorities with logs in memory, told message by message, and its bundle.

    story = Story(make_trust(("fj.justice", "qm.justice")))
    first = story.send(FIJI, "transmit", {"subject": "ledgers"})
    story.accept(first)                          # the other side's log takes it in
    story.cosign(QUMRAN)                         # every witness cosigns its head
    raw = story.bundle().encode()

Everything is really signed; salts and times repeat. `parts` may be changed at will before a
bundle is made of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from node.audit.record import NodeRecord
from node.audit.records import LogOpened, MessageSent
from protocol.bundle import FOLDERS, About, Bundle
from protocol.bundle_parts import make_bundle
from protocol.checkpoint import (
    Checkpoint,
    cosign,
    log_origin,
    sign_checkpoint,
    with_cosignatures,
    witness_name,
)
from protocol.continuation import Link, encode_continuation
from protocol.merkle import consistency_path, inclusion_path, leaf_hash, tree_root
from protocol.messages import AuthenticMessage, Message, sign_message
from protocol.proof import decode_proof, encode_proof
from protocol.receipt import Receipt, decode_receipt
from protocol.record import Decision, commitment, entry
from tests.support.clock import START
from tests.support.tree import TileStore
from tests.support.trust import Trust

FIJI, QUMRAN, TONGA = "fj.justice", "qm.justice", "to.justice"
CASE = f"{FIJI}/{'c0' * 16}"
Parts = dict[str, list[bytes]]


def drawn(*names: object) -> bytes:
    """Give 32 bytes that look like chance and repeat."""
    return hashlib.sha256(repr(names).encode()).digest()


@dataclass(slots=True)
class Book:
    """The log of one authority: records, tiles, and checkpoints at any size."""

    trust: Trust
    authority: str
    number: int = 1
    tiles: TileStore = field(default_factory=TileStore)
    records: list[tuple[bytes, bytes]] = field(default_factory=list)
    signed: dict[int, bytes] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """The name of the log."""
        return log_origin(self.trust.network, self.authority, self.number)

    def append(self, record: bytes) -> int:
        """Take a record in; gives its index."""
        index = len(self.records)
        salt = drawn(self.origin, index)
        self.records.append((record, salt))
        self.tiles.append([leaf_hash(entry(commitment(record, salt)))])
        return index

    def head(self, size: int | None = None) -> Checkpoint:
        """Give the head at a size, or now."""
        size = len(self.records) if size is None else size
        return Checkpoint(self.origin, size, tree_root(size, self.tiles.read))

    def checkpoint(self, size: int | None = None, *, at: int = START + 60) -> bytes:
        """Sign the head of a size, once."""
        head = self.head(size)
        if head.size not in self.signed:
            ed25519, ml_dsa = self.trust.rings[self.authority].signers("log")
            self.signed[head.size] = sign_checkpoint(head, ed25519=ed25519, ml_dsa=ml_dsa, now=at)
        return self.signed[head.size]

    def prove(
        self, index: int, *, checkpoint: bytes | None = None, size: int | None = None
    ) -> bytes:
        """Give the record at an index with salt and proof, as `.proof.json`."""
        size = len(self.records) if size is None else size
        raw = self.checkpoint(size) if checkpoint is None else checkpoint
        record, salt = self.records[index]
        path = inclusion_path(index, size, self.tiles.read)
        proof = encode_proof(index=index, path=path, checkpoint=raw)
        return Receipt(record, salt, proof).encode()

    def cosigned(
        self, witnesses: Sequence[str], *, size: int | None = None, at: int = START + 120
    ) -> bytes:
        """Give the signed head of a size with the words of these witnesses."""
        lines = [
            line for one in witnesses for line in word(self.trust, one, self.head(size), at=at)
        ]
        return with_cosignatures(self.checkpoint(size), lines)

    def continuation(self, checkpoint: bytes, size: int, sizes: Sequence[int]) -> bytes:
        """Give the continuation from these sizes to a checkpoint of `size`."""
        links = [
            Link(one, self.head(one).root, tuple(consistency_path(one, size, self.tiles.read)))
            for one in sizes
        ]
        return encode_continuation(checkpoint, links)


def word(trust: Trust, witness: str, head: Checkpoint, *, at: int = START + 120) -> Any:  # noqa: ANN401  (two lines)
    """Give the two lines of a witness on a head."""
    ed25519, ml_dsa = trust.rings[witness].signers("witness")
    name = witness_name(trust.network, witness)
    return cosign(head, name=name, ed25519=ed25519, ml_dsa=ml_dsa, now=at)


@dataclass(slots=True)
class Story:
    """One case, as it is told."""

    trust: Trust
    requesting: str = FIJI
    requested: str = QUMRAN
    now: int = START + 10
    books: dict[str, Book] = field(default_factory=dict)
    sent: dict[str, list[AuthenticMessage]] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)
    order: int = 0
    parts: Parts = field(default_factory=lambda: {folder: [] for folder in FOLDERS})

    def __post_init__(self) -> None:
        """Open both logs, and put in what judges them."""
        for side in (self.requesting, self.requested):
            self.books[side] = Book(self.trust, side)
            self.books[side].append(drawn_record(self.trust.network, side))
            self.sent[side] = []
        self.parts["documents"] = list(self.trust.documents)
        self.parts["listings"] = list(self.trust.listings)

    def other(self, side: str) -> str:
        """Give the other side."""
        return self.requested if side == self.requesting else self.requesting

    def send(
        self,
        sender: str,
        kind: str,
        body: Mapping[str, Any],
        **changes: Any,  # noqa: ANN401  (fields by name)
    ) -> AuthenticMessage:
        """Write and sign the next message of a side; it is in the bundle at once."""
        before = self.sent[sender]
        values: dict[str, Any] = {
            "network": self.trust.network, "epoch": self.trust.document.version,
            "sender": sender, "recipient": self.other(sender),
            "case": f"{self.requesting}/{'c0' * 16}", "seq": len(before) + 1,
            "prev": before[-1].identity if before else None, "seen": self.seen.get(sender),
            "order": self._next() if sender == self.requested else None,
            "salt": drawn(sender, len(before)), "created": self.now, "expires": self.now + 86_400,
            "kind": kind, "body": body,
        }  # fmt: skip
        message = Message(**{**values, **changes})
        made = sign_message(message, self.trust.sign_pair(sender))
        before.append(made)
        self.books[sender].append(
            MessageSent(
                self.trust.network, self.now, made.identity, drawn(made.identity).hex(),
                message.recipient, "ab" * 16, message.order,
            ).encode()
        )  # fmt: skip
        self.now += 10
        self.parts["messages"].append(made.inner)
        return made

    def accept(self, made: AuthenticMessage, **changes: Any) -> bytes:  # noqa: ANN401  (fields by name)
        """Let the other side accept a message; its receipt is in the bundle at once."""
        message = made.message
        book = self.books[message.recipient]
        values: dict[str, Any] = {
            "kind": "message.accepted", "network": message.network, "at": self.now,
            "identity": made.identity, "envelope": drawn(made.identity).hex(),
            "sender": message.sender, "recipient": message.recipient,
            "order": self._next() if message.sender == self.requesting else None,
        }  # fmt: skip
        index = book.append(Decision(**{**values, **changes}).encode())
        self.now += 10
        self.seen[message.recipient] = made.identity
        receipt = book.prove(index)
        self.parts["receipts"].append(receipt)
        return receipt

    def record(self, side: str, index: int) -> None:
        """Put the proof of a record into the bundle."""
        self.parts["records"].append(self.books[side].prove(index))

    def add(self, side: str, record: NodeRecord) -> None:
        """Let a side record something, and put its proof into the bundle."""
        self.record(side, self.books[side].append(record.encode()))

    def cosign(
        self, side: str, *, witnesses: Sequence[str] | None = None, at: int = START + 600,
        size: int | None = None,
    ) -> bytes:  # fmt: skip
        """Put the head of a side into the bundle, with links from all that rests on it."""
        book = self.books[side]
        entry = self.trust.document.document.authority(side)
        named = entry.witnesses if entry and witnesses is None else witnesses or ()
        size = len(book.records) if size is None else size
        raw = book.cosigned(named, size=size, at=at)
        resting = [one for one in self.resting(book.origin) if one <= size]
        self.parts["heads"].append(book.continuation(raw, size, resting))
        return raw

    def resting(self, origin: str) -> list[int]:
        """Give the sizes of a log's checkpoints in receipts and records."""
        found = set()
        for raw in (*self.parts["receipts"], *self.parts["records"]):
            note = decode_proof(decode_receipt(raw).proof).checkpoint_raw.decode()
            if note.split("\n")[0] == origin:
                found.add(int(note.split("\n")[1]))
        return sorted(found)

    def about(self, **changes: Any) -> About:  # noqa: ANN401  (fields by name)
        """Say what the bundle is."""
        values: dict[str, Any] = {
            "network": self.trust.network, "authority": self.requesting,
            "created": START + 1_000, "case": f"{self.requesting}/{'c0' * 16}",
            "proofs_only": False,
        }  # fmt: skip
        return About(**{**values, **changes})

    def bundle(self, parts: Mapping[str, Sequence[bytes]] | None = None, **about: Any) -> Bundle:  # noqa: ANN401  (fields by name)
        """Make the bundle of these parts, or of all."""
        return make_bundle(self.about(**about), self.parts if parts is None else parts)

    def _next(self) -> int:
        self.order += 1
        return self.order


def drawn_record(network: str, authority: str) -> bytes:
    """Give the record that opens a log."""
    return LogOpened(network, START, log_origin(network, authority, 1)).encode()


def told(trust: Trust) -> Story:
    """Tell a short case that is wholly receipted and witnessed: three messages."""
    story = Story(trust)
    first = story.send(FIJI, "transmit", {"request_kind": "mla", "subject": "Ledgers <2025>"})
    story.accept(first)
    answer = story.send(QUMRAN, "answer", {"text": "Here they are.", "items": [1, True, None]})
    story.accept(answer)
    story.accept(story.send(FIJI, "acknowledge", {}))
    story.record(FIJI, 1)
    story.cosign(FIJI)
    story.cosign(QUMRAN)
    return story
