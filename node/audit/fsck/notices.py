"""Forks and closings that are stored: each proves itself, and each was recorded.

A fork proof shows two histories that one log has signed; a closing is the word of an
authority's own `sign` keys. Ours say where our earlier logs end. Knows no entry.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from node.audit.fsck.report import Notes
from node.audit.fsck.rows import Told
from node.audit.fsck.trust import StoredTrust
from node.storage import Connection, audit_watch_rows
from node.storage.audit_rows import Values
from protocol.closure import TrustedClosure
from protocol.digest import sha256_hex
from protocol.errors import NotAuthentic, Rejected
from protocol.fork import decode_fork, verify_fork


@dataclass(slots=True)
class Notices:
    """What is stored, by kind and origin: digest and time; and the closings that verify."""

    stored: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    closings: dict[str, TrustedClosure] = field(default_factory=dict)

    def compare(self, told: Told, authority: str, notes: Notes) -> None:
        """Compare what is stored with what the logs recorded, once all of them were read."""
        for (kind, origin), stored in self.stored.items():
            own = f"/{authority}/" in origin
            if own and kind == "fork":
                sentence = "It proves that this very log has signed two histories."
                notes.false("log-forked", f"{kind} {origin}", sentence)
            ours = own and kind == "closed"
            recorded = told.notices.get((kind, origin))
            erased = told.erased["log.fork-found"] + told.erased["log.closure-installed"]
            if recorded != stored and not ours and not (erased and recorded is None):
                sentence = "The log has no record of it, or of another one."
                notes.false("notice-not-recorded", f"{kind} {origin}", sentence)
        for kind, origin in told.notices.keys() - self.stored.keys():
            sentence = "The log records it, but it is not stored."
            notes.false("notice-missing", f"{kind} {origin}", sentence)


def load_notices(conn: Connection, trust: StoredTrust, notes: Notes) -> Notices:
    """Verify all stored forks and closings, and note what does not hold."""
    notices = Notices()
    for row in audit_watch_rows.notice_rows(conn):
        notes.count("notices")
        place = f"{row.kind} {row.origin}"
        notices.stored[row.kind, row.origin] = row.digest, row.at
        try:
            if row.kind == "fork":
                digest = _fork(row, trust)
            else:
                closing = _closing(row, trust)
                notices.closings[row.origin] = closing
                digest = closing.digest
        except Rejected as fault:
            notes.false("notice-not-authentic", place, f"It does not verify: {fault.detail}.")
            continue
        if digest != row.digest:
            notes.false("notice-altered", place, "Its columns are not what it says.")
    return notices


def _fork(row: Values, trust: StoredTrust) -> str:
    raw = bytes(row.raw)
    origin = decode_fork(raw).origin
    if origin != row.origin:
        raise NotAuthentic("it is about another log")
    keys = trust.keys_of(origin)
    if keys is None:
        raise NotAuthentic("the keys of that log are not here")
    verify_fork(raw, origin=origin, keys=keys)
    return sha256_hex(raw)


def _closing(row: Values, trust: StoredTrust) -> TrustedClosure:
    closing = trust.directory.closure(row.origin)
    if closing is None or closing.raw != bytes(row.raw):
        raise NotAuthentic("it does not hold after what was installed before it")
    return closing
