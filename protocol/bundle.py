"""The bundle as a file: a ZIP with nothing left to choose, and what stands first in it (SPEC 15).

    made = Bundle(about, {"receipts": (raw, …), "documents": (raw, …), …}, summary)
    assert decode_bundle(made.encode()) == made

Every entry is stored, in one order, with one name, one time and one set of flags: a
decoder takes the contents, encodes them again, and every byte must be the same. So one
bundle has one encoding, and any tool opens it. This module knows no message, key or log;
what the parts are is in `protocol/bundle_parts.py`, whether they hold in
`protocol/bundle_check.py`.
"""

from __future__ import annotations

import re
import struct
from binascii import crc32
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from protocol.encoding import Fields, canonical, decode
from protocol.errors import Malformed, TooLarge
from protocol.identity import AUTHORITY_ID, CASE_ID
from protocol.limits import BUNDLE_ABOUT_BYTES_MAX, BUNDLE_BYTES_MAX, BUNDLE_ENTRIES_MAX

BUNDLE_KIND: Final = "comity-bundle"
ABOUT_NAME: Final = "comity.json"
SUMMARY_NAME: Final = "summary.html"

FOLDERS: Final[tuple[str, ...]] = (
    "messages", "receipts", "manifests", "records", "documents", "listings", "revocations",
    "closures", "forks", "heads", "timestamps",
)  # fmt: skip
"""The folders of a bundle, in their order."""

OF_MESSAGES: Final = ("messages", "manifests")
OF_CASES: Final = (*OF_MESSAGES, "receipts")

Entry: TypeAlias = tuple[str, bytes]

_LOCAL: Final = struct.Struct("<4s3H2H3I2H")
_CENTRAL: Final = struct.Struct("<4s4H2H3I3H2HII")
_END: Final = struct.Struct("<4s4H2IH")
_LOCAL_MARK: Final = b"PK\x03\x04"
_CENTRAL_MARK: Final = b"PK\x01\x02"
_END_MARK: Final = b"PK\x05\x06"
_VERSION: Final = 20
_DATE: Final = 33  # 1980-01-01, the first day that a ZIP knows
_NAME_BYTES_MAX: Final = 64
_NUMBERED: Final = re.compile(r"([a-z]+)/([0-9]{4,5})\.json")


@dataclass(frozen=True, slots=True)
class About:
    """What a bundle says of itself; nobody signs it."""

    network: str
    authority: str
    created: int
    case: str | None
    proofs_only: bool

    def encode(self, counts: Mapping[str, int]) -> bytes:
        """Give the canonical bytes of `comity.json`."""
        return canonical({
            "v": 1, "kind": BUNDLE_KIND, "network": self.network, "authority": self.authority,
            "created": self.created, "case": self.case, "proofs_only": self.proofs_only,
            "counts": {folder: counts[folder] for folder in FOLDERS},
        })  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bundle:
    """The parts of a bundle by their folders, each byte for byte; nothing of it is proved."""

    about: About
    parts: Mapping[str, tuple[bytes, ...]] = field(repr=False)
    summary: bytes = field(repr=False)

    def folder(self, name: str) -> tuple[bytes, ...]:
        """Give the parts of one folder, in their order."""
        return self.parts.get(name, ())

    def counts(self) -> dict[str, int]:
        """Give the number of parts in each folder."""
        return {name: len(self.folder(name)) for name in FOLDERS}

    def entries(self) -> Iterator[Entry]:
        """Give every entry with its name, in the one order."""
        yield ABOUT_NAME, self.about.encode(self.counts())
        yield SUMMARY_NAME, self.summary
        for folder in FOLDERS:
            for number, raw in enumerate(self.folder(folder), 1):
                yield f"{folder}/{number:04d}.json", raw

    def encode(self) -> bytes:
        """Give the bytes of the file; raises `TooLarge` beyond the limits."""
        return encode_container(tuple(self.entries()))


# --- the container ---------------------------------------------------------


def encode_container(entries: Sequence[Entry]) -> bytes:
    """Give the ZIP of these entries, in this order (SPEC 15.1)."""
    size = sum(_LOCAL.size + len(name) + len(content) for name, content in entries)
    tail_size = sum(_CENTRAL.size + len(name) for name, _ in entries) + _END.size
    if len(entries) > BUNDLE_ENTRIES_MAX or size + tail_size > BUNDLE_BYTES_MAX:
        raise TooLarge(f"a bundle of {len(entries)} entries, {size + tail_size} bytes")
    parts: list[bytes] = []
    for name, content in entries:
        parts += [_local(name, content), content]
    parts.append(_tail(entries))
    return b"".join(parts)


def decode_container(raw: bytes) -> tuple[Entry, ...]:
    """Take a container apart; every byte must be the one that encoding gives again.

    Raises `TooLarge` or `Malformed`. Contents are compared with themselves, so it is enough
    to build what stands around them anew.
    """
    if len(raw) > BUNDLE_BYTES_MAX:
        raise TooLarge(f"a bundle of {len(raw)} bytes, at most {BUNDLE_BYTES_MAX}")
    entries: list[Entry] = []
    offset = 0
    while raw[offset : offset + len(_LOCAL_MARK)] == _LOCAL_MARK:
        entry, offset = _read_entry(raw, offset)
        entries.append(entry)
        if len(entries) > BUNDLE_ENTRIES_MAX:
            raise TooLarge(f"a bundle of more than {BUNDLE_ENTRIES_MAX} entries")
    if raw[offset:] != _tail(entries):
        raise Malformed("the list at the end of the bundle is not that of its entries")
    return tuple(entries)


def _read_entry(raw: bytes, offset: int) -> tuple[Entry, int]:
    start = offset + _LOCAL.size
    if start > len(raw):
        raise Malformed("an entry of the bundle is cut off")
    *_, size, name_size, _ = _LOCAL.unpack_from(raw, offset)
    body = start + name_size
    end = body + size
    if name_size > _NAME_BYTES_MAX or end > len(raw):
        raise Malformed("an entry of the bundle is cut off, or its name too long")
    name, content = raw[start:body].decode("latin-1"), raw[body:end]
    if not name.isascii() or raw[offset:body] != _local(name, content):
        raise Malformed("an entry of the bundle is not in its one form")
    return (name, content), end


def _local(name: str, content: bytes) -> bytes:
    """Give what stands before a content."""
    raw, size = name.encode("ascii"), len(content)
    head = _LOCAL.pack(
        _LOCAL_MARK, _VERSION, 0, 0, 0, _DATE, crc32(content), size, size, len(raw), 0
    )
    return head + raw


def _tail(entries: Sequence[Entry]) -> bytes:
    """Give what stands after the last content: the list of all entries, and its place."""
    rows: list[bytes] = []
    offset = 0
    for name, content in entries:
        raw, size = name.encode("ascii"), len(content)
        rows.append(
            _CENTRAL.pack(
                _CENTRAL_MARK, _VERSION, _VERSION, 0, 0, 0, _DATE, crc32(content), size, size,
                len(raw), 0, 0, 0, 0, 0, offset,
            )
            + raw
        )  # fmt: skip
        offset += _LOCAL.size + len(raw) + size
    listed = b"".join(rows)
    count = len(entries)
    return listed + _END.pack(_END_MARK, 0, 0, count, count, len(listed), offset, 0)


# --- the bundle ------------------------------------------------------------


def decode_bundle(raw: bytes) -> Bundle:
    """Decode a bundle strictly (SPEC 15.1 and 15.2), without looking into its parts.

    Raises `TooLarge` or `Malformed`. Names, their order and `counts` are compared by
    encoding what was found again.
    """
    entries = decode_container(raw)
    if [name for name, _ in entries[:2]] != [ABOUT_NAME, SUMMARY_NAME]:
        raise Malformed(f"a bundle begins with {ABOUT_NAME} and {SUMMARY_NAME}")
    about, counts = _decode_about(entries[0][1])
    parts: dict[str, list[bytes]] = {folder: [] for folder in FOLDERS}
    for name, content in entries[2:]:
        match = _NUMBERED.fullmatch(name)
        if match is None or match[1] not in parts:
            raise Malformed("a bundle holds an entry that has no place in it")
        parts[match[1]].append(content)
    bundle = Bundle(about, {folder: tuple(found) for folder, found in parts.items()}, entries[1][1])
    if [name for name, _ in bundle.entries()] != [name for name, _ in entries]:
        raise Malformed("the entries of the bundle are not in their order, or one is missing")
    if bundle.counts() != counts:
        raise Malformed("the bundle does not hold as many parts as it says")
    absent = OF_CASES if about.case is None else OF_MESSAGES if about.proofs_only else ()
    if any(counts[folder] for folder in absent):
        raise Malformed("the bundle holds parts that one of its kind does not have")
    return bundle


def _decode_about(raw: bytes) -> tuple[About, dict[str, int]]:
    fields = Fields(decode(raw, bytes_max=BUNDLE_ABOUT_BYTES_MAX), ABOUT_NAME)
    fields.integer("v", low=1, high=1)
    fields.choice("kind", (BUNDLE_KIND,))
    case = fields.take("case")
    about = About(
        network=fields.text("network", pattern=AUTHORITY_ID),
        authority=fields.text("authority", pattern=AUTHORITY_ID),
        created=fields.integer("created"),
        case=None if case is None else Fields({"case": case}, "").text("case", pattern=CASE_ID),
        proofs_only=_boolean(fields, "proofs_only"),
    )
    counted = Fields(fields.take("counts"), "counts")
    counts = {folder: counted.integer(folder) for folder in FOLDERS}
    counted.done()
    fields.done()
    return about, counts


def _boolean(fields: Fields, name: str) -> bool:
    value = fields.take(name)
    if not isinstance(value, bool):
        raise Malformed(f"{name} is neither true nor false")
    return value
