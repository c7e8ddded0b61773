"""A filled-in request of every kind that the node brings, for people to begin with.

    example_of("MLA_BANK_RECORDS")      # the body of a fictional request, or None

Nobody types a request from nothing. The examples lie in `examples.json`; names and States in
them do not exist, and what the node fills in on sending is left out. They decide nothing: what
a kind wants is in its own file, and this module knows no rule of it.
"""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Final

from protocol.encoding import Json

_FILE: Final = Path(__file__).with_name("examples.json")


def example_of(kind: str) -> dict[str, Json] | None:
    """Give a body of its own of a fictional request; None of a kind that the node did not bring."""
    return copy.deepcopy(_all().get(kind))


@cache
def _all() -> dict[str, dict[str, Json]]:
    found: dict[str, dict[str, Json]] = json.loads(_FILE.read_text(encoding="utf-8"))
    return found
