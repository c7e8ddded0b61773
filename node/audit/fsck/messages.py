"""Messages, their receipts, refusals and cases: each row has its record and its proof.

Read case by case, a page at a time. What a row claims is compared with the record at its
place in the log, with the receipt that was issued or came for it, with its own signed text
where a storage key opens it, and with the counters of its case.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from node.audit.fsck.folds import Folds
from node.audit.fsck.receipts import Receipts
from node.audit.fsck.records import Record, RecordFault, read_record
from node.audit.fsck.report import FINDINGS_KEPT, Notes, Progress
from node.audit.fsck.rows import GAVE_WAY
from node.storage import Connection, audit_rows, tables
from node.storage.audit_rows import Values
from node.storage.vault import Vault
from protocol.errors import Rejected
from protocol.lifecycle import Step
from protocol.messages import decode_inner, decode_message_text

_KINDS: Final = {"out": "message.sent", "in": "message.accepted"}
_BECAME: Final = {
    "message.delivered": "delivered",
    "message.refused-by-peer": "refused",
    "message.undelivered": "undelivered",
}
_STATES: Final = {
    "out": frozenset({"queued", "delivered", "undelivered", "refused"}),
    "in": frozenset({"accepted"}),
}


@dataclass(slots=True)
class _Tally:
    """What the messages of one case add up to."""

    case_id: str
    counts: dict[str, int] = field(default_factory=lambda: {"out": 0, "in": 0})
    last: dict[str, tuple[int, str | None]] = field(
        default_factory=lambda: {"out": (0, None), "in": (0, None)}
    )
    orders: list[int] = field(default_factory=list)
    recovered: int = 0  # where state was lost, numbers may be missing that nobody received

    def add(self, row: Values) -> None:
        self.counts[row.direction] += 1
        self.last[row.direction] = (row.seq, row.identity)
        if row.order_number is not None:
            self.orders.append(row.order_number)


class MessageReader:
    """Reads all messages once."""

    def __init__(
        self, conn: Connection, receipts: Receipts, vault: Vault | None, notes: Notes
    ) -> None:
        """Read on `conn`; `vault` opens the texts."""
        self._conn = conn
        self._receipts = receipts
        self._vault = vault
        self._notes = notes
        self._tally: _Tally | None = None
        self._case: Values | None = None
        self._states: Counter[str] = Counter()  # of messages of ours
        self._closed: set[str] = set()  # cases whose texts nothing opens
        self.folds = Folds()
        self._skips: dict[str, set[str]] = {}  # what the texts of a case say was given up

    def read(self, progress: Progress) -> None:
        """Read and compare everything."""
        total, done = audit_rows.count_messages(self._conn), 0
        for page in audit_rows.message_pages(self._conn):
            self._read_page(page)
            done += len(page)
            progress("messages", done, total)
        self._close_case()
        self._compare_states()
        for row in audit_rows.cases_without_messages(self._conn):
            if row.sent_seq or row.accepted_seq:
                self._false("case-differs", f"case {row.id}", "It counts messages that are gone.")

    def _read_page(self, page: Sequence[Values]) -> None:
        cases = audit_rows.cases_by_id(self._conn, list({row.case_id for row in page}))
        entries = self._receipts.entries(
            (row.log, row.log_position) for row in page if row.log is not None
        )
        self._receipts.look_up(page)
        for row in page:
            self._notes.count("messages")
            case = cases.get(row.case_id)
            if case is None or row.state not in _STATES.get(row.direction, ()):
                sentence = "It is in no case that is stored, or in no state that there is."
                self._false("message-impossible", f"message {row.identity}", sentence)
                continue
            if self._tally is None or self._tally.case_id != row.case_id:
                self._close_case()
                self._tally, self._case = _Tally(row.case_id), case
            self._tally.add(row)
            self._states[row.state] += row.direction == "out"
            self._check_row(row, case, entries.get((row.log, row.log_position)))
        self._check_texts(page, cases)

    def _check_row(self, row: Values, case: Values, entry: Values | None) -> None:
        place = f"message {row.identity}"
        recovered = row.identity in self._receipts.rows.told.recovered
        if self._tally is not None:
            self._tally.recovered += recovered
        if entry is None:
            log = self._receipts.own.logs.get(row.log)
            if log is None or row.log_position is None or log.readable:
                self._false("message-not-recorded", place, "No entry of the log records it.")
        elif entry.record is not None:
            try:
                record = read_record(bytes(entry.record), self._receipts.own.network)
            except RecordFault:
                return  # said already, with the entry
            if not _same(record, row, case, recovered=recovered):
                sentence = f"Entry {row.log_position} records something else."
                self._false("message-not-recorded", place, sentence)
        if row.direction == "in":
            self._receipts.check_issued(row, entry)
        else:
            self._receipts.check_held(row, case.peer)

    def _compare_states(self) -> None:
        """Each message that is no longer on its way has a record of what became of it."""
        told = self._receipts.rows.told
        for kind, state in _BECAME.items():
            lacking = self._states[state] - told.states[state] - told.erased[kind]
            if lacking > 0:
                sentence = f"{lacking} are {state} without a record that says so."
                self._false("state-not-recorded", "messages", sentence)

    # --- the signed texts ---------------------------------------------------

    def _check_texts(self, page: Sequence[Values], cases: dict[str, Values]) -> None:
        if self._vault is None:
            return
        rows = {row.identity: row for row in page if row.case_id in cases}
        for identity, sealed in audit_rows.sealed_texts(self._conn, list(rows)):
            row = rows[identity]
            wrapped = bytes(cases[row.case_id].wrapped_key)
            if wrapped:
                self._check_text(row, cases[row.case_id], sealed, self._vault)
            else:  # the case was erased: nothing opens its texts any more
                self._closed.add(row.case_id)
        self.folds.close(but=page[-1].case_id)

    def _check_text(self, row: Values, case: Values, sealed: bytes, vault: Vault) -> None:
        place, wrapped = f"message {row.identity}", bytes(case.wrapped_key)
        self._notes.count("texts")
        try:
            statement = decode_inner(vault.open(row.case_id, wrapped, row.identity, sealed))
            message = decode_message_text(statement.text)
        except Rejected as fault:
            self._false("text-altered", place, f"Its text does not open: {fault.detail}.")
            return
        if statement.identity != row.identity:
            self._false("text-altered", place, "Its text is another message's.")
        step = Step(message.kind, message.sender_side, message.body, message.created, row.identity)
        self.folds.add_message(row, case.side, step)
        said = (message.case, message.seq, message.kind, message.created, message.expires)
        if row.direction == "in" and message.skips:
            self._skips.setdefault(row.case_id, set()).update(message.skips)
        if (*said, message.epoch) != (
            row.case_id, row.seq, row.kind, row.created, row.expires, row.epoch,
        ):  # fmt: skip
            self._false("columns-altered", place, "Its columns are not what its text says.")

    # --- one case -----------------------------------------------------------

    def _close_case(self) -> None:
        """Compare what the messages of the last case add up to with its counters."""
        tally, case = self._tally, self._case
        self._tally = self._case = None
        if tally is None or case is None:
            return
        place = f"case {case.id}"
        if tally.last["out"] != (case.sent_seq, case.sent_identity) or (
            tally.counts["out"] != case.sent_seq and not tally.recovered
        ):
            self._false("case-differs", place, "It counts other messages sent than are stored.")
        if tally.last["in"] != (case.accepted_seq, case.accepted_identity):
            self._false("case-differs", place, "It counts other messages accepted than are stored.")
        gaps = case.accepted_seq - tally.counts["in"]
        if gaps > 0 and gaps > audit_rows.count_skips(self._conn, case.id):
            sentence = "Numbers are missing that its other side did not give up."
            self._false("case-differs", place, sentence)
        self._check_orders(case, tally)
        self._check_erased(case)

    def _check_erased(self, case: Values) -> None:
        """The key of a case is gone if, and only if, a record says that it was erased."""
        told = self._receipts.rows.erasures.cases
        place = f"case {case.id}"
        if not case.wrapped_key and case.log_id not in told:
            sentence = "Its key is gone, and no record says that it was erased."
            self._false("erasure-undocumented", place, sentence)
        if case.wrapped_key and case.log_id in told:
            sentence = f"{told[case.log_id]} says that it was erased, and its key is here."
            self._false("erasure-undone", place, sentence[0].upper() + sentence[1:])

    def _check_orders(self, case: Values, tally: _Tally) -> None:
        """The requested side gives every order; the other side knows those that came back."""
        every, orders = case.side == "requested" and not tally.recovered, tally.orders
        opened_here = str(case.id).rpartition("/")[0] == self._receipts.own.authority
        if case.side != ("requesting" if opened_here else "requested"):
            self._false("case-differs", f"case {case.id}", "Its id says who opened it.")
        wrong = len(set(orders)) != len(orders) or max(orders, default=0) != case.order_last
        if wrong or (every and sorted(orders) != list(range(1, case.order_last + 1))):
            sentence = "Its order numbers are not those of its messages."
            self._false("case-differs", f"case {case.id}", sentence)

    # --- refusals -----------------------------------------------------------

    def read_refusals(self, progress: Progress) -> None:
        """Read our final refusals, and what was kept because it contradicts."""
        for page in audit_rows.refusal_pages(self._conn):
            for row in page:
                self._notes.count("refusals")
                self._receipts.check_refusal(row)
            progress("refusals", self._notes.counted["refusals"], 0)
        self._read_contested()
        self._compare_skips()

    def _read_contested(self) -> None:
        """Read what was kept because it contradicts, and miss what should have been."""
        for page in audit_rows.contested_pages(self._conn):
            identities = [row.identity for row in page]
            refused = audit_rows.refusals_of(self._conn, identities)
            for row in page:
                told = row.code if row.identity in self._receipts.rows.told.gave_way else None
                if row.code != (told if row.code == GAVE_WAY else refused.get(row.identity)):
                    sentence = "It was kept as a contradiction, but no refusal says so."
                    self._false("refusal-missing", f"message {row.identity}", sentence)
            if self._vault is not None:
                self._check_contested(page, self._vault)
        for identity in audit_rows.equivocations_not_kept(self._conn, FINDINGS_KEPT):
            sentence = "It was refused because it contradicts, and is not kept."
            self._false("contested-missing", f"message {identity}", sentence)

    def _check_contested(self, page: Sequence[Values], vault: Vault) -> None:
        """What was kept is the very message that was refused, in the place that it claims."""
        rows = {row.identity: row for row in page}
        cases = audit_rows.cases_by_id(self._conn, list({row.case_id for row in page}))
        for identity, sealed in audit_rows.sealed_texts(self._conn, list(rows), tables.contested):
            row, case = rows[identity], cases.get(rows[identity].case_id)
            wrapped = b"" if case is None else bytes(case.wrapped_key)
            if case is not None and not wrapped:
                continue  # erased
            try:
                statement = decode_inner(vault.open(row.case_id, wrapped, identity, sealed))
                message = decode_message_text(statement.text)
                right = (statement.identity, message.case, message.seq) == (
                    identity, row.case_id, row.seq,
                )  # fmt: skip
            except Rejected:
                right = False
            if not right:
                sentence = "What was kept of it is not that message."
                self._false("text-altered", f"contested {identity}", sentence)

    def _compare_skips(self) -> None:
        """What is said to have been given up, some text of the other side gave up."""
        if self._vault is None:
            return
        for case_id, identity in audit_rows.skip_rows(self._conn):
            if identity not in self._skips.get(case_id, ()):
                sentence = "No message that was accepted and can be opened gave it up."
                erased = case_id in self._closed
                (self._notes.open if erased else self._false)(
                    "skip-unfounded", f"skip {identity}", sentence
                )

    def _false(self, code: str, place: str, sentence: str) -> None:
        self._notes.false(code, place, sentence)


def _same(record: Record, row: Values, case: Values, *, recovered: bool) -> bool:
    """Say whether a record is about this message in this case."""
    if recovered and record["kind"] == "message.recovered":
        said = record["identity"], record["direction"], record["peer"], record["case"]
        return bool(said == (row.identity, row.direction, case.peer, case.log_id))
    if record["kind"] != _KINDS[row.direction] or record["identity"] != row.identity:
        return False
    if row.direction == "in":
        return bool(record["from"] == case.peer)
    return bool(record["to"] == case.peer and record["case"] == case.log_id)
