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
LOG_NOTICES: Final = "/comity/v1/log-notices"
LOG: Final = "/comity/v1/log"
WITNESS: Final = "/comity/v1/witness"
ADD_CHECKPOINT: Final = f"{WITNESS}/add-checkpoint"

NETWORK_VERSION: Final = re.compile(rf"{NETWORK}(?:/([1-9][0-9]{{0,14}}))?")
LOG_FILE: Final = re.compile(rf"{LOG}/([1-9][0-9]{{0,8}})/([a-z0-9./]{{1,128}})")
WITNESSED: Final = re.compile(rf"{WITNESS}/([0-9a-f]{{64}})/checkpoint")
WAIT: Final = re.compile(r"wait=([0-9]{1,2})")
KNOWN: Final = re.compile(r"known=([0-9a-f]{64})")
RECOVER: Final = re.compile(
    r"above=(0|[1-9][0-9]{0,14})&log=([1-9][0-9]{0,8})&since=(0|[1-9][0-9]{0,14})"
    r"(?:&after=([0-9a-f]{64}))?"
)
TARGET: Final = re.compile(r"/[!-~]{0,1023}")


def proves_itself(path: str) -> bool:
    """Say whether what goes over a path proves itself, so that any known key may use it."""
    bare = path.partition("?")[0]
    return bare in {LISTINGS, NETWORK, LOG_NOTICES} or bare.startswith(f"{NETWORK}/")
