"""What our own code says of vectors about the life cycle of a case.

A part of `judge`; the same rules hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from protocol.encoding import Fields, Json, decode
from protocol.lifecycle import OneSide, Step, apply
from protocol.limits import MESSAGE_TEXT_BYTES_MAX
from tests.vectors.form import Vector

_STEPS_MAX: Final = 1_024


def step_in(value: Json) -> Step:
    """Read one step of a vector's body."""
    fields = Fields(value, "step")
    side = cast("OneSide", fields.choice("side", ("requesting", "requested")))
    step = Step(fields.text("event"), side, fields.object("body"), fields.integer("created"), "")
    fields.done()
    return step


def judge_lifecycle(vector: Vector) -> Mapping[str, str]:
    """Apply the steps in their order; gives a word for each, and the standing at the end."""
    body = decode(vector.body, bytes_max=MESSAGE_TEXT_BYTES_MAX)
    steps = Fields({"steps": body}, "vector").items("steps", count_max=_STEPS_MAX)
    standing, words = None, []
    for value in steps:
        applied = apply(standing, step_in(value))
        standing = applied.standing
        words.append(applied.rule.id if applied.rule else str(applied.why))
    ended = "none" if standing is None else standing.encode().decode()
    return {"words": " ".join(words), "standing": ended}
