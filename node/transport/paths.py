"""The paths of the peer link (SPEC 8), and the grammar of what may follow them.

Bare texts, compared with the request target as it came: nothing is decoded or normalised,
so there is one way to write each. Knows no server and no client.
"""

from __future__ import annotations

import re
from typing import Final

ENVELOPES: Final = "/comity/v1/envelopes"
RECEIPTS: Final = "/comity/v1/receipts"
NETWORK: Final = "/comity/v1/network"
LISTINGS: Final = "/comity/v1/listings"

NETWORK_VERSION: Final = re.compile(rf"{NETWORK}/([1-9][0-9]{{0,14}})")
WAIT: Final = re.compile(r"wait=([0-9]{1,2})")
KNOWN: Final = re.compile(r"known=([0-9a-f]{64})")
TARGET: Final = re.compile(r"/[!-~]{0,1023}")


def proves_itself(path: str) -> bool:
    """Say whether what a path gives proves itself, so that any known key may ask for it."""
    bare = path.partition("?")[0]
    return bare in {LISTINGS, NETWORK} or bare.startswith(f"{NETWORK}/")
