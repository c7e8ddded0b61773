"""The rows of a case's offences and sums, for statistics. Statements only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, delete, insert, select

from node.storage.statements import change
from node.storage.tables import case_offences, case_sums, standings


@dataclass(frozen=True, slots=True)
class StoredSum:
    """A sum of a case: at which stage, in which currency; the amount opens with its key."""

    case_id: str
    stage: str
    currency: str
    sealed_amount: bytes = field(repr=False)


_HELD = select(case_offences.c.code).where(case_offences.c.case_id == bindparam("one"))


def add_offences(conn: Connection, case_id: str, codes: Iterable[str]) -> None:
    """Add the codes of offences that a case is about; those that it has already stay."""
    held = set(conn.execute(_HELD, {"one": case_id}).scalars())
    rows = [{"case_id": case_id, "code": code} for code in sorted(set(codes) - held)]
    if rows:
        conn.execute(insert(case_offences), rows)


def change_facts(conn: Connection, case_id: str, **facts: int | str | None) -> None:
    """Change what is counted of a case; not where it stands."""
    change(conn, standings, {"case_id": case_id}, facts)


def put_sum(conn: Connection, one: StoredSum) -> None:
    """Store a sum; what was said before for its stage and currency gives way."""
    where = {"case_id": one.case_id, "stage": one.stage, "currency": one.currency}
    if change(conn, case_sums, where, {"sealed_amount": one.sealed_amount}) == 0:
        conn.execute(insert(case_sums), {**where, "sealed_amount": one.sealed_amount})


def delete_sums(conn: Connection, case_id: str) -> None:
    """Forget the sums of a case."""
    conn.execute(delete(case_sums).where(case_sums.c.case_id == case_id))
