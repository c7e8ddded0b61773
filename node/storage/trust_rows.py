"""The rows of trusted documents, listings and revocations. Statements only, exact bytes.

Closings of logs are trusted too; they stand among the notices (`notice_rows.py`).
"""

from __future__ import annotations

from typing import Final, TypeAlias

from sqlalchemy import Connection, insert, select, union_all

from node.storage.tables import listings, log_notices, network_documents, revocations

Rows: TypeAlias = frozenset[tuple[str, int]]
"""Everything that is trusted, by digest and the time of its installation."""

_ROWS: Final = union_all(
    *(
        select(one.c.digest, one.c.installed_at)
        for one in (network_documents, listings, revocations)
    ),
    select(log_notices.c.digest, log_notices.c.at).where(log_notices.c.kind == "closed"),
)


def insert_document(conn: Connection, *, digest: str, version: int, raw: bytes, at: int) -> None:
    """Store a network document that was installed at `at`."""
    row = {"digest": digest, "version": version, "raw": raw, "installed_at": at}
    conn.execute(insert(network_documents), row)


def insert_listing(
    conn: Connection, *, digest: str, authority: str, serial: int, raw: bytes, at: int
) -> None:
    """Store a listing that was installed at `at`."""
    row = {
        "digest": digest,
        "authority": authority,
        "serial": serial,
        "raw": raw,
        "installed_at": at,
    }
    conn.execute(insert(listings), row)


def insert_revocation(conn: Connection, *, digest: str, key_id: str, raw: bytes, at: int) -> None:
    """Store a revocation that was installed at `at`."""
    row = {"digest": digest, "key_id": key_id, "raw": raw, "installed_at": at}
    conn.execute(insert(revocations), row)


def read_documents(conn: Connection) -> list[tuple[bytes, int]]:
    """Read all documents with the time of their installation, oldest version first."""
    columns = network_documents.c
    query = select(columns.raw, columns.installed_at).order_by(
        columns.version, columns.installed_at, columns.digest
    )
    return [(bytes(row[0]), row[1]) for row in conn.execute(query)]


def read_listings(conn: Connection) -> list[tuple[bytes, int]]:
    """Read all listings with the time of their installation, in the order of their serials."""
    columns = listings.c
    query = select(columns.raw, columns.installed_at).order_by(
        columns.authority, columns.serial, columns.installed_at
    )
    return [(bytes(row[0]), row[1]) for row in conn.execute(query)]


def read_revocations(conn: Connection) -> list[tuple[bytes, int]]:
    """Read all revocations with the time of their installation."""
    columns = revocations.c
    query = select(columns.raw, columns.installed_at).order_by(columns.installed_at, columns.digest)
    return [(bytes(row[0]), row[1]) for row in conn.execute(query)]


def read_rows(conn: Connection) -> Rows:
    """Read which statements are stored: enough to see whether anything has changed."""
    return frozenset((row[0], row[1]) for row in conn.execute(_ROWS))
