"""The rows of words that occur in cases, and the search over them and over references.

A word is sixteen bytes that only the node's key makes from it, so these rows name nobody.
They do show which cases share a word, and how common it is. Statements only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    delete,
    false,
    func,
    select,
    true,
)

from node.access.roles import Person
from node.storage.link_rows import newest_until
from node.storage.member_rows import SEE_EVERY_ROW, readable, readable_each, reads_many
from node.storage.statements import insert_rows
from node.storage.tables import case_words, cases, standings

_FEW_MAX: Final = 4_000  # so many cases can be looked at one by one
_NAMED_MAX: Final = 500
_LAST: Final = "\U0010ffff"

_MANY: BindParameter[bytes] = bindparam("many", expanding=True)
_HELD = select(case_words.c.word).where(
    case_words.c.case_id == bindparam("one"), case_words.c.word.in_(_MANY)
)
_COUNT = select(func.count()).select_from(
    select(case_words.c.case_id)
    .where(case_words.c.word == bindparam("word"))
    .limit(_FEW_MAX + 1)
    .subquery()
)


@dataclass(frozen=True, slots=True)
class Seeker:
    """Who searches, when, and how many cases they want to see."""

    person: Person
    now: int
    limit: int


def add_words(conn: Connection, case_id: str, words: Sequence[bytes]) -> None:
    """Add words that occur in a case; those that it has already stay."""
    if not words:
        return
    held = set(conn.execute(_HELD, {"one": case_id, "many": list(words)}).scalars())
    rows = [(word, case_id) for word in sorted(set(words) - held)]
    if rows:
        insert_rows(conn, case_words, ("word", "case_id"), rows)


def delete_words(conn: Connection, case_id: str) -> None:
    """Forget the words of a case."""
    conn.execute(delete(case_words).where(case_words.c.case_id == case_id))


def cases_with_words(conn: Connection, words: Sequence[bytes], seeker: Seeker) -> list[str]:
    """Give the cases in which all the words occur, the last changed first.

    Only those that the seeker may read: that a name occurs in a case is content.
    """
    if not words:
        return []
    rest = sorted(set(words))
    least, rarest = min((_count(conn, one), one) for one in rest)
    if not least:
        return []
    having = select(case_words.c.case_id).where(case_words.c.word == rarest)
    if least > _FEW_MAX:
        return _newest_own(conn, true(), and_(*map(_occurs, rest)), seeker)
    rest.remove(rarest)  # in few enough cases to look at each
    seen = readable_each(cases.c.id, seeker.person, seeker.now)
    return _newest(conn, and_(cases.c.id.in_(having), seen, *map(_occurs, rest)), seeker)


def _count(conn: Connection, word: bytes) -> int:
    return int(conn.execute(_COUNT, {"word": word}).scalar_one())


def _occurs(word: bytes) -> ColumnElement[bool]:
    """Give the condition that a word occurs in the case that is looked at.

    The offset keeps PostgreSQL from beginning with the word, which it may take for a rare one
    where it plans without its value.
    """
    at = case_words.alias()
    held = select(true()).where(at.c.word == word, at.c.case_id == cases.c.id)
    return held.offset(0).exists()


def _newest_own(
    conn: Connection, among: ColumnElement[bool], fits: ColumnElement[bool], seeker: Seeker
) -> list[str]:
    """Give the cases that the seeker may read and that fit, of those that an index leads to.

    Who may read few begins with those; who may read many finds enough among the newest, or
    else does so too: what is looked at is bounded, whoever asks.
    """
    person, now = seeker.person, seeker.now
    if reads_many(conn, person, now):
        seen = readable_each(cases.c.id, person, now)
        both = case((seen, fits), else_=false())  # in this order: fewer may be seen than fit
        newest = cases.c.changed_at >= newest_until(conn, among)
        found = _newest(conn, and_(among, newest, both), seeker)
        if len(found) == seeker.limit:
            return found
    return _newest(conn, and_(among, readable(cases.c.id, person, now), fits), seeker)


def cases_called(conn: Connection, text: str, seeker: Seeker) -> list[str]:
    """Give the cases whose id or one of whose references begins so, the last changed first.

    Where that are very many, only of the first of them: it was no name of a case.
    """
    lower = text.lower()
    named = (
        select(cases.c.id).where(cases.c.id.between(lower, lower + _LAST)),
        *(
            select(standings.c.case_id).where(column.between(text, text + _LAST))
            for column in (standings.c.own_ref, standings.c.peer_ref)
        ),
    )
    found = {one for some in named for one in conn.execute(some.limit(_NAMED_MAX)).scalars()}
    if not found:
        return []
    return _newest(conn, and_(cases.c.id.in_(sorted(found)), _seen_each(seeker)), seeker)


def _seen_each(seeker: Seeker) -> ColumnElement[bool]:
    if seeker.person.holds(SEE_EVERY_ROW):
        return true()
    return readable_each(cases.c.id, seeker.person, seeker.now)


def cases_with_peer(conn: Connection, peer: str, seeker: Seeker) -> list[str]:
    """Give the cases with another authority, the last changed first."""
    with_peer = cases.c.peer == peer
    if seeker.person.holds(SEE_EVERY_ROW):
        return _newest(conn, with_peer, seeker)
    if conn.execute(select(cases.c.id).where(with_peer).limit(1)).first() is None:
        return []  # most words could be an authority's id
    return _newest_own(conn, with_peer, true(), seeker)


def _newest(conn: Connection, condition: ColumnElement[bool], seeker: Seeker) -> list[str]:
    ordered = select(cases.c.id).order_by(cases.c.changed_at.desc(), cases.c.id)
    return list(conn.execute(ordered.where(condition).limit(seeker.limit)).scalars())
