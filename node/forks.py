"""Fork proofs: two histories that one log has signed, kept once and for everybody to see.

Whoever finds a contradiction (an exchange, a witness, the monitor, a peer) brings the proof
here. It is verified again, kept, recorded, and an alarm is raised with its bytes; whoever
sends notices to peers is told. A proof against our own log halts it: somebody else has its
keys, or this node is a copy. Decides nothing about messages and knows no transport.
"""

from __future__ import annotations

from collections.abc import Callable

from node.audit.log import Log
from node.audit.records import ForkFound
from node.logs import get
from node.office import Office
from node.own_log import ADVICE, keep_halted
from node.storage import Connection, notice_rows, peer_rows
from node.storage.notice_rows import Notice
from node.storage.peer_rows import Alarm
from node.storage.writer import Tx
from protocol.checkpoint import owner_of
from protocol.digest import sha256_hex
from protocol.fork import decode_fork, verify_fork

_log = get("forks")


class Forks:
    """Keeps the fork proofs of one node."""

    def __init__(self, office: Office, log: Log) -> None:
        """Judge by the keys that `office` trusts; `log` is our own, and may have to stop."""
        self._office = office
        self._sequencer = log
        self.ring: Callable[[], None] | None = None  # told of each new proof, from any thread

    def known(self, conn: Connection, raw: bytes) -> bool:
        """Say whether this log's fork is known here; raises `Rejected` if nothing is proved.

        For a reader: what a peer sends again, or forges, keeps no writer busy.
        """
        origin = decode_fork(raw).origin
        if origin == self._sequencer.origin and self._sequencer.halted is not None:
            return True
        if notice_rows.read_notice(conn, "fork", origin) is not None:
            return True
        keys = self._office.directory.keys_of_log(origin, even_revoked=True)
        verify_fork(raw, origin=origin, keys=keys)
        return False

    def keep(self, tx: Tx, raw: bytes, *, told_by: str | None) -> bool:
        """Keep a proof; False if this log's fork was known. Raises `Rejected` if it is none."""
        origin = decode_fork(raw).origin
        if notice_rows.read_notice(tx.conn, "fork", origin) is not None:
            return False
        keys = self._office.trusted(tx).keys_of_log(origin, even_revoked=True)
        fork = verify_fork(raw, origin=origin, keys=keys)
        sizes = f"{fork.first.checkpoint.size} and {fork.second.checkpoint.size}"
        if origin == self._sequencer.origin:
            self._halt(tx, raw, sizes, told_by)
            return False
        digest = sha256_hex(raw)
        notice_rows.insert_notice(tx.conn, "fork", Notice(digest, origin, raw, tx.now))
        tx.record(ForkFound(self._office.network, tx.now, origin, digest))
        authority = owner_of(origin)
        detail = f"{origin} has signed two histories, at {sizes} entries"
        alarm = Alarm(tx.now, "log-fork", authority, digest, detail, kept=raw)
        peer_rows.insert_alarm(tx.conn, alarm)
        tx.after_commit(self._told)
        _log.error("log-fork", peer=authority, origin=origin, digest=digest)
        return True

    def _halt(self, tx: Tx, raw: bytes, sizes: str, told_by: str | None) -> None:
        """Our own keys have signed two histories: stop, whichever of them is this one."""
        if self._sequencer.halted is not None:
            return
        reason = f"this log has signed two histories, at {sizes} entries; {ADVICE}"
        keep_halted(tx, self._sequencer.origin, reason, kept=raw, shown_by=told_by)
        _log.error("log-halted", peer=told_by, detail=reason)
        tx.after_commit(lambda: self._sequencer.halt(reason))

    def _told(self) -> None:
        if self.ring is not None:
            self.ring()
