"""Signed notes: a text, and lines below it that say who signed it (C2SP signed-note, SPEC 6.3).

    example.org/log
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — example.org/log Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+Z…

A line names its key by a name and four bytes of a digest. That is a way to find a key, not
to trust one: a decoded `Note` says nothing about who signed it. This module knows the form
and the key ids; it verifies nothing and knows no checkpoint.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, cast, get_args

from protocol.digest import sha256
from protocol.encoding import from_base64, to_base64
from protocol.errors import Malformed, TooLarge
from protocol.limits import NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX

Kind: TypeAlias = Literal[0x01, 0x04, 0x06]

ED25519: Final = 0x01  # over the text of the note
ED25519_COSIGNATURE: Final = 0x04  # timestamped
ML_DSA_44: Final = 0x06  # timestamped, over the tree head

KEY_BYTES: Final[dict[Kind, int]] = {0x01: 32, 0x04: 32, 0x06: 1_312}
KEY_HASH_BYTES: Final = 4

_DASH: Final = "— "
_FORBIDDEN: Final = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")
_NOT_IN_NAMES: Final = re.compile(r"[\s+]")
_KEY_HASH: Final = re.compile(r"[0-9a-f]{8}")
_VERIFIER_KEY_CHARS_MAX: Final = 4_096


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name and the kind of signature it is good for."""

    name: str
    kind: Kind
    raw: bytes

    def __post_init__(self) -> None:
        """Refuse a name that cannot stand in a line, and a key of a wrong length."""
        _check_name(self.name)
        if KEY_BYTES.get(self.kind) != len(self.raw):
            raise Malformed("a verifier key of an unknown kind or a wrong length")

    @property
    def key_hash(self) -> bytes:
        """SHA-256(name 0A kind raw), the first four bytes: the key's mark in a line."""
        return sha256(self.name.encode(), b"\n", bytes([self.kind]), self.raw)[:KEY_HASH_BYTES]

    def encode(self) -> str:
        """Give `name+hash+base64(kind raw)`, as in configuration files of C2SP tools."""
        return f"{self.name}+{self.key_hash.hex()}+{to_base64(bytes([self.kind]) + self.raw)}"


def decode_verifier_key(text: str) -> VerifierKey:
    """Decode what `VerifierKey.encode` gives, and nothing else; raises `Malformed`."""
    if len(text) > _VERIFIER_KEY_CHARS_MAX:
        raise TooLarge(f"a verifier key of more than {_VERIFIER_KEY_CHARS_MAX} characters")
    # Base64 may hold a plus, a name may not: split from the left.
    parts = text.split("+", 2)
    if len(parts) != 3:  # noqa: PLR2004  (name, hash, key)
        raise Malformed("a verifier key has three parts")
    name, key_hash, encoded = parts
    typed = from_base64(encoded)
    if _KEY_HASH.fullmatch(key_hash) is None or typed[:1] not in _KINDS:
        raise Malformed("a verifier key of an unknown kind, or a hash that is none")
    key = VerifierKey(name, _KINDS[typed[:1]], typed[1:])
    if key.encode() != text:
        raise Malformed("the hash of a verifier key is not its own")
    return key


_KINDS: Final[dict[bytes, Kind]] = {bytes([kind]): cast("Kind", kind) for kind in get_args(Kind)}


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One line below a note: a name, the mark of a key, and what the key made."""

    name: str
    key_hash: bytes
    raw: bytes

    def __post_init__(self) -> None:
        """Refuse what cannot stand in a line."""
        _check_name(self.name)
        if len(self.key_hash) != KEY_HASH_BYTES or not self.raw:
            raise Malformed("a signature line without a key's mark, or without a signature")

    def line(self) -> str:
        """Give the line, with its newline."""
        return f"{_DASH}{self.name} {to_base64(self.key_hash + self.raw)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and its signature lines, in their order; nobody has verified any."""

    body: str
    signatures: tuple[NoteSignature, ...]

    def __post_init__(self) -> None:
        """Refuse what has no encoding as a note."""
        if not self.body.endswith("\n") or _FORBIDDEN.search(self.body) is not None:
            raise Malformed("a note's text ends in a newline and has no control characters")
        if not self.signatures:
            raise Malformed("a note without a signature")
        if len(self.signatures) > NOTE_SIGNATURES_MAX:
            raise TooLarge(f"a note with more than {NOTE_SIGNATURES_MAX} signatures")

    def encode(self) -> bytes:
        """Give the bytes of the note; raises `TooLarge` beyond the limit."""
        lines = "".join(signature.line() for signature in self.signatures)
        raw = f"{self.body}\n{lines}".encode()
        if len(raw) > NOTE_BYTES_MAX:
            raise TooLarge(f"a note of {len(raw)} bytes, at most {NOTE_BYTES_MAX}")
        return raw


def decode_note(raw: bytes) -> Note:
    """Decode a note strictly; raises `Malformed` or `TooLarge`.

    The last empty line parts text and signatures. Every line below it must be a signature
    line: C2SP has readers ignore unknown keys, not unknown lines.
    """
    if len(raw) > NOTE_BYTES_MAX:
        raise TooLarge(f"a note of {len(raw)} bytes, at most {NOTE_BYTES_MAX}")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise Malformed("a note that is not UTF-8") from fault
    body, parting, below = text.rpartition("\n\n")
    if not parting:
        raise Malformed("a note without signatures")
    lines = below.removesuffix("\n").split("\n")
    if len(lines) > NOTE_SIGNATURES_MAX:
        raise TooLarge(f"a note with more than {NOTE_SIGNATURES_MAX} signatures")
    note = Note(body + "\n", tuple(take_signature_line(line) for line in lines))
    if note.encode() != raw:
        raise Malformed("a note that is not in its one form")
    return note


def take_signature_line(line: str) -> NoteSignature:
    """Read one signature line, without its newline.

    The caller encodes it again and compares: only that shows a missing dash.
    """
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    typed = from_base64(encoded)
    return NoteSignature(name, typed[:KEY_HASH_BYTES], typed[KEY_HASH_BYTES:])


def _check_name(name: str) -> None:
    """Refuse a key name that is empty or has a space, a plus or a control character."""
    if not name or _NOT_IN_NAMES.search(name) or _FORBIDDEN.search(name):
        raise Malformed("a key name is not empty and has no space, plus or control character")
