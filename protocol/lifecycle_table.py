"""The table of the life cycle: every move of a case, who may make it, and when.

Here stand only names: states, events, sides and the names of guards. A move that is not in
the table does not exist. What a guard looks at is `lifecycle_guards`, how a case goes from
message to message `lifecycle`. Nothing here knows a law: which fields a kind of request
wants, which grounds a treaty gives and how long a clock runs is data of a node (SPEC 16).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, TypeAlias

from protocol.lifecycle_events import EVENTS, Side, side_of

Machine: TypeAlias = Literal["request", "spontaneous", "inquiry"]
Scope: TypeAlias = Literal["drafting", "delivery", "shared"]


class State(StrEnum):
    """Where a case stands; the first four never leave the node that writes the request."""

    DRAFT = "DRAFT"
    IN_APPROVAL = "IN_APPROVAL"
    APPROVED = "APPROVED"
    CANCELLED = "CANCELLED"
    SENT = "SENT"
    UNDELIVERABLE = "UNDELIVERABLE"
    DELIVERED = "DELIVERED"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    INFO_REQUESTED = "INFO_REQUESTED"
    IN_CONSULTATION = "IN_CONSULTATION"
    POSTPONED = "POSTPONED"
    ACCEPTED = "ACCEPTED"
    IN_EXECUTION = "IN_EXECUTION"
    MEASURE_IN_FORCE = "MEASURE_IN_FORCE"
    PARTIALLY_EXECUTED = "PARTIALLY_EXECUTED"
    EXECUTED = "EXECUTED"
    RESULT_CONFIRMED = "RESULT_CONFIRMED"
    REFUSED = "REFUSED"
    RETURNED = "RETURNED"
    WITHDRAWAL_PENDING = "WITHDRAWAL_PENDING"
    WITHDRAWN = "WITHDRAWN"
    LAPSED = "LAPSED"
    CLOSED = "CLOSED"
    OFFERED = "OFFERED"
    RESTRICTIONS_ACCEPTED = "RESTRICTIONS_ACCEPTED"
    DECLINED = "DECLINED"
    RELEASED = "RELEASED"
    ANSWERED = "ANSWERED"
    NOT_AVAILABLE = "NOT_AVAILABLE"


@dataclass(frozen=True, slots=True)
class Rule:
    """One move: in `source`, `event` by `side` leads to `target` if every guard holds.

    `target` is `source` for an event that is only noted. Rules of scope `shared` follow from
    signed messages alone, so both sides see them alike; the others are a node's own affair,
    and say what it shows before the first receipt.
    """

    id: str
    machine: Machine
    event: str
    side: Side
    source: State
    target: State
    guards: tuple[str, ...]
    role: str
    ref: str
    two_persons: bool
    scope: Scope = "shared"


# A row is: id, source, event, target, names of guards. "=" as target: noted, no change.
Row: TypeAlias = tuple[str, str, str, str, str]

DRAFTING: Final[tuple[Row, ...]] = (
    ("T01", "DRAFT", "submit_for_approval", "IN_APPROVAL", "complete"),
    ("T02", "IN_APPROVAL", "return_to_drafter", "DRAFT", "comment"),
    ("T03", "IN_APPROVAL", "approve", "APPROVED", "not-a-writer"),
    ("T04", "APPROVED", "edit", "DRAFT", ""),
    ("T05", "DRAFT", "cancel", "CANCELLED", "reasons"),
    ("T06", "IN_APPROVAL", "cancel", "CANCELLED", "reasons"),
    ("T07", "APPROVED", "cancel", "CANCELLED", "reasons"),
    ("T08", "APPROVED", "transmit", "SENT", "approved-content"),
)

DELIVERY: Final[tuple[Row, ...]] = (
    ("T09", "SENT", "delivery_receipt", "DELIVERED", "receipt"),
    ("T10", "SENT", "delivery_timeout", "UNDELIVERABLE", "delivery-limit"),
    ("T11", "UNDELIVERABLE", "resend", "SENT", ""),
    ("T12", "UNDELIVERABLE", "delivery_receipt", "DELIVERED", "receipt"),
    ("T52", "SENT", "withdraw", "WITHDRAWAL_PENDING", "reasons"),
    ("T53", "UNDELIVERABLE", "withdraw", "WITHDRAWAL_PENDING", "reasons"),
    ("T65", "WITHDRAWAL_PENDING", "abandon_undelivered", "CLOSED", "never-delivered"),
)

_REFUSAL: Final = "consultation-done ground reasons two-signatories"
_POSTPONEMENT: Final = "consultation-done ground reasons review-date"

REQUEST: Final[tuple[Row, ...]] = (
    ("T13", "DELIVERED", "acknowledge", "ACKNOWLEDGED", "own-reference contact reply-language"),
    ("T14", "DELIVERED", "return_misdirected", "RETURNED", "reason-code"),
    ("T15", "ACKNOWLEDGED", "return_misdirected", "RETURNED", "reason-code"),
    ("T16", "ACKNOWLEDGED", "request_information", "INFO_REQUESTED", "questions due-date"),
    ("T17", "INFO_REQUESTED", "provide_information", "ACKNOWLEDGED", "answers"),
    ("T18", "INFO_REQUESTED", "return_incomplete", "RETURNED", "info-overdue reminded reason-code"),
    ("T19", "ACKNOWLEDGED", "open_consultation", "IN_CONSULTATION", "intention due-date"),
    ("T20", "IN_CONSULTATION", "reply_consultation", "ACKNOWLEDGED", "word-on-conditions"),
    ("T21", "IN_CONSULTATION", "consultation_expired", "ACKNOWLEDGED", "consultation-overdue"),
    ("T22", "ACKNOWLEDGED", "accept", "ACCEPTED", "scope conditions-accepted"),
    ("T23", "ACKNOWLEDGED", "refuse", "REFUSED", _REFUSAL),
    ("T24", "ACKNOWLEDGED", "postpone", "POSTPONED", _POSTPONEMENT),
    ("T25", "ACCEPTED", "postpone", "POSTPONED", _POSTPONEMENT),
    ("T26", "IN_EXECUTION", "postpone", "POSTPONED", _POSTPONEMENT),
    ("T27", "PARTIALLY_EXECUTED", "postpone", "POSTPONED", _POSTPONEMENT),
    ("T28", "POSTPONED", "resume_review", "ACKNOWLEDGED", "not-accepted-before"),
    ("T29", "POSTPONED", "resume_execution", "IN_EXECUTION", "accepted-before"),
    ("T30", "POSTPONED", "refuse", "REFUSED", f"{_REFUSAL} nothing-delivered"),
    ("T31", "ACCEPTED", "assign_execution", "IN_EXECUTION", "executing-authority"),
    ("T32", "IN_EXECUTION", "impose_measure", "MEASURE_IN_FORCE", "time-limited-kind validity"),
    ("T33", "MEASURE_IN_FORCE", "extend_measure", "=", "extension-requested longer"),
    ("T34", "MEASURE_IN_FORCE", "convert_measure", "EXECUTED", "linked-request"),
    ("T35", "MEASURE_IN_FORCE", "measure_expired", "LAPSED", "measure-over"),
    ("T36", "MEASURE_IN_FORCE", "lift_measure", "LAPSED", "heard-on-lifting reasons"),
    ("T37", "IN_EXECUTION", "send_partial_result", "PARTIALLY_EXECUTED", "evidence"),
    ("T38", "PARTIALLY_EXECUTED", "send_partial_result", "=", "evidence"),
    ("T39", "IN_EXECUTION", "send_final_result", "EXECUTED", "outcome evidence-or-nil"),
    ("T40", "PARTIALLY_EXECUTED", "send_final_result", "EXECUTED", "outcome evidence-or-nil"),
    ("T41", "IN_EXECUTION", "refuse", "REFUSED", f"{_REFUSAL} nothing-delivered"),
    ("T42", "PARTIALLY_EXECUTED", "refuse_remainder", "EXECUTED", _REFUSAL),
    ("T43", "EXECUTED", "confirm_result", "RESULT_CONFIRMED", "confirmed-items"),
    ("T44", "EXECUTED", "dispute_result", "IN_EXECUTION", "disputed-items result-sent"),
    ("T45", "RESULT_CONFIRMED", "close", "CLOSED", ""),
    ("T46", "REFUSED", "close", "CLOSED", ""),
    ("T47", "RETURNED", "close", "CLOSED", ""),
    ("T48", "WITHDRAWN", "close", "CLOSED", ""),
    ("T49", "LAPSED", "close", "CLOSED", ""),
    ("T50", "REFUSED", "reopen", "ACKNOWLEDGED", "reasons"),
    ("T51", "RETURNED", "reopen", "ACKNOWLEDGED", "reasons"),
    ("T54", "DELIVERED", "withdraw", "WITHDRAWAL_PENDING", "reasons"),
    ("T55", "ACKNOWLEDGED", "withdraw", "WITHDRAWAL_PENDING", "reasons"),
    ("T56", "INFO_REQUESTED", "withdraw", "WITHDRAWAL_PENDING", "reasons"),
    ("T57", "IN_CONSULTATION", "withdraw", "WITHDRAWAL_PENDING", "reasons"),
    ("T58", "POSTPONED", "withdraw", "WITHDRAWAL_PENDING", "reasons"),
    ("T59", "ACCEPTED", "withdraw", "WITHDRAWAL_PENDING", "reasons"),
    ("T60", "IN_EXECUTION", "withdraw", "WITHDRAWAL_PENDING", "reasons"),
    ("T61", "MEASURE_IN_FORCE", "withdraw", "WITHDRAWAL_PENDING", "reasons"),
    ("T62", "PARTIALLY_EXECUTED", "withdraw", "WITHDRAWAL_PENDING", "reasons"),
    ("T63", "WITHDRAWAL_PENDING", "confirm_withdrawal", "WITHDRAWN", "done not-concluded"),
    ("T64", "WITHDRAWAL_PENDING", "withdrawal_overtaken", "EXECUTED", "concluded"),
    # A withdrawal that was on its way while the last result was: answered by T64 alone.
    ("T66", "EXECUTED", "withdraw", "WITHDRAWAL_PENDING", "reasons crossed"),
    # What was delivered can be confirmed only where the rest is refused and not the whole.
    ("T67", "POSTPONED", "refuse_remainder", "EXECUTED", f"{_REFUSAL} result-sent"),
    ("T68", "IN_EXECUTION", "refuse_remainder", "EXECUTED", f"{_REFUSAL} result-sent"),
)

SPONTANEOUS: Final[tuple[Row, ...]] = (
    ("S01", "OFFERED", "accept_restrictions", "RESTRICTIONS_ACCEPTED", ""),
    ("S02", "OFFERED", "decline", "DECLINED", "reasons"),
    ("S03", "OFFERED", "cannot_comply", "DECLINED", "reasons"),
    ("S04", "RESTRICTIONS_ACCEPTED", "release", "RELEASED", ""),
    ("S05", "RELEASED", "acknowledge", "ACKNOWLEDGED", "own-reference contact reply-language"),
    ("S06", "OFFERED", "withdraw", "WITHDRAWN", "reasons"),
    ("S07", "RESTRICTIONS_ACCEPTED", "withdraw", "WITHDRAWN", "reasons"),
    ("S08", "ACKNOWLEDGED", "close", "CLOSED", ""),
    ("S09", "DECLINED", "close", "CLOSED", ""),
    ("S10", "WITHDRAWN", "close", "CLOSED", ""),
)

INQUIRY: Final[tuple[Row, ...]] = (
    ("Q01", "DELIVERED", "answer", "ANSWERED", "text"),
    ("Q02", "DELIVERED", "not_available", "NOT_AVAILABLE", "text"),
    ("Q03", "DELIVERED", "withdraw", "WITHDRAWN", "reasons"),
    ("Q04", "ANSWERED", "close", "CLOSED", ""),
    ("Q05", "NOT_AVAILABLE", "close", "CLOSED", ""),
    ("Q06", "WITHDRAWN", "close", "CLOSED", ""),
)

# What is only noted: id, event, names of guards, states. "*" is every state after delivery.
Noted: TypeAlias = tuple[str, str, str, str]

_REVIEW: Final = "DELIVERED ACKNOWLEDGED"
_WORK: Final = "ACCEPTED IN_EXECUTION PARTIALLY_EXECUTED"
_WITH_MEASURE: Final = f"{_WORK} MEASURE_IN_FORCE"
_AFTER: Final = "PARTIALLY_EXECUTED EXECUTED RESULT_CONFIRMED CLOSED"

NOTED: Final[tuple[Noted, ...]] = (
    ("N01", "status_query", "", f"{_REVIEW} POSTPONED {_WITH_MEASURE}"),
    ("N02", "status_report", "text", f"ACKNOWLEDGED POSTPONED {_WITH_MEASURE}"),
    ("N03", "delay_notice", "reasons expected-date", f"ACKNOWLEDGED {_WORK}"),
    ("N04", "clarification_opened", "text", _WITH_MEASURE),
    ("N05", "clarification_answered", "text", _WITH_MEASURE),
    ("N06", "confidentiality_cannot_be_kept", "reasons", "ACKNOWLEDGED ACCEPTED IN_EXECUTION"),
    ("N07", "use_consent_requested", "items proceedings", _AFTER),
    ("N08", "use_consent_decided", "consent-asked decision", _AFTER),
    ("N09", "exculpatory_disclosure_notice", "text", _AFTER),
    ("N10", "incident_notice", "text", "*"),
    ("N11", "consultation_opened", "intention due-date", f"POSTPONED {_WITH_MEASURE}"),
    ("N12", "consultation_replied", "consultation-open word-on-conditions",
     f"POSTPONED {_WITH_MEASURE}"),
    ("N13", "extension_requested", "reasons until-date", "MEASURE_IN_FORCE"),
    ("N14", "intent_to_lift", "reasons due-date", "MEASURE_IN_FORCE"),
    ("N15", "reasons_to_continue", "text intent-known", "MEASURE_IN_FORCE"),
    ("N16", "supplement", "text", f"{_REVIEW} POSTPONED {_WITH_MEASURE}"),
    ("N17", "narrow_scope", "items", f"{_REVIEW} POSTPONED {_WORK}"),
    ("N18", "feedback", "text", "RESULT_CONFIRMED CLOSED"),
    ("N19", "handler_changed", "contact", "*"),
    ("N20", "reminder", "", "INFO_REQUESTED"),
    ("N21", "countersign", "signatory countersign-due", "*"),
    ("N22", "translation", "translations", "*"),
    ("N23", "language_waiver", "language", "*"),
    ("N24", "protected_identity", "protected-person", "*"),
    ("N25", "note", "text", "*"),
    # Answers that came after the question was settled: kept, and a reason to reopen.
    ("N26", "provide_information", "crossed answered", "RETURNED"),
    ("N27", "reply_consultation", "crossed word-on-conditions", "ACKNOWLEDGED POSTPONED REFUSED"),
)  # fmt: skip

NOTED_SPONTANEOUS: Final[tuple[Noted, ...]] = (
    ("M01", "incident_notice", "text", "*"),
    ("M02", "handler_changed", "contact", "*"),
    ("M03", "translation", "translations", "*"),
    ("M04", "note", "text", "*"),
    ("M05", "feedback", "text", "RELEASED ACKNOWLEDGED CLOSED"),
    ("M06", "exculpatory_disclosure_notice", "text", "RELEASED ACKNOWLEDGED CLOSED"),
    ("M07", "use_consent_requested", "items proceedings", "RELEASED ACKNOWLEDGED CLOSED"),
    ("M08", "use_consent_decided", "consent-asked decision", "RELEASED ACKNOWLEDGED CLOSED"),
    ("M09", "protected_identity", "protected-person", "RELEASED ACKNOWLEDGED CLOSED"),
)

NOTED_INQUIRY: Final[tuple[Noted, ...]] = (
    ("P01", "acknowledge", "own-reference contact reply-language", "DELIVERED"),
    ("P02", "status_query", "", "DELIVERED"),
    ("P03", "status_report", "text", "DELIVERED"),
    ("P04", "supplement", "text", "DELIVERED ANSWERED NOT_AVAILABLE"),
    ("P05", "answer", "text", "ANSWERED NOT_AVAILABLE"),
    ("P06", "use_consent_requested", "items proceedings", "ANSWERED CLOSED"),
    ("P07", "use_consent_decided", "consent-asked decision", "ANSWERED CLOSED"),
    ("P08", "incident_notice", "text", "*"),
    ("P09", "handler_changed", "contact", "*"),
    ("P10", "translation", "translations", "*"),
    ("P11", "language_waiver", "language", "*"),
    ("P12", "note", "text", "*"),
    ("P13", "feedback", "text", "ANSWERED CLOSED"),
)


def _rule(machine: Machine, row: Row, scope: Scope = "shared") -> Rule:
    """Make a rule of a row; who may make it is the event's business."""
    name, source, event, target, guards = row
    kind = EVENTS[event]
    side = side_of(kind, spontaneous=machine == "spontaneous")
    return Rule(
        name, machine, event, side, State(source), State(source if target == "=" else target),
        tuple(guards.split()), kind.role, kind.ref,
        kind.two_persons and machine == "request", scope,
    )  # fmt: skip


BEGIN: Final[Mapping[Machine, Rule]] = {
    "request": _rule("request", ("T00", "SENT", "transmit", "DELIVERED", "")),
    "spontaneous": _rule("spontaneous", ("S00", "SENT", "transmit", "OFFERED", "")),
    "inquiry": _rule("inquiry", ("Q00", "SENT", "transmit", "DELIVERED", "")),
}
"""What begins a case at both sides, once delivered: no other message does."""


def _noted(machine: Machine, noted: tuple[Noted, ...], moves: tuple[Row, ...]) -> list[Rule]:
    """Give one rule for each state that an event is noted in."""
    begun = BEGIN[machine].target
    after = dict.fromkeys(s for _, source, _, target, _ in moves for s in (source, target))
    reached = {State(name) for name in after if name != "="} | {begun}
    everywhere = [state for state in State if state in reached]
    return [
        _rule(machine, (f"{name}.{number}", state, event, "=", guards))
        for name, event, guards, states in noted
        for number, state in enumerate(everywhere if states == "*" else states.split(), 1)
    ]


RULES: Final[tuple[Rule, ...]] = (
    *(_rule("request", row, "drafting") for row in DRAFTING),
    *(_rule("request", row, "delivery") for row in DELIVERY),
    *(_rule("request", row) for row in REQUEST),
    *_noted("request", NOTED, REQUEST),
    *(_rule("spontaneous", row) for row in SPONTANEOUS),
    *_noted("spontaneous", NOTED_SPONTANEOUS, SPONTANEOUS),
    *(_rule("inquiry", row) for row in INQUIRY),
    *_noted("inquiry", NOTED_INQUIRY, INQUIRY),
)
"""Every move there is. `apply` looks at those of scope `shared`, and at no others."""
