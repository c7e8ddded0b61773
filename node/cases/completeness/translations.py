"""Languages and translations: what the other side can read, and who vouches for it.

A translation travels with a message or an item and says its language, who translated it,
whether it is certified or a working one, when, and its digest. The source stays the text
that counts. A waiver, by which the requested authority takes another language for once, is
recorded in the request. Knows no kinds of request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from node.cases.completeness import iso, shapes
from node.cases.completeness.places import Body, is_empty, objects, text_at
from node.cases.completeness.report import PRACTICE, Finding, Note, Severity
from node.cases.completeness.wanted import Wanted

LANGUAGE_RULE: Final = "UNCAC 46(14)"
_STATUSES: Final = ("certified", "working")
_TRUTHFUL: Final = "SWORN_OR_CERTIFIED"


def check_translations(body: Body, note: Note, under: str = "") -> None:
    """Note what a list of translations lacks, in a message or in each of its items."""
    for path, found in _lists(body, under):
        if not isinstance(found, (list, tuple)):
            sentence = "Translations are a list: give one entry for each translation."
            note(Finding(path, "blocks", LANGUAGE_RULE, sentence, "not-a-list"))
            continue
        for number, one in enumerate(found):
            _check_one(one, f"{path}[{number}]", note)


def _lists(body: Body, under: str) -> Iterator[tuple[str, object]]:
    if not is_empty(body.get("translations")):
        yield f"{under}translations", body["translations"]
    for key in ("items", "answers", "documents"):
        for number, one in objects(body.get(key)):
            if not is_empty(one.get("translations")):
                yield f"{under}{key}[{number}].translations", one["translations"]


def _check_one(one: object, path: str, note: Note) -> None:
    if not isinstance(one, Mapping):
        sentence = "A translation says its language, translator, status, date and digest."
        note(Finding(path, "blocks", LANGUAGE_RULE, sentence, "not-an-object"))
        return
    wanted = (
        ("language", "language", "the language of the translation"),
        ("translator", "text", "who translated it"),
        ("date", "date", "when it was translated"),
        ("sha256", "digest", "the SHA-256 digest of the translation"),
    )
    for key, sort, what in wanted:
        at = f"{path}.{key}"
        if is_empty(one.get(key)):
            sentence = f"A translation must say {what}: write it."
            note(Finding(at, "blocks", LANGUAGE_RULE, sentence, "missing"))
            continue
        for fault in shapes.faults(sort, one[key]):
            note(Finding(at, "blocks", LANGUAGE_RULE, fault.sentence, fault.code))
    if one.get("status") not in _STATUSES:
        sentence = "A translation is either certified or working: say which it is."
        note(Finding(f"{path}.status", "blocks", LANGUAGE_RULE, sentence, "unknown-code"))


def languages_of(body: Body) -> Iterator[tuple[str, bool]]:
    """Give the languages that a reader finds a request in, and whether that text is certified."""
    if text_at(body, "language"):
        yield text_at(body, "language"), True
    for _number, one in objects(body.get("translations")):
        if text_at(one, "language"):
            yield text_at(one, "language"), one.get("status") == "certified"


def check_language(body: Body, wanted: Wanted, note: Note, *, formal: bool) -> None:
    """Note a request that the requested authority cannot read, or cannot rely on."""
    source = text_at(body, "language")
    if not source:
        return  # the form's own rule says that it is missing
    if not wanted.languages:
        sentence = (
            "It is not known which languages the requested authority accepts: ask it, or look at "
            "what its State has notified."
        )
        note(Finding("language", "warns", LANGUAGE_RULE, sentence, "languages-unknown"))
        return
    readable = [sure for tag, sure in languages_of(body) if _accepted(tag, wanted)]
    waived = not is_empty(body.get("language_waiver"))
    if not readable and not waived:
        sentence = (
            "The requested authority does not accept this language, and there is no translation: "
            f"add one into {_named(wanted)}, or record the waiver that it has given."
        )
        severity: Severity = "blocks" if formal else "warns"
        note(Finding("language", severity, LANGUAGE_RULE, sentence, "language-not-accepted"))
    elif readable and not any(readable) and not waived and formal:
        sentence = (
            "The only text that the requested authority can read is a working translation: have it "
            "certified, or ask whether it is enough."
        )
        note(Finding("translations", "warns", LANGUAGE_RULE, sentence, "not-certified"))
    elif not readable:
        sentence = (
            "The request goes out in a language that is accepted for this once: keep the answer "
            "in which the authority waived its language."
        )
        note(Finding("language_waiver", "warns", LANGUAGE_RULE, sentence, "waiver-used"))


def check_status(body: Body, wanted: Wanted, note: Note) -> None:
    """Note a translation status that the rest of the request does not bear out."""
    status = text_at(body, "translation_status")
    given = [one for _number, one in objects(body.get("translations"))]
    certified = any(one.get("status") == "certified" for one in given)
    at = "translation_status"
    if status == _TRUTHFUL and not certified:
        sentence = "No certified translation is enclosed: add it, or change the status."
        note(Finding(at, "blocks", LANGUAGE_RULE, sentence, "status-untrue"))
    elif status == "NONE" and given:
        sentence = "Translations are enclosed although the status says none: change the status."
        note(Finding(at, "warns", PRACTICE, sentence, "status-untrue"))
    elif status == "MACHINE_UNVERIFIED":
        sentence = (
            "Nobody has checked the machine's translation: have a person check it, because words "
            "of law are easily mistaken for others."
        )
        note(Finding(at, "warns", PRACTICE, sentence, "machine-translation"))
    source = text_at(body, "language")
    unlisted = bool(source and wanted.languages) and not _accepted(source, wanted)
    if status == "SOURCE_IS_ACCEPTED_LANGUAGE" and unlisted:
        sentence = "The requested authority does not list this language: change the status."
        note(Finding(at, "warns", LANGUAGE_RULE, sentence, "status-untrue"))
    for number, one in enumerate(given):
        if source and text_at(one, "language") == source:
            path = f"translations[{number}].language"
            sentence = "This translation is in the language of the source: correct one of the two."
            note(Finding(path, "warns", PRACTICE, sentence, "same-language"))


def _accepted(tag: str, wanted: Wanted) -> bool:
    return any(iso.same_language(tag, one) for one in wanted.languages)


def _named(wanted: Wanted) -> str:
    """Name the languages that a listing gives; their form was checked when it was decoded."""
    return " or ".join(wanted.languages[:4])
