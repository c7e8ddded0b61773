"""What a steward's key has signed before, kept in a file beside the key.

Two valid documents of one version split a network, so the tool refuses the second
signature. A line is the network, the version, and the digest of what was signed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from node.cli.call import failed

_PARTS: Final = 3


class SignedBefore:
    """The memory of one key file."""

    def __init__(self, key: Path) -> None:
        """Find the memory beside the key."""
        self._path = key.with_name(key.name + ".signed")

    def read(self) -> dict[tuple[str, int], str]:
        """Give the digest that was signed for each network and version."""
        if not self._path.exists():
            return {}
        found = {}
        for line in self._path.read_text(encoding="utf-8").splitlines():
            parts = line.split()
            if len(parts) != _PARTS or not parts[1].isdecimal():
                raise failed(
                    "damaged", f"{self._path} is damaged. It says what was signed: restore it."
                )
            found[parts[0], int(parts[1])] = parts[2]
        return found

    def add(self, network: str, version: int, digest: str) -> None:
        """Remember a signature, before it is given away."""
        if self.read().get((network, version)) == digest:
            return
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{network} {version} {digest}\n")
