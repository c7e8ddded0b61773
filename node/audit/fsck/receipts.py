"""Receipts, those that we issued and those that we hold, and our final refusals.

What we issued must verify under our own log, name the record that stands there, and rest
on a root that our own tree had at that size: else this log has two histories. What we hold
must verify under the log of the peer that gave it and name our message. Knows no page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from node.audit.fsck.own import Own, Place
from node.audit.fsck.rows import RowsOfRecords
from node.audit.fsck.trust import StoredTrust
from node.audit.fsck.watch import Watch
from node.storage import Connection, audit_rows
from node.storage.audit_rows import Values
from protocol.checkpoint import log_origin
from protocol.errors import NotAuthentic, Rejected
from protocol.receipt import ProvenDecision, decode_receipt, verify_receipt
from protocol.receipt_file import read_claim

_DECIDED: Final = {"delivered": "message.accepted", "refused": "message.refused"}


class Receipts:
    """Checks receipts, ours against our logs as they were derived again."""

    def __init__(
        self, conn: Connection, own: Own, trust: StoredTrust, rows: RowsOfRecords, watch: Watch
    ) -> None:
        """Check for `own`, with the keys in `trust`, and what `watch` knows of peers' logs."""
        self.own = own
        self.rows = rows
        self._conn = conn
        self._trust = trust
        self._watch = watch
        self._notes = rows.notes
        self._envelopes: dict[str, str] = {}

    def look_up(self, page: Sequence[Values]) -> None:
        """Look up the envelopes that the receipts of a page name, all at once."""
        digests = []
        for row in page:
            try:
                if row.receipt is not None:
                    digests.append(read_claim(bytes(row.receipt)).decision.envelope)
            except Rejected:
                continue  # said when the receipt is checked
        self._envelopes = audit_rows.messages_of_envelopes(self._conn, digests)

    def entries(self, places: Iterable[Place]) -> dict[Place, Values]:
        """Give entries by their places; none where the database cannot give them."""
        asked: dict[int, list[int]] = {}
        for number, position in places:
            if number in self.own.logs and self.own.logs[number].readable:
                asked.setdefault(number, []).append(position)
        return {
            (number, position): row
            for number, positions in asked.items()
            for position, row in audit_rows.entries_at(self._conn, number, positions).items()
        }

    # --- issued -------------------------------------------------------------

    def check_issued(self, row: Values, entry: Values | None) -> None:
        """Check the receipt that we gave for a message that we accepted."""
        place = f"message {row.identity}"
        at = None if row.log is None or row.log_position is None else (row.log, row.log_position)
        if row.receipt is None:
            self._notes.false("receipt-missing", place, "It was accepted without a receipt.")
            return
        if not row.receipt and self._is_erased(at):
            return
        proven, number = self._verify_own(bytes(row.receipt), place)
        if proven is None:
            return
        self._notes.count("receipts_issued")
        self._check_named(proven, row.identity, "message.accepted", place)
        proved = number, proven.index
        if row.identity in self._recovered:
            entry = self.entries([proved]).get(proved)  # its row names the entry that says so
        elif at not in {None, proved}:
            sentence = "Its receipt proves another entry than its row names."
            self._notes.false("receipt-differs", place, sentence)
        self._check_record(proven, entry, number, place)

    @property
    def _recovered(self) -> set[str]:
        return self.rows.told.recovered

    def check_refusal(self, row: Values) -> None:
        """Check the proof of a final refusal of ours."""
        place = f"refusal {row.identity}"
        if row.proof is None:
            self._notes.false("receipt-missing", place, "It was refused finally without a proof.")
            return
        if not row.proof and self.rows.told.erased["message.refused"]:
            return  # whose record it was is known to nobody any more
        proven, number = self._verify_own(bytes(row.proof), place)
        if proven is None:
            return
        decision = proven.decision
        said = (decision.kind, decision.identity, decision.code, decision.at)
        if said != ("message.refused", row.identity, row.code, row.at):
            self._notes.false("refusal-differs", place, "Its proof says something else.")
        at = number, proven.index
        self._check_record(proven, self.entries([at]).get(at), number, place)

    def _is_erased(self, at: Place | None) -> bool:
        """Say whether the record that a receipt was about was erased, and with it the receipt."""
        return at is not None and self.rows.erasures.is_told(*at)

    def _verify_own(self, raw: bytes, place: str) -> tuple[ProvenDecision | None, int]:
        """Verify a receipt of a log of ours, also against the tree that we derived."""
        own = self.own
        try:
            claim = read_claim(raw)
            log = own.logs.get(claim.log_number)
            if log is None or claim.origin != log.origin:
                raise NotAuthentic("it is of no log of this authority that is here")
            if log.keys is None:
                return None, 0  # said once, with the head
            proven = verify_receipt(
                raw, network=own.network, issuer=own.authority, origin=log.origin, keys=log.keys
            )
        except Rejected as fault:
            self._notes.false(
                "receipt-not-authentic", place, f"It does not verify: {fault.detail}."
            )
            return None, 0
        checkpoint = proven.signed.checkpoint
        root = log.root_at(checkpoint.size)
        if root is not None and root != checkpoint.root:
            sentence = (
                f"It was signed under another history of this log, at size {checkpoint.size}."
            )
            self._notes.false("log-forked", place, sentence)
        return proven, log.number

    def _check_record(
        self, proven: ProvenDecision, entry: Values | None, number: int, place: str
    ) -> None:
        """The record in the receipt is the one that is stored, unless that was erased."""
        if entry is None:
            return  # said elsewhere, or lost with the state of a closed log
        if entry.record is None:
            if self.rows.erasures.is_told(number, proven.index):
                sentence = "Its record was erased from the log, and the receipt still has it."
                self._notes.false("erasure-incomplete", place, sentence)
            return
        receipt = decode_receipt(proven.raw)
        if (receipt.record, receipt.salt) != (bytes(entry.record), bytes(entry.salt)):
            sentence = f"The record in it is not the one in entry {entry.position}."
            self._notes.false("receipt-differs", place, sentence)

    # --- held ---------------------------------------------------------------

    def check_held(self, row: Values, peer: str) -> None:
        """Check what a peer gave for a message of ours: a receipt, or a final refusal."""
        place = f"message {row.identity}"
        wanted = _DECIDED.get(row.state)
        if (wanted is None) != (row.receipt is None):
            sentence = f"It is {row.state}, which its receipt or the lack of one contradicts."
            self._notes.false("state-altered", place, sentence)
        if row.receipt is None or wanted is None:
            return
        try:
            number = read_claim(bytes(row.receipt)).log_number
            keys = self._trust.log_keys(peer, number)
            if keys is None:
                sentence = f"The keys of the log of {peer} are not here."
                self._notes.open("peer-keys-missing", place, sentence)
                return
            origin = log_origin(self.own.network, peer, number)
            proven = verify_receipt(
                bytes(row.receipt), network=self.own.network, issuer=peer, origin=origin, keys=keys
            )
        except Rejected as fault:
            self._notes.false(
                "receipt-not-authentic", place, f"It does not verify: {fault.detail}."
            )
            return
        self._notes.count("receipts_held")
        self._check_named(proven, row.identity, wanted, place)
        self._watch.judge_receipt(proven.signed, place)
        if proven.decision.sender != self.own.authority:
            self._notes.false("receipt-differs", place, "Its receipt is for another authority.")

    def _check_named(self, proven: ProvenDecision, identity: str, kind: str, place: str) -> None:
        decision = proven.decision
        if (decision.identity, decision.kind) != (identity, kind):
            self._notes.false("receipt-differs", place, "Its receipt is for something else.")
        elif self._envelopes.get(decision.envelope) != identity:
            sentence = "Its receipt names an envelope that is not known to hold it."
            self._notes.false("envelope-unknown", place, sentence)
