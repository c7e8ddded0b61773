"""The verifier that needs no installation: one HTML file, made of the modules beside this one.

    Path("verify.html").write_bytes(verifier_html())

The page is written from `protocol/SPEC.md`, in JavaScript, and shares no code with the
Python verifier, so that one fault does not hide in both. `verify.html` is made by
`python -m node.page.build` and committed; nothing is built where a node is installed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
PAGE: Final = FOLDER / "verify.html"


def verifier_html() -> bytes:
    """Give the whole page, as it is committed."""
    return PAGE.read_bytes()
