"""The form of each event's body: its fields, and the rule that each comes from.

A row has two lines: event, field, type, need (M or O) and rule; then label and why, in the
words that a caseworker reads.
The names of fields are those of `protocol.lifecycle`; a test holds the two together. Nothing
is judged here; `answers` compares the fields of one body with each other and with the case.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from node.cases.completeness.fields import Form, form
from node.cases.law.model import FieldRule, Need

COMMON: Final = frozenset({"evidence", "translations", "handling", "note", "language", "own_ref"})
"""What any event's body may hold."""

_NEEDS: Final[Mapping[str, Need]] = {"M": "mandatory", "O": "optional"}

_ROWS: Final = """
acknowledge | own_ref | text | M | practice
    Our reference | The other side quotes it on everything that follows.
acknowledge | contact | authority | M | UNCAC 46(24)
    Whom to ask | A case without a person to ask goes silent.
acknowledge | reply_language | language | M | UNCAC 46(14)
    Language for replies | The other side must know what you can read.
acknowledge | decision_expected | date | O | UNCAC 46(24)
    Decision expected | The other side plans by it.
acknowledge | missing | texts | O | UNCAC 46(16)
    What is missing already | What is seen now need not be asked for later.
return_misdirected | reason | code:return_reason | M | practice
    Reason for the return | The other side must know where its request belongs.
return_misdirected | suggested_authority | text | O | UNCAC 46(13)
    Authority that is competent | It saves the other side a search.
request_information | items | items | M | UNCAC 46(16)
    Questions | Each is answered by its number.
request_information | items[].no | number | M | practice
    Number of the question | Answers name it.
request_information | items[].text | long_text | M | UNCAC 46(16)
    Question | Say what is missing and why it is needed.
request_information | due | time | M | practice
    Answer wanted by | The clock of the case stands still until then.
provide_information | answers | list | M | UNCAC 46(16)
    Answers | Each question wants an answer, also that it is not known.
provide_information | answers[].no | number | M | practice
    Number of the question | It joins answer and question.
provide_information | answers[].text | long_text | M | UNCAC 46(16)
    Answer | Say it, or say that it is not known.
return_incomplete | reason | code:return_reason | M | UNCAC 46(23)
    Reason for the return | The other side must know what was never supplied.
open_consultation | intended | text | M | UNCAC 46(26)
    What is intended | The other side answers to it.
open_consultation | ground | text | O | UNCAC 46(21)
    Ground considered | The other side can remove it only if it knows it.
open_consultation | conditions | list | O | UNCAC 46(26)
    Conditions proposed | Accepted conditions bind.
open_consultation | conditions[].no | number | M | practice
    Number of the condition | It is accepted by its number.
open_consultation | conditions[].text | long_text | M | UNCAC 46(26)
    Condition | The other side accepts these words.
open_consultation | due | time | M | practice
    Answer wanted by | After it the decision may be made without an answer.
reply_consultation | conditions | text | M | UNCAC 46(26)
    Answer to the conditions | Accepted conditions bind.
reply_consultation | text | long_text | O | UNCAC 46(26)
    Explanation | It helps the other side to decide.
accept | scope | text | M | UNCAC 46(17)
    Scope | The other side must know whether all will be done.
accept | items | list | O | UNCAC 46(17)
    Decision for each item | A partial acceptance decides each item.
accept | items[].no | number | M | practice
    Number of the item | It joins decision and item.
accept | items[].decision | text | M | UNCAC 46(17)
    Decision | Say whether the item will be done.
accept | conditions | texts | O | UNCAC 46(26)
    Accepted conditions | By their numbers.
refuse | ground | text | M | UNCAC 46(21)
    Ground | Nothing is refused without one.
refuse | reasons | long_text | M | UNCAC 46(23)
    Reasons | Reasons shall be given for any refusal.
refuse | remedies | long_text | O | practice
    Remedies | What the other side may do against it.
postpone | ground | text | M | UNCAC 46(25)
    Ground | Nothing is postponed without one.
postpone | reasons | long_text | M | UNCAC 46(25)
    Reasons | The other side must know what is in the way.
postpone | review | time | M | practice
    Looked at again on | A postponement without a date is a silent refusal.
assign_execution | executing_authority | text | M | practice
    Executing authority | Name it, or write: withheld.
impose_measure | valid_from | time | M | UNCAC 54(2)
    In force from | The other side counts from it.
impose_measure | valid_until | time | M | UNCAC 54(2)
    In force until | The measure lapses by itself.
impose_measure | sums | list | O | UNCAC 54(2)
    Sums | By stage and currency: what is frozen.
extension_requested | until | time | M | practice
    Wanted until | The measure lapses unless it is extended.
extension_requested | reasons | long_text | M | practice
    Reasons | The other side decides on them.
extend_measure | valid_until | time | M | UNCAC 54(2)
    In force until | The measure lapses by itself.
convert_measure | request | text | M | practice
    The request that takes over | It joins the two cases.
intent_to_lift | reasons | long_text | M | UNCAC 55(8)
    Reasons | The other side can answer only what it knows.
intent_to_lift | due | time | M | UNCAC 55(8)
    Answer wanted by | The other side may give reasons to continue.
reasons_to_continue | text | long_text | M | UNCAC 55(8)
    Reasons to continue | The other side decides on them.
lift_measure | reasons | long_text | M | UNCAC 55(8)
    Reasons | The other side must know why it ended.
send_partial_result | sums | list | O | UNCAC 57
    Sums | By stage and currency.
send_final_result | outcome | code:outcome | M | UNCAC 46(24)
    Outcome | Say it also if nothing was found.
send_final_result | nil | long_text | O | practice
    What was looked for and not found | Nothing found is a result.
send_final_result | sums | list | O | UNCAC 57
    Sums | By stage and currency.
dispute_result | items | list | M | practice
    Items that are not right | Each by its path or number.
dispute_result | items[].no | text | M | practice
    Item | Its path or number.
dispute_result | items[].why | long_text | M | practice
    What is wrong with it | The other side must be able to mend it.
reopen | reasons | long_text | M | practice
    Reasons | The case was at its end.
withdraw | reasons | long_text | M | UNCAC 46(24)
    Reasons | The other side may have begun.
confirm_withdrawal | done | long_text | M | practice
    What was done until then | The other side must know what exists.
confirm_withdrawal | seized | long_text | O | practice
    What is still held | It must go back to somebody.
status_report | text | long_text | M | UNCAC 46(24)
    How the case stands | A reasonable question shall be answered.
delay_notice | reasons | long_text | M | UNCAC 46(24)
    Reasons for the delay | The other side plans by them.
delay_notice | expected | time | M | UNCAC 46(24)
    Expected now | The other side plans by it.
clarification_opened | text | long_text | M | UNCAC 46(16)
    Question | Say what is unclear.
clarification_answered | text | long_text | M | UNCAC 46(16)
    Answer | Say it, or say that it is not known.
confidentiality_cannot_be_kept | reasons | long_text | M | UNCAC 46(20)
    Reasons | The other side decides whether to go on.
use_consent_requested | items | texts | M | UNCAC 46(19)
    Items | Consent is given for each.
use_consent_requested | proceedings | text | M | UNCAC 46(19)
    Other proceedings | Consent is given for these alone.
use_consent_decided | decision | text | M | UNCAC 46(19)
    Decision | Say whether it is granted.
use_consent_decided | conditions | long_text | O | UNCAC 46(19)
    Conditions | They bind whoever uses the items.
exculpatory_disclosure_notice | text | long_text | M | UNCAC 46(5), 46(19)
    Notice | The other side is told before, and consulted if it asks.
incident_notice | text | long_text | M | practice
    What happened | The other side protects its people by it.
supplement | text | long_text | M | practice
    Supplement | Say what is added.
narrow_scope | items | texts | M | UNCAC 46(24)
    Items that remain | The rest need not be done.
feedback | text | long_text | M | practice
    Feedback | It tells the other side what its work was for.
handler_changed | contact | authority | M | practice
    Whom to ask now | A case without a person to ask goes silent.
translation | translations | list | M | UNCAC 46(14)
    Translations | The source stays the text that counts.
language_waiver | language | language | M | UNCAC 46(14)
    Language accepted for once | The other side relies on it.
language_waiver | text | long_text | O | UNCAC 46(14)
    Conditions of the waiver | The other side relies on them.
protected_identity | pseudonym | text | M | UNCAC 32
    Pseudonym | It stands in the case in the person's place.
protected_identity | identity | person | M | UNCAC 32
    Identity | Few people read it.
note | text | long_text | M | practice
    Note | Say it.
decline | reasons | long_text | M | practice
    Reasons | The other side must know why.
cannot_comply | reasons | long_text | M | UNCAC 46(5)
    Reasons | Without them it cannot offer again.
answer | text | long_text | M | UNCAC 48
    Answer | Say it, also if there is nothing.
answer | use | text | O | UNCAC 48
    Codes of use | An answer is no evidence unless it says so.
not_available | text | long_text | M | UNCAC 48
    Why it is not available here | The other side looks elsewhere.
not_available | channel | text | O | UNCAC 46(13)
    Channel to use instead | It saves the other side a search.
return_to_drafter | comment | long_text | M | practice
    Comment | The writer must know what to change.
cancel | reasons | long_text | M | practice
    Reasons | The record says why it was not sent.
"""

_SAME: Final = {
    "refuse_remainder": "refuse",
    "consultation_opened": "open_consultation",
    "consultation_replied": "reply_consultation",
}
_MORE: Final = {
    "send_partial_result": frozenset({"permitted_proceedings", "use_limits", "outcome", "nil"}),
    "send_final_result": frozenset({"permitted_proceedings", "use_limits"}),
    "confirm_result": frozenset({"items", "nil"}),
    "close": frozenset({"originals", "feedback"}),
    "translation": frozenset({"of"}),
    "refuse": frozenset({"signatories"}),
    "refuse_remainder": frozenset({"signatories"}),
    "countersign": frozenset({"signatories"}),
    "release": frozenset({"content", "use_limits", "permitted_proceedings"}),
}
_SUM: Final = frozenset({"stage", "currency", "amount", "note"})
_BELOW: Final = {
    "accept": {"items[]": frozenset({"ground", "reasons", "conditions", "review", "note"})},
    "impose_measure": {"sums[]": _SUM},
    "send_partial_result": {"sums[]": _SUM},
    "send_final_result": {"sums[]": _SUM},
}


def _rules() -> Mapping[str, tuple[FieldRule, ...]]:
    found: dict[str, list[FieldRule]] = {}
    lines = _ROWS.strip().splitlines()
    for first, second in zip(lines[::2], lines[1::2], strict=True):
        event, name, sort, need, rule = (one.strip() for one in first.split("|"))
        label, why = (one.strip() for one in second.split("|"))
        row = FieldRule(
            name=name,
            label=label,
            type=sort,
            need=_NEEDS[need],
            section="event",
            rule=rule,
            why=why,
        )
        found.setdefault(event, []).append(row)
    rules = {event: tuple(rows) for event, rows in found.items()}
    return {**rules, **{event: rules[other] for event, other in _SAME.items()}}


def _forms() -> Mapping[str, Form]:
    rules = _rules()
    made = {}
    for event in {*rules, *_MORE}:
        whole = form(rules.get(event, ()), COMMON | _MORE.get(event, frozenset()))
        known = dict(whole.known)
        for where, keys in _BELOW.get(event, {}).items():
            known[where] = known.get(where, frozenset()) | keys
        made[event] = Form(whole.rules, whole.names, known, of_event=True)
    return made


FORMS: Final = _forms()
"""The form of each event that has one."""

EMPTY: Final = form((), COMMON)
"""The form of an event that says nothing but that it happened."""
