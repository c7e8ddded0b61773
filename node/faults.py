"""What can go wrong at the desk, as one code, one exit status and one sentence each.

The command line, and the control socket that it speaks through, show the same sentence for
the same fault. Nothing here holds case content: whoever raises these writes none.
"""

from __future__ import annotations

from typing import Final

from keys.keyfile import KeyFileError
from node.cases.register import CaseNotFound
from node.evidence.hashing import EvidenceFault
from node.exits import Exit, Fault
from node.settings import SettingsError
from node.setup import AlreadyThere
from node.storage.engine import NodeRuns, StorageFailed
from node.storage.migrate import SchemaNewer
from protocol.errors import Misuse, Recovering, Rejected, TooLarge

EXPECTED: Final = (
    Rejected, CaseNotFound, StorageFailed, KeyFileError, SettingsError, AlreadyThere,
    EvidenceFault, NodeRuns, OSError,
)  # fmt: skip
"""Faults that have a sentence; anything else is a bug and keeps its traceback."""


_ADVICE: Final = {
    "malformed": "Look at what was given: it is not in the form that is expected there.",
    "key-unknown": "Install its newest listing (`comity network install FILE`), or let the "
    "node run, which fetches it.",
    "epoch-ahead": "Install what is missing: `comity network install DOCUMENT LISTING…`.",
    "not-authentic": "It was altered, or it was signed by somebody else.",
    "out-of-order": "Install what comes before it first.",
}
"""What to do about a refusal here; the hints of `protocol.errors` speak to a peer."""


def describe(fault: Exception) -> Fault:
    """Give the code, sentence and exit status of a fault in `EXPECTED`."""
    match fault:
        case Rejected():
            return _rejected(fault)
        case StorageFailed():
            return _storage(fault)
        case NodeRuns():
            return Fault("node-runs", f"{fault}.", Exit.LATER)
        case SettingsError() | KeyFileError():
            return Fault("configuration", str(fault), Exit.CONFIGURATION)
        case EvidenceFault():
            return Fault("evidence", f"{fault.for_terminal}.", Exit.FAILED)
        case OSError():
            name = f"{fault.filename}: " if fault.filename else ""
            return Fault("file", f"{name}{fault.strerror or fault}.", Exit.FAILED)
        case CaseNotFound() | AlreadyThere():
            return Fault("not-found", str(fault), Exit.FAILED)
    raise Misuse(f"no sentence for {type(fault).__name__}")


def _storage(fault: StorageFailed) -> Fault:
    if isinstance(fault, SchemaNewer):
        return Fault("schema-newer", str(fault), Exit.CONFIGURATION)
    return Fault("storage", f"The database failed: {fault}.", Exit.FAILED)


def _rejected(fault: Rejected) -> Fault:
    if isinstance(fault, Recovering):
        sentence = (
            f"The log signs nothing: {fault.detail}. `comity doctor` says what to do; "
            "do not delete the guard."
        )
        return Fault(fault.code, sentence, Exit.FAILED)
    if isinstance(fault, TooLarge):
        return Fault(fault.code, f"Too large: {fault.detail}.", Exit.FAILED)
    advice = _ADVICE.get(fault.code, fault.hint)
    return Fault(fault.code, f"{_capital(fault.detail)}. {advice}", Exit.FAILED)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
