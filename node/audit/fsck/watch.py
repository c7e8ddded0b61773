"""What was watched: our checkpoints that peers cosigned, and theirs that we did.

Each checkpoint is verified by the keys of its log and by those of its witnesses, and ours
are compared with the trees that we derived: every state that this log ever showed is one
of its own. What we hold of a peer must rest on what we have cosigned of its log, or be kept
as unproven. Knows no entry.
"""

from __future__ import annotations

from collections.abc import Mapping

from node.audit.fsck.own import Own
from node.audit.fsck.report import Notes
from node.audit.fsck.trust import StoredTrust
from node.storage import Connection, audit_watch_rows
from node.storage.audit_rows import Values
from protocol.checkpoint import (
    Checkpoint,
    SignedCheckpoint,
    claimed_checkpoint,
    verify_checkpoint,
    verify_cosignature,
    witness_name,
)
from protocol.digest import sha256_hex
from protocol.errors import KeyUnknown, NotAuthentic, Rejected

_WITNESS = "/witness"


class Watch:
    """The state of this node as a witness: what it cosigned, and what nobody has shown."""

    def __init__(self, own: Own, trust: StoredTrust, notes: Notes) -> None:
        """Judge by the keys in `trust`."""
        self._own = own
        self._trust = trust
        self._notes = notes
        self._cosigned: dict[str, Checkpoint] = {}
        self._unproven: dict[str, int] = {}  # the largest size, by origin
        self._missed: set[str] = set()

    def load(self, conn: Connection) -> None:
        """Verify what is stored about the logs of peers."""
        for row in audit_watch_rows.witnessed_rows(conn):
            place = f"witnessed {row.origin}"
            self._notes.count("witnessed")
            signed = self._verify_peer(row, place)
            if signed is None:
                continue
            self._cosigned[row.origin] = signed.checkpoint
            ours = witness_name(self._own.network, self._own.authority)
            if self._witnesses(signed, place).get(ours) != row.at:
                sentence = "Our own word of that time is not on it."
                self._notes.false("witnessed-not-cosigned", place, sentence)
        for row in audit_watch_rows.unproven_rows(conn):
            signed = self._verify_peer(row, f"unproven {row.origin} {row.size}")
            if signed is not None:
                known = self._unproven.get(row.origin, 0)
                self._unproven[row.origin] = max(known, signed.checkpoint.size)

    def judge_receipt(self, signed: SignedCheckpoint, place: str) -> None:
        """Note why nobody should have counted a receipt on this checkpoint of a peer."""
        checkpoint = signed.checkpoint
        cosigned = self._cosigned.get(checkpoint.origin)
        if checkpoint.size <= self._unproven.get(checkpoint.origin, -1):
            return  # the monitor still has to judge that one, and with it all below
        if cosigned is None:
            self._never_watched(checkpoint.origin)
        elif checkpoint.size > cosigned.size:
            sentence = (
                f"It rests on size {checkpoint.size} of a log of which this node remembers"
                f" {cosigned.size}: what it cosigned was set back."
            )
            self._notes.false("receipt-unwitnessed", place, sentence)
        elif checkpoint.size == cosigned.size and checkpoint.root != cosigned.root:
            sentence = "It rests on another history of its log than this node has cosigned."
            self._notes.false("receipt-unwitnessed", place, sentence)

    def _never_watched(self, origin: str) -> None:
        """Of a node that watches logs, miss the one on which it counted receipts.

        Where it has never watched any, nothing was removed: an older release has delivered.
        """
        if origin not in self._missed and (self._cosigned or self._unproven):
            self._missed.add(origin)
            sentence = "Receipts rest on this log, and nothing says what was cosigned of it."
            self._notes.open("witnessed-missing", f"witnessed {origin}", sentence)

    def read_own(self, conn: Connection) -> None:
        """Verify our own checkpoints that were cosigned, and compare them with our trees."""
        for page in audit_watch_rows.checkpoint_pages(conn):
            for row in page:
                self._notes.count("checkpoints")
                self._check_own(row)

    def _check_own(self, row: Values) -> None:
        place = f"checkpoint {row.log}/{row.size}"
        signed = self.verify_own(row.log, row.size, bytes(row.raw), place)
        if signed is None:
            return
        words = self._witnesses(signed, place)
        if len(words) < row.witnesses:
            sentence = f"Its row counts {row.witnesses} witnesses, and {len(words)} signed it."
            self._notes.false("columns-altered", place, sentence)

    def verify_own(self, log: int, size: int, raw: bytes, place: str) -> SignedCheckpoint | None:
        """Verify a checkpoint of a log of ours, also against the tree that we derived."""
        found = self._own.logs.get(log)
        if found is None:
            self._notes.false("checkpoint-foreign", place, "No log of that number is here.")
            return None
        if found.keys is None:
            return None  # said once, with the head
        try:
            signed = verify_checkpoint(raw, origin=found.origin, keys=found.keys)
        except Rejected as fault:
            sentence = f"It does not verify: {fault.detail}."
            self._notes.false("checkpoint-not-authentic", place, sentence)
            return None
        if signed.checkpoint.size != size:
            self._notes.false("columns-altered", place, "Its size is another than its row says.")
        root = found.root_at(signed.checkpoint.size)
        if root is not None and root != signed.checkpoint.root:
            sentence = f"It was signed under another history of log {log}."
            self._notes.false("log-forked", place, sentence)
        return signed

    def _verify_peer(self, row: Values, place: str) -> SignedCheckpoint | None:
        keys = self._trust.keys_of(_origin_in(bytes(row.raw)) or row.origin)
        if keys is None:
            self._notes.open("peer-keys-missing", place, "The keys of that log are not here.")
            return None
        try:
            signed = verify_checkpoint(bytes(row.raw), origin=row.origin, keys=keys)
        except Rejected as fault:
            sentence = f"It does not verify: {fault.detail}."
            self._notes.false("checkpoint-not-authentic", place, sentence)
            return None
        if (signed.checkpoint.size, signed.checkpoint.root) != (row.size, bytes(row.root)):
            self._notes.false("columns-altered", place, "Its columns are not what it says.")
        return signed

    def _witnesses(self, signed: SignedCheckpoint, place: str) -> dict[str, int]:
        """Give the witnesses whose word holds, with its time; each line must belong to one."""
        held: dict[str, int] = {}
        for name in {line.name for line in signed.other_signatures}:
            try:
                held[name] = self._verify_word(signed, name)
            except KeyUnknown as fault:
                self._notes.open("witness-keys-missing", place, f"{name}: {fault.detail}.")
            except Rejected as fault:
                sentence = f"The word of {name} on it does not verify: {fault.detail}."
                self._notes.false("cosignature-not-authentic", place, sentence)
        return held

    def _verify_word(self, signed: SignedCheckpoint, name: str) -> int:
        lines = [line for line in signed.other_signatures if line.name == name]
        network, _, rest = name.partition("/")
        if network != self._own.network or not rest.endswith(_WITNESS) or len(lines) != 2:  # noqa: PLR2004  (its two lines)
            raise NotAuthentic("not the two lines of a witness of this network")
        pairs = self._trust.witness_pairs(rest.removesuffix(_WITNESS))
        fault: Rejected = KeyUnknown("the keys of that witness are not here")
        for keys in pairs:
            try:
                return verify_cosignature(signed.checkpoint, lines, name=name, keys=keys)
            except Rejected as said:
                fault = said
        raise fault


def read_timestamps(
    conn: Connection, watch: Watch, recorded: Mapping[str, tuple[int, int]], notes: Notes
) -> None:
    """Compare timestamps with their records, and their checkpoints with our trees.

    What a timestamp authority signed inside a token is judged where its certificate is at
    hand: `comity verify --tsa-ca`.
    """
    stored: set[str] = set()
    for page in audit_watch_rows.timestamp_pages(conn):
        for row in page:
            notes.count("timestamps")
            place = f"timestamp {row.digest}"
            stored.add(row.digest)
            if sha256_hex(bytes(row.token)) != row.digest:
                notes.false("timestamp-altered", place, "It is not the one that its digest names.")
            watch.verify_own(row.log, row.size, bytes(row.checkpoint), place)
            if recorded.get(row.digest) != (row.size, row.at):
                notes.false("timestamp-not-recorded", place, "The log has no record of it.")
    for digest in recorded.keys() - stored:
        sentence = "The log records it, but it is not stored."
        notes.false("timestamp-missing", f"timestamp {digest}", sentence)


def _origin_in(raw: bytes) -> str | None:
    """Give the log that a checkpoint names, if it is one."""
    try:
        return claimed_checkpoint(raw).origin
    except Rejected:
        return None
