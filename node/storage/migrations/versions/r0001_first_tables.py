"""Make the first tables: log, trust, cases, delivery, and what the node keeps for itself.

Frozen: a later change is a later step.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0001"
down_revision: Final = None

_BIG: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables; those that others refer to come first."""
    _log()
    _trust()
    _cases()
    _messages()
    _delivery()
    _own()


def _text(name: str, *, empty: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=empty)


def _number(name: str, *, empty: bool = False) -> sa.Column[int]:
    return sa.Column(name, _BIG, nullable=empty, autoincrement=False)


def _bytes(name: str, *, empty: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=empty)


def _counter() -> sa.Column[int]:
    return sa.Column("id", _BIG, nullable=False, autoincrement=True, primary_key=True)


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def _digest(table: str, column: str) -> sa.CheckConstraint:
    return _check(table, f"{column}_length", f"length({column}) = 64")


def _table(name: str, key: tuple[str, ...], *parts: sa.schema.SchemaItem) -> None:
    """Make a table whose key we give; a small one with a long key is kept by its key."""
    op.create_table(
        name,
        *parts,
        sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{name}")),
        sqlite_strict=True,
        sqlite_with_rowid=name not in {"skips", "nonces", "settings_kept"},
    )


def _counted(name: str, *parts: sa.schema.SchemaItem) -> None:
    """Make a table whose key the database counts, never giving a number twice."""
    op.create_table(name, _counter(), *parts, sqlite_strict=True, sqlite_autoincrement=True)


def _refers(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"))


def _log() -> None:
    _table(
        "log_head",
        ("origin",),
        _text("origin"),
        _number("size"),
        _bytes("root"),
        _bytes("checkpoint"),
        _check("log_head", "size", "size >= 0"),
        _check("log_head", "root_length", "length(root) = 32"),
    )
    _table(
        "log_entries",
        ("position",),
        _number("position"),
        _bytes("commitment"),
        _text("kind"),
        _number("at"),
        _bytes("record", empty=True),
        _bytes("salt", empty=True),
        _check("log_entries", "position", "position >= 0"),
        _check("log_entries", "commitment_length", "length(commitment) = 32"),
        _check("log_entries", "record_with_salt", "(record IS NULL) = (salt IS NULL)"),
    )
    _table(
        "log_tiles",
        ("level", "position"),
        _number("level"),
        _number("position"),
        _bytes("hashes"),
        _check("log_tiles", "place", "level >= 0 AND position >= 0"),
        _check("log_tiles", "hashes", "length(hashes) % 32 = 0 AND length(hashes) <= 8192"),
    )


def _trust() -> None:
    _table(
        "network_documents",
        ("digest",),
        _text("digest"),
        _number("version"),
        _bytes("raw"),
        _number("installed_at"),
        _digest("network_documents", "digest"),
    )
    _table(
        "listings",
        ("digest",),
        _text("digest"),
        _text("authority"),
        _number("serial"),
        _bytes("raw"),
        _number("installed_at"),
        _digest("listings", "digest"),
    )
    _table(
        "revocations",
        ("digest",),
        _text("digest"),
        _text("key_id"),
        _bytes("raw"),
        _number("installed_at"),
        _digest("revocations", "digest"),
        _digest("revocations", "key_id"),
    )


def _cases() -> None:
    _table(
        "cases",
        ("id",),
        *(_text(name) for name in ("id", "side", "peer", "request_kind", "state")),
        _number("opened_at"),
        _number("changed_at"),
        _text("log_id"),
        _bytes("wrapped_key"),
        _number("sent_seq"),
        _text("sent_identity", empty=True),
        _number("accepted_seq"),
        _text("accepted_identity", empty=True),
        _number("order_last"),
        _check("cases", "side", "side IN ('requesting', 'requested')"),
        _check("cases", "log_id_length", "length(log_id) = 32"),
        _check("cases", "counters", "sent_seq >= 0 AND accepted_seq >= 0 AND order_last >= 0"),
        _check("cases", "sent", "(sent_seq = 0) = (sent_identity IS NULL)"),
        _check("cases", "accepted", "(accepted_seq = 0) = (accepted_identity IS NULL)"),
        sa.UniqueConstraint("log_id", name=op.f("uq_cases_log_id")),
    )


def _messages() -> None:
    unique = op.f("uq_messages_case_id_direction_seq")
    states = (
        "(direction = 'out' AND state IN ('queued', 'delivered', 'undelivered', 'refused'))"
        " OR (direction = 'in' AND state = 'accepted')"
    )
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
        _number("log_position", empty=True),
        _refers("messages", "case_id", "cases.id"),
        _digest("messages", "identity"),
        _check("messages", "direction", "direction IN ('out', 'in')"),
        _check("messages", "state", states),
        _check("messages", "seq", "seq >= 1"),
        sa.UniqueConstraint("case_id", "direction", "seq", name=unique),
    )
    _table(
        "contested",
        ("identity",),
        _text("identity"),
        _text("case_id"),
        _number("seq"),
        _text("code"),
        _number("at"),
        _bytes("sealed_text"),
        _refers("contested", "case_id", "cases.id"),
        _digest("contested", "identity"),
    )
    _table(
        "refusals",
        ("identity",),
        _text("identity"),
        _text("code"),
        _number("at"),
        _bytes("proof", empty=True),
        _digest("refusals", "identity"),
    )
    _table(
        "skips",
        ("case_id", "identity"),
        _text("case_id"),
        _text("identity"),
        _refers("skips", "case_id", "cases.id"),
        _digest("skips", "identity"),
    )


def _delivery() -> None:
    _table(
        "envelopes",
        ("digest",),
        *(_text(name) for name in ("digest", "identity", "key_id")),
        _number("made_at"),
        *(_digest("envelopes", name) for name in ("digest", "identity", "key_id")),
    )
    op.create_index(op.f("ix_envelopes_identity"), "envelopes", ["identity"])
    _counted(
        "outbox",
        *(_text(name) for name in ("peer", "identity", "digest", "key_id")),
        _bytes("envelope"),
        *(_number(name) for name in ("queued_at", "expires", "attempts")),
        _text("last_code", empty=True),
        _refers("outbox", "identity", "messages.identity"),
        _digest("outbox", "digest"),
        _digest("outbox", "key_id"),
        _check("outbox", "attempts", "attempts >= 0"),
        sa.UniqueConstraint("identity", name=op.f("uq_outbox_identity")),
    )
    op.create_index(op.f("ix_outbox_peer_id"), "outbox", ["peer", "id"])
    _table(
        "queues",
        ("peer",),
        _text("peer"),
        _number("next_try_at"),
        _number("failures"),
        _text("last_code", empty=True),
        _number("last_tried_at", empty=True),
        _number("last_word_at", empty=True),
        _text("claimed_by", empty=True),
        _number("claimed_until"),
        _check("queues", "failures", "failures >= 0"),
    )
    _table(
        "nonces",
        ("key_id", "nonce"),
        _text("key_id"),
        _text("nonce"),
        _number("expires"),
        _digest("nonces", "key_id"),
    )
    op.create_index(op.f("ix_nonces_expires"), "nonces", ["expires"])


def _own() -> None:
    _counted(
        "alarms",
        _number("at"),
        _text("kind"),
        _text("peer", empty=True),
        _text("subject", empty=True),
        _text("detail"),
        _bytes("kept", empty=True),
    )
    _table("settings_kept", ("name",), _text("name"), _text("value"))
