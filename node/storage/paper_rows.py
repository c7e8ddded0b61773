"""The rows of steps that came on paper. Statements only; sealed texts pass through unread."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, func, select

from node.storage.statements import Value, insert_into
from node.storage.tables import paper_steps


@dataclass(frozen=True, slots=True)
class StoredStep:
    """One step of a case outside the network; `place` counts from 1 within its case."""

    id: str
    case_id: str
    place: int
    event: str
    side: str
    channel: str
    at: int
    recorded_at: int
    recorded_by: str | None
    sealed_body: bytes = field(repr=False)


_ROW = [paper_steps.c[name] for name in StoredStep.__dataclass_fields__]
_OF_CASE = (
    select(*_ROW).where(paper_steps.c.case_id == bindparam("one")).order_by(paper_steps.c.place)
)
_LAST = select(func.max(paper_steps.c.place)).where(paper_steps.c.case_id == bindparam("one"))


def insert_step(conn: Connection, step: StoredStep) -> None:
    """Store a new step."""
    values: dict[str, Value] = {name: getattr(step, name) for name in step.__dataclass_fields__}
    conn.execute(insert_into(paper_steps), values)


def list_steps(conn: Connection, case_id: str) -> list[StoredStep]:
    """Read the steps of a case in the order in which they were recorded."""
    return [StoredStep(*row) for row in conn.execute(_OF_CASE, {"one": case_id})]


def last_place(conn: Connection, case_id: str) -> int:
    """Give the place of the newest step of a case; 0 if it has none."""
    return int(conn.execute(_LAST, {"one": case_id}).scalar() or 0)
