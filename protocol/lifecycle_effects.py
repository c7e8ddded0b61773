"""What a move leaves behind for later guards: due times, marks, numbers of conditions.

`after` is called with a rule whose guards hold; it judges nothing. Most moves change the
state alone. This module knows no table and no side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, TypeAlias

from protocol.lifecycle_guards import CROSSED, Step, has_evidence, numbers_in, time_in
from protocol.lifecycle_standing import Standing
from protocol.lifecycle_table import Rule
from protocol.limits import STANDING_NUMBERS_MAX

Effect: TypeAlias = Callable[[Standing, Step], Standing]


def after(standing: Standing, rule: Rule, step: Step) -> Standing:
    """Give the standing after a move; an answer that came too late leaves it as it was."""
    if CROSSED in rule.guards and rule.target == rule.source:
        return standing
    effect = _EFFECTS.get(step.event)
    if effect is not None:
        standing = effect(standing, step)
    return standing if standing.state == rule.target else replace(standing, state=rule.target)


def _asked(standing: Standing, step: Step) -> Standing:
    items = numbers_in(step.body.get("items"))
    return replace(standing, info_due=time_in(step.body, "due"), info_items=items, reminded=False)


def _told(standing: Standing, _: Step) -> Standing:
    return replace(standing, info_due=None, info_items=(), reminded=False)


def _consulting(standing: Standing, step: Step) -> Standing:
    return replace(
        standing,
        consultation_due=time_in(step.body, "due"),
        consultation_done=False,
        proposed=numbers_in(step.body.get("conditions")),
    )


def _consulted(standing: Standing, step: Step) -> Standing:
    agreed = standing.proposed if step.body.get("conditions") == "accepted" else ()
    return replace(
        standing,
        consultation_due=None,
        consultation_done=True,
        proposed=(),
        conditions=tuple(dict.fromkeys((*standing.conditions, *agreed)))[:STANDING_NUMBERS_MAX],
    )


def _decided(standing: Standing, **more: bool) -> Standing:
    """Use up the consultation: whoever refuses or postpones later consults again."""
    return replace(
        standing,
        consultation_due=None,
        consultation_done=False,
        proposed=(),
        review_at=None,
        accepted_before=more.get("accepted_before", standing.accepted_before),
        concluded=more.get("concluded", standing.concluded),
    )


def _postponed(standing: Standing, step: Step) -> Standing:
    return replace(_decided(standing), review_at=time_in(step.body, "review"))


def _given_up(standing: Standing, step: Step) -> Standing:
    """End what was being waited for: nobody owes an answer any more."""
    return _told(_decided(standing), step)


def _measure(standing: Standing, step: Step) -> Standing:
    """Set how long a measure runs; what was asked or intended about it is answered."""
    until = time_in(step.body, "valid_until")
    return replace(
        standing, valid_until=until, extension_until=None, lift_due=None, lift_answered=False
    )


def _lift_intended(standing: Standing, step: Step) -> Standing:
    return replace(standing, lift_due=time_in(step.body, "due"), lift_answered=False)


def _result(standing: Standing, step: Step, *, last: bool) -> Standing:
    items_sent = standing.items_sent or has_evidence(step.body)
    return replace(standing, items_sent=items_sent, result_sent=True, concluded=last)


_EFFECTS: Final[Mapping[str, Effect]] = {
    "request_information": _asked,
    "reminder": lambda standing, _: replace(standing, reminded=True),
    "provide_information": _told,
    "return_misdirected": _given_up,
    "return_incomplete": _given_up,
    "open_consultation": _consulting,
    "consultation_opened": _consulting,
    "reply_consultation": _consulted,
    "consultation_replied": _consulted,
    "consultation_expired": _consulted,
    "accept": lambda standing, _: _decided(standing, accepted_before=True),
    "refuse": lambda standing, _: _decided(standing),
    "refuse_remainder": lambda standing, _: _decided(standing, concluded=True),
    "postpone": _postponed,
    "resume_review": lambda standing, _: _decided(standing),
    "resume_execution": lambda standing, _: _decided(standing),
    "reopen": lambda standing, _: _decided(standing, accepted_before=False),
    "impose_measure": _measure,
    "extend_measure": _measure,
    "convert_measure": lambda standing, step: _decided(_measure(standing, step), concluded=True),
    "measure_expired": _measure,
    "lift_measure": _measure,
    "extension_requested": lambda standing, step: replace(
        standing, extension_until=time_in(step.body, "until")
    ),
    "intent_to_lift": _lift_intended,
    "reasons_to_continue": lambda standing, _: replace(standing, lift_answered=True),
    "send_partial_result": lambda standing, step: _result(standing, step, last=False),
    "send_final_result": lambda standing, step: _result(standing, step, last=True),
    "dispute_result": lambda standing, _: replace(standing, concluded=False),
    "withdraw": _given_up,
    "confirm_withdrawal": _measure,
    "use_consent_requested": lambda standing, _: replace(standing, consent_asked=True),
    "use_consent_decided": lambda standing, _: replace(standing, consent_asked=False),
    "countersign": lambda standing, _: replace(standing, countersign_due=None),
}
