"""Results and what concerns them: outcome, sums, use, measures, consent, disputes.

That nothing was found is a result like any other, and says what was looked for. What a
result may be used for travels with it; `use` reads it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from node.cases.completeness import iso, shapes
from node.cases.completeness.decisions import Found, Scene, names_bank_secrecy
from node.cases.completeness.facts import number_of
from node.cases.completeness.places import is_empty, is_list, members, objects, text_at
from node.cases.completeness.report import PRACTICE, Finding
from protocol.identity import CASE_ID

_NOTHING_FOUND: Final = frozenset({"NIL", "NOT_LOCATED"})
_DECISIONS: Final = ("granted", "refused")


def final_result(scene: Scene) -> Found:
    """Check a final result: it brings evidence, or says what was not found."""
    outcome = text_at(scene.body, "outcome")
    has_evidence = not is_empty(scene.body.get("evidence"))
    has_nil = not is_empty(scene.body.get("nil"))
    if outcome in _NOTHING_FOUND and not has_nil:
        sentence = "Nothing found is a result: say under nil what was looked for, where and how."
        yield Finding("nil", "blocks", "UNCAC 46(24)", sentence, "missing")
    elif not has_evidence and not has_nil:
        sentence = (
            "The result brings nothing: add the evidence, or say under nil why there is none."
        )
        yield Finding("evidence", "blocks", "UNCAC 46(17)", sentence, "missing")
    if has_evidence and has_nil:
        sentence = (
            "A result either brings evidence or says that there is none: keep one of the two."
        )
        yield Finding("nil", "blocks", "UNCAC 46(17)", sentence, "outcome-contradicted")
    elif outcome == "NIL" and has_evidence:
        sentence = "The outcome says that nothing was found, but there is evidence: change one."
        yield Finding("outcome", "warns", PRACTICE, sentence, "outcome-contradicted")
    yield from result(scene)


def partial_result(scene: Scene) -> Found:
    """Check a partial result: it brings evidence."""
    if is_empty(scene.body.get("evidence")):
        sentence = "A partial result brings evidence: add it, or report the status instead."
        yield Finding("evidence", "blocks", "UNCAC 46(17)", sentence, "missing")
    yield from result(scene)


def release(scene: Scene) -> Found:
    """Check what follows when the restrictions of spontaneous information are accepted."""
    if is_empty(scene.body.get("content")) and is_empty(scene.body.get("evidence")):
        sentence = "The release tells nothing: write the information under content, or enclose it."
        yield Finding("content", "blocks", "UNCAC 46(4)", sentence, "missing")
    yield from result(scene)


def result(scene: Scene) -> Found:
    """Check what any result may carry: handling, limits of use, sums."""
    yield from _handling(scene, scene.body.get("handling"), "handling")
    permitted = scene.body.get("permitted_proceedings")
    if not is_empty(permitted) and not (isinstance(permitted, str) or is_list(permitted)):
        sentence = "Name the proceedings in words, as a list of texts."
        yield Finding("permitted_proceedings", "blocks", "UNCAC 46(19)", sentence, "not-a-list")
    for number, limit in objects(scene.body.get("use_limits")):
        at = f"use_limits[{number}]"
        if is_empty(limit.get("items")):
            sentence = "Say for which items this limit of use holds."
            yield Finding(f"{at}.items", "blocks", "UNCAC 46(19)", sentence, "missing")
        yield from _codes(scene, limit.get("use"), "handling_use", f"{at}.use")
    yield from _sums(scene)


def _sums(scene: Scene) -> Found:
    for number, one in objects(scene.body.get("sums")):
        for fault in shapes.faults("amount", one):
            at = f"sums[{number}]{fault.at}"
            yield Finding(at, "blocks", "UNCAC 57", fault.sentence, fault.code)
        if is_empty(one.get("stage")):
            sentence = "Say of each sum what became of it: FROZEN, CONFISCATED or RETURNED."
            yield Finding(f"sums[{number}].stage", "blocks", "UNCAC 57", sentence, "missing")
        elif text_at(one, "stage") not in scene.law.codes.get("asset_stage", {}):
            sentence = (
                "This stage is not in its vocabulary, so the sum is counted by itself: choose one "
                "from the list."
            )
            yield Finding(f"sums[{number}].stage", "warns", "UNCAC 57", sentence, "unknown-code")


def _handling(scene: Scene, said: object, at: str) -> Found:
    if is_empty(said):
        return
    if not isinstance(said, Mapping):
        sentence = "Handling says who may see the result, and what it may be used for."
        yield Finding(at, "blocks", "UNCAC 46(19)", sentence, "not-an-object")
        return
    yield from _codes(scene, [said.get("disclosure")], "handling_disclosure", f"{at}.disclosure")
    yield from _codes(scene, said.get("use"), "handling_use", f"{at}.use")
    if "U3" in members(said.get("use")) and is_empty(said.get("use_text")):
        sentence = "Code U3 stands for a restriction in words: write it."
        yield Finding(f"{at}.use_text", "blocks", "UNCAC 46(5)", sentence, "missing")


def _codes(scene: Scene, values: object, vocabulary: str, at: str) -> Found:
    known = scene.law.codes.get(vocabulary, {})
    listed = members(values) if is_list(values) else ([] if values is None else [values])
    for one in listed:
        if one is not None and (not isinstance(one, str) or one not in known):
            sentence = "This code is not in its vocabulary: choose one from the list."
            yield Finding(at, "blocks", "UNCAC 46(19)", sentence, "unknown-code")


# --- measures --------------------------------------------------------------------------------


def measure(scene: Scene) -> Found:
    """Check a measure's time and sums: it ends after it begins, and has not ended yet."""
    yield from _sums(scene)
    start = shapes.moment(scene.body.get("valid_from"))
    end = shapes.moment(scene.body.get("valid_until"))
    if end is None:
        return
    if end <= (start if start is not None else scene.now):
        sentence = "The measure would end before it begins: correct its times."
        yield Finding("valid_until", "blocks", PRACTICE, sentence, "period-turned")
    elif end <= scene.now:
        sentence = "The measure would be over already: correct its end."
        yield Finding("valid_until", "warns", PRACTICE, sentence, "in-the-past")


def intent_to_lift(scene: Scene) -> Found:
    """Check the notice before a measure is lifted: the other side has time to answer."""
    due = shapes.moment(scene.body.get("due"))
    if due is not None and due <= scene.now:
        sentence = "Leave the other side time to give its reasons: choose a date that is to come."
        yield Finding("due", "blocks", "UNCAC 55(8)", sentence, "in-the-past")
    if names_bank_secrecy(scene.law, text_at(scene.body, "reasons")):
        sentence = "The reasons speak of bank secrecy, which is no ground against assistance."
        yield Finding("reasons", "warns", "UNCAC 46(8)", sentence, "bank-secrecy")


def conversion(scene: Scene) -> Found:
    """Check that the request that takes over is named by its case."""
    request = text_at(scene.body, "request")
    if request and CASE_ID.fullmatch(request) is None:
        sentence = "Name the request that takes over by the id of its case."
        yield Finding("request", "blocks", PRACTICE, sentence, "not-a-case")


# --- after the result ------------------------------------------------------------------------


def confirmation(scene: Scene) -> Found:
    """Check a confirmation: of items, or that there is nothing to confirm."""
    if is_empty(scene.body.get("items")) and scene.body.get("nil") is not True:
        sentence = "Name the items that are confirmed, or confirm that the result is nil."
        yield Finding("items", "blocks", PRACTICE, sentence, "missing")


def consent(scene: Scene) -> Found:
    """Check a decision on other use."""
    decision = text_at(scene.body, "decision")
    if decision and decision not in _DECISIONS:
        sentence = "Say whether the other use is granted or refused."
        yield Finding("decision", "blocks", "UNCAC 46(19)", sentence, "unknown-code")


def narrowing(scene: Scene) -> Found:
    """Check which items remain: they are items of the request."""
    for number, one in enumerate(members(scene.body.get("items"))):
        own = number_of(one)
        if own and scene.facts.items and own not in scene.facts.items:
            sentence = "The request has no item of this number: correct it."
            yield Finding(f"items[{number}]", "warns", PRACTICE, sentence, "unknown-item")


def waiver(scene: Scene) -> Found:
    """Check a waiver: it is of another language than the one that is used already."""
    waived = text_at(scene.body, "language")
    if waived and scene.facts.language and not iso.same_language(waived, scene.facts.language):
        sentence = "The request is in another language than the one accepted here: check it."
        yield Finding("language", "warns", "UNCAC 46(14)", sentence, "other-language")


def identity(scene: Scene) -> Found:
    """Check the identity of a protected person: the pseudonym must not tell it."""
    known = scene.body.get("identity")
    name, pseudonym = text_at(known, "name"), text_at(scene.body, "pseudonym")
    if name and pseudonym and pseudonym.casefold() in name.casefold():
        sentence = "The pseudonym is part of the name: choose one that tells nothing."
        yield Finding("pseudonym", "blocks", "UNCAC 32", sentence, "pseudonym-tells")
