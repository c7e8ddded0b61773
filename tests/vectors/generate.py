"""Make the vectors that are missing: `python -m tests.vectors.generate`.

Keys, salts and times come from fixed seeds. ML-DSA and sealing draw chance of their own, so
a vector with either comes out different each time; therefore a file that exists is left
alone, unless `--renew` asks for all of them anew. Every vector is judged before anything is
written: one that does not give what it says stops the run.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.vectors.form import FOLDER, Vector, names
from tests.vectors.judge import fault_of
from tests.vectors.makers import (
    basics,
    bundles,
    cases,
    envelopes,
    histories,
    links,
    logs,
    messages,
    receipt_files,
    signatures,
    trust,
    watchers,
)

MAKERS = (
    basics, signatures, messages, envelopes, logs, trust, histories, watchers, links,
    receipt_files, bundles, cases,
)  # fmt: skip


def all_vectors() -> Iterator[Vector]:
    """Make every vector, in memory."""
    for maker in MAKERS:
        yield from maker.vectors()


def write_missing(folder: Path, *, renew: bool) -> tuple[int, list[str]]:
    """Write what is missing (or everything); gives how many, and what fails."""
    written, wrong = 0, []
    wanted = set()
    for vector in all_vectors():
        wanted.add(vector.name)
        path = vector.path(folder)
        if path.exists() and not renew:
            continue
        path.parent.mkdir(exist_ok=True)
        path.write_text(vector.encode(), encoding="utf-8")
        fault = fault_of(vector)
        if fault is not None:
            wrong.append(fault)
            path.unlink()
            continue
        written += 1
    wrong += [f"{name}: nobody makes it" for name in names(folder) if name not in wanted]
    return written, wrong


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--renew", action="store_true", help="write every vector anew")
    written, wrong = write_missing(FOLDER, renew=parser.parse_args().renew)
    sys.stdout.write("".join(f"{line}\n" for line in (*wrong, f"{written} written")))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
