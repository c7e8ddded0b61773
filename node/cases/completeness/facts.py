"""What a check of an answer needs to know of its case, read from the case's own messages.

The request's body and the effective events after it are enough; nothing is asked of the
database. A body may be anything that a peer signed, so only what is in its form counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.cases.completeness.places import Body, members, objects, text_at
from node.cases.completeness.shapes import moment
from node.cases.completeness.use import Step
from protocol import lifecycle_guards

_CONSULTED = frozenset({"reply_consultation", "consultation_replied", "consultation_expired"})
_OPENED = frozenset({"open_consultation", "consultation_opened"})


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What matters of a case: numbers and codes only, none of its content.

    `consulted` is None where nobody looked; then nothing is said about it. Consultation that
    was opened counts too once its time, `consultation_due`, is over.
    """

    kind: str = ""
    basis: str | None = None
    bases: frozenset[str] = frozenset()
    items: tuple[str, ...] = ()
    coercive: bool = False
    questions: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    consulted: bool | None = None
    consultation_due: int | None = None
    language: str = ""

    @classmethod
    def of(cls, request: Body, history: Sequence[Step] | None = None) -> CaseFacts:
        """Read the facts from the request and, if given, the events after it in order."""
        named = [
            (text_at(one, "instrument"), one.get("primary") is True)
            for _number, one in objects(request.get("legal_basis"))
        ]
        primary = next((code for code, is_primary in named if is_primary), None)
        return cls(
            kind=text_at(request, "request_kind"),
            basis=primary or (named[0][0] if len(named) == 1 else None),
            bases=frozenset(code for code, _primary in named),
            items=numbers(request.get("items")),
            coercive=any(
                one.get("coercive") is True for _number, one in objects(request.get("items"))
            ),
            questions=_questions(history or ()),
            conditions=_conditions(history or ()),
            consulted=None if history is None else _consulted(history),
            consultation_due=_consultation_due(history or ()),
            language=text_at(request, "language"),
        )


def numbers(listed: object) -> tuple[str, ...]:
    """Give the numbers of listed things as texts: 1 and "1" name the same one."""
    found = [number_of(one.get("no")) for _number, one in objects(listed)]
    return tuple(one for one in found if one)


def number_of(value: object) -> str:
    """Give a number or a text as the text that names an item, or nothing."""
    named = lifecycle_guards.number_of(value) if isinstance(value, (int, str)) else None
    return named or ""


def _questions(history: Sequence[Step]) -> tuple[str, ...]:
    """Give the questions of the last request for information that nobody has answered."""
    asked: tuple[str, ...] = ()
    for event, body in history:
        if event == "request_information":
            asked = numbers(body.get("items"))
        elif event == "provide_information":
            asked = ()
    return asked


def _conditions(history: Sequence[Step]) -> tuple[str, ...]:
    """Give the conditions that the requesting side has accepted."""
    proposed: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    for event, body in history:
        if event in _OPENED:
            proposed = numbers(body.get("conditions"))
        elif event in _CONSULTED and body.get("conditions") == "accepted":
            accepted += proposed
    return accepted


def _consulted(history: Sequence[Step]) -> bool:
    return any(event in _CONSULTED for event, _body in history)


def _consultation_due(history: Sequence[Step]) -> int | None:
    opened = [body for event, body in history if event in _OPENED]
    return moment(opened[-1].get("due")) if opened else None


def listed_texts(value: object) -> tuple[str, ...]:
    """Give the texts and numbers of a list as texts that name items."""
    return tuple(one for one in (number_of(each) for each in members(value)) if one)
