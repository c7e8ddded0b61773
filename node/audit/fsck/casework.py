"""Cases as people work on them: standings, drafts, steps on paper, links, sums.

A standing is what the messages give, folded anew. A draft, its approval and a step on paper
are our own word alone: each must have the records of what was done, and the very text.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from node.audit.fsck.deeds import ToldDraft
from node.audit.fsck.folds import Folded, Folds
from node.audit.fsck.report import FINDINGS_KEPT, Notes
from node.audit.fsck.rows import Told
from node.storage import Connection, audit_case_rows
from node.storage.audit_rows import Values
from node.storage.vault import Vault
from protocol.digest import sha256, sha256_hex
from protocol.encoding import Fields, Json, canonical, decode
from protocol.errors import Rejected
from protocol.lifecycle import Step, machine_of
from protocol.limits import MANIFEST_FILE_BYTES_MAX, MESSAGE_TEXT_BYTES_MAX

_TEXT_BYTES_MAX: Final = MESSAGE_TEXT_BYTES_MAX + 4 * MANIFEST_FILE_BYTES_MAX
_NOTHING: Final = Folded(None, None, None, 0, sha256(b""))
_UNDELIVERED: Final = frozenset({"SENT", "UNDELIVERABLE", "CLOSED"})
_DRAFTING: Final = (
    "draft.saved", "draft.submitted", "draft.returned", "draft.approved", "draft.sent",
    "draft.cancelled",
)  # fmt: skip


def _is_on_paper(row: Values, side: str) -> bool:
    """Say whether a case's row counts no message, and is on the side that was recorded."""
    return (row.sent_seq, row.accepted_seq, row.order_last, row.side) == (0, 0, 0, side)


class CaseworkReader:
    """Reads what stands beside the messages of cases; `folds` has the messages."""

    def __init__(
        self, conn: Connection, told: Told, folds: Folds, vault: Vault | None, notes: Notes
    ) -> None:
        """Read on `conn`; `vault` opens texts."""
        self._conn = conn
        self._told = told
        self._folds = folds
        self._vault = vault
        self._notes = notes

    def read(self, *, erased_cases: bool) -> None:
        """Read and compare everything."""
        self._read_steps()
        self._folds.close()
        self._read_standings()
        self._read_drafts(erased_cases=erased_cases)
        self._read_links()
        self._read_sums()

    # --- standings -----------------------------------------------------------

    def _read_standings(self) -> None:
        for page in audit_case_rows.standing_pages(self._conn):
            for row in page:
                self._notes.count("standings")
                if wrong := self._what_is_wrong(row):
                    self._false("standing-differs", f"case {row.id}", wrong)
        for case in audit_case_rows.standings_without_case(self._conn, FINDINGS_KEPT):
            self._false("standing-differs", f"case {case}", "It stands somewhere and is not here.")

    def _what_is_wrong(self, row: Values) -> str | None:
        if row.case_id is None:
            return "Nothing says where it stands."
        if row.state != row.shown:
            return "Its row and its standing are in different states."
        told, deeds = self._told.erased, self._told.deeds
        on_paper = row.log_id in deeds.registered
        if row.on_wire != int(not on_paper) and not told["case.registered"]:
            return "Whether it is kept on paper is not what the log records."
        if on_paper and not _is_on_paper(row, deeds.registered[row.log_id]):
            return "It is kept on paper, and has the counters or the side of another case."
        if row.officer != deeds.officers.get(row.log_id) and not told["case.handed-over"]:
            return "Somebody else is in charge of it than the log records."
        return None if self._vault is None or not row.wrapped_key else self._is_elsewhere(row)

    def _is_elsewhere(self, row: Values) -> str | None:
        folded = self._folds.folded.get(row.id, _NOTHING)
        if folded.state is not None and folded.agrees(row):
            return None
        nowhere = row.state in _UNDELIVERED and row.machine == machine_of(row.request_kind)
        if folded.state is None and nowhere and folded.agrees(row):
            return None
        return "It does not stand where its messages bring it."

    # --- steps on paper ------------------------------------------------------

    def _read_steps(self) -> None:
        found: set[str] = set()
        for page in audit_case_rows.step_pages(self._conn):
            for row in page:
                self._notes.count("steps")
                found.add(row.id)
                if not self._is_told(row):
                    sentence = "It is not what the log records of it."
                    self._false("step-not-recorded", f"step {row.id}", sentence)
        for step in self._told.deeds.steps.keys() - found:
            self._false("step-missing", f"step {step}", "The log records it, and it is not here.")

    def _is_told(self, row: Values) -> bool:
        made = self._told.deeds.steps.get(row.id)
        if made is None:
            return bool(self._told.erased["case.step-recorded"])
        said = made["case"], made["by"], made["at"]
        if said != (row.log_id, row.recorded_by, row.recorded_at):
            return False
        if self._vault is None or not row.wrapped_key:
            return True
        name = f"paper:{row.id}"
        try:
            raw = self._vault.open(row.case_id, row.wrapped_key, name, row.sealed_body)
            text = Fields(decode(raw, bytes_max=_TEXT_BYTES_MAX), "step")
            body, event, peer = text.object("body"), text.text("event"), text.text("peer")
            place, at, side = text.integer("place"), text.integer("at"), text.text("side")
        except Rejected:
            return False
        one = "requesting" if side == "requesting" else "requested"
        self._folds.add_step(row.case_id, place, Step(event, one, body, at, ""))  # type: ignore[arg-type]  # mypy widens the two words
        return sha256_hex(raw) == made["digest"] and (
            (event, side, at, place, body.get("channel"), peer)
            == (row.event, row.side, row.at, row.place, row.channel, row.peer)
        )  # fmt: skip

    # --- drafts --------------------------------------------------------------

    def _read_drafts(self, *, erased_cases: bool) -> None:
        told = self._told
        found: set[str] = set()
        erased = any(told.erased[kind] for kind in _DRAFTING)
        for page in audit_case_rows.draft_pages(self._conn):
            for row in page:
                self._notes.count("drafts")
                found.add(row.id)
                draft = told.deeds.drafts.get(row.id)
                if erased:
                    continue  # the record that is gone may have been the last word
                if draft is None or not _is_draft(row, draft) or not self._has_text(row, draft):
                    sentence = "It is not what the log records of it."
                    self._false("draft-not-recorded", f"draft {row.id}", sentence)
        if not erased_cases and not erased:  # with a case its drafts go
            for one in told.deeds.drafts.keys() - found:
                sentence = "The log records it, and it is not here."
                self._false("draft-missing", f"draft {one}", sentence)

    def _has_text(self, row: Values, draft: ToldDraft) -> bool:
        """Say whether the text is the very one that was saved, and that was approved."""
        if self._vault is None:
            return True
        try:
            name = f"{row.id}:{row.version}"
            raw = self._vault.open(row.id, row.wrapped_key, name, row.sealed_text)
            text = Fields(decode(raw, bytes_max=_TEXT_BYTES_MAX), "draft")
            said: dict[str, Json] = {
                "body": dict(text.object("body")), "manifest": text.take("manifest"),
                "salt": text.text("salt"), "to": row.peer, "event": row.event,
                "case": None if row.event == "transmit" else row.case_id,
                "request_kind": row.request_kind,
            }  # fmt: skip
        except Rejected:
            return False
        return sha256_hex(canonical(said)) == draft.digest

    # --- links and sums ------------------------------------------------------

    def _read_links(self) -> None:
        times: defaultdict[str, list[int]] = defaultdict(list)
        for page in audit_case_rows.link_pages(self._conn):
            for row in page:
                self._notes.count("links")
                times[row.log_id or row.case_id].append(row.at)
        links = self._told.deeds.links
        if self._told.erased["case.linked"]:
            return
        for case in sorted(times.keys() | links.keys()):
            if sorted(times.get(case, ())) != sorted(links.get(case, ())):
                sentence = "Its links are not those that the log records."
                self._false("link-not-recorded", f"case {case}", sentence)

    def _read_sums(self) -> None:
        if self._vault is None:
            return
        for row in audit_case_rows.sum_rows(self._conn):
            name = f"sum {row.case_id} {row.stage} {row.currency}"
            try:
                self._vault.open(row.case_id, row.wrapped_key or b"", name, row.sealed_amount)
            except Rejected:
                place = f"sum {row.stage} {row.currency} of {row.case_id}"
                self._false("sum-altered", place, "It does not open.")

    def _false(self, code: str, place: str, sentence: str) -> None:
        self._notes.false(code, place, sentence)


def _is_draft(row: Values, draft: ToldDraft) -> bool:
    """Say whether a row is what records made of a draft, step by step."""
    said = (
        draft.state, draft.version, draft.writers, draft.submitted_by, draft.approved,
        draft.identity, draft.created_at, draft.changed_at,
    )  # fmt: skip
    same = said == (
        row.state, row.version, row.writers.split(), row.submitted_by,
        (row.approved_by, row.approved_at), row.message, row.created_at, row.changed_at,
    )  # fmt: skip
    # A message that was given up for one that came back is not here any more.
    return same and (row.became is None or row.became == row.case_id)
