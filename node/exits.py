"""How a command ends: the exit statuses, and one failure as a person sees it.

The command line, the control socket and whoever describes a fault share these two. Knows no
exception: what a fault means is said in `node.faults`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Exit(IntEnum):
    """How a command ends, for scripts."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    FALSE = 3  # verified, and found false
    UNDECIDED = 4
    WARNINGS = 5  # under --strict
    LATER = 75
    CONFIGURATION = 78


@dataclass(frozen=True, slots=True)
class Fault:
    """One failure as a person sees it."""

    code: str
    sentence: str
    exit: Exit
