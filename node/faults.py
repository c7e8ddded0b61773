"""What can go wrong at the desk, as one code, one exit status and one sentence each.

The command line, and the control socket that it speaks through, show the same sentence for
the same fault. Nothing here holds case content: whoever raises these writes none.
"""

from __future__ import annotations

from typing import Final

from keys.keyfile import KeyFileError
from node.cases.register import CaseNotFound
from node.evidence.hashing import EvidenceFault
from node.exits import Exit, Fault, describe_plain
from node.settings import SettingsError
from node.setup import AlreadyThere
from node.storage.engine import NodeRuns, StorageFailed
from node.storage.migrate import SchemaNewer
from protocol.errors import Misuse, Rejected

EXPECTED: Final = (
    Rejected, CaseNotFound, StorageFailed, KeyFileError, SettingsError, AlreadyThere,
    EvidenceFault, NodeRuns, OSError,
)  # fmt: skip
"""Faults that have a sentence; anything else is a bug and keeps its traceback."""


def describe(fault: Exception) -> Fault:
    """Give the code, sentence and exit status of a fault in `EXPECTED`."""
    match fault:
        case Rejected() | OSError():
            return describe_plain(fault)
        case StorageFailed():
            return _storage(fault)
        case NodeRuns():
            return Fault("node-runs", f"{fault}.", Exit.LATER)
        case SettingsError() | KeyFileError():
            return Fault("configuration", str(fault), Exit.CONFIGURATION)
        case EvidenceFault():
            return Fault("evidence", f"{fault.for_terminal}.", Exit.FAILED)
        case CaseNotFound() | AlreadyThere():
            return Fault("not-found", str(fault), Exit.FAILED)
    raise Misuse(f"no sentence for {type(fault).__name__}")


def _storage(fault: StorageFailed) -> Fault:
    if isinstance(fault, SchemaNewer):
        return Fault("schema-newer", str(fault), Exit.CONFIGURATION)
    return Fault("storage", f"The database failed: {fault}.", Exit.FAILED)
