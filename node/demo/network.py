"""The demo's stewards and their one document: an introduction of everybody to everybody.

The document is drafted and signed by what `comity network` uses, two of three stewards
signing. Only their key files are left out: a steward's is sealed at a cost of seconds and a
gigabyte on purpose, and these keys are never needed again. Knows no node.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from keys.ring import new_steward_ring
from node.clock import Random
from node.stewards import Listed, first_document, sign_as_steward, unsigned, with_listings
from protocol.document import Steward
from protocol.dsse import Unverified

STEWARDS: Final = ("Registry of the Chief Justice", "Ministry of Justice", "Regional secretariat")
THRESHOLD: Final = 2
LIFETIME_S: Final = 30 * 86_400


def introduce(
    network: str, listings: Iterable[bytes], *, random: Random, now: int,
    lifetime_s: int = LIFETIME_S,
) -> Unverified:  # fmt: skip
    """Give the first network document of the authorities whose signed listings are given."""
    rings = [new_steward_ring(name, random=random, now=now) for name in STEWARDS]
    stewards = [Steward(ring.name, ring.signers().public) for ring in rings]
    empty = first_document(
        network, stewards, threshold=THRESHOLD, f=0, created=now, expires=now + lifetime_s
    )
    statement = unsigned(with_listings(empty, [Listed(raw) for raw in listings]))
    for ring in rings[:THRESHOLD]:
        statement = sign_as_steward(statement.encode(), ring, signed_before={})
    return statement
