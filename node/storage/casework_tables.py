"""The tables of casework; `tables.py` has the rest and says more.

Here is what an authority keeps about its cases beside the messages: where each stands, who
may read it, drafts that are being written, clocks that run, steps that came on paper, and
the people who do all this. Content (bodies, amounts, secrets) stands only in sealed columns,
under the key of its case or draft; in clear stand references, authorities, codes and times.
"""

from __future__ import annotations

from typing import ClassVar

import sqlalchemy as sa
from sqlmodel import Field

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


class StandingRow(Row, table=True):
    """Where a case stands: what follows from its messages and receipts, kept for lists.

    `standing` is the life cycle's own value after the message of order `applied`; the other
    columns are a copy of what it and the request say. Whoever edits a row changes a list:
    it is derived again from the messages.
    """

    __tablename__: ClassVar[str] = "standings"
    __table_args__ = (
        sa.CheckConstraint("applied >= 0", name="applied"),
        sa.CheckConstraint("on_wire IN (0, 1)", name="on_wire"),
        sa.Index(None, "own_ref"),
        sa.Index(None, "peer_ref"),
        sa.Index(None, "state"),
        sa.Index(None, "officer"),
        STRICT,
    )
    case_id: str = Field(sa_column=reference("cases.id", key=True))
    machine: str = Field(sa_column=text())
    state: str = Field(sa_column=text())
    unconfirmed: str | None = Field(default=None, sa_column=text(empty=True))
    applied: int = Field(default=0, sa_column=number())
    standing: str = Field(sa_column=text())
    on_wire: int = Field(default=1, sa_column=number())
    own_ref: str | None = Field(default=None, sa_column=text(empty=True))
    peer_ref: str | None = Field(default=None, sa_column=text(empty=True))
    officer: str | None = Field(default=None, sa_column=text(empty=True))
    basis: str | None = Field(default=None, sa_column=text(empty=True))
    effect: str | None = Field(default=None, sa_column=text(empty=True))
    urgency: str | None = Field(default=None, sa_column=text(empty=True))
    language: str | None = Field(default=None, sa_column=text(empty=True))
    outcome: str | None = Field(default=None, sa_column=text(empty=True))
    ground: str | None = Field(default=None, sa_column=text(empty=True))
    delivered_at: int | None = Field(default=None, sa_column=number(empty=True))
    acknowledged_at: int | None = Field(default=None, sa_column=number(empty=True))
    decided_at: int | None = Field(default=None, sa_column=number(empty=True))
    executed_at: int | None = Field(default=None, sa_column=number(empty=True))
    ended_at: int | None = Field(default=None, sa_column=number(empty=True))


class CaseOffenceRow(Row, table=True):
    """An offence of a case, by the article's code; for statistics."""

    __tablename__: ClassVar[str] = "case_offences"
    __table_args__ = (STRICT_KEYED,)
    case_id: str = Field(sa_column=reference("cases.id", key=True))
    code: str = Field(sa_column=text(key=True))


class CaseSumRow(Row, table=True):
    """A sum frozen, confiscated or returned in a case; the amount is sealed."""

    __tablename__: ClassVar[str] = "case_sums"
    __table_args__ = (STRICT_KEYED,)
    case_id: str = Field(sa_column=reference("cases.id", key=True))
    stage: str = Field(sa_column=text(key=True))
    currency: str = Field(sa_column=text(key=True))
    sealed_amount: bytes = Field(sa_column=binary())


class CaseMemberRow(Row, table=True):
    """Who may read a case, and how much: `reader`, or `protected` for guarded identities.

    A forged row lets one of our own people read a case; each read is in the log.
    """

    __tablename__: ClassVar[str] = "case_members"
    __table_args__ = (
        sa.CheckConstraint("level IN ('reader', 'protected')", name="level"),
        sa.Index(None, "person"),
        STRICT_KEYED,
    )
    case_id: str = Field(sa_column=reference("cases.id", key=True))
    person: str = Field(sa_column=text(key=True))
    level: str = Field(sa_column=text())
    added_by: str | None = Field(default=None, sa_column=text(empty=True))
    added_at: int = Field(sa_column=number())


class CaseLinkRow(Row, table=True):
    """What another case, here or elsewhere, is to this one (`continues`, `supersedes`, …)."""

    __tablename__: ClassVar[str] = "case_links"
    __table_args__ = (sa.Index(None, "other"), STRICT_KEYED)
    case_id: str = Field(sa_column=reference("cases.id", key=True))
    relation: str = Field(sa_column=text(key=True))
    other: str = Field(sa_column=text(key=True))
    at: int = Field(sa_column=number())


class CaseWordRow(Row, table=True):
    """A word that occurs in a case, as a keyed digest: finds names without holding them."""

    __tablename__: ClassVar[str] = "case_words"
    __table_args__ = (
        sa.CheckConstraint("length(word) = 16", name="word_length"),
        sa.Index(None, "case_id"),
        STRICT_KEYED,
    )
    word: bytes = Field(sa_column=sa.Column(sa.LargeBinary(), primary_key=True, nullable=False))
    case_id: str = Field(sa_column=reference("cases.id", key=True))


class PaperStepRow(Row, table=True):
    """A step of a case that did not come over the wire: by which channel, who recorded it.

    Nothing but the log's record proves it: it is our own word about paper.
    """

    __tablename__: ClassVar[str] = "paper_steps"
    __table_args__ = (
        sa.CheckConstraint("side IN ('requesting', 'requested')", name="side"),
        sa.UniqueConstraint("case_id", "place"),
        STRICT,
    )
    id: str = Field(sa_column=text(key=True))
    case_id: str = Field(sa_column=reference("cases.id"))
    place: int = Field(sa_column=number())
    event: str = Field(sa_column=text())
    side: str = Field(sa_column=text())
    channel: str = Field(sa_column=text())
    at: int = Field(sa_column=number())
    recorded_at: int = Field(sa_column=number())
    recorded_by: str | None = Field(default=None, sa_column=text(empty=True))
    sealed_body: bytes = Field(sa_column=binary())


class DraftRow(Row, table=True):
    """A request or an event that is being written, and who has approved which version.

    `wrapped_key` and `sealed_text` are its own; an approval stands for one version alone.
    """

    __tablename__: ClassVar[str] = "drafts"
    __table_args__ = (
        sa.CheckConstraint("version >= 1", name="version"),
        sa.Index(None, "case_id"),
        sa.Index(None, "state"),
        STRICT,
    )
    id: str = Field(sa_column=text(key=True))
    case_id: str | None = Field(default=None, sa_column=text(empty=True))
    peer: str = Field(sa_column=text())
    event: str = Field(sa_column=text())
    request_kind: str | None = Field(default=None, sa_column=text(empty=True))
    state: str = Field(sa_column=text())
    version: int = Field(sa_column=number())
    wrapped_key: bytes = Field(sa_column=binary())
    sealed_text: bytes = Field(sa_column=binary())
    writers: str = Field(sa_column=text())
    submitted_by: str | None = Field(default=None, sa_column=text(empty=True))
    approved_by: str | None = Field(default=None, sa_column=text(empty=True))
    approved_at: int | None = Field(default=None, sa_column=number(empty=True))
    message: str | None = Field(default=None, sa_column=text(empty=True))
    created_at: int = Field(sa_column=number())
    changed_at: int = Field(sa_column=number())


class ClockRow(Row, table=True):
    """A clock of a case: what is awaited from whom, until when, and by which rule.

    Editing one hastens or delays a warning; the node decides nothing by it.
    """

    __tablename__: ClassVar[str] = "clocks"
    __table_args__ = (
        sa.CheckConstraint("waits_for IN ('us', 'them')", name="waits_for"),
        sa.Index(None, "case_id", "ended_at", "due_at"),
        sa.Index(None, "warn_at"),
        STRICT_COUNTED,
    )
    id: int | None = Field(default=None, sa_column=counter())
    case_id: str = Field(sa_column=reference("cases.id"))
    name: str = Field(sa_column=text())
    waits_for: str = Field(sa_column=text())
    rule: str = Field(sa_column=text())
    started_at: int = Field(sa_column=number())
    due_at: int = Field(sa_column=number())
    warn_at: int | None = Field(default=None, sa_column=number(empty=True))
    stopped_at: int | None = Field(default=None, sa_column=number(empty=True))
    ended_at: int | None = Field(default=None, sa_column=number(empty=True))
    ended_how: str | None = Field(default=None, sa_column=text(empty=True))
    warned_at: int | None = Field(default=None, sa_column=number(empty=True))
    escalated_at: int | None = Field(default=None, sa_column=number(empty=True))


class WaitingRow(Row, table=True):
    """A clock that has not ended, for each whom the work list shows it to.

    `reader` is a person, by `charge` or as a `member`; where nobody is in charge, it is the
    side of the case; and `every` clock is there once for those whose role lets them list all.
    Follows from clocks, standings and members, in the order of a page: so a list costs what
    it shows, and not what a person may see.
    """

    __tablename__: ClassVar[str] = "waiting"
    __table_args__ = (
        sa.CheckConstraint("known_by IN ('charge', 'member', 'every')", name="known_by"),
        sa.CheckConstraint("stopped IN (0, 1)", name="stopped"),
        sa.Index(None, "clock"),
        STRICT_KEYED,
    )
    reader: str = Field(sa_column=text(key=True))
    known_by: str = Field(sa_column=text(key=True))
    due_at: int = Field(sa_column=number(key=True))
    clock: int = Field(sa_column=number(key=True))
    waits_for: str = Field(sa_column=text())
    stopped: int = Field(sa_column=number())


class MailRow(Row, table=True):
    """A mail to one of our people that says only that something waits."""

    __tablename__: ClassVar[str] = "mails"
    __table_args__ = (sa.Index(None, "sent_at", "at"), STRICT_COUNTED)
    id: int | None = Field(default=None, sa_column=counter())
    person: str = Field(sa_column=text())
    reason: str = Field(sa_column=text())
    case_id: str | None = Field(default=None, sa_column=text(empty=True))
    at: int = Field(sa_column=number())
    sent_at: int | None = Field(default=None, sa_column=number(empty=True))
    failures: int = Field(default=0, sa_column=number())


class HappeningRow(Row, table=True):
    """Something happened that other programs may want to hear of; thin, without content."""

    __tablename__: ClassVar[str] = "happenings"
    __table_args__ = (sa.Index(None, "case_id"), STRICT_COUNTED)
    id: int | None = Field(default=None, sa_column=counter())
    at: int = Field(sa_column=number())
    kind: str = Field(sa_column=text())
    case_id: str | None = Field(default=None, sa_column=text(empty=True))
    draft: str | None = Field(default=None, sa_column=text(empty=True))


class WebhookRow(Row, table=True):
    """Where happenings are sent, and how far that has come; its signing key is sealed."""

    __tablename__: ClassVar[str] = "webhooks"
    __table_args__ = (STRICT,)
    id: str = Field(sa_column=text(key=True))
    url: str = Field(sa_column=text())
    kinds: str = Field(sa_column=text())
    sealed_key: bytes = Field(sa_column=binary())
    made_by: str | None = Field(default=None, sa_column=text(empty=True))
    made_at: int = Field(sa_column=number())
    ended_at: int | None = Field(default=None, sa_column=number(empty=True))
    position: int = Field(default=0, sa_column=number())
    failures: int = Field(default=0, sa_column=number())
    next_try_at: int = Field(default=0, sa_column=number())


class UserRow(Row, table=True):
    """One of our people: which roles they hold, and how the system knows them.

    `wanted` is a change that a second person has not confirmed yet. A forged row gives a
    role; what is done with it stands in the log under a person whom no record made.
    """

    __tablename__: ClassVar[str] = "users"
    __table_args__ = (
        sa.CheckConstraint("state IN ('asked', 'active', 'ended')", name="state"),
        sa.UniqueConstraint("login"),
        sa.UniqueConstraint("uid"),
        STRICT,
    )
    person: str = Field(sa_column=text(key=True))
    login: str = Field(sa_column=text())
    uid: int | None = Field(default=None, sa_column=number(empty=True))
    roles: str = Field(sa_column=text())
    state: str = Field(sa_column=text())
    wanted: str | None = Field(default=None, sa_column=text(empty=True))
    asked_by: str | None = Field(default=None, sa_column=text(empty=True))
    asked_at: int = Field(sa_column=number())
    confirmed_by: str | None = Field(default=None, sa_column=text(empty=True))
    confirmed_at: int | None = Field(default=None, sa_column=number(empty=True))
    address: str | None = Field(default=None, sa_column=text(empty=True))
    mailing: str = Field(default="now", sa_column=text())
    substitute: str | None = Field(default=None, sa_column=text(empty=True))
    away_from: int | None = Field(default=None, sa_column=number(empty=True))
    away_until: int | None = Field(default=None, sa_column=number(empty=True))


class AccessKeyRow(Row, table=True):
    """The digest of a key by which a person, or their program, is known; never the key."""

    __tablename__: ClassVar[str] = "access_keys"
    __table_args__ = (digest("digest"), sa.Index(None, "person"), STRICT)
    digest: str = Field(sa_column=text(key=True))
    person: str = Field(sa_column=text())
    name: str = Field(sa_column=text())
    scopes: str = Field(sa_column=text())
    made_by: str | None = Field(default=None, sa_column=text(empty=True))
    made_at: int = Field(sa_column=number())
    expires: int = Field(sa_column=number())
    ended_at: int | None = Field(default=None, sa_column=number(empty=True))


class RepeatRow(Row, table=True):
    """The answer to a request that carried an idempotency key, for its repeats; sealed."""

    __tablename__: ClassVar[str] = "repeats"
    __table_args__ = (digest("request"), sa.Index(None, "at"), STRICT_KEYED)
    person: str = Field(sa_column=text(key=True))
    key: str = Field(sa_column=text(key=True))
    request: str = Field(sa_column=text())
    status: int = Field(sa_column=number())
    sealed_answer: bytes = Field(sa_column=binary())
    at: int = Field(sa_column=number())
