"""What each guard of the life cycle asks for, in a sentence: for people and for documents.

A node shows these where a step had no effect, or would have none; the specification and the
page for caseworkers print them. Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from protocol.lifecycle_guards import CROSSED

GUARD_WORDS: Final[Mapping[str, str]] = {
    "accepted-before": "the request was accepted before it was postponed",
    "answered": "`answers`: a list of `{text}`",
    "answers": "`answers`: one `{no, text}` for every question that was put",
    "concluded": "the last result, or the refusal of the rest, came before the withdrawal",
    "conditions-accepted": "`conditions`: only numbers that the requesting side has accepted",
    "confirmed-items": "`items`: what was received; or `nil: true` if nothing was sent",
    "consent-asked": "consent to another use was asked for and is not decided yet",
    "consultation-done": "a consultation since the last decision was answered, or its `due` passed",
    "consultation-open": "a consultation is open",
    "consultation-overdue": "the consultation's `due` passed without an answer",
    "contact": "`contact`: `{name, …}` of a person",
    "countersign-due": "the request left with the signature of one person",
    CROSSED: "the message was on its way while the other side settled the matter",
    "decision": '`decision`: "granted" or "refused"',
    "disputed-items": "`items`: `{no, why}` for each item that is disputed",
    "done": "`done`: what had been done already",
    "due-date": "`due`: a time after the message was made",
    "evidence": "`evidence`: items with their manifest (SPEC 4.6)",
    "evidence-or-nil": "either `evidence` (SPEC 4.6) or `nil`: the statement that there is nothing",
    "executing-authority": '`executing_authority`: its name, or "withheld"',
    "expected-date": "`expected`: a time after the message was made",
    "extension-requested": "the requesting side asked for an extension",
    "ground": "`ground`: the code of the ground",
    "heard-on-lifting": "the intention was told, and its `due` passed or reasons came",
    "info-overdue": "the `due` of the questions passed",
    "intent-known": "the intention to lift the measure was told",
    "intention": '`intended`: "refuse" or "postpone" with a `ground`, or "conditions"'
    " with `conditions` `{no, text}`",
    "items": "`items`: a list that is not empty",
    "language": "`language`: the language that is waived or used",
    "linked-request": "`request`: the case id of the formal request",
    "longer": "`valid_until`: later than before",
    "measure-over": "the measure's `valid_until` has come",
    "not-accepted-before": "the request was not accepted before it was postponed",
    "not-concluded": "the last result did not come before the withdrawal",
    "nothing-delivered": "no result was sent yet",
    "outcome": "`outcome`: the code of the outcome",
    "own-reference": "`own_ref`: the reference of the requested side",
    "proceedings": "`proceedings`: what the items would be used for",
    "protected-person": "`pseudonym`, and `identity`: an object that is not empty",
    "questions": "`items`: a list of `{no, text}`",
    "reason-code": "`reason`: the code of the reason",
    "reasons": "`reasons`: in words",
    "reminded": "a reminder was sent after the questions",
    "reply-language": "`reply_language`: the language of the replies",
    "result-sent": "a result was sent",
    "review-date": "`review`: a time after the message was made",
    "scope": '`scope`: "full", or "partial" with `items` `{no, decision}`; with `ground` and'
    " `reasons` where the decision is refuse or postpone",
    "signatory": "`signatories`: the person who signs second",
    "text": "`text`: in words",
    "time-limited-kind": "the request is for preservation, freezing or provisional arrest",
    "translations": "`translations`: a list of `{language, …}`",
    "two-signatories": "`signatories`: two different people",
    "until-date": "`until`: a time after the message was made",
    "validity": "`valid_from` and a later `valid_until`",
    "word-on-conditions": '`conditions`: "accepted", "rejected", "countered" or "none"',
    # Before anything is delivered, a node's own affair.
    "approved-content": "exactly what was approved; handling code set; translation or waiver there",
    "comment": "a comment",
    "complete": "every field that the kind of request needs; a legal basis; a known recipient",
    "delivery-limit": "the time limit for delivery passed",
    "never-delivered": "nothing was delivered, and the time limit for giving up passed",
    "not-a-writer": "the approver wrote no part of this version",
    "receipt": "a receipt that holds (SPEC 7), also a late one",
}
"""Every guard by its name, also those that a node keeps by itself."""
