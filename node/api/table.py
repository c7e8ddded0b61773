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

_TABLE: Final = """
GET    /v1/status                            status
GET    /v1/outbox                            outbox
GET    /v1/work                              work.list
GET    /v1/work/calendar                     work.calendar

GET    /v1/cases                             case.list
POST   /v1/cases                             case.register
POST   /v1/cases/search                      case.search
POST   /v1/requests                          request.send
GET    /v1/cases/{case}                      case.show
GET    /v1/cases/{case}/identity             case.identity
GET    /v1/cases/{case}/manifests            case.manifests
GET    /v1/cases/{case}/receipts             case.receipts
GET    /v1/cases/{case}/print                case.print
GET    /v1/cases/{case}/bundle               case.bundle
GET    /v1/cases/{case}/proofs               case.proofs
POST   /v1/cases/{case}/use                  case.use
POST   /v1/cases/{case}/record               case.record
POST   /v1/cases/{case}/join                 case.join
POST   /v1/cases/{case}/refer                case.refer
POST   /v1/cases/{case}/hand_over            case.hand_over
POST   /v1/cases/{case}/links                case.link
POST   /v1/cases/{case}/members              case.let_in
DELETE /v1/cases/{case}/members/{login}      case.let_out
POST   /v1/cases/{case}/erase                case.erase
GET    /v1/cases/{case}/clocks               clock.list
POST   /v1/cases/{case}/clocks/{clock}/move  clock.move
POST   /v1/cases/{case}/clocks/{clock}/end   clock.end

GET    /v1/drafts                            draft.list
POST   /v1/drafts                            draft.create
GET    /v1/drafts/{draft}                    draft.show
PUT    /v1/drafts/{draft}                    draft.edit
GET    /v1/drafts/{draft}/print              draft.print
POST   /v1/drafts/{draft}/check              draft.check
POST   /v1/drafts/{draft}/submit             draft.submit
POST   /v1/drafts/{draft}/return             draft.return
POST   /v1/drafts/{draft}/approve            draft.approve
POST   /v1/drafts/{draft}/send               draft.send
POST   /v1/drafts/{draft}/cancel             draft.cancel

POST   /v1/statistics                        case.statistics

GET    /v1/law/kinds                         law.kinds
GET    /v1/law/kinds/{kind}                  law.kind
GET    /v1/law/bases                         law.bases
GET    /v1/law/bases/{basis}                 law.basis
GET    /v1/law/offences                      law.offences
GET    /v1/law/terms                         law.terms
GET    /v1/law/codes                         law.codes
GET    /v1/law/check                         law.check

GET    /v1/me                                user.me
POST   /v1/me/mail                           user.mail
POST   /v1/me/away                           user.away
GET    /v1/users                             user.list
POST   /v1/users                             user.add
POST   /v1/users/{login}/change              user.change
DELETE /v1/users/{login}                     user.end
GET    /v1/confirmations                     user.waiting
POST   /v1/confirmations                     user.confirm
GET    /v1/access-keys                       key.list
POST   /v1/access-keys                       key.make
DELETE /v1/access-keys/{name}                key.end

GET    /v1/network                           network.show
POST   /v1/network                           network.install
GET    /v1/keys                              keys.show
POST   /v1/keys/publish                      keys.publish

GET    /v1/audit/forks                       audit.forks
POST   /v1/audit/monitor                     audit.monitor
POST   /v1/audit/erase                       audit.erase
POST   /v1/audit/timestamps                  audit.timestamp
GET    /v1/audit/tokens                      audit.token.list
POST   /v1/audit/tokens                      audit.token.make
DELETE /v1/audit/tokens/{name}               audit.token.end

GET    /v1/webhooks                          webhook.list
POST   /v1/webhooks                          webhook.add
DELETE /v1/webhooks/{webhook}                webhook.end
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
            yield Route(verb, methods[method], path)


def routes(verbs: Iterable[str]) -> Mapping[str, Route]:
    """Give the places of these verbs; an event of a case stands under the case by its name."""
    known = {route.verb: route for route in _literal()}
    events = {
        f"case.{event}": Route(f"case.{event}", "POST", f"/v1/cases/{{case}}/{event}")
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
