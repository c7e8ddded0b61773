"""Make the tables of casework: standings, drafts, clocks, people, and what stands beside cases.

Frozen: a later change is a later step. Nothing that was there changes; where a case stands is
derived from its messages when the node next starts.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0003"
down_revision: Final = "0002"

_BIG: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make what is new."""
    _standings()
    _cases()
    _writing()
    _waiting()
    _told()
    _people()


def _text(name: str, *, empty: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=empty)


def _number(name: str, *, empty: bool = False) -> sa.Column[int]:
    return sa.Column(name, _BIG, nullable=empty, autoincrement=False)


def _bytes(name: str, *, empty: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=empty)


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def _foreign(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["cases.id"], name=op.f(f"fk_{table}_{column}"))


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))


def _key(table: str, key: tuple[str, ...]) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{table}"))


def _table(name: str, key: tuple[str, ...], *parts: sa.schema.SchemaItem) -> None:
    op.create_table(name, *parts, _key(name, key), sqlite_strict=True)


def _keyed(name: str, key: tuple[str, ...], *parts: sa.schema.SchemaItem) -> None:
    op.create_table(name, *parts, _key(name, key), sqlite_strict=True, sqlite_with_rowid=False)


def _counted(name: str, *parts: sa.schema.SchemaItem) -> None:
    number = sa.Column("id", _BIG, nullable=False, autoincrement=True, primary_key=True)
    op.create_table(name, number, *parts, sqlite_strict=True, sqlite_autoincrement=True)


def _standings() -> None:
    _table(
        "standings",
        ("case_id",),
        _text("case_id"),
        _text("machine"),
        _text("state"),
        _text("unconfirmed", empty=True),
        _number("applied"),
        _text("standing"),
        _number("on_wire"),
        _text("own_ref", empty=True),
        _text("peer_ref", empty=True),
        _text("officer", empty=True),
        _text("basis", empty=True),
        _text("effect", empty=True),
        _text("urgency", empty=True),
        _text("language", empty=True),
        _text("outcome", empty=True),
        _text("ground", empty=True),
        _number("delivered_at", empty=True),
        _number("acknowledged_at", empty=True),
        _number("decided_at", empty=True),
        _number("executed_at", empty=True),
        _number("ended_at", empty=True),
        _check("standings", "applied", "applied >= 0"),
        _foreign("standings", "case_id"),
        _check("standings", "on_wire", "on_wire IN (0, 1)"),
    )
    _index("standings", "officer")
    _index("standings", "own_ref")
    _index("standings", "peer_ref")
    _index("standings", "state")


def _cases() -> None:
    _index("cases", "changed_at", "id")
    _index("cases", "peer", "changed_at")
    _keyed(
        "case_offences",
        ("case_id", "code"),
        _text("case_id"),
        _text("code"),
        _foreign("case_offences", "case_id"),
    )
    _keyed(
        "case_sums",
        ("case_id", "stage", "currency"),
        _text("case_id"),
        _text("stage"),
        _text("currency"),
        _bytes("sealed_amount"),
        _foreign("case_sums", "case_id"),
    )
    _keyed(
        "case_members",
        ("case_id", "person"),
        _text("case_id"),
        _text("person"),
        _text("level"),
        _text("added_by", empty=True),
        _number("added_at"),
        _foreign("case_members", "case_id"),
        _check("case_members", "level", "level IN ('reader', 'protected')"),
    )
    _index("case_members", "person")
    _keyed(
        "case_links",
        ("case_id", "relation", "other"),
        _text("case_id"),
        _text("relation"),
        _text("other"),
        _number("at"),
        _foreign("case_links", "case_id"),
    )
    _index("case_links", "other")
    _keyed(
        "case_words",
        ("word", "case_id"),
        _bytes("word"),
        _text("case_id"),
        _foreign("case_words", "case_id"),
        _check("case_words", "word_length", "length(word) = 16"),
    )
    _index("case_words", "case_id")


def _writing() -> None:
    _table(
        "paper_steps",
        ("id",),
        _text("id"),
        _text("case_id"),
        _number("place"),
        _text("event"),
        _text("side"),
        _text("channel"),
        _number("at"),
        _number("recorded_at"),
        _text("recorded_by", empty=True),
        _bytes("sealed_body"),
        _foreign("paper_steps", "case_id"),
        _unique("paper_steps", "case_id", "place"),
        _check("paper_steps", "side", "side IN ('requesting', 'requested')"),
    )
    _table(
        "drafts",
        ("id",),
        _text("id"),
        _text("case_id", empty=True),
        _text("peer"),
        _text("event"),
        _text("request_kind", empty=True),
        _text("state"),
        _number("version"),
        _bytes("wrapped_key"),
        _bytes("sealed_text"),
        _text("writers"),
        _text("submitted_by", empty=True),
        _text("approved_by", empty=True),
        _number("approved_at", empty=True),
        _text("message", empty=True),
        _number("created_at"),
        _number("changed_at"),
        _check("drafts", "version", "version >= 1"),
    )
    _index("drafts", "case_id")
    _index("drafts", "state")


def _waiting() -> None:
    _counted(
        "clocks",
        _text("case_id"),
        _text("name"),
        _text("waits_for"),
        _text("rule"),
        _number("started_at"),
        _number("due_at"),
        _number("warn_at", empty=True),
        _number("stopped_at", empty=True),
        _number("ended_at", empty=True),
        _text("ended_how", empty=True),
        _number("warned_at", empty=True),
        _number("escalated_at", empty=True),
        _check("clocks", "waits_for", "waits_for IN ('us', 'them')"),
        _foreign("clocks", "case_id"),
    )
    _index("clocks", "case_id", "ended_at", "due_at")
    _index("clocks", "warn_at")
    _keyed(
        "waiting",
        ("reader", "known_by", "due_at", "clock"),
        _text("reader"),
        _text("known_by"),
        _number("due_at"),
        _number("clock"),
        _text("waits_for"),
        _number("stopped"),
        _check("waiting", "known_by", "known_by IN ('charge', 'member', 'every')"),
        _check("waiting", "stopped", "stopped IN (0, 1)"),
    )
    _index("waiting", "clock")


def _told() -> None:
    _counted(
        "mails",
        _text("person"),
        _text("reason"),
        _text("case_id", empty=True),
        _number("at"),
        _number("sent_at", empty=True),
        _number("failures"),
    )
    _index("mails", "sent_at", "at")
    _counted(
        "happenings",
        _number("at"),
        _text("kind"),
        _text("case_id", empty=True),
        _text("draft", empty=True),
    )
    _index("happenings", "case_id")
    _table(
        "webhooks",
        ("id",),
        _text("id"),
        _text("url"),
        _text("kinds"),
        _bytes("sealed_key"),
        _text("made_by", empty=True),
        _number("made_at"),
        _number("ended_at", empty=True),
        _number("position"),
        _number("failures"),
        _number("next_try_at"),
    )


def _people() -> None:
    _table(
        "users",
        ("person",),
        _text("person"),
        _text("login"),
        _number("uid", empty=True),
        _text("roles"),
        _text("state"),
        _text("wanted", empty=True),
        _text("asked_by", empty=True),
        _number("asked_at"),
        _text("confirmed_by", empty=True),
        _number("confirmed_at", empty=True),
        _text("address", empty=True),
        _text("mailing"),
        _text("substitute", empty=True),
        _number("away_from", empty=True),
        _number("away_until", empty=True),
        _unique("users", "uid"),
        _unique("users", "login"),
        _check("users", "state", "state IN ('asked', 'active', 'ended')"),
    )
    _table(
        "access_keys",
        ("digest",),
        _text("digest"),
        _text("person"),
        _text("name"),
        _text("scopes"),
        _text("made_by", empty=True),
        _number("made_at"),
        _number("expires"),
        _number("ended_at", empty=True),
        _check("access_keys", "digest_length", "length(digest) = 64"),
    )
    _index("access_keys", "person")
    _keyed(
        "repeats",
        ("person", "key"),
        _text("person"),
        _text("key"),
        _text("request"),
        _number("status"),
        _bytes("sealed_answer"),
        _number("at"),
        _check("repeats", "request_length", "length(request) = 64"),
    )
    _index("repeats", "at")
