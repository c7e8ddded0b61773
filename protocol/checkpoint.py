"""Checkpoints: the signed head of a log, and witnesses' word on it (SPEC 6.4, 6.5).

A checkpoint is a note whose text is origin, size and root. Its log signs it twice: a plain
Ed25519 line (0x01), then a timestamped ML-DSA-44 line (0x06). A witness adds two of its
own, both timestamped (0x04, 0x06). Both of a pair must hold: one that may be absent
protects nothing.

What a log signs must continue all it signed before, and what a witness cosigns all it
cosigned before. Neither can be seen from here: this module knows one checkpoint at a time,
no tree behind it, no clock and no storage. The callers keep the order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from protocol.encoding import from_base64, to_base64
from protocol.errors import Malformed, Misuse, NotAuthentic
from protocol.identity import (
    AUTHORITY_ID,
    Algorithm,
    PublicKey,
    Purpose,
    Signer,
    check_authority_id,
)
from protocol.limits import INTEGER_MAX
from protocol.merkle import EMPTY_ROOT, HASH_BYTES
from protocol.note import (
    ED25519,
    ED25519_COSIGNATURE,
    ML_DSA_44,
    Kind,
    Note,
    NoteSignature,
    VerifierKey,
    decode_note,
)
from protocol.primitives import verify_signature

LOG_ORIGIN: Final = re.compile(
    rf"(?:{AUTHORITY_ID.pattern})/(?:{AUTHORITY_ID.pattern})/(?:0|[1-9][0-9]{{0,8}})"
)
WITNESS_NAME: Final = re.compile(rf"(?:{AUTHORITY_ID.pattern})/(?:{AUTHORITY_ID.pattern})/witness")

_BODY: Final = re.compile(r"([^\n]{1,255})\n([0-9]{1,16})\n([0-9A-Za-z+/=]{44})\n")
_SUBTREE_LABEL: Final = b"subtree/v1\n\0"
_TIME_BYTES: Final = 8
_PAIR: Final = 2  # the log's own lines stand first
_VERIFIED_KEPT: Final = 256


def log_origin(network: str, authority: str, number: int) -> str:
    """Name the log `number` of an authority in a network: its origin and its key name."""
    return _checked(
        f"{check_authority_id(network)}/{check_authority_id(authority)}/{number}", LOG_ORIGIN
    )


def owner_of(origin: str) -> str:
    """Give the authority in the name of a log."""
    return origin.split("/")[1]


def number_of(origin: str) -> int:
    """Give the number in the name of a log."""
    return int(origin.rpartition("/")[2])


def witness_name(network: str, authority: str) -> str:
    """Name an authority as a witness in a network."""
    return f"{check_authority_id(network)}/{check_authority_id(authority)}/witness"


def _checked(name: str, form: re.Pattern[str]) -> str:
    if form.fullmatch(name) is None:
        raise Malformed("not the name of a log or of a witness")
    return name


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log at one size; unsigned."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        """Refuse what no log of ours can have as its head."""
        _checked(self.origin, LOG_ORIGIN)
        if not 0 <= self.size <= INTEGER_MAX or len(self.root) != HASH_BYTES:
            raise Malformed("a checkpoint with an impossible size or root")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise Malformed("an empty log has one root")

    def body(self) -> str:
        """Give the text of the note: three lines."""
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"


def decode_body(body: str) -> Checkpoint:
    """Decode the text of a checkpoint strictly (SPEC 6.4).

    C2SP allows extension lines and advises against them; logs of Comity have none, and the
    ML-DSA-44 line would not sign them, so they are refused.
    """
    match = _BODY.fullmatch(body)
    if match is None:
        raise Malformed("a checkpoint has three lines: origin, size, root")
    checkpoint = Checkpoint(match[1], int(match[2]), from_base64(match[3]))
    if checkpoint.body() != body:
        raise Malformed("a checkpoint that is not in its one form")
    return checkpoint


def claimed_checkpoint(raw: bytes) -> Checkpoint:
    """Give what a signed checkpoint says, whoever signed it; raises `Malformed` or `TooLarge`."""
    return decode_body(decode_note(raw).body)


@dataclass(frozen=True, slots=True)
class LogKeys:
    """The two public keys of one log, or of one witness: both of one purpose."""

    ed25519: PublicKey
    ml_dsa: PublicKey

    def __post_init__(self) -> None:
        """Refuse keys that do not belong together: they come from our own directory."""
        if (self.ed25519.algorithm, self.ml_dsa.algorithm) != ("ed25519", "ml-dsa-44"):
            raise Misuse("a log or witness signs with Ed25519 and ML-DSA-44")
        if self.ed25519.purpose != self.ml_dsa.purpose:
            raise Misuse("two keys of different purposes are no pair")


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint whose two log signatures held, with its exact bytes.

    `other_signatures` are lines below the log's own. They may be cosignatures; nobody has
    verified them yet.
    """

    checkpoint: Checkpoint
    raw: bytes = field(repr=False)
    time: int
    other_signatures: tuple[NoteSignature, ...] = field(repr=False)


def sign_checkpoint(checkpoint: Checkpoint, *, ed25519: Signer, ml_dsa: Signer, now: int) -> bytes:
    """Sign a checkpoint as its log; gives the bytes of the note.

    The caller guarantees that the tree continues every tree this log has signed.
    """
    keys = _log_pair(ed25519, ml_dsa, "log")
    plain, timed = _verifier_keys(checkpoint.origin, keys, ED25519)
    body = checkpoint.body()
    signatures = (
        NoteSignature(plain.name, plain.key_hash, ed25519.sign(body.encode())),
        _sign_head(checkpoint, timed, ml_dsa, now),
    )
    return Note(body, signatures).encode()


def verify_checkpoint(raw: bytes, *, origin: str, keys: LogKeys) -> SignedCheckpoint:
    """Verify a checkpoint of the log `origin` against its keys (SPEC 6.4).

    Raises `NotAuthentic` if anything about the two signatures is not as it must be,
    `Malformed` or `TooLarge` if the bytes are no checkpoint. It shows that the log has said
    so, not that it says the same to everybody: that takes consistency and witnesses.
    """
    if keys.ed25519.purpose != "log":
        raise Misuse("a checkpoint is verified with log keys")
    return _verify_checkpoint(raw, origin, keys)


# One checkpoint covers a batch of receipts and comes again with each of them. The result
# depends on the arguments alone, so it may be kept; a refusal is an exception and is not.
@lru_cache(maxsize=_VERIFIED_KEPT)
def _verify_checkpoint(raw: bytes, origin: str, keys: LogKeys) -> SignedCheckpoint:
    # (1) The form, and the log it must be.
    note = decode_note(raw)
    checkpoint = decode_body(note.body)
    if checkpoint.origin != origin:
        raise NotAuthentic("a checkpoint of another log")
    # (2) The log's own two lines stand first, in their order, and nowhere else.
    plain, timed = _verifier_keys(origin, keys, ED25519)
    own, others = note.signatures[:_PAIR], note.signatures[_PAIR:]
    marks = [plain.key_hash, timed.key_hash]
    if [line.key_hash for line in own if line.name == origin] != marks:
        raise NotAuthentic("the first two lines are not the log's own")
    if any(line.name == origin and line.key_hash in marks for line in others):
        raise NotAuthentic("the log's own lines are repeated")
    # (3) Both hold.
    verify_signature(keys.ed25519, own[0].raw, note.body.encode())
    time = _verify_timed(checkpoint, timed, keys.ml_dsa, own[1])
    return SignedCheckpoint(checkpoint, raw, time, others)


def cosign(
    checkpoint: Checkpoint, *, name: str, ed25519: Signer, ml_dsa: Signer, now: int
) -> tuple[NoteSignature, NoteSignature]:
    """Sign a checkpoint as the witness `name` (SPEC 6.5).

    The caller guarantees that it has verified the checkpoint, that the tree continues
    every tree it has cosigned for this log, and that it has stored that this is the newest.
    """
    keys = _log_pair(ed25519, ml_dsa, "witness")
    first, second = _verifier_keys(_checked(name, WITNESS_NAME), keys, ED25519_COSIGNATURE)
    return (
        _sign_head(checkpoint, first, ed25519, now),
        _sign_head(checkpoint, second, ml_dsa, now),
    )


def verify_cosignature(
    checkpoint: Checkpoint, signatures: Sequence[NoteSignature], *, name: str, keys: LogKeys
) -> int:
    """Verify the word of the witness `name` on a checkpoint; gives its time (SPEC 6.5).

    Among `signatures` must be exactly one line of each of its keys, in their order, of one
    time, and both must hold; else `NotAuthentic`. Lines of other keys are ignored.
    """
    if keys.ed25519.purpose != "witness":
        raise Misuse("a cosignature is verified with witness keys")
    first, second = _verifier_keys(_checked(name, WITNESS_NAME), keys, ED25519_COSIGNATURE)
    lines = cosignature_lines(signatures, name=name, keys=keys)
    if [line.key_hash for line in lines] != [first.key_hash, second.key_hash]:
        raise NotAuthentic("not the two lines of the witness, in their order")
    time = _verify_timed(checkpoint, first, keys.ed25519, lines[0])
    if _verify_timed(checkpoint, second, keys.ml_dsa, lines[1]) != time:
        raise NotAuthentic("the two lines of a witness differ in their time")
    return time


def cosignature_lines(
    signatures: Iterable[NoteSignature], *, name: str, keys: LogKeys
) -> list[NoteSignature]:
    """Give the lines of a witness's two keys among these; nothing of them is verified."""
    pair = _verifier_keys(_checked(name, WITNESS_NAME), keys, ED25519_COSIGNATURE)
    marks = [key.key_hash for key in pair]
    return [line for line in signatures if line.name == name and line.key_hash in marks]


def verify_timed_line(checkpoint: Checkpoint, line: NoteSignature, key: VerifierKey) -> int:
    """Verify one line of a witness of which only a verifier key is known; gives its time.

    Raises `NotAuthentic`. For witnesses that other people run: of ours both lines count
    together, and `verify_cosignature` is for them.
    """
    if key.kind not in {ED25519_COSIGNATURE, ML_DSA_44}:
        raise Misuse("a witness signs with a time")
    if (line.name, line.key_hash) != (key.name, key.key_hash):
        raise NotAuthentic("a line of another key")
    algorithm: Algorithm = "ed25519" if key.kind == ED25519_COSIGNATURE else "ml-dsa-44"
    return _verify_timed(checkpoint, key, PublicKey("witness", algorithm, key.raw), line)


def with_cosignatures(raw: bytes, signatures: Iterable[NoteSignature]) -> bytes:
    """Give the checkpoint `raw` with these verified cosignatures among its lines.

    The log's two lines stay first. Of several lines of one key the given one stays, and of
    several given the newest. The rest is sorted by name, the shorter (Ed25519) line first,
    so that one set of lines has one encoding.
    """
    note, origin = _named_note(raw)
    kept = {(line.name, line.key_hash): line for line in note.signatures[_PAIR:]}
    # A line begins with its time, so the largest is the newest.
    for line in sorted(signatures, key=lambda line: line.raw):
        if line.name == origin:
            raise Misuse("a log does not witness itself")
        kept[line.name, line.key_hash] = line
    others = sorted(kept.values(), key=lambda line: (line.name, len(line.raw), line.key_hash))
    return Note(note.body, note.signatures[:_PAIR] + tuple(others)).encode()


def without_cosignatures(raw: bytes) -> bytes:
    """Give the checkpoint `raw` with its log's two lines alone."""
    note, _ = _named_note(raw)
    return Note(note.body, note.signatures[:_PAIR]).encode()


def _named_note(raw: bytes) -> tuple[Note, str]:
    """Decode a checkpoint whose first two lines bear its log's name; gives it and the name."""
    note = decode_note(raw)
    origin = decode_body(note.body).origin
    if [line.name for line in note.signatures[:_PAIR]] != [origin] * _PAIR:
        raise Malformed("the first two lines are not the log's own")
    return note, origin


def _log_pair(ed25519: Signer, ml_dsa: Signer, purpose: Purpose) -> LogKeys:
    keys = LogKeys(ed25519.public, ml_dsa.public)
    if keys.ed25519.purpose != purpose:
        raise Misuse(f"signing keys of another purpose than {purpose}")
    return keys


# The marks are hashes of what does not change while a log or a witness lives.
@lru_cache(maxsize=1_024)
def _verifier_keys(name: str, keys: LogKeys, kind: Kind) -> tuple[VerifierKey, VerifierKey]:
    """Name both keys as their lines do; `kind` is that of the Ed25519 line."""
    return VerifierKey(name, kind, keys.ed25519.raw), VerifierKey(name, ML_DSA_44, keys.ml_dsa.raw)


def _sign_head(checkpoint: Checkpoint, key: VerifierKey, signer: Signer, now: int) -> NoteSignature:
    """Make a timestamped line (C2SP tlog-cosignature)."""
    if not 0 < now <= INTEGER_MAX:
        raise Misuse("a checkpoint is signed at a time after 1970")
    signature = signer.sign(_timed_text(checkpoint, key, now))
    return NoteSignature(key.name, key.key_hash, now.to_bytes(_TIME_BYTES, "big") + signature)


def _verify_timed(
    checkpoint: Checkpoint, key: VerifierKey, public: PublicKey, line: NoteSignature
) -> int:
    """Check a timestamped line; gives its time, which is never 0.

    C2SP lets 0 stand for "no word on this being the newest"; a log or witness that gives
    no such word is of no use here.
    """
    time = int.from_bytes(line.raw[:_TIME_BYTES], "big")
    if not 0 < time <= INTEGER_MAX:
        raise NotAuthentic("a timestamped line without a time")
    verify_signature(public, line.raw[_TIME_BYTES:], _timed_text(checkpoint, key, time))
    return time


def _timed_text(checkpoint: Checkpoint, key: VerifierKey, time: int) -> bytes:
    """Give the bytes that a timestamped line signs; the kind of the key decides which.

    The first line of either text differs from every origin, so that neither can be taken
    for the other, nor for the text of a checkpoint.
    """
    if key.kind == ED25519_COSIGNATURE:
        return f"cosignature/v1\ntime {time}\n{checkpoint.body()}".encode()
    name, origin = key.name.encode(), checkpoint.origin.encode()
    return b"".join(
        (
            _SUBTREE_LABEL,
            bytes([len(name)]),
            name,
            time.to_bytes(8, "big"),
            bytes([len(origin)]),
            origin,
            (0).to_bytes(8, "big"),  # from the first leaf
            checkpoint.size.to_bytes(8, "big"),
            checkpoint.root,
        )
    )
