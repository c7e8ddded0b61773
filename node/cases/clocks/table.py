"""Which clocks there are: when each runs, who is waited for, and how it ends. A literal table.

A `Phase` runs as long as a case is in some states, is stopped in others and ends when the
case leaves both. A `Question` runs from one event to the one that answers it. Nothing here
says how long a clock runs: that is law (`limits`), or what was agreed (`timetable`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from node.cases.clocks.limits import Terms
from protocol.lifecycle import Machine, State
from protocol.messages import Side

S = State

DELIVERY: Final = "delivery"
MEASURES: Final = {"PRESERVATION": "preservation", "PROVISIONAL_ARREST": "provisional_arrest"}
MEASURE: Final = "measure"
IS_MEASURE: Final = frozenset({MEASURE, *MEASURES.values()})
ARREST_LIMIT: Final = "provisional_arrest_limit"
OVER: Final = frozenset({S.CLOSED, S.WITHDRAWN})
"""States in which nobody answers questions any more, but for those about what was given."""

_AT_WORK: Final = frozenset({S.ACCEPTED, S.IN_EXECUTION, S.PARTIALLY_EXECUTED})
_BEFORE_RESULT: Final = _AT_WORK | {
    S.DELIVERED, S.ACKNOWLEDGED, S.INFO_REQUESTED, S.IN_CONSULTATION, S.POSTPONED,
    S.MEASURE_IN_FORCE,
}  # fmt: skip
_DONE: Final = frozenset({S.RESULT_CONFIRMED, S.REFUSED, S.RETURNED, S.WITHDRAWN, S.LAPSED})


@dataclass(frozen=True, slots=True)
class Phase:
    """A clock that runs in the states `runs` and waits for a side; `limit` says how long.

    In `stops` it stands still. Leaving both ends it: `met` or `missed` where the case went
    to one of those states, else what it waited for was withdrawn.
    """

    name: str
    limit: str
    waits: Side
    runs: frozenset[State]
    met: frozenset[State]
    stops: frozenset[State] = frozenset()
    missed: frozenset[State] = frozenset()


@dataclass(frozen=True, slots=True)
class Question:
    """A clock from an event to its answer; it waits for whoever did not ask."""

    name: str
    limit: str
    asked: str
    answered: frozenset[str]
    missed: frozenset[str] = frozenset()
    outlives: bool = False  # goes on when the case is closed


def _set(*states: State) -> frozenset[State]:
    return frozenset(states)


_REQUEST: Final = (
    Phase("acknowledgement", "acknowledgement", "requested", _set(S.DELIVERED),
          _set(S.ACKNOWLEDGED, S.RETURNED)),
    Phase("decision", "decision", "requested", _set(S.ACKNOWLEDGED),
          _set(S.ACCEPTED, S.REFUSED, S.RETURNED),
          stops=_set(S.INFO_REQUESTED, S.IN_CONSULTATION, S.POSTPONED)),
    Phase("execution", "execution", "requested", _AT_WORK,
          _set(S.EXECUTED, S.MEASURE_IN_FORCE, S.REFUSED), stops=_set(S.POSTPONED)),
    Phase("deadline", "deadline", "requested", _BEFORE_RESULT, _set(S.EXECUTED)),
    Phase("information", "information", "requesting", _set(S.INFO_REQUESTED),
          _set(S.ACKNOWLEDGED), missed=_set(S.RETURNED)),
    Phase("consultation", "consultation", "requesting", _set(S.IN_CONSULTATION),
          _set(S.ACKNOWLEDGED)),
    Phase("review", "review", "requested", _set(S.POSTPONED),
          _set(S.ACKNOWLEDGED, S.IN_EXECUTION, S.REFUSED)),
    Phase(MEASURE, MEASURE, "requesting", _set(S.MEASURE_IN_FORCE), _set(S.EXECUTED),
          missed=_set(S.LAPSED)),
    Phase(ARREST_LIMIT, "provisional_arrest", "requesting", _set(S.MEASURE_IN_FORCE),
          _set(S.EXECUTED), missed=_set(S.LAPSED)),
    Phase("confirmation", "confirmation", "requesting", _set(S.EXECUTED),
          _set(S.RESULT_CONFIRMED, S.IN_EXECUTION)),
    Phase("withdrawal", "withdrawal", "requested", _set(S.WITHDRAWAL_PENDING),
          _set(S.WITHDRAWN, S.EXECUTED)),
    Phase("closing", "closing", "requesting", _DONE, _set(S.CLOSED)),
)  # fmt: skip

_SPONTANEOUS: Final = (
    Phase("offer", "offer", "requested", _set(S.OFFERED),
          _set(S.RESTRICTIONS_ACCEPTED, S.DECLINED)),
    Phase("release", "release", "requesting", _set(S.RESTRICTIONS_ACCEPTED), _set(S.RELEASED)),
    Phase("acknowledgement", "acknowledgement", "requested", _set(S.RELEASED),
          _set(S.ACKNOWLEDGED)),
    Phase("closing", "closing", "requesting", _set(S.ACKNOWLEDGED, S.DECLINED, S.WITHDRAWN),
          _set(S.CLOSED)),
)  # fmt: skip

_INQUIRY: Final = (
    Phase("answer", "answer", "requested", _set(S.DELIVERED), _set(S.ANSWERED, S.NOT_AVAILABLE)),
    Phase("deadline", "deadline", "requested", _set(S.DELIVERED),
          _set(S.ANSWERED, S.NOT_AVAILABLE)),
    Phase("closing", "closing", "requesting", _set(S.ANSWERED, S.NOT_AVAILABLE, S.WITHDRAWN),
          _set(S.CLOSED)),
)  # fmt: skip

PHASES: Final[dict[Machine, tuple[Phase, ...]]] = {
    "request": _REQUEST, "spontaneous": _SPONTANEOUS, "inquiry": _INQUIRY,
}  # fmt: skip

CLARIFICATION: Final = "clarification"
STOPPED_BY_CLARIFICATION: Final = "execution"

QUESTIONS: Final = (
    Question("status_reply", "status_reply", "status_query", frozenset({"status_report"})),
    Question(CLARIFICATION, "information", "clarification_opened",
             frozenset({"clarification_answered"})),
    Question("later_consultation", "consultation", "consultation_opened",
             frozenset({"consultation_replied"}), missed=frozenset({"consultation_expired"})),
    Question("reasons_to_continue", "consultation", "intent_to_lift",
             frozenset({"reasons_to_continue"}), missed=frozenset({"lift_measure"})),
    Question("extension", "extension", "extension_requested", frozenset({"extend_measure"})),
    Question("consent", "consent", "use_consent_requested", frozenset({"use_consent_decided"}),
             outlives=True),
)  # fmt: skip

SECOND_PERSON: Final = "second_person"
ORAL: Final = "oral_confirmation"
SAFE_CONDUCT: Final = "safe_conduct"
RETURN: Final = "return_due"
LASTING: Final = frozenset({RETURN, SAFE_CONDUCT, *(q.name for q in QUESTIONS if q.outlives)})
"""Clocks that go on when the case is over: somebody says that they are met."""


def name_of(phase: Phase, terms: Terms) -> str:
    """Give the name of a phase's clock in such a case: a measure has that of its kind."""
    return MEASURES.get(terms.kind, MEASURE) if phase.name == MEASURE else phase.name
