"""What goes over HTTP as C2SP has it: text and tiles, for clients that know no Comity.

Content types, statuses and cache words of tlog-tiles and tlog-witness (SPEC 8.4). Bytes
only: what a body says is for the witness and for the log to know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

TEXT: Final = "text/plain"  # where C2SP has a charset, only the unsigned answer names it
TEXT_WITH_CHARSET: Final = "text/plain; charset=utf-8"
OCTETS: Final = "application/octet-stream"

WITNESS_STATUSES: Final = frozenset({200, 400, 403, 404, 409, 422})
FILE_BYTES_MAX: Final = 64 * 1024  # a note; a full tile has 8 KiB, a full bundle 9
NOT_KEPT: Final = "no-store"
KEPT: Final = "private, max-age=31536000, immutable"  # in no cache that others read


@dataclass(frozen=True, slots=True)
class WitnessAnswer:
    """What a witness answers to add-checkpoint: one of `WITNESS_STATUSES`."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class LogFile:
    """One file of a log; what is `immutable` may be kept by whoever was given it."""

    body: bytes
    content_type: str = OCTETS
    immutable: bool = True
