"""What this node remembers as a witness: the newest state of each log that it has cosigned.

Statements only. A state moves from exactly the one before, so that two who ask at once
cannot both move it; which state continues which is decided by the callers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.exc import IntegrityError

from node.storage.statements import Value, change, insert_into
from node.storage.tables import witnessed


@dataclass(frozen=True, slots=True)
class Witnessed:
    """The newest checkpoint of a log that we have cosigned; `raw` has our two lines, too."""

    origin: str
    size: int
    root: bytes
    raw: bytes = field(repr=False)
    at: int  # when it was cosigned


_ALL: Final = select(*(witnessed.c[name] for name in Witnessed.__dataclass_fields__))
_ONE: Final = _ALL.where(witnessed.c.origin == bindparam("origin"))


def read_witnessed(conn: Connection, origin: str) -> Witnessed | None:
    """Read the state of a log, or None if it was never cosigned here."""
    row = conn.execute(_ONE, {"origin": origin}).first()
    return None if row is None else Witnessed(*row)


def list_witnessed(conn: Connection) -> list[Witnessed]:
    """Read the states of all logs, sorted by their origins."""
    return [Witnessed(*row) for row in conn.execute(_ALL.order_by(witnessed.c.origin))]


def list_origins(conn: Connection) -> list[str]:
    """Read which logs were cosigned here."""
    return list(conn.execute(select(witnessed.c.origin)).scalars())


def move_witnessed(conn: Connection, old: Witnessed | None, new: Witnessed) -> bool:
    """Move the state of a log from exactly `old`; False if it was no longer there."""
    values: dict[str, Value] = {"size": new.size, "root": new.root, "raw": new.raw, "at": new.at}
    if old is not None:
        where: dict[str, Value] = {"origin": old.origin, "size": old.size, "root": old.root}
        return change(conn, witnessed, where, values) == 1
    savepoint = conn.begin_nested()
    try:
        conn.execute(insert_into(witnessed), {"origin": new.origin, **values})
    except IntegrityError:  # another process was first
        savepoint.rollback()
        return False
    savepoint.commit()
    return True
