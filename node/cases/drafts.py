"""Drafts: what is written before it is said, and who has to see it first.

    draft = drafts.create(tx, Target("qm.justice", kind="MLA_BANK_RECORDS"), text)
    drafts.submit(tx, by, draft.id, version=1)      # checked: what blocks is named
    drafts.approve(tx, another, draft.id, version=1)

A draft never leaves the node. It moves by the drafting rules of the life cycle; an approval
stands for one version and the digest of its text, by somebody who wrote nothing of it, and
any change voids it. Requests are approved and then sent; an event that takes two persons
(a refusal) is posted by its approval. Every step is in the log, by ids and digests alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from node.access.roles import Person, Role
from node.audit.casework_records import (
    DraftApproved,
    DraftCancelled,
    DraftReturned,
    DraftSaved,
    DraftSent,
    DraftSubmitted,
)
from node.cases.checks import Checks
from node.cases.completeness.report import Report
from node.cases.draft_text import NOTES_MAX, SALT_BYTES, Note, Written, open_written
from node.cases.evidence_in_body import with_manifest
from node.cases.faults import (
    DraftNotFound,
    Incomplete,
    NeedsAnother,
    NotYours,
    Stale,
    WrongState,
)
from node.cases.feed import DRAFT_CHANGED
from node.cases.register import Register
from node.evidence.manifest import Manifest
from node.storage import Connection, draft_rows, happening_rows
from node.storage.draft_rows import StoredDraft
from node.storage.vault import Vault
from node.storage.writer import Tx
from protocol.encoding import Json
from protocol.lifecycle import EVENTS, RULES, Rule, State

TRANSMIT: Final = "transmit"
DRAFTING: Final[Mapping[tuple[str, str], Rule]] = {
    (str(rule.source), rule.event): rule for rule in RULES if rule.scope == "drafting"
}
_ID_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Target:
    """What a draft is to become: a request to somebody, or an event of a case."""

    to: str
    event: str = TRANSMIT
    kind: str | None = None
    case: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """What is typed: the body, and the manifest of the evidence that goes with it."""

    body: Mapping[str, Json] = field(repr=False)
    manifest: Manifest | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as it stands, with its text open."""

    stored: StoredDraft
    written: Written = field(repr=False)

    @property
    def id(self) -> str:
        """Its random id."""
        return self.stored.id

    @property
    def digest(self) -> str:
        """What an approval of this version stands for."""
        return self.written.digest(self.stored)

    @property
    def is_request(self) -> bool:
        """Whether it is to open a case."""
        return self.stored.event == TRANSMIT

    @property
    def wrote(self) -> frozenset[str]:
        """The ids of all who wrote at it."""
        return frozenset(self.stored.writers.split())


class Drafts:
    """The drafts of one authority."""

    def __init__(
        self, network: str, vault: Vault, register: Register, checks: Checks,
        random: Callable[[int], bytes],
    ) -> None:  # fmt: skip
        """Keep drafts whose texts `vault` seals, and that `register` sends."""
        self.network = network
        self._vault = vault
        self._register = register
        self._checks = checks
        self._random = random

    # --- writing -------------------------------------------------------------

    def create(self, tx: Tx, target: Target, text: Text) -> Draft:
        """Begin a draft; its id is random and says nothing of what is in it."""
        made = self._random(_ID_BYTES).hex()
        stored = StoredDraft(
            made, target.case, target.to, target.event, target.kind, str(State.DRAFT), 1,
            self._vault.new_key(made), b"", tx.by or "", None, None, None, None, tx.now, tx.now,
        )  # fmt: skip
        written = Written(text.body, text.manifest, self._random(SALT_BYTES))
        stored = replace(stored, sealed_text=written.seal(self._vault, made, 1, stored.wrapped_key))
        draft_rows.insert_draft(tx.conn, stored)
        _note(tx, stored)
        draft = Draft(stored, written)
        tx.record(DraftSaved(self.network, tx.now, made, 1, draft.digest, by=tx.by))
        return draft

    def edit(self, tx: Tx, name: str, *, version: int, text: Text) -> Draft:
        """Save a new version over `version`; an approval that was given is void."""
        draft = self._current(tx, name, version)
        if draft.stored.state != State.DRAFT:
            self._rule(draft, "edit")
        salt = self._random(SALT_BYTES)
        written = replace(draft.written, body=text.body, manifest=text.manifest, salt=salt)
        writers = dict.fromkeys([*draft.stored.writers.split(), tx.by or ""])
        saved = self._save(
            tx, draft, written, version=version + 1, state=str(State.DRAFT),
            writers=" ".join(writers).strip(), submitted_by=None, approved_by=None,
            approved_at=None,
        )  # fmt: skip
        tx.record(DraftSaved(self.network, tx.now, saved.id, version + 1, saved.digest, by=tx.by))
        return saved

    # --- being seen by another -----------------------------------------------

    def submit(self, tx: Tx, by: Person, name: str, *, version: int) -> Draft:
        """Give a version to a second person, if nothing blocks it.

        Who submits an event answers for it as the first person, whoever wrote at it.
        """
        draft = self._current(tx, name, version)
        rule = self._rule(draft, "submit_for_approval")
        role = Role(EVENTS[draft.stored.event].role)
        if not draft.is_request and not by.holds(frozenset({role})):
            raise NotYours(f"This draft is submitted by a person with the role {role}.")
        self.require_complete(tx, draft)
        moved = self._move(tx, draft, rule, submitted_by=tx.by)
        tx.record(DraftSubmitted(self.network, tx.now, moved.id, version, moved.digest, by=tx.by))
        return moved

    def give_back(self, tx: Tx, name: str, *, version: int, comment: str) -> Draft:
        """Give a version back to its writers, with a comment."""
        draft = self._current(tx, name, version)
        rule = self._rule(draft, "return_to_drafter")
        noted = self._noted(tx, draft, rule.event, comment)
        moved = self._save(
            tx, draft, noted, version=version, state=str(rule.target), submitted_by=None
        )
        tx.record(DraftReturned(self.network, tx.now, moved.id, version, moved.digest, by=tx.by))
        return moved

    def approve(self, tx: Tx, by: Person, name: str, *, version: int) -> Draft:
        """Approve a version as its second person."""
        draft = self._current(tx, name, version)
        rule = self._rule(draft, "approve")
        if tx.by is None or tx.by in draft.wrote or tx.by == draft.stored.submitted_by:
            raise NeedsAnother(
                "You wrote or submitted this version, so somebody else approves it: ask a "
                "second person to look at it with `comity draft show`."
            )
        if not by.holds(_approvers(draft)):
            wanted = ", ".join(sorted(_approvers(draft)))
            raise NotYours(f"This draft is approved by a person of one of the roles: {wanted}.")
        self.require_complete(tx, draft)
        moved = self._move(tx, draft, rule, approved_by=tx.by, approved_at=tx.now)
        tx.record(DraftApproved(self.network, tx.now, moved.id, version, moved.digest, by=tx.by))
        return moved

    def cancel(self, tx: Tx, name: str, *, reasons: str) -> Draft:
        """Give a draft up before it is sent; why is kept with it."""
        draft = self.find(tx.conn, name, lock=True)
        rule = self._rule(draft, "cancel")
        noted = self._noted(tx, draft, rule.event, reasons)
        version = draft.stored.version
        moved = self._save(tx, draft, noted, version=version, state=str(rule.target))
        tx.record(DraftCancelled(self.network, tx.now, moved.id, version, moved.digest, by=tx.by))
        return moved

    def sent(self, tx: Tx, draft: Draft, case: str, identity: str) -> Draft:
        """Keep that a draft has become a message."""
        changes = {"state": str(State.SENT), "case_id": case, "message": identity}
        version, digest = draft.stored.version, draft.digest
        draft_rows.change_draft(tx.conn, draft.id, changed_at=tx.now, **changes)
        _note(tx, draft.stored)
        tx.record(DraftSent(self.network, tx.now, draft.id, version, digest, identity, by=tx.by))
        return self.find(tx.conn, draft.id)

    # --- reading -------------------------------------------------------------

    def find(self, conn: Connection, name: str, *, lock: bool = False) -> Draft:
        """Find a draft by its id, or by how it begins, and open its text."""
        found = draft_rows.find_drafts(conn, name)
        if len(found) != 1:
            why = "No draft is called that" if not found else "Several drafts begin like that"
            raise DraftNotFound(f"{why}: `comity draft list` shows their ids.")
        stored = draft_rows.read_draft(conn, found[0], lock=lock)
        if stored is None:
            raise DraftNotFound("The draft has just gone: `comity draft list` shows the others.")
        return Draft(stored, open_written(self._vault, stored))

    def check(self, conn: Connection, draft: Draft, now: int) -> Report:
        """Say what is missing or doubtful in a draft; changes nothing."""
        stored = draft.stored
        body = whole_body(draft.written.body, draft.written.manifest)
        if stored.case_id is not None and not draft.is_request:
            case = self._register.find(conn, stored.case_id, readable=True)
            shown = self._register.show(conn, case.id)
            return self._checks.event(shown, stored.event, body, now)
        return self._checks.request(stored.peer, stored.request_kind or "", body, now)

    # --- moving --------------------------------------------------------------

    def require_complete(self, tx: Tx, draft: Draft) -> None:
        """Raise `Incomplete` if something blocks a draft."""
        report = self.check(tx.conn, draft, tx.now)
        if not report.may_be_sent:
            where = (
                f"The text is safe in the draft: `comity draft check {draft.id[:8]}` shows what "
                "is missing, `comity draft edit` saves a better version."
            )
            raise Incomplete(report, where)

    def _current(self, tx: Tx, name: str, version: int) -> Draft:
        """Find a draft for a change of the version that the person has seen."""
        draft = self.find(tx.conn, name, lock=True)
        if version != draft.stored.version:
            raise Stale(draft.id, version, draft.stored.version)
        return draft

    @staticmethod
    def _rule(draft: Draft, event: str) -> Rule:
        state = draft.stored.state
        found = DRAFTING.get((state, event))
        if found is None:
            able = ", ".join(one for at, one in DRAFTING if at == state) or "nothing any more"
            raise WrongState(f"A draft that is {state} allows: {able.replace('_', ' ')}.")
        return found

    def _noted(self, tx: Tx, draft: Draft, step: str, text: str) -> Written:
        note = Note(tx.by or "", tx.now, draft.stored.version, step, text)
        return replace(draft.written, notes=(*draft.written.notes, note)[-NOTES_MAX:])

    def _move(self, tx: Tx, draft: Draft, rule: Rule, **changes: int | str | None) -> Draft:
        return self._save(
            tx, draft, draft.written, version=draft.stored.version, state=str(rule.target),
            **changes,
        )  # fmt: skip

    def _save(
        self, tx: Tx, draft: Draft, written: Written, *, version: int, state: str,
        **changes: int | str | None,
    ) -> Draft:  # fmt: skip
        """Store what changed of a draft, and give it as it stands then."""
        sealed = draft.stored.sealed_text
        if written is not draft.written:
            sealed = written.seal(self._vault, draft.id, version, draft.stored.wrapped_key)
        draft_rows.change_draft(
            tx.conn, draft.id, version=version, state=state, sealed_text=sealed,
            changed_at=tx.now, **changes,
        )  # fmt: skip
        _note(tx, draft.stored)
        return self.find(tx.conn, draft.id)


def _note(tx: Tx, stored: StoredDraft) -> None:
    """Let who follows drafts hear that this one changed; its id says nothing of it."""
    happening_rows.note(tx.conn, DRAFT_CHANGED, at=tx.now, case=stored.case_id, draft=stored.id)


def whole_body(body: Mapping[str, Json], manifest: Manifest | None) -> Mapping[str, Json]:
    """Give a body as the message will have it, with its evidence."""
    return body if manifest is None else with_manifest(body, manifest)


def _approvers(draft: Draft) -> frozenset[Role]:
    """Say who may be the second person: approvers, and those who could decide it themselves."""
    if draft.is_request:
        return frozenset({Role.APPROVER})
    return frozenset({Role.APPROVER, Role(EVENTS[draft.stored.event].role)})
