"""The verbs of drafts: write, have checked, have approved, send.

Parses arguments and renders results; what a draft may become is `node.cases.drafts`' business.
A change names the version that it changes, so that nobody overwrites what they have not seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from node.access import roles
from node.access.check import knows_draft
from node.access.roles import Role
from node.cases.drafts import Draft, Target, Text
from node.cases.letters import letter
from node.desk.arguments import Arguments, CaseName, Texts, spoken
from node.desk.tools import Language, ManifestJson, casework, kind_word, read_manifest
from node.desk.verb import Desk, Result, Verb
from node.outbox import Posted
from node.storage import Connection, draft_rows, person_rows
from node.storage.draft_rows import StoredDraft
from node.storage.member_rows import DraftPlace
from protocol.encoding import Json
from protocol.errors import Malformed
from protocol.identity import check_authority_id
from protocol.limits import INTEGER_MAX

LISTED_MAX: Final = 500
_PAGE: Final = 200

DraftName = Annotated[str, Field(max_length=64, description="A draft's id, or how it begins.")]
Version = Annotated[
    int,
    Field(
        ge=1,
        le=INTEGER_MAX,
        description="The version that was looked at; a newer one is never touched.",
    ),
]


class CreateDraft(Arguments):
    """A request that is begun."""

    to: str
    kind: str
    body: Texts = Field(default_factory=dict)
    manifest: ManifestJson = None


class EditDraft(Arguments):
    """A better version of a draft, whole."""

    draft: DraftName
    version: Version
    body: Texts
    manifest: ManifestJson = None


class OneDraft(Arguments):
    """Which draft."""

    draft: DraftName


class PrintDraft(Arguments):
    """Which draft, and in which language its labels are to be."""

    draft: DraftName
    language: Language = "en"


class OneVersion(Arguments):
    """Which version of which draft."""

    draft: DraftName
    version: Version


class ReturnDraft(Arguments):
    """Why a version goes back to its writers."""

    draft: DraftName
    version: Version
    comment: Annotated[str, Field(min_length=1, max_length=20_000)]


class CancelDraft(Arguments):
    """Why a draft is given up."""

    draft: DraftName
    reasons: Annotated[str, Field(min_length=1, max_length=20_000)]


class ListDrafts(Arguments):
    """Which drafts to list; what is not given restricts nothing."""

    state: str | None = None
    case: CaseName | None = None
    after: Annotated[str | None, Field(description="`next` of the page before.")] = None
    count: Annotated[int, Field(ge=1, le=LISTED_MAX)] = 100


# --- writing ---------------------------------------------------------------------------------


def _draft_create(desk: Desk, args: CreateDraft) -> Result:
    kind = kind_word(args.kind)
    target = Target(check_authority_id(args.to), kind=kind)
    text = Text(spoken(args.body), read_manifest(args.manifest))
    tools = casework(desk)
    if tools.checks.kind(kind) is None:
        raise Malformed("no kind of request is called that: `comity law kinds` lists them")
    return _shown(desk, desk.unit(lambda tx: tools.drafts.create(tx, target, text)))


def _draft_edit(desk: Desk, args: EditDraft) -> Result:
    text, drafts = Text(spoken(args.body), read_manifest(args.manifest)), casework(desk).drafts
    saved = desk.unit(lambda tx: drafts.edit(tx, args.draft, version=args.version, text=text))
    return _shown(desk, saved)


# --- reading ---------------------------------------------------------------------------------


def _draft_show(desk: Desk, args: OneDraft) -> Result:
    drafts = casework(desk).drafts
    return desk.database.read(lambda conn: shown_draft(conn, drafts.find(conn, args.draft)))


def _draft_check(desk: Desk, args: OneDraft) -> Result:
    drafts, now = casework(desk).drafts, desk.clock.now()

    def work(conn: Connection) -> Result:
        draft = drafts.find(conn, args.draft)
        return {**drafts.check(conn, draft, now).to_json(), "draft": draft.id,
                "version": draft.stored.version}  # fmt: skip

    return desk.database.read(work)


def _draft_print(desk: Desk, args: PrintDraft) -> Result:
    tools = casework(desk)
    draft = desk.database.read(lambda conn: tools.drafts.find(conn, args.draft))
    return shown_letter(desk, draft.stored.request_kind or "", draft.written.body, args.language)


def shown_letter(desk: Desk, kind: str, body: Mapping[str, Json], language: str) -> Result:
    """Give a request as a letter."""
    text = letter(casework(desk).checks.law, kind, body, language=language)
    return {"schema": "comity.letter/1", "language": language, "text": text}


def _draft_list(desk: Desk, args: ListDrafts) -> Result:
    """Drafts that this person may see; what is in them is not shown."""
    before = None if args.after is None else _place(args.after)
    found: list[StoredDraft] = []
    with_more = args.count + 1

    def work(conn: Connection) -> Mapping[str, str]:
        place, page = before, [None] * _PAGE
        while len(found) < with_more and len(page) == _PAGE:
            rows = draft_rows.list_drafts(
                conn, states=[args.state] if args.state else [], case=args.case,
                before=place, count_max=_PAGE,
            )  # fmt: skip
            found.extend(one for one in rows if _may_see(desk, conn, one))
            page = [None] * len(rows)
            place = (rows[-1].changed_at, rows[-1].id) if rows else place
        return person_rows.person_names(conn)

    names = desk.database.read(work)
    page, more = found[: args.count], len(found) > args.count
    return {
        "schema": "comity.drafts/1",
        "drafts": [_row(one, names) for one in page],
        "next": f"at:{page[-1].changed_at}:{page[-1].id}" if more else None,
    }


def _may_see(desk: Desk, conn: Connection, one: StoredDraft) -> bool:
    people = {*one.writers.split(), one.submitted_by or "", one.approved_by or ""} - {""}
    place = DraftPlace(one.id, one.case_id, one.state, frozenset(people))
    return knows_draft(conn, desk.asking, place, desk.clock.now())


def _place(cursor: str) -> tuple[int, str]:
    word, _, rest = cursor.partition(":")
    at, _, draft = rest.partition(":")
    if word != "at" or not at.isascii() or not at.isdigit() or len(at) > 16:  # noqa: PLR2004  (digits of 2^53)
        raise Malformed("after is the `next` of a page that was given before")
    return int(at), draft


# --- being seen by another, and going out ----------------------------------------------------


def _draft_submit(desk: Desk, args: OneVersion) -> Result:
    drafts, by = casework(desk).drafts, desk.asking
    given = desk.unit(lambda tx: drafts.submit(tx, by, args.draft, version=args.version))
    return _shown(desk, given)


def _draft_return(desk: Desk, args: ReturnDraft) -> Result:
    drafts = casework(desk).drafts
    back = desk.unit(
        lambda tx: drafts.give_back(tx, args.draft, version=args.version, comment=args.comment)
    )
    return _shown(desk, back)


def _draft_approve(desk: Desk, args: OneVersion) -> Result:
    sending, by = casework(desk).sending, desk.asking
    draft, posted = desk.unit(lambda tx: sending.approve(tx, by, args.draft, version=args.version))
    return {**_shown(desk, draft), "posted": None if posted is None else _sent(posted)}


def _draft_send(desk: Desk, args: OneDraft) -> Result:
    sending, by = casework(desk).sending, desk.asking
    posted = desk.unit(lambda tx: sending.send(tx, by, args.draft))
    return {"schema": "comity.request/1", **_sent(posted)}


def _draft_cancel(desk: Desk, args: CancelDraft) -> Result:
    drafts = casework(desk).drafts
    return _shown(desk, desk.unit(lambda tx: drafts.cancel(tx, args.draft, reasons=args.reasons)))


def _sent(posted: Posted) -> Result:
    return {
        "case": posted.case,
        "message": posted.identity,
        "seq": posted.seq,
        "state": "queued",
    }


# --- rendering -------------------------------------------------------------------------------


def _shown(desk: Desk, draft: Draft) -> Result:
    return desk.database.read(lambda conn: shown_draft(conn, draft))


def shown_draft(conn: Connection, draft: Draft) -> Result:
    """Give a draft whole, for whoever may see it."""
    names, manifest = person_rows.person_names(conn), draft.written.manifest
    evidence: Json = None
    if manifest is not None:
        evidence = {"items": len(manifest.items), "sha256": manifest.digest}
    return {
        "schema": "comity.draft/1",
        **_row(draft.stored, names),
        "digest": draft.digest,
        "body": dict(draft.written.body),
        "evidence": evidence,
        "notes": [
            {**one.to_json(), "by": names.get(one.by, one.by)} for one in draft.written.notes
        ],
    }


def _row(one: StoredDraft, names: Mapping[str, str]) -> Result:
    def name(person: str | None) -> str | None:
        return None if person is None else names.get(person, person)

    return {
        "draft": one.id,
        "case": one.case_id,
        "to": one.peer,
        "event": one.event,
        "kind": one.request_kind,
        "state": one.state,
        "version": one.version,
        "writers": [names.get(each, each) for each in one.writers.split()],
        "submitted_by": name(one.submitted_by),
        "approved_by": name(one.approved_by),
        "approved": one.approved_at,
        "message": one.message,
        "created": one.created_at,
        "changed": one.changed_at,
    }


_WRITERS: Final = frozenset({
    Role.DRAFTER, Role.APPROVER, Role.OFFICER, Role.CASE_OFFICER, Role.DUTY_OFFICER,
    Role.DECISION_OFFICER,
})  # fmt: skip
_SECOND: Final = frozenset({Role.APPROVER, Role.DECISION_OFFICER})
_SENDERS: Final = frozenset({Role.OFFICER, Role.DUTY_OFFICER})

DRAFTING: Final[Mapping[str, Verb]] = {
    "draft.create": Verb(_draft_create, CreateDraft, _WRITERS, writes=True, needs_keys=True),
    "draft.edit": Verb(_draft_edit, EditDraft, _WRITERS, writes=True, needs_keys=True),
    "draft.show": Verb(_draft_show, OneDraft, roles.CASEWORK, needs_keys=True, opens=True),
    "draft.check": Verb(_draft_check, OneDraft, roles.CASEWORK, needs_keys=True, opens=True),
    "draft.print": Verb(_draft_print, PrintDraft, roles.CASEWORK, needs_keys=True, opens=True),
    "draft.list": Verb(_draft_list, ListDrafts, roles.CASEWORK),
    "draft.submit": Verb(_draft_submit, OneVersion, _WRITERS, writes=True, needs_keys=True),
    "draft.return": Verb(
        _draft_return, ReturnDraft, _SECOND | {Role.OFFICER}, writes=True, needs_keys=True
    ),
    "draft.approve": Verb(_draft_approve, OneVersion, _SECOND, writes=True, needs_keys=True),
    "draft.send": Verb(_draft_send, OneDraft, _SENDERS, writes=True, needs_keys=True),
    "draft.cancel": Verb(
        _draft_cancel, CancelDraft, _SECOND | _WRITERS, writes=True, needs_keys=True
    ),
}
