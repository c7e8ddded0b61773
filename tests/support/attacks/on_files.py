"""Attacks on the file itself: its entries and its bytes."""

from __future__ import annotations

import struct
from binascii import crc32
from typing import Final

from protocol.bundle import Entry
from tests.support.attacks.made import LAST, Base, on_bytes, on_entries
from tests.support.forge import flipped


@on_entries("summary-changed", "The page for people says something else.")
def _(_base: Base, entries: list[Entry]) -> None:
    entries[1] = (entries[1][0], entries[1][1].replace(b"accepted", b"refused", 1))


@on_entries("about-another-case", "It says that it is about another case.")
def _(_base: Base, entries: list[Entry]) -> None:
    about = entries[0][1].replace(b"c0c0c0", b"c0c0c1", 1)
    page = entries[1][1].replace(b"c0c0c0", b"c0c0c1")
    entries[:2] = [(entries[0][0], about), (entries[1][0], page)]


@on_entries("counts-too-many", "It says that there is one receipt more.")
def _(_base: Base, entries: list[Entry]) -> None:
    entries[0] = (entries[0][0], entries[0][1].replace(b'"receipts":3', b'"receipts":4'))


@on_entries("proofs-only-with-texts", "It says that there are no texts, and there are.")
def _(_base: Base, entries: list[Entry]) -> None:
    about = entries[0][1].replace(b'"proofs_only":false', b'"proofs_only":true')
    entries[0] = (entries[0][0], about)


@on_entries("entry-left-out", "The last entry is missing.")
def _(_base: Base, entries: list[Entry]) -> None:
    del entries[LAST]


@on_entries("entries-exchanged", "Two contents of a folder have changed places.")
def _(_base: Base, entries: list[Entry]) -> None:
    first, second = entries[2], entries[3]
    entries[2:4] = [(first[0], second[1]), (second[0], first[1])]


@on_entries("entries-out-of-order", "Two entries have changed places, with their names.")
def _(_base: Base, entries: list[Entry]) -> None:
    entries[2], entries[3] = entries[3], entries[2]


@on_entries("entry-with-a-gap", "A number is left out.")
def _(_base: Base, entries: list[Entry]) -> None:
    entries[LAST] = ("heads/0003.json", entries[LAST][1])


@on_entries("entry-of-another-name", "An entry that has no place.")
def _(_base: Base, entries: list[Entry]) -> None:
    entries.append(("letter.html", b"<script>alert(1)</script>"))


@on_entries("entry-twice", "One name stands twice.")
def _(_base: Base, entries: list[Entry]) -> None:
    entries.append(entries[LAST])


@on_entries("entry-with-more-digits", "A number with five digits where four are enough.")
def _(_base: Base, entries: list[Entry]) -> None:
    entries[LAST] = ("heads/00002.json", entries[LAST][1])


@on_entries("entry-with-a-space", "A part that is JSON, and not in its one form.")
def _(_base: Base, entries: list[Entry]) -> None:
    entries[2] = (entries[2][0], entries[2][1].replace(b":", b": ", 1))


LOCAL: Final = b"PK\x03\x04"
CENTRAL: Final = b"PK\x01\x02"


def patched(raw: bytes, at: int, form: str, value: int) -> bytes:
    """Put a number at a place."""
    new = struct.pack(form, value)
    return raw[:at] + new + raw[at + len(new) :]


@on_bytes("bytes-at-the-end", "One byte more.")
def _(raw: bytes) -> bytes:
    return raw + b"\0"


@on_bytes("bytes-before", "A file that begins with something else, as many tools accept.")
def _(raw: bytes) -> bytes:
    return b"PK" + raw


@on_bytes("cut-in-an-entry", "The second half is missing.")
def _(raw: bytes) -> bytes:
    return raw[: len(raw) // 2]


@on_bytes("cut-in-the-list", "The last byte is missing.")
def _(raw: bytes) -> bytes:
    return raw[:LAST]


@on_bytes("comment", "A comment at the end.")
def _(raw: bytes) -> bytes:
    return patched(raw, len(raw) - 2, "<H", 2) + b"hi"


@on_bytes("method-deflate", "An entry says that it is compressed.")
def _(raw: bytes) -> bytes:
    return patched(raw, raw.index(CENTRAL) + 10, "<H", 8)


@on_bytes("another-date", "An entry has the time at which it was packed.")
def _(raw: bytes) -> bytes:
    return patched(raw, raw.index(LOCAL) + 12, "<H", 0x5B6D)


@on_bytes("flag-set", "An entry says that its length comes later.")
def _(raw: bytes) -> bytes:
    return patched(raw, raw.index(LOCAL) + 6, "<H", 8)


@on_bytes("checksum-changed", "The list has another checksum than the entry.")
def _(raw: bytes) -> bytes:
    return patched(raw, raw.index(CENTRAL) + 16, "<I", crc32(b"other"))


@on_bytes("offset-changed", "The list names another place for the first entry.")
def _(raw: bytes) -> bytes:
    return patched(raw, raw.index(CENTRAL) + 42, "<I", 1)


@on_bytes("length-of-four-gigabytes", "An entry says that it is longer than the file.")
def _(raw: bytes) -> bytes:
    return patched(raw, raw.index(LOCAL) + 22, "<I", 2**32 - 1)


@on_bytes("content-changed-without-its-checksum", "One bit in the middle of a message.")
def _(raw: bytes) -> bytes:
    return flipped(raw, raw.index(b"messages/0001.json") + 600)


@on_bytes("mark-of-the-file-changed", "The first byte is another.")
def _(raw: bytes) -> bytes:
    return flipped(raw, 0)
