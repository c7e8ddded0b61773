"""Put back what the peers returned: each message proved by its signatures and its receipt.

A page is opened and verified off the writer's thread and installed in one unit of work,
with a `message.recovered` record for each message. What is here already is passed over, so
a recovery that was interrupted can go on. A message that was written here after the state
was set back, and holds the place of one that the other side has receipted, gives way: it
was never delivered. Receipts keep their order; numbers go on behind them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from node.app import Node
from node.audit.records import LogClosed, MessageRecovered, MessageUndelivered
from node.cases.register import request_kind_of
from node.logs import get
from node.recovery.pages import clear, pages_by_peer, read_page
from node.recovery.state import Begun, keep_begun
from node.storage import case_rows, log_rows, peer_rows, queue_rows
from node.storage.case_rows import Case, StoredMessage
from node.storage.vault import Vault
from node.storage.writer import Sequenced, Tx
from node.transport.batch import Batch, Receipted, decode_batch
from protocol.closure import decode_closure, decode_closure_text
from protocol.digest import sha256_hex
from protocol.envelope import (
    OpenedEnvelope,
    authenticate_returned,
    check_addressed,
    open_envelope,
    read_envelope,
)
from protocol.errors import Malformed, Mismatch, Rejected
from protocol.identity import PublicKey
from protocol.messages import AuthenticMessage
from protocol.receipt import ProvenDecision, verify_receipt
from protocol.receipt_file import read_claim

_log = get("recovery")


@dataclass(slots=True)
class Installed:
    """What a recovery put back."""

    messages: int = 0
    known: int = 0  # were here already
    refused: int = 0  # did not prove themselves; the node's log says which


@dataclass(frozen=True, slots=True)
class _Back:
    """A message that came back, with the proof that it was accepted."""

    peer: str
    signed: AuthenticMessage
    proven: ProvenDecision
    key_id: str

    @property
    def order(self) -> int | None:
        """Its number in the order of its case: its own, or the one its receipt gave."""
        own = self.signed.message.order
        return self.proven.decision.order if own is None else own


class Installer:
    """Installs the pages of a folder into the cases of one node."""

    def __init__(self, node: Node) -> None:
        """Install into `node`, whose log is open and new."""
        self._node = node
        self._own = node.office.authority
        self._vault = Vault(node.office.keys.ring.storage_key, node.random)
        self.done = Installed()

    async def open_log(self, begun: Begun) -> None:
        """Record, as the first of the new log, that the one before was closed."""
        statement = decode_closure(begun.closure)
        closure = decode_closure_text(statement.text)
        origin, network = self._node.log.origin, self._node.office.network

        def record(tx: Tx) -> None:
            head = log_rows.read_head(tx.conn, origin)
            if head is not None and head.size == 0:
                tx.record(
                    LogClosed(
                        network, tx.now, origin, closure.origin, closure.size, closure.root.hex(),
                        closure.reason, statement.identity,
                    )
                )  # fmt: skip
                self._node.office.install_closure(tx, begun.closure)

        await self._node.writer.write(record)

    async def install(self, folder: Path) -> None:
        """Install all pages, peer by peer; what is in already is passed over."""
        for peer, files in pages_by_peer(folder).items():
            for file in files:
                await self._install_page(peer, read_page(file))

    async def end(self, begun: Begun, folder: Path) -> None:
        """Note that everything gathered is in; peers that were left out are still named."""
        left = replace(begun, installed=True) if begun.peers else None
        await self._node.writer.write(lambda tx: keep_begun(tx.conn, left))
        clear(folder)

    async def _install_page(self, peer: str, page: bytes) -> None:
        backs = []
        for raw, receipt in _pairs(decode_batch(page)):
            try:
                backs.append(self._prove(peer, raw, receipt))
            except Rejected as fault:
                self.done.refused += 1
                _log.warning("not-recovered", peer=peer, code=fault.code, detail=fault.detail)
        outcome = await self._node.writer.write(
            lambda tx: [self._install(tx, back) for back in backs]
        )
        self.done.messages += sum(outcome)
        self.done.known += len(outcome) - sum(outcome)

    # --- proving ------------------------------------------------------------

    def _prove(self, peer: str, raw: bytes, receipt: bytes) -> _Back:
        """Open a returned envelope and verify message and receipt (SPEC 5.6)."""
        envelope = read_envelope(raw)
        office = self._node.office
        check_addressed(envelope, network=office.network, recipient=self._own, brought_by=peer)
        opened = open_envelope(envelope, office.seal_key(envelope.header.key_id))
        signed = authenticate_returned(opened, self._signers(opened, peer))
        message = signed.message
        if {message.sender, message.recipient} != {self._own, peer}:
            raise Mismatch("a message between other authorities")
        number = read_claim(receipt).log_number
        origin, keys = office.directory.log_keys(message.recipient, number, even_revoked=True)
        proven = verify_receipt(
            receipt, network=office.network, issuer=message.recipient, origin=origin, keys=keys
        )
        decision = proven.decision
        if (decision.kind, decision.identity, decision.sender) != (
            "message.accepted", signed.identity, message.sender,
        ):  # fmt: skip
            raise Mismatch("a receipt for another message")
        return _Back(peer, signed, proven, envelope.header.key_id)

    def _signers(self, opened: OpenedEnvelope, peer: str) -> tuple[PublicKey, PublicKey]:
        """Give the keys of whichever side signed, by the ids that the statement names."""
        header, now = opened.header, self._node.clock.now()
        named = [one.key_id for one in opened.statement.signatures]
        for authority in (peer, self._own):
            keys = self._node.office.directory.sign_keys(
                authority, epoch=header.epoch, created=header.created, now=now
            )
            if [key.key_id for key in keys] == named:
                return keys
        raise Mismatch("signed by neither side")

    # --- installing ---------------------------------------------------------

    def _install(self, tx: Tx, back: _Back) -> bool:
        """Put one message in its place; False if it is there already."""
        message, identity = back.signed.message, back.signed.identity
        direction = "out" if message.sender == self._own else "in"
        held = case_rows.read_message(tx.conn, identity)
        if held is not None and held.state in {"delivered", "accepted"}:
            return False
        case = case_rows.read_case(tx.conn, message.case, lock=True) or self._open_case(tx, back)
        if held is not None:
            self._settle(tx, back)
        else:
            self._make_room(tx, case, direction, message.seq)
            self._insert(tx, case, back, direction)
        self._count(tx, case, back, direction)
        if direction == "in":
            self._take_in(tx, case, back)
        self._record(tx, case, back, direction)
        return True

    def _open_case(self, tx: Tx, back: _Back) -> Case:
        message = back.signed.message
        requesting = message.case.rpartition("/")[0] == self._own
        return self._node.register.open_case(
            tx, message.case, peer=back.peer, side="requesting" if requesting else "requested",
            request_kind=request_kind_of(message),
        )  # fmt: skip

    def _settle(self, tx: Tx, back: _Back) -> None:
        """A message of ours that was thought to wait had arrived."""
        case_rows.change_message(
            tx.conn, back.signed.identity, state="delivered", receipt=back.proven.raw,
            changed_at=tx.now, order_number=back.order,
        )  # fmt: skip
        queue_rows.delete_waiting(tx.conn, [back.signed.identity])

    def _make_room(self, tx: Tx, case: Case, direction: str, seq: int) -> None:
        """What was written in this place after the state was set back gives way, and is kept."""
        other = case_rows.message_at(tx.conn, case.id, direction, seq)
        if other is None:
            return
        case_rows.insert_contested(tx.conn, other, "recovered")
        queue_rows.delete_waiting(tx.conn, [other.identity])
        case_rows.delete_message(tx.conn, other.identity)
        tx.record(MessageUndelivered(self._node.office.network, tx.now, other.identity))
        alarm = peer_rows.Alarm(
            tx.now, "recovered-over", case.peer, other.identity, "its place was taken before"
        )
        peer_rows.insert_alarm(tx.conn, alarm)

    def _insert(self, tx: Tx, case: Case, back: _Back, direction: str) -> None:
        message, identity = back.signed.message, back.signed.identity
        sealed_text = self._vault.seal(case.id, case.wrapped_key, identity, back.signed.inner)
        state = "delivered" if direction == "out" else "accepted"
        case_rows.insert_message(
            tx.conn,
            StoredMessage(
                identity, case.id, direction, message.seq, back.order, message.kind,
                message.created, message.expires, message.epoch, state, tx.now, sealed_text,
                back.proven.raw,
            ),
        )  # fmt: skip
        envelope = back.proven.decision.envelope
        if not case_rows.identities_of_envelopes(tx.conn, [envelope]):
            case_rows.insert_envelope(
                tx.conn, envelope, identity, key_id=back.key_id, made_at=tx.now
            )

    @staticmethod
    def _count(tx: Tx, case: Case, back: _Back, direction: str) -> None:
        """Numbers and order go on behind what came back."""
        seq, identity = back.signed.message.seq, back.signed.identity
        changes: dict[str, int | str | None] = {"changed_at": tx.now}
        if direction == "out" and seq >= case.sent_seq:
            changes |= {"sent_seq": seq, "sent_identity": identity}
        if direction == "in" and seq >= case.accepted_seq:
            changes |= {"accepted_seq": seq, "accepted_identity": identity}
        changes["order_last"] = max(case.order_last, back.order or 0)
        if case.state in {"SENT", "UNDELIVERABLE"}:
            changes["state"] = "DELIVERED"
        case_rows.change_case(tx.conn, case.id, **changes)

    def _take_in(self, tx: Tx, case: Case, back: _Back) -> None:
        """What the other side gave up before this message, and what it carries."""
        skips = back.signed.message.skips
        known = case_rows.known_skips(tx.conn, case.id, skips) if skips else set()
        held = case_rows.find_messages(tx.conn, skips, "in")
        lacking = [one for one in skips if one not in known and one not in held]
        if lacking:
            case_rows.insert_skips(tx.conn, case.id, lacking)
        self._node.register.receive(tx, back.signed)

    def _record(self, tx: Tx, case: Case, back: _Back, direction: str) -> None:
        identity = back.signed.identity

        def place(placed: Sequenced) -> None:
            tx.later.append(
                case_rows.message_change(identity, log=placed.log, log_position=placed.position)
            )

        tx.record(
            MessageRecovered(
                self._node.office.network, tx.now, identity, direction, back.peer, case.log_id,
                sha256_hex(back.proven.raw), back.order, by=tx.by,
            ),
            place,
        )  # fmt: skip


def _pairs(page: Batch) -> Iterator[tuple[bytes, bytes]]:
    """Give each envelope of a page with the receipt that names it."""
    receipts = {
        one.envelope: one.receipt for one in page.answers.answers if isinstance(one, Receipted)
    }
    for raw in page.envelopes:
        receipt = receipts.get(sha256_hex(raw))
        if receipt is None:
            raise Malformed("a returned message without its receipt")
        yield raw, receipt
