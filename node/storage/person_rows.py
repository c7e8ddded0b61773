"""Who stands behind the random ids in records. Statements only.

The log holds the ids alone; erasing a row here makes one of them mean nobody.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, select

from node.storage.statements import insert_into
from node.storage.tables import persons

_ID_BYTES = 16


def person_id(conn: Connection, name: str, random: Callable[[int], bytes]) -> str:
    """Give the id of a person, making one for a name that is new."""
    found = conn.execute(select(persons.c.id).where(persons.c.name == name)).scalar()
    if found is not None:
        return str(found)
    made = random(_ID_BYTES).hex()
    conn.execute(insert_into(persons), {"id": made, "name": name})
    return made


def person_names(conn: Connection) -> dict[str, str]:
    """Give all names by id."""
    return {row.id: row.name for row in conn.execute(select(persons.c.id, persons.c.name))}
