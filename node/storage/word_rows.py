"""The rows of words that occur in cases, and the search over them and over references.

A word is sixteen bytes that only the node's key makes from it, so these rows name nobody.
They do show which cases share a word, and how common it is. Statements only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    bindparam,
    delete,
    func,
    insert,
    select,
    true,
)

from node.access.roles import Person
from node.storage.member_rows import readable, visible
from node.storage.tables import case_words, cases, standings

_RARE_MAX: Final = 2_000  # a word in more cases is common, and looked for newest case first
_LAST: Final = "\U0010ffff"

_MANY: BindParameter[bytes] = bindparam("many", expanding=True)
_HELD = select(case_words.c.word).where(
    case_words.c.case_id == bindparam("one"), case_words.c.word.in_(_MANY)
)
_COUNT = select(func.count()).select_from(
    select(case_words.c.case_id)
    .where(case_words.c.word == bindparam("word"))
    .limit(_RARE_MAX + 1)
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
    rows = [{"word": word, "case_id": case_id} for word in sorted(set(words) - held)]
    if rows:
        conn.execute(insert(case_words), rows)


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
    query = select(cases.c.id).where(readable(cases.c.id, seeker.person, seeker.now))
    if least <= _RARE_MAX:  # few enough to look at each; else found soon, newest case first
        rest.remove(rarest)
        having = select(case_words.c.case_id).where(case_words.c.word == rarest)
        query = query.where(cases.c.id.in_(having))
    for word in rest:
        query = query.where(_occurs(word))
    return _newest(conn, query, seeker)


def _count(conn: Connection, word: bytes) -> int:
    return int(conn.execute(_COUNT, {"word": word}).scalar_one())


def _occurs(word: bytes) -> ColumnElement[bool]:
    at = case_words.alias()
    return select(true()).where(at.c.word == word, at.c.case_id == cases.c.id).exists()


def cases_called(conn: Connection, text: str, seeker: Seeker) -> list[str]:
    """Give the cases whose id, one of the references begins so."""
    seen = select(cases.c.id).where(visible(cases.c.id, seeker.person, seeker.now))
    lower = text.lower()
    begins = [cases.c.id.between(lower, lower + _LAST)]
    for column in (standings.c.own_ref, standings.c.peer_ref):
        named = select(standings.c.case_id).where(column.between(text, text + _LAST))
        begins.append(cases.c.id.in_(named))
    found = [one for begun in begins for one in _newest(conn, seen.where(begun), seeker)]
    return found[: seeker.limit]


def cases_with_peer(conn: Connection, peer: str, seeker: Seeker) -> list[str]:
    """Give the cases with another authority, the last changed first."""
    seen = visible(cases.c.id, seeker.person, seeker.now)
    return _newest(conn, select(cases.c.id).where(cases.c.peer == peer, seen), seeker)


def _newest(conn: Connection, query: Select[Any], seeker: Seeker) -> list[str]:
    ordered = query.order_by(cases.c.changed_at.desc(), cases.c.id).limit(seeker.limit)
    return list(conn.execute(ordered).scalars())
