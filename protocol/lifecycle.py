"""The life cycle of a case: from where it stood and one message to where it stands.

Both sides hold the same signed messages in one order, which the requested side keeps, and
put each through `apply` in that order: they reach the same standing without asking each
other. A message that the table does not allow now, or whose guard does not hold, changes
nothing and is kept and shown with the reason's code; nothing here raises (SPEC 16).

    standing = fold(steps)           # in the order of the case
    moves(standing, "requested")     # what that side may do now

This module is pure and total. It knows no law, no clock and no storage: what is due, and
what a kind of request must hold, is for a node's own data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from protocol.lifecycle_effects import after
from protocol.lifecycle_events import EVENTS, Event, Side
from protocol.lifecycle_guards import (
    CROSSED,
    HISTORY,
    TIME_LIMITED,
    TWO_PERSONS,
    Step,
    signatory_names,
    unmet,
)
from protocol.lifecycle_standing import REQUEST_KIND, UNKNOWN_KIND, Standing, decode_standing
from protocol.lifecycle_table import BEGIN, RULES, Machine, Rule, State

__all__ = [
    "EVENTS", "RULES", "Applied", "Event", "Machine", "OneSide", "Rule", "Side", "Standing",
    "State", "Step", "apply", "decode_standing", "fold", "hindrances", "machine_of", "moves",
    "owed", "propose",
]  # fmt: skip

NOT_BEGUN: Final = "not-begun"
UNKNOWN_EVENT: Final = "unknown-event"
NOT_ALLOWED_NOW: Final = "not-allowed-now"
NOT_THIS_SIDE: Final = "not-this-side"

COUNTERSIGN_S: Final = 24 * 3600
"""How long the second person has where an urgent request left with the word of one."""

_INFORMAL: Final[Mapping[str, Machine]] = {
    "SPONTANEOUS": "spontaneous",
    "INFORMAL_INQUIRY": "inquiry",
    "CONSULTATION": "inquiry",
}
_SHARED: Final = tuple(rule for rule in RULES if rule.scope == "shared")
_BY_PLACE: Final[Mapping[tuple[Machine, State, str], Rule]] = {
    (rule.machine, rule.source, rule.event): rule for rule in _SHARED
}
# A crossing is nobody's move, and what was delivered cannot be given up as undelivered.
_OFFERED: Final = tuple(
    rule for rule in RULES if CROSSED not in rule.guards and rule.event != "abandon_undelivered"
)
_FROM: Final[Mapping[tuple[Machine, State], tuple[Rule, ...]]] = {
    place: tuple(rule for rule in _OFFERED if (rule.machine, rule.source) == place)
    for place in {(rule.machine, rule.source) for rule in _OFFERED}
}
_ON_WIRE: Final = frozenset({rule.event for rule in _SHARED} | {"transmit"})
OneSide: TypeAlias = Literal["requesting", "requested"]


@dataclass(frozen=True, slots=True)
class Applied:
    """What a message did: the standing after it and the rule, or why it changed nothing.

    `standing` is None only as long as no request was delivered; `why` is a code.
    """

    standing: Standing | None
    rule: Rule | None
    why: str | None = None


def machine_of(request_kind: str) -> Machine:
    """Say which life cycle a kind of request has; one that is unknown has the whole."""
    return _INFORMAL.get(request_kind, "request")


def apply(standing: Standing | None, step: Step) -> Applied:
    """Let one message take effect, or say why it has none. Raises nothing.

    None is a case in which nothing was delivered: the requesting side's `transmit` begins
    it, whatever its body holds, for only so can the other side return it.
    """
    if standing is None:
        return _begin(step)
    if step.event not in _ON_WIRE:
        return Applied(standing, None, UNKNOWN_EVENT)
    rule = _BY_PLACE.get((standing.machine, standing.state, step.event))
    if rule is None:
        return Applied(standing, None, NOT_ALLOWED_NOW)
    if rule.side not in (step.side, "either"):
        return Applied(standing, None, NOT_THIS_SIDE)
    missing = unmet(standing, rule.guards, step)
    if missing is not None:
        return Applied(standing, None, f"guard:{missing}")
    return Applied(after(standing, rule, step), rule)


def _begin(step: Step) -> Applied:
    if step.event != "transmit":
        return Applied(None, None, NOT_BEGUN)
    if step.side != "requesting":
        return Applied(None, None, NOT_THIS_SIDE)
    kind = step.body.get("request_kind")
    if not isinstance(kind, str) or REQUEST_KIND.fullmatch(kind) is None:
        kind = UNKNOWN_KIND
    rule = BEGIN[machine_of(kind)]
    alone = kind in TIME_LIMITED and len(signatory_names(step.body)) < TWO_PERSONS
    due = step.created + COUNTERSIGN_S if alone else None
    standing = Standing(machine=rule.machine, kind=kind, state=rule.target, countersign_due=due)
    return Applied(standing, rule)


def propose(standing: Standing | None, step: Step) -> Applied:
    """Try a step of our own before it is signed: as `apply`, but crossings excuse nothing.

    A withdrawal after the last result, say, has its effect where it was on its way already;
    whoever has seen the result has nothing to withdraw.
    """
    applied = apply(standing, step)
    if applied.rule is not None and CROSSED in applied.rule.guards:
        return Applied(standing, None, NOT_ALLOWED_NOW)
    return applied


def fold(steps: Iterable[Step]) -> Standing | None:
    """Give the standing after these messages, which are in the order of the case."""
    standing: Standing | None = None
    for step in steps:
        standing = apply(standing, step).standing
    return standing


def moves(standing: Standing | None, side: OneSide) -> tuple[Rule, ...]:
    """Give what a side may do now, in the order of the table and whatever its guards want."""
    if standing is None:
        return tuple(BEGIN.values()) if side == "requesting" else ()
    leaving = _FROM.get((standing.machine, standing.state), ())
    return tuple(rule for rule in leaving if rule.side in (side, "either"))


def hindrances(standing: Standing, rule: Rule, *, now: int) -> tuple[str, ...]:
    """Name the guards of a move that fail for what came before, whatever its body holds."""
    names = [name for name in rule.guards if name in HISTORY]
    return tuple(name for name in names if not HISTORY[name](standing, now))


def owed(
    standing: Standing | None, side: OneSide, *, now: int, abandoned: bool = False
) -> str | None:
    """Name the event that a node itself must send now, with nothing left for people to decide.

    `abandoned`: this side gave up a request as undelivered, and it was delivered after all.
    """
    if standing is None:
        return None
    if side == "requesting":
        may = "withdraw" in {rule.event for rule in moves(standing, side)}
        return "withdraw" if abandoned and may else None
    if standing.state == State.WITHDRAWAL_PENDING and standing.concluded:
        return "withdrawal_overtaken"
    if standing.state == State.MEASURE_IN_FORCE and now >= (standing.valid_until or now + 1):
        return "measure_expired"
    return None
