"""Key files of tests: real ones, but cheap to open.

write(tmp_path / "node.key", ring())
read_key_file(tmp_path / "node.key", PASSPHRASE)
"""

from __future__ import annotations

import os
from pathlib import Path

from keys.keyfile import Costs, KeyRing, StewardRing, new_ring, write_key_file
from tests.support.clock import START, SeededRandom

QUICK = Costs(8_192, 1)
PASSPHRASE = b"a long enough passphrase"


def ring(seed: str = "ring") -> KeyRing:
    """Give a fresh ring of one authority."""
    return new_ring("harbour", "qm.justice", random=SeededRandom(seed), now=START)


def write(path: Path, made: KeyRing | StewardRing, *, replace: bool = False) -> None:
    """Write a key file that costs little to open."""
    write_key_file(
        path, made, PASSPHRASE, strength="steward", random=os.urandom, replace=replace, costs=QUICK
    )
