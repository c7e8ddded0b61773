"""Vectors of the life cycle: what the messages of a case do to it, one by one (SPEC 16)."""

from __future__ import annotations

from collections.abc import Iterator

from protocol.encoding import Json, canonical
from protocol.lifecycle import OneSide, Standing, apply
from tests.support.lifecycles import Scene, body_of, opening, scenes
from tests.vectors.form import Vector
from tests.vectors.judge_cases import judge_lifecycle, step_in
from tests.vectors.makers.world import vector

Said = tuple[OneSide, str]
_AT = 1_800_000_100

_STORIES: dict[str, tuple[str, str, list[Said]]] = {
    "bank-records": (
        "A question, an answer, a part, the rest, a dispute, and the end.", "MLA_BANK_RECORDS",
        [("requested", "acknowledge"), ("requested", "request_information"),
         ("requesting", "provide_information"), ("requested", "accept"),
         ("requested", "assign_execution"), ("requested", "send_partial_result"),
         ("requested", "send_final_result"), ("requesting", "dispute_result"),
         ("requested", "send_final_result"), ("requesting", "confirm_result"),
         ("requesting", "close"), ("requesting", "feedback"), ("requested", "reopen")],
    ),
    "refused": (
        "No refusal before the consultation; conditions that were not agreed to are none.",
        "EXTRADITION",
        [("requested", "acknowledge"), ("requested", "refuse"), ("requested", "open_consultation"),
         ("requested", "refuse"), ("requesting", "reply_consultation"), ("requested", "refuse"),
         ("requesting", "withdraw"), ("requesting", "close")],
    ),
    "measure": (
        "Extended on request, about to be lifted, kept, and turned into a request.", "FREEZING",
        [("requested", "acknowledge"), ("requested", "accept"), ("requested", "assign_execution"),
         ("requested", "impose_measure"), ("requested", "extend_measure"),
         ("requesting", "extension_requested"), ("requested", "extend_measure"),
         ("requested", "lift_measure"), ("requested", "intent_to_lift"),
         ("requesting", "reasons_to_continue"), ("requested", "measure_expired"),
         ("requested", "convert_measure"), ("requesting", "confirm_result")],
    ),
    "postponed": (
        "A consultation serves for one decision.", "MLA_VIDEO_HEARING",
        [("requested", "acknowledge"), ("requested", "accept"), ("requested", "assign_execution"),
         ("requested", "consultation_opened"), ("requesting", "consultation_replied"),
         ("requested", "postpone"), ("requested", "refuse"), ("requested", "resume_review"),
         ("requested", "resume_execution"), ("requested", "postpone"), ("requesting", "withdraw"),
         ("requested", "confirm_withdrawal")],
    ),
    "overtaken": (
        "A withdrawal that the last result overtook.", "MLA_EVIDENCE",
        [("requested", "acknowledge"), ("requested", "accept"), ("requested", "assign_execution"),
         ("requested", "send_final_result"), ("requesting", "withdraw"),
         ("requested", "confirm_withdrawal"), ("requested", "withdrawal_overtaken"),
         ("requesting", "confirm_result")],
    ),
    "spontaneous": (
        "No content before the restrictions are accepted.", "SPONTANEOUS",
        [("requesting", "release"), ("requested", "accept_restrictions"),
         ("requesting", "release"), ("requested", "acknowledge"), ("requesting", "feedback"),
         ("requested", "feedback"), ("requesting", "close")],
    ),
    "inquiry": (
        "Answered, and then withdrawn in vain.", "INFORMAL_INQUIRY",
        [("requested", "answer"), ("requesting", "withdraw"), ("requesting", "close")],
    ),
    "unknown-events": (
        "What no rule has, and what only a node does, change nothing.", "A_KIND_OF_TOMORROW",
        [("requesting", "transmit"), ("requested", "delivery_receipt"),
         ("requested", "accept"), ("requesting", "acknowledge"), ("requested", "note")],
    ),
}  # fmt: skip
_SCENES: dict[str, tuple[str, str]] = {
    "late-information": ("Answers after the return are noted.", "N26.1"),
    "late-word": ("A word after the consultation expired, and the refusal, is noted.", "N27.3"),
    "lapsed": ("A measure that ends by time.", "T35"),
    "refused-remainder": ("The rest is refused after a part was sent.", "T42"),
    "returned-incomplete": ("Asked, reminded, and returned when the time had passed.", "T18"),
    "reopened": ("New facts after a refusal.", "T50"),
    "lifted": ("The other side was told and let the time pass.", "T36"),
    "countersigned": ("An urgent request by one person, and the second.", "N21.1"),
}

_NOT_BEGUN: list[Json] = [
    {"event": "note", "side": "requesting", "created": _AT, "body": {"text": "hello"}},
    {"event": "transmit", "side": "requested", "created": _AT, "body": {"request_kind": "X"}},
    {"event": "transmit", "side": "requesting", "created": _AT, "body": {"request_kind": "x y"}},
    {"event": "acknowledge", "side": "requested", "created": _AT, "body": {"own_ref": ["x"]}},
]


def _json(side: OneSide, event: str, created: int, body: Json) -> Json:
    return {"event": event, "side": side, "created": created, "body": body}


def _told(kind: str, said: list[Said]) -> list[Json]:
    """Give the steps of a story, each with a body that is good where it stands."""
    first = opening(kind)
    steps: list[Json] = [_json("requesting", "transmit", first.created, first.body)]
    standing = apply(None, first).standing
    for number, (side, event) in enumerate(said):
        at = _AT + number
        known = isinstance(standing, Standing) and event not in ("transmit", "delivery_receipt")
        body: Json = body_of(event, standing, at) if known and standing else {}
        step = _json(side, event, at, body)
        steps.append(step)
        standing = apply(standing, step_in(step)).standing
    return steps


def _path(scene: Scene) -> list[Json]:
    steps = (*scene.before, scene.step)
    return [_json(one.side, one.event, one.created, one.body) for one in steps]


def _made(name: str, comment: str, steps: list[Json]) -> Vector:
    body = canonical(steps)
    bare = vector(f"lifecycle/ok-{name}", "ok", comment, body, words="", standing="")
    return vector(bare.name, "ok", comment, body, **dict(judge_lifecycle(bare)))


def vectors() -> Iterator[Vector]:
    """Make the vectors of this group."""
    for name, (comment, kind, said) in _STORIES.items():
        yield _made(name, comment, _told(kind, said))
    for name, (comment, rule) in _SCENES.items():
        yield _made(name, comment, _path(scenes()[rule]))
    yield _made("not-begun", "Only a request begins a case, of whatever kind.", _NOT_BEGUN)
    scene = scenes()["T23"]
    for name in sorted(scene.step.body):
        without = {key: value for key, value in scene.step.body.items() if key != name}
        steps = [*_path(scene)[:-1], _json("requested", "refuse", scene.step.created, without)]
        yield _made(f"refused-without-{name}", f"No refusal without its {name}.", steps)
