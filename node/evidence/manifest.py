"""The manifest: which files an authority offers as evidence, each with size and digest.

    {"items":[{"path":"a/b.pdf","sha256":"…","size":12,"type":"application/pdf"}],"v":1}

Canonical JSON, at least one item, sorted by the bytes of the paths, every path in the form
of `paths` and none colliding with another. A request or an answer carries these bytes, or
their digest and the number of items. This module must not know the disk; `hashing` makes
manifests from files and `compare` holds files against one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from node.evidence.paths import PATH_BYTES_MAX, collision, safe_path
from protocol.digest import sha256_hex
from protocol.encoding import HEX64, Fields, Json, canonical, decode
from protocol.errors import Malformed, TooLarge
from protocol.limits import (
    INTEGER_MAX,
    MANIFEST_FILE_BYTES_MAX,
    MANIFEST_INLINE_BYTES_MAX,
    MANIFEST_ITEMS_MAX,
)

_VERSION: Final = 1
_WORD: Final = r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}"
MEDIA_TYPE: Final = re.compile(f"{_WORD}/{_WORD}")  # RFC 6838 section 4.2, lower case
_MEDIA_TYPE_CHARS_MAX: Final = 255


@dataclass(frozen=True, slots=True)
class Item:
    """One file offered as evidence: its path, media type, size in bytes and SHA-256."""

    path: str
    type: str
    size: int
    sha256: str

    def __post_init__(self) -> None:
        """Refuse an item that a manifest cannot hold, whoever made it."""
        safe_path(self.path)
        if MEDIA_TYPE.fullmatch(self.type) is None:
            raise Malformed("an item's media type is not in its form")
        if not 0 <= self.size <= INTEGER_MAX:
            raise Malformed("an item's size is out of range")
        if HEX64.fullmatch(self.sha256) is None:
            raise Malformed("an item's digest is not 64 hex digits")


@dataclass(frozen=True, slots=True)
class Manifest:
    """The list of the files offered, in the one order it can have; never empty."""

    items: tuple[Item, ...]

    def __post_init__(self) -> None:
        """Refuse a list that is empty, too long, not sorted, or has colliding paths."""
        if not self.items:
            # "All items are the same" must not be true of nothing.
            raise Malformed("a manifest without items")
        if len(self.items) > MANIFEST_ITEMS_MAX:
            raise TooLarge(f"more than {MANIFEST_ITEMS_MAX} items in a manifest")
        paths = [item.path.encode() for item in self.items]
        if any(first >= second for first, second in pairwise(paths)):
            raise Malformed("the items are not sorted by path, or a path occurs twice")
        if collision(item.path for item in self.items) is not None:
            raise Malformed("two paths of a manifest are one on some disks")

    @property
    def size(self) -> int:
        """The bytes of all files together."""
        return sum(item.size for item in self.items)

    @property
    def digest(self) -> str:
        """SHA-256 of the encoded manifest, as hex: what a message signs."""
        return sha256_hex(self.encode())

    def encode(self) -> bytes:
        """Give the canonical bytes; refuse a manifest larger than a file may be."""
        items: list[Json] = [
            {"path": item.path, "sha256": item.sha256, "size": item.size, "type": item.type}
            for item in self.items
        ]
        raw = canonical({"items": items, "v": _VERSION})
        if len(raw) > MANIFEST_FILE_BYTES_MAX:
            raise TooLarge(f"a manifest of more than {MANIFEST_FILE_BYTES_MAX} bytes")
        return raw


def manifest_of(items: Sequence[Item]) -> Manifest:
    """Make a manifest of items in any order."""
    return Manifest(tuple(sorted(items, key=lambda item: item.path.encode())))


def decode_manifest(raw: bytes, *, bytes_max: int = MANIFEST_INLINE_BYTES_MAX) -> Manifest:
    """Decode a manifest strictly: bytes in, a manifest or `Rejected` out.

    The default cap is that of a manifest inside a message; whoever reads one from a file
    passes `MANIFEST_FILE_BYTES_MAX`.
    """
    fields = Fields(decode(raw, bytes_max=bytes_max), "manifest")
    fields.integer("v", low=_VERSION, high=_VERSION)
    listed = fields.items("items", count_max=MANIFEST_ITEMS_MAX)
    fields.done()
    manifest = Manifest(tuple(_decode_item(item) for item in listed))
    if manifest.encode() != raw:
        raise Malformed("a manifest is not in its only form")
    return manifest


def _decode_item(value: Json) -> Item:
    fields = Fields(value, "item")
    item = Item(
        path=fields.text("path", chars_max=PATH_BYTES_MAX),
        type=fields.text("type", chars_max=_MEDIA_TYPE_CHARS_MAX),
        size=fields.integer("size"),
        sha256=fields.digest("sha256"),
    )
    fields.done()
    return item


def media_type(path: str) -> str:
    """Give the media type that the ending of the name stands for.

    The table is our own and closed: the standard library's grows with the host's and with
    the version of Python, and one folder must give one manifest everywhere. The type is a
    hint for whoever opens the file; nothing is ever decided by it.
    """
    name = path.rpartition("/")[2]
    stem, dot, ending = name.rpartition(".")
    return _MEDIA_TYPES.get(ending.lower(), _UNKNOWN) if stem and dot else _UNKNOWN


_UNKNOWN: Final = "application/octet-stream"
_MEDIA_TYPES: Final = {
    # documents and tables
    "csv": "text/csv", "doc": "application/msword", "htm": "text/html", "html": "text/html",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "ics": "text/calendar", "json": "application/json", "log": "text/plain",
    "md": "text/markdown", "odp": "application/vnd.oasis.opendocument.presentation",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odt": "application/vnd.oasis.opendocument.text", "pdf": "application/pdf",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "rtf": "application/rtf", "tsv": "text/tab-separated-values", "txt": "text/plain",
    "vcf": "text/vcard", "xhtml": "application/xhtml+xml", "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xml": "application/xml",
    # mail and signatures
    "eml": "message/rfc822", "mbox": "application/mbox", "msg": "application/vnd.ms-outlook",
    "p7m": "application/pkcs7-mime", "p7s": "application/pkcs7-signature",
    # pictures
    "bmp": "image/bmp", "gif": "image/gif", "heic": "image/heic", "jpeg": "image/jpeg",
    "jpg": "image/jpeg", "png": "image/png", "svg": "image/svg+xml", "tif": "image/tiff",
    "tiff": "image/tiff", "webp": "image/webp",
    # sound and film
    "3gp": "video/3gpp", "aac": "audio/aac", "avi": "video/vnd.avi", "flac": "audio/flac",
    "m4a": "audio/mp4", "m4v": "video/mp4", "mkv": "video/matroska", "mov": "video/quicktime",
    "mp3": "audio/mpeg", "mp4": "video/mp4", "mpeg": "video/mpeg", "mpg": "video/mpeg",
    "ogg": "audio/ogg", "opus": "audio/ogg", "wav": "audio/wav", "webm": "video/webm",
    # archives
    "7z": "application/x-7z-compressed", "bz2": "application/x-bzip2", "gz": "application/gzip",
    "rar": "application/vnd.rar", "tar": "application/x-tar", "xz": "application/x-xz",
    "zip": "application/zip", "zst": "application/zstd",
    # what examiners bring
    "db": "application/vnd.sqlite3", "gpx": "application/gpx+xml",
    "kml": "application/vnd.google-earth.kml+xml", "pcap": "application/vnd.tcpdump.pcap",
    "sqlite": "application/vnd.sqlite3",
}  # fmt: skip
"""Media types by the last ending of a name, in lower case."""
