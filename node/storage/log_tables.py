"""The tables of the log and of those who watch it; `tables.py` has the rest and says more.

Here are our own logs (heads, entries, tiles, checkpoints that were cosigned, timestamps),
what we keep about the logs of peers (what we cosigned, what nobody has proved, forks and
closings), and who may read or stands in a record.
"""

from __future__ import annotations

from typing import ClassVar

import sqlalchemy as sa
from sqlmodel import Field

from node.storage.columns import (
    STRICT,
    STRICT_KEYED,
    Row,
    binary,
    digest,
    number,
    text,
)


class LogHead(Row, table=True):
    """The newest state of a log: its size, root and signed checkpoint.

    An older row put back would make the node sign a second history; the guard outside the
    database, and the peers' memory, are compared with it before anything is signed.
    """

    __tablename__: ClassVar[str] = "log_head"
    __table_args__ = (
        sa.CheckConstraint("size >= 0", name="size"),
        sa.CheckConstraint("length(root) = 32", name="root_length"),
        STRICT,
    )
    origin: str = Field(sa_column=text(key=True))
    size: int = Field(sa_column=number())
    root: bytes = Field(sa_column=binary())
    checkpoint: bytes = Field(sa_column=binary())


class LogEntry(Row, table=True):
    """One entry of a log: the commitment, and the record and salt while they are kept.

    `log` is the number of the log: an authority that had to close one opens the next.
    Whoever edits a row gains nothing: the commitment no longer hashes to the signed root, or
    the record no longer opens the commitment. Emptying record and salt is lawful erasure.
    """

    __tablename__: ClassVar[str] = "log_entries"
    __table_args__ = (
        sa.CheckConstraint("log >= 1 AND position >= 0", name="place"),
        sa.CheckConstraint("length(commitment) = 32", name="commitment_length"),
        sa.CheckConstraint("(record IS NULL) = (salt IS NULL)", name="record_with_salt"),
        STRICT,
    )
    log: int = Field(sa_column=number(key=True))
    position: int = Field(sa_column=number(key=True))
    commitment: bytes = Field(sa_column=binary())
    kind: str = Field(sa_column=text())
    at: int = Field(sa_column=number())
    record: bytes | None = Field(default=None, sa_column=binary(empty=True))
    salt: bytes | None = Field(default=None, sa_column=binary(empty=True))


class LogTile(Row, table=True):
    """Up to 256 hashes of one level of the tree; the value only ever grows.

    An edited tile makes proofs fail; the entries give it again.
    """

    __tablename__: ClassVar[str] = "log_tiles"
    __table_args__ = (
        sa.CheckConstraint("log >= 1 AND level >= 0 AND position >= 0", name="place"),
        sa.CheckConstraint("length(hashes) % 32 = 0 AND length(hashes) <= 8192", name="hashes"),
        STRICT,
    )
    log: int = Field(sa_column=number(key=True))
    level: int = Field(sa_column=number(key=True))
    position: int = Field(sa_column=number(key=True))
    hashes: bytes = Field(sa_column=binary())


class CheckpointRow(Row, table=True):
    """A checkpoint of our own log that a witness has cosigned, with all words gathered on it.

    Every later state of the log must continue it. Deleting one costs the proofs that rest on
    it their witnesses; an edited one fails its signatures.
    """

    __tablename__: ClassVar[str] = "checkpoints"
    __table_args__ = (
        sa.CheckConstraint("log >= 1 AND size >= 0 AND witnesses >= 0", name="numbers"),
        STRICT,
    )
    log: int = Field(sa_column=number(key=True))
    size: int = Field(sa_column=number(key=True))
    raw: bytes = Field(sa_column=binary())
    witnesses: int = Field(sa_column=number())  # valid words of witnesses that were asked for
    at: int = Field(sa_column=number())


class WitnessedRow(Row, table=True):
    """The newest checkpoint of a peer's log that we have cosigned, with our word on it.

    A witness that forgets can be led to cosign two histories. A row put back to an older one
    makes it do so; the other's log then shows our own cosignature on both.
    """

    __tablename__: ClassVar[str] = "witnessed"
    __table_args__ = (
        sa.CheckConstraint("size >= 0", name="size"),
        sa.CheckConstraint("length(root) = 32", name="root_length"),
        STRICT,
    )
    origin: str = Field(sa_column=text(key=True))
    size: int = Field(sa_column=number())
    root: bytes = Field(sa_column=binary())
    raw: bytes = Field(sa_column=binary())
    at: int = Field(sa_column=number())


class UnprovenRow(Row, table=True):
    """A signed checkpoint of a peer's log of which nobody has shown yet that it continues.

    Deleting one hides a log that gives no proof; the receipt that brought it is kept.
    """

    __tablename__: ClassVar[str] = "unproven"
    __table_args__ = (
        sa.CheckConstraint("size >= 0", name="size"),
        sa.CheckConstraint("length(root) = 32", name="root_length"),
        STRICT_KEYED,
    )
    origin: str = Field(sa_column=text(key=True))
    size: int = Field(sa_column=number(key=True))
    root: bytes = Field(sa_column=sa.Column(sa.LargeBinary(), primary_key=True, nullable=False))
    raw: bytes = Field(sa_column=binary())
    since: int = Field(sa_column=number())


class NoticeRow(Row, table=True):
    """A statement about a log that proves itself: that it forked, or that it was closed.

    A forged row fails its signatures; a deleted one comes again from any peer.
    """

    __tablename__: ClassVar[str] = "log_notices"
    __table_args__ = (
        digest("digest"),
        sa.CheckConstraint("kind IN ('fork', 'closed')", name="kind"),
        sa.UniqueConstraint("kind", "origin"),
        STRICT,
    )
    digest: str = Field(sa_column=text(key=True))
    kind: str = Field(sa_column=text())
    origin: str = Field(sa_column=text())
    raw: bytes = Field(sa_column=binary())
    at: int = Field(sa_column=number())


class AuditorTokenRow(Row, table=True):
    """A token that lets an auditor read the log, known by its digest alone.

    An added row lets somebody read entries that say nothing without their records.
    """

    __tablename__: ClassVar[str] = "auditor_tokens"
    __table_args__ = (digest("digest"), sa.UniqueConstraint("name"), STRICT)
    digest: str = Field(sa_column=text(key=True))
    name: str = Field(sa_column=text())
    created: int = Field(sa_column=number())
    expires: int = Field(sa_column=number())


class TimestampRow(Row, table=True):
    """An RFC 3161 timestamp over a checkpoint of our log.

    An edited one fails its signature; a deleted one costs a word about time, and no proof.
    """

    __tablename__: ClassVar[str] = "timestamps"
    __table_args__ = (
        digest("digest"),
        sa.CheckConstraint("log >= 1 AND size >= 0", name="numbers"),
        STRICT,
    )
    digest: str = Field(sa_column=text(key=True))  # of the token
    log: int = Field(sa_column=number())
    size: int = Field(sa_column=number())
    checkpoint: bytes = Field(sa_column=binary())
    token: bytes = Field(sa_column=binary())
    at: int = Field(sa_column=number())


class PersonRow(Row, table=True):
    """Who a random id in records stands for. Deleting a row makes that person unknowable."""

    __tablename__: ClassVar[str] = "persons"
    __table_args__ = (
        sa.CheckConstraint("length(id) = 32", name="id_length"),
        sa.UniqueConstraint("name"),
        STRICT,
    )
    id: str = Field(sa_column=text(key=True))
    name: str = Field(sa_column=text())
