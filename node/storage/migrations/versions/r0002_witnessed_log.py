"""Number the logs, and make the tables of witnesses, notices, timestamps and persons.

Frozen: a later change is a later step. Entries and tiles of the one log that there was get
its number, 1; nothing else about them changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0002"
down_revision: Final = "0001"

_BIG: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MESSAGE_STATES: Final = (
    "(direction = 'out' AND state IN ('queued', 'delivered', 'undelivered', 'refused'))"
    " OR (direction = 'in' AND state = 'accepted')"
)
_ENTRY_COLUMNS: Final = ("position", "commitment", "kind", "at", "record", "salt")
_TILE_COLUMNS: Final = ("level", "position", "hashes")
_MESSAGE_COLUMNS: Final = (
    "identity", "case_id", "direction", "seq", "order_number", "kind", "created", "expires",
    "epoch", "state", "changed_at", "sealed_text", "receipt", "log_position",
)  # fmt: skip


def upgrade() -> None:
    """Number what is there, then make what is new."""
    if op.get_bind().dialect.name == "postgresql":
        _number_in_place()
    else:
        _number_anew()
    _own_log()
    _logs_of_peers()
    _readers()


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _number(name: str, *, empty: bool = False) -> sa.Column[int]:
    return sa.Column(name, _BIG, nullable=empty, autoincrement=False)


def _bytes(name: str, *, empty: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=empty)


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def _digest(table: str) -> sa.CheckConstraint:
    return _check(table, "digest_length", "length(digest) = 64")


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def _table(
    name: str, key: tuple[str, ...], *parts: sa.schema.SchemaItem, keyed: bool = False
) -> None:
    op.create_table(
        name,
        *parts,
        sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{name}")),
        sqlite_strict=True,
        sqlite_with_rowid=not keyed,
    )


# --- the number of a log ---------------------------------------------------


def _number_in_place() -> None:
    """Alter the tables where a database can (PostgreSQL)."""
    for table, key in (
        ("log_entries", ("log", "position")),
        ("log_tiles", ("log", "level", "position")),
    ):
        op.add_column(table, sa.Column("log", sa.BigInteger(), nullable=False, server_default="1"))
        op.alter_column(table, "log", server_default=None)
        op.drop_constraint(op.f(f"pk_{table}"), table)
        op.create_primary_key(op.f(f"pk_{table}"), table, list(key))
    op.drop_constraint(op.f("ck_log_entries_position"), "log_entries")
    op.create_check_constraint(
        op.f("ck_log_entries_place"), "log_entries", "log >= 1 AND position >= 0"
    )
    op.drop_constraint(op.f("ck_log_tiles_place"), "log_tiles")
    op.create_check_constraint(
        op.f("ck_log_tiles_place"), "log_tiles", "log >= 1 AND level >= 0 AND position >= 0"
    )
    op.add_column("messages", sa.Column("log", sa.BigInteger(), nullable=True))
    op.execute("UPDATE messages SET log = 1 WHERE log_position IS NOT NULL")
    op.create_check_constraint(
        op.f("ck_messages_place"), "messages", "(log IS NULL) = (log_position IS NULL)"
    )


def _number_anew() -> None:
    """Make the tables again and fill them: SQLite alters no key and no check.

    The old table steps aside; what refers to it goes on referring to its name.
    """
    op.execute("PRAGMA legacy_alter_table=ON")
    for table in ("log_entries", "log_tiles", "messages"):
        op.rename_table(table, f"{table}_0001")
    op.execute("PRAGMA legacy_alter_table=OFF")
    _entries()
    _tiles()
    _messages()
    _copy("log_entries", _ENTRY_COLUMNS, "1")
    _copy("log_tiles", _TILE_COLUMNS, "1")
    _copy("messages", _MESSAGE_COLUMNS, "CASE WHEN log_position IS NULL THEN NULL ELSE 1 END")


def _copy(table: str, columns: Sequence[str], log: str) -> None:
    same = ", ".join(columns)
    op.execute(f"INSERT INTO {table} (log, {same}) SELECT {log}, {same} FROM {table}_0001")  # noqa: S608  (our own words)
    op.drop_table(f"{table}_0001")


def _entries() -> None:
    _table(
        "log_entries",
        ("log", "position"),
        _number("log"),
        _number("position"),
        _bytes("commitment"),
        _text("kind"),
        _number("at"),
        _bytes("record", empty=True),
        _bytes("salt", empty=True),
        _check("log_entries", "place", "log >= 1 AND position >= 0"),
        _check("log_entries", "commitment_length", "length(commitment) = 32"),
        _check("log_entries", "record_with_salt", "(record IS NULL) = (salt IS NULL)"),
    )


def _tiles() -> None:
    _table(
        "log_tiles",
        ("log", "level", "position"),
        _number("log"),
        _number("level"),
        _number("position"),
        _bytes("hashes"),
        _check("log_tiles", "place", "log >= 1 AND level >= 0 AND position >= 0"),
        _check("log_tiles", "hashes", "length(hashes) % 32 = 0 AND length(hashes) <= 8192"),
    )


def _messages() -> None:
    _table(
        "messages",
        ("identity",),
        *(_text(name) for name in ("identity", "case_id", "direction")),
        _number("seq"),
        _number("order_number", empty=True),
        _text("kind"),
        *(_number(name) for name in ("created", "expires", "epoch")),
        _text("state"),
        _number("changed_at"),
        _bytes("sealed_text"),
        _bytes("receipt", empty=True),
        _number("log", empty=True),
        _number("log_position", empty=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_messages_case_id")),
        _check("messages", "identity_length", "length(identity) = 64"),
        _check("messages", "direction", "direction IN ('out', 'in')"),
        _check("messages", "state", _MESSAGE_STATES),
        _check("messages", "seq", "seq >= 1"),
        _check("messages", "place", "(log IS NULL) = (log_position IS NULL)"),
        _unique("messages", "case_id", "direction", "seq"),
    )


# --- what is new -----------------------------------------------------------


def _own_log() -> None:
    _table(
        "checkpoints",
        ("log", "size"),
        _number("log"),
        _number("size"),
        _bytes("raw"),
        _number("witnesses"),
        _number("at"),
        _check("checkpoints", "numbers", "log >= 1 AND size >= 0 AND witnesses >= 0"),
    )
    _table(
        "timestamps",
        ("digest",),
        _text("digest"),
        _number("log"),
        _number("size"),
        _bytes("checkpoint"),
        _bytes("token"),
        _number("at"),
        _digest("timestamps"),
        _check("timestamps", "numbers", "log >= 1 AND size >= 0"),
    )


def _logs_of_peers() -> None:
    _table(
        "witnessed",
        ("origin",),
        _text("origin"),
        _number("size"),
        _bytes("root"),
        _bytes("raw"),
        _number("at"),
        _check("witnessed", "size", "size >= 0"),
        _check("witnessed", "root_length", "length(root) = 32"),
    )
    _table(
        "unproven",
        ("origin", "size", "root"),
        _text("origin"),
        _number("size"),
        _bytes("root"),
        _bytes("raw"),
        _number("since"),
        _check("unproven", "size", "size >= 0"),
        _check("unproven", "root_length", "length(root) = 32"),
        keyed=True,
    )
    _table(
        "log_notices",
        ("digest",),
        *(_text(name) for name in ("digest", "kind", "origin")),
        _bytes("raw"),
        _number("at"),
        _digest("log_notices"),
        _check("log_notices", "kind", "kind IN ('fork', 'closed')"),
        _unique("log_notices", "kind", "origin"),
    )


def _readers() -> None:
    _table(
        "auditor_tokens",
        ("digest",),
        _text("digest"),
        _text("name"),
        _number("created"),
        _number("expires"),
        _digest("auditor_tokens"),
        _unique("auditor_tokens", "name"),
    )
    _table(
        "persons",
        ("id",),
        _text("id"),
        _text("name"),
        _check("persons", "id_length", "length(id) = 32"),
        _unique("persons", "name"),
    )
