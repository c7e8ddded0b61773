"""Every table of a node, and for each what a person who edits its rows would gain.

This is the one place where columns are named. Storage functions use the Core tables at the
end of the file (`messages`, `outbox`, ...); the classes are for reading and for the schema.
The file knows neither statements nor transactions, and never what a column's bytes mean:
what counts is verified from the bytes themselves (signatures, proofs, digests), so a row
is a claim and not the truth.

Units: times are Unix seconds; digests, identities and key ids are 64 lower-case hex digits.
A change here needs a migration beside it (`migrations/versions`); a test compares the two.
"""

from __future__ import annotations

from typing import ClassVar, Final, cast

import sqlalchemy as sa
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

NAMING: Final = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}
"""How constraints are called, so that a migration can name the one it drops."""

# STRICT makes SQLite refuse a text in a column of bytes; it knows INTEGER and not BIGINT.
BIG: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STRICT: Final = {"sqlite_strict": True}
_STRICT_KEYED: Final = {"sqlite_strict": True, "sqlite_with_rowid": False}
_STRICT_COUNTED: Final = {"sqlite_strict": True, "sqlite_autoincrement": True}


def _text(*, key: bool = False, empty: bool = False) -> sa.Column[str]:
    """Make a column of text; `empty` means that it may be absent."""
    return sa.Column(sa.Text(), primary_key=key, nullable=empty)


def _number(*, key: bool = False, empty: bool = False) -> sa.Column[int]:
    """Make a column of 64-bit numbers that we give, never the database."""
    return sa.Column(BIG, primary_key=key, nullable=empty, autoincrement=False)


def _counter() -> sa.Column[int]:
    """Make a key that the database counts up and never gives twice."""
    return sa.Column(BIG, primary_key=True, autoincrement=True)


def _bytes(*, empty: bool = False) -> sa.Column[bytes]:
    """Make a column of bytes, kept exactly as they came."""
    return sa.Column(sa.LargeBinary(), nullable=empty)


def _reference(column: str, *, key: bool = False) -> sa.Column[str]:
    """Make a column that names a row of another table."""
    return sa.Column(sa.Text(), sa.ForeignKey(column), primary_key=key, nullable=False)


def _digest(column: str) -> sa.CheckConstraint:
    """Hold `column` to the length of a digest in hex."""
    return sa.CheckConstraint(f"length({column}) = 64", name=f"{column}_length")


class Row(SQLModel, registry=registry(metadata=sa.MetaData(naming_convention=NAMING))):
    """The common base: one set of tables, with names for all constraints."""


class LogHead(Row, table=True):
    """The newest state of a log: its size, root and signed checkpoint.

    An older row put back would make the node sign a second history; the guard outside the
    database, and the peers' memory, are compared with it before anything is signed.
    """

    __tablename__: ClassVar[str] = "log_head"
    __table_args__ = (
        sa.CheckConstraint("size >= 0", name="size"),
        sa.CheckConstraint("length(root) = 32", name="root_length"),
        _STRICT,
    )
    origin: str = Field(sa_column=_text(key=True))
    size: int = Field(sa_column=_number())
    root: bytes = Field(sa_column=_bytes())
    checkpoint: bytes = Field(sa_column=_bytes())


class LogEntry(Row, table=True):
    """One entry of the log: the commitment, and the record and salt while they are kept.

    Whoever edits a row gains nothing: the commitment no longer hashes to the signed root, or
    the record no longer opens the commitment. Emptying record and salt is lawful erasure.
    """

    __tablename__: ClassVar[str] = "log_entries"
    __table_args__ = (
        sa.CheckConstraint("position >= 0", name="position"),
        sa.CheckConstraint("length(commitment) = 32", name="commitment_length"),
        sa.CheckConstraint("(record IS NULL) = (salt IS NULL)", name="record_with_salt"),
        _STRICT,
    )
    position: int = Field(sa_column=_number(key=True))
    commitment: bytes = Field(sa_column=_bytes())
    kind: str = Field(sa_column=_text())
    at: int = Field(sa_column=_number())
    record: bytes | None = Field(default=None, sa_column=_bytes(empty=True))
    salt: bytes | None = Field(default=None, sa_column=_bytes(empty=True))


class LogTile(Row, table=True):
    """Up to 256 hashes of one level of the tree; the value only ever grows.

    An edited tile makes proofs fail; the entries give it again.
    """

    __tablename__: ClassVar[str] = "log_tiles"
    __table_args__ = (
        sa.CheckConstraint("level >= 0 AND position >= 0", name="place"),
        sa.CheckConstraint("length(hashes) % 32 = 0 AND length(hashes) <= 8192", name="hashes"),
        _STRICT,
    )
    level: int = Field(sa_column=_number(key=True))
    position: int = Field(sa_column=_number(key=True))
    hashes: bytes = Field(sa_column=_bytes())


class NetworkDocumentRow(Row, table=True):
    """A network document as it came, with the stewards' signatures inside `raw`.

    A forged row fails its signatures; a deleted newest one would bring back an older list,
    which the log (network changes are records) and the peers show.
    """

    __tablename__: ClassVar[str] = "network_documents"
    __table_args__ = (_digest("digest"), _STRICT)
    digest: str = Field(sa_column=_text(key=True))
    version: int = Field(sa_column=_number())
    raw: bytes = Field(sa_column=_bytes())
    installed_at: int = Field(sa_column=_number())


class ListingRow(Row, table=True):
    """An authority's own listing as it came, signed inside `raw`.

    A forged row fails its signatures; a deleted one is fetched again.
    """

    __tablename__: ClassVar[str] = "listings"
    __table_args__ = (_digest("digest"), _STRICT)
    digest: str = Field(sa_column=_text(key=True))
    authority: str = Field(sa_column=_text())
    serial: int = Field(sa_column=_number())
    raw: bytes = Field(sa_column=_bytes())
    installed_at: int = Field(sa_column=_number())


class RevocationRow(Row, table=True):
    """A signed revocation, in force since `installed_at`.

    Deleting one lets a revoked key sign again here; the log has the record of it.
    """

    __tablename__: ClassVar[str] = "revocations"
    __table_args__ = (_digest("digest"), _digest("key_id"), _STRICT)
    digest: str = Field(sa_column=_text(key=True))
    key_id: str = Field(sa_column=_text())
    raw: bytes = Field(sa_column=_bytes())
    installed_at: int = Field(sa_column=_number())


class CaseRow(Row, table=True):
    """A case: who it is with, where both counters stand, and the wrapped key of its texts.

    Edited counters stop the exchange (the peer answers `out-of-order`); an edited state only
    shows wrongly, for it can be derived again from the messages. Destroying `wrapped_key`
    is how a case is erased. `log_id` is the random name that the case has in records.
    """

    __tablename__: ClassVar[str] = "cases"
    __table_args__ = (
        sa.CheckConstraint("side IN ('requesting', 'requested')", name="side"),
        sa.CheckConstraint("length(log_id) = 32", name="log_id_length"),
        sa.CheckConstraint(
            "sent_seq >= 0 AND accepted_seq >= 0 AND order_last >= 0", name="counters"
        ),
        sa.CheckConstraint("(sent_seq = 0) = (sent_identity IS NULL)", name="sent"),
        sa.CheckConstraint("(accepted_seq = 0) = (accepted_identity IS NULL)", name="accepted"),
        sa.UniqueConstraint("log_id"),
        _STRICT,
    )
    id: str = Field(sa_column=_text(key=True))
    side: str = Field(sa_column=_text())
    peer: str = Field(sa_column=_text())
    request_kind: str = Field(sa_column=_text())
    state: str = Field(sa_column=_text())
    opened_at: int = Field(sa_column=_number())
    changed_at: int = Field(sa_column=_number())
    log_id: str = Field(sa_column=_text())
    wrapped_key: bytes = Field(sa_column=_bytes())
    sent_seq: int = Field(default=0, sa_column=_number())
    sent_identity: str | None = Field(default=None, sa_column=_text(empty=True))
    accepted_seq: int = Field(default=0, sa_column=_number())
    accepted_identity: str | None = Field(default=None, sa_column=_text(empty=True))
    order_last: int = Field(default=0, sa_column=_number())


class MessageRow(Row, table=True):
    """One message of a case, its signed bytes sealed under the case's key, and its receipt.

    The clear columns are a copy of what the signed text says: whoever edits them changes a
    list on a screen, and no proof. A receipt is verified from its own bytes.
    """

    __tablename__: ClassVar[str] = "messages"
    __table_args__ = (
        _digest("identity"),
        sa.CheckConstraint("direction IN ('out', 'in')", name="direction"),
        sa.CheckConstraint(
            "(direction = 'out' AND state IN ('queued', 'delivered', 'undelivered', 'refused'))"
            " OR (direction = 'in' AND state = 'accepted')",
            name="state",
        ),
        sa.CheckConstraint("seq >= 1", name="seq"),
        sa.UniqueConstraint("case_id", "direction", "seq"),
        _STRICT,
    )
    identity: str = Field(sa_column=_text(key=True))
    case_id: str = Field(sa_column=_reference("cases.id"))
    direction: str = Field(sa_column=_text())
    seq: int = Field(sa_column=_number())
    order_number: int | None = Field(default=None, sa_column=_number(empty=True))
    kind: str = Field(sa_column=_text())
    created: int = Field(sa_column=_number())
    expires: int = Field(sa_column=_number())
    epoch: int = Field(sa_column=_number())
    state: str = Field(sa_column=_text())
    changed_at: int = Field(sa_column=_number())
    sealed_text: bytes = Field(sa_column=_bytes())
    receipt: bytes | None = Field(default=None, sa_column=_bytes(empty=True))
    log_position: int | None = Field(default=None, sa_column=_number(empty=True))


class ContestedRow(Row, table=True):
    """A second message for a place that is taken: kept as proof, never applied.

    Deleting it hides a peer's equivocation here; the refusal stays in the log.
    """

    __tablename__: ClassVar[str] = "contested"
    __table_args__ = (_digest("identity"), _STRICT)
    identity: str = Field(sa_column=_text(key=True))
    case_id: str = Field(sa_column=_reference("cases.id"))
    seq: int = Field(sa_column=_number())
    code: str = Field(sa_column=_text())
    at: int = Field(sa_column=_number())
    sealed_text: bytes = Field(sa_column=_bytes())


class EnvelopeRow(Row, table=True):
    """The digest of every envelope ever made or accepted of a message.

    A receipt may name any of them. A deleted row makes a repeat look new until it has been
    opened and its identity found; a forged one points at a message that the receipt denies.
    """

    __tablename__: ClassVar[str] = "envelopes"
    __table_args__ = (
        *(_digest(column) for column in ("digest", "identity", "key_id")),
        sa.Index(None, "identity"),
        _STRICT,
    )
    digest: str = Field(sa_column=_text(key=True))
    identity: str = Field(sa_column=_text())
    key_id: str = Field(sa_column=_text())
    made_at: int = Field(sa_column=_number())


class OutboxRow(Row, table=True):
    """An envelope that waits for its receipt; `id` is the order in which they were queued.

    Deleting a row delays a message (it stays `queued`, which `doctor` reports); an edited
    envelope is refused by the peer, since nobody but it can open the true one.
    """

    __tablename__: ClassVar[str] = "outbox"
    __table_args__ = (
        _digest("digest"),
        _digest("key_id"),
        sa.CheckConstraint("attempts >= 0", name="attempts"),
        sa.UniqueConstraint("identity"),
        sa.Index(None, "peer", "id"),
        _STRICT_COUNTED,
    )
    id: int | None = Field(default=None, sa_column=_counter())
    peer: str = Field(sa_column=_text())
    identity: str = Field(sa_column=_reference("messages.identity"))
    digest: str = Field(sa_column=_text())
    key_id: str = Field(sa_column=_text())
    envelope: bytes = Field(sa_column=_bytes())
    queued_at: int = Field(sa_column=_number())
    expires: int = Field(sa_column=_number())
    attempts: int = Field(default=0, sa_column=_number())
    last_code: str | None = Field(default=None, sa_column=_text(empty=True))


class QueueRow(Row, table=True):
    """The state of one peer's whole queue: when it is tried next, and which courier has it.

    Editing it delays or hastens deliveries, no more.
    """

    __tablename__: ClassVar[str] = "queues"
    __table_args__ = (sa.CheckConstraint("failures >= 0", name="failures"), _STRICT)
    peer: str = Field(sa_column=_text(key=True))
    next_try_at: int = Field(default=0, sa_column=_number())
    failures: int = Field(default=0, sa_column=_number())
    last_code: str | None = Field(default=None, sa_column=_text(empty=True))
    last_tried_at: int | None = Field(default=None, sa_column=_number(empty=True))
    last_word_at: int | None = Field(default=None, sa_column=_number(empty=True))
    claimed_by: str | None = Field(default=None, sa_column=_text(empty=True))
    claimed_until: int = Field(default=0, sa_column=_number())


class SkipRow(Row, table=True):
    """A message that its sender has declared skipped: if it comes later, it is refused.

    Deleting a row lets a message in that its sender gave up; its number is taken by then.
    """

    __tablename__: ClassVar[str] = "skips"
    __table_args__ = (_digest("identity"), _STRICT_KEYED)
    case_id: str = Field(sa_column=_reference("cases.id", key=True))
    identity: str = Field(sa_column=_text(key=True))


class NonceRow(Row, table=True):
    """A nonce of a signed HTTP request that had its effect, until the signature expires.

    Deleting one opens a replay for at most the lifetime of a signature; the message in it
    is still known, and gets the receipt it had.
    """

    __tablename__: ClassVar[str] = "nonces"
    __table_args__ = (_digest("key_id"), sa.Index(None, "expires"), _STRICT_KEYED)
    key_id: str = Field(sa_column=_text(key=True))
    nonce: str = Field(sa_column=_text(key=True))
    expires: int = Field(sa_column=_number())


class AlarmRow(Row, table=True):
    """Something that a person has to look at; never with case content in it.

    Deleting one hides it from the list; what it was about stays in the log or with a peer.
    """

    __tablename__: ClassVar[str] = "alarms"
    __table_args__ = (_STRICT_COUNTED,)
    id: int | None = Field(default=None, sa_column=_counter())
    at: int = Field(sa_column=_number())
    kind: str = Field(sa_column=_text())
    peer: str | None = Field(default=None, sa_column=_text(empty=True))
    subject: str | None = Field(default=None, sa_column=_text(empty=True))
    detail: str = Field(sa_column=_text())


class KeptSetting(Row, table=True):
    """A value that the node itself must remember, as the clock floor.

    A lowered clock floor lets expired things in until the next document raises it.
    """

    __tablename__: ClassVar[str] = "settings_kept"
    __table_args__ = (_STRICT_KEYED,)
    name: str = Field(sa_column=_text(key=True))
    value: str = Field(sa_column=_text())


def _core(row: type[Row]) -> sa.Table:  # statements on it cost a third of objects
    return cast("sa.Table", row.__dict__["__table__"])


metadata: Final[sa.MetaData] = Row.metadata
log_head: Final = _core(LogHead)
log_entries: Final = _core(LogEntry)
log_tiles: Final = _core(LogTile)
network_documents: Final = _core(NetworkDocumentRow)
listings: Final = _core(ListingRow)
revocations: Final = _core(RevocationRow)
cases: Final = _core(CaseRow)
messages: Final = _core(MessageRow)
contested: Final = _core(ContestedRow)
envelopes: Final = _core(EnvelopeRow)
outbox: Final = _core(OutboxRow)
queues: Final = _core(QueueRow)
skips: Final = _core(SkipRow)
nonces: Final = _core(NonceRow)
alarms: Final = _core(AlarmRow)
settings_kept: Final = _core(KeptSetting)
