"""Public test data that lies beside the checkout and is not part of it.

    vectors = json.loads(public("naughty-strings.json").read_text())

A test that asks for a file that is not there is skipped, with the reason.
"""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2].parent / "shared" / "vectors"


def public(*parts: str) -> Path:
    """Return the path of a public file; skip the test if it is not there."""
    path = ROOT.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"public test data is not here: {'/'.join(parts)}")
    return path
