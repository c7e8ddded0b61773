"""Receipts, those that we issued and those that we hold, and our final refusals.

What we issued must verify under our own log, name the record that stands there, and rest
on a root that our own tree had at that size: else this log has two histories. What we hold
must verify under the log of the peer that gave it and name our message. Knows no page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from node.audit.fsck.report import Notes
from node.audit.fsck.trust import StoredTrust
from node.storage import Connection, audit_rows
from node.storage.audit_rows import Values
from protocol.checkpoint import LogKeys, log_origin
from protocol.errors import Rejected
from protocol.receipt import ProvenDecision, decode_receipt, verify_receipt
from protocol.receipt_file import read_claim

_DECIDED: Final = {"delivered": "message.accepted", "refused": "message.refused"}


@dataclass(frozen=True, slots=True)
class Own:
    """Whose log it is."""

    network: str
    authority: str
    origin: str
    keys: LogKeys | None


class Receipts:
    """Checks receipts; `root_at` gives the root that our tree had at a size."""

    def __init__(
        self,
        conn: Connection,
        own: Own,
        trust: StoredTrust,
        root_at: Callable[[int], bytes | None],
        notes: Notes,
    ) -> None:
        """Check for `own`, with the keys in `trust`."""
        self.own = own
        self._log = int(own.origin.rpartition("/")[2])
        self._conn = conn
        self._trust = trust
        self._root_at = root_at
        self._notes = notes
        self._envelopes: dict[str, str] = {}
        self.entries_readable = True

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

    def is_own_log(self, number: int) -> bool:
        """Say whether a number is that of the log which is audited."""
        return number == self._log

    def entries(self, positions: Sequence[int]) -> dict[int, Values]:
        """Give entries by position; none where the database cannot give them."""
        return (
            audit_rows.entries_at(self._conn, self._log, positions) if self.entries_readable else {}
        )

    # --- issued -------------------------------------------------------------

    def check_issued(self, row: Values, entry: Values | None) -> None:
        """Check the receipt that we gave for a message that we accepted."""
        place = f"message {row.identity}"
        if row.receipt is None:
            self._notes.false("receipt-missing", place, "It was accepted without a receipt.")
            return
        proven = self._verify_own(bytes(row.receipt), place)
        if proven is None:
            return
        self._notes.count("receipts_issued")
        self._check_named(proven, row.identity, "message.accepted", place)
        if proven.index != row.log_position:
            sentence = "Its receipt proves another entry than its row names."
            self._notes.false("receipt-differs", place, sentence)
        self._check_record(proven, entry, place)

    def check_refusal(self, row: Values) -> None:
        """Check the proof of a final refusal of ours."""
        place = f"refusal {row.identity}"
        if row.proof is None:
            self._notes.false("receipt-missing", place, "It was refused finally without a proof.")
            return
        proven = self._verify_own(bytes(row.proof), place)
        if proven is None:
            return
        decision = proven.decision
        said = (decision.kind, decision.identity, decision.code, decision.at)
        if said != ("message.refused", row.identity, row.code, row.at):
            self._notes.false("refusal-differs", place, "Its proof says something else.")
        self._check_record(proven, self.entries([proven.index]).get(proven.index), place)

    def _verify_own(self, raw: bytes, place: str) -> ProvenDecision | None:
        """Verify a receipt of our own log, also against the tree that we derived."""
        own = self.own
        if own.keys is None:
            return None  # said once, with the head
        try:
            proven = verify_receipt(
                raw, network=own.network, issuer=own.authority, origin=own.origin, keys=own.keys
            )
        except Rejected as fault:
            self._notes.false(
                "receipt-not-authentic", place, f"It does not verify: {fault.detail}."
            )
            return None
        checkpoint = proven.signed.checkpoint
        root = self._root_at(checkpoint.size)
        if root is not None and root != checkpoint.root:
            sentence = (
                f"It was signed under another history of this log, at size {checkpoint.size}."
            )
            self._notes.false("log-forked", place, sentence)
        return proven

    def _check_record(self, proven: ProvenDecision, entry: Values | None, place: str) -> None:
        """The record in the receipt is the one that is stored, unless that was erased."""
        if entry is None or entry.record is None:
            return  # a missing entry is said elsewhere, an erased one is lawful
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
        if proven.decision.sender != self.own.authority:
            self._notes.false("receipt-differs", place, "Its receipt is for another authority.")

    def _check_named(self, proven: ProvenDecision, identity: str, kind: str, place: str) -> None:
        decision = proven.decision
        if (decision.identity, decision.kind) != (identity, kind):
            self._notes.false("receipt-differs", place, "Its receipt is for something else.")
        elif self._envelopes.get(decision.envelope) != identity:
            sentence = "Its receipt names an envelope that is not known to hold it."
            self._notes.false("envelope-unknown", place, sentence)
