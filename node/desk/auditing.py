"""The verbs of the log: erase, let auditors read, keep timestamps.

Parses arguments and renders results; what may be done, the modules of `node.audit` say.
Reading the log needs no verb: `comity audit` reads the database itself, beside the node.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from node.audit.erasure import Spans, erase_case, erase_records
from node.audit.kept import newest_number
from node.desk.verb import Desk, Result, Verb
from node.storage.writer import Tx
from protocol.encoding import Fields

_REASON_CHARS_MAX: Final = 64
_SPANS_CHARS_MAX: Final = 64 * 1024


def _audit_erase(desk: Desk, args: Fields) -> Result:
    asked = args.integer_or_none("log", low=1)
    spans = Spans.parse(args.text("entries", chars_max=_SPANS_CHARS_MAX))
    reason = args.text("reason", chars_max=_REASON_CHARS_MAX)
    number = asked or desk.database.read(newest_number)
    network = desk.office.network
    erased = desk.unit(lambda tx: erase_records(tx, network, spans, log=number, reason=reason))
    return {
        "schema": "comity.erased/1", "log": number, "entries": str(erased), "count": erased.count,
        "reason": reason,
    }  # fmt: skip


def _case_erase(desk: Desk, args: Fields) -> Result:
    name, reason = args.text("case"), args.text("reason", chars_max=_REASON_CHARS_MAX)

    def erase(tx: Tx) -> str:
        case = desk.register.find(tx.conn, name, lock=True)
        erase_case(tx, desk.office.network, case, reason=reason)
        return case.id

    return {"schema": "comity.erased/1", "case": desk.unit(erase), "reason": reason}


AUDITING: Final[Mapping[str, Verb]] = {
    "audit.erase": Verb(
        _audit_erase, frozenset({"log", "entries", "reason"}), writes=True, needs_keys=True
    ),
    "case.erase": Verb(_case_erase, frozenset({"case", "reason"}), writes=True, needs_keys=True),
}
