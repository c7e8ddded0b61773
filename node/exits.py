"""How a command ends: the exit statuses, and one failure as a person sees it.

The command line, the control socket and whoever describes a fault share these. What bytes
and files can do wrong is said here; what else can go wrong, in `node.faults`, which has to
load all that it speaks of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from protocol.errors import Recovering, Rejected, TooLarge


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
    """One failure as a person sees it.

    `findings` say of each field what is wrong with it and by which rule; they quote nothing.
    """

    code: str
    sentence: str
    exit: Exit
    findings: tuple[Mapping[str, str], ...] = ()


_ADVICE: Final = {
    "malformed": "Look at what was given: it is not in the form that is expected there.",
    "key-unknown": "Install its newest listing (`comity network install FILE`), or let the "
    "node run, which fetches it.",
    "epoch-ahead": "Install what is missing: `comity network install DOCUMENT LISTING…`.",
    "not-authentic": "It was altered, or it was not signed by those who must.",
    "not-permitted": "`comity network show` lists who is active; ask the stewards about the rest.",
    "epoch-old": "What is newer is here already: `comity network show` says which version.",
    "out-of-order": "Install what comes before it first.",
}
"""What to do about a refusal here; the hints of `protocol.errors` speak to a peer."""


def describe_plain(fault: Rejected | OSError) -> Fault:
    """Give the code, sentence and exit status of what bytes or files did wrong."""
    if isinstance(fault, OSError):
        name = f"{fault.filename}: " if fault.filename else ""
        return Fault("file", f"{name}{fault.strerror or fault}.", Exit.FAILED)
    if isinstance(fault, Recovering):
        told = (
            f"The log signs nothing: {fault.detail}. `comity doctor` says what to do, and "
            "`comity audit recover` fetches what was lost; do not delete the guard."
        )
        return Fault(fault.code, told, Exit.FAILED)
    if isinstance(fault, TooLarge):
        return Fault(fault.code, f"Too large: {fault.detail}.", Exit.FAILED)
    advice = _ADVICE.get(fault.code, fault.hint)
    return Fault(fault.code, f"{sentence(fault.detail)} {advice}", Exit.FAILED)


def sentence(detail: str) -> str:
    """Give a detail as a sentence; a name at its beginning (an id, a path) stays as it is."""
    first = detail.partition(" ")[0]
    begun = detail[:1].upper() + detail[1:] if first.isalpha() else detail
    return f"{begun.rstrip('.')}."
