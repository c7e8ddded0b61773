"""Fork proofs: that a log has signed two histories (SPEC 6.8).

    {"first":"…","kind":"comity-fork","origin":"regional/qm.justice/1","path":[…],
     "root":"…","second":"…","v":1}

Two checkpoints, both signed by the log. Either they have one size and two roots; or the
path leads from the size of the smaller one, *with another root* than it has, to the larger.
Anybody who has the log's keys verifies it alone, with no network and years later. No more
is in it than that the log did this: not who, nor which of the two is the true one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from protocol.checkpoint import (
    LOG_ORIGIN,
    Checkpoint,
    LogKeys,
    SignedCheckpoint,
    claimed_checkpoint,
    verify_checkpoint,
)
from protocol.continuation import Link, take_path
from protocol.encoding import Fields, canonical, decode, to_base64
from protocol.errors import Malformed, Misuse, NotAuthentic
from protocol.limits import FORK_BYTES_MAX, NOTE_BYTES_MAX
from protocol.merkle import HASH_BYTES, verify_consistency

FORK_KIND: Final = "comity-fork"


@dataclass(frozen=True, slots=True)
class Fork:
    """A fork proof in its right form; nothing of it has been verified.

    `root` is what the larger tree has at the size of the smaller one; None if both
    checkpoints have one size.
    """

    origin: str
    first: bytes = field(repr=False)
    second: bytes = field(repr=False)
    root: bytes | None = None
    path: tuple[bytes, ...] = field(default=(), repr=False)

    def encode(self) -> bytes:
        """Give the canonical bytes: those of the file, of the row and on the wire."""
        return canonical({
            "v": 1, "kind": FORK_KIND, "origin": self.origin,
            "first": to_base64(self.first), "second": to_base64(self.second),
            "root": None if self.root is None else to_base64(self.root),
            "path": [to_base64(sibling) for sibling in self.path],
        })  # fmt: skip


@dataclass(frozen=True, slots=True)
class VerifiedFork:
    """Two checkpoints that no honest log can both have signed."""

    first: SignedCheckpoint
    second: SignedCheckpoint
    raw: bytes = field(repr=False)

    @property
    def origin(self) -> str:
        """The log that has forked."""
        return self.first.checkpoint.origin


def make_fork(one: bytes, other: bytes, link: Link | None = None) -> bytes:
    """Give the fork proof of two checkpoints (their exact bytes, cosignatures and all).

    Of one size: `link` is None. Of two: `link` is the size of the smaller one with the
    root that the larger one has there, and the path. Raises `Misuse` if there is no fork in
    what is given; `verify_fork` says whether it is one by the log's keys.
    """
    pair = sorted((_claimed(one), _claimed(other)), key=lambda it: (it[0].size, it[0].root))
    (first, first_raw), (second, second_raw) = pair
    if first.origin != second.origin:
        raise Misuse("checkpoints of two logs are no fork")
    if first.size == second.size:
        fork = Fork(first.origin, first_raw, second_raw)
    elif link is None or link.size != first.size:
        raise Misuse("two sizes need the link between them")
    else:
        fork = Fork(first.origin, first_raw, second_raw, link.root, link.path)
    try:
        _check_contradiction(fork, first, second)
    except NotAuthentic as fault:
        raise Misuse(fault.detail) from fault
    return fork.encode()


def decode_fork(raw: bytes) -> Fork:
    """Decode a fork proof strictly (SPEC 6.8); raises `Malformed` or `TooLarge`."""
    fields = Fields(decode(raw, bytes_max=FORK_BYTES_MAX), "fork")
    fields.integer("v", low=1, high=1)
    fields.choice("kind", (FORK_KIND,))
    root = fields.take("root")
    fork = Fork(
        origin=fields.text("origin", pattern=LOG_ORIGIN),
        first=fields.base64("first", bytes_max=NOTE_BYTES_MAX),
        second=fields.base64("second", bytes_max=NOTE_BYTES_MAX),
        root=None
        if root is None
        else Fields({"root": root}, "fork").base64("root", size=HASH_BYTES),
        path=take_path(fields, "path"),
    )
    fields.done()
    if fork.root is None and fork.path:
        raise Malformed("a path that leads from no root")
    return fork


def verify_fork(raw: bytes, *, origin: str, keys: LogKeys) -> VerifiedFork:
    """Verify that the log `origin` has signed two histories.

    Raises `NotAuthentic` if it is not proved, `Malformed` or `TooLarge` if the bytes are no
    fork proof. Keys that were revoked later prove it all the same: somebody had them.
    """
    # (1) The form.
    fork = decode_fork(raw)
    if fork.origin != origin:
        raise NotAuthentic("a fork proof about another log")
    # (2) Both checkpoints, by the keys of that one log.
    first = verify_checkpoint(fork.first, origin=origin, keys=keys)
    second = verify_checkpoint(fork.second, origin=origin, keys=keys)
    # (3) They cannot both be true.
    _check_contradiction(fork, first.checkpoint, second.checkpoint)
    return VerifiedFork(first, second, raw)


def _claimed(raw: bytes) -> tuple[Checkpoint, bytes]:
    return claimed_checkpoint(raw), raw


def _check_contradiction(fork: Fork, first: Checkpoint, second: Checkpoint) -> None:
    """Check the one of two cases that it is; the order of the two is fixed in both."""
    if fork.root is None:
        # The smaller root stands first, so that one contradiction has one encoding.
        if first.size != second.size or first.root >= second.root:
            raise NotAuthentic("not two roots of one size, in their order")
        return
    if first.size >= second.size or fork.root == first.root:
        raise NotAuthentic("not another root at the size of the smaller checkpoint")
    verify_consistency(
        old_size=first.size,
        old_root=fork.root,
        new_size=second.size,
        new_root=second.root,
        path=fork.path,
    )
