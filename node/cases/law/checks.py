"""Whether the law fits together: every code, field, section, term and citation that it names.

Each check gives sentences that name the file and what would be right. Nothing is mended
here, and nothing that fails is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from node.cases.law.joined import Joined
from node.cases.law.model import (
    LANGUAGES,
    STRICTNESS,
    Basis,
    FieldRule,
    Ground,
    Kind,
    Offence,
)
from protocol.lifecycle import machine_of

CITATION: Final = re.compile(
    r"(?:practice(?:: .+)?|product default|domestic law(?:: .+)?"
    r"|[A-Z][\w .()/&'\u2019-]*? (?:art\. )?\d+[a-z]?(?:[(-][\w)(-]+)*(?:[,;] .+)?)"
)
"""How a rule is cited: an instrument with its article (`UNCAC 46(15)(c)`, several with a
comma or semicolon between), or one of `practice: WHOSE`, `domestic law: WHICH` and
`product default`."""

MANDATORY_CORE: Final[Mapping[str, str]] = {
    "requesting_authority": "UNCAC 46(15)(a)",
    "subject_matter": "UNCAC 46(15)(b)",
    "conducting_authority.name": "UNCAC 46(15)(b)",
    "conducting_authority.functions": "UNCAC 46(15)(b)",
    "facts_summary": "UNCAC 46(15)(c)",
    "items": "UNCAC 46(15)(d)",
    "items[].description": "UNCAC 46(15)(d)",
    "items[].purpose": "UNCAC 46(15)(f)",
}
"""What every formal request for assistance shall contain; no file may do without."""

_NO_FACTS_FOR: Final = ("46-3-b",)  # service of documents alone: UNCAC 46(15)(c)
_MLA: Final = ("refusal_ground_mla", "refusal")
_EXTRADITION: Final = ("refusal_ground_extradition", "refusal_extradition")


def problems(joined: Joined) -> Iterator[str]:
    """Give a sentence for everything that does not fit."""
    for kind in joined.kinds.values():
        yield from _kind(joined, kind, joined.where[kind.code])
    for basis in joined.bases.values():
        yield from _basis(joined, basis, joined.where[basis.code])
    for offence in joined.offences.values():
        yield from _offence(joined, offence, joined.where[offence.code])
    for term in joined.terms.values():
        for tag in LANGUAGES:
            if tag not in term.labels:
                yield f"{joined.where[term.id]}: the term {term.id} has no label in {tag}."
    if "provisional_arrest" in joined.defaults:
        yield "defaults.toml: provisional_arrest has no default; the legal basis sets it."


# --- kinds ---------------------------------------------------------------------------------


def _kind(joined: Joined, kind: Kind, where: str) -> Iterator[str]:
    for code in kind.assistance:
        yield from _known(joined, "assistance", code, where)
    yield from _term(joined, kind.term, where)
    for article in kind.articles:
        yield from _citation(article, where)
    names = {rule.name for rule in kind.fields}
    for rule in kind.fields:
        yield from _field(joined, rule, names, where)
    for rule in kind.release:
        yield from _field(joined, rule, {one.name for one in kind.release}, where)
    yield from _nothing_weaker(joined, kind, where)
    if kind.machine != machine_of(kind.code):
        yield f"{where}: the machine of {kind.code} is {machine_of(kind.code)}; write that."
    if kind.formal:
        yield from _mandatory_core(kind, where)
    if kind.machine != "request" and kind.formal:
        yield f"{where}: a formal kind has the machine request."
    if kind.second_person == "none" and kind.formal:
        yield f"{where}: a formal kind needs a second person, before or within-24h."
    if kind.second_person == "within-24h" and not kind.time_limited:
        yield f"{where}: only a measure that is time_limited may go out on one signature."


def _field(joined: Joined, rule: FieldRule, names: set[str], where: str) -> Iterator[str]:
    here = f'{where}: field "{rule.name}"'
    if rule.section not in joined.sections:
        yield f"{here}: no section is called {rule.section}; sections.toml has all."
    if rule.vocabulary is not None and rule.vocabulary not in joined.codes:
        yield f"{here}: no vocabulary is called {rule.vocabulary}; codes.toml has all."
    yield from _citation(rule.rule, here)
    yield from _term(joined, rule.term, here)
    head, dots, _ = rule.name.rpartition("[].")
    if dots and head not in names:
        yield f'{here}: there is no field "{head}" that it could be part of.'
    if rule.when is None:
        return
    if rule.when.field not in names:
        yield f'{here}: it depends on "{rule.when.field}", which this kind does not have.'
        return
    yield from _condition(joined, rule, here)


def _condition(joined: Joined, rule: FieldRule, here: str) -> Iterator[str]:
    """A condition on codes names codes that exist."""
    if rule.when is None:
        return
    asked = rule.when.one_of or (rule.when.equals,)
    other = next(
        (
            one
            for kind in joined.kinds.values()
            for one in kind.fields
            if one.name == rule.when.field
        ),
        None,
    )
    vocabulary = other.vocabulary if other else None
    for code in asked:
        if vocabulary and isinstance(code, str):
            yield from _known(joined, vocabulary, code, here)


def _nothing_weaker(joined: Joined, kind: Kind, where: str) -> Iterator[str]:
    """A kind may ask for more than its cores do, and for no less."""
    for core in kind.cores:
        for rule in joined.cores[core].fields if core in joined.cores else ():
            own = kind.field(rule.name)
            if own is None or STRICTNESS[own.need] >= STRICTNESS[rule.need]:
                continue
            if rule.name == "facts_summary" and kind.assistance == _NO_FACTS_FOR:
                continue
            yield (
                f'{where}: field "{rule.name}" is {rule.need} in every request of its core '
                f"({rule.rule}) and cannot become {own.need}."
            )


def _mandatory_core(kind: Kind, where: str) -> Iterator[str]:
    """A formal kind asks for all that makes a request one; items only if it asks for any."""
    for name, rule in MANDATORY_CORE.items():
        if name.startswith("items") and not kind.assistance:
            continue
        if name == "facts_summary" and kind.assistance == _NO_FACTS_FOR:
            continue
        found = kind.field(name)
        if found is None or found.need != "mandatory":
            yield f'{where}: a formal kind has the field "{name}", mandatory ({rule}).'


# --- bases and the rest ------------------------------------------------------------------------


def _basis(joined: Joined, basis: Basis, where: str) -> Iterator[str]:
    for code in (*basis.kinds, *basis.articles):
        if code not in joined.kinds:
            yield f"{where}: no kind is called {code}; `comity law kinds` shows those there are."
        elif basis.inquiry_only and joined.kinds[code].formal:
            yield f"{where}: {code} is formal, and an inquiry-only network carries none such."
    for code in basis.channels:
        yield from _known(joined, "channel", code, where)
    for citation in basis.articles.values():
        yield from _citation(citation, where)
    for vocabulary, key in (_MLA, _EXTRADITION, ("postponement_ground", "postponement")):
        for ground in getattr(basis, key):
            yield from _ground(joined, ground, vocabulary, f"{where}: {key}")
    yield from _limits(basis, where)


def _limits(basis: Basis, where: str) -> Iterator[str]:
    for clock, limit in basis.limits.items():
        if limit.source:
            yield from _citation(limit.source, f"{where}: limit {clock}")
    said = "provisional_arrest" in basis.limits or any(
        "provisional arrest" in note for note in basis.notes
    )
    if "PROVISIONAL_ARREST" in basis.kinds and not said:
        yield (
            f"{where}: it allows PROVISIONAL_ARREST, so it has a limit provisional_arrest, or "
            "a note that says who sets the limit of a provisional arrest."
        )
    if basis.inquiry_only and (basis.refusal or basis.refusal_extradition):
        yield f"{where}: an inquiry-only network has no grounds of refusal."


def _ground(joined: Joined, ground: Ground, vocabulary: str, where: str) -> Iterator[str]:
    forbidden = joined.codes.get("forbidden_refusal_ground", {})
    if ground.code in forbidden:
        yield f"{where}: {ground.code} ({forbidden[ground.code].label}) is no ground of refusal."
        return
    yield from _known(joined, vocabulary, ground.code, where)
    yield from _citation(ground.source, where)
    for code in ground.kinds:
        yield from _known(joined, "request_kind", code, where)


def _offence(joined: Joined, offence: Offence, where: str) -> Iterator[str]:
    yield from _term(joined, offence.term, where)
    if not offence.elements and offence.duty != "named-by-the-request":
        yield f"{where}: the offence {offence.code} has no elements of conduct; name them."


def _known(joined: Joined, vocabulary: str, code: str, where: str) -> Iterator[str]:
    if code not in joined.codes.get(vocabulary, {}):
        yield f"{where}: {code} is no code of {vocabulary}; `comity law codes` shows them."


def _term(joined: Joined, term: str | None, where: str) -> Iterator[str]:
    if term is not None and term not in joined.terms:
        yield f"{where}: no term is called {term}; glossary.toml has all."


def _citation(text: str, where: str) -> Iterator[str]:
    if CITATION.fullmatch(text) is None:
        yield (
            f'{where}: "{text}" is no citation; write INSTRUMENT ARTICLE, as UNCAC 46(15)(c), or '
            '"practice", "domestic law: WHICH" or "product default".'
        )
