"""A request as a letter: the sections of its form, labels in the reader's language.

    text = letter(law, "MLA_BANK_RECORDS", body, language="fr")

Labels come from codes and the glossary, so the frame needs no translator; a label that no
lawyer has confirmed says so, and one that the glossary lacks stands in English. What people
wrote stands as they wrote it, set in by four spaces, so that no text of theirs can pass for
a heading. Says what the electronic transmission is worth, and of each translation what it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from node.cases.law import FieldRule, Kind, Law
from protocol.encoding import Json

_INDENT: Final = "    "
_UNREVIEWED: Final = "unreviewed"
_EFFECTS: Final[Mapping[str, str]] = {
    "FORMAL": "This transmission is the formal request, by the legal basis that it cites.",
    "ADVANCE": "Advance copy: the original follows. Not in force as an original unless both "
    "authorities, or the legal basis, accept it as one.",
    "COURTESY": "Courtesy copy: it has no legal effect of its own.",
    "CONFIRMATION": "This confirms what was transmitted before by another channel.",
}
_OWN_TEXT: Final = "The text in the language it was written in is authoritative."


@dataclass(frozen=True, slots=True)
class _Reader:
    """For whom labels are looked up."""

    law: Law
    language: str
    rules: Mapping[str, FieldRule]

    def label(self, name: str) -> str:
        """Give the label of a field, or its name where the form has none for it."""
        rule = self.rules.get(name)
        if rule is None:
            return _one_line(name.rpartition(".")[2])
        return self.term(rule.term, rule.label)

    def term(self, term: str | None, english: str) -> str:
        """Give a label in the reader's language, marked if no lawyer has confirmed it."""
        known = None if term is None else self.law.terms.get(term)
        label = None if known is None else known.labels.get(self.language)
        if label is None:
            return english
        text = label.text[:1].upper() + label.text[1:]
        marked = f"{text} [{_UNREVIEWED}]" if label.unreviewed else text
        return marked if self.language == "en" else f"{marked} ({english})"

    def code(self, name: str, code: str) -> str:
        """Give a value with what it means, if the field that it stands in has codes."""
        rule = self.rules.get(name)
        vocabulary = None if rule is None else rule.vocabulary
        if vocabulary == "offence" and (offence := self.law.offences.get(code)) is not None:
            return f"{code} - {self.term(offence.term, offence.title)}"
        known = self.law.codes.get(vocabulary or "", {}).get(code)
        return code if known is None else f"{code} - {known.label}"


def letter(law: Law, kind_code: str, body: Mapping[str, Json], *, language: str = "en") -> str:
    """Render a request for a person to read or to print."""
    kind = law.kinds.get(kind_code)
    fields = () if kind is None else kind.fields
    reader = _Reader(law, language, {rule.name: rule for rule in fields})
    title = kind_code if kind is None else f"{reader.term(kind.term, kind.title)} ({kind_code})"
    lines = [title, "=" * len(title), ""]
    lines += [*_standing(body), ""]
    shown: set[str] = set()
    for section_title, asked in _sections(kind):
        rows = [line for rule in asked for line in _field(reader, rule, body, shown)]
        if rows:
            lines += [section_title, "-" * len(section_title), "", *rows, ""]
    left = {name: one for name, one in body.items() if name not in shown and name != "evidence"}
    left.pop("request_kind", None)
    if left:
        other = "Other fields"
        lines += [other, "-" * len(other), ""]
        lines += [line for name, one in left.items() for line in _plain(reader, name, one)]
    return "\n".join(lines).rstrip() + "\n"


def _standing(body: Mapping[str, Json]) -> Iterator[str]:
    """Say what the transmission is worth, and of which text translations are."""
    effect = body.get("transmission_effect")
    yield _EFFECTS.get(effect if isinstance(effect, str) else "", _EFFECTS["ADVANCE"])
    translations = body.get("translations")
    for one in translations if isinstance(translations, list) else ():
        if isinstance(one, dict):
            words = [str(one.get(name) or "-") for name in ("language", "status", "translator")]
            yield f"Translation: {', '.join(_one_line(word) for word in words)}. {_OWN_TEXT}"


def _sections(kind: Kind | None) -> Iterator[tuple[str, Sequence[FieldRule]]]:
    for section in () if kind is None else kind.sections:
        rules = [kind.field(name) for name in section.fields] if kind else []
        yield section.title, [rule for rule in rules if rule is not None]


def _field(
    reader: _Reader, rule: FieldRule, body: Mapping[str, Json], shown: set[str]
) -> Iterator[str]:
    """Render one field of the form, unless it stands inside another, or is not there."""
    first = rule.name.partition(".")[0]
    if "[]" in rule.name or (first in shown and first in reader.rules):
        return
    value: Json = dict(body)
    for part in rule.name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    shown.add(first)
    if value is not None:
        yield from _plain(reader, rule.name, value)


def _plain(reader: _Reader, name: str, value: Json) -> Iterator[str]:
    """Render a value under its label, however it is made up."""
    yield f"{reader.label(name)}:"
    yield from (f"{_INDENT}{line}" for line in _lines(reader, value, name))


def _lines(reader: _Reader, value: Json, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _member(reader, f"{path}.{name}", one)
    elif isinstance(value, (list, tuple)):
        for number, one in enumerate(value, 1):
            first, *rest = list(_lines(reader, one, f"{path}[]")) or ["-"]
            yield f"{number}. {first}"
            yield from (f"   {line}" for line in rest)
    elif isinstance(value, bool):
        yield "yes" if value else "no"
    elif isinstance(value, str):
        yield from reader.code(path.removesuffix("[]"), value).splitlines() or [""]
    else:
        yield "-" if value is None else str(value)


def _member(reader: _Reader, path: str, value: Json) -> Iterator[str]:
    inner, label = list(_lines(reader, value, path)), reader.label(path)
    if len(inner) == 1:
        yield f"{label}: {inner[0]}"
        return
    yield f"{label}:"
    yield from (f"{_INDENT}{line}" for line in inner)


def _one_line(text: str) -> str:
    return " ".join(text.split())
