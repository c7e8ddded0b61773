"""Rows of casework and of people, as an auditor reads them: beside `audit_rows`.

Statements of its own, as there; knows no meaning of any column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import Connection, Table, Text, cast, select

from node.storage.audit_rows import Values, all_rows, pages
from node.storage.tables import (
    access_keys,
    case_links,
    case_members,
    case_sums,
    cases,
    drafts,
    messages,
    paper_steps,
    persons,
    standings,
    users,
    webhooks,
)

_PAGE: Final = 256

_OF_USER: Final = (
    "person", "login", "uid", "roles", "state", "wanted", "asked_by", "asked_at", "confirmed_by",
    "confirmed_at", "mailing", "substitute", "away_from", "away_until",
)  # fmt: skip
_OF_DRAFT: Final = (
    "id", "case_id", "peer", "event", "request_kind", "state", "version", "wrapped_key",
    "sealed_text", "writers", "submitted_by", "approved_by", "approved_at", "message",
    "created_at", "changed_at",
)  # fmt: skip
_OF_STEP: Final = (
    "id", "case_id", "place", "event", "side", "channel", "at", "recorded_at", "recorded_by",
    "sealed_body",
)  # fmt: skip


def user_rows(conn: Connection) -> Sequence[Values]:
    """Give who our people are, with the `name` behind their id, or none where that is gone."""
    columns = [users.c[name] for name in _OF_USER]
    name = cast(persons.c.name, Text).label("name")  # which, other than the column, may be none
    query = select(*columns, name).outerjoin_from(users, persons, persons.c.id == users.c.person)
    return all_rows(conn, query.order_by(users.c.person), "users")


def key_rows(conn: Connection) -> Sequence[Values]:
    """Give digest, person, scopes, made_by, made_at, expires and ended_at of access keys."""
    names = ("digest", "person", "scopes", "made_by", "made_at", "expires", "ended_at")
    return _all(conn, access_keys, *names)


def webhook_rows(conn: Connection) -> Sequence[Values]:
    """Give id, url, made_by, made_at and ended_at of webhooks."""
    return _all(conn, webhooks, "id", "url", "made_by", "made_at", "ended_at")


def member_pages(conn: Connection) -> Iterator[Sequence[Values]]:
    """Give case_id, person, level, added_by, added_at, and the case's log_id if it is there."""
    names = ("case_id", "person", "level", "added_by", "added_at")
    columns = [case_members.c[name] for name in names]
    source = case_members.outerjoin(cases, cases.c.id == case_members.c.case_id)
    return pages(
        conn, [*columns, cases.c.log_id], columns[:2], size=_PAGE, place="case_members",
        source=source,
    )  # fmt: skip


def link_pages(conn: Connection) -> Iterator[Sequence[Values]]:
    """Give case_id, relation, other and at of links, and the case's log_id if it is there."""
    columns = [case_links.c[name] for name in ("case_id", "relation", "other", "at")]
    source = case_links.outerjoin(cases, cases.c.id == case_links.c.case_id)
    return pages(
        conn, [*columns, cases.c.log_id], columns[:3], size=_PAGE, place="case_links",
        source=source,
    )  # fmt: skip


def standing_pages(conn: Connection) -> Iterator[Sequence[Values]]:
    """Give where cases stand: `case_id` is missing where nothing is kept, `log_id` the case.

    Columns: id, side, request_kind, shown (the state in the case's row), sent_seq,
    accepted_seq, order_last, log_id, wrapped_key,
    case_id, machine, state, unconfirmed, applied, standing, on_wire, officer.
    """
    kept = ("case_id", "machine", "state", "unconfirmed", "applied", "standing", "on_wire",
            "officer")  # fmt: skip
    columns = [cases.c.id, cases.c.side, cases.c.request_kind, cases.c.state.label("shown")]
    columns += [cases.c.sent_seq, cases.c.accepted_seq, cases.c.order_last]
    columns += [cases.c.log_id, cases.c.wrapped_key, *(standings.c[name] for name in kept)]
    source = cases.outerjoin(standings, cases.c.id == standings.c.case_id)
    return pages(conn, columns, columns[:1], size=_PAGE, place="standings", source=source)


def standings_without_case(conn: Connection, limit: int) -> list[str]:
    """Give the cases of which a standing is kept and that are not here."""
    query = (
        select(standings.c.case_id)
        .outerjoin_from(standings, cases, cases.c.id == standings.c.case_id)
        .where(cases.c.id.is_(None))
        .limit(limit)
    )
    return [row[0] for row in all_rows(conn, query, "standings without a case")]


def draft_pages(conn: Connection) -> Iterator[Sequence[Values]]:
    """Give all of all drafts, and as `became` the case of the message that each became."""
    columns = [drafts.c[name] for name in _OF_DRAFT]
    source = drafts.outerjoin(messages, messages.c.identity == drafts.c.message)
    return pages(
        conn, [*columns, messages.c.case_id.label("became")], columns[:1], size=_PAGE,
        place="drafts", source=source,
    )  # fmt: skip


def step_pages(conn: Connection) -> Iterator[Sequence[Values]]:
    """Give all of all steps on paper, and log_id, wrapped_key and peer of their case."""
    columns = [paper_steps.c[name] for name in _OF_STEP]
    source = paper_steps.outerjoin(cases, cases.c.id == paper_steps.c.case_id)
    return pages(
        conn, [*columns, cases.c.log_id, cases.c.wrapped_key, cases.c.peer], columns[:1],
        size=_PAGE, place="paper_steps", source=source,
    )  # fmt: skip


def sum_rows(conn: Connection) -> Sequence[Values]:
    """Give case_id, stage, currency and sealed_amount of sums, and the key of their case."""
    names = ("case_id", "stage", "currency", "sealed_amount")
    query = select(*(case_sums.c[name] for name in names), cases.c.wrapped_key).outerjoin_from(
        case_sums, cases, cases.c.id == case_sums.c.case_id
    )
    return all_rows(conn, query, "case_sums")


def _all(conn: Connection, table: Table, *names: str) -> Sequence[Values]:
    query = select(*(table.c[name] for name in names)).order_by(table.c[names[0]])
    return all_rows(conn, query, table.name)
