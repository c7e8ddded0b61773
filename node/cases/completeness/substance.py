"""What the fields of one request say together: where the law looks at more than one of them.

Dual criminality, the value of what is sought, secrecy that is asked for and given away, who
signed: each check names its article and reads only the fields that it needs, whatever form
they have. That a field is there, and has its form, is for `fields`; what one kind alone asks
for, for `kinds`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from node.cases.completeness.grounding import Grounding
from node.cases.completeness.kinds import of_kind
from node.cases.completeness.places import Body, is_empty, objects, text_at
from node.cases.completeness.report import Finding, Note
from node.cases.completeness.wanted import Wanted, amount_of
from node.cases.law.model import Kind, Law

_DUTIES_ELSEWHERE: Final = frozenset({"mandatory", "mandatory-with-limits"})
_NO_DUAL_CRIMINALITY: Final = frozenset({"PRESERVATION", "MLA_SERVICE"})


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
    for finding in of_kind(kind.code, law, body, found, wanted):
        note(finding)


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
