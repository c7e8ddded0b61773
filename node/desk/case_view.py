"""One case as verbs show it: where it stands, what was said, what each word of it did.

Renders only; what the person who asks may not see is not given to it, or is left out by it
where it is told so: the identity of a protected person stands in no view of a case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from node.cases.history import Did, fold_with, in_order
from node.cases.keeping import Related
from node.cases.papers import OpenStep
from node.cases.register import ShownCase, ShownMessage
from node.desk.listing import shown_case, shown_standing
from node.desk.verb import Result
from node.evidence.manifest import Manifest
from node.storage.member_rows import Member
from node.storage.standing_rows import StoredStanding
from protocol.encoding import Json
from protocol.lifecycle import EVENTS, Rule

PROTECTED: Final = "protected_identity"
_TRANSLATIONS: Final = "translations"


@dataclass(frozen=True, slots=True)
class Opened:
    """All that is known of a case, for whoever may read it."""

    shown: ShownCase = field(repr=False)
    standing: StoredStanding | None
    did: Mapping[str, Did] = field(repr=False)
    moves: Sequence[Rule]
    related: Sequence[Related]
    members: Sequence[Member]
    steps: Sequence[OpenStep]
    names: Mapping[str, str] = field(repr=False)
    due: int | None = None


def opened_case(one: Opened) -> Result:
    """Give a case whole."""
    row = {**shown_case(one.shown.case), **shown_standing(one.standing, one.names)}
    messages: list[Json] = [_message(each, one.did) for each in in_order(one.shown)]
    return {
        "schema": "comity.case/1",
        "case": {**row, "due": one.due},
        "messages": messages + _steps(one),
        "contested": [
            {"message": identity, "seq": seq, "code": code}
            for identity, seq, code in one.shown.contested
        ],
        "moves": [shown_move(rule) for rule in one.moves],
        "links": [
            {"relation": each.relation, "case": each.other, "at": each.at} for each in one.related
        ],
        "members": [
            {"login": one.names.get(each.person, each.person), "level": each.level}
            for each in one.members
        ],
        "translations": _translations(one.shown.messages),
    }


def shown_move(rule: Rule) -> Result:
    """Give a move that is possible now, with the fields that its body has."""
    event = EVENTS[rule.event]
    return {
        "event": rule.event,
        "to": str(rule.target),
        "role": rule.role,
        "rule": rule.id,
        "ref": rule.ref,
        "two_persons": rule.two_persons,
        "required": list(event.required),
        "optional": list(event.optional),
    }


def _message(one: ShownMessage, did: Mapping[str, Did]) -> Result:
    stored, message = one.stored, one.message
    effect = did.get(stored.identity)
    return {
        "message": stored.identity,
        "from": message.sender,
        "kind": message.kind,
        "seq": message.seq,
        "order": stored.order_number,
        "state": stored.state,
        "created": message.created,
        "receipted": stored.receipt is not None,
        "evidence": _evidence(one.manifest),
        "body": _shown_body(message.kind, message.body),
        "effect": None if effect is None else effect.to_json(),
    }


def _evidence(manifest: Manifest | None) -> Json:
    if manifest is None:
        return None
    return {"items": len(manifest.items), "sha256": manifest.digest}


def _shown_body(kind: str, body: Mapping[str, Json]) -> dict[str, Json]:
    """Give what is said, without the manifest, and without who a protected person is."""
    if kind == PROTECTED:
        return {"pseudonym": body.get("pseudonym"), "identity": "withheld"}
    return {name: value for name, value in body.items() if name != "evidence"}


def _steps(one: Opened) -> list[Json]:
    """Give the steps that came on paper, in the form of messages."""
    did = fold_with([each.step for each in one.steps])
    peer = one.shown.case.peer
    return [
        {
            "message": None,
            "step": each.stored.id,
            "from": None if each.stored.side == one.shown.case.side else peer,
            "side": each.stored.side,
            "kind": each.stored.event,
            "seq": each.stored.place,
            "order": each.stored.place,
            "state": "recorded",
            "created": each.stored.at,
            "receipted": False,
            "evidence": None,
            "body": _shown_body(each.stored.event, each.body),
            "effect": effect.to_json(),
            "channel": each.stored.channel,
            "recorded": each.stored.recorded_at,
            "recorded_by": one.names.get(each.stored.recorded_by or "", each.stored.recorded_by),
        }
        for each, effect in zip(one.steps, did, strict=True)
    ]


def _translations(messages: Sequence[ShownMessage]) -> list[Json]:
    """Gather the translations that travel with messages, and of which message each is."""
    found: list[Json] = []
    for one in messages:
        if one.message.kind == PROTECTED:
            continue
        listed = one.message.body.get(_TRANSLATIONS)
        of = one.message.body.get("of")
        each = listed if isinstance(listed, list) else []
        found += [{**row, "of": of or one.stored.identity} for row in each if isinstance(row, dict)]
    return found
