"""Who may read which case: members, officers in charge, and what a list may show to whom.

    query = query.where(visible(cases.c.id, person, now))

Statements only; who may do what with a case that they know of, `node.access` says. All that
decides about one case reads the rows of that case alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    delete,
    false,
    func,
    literal,
    select,
    true,
    union_all,
)

from node.access.roles import Person, Role
from node.storage import waiting_rows
from node.storage.statements import change, insert_into
from node.storage.tables import case_members, cases, drafts, messages, standings, users

SEE_EVERY_ROW: Final = frozenset({Role.OFFICER, Role.AUDITOR})
"""Who sees in lists that a case is there, whoever works on it; never what is said in it."""

TAKE_IN: Final = frozenset({Role.INTAKE, Role.DUTY_OFFICER, Role.DECISION_OFFICER})
"""Who may read a case that came in and that nobody is in charge of yet."""

SEND_OUT: Final = frozenset({Role.OFFICER})
"""Who may read a case of ours that nobody is in charge of."""

_MANY: Final = 1_500  # cases that are looked at in the time of a page


@dataclass(frozen=True, slots=True)
class Member:
    """A person who was let into a case: `reader`, or `protected` for guarded identities."""

    case_id: str
    person: str
    level: str
    added_by: str | None
    added_at: int


@dataclass(frozen=True, slots=True)
class InCharge:
    """What decides who may read one case, the members aside."""

    case: str
    side: str
    officer: str | None


def open_sides(person: Person) -> list[str]:
    """Give the sides on which this person may read what nobody is in charge of."""
    open_to = (("requested", TAKE_IN), ("requesting", SEND_OUT))
    return [side for side, roles in open_to if person.holds(roles)]


def stood_in_for(person: str, now: int) -> Select[tuple[str]]:
    """Select those who are away, and whose substitute this person is."""
    return select(users.c.person).where(
        users.c.substitute == person, users.c.state == "active",
        users.c.away_from <= now, users.c.away_until > now,
    )  # fmt: skip


def visible(case_id: ColumnElement[str], person: Person, now: int) -> ColumnElement[bool]:
    """Give the condition that a list may show the case in this column to a person."""
    return true() if person.holds(SEE_EVERY_ROW) else readable(case_id, person, now)


def readable(case_id: ColumnElement[str], person: Person, now: int) -> ColumnElement[bool]:
    """Give the condition that a person may read what is said in the case in this column.

    As `may_read` for one case; for what follows from content, as whether a word occurs.
    """
    known = _known(person, now)
    return case_id.in_(union_all(*known)) if known else false()


def reads_many(conn: Connection, person: Person, now: int) -> bool:
    """Say whether a person may read so many cases that a page of them is found among the newest."""
    known = _known(person, now)
    if not known:
        return False
    ones = (each.with_only_columns(literal(1), maintain_column_froms=True) for each in known)
    some = union_all(*ones).limit(_MANY + 1).subquery()
    return (conn.execute(select(func.count()).select_from(some)).scalar() or 0) > _MANY


def _known(person: Person, now: int) -> list[Select[tuple[str]]]:
    """Select the cases that a person may read, by each thing that lets them in."""
    if person.id is None or not person.reads_cases:
        return []
    known: list[Select[tuple[str]]] = [
        select(standings.c.case_id).where(standings.c.officer == person.id),
        select(standings.c.case_id).where(standings.c.officer.in_(stood_in_for(person.id, now))),
        select(case_members.c.case_id).where(case_members.c.person == person.id),
    ]
    sides = open_sides(person)
    if sides:
        known.append(
            select(standings.c.case_id)
            .join(cases, cases.c.id == standings.c.case_id)
            .where(standings.c.officer.is_(None), cases.c.side.in_(sides))
        )
    return known


def readable_each(case_id: ColumnElement[str], person: Person, now: int) -> ColumnElement[bool]:
    """Give the same condition as `readable`, for where few cases are looked at, or most are theirs.

    It asks for each case by itself, while `readable` begins with all of the person's own. The
    offsets keep PostgreSQL to that: it would gather what everybody may read, and look there.
    """
    if person.id is None or not person.reads_cases:
        return false()
    stands, opened = standings.alias(), cases.alias()
    officer = stands.c.officer
    charge = (officer == person.id) | officer.in_(stood_in_for(person.id, now))
    in_charge = select(stands.c.case_id).where(stands.c.case_id == case_id)
    sides = open_sides(person)
    if sides:
        charge = charge | (officer.is_(None) & opened.c.side.in_(sides))
        in_charge = in_charge.join(opened, opened.c.id == stands.c.case_id)
    member = select(case_members.c.case_id).where(
        case_members.c.case_id == case_id, case_members.c.person == person.id
    )
    return in_charge.where(charge).offset(0).exists() | member.offset(0).exists()


def may_read(conn: Connection, person: Person, case_id: str, now: int) -> bool:
    """Say whether a person may read what is said in a case."""
    if person.id is None or not person.reads_cases:
        return False
    if read_member(conn, case_id, person.id) is not None:
        return True
    found = in_charge(conn, case_id)
    if found is None or not person.works_on_cases:
        return False
    return is_in_charge(conn, person, found, now) or (
        found.officer is None and found.side in open_sides(person)
    )


def may_list(conn: Connection, person: Person, case_id: str, now: int) -> bool:
    """Say whether a list may show to a person that this case is there."""
    return person.holds(SEE_EVERY_ROW) or may_read(conn, person, case_id, now)


_IN_CHARGE: Final = (
    select(cases.c.id, cases.c.side, standings.c.officer)
    .outerjoin(standings, standings.c.case_id == cases.c.id)
    .where(cases.c.id == bindparam("one"))
)


def in_charge(conn: Connection, case_id: str) -> InCharge | None:
    """Read who is in charge of a case."""
    row = conn.execute(_IN_CHARGE, {"one": case_id}).first()
    return None if row is None else InCharge(*row)


def is_in_charge(conn: Connection, person: Person, case: InCharge, now: int) -> bool:
    """Say whether a person is in charge of a case, or stands in for who is."""
    if person.id is None or case.officer is None:
        return False
    if case.officer == person.id:
        return True
    away = stood_in_for(person.id, now).where(users.c.person == case.officer)
    return conn.execute(away).first() is not None


def holds_kind(conn: Connection, case_id: str, kind: str) -> bool:
    """Say whether a case holds a message of this kind."""
    query = select(messages.c.identity).where(
        messages.c.case_id == case_id, messages.c.kind == kind
    )
    return conn.execute(query.limit(1)).first() is not None


# --- drafts ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DraftPlace:
    """Of a draft, what decides who may see it."""

    draft: str
    case: str | None
    state: str
    people: frozenset[str]


def find_draft_places(conn: Connection, part: str) -> list[DraftPlace]:
    """Find drafts by how their id begins; ten at most."""
    query = (
        select(
            drafts.c.id, drafts.c.case_id, drafts.c.state, drafts.c.writers,
            drafts.c.submitted_by, drafts.c.approved_by,
        )
        .where(drafts.c.id.startswith(part.lower(), autoescape=True))
        .order_by(drafts.c.id)
        .limit(10)
    )  # fmt: skip
    return [
        DraftPlace(draft, case, state, frozenset({*writers.split(), submitted, approved} - {None}))
        for draft, case, state, writers, submitted, approved in conn.execute(query)
    ]


# --- members -----------------------------------------------------------------

_MEMBER: Final = [case_members.c[name] for name in Member.__dataclass_fields__]
_OF_CASE: Final = select(*_MEMBER).where(case_members.c.case_id == bindparam("one"))
_ONE: Final = _OF_CASE.where(case_members.c.person == bindparam("person"))


def read_member(conn: Connection, case_id: str, person: str) -> Member | None:
    """Read how far a person was let into a case, if they were."""
    row = conn.execute(_ONE, {"one": case_id, "person": person}).first()
    return None if row is None else Member(*row)


def list_members(conn: Connection, case_id: str) -> Sequence[Member]:
    """Read who was let into a case, in the order in which they were."""
    query = _OF_CASE.order_by(case_members.c.added_at, case_members.c.person)
    return [Member(*row) for row in conn.execute(query, {"one": case_id})]


def put_member(conn: Connection, member: Member) -> None:
    """Let a person into a case, or change how far."""
    where = {"case_id": member.case_id, "person": member.person}
    rest = {"level": member.level, "added_by": member.added_by, "added_at": member.added_at}
    if change(conn, case_members, where, rest) == 0:
        conn.execute(insert_into(case_members), {**where, **rest})
        waiting_rows.add_member(conn, member.case_id, member.person)


def delete_member(conn: Connection, case_id: str, person: str) -> int:
    """Let a person out of a case; gives how many rows that were."""
    waiting_rows.delete_member(conn, case_id, person)
    return conn.execute(
        delete(case_members).where(
            case_members.c.case_id == case_id, case_members.c.person == person
        )
    ).rowcount
