"""Decisions and what leads to them: grounds, reasons, consultation, items, conditions.

Bank secrecy and fiscal matters are no grounds, whatever a profile says; nothing is refused
or postponed before consultation, nor without a code and reasons; a partial decision says
something of each item. The words of reasons are read for one thing only: whether they rest
on bank secrecy all the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from node.cases.completeness.facts import CaseFacts, listed_texts, number_of, numbers
from node.cases.completeness.places import Body, is_empty, objects, text_at
from node.cases.completeness.report import PRACTICE, PRODUCT_DEFAULT, Finding
from node.cases.completeness.shapes import moment
from node.cases.law.model import Law
from protocol.lifecycle_guards import DECISIONS

FORBIDDEN_RULES: Final = {
    "46-8": "UNCAC 46(8)", "46-22": "UNCAC 46(22)", "44-16": "UNCAC 44(16)",
}  # fmt: skip
_CITED: Final = frozenset({"TREATY", "DOMESTIC", "44-8"})
_INTENDED: Final = ("refuse", "postpone", "conditions")
_ANSWERS: Final = ("accepted", "rejected", "countered", "none")
_SCOPES: Final = ("full", "partial")
_MARKS: Final = re.compile("[\u0300-\u036f\u0640\u064b-\u065f\u0670\u200e\u200f]")

Found: TypeAlias = Iterator[Finding]


@dataclass(frozen=True, slots=True)
class Scene:
    """What a check looks at."""

    law: Law
    body: Body
    facts: CaseFacts
    now: int


# --- refusing and postponing -----------------------------------------------------------------


def refusal(scene: Scene) -> Found:
    """Check a refusal: consulted first, a ground that exists, reasons that hold."""
    yield from _consulted_first(scene)
    yield from ground_of_refusal(scene, scene.body, "")
    yield from _reasons(scene, scene.body, "")


def ground_of_refusal(scene: Scene, body: Body, under: str) -> Found:
    """Check the ground of a refusal, of the whole or of an item (`under` its path)."""
    law, facts = scene.law, scene.facts
    ground, at = text_at(body, "ground"), f"{under}ground"
    if not ground:
        return
    if ground in law.forbidden_grounds or ground in FORBIDDEN_RULES:
        rule = FORBIDDEN_RULES.get(ground, "UNCAC 46(8)")
        sentence = (
            "Nothing may be refused on this ground: give the assistance, or rest the refusal on a "
            "ground that the Convention or the treaty knows."
        )
        yield Finding(at, "blocks", rule, sentence, "forbidden-ground")
        return
    if ground == "POLITICAL" and "UNCAC" in facts.bases:
        sentence = (
            "Where the Convention is the basis, its offences are no political ones: choose another "
            "ground, or grant the request."
        )
        yield Finding(at, "blocks", "UNCAC 44(4)", sentence, "political-excluded")
    elif ground not in law.refusal_grounds(facts.basis, facts.kind):
        sentence = (
            "This ground is none for this kind of request under its legal basis: choose one from "
            "the list."
        )
        yield Finding(at, "blocks", "UNCAC 46(21)", sentence, "unknown-code")
    if ground == "44-11":
        sentence = (
            "Who is not extradited as a national is prosecuted on request: offer it, and link the "
            "case for the transfer of proceedings when it is opened."
        )
        yield Finding(at, "warns", "UNCAC 44(11)", sentence, "open-transfer")
    if ground == "46-9-b-dc" and not facts.coercive and facts.items:
        sentence = (
            "No item of the request takes coercion, and help without coercion is given although "
            "dual criminality is lacking: look again at what can be done."
        )
        yield Finding(at, "warns", "UNCAC 46(9)(b)", sentence, "not-coercive")


def _reasons(scene: Scene, body: Body, under: str) -> Found:
    reasons, at = text_at(body, "reasons"), f"{under}reasons"
    if reasons and names_bank_secrecy(scene.law, reasons):
        sentence = (
            "The reasons speak of bank secrecy, which is no ground of refusal: make sure that "
            "nothing rests on it, and say so."
        )
        yield Finding(at, "warns", "UNCAC 46(8)", sentence, "bank-secrecy")
    if reasons and text_at(body, "ground") in _CITED and not any(map(str.isdigit, reasons)):
        sentence = "This ground wants its source: name the treaty or the law, with the article."
        yield Finding(at, "warns", "UNCAC 46(23)", sentence, "not-cited")


def _consulted_first(scene: Scene) -> Found:
    due = scene.facts.consultation_due
    waited = due is not None and due < scene.now
    if scene.facts.consulted is False and not waited:
        sentence = (
            "Before it refuses or postpones, the requested State consults: open a consultation, "
            "and wait for its answer or its end."
        )
        yield Finding("ground", "blocks", "UNCAC 46(26)", sentence, "not-consulted")


def postponement(scene: Scene) -> Found:
    """Check a postponement: consulted first, its ground, and a review that is to come."""
    yield from _consulted_first(scene)
    ground, facts = text_at(scene.body, "ground"), scene.facts
    if ground and ground not in scene.law.postponement_grounds(facts.basis, facts.kind):
        sentence = "This is no ground to postpone under this legal basis: choose one from the list."
        yield Finding("ground", "blocks", "UNCAC 46(25)", sentence, "unknown-code")
    yield from to_come(scene, "review", PRACTICE)
    yield from _reasons(scene, scene.body, "")


def to_come(scene: Scene, name: str, rule: str) -> Found:
    """Check that a time is still to come where it must be."""
    at = moment(scene.body.get(name))
    if at is not None and at <= scene.now:
        sentence = "This time is over: give one that is still to come."
        yield Finding(name, "blocks", rule, sentence, "in-the-past")


# --- consultation and acceptance -------------------------------------------------------------


def consultation(scene: Scene) -> Found:
    """Check the opening of a consultation: what is intended, and on what ground."""
    intended = text_at(scene.body, "intended")
    if intended and intended not in _INTENDED:
        sentence = "Say what is intended: refuse, postpone or conditions."
        yield Finding("intended", "blocks", "UNCAC 46(26)", sentence, "unknown-code")
    if intended == "refuse":
        yield from ground_of_refusal(scene, scene.body, "")
    if intended in {"refuse", "postpone"} and is_empty(scene.body.get("ground")):
        sentence = "Name the ground that is considered, so that the other side can answer to it."
        yield Finding("ground", "blocks", "UNCAC 46(26)", sentence, "missing")
    if intended == "conditions" and is_empty(scene.body.get("conditions")):
        sentence = "Say which conditions are proposed, each with its number."
        yield Finding("conditions", "blocks", "UNCAC 46(26)", sentence, "missing")
    yield from to_come(scene, "due", PRACTICE)


def consultation_answer(scene: Scene) -> Found:
    """Check the answer to a consultation."""
    answer = text_at(scene.body, "conditions")
    if answer and answer not in _ANSWERS:
        sentence = "Say how the conditions are answered: accepted, rejected, countered or none."
        yield Finding("conditions", "blocks", "UNCAC 46(26)", sentence, "unknown-code")
    if answer in {"rejected", "countered"} and is_empty(scene.body.get("text")):
        sentence = "Say why, or what is offered instead: the decision is made on it."
        yield Finding("text", "warns", "UNCAC 46(26)", sentence, "missing")


def acceptance(scene: Scene) -> Found:
    """Check an acceptance: in part, each item of the request is decided, and refusals reasoned."""
    scope, listed = text_at(scene.body, "scope"), scene.body.get("items")
    if scope and scope not in _SCOPES:
        sentence = "Say whether the request is accepted in full or in part: full or partial."
        yield Finding("scope", "blocks", "UNCAC 46(17)", sentence, "unknown-code")
    decided = numbers(listed)
    if scope == "partial":
        for missing in [one for one in scene.facts.items if one not in decided]:
            place = scene.facts.items.index(missing) + 1
            sentence = f"Item {place} of the request is not decided: decide each item."
            yield Finding("items", "blocks", "UNCAC 46(17)", sentence, f"undecided-{place}")
    for number, one in objects(listed):
        yield from _item_decision(scene, one, f"items[{number}].", scope)
    for number, condition in enumerate(listed_texts(scene.body.get("conditions"))):
        if condition not in scene.facts.conditions:
            sentence = "The other side has not accepted this condition: consult on it first."
            at = f"conditions[{number}]"
            yield Finding(at, "blocks", "UNCAC 46(26)", sentence, "condition-not-accepted")


def _item_decision(scene: Scene, one: Body, under: str, scope: str) -> Found:
    decision = text_at(one, "decision")
    if decision and decision not in DECISIONS:
        sentence = "Decide the item: accept, refuse, postpone or condition."
        yield Finding(f"{under}decision", "blocks", "UNCAC 46(17)", sentence, "unknown-code")
    own = number_of(one.get("no"))
    if own and scene.facts.items and own not in scene.facts.items:
        sentence = "The request has no item of this number: correct it."
        yield Finding(f"{under}no", "warns", PRACTICE, sentence, "unknown-item")
    if decision not in {"refuse", "postpone"}:
        return
    if scope == "full":
        sentence = "An item is not accepted, so the scope is partial: change one of the two."
        yield Finding("scope", "blocks", "UNCAC 46(17)", sentence, "scope-contradicted")
    for key, rule in (("ground", "UNCAC 46(21)"), ("reasons", "UNCAC 46(23)")):
        if is_empty(one.get(key)):
            sentence = "What is refused or postponed, also of one item, has a ground and reasons."
            yield Finding(f"{under}{key}", "blocks", rule, sentence, "missing")
    if decision == "refuse":
        yield from _consulted_first(scene)
        yield from ground_of_refusal(scene, one, under)
    yield from _reasons(scene, one, under)


# --- information -----------------------------------------------------------------------------


def question(scene: Scene) -> Found:
    """Check a request for information: until when, and if nothing is said, what is usual."""
    yield from to_come(scene, "due", PRACTICE)
    if is_empty(scene.body.get("due")):
        limit = scene.law.limit(scene.facts.basis, "information")
        if limit is not None:
            rule = limit.source or PRODUCT_DEFAULT
            sentence = (
                f"Say until when the answer is wanted; usual are {limit.count} "
                f"{limit.unit.replace('_', ' ')}."
            )
            yield Finding("due", "warns", rule, sentence, "usual-limit", limit.unreviewed)


def information(scene: Scene) -> Found:
    """Check that each open question is answered."""
    answered = numbers(scene.body.get("answers"))
    for place, asked in enumerate(scene.facts.questions, 1):
        if asked not in answered:
            sentence = (
                f"Question {place} is not answered: answer it, or say that it is not known: "
                "the other side waits for it."
            )
            yield Finding("answers", "blocks", "UNCAC 46(16)", sentence, f"unanswered-{place}")
    for number, one in objects(scene.body.get("answers")):
        own = number_of(one.get("no"))
        if scene.facts.questions and own and own not in scene.facts.questions:
            sentence = "No question has this number: correct it."
            yield Finding(f"answers[{number}].no", "warns", PRACTICE, sentence, "unknown-item")


# --- words -----------------------------------------------------------------------------------


def names_bank_secrecy(law: Law, text: str) -> bool:
    """Say whether a text names bank secrecy in a language of the glossary."""
    term = law.terms.get("bank_secrecy")
    if term is None:
        return False
    words = tuple(
        word for label in term.labels.values() for word in (label.text, *label.alternatives)
    )
    plain = _plain(text)
    return any(word in plain for word in _plain_words(words))


@lru_cache(maxsize=8)
def _plain_words(words: tuple[str, ...]) -> tuple[str, ...]:
    """Give words as `_plain` makes them; a note in brackets is not part of a word."""
    return tuple(_plain(re.sub(r"\s*\([^)]*\)", "", one)) for one in words)


def _plain(text: str) -> str:
    """Take off case, accents, vowel signs and the width of spaces, which writers vary."""
    bare = _MARKS.sub("", unicodedata.normalize("NFKD", text).casefold())
    return " ".join(bare.split())
