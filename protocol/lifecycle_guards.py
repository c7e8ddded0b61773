"""The guards of the life cycle: what must be so before a move has its effect.

Each looks at the shared history only (where the case stands, and one signed message), so
that both sides find the same; none knows a law, a clock or a directory. They are total: a
body of any form meets a guard or does not, and never stops anybody. What a value must be
beyond its form, such as a ground that a treaty knows, is for the node that sends it and for
the people who read it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from protocol.encoding import HEX64, Json
from protocol.identity import CASE_ID
from protocol.lifecycle_standing import NUMBER, Standing
from protocol.limits import INTEGER_MAX, STANDING_NUMBERS_MAX

CROSSED: Final = "crossed"
TIME_LIMITED: Final = frozenset({"PRESERVATION", "FREEZING", "PROVISIONAL_ARREST"})
DECISIONS: Final = frozenset({"accept", "refuse", "postpone", "condition"})
TWO_PERSONS: Final = 2
_REASONED: Final = frozenset({"refuse", "postpone"})
_CODE_CHARS_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Step:
    """What a message says to the life cycle: who says it, what, and when by their clock."""

    event: str
    side: Literal["requesting", "requested"]
    body: Mapping[str, Json] = field(repr=False)
    created: int
    identity: str


Guard: TypeAlias = Callable[[Standing, Step], bool]


# --- what a body holds -----------------------------------------------------------------------


def _written(value: Json) -> bool:
    """Say whether a value is a text with something in it."""
    return isinstance(value, str) and bool(value.strip())


def _code(value: Json) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= _CODE_CHARS_MAX


def _text(name: str) -> Guard:
    return lambda _, step: _written(step.body.get(name))


def _listed(value: Json) -> Sequence[Json]:
    """Give a list as it is, and nothing for whatever is no list."""
    return value if isinstance(value, (list, tuple)) else ()


def _members(value: Json, *names: str) -> bool:
    """Say whether a value is a list, not empty, of objects with these texts in them."""
    listed = _listed(value)
    return bool(listed) and all(
        isinstance(one, Mapping) and all(_written(one.get(name)) for name in names)
        for one in listed
    )


def number_of(value: Json) -> str | None:
    """Give the number of an item or condition as text, whether sent as number or text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if 0 <= value <= INTEGER_MAX else None
    return value if isinstance(value, str) and NUMBER.fullmatch(value) else None


def numbers_in(value: Json) -> tuple[str, ...]:
    """Give the numbers of a list of `{no, …}`, in order; nothing if one of them is wrong."""
    listed = _listed(value)
    if len(listed) > STANDING_NUMBERS_MAX:
        return ()
    found = [number_of(one.get("no")) if isinstance(one, Mapping) else None for one in listed]
    return tuple(dict.fromkeys(one for one in found if one)) if all(found) else ()


def time_in(body: Mapping[str, Json], name: str) -> int | None:
    """Give the time of a field, or None if there is none in its form."""
    value = body.get(name)
    timed = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= INTEGER_MAX
    return value if timed and isinstance(value, int) else None


def _later(name: str) -> Guard:
    """Make the guard that a field is a time after the message was made."""

    def guard(_: Standing, step: Step) -> bool:
        at = time_in(step.body, name)
        return at is not None and at > step.created

    return guard


def signatory_names(body: Mapping[str, Json]) -> frozenset[str]:
    """Give the different names among the signatories, however they are spaced and cased."""
    listed = _listed(body.get("signatories"))
    names = [one.get("name") for one in listed if isinstance(one, Mapping)]
    written = [" ".join(name.split()).casefold() for name in names if isinstance(name, str)]
    return frozenset(name for name in written if name)


def has_evidence(body: Mapping[str, Json]) -> bool:
    """Say whether a body lists evidence in the form of SPEC 4.6, its manifest aside."""
    evidence = body.get("evidence")
    if not isinstance(evidence, Mapping):
        return False
    count, digest = evidence.get("items"), evidence.get("sha256")
    counted = isinstance(count, int) and not isinstance(count, bool) and count >= 1
    return counted and isinstance(digest, str) and HEX64.fullmatch(digest) is not None


# --- guards of more than one field -----------------------------------------------------------


def _named_contact(_: Standing, step: Step) -> bool:
    contact = step.body.get("contact")
    return isinstance(contact, Mapping) and _written(contact.get("name"))


def _questions(_: Standing, step: Step) -> bool:
    items = step.body.get("items")
    return _members(items, "text") and bool(numbers_in(items))


def _answers(standing: Standing, step: Step) -> bool:
    """Every question that was put has its answer."""
    answers = step.body.get("answers")
    return _members(answers, "text") and set(standing.info_items) <= set(numbers_in(answers))


def _intention(_: Standing, step: Step) -> bool:
    """What is intended; a ground for a refusal or postponement, conditions where proposed."""
    conditions, intended = step.body.get("conditions"), step.body.get("intended")
    if conditions is not None and not (_members(conditions, "text") and numbers_in(conditions)):
        return False
    if intended == "conditions":
        return conditions is not None
    return intended in ("refuse", "postpone") and _code(step.body.get("ground"))


def _word_on_conditions(_: Standing, step: Step) -> bool:
    return step.body.get("conditions") in ("accepted", "rejected", "countered", "none")


def _scope(_: Standing, step: Step) -> bool:
    """In full, or in part with a decision for each item, reasoned where it is a refusal."""
    scope, items = step.body.get("scope"), _listed(step.body.get("items"))
    if scope not in ("full", "partial") or (scope == "partial" and not items):
        return False
    return all(_decided(item) for item in items)


def _decided(item: Json) -> bool:
    if not isinstance(item, Mapping) or number_of(item.get("no")) is None:
        return False
    decision = item.get("decision")
    if not isinstance(decision, str) or decision not in DECISIONS:
        return False
    reasoned = _code(item.get("ground")) and _written(item.get("reasons"))
    return reasoned or decision not in _REASONED


def _conditions_accepted(standing: Standing, step: Step) -> bool:
    given = step.body.get("conditions")
    listed = [number_of(one) for one in _listed(given)]
    formed = given is None or isinstance(given, (list, tuple))
    return formed and all(one in standing.conditions for one in listed)


def _validity(_: Standing, step: Step) -> bool:
    first, last = time_in(step.body, "valid_from"), time_in(step.body, "valid_until")
    return first is not None and last is not None and first < last


def _longer(standing: Standing, step: Step) -> bool:
    until = time_in(step.body, "valid_until")
    return until is not None and until > (standing.valid_until or 0)


def _linked_request(_: Standing, step: Step) -> bool:
    request = step.body.get("request")
    return isinstance(request, str) and CASE_ID.fullmatch(request) is not None


def _evidence_or_nil(_: Standing, step: Step) -> bool:
    return has_evidence(step.body) != _written(step.body.get("nil"))


def _confirmed_items(standing: Standing, step: Step) -> bool:
    """Items are confirmed where there were items, and a nil result as such."""
    if not standing.items_sent:
        return step.body.get("nil") is True
    items = _listed(step.body.get("items"))
    return bool(items) and all(_written(one) or number_of(one) is not None for one in items)


def _disputed_items(_: Standing, step: Step) -> bool:
    items = step.body.get("items")
    return _members(items, "why") and all(
        isinstance(one, Mapping) and (_written(one.get("no")) or number_of(one.get("no")))
        for one in _listed(items)
    )


def _protected_person(_: Standing, step: Step) -> bool:
    identity = step.body.get("identity")
    return _written(step.body.get("pseudonym")) and isinstance(identity, Mapping) and bool(identity)


def _stated(name: str) -> Guard:
    """Make the guard that a field says something, as a text or as a list."""
    return lambda _, step: _written(step.body.get(name)) or bool(_listed(step.body.get(name)))


# --- guards of what came before --------------------------------------------------------------


def _consultation_overdue(standing: Standing, at: int) -> bool:
    return standing.consultation_due is not None and at > standing.consultation_due


def _consultation_done(standing: Standing, at: int) -> bool:
    """It was answered; or, opened while work went on, its time passed without an answer."""
    return standing.consultation_done or _consultation_overdue(standing, at)


def _heard_on_lifting(standing: Standing, at: int) -> bool:
    """The requesting side was told, and gave its reasons or let the time pass."""
    due = standing.lift_due
    return standing.lift_answered or (due is not None and at > due)


def _measure_over(standing: Standing, at: int) -> bool:
    return standing.valid_until is not None and at >= standing.valid_until


HISTORY: Final[Mapping[str, Callable[[Standing, int], bool]]] = {
    "accepted-before": lambda standing, _: standing.accepted_before,
    "concluded": lambda standing, _: standing.concluded,
    "consent-asked": lambda standing, _: standing.consent_asked,
    "consultation-done": _consultation_done,
    "consultation-open": lambda standing, _: standing.consultation_due is not None,
    "consultation-overdue": _consultation_overdue,
    "countersign-due": lambda standing, _: standing.countersign_due is not None,
    CROSSED: lambda *_: True,
    "extension-requested": lambda standing, _: standing.extension_until is not None,
    "heard-on-lifting": _heard_on_lifting,
    "info-overdue": lambda standing, at: standing.info_due is not None and at > standing.info_due,
    "intent-known": lambda standing, _: standing.lift_due is not None,
    "measure-over": _measure_over,
    "not-accepted-before": lambda standing, _: not standing.accepted_before,
    "not-concluded": lambda standing, _: not standing.concluded,
    "nothing-delivered": lambda standing, _: not standing.result_sent,
    "reminded": lambda standing, _: standing.reminded,
    "result-sent": lambda standing, _: standing.result_sent,
    "time-limited-kind": lambda standing, _: standing.kind in TIME_LIMITED,
}
"""Guards that look at what came before, and at the time that the new message says it has."""

BODY: Final[Mapping[str, Guard]] = {
    "answered": lambda _, step: _members(step.body.get("answers"), "text"),
    "answers": _answers,
    "conditions-accepted": _conditions_accepted,
    "confirmed-items": _confirmed_items,
    "contact": _named_contact,
    "decision": lambda _, step: step.body.get("decision") in ("granted", "refused"),
    "disputed-items": _disputed_items,
    "done": _stated("done"),
    "due-date": _later("due"),
    "evidence": lambda _, step: has_evidence(step.body),
    "evidence-or-nil": _evidence_or_nil,
    "executing-authority": _text("executing_authority"),
    "expected-date": _later("expected"),
    "ground": lambda _, step: _code(step.body.get("ground")),
    "intention": _intention,
    "items": lambda _, step: bool(_listed(step.body.get("items"))),
    "language": _text("language"),
    "linked-request": _linked_request,
    "longer": _longer,
    "outcome": lambda _, step: _code(step.body.get("outcome")),
    "own-reference": _text("own_ref"),
    "proceedings": _stated("proceedings"),
    "protected-person": _protected_person,
    "questions": _questions,
    "reason-code": lambda _, step: _code(step.body.get("reason")),
    "reasons": _text("reasons"),
    "reply-language": _text("reply_language"),
    "review-date": _later("review"),
    "scope": _scope,
    "signatory": lambda _, step: bool(signatory_names(step.body)),
    "text": _text("text"),
    "translations": lambda _, step: _members(step.body.get("translations"), "language"),
    "two-signatories": lambda _, step: len(signatory_names(step.body)) >= TWO_PERSONS,
    "until-date": _later("until"),
    "validity": _validity,
    "word-on-conditions": _word_on_conditions,
}
"""Guards that look at the body of the message."""


def unmet(standing: Standing, names: Sequence[str], step: Step) -> str | None:
    """Name the first guard that does not hold, or nothing."""
    for name in names:
        history = HISTORY.get(name)
        held = BODY[name](standing, step) if history is None else history(standing, step.created)
        if not held:
            return name
    return None
