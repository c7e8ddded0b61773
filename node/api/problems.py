"""What went wrong, as the API says it (RFC 9457): a stable code, a sentence, and the fields.

    {"type": "urn:comity:problem:draft-stale", "title": …, "status": 412, "code": …,
     "detail": …, "errors": [{"field": …, "rule": …, "code": …, "detail": …}]}

The code and sentence are those that the command line shows. Nothing here quotes what was
sent: field names are our own, values never appear. Knows no verb and no socket.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

from node.cases.faults import Incomplete
from node.desk.arguments import WrongArguments
from node.faults import describe
from protocol.encoding import Json, canonical

PROBLEM_TYPE: Final = "application/problem+json"
_URN: Final = "urn:comity:problem:"

OWN: Final[Mapping[str, tuple[int, str]]] = {
    "bad-request": (400, "This is no HTTP request that is served here."),
    "not-json": (400, "A body is an object of JSON: whole numbers from 0, names in ASCII, once."),
    "arguments": (400, "Something that was given is not in its form, or is not known here."),
    "key-needed": (401, "Send an access key: Authorization: Bearer comity_…"),
    "no-path": (404, "There is nothing at this path; /v1/openapi.json lists what there is."),
    "method": (405, "The path takes other methods: Allow lists them."),
    "timeout": (408, "The body came too slowly. Send it again."),
    "under-way": (409, "The same request is under way. Ask again when it has ended."),
    "answer-lost": (409, "It was done before, and its answer is not kept: look what there is."),
    "too-large": (413, "The body is larger than the API takes."),
    "media-type": (415, "A body comes as it is, as application/json, and in no other coding."),
    "other-host": (421, "The Host is none of this node's: [staff] urls in comity.toml."),
    "key-reused": (422, "Another request was made under this Idempotency-Key: choose another."),
    "version-unknown": (412, "If-Match names no version of this: send the ETag of the newest."),
    "version-needed": (428, "Say which version this replaces: If-Match, with the ETag of it."),
    "busy": (429, "More requests than are served. Wait as Retry-After says, and repeat."),
    "internal": (500, "The node failed; its log says why. It may be done all the same: look."),
}  # fmt: skip
"""The problems that the API itself finds: their status, and what to do."""

DESK: Final[Mapping[str, tuple[int, str]]] = {
    "not-known": (401, "The key opens nothing any more."),
    "not-allowed": (403, "This person, or this key, may not; the sentence says who may."),
    "role": (403, "This step is for a person with another role."),
    "not-found": (404, "There is none of this name that this person may know of."),
    "exists": (409, "There is one of this name."),
    "not-now": (409, "The case or draft is not where this step begins; `moves` lists what is."),
    "second-person": (409, "It takes a second person, or this one has done their part."),
    "not-erasable": (409, "The records named cannot be erased."),
    "stale": (412, "Somebody saved in between: look at the newest version, and save again."),
    "incomplete": (422, "What is mandatory is missing or wrong: `errors` has each with its rule."),
    "malformed": (422, "Something given has no meaning here, though its form is right."),
    "not-possible": (422, "It cannot be done; the sentence says why."),
    "storage": (503, "The database failed. Try again; it may be done all the same: look."),
    "schema-newer": (503, "A newer release has altered the database."),
    "recovering": (503, "The node's log signs nothing until it was recovered."),
    "service-ended": (503, "The node is ending."),
    "node-runs": (503, "Another process works on this node's folder."),
    "configuration": (500, "The node's settings do not allow it."),
    "file": (500, "A file of the node cannot be used."),
}  # fmt: skip
"""The refusals of the desk that have a status of their own, and what they mean."""

_REFUSED: Final = 422  # whatever else the desk does not accept


class Problem(Exception):
    """One problem; `errors` has one object for each field that is wrong."""

    def __init__(
        self, code: str, status: int, detail: str,
        errors: Sequence[Mapping[str, Json]] = (), headers: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        """Keep the parts of the answer."""
        super().__init__(code)
        self.code = code
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}

    def encode(self) -> bytes:
        """Give the body of the answer."""
        try:
            title = HTTPStatus(self.status).phrase
        except ValueError:
            title = "Refused"
        whole: dict[str, Json] = {
            "type": f"{_URN}{self.code}", "title": title, "status": self.status,
            "code": self.code, "detail": self.detail,
        }  # fmt: skip
        if self.errors:
            whole["errors"] = [dict(one) for one in self.errors]
        return canonical(whole)


def own(code: str, **headers: str) -> Problem:
    """Give a problem that the API itself found."""
    status, detail = OWN[code]
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Problem(code, status, detail, headers=named)


def of_fault(fault: Exception) -> Problem:
    """Give the problem of a fault that `node.faults` has a sentence for."""
    if isinstance(fault, WrongArguments):
        status, advice = OWN["arguments"]
        errors = [
            {"field": one.field, "rule": one.rule, "code": "arguments", "detail": one.detail}
            for one in fault.found
        ]
        return Problem("arguments", status, advice, errors)
    described = describe(fault)
    status, _ = DESK.get(described.code, OWN.get(described.code, (_REFUSED, "")))
    return Problem(described.code, status, described.sentence, _findings(fault))


def _findings(fault: Exception) -> Sequence[Mapping[str, Json]]:
    """Give what the check of a text found, field by field."""
    if not isinstance(fault, Incomplete):
        return ()
    return [
        {
            "field": one.field, "rule": one.rule, "code": one.code, "detail": one.sentence,
            "severity": one.severity,
        }
        for one in fault.report.findings
    ]  # fmt: skip
