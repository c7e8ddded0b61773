"""The links that messages themselves make: what a request says it follows, replaces or converts.

An Effect. A link is made only to a case that is here and is between the same two authorities,
so that no peer can tie a case to one that it has no part in. People link by hand whatever
else belongs together (`node.cases.keeping`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from node.audit.casework_records import CaseLinked
from node.cases.happened import Happened
from node.storage import Connection, case_rows, link_rows
from node.storage.case_rows import Case
from node.storage.link_rows import Link
from node.storage.writer import Tx
from protocol.encoding import Json
from protocol.identity import CASE_ID
from protocol.lifecycle import machine_of
from protocol.lifecycle_guards import TIME_LIMITED

_OPENS: Final = "transmit"
_CONVERTS: Final = "convert_measure"
_RELATED_MAX: Final = 16


class Linking:
    """Links the cases of one authority by what steps name; an `Effect`."""

    def __init__(self, network: str) -> None:
        """Link them, and record it in the log of `network`."""
        self._network = network

    def __call__(self, tx: Tx, one: Happened) -> None:
        """Make the links that a step names."""
        if one.event == _CONVERTS and one.before != one.after:
            self._link(tx, one.case, one.body.get("request"), "preserves-for")
        elif one.event == _OPENS:
            self._link(tx, one.case, one.body.get("supersedes"), "supersedes")
            for other in _related(one.body.get("related_requests")):
                self._relate(tx, one.case, other)

    def _relate(self, tx: Tx, case: Case, named: Json) -> None:
        other = _here(tx.conn, case, named)
        if other is None:
            return
        if case.request_kind == "TRANSFER_PROCEEDINGS" and other.request_kind == "EXTRADITION":
            self._store(tx, case, "transfers", other)
        elif other.request_kind in TIME_LIMITED:
            self._store(tx, other, "preserves-for", case)
        elif machine_of(other.request_kind) != "request":
            self._store(tx, other, "led-to", case)
        else:
            self._store(tx, case, "related", other)

    def _link(self, tx: Tx, case: Case, named: Json, relation: str) -> None:
        other = _here(tx.conn, case, named)
        if other is not None:
            self._store(tx, case, relation, other)

    def _store(self, tx: Tx, case: Case, relation: str, other: Case) -> None:
        if link_rows.insert_link(tx.conn, Link(case.id, relation, other.id, tx.now)):
            tx.record(CaseLinked(self._network, tx.now, case.log_id, by=tx.by))


def _related(listed: Json) -> Iterator[Json]:
    """Give the cases that a request names among its related ones."""
    for each in listed[:_RELATED_MAX] if isinstance(listed, (list, tuple)) else ():
        if isinstance(each, dict):
            yield each.get("case")


def _here(conn: Connection, case: Case, named: Json) -> Case | None:
    """Give the case of this id, if it is here and between the same two authorities."""
    if not isinstance(named, str) or CASE_ID.fullmatch(named) is None or named == case.id:
        return None
    other = case_rows.read_case(conn, named)
    return other if other is not None and other.peer == case.peer else None
