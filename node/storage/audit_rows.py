"""Every row as an auditor reads it: in pages, in the order of a key, by statements of its own.

Nothing here is shared with the statements that write, so a fault in one of them is not
hidden by the other. Rows come as plain tuples, many a second and few at once. A page that
the database cannot give (a damaged file, a text that is none) is `RowsUnreadable`, which
says where; nothing else is raised on account of what a row holds. Knows no tree, no key
and no meaning of any column.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    LargeBinary,
    Row,
    Select,
    String,
    Table,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.exc import DBAPIError

from node.storage.engine import StorageFailed
from node.storage.failures import translated
from node.storage.tables import (
    cases,
    contested,
    envelopes,
    listings,
    log_entries,
    log_head,
    log_tiles,
    messages,
    network_documents,
    refusals,
    revocations,
    skips,
)

Values: TypeAlias = "Row[*tuple[Any, ...]]"  # a row; its columns are named where it is read

PAGE: Final = 1_024  # entries; fewer where a row can be large
_WIDE_PAGE: Final = 256
_TEXT_BYTES_AT_ONCE: Final = 4 * 1024 * 1024


class RowsUnreadable(Exception):
    """The database cannot give rows of a table: its file is damaged, or a row was altered."""

    def __init__(self, place: str) -> None:
        """Say in `place` which rows."""
        super().__init__(f"{place} cannot be read")
        self.place = place


@contextlib.contextmanager
def readable(place: str) -> Iterator[None]:
    """Tell rows that are damaged from a database that is merely away."""
    try:
        with translated(place):
            yield
    except StorageFailed as fault:
        if fault.reason != "broken":
            raise
        raise RowsUnreadable(place) from fault
    except (DBAPIError, ValueError, OverflowError) as fault:
        raise RowsUnreadable(place) from fault


def all_rows(conn: Connection, query: Select[Any], place: str) -> Sequence[Values]:
    """Give all rows of a query, each value of its column's type: a damaged file can hold others."""
    with readable(place):
        rows: Sequence[Values] = conn.execute(query).all()
    for column, values in zip(query.selected_columns, zip(*rows, strict=True), strict=False):
        wanted = {_python_type(column)}
        if getattr(column, "nullable", True):
            wanted.add(type(None))
        if not set(map(type, values)) <= wanted:
            raise RowsUnreadable(place)
    return rows


def _python_type(column: ColumnElement[Any]) -> type:
    if isinstance(column.type, LargeBinary):
        return bytes
    return str if isinstance(column.type, String) else int


def pages(
    conn: Connection,
    columns: Sequence[ColumnElement[Any]],
    key: Sequence[ColumnElement[Any]],
    *,
    size: int,
    place: str,
    where: ColumnElement[bool] | None = None,
    source: FromClause | None = None,
) -> Iterator[Sequence[Values]]:
    """Give all rows in the order of `key`, which are the first of `columns`."""
    ordered = select(*columns).order_by(*key).limit(size)
    if source is not None:
        ordered = ordered.select_from(source)
    if where is not None:
        ordered = ordered.where(where)
    last: Values | None = None
    while True:
        reached = f"{place} after {last[0]}" if last else place
        query = ordered
        if last is not None:
            after = [literal(last[at], one.type) for at, one in enumerate(key)]
            # One column alone is compared plainly: planners know that best.
            query = ordered.where(
                key[0] > after[0] if len(key) == 1 else tuple_(*key) > tuple_(*after)
            )
        rows = all_rows(conn, query, reached)
        if rows:
            yield rows
        if len(rows) < size:
            return
        last = rows[-1]


# --- the log ---------------------------------------------------------------


def read_heads(conn: Connection) -> Sequence[Values]:
    """Read origin, size, root and checkpoint of the heads of all logs, closed ones too."""
    columns = log_head.c
    query = select(columns.origin, columns.size, columns.root, columns.checkpoint)
    return all_rows(conn, query, "log_head")


def log_numbers(conn: Connection, table: Table) -> Iterator[int]:
    """Give the numbers of all logs that have rows in a table, by leaps over its key."""
    number: int | None = 0
    while True:
        query = select(func.min(table.c.log)).where(table.c.log > number)
        number = all_rows(conn, query, table.name)[0][0]
        if number is None:
            return
        yield number


def entry_pages(conn: Connection, log: int) -> Iterator[Sequence[Values]]:
    """Give position, commitment, kind, at, record and salt of all entries of a log."""
    columns = [log_entries.c[n] for n in ("position", "commitment", "kind", "at", "record", "salt")]
    return pages(
        conn, columns, columns[:1], size=PAGE, place="log_entries", where=log_entries.c.log == log
    )


def entries_at(conn: Connection, log: int, positions: Sequence[int]) -> dict[int, Values]:
    """Give position, kind, record and salt of those entries that are there, by position."""
    columns = log_entries.c
    query = select(columns.position, columns.kind, columns.record, columns.salt).where(
        columns.log == log, columns.position.in_(positions)
    )
    return {row[0]: row for row in all_rows(conn, query, "log_entries by position")}


def read_tile(conn: Connection, log: int, level: int, position: int) -> bytes | None:
    """Give the hashes of one tile, or None."""
    query = select(log_tiles.c.hashes).where(
        log_tiles.c.log == log, log_tiles.c.level == level, log_tiles.c.position == position
    )
    found = all_rows(conn, query, f"log_tiles {level}/{position}")
    return bytes(found[0][0]) if found else None


def tile_places(conn: Connection, log: int) -> Iterator[tuple[int, int]]:
    """Give level and position of every tile of a log that is stored."""
    columns = [log_tiles.c.level, log_tiles.c.position]
    for page in pages(
        conn, columns, columns, size=PAGE, place="log_tiles", where=log_tiles.c.log == log
    ):
        yield from ((row[0], row[1]) for row in page)


# --- cases and messages ----------------------------------------------------

_MESSAGE: Final = (
    "case_id", "direction", "seq", "identity", "order_number", "kind", "created", "expires",
    "epoch", "state", "log", "log_position", "receipt",
)  # fmt: skip


def count_messages(conn: Connection) -> int:
    """Count the messages, to say how far a reading has come."""
    with readable("messages"):
        return int(conn.execute(select(func.count()).select_from(messages)).scalar_one())


def message_pages(conn: Connection) -> Iterator[Sequence[Values]]:
    """Give the messages case by case, in the order of direction and number; without texts.

    Columns: case_id, direction, seq, identity, order_number, kind, created, expires, epoch,
    state, log, log_position, receipt.
    """
    columns = [messages.c[name] for name in _MESSAGE]
    return pages(conn, columns, columns[:3], size=_WIDE_PAGE, place="messages")


def message_places(
    conn: Connection, identities: Sequence[str], *, receipts: bool = False
) -> dict[str, Values]:
    """Give what records say of messages, by identity.

    Columns: identity, direction, log, log_position, order_number, state, and if asked for
    the receipt.
    """
    names = ["identity", "direction", "log", "log_position", "order_number", "state"]
    names += ["receipt"] if receipts else []
    query = select(*(messages.c[name] for name in names)).where(messages.c.identity.in_(identities))
    return {row[0]: row for row in all_rows(conn, query, "messages by identity")}


def sealed_texts(
    conn: Connection, identities: Sequence[str], table: Table = messages
) -> Iterator[tuple[str, bytes]]:
    """Give the sealed texts of messages, few at once: each may have 4 MiB."""
    columns = table.c
    query = select(columns.identity, func.length(columns.sealed_text))
    query = query.where(columns.identity.in_(identities))
    sizes = all_rows(conn, query, f"{table.name}: the length of texts")
    batch: list[str] = []
    total = 0
    for identity, size in sizes:
        if batch and total + size > _TEXT_BYTES_AT_ONCE:
            yield from _texts(conn, batch, table)
            batch, total = [], 0
        batch.append(identity)
        total += size
    if batch:
        yield from _texts(conn, batch, table)


def _texts(conn: Connection, identities: list[str], table: Table) -> Iterator[tuple[str, bytes]]:
    columns = table.c
    query = select(columns.identity, columns.sealed_text).where(columns.identity.in_(identities))
    rows = all_rows(conn, query, f"{table.name}: texts")
    yield from ((row[0], bytes(row[1])) for row in rows)


_CASE: Final = (
    "id", "side", "peer", "log_id", "wrapped_key", "sent_seq", "sent_identity", "accepted_seq",
    "accepted_identity", "order_last",
)  # fmt: skip


def cases_by_id(conn: Connection, ids: Sequence[str]) -> dict[str, Values]:
    """Give cases by id.

    Columns: id, side, peer, log_id, wrapped_key, sent_seq, sent_identity, accepted_seq,
    accepted_identity, order_last.
    """
    query = select(*(cases.c[name] for name in _CASE)).where(cases.c.id.in_(ids))
    return {row[0]: row for row in all_rows(conn, query, "cases")}


def cases_without_messages(conn: Connection) -> Iterator[Values]:
    """Give id, sent_seq and accepted_seq of cases that no message names."""
    columns = cases.c
    query = select(columns.id, columns.sent_seq, columns.accepted_seq).where(
        ~select(literal(1)).where(messages.c.case_id == columns.id).exists()
    )
    yield from all_rows(conn, query, "cases")


def count_skips(conn: Connection, case_id: str) -> int:
    """Count the messages of a case that its other side has given up."""
    query = select(func.count()).select_from(skips).where(skips.c.case_id == case_id)
    with readable("skips"):
        return int(conn.execute(query).scalar_one())


def skip_rows(conn: Connection) -> Iterator[tuple[str, str]]:
    """Give case and identity of all messages that their sender has given up."""
    columns = [skips.c.case_id, skips.c.identity]
    for page in pages(conn, columns, columns, size=PAGE, place="skips"):
        yield from ((row[0], row[1]) for row in page)


def messages_of_envelopes(conn: Connection, digests: Sequence[str]) -> dict[str, str]:
    """Give the identity that each envelope is said to hold, by its digest."""
    query = select(envelopes.c.digest, envelopes.c.identity).where(envelopes.c.digest.in_(digests))
    return {row[0]: row[1] for row in all_rows(conn, query, "envelopes")}


def refusal_pages(conn: Connection) -> Iterator[Sequence[Values]]:
    """Give identity, code, at and proof of all our final refusals."""
    columns = [refusals.c[name] for name in ("identity", "code", "at", "proof")]
    return pages(conn, columns, columns[:1], size=_WIDE_PAGE, place="refusals")


def refusals_of(conn: Connection, identities: Sequence[str]) -> dict[str, str]:
    """Give the codes of those refusals that are there, by identity."""
    columns = refusals.c
    query = select(columns.identity, columns.code).where(columns.identity.in_(identities))
    return {row[0]: row[1] for row in all_rows(conn, query, "refusals by identity")}


def contested_pages(conn: Connection) -> Iterator[Sequence[Values]]:
    """Give identity, case, number and code of all contested messages."""
    columns = [contested.c[name] for name in ("identity", "case_id", "seq", "code")]
    return pages(conn, columns, columns[:1], size=_WIDE_PAGE, place="contested")


def equivocations_not_kept(conn: Connection, limit: int) -> list[str]:
    """Give the identities of refusals for a contradiction whose message was not kept."""
    query = (
        select(refusals.c.identity)
        .outerjoin_from(refusals, contested, contested.c.identity == refusals.c.identity)
        .where(refusals.c.code == "equivocation", contested.c.identity.is_(None))
        .order_by(refusals.c.identity)
        .limit(limit)
    )
    return [row[0] for row in all_rows(conn, query, "refusals without what was refused")]


def contested_among(conn: Connection, identities: Sequence[str]) -> dict[str, str]:
    """Give the codes of those messages that were kept as contested, by identity."""
    columns = contested.c
    query = select(columns.identity, columns.code).where(columns.identity.in_(identities))
    return {row[0]: row[1] for row in all_rows(conn, query, "contested by identity")}


# --- trust -----------------------------------------------------------------


def document_rows(conn: Connection) -> list[Values]:
    """Give digest, raw, time of installation and version of all network documents."""
    return _all(conn, network_documents, network_documents.c.version)


def listing_rows(conn: Connection) -> list[Values]:
    """Give digest, raw, time of installation, authority and serial of all listings."""
    return _all(conn, listings, listings.c.authority, listings.c.serial)


def revocation_rows(conn: Connection) -> list[Values]:
    """Give digest, raw, time of installation and key id of all revocations."""
    return _all(conn, revocations, revocations.c.key_id)


def _all(conn: Connection, table: Table, *more: ColumnElement[Any]) -> list[Values]:
    columns = table.c
    query = select(columns.digest, columns.raw, columns.installed_at, *more)
    ordered = query.order_by(columns.installed_at, columns.digest)
    return list(all_rows(conn, ordered, table.name))
