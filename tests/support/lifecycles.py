"""Good bodies for every event of the life cycle, and a case brought to where a rule applies.

    scene = SCENES["T23"]                  # the rule "refuse" of an acknowledged request
    apply(scene.standing, scene.step)      # has its effect

Scenes are found by a search that begins with `transmit` and tries every event with a good
body, now and after a hundred days: a rule that it does not reach, nobody can reach.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from protocol.encoding import Json
from protocol.lifecycle import EVENTS, RULES, OneSide, Rule, Standing, State, Step, apply

BEGUN_AT: Final = 1_800_000_000
DAY: Final = 86_400
LATER: Final = 100 * DAY
LINKED: Final = f"fj.justice/{'ab' * 16}"
EVIDENCE: Final[Json] = {"items": 2, "sha256": "0f" * 32, "manifest": {}}
SIGNATORIES: Final[Json] = [{"name": "Ana Vule", "role": "director"}, {"name": "Joe Bale"}]
CONDITIONS: Final[Json] = [{"no": 1, "text": "costs"}, {"no": "2b", "text": "use"}]
QUESTIONS: Final[Json] = [{"no": 1, "text": "Which account?"}, {"no": 2, "text": "When?"}]
SHARED: Final = tuple(rule for rule in RULES if rule.scope == "shared")
ON_WIRE: Final = sorted({rule.event for rule in SHARED})

_FIXED: Final[Mapping[str, Mapping[str, Json]]] = {
    "acknowledge": {"own_ref": "B-7", "contact": {"name": "Ro"}, "reply_language": "en"},
    "return_misdirected": {"reason": "MISDIRECTED"},
    "return_incomplete": {"reason": "INCOMPLETE"},
    "reply_consultation": {"conditions": "accepted"},
    "consultation_replied": {"conditions": "accepted"},
    "accept": {"scope": "full"},
    "assign_execution": {"executing_authority": "withheld"},
    "convert_measure": {"request": LINKED},
    "send_partial_result": {"evidence": EVIDENCE},
    "send_final_result": {"outcome": "FULL", "evidence": EVIDENCE},
    "dispute_result": {"items": [{"no": "a.pdf", "why": "hash differs"}]},
    "confirm_withdrawal": {"done": "nothing was done"},
    "use_consent_requested": {"items": [{"no": 1}], "proceedings": "tax"},
    "use_consent_decided": {"decision": "granted"},
    "narrow_scope": {"items": [{"no": 1}]},
    "handler_changed": {"contact": {"name": "Mo"}},
    "countersign": {"signatories": [{"name": "Joe Bale"}]},
    "translation": {"translations": [{"language": "pt"}]},
    "language_waiver": {"language": "en"},
    "protected_identity": {"pseudonym": "W1", "identity": {"name": "x"}},
    "release": {"content": {"text": "tip"}},
}


@dataclass(frozen=True, slots=True)
class Scene:
    """A standing at which a step has its effect by the rule, and the steps that led there."""

    rule: Rule
    standing: Standing
    step: Step
    before: tuple[Step, ...] = field(repr=False)


def body_of(event: str, standing: Standing, at: int) -> dict[str, Json]:
    """Give a body with which the event has its effect, if what came before allows it."""
    timed: dict[str, dict[str, Json]] = {
        "request_information": {"items": QUESTIONS, "due": at + DAY},
        "open_consultation": {"intended": "conditions", "conditions": CONDITIONS, "due": at + DAY},
        "consultation_opened": {"intended": "postpone", "ground": "46-25", "due": at + DAY},
        "postpone": {"ground": "46-25", "review": at + DAY},
        "impose_measure": {"valid_from": at, "valid_until": at + DAY},
        "extend_measure": {"valid_until": (standing.valid_until or 0) + DAY},
        "extension_requested": {"until": at + 2 * DAY},
        "intent_to_lift": {"due": at + DAY},
        "delay_notice": {"expected": at + DAY},
        "confirm_result": {"items": ["a.pdf", 2]} if standing.items_sent else {"nil": True},
        "provide_information": {
            "answers": [{"no": no, "text": "so"} for no in standing.info_items or ("1",)]
        },
        "refuse": {"ground": "46-21-b", "signatories": SIGNATORIES},
        "refuse_remainder": {"ground": "46-21-b", "signatories": SIGNATORIES},
    }
    words: dict[str, Json] = {
        name: "because" for name in EVENTS[event].required if name in ("text", "reasons")
    }
    return {**words, **timed.get(event, {}), **_FIXED.get(event, {})}


def step_of(rule: Rule, standing: Standing, at: int) -> Step:
    """Give the step with which a rule would be followed."""
    side: OneSide = "requested" if rule.side == "requested" else "requesting"
    return Step(rule.event, side, body_of(rule.event, standing, at), at, f"{at:064x}")


def opening(kind: str, *, signatories: Json = SIGNATORIES) -> Step:
    """Give the request that begins a case."""
    body: dict[str, Json] = {"request_kind": kind, "signatories": signatories}
    return Step("transmit", "requesting", body, BEGUN_AT, "0" * 64)


def begun(kind: str) -> Standing:
    """Give the standing of a case that was just delivered."""
    standing = apply(None, opening(kind)).standing
    if standing is None:
        raise AssertionError("a request begins a case, whatever its body holds")
    return standing


_KINDS: Final = ("FREEZING", "MLA_BANK_RECORDS", "SPONTANEOUS", "INFORMAL_INQUIRY")


def _next(standing: Standing, at: int) -> Iterator[tuple[Rule, Step]]:
    for rule in SHARED:
        if (rule.machine, rule.source) == (standing.machine, standing.state):
            yield from ((rule, step_of(rule, standing, when)) for when in (at + 1, at + LATER))


@dataclass(frozen=True, slots=True)
class Explored:
    """What the search found: a scene for each rule, and each kind of standing with the next."""

    scenes: dict[str, Scene] = field(default_factory=dict)
    standings: dict[bytes, Standing] = field(default_factory=dict)
    following: dict[bytes, set[bytes]] = field(default_factory=dict)
    paths: dict[bytes, tuple[Step, ...]] = field(default_factory=dict)


@cache
def explored() -> Explored:
    """Search from every beginning, nearest first."""
    found = Explored()
    first = opening("FREEZING", signatories=[])
    waiting: list[tuple[Step, ...]] = [(first,), *((opening(kind),) for kind in _KINDS)]
    for path in waiting:  # grows while it is walked
        standing = _fold(path)
        here = shape_of(standing)
        found.standings.setdefault(here, standing)
        found.paths.setdefault(here, path)
        leads_to = found.following.setdefault(here, set())
        for rule, step in _next(standing, path[-1].created):
            applied = apply(standing, step)
            if applied.rule is None or applied.standing is None:
                continue
            found.scenes.setdefault(applied.rule.id, Scene(rule, standing, step, path))
            there = shape_of(applied.standing)
            leads_to.add(there)
            if there not in found.standings:
                found.standings[there] = applied.standing
                waiting.append((*path, step))
    return found


def _fold(path: tuple[Step, ...]) -> Standing:
    standing: Standing | None = None
    for step in path:
        standing = apply(standing, step).standing
    if standing is None:
        raise AssertionError("a path begins with a request")
    return standing


def shape_of(standing: Standing) -> bytes:
    """Give what tells standings apart, their exact times aside."""
    shape = {name: bool(v) for name, v in standing.to_json().items()}
    return repr((standing.machine, standing.kind, standing.state, sorted(shape))).encode()


def scenes() -> Mapping[str, Scene]:
    """Give the scene of every rule that can be reached, by the rule's id."""
    return explored().scenes


@cache
def closable() -> frozenset[bytes]:
    """Give the kinds of standings from which some good messages lead to the end of the case."""
    found = explored()
    ends = {shape for shape, one in found.standings.items() if one.state == State.CLOSED}
    leading = ends
    while leading:
        leading = {
            shape
            for shape, following in found.following.items()
            if shape not in ends and following & ends
        }
        ends |= leading
    return frozenset(ends)
