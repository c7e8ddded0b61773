"""Check a request before it leaves: everything missing or doubtful, each with its rule.

    report = check_request(law, body, to=Wanted.of(listing), now=now)
    if not report.may_be_sent: …

The parts each look at one thing: fields, legal basis and transmission, language, what the
fields say together. Here they are put together for one body, in whatever state it is. This
module decides nothing about delivery and changes no body.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from node.cases.completeness.fields import Form, check_fields, check_unknown, form
from node.cases.completeness.grounding import check_basis, check_transmission, grounding
from node.cases.completeness.places import is_empty, text_at
from node.cases.completeness.report import Finding, Note, Report, leniently, report
from node.cases.completeness.sendable import check_texts
from node.cases.completeness.substance import check_substance
from node.cases.completeness.translations import (
    check_language,
    check_status,
    check_translations,
)
from node.cases.completeness.wanted import Wanted
from node.cases.law.model import Kind, Law

COMMON: Final = frozenset({"request_kind", "evidence", "second_person_due", "note"})
DRAFT: Final = "draft"
_FORMS_MAX: Final = 256


@dataclass(frozen=True, slots=True)
class _Forms:
    """The forms of one kind: for people, and with what the node fills in when it sends."""

    kind: Kind
    drafted: Form
    signed: Form


_forms: Final[dict[int, _Forms]] = {}  # by identity, which holds while the entry keeps the kind


def check_request(law: Law, body: object, *, to: Wanted, now: int, signed: bool = False) -> Report:
    """Check the body of a request to an authority that wants what `to` says.

    `signed`: what the node fills in on sending (who signed) must be there too. A body that
    is no object, or names no kind, is a report with what to do, not an error.
    """
    findings: list[Finding] = []
    note: Note = findings.append
    if not isinstance(body, Mapping):
        sentence = "A request is an object of fields: start from the form of its kind."
        note(Finding("", "blocks", "product default", sentence, "not-an-object"))
        return report(findings)
    check_texts(body, note)
    kind = law.kinds.get(text_at(body, "request_kind"))
    if kind is None:
        sentence = "The kind of request is not known: choose one of the kinds that the law lists."
        note(Finding("request_kind", "blocks", "product default", sentence, "unknown-code"))
        return report(findings)
    asked = _forms_of(kind)
    check_fields(law, asked.signed if signed else asked.drafted, body, note, now)
    if kind.code != "SPONTANEOUS":  # there, what the form lacks blocks: it would be content
        check_unknown(asked.signed, body, note)
    found = grounding(law, body)
    check_basis(law, kind, found, note)
    check_transmission(body, found, to, note)
    check_language(body, to, note, formal=kind.formal)
    check_status(body, to, note)
    check_translations(body, note)
    check_substance(law, kind, body, found, (to, note))
    if kind.field(DRAFT) is not None and not is_empty(body.get(DRAFT)):
        findings += _comment(law, body[DRAFT], to, now)
    return report(findings)


def _comment(law: Law, draft: object, to: Wanted, now: int) -> tuple[Finding, ...]:
    """Check a whole draft that is sent for comment: it is no request, so nothing blocks."""
    if not isinstance(draft, Mapping):
        sentence = "The draft is the body of the request that is meant: enclose it as such."
        return (Finding(DRAFT, "warns", "practice", sentence, "not-an-object"),)
    inner = {key: value for key, value in draft.items() if key != DRAFT}
    return leniently(check_request(law, inner, to=to, now=now), DRAFT).findings


def _forms_of(kind: Kind) -> _Forms:
    known = _forms.get(id(kind))
    if known is None or known.kind is not kind:
        if len(_forms) >= _FORMS_MAX:
            _forms.clear()
        whole = [one for one in kind.fields if one.name != DRAFT]  # a body, checked as such
        common = COMMON | {DRAFT} if len(whole) < len(kind.fields) else COMMON
        own = [one for one in whole if one.filled_by == "person"]
        known = _Forms(kind, form(own, common), form(whole, common))
        _forms[id(kind)] = known
    return known
