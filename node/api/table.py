"""Which verb stands where: one literal table from verbs to methods and paths.

Reading is GET with a query, writing is POST; a draft, which has versions, is also PUT. What
is looked for is content, so searching is POST too: no URL holds any. A verb that is not in
the table and not among `LEFT_OUT` fails a test. Knows no argument of any verb.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias
from urllib.parse import unquote

from protocol.errors import Malformed
from protocol.lifecycle_events import EVENTS

Method: TypeAlias = Literal["GET", "POST", "PUT", "DELETE"]

_ROOT: Final = "/v1"

_TABLE: Final = """
GET    /status                               status
GET    /outbox                               outbox
GET    /work                                 work.list
GET    /work/calendar                        work.calendar

GET    /cases                                case.list
POST   /cases                                case.register
POST   /cases/search                         case.search
POST   /requests                             request.send
GET    /cases/{case}                         case.show
GET    /cases/{case}/identity                case.identity
GET    /cases/{case}/manifests               case.manifests
GET    /cases/{case}/receipts                case.receipts
GET    /cases/{case}/print                   case.print
GET    /cases/{case}/bundle                  case.bundle
GET    /cases/{case}/proofs                  case.proofs
POST   /cases/{case}/record                  case.record
POST   /cases/{case}/join                    case.join
POST   /cases/{case}/refer                   case.refer
POST   /cases/{case}/hand_over               case.hand_over
POST   /cases/{case}/links                   case.link
POST   /cases/{case}/members                 case.let_in
DELETE /cases/{case}/members/{login}         case.let_out
POST   /cases/{case}/erase                   case.erase
GET    /cases/{case}/clocks                  clock.list
POST   /cases/{case}/clocks/{clock}/move     clock.move
POST   /cases/{case}/clocks/{clock}/end      clock.end

GET    /drafts                               draft.list
POST   /drafts                               draft.create
GET    /drafts/{draft}                       draft.show
PUT    /drafts/{draft}                       draft.edit
GET    /drafts/{draft}/print                 draft.print
POST   /drafts/{draft}/check                 draft.check
POST   /drafts/{draft}/submit                draft.submit
POST   /drafts/{draft}/return                draft.return
POST   /drafts/{draft}/approve               draft.approve
POST   /drafts/{draft}/send                  draft.send
POST   /drafts/{draft}/cancel                draft.cancel

POST   /statistics                           case.statistics

GET    /law/kinds                            law.kinds
GET    /law/kinds/{kind}                     law.kind
GET    /law/bases                            law.bases
GET    /law/bases/{basis}                    law.basis
GET    /law/offences                         law.offences
GET    /law/terms                            law.terms
GET    /law/codes                            law.codes
GET    /law/check                            law.check

GET    /me                                   user.me
POST   /me/mail                              user.mail
POST   /me/away                              user.away
GET    /users                                user.list
POST   /users                                user.add
POST   /users/{login}/change                 user.change
DELETE /users/{login}                        user.end
GET    /confirmations                        user.waiting
POST   /confirmations                        user.confirm
GET    /access-keys                          key.list
POST   /access-keys                          key.make
DELETE /access-keys/{name}                   key.end

GET    /network                              network.show
POST   /network                              network.install
GET    /keys                                 keys.show
POST   /keys/publish                         keys.publish

GET    /audit/forks                          audit.forks
POST   /audit/monitor                        audit.monitor
POST   /audit/erase                          audit.erase
POST   /audit/timestamps                     audit.timestamp
GET    /audit/tokens                         audit.token.list
POST   /audit/tokens                         audit.token.make
DELETE /audit/tokens/{name}                  audit.token.end

GET    /webhooks                             webhook.list
POST   /webhooks                             webhook.add
DELETE /webhooks/{webhook}                   webhook.end
"""

LEFT_OUT: Final[Mapping[str, str]] = {
    "keys.rotate": "takes the passphrase of the key file, which does not leave the machine",
}
"""Verbs without a path, each with its reason."""

SHOWN_ONCE: Final = frozenset({"audit.token.make", "key.make"})
"""Verbs whose answer holds a secret: it is not kept for a repeat of the request."""

VERSIONED: Final[Mapping[str, str]] = {"draft.show": "version", "draft.edit": "version"}
"""Verbs about something with versions, and where the answer has the version: the ETag."""

GUARDED: Final[Mapping[str, str]] = {"draft.edit": "version"}
"""Verbs that take the version which they replace, as this argument: it comes as If-Match."""


@dataclass(frozen=True, slots=True)
class Route:
    """One verb at its place."""

    verb: str
    method: Method
    path: str

    @property
    def parts(self) -> tuple[str, ...]:
        """The path between its slashes."""
        return tuple(self.path.split("/")[1:])

    @property
    def places(self) -> tuple[str, ...]:
        """The arguments that stand in the path."""
        return tuple(part[1:-1] for part in self.parts if part.startswith("{"))

    def match(self, parts: tuple[str, ...]) -> dict[str, str] | None:
        """Give the arguments that a path holds, or None if it is another path."""
        if len(parts) != len(self.parts):
            return None
        found: dict[str, str] = {}
        for own, given in zip(self.parts, parts, strict=True):
            if own.startswith("{"):
                found[own[1:-1]] = given
            elif own != given:
                return None
        return found


def _literal() -> Iterator[Route]:
    methods: Mapping[str, Method] = {one: one for one in ("GET", "POST", "PUT", "DELETE")}
    for line in _TABLE.split("\n"):
        if line:
            method, path, verb = line.split()
            yield Route(verb, methods[method], _ROOT + path)


def routes(verbs: Iterable[str]) -> Mapping[str, Route]:
    """Give the places of these verbs; an event of a case stands under the case by its name."""
    known = {route.verb: route for route in _literal()}
    events = {
        f"case.{event}": Route(f"case.{event}", "POST", f"{_ROOT}/cases/{{case}}/{event}")
        for event in EVENTS
    }
    all_of_them = {**events, **known}
    return {verb: all_of_them[verb] for verb in verbs if verb in all_of_them}


def split_path(raw: str) -> tuple[str, ...]:
    """Take a path apart as it came, so that a slash inside a name (%2F) divides nothing."""
    if not raw.startswith("/"):
        raise Malformed("a request target that is no path")
    try:
        return tuple(unquote(part, errors="strict") for part in raw.split("/")[1:])
    except UnicodeDecodeError as fault:
        raise Malformed("a path that is not text in UTF-8") from fault
