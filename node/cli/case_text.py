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
    """Show the list of cases."""
    cases = [Fields(one, "case") for one in found.items("cases", count_max=_CASES_MAX)]
    if not cases:
        call.out.line("No cases yet. `comity request send` opens one.")
        return
    call.out.table(
        ("case", "we are", "other side", "request", "state", "sent", "received", "changed"),
        [
            (one.text("id"), one.text("side"), one.text("peer"), one.text("request_kind"),
             one.text("state"), one.take("sent"), one.take("received"), when(one.take("changed")))
            for one in cases
        ],
    )  # fmt: skip


def say_case(call: Call, found: Fields) -> None:
    """Show one case, message by message."""
    case = Fields(found.object("case"), "case")
    call.out.heading(f"Case {case.text('id')}")
    side, peer = case.text("side"), case.text("peer")
    call.out.line(
        f"  {harmless(case.text('request_kind'))}, {harmless(case.text('state'))}: "
        f"we are the {side} side, the other is {peer}"
    )
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


def _say_message(call: Call, one: Fields) -> None:
    order = one.take("order")
    placed = f", number {order} of the case" if order is not None else ""
    call.out.heading(
        f"{one.text('from')} {one.take('seq')}: {harmless(one.text('kind'))}"
        f"  ({when(one.take('created'))}{placed})"
    )
    state = one.text("state")
    call.out.line(f"  {_STATES.get(state, state)}; message {one.text('message')}")
    evidence = one.take("evidence")
    if isinstance(evidence, dict):
        held = Fields(evidence, "evidence")
        call.out.line(
            f"  evidence: {plural(held.integer('items'), 'item')}, manifest {held.text('sha256')}"
        )
    body = one.object("body")
    body.pop("request_kind", None)
    _say_body(call, body)


def _say_body(call: Call, body: dict[str, Json]) -> None:
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
