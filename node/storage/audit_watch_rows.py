"""Rows about watching and readers, as an auditor reads them: beside `audit_rows`.

Checkpoints that were cosigned, what this node has cosigned itself, what nobody has proved,
forks and closings, timestamps, tokens, persons, and what waits. Statements of its own, as
there; knows no signature and no meaning of any column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import Connection, Table, select

from node.storage.audit_rows import Values, all_rows, pages
from node.storage.tables import (
    auditor_tokens,
    cases,
    checkpoints,
    envelopes,
    log_notices,
    messages,
    outbox,
    persons,
    timestamps,
    unproven,
    witnessed,
)

_WIDE_PAGE: Final = 256


def checkpoint_pages(conn: Connection) -> Iterator[Sequence[Values]]:
    """Give log, size, raw and witnesses of our own checkpoints that were cosigned."""
    columns = [checkpoints.c[name] for name in ("log", "size", "raw", "witnesses")]
    return pages(conn, columns, columns[:2], size=_WIDE_PAGE, place="checkpoints")


def timestamp_pages(conn: Connection) -> Iterator[Sequence[Values]]:
    """Give digest, log, size, checkpoint, token and time of all timestamps."""
    names = ("digest", "log", "size", "checkpoint", "token", "at")
    columns = [timestamps.c[name] for name in names]
    return pages(conn, columns, columns[:1], size=_WIDE_PAGE, place="timestamps")


def witnessed_rows(conn: Connection) -> list[Values]:
    """Give origin, size, root, raw and time of the peers' logs that this node has cosigned."""
    return _all(conn, witnessed, "origin", "size", "root", "raw", "at")


def unproven_rows(conn: Connection) -> list[Values]:
    """Give origin, size, root and raw of the checkpoints that nobody has shown to continue."""
    return _all(conn, unproven, "origin", "size", "root", "raw")


def notice_rows(conn: Connection) -> list[Values]:
    """Give digest, kind, origin, raw and time of all forks and closings."""
    return _all(conn, log_notices, "digest", "kind", "origin", "raw", "at")


def token_rows(conn: Connection) -> list[Values]:
    """Give digest, name, created and expires of the tokens of auditors."""
    return _all(conn, auditor_tokens, "digest", "name", "created", "expires")


def person_ids(conn: Connection) -> set[str]:
    """Give the ids of all persons whom a record may name."""
    return {row[0] for row in _all(conn, persons, "id")}


def waiting_pages(conn: Connection) -> Iterator[Sequence[Values]]:
    """Give what waits, with the message, the case and the envelope that it names.

    Columns: id, peer, identity, digest, key_id, expires, envelope; then of the message its
    state and expiry, of the case its peer, of the envelope its identity and key id.
    """
    names = ("id", "peer", "identity", "digest", "key_id", "expires", "envelope")
    columns = [
        *(outbox.c[name] for name in names),
        messages.c.state.label("stands"), messages.c.expires.label("until"),
        cases.c.peer.label("with_peer"),
        envelopes.c.identity.label("holds"), envelopes.c.key_id.label("sealed_to"),
    ]  # fmt: skip
    joined = (
        outbox.outerjoin(messages, messages.c.identity == outbox.c.identity)
        .outerjoin(cases, cases.c.id == messages.c.case_id)
        .outerjoin(envelopes, envelopes.c.digest == outbox.c.digest)
    )
    return pages(conn, columns, columns[:1], size=_WIDE_PAGE, place="outbox", source=joined)


def queued_without_envelope(conn: Connection, limit: int) -> list[str]:
    """Give the identities of messages that are to wait and have nothing in the outbox."""
    columns = messages.c
    query = (
        select(columns.identity)
        .outerjoin_from(messages, outbox, outbox.c.identity == columns.identity)
        .where(columns.state == "queued", outbox.c.identity.is_(None))
        .order_by(columns.identity)
        .limit(limit)
    )
    return [row[0] for row in all_rows(conn, query, "messages that wait")]


def _all(conn: Connection, table: Table, *names: str) -> list[Values]:
    columns = [table.c[name] for name in names]
    query = select(*columns).order_by(*table.primary_key.columns)
    return list(all_rows(conn, query, table.name))
