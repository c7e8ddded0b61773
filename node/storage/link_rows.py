"""The rows that link cases, and the lists of cases with where each stands. Statements only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, select, true

from node.access.roles import Person
from node.storage.case_rows import Case
from node.storage.member_rows import SEE_EVERY_ROW, readable, readable_each, reads_many
from node.storage.standing_rows import StoredStanding
from node.storage.statements import Value, insert_into
from node.storage.tables import case_links, cases, clocks, standings


@dataclass(frozen=True, slots=True)
class Link:
    """What the case `other`, here or elsewhere, is to `case_id`."""

    case_id: str
    relation: str
    other: str
    at: int


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases a list shows; what is None restricts nothing."""

    state: str | None = None
    peer: str | None = None
    request_kind: str | None = None
    side: str | None = None
    officer: str | None = None
    reference: str | None = None
    before: tuple[int, str] | None = None  # the last of the page that was read
    count_max: int = 100


@dataclass(frozen=True, slots=True)
class ListedCase:
    """A case of a list, and where it stands if that is known."""

    case: Case = field(repr=False)
    standing: StoredStanding | None


_NEWEST_COUNT: Final = 5_000
_LINK = [case_links.c[name] for name in Link.__dataclass_fields__]
_FROM = select(*_LINK).where(case_links.c.case_id == bindparam("one"))
_TO = select(*_LINK).where(case_links.c.other == bindparam("one"))
_CASE = [cases.c[name] for name in Case.__dataclass_fields__]
_STANDING = [standings.c[name] for name in StoredStanding.__dataclass_fields__]


def insert_link(conn: Connection, link: Link) -> bool:
    """Store a link; False if it is there already."""
    known = select(case_links.c.at).where(
        case_links.c.case_id == link.case_id,
        case_links.c.relation == link.relation,
        case_links.c.other == link.other,
    )
    if conn.execute(known).first() is not None:
        return False
    values: dict[str, Value] = {name: getattr(link, name) for name in link.__dataclass_fields__}
    conn.execute(insert_into(case_links), values)
    return True


def links_of(conn: Connection, case_id: str) -> tuple[list[Link], list[Link]]:
    """Read the links that begin at a case, and those of other cases that lead to it."""
    one = {"one": case_id}
    return (
        [Link(*row) for row in conn.execute(_FROM, one)],
        [Link(*row) for row in conn.execute(_TO, one)],
    )


def newest_until(conn: Connection, among: ColumnElement[bool]) -> int:
    """Give until when the newest changed of the cases that an index leads to."""
    query = select(cases.c.changed_at).where(among).order_by(cases.c.changed_at.desc())
    return conn.execute(query.offset(_NEWEST_COUNT).limit(1)).scalar() or 0


def list_standing_cases(
    conn: Connection, wanted: CaseFilter, person: Person, now: int
) -> list[ListedCase]:
    """Read a page of the cases that a person may list, the last changed first.

    Who sees many cases finds a page of their own among the newest of all.
    """
    if person.holds(SEE_EVERY_ROW):
        return _listed_where(conn, wanted, true())
    if reads_many(conn, person, now):
        among = true() if wanted.before is None else cases.c.changed_at <= wanted.before[0]
        among_newest = cases.c.changed_at >= newest_until(conn, among)
        seen = and_(among_newest, readable_each(cases.c.id, person, now))
        found = _listed_where(conn, wanted, seen)
        if len(found) == wanted.count_max:
            return found
    return _listed_where(conn, wanted, readable(cases.c.id, person, now))


def _listed_where(
    conn: Connection, wanted: CaseFilter, seen: ColumnElement[bool]
) -> list[ListedCase]:
    joined = cases.outerjoin(standings, standings.c.case_id == cases.c.id)
    query = (
        select(*_CASE, *_STANDING)
        .select_from(joined)
        .where(seen)
        .order_by(cases.c.changed_at.desc(), cases.c.id)
        .limit(wanted.count_max)
    )
    for condition in _conditions(wanted):
        query = query.where(condition)
    return [_listed(row) for row in conn.execute(query)]


def listed_cases(conn: Connection, case_ids: Sequence[str]) -> list[ListedCase]:
    """Read cases with where they stand, in the order in which they are named."""
    joined = cases.outerjoin(standings, standings.c.case_id == cases.c.id)
    query = select(*_CASE, *_STANDING).select_from(joined).where(cases.c.id.in_(case_ids))
    found = {one.case.id: one for one in map(_listed, conn.execute(query))}
    return [found[case_id] for case_id in case_ids if case_id in found]


def next_dues(conn: Connection, case_ids: Sequence[str]) -> dict[str, int]:
    """Read when the next clock that still runs is due, by case."""
    query = (
        select(clocks.c.case_id, func.min(clocks.c.due_at))
        .where(clocks.c.case_id.in_(list(case_ids)), clocks.c.ended_at.is_(None))
        .where(clocks.c.stopped_at.is_(None))
        .group_by(clocks.c.case_id)
    )
    return {row[0]: int(row[1]) for row in conn.execute(query)} if case_ids else {}


def _conditions(wanted: CaseFilter) -> list[ColumnElement[bool]]:
    pairs = (
        (standings.c.state, wanted.state),
        (cases.c.peer, wanted.peer),
        (cases.c.request_kind, wanted.request_kind),
        (cases.c.side, wanted.side),
        (standings.c.officer, wanted.officer),
    )
    found: list[ColumnElement[bool]] = [column == value for column, value in pairs if value]
    if wanted.reference:
        own, theirs = standings.c.own_ref, standings.c.peer_ref
        found.append((own == wanted.reference) | (theirs == wanted.reference))
    if wanted.before is not None:
        at, last = wanted.before
        changed = cases.c.changed_at
        found.append((changed < at) | ((changed == at) & (cases.c.id > last)))
    return found


def _listed(row: object) -> ListedCase:
    values = tuple(row)  # type: ignore[arg-type, var-annotated]  # a row is a tuple
    case, standing = values[: len(_CASE)], values[len(_CASE) :]
    return ListedCase(Case(*case), None if standing[0] is None else StoredStanding(*standing))
