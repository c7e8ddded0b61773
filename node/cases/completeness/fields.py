"""The fields that a form asks for: which are missing, malformed, doubtful or unknown.

A form is a list of rules, from the law's files for requests and from `answers` for events.
What is mandatory, or conditional and its condition holds, blocks when it is missing or
malformed; what is optional warns. This module knows the forms of rules, and no kind, basis
or event by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from node.cases.completeness import iso, shapes
from node.cases.completeness.places import (
    Body,
    Place,
    is_empty,
    members,
    pattern,
    places,
    places_beside,
    shown_key,
    steps,
)
from node.cases.completeness.report import PRACTICE, Finding, Note, Severity
from node.cases.law.model import Condition, FieldRule, Law

_TO_COME: Final = """
    deadline due serve_by hearing_date next_date planned_date request_planned_for review expected
    decision_expected needed_by test_call
    """
_FUTURE: Final = frozenset(_TO_COME.split())
"""Last names of fields whose time is still to come; one in the past is doubtful."""

_PAST: Final = frozenset({
    "birth_date", "born", "order_date", "warrant_date", "acquired_at", "offence_date",
})  # fmt: skip
"""Last names of fields whose time is over; one that is still to come is doubtful."""

_ACCOUNTS: Final = frozenset({"bic", "iban", "number", "account", "account_number", "identifier"})
"""Last names of fields that may hold something with check digits or a fixed form."""

_ENDS: Final = (("from", "to"), ("from", "until"))
_DEPTH_MAX: Final = 24
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Form:
    """Rules, and what is known beside them at each place: made once for each kind."""

    rules: tuple[FieldRule, ...]
    names: frozenset[str]
    known: Mapping[str, frozenset[str]]  # name of an object's place -> members it may have
    of_event: bool = False  # whose times and numbers the life cycle reads as they are


def form(rules: Sequence[FieldRule], common: frozenset[str]) -> Form:
    """Make a form of rules; `common` may stand in every body of the sort."""
    known: dict[str, set[str]] = {"": set(common)}
    for rule in rules:
        above = ""
        for key, is_many in steps(rule.name):
            known.setdefault(above, set()).add(key)
            above = f"{above}.{key}" if above else key
            above += "[]" * is_many
        sort = "person" if rule.type == "people" else rule.type
        if sort in shapes.MEMBERS:
            below = above + "[]" * (rule.type in {"people", "items", "documents"})
            known.setdefault(below, set()).update(shapes.MEMBERS[sort])
    return Form(
        tuple(rules),
        frozenset(one.name for one in rules),
        {name: frozenset(keys) for name, keys in known.items()},
    )


def check_fields(law: Law, asked: Form, body: Body, note: Note, now: int) -> None:
    """Note what is wrong with the fields of a form in a body."""
    silent: set[str] = set()  # places that were found missing: what is below is not said again
    for rule in asked.rules:
        for place in places(body, rule.name):
            if not place.empty:
                _check_value(law, asked, rule, place, (note, now))
            elif rule.need != "optional":
                _check_missing(asked, rule, place, body, (note, silent))
    for where, value in _objects(body):
        _check_periods(where, value, note)
        _check_places(where, value, note)


# --- missing ---------------------------------------------------------------------------------


def _check_missing(
    asked: Form, rule: FieldRule, place: Place, body: Body, out: tuple[Note, set[str]]
) -> None:
    note, silent = out
    if not _wanted_here(asked, rule, place, body):
        return
    if rule.when is not None and not holds(rule.when, body, place, rule.name):
        return
    if place.path in silent:
        return
    silent.add(place.path)
    sentence = f"“{rule.label}” is missing. {_ended(rule.why)} Fill it in."
    note(Finding(place.path, "blocks", rule.rule, sentence, "missing", rule.unreviewed))


def _wanted_here(asked: Form, rule: FieldRule, place: Place, body: Body) -> bool:
    """Say whether a part is wanted: not where the whole, having a rule of its own, is absent."""
    above = rule.name
    while "." in above:
        above = above.rpartition(".")[0]
        whole = above.removesuffix("[]")
        if whole in asked.names:
            beside = places_beside(body, whole, place, rule.name)
            return not all(one.empty for one in beside)
    return True


def holds(condition: Condition, body: Body, place: Place, name: str) -> bool:
    """Say whether a condition holds for a place; where lists are shared, in its own element."""
    found = [one for one in places_beside(body, condition.field, place, name) if not one.empty]
    if condition.present:
        return bool(found)
    if condition.absent:
        return not found
    values = [value for one in found for value in (members(one.value) or (one.value,))]
    if condition.one_of is not None:
        return any(value in condition.one_of for value in values if isinstance(value, str))
    wanted = condition.equals
    return any(type(value) is type(wanted) and value == wanted for value in values)


# --- malformed and doubtful ------------------------------------------------------------------


def _check_value(
    law: Law, asked: Form, rule: FieldRule, place: Place, out: tuple[Note, int]
) -> None:
    note, now = out
    hard: Severity = "warns" if rule.need == "optional" else "blocks"
    for fault in shapes.faults(_sort(asked, rule), place.value, vocabulary(law, rule.vocabulary)):
        at = f"{place.path}{fault.at}"
        if fault.at and not fault.of_whole and pattern(at) in asked.names:
            continue  # the part has a rule of its own, which says it with its citation
        severity: Severity = hard if fault.hard else "warns"
        sentence = f"“{rule.label}”: {fault.sentence}"
        note(Finding(at, severity, rule.rule, sentence, fault.code, rule.unreviewed))
    _check_account(rule, place, note)
    _check_moment(rule, place, note, now)


def _sort(asked: Form, rule: FieldRule) -> str:
    """Give the form that a value must have, which for numbers and times depends on their use."""
    if rule.name.endswith(".no"):
        return "item_no" if rule.type == "number" else "item_name"
    if asked.of_event and rule.type == "time":
        return "seconds"
    if asked.of_event and rule.type == "texts" and rule.name in {"items", "conditions"}:
        return "item_names"
    return rule.type


def vocabulary(law: Law, name: str | None) -> Mapping[str, object]:
    """Give the codes of a vocabulary; those of kinds, bases and offences have their own files."""
    if name is None:
        return {}
    codes: Mapping[str, object] = law.codes.get(name, {})
    if name == "offence":
        return law.offences
    if name == "request_kind":
        return law.kinds
    if name == "legal_basis":
        return {**codes, **law.bases}
    return codes


def _check_account(rule: FieldRule, place: Place, note: Note) -> None:
    """Warn about check digits: a wrong account number costs a whole round of requests."""
    last = steps(rule.name)[-1][0]
    if last not in _ACCOUNTS or not isinstance(place.value, str):
        return
    sort = "bic" if last == "bic" else "iban"
    if sort == "iban" and last != "iban" and not iso.looks_like_iban(place.value):
        return  # an account number of another form
    for fault in shapes.PARTS[sort](place.value):
        cited = "practice: ISO 9362" if sort == "bic" else "practice: ISO 13616"
        note(Finding(place.path, "warns", cited, fault.sentence, fault.code))


def _check_moment(rule: FieldRule, place: Place, note: Note, now: int) -> None:
    if rule.type not in {"date", "time"}:
        return
    last, at = steps(rule.name)[-1][0], shapes.moment(place.value)
    if at is None:
        return
    if last in _FUTURE and at < now:
        sentence = f"“{rule.label}” is already over: give a time that is still to come."
        note(Finding(place.path, "warns", rule.rule, sentence, "in-the-past", rule.unreviewed))
    if last in _PAST and at >= now + _DAY_S:
        sentence = f"“{rule.label}” is still to come: check the year."
        note(Finding(place.path, "warns", rule.rule, sentence, "in-the-future", rule.unreviewed))


def _objects(body: Body) -> Iterator[tuple[str, Body]]:
    """Give every object of a body with its path, down to a bounded depth."""
    waiting: list[tuple[str, object, int]] = [("", body, 0)]
    while waiting:
        path, value, depth = waiting.pop()
        if depth > _DEPTH_MAX:
            continue
        if isinstance(value, (dict, Mapping)):
            yield path, value
            waiting += [
                (f"{path}.{shown_key(key)}" if path else shown_key(key), one, depth + 1)
                for key, one in value.items()
            ]
        else:
            listed = enumerate(members(value))
            waiting += [(f"{path}[{number}]", one, depth + 1) for number, one in listed]


def _check_periods(where: str, value: Body, note: Note) -> None:
    """Note a period that ends before it begins, wherever one stands."""
    for first, last in _ENDS:
        for key in [one for one in value if one.endswith(first)]:
            prefix = key.removesuffix(first)
            if prefix and not prefix.endswith("_"):
                continue
            start, end = shapes.moment(value[key]), shapes.moment(value.get(f"{prefix}{last}"))
            if start is not None and end is not None and end < start:
                path = f"{where}.{shown_key(key)}" if where else shown_key(key)
                sentence = "The period ends before it begins: exchange or correct its two dates."
                note(Finding(path, "blocks", PRACTICE, sentence, "period-turned"))


def _check_places(where: str, value: Body, note: Note) -> None:
    """Note an amount whose currency, in the field beside it, has fewer decimal places."""
    currency = value.get("currency")
    for key in ("value", "amount"):
        fault = shapes.places_fault(value.get(key), currency)
        if fault is not None:
            path = f"{where}.{key}" if where else key
            note(Finding(path, "blocks", "practice: ISO 4217", fault.sentence, fault.code))


# --- unknown ---------------------------------------------------------------------------------


def check_unknown(asked: Form, body: Body, note: Note) -> None:
    """Warn about fields that no form has: the receiver's form will not show them."""
    for where, value in _objects(body):
        known = asked.known.get(pattern(where))
        if known is None:
            continue
        for key in value:
            if key not in known and not is_empty(value[key]):
                path = f"{where}.{shown_key(key)}" if where else shown_key(key)
                sentence = (
                    "No form has this field, so the other side may overlook it: correct its name, "
                    "or write its text into a field that the form has."
                )
                note(Finding(path, "warns", PRACTICE, sentence, "unknown-field"))


def _ended(sentence: str) -> str:
    text = sentence.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
