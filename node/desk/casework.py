"""The verbs of cases: ask, answer, read, and keep what stands beside the messages.

There is one verb for each event of the life cycle, `case.EVENT`, made from its table.
Parses arguments and renders results; decides nothing about cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Final, Literal

from pydantic import Field

from node.access import roles
from node.access.roles import Role
from node.cases.drafts import TRANSMIT, Target, Text
from node.cases.history import bodies, history
from node.cases.keeping import RELATIONS
from node.desk.arguments import Arguments, CaseName, Texts, spoken
from node.desk.case_files import OneCase
from node.desk.case_view import PROTECTED, Opened, opened_case
from node.desk.drafting import shown_draft, shown_letter
from node.desk.listing import listed
from node.desk.tools import Language, ManifestJson, casework, kind_word, read_manifest
from node.desk.verb import Desk, Result, Verb
from node.outbox import Posted
from node.storage import Connection, link_rows, member_rows, person_rows, standing_rows
from node.storage.link_rows import CaseFilter, ListedCase
from protocol.encoding import Json
from protocol.errors import Malformed
from protocol.identity import check_authority_id
from protocol.lifecycle import EVENTS, RULES, Event

LISTED_MAX: Final = 500
_CURSOR: Final = "at:"


class SendRequest(Arguments):
    """A request that opens a case, of a kind that takes no second person before."""

    to: str
    kind: str
    body: Texts
    manifest: ManifestJson = None


class MakeStep(Arguments):
    """One step in a case; the names of its fields are those of the event."""

    case: CaseName
    body: Texts = Field(default_factory=dict)
    manifest: ManifestJson = None


class PrintCase(Arguments):
    """Which case, and in which language the labels are to be."""

    case: CaseName
    language: Language = "en"


class ListCases(Arguments):
    """Which cases to list; what is not given restricts nothing."""

    state: str | None = None
    peer: str | None = None
    kind: str | None = None
    side: Literal["requesting", "requested"] | None = None
    officer: Annotated[str | None, Field(description="A login.")] = None
    reference: Annotated[str | None, Field(description="Ours or theirs, exactly.")] = None
    after: Annotated[str | None, Field(description="`next` of the page before.")] = None
    count: Annotated[int, Field(ge=1, le=LISTED_MAX)] = 100


class Refer(Arguments):
    """The reference that we give a case."""

    case: CaseName
    reference: str


class HandOver(Arguments):
    """Who is in charge from now on."""

    case: CaseName
    to: Annotated[str, Field(description="A login.")]


class LinkCase(Arguments):
    """What another case, here or elsewhere, is to this one."""

    case: CaseName
    relation: Annotated[str, Field(description=f"One of: {', '.join(RELATIONS)}.")]
    other: Annotated[str, Field(description="A case here, or what one is called elsewhere.")]


# --- saying something ------------------------------------------------------------------------


def _request_send(desk: Desk, args: SendRequest) -> Result:
    target = Target(check_authority_id(args.to), kind=kind_word(args.kind))
    text, sending = Text(spoken(args.body), read_manifest(args.manifest)), casework(desk).sending
    posted = desk.unit(lambda tx: sending.send_at_once(tx, desk.asking, target, text))
    return _posted("comity.request/1", posted)


def _step(event: str, desk: Desk, args: MakeStep) -> Result:
    text, sending = Text(spoken(args.body), read_manifest(args.manifest)), casework(desk).sending
    said = desk.unit(lambda tx: sending.say(tx, desk.asking, args.case, event, text))
    if isinstance(said, Posted):
        return _posted("comity.event/1", said)
    return desk.database.read(lambda conn: shown_draft(conn, said))


def _posted(schema: str, posted: Posted) -> Result:
    return {
        "schema": schema,
        "case": posted.case,
        "message": posted.identity,
        "seq": posted.seq,
        "state": "queued",
    }


# --- reading ---------------------------------------------------------------------------------


def _case_list(desk: Desk, args: ListCases) -> Result:
    def work(conn: Connection) -> Result:
        names = person_rows.person_names(conn)
        wanted = _filter(args, names)
        found = link_rows.list_standing_cases(conn, wanted, desk.asking, desk.clock.now())
        page, more = found[: args.count], len(found) > args.count
        dues = link_rows.next_dues(conn, [one.case.id for one in page])
        return {
            "schema": "comity.cases/1",
            "cases": [listed(one, names, dues.get(one.case.id)) for one in page],
            "next": _cursor(page[-1]) if more else None,
        }

    return desk.database.read(work)


def _filter(args: ListCases, names: Mapping[str, str]) -> CaseFilter:
    officer = args.officer
    if officer is not None:
        officer = next((one for one, name in names.items() if name == officer), officer)
    return CaseFilter(
        args.state, args.peer, args.kind, args.side, officer, args.reference,
        None if args.after is None else _place(args.after), args.count + 1,
    )  # fmt: skip


def _cursor(last: ListedCase) -> str:
    return f"{_CURSOR}{last.case.changed_at}:{last.case.id}"


def _place(cursor: str) -> tuple[int, str]:
    at, _, case = cursor.removeprefix(_CURSOR).partition(":")
    if not cursor.startswith(_CURSOR) or not at.isascii() or not at.isdigit() or len(at) > 16:  # noqa: PLR2004  (digits of 2^53)
        raise Malformed("after is the `next` of a page that was given before")
    return int(at), case


def _case_show(desk: Desk, args: OneCase) -> Result:
    return desk.database.read(lambda conn: opened_case(open_case(desk, conn, args.case)))


def open_case(desk: Desk, conn: Connection, name: str) -> Opened:
    """Read all that is known of a case."""
    shown = desk.register.show(conn, name)
    case, tools = shown.case, casework(desk)
    standing = standing_rows.read_standing(conn, case.id)
    on_wire = standing is None or bool(standing.on_wire)
    return Opened(
        shown, standing, history(shown), desk.register.moves(conn, case, desk.clock.now()),
        tools.keeping.related(conn, case.id), member_rows.list_members(conn, case.id),
        [] if on_wire else tools.papers.steps(conn, case),
        person_rows.person_names(conn), link_rows.next_dues(conn, [case.id]).get(case.id),
    )  # fmt: skip


def _case_print(desk: Desk, args: PrintCase) -> Result:
    """The request of a case as a letter."""

    def work(conn: Connection) -> tuple[str, Mapping[str, Json]]:
        one = open_case(desk, conn, args.case)
        said = bodies(one.shown, TRANSMIT)  # a peer may begin with anything
        said += [each.body for each in one.steps if each.stored.event == TRANSMIT]
        return one.shown.case.request_kind, said[0] if said else {}

    kind, body = desk.database.read(work)
    return shown_letter(desk, kind, body, args.language)


def _case_identity(desk: Desk, args: OneCase) -> Result:
    """Who the protected persons of a case are; admitted and recorded as no other reading."""

    def work(conn: Connection) -> Result:
        shown = desk.register.show(conn, args.case)
        found: list[Json] = [dict(one) for one in bodies(shown, PROTECTED)]
        return {"schema": "comity.identities/1", "case": shown.case.id, "identities": found}

    return desk.database.read(work)


# --- keeping ---------------------------------------------------------------------------------


def _case_refer(desk: Desk, args: Refer) -> Result:
    keeping = casework(desk).keeping
    case = desk.unit(lambda tx: keeping.refer(tx, args.case, args.reference))
    return {"schema": "comity.reference/1", "case": case.id, "own_ref": args.reference}


def _case_hand_over(desk: Desk, args: HandOver) -> Result:
    keeping = casework(desk).keeping
    case, posted = desk.unit(lambda tx: keeping.hand_over(tx, args.case, args.to))
    told = None if posted is None else posted.identity
    return {"schema": "comity.hand-over/1", "case": case.id, "officer": args.to, "message": told}


def _case_link(desk: Desk, args: LinkCase) -> Result:
    keeping, by = casework(desk).keeping, desk.asking
    case, other = desk.unit(
        lambda tx: keeping.link(tx, args.case, args.relation, args.other, by=by)
    )
    return {
        "schema": "comity.link/1", "case": case.id, "relation": args.relation, "other": other,
    }  # fmt: skip


def _case_resend(desk: Desk, args: OneCase) -> Result:
    case = desk.unit(lambda tx: desk.register.send_again(tx, args.case))
    return {"schema": "comity.case-undelivered/1", "case": case.id, "state": "SENT"}


def _case_abandon(desk: Desk, args: OneCase) -> Result:
    case = desk.unit(lambda tx: desk.register.abandon(tx, args.case))
    return {"schema": "comity.case-undelivered/1", "case": case.id, "state": "CLOSED"}


# --- the verbs -------------------------------------------------------------------------------

_BY_NODE: Final = "node"
_ANYBODY: Final = frozenset({
    "note", "translation", "language_waiver", "incident_notice", "feedback", "status_query",
})  # fmt: skip
"""Steps that decide nothing: whoever works on the case may make them."""

_URGENT: Final = frozenset({
    "acknowledge", "extension_requested", "request_information", "provide_information",
})  # fmt: skip
"""Steps that a duty officer makes too, when nobody else is there."""

STEPS: Final[tuple[Event, ...]] = tuple(
    EVENTS[name]
    for name in dict.fromkeys(rule.event for rule in RULES if rule.scope == "shared")
    if name != "transmit" and EVENTS[name].role != _BY_NODE
)
"""Every event that a person makes in a case."""


def may_make(event: Event) -> frozenset[Role]:
    """Say which roles make a step."""
    if event.name in _ANYBODY:
        return roles.CASEWORK
    alone = frozenset({Role(event.role)})
    return alone | {Role.DUTY_OFFICER} if event.name in _URGENT else alone


_READERS: Final = roles.CASEWORK | roles.AUDITING
_INQUIRING: Final = frozenset({
    Role.DRAFTER, Role.APPROVER, Role.OFFICER, Role.CASE_OFFICER, Role.DUTY_OFFICER,
})  # fmt: skip
CASEWORK: Final[Mapping[str, Verb]] = {
    "request.send": Verb(_request_send, SendRequest, _INQUIRING, writes=True, needs_keys=True),
    "case.list": Verb(_case_list, ListCases, _READERS),
    "case.show": Verb(_case_show, OneCase, _READERS, needs_keys=True, opens=True),
    "case.print": Verb(_case_print, PrintCase, _READERS, needs_keys=True, opens=True),
    "case.identity": Verb(
        _case_identity, OneCase, roles.CASEWORK, needs_keys=True, opens=True, reach="protected"
    ),
    "case.resend": Verb(
        _case_resend, OneCase, frozenset({Role.OFFICER}), writes=True, needs_keys=True
    ),
    "case.abandon_undelivered": Verb(
        _case_abandon, OneCase, frozenset({Role.APPROVER}), writes=True, needs_keys=True
    ),
    "case.refer": Verb(_case_refer, Refer, roles.CASEWORK, writes=True, needs_keys=True),
    "case.hand_over": Verb(
        _case_hand_over, HandOver, roles.CASEWORK, writes=True, needs_keys=True, reach="assign"
    ),
    "case.link": Verb(_case_link, LinkCase, roles.CASEWORK, writes=True, needs_keys=True),
    **{
        f"case.{event.name}": Verb(
            partial(_step, event.name), MakeStep, may_make(event), writes=True, needs_keys=True
        )
        for event in STEPS
    },
}
