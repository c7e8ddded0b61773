"""Vectors of a log's past, its forks and its end (SPEC 6.7 to 6.9).

The log is the recipient's, with thirteen entries; a second history of the same size differs
from the third entry on, as one that was rewritten would.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache

from protocol import merkle
from protocol.checkpoint import Checkpoint, cosign, log_origin, sign_checkpoint, witness_name
from protocol.closure import CLOSURE_TYPE, Closure
from protocol.continuation import Link, encode_continuation
from protocol.dsse import Unverified, sign
from protocol.encoding import to_base64
from protocol.fork import Fork, make_fork
from protocol.merkle import EMPTY_ROOT, leaf_hash
from protocol.note import NoteSignature, decode_note
from protocol.revocation import REVOCATION_TYPE
from protocol.witness_wire import encode_cosignatures
from tests.support.forge import Value, changed, flipped
from tests.support.trees import Change, dumped, put
from tests.support.trust import Trust, make_trust
from tests.vectors.form import Vector
from tests.vectors.makers.world import (
    FJ,
    FJ_WITNESS,
    NETWORK,
    NOW,
    QM,
    QM_LOG,
    key_headers,
)

ORIGIN = log_origin(NETWORK, QM, 1)
WITNESS = witness_name(NETWORK, FJ)
SIZE = 13
LEAVES = tuple(leaf_hash(b"entry %d" % number) for number in range(SIZE))
REWRITTEN = (*LEAVES[:2], *(leaf_hash(b"rewritten %d" % number) for number in range(2, SIZE)))

Case = tuple[str, str, bytes]


@cache
def head(size: int = SIZE, leaves: tuple[bytes, ...] = LEAVES, origin: str = ORIGIN) -> bytes:
    """Sign the log, or another one, at a size."""
    checkpoint = Checkpoint(origin, size, merkle.root_of(leaves[:size]))
    return sign_checkpoint(checkpoint, ed25519=QM_LOG.first, ml_dsa=QM_LOG.second, now=NOW + size)


@cache
def words() -> tuple[NoteSignature, NoteSignature]:
    """Cosign the whole log."""
    whole = Checkpoint(ORIGIN, SIZE, merkle.root_of(LEAVES))
    return cosign(whole, name=WITNESS, ed25519=FJ_WITNESS.first, ml_dsa=FJ_WITNESS.second,
                  now=NOW + 70)  # fmt: skip


@cache
def cosigned() -> bytes:
    """Give the checkpoint of the whole log with the lines of its witness."""
    return head() + encode_cosignatures(words())


def one_line(raw: bytes) -> bytes:
    """Strip a checkpoint of its ML-DSA-44 line."""
    note = decode_note(raw)
    return replace(note, signatures=note.signatures[:1]).encode()


def link(size: int, leaves: tuple[bytes, ...] = LEAVES) -> Link:
    """Show the log at a size to continue to all of it."""
    whole = b"".join(leaves)
    path = merkle.consistency_path(size, len(leaves), lambda *_: whole)
    return Link(size, merkle.root_of(leaves[:size]), tuple(path))


def _log_vector(name: str, case: Case, **found: Value) -> Vector:
    expect, comment, body = case
    headers = {"origin": ORIGIN, **key_headers(QM, "log")}
    more = {key.replace("_", "-"): str(value) for key, value in found.items()}
    return Vector(name, expect, comment, body, {**headers, **more})


def _edited(raw: bytes, *changes: Change) -> bytes:
    tree = json.loads(raw)
    for change in changes:
        change(tree)
    return dumped(tree)


# --- continuations -------------------------------------------------------------------------


def _continuations() -> Iterator[Vector]:
    good = encode_continuation(head(), [link(5), link(7)])
    whole = {"size": SIZE, "root": merkle.root_of(LEAVES).hex()}
    fine: Mapping[str, tuple[str, bytes, str]] = {
        "ok": ("At 5 and at 7.", good, "5 7"),
        "ok-from-nothing": ("Every log continues the empty one.",
                            encode_continuation(head(), [link(0), link(1)]), "0 1"),
        "ok-whole": ("The size of the checkpoint itself.",
                     encode_continuation(head(), [link(8), link(SIZE)]), "8 13"),
        "ok-no-links": ("It says nothing about any size.", encode_continuation(head(), []), "none"),
        "ok-cosigned": ("Lines of other keys are nobody's word yet.",
                        encode_continuation(cosigned(), [link(12)]), "12"),
    }  # fmt: skip
    for name, (comment, body, links) in fine.items():
        yield _log_vector(f"continuation/{name}", ("ok", comment, body), links=links, **whole)
    for name, case in {**_false_continuations(good), **_malformed_continuations(good)}.items():
        yield _log_vector(f"continuation/{name}", case)


def _false_continuations(good: bytes) -> Mapping[str, Case]:
    five = link(5)
    other = replace(five, root=merkle.root_of(REWRITTEN[:5]))
    beyond = Link(SIZE + 1, merkle.root_of(LEAVES), ())
    two_roots = Link(SIZE, merkle.root_of(REWRITTEN), ())

    def made(*links: Link, raw: bytes | None = None) -> bytes:
        return encode_continuation(head() if raw is None else raw, links)

    path = five.path
    turned = replace(five, path=(flipped(path[0], 3), *path[1:]))
    cases = {
        "flipped-path": ("A bit of a path.", made(turned)),
        "path-short": ("A hash is missing.", made(replace(five, path=path[:-1]))),
        "path-long": ("A hash too many.", made(replace(five, path=(*path, path[0])))),
        "other-root": ("The root of another history.", made(other)),
        "second-link-wrong": ("One wrong link refuses the whole.", made(link(3), other)),
        "zero-with-path": ("A path where none is needed.", made(Link(0, EMPTY_ROOT, path[:1]))),
        "zero-other-root": ("The empty log has one root.", made(Link(0, path[0], ()))),
        "whole-other-root": ("One size, two roots.", made(two_roots)),
        "beyond": ("A size that the checkpoint has not reached.", made(beyond)),
        "other-history": ("A checkpoint that does not continue it.",
                          made(five, raw=head(SIZE, REWRITTEN))),
        "other-origin": ("Of the authority's next log.",
                         made(five, raw=head(origin=log_origin(NETWORK, QM, 2)))),
        "only-ed25519": ("The ML-DSA-44 line is stripped.", made(five, raw=one_line(head()))),
    }  # fmt: skip
    return {name: ("not-authentic", comment, body) for name, (comment, body) in cases.items()}


def _malformed_continuations(good: bytes) -> Mapping[str, Case]:
    def edited(*changes: Change) -> bytes:
        return _edited(good, *changes)

    links = json.loads(good)["links"]
    short = to_base64(EMPTY_ROOT[:31])
    cases = {
        "links-turned": ("Sizes ascend.", edited(put("links", links[::-1]))),
        "link-twice": ("One link for one size.", edited(put("links", [links[0], links[0]]))),
        "hash-short": ("A hash has 32 bytes.", edited(put("links.0.path.0", short))),
        "root-short": ("A root has 32 bytes.", edited(put("links.0.root", short))),
        "size-a-text": ("A size is a number.", edited(put("links.0.size", "5"))),
        "links-no-list": ("A list, also of none.", edited(put("links", None))),
        "unknown-field": ("The form is closed.", edited(put("more", 1))),
        "unknown-field-of-link": ("Also that of a link.", edited(put("links.0.more", 1))),
        "version": ("Version 1.", edited(put("v", 2))),
        "not-canonical": ("Canonical JSON.", good + b"\n"),
        "no-checkpoint": ("A note, signed.", edited(put("checkpoint", ""))),
    }
    malformed = {name: ("malformed", comment, body) for name, (comment, body) in cases.items()}
    return {
        **malformed,
        "too-many-links": ("too-large", "At most 512.", edited(put("links", [0] * 513))),
        "path-too-long": ("too-large", "At most 63.", edited(put("links.0.path", [short] * 64))),
    }


# --- forks ---------------------------------------------------------------------------------


def _forks() -> Iterator[Vector]:
    two_sizes = make_fork(head(5, REWRITTEN), head(), link(5))
    one_size = make_fork(head(), head(SIZE, REWRITTEN))
    cosigned_too = make_fork(cosigned(), head(SIZE, REWRITTEN))
    fine: Mapping[str, tuple[str, bytes, int]] = {
        "ok-one-size": ("One size, two roots.", one_size, SIZE),
        "ok-two-sizes": ("The smaller has another root than the larger had there.", two_sizes, 5),
        "ok-cosigned": ("With the word of a witness on one of them.", cosigned_too, SIZE),
    }
    for name, (comment, body, first) in fine.items():
        yield _log_vector(f"fork/{name}", ("ok", comment, body), first_size=first, second_size=SIZE)
    for name, case in {**_no_forks(one_size), **_malformed_forks(two_sizes)}.items():
        yield _log_vector(f"fork/{name}", case)


def _no_forks(one_size: bytes) -> Mapping[str, Case]:
    five, seven = link(5), link(7)
    small, smaller = head(5), head(5, REWRITTEN)

    def two(first: bytes, second: bytes, at: Link = five) -> bytes:
        return Fork(ORIGIN, first, second, at.root, at.path).encode()

    turned = json.loads(one_size)
    turned["first"], turned["second"] = turned["second"], turned["first"]
    other = log_origin(NETWORK, QM, 2)
    flipped_path = replace(five, path=(flipped(five.path[0], 1), *five.path[1:]))
    cases = {
        "no-contradiction": ("The larger one continues the smaller.", two(small, head())),
        "same-twice": ("One checkpoint is no fork.", Fork(ORIGIN, head(), head()).encode()),
        "roots-turned": ("The smaller root stands first.", dumped(turned)),
        "sizes-turned": ("The smaller size stands first.", two(head(), smaller)),
        "root-of-one-size": ("A root where both have one size.",
                             two(head(), head(SIZE, REWRITTEN))),
        "no-root-two-sizes": ("Two sizes, and nothing between them.",
                              Fork(ORIGIN, smaller, head()).encode()),
        "path-of-another-size": ("A path from 7.", two(smaller, head(), seven)),
        "flipped-path": ("A bit of the path.", two(smaller, head(), flipped_path)),
        "only-ed25519": ("The ML-DSA-44 line is stripped.", two(one_line(smaller), head())),
        "second-of-another-log": ("Two logs may differ.",
                                  two(smaller, head(origin=other))),
        "other-origin": ("It names another log than was asked about.",
                         _edited(one_size, put("origin", other))),
    }  # fmt: skip
    return {name: ("not-authentic", comment, body) for name, (comment, body) in cases.items()}


def _malformed_forks(good: bytes) -> Mapping[str, Case]:
    cases = {
        "other-kind": ("A fork proof says that it is one.", put("kind", "comity-receipt")),
        "origin-no-name": ("The origin is that of a log.", put("origin", "fj.justice")),
        "path-from-no-root": ("A path leads from a root.", put("root", None)),
        "root-short": ("A root has 32 bytes.", put("root", to_base64(EMPTY_ROOT[:31]))),
        "unknown-field": ("The form is closed.", put("more", 1)),
        "version": ("Version 1.", put("v", 2)),
    }
    malformed = {
        name: ("malformed", comment, _edited(good, change))
        for name, (comment, change) in cases.items()
    }
    long = _edited(good, put("path", [to_base64(EMPTY_ROOT)] * 64))
    return {**malformed, "path-too-long": ("too-large", "At most 63.", long)}


# --- closures ------------------------------------------------------------------------------


def _closures(trust: Trust) -> Iterator[Vector]:
    good = Closure(NETWORK, QM, 1, SIZE, merkle.root_of(LEAVES), "lost-state", 2, NOW)
    pair = trust.sign_pair(QM)
    public = {f"sign-{key.algorithm}": f"public {to_base64(key.raw)}" for key in pair.public}

    def made(name: str, case: tuple[str, str], statement: Unverified, **found: str) -> Vector:
        headers = {"document": "network/ok-first", **public, **found}
        return Vector(f"closure/{name}", *case, statement.encode(), headers)

    fine = {
        "ok": ("The log's state was lost.", good),
        "ok-new-keys": ("It gets new keys.", replace(good, reason="new-keys", next_number=3)),
        "ok-empty": ("Before its first entry.", replace(good, size=0, root=EMPTY_ROOT)),
    }
    for name, (comment, closure) in fine.items():
        statement = sign(CLOSURE_TYPE, closure.text(), pair)
        yield made(name, ("ok", comment), statement, digest=statement.identity,
                   size=str(closure.size), next=str(closure.next_number))  # fmt: skip
    signed = sign(CLOSURE_TYPE, good.text(), pair)
    one, two = signed.signatures
    by_another = sign(CLOSURE_TYPE, good.text(), trust.sign_pair(FJ))
    other_text = replace(signed, text=changed(signed.text, size=12))
    badly = {
        "only-ed25519": ("One signature is stripped.", replace(signed, signatures=(one,))),
        "signatures-turned": ("The wrong order.", replace(signed, signatures=(two, one))),
        "by-another": ("By another authority.", by_another),
        "other-text": ("Another end than was signed.", other_text),
    }
    for name, (comment, statement) in badly.items():
        yield made(name, ("not-authentic", comment), statement)
    for name, (expect, comment, text) in _bad_closure_texts(good).items():
        yield made(name, (expect, comment), sign(CLOSURE_TYPE, text, pair))
    yield made("other-type", ("malformed", "A statement of another type."),
               sign(REVOCATION_TYPE, good.text(), pair))  # fmt: skip


def _bad_closure_texts(good: Closure) -> Mapping[str, Case]:
    text = good.text()
    malformed = {
        "next-same": ("The next log is another.", changed(text, next=1)),
        "next-zero": ("Logs count from 1.", changed(text, next=0)),
        "next-too-large": ("A number of a log has nine digits.", changed(text, next=1_000_000_000)),
        "origin-of-another": ("Nobody closes another's log.",
                              changed(text, origin=log_origin(NETWORK, FJ, 1))),
        "origin-no-name": ("The origin is that of a log.", changed(text, origin="nothing")),
        "reason-unknown": ("Two reasons are known.", changed(text, reason="tired")),
        "root-short": ("A root has 32 bytes.", changed(text, root=EMPTY_ROOT[:31].hex())),
        "root-upper-case": ("In lower-case hex.", changed(text, root=good.root.hex().upper())),
        "empty-with-root": ("An empty log has one root.", changed(text, size=0)),
        "unknown-field": ("The form is closed.", changed(text, more=1)),
        "version": ("Version 1.", changed(text, v=2)),
    }  # fmt: skip
    foreign = replace(good, network="atlantic")
    unknown = replace(good, authority="to.justice")
    return {
        **{name: ("malformed", comment, body) for name, (comment, body) in malformed.items()},
        "other-network": ("not-for-us", "Of another network.", foreign.text()),
        "unknown-authority": (
            "not-permitted",
            "Of an authority that is not listed.",
            unknown.text(),
        ),
    }


def vectors() -> Iterator[Vector]:
    """Give all vectors of this module."""
    yield from _continuations()
    yield from _forks()
    yield from _closures(make_trust((FJ, QM), now=NOW, network=NETWORK))
