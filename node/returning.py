"""What a peer that has lost its state gets back: the messages of both sides, with receipts.

    batch = returning.page(peer, lost, now)

A node that was restored asks for everything that was receipted above the size to which its
log was set back (SPEC 8.4). Both sides keep what was signed as long as the case, so it can
be sealed again, to the caller alone and about cases with the caller alone. Reads, and
changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from node.logs import get
from node.office import Office
from node.storage import Connection, recovery_rows
from node.storage.case_rows import StoredMessage
from node.storage.engine import Database
from node.storage.vault import Vault
from node.transport.batch import Answers, Batch, Receipted
from node.transport.routes import Recovery
from protocol.envelope import SealedEnvelope, seal_returned
from protocol.errors import Rejected
from protocol.identity import PublicKey
from protocol.limits import BATCH_BYTES_MAX, BATCH_ENVELOPES_MAX, MESSAGE_SKEW_S
from protocol.messages import AuthenticMessage, decode_inner, decode_message_text
from protocol.receipt_file import read_claim

_log = get("returning")

# Of a page; the rest is for lengths and what else a batch holds.
_PAGE_BYTES_MAX: Final = BATCH_BYTES_MAX - 64 * 1024
# The caller's clock and ours, and a receipt on its way: what is given twice does no harm.
_SETTLED_LATER_S: Final = 3_600 + MESSAGE_SKEW_S


class Returning:
    """Gives messages back to the peer that lost them."""

    def __init__(self, office: Office, vault: Vault, database: Database) -> None:
        """Give back what `database` holds."""
        self._office = office
        self._vault = vault
        self._database = database

    def page(self, peer: str, lost: Recovery, now: int) -> Batch:
        """Give the next envelopes for a peer, each with its receipt; none when that was all.

        Raises `Rejected` if nothing may be sealed to the peer now.
        """
        key = self._office.directory.seal_key(peer, now)
        return self._database.read(lambda conn: self._page(conn, peer, key, lost))

    def _page(self, conn: Connection, peer: str, key: PublicKey, lost: Recovery) -> Batch:
        answers: list[Receipted] = []
        envelopes: list[bytes] = []
        room = _PAGE_BYTES_MAX
        for stored, wrapped_key in self._lost(conn, peer, lost):
            try:
                envelope = self._seal(stored, wrapped_key, peer, key)
            except Rejected as fault:  # altered here: `audit verify` says so, the others go
                _log.warning("not-returned", peer=peer, code=fault.code, identity=stored.identity)
                continue
            receipt = stored.receipt or b""
            room -= len(envelope.raw) + 2 * len(receipt) + 256  # in base64, with its digest
            if envelopes and (room < 0 or len(envelopes) == BATCH_ENVELOPES_MAX):
                break
            envelopes.append(envelope.raw)
            answers.append(Receipted(envelope.digest, receipt))
        return Batch(Answers(tuple(answers)), tuple(envelopes))

    @staticmethod
    def _lost(conn: Connection, peer: str, lost: Recovery) -> Iterator[tuple[StoredMessage, bytes]]:
        found = recovery_rows.messages_with(
            conn, peer, created=lost.since - MESSAGE_SKEW_S,
            settled=lost.since - _SETTLED_LATER_S, after=lost.after,
        )  # fmt: skip
        for stored, wrapped_key in found:
            if stored.receipt and wrapped_key and _is_lost(stored, lost):
                yield stored, wrapped_key

    def _seal(
        self, stored: StoredMessage, wrapped_key: bytes, peer: str, key: PublicKey
    ) -> SealedEnvelope:
        inner = self._vault.open(stored.case_id, wrapped_key, stored.identity, stored.sealed_text)
        message = decode_message_text(decode_inner(inner).text)
        return seal_returned(AuthenticMessage(message, stored.identity, inner), peer, key)


def _is_lost(stored: StoredMessage, lost: Recovery) -> bool:
    """Say whether the caller's log may lack a message: its receipt stands above, or elsewhere."""
    if stored.direction == "in":
        return True  # the receipt is ours, and says nothing about where the caller's log was
    try:
        claim = read_claim(stored.receipt or b"")
    except Rejected as fault:  # altered here: `audit verify` says so, the others go
        _log.warning("not-returned", code=fault.code, identity=stored.identity)
        return False
    return claim.log_number != lost.log or claim.index >= lost.above
