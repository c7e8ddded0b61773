"""Check what is sent in a case after the request: questions, decisions, results, consents.

    facts = CaseFacts.of(request, history)
    report = check_event(law, "refuse", body, facts=facts, now=now)

The form of each event is in `event_forms`; here its fields are held against each other and
against the case: the items of the request, the questions that are open, whether there was
consultation. What the life cycle forbids it says itself; this names what a person should
mend before it gets there. Nothing is sent, and no state is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from node.cases.completeness import decisions, results
from node.cases.completeness.event_forms import EMPTY, FORMS
from node.cases.completeness.facts import CaseFacts
from node.cases.completeness.fields import check_fields, check_unknown
from node.cases.completeness.report import PRACTICE, Finding, Note, Report, report
from node.cases.completeness.sendable import check_texts
from node.cases.completeness.translations import check_translations
from node.cases.law.model import Law


def check_event(law: Law, event: str, body: object, *, facts: CaseFacts, now: int) -> Report:
    """Check the body of an event other than `transmit`; one nobody knows has no form."""
    findings: list[Finding] = []
    note: Note = findings.append
    if not isinstance(body, Mapping):
        sentence = "What is sent is an object of fields: start from the form of the event."
        note(Finding("", "blocks", "product default", sentence, "not-an-object"))
        return report(findings)
    check_texts(body, note)
    asked = FORMS.get(event, EMPTY)
    check_fields(law, asked, body, note, now)
    if event != "release":  # its content has the form of whatever is told
        check_unknown(asked, body, note)
    check_translations(body, note)
    scene = decisions.Scene(law, body, facts, now)
    for check in _CHECKS.get(event, ()):
        for finding in check(scene):
            note(finding)
    return report(findings)


_Check = Callable[[decisions.Scene], decisions.Found]

_CHECKS: Final[Mapping[str, tuple[_Check, ...]]] = {
    "request_information": (decisions.question,),
    "provide_information": (decisions.information,),
    "open_consultation": (decisions.consultation,),
    "consultation_opened": (decisions.consultation,),
    "reply_consultation": (decisions.consultation_answer,),
    "consultation_replied": (decisions.consultation_answer,),
    "accept": (decisions.acceptance,),
    "refuse": (decisions.refusal,),
    "refuse_remainder": (decisions.refusal,),
    "postpone": (decisions.postponement,),
    "impose_measure": (results.measure,),
    "extend_measure": (results.measure,),
    "extension_requested": (partial(decisions.to_come, name="until", rule=PRACTICE),),
    "convert_measure": (results.conversion,),
    "delay_notice": (partial(decisions.to_come, name="expected", rule="UNCAC 46(24)"),),
    "intent_to_lift": (results.intent_to_lift,),
    "send_partial_result": (results.partial_result,),
    "send_final_result": (results.final_result,),
    "release": (results.release,),
    "confirm_result": (results.confirmation,),
    "use_consent_decided": (results.consent,),
    "narrow_scope": (results.narrowing,),
    "language_waiver": (results.waiver,),
    "protected_identity": (results.identity,),
}
"""What is compared for each event beside its form."""
