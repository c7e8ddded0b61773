"""What the law wants of a history, said without the table: an oracle for what was applied.

    assert broken(steps) == []      # the steps that had their effect, in the order of the case

Each rule reads the whole history before a step and knows no state, so that a mistake in the
table or in a guard is not repeated here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from protocol.lifecycle import Step

History: TypeAlias = Sequence[Step]
_DECIDES: Final = {"accept", "postpone", "resume_review", "resume_execution", "reopen", "transmit"}
_OPENS: Final = {"open_consultation", "consultation_opened"}
_ENDS: Final = {"reply_consultation", "consultation_replied", "consultation_expired"}
_AFTER_THE_END: Final = {
    "use_consent_requested", "use_consent_decided", "exculpatory_disclosure_notice", "feedback",
    "incident_notice", "handler_changed", "countersign", "translation", "language_waiver",
    "protected_identity", "note",
}  # fmt: skip
_ENDS_A_WITHDRAWAL: Final = {"confirm_withdrawal", "withdrawal_overtaken"}


def _happened(before: History, *events: str) -> bool:
    return any(step.event in events for step in before)


def _since(before: History, events: set[str]) -> History:
    """Give the steps after the last of these events."""
    last = max((n for n, step in enumerate(before) if step.event in events), default=-1)
    return before[last + 1 :]


def _consulted(before: History, step: Step) -> bool:
    """UNCAC 46(26): opened since the last decision, and then answered or left unanswered."""
    since = _since(before, _DECIDES)
    opened = [n for n, one in enumerate(since) if one.event in _OPENS]
    if not opened:
        return False
    answered = _happened(since[opened[-1] :], *_ENDS)
    due = since[opened[-1]].body["due"]
    return answered or (isinstance(due, int) and step.created > due)


def _asked_to_extend(before: History, _: Step) -> bool:
    return _happened(_since(before, {"impose_measure", "extend_measure"}), "extension_requested")


def _heard(before: History, step: Step) -> bool:
    """UNCAC 55(8): told of the intention, and heard or silent until its time."""
    since = _since(before, {"impose_measure", "extend_measure"})
    told = [n for n, one in enumerate(since) if one.event == "intent_to_lift"]
    if not told:
        return False
    due = since[told[-1]].body["due"]
    heard = _happened(since[told[-1] :], "reasons_to_continue")
    return heard or (isinstance(due, int) and step.created > due)


def _result_came(before: History, _: Step) -> bool:
    return _happened(before, "send_partial_result", "send_final_result")


def _concluded(before: History, _: Step) -> bool:
    since = _since(before, {"dispute_result"})
    return _happened(since, "send_final_result", "refuse_remainder", "convert_measure")


def _reminded(before: History, _: Step) -> bool:
    return _happened(_since(before, {"request_information"}), "reminder")


NEEDS: Final[Mapping[str, Callable[[History, Step], bool]]] = {
    "refuse": lambda before, step: _consulted(before, step) and not _result_came(before, step),
    "refuse_remainder": lambda before, step: _consulted(before, step)
    and _result_came(before, step),
    "postpone": _consulted,
    "extend_measure": _asked_to_extend,
    "lift_measure": _heard,
    "dispute_result": _result_came,
    "confirm_result": _concluded,
    "return_incomplete": _reminded,
    "withdrawal_overtaken": _concluded,
    "confirm_withdrawal": lambda before, step: not _concluded(before, step),
    "assign_execution": lambda before, _: _happened(_since(before, {"reopen"}), "accept"),
    "release": lambda before, _: _happened(before, "accept_restrictions"),
    "reopen": lambda before, _: _happened(before, "refuse", "return_misdirected",
                                          "return_incomplete"),
}  # fmt: skip
"""What must have happened before an event may have its effect."""


def broken(history: History) -> list[str]:
    """Say which steps of a history should have had no effect."""
    wrong: list[str] = []
    for number, step in enumerate(history):
        before = history[:number]
        need = NEEDS.get(step.event)
        if need is not None and not need(before, step):
            wrong.append(f"{step.event} without what it needs")
        if _happened(before, "close") and step.event not in _AFTER_THE_END:
            wrong.append(f"{step.event} after the end")
        if number == 0 and step.event != "transmit":
            wrong.append("a case that begins without a request")
        pending = _since(before, _ENDS_A_WITHDRAWAL)
        withdrawn = _happened(pending, "withdraw") and before[0].body.get("request_kind") in (
            "FREEZING", "MLA_BANK_RECORDS",
        )  # fmt: skip
        if withdrawn and step.event not in _AFTER_THE_END | _ENDS_A_WITHDRAWAL:
            wrong.append(f"{step.event} after a withdrawal")
    return wrong
