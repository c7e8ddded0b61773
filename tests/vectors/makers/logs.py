"""Vectors of trees, checkpoints, cosignatures and receipts (SPEC 6 and 7).

The log is the recipient's. It has seven entries; the decision stands at index 4 and the
others are commitments to nothing in particular.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from protocol import merkle
from protocol.checkpoint import Checkpoint, cosign, log_origin, sign_checkpoint, witness_name
from protocol.encoding import to_base64
from protocol.merkle import leaf_hash
from protocol.note import NoteSignature, decode_note
from protocol.proof import encode_proof
from protocol.record import Decision, commitment, entry
from tests.support.forge import changed, flipped, receipt_json
from tests.vectors.form import Vector, read
from tests.vectors.makers.messages import ACCEPTED, REFUSED
from tests.vectors.makers.world import (
    FJ,
    FJ_WITNESS,
    NETWORK,
    NOW,
    QM,
    QM_LOG,
    key_headers,
    seed,
    vector,
)

ORIGIN = log_origin(NETWORK, QM, 1)
WITNESS = witness_name(NETWORK, FJ)
SALT = seed("receipt salt")
_SIZE, _INDEX = 7, 4


def _leaves(record: bytes, salt: bytes = SALT) -> list[bytes]:
    entries = [entry(seed(f"entry {number}")) for number in range(_SIZE)]
    entries[_INDEX] = entry(commitment(record, salt))
    return [leaf_hash(one) for one in entries]


def _path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    whole = b"".join(leaves)
    return merkle.inclusion_path(index, len(leaves), lambda *_: whole)


# --- trees ---------------------------------------------------------------------------------


def _inclusions() -> Iterator[Vector]:
    for size, index in ((1, 0), (2, 1), (3, 2), (7, 4), (8, 0), (200, 199)):
        leaves = [leaf_hash(bytes([number])) for number in range(size)]
        yield _inclusion(f"ok-{index}-of-{size}", "ok", f"Leaf {index} of {size}.",
                         leaves, index, b"".join(_path(leaves, index)))  # fmt: skip
    leaves = [leaf_hash(bytes([number])) for number in range(7)]
    path = b"".join(_path(leaves, 4))
    bad: Mapping[str, tuple[str, int, bytes]] = {
        "other-index": ("The path is that of leaf 4.", 5, path),
        "index-outside": ("There is no leaf 7 of 7.", 7, path),
        "path-short": ("A hash is missing.", 4, path[:-32]),
        "path-long": ("A hash too many.", 4, path + path[-32:]),
        "path-turned": ("Two hashes have changed places.", 4, path[32:64] + path[:32] + path[64:]),
        "flipped-path": ("A bit is turned.", 4, flipped(path, 40)),
        "hash-short": ("A hash has 32 bytes.", 4, path[:-1]),
    }
    for name, (comment, index, body) in bad.items():
        yield _inclusion(name, "not-authentic", comment, leaves, index, body)


def _inclusion(
    name: str, expect: str, comment: str, leaves: Sequence[bytes], index: int, body: bytes
) -> Vector:
    leaf = leaves[min(index, len(leaves) - 1)]
    return vector(
        f"inclusion/{name}", expect, comment, body, leaf=leaf.hex(), index=str(index),
        size=str(len(leaves)), root=merkle.root_of(leaves).hex(),
    )  # fmt: skip


def _consistencies() -> Iterator[Vector]:
    leaves = [leaf_hash(bytes([number])) for number in range(13)]
    roots = [merkle.root_of(leaves[:size]).hex() for size in range(14)]
    whole = b"".join(leaves)

    def made(name: str, expect: str, comment: str, old: int, new: int, body: bytes) -> Vector:
        return vector(f"consistency/{name}", expect, comment, body, old_size=str(old),
                      old_root=roots[old], new_size=str(new), new_root=roots[new])  # fmt: skip

    def path(old: int, new: int) -> bytes:
        return b"".join(merkle.consistency_path(old, new, lambda *_: whole))

    for old, new in ((0, 5), (1, 2), (3, 7), (4, 8), (6, 13), (7, 7)):
        yield made(f"ok-{old}-to-{new}", "ok", f"From {old} to {new}.", old, new, path(old, new))
    good = path(6, 13)
    yield made("flipped", "not-authentic", "A bit is turned.", 6, 13, flipped(good, 7))
    yield made("short", "not-authentic", "A hash is missing.", 6, 13, good[:-32])
    yield made("long", "not-authentic", "A hash too many.", 6, 13, good + good[:32])
    yield made("from-nothing", "not-authentic", "A path where none is needed.", 0, 5, good[:32])
    yield made("shrunk", "not-authentic", "A tree does not shrink.", 13, 6, good)
    forked = dict(made("two-roots", "not-authentic", "One size, two roots.", 7, 7, b"").headers)
    yield Vector("consistency/two-roots", "not-authentic", "One size, two roots.", b"",
                 {**forked, "new-root": roots[6]})  # fmt: skip


# --- checkpoints ---------------------------------------------------------------------------


def _signed(checkpoint: Checkpoint, now: int = NOW + 61) -> bytes:
    return sign_checkpoint(checkpoint, ed25519=QM_LOG.first, ml_dsa=QM_LOG.second, now=now)


HEAD = Checkpoint(ORIGIN, _SIZE, merkle.root_of(_leaves(ACCEPTED.encode())))


def _lines(raw: bytes) -> tuple[str, list[str]]:
    body, _, below = raw.decode().rpartition("\n\n")
    return body + "\n\n", below.splitlines(keepends=True)


def _checkpoints() -> Iterator[Vector]:
    raw = _signed(HEAD)
    body, (first, second) = _lines(raw)
    witness_lines = cosign(HEAD, name=WITNESS, ed25519=FJ_WITNESS.first, ml_dsa=FJ_WITNESS.second,
                           now=NOW + 70)  # fmt: skip
    unknown = "".join(line.line() for line in witness_lines)
    note = decode_note(raw)
    ed, ml = note.signatures
    timeless = replace(ml, raw=bytes(8) + ml.raw[8:])
    found = {"size": str(_SIZE), "root": HEAD.root.hex(), "time": str(NOW + 61)}
    empty = _signed(Checkpoint(ORIGIN, 0, merkle.EMPTY_ROOT))
    yield _checkpoint("ok", "ok", "Two lines of the log.", raw, **found, lines="2")
    yield _checkpoint("ok-empty-log", "ok", "Before the first entry.", empty, size="0")
    yield _checkpoint("ok-other-lines", "ok", "Lines of other keys are nobody's word yet.",
                      raw + unknown.encode(), **found, lines="4")  # fmt: skip
    forgeries: Mapping[str, tuple[str, str, str]] = {
        "only-ed25519": ("not-authentic", "The ML-DSA-44 line is stripped.", body + first),
        "only-ml-dsa": ("not-authentic", "The Ed25519 line is stripped.", body + second),
        "lines-turned": ("not-authentic", "The wrong order.", body + second + first),
        "line-twice": ("not-authentic", "A line of the log again.", body + first + second + first),
        "no-lines": ("malformed", "Nobody signed.", body),
        "flipped-ed25519": ("not-authentic", "A bit is turned.",
                            body + (replace(ed, raw=flipped(ed.raw, 9)).line()) + second),
        "flipped-ml-dsa": ("not-authentic", "A bit is turned.",
                           body + first + (replace(ml, raw=flipped(ml.raw, 90)).line())),
        "time-zero": ("not-authentic", "A head without a time.", body + first + timeless.line()),
        "time-changed": ("not-authentic", "Another time than was signed.",
                         body + first + (replace(ml, raw=flipped(ml.raw, 7)).line())),
        "flipped-mark": ("not-authentic", "A line of a key that is not the log's.",
                         body + (replace(ed, key_hash=flipped(ed.key_hash, 0)).line()) + second),
        "other-size": ("not-authentic", "Another size than was signed.",
                       body.replace("\n7\n", "\n8\n") + first + second),
        "size-leading-zero": ("malformed", "A size has one form.",
                              body.replace("\n7\n", "\n07\n") + first + second),
        "extension-line": ("malformed", "A checkpoint has three lines.",
                           body.replace("\n\n", "\nmore\n\n") + first + second),
        "root-short": ("malformed", "A root has 32 bytes.",
                       body.replace(to_base64(HEAD.root), to_base64(HEAD.root[:31]))
                       + first + second),
        "no-newline": ("malformed", "A line ends in a newline.", (body + first + second)[:-1]),
        "dash-wrong": ("malformed", "The dash is an em dash.",
                       (body + first + second).replace("— ", "- ")),
        "empty-with-root": ("malformed", "An empty log has one root.",
                            body.replace("\n7\n", "\n0\n") + first + second),
    }  # fmt: skip
    for name, (expect, comment, text) in forgeries.items():
        yield _checkpoint(name, expect, comment, text.encode())
    other = log_origin(NETWORK, QM, 2)
    yield _checkpoint("other-origin", "not-authentic", "A head of the authority's next log.",
                      _signed(replace(HEAD, origin=other)))  # fmt: skip
    yield from _cosignatures(raw, witness_lines)


def _checkpoint(name: str, expect: str, comment: str, body: bytes, **more: str) -> Vector:
    headers = {"origin": ORIGIN, **key_headers(QM, "log"), **more}
    return Vector(f"checkpoint/{name}", expect, comment, body, headers)


def _cosignatures(raw: bytes, made: tuple[NoteSignature, NoteSignature]) -> Iterator[Vector]:
    later = cosign(HEAD, name=WITNESS, ed25519=FJ_WITNESS.first, ml_dsa=FJ_WITNESS.second,
                   now=NOW + 71)  # fmt: skip
    headers = {"origin": ORIGIN, **key_headers(QM, "log"), "witness": WITNESS,
               **key_headers(FJ, "witness")}  # fmt: skip
    cases: Mapping[str, tuple[str, str, Sequence[NoteSignature]]] = {
        "ok": ("ok", "Two lines of one time.", made),
        "none": ("not-authentic", "The witness said nothing.", ()),
        "only-ed25519": ("not-authentic", "One line is stripped.", made[:1]),
        "only-ml-dsa": ("not-authentic", "The other is stripped.", made[1:]),
        "turned": ("not-authentic", "The wrong order.", made[::-1]),
        "two-times": ("not-authentic", "Lines of two times.", (made[0], later[1])),
        "flipped": ("not-authentic", "A bit is turned.",
                    (replace(made[0], raw=flipped(made[0].raw, 20)), made[1])),
    }  # fmt: skip
    for name, (expect, comment, lines) in cases.items():
        body = raw + "".join(line.line() for line in lines).encode()
        more = {"time": str(NOW + 70)} if expect == "ok" else {}
        yield Vector(f"cosignature/{name}", expect, comment, body, {**headers, **more})


# --- receipts ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReceiptParts:
    """All that a receipt is made of; `encode` joins it and checks nothing."""

    record: bytes
    leaves: Sequence[bytes]
    checkpoint: bytes
    index: int = _INDEX
    salt: bytes = SALT
    path: Sequence[bytes] | None = None
    changes: Mapping[str, str | int] = field(default_factory=dict)

    def proof(self) -> bytes:
        """Give the text of the proof."""
        path = _path(self.leaves, _INDEX) if self.path is None else self.path
        return encode_proof(index=self.index, path=path, checkpoint=self.checkpoint)

    def encode(self) -> bytes:
        """Give the bytes of the receipt."""
        return receipt_json(self.record, self.salt, self.proof(), **self.changes)


def receipt_parts(record: bytes) -> ReceiptParts:
    """Give the parts of a valid receipt for a record."""
    leaves = _leaves(record)
    return ReceiptParts(record, leaves, _signed(Checkpoint(ORIGIN, _SIZE, merkle.root_of(leaves))))


def _receipt(
    name: str, expect: str, comment: str, body: bytes, decision: Decision = ACCEPTED, **more: str
) -> Vector:
    headers = {
        "network": NETWORK, "issuer": QM, "origin": ORIGIN, **key_headers(QM, "log"),
        "sender": FJ, "message": decision.identity, "envelope": decision.envelope, **more,
    }  # fmt: skip
    return Vector(f"receipt/{name}", expect, comment, body, headers)


def _good_receipts() -> Iterator[Vector]:
    cases = {
        "ok": ("The message was accepted, first in its case.", ACCEPTED),
        "ok-no-order": ("A message that carries its own order.", replace(ACCEPTED, order=None)),
        "ok-refused": ("A final refusal has the same form.", REFUSED),
    }
    for name, (comment, decision) in cases.items():
        body = receipt_parts(decision.encode()).encode()
        yield _receipt(
            name, "ok", comment, body, kind=decision.kind, index=str(_INDEX), size=str(_SIZE),
            order=str(decision.order), code=str(decision.code),
        )  # fmt: skip


def _example_receipt() -> Iterator[Vector]:
    """The receipt of the envelope that is committed: both are the example of SPEC.md."""
    envelope = read("envelope/ok").headers["digest"]
    decision = replace(ACCEPTED, envelope=envelope)
    yield _receipt(
        "ok-example", "ok", "The receipt of envelope/ok.",
        receipt_parts(decision.encode()).encode(), decision, kind=decision.kind, order="1",
    )  # fmt: skip


def _bad_receipts() -> Iterator[Vector]:
    parts = receipt_parts(ACCEPTED.encode())
    path = _path(parts.leaves, _INDEX)
    head, (first, second) = _lines(parts.checkpoint)
    body = parts.encode()
    not_ours = replace(ACCEPTED, recipient="to.justice")
    elsewhere = replace(ACCEPTED, network="atlantic")
    relogged = log_origin(NETWORK, QM, 2)
    other_log = replace(Checkpoint(ORIGIN, _SIZE, merkle.root_of(parts.leaves)), origin=relogged)
    cases: Mapping[str, tuple[str, str, bytes]] = {
        "flipped-record": ("not-authentic", "A record that is not the one in the log.",
                           replace(parts, record=changed(parts.record, at=NOW + 59)).encode()),
        "flipped-salt": ("not-authentic", "Another salt.",
                         replace(parts, salt=flipped(SALT, 0)).encode()),
        "flipped-path": ("not-authentic", "A bit of the path.",
                         replace(parts, path=[flipped(path[0], 0), *path[1:]]).encode()),
        "path-short": ("not-authentic", "A hash is missing.",
                       replace(parts, path=path[:-1]).encode()),
        "path-long": ("not-authentic", "A hash too many.",
                      replace(parts, path=[*path, path[0]]).encode()),
        "other-index": ("not-authentic", "Another index.", replace(parts, index=5).encode()),
        "only-ed25519": ("not-authentic", "The ML-DSA-44 line is stripped.",
                         replace(parts, checkpoint=(head + first).encode()).encode()),
        "only-ml-dsa": ("not-authentic", "The Ed25519 line is stripped.",
                        replace(parts, checkpoint=(head + second).encode()).encode()),
        "other-origin": ("not-authentic", "Under the head of another log.",
                         replace(parts, checkpoint=_signed(other_log)).encode()),
        "wrong-issuer": ("not-authentic", "A message to another authority.",
                         receipt_parts(not_ours.encode()).encode()),
        "other-network": ("not-authentic", "A message of another network.",
                          receipt_parts(elsewhere.encode()).encode()),
        "unknown-field": ("malformed", "The form is closed.",
                          replace(parts, changes={"more": 1}).encode()),
        "version": ("malformed", "Version 1.", replace(parts, changes={"v": 2}).encode()),
        "not-canonical": ("malformed", "Canonical JSON.", body + b"\n"),
        "salt-short": ("malformed", "A salt has 32 bytes.",
                       replace(parts, salt=SALT[:31], leaves=parts.leaves).encode()),
        "record-other-kind": ("malformed", "Only decisions are receipted.",
                              receipt_parts(changed(parts.record, kind="message.sent")).encode()),
        "proof-extra": ("malformed", "An `extra` line is not authenticated.",
                        replace(parts, changes={"proof": to_base64(parts.proof().replace(
                            b"\nindex", b"\nextra AAAA\nindex"))}).encode()),
        "index-leading-zero": ("malformed", "An index has one form.",
                               replace(parts, changes={"proof": to_base64(parts.proof().replace(
                                   b"index 4", b"index 04"))}).encode()),
        "too-long": ("too-large", "At most 64 KiB.", body + b" " * 65_536),
    }  # fmt: skip
    for name, (expect, comment, raw) in cases.items():
        yield _receipt(name, expect, comment, raw)
    note = decode_note(parts.checkpoint)
    for name, place in (("flipped-ed25519", 0), ("flipped-ml-dsa", 1)):
        lines = list(note.signatures)
        lines[place] = replace(lines[place], raw=flipped(lines[place].raw, -3))
        text = head + "".join(line.line() for line in lines)
        raw = replace(parts, checkpoint=text.encode()).encode()
        yield _receipt(name, "not-authentic", "A bit of a signature.", raw)


def _misplaced_receipts() -> Iterator[Vector]:
    """Receipts that hold and are about something else than what was sent."""
    other = hashlib.sha256(b"other").hexdigest()
    cases = {
        "other-message": replace(ACCEPTED, identity=other),
        "other-envelope": replace(ACCEPTED, envelope=other),
        "other-sender": replace(ACCEPTED, sender="to.justice"),
    }
    for name, decision in cases.items():
        yield _receipt(name, "mismatch", "The proof holds; it is not about this message.",
                       receipt_parts(decision.encode()).encode())  # fmt: skip


def vectors() -> Iterator[Vector]:
    """Give all vectors of this module."""
    yield from _inclusions()
    yield from _consistencies()
    yield from _checkpoints()
    yield from _good_receipts()
    yield from _example_receipt()
    yield from _bad_receipts()
    yield from _misplaced_receipts()
