"""The events of the life cycle: who may make each, in which role, and what its body holds.

    EVENTS["refuse"].fields  ->  ground, reasons, signatories

Names of fields stand here and nothing of their values: what a value must be is for the
guards, where both sides must agree on it, and for a node's own law otherwise. Roles are
those that a node gives its people; a peer's node checks no role of ours (SPEC 16.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Side: TypeAlias = Literal["requesting", "requested", "either"]


@dataclass(frozen=True, slots=True)
class Event:
    """One kind of message (or, in drafting and delivery, of step) and what belongs to it.

    `role` is who may make it at their side, `ref` where the law speaks of it, `two_persons`
    whether a second person must have agreed. `side` is `either` also where the machines differ.
    """

    name: str
    side: Side
    role: str
    ref: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    two_persons: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field that the body of this event may have."""
        return (*self.required, *self.optional)


_A: Final[Side] = "requesting"
_B: Final[Side] = "requested"
_OFFICER: Final = "central-authority-officer"
_CASE: Final = "case-officer"
_DECIDES: Final = "decision-officer"
_CUSTODIAN: Final = "evidence-custodian"

_CONTENT: Final = (
    "request_kind own_ref legal_basis channel transmission_effect urgency language "
    "translation_status handling signatories requesting_authority conducting_authority items"
)
_CONTENT_OPTIONAL: Final = "effect_basis urgency_reason translations language_waiver"
_RESULT_OPTIONAL: Final = "permitted_proceedings handling sums"

# Name, side, role, reference, required fields, optional fields. UNCAC unless another is named.
_EVENTS: Final[tuple[tuple[str, Side, str, str, str, str], ...]] = (
    ("submit_for_approval", _A, "drafter", "46(15)", "", ""),
    ("return_to_drafter", _A, "approver", "", "comment", ""),
    ("approve", _A, "approver", "", "", ""),
    ("edit", _A, "drafter", "", "", ""),
    ("cancel", _A, "approver", "", "reasons", ""),
    ("delivery_receipt", _B, "node", "", "", ""),
    ("delivery_timeout", _A, "node", "", "", ""),
    ("resend", _A, _OFFICER, "", "", ""),
    ("abandon_undelivered", _A, "approver", "", "", ""),
    ("transmit", _A, _OFFICER, "46(13), 46(14)", _CONTENT, _CONTENT_OPTIONAL),
    ("acknowledge", _B, "intake-officer", "46(24); EIO 16(1)",
     "own_ref contact reply_language", "decision_expected missing"),
    ("return_misdirected", _B, "intake-officer", "", "reason", "suggested_authority"),
    ("request_information", _B, _CASE, "46(16)", "items due", ""),
    ("reminder", _B, _CASE, "46(16)", "", ""),
    ("provide_information", _A, _OFFICER, "46(16)", "answers", ""),
    ("return_incomplete", _B, _DECIDES, "", "reason", ""),
    ("open_consultation", _B, _DECIDES, "46(26)", "intended due", "ground conditions"),
    ("reply_consultation", _A, "approver", "46(26)", "conditions", "text"),
    ("consultation_expired", _B, _DECIDES, "46(26)", "", ""),
    ("consultation_opened", _B, _DECIDES, "46(26)", "intended due", "ground conditions"),
    ("consultation_replied", _A, "approver", "46(26)", "conditions", "text"),
    ("accept", _B, _DECIDES, "46(17), 46(26)", "scope", "items conditions"),
    ("refuse", _B, _DECIDES, "46(21), 46(23)", "ground reasons signatories", ""),
    ("refuse_remainder", _B, _DECIDES, "46(21), 46(23)", "ground reasons signatories", ""),
    ("postpone", _B, _DECIDES, "46(25), 46(26)", "ground reasons review", ""),
    ("resume_review", _B, _DECIDES, "", "", ""),
    ("resume_execution", _B, _DECIDES, "", "", ""),
    ("assign_execution", _B, _CASE, "46(13)", "executing_authority", ""),
    ("impose_measure", _B, "executing-officer", "44(10), 54(2); Budapest 29",
     "valid_from valid_until", "sums"),
    ("extension_requested", _A, _OFFICER, "Budapest 29", "until reasons", ""),
    ("extend_measure", _B, "executing-officer", "", "valid_until", ""),
    ("convert_measure", _B, _DECIDES, "", "request", ""),
    ("measure_expired", _B, "node", "", "", ""),
    ("intent_to_lift", _B, _DECIDES, "55(8)", "reasons due", ""),
    ("reasons_to_continue", _A, _OFFICER, "55(8)", "text", ""),
    ("lift_measure", _B, _DECIDES, "55(8)", "reasons", ""),
    ("send_partial_result", _B, _CUSTODIAN, "46(17)", "evidence", _RESULT_OPTIONAL),
    ("send_final_result", _B, _CUSTODIAN, "", "outcome", f"evidence nil {_RESULT_OPTIONAL}"),
    ("confirm_result", _A, _CUSTODIAN, "", "", "items nil"),
    ("dispute_result", _A, _CUSTODIAN, "", "items", ""),
    ("close", _A, _OFFICER, "", "", "originals feedback"),
    ("reopen", _B, _DECIDES, "", "reasons", ""),
    ("withdraw", _A, _OFFICER, "46(24)", "reasons", ""),
    ("confirm_withdrawal", _B, _CASE, "", "done", "seized"),
    ("withdrawal_overtaken", _B, _CUSTODIAN, "", "", ""),
    ("status_query", _A, _CASE, "46(24)", "", ""),
    ("status_report", _B, _CASE, "46(24)", "text", ""),
    ("delay_notice", _B, _CASE, "EIO 12(5), 12(6)", "reasons expected", ""),
    ("clarification_opened", _B, _CASE, "46(16)", "text", ""),
    ("clarification_answered", _A, _CASE, "46(16)", "text", ""),
    ("confidentiality_cannot_be_kept", _B, _DECIDES, "46(20)", "reasons", ""),
    ("use_consent_requested", "either", "approver", "46(19)", "items proceedings", ""),
    ("use_consent_decided", "either", _DECIDES, "46(19)", "decision", "conditions"),
    ("exculpatory_disclosure_notice", "either", "approver", "46(5), 46(19)", "text", ""),
    ("incident_notice", "either", "approver", "Budapest 2nd Protocol 14(7)", "text", ""),
    ("supplement", _A, _OFFICER, "practice", "text", ""),
    ("narrow_scope", _A, _OFFICER, "46(24)", "items", ""),
    ("feedback", "either", _CASE, "practice", "text", ""),
    ("handler_changed", "either", _CASE, "practice", "contact", ""),
    ("countersign", _A, "approver", "", "signatories", ""),
    ("translation", "either", _OFFICER, "46(14)", "translations", "of"),
    ("language_waiver", "either", _OFFICER, "46(14)", "language", "text"),
    ("protected_identity", "either", _OFFICER, "32", "pseudonym identity", ""),
    ("note", "either", _CASE, "practice", "text", ""),
    ("accept_restrictions", _B, "approver", "46(5); Budapest 26(2)", "", ""),
    ("decline", _B, _DECIDES, "", "reasons", ""),
    ("cannot_comply", _B, _DECIDES, "46(5); Budapest 26(2)", "reasons", ""),
    ("release", _A, _OFFICER, "46(4)", "", "content evidence"),
    ("answer", _B, _CASE, "48", "text", "use"),
    ("not_available", _B, _CASE, "48", "text", "channel"),
)  # fmt: skip

_TWO_PERSONS: Final = frozenset({"transmit", "refuse", "refuse_remainder"})

_SIDES: Final[Mapping[str, tuple[Side, Side]]] = {
    "feedback": (_A, _B),
    "exculpatory_disclosure_notice": (_A, _B),
    "use_consent_requested": (_A, _B),
    "use_consent_decided": (_B, _A),
}
"""In spontaneous information the opener gives and the other side uses: these turn round."""

EVENTS: Final[Mapping[str, Event]] = {
    name: Event(
        name, side, role, ref, tuple(required.split()), tuple(optional.split()),
        name in _TWO_PERSONS,
    )
    for name, side, role, ref, required, optional in _EVENTS
}  # fmt: skip
"""Every event by its name."""


def side_of(event: Event, *, spontaneous: bool) -> Side:
    """Say which side makes an event, in spontaneous information or elsewhere."""
    usual, turned = _SIDES.get(event.name, (event.side, event.side))
    return turned if spontaneous else usual
