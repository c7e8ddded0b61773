"""The diagram of the life cycle, drawn from the table on a layout that is set by hand.

    svg = draw()

Where a state stands on the sheet is all that is said here: which moves there are, and who
makes them, comes from the table. Moves that lead from many states to one (a withdrawal, say)
are letters on the states they start from, so that the sheet stays readable.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape

from protocol.lifecycle import RULES, Rule
from protocol.lifecycle_guards import CROSSED
from protocol.lifecycle_table import BEGIN

WIDE, HIGH = 168, 36
SHEET: Final = (1420, 1410)
Point = tuple[float, float]

COLOURS: Final = {"requesting": "#1d4ed8", "requested": "#b45309", "node": "#4b5563"}
WHO: Final = {
    "requesting": "the requesting side",
    "requested": "the requested side",
    "node": "a node by itself",
}
LETTERS: Final = {
    "withdraw": "W", "close": "C", "postpone": "P", "cancel": "X", "reopen": "O", "refuse": "F",
}  # fmt: skip

_COLUMNS: Final = (104, 404, 704, 1004, 1304)


def _at(column: float, row: float) -> Point:
    first = int(column)
    return (_COLUMNS[first], 70 + row * 96)


PLACES: Final[dict[tuple[str, str], Point]] = {
    ("request", "DRAFT"): _at(0, 0),
    ("request", "IN_APPROVAL"): _at(1, 0),
    ("request", "APPROVED"): _at(2, 0),
    ("request", "CANCELLED"): _at(3, 0),
    ("request", "SENT"): _at(2, 1),
    ("request", "UNDELIVERABLE"): _at(3, 1),
    ("request", "DELIVERED"): _at(2, 2),
    ("request", "RETURNED"): _at(0, 3),
    ("request", "INFO_REQUESTED"): _at(1, 3),
    ("request", "ACKNOWLEDGED"): _at(2, 3),
    ("request", "IN_CONSULTATION"): _at(3, 3),
    ("request", "REFUSED"): _at(0, 5),
    ("request", "ACCEPTED"): _at(2, 4),
    ("request", "POSTPONED"): _at(3, 4.5),
    ("request", "IN_EXECUTION"): _at(2, 5),
    ("request", "PARTIALLY_EXECUTED"): _at(2, 6.1),
    ("request", "MEASURE_IN_FORCE"): _at(3, 6.1),
    ("request", "EXECUTED"): _at(2, 7.2),
    ("request", "WITHDRAWAL_PENDING"): _at(4, 7.2),
    ("request", "LAPSED"): _at(3, 8),
    ("request", "RESULT_CONFIRMED"): _at(2, 8.2),
    ("request", "WITHDRAWN"): _at(4, 8.4),
    ("request", "CLOSED"): _at(3, 9),
    ("spontaneous", "OFFERED"): _at(0, 10.6),
    ("spontaneous", "RESTRICTIONS_ACCEPTED"): _at(1, 10.6),
    ("spontaneous", "RELEASED"): _at(2, 10.6),
    ("spontaneous", "ACKNOWLEDGED"): _at(3, 10.6),
    ("spontaneous", "CLOSED"): _at(4, 10.6),
    ("spontaneous", "DECLINED"): _at(0, 11.5),
    ("spontaneous", "WITHDRAWN"): _at(1, 11.5),
    ("inquiry", "DELIVERED"): _at(0, 13),
    ("inquiry", "ANSWERED"): _at(1, 12.6),
    ("inquiry", "NOT_AVAILABLE"): _at(1, 13.4),
    ("inquiry", "WITHDRAWN"): _at(2, 13),
    ("inquiry", "CLOSED"): _at(3, 13),
}
"""Where each state stands on the sheet."""

# How far a line swings out to its left, seen in its direction.
BENDS: Final[dict[tuple[str, str, str], float]] = {
    ("request", "APPROVED", "DRAFT"): 60,
    ("request", "ACKNOWLEDGED", "RETURNED"): 90,
    ("request", "IN_EXECUTION", "EXECUTED"): -250,
    ("request", "EXECUTED", "IN_EXECUTION"): 500,
    ("request", "POSTPONED", "EXECUTED"): 40,
}
_GAP: Final = 9.0  # between two lines that run opposite ways


def drawn() -> list[Rule]:
    """Give the moves that are lines or letters: those that change the state."""
    return [rule for rule in RULES if rule.source != rule.target and CROSSED not in rule.guards]


def _who(rule: Rule) -> str:
    return "node" if rule.role == "node" else rule.side


def _border(centre: Point, towards: Point) -> Point:
    """Give where a line from the centre of a box leaves it."""
    dx, dy = towards[0] - centre[0], towards[1] - centre[1]
    scale = min(
        (WIDE / 2 + 1) / abs(dx) if dx else math.inf, (HIGH / 2 + 1) / abs(dy) if dy else math.inf
    )
    return (centre[0] + dx * scale, centre[1] + dy * scale)


def _line(start: Point, end: Point, bend: float, gap: float) -> tuple[str, Point]:
    """Give the path from box to box, and where its words stand."""
    length = math.dist(start, end)
    left = ((end[1] - start[1]) / length, -(end[0] - start[0]) / length)
    aside = (left[0] * gap, left[1] * gap)
    start, end = (start[0] + aside[0], start[1] + aside[1]), (end[0] + aside[0], end[1] + aside[1])
    middle = ((start[0] + end[0]) / 2 + left[0] * bend, (start[1] + end[1]) / 2 + left[1] * bend)
    a, b = _border(start, middle), _border(end, middle)
    words = ((a[0] + 2 * middle[0] + b[0]) / 4, (a[1] + 2 * middle[1] + b[1]) / 4)
    path = f"M{a[0]:.0f} {a[1]:.0f} Q{middle[0]:.0f} {middle[1]:.0f} {b[0]:.0f} {b[1]:.0f}"
    return path, words


def _lines() -> Iterator[str]:
    grouped: dict[tuple[str, str, str], list[Rule]] = {}
    for rule in drawn():
        if rule.event not in LETTERS:
            grouped.setdefault((rule.machine, rule.source, rule.target), []).append(rule)
    for (machine, source, target), rules in grouped.items():
        start, end = PLACES[machine, source], PLACES[machine, target]
        bend = BENDS.get((machine, source, target), 0)
        gap = _GAP if (machine, target, source) in grouped and not bend else 0.0
        path, middle = _line(start, end, bend, gap)
        colour = COLOURS[_who(rules[0])]
        yield f'<path d="{path}" stroke="{colour}" marker-end="url(#{_who(rules[0])})"/>'
        yield from _words(rules, middle, (end[0] - start[0], end[1] - start[1]))


def _words(rules: list[Rule], middle: Point, way: Point) -> Iterator[str]:
    """Write the events of a line: beside it if it is upright, else above, or below going back."""
    x, y = middle
    upright = abs(way[0]) < WIDE
    anchor, x = ("start", x + 7) if upright else ("middle", x)
    if upright and x < PLACES["request", "EXECUTED"][0] - WIDE / 2:  # a line that swings out
        anchor, x = "end", x - 14
    top = y + 4 - 6 * (len(rules) - 1) if upright else y + 14 if way[0] < 0 else y - 5
    step = -12 if not upright and way[0] > 0 else 12
    for number, rule in enumerate(rules):
        yield (
            f'<text class="move" x="{x:.0f}" y="{top + step * number:.0f}" text-anchor="{anchor}" '
            f'fill="{COLOURS[_who(rule)]}">{rule.event.replace("_", " ")}</text>'
        )


def _boxes() -> Iterator[str]:
    begins = {(rule.machine, rule.target.value) for rule in BEGIN.values()}
    for (machine, state), (x, y) in PLACES.items():
        leaving = [rule for rule in drawn() if (rule.machine, rule.source) == (machine, state)]
        kind = "begin" if (machine, state) in begins else "end" if not leaving else "state"
        yield (
            f'<rect class="{kind}" x="{x - WIDE / 2:.0f}" y="{y - HIGH / 2:.0f}" '
            f'width="{WIDE}" height="{HIGH}" rx="7"/>'
        )
        words = escape(state.replace("_", " ").capitalize())
        yield f'<text class="name" x="{x:.0f}" y="{y + 4:.0f}" text-anchor="middle">{words}</text>'
        marks = [rule for rule in leaving if rule.event in LETTERS]
        for number, rule in enumerate(marks):
            left, top = x - WIDE / 2 + 12 + 19 * number, y + HIGH / 2
            colour = COLOURS[_who(rule)]
            yield f'<circle cx="{left:.0f}" cy="{top:.0f}" r="8" fill="{colour}"/>'
            yield (
                f'<text class="mark" x="{left:.0f}" y="{top + 4:.0f}" text-anchor="middle">'
                f"{LETTERS[rule.event]}</text>"
            )


def _legend() -> Iterator[str]:
    x, y = _COLUMNS[4] - 180, 62
    for who, words in WHO.items():
        yield f'<path d="M{x} {y} h34" stroke="{COLOURS[who]}" marker-end="url(#{who})"/>'
        yield f'<text class="move" x="{x + 44}" y="{y + 4}">{words}</text>'
        y += 20
    for event, letter in LETTERS.items():
        targets = {rule.target.replace("_", " ").lower() for rule in drawn() if rule.event == event}
        rule = next(rule for rule in drawn() if rule.event == event)
        to = sorted(targets, key=lambda name: (name != rule.target.replace("_", " ").lower(), name))
        yield f'<circle cx="{x + 8}" cy="{y}" r="8" fill="{COLOURS[_who(rule)]}"/>'
        yield (
            f'<text class="mark" x="{x + 8}" y="{y + 4}" text-anchor="middle">{letter}</text>'
            f'<text class="move" x="{x + 24}" y="{y + 4}">{event}: to {" or ".join(to)}</text>'
        )
        y += 20


STYLE: Final = (
    "text{font:12px 'DejaVu Sans',Verdana,sans-serif}path{fill:none;stroke-width:1.4}"
    ".name{font-weight:bold;fill:#111}.mark{fill:#fff;font-size:10px;font-weight:bold}"
    ".move{font-size:10.5px;paint-order:stroke;stroke:#fff;stroke-width:4px}"
    ".head{font-size:15px;font-weight:bold;fill:#111}"
    "rect{fill:#f8fafc;stroke:#334155;stroke-width:1.2}.begin{stroke-width:2.6}"
    ".end{fill:#e2e8f0}"
)
HEADS: Final = (
    ("Request", 20, 30),
    ("Spontaneous information", 20, 1045),
    ("Inquiry and consultation", 20, 1240),
)


def draw() -> str:
    """Give the whole diagram as SVG."""
    wide, high = SHEET
    markers = "".join(
        f'<marker id="{who}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="{colour}" '
        f'stroke="none" style="fill:{colour}"/></marker>'
        for who, colour in COLOURS.items()
    )
    heads = [f'<text class="head" x="{x}" y="{y}">{words}</text>' for words, x, y in HEADS]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" role="img">',
        "<title>The life cycle of a case</title>",
        f"<style>{STYLE}</style><defs>{markers}</defs>",
        f'<rect width="{wide}" height="{high}" style="fill:#fff;stroke:none"/>',
        *heads, *_lines(), *_boxes(), *_legend(), "</svg>\n",
    ])  # fmt: skip
