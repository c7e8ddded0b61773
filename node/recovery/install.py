"""Put back what the peers returned: each message proved by its signatures and its receipt.

A page is opened and verified off the writer's thread and installed in one unit of work,
with a `message.recovered` record for each message. What is here already is passed over, so
a recovery that was interrupted can go on. A message that was written here after the state
was set back, and holds the place of one that the other side has receipted, gives way: it
was never delivered. Receipts keep their order; numbers go on behind them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from node.app import Node
from node.audit.records import LogClosed, MessageRecovered, MessageUndelivered
from node.cases.register import request_kind_of
from node.logs import get
from node.recovery.pages import clear, pages_by_peer, read_page
from node.recovery.proving import Back, pairs, prove
from node.recovery.state import Begun, keep_begun
from node.storage import case_rows, log_rows, peer_rows, queue_rows, watch_rows, witness_rows
from node.storage.case_rows import Case, StoredMessage
from node.storage.vault import Vault
from node.storage.watch_rows import Unproved
from node.storage.writer import Sequenced, Tx
from node.transport.batch import decode_batch
from protocol.checkpoint import SignedCheckpoint
from protocol.closure import decode_closure, decode_closure_text
from protocol.digest import sha256_hex
from protocol.errors import Rejected

_log = get("recovery")


@dataclass(slots=True)
class Installed:
    """What a recovery put back."""

    messages: int = 0
    known: int = 0  # were here already
    refused: int = 0  # did not prove themselves; the node's log says which


class Installer:
    """Installs the pages of a folder into the cases of one node."""

    def __init__(self, node: Node) -> None:
        """Install into `node`, whose log is open and new."""
        self._node = node
        self._own = node.office.authority
        self._vault = Vault(node.office.keys.ring.storage_key, node.random)
        self.done = Installed()

    async def open_log(self, begun: Begun) -> None:
        """Record, as the first of the new log, that the one before was closed.

        Closings before that one, which were lost as well, are installed again.
        """
        for raw in begun.before:
            await self._node.writer.write(partial(self._node.office.install_closure, raw=raw))
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
        for raw, receipt in pairs(decode_batch(page)):
            try:
                backs.append(prove(self._node, peer, raw, receipt))
            except Rejected as fault:
                self.done.refused += 1
                _log.warning("not-recovered", peer=peer, code=fault.code, detail=fault.detail)
        outcome = await self._node.writer.write(lambda tx: self._install_all(tx, backs))
        self.done.messages += sum(outcome)
        self.done.known += len(outcome) - sum(outcome)

    # --- installing ---------------------------------------------------------

    def _install_all(self, tx: Tx, backs: Sequence[Back]) -> list[bool]:
        outcome = [self._install(tx, back) for back in backs]
        self._watch_again(tx, [one for one in backs if one.signed.message.sender == self._own])
        return outcome

    def _watch_again(self, tx: Tx, sent: Sequence[Back]) -> None:
        """What we cosigned of the peer's log was set back, too: the monitor has to look.

        Of the checkpoints that its receipts rest on the newest is enough: it leads over all.
        """
        newest: dict[str, SignedCheckpoint] = {}
        for signed in sorted((one.proven.signed for one in sent), key=_size):
            newest[signed.checkpoint.origin] = signed
        for origin, signed in newest.items():
            head = signed.checkpoint
            state = witness_rows.read_witnessed(tx.conn, origin)
            if state is None or state.size < head.size:
                unproved = Unproved(origin, head.size, head.root, signed.raw, tx.now)
                watch_rows.insert_unproved(tx.conn, unproved)

    def _install(self, tx: Tx, back: Back) -> bool:
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
        case = case_rows.read_case(tx.conn, case.id, lock=True) or case
        self._node.register.standings.taken_back(tx, case, back.signed, back.order)
        self._record(tx, case, back, direction)
        return True

    def _open_case(self, tx: Tx, back: Back) -> Case:
        message = back.signed.message
        requesting = message.case.rpartition("/")[0] == self._own
        return self._node.register.open_case(
            tx, message.case, peer=back.peer, side="requesting" if requesting else "requested",
            request_kind=request_kind_of(message),
        )  # fmt: skip

    def _settle(self, tx: Tx, back: Back) -> None:
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

    def _insert(self, tx: Tx, case: Case, back: Back, direction: str) -> None:
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
    def _count(tx: Tx, case: Case, back: Back, direction: str) -> None:
        """Numbers and order go on behind what came back."""
        seq, identity = back.signed.message.seq, back.signed.identity
        changes: dict[str, int | str | None] = {"changed_at": tx.now}
        if direction == "out" and seq >= case.sent_seq:
            changes |= {"sent_seq": seq, "sent_identity": identity}
        if direction == "in" and seq >= case.accepted_seq:
            changes |= {"accepted_seq": seq, "accepted_identity": identity}
        changes["order_last"] = max(case.order_last, back.order or 0)
        if _opens_case(back):  # it need not come back before what answers it
            changes["request_kind"] = request_kind_of(back.signed.message)
        case_rows.change_case(tx.conn, case.id, **changes)

    def _take_in(self, tx: Tx, case: Case, back: Back) -> None:
        """What the other side gave up before this message, and what it carries."""
        skips = back.signed.message.skips
        known = case_rows.known_skips(tx.conn, case.id, skips) if skips else set()
        held = case_rows.find_messages(tx.conn, skips, "in")
        lacking = [one for one in skips if one not in known and one not in held]
        if lacking:
            case_rows.insert_skips(tx.conn, case.id, lacking)
        self._node.register.list_evidence(tx, back.signed)

    def _record(self, tx: Tx, case: Case, back: Back, direction: str) -> None:
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


def _opens_case(back: Back) -> bool:
    """Say whether a message is the request with which its case began."""
    message = back.signed.message
    return message.seq == 1 and message.case.rpartition("/")[0] == message.sender


def _size(signed: SignedCheckpoint) -> int:
    return signed.checkpoint.size
