"""The verifier page in a real browser: every vector, from a file, without a network."""

from __future__ import annotations

import pytest

from tests.browser.verifier import Verifier
from tests.vectors.form import FOLDER, names, read

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

UNREAD = frozenset({
    "padding", "envelope", "batch", "hop-request", "hop-response", "policy", "add-checkpoint",
    "cosignatures", "bundle", "lifecycle",
})  # fmt: skip
"""What only nodes and their tools read; and bundles, which are dropped as what they are."""

DOCUMENTS = {"ok-first.txt": (FOLDER / "network" / "ok-first.txt").read_bytes()}
VECTORS = tuple(name for name in names() if name.partition("/")[0] not in UNREAD)


def test_the_page_agrees_on_every_vector(verifier: Verifier) -> None:
    """Each gives the outcome that it names, in the engine of a browser."""
    types = sorted({name.partition("/")[0] for name in VECTORS})
    wrong = []
    for type_ in types:
        # Listings, revocations and closures name the document that judges them.
        mine = [one for one in VECTORS if one.startswith(f"{type_}/")]
        files = {
            f"{one.partition('/')[2]}.txt": (FOLDER / f"{one}.txt").read_bytes() for one in mine
        }
        others = {} if type_ == "network" else DOCUMENTS
        found = verifier.judge({**others, **files})
        wrong += [
            f"{one}: {shown.conclusion} {shown.outcome}" for one in mine
            if (shown := found[f"{one.partition('/')[2]}.txt"]).outcome != read(one).expect
            or shown.conclusion != "true"
        ]  # fmt: skip
    assert wrong == []
