"""What goes between a log and its witnesses, as text (C2SP tlog-witness, SPEC 8.7).

    old 3
    gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=

    regional/qm.justice/1
    7
    …

Three bodies: the request to `add-checkpoint`, the signature lines of its answer, and the
size that comes with a 409. They are C2SP's, so that logs and witnesses which other people
wrote can read them. Nothing is verified here: a decoded request names an origin, and the
lines of an answer may be anybody's. What the witness remembers is not known here either.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from protocol.encoding import from_base64, to_base64
from protocol.errors import Malformed, TooLarge
from protocol.limits import (
    CONSISTENCY_HASHES_MAX,
    INTEGER_MAX,
    NOTE_BYTES_MAX,
    NOTE_SIGNATURES_MAX,
    WITNESS_BODY_BYTES_MAX,
)
from protocol.merkle import HASH_BYTES
from protocol.note import NoteSignature, decode_note, take_signature_line

SIZE_TYPE: Final = "text/x.tlog.size"
TEXT_TYPE: Final = "text/plain; charset=utf-8"

_DECIMAL: Final = r"0|[1-9][0-9]{0,15}"
_OLD_LINE: Final = re.compile(rf"old ({_DECIMAL})")
_SIZE: Final = re.compile(rf"({_DECIMAL})\n")
_HEAD: Final = re.compile(rf"([^\n]+)\n({_DECIMAL})\n")


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request to cosign a checkpoint, in its right form; nothing of it has been verified.

    `origin` and `size` are read from the note's first two lines, whatever follows them: a
    log that is not known here is answered as such even if its checkpoints have other lines.
    """

    old_size: int
    path: tuple[bytes, ...] = field(repr=False)
    checkpoint_raw: bytes = field(repr=False)
    origin: str
    size: int

    def encode(self) -> bytes:
        """Give the bytes of the request."""
        return encode_add_checkpoint(self.old_size, self.path, self.checkpoint_raw)


def encode_add_checkpoint(old_size: int, path: Sequence[bytes], checkpoint_raw: bytes) -> bytes:
    """Give the body of a request: the witness cosigned `old_size`; `path` leads from there."""
    lines = "".join(f"{to_base64(sibling)}\n" for sibling in path)
    return f"old {old_size}\n{lines}\n".encode() + checkpoint_raw


def decode_add_checkpoint(raw: bytes) -> AddCheckpoint:
    """Decode a request strictly; raises `Malformed` or `TooLarge`, both a 400.

    An old size above that of the checkpoint is `Malformed` too, as C2SP wants it.
    """
    if len(raw) > WITNESS_BODY_BYTES_MAX:
        raise TooLarge(f"a request of {len(raw)} bytes, at most {WITNESS_BODY_BYTES_MAX}")
    head, parting, checkpoint_raw = raw.partition(b"\n\n")
    if not parting or not head.isascii():
        raise Malformed("a request without a checkpoint")
    first, *lines = head.decode("ascii").split("\n")
    old = _OLD_LINE.fullmatch(first)
    if old is None:
        raise Malformed("a request that does not begin with an old size")
    if len(lines) > CONSISTENCY_HASHES_MAX:
        raise TooLarge(f"a path of more than {CONSISTENCY_HASHES_MAX} hashes")
    path = tuple(from_base64(line) for line in lines)
    if any(len(sibling) != HASH_BYTES for sibling in path):
        raise Malformed("a path with something that is not a hash")
    named = _HEAD.match(decode_note(checkpoint_raw).body)
    if named is None:
        raise Malformed("a note that is no checkpoint")
    request = AddCheckpoint(int(old[1]), path, checkpoint_raw, named[1], int(named[2]))
    if not request.old_size <= request.size <= INTEGER_MAX:
        raise Malformed("an old size above that of the checkpoint")
    return request


def encode_cosignatures(signatures: Iterable[NoteSignature]) -> bytes:
    """Give the body of a 200: the witness's lines."""
    return "".join(signature.line() for signature in signatures).encode()


def decode_cosignatures(raw: bytes) -> tuple[NoteSignature, ...]:
    """Decode the lines of a 200, also those of keys that nobody here knows.

    They are cosignatures only once `protocol.checkpoint.verify_cosignature` has said so.
    """
    if len(raw) > NOTE_BYTES_MAX:
        raise TooLarge(f"cosignatures of {len(raw)} bytes, at most {NOTE_BYTES_MAX}")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise Malformed("cosignatures that are not UTF-8") from fault
    lines = text.removesuffix("\n").split("\n")
    if len(lines) > NOTE_SIGNATURES_MAX:
        raise TooLarge(f"more than {NOTE_SIGNATURES_MAX} signature lines")
    signatures = tuple(take_signature_line(line) for line in lines)
    if encode_cosignatures(signatures) != raw:
        raise Malformed("cosignatures that are not in their one form")
    return signatures


def encode_size(size: int) -> bytes:
    """Give the body of a 409: the size that the witness has cosigned last."""
    return f"{size}\n".encode()


def decode_size(raw: bytes) -> int:
    """Decode the body of a 409; a bare number, which nobody has signed."""
    match = _SIZE.fullmatch(raw.decode("latin-1"))
    if match is None or int(match[1]) > INTEGER_MAX:
        raise Malformed("not a size on a line")
    return int(match[1])
