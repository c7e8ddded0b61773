"""Attacks on what shows that a log has one history, and who has seen it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from protocol.bundle_parts import encode_timestamp
from protocol.checkpoint import Checkpoint, sign_checkpoint, with_cosignatures
from protocol.continuation import Continuation, decode_continuation
from protocol.encoding import canonical
from protocol.fork import make_fork
from protocol.note import Note, decode_note
from tests.support.attacks.made import LAST, UNDECIDED, Base, on_parts
from tests.support.bundles import FIJI, QUMRAN, Book, Parts, word
from tests.support.clock import START
from tests.support.forge import flipped
from tests.support.trust import Trust


def heads_of(base: Base, parts: Parts, authority: str) -> tuple[int, Continuation]:
    """Give the head of an authority, and its place."""
    origin = base.story.books[authority].origin.encode()
    for place, raw in enumerate(parts["heads"]):
        head = decode_continuation(raw)
        if head.checkpoint_raw.startswith(origin):
            return place, head
    raise LookupError(authority)


def with_lines(raw: bytes, change: Callable[[list[Any]], list[Any]]) -> bytes:
    """Change the lines below a checkpoint."""
    note = decode_note(raw)
    return Note(note.body, tuple(change(list(note.signatures)))).encode()


def put_head(base: Base, parts: Parts, change: Callable[[Continuation], Continuation]) -> None:
    """Change the head of Qumran's log."""
    place, head = heads_of(base, parts, QUMRAN)
    parts["heads"][place] = change(head).encode()


@on_parts("word-of-a-witness-changed", "A bit of a cosignature is turned.")
def _(base: Base, parts: Parts) -> None:
    def change(lines: list[Any]) -> list[Any]:
        return [*lines[:2], replace(lines[2], raw=flipped(lines[2].raw, 40)), *lines[3:]]

    put_head(base, parts, lambda head: replace(
        head, checkpoint_raw=with_lines(head.checkpoint_raw, change)))  # fmt: skip


@on_parts("word-of-a-witness-back-dated", "The time of a cosignature is moved.")
def _(base: Base, parts: Parts) -> None:
    def change(lines: list[Any]) -> list[Any]:
        earlier = [replace(one, raw=(START - 1).to_bytes(8, "big") + one.raw[8:]) for one in lines]
        return [*lines[:2], *earlier[2:]]

    put_head(base, parts, lambda head: replace(
        head, checkpoint_raw=with_lines(head.checkpoint_raw, change)))  # fmt: skip


@on_parts("word-of-one-key", "A witness has signed with one of its keys.")
def _(base: Base, parts: Parts) -> None:
    def change(head: Continuation) -> Continuation:
        raw = with_lines(head.checkpoint_raw, lambda lines: lines[:LAST])
        return replace(head, checkpoint_raw=raw)

    put_head(base, parts, change)


@on_parts("word-of-nobody-who-witnesses-it", "A log's own authority cosigns it.")
def _(base: Base, parts: Parts) -> None:
    place, head = heads_of(base, parts, QUMRAN)
    lines = word(base.trust, QUMRAN, base.story.books[QUMRAN].head())
    raw = with_cosignatures(head.checkpoint_raw, lines)
    parts["heads"][place] = replace(head, checkpoint_raw=raw).encode()


@on_parts("word-of-a-stranger", "Somebody with a witness's name and other keys.")
def _(base: Base, parts: Parts) -> None:
    place, _ = heads_of(base, parts, QUMRAN)
    book = base.story.books[QUMRAN]
    lines = word(base.stranger.trust, FIJI, book.head())
    raw = with_cosignatures(book.checkpoint(), lines)
    links = decode_continuation(parts["heads"][place]).links
    parts["heads"][place] = Continuation(raw, links).encode()


@on_parts("head-of-before", "An older head is put in its place.", UNDECIDED)
def _(base: Base, parts: Parts) -> None:
    place, _ = heads_of(base, parts, QUMRAN)
    book = base.story.books[QUMRAN]
    raw = book.cosigned([FIJI], size=2, at=START + 600)
    parts["heads"][place] = book.continuation(raw, 2, [2])


@on_parts("head-of-another-history", "The log signed another tree of the same size.")
def _(base: Base, parts: Parts) -> None:
    place, head = heads_of(base, parts, QUMRAN)
    size = len(base.story.books[QUMRAN].records)
    parts["heads"][place] = Continuation(
        forked(base, size), tuple(link for link in head.links if link.size == 0)
    ).encode()


@on_parts("head-of-a-rewritten-history", "A whole other log, signed, linked and cosigned.")
def _(base: Base, parts: Parts) -> None:
    place, _ = heads_of(base, parts, QUMRAN)
    told_by = base.story.books[QUMRAN]
    book = Book(base.trust, QUMRAN)
    for _, salt in told_by.records:
        book.append(salt)
    book.append(b"and one more")
    size = len(book.records)
    raw = book.cosigned([FIJI], at=START + 700)
    parts["heads"][place] = book.continuation(raw, size, base.story.resting(book.origin))


@on_parts("link-to-another-root", "A link says another root than the receipt's.")
def _(base: Base, parts: Parts) -> None:
    def change(head: Continuation) -> Continuation:
        first = replace(head.links[0], root=flipped(head.links[0].root, 1))
        return replace(head, links=(first, *head.links[1:]))

    put_head(base, parts, change)


@on_parts("link-with-another-path", "A hash of a consistency path is changed.")
def _(base: Base, parts: Parts) -> None:
    def change(head: Continuation) -> Continuation:
        path = head.links[0].path
        first = replace(head.links[0], path=(flipped(path[0], 1), *path[1:]))
        return replace(head, links=(first, *head.links[1:]))

    put_head(base, parts, change)


@on_parts("link-left-out", "Nothing shows that a receipt is in the head.", UNDECIDED)
def _(base: Base, parts: Parts) -> None:
    put_head(base, parts, lambda head: replace(head, links=head.links[1:]))


@on_parts("link-on-which-nothing-rests", "One link more than there are checkpoints.")
def _(base: Base, parts: Parts) -> None:
    book = base.story.books[QUMRAN]
    size = len(book.records)
    place, head = heads_of(base, parts, QUMRAN)
    more = decode_continuation(book.continuation(head.checkpoint_raw, size, [1])).links
    parts["heads"][place] = replace(head, links=(*more, *head.links)).encode()


@on_parts("heads-that-do-not-meet", "Two heads, and no link between them.", UNDECIDED)
def _(base: Base, parts: Parts) -> None:
    book = base.story.books[QUMRAN]
    parts["heads"].append(book.continuation(book.cosigned([FIJI], size=1), 1, []))


@on_parts("timestamp-over-nothing-signed", "A timestamp over a checkpoint of a stranger.")
def _(base: Base, parts: Parts) -> None:
    checkpoint = base.stranger.books[QUMRAN].checkpoint()
    parts["timestamps"] = [encode_timestamp(checkpoint, b"token")]


@on_parts("fork-that-is-none", "Two checkpoints that another log signed.")
def _(base: Base, parts: Parts) -> None:
    size = len(base.story.books[QUMRAN].records)
    one = base.stranger.books[QUMRAN].checkpoint()
    parts["forks"] = [make_fork(one, forked(base, size, base.stranger.trust))]


def forked(base: Base, size: int, trust: Trust | None = None) -> bytes:
    """Let a log sign another root at a size."""
    ed25519, ml_dsa = (trust or base.trust).rings[QUMRAN].signers("log")
    head = Checkpoint(base.story.books[QUMRAN].origin, size, bytes(range(32)))
    return sign_checkpoint(head, ed25519=ed25519, ml_dsa=ml_dsa, now=START + 99)


@on_parts("manifest-that-nobody-names", "A manifest beside messages that name none.")
def _(_base: Base, parts: Parts) -> None:
    parts["manifests"] = [canonical({"v": 1, "items": []})]
