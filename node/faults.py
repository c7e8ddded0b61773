"""What can go wrong at the desk, as one code, one exit status and one sentence each.

The command line, and the control socket that it speaks through, show the same sentence for
the same fault. Nothing here holds case content: whoever raises these writes none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from keys.keyfile import KeyFileError
from node.access.faults import NotAllowed, NotKnown, SecondPersonNeeded
from node.app import ServiceEnded
from node.audit.faults import NotErasable, NotHere
from node.cases.faults import CaseFault, Incomplete
from node.cases.law import LawError
from node.cases.register import CaseNotFound, NotNow
from node.evidence.hashing import EvidenceFault
from node.exits import Exit, Fault, describe_plain, sentence
from node.settings import SettingsError
from node.setup import AlreadyThere
from node.storage.engine import NodeRuns, Reason, StorageFailed
from node.storage.migrate import SchemaNewer
from protocol.encoding import Json
from protocol.errors import Misuse, Rejected

EXPECTED: Final = (
    Rejected, CaseNotFound, StorageFailed, KeyFileError, SettingsError, AlreadyThere,
    EvidenceFault, NodeRuns, ServiceEnded, NotHere, NotErasable, OSError,
    NotKnown, NotAllowed, SecondPersonNeeded, NotNow, CaseFault, LawError,
)  # fmt: skip
"""Faults that have a sentence; anything else is a bug and keeps its traceback."""

_PLAIN: Final[tuple[tuple[type[Exception], str], ...]] = (
    (ServiceEnded, "service-ended"),
    (AlreadyThere, "exists"),
    (CaseNotFound, "not-found"),
    (NotHere, "not-found"),
    (NotErasable, "not-erasable"),
    (NotKnown, "not-known"),
    (NotAllowed, "not-allowed"),
    (NotNow, "not-now"),
)  # what they say is a sentence already

_STORAGE_ADVICE: Final[dict[Reason, str]] = {
    "refused": "`comity doctor` looks at it; [database] url in comity.toml says where it is.",
    "full": "Make room on its disk; nothing was lost that was reported done.",
    "busy": "Try again.",
    "lost": "Is it there, does its server run, and does [database] url name it rightly?",
    "broken": "Look at the disk and at `comity audit verify` before you go on.",
}


def describe(fault: Exception) -> Fault:
    """Give the code, sentence and exit status of a fault in `EXPECTED`."""
    match fault:
        case Rejected() | OSError():
            return describe_plain(fault)
        case StorageFailed():
            return _storage(fault)
        case CaseFault():
            return _of_case(fault)
        case SecondPersonNeeded():
            return Fault("second-person", sentence(str(fault)), Exit.LATER)
        case NodeRuns():
            return Fault("node-runs", sentence(str(fault)), Exit.LATER)
        case SettingsError() | KeyFileError() | LawError():
            return Fault("configuration", str(fault), Exit.CONFIGURATION)
        case EvidenceFault():
            return Fault("evidence", sentence(fault.for_terminal), Exit.FAILED)
    for kind, code in _PLAIN:
        if isinstance(fault, kind):
            return Fault(code, sentence(str(fault)), Exit.FAILED)
    raise Misuse(f"no sentence for {type(fault).__name__}")


def _storage(fault: StorageFailed) -> Fault:
    if isinstance(fault, SchemaNewer):
        return Fault("schema-newer", str(fault), Exit.CONFIGURATION)
    doubt = " It may be done all the same: look before you repeat it." if fault.in_doubt else ""
    told = f"The database failed: {fault}. {_STORAGE_ADVICE[fault.reason]}{doubt}"
    return Fault("storage", told, Exit.LATER if fault.reason == "busy" else Exit.FAILED)


def _of_case(fault: CaseFault) -> Fault:
    report = fault.report.findings if isinstance(fault, Incomplete) else ()
    return Fault(
        fault.code, str(fault), Exit.FAILED, tuple(_texts(one.to_json()) for one in report)
    )


def _texts(found: Mapping[str, Json]) -> Mapping[str, str]:
    return {name: str(value) for name, value in found.items() if name != "unreviewed"}
