"""What the law asks of one kind alone, where more than the form of a field is at stake.

    for finding in of_kind("EXTRADITION", law, body, found, wanted): …

Extradition and arrest, preservation, the header of spontaneous information, statements that
a kind cannot do without. Each check names its article, and reads only the fields that it
needs, whatever form they have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from node.cases.completeness import shapes
from node.cases.completeness.grounding import Grounding
from node.cases.completeness.places import (
    Body,
    is_empty,
    members,
    objects,
    shown_key,
    steps,
    text_at,
)
from node.cases.completeness.report import PRACTICE, Finding, Severity
from node.cases.completeness.wanted import Wanted
from node.cases.law.model import Law

_CONTENT: Final = frozenset({"annexes", "evidence", "note"})
"""What the form of every kind has and the offer of spontaneous information may not hold."""

_PRESERVED_DAYS: Final = 60

OfKind = Callable[[Law, Body, Grounding, Wanted], Iterator[Finding]]


def _untrue(name: str, rule: str, sentence: str, severity: Severity = "blocks") -> OfKind:
    """Make a check that a statement which the law asks for is not denied."""

    def check(_law: Law, body: Body, _found: Grounding, _wanted: Wanted) -> Iterator[Finding]:
        value: object = body
        for key in name.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is False:
            yield Finding(name, severity, rule, sentence, "statement-denied")

    return check


_use_limitation = _untrue(
    "undertakings.use_limitation",
    "UNCAC 46(19)",
    "What is given is bound to the proceedings of the request whether this is promised or not: "
    "promise it.",
)
_arrest_intent = _untrue(
    "intends_extradition",
    "UNCAC 44(10)",
    "A provisional arrest is for a person whose extradition will be requested: without that "
    "intention it cannot be asked for.",
)


def _extradition(_law: Law, body: Body, found: Grounding, wanted: Wanted) -> Iterator[Finding]:
    relies = "UNCAC" in found.codes()
    if relies and wanted.uncac_44_6 == "no":
        alone = len(found.codes()) == 1
        severity: Severity = "blocks" if alone else "warns"
        sentence = (
            "The requested State has declared that it does not take the Convention as the basis of "
            "extradition: rest the request on another treaty."
        )
        yield Finding("legal_basis", severity, "UNCAC 44(5)-(6)", sentence, "basis-declined")
    elif relies and wanted.uncac_44_6 != "yes":
        sentence = (
            "It is not known whether the requested State takes the Convention as the basis of "
            "extradition: look at its declaration, or ask."
        )
        yield Finding("legal_basis", "warns", "UNCAC 44(6)", sentence, "basis-undeclared")
    if wanted.country is None or wanted.extradites_nationals is True:
        return
    for at, one in _sought(body):
        nationality = one.get("nationality")
        if wanted.country in (members(nationality) or (nationality,)):
            sentence = (
                "The person is a national of the requested State, which may decline for that: be "
                "ready to ask it to prosecute, and to hand over the file."
            )
            yield Finding(f"{at}.nationality", "warns", "UNCAC 44(11)", sentence, "own-national")


def _sought(body: Body) -> Iterator[tuple[str, Body]]:
    person = body.get("person")
    if isinstance(person, Mapping):
        yield "person", person
    for number, one in objects(body.get("persons")):
        if text_at(one, "role") in {"SOUGHT_PERSON", "ACCUSED", "CONVICTED", "SUSPECT", ""}:
            yield f"persons[{number}]", one


def _provisional_arrest(
    law: Law, body: Body, found: Grounding, wanted: Wanted
) -> Iterator[Finding]:
    yield from _extradition(law, body, found, wanted)
    primary = found.primary
    limit = primary.limits.get("provisional_arrest") if primary is not None else None
    if limit is None:
        sentence = (
            "The profile of the legal basis does not say after how many days a provisional arrest "
            "lapses: have a lawyer add the limit of the treaty to the profile before sending."
        )
        yield Finding("legal_basis", "blocks", "UNCAC 44(10)", sentence, "no-limit")
        return
    if limit.unreviewed:
        sentence = (
            "No lawyer has confirmed how long a provisional arrest lasts under this basis: check "
            "the treaty before relying on the date."
        )
        yield Finding(
            "legal_basis", "warns", "UNCAC 44(10)", sentence, "limit-unreviewed", unreviewed=True
        )
    days = body.get("treaty_limit_days")
    if isinstance(days, int) and not isinstance(days, bool) and limit.unit == "days":
        longest = limit.count + (limit.extendable_by or 0)
        if not 0 < days <= longest:
            sentence = "The days differ from the limit in the profile of the basis: correct them."
            yield Finding("treaty_limit_days", "blocks", "UNCAC 44(10)", sentence, "limit-differs")

    yield from _arrest_intent(law, body, found, wanted)


def _preservation(_law: Law, body: Body, _f: Grounding, _w: Wanted) -> Iterator[Finding]:
    days = body.get("duration_days")
    if isinstance(days, int) and not isinstance(days, bool) and days < _PRESERVED_DAYS:
        sentence = (
            "The Convention gives sixty days or more, and a formal request takes long: ask for at "
            "least sixty."
        )
        rule = "Budapest Convention 29(7)"
        yield Finding("duration_days", "warns", rule, sentence, "short-preservation")
    if body.get("intends_request") is False:
        sentence = (
            "Preservation is for a State that means to ask for the stored data: without that "
            "intention the other side need not act."
        )
        rule = "Budapest Convention 29(2)(f)"
        yield Finding("intends_request", "blocks", rule, sentence, "no-intention")


def _spontaneous(law: Law, body: Body, _f: Grounding, _w: Wanted) -> Iterator[Finding]:
    """Content before the restrictions are accepted would bind nobody."""
    kind = law.kinds.get("SPONTANEOUS")
    header = {steps(one.name)[0][0] for one in kind.fields} - _CONTENT if kind else frozenset()
    for key in body:
        if key in header or key == "request_kind" or is_empty(body[key]):
            continue
        sentence = (
            "The offer shows only its restrictions and its class; content follows when they are "
            "accepted: take this out, and put it into the release."
        )
        yield Finding(shown_key(key), "blocks", "UNCAC 46(5)", sentence, "content-in-offer")


def _service(_law: Law, body: Body, _f: Grounding, _w: Wanted) -> Iterator[Finding]:
    serve, hearing = shapes.moment(body.get("serve_by")), shapes.moment(body.get("hearing_date"))
    if serve is not None and hearing is not None and hearing < serve:
        sentence = "The document would be served after the hearing: correct one of the dates."
        yield Finding("serve_by", "blocks", PRACTICE, sentence, "served-too-late")


def _detained(_law: Law, body: Body, _f: Grounding, _w: Wanted) -> Iterator[Finding]:
    back, end = shapes.moment(body.get("return_due")), shapes.moment(body.get("sentence_end"))
    if back is not None and end is not None and back > end:
        sentence = (
            "The person would come back after the sentence has ended: agree on what happens then, "
            "because nobody may be held without a title."
        )
        yield Finding("return_due", "warns", "UNCAC 46(11)", sentence, "returned-too-late")


_OF_KIND: Final[Mapping[str, tuple[OfKind, ...]]] = {
    "EXTRADITION": (
        _extradition,
        _untrue(
            "specialty",
            "practice: extradition treaties",
            "Without specialty most States do not surrender a person: promise it, or explain.",
            "warns",
        ),
    ),
    "PROVISIONAL_ARREST": (_provisional_arrest,),
    "PRESERVATION": (_preservation,),
    "SPONTANEOUS": (_spontaneous,),
    "MLA_SERVICE": (_service,),
    "MLA_DETAINED_TRANSFER": (
        _detained,
        _untrue(
            "immunity",
            "UNCAC 46(12)",
            "Nobody who is transferred is held for earlier acts unless the sending State agrees: "
            "promise it.",
        ),
    ),
    "MLA_APPEARANCE": (
        _untrue(
            "appearance.voluntary",
            "UNCAC 46(3)(h)",
            "Only a voluntary appearance can be asked for here: ask for a transfer or a hearing "
            "by video instead.",
        ),
        _untrue(
            "appearance.safe_conduct",
            "UNCAC 46(27)",
            "Whoever comes is not prosecuted for earlier acts: promise it.",
        ),
    ),
    "CONFISCATION": (
        _untrue(
            "order_final",
            "UNCAC 55(3)(b)",
            "An order is enforced abroad when it is final: wait for that, or ask for freezing.",
        ),
    ),
    "INFORMAL_INQUIRY": (
        _untrue(
            "not_for_evidence",
            "UNCAC 48",
            "The answer to an inquiry is no evidence: send a formal request for what a court "
            "shall see.",
            "warns",
        ),
    ),
}
"""What is compared for one kind alone."""


def of_kind(code: str, law: Law, body: Body, found: Grounding, wanted: Wanted) -> Iterator[Finding]:
    """Give what does not fit together in a request of a kind, beyond what holds for every one."""
    for check in (_use_limitation, *_OF_KIND.get(code, ())):
        yield from check(law, body, found, wanted)
