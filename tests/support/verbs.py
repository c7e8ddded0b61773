"""Arguments for any verb, so that a test can walk all of them.

    act(desk, "case.let_in", arguments_for("case.let_in", case=case, draft=draft), person=ben)

A required argument that has no sample here fails, so that a new verb is walked too.
"""

from __future__ import annotations

from typing import Final

from node.desk import VERBS
from protocol.encoding import Json

SAMPLES: Final[dict[str, Json]] = {
    "basis": "UNCAC", "body": {"text": "x"}, "channel": "DIPLOMATIC", "checkpoint": "", "clock":
    "acknowledgement", "code": "00" * 8, "comment": "x", "days": 1, "due": 1, "entries": "1",
    "event": "acknowledge", "kind": "MLA_EVIDENCE", "log": 1, "login": "nobody", "name": "x",
    "other": "elsewhere", "peer": "qm.justice", "purpose": "seal", "reason": "ordered",
    "reasons": "x", "reference": "R-1", "relation": "continues", "roles": ["drafter"],
    "side": "requesting", "text": "evidence", "to": "qm.justice", "token": "", "url":
    "https://example.org/hook", "version": 1, "webhook": "00", "words": "evidence",
}  # fmt: skip
"""A value of the right form for each argument that some verb needs, cases and drafts aside."""


def arguments_for(verb: str, *, case: str, draft: str) -> dict[str, Json]:
    """Give arguments that are in their form, with this case and this draft where one is named."""
    takes = VERBS[verb].takes.model_fields
    cases = {"case", *VERBS[verb].also}
    named: dict[str, Json] = {"draft": draft, **dict.fromkeys(cases, case)}
    optional = {name for name in ("case", "draft") if name in takes}
    needed = {name for name, one in takes.items() if one.is_required()}
    return {name: named[name] if name in named else SAMPLES[name] for name in needed | optional}
