"""The rows of drafts: what is being written. Statements only; sealed texts pass through unread."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, select

from node.storage.statements import Value, change, insert_into
from node.storage.tables import drafts


@dataclass(frozen=True, slots=True)
class StoredDraft:
    """One draft as stored; `writers` are the ids of all who wrote at it, by spaces."""

    id: str
    case_id: str | None
    peer: str
    event: str
    request_kind: str | None
    state: str
    version: int
    wrapped_key: bytes = field(repr=False)
    sealed_text: bytes = field(repr=False)
    writers: str
    submitted_by: str | None
    approved_by: str | None
    approved_at: int | None
    message: str | None
    created_at: int
    changed_at: int


_ROW = [drafts.c[name] for name in StoredDraft.__dataclass_fields__]
_ONE = select(*_ROW).where(drafts.c.id == bindparam("one"))
_LOCKED = _ONE.with_for_update()


def insert_draft(conn: Connection, draft: StoredDraft) -> None:
    """Store a new draft."""
    values: dict[str, Value] = {name: getattr(draft, name) for name in draft.__dataclass_fields__}
    conn.execute(insert_into(drafts), values)


def read_draft(conn: Connection, draft: str, *, lock: bool = False) -> StoredDraft | None:
    """Read a draft; with `lock` nobody else changes it until the transaction ends."""
    row = conn.execute(_LOCKED if lock else _ONE, {"one": draft}).first()
    return None if row is None else StoredDraft(*row)


def find_drafts(conn: Connection, part: str) -> list[str]:
    """Find ids that begin with `part`; ten at most."""
    if not part:
        return []
    begun = drafts.c.id.startswith(part.lower(), autoescape=True)
    query = select(drafts.c.id).where(begun).order_by(drafts.c.id).limit(10)
    return list(conn.execute(query).scalars())


def change_draft(conn: Connection, draft: str, **changes: int | str | bytes | None) -> None:
    """Change columns of a draft."""
    change(conn, drafts, {"id": draft}, changes)


def list_drafts(
    conn: Connection,
    *,
    states: Collection[str] = (),
    case: str | None = None,
    before: tuple[int, str] | None = None,
    count_max: int,
) -> list[StoredDraft]:
    """Read drafts, the last changed first, after the place `before` of a page that was read."""
    query = select(*_ROW).order_by(drafts.c.changed_at.desc(), drafts.c.id).limit(count_max)
    if states:
        query = query.where(drafts.c.state.in_(sorted(states)))
    if case is not None:
        query = query.where(drafts.c.case_id == case)
    if before is not None:
        at, last = before
        query = query.where(
            (drafts.c.changed_at < at) | ((drafts.c.changed_at == at) & (drafts.c.id > last))
        )
    return [StoredDraft(*row) for row in conn.execute(query)]
