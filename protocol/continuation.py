"""Continuations: what a log says about its own past, for those who remember some of it (SPEC 6.7).

    {"checkpoint":"…","links":[{"path":["…"],"root":"…","size":3},…],"v":1}

"At `size` my log had this root, and the path shows that it is the beginning of the
checkpoint." A verified continuation has every one of its links proved; whether a link is
what the reader remembers, the reader asks with `require`. Whoever has kept a signed
checkpoint with another root holds, together with the link, the proof of a fork
(`protocol/fork.py`). This module knows no storage, no witness and no receipt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from protocol.checkpoint import LogKeys, SignedCheckpoint, verify_checkpoint
from protocol.encoding import Fields, Json, canonical, decode, from_base64, to_base64
from protocol.errors import Forked, Malformed, Unproven
from protocol.limits import (
    CONSISTENCY_HASHES_MAX,
    CONTINUATION_BYTES_MAX,
    CONTINUATION_LINKS_MAX,
    NOTE_BYTES_MAX,
)
from protocol.merkle import EMPTY_ROOT, HASH_BYTES, verify_consistency

_HASH_CHARS: Final = len(to_base64(EMPTY_ROOT))


@dataclass(frozen=True, slots=True)
class Link:
    """One size of a log, the root it had there, and the path from there to a checkpoint."""

    size: int
    root: bytes
    path: tuple[bytes, ...] = field(default=(), repr=False)

    def to_json(self) -> dict[str, Json]:
        """Give the link as it stands in a continuation."""
        path = [to_base64(sibling) for sibling in self.path]
        return {"size": self.size, "root": to_base64(self.root), "path": path}


@dataclass(frozen=True, slots=True)
class Continuation:
    """A continuation in its right form; nothing of it has been verified."""

    checkpoint_raw: bytes = field(repr=False)
    links: tuple[Link, ...]

    def encode(self) -> bytes:
        """Give the canonical bytes."""
        return canonical({
            "v": 1,
            "checkpoint": to_base64(self.checkpoint_raw),
            "links": [link.to_json() for link in self.links],
        })  # fmt: skip


@dataclass(frozen=True, slots=True)
class VerifiedContinuation:
    """A signed checkpoint, and sizes of the log that it was shown to continue.

    `links` holds one for each size, with the path that proved it; `roots` are all that is
    known by it: also the empty tree, which every log continues, and the checkpoint itself.
    """

    signed: SignedCheckpoint
    links: Mapping[int, Link]

    @property
    def roots(self) -> Mapping[int, bytes]:
        """The root at each size that is proved here."""
        head = self.signed.checkpoint
        proved = {size: link.root for size, link in self.links.items()}
        return MappingProxyType({0: EMPTY_ROOT, **proved, head.size: head.root})

    def require(self, size: int, root: bytes) -> None:
        """Check that the log had `root` at `size`, as the caller remembers it.

        Raises `Forked` if it is proved here that it had another one: the caller's own
        checkpoint and `links[size]`, or `signed` itself, then prove a fork. Raises
        `Unproven` if nothing here is about that size, which accuses nobody.
        """
        found = self.roots.get(size)
        if found is None:
            raise Unproven(f"nothing shows what the log was at size {size}")
        if found != root:
            raise Forked(f"the log shows another root at size {size} than it has signed")


def encode_continuation(checkpoint_raw: bytes, links: Iterable[Link]) -> bytes:
    """Give the bytes of a continuation; sorts the links, and keeps one for each size."""
    by_size = {link.size: link for link in links}
    made = Continuation(checkpoint_raw, tuple(by_size[size] for size in sorted(by_size)))
    return made.encode()


def decode_continuation(raw: bytes) -> Continuation:
    """Decode a continuation strictly (SPEC 6.7); raises `Malformed` or `TooLarge`."""
    fields = Fields(decode(raw, bytes_max=CONTINUATION_BYTES_MAX), "continuation")
    fields.integer("v", low=1, high=1)
    checkpoint_raw = fields.base64("checkpoint", bytes_max=NOTE_BYTES_MAX)
    items = fields.items("links", count_max=CONTINUATION_LINKS_MAX)
    fields.done()
    links = tuple(_decode_link(item) for item in items)
    if any(left.size >= right.size for left, right in pairwise(links)):
        raise Malformed("the links are not in ascending order of their sizes")
    return Continuation(checkpoint_raw, links)


def _decode_link(item: Json) -> Link:
    fields = Fields(item, "link")
    size = fields.integer("size")
    root = fields.base64("root", size=HASH_BYTES)
    path = take_path(fields, "path")
    fields.done()
    return Link(size, root, path)


def take_path(fields: Fields, name: str) -> tuple[bytes, ...]:
    """Read a list of hashes in base64: a consistency path, whatever it leads to."""
    texts = fields.texts(name, count_max=CONSISTENCY_HASHES_MAX, chars_max=_HASH_CHARS)
    path = tuple(from_base64(text) for text in texts)
    if any(len(sibling) != HASH_BYTES for sibling in path):
        raise Malformed(f"{name} has something that is not a hash")
    return path


def verify_continuation(raw: bytes, *, origin: str, keys: LogKeys) -> VerifiedContinuation:
    """Verify the checkpoint of the log `origin`, and the path of every link to it.

    Raises `NotAuthentic` if a signature or a path does not hold, `Malformed` or `TooLarge`
    if the bytes are no continuation. One wrong link refuses the whole.
    """
    # (1) The form.
    continuation = decode_continuation(raw)
    # (2) Both signatures of the log that it must be.
    signed = verify_checkpoint(continuation.checkpoint_raw, origin=origin, keys=keys)
    # (3) Each path, from its size to the checkpoint.
    for link in continuation.links:
        verify_consistency(
            old_size=link.size,
            old_root=link.root,
            new_size=signed.checkpoint.size,
            new_root=signed.checkpoint.root,
            path=link.path,
        )
    return VerifiedContinuation(
        signed, MappingProxyType({link.size: link for link in continuation.links})
    )
