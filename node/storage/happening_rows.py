"""The rows of what happened, for programs that want to hear of it: thin, without content.

    happening_rows.note(tx.conn, "case.changed", at=tx.now, case=case.id)

Whoever makes something happen notes it in the same transaction. Statements only; which cases
a person may know of, `member_rows` says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, delete, func, select

from node.access.roles import Person
from node.storage.member_rows import visible
from node.storage.statements import insert_into
from node.storage.tables import happenings

_KEPT_S: Final = 30 * 86_400


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened: its number, when, what, and in which case or to which draft."""

    id: int
    at: int
    kind: str
    case_id: str | None = None
    draft: str | None = None


_COLUMNS: Final = [happenings.c[name] for name in Happening.__dataclass_fields__]
_AFTER: Final = (
    select(*_COLUMNS)
    .where(happenings.c.id > bindparam("position"))
    .order_by(happenings.c.id)
    .limit(bindparam("count"))
)
_ENDS: Final = select(func.min(happenings.c.id), func.max(happenings.c.id))


def note(
    conn: Connection, kind: str, *, at: int, case: str | None = None, draft: str | None = None
) -> None:
    """Note that something happened, by a word like `case.changed`; it holds no content."""
    conn.execute(insert_into(happenings), {"at": at, "kind": kind, "case_id": case, "draft": draft})


def heard_by(
    conn: Connection, person: Person, now: int, *, after: int, count: int
) -> Sequence[Happening]:
    """Read what happened after a number, the earliest first, as far as a person may hear of it.

    That is what happens in cases that a list may show to them; and who works on cases hears
    of drafts, by a random id that opens nothing by itself.
    """
    column = happenings.c.case_id
    shown = visible(column, person, now) & column.is_not(None)
    if person.works_on_cases:
        shown |= column.is_(None)
    found = conn.execute(_AFTER.where(shown), {"position": after, "count": count})
    return [Happening(*row) for row in found]


def ends(conn: Connection) -> tuple[int, int]:
    """Give the numbers of the earliest and the newest that are kept; 0 where there is none."""
    first, last = conn.execute(_ENDS).one()
    return int(first or 0), int(last or 0)


def drop_old(conn: Connection, now: int) -> None:
    """Forget what happened more than thirty days ago: who was away longer looks at the cases."""
    newest = select(func.max(happenings.c.id)).scalar_subquery()  # its number is never used again
    conn.execute(
        delete(happenings).where(happenings.c.at < now - _KEPT_S, happenings.c.id < newest)
    )
