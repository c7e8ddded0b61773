"""The pages that came back, as files in a folder of the node until they are installed.

What is in them is sealed to this node, as it was on the wire. Knows nothing of it.
"""

from __future__ import annotations

import shutil
from pathlib import Path


def clear(folder: Path) -> None:
    """Remove all pages."""
    shutil.rmtree(folder, ignore_errors=True)


def keep_page(folder: Path, peer: str, number: int, raw: bytes) -> None:
    """Keep one page of a peer."""
    place = folder / peer
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    (place / f"{number:06}.page").write_bytes(raw)


def pages_by_peer(folder: Path) -> dict[str, list[Path]]:
    """Give the pages of each peer, in their order."""
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return {place.name: sorted(place.glob("*.page")) for place in found}


def read_page(file: Path) -> bytes:
    """Read a page."""
    return file.read_bytes()
