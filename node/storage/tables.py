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
from sqlmodel import Field

from node.storage.casework_tables import (
    AccessKeyRow,
    CaseLinkRow,
    CaseMemberRow,
    CaseOffenceRow,
    CaseSumRow,
    CaseWordRow,
    ClockRow,
    DraftRow,
    HappeningRow,
    MailRow,
    PaperStepRow,
    RepeatRow,
    StandingRow,
    UserRow,
    WaitingRow,
    WebhookRow,
)
from node.storage.columns import (
    STRICT,
    STRICT_COUNTED,
    STRICT_KEYED,
    Row,
    binary,
    counter,
    digest,
    number,
    reference,
    text,
)
from node.storage.log_tables import (
    AuditorTokenRow,
    CheckpointRow,
    LogEntry,
    LogHead,
    LogTile,
    NoticeRow,
    PersonRow,
    TimestampRow,
    UnprovenRow,
    WitnessedRow,
)


class NetworkDocumentRow(Row, table=True):
    """A network document as it came, with the stewards' signatures inside `raw`.

    A forged row fails its signatures; a deleted newest one would bring back an older list,
    which the log (network changes are records) and the peers show.
    """

    __tablename__: ClassVar[str] = "network_documents"
    __table_args__ = (digest("digest"), STRICT)
    digest: str = Field(sa_column=text(key=True))
    version: int = Field(sa_column=number())
    raw: bytes = Field(sa_column=binary())
    installed_at: int = Field(sa_column=number())


class ListingRow(Row, table=True):
    """An authority's own listing as it came, signed inside `raw`.

    A forged row fails its signatures; a deleted one is fetched again.
    """

    __tablename__: ClassVar[str] = "listings"
    __table_args__ = (digest("digest"), STRICT)
    digest: str = Field(sa_column=text(key=True))
    authority: str = Field(sa_column=text())
    serial: int = Field(sa_column=number())
    raw: bytes = Field(sa_column=binary())
    installed_at: int = Field(sa_column=number())


class RevocationRow(Row, table=True):
    """A signed revocation, in force since `installed_at`.

    Deleting one lets a revoked key sign again here; the log has the record of it.
    """

    __tablename__: ClassVar[str] = "revocations"
    __table_args__ = (digest("digest"), digest("key_id"), STRICT)
    digest: str = Field(sa_column=text(key=True))
    key_id: str = Field(sa_column=text())
    raw: bytes = Field(sa_column=binary())
    installed_at: int = Field(sa_column=number())


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
        sa.Index(None, "changed_at", "id"),
        sa.Index(None, "peer", "changed_at"),
        STRICT,
    )
    id: str = Field(sa_column=text(key=True))
    side: str = Field(sa_column=text())
    peer: str = Field(sa_column=text())
    request_kind: str = Field(sa_column=text())
    state: str = Field(sa_column=text())
    opened_at: int = Field(sa_column=number())
    changed_at: int = Field(sa_column=number())
    log_id: str = Field(sa_column=text())
    wrapped_key: bytes = Field(sa_column=binary())
    sent_seq: int = Field(default=0, sa_column=number())
    sent_identity: str | None = Field(default=None, sa_column=text(empty=True))
    accepted_seq: int = Field(default=0, sa_column=number())
    accepted_identity: str | None = Field(default=None, sa_column=text(empty=True))
    order_last: int = Field(default=0, sa_column=number())


class MessageRow(Row, table=True):
    """One message of a case, its signed bytes sealed under the case's key, and its receipt.

    The clear columns are a copy of what the signed text says: whoever edits them changes a
    list on a screen, and no proof. A receipt is verified from its own bytes.
    """

    __tablename__: ClassVar[str] = "messages"
    __table_args__ = (
        digest("identity"),
        sa.CheckConstraint("direction IN ('out', 'in')", name="direction"),
        sa.CheckConstraint(
            "(direction = 'out' AND state IN ('queued', 'delivered', 'undelivered', 'refused'))"
            " OR (direction = 'in' AND state = 'accepted')",
            name="state",
        ),
        sa.CheckConstraint("seq >= 1", name="seq"),
        sa.CheckConstraint("(log IS NULL) = (log_position IS NULL)", name="place"),
        sa.UniqueConstraint("case_id", "direction", "seq"),
        STRICT,
    )
    identity: str = Field(sa_column=text(key=True))
    case_id: str = Field(sa_column=reference("cases.id"))
    direction: str = Field(sa_column=text())
    seq: int = Field(sa_column=number())
    order_number: int | None = Field(default=None, sa_column=number(empty=True))
    kind: str = Field(sa_column=text())
    created: int = Field(sa_column=number())
    expires: int = Field(sa_column=number())
    epoch: int = Field(sa_column=number())
    state: str = Field(sa_column=text())
    changed_at: int = Field(sa_column=number())
    sealed_text: bytes = Field(sa_column=binary())
    receipt: bytes | None = Field(default=None, sa_column=binary(empty=True))
    log: int | None = Field(default=None, sa_column=number(empty=True))
    log_position: int | None = Field(default=None, sa_column=number(empty=True))


class ContestedRow(Row, table=True):
    """A second message for a place that is taken: kept as proof, never applied.

    Deleting it hides a peer's equivocation here; the refusal stays in the log.
    """

    __tablename__: ClassVar[str] = "contested"
    __table_args__ = (digest("identity"), STRICT)
    identity: str = Field(sa_column=text(key=True))
    case_id: str = Field(sa_column=reference("cases.id"))
    seq: int = Field(sa_column=number())
    code: str = Field(sa_column=text())
    at: int = Field(sa_column=number())
    sealed_text: bytes = Field(sa_column=binary())


class RefusalRow(Row, table=True):
    """A final refusal of ours, and the proof of its record once that is sequenced.

    Deleting it makes a repeat be judged anew; the record stays in the log.
    """

    __tablename__: ClassVar[str] = "refusals"
    __table_args__ = (digest("identity"), STRICT)
    identity: str = Field(sa_column=text(key=True))
    code: str = Field(sa_column=text())
    at: int = Field(sa_column=number())
    proof: bytes | None = Field(default=None, sa_column=binary(empty=True))


class EnvelopeRow(Row, table=True):
    """The digest of every envelope ever made or accepted of a message.

    A receipt may name any of them. A deleted row makes a repeat look new until it has been
    opened and its identity found; a forged one points at a message that the receipt denies.
    """

    __tablename__: ClassVar[str] = "envelopes"
    __table_args__ = (
        *(digest(column) for column in ("digest", "identity", "key_id")),
        sa.Index(None, "identity"),
        STRICT,
    )
    digest: str = Field(sa_column=text(key=True))
    identity: str = Field(sa_column=text())
    key_id: str = Field(sa_column=text())
    made_at: int = Field(sa_column=number())


class OutboxRow(Row, table=True):
    """An envelope that waits for its receipt; `id` is the order in which they were queued.

    Deleting a row delays a message (it stays `queued`, which `doctor` reports); an edited
    envelope is refused by the peer, since nobody but it can open the true one.
    """

    __tablename__: ClassVar[str] = "outbox"
    __table_args__ = (
        digest("digest"),
        digest("key_id"),
        sa.CheckConstraint("attempts >= 0", name="attempts"),
        sa.UniqueConstraint("identity"),
        sa.Index(None, "peer", "id"),
        STRICT_COUNTED,
    )
    id: int | None = Field(default=None, sa_column=counter())
    peer: str = Field(sa_column=text())
    identity: str = Field(sa_column=reference("messages.identity"))
    digest: str = Field(sa_column=text())
    key_id: str = Field(sa_column=text())
    envelope: bytes = Field(sa_column=binary())
    queued_at: int = Field(sa_column=number())
    expires: int = Field(sa_column=number())
    attempts: int = Field(default=0, sa_column=number())
    last_code: str | None = Field(default=None, sa_column=text(empty=True))


class QueueRow(Row, table=True):
    """The state of one peer's whole queue: when it is tried next, and which courier has it.

    Editing it delays or hastens deliveries, no more.
    """

    __tablename__: ClassVar[str] = "queues"
    __table_args__ = (sa.CheckConstraint("failures >= 0", name="failures"), STRICT)
    peer: str = Field(sa_column=text(key=True))
    next_try_at: int = Field(default=0, sa_column=number())
    failures: int = Field(default=0, sa_column=number())
    last_code: str | None = Field(default=None, sa_column=text(empty=True))
    last_tried_at: int | None = Field(default=None, sa_column=number(empty=True))
    last_word_at: int | None = Field(default=None, sa_column=number(empty=True))
    claimed_by: str | None = Field(default=None, sa_column=text(empty=True))
    claimed_until: int = Field(default=0, sa_column=number())


class SkipRow(Row, table=True):
    """A message that its sender has declared skipped: if it comes later, it is refused.

    Deleting a row lets a message in that its sender gave up; its number is taken by then.
    """

    __tablename__: ClassVar[str] = "skips"
    __table_args__ = (digest("identity"), STRICT_KEYED)
    case_id: str = Field(sa_column=reference("cases.id", key=True))
    identity: str = Field(sa_column=text(key=True))


class NonceRow(Row, table=True):
    """A nonce of a signed HTTP request that had its effect, until the signature expires.

    Deleting one opens a replay for at most the lifetime of a signature; the message in it
    is still known, and gets the receipt it had.
    """

    __tablename__: ClassVar[str] = "nonces"
    __table_args__ = (digest("key_id"), sa.Index(None, "expires"), STRICT_KEYED)
    key_id: str = Field(sa_column=text(key=True))
    nonce: str = Field(sa_column=text(key=True))
    expires: int = Field(sa_column=number())


class AlarmRow(Row, table=True):
    """Something that a person has to look at; never with case content in it.

    `kept` holds bytes that prove it, as a fork proof. Deleting one hides it from the list;
    what it was about stays in the log or with a peer.
    """

    __tablename__: ClassVar[str] = "alarms"
    __table_args__ = (STRICT_COUNTED,)
    id: int | None = Field(default=None, sa_column=counter())
    at: int = Field(sa_column=number())
    kind: str = Field(sa_column=text())
    peer: str | None = Field(default=None, sa_column=text(empty=True))
    subject: str | None = Field(default=None, sa_column=text(empty=True))
    detail: str = Field(sa_column=text())
    kept: bytes | None = Field(default=None, sa_column=binary(empty=True))


class KeptSetting(Row, table=True):
    """A value that the node itself must remember, as the clock floor.

    A lowered clock floor lets expired things in until the next document raises it.
    """

    __tablename__: ClassVar[str] = "settings_kept"
    __table_args__ = (STRICT_KEYED,)
    name: str = Field(sa_column=text(key=True))
    value: str = Field(sa_column=text())


def _core(row: type[Row]) -> sa.Table:  # statements on it cost a third of objects
    return cast("sa.Table", row.__dict__["__table__"])


metadata: Final[sa.MetaData] = Row.metadata
log_head: Final = _core(LogHead)
log_entries: Final = _core(LogEntry)
log_tiles: Final = _core(LogTile)
checkpoints: Final = _core(CheckpointRow)
witnessed: Final = _core(WitnessedRow)
unproven: Final = _core(UnprovenRow)
log_notices: Final = _core(NoticeRow)
auditor_tokens: Final = _core(AuditorTokenRow)
timestamps: Final = _core(TimestampRow)
persons: Final = _core(PersonRow)
network_documents: Final = _core(NetworkDocumentRow)
listings: Final = _core(ListingRow)
revocations: Final = _core(RevocationRow)
cases: Final = _core(CaseRow)
messages: Final = _core(MessageRow)
contested: Final = _core(ContestedRow)
refusals: Final = _core(RefusalRow)
envelopes: Final = _core(EnvelopeRow)
outbox: Final = _core(OutboxRow)
queues: Final = _core(QueueRow)
skips: Final = _core(SkipRow)
nonces: Final = _core(NonceRow)
alarms: Final = _core(AlarmRow)
settings_kept: Final = _core(KeptSetting)
standings: Final = _core(StandingRow)
case_offences: Final = _core(CaseOffenceRow)
case_sums: Final = _core(CaseSumRow)
case_members: Final = _core(CaseMemberRow)
case_links: Final = _core(CaseLinkRow)
case_words: Final = _core(CaseWordRow)
paper_steps: Final = _core(PaperStepRow)
drafts: Final = _core(DraftRow)
clocks: Final = _core(ClockRow)
waiting: Final = _core(WaitingRow)
mails: Final = _core(MailRow)
happenings: Final = _core(HappeningRow)
webhooks: Final = _core(WebhookRow)
users: Final = _core(UserRow)
access_keys: Final = _core(AccessKeyRow)
repeats: Final = _core(RepeatRow)
