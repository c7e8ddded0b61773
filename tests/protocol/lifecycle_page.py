"""The page about the life cycle and its diagram, made from the table.

    python -m tests.protocol.lifecycle_page --write      makes deploy/docs/LIFECYCLE.md again
                                                         and deploy/docs/lifecycle.svg

`test_lifecycle_page.py` compares; whoever changes the table makes both again. The tables of
SPEC 16 are printed here too, so that the three cannot differ.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from protocol.lifecycle import EVENTS, RULES, Machine, Rule
from protocol.lifecycle_table import BEGIN
from protocol.lifecycle_words import GUARD_WORDS
from tests.protocol.lifecycle_svg import draw

DOCS: Final = Path(__file__).parents[2] / "deploy" / "docs"
PAGE: Final = DOCS / "LIFECYCLE.md"
SVG: Final = DOCS / "lifecycle.svg"
PRACTICE: Final = "practice"

HEADS: Final[dict[Machine, tuple[str, str]]] = {
    "request": (
        "Requests",
        (
            "Every kind of request, from evidence to extradition. Drafting and delivery are the\n"
            "requesting node's own; from DELIVERED on, each move is one signed message that both\n"
            "sides hold."
        ),
    ),
    "spontaneous": (
        "Spontaneous information",
        (
            "One authority offers what it knows without being asked. The offer says only what it\n"
            "is about and which restrictions come with it; the content follows when the other\n"
            "side has accepted them. The side that offers is called the requesting side here too."
        ),
    ),
    "inquiry": (
        "Inquiries and consultations",
        (
            "An informal question, or a draft for comment: it is answered or it is not, and\n"
            "nothing is executed."
        ),
    ),
}

INTRODUCTION: Final = """\
# The life cycle of a case

![The states of a case and the moves between them](lifecycle.svg)

A case moves by signed messages and by nothing else. Both authorities hold the same messages in
the same order, which the requested side keeps, and both apply this table to them: so they agree
on where the case stands without asking each other. A message that the table does not allow, or
that lacks something the table asks for, is kept and shown, with the reason, and changes nothing.

Until the other side's receipt has come, a step of the requesting side is shown as *unconfirmed*:
it is not known yet whether something of the other side comes before it.

## When two moves cross

* **A withdrawal crosses a step of the requested side.** What came first in the order keeps its
  effect and stays in the record. If that was the last result, the answer to the withdrawal is
  `withdrawal_overtaken`, and the case stands at EXECUTED: the result is confirmed or disputed.
* **An answer comes too late**, after `return_incomplete`, `consultation_expired` or a decision: it
  is kept as a note, and may be the reason to reopen.
* **`close` and `reopen` cross.** Whichever is first in the order counts. After `close` only a new
  request, linked to this one, goes on.
* **A request arrives after it was given up as undelivered.** The requesting node answers with
  `withdraw` by itself.
* **A measure ends by time.** The node of the requested side says so (`measure_expired`) as soon as
  `valid_until` has come; no person needs to.

Nobody is ever stuck: from every standing of a case some move leads on, and in the end to CLOSED.
A test goes through all of them.
"""


def law(ref: str) -> str:
    """Say which instrument a reference is in; a bare article is of the UN Convention."""
    if not ref:
        return ""
    return ref if ref == PRACTICE or not ref[0].isdigit() else f"UNCAC {ref}"


def guards(names: Iterable[str]) -> str:
    """Say in words what a move needs."""
    return "; ".join(GUARD_WORDS[name] for name in names)


def target(rule: Rule) -> str:
    """Name the state that a move leads to."""
    return "" if rule.source == rule.target else rule.target.value


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def moves_of(machine: Machine) -> Iterator[str]:
    """Print the moves of a machine that change the state."""
    yield _row("id", "from", "event", "to", "made by", "needs", "law")
    yield _row(*["---"] * 7)
    moving = (one for one in RULES if one.machine == machine and one.source != one.target)
    begins = () if machine == "request" else (BEGIN[machine],)  # T09 and T12 say it already
    for rule in (*begins, *moving):
        yield _row(
            f"`{rule.id}`", rule.source.value, f"`{rule.event}`", target(rule), made_by(rule),
            guards(rule.guards), law(rule.ref),
        )  # fmt: skip


def made_by(rule: Rule) -> str:
    """Say who makes a move: the side and the role there."""
    if rule.role == "node":
        return f"{rule.side}: the node"
    persons = ", and a second person" if rule.two_persons else ""
    return f"{rule.side}: {rule.role}{persons}"


def noted_of(machine: Machine) -> Iterator[str]:
    """Print the events that a machine only notes, each with the states it is noted in."""
    yield _row("id", "event", "made by", "in", "needs", "law")
    yield _row(*["---"] * 6)
    noted: dict[str, list[Rule]] = {}
    for rule in RULES:
        if rule.machine == machine and rule.source == rule.target:
            noted.setdefault(rule.id.partition(".")[0], []).append(rule)
    everywhere = max(len(rules) for rules in noted.values())
    for name, rules in noted.items():
        first = rules[0]
        states = ", ".join(rule.source.value for rule in rules)
        yield _row(
            f"`{name}`", f"`{first.event}`", made_by(first),
            "every state after delivery" if len(rules) == everywhere > 3 else states,
            guards(first.guards), law(first.ref),
        )  # fmt: skip


def page() -> str:
    """Print the whole page."""
    parts = [INTRODUCTION]
    for machine, (title, words) in HEADS.items():
        parts.append(f"## {title}\n\n{words}\n\n" + "\n".join(moves_of(machine)) + "\n")
        parts.append(
            "These change no state, and are part of the record:\n\n"
            + "\n".join(noted_of(machine)) + "\n"
        )  # fmt: skip
    parts.append("*Made by `python -m tests.protocol.lifecycle_page --write`.*\n")
    return "\n".join(parts)


# --- the tables of the specification -----------------------------------------------------------


def spec_events() -> Iterator[str]:
    """Print SPEC 16.2: events that messages carry, with the fields of their bodies."""
    yield _row("event", "made by", "fields", "may have")
    yield _row(*["---"] * 4)
    carried = {rule.event for rule in (*RULES, *BEGIN.values()) if rule.scope == "shared"}
    for event in EVENTS.values():
        if event.name in carried:
            yield _row(
                f"`{event.name}`", event.side,
                ", ".join(f"`{name}`" for name in event.required),
                ", ".join(f"`{name}`" for name in event.optional),
            )  # fmt: skip


def spec_guards() -> Iterator[str]:
    """Print SPEC 16.3: the guards of the shared rules."""
    used = {name for rule in RULES if rule.scope == "shared" for name in rule.guards}
    yield _row("guard", "holds if")
    yield _row("---", "---")
    for name, words in GUARD_WORDS.items():
        if name in used:
            yield _row(f"`{name}`", words)


def spec_rules() -> Iterator[str]:
    """Print SPEC 16.4: the shared rules; one row for an event that is noted in many states."""
    yield _row("rule", "machine", "from", "event", "side", "to", "guards")
    yield _row(*["---"] * 7)
    for rule in BEGIN.values():
        yield _spec_row(rule, "")
    noted: dict[tuple[str, str], list[Rule]] = {}
    for rule in RULES:
        if rule.scope != "shared":
            continue
        if rule.source == rule.target and "." in rule.id:
            noted.setdefault((rule.id.partition(".")[0], rule.machine), []).append(rule)
        else:
            yield _spec_row(rule, rule.source.value)
    for (name, _), rules in noted.items():
        states = ", ".join(rule.source.value for rule in rules)
        yield _spec_row(rules[0], states, name)


def _spec_row(rule: Rule, source: str, name: str = "") -> str:
    names = ", ".join(f"`{guard}`" for guard in rule.guards)
    return _row(
        f"`{name or rule.id}`", rule.machine, source, f"`{rule.event}`", rule.side,
        "" if name else rule.target.value, names,
    )  # fmt: skip


def main() -> None:
    """Write the page and the diagram again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", required=True)
    parser.parse_args()
    PAGE.write_text(page(), encoding="utf-8")
    SVG.write_text(draw(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n{SVG}\n")


if __name__ == "__main__":
    main()
