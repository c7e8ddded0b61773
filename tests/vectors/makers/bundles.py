"""Vectors of bundles (SPEC 15): one in whole, and the others by what differs from it.

They hang together: `bundle/ok-case` is signed anew in each run, and the others are made of the
same run. To renew them, delete the folder and run the generator.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import copy
from functools import cache

from node.audit.records import MessageUndelivered
from protocol.bundle import decode_container
from protocol.bundle_check import verify_bundle
from protocol.bundle_parts import encode_timestamp
from protocol.checkpoint import Checkpoint, sign_checkpoint
from protocol.digest import sha256_hex
from protocol.encoding import Json, canonical, to_base64
from protocol.errors import Rejected
from protocol.fork import make_fork
from tests.support.attacks import Base, attacks, base
from tests.support.bundles import FIJI, QUMRAN, TONGA, Book, Parts, Story
from tests.support.clock import START
from tests.support.trust import make_trust
from tests.vectors.form import FOLDER, Vector, read
from tests.vectors.judge_bundles import applied, found_in

WHOLE = "bundle/ok-case"
CODES = {"false": "not-authentic", "undecided": "key-unknown"}

Good = Callable[[], bytes]
_GOOD: list[tuple[str, str, Good]] = []


def vectors() -> Iterator[Vector]:
    """Make them all; the generator writes each before it asks for the next."""
    made = base(1)
    comment = "A request, its answer and a word of thanks, receipted and witnessed on both sides."
    whole = Vector(WHOLE, "ok", comment, made.raw, found_in(verify_bundle(made.raw)))
    yield whole
    kept = read(WHOLE) if whole.path(FOLDER).exists() else whole
    for name, comment, good in _GOOD:
        raw = good()
        yield _as_change(kept, f"bundle/ok-{name}", "ok", comment, raw)
    for attack in attacks():
        raw = attack.make(made)
        yield _as_change(kept, f"bundle/{attack.name}", CODES[attack.outcome], attack.comment, raw)


def _as_change(kept: Vector, name: str, expect: str, comment: str, raw: bytes) -> Vector:
    """Give a bundle by what differs from the one that is kept in whole."""
    found = found_in(verify_bundle(raw)) if expect == "ok" else {}
    try:
        there = dict(decode_container(kept.body))
        entries: Json = [
            [one, None if there.get(one) == content else to_base64(content)]
            for one, content in decode_container(raw)
        ]
        vector = Vector(
            name, expect, comment, json.dumps(entries).encode(), {"base": WHOLE, **found}
        )
    except Rejected:
        vector = _as_patch(kept, name, expect, comment, raw)
    if applied(kept.body, vector) != raw:
        raise ValueError(f"{name}: its difference does not give it again")
    return vector


def _as_patch(kept: Vector, name: str, expect: str, comment: str, raw: bytes) -> Vector:
    old, shorter = kept.body, min(len(kept.body), len(raw))
    at = next((place for place in range(shorter) if old[place] != raw[place]), shorter)
    end = next(
        (place for place in range(shorter - at) if old[-1 - place] != raw[-1 - place]),
        shorter - at,
    )
    place = {"base": WHOLE, "at": str(at), "cut": str(len(old) - end - at)}
    return Vector(name, expect, comment, raw[at : len(raw) - end], place)


# --- good ones --------------------------------------------------------------


def _good(name: str, comment: str) -> Callable[[Callable[[Base, Story], None]], None]:
    """Register a story that goes on from the one that is kept."""

    def register(go_on: Callable[[Base, Story], None]) -> None:
        def make() -> bytes:
            story = _copy(base(1).story)
            go_on(base(1), story)
            return story.bundle().encode()

        _GOOD.append((name, comment, make))

    return register


def _copy(story: Story) -> Story:
    """Give a story that can go on without the first one knowing."""
    parts: Parts = {folder: list(found) for folder, found in story.parts.items()}
    books = {side: _copy_book(book) for side, book in story.books.items()}
    sent = {side: list(found) for side, found in story.sent.items()}
    made = copy(story)  # not by `replace`, which would open the logs again
    made.parts, made.books, made.sent, made.seen = parts, books, sent, dict(story.seen)
    return made


def _copy_book(book: Book) -> Book:
    made = Book(book.trust, book.authority, signed=dict(book.signed))
    for record, _ in book.records:
        made.append(record)
    return made


def _relinked(story: Story) -> None:
    story.parts["heads"] = []
    story.cosign(FIJI)
    story.cosign(QUMRAN)


def _proofs_only() -> bytes:
    story = base(1).story
    return story.bundle({**story.parts, "messages": []}, proofs_only=True).encode()


def _records_only() -> bytes:
    story = _copy(base(1).story)
    story.parts["messages"], story.parts["receipts"], story.parts["heads"] = [], [], []
    story.cosign(FIJI)
    return story.bundle(case=None).encode()


@cache
def _two_witnesses() -> bytes:
    story = Story(make_trust((FIJI, QUMRAN, TONGA), stewards=1, threshold=1))
    story.accept(story.send(FIJI, "transmit", {"subject": "Ledgers"}))
    story.cosign(QUMRAN, witnesses=[FIJI], at=START + 300)
    story.books[QUMRAN].append(b"later")
    book = story.books[QUMRAN]
    raw = book.cosigned([FIJI, TONGA], at=START + 400)
    story.parts["heads"].append(book.continuation(raw, len(book.records), [len(book.records) - 1]))
    return story.bundle().encode()


_GOOD += [
    ("proofs-only", "The same case without a word of its messages.", _proofs_only),
    ("records", "A record alone, of no case.", _records_only),
    ("two-witnesses", "A head with one word of two, and a later one with both.", _two_witnesses),
]


@_good("no-heads", "Receipts bind their issuers also where nobody has seen the log.")
def _(_base: Base, story: Story) -> None:
    story.parts["heads"] = []


@_good("on-its-way", "The last message has no receipt yet, and odd texts.")
def _(_base: Base, story: Story) -> None:
    odd: dict[str, Json] = {
        "a": "<script>alert(\"1\")</script> & 'x'", "b": "two\nlines\tand\u202e a turn\u0000",
        "c": [[], {}, [1, {"d": None}], True, False, 9007199254740991], "e": "日本語 🏝 \ufffd",
    }  # fmt: skip
    story.send(FIJI, "note", {"text": odd})


@_good("given-up", "A message that was given up, and the one that says so.")
def _(_base: Base, story: Story) -> None:
    lost = story.send(FIJI, "note", {"text": "lost"})
    story.add(FIJI, MessageUndelivered(story.trust.network, story.now, lost.identity))
    story.accept(story.send(FIJI, "note", {"text": "again"}, skips=(lost.identity,)))
    _relinked(story)


@_good("never-had", "The recipient's bundle: two messages, one of each side, never came.")
def _(_base: Base, story: Story) -> None:
    for side in (FIJI, QUMRAN):
        lost = story.send(side, "note", {"text": "lost"})
        story.parts["messages"].pop()
        story.accept(story.send(side, "note", {"text": "again"}, skips=(lost.identity,)))
    _relinked(story)


@_good("refused", "A message that was finally refused.")
def _(_base: Base, story: Story) -> None:
    late = story.send(FIJI, "note", {"text": "late"})
    story.accept(late, kind="message.refused", order=None, code="expired")
    _relinked(story)


@_good("evidence", "Manifests: one as signed and in the file, one that is not as signed.")
def _(_base: Base, story: Story) -> None:
    item: Json = {"path": "a.txt", "sha256": "ab" * 32, "size": 1, "type": "text/plain"}
    manifest: Json = {"v": 1, "items": [item]}
    raw = canonical(manifest)
    evidence: dict[str, Json] = {"items": 1, "manifest": manifest, "sha256": sha256_hex(raw)}
    story.accept(story.send(FIJI, "note", {"evidence": evidence}))
    story.accept(story.send(FIJI, "note", {"evidence": {**evidence, "items": 2}}))
    story.parts["manifests"] = [raw]
    _relinked(story)


@_good("revoked-later", "Keys of both sides, revoked when all had been witnessed.")
def _(made: Base, story: Story) -> None:
    rings = made.trust.rings
    story.parts["revocations"] = [
        made.trust.revocation(FIJI, "sign", rings[FIJI].signers("sign").key_ids[0], at=START + 600),
        made.trust.revocation_by_stewards(
            QUMRAN, "log", rings[QUMRAN].signers("log").key_ids[1], at=START + 601
        ),
    ]


@_good("revoked-below-its-log-size", "A key revoked before, and a log that answers for more.")
def _(made: Base, story: Story) -> None:
    book = story.books[FIJI]
    sent = [place for place, (one, _) in enumerate(book.records) if b"message.sent" in one]
    story.parts["records"] = [book.prove(place) for place in sent]
    key_id = made.trust.sign_pair(FIJI).key_ids[0]
    size = len(book.records)
    story.parts["revocations"] = [
        made.trust.revocation(FIJI, "sign", key_id, at=START, log_size=size)
    ]
    _relinked(story)


@_good("witness-revoked", "The word of a revoked witness counts for nothing.")
def _(made: Base, story: Story) -> None:
    key_id = made.trust.rings[FIJI].signers("witness").key_ids[0]
    story.parts["revocations"] = [made.trust.revocation(FIJI, "witness", key_id, at=START + 900)]


@_good("closed", "A log that was closed, and the next one.")
def _(made: Base, story: Story) -> None:
    old = story.books[QUMRAN]
    story.parts["closures"] = [
        made.trust.closure(QUMRAN, len(old.records), old.head().root, created=START + 70)
    ]
    story.books[QUMRAN] = Book(made.trust, QUMRAN, number=2)
    story.books[QUMRAN].append(b"opened")
    story.accept(story.send(FIJI, "note", {"text": "after"}))
    story.cosign(QUMRAN)


@_good("forked", "A log that is proved to have two histories: its receipts bind it all the same.")
def _(made: Base, story: Story) -> None:
    book = story.books[QUMRAN]
    ed25519, ml_dsa = made.trust.rings[QUMRAN].signers("log")
    other = Checkpoint(book.origin, len(book.records), bytes(32))
    second = sign_checkpoint(other, ed25519=ed25519, ml_dsa=ml_dsa, now=START + 99)
    story.parts["forks"] = [make_fork(book.checkpoint(), second)]


@_good("two-documents", "A message under the second network document.")
def _(made: Base, story: Story) -> None:
    later = made.trust.with_document(now=START + 80, expires=START + 10**6)
    story.parts["documents"] = list(later.documents)
    story.trust = later
    story.accept(story.send(FIJI, "note", {"text": "under version 2"}))
    _relinked(story)


@_good("timestamp", "A timestamp over a checkpoint, which no reader without its keys judges.")
def _(_base: Base, story: Story) -> None:
    checkpoint = story.books[FIJI].checkpoint()
    story.parts["timestamps"] = [encode_timestamp(checkpoint, b"token")]
    _relinked(story)
