"""Finding entries of a log by what their records name, and whom random ids stand for.

Records are canonical JSON, so a member stands in one form: looking for its bytes is exact
(a quotation mark inside a text is escaped) and needs no parser. A search reads the log from
one end to the other, in pages by position, in constant memory. Statements only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    Select,
    and_,
    cast,
    func,
    literal,
    or_,
    select,
)

from node.storage.log_rows import EntryRow
from node.storage.tables import cases, log_entries, messages, persons

_PAGE: Final = 1_024
_IDENTITY: Final = b'"identity":"'
_IDENTITY_CHARS: Final = 64

_ENTRY = select(*(log_entries.c[name] for name in EntryRow.__dataclass_fields__))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries are looked for; what is not given matches everything.

    `members` must all stand in the record, each in one of its forms. With `case_id` or
    `peer` also entries match that name a message of it.
    """

    log: int
    first_at: int | None = None
    last_at: int | None = None
    kind: str | None = None
    members: tuple[tuple[bytes, ...], ...] = ()
    case_id: str | None = None
    case_members: tuple[bytes, ...] = ()
    peer: str | None = None


def member(name: str, text: str) -> bytes:
    """Give a member of a record as it stands in there; for ids, which need no escapes."""
    return f'"{name}":"{text}"'.encode()


def found_pages(conn: Connection, wanted: Wanted) -> Iterator[Sequence[EntryRow]]:
    """Give the entries that match, in their order, a page at a time."""
    query = _query(conn, wanted).order_by(log_entries.c.position).limit(_PAGE)
    start = 0
    while True:
        rows = conn.execute(query.where(log_entries.c.position >= start)).all()
        if rows:
            yield [EntryRow(*row) for row in rows]
        if len(rows) < _PAGE:
            return
        start = int(rows[-1][0]) + 1


def _query(conn: Connection, wanted: Wanted) -> Select[Any]:
    entry, looked = log_entries.c, _Looking(conn)
    query = _ENTRY.where(entry.log == wanted.log)
    if wanted.first_at is not None:
        query = query.where(entry.at >= wanted.first_at)
    if wanted.last_at is not None:
        query = query.where(entry.at <= wanted.last_at)
    if wanted.kind is not None:
        query = query.where(entry.kind == wanted.kind)
    for forms in wanted.members:
        query = query.where(looked.holds_any(forms))
    if wanted.case_id is not None:
        messages_of = messages.c.case_id == wanted.case_id
        query = query.where(looked.names(messages_of, looked.holds_any(wanted.case_members)))
    if wanted.peer is not None:
        messages_of = messages.c.case_id.in_(select(cases.c.id).where(cases.c.peer == wanted.peer))
        query = query.where(looked.names(messages_of, looked.holds_authority(wanted.peer)))
    return query


class _Looking:
    """Looks for bytes in records, in the words of either database."""

    def __init__(self, conn: Connection) -> None:
        self._is_sqlite = conn.dialect.name == "sqlite"

    def holds_any(self, forms: Sequence[bytes]) -> ColumnElement[bool]:
        return or_(*(self._place(form) > 0 for form in forms))

    def holds_authority(self, name: str) -> ColumnElement[bool]:
        """Match a record with this id as a value, or within the name of a log."""
        forms = (f':"{name}"'.encode(), f"/{name}/".encode())
        return and_(self._place(name.encode()) > 0, self.holds_any(forms))  # one look for most

    def names(
        self, messages_of: ColumnElement[bool], otherwise: ColumnElement[bool]
    ) -> ColumnElement[bool]:
        """Match what names one of the messages, or matches otherwise."""
        start = self._place(_IDENTITY) + len(_IDENTITY)
        identity = func.substr(log_entries.c.record, start, _IDENTITY_CHARS)
        # A record without an identity gives some other bytes here, which are no identity.
        known = select(self._as_bytes(messages.c.identity)).where(messages_of)
        return or_(otherwise, identity.in_(known))

    def _place(self, form: bytes) -> ColumnElement[int]:
        sought = literal(form, LargeBinary)
        if self._is_sqlite:
            return func.instr(log_entries.c.record, sought)
        return func.position(sought.op("IN")(log_entries.c.record))

    def _as_bytes(self, text: ColumnElement[str]) -> ColumnElement[bytes]:
        return cast(text, LargeBinary) if self._is_sqlite else func.convert_to(text, "UTF8")


def cases_of_messages(conn: Connection, identities: Sequence[str]) -> dict[str, str]:
    """Give the ids of the cases that messages belong to, by identity."""
    columns = messages.c
    query = select(columns.identity, columns.case_id).where(columns.identity.in_(identities))
    return {row.identity: row.case_id for row in conn.execute(query)}


def cases_by_log_id(conn: Connection, log_ids: Sequence[str]) -> dict[str, str]:
    """Give the ids of cases by the random ids that stand for them in records."""
    query = select(cases.c.log_id, cases.c.id).where(cases.c.log_id.in_(log_ids))
    return {row.log_id: row.id for row in conn.execute(query)}


def find_persons(conn: Connection, name: str) -> list[str]:
    """Give the ids of the persons of this name, or with an id that begins so."""
    begun = persons.c.id.startswith(name, autoescape=True)
    query = select(persons.c.id).where((persons.c.name == name) | begun).order_by(persons.c.id)
    return list(conn.execute(query).scalars())
