"""Cases as a person reads them on a terminal, and nowhere else.

Everything that another authority wrote is made harmless before it is shown. What crossed
and what did not is said for every message: a step of our own is not done until receipted.
"""

from __future__ import annotations

import json
from typing import Final

from node.cli.call import Call
from node.cli.output import harmless, harmless_lines, plural, when
from protocol.encoding import Fields, Json

_CASES_MAX: Final = 1_000_000
_LINES: Final = "    "
_STATES: Final = {
    "queued": "waiting, not receipted yet",
    "delivered": "delivered and receipted",
    "undelivered": "NOT DELIVERED: it expired without a receipt",
    "refused": "REFUSED by the other side's log",
    "accepted": "accepted, receipt given",
}


def say_cases(call: Call, found: Fields) -> None:
    """Show a page of the list of cases."""
    cases = [Fields(one, "case") for one in found.items("cases", count_max=_CASES_MAX)]
    if not cases:
        call.out.line(
            "No cases here for you. `comity draft new` begins one; what comes in stands here."
        )
        return
    call.out.table(
        ("case", "we are", "other side", "request", "state", "ours", "theirs", "officer", "due",
         "changed"),
        [
            (one.text("id"), one.text("side"), one.text("peer"), one.text("request_kind"),
             _state(one), one.take("own_ref"), one.take("peer_ref"), one.take("officer"),
             when(one.take("due")), when(one.take("changed")))
            for one in cases
        ],
    )  # fmt: skip
    following = found.take("next") if found.has("next") else None
    if isinstance(following, str):
        call.out.line(f"There are more:  {call.typed('case', 'list', '--after', following)}")


def _state(case: Fields) -> str:
    """Say where a case stands, and what of ours the other side has not placed yet."""
    unconfirmed = case.take("unconfirmed")
    state = case.text("state")
    return state if unconfirmed is None else f"{state} (we said {unconfirmed})"


def say_case(call: Call, found: Fields) -> None:
    """Show one case, message by message."""
    case = Fields(found.object("case"), "case")
    call.out.heading(f"Case {case.text('id')}")
    side, peer = case.text("side"), case.text("peer")
    call.out.line(
        f"  {harmless(case.text('request_kind'))}, {harmless(_state(case))}: "
        f"we are the {side} side, the other is {peer}"
    )
    for name, word in (("own_ref", "our reference"), ("peer_ref", "their reference"),
                       ("officer", "in charge")):  # fmt: skip
        if (value := case.take(name)) is not None:
            call.out.line(f"  {word}: {harmless(value)}")
    for item in found.items("links", count_max=_CASES_MAX):
        link = Fields(item, "link")
        call.out.line(f"  {link.text('relation')} {harmless(link.text('case'))}")
    for item in found.items("messages", count_max=_CASES_MAX):
        call.out.line()
        _say_message(call, Fields(item, "message"))
    contested = found.items("contested", count_max=_CASES_MAX)
    if contested:
        call.out.line()
        call.out.verdict(
            f"{plural(len(contested), 'message')} kept apart: signed for a place already taken. "
            "They took no effect; `comity outbox` shows the alarms.",
            good=False,
        )
    _say_moves(call, found)


def _say_moves(call: Call, found: Fields) -> None:
    moves = [Fields(one, "move") for one in found.items("moves", count_max=_CASES_MAX)]
    words = dict.fromkeys(one.text("event").replace("_", "-") for one in moves)
    if words:
        call.out.line()
        call.out.line(f"What our side may do now: {', '.join(words)}")


def _say_message(call: Call, one: Fields) -> None:
    order, sender = one.take("order"), one.take("from")
    placed = f", number {order} of the case" if order is not None else ""
    call.out.heading(
        f"{harmless(sender or 'us')} {one.take('seq')}: {harmless(one.text('kind'))}"
        f"  ({when(one.take('created'))}{placed})"
    )
    state = one.text("state")
    if state == "recorded":
        who = harmless(one.take("recorded_by") or "nobody")
        call.out.line(f"  by {harmless(one.take('channel'))}, recorded by {who}")
    else:
        call.out.line(f"  {_STATES.get(state, state)}; message {one.text('message')}")
    _say_effect(call, one.take("effect"))
    evidence = one.take("evidence")
    if isinstance(evidence, dict):
        held = Fields(evidence, "evidence")
        call.out.line(
            f"  evidence: {plural(held.integer('items'), 'item')}, manifest {held.text('sha256')}"
        )
    body = one.object("body")
    body.pop("request_kind", None)
    say_body(call, body)


def _say_effect(call: Call, effect: Json) -> None:
    """Say what a message did, or why it did nothing."""
    if not isinstance(effect, dict):
        return
    did = Fields(effect, "effect")
    why, before, after = did.take("why"), did.take("from"), did.take("to")
    if why is not None:
        call.out.line(f"  changed nothing: {harmless(why)}")
    elif before != after:
        mark = "" if did.take("confirmed") else ", not confirmed yet"
        call.out.line(f"  {harmless(before or 'nothing')} -> {harmless(after)}{mark}")


def say_body(call: Call, body: dict[str, Json]) -> None:
    """Show what is said, field by field, so that nothing in it steers a terminal."""
    for name, value in body.items():
        if isinstance(value, str):
            text = harmless_lines(value.rstrip("\n"))
            if "\n" not in text:
                call.out.line(f"  {harmless(name)}: {text}")
                continue
        else:
            text = json.dumps(value, ensure_ascii=False, indent=2)
            text = harmless_lines(text)
        call.out.line(f"  {harmless(name)}:")
        for line in text.split("\n"):
            call.out.line(f"{_LINES}{line}")
