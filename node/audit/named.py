"""Finding what a person names by how its id begins. Reads rows, and needs no key."""

from __future__ import annotations

from node.audit.faults import NotHere
from node.storage import Connection, case_rows
from node.storage.case_rows import Case


def find_case(conn: Connection, name: str) -> Case:
    """Find a case by its id, or by how it or its random half begins; an erased one, too."""
    found = case_rows.find_cases(conn, name)
    case = case_rows.read_case(conn, found[0]) if len(found) == 1 else None
    if case is None:
        why = "several cases begin like that" if found else "no case is called that"
        raise NotHere(f"{why}; `comity case list` shows their ids")
    return case
