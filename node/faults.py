"""What can go wrong at the desk, as one code, one exit status and one sentence each.

The command line, and the control socket that it speaks through, show the same sentence for
the same fault. Nothing here holds case content: whoever raises these writes none.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from keys.keyfile import KeyFileError
from node.cases.register import CaseNotFound
from node.evidence.hashing import EvidenceFault
from node.settings import SettingsError
from node.setup import AlreadyThere
from node.storage.engine import NodeRuns, StorageFailed
from node.storage.migrate import SchemaNewer
from protocol.errors import Misuse, Recovering, Rejected, TooLarge


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


EXPECTED: Final = (
    Rejected, CaseNotFound, StorageFailed, KeyFileError, SettingsError, AlreadyThere,
    EvidenceFault, NodeRuns, OSError,
)  # fmt: skip
"""Faults that have a sentence; anything else is a bug and keeps its traceback."""


def describe(fault: Exception) -> Fault:
    """Give the code, sentence and exit status of a fault in `EXPECTED`."""
    match fault:
        case NodeRuns():
            return Fault("node-runs", f"{fault}.", Exit.LATER)
        case SettingsError() | KeyFileError():
            return Fault("configuration", str(fault), Exit.CONFIGURATION)
        case SchemaNewer():
            return Fault("schema-newer", str(fault), Exit.CONFIGURATION)
        case StorageFailed():
            return Fault("storage", f"The database failed: {fault}.", Exit.FAILED)
        case Recovering():
            sentence = (
                f"The log signs nothing: {fault.detail}. `comity doctor` says what to do; "
                "do not delete the guard."
            )
            return Fault(fault.code, sentence, Exit.FAILED)
        case TooLarge():
            return Fault(fault.code, f"Too large: {fault.detail}.", Exit.FAILED)
        case Rejected():
            return Fault(fault.code, f"{fault.detail}. {fault.hint}", Exit.FAILED)
        case EvidenceFault():
            return Fault("evidence", fault.for_terminal, Exit.FAILED)
        case OSError():
            name = f"{fault.filename}: " if fault.filename else ""
            return Fault("file", f"{name}{fault.strerror or fault}.", Exit.FAILED)
        case CaseNotFound() | AlreadyThere():
            return Fault("not-found", str(fault), Exit.FAILED)
    raise Misuse(f"no sentence for {type(fault).__name__}")
