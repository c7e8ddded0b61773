"""What the fields of one request say together: where the law looks at more than one of them.

Dual criminality, the value of what is sought, an own national, the order behind a
confiscation, the header of spontaneous information: each check names its article and reads
only the fields that it needs, whatever form they have. That a field is there, and has its
form, is for `fields`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
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
from node.cases.completeness.report import PRACTICE, Finding, Note, Severity
from node.cases.completeness.wanted import Wanted, amount_of
from node.cases.law.model import Kind, Law

_DUTIES_ELSEWHERE: Final = frozenset({"mandatory", "mandatory-with-limits"})
_NO_DUAL_CRIMINALITY: Final = frozenset({"PRESERVATION", "MLA_SERVICE"})
_CONTENT: Final = frozenset({"annexes", "evidence", "note"})
"""What the form of every kind has and the offer of spontaneous information may not hold."""

_PRESERVED_DAYS: Final = 60


def check_substance(
    law: Law, kind: Kind, body: Body, found: Grounding, out: tuple[Wanted, Note]
) -> None:
    """Note what does not fit together in a request of a kind."""
    wanted, note = out
    _check_dual_criminality(law, kind, body, found, out)
    _check_value(body, wanted, note)
    _check_items(kind, body, note)
    _check_secrecy(body, note)
    _check_protected(body, note)
    _check_signatories(kind, body, note)
    _check_standard(kind, wanted, note)
    for check in (_use_limitation, *_OF_KIND.get(kind.code, ())):
        for finding in check(law, body, found, wanted):
            note(finding)


# --- whatever the kind -----------------------------------------------------------------------


def _check_dual_criminality(
    law: Law, kind: Kind, body: Body, found: Grounding, out: tuple[Wanted, Note]
) -> None:
    """Warn where the requested State may know no such offence, and no note explains it."""
    wanted, note = out
    if kind.code in _NO_DUAL_CRIMINALITY or wanted.dual_criminality == "not required":
        return
    if not is_empty(body.get("dual_criminality_note")) or "SADC_MLA_2002" in found.codes():
        return
    coercive = kind.coercive or any(
        one.get("coercive") is True for _number, one in objects(body.get("items"))
    )
    for number, one in objects(body.get("offences")):
        offence = law.offences.get(text_at(one, "code"))
        if offence is None or offence.duty in _DUTIES_ELSEWHERE:
            continue
        sentence = (
            "Not every State makes this conduct an offence: describe the elements of the conduct, "
            "and say in the note on dual criminality under which offence of the requested State "
            "they would fall."
        )
        at = f"offences[{number}].code"
        note(Finding(at, "warns", "UNCAC 43(2)", sentence, "dual-criminality"))
    asked = coercive or wanted.dual_criminality == "always"
    if asked and kind.field("dual_criminality_note") and not is_empty(body.get("offences")):
        sentence = (
            "The measure takes coercion, so the requested State may ask for dual criminality: show "
            "in the note on dual criminality that the conduct is an offence there too."
        )
        rule = "UNCAC 43(2), 46(9)(b)"
        note(Finding("dual_criminality_note", "warns", rule, sentence, "dual-criminality"))


def _check_value(body: Body, wanted: Wanted, note: Note) -> None:
    """Warn where all that is at stake is less than what the authority says is worth a request."""
    if wanted.minimum_value is None:
        return
    least, currency = wanted.minimum_value
    amounts = [(path, number) for path, number, unit in _amounts(body) if unit == currency]
    if not amounts or sum((number for _path, number in amounts), Decimal(0)) >= least:
        return
    sentence = (
        "What is at stake is worth less than the requested authority's listing names as the "
        "minimum: say why the case matters all the same, or leave the request."
    )
    note(Finding(amounts[0][0], "warns", "UNCAC 46(9)(b)", sentence, "below-minimum"))


def _amounts(body: Body) -> Iterator[tuple[str, Decimal, str]]:
    """Give every amount that stands in a body, or in an object or list of it."""
    for key, value in body.items():
        if isinstance(value, Mapping):
            yield from _amount_in(key, value)
        for number, one in objects(value):
            yield from _amount_in(f"{key}[{number}]", one)


def _amount_in(path: str, one: Body) -> Iterator[tuple[str, Decimal, str]]:
    """Give the amount of an object: of itself, in a field, or with its currency beside it."""
    together = {"amount": one.get("value"), "currency": one.get("currency")}
    for at, part in (("value", together), ("value", one.get("value")), ("amount", one)):
        read = amount_of(part)
        if read is not None:
            yield f"{path}.{at}", *read
            return


def _check_items(kind: Kind, body: Body, note: Note) -> None:
    for number, one in objects(body.get("items")):
        code = text_at(one, "assistance")
        if code and kind.assistance and code not in kind.assistance:
            sentence = (
                "This kind of request does not usually ask for this assistance: choose another "
                "code, or put the item into a request of the kind that does."
            )
            at, rule = f"items[{number}].assistance", "UNCAC 46(3)"
            note(Finding(at, "warns", rule, sentence, "assistance-of-other-kind"))
        if code == "46-3-c" and one.get("coercive") is False:
            sentence = "Search, seizure and freezing take coercion: say so at this item."
            at = f"items[{number}].coercive"
            note(Finding(at, "warns", "UNCAC 46(9)(b)", sentence, "coercion-denied"))


def _check_secrecy(body: Body, note: Note) -> None:
    if body.get("confidentiality_requested") is not True:
        return
    at, rule = "target_notification", "UNCAC 46(20)"
    if text_at(body, "target_notification") == "ALLOWED":
        sentence = "The request is confidential, and yet the person may be told: settle which."
        note(Finding(at, "warns", rule, sentence, "secrecy-contradicted"))
    if body.get("no_customer_notice") is False:
        sentence = "The request is confidential, and yet the customer may be told: settle which."
        note(Finding("no_customer_notice", "warns", rule, sentence, "secrecy-contradicted"))
    disclosure = text_at(body.get("handling"), "disclosure")
    if disclosure in {"TLP:CLEAR", "TLP:GREEN"}:
        sentence = "The request is confidential, and yet its handling lets many see it: narrow it."
        note(Finding("handling.disclosure", "warns", rule, sentence, "secrecy-contradicted"))


def _check_protected(body: Body, note: Note) -> None:
    revealing = ("name_original", "birth_date", "identity_numbers", "location", "address")
    for number, one in objects(body.get("persons")):
        shown = [key for key in revealing if not is_empty(one.get(key))]
        if one.get("protected") is True and shown:
            sentence = (
                "This person is protected, and what stands here tells all readers of the case who "
                "it is: leave the pseudonym, and send the rest as the protected identity."
            )
            at = f"persons[{number}].{shown[0]}"
            note(Finding(at, "warns", "UNCAC 32, 33", sentence, "protected-shown"))


def _check_signatories(kind: Kind, body: Body, note: Note) -> None:
    """Two different people stand behind a formal request, or one who is followed by another."""
    listed = [text_at(one, "name") for _number, one in objects(body.get("signatories"))]
    if not listed or kind.second_person == "none" or len({*listed} - {""}) > 1:
        return
    if kind.second_person == "within-24h":
        if is_empty(body.get("second_person_due")):
            sentence = "One person signed: say until when the second person signs."
            at = "second_person_due"
            note(Finding(at, "blocks", "product default", sentence, "second-person"))
        return
    sentence = "A request of this kind takes two different people: have a second one approve it."
    note(Finding("signatories", "blocks", "product default", sentence, "second-person"))


def _check_standard(kind: Kind, wanted: Wanted, note: Note) -> None:
    if wanted.evidence_standard and (kind.coercive or kind.code == "EXTRADITION"):
        sentence = (
            "The requested authority's listing names a standard of evidence for such measures: "
            "read it there, and show in the facts that it is met."
        )
        rule = "UNCAC 44(8)-(9)" if kind.code == "EXTRADITION" else "UNCAC 46(17)"
        note(Finding("facts_summary", "warns", rule, sentence, "evidence-standard"))


# --- one kind each ---------------------------------------------------------------------------

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
