"""The anchor: which network document officers compared first, kept outside the database.

Whoever can edit the database could otherwise put another first document there, with
stewards of his own, and the whole chain of trust would follow it. The anchor stands beside
the guard, in no backup of the database. It knows one digest and nothing of what it names.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from protocol.encoding import HEX64
from protocol.errors import Recovering

_BYTES_MAX = 128


class Anchor:
    """The digest of the first network document, in a file of its own."""

    def __init__(self, guard_file: Path) -> None:
        """Keep the digest beside the guard."""
        self._path = guard_file.with_name("network")

    def read(self) -> str | None:
        """Give the digest, or None if no document was installed yet."""
        try:
            with self._path.open("rb") as file:
                text = file.read(_BYTES_MAX).decode("ascii", "replace").strip()
        except FileNotFoundError:
            return None
        if HEX64.fullmatch(text) is None:
            raise Recovering("the anchor of the network document is damaged")
        return text

    def create(self, digest: str) -> None:
        """Keep the digest for good; an anchor that is there stays."""
        if self._path.exists():
            return
        fresh = self._path.with_name(f"{self._path.name}.new")
        with fresh.open("wb") as file:
            file.write(digest.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        # A name is given to what is whole: half an anchor would keep the node from starting.
        with contextlib.suppress(FileExistsError):
            os.link(fresh, self._path)
        fresh.unlink()
