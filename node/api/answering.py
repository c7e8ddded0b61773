"""One request of a known person, answered by one verb: arguments in, JSON out.

    answer = Answering(desk, vault).answer(call)

Arguments come from the path, the query (reading) or the body (writing), and from If-Match.
Whether the person may, the desk decides; what goes wrong comes out as `Problem`. Knows no
socket; runs in a thread of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

import orjson

from node.access.roles import Person
from node.api.problems import Problem, of_fault, own
from node.api.queries import read_query
from node.api.repeats import Answer, Asked, Repeats
from node.api.table import GUARDED, SHOWN_ONCE, VERSIONED, Route, routes
from node.desk import VERBS, Desk, act
from node.desk.arguments import Wrong, WrongArguments
from node.faults import EXPECTED
from node.logs import get
from node.storage.vault import Vault
from protocol.digest import sha256_hex
from protocol.encoding import Json, canonical, decode
from protocol.errors import Malformed, Rejected

_log = get("api")

BODY_BYTES_MAX: Final = 8 * 1024 * 1024
KEY_CHARS_MAX: Final = 128
_OK: Final = 200
_FAILED_FROM: Final = 500


@dataclass(frozen=True, slots=True)
class Call:
    """A request of a person, once it was read: where, with what, and in which version."""

    method: str
    parts: tuple[str, ...]
    query: str
    body: bytes = field(repr=False)
    person: Person
    repeat_key: str | None = None
    if_match: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """What is sent back; `version` stands in its ETag."""

    body: bytes = field(repr=False)
    version: str | None = None
    again: bool = False  # the answer of before


class Answering:
    """Answers requests by verbs of a desk."""

    def __init__(self, desk: Desk, vault: Vault) -> None:
        """Serve the verbs of `desk`; `vault` seals answers that are kept."""
        self._desk = desk
        self._routes = tuple(routes(VERBS).values())
        self._repeats = Repeats(vault)

    def find(self, method: str, parts: tuple[str, ...]) -> tuple[Route, dict[str, str]]:
        """Find the verb of a path, or raise `Problem`."""
        tried = ((route, route.match(parts)) for route in self._routes)
        found = [(route, held) for route, held in tried if held is not None]
        if not found:
            raise own("no-path")
        fixed = min(len(held) for _, held in found)
        found = [(route, held) for route, held in found if len(held) == fixed]
        for route, held in found:
            if route.method == method:
                return route, held
        raise own("method", Allow=", ".join(sorted({route.method for route, _ in found})))

    def answer(self, call: Call) -> Answered:
        """Answer one request, or raise `Problem`."""
        route, held = self.find(call.method, call.parts)
        try:
            arguments = self._arguments(call, route, held)
            return self._once(call, route, arguments)
        except EXPECTED as fault:
            problem = of_fault(fault)
            _log.info("verb-failed", verb=route.verb, code=problem.code, status=problem.status)
            raise problem from None

    def _once(self, call: Call, route: Route, arguments: Mapping[str, Json]) -> Answered:
        """Run the verb; under an Idempotency-Key once, and the answer of before after that."""
        if call.repeat_key is None or call.method == "GET" or call.person.id is None:
            return self._run(self._desk, call, route, arguments)
        digest = sha256_hex(canonical([route.verb, dict(arguments)]))
        asked = Asked(call.person.id, call.repeat_key, digest)
        with self._repeats.once(asked):
            before = self._repeats.find(self._desk, asked)
            if before is not None:
                return Answered(before.body, _version(route, before.body), again=True)
            try:
                done = self._run(self._repeats.marking(self._desk, asked), call, route, arguments)
            except Exception as fault:
                if not isinstance(fault, Problem) or fault.status < _FAILED_FROM:
                    self._repeats.forget(self._desk, asked)
                raise
            if VERBS[route.verb].writes and route.verb not in SHOWN_ONCE:
                self._repeats.keep(self._desk, asked, Answer(_OK, done.body))
            return done

    def _run(self, desk: Desk, call: Call, route: Route, arguments: Mapping[str, Json]) -> Answered:
        try:
            body = canonical(act(desk, route.verb, arguments, person=call.person))
        except EXPECTED as fault:
            raise of_fault(fault) from fault
        return Answered(body, _version(route, body))

    def _arguments(self, call: Call, route: Route, held: Mapping[str, str]) -> Mapping[str, Json]:
        """Put together what the path, the query or body, and the headers say."""
        takes = VERBS[route.verb].takes
        if call.method in {"GET", "DELETE"}:
            given = read_query(takes, parse_qsl(call.query, keep_blank_values=True))
        elif call.query:
            raise WrongArguments([Wrong("a query", "extra-forbidden", "arguments are in the body")])
        else:
            given = _object(call.body)
        from_elsewhere = set(route.places) | set(GUARDED.get(route.verb, "").split())
        if from_elsewhere & set(given):
            raise WrongArguments(
                [Wrong(one, "given-twice", "stands in the path or in If-Match alone")
                 for one in sorted(from_elsewhere & set(given))]
            )  # fmt: skip
        versions: dict[str, Json] = {}
        if route.verb in GUARDED:
            versions[GUARDED[route.verb]] = _version_asked(call.if_match)
        return {**given, **held, **versions}


def _object(body: bytes) -> dict[str, Json]:
    """Read a body in any spelling of JSON, as strictly as everything else that comes in."""
    try:
        loose = json.loads(
            body or b"{}", object_pairs_hook=_once_each, parse_float=_whole,
            parse_constant=_whole,
        )  # fmt: skip
        found = decode(orjson.dumps(loose, option=orjson.OPT_SORT_KEYS), bytes_max=BODY_BYTES_MAX)
    except (Rejected, ValueError, RecursionError, orjson.JSONEncodeError):
        raise own("not-json") from None
    if not isinstance(found, dict):
        raise own("not-json")
    return found


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Refuse a name that comes twice: two readers would take two different values."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("a name that comes twice")
    return found


def _whole(text: str) -> int:
    """Take 2.0 for 2, as canonical JSON does; refuse every other fraction, and what is none."""
    number = float(text)
    if not number.is_integer():  # nor are infinity and NaN
        raise Malformed("a number that is not whole")
    return int(number)


def _version_asked(if_match: str | None) -> int:
    """Read If-Match: one strong ETag of ours."""
    if if_match is None:
        raise own("version-needed")
    digits = if_match.strip().removeprefix('"').removesuffix('"')
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):  # noqa: PLR2004  (a count)
        raise own("version-unknown")
    return int(digits)


def _version(route: Route, body: bytes) -> str | None:
    name = VERSIONED.get(route.verb)
    if name is None:
        return None
    found = decode(body, bytes_max=len(body))
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return str(found) if isinstance(found, int) else None
