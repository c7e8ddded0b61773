"""The verbs that show the law: kinds of request, legal bases, offences, codes and terms.

Everybody may ask, and no case is involved. What no lawyer has confirmed is marked
`unreviewed` in every result; programs and pages show the mark as it is given.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from node.access.roles import EVERYBODY
from node.cases.law import (
    Basis,
    Code,
    FieldRule,
    Ground,
    Kind,
    Law,
    LawError,
    Limit,
    Offence,
    Term,
    load_law,
    read_law,
)
from node.cases.law.examples import example_of
from node.desk.arguments import Arguments, Nothing
from node.desk.verb import Desk, Result, Verb
from protocol.encoding import Json
from protocol.errors import Malformed

CodeArgument = Annotated[str, Field(min_length=1, max_length=64)]
_WORD_CHARS_MAX: Final = 200


class KindOf(Arguments):
    """Which kind of request."""

    kind: CodeArgument = Field(description="The code of a kind of request, as MLA_EVIDENCE.")


class BasisOf(Arguments):
    """Which legal basis."""

    basis: CodeArgument = Field(description="The code of a legal basis, as UNCAC.")


class TermsWith(Arguments):
    """Which terms."""

    word: str = Field(
        "", max_length=_WORD_CHARS_MAX, description="A word of any language, or a part of one."
    )


class CodesOf(Arguments):
    """Which vocabulary."""

    vocabulary: str | None = Field(
        None, max_length=64, description="Its name, as outcome. Without it: all their names."
    )


def _kinds(desk: Desk, _: Nothing) -> Result:
    return {
        "schema": "comity.kinds/1",
        "kinds": [_kind_line(one) for one in desk.law.kinds.values()],
    }


def _kind_line(kind: Kind) -> dict[str, Json]:
    return {
        "code": kind.code,
        "title": kind.title,
        "machine": kind.machine,
        "formal": kind.formal,
        "coercive": kind.coercive,
        "time_limited": kind.time_limited,
        "second_person": kind.second_person,
        "articles": list(kind.articles),
        "unreviewed": kind.unreviewed,
    }


def _kind(desk: Desk, args: KindOf) -> Result:
    law = desk.law
    kind = law.kinds.get(args.kind)
    if kind is None:
        raise Malformed("no kind of request is called that: `comity law kinds` lists them")
    rules = {rule.name: rule for rule in kind.fields}
    return {
        "schema": "comity.kind/1",
        **_kind_line(kind),
        "assistance": _labelled(law, "assistance", kind.assistance),
        "note": kind.note,
        "sections": [
            {"id": one.id, "title": one.title, "fields": [_field(rules[f]) for f in one.fields]}
            for one in kind.sections
        ],
        "release": [_field(rule) for rule in kind.release],
        "refusal": [_code(code, one) for code, one in law.refusal_grounds(None, kind.code).items()],
        "forbidden": [_code(code, one) for code, one in law.forbidden_grounds.items()],
        "bases": [code for code, one in law.bases.items() if kind.code in one.kinds],
        "example": example_of(kind.code),
    }


def _field(rule: FieldRule) -> dict[str, Json]:
    when = rule.when
    return {
        "name": rule.name,
        "label": rule.label,
        "type": rule.type,
        "need": rule.need,
        "when": None if when is None else when.model_dump(mode="json", by_alias=True,
                                                          exclude_none=True),
        "rule": rule.rule,
        "why": rule.why,
        "term": rule.term,
        "filled_by": rule.filled_by,
        "unreviewed": rule.unreviewed,
    }  # fmt: skip


def _bases(desk: Desk, _: Nothing) -> Result:
    law = desk.law
    bare = law.codes["legal_basis"]
    return {
        "schema": "comity.bases/1",
        "bases": [_basis_line(one) for one in law.bases.values()],
        "without_profile": [_code(code, bare[code]) for code in bare if code not in law.bases],
    }


def _basis_line(basis: Basis) -> dict[str, Json]:
    return {
        "code": basis.code,
        "title": basis.title,
        "inquiry_only": basis.inquiry_only,
        "effect": basis.effect,
        "unreviewed": basis.unreviewed,
    }


def _basis(desk: Desk, args: BasisOf) -> Result:
    law = desk.law
    basis = law.bases.get(args.basis)
    if basis is None:
        raise Malformed("no profile has that code: `comity law bases` lists them")
    clocks: dict[str, Limit] = {**law.defaults, **{str(k): v for k, v in basis.limits.items()}}
    return {
        "schema": "comity.basis/1",
        **_basis_line(basis),
        "effect_source": basis.effect_source,
        "kinds": [
            {"code": code, "title": law.kinds[code].title, "article": basis.articles.get(code)}
            for code in basis.kinds
        ],
        "languages": list(basis.languages),
        "language_source": basis.language_source,
        "channels": _labelled(law, "channel", basis.channels),
        "dual_criminality": basis.dual_criminality,
        "limits": [_limit(name, one, own=name in basis.limits) for name, one in clocks.items()],
        "refusal": list(_grounds(law, "refusal_ground_mla", basis.refusal)),
        "refusal_extradition": list(
            _grounds(law, "refusal_ground_extradition", basis.refusal_extradition)
        ),
        "postponement": list(_grounds(law, "postponement_ground", basis.postponement)),
        "notes": list(basis.notes),
    }


def _limit(name: str, limit: Limit, *, own: bool) -> dict[str, Json]:
    return {
        "clock": name,
        "count": limit.count,
        "unit": limit.unit,
        "also": list(limit.also),
        "extendable_by": limit.extendable_by,
        "source": limit.source,
        "of_the_basis": own,
        "product_default": limit.product_default,
        "note": limit.note,
        "unreviewed": limit.unreviewed,
    }


def _grounds(law: Law, vocabulary: str, grounds: tuple[Ground, ...]) -> Iterator[Json]:
    for one in grounds:
        yield {
            "code": one.code,
            "label": law.codes[vocabulary][one.code].label,
            "source": one.source,
            "kinds": list(one.kinds),
            "note": one.note,
            "unreviewed": one.unreviewed,
        }


def _terms(desk: Desk, args: TermsWith) -> Result:
    word = _folded(args.word)
    found = [one for one in desk.law.terms.values() if word in _folded(_said(one))]
    return {"schema": "comity.terms/1", "terms": [_term(one) for one in found]}


def _said(term: Term) -> str:
    """Give all that a term is called, in every language."""
    labels = term.labels.values()
    said = [text for one in labels for text in (one.text, *one.alternatives)]
    return "\n".join((term.id.replace("_", " "), term.id, *said))


def _folded(text: str) -> str:
    """Fold case and accents away, so that `extradicion` finds extradición."""
    apart = unicodedata.normalize("NFKD", text.strip().casefold())
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


def _term(term: Term) -> dict[str, Json]:
    return {
        "id": term.id,
        "category": term.category,
        "ref": term.ref,
        "note": term.note,
        "labels": {
            tag: {"text": one.text, "alternatives": list(one.alternatives),
                  "confidence": one.confidence, "unreviewed": one.unreviewed}
            for tag, one in term.labels.items()
        },
    }  # fmt: skip


def _offences(desk: Desk, _: Nothing) -> Result:
    offences = desk.law.offences.values()
    return {"schema": "comity.offences/1", "offences": [_offence(one) for one in offences]}


def _offence(offence: Offence) -> dict[str, Json]:
    return {
        "code": offence.code,
        "title": offence.title,
        "instrument": offence.instrument,
        "article": offence.article,
        "duty": offence.duty,
        "elements": list(offence.elements),
        "note": offence.note,
        "term": offence.term,
        "unreviewed": offence.unreviewed,
    }


def _codes(desk: Desk, args: CodesOf) -> Result:
    codes = desk.law.codes
    if args.vocabulary is None:
        return {"schema": "comity.vocabularies/1", "vocabularies": sorted(codes)}
    found = codes.get(args.vocabulary)
    if found is None:
        raise Malformed("no vocabulary is called that: `comity law codes` lists them")
    return {
        "schema": "comity.codes/1",
        "vocabulary": args.vocabulary,
        "codes": [_code(code, one) for code, one in found.items()],
    }


def _code(code: str, one: Code) -> dict[str, Json]:
    return {"code": code, "label": one.label, "note": one.note, "unreviewed": one.unreviewed}


def _labelled(law: Law, vocabulary: str, codes: tuple[str, ...]) -> list[Json]:
    return [{"code": code, "label": law.codes[vocabulary][code].label} for code in codes]


def _check(desk: Desk, _: Nothing) -> Result:
    """Read the authority's folder as it is now: the node itself knows what was there at start."""
    return checked(desk.settings.law_folder)


def checked(folder: Path | None) -> Result:
    """Say whether the law fits together, with a folder if there is one."""
    try:
        law = load_law() if folder is None else read_law(folder)
    except LawError as fault:
        return {**_CHECKED, "good": False, "problems": list(fault.problems)}
    return {
        **_CHECKED,
        "good": True,
        "folder": folder is not None,
        "counts": counts(law),
    }


_CHECKED: Final[Mapping[str, Json]] = {
    "schema": "comity.law-check/1", "good": False, "folder": True, "problems": [], "counts": {},
}  # fmt: skip


def counts(law: Law) -> dict[str, Json]:
    """Say how much law there is, and how many entries of it no lawyer has confirmed."""
    rules = [rule for kind in law.kinds.values() for rule in (*kind.fields, *kind.release)]
    labels = [label for term in law.terms.values() for label in term.labels.values()]
    limits = [limit for basis in law.bases.values() for limit in basis.limits.values()]
    marked = [*law.kinds.values(), *law.bases.values(), *law.offences.values(), *rules, *labels,
              *limits]  # fmt: skip
    return {
        "kinds": len(law.kinds),
        "bases": len(law.bases),
        "offences": len(law.offences),
        "terms": len(law.terms),
        "holidays": len(law.holidays),
        "unreviewed": sum(one.unreviewed for one in marked),
    }


LAW: Final[Mapping[str, Verb]] = {
    "law.kinds": Verb(_kinds, Nothing, may=EVERYBODY),
    "law.kind": Verb(_kind, KindOf, may=EVERYBODY),
    "law.bases": Verb(_bases, Nothing, may=EVERYBODY),
    "law.basis": Verb(_basis, BasisOf, may=EVERYBODY),
    "law.terms": Verb(_terms, TermsWith, may=EVERYBODY),
    "law.offences": Verb(_offences, Nothing, may=EVERYBODY),
    "law.codes": Verb(_codes, CodesOf, may=EVERYBODY),
    "law.check": Verb(_check, Nothing, may=EVERYBODY),
}
