"""The outbox: from a typed message to a sealed envelope that waits, and to its receipt.

Posting takes the next place in the case, signs, seals, stores and logs in one unit of work;
sending comes later, from the table, and is somebody else's. What comes back is settled here
too: a verified receipt makes a message *delivered*, a proven refusal *refused*, and any
other word is a hint that changes nothing but the next try. Only this module and the inbox
see both messages and envelopes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol, TypeAlias

from node.audit.records import (
    MessageDelivered,
    MessageRefusedByPeer,
    MessageResealed,
    MessageSent,
    MessageUndelivered,
)
from node.examined import Doubtful, Proven, examine
from node.office import Office
from node.storage import Connection, case_rows, peer_rows, queue_rows
from node.storage.case_rows import Case, StoredMessage
from node.storage.queue_rows import Waiting
from node.storage.statements import Change, change_many
from node.storage.vault import Vault
from node.storage.writer import Tx
from protocol.digest import sha256_hex
from protocol.encoding import Json
from protocol.envelope import SealedEnvelope, seal
from protocol.errors import KeyUnknown, Misuse, Rejected
from protocol.limits import MESSAGE_LIFETIME_S, SKIPS_MAX
from protocol.messages import (
    Attachment,
    AuthenticMessage,
    Message,
    decode_inner,
    decode_message_text,
    sign_message,
)

Settled: TypeAlias = Callable[[Tx, Case, StoredMessage, str], None]
"""Hears, in the unit that settles or gives up a message of ours, how it stood before."""

_SALT_BYTES: Final = 32
_DOUBTS_MAX: Final = 64  # kept of one kind and peer in a day, who could make any number
_DOUBTS_PER_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Draft:
    """What a caseworker wants to say; the outbox gives it its place and its signatures."""

    kind: str
    body: Mapping[str, Json] = field(repr=False)
    attachments: tuple[Attachment, ...] = ()
    lifetime_s: int = MESSAGE_LIFETIME_S


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that is signed, sealed, stored and logged, and waits for its receipt."""

    case: str
    identity: str
    seq: int
    signed: AuthenticMessage = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Known:
    """What storage holds of the messages that a batch of answers speaks of."""

    messages: dict[str, StoredMessage]
    cases: dict[str, Case]
    envelopes: Mapping[str, str]
    settled: dict[str, str] = field(default_factory=dict)  # by these answers; how it was before
    orders: dict[tuple[str, int], str] = field(default_factory=dict)  # taken by these answers
    changes: list[Change] = field(default_factory=list)


class Wake(Protocol):
    """Tell whoever sends to a peer that something waits."""

    def __call__(self, peer: str) -> None:
        """Wake the sender to `peer`; called from any thread."""
        ...


class Outbox:
    """Posts messages, seals them again when keys change, and settles their answers."""

    def __init__(
        self, office: Office, vault: Vault, random: Callable[[int], bytes], wake: Wake,
        settled: Settled,
    ) -> None:  # fmt: skip
        """Post for `office`.

        `wake` is told of each peer that something waits for, `settled` of what came of it.
        """
        self._office = office
        self._vault = vault
        self._random = random
        self._wake = wake
        self._settled = settled

    def post(self, tx: Tx, case: Case, draft: Draft) -> Posted:
        """Sign, seal, store and log a message in a case, in this unit of work.

        `case` was read with its lock, or made, in this unit. Raises `DocumentExpired`,
        `NotPermitted` or `KeyUnknown` if the network document or the peer's listing does
        not allow sending now.
        """
        directory = self._office.directory
        directory.require_current(tx.now)
        directory.permit(self._office.authority)
        directory.permit(case.peer)
        message = self._place(tx, case, draft)
        signed = sign_message(message, self._office.keys.sign)
        envelope = seal(signed, directory.seal_key(case.peer, tx.now))
        self._store(tx, case, signed, envelope)
        tx.after_commit(lambda: self._wake(case.peer))
        return Posted(case.id, signed.identity, message.seq, signed)

    def _place(self, tx: Tx, case: Case, draft: Draft) -> Message:
        """Give the draft its number, its links and, on the requested side, its order."""
        skips = case_rows.given_up(tx.conn, case.id) if case.sent_seq else []
        if len(skips) > SKIPS_MAX:
            raise Misuse("too many messages of this case were given up; open a linked case")
        return Message(
            network=self._office.network,
            epoch=self._office.directory.document.version,
            sender=self._office.authority,
            recipient=case.peer,
            case=case.id,
            seq=case.sent_seq + 1,
            prev=case.sent_identity,
            seen=case.accepted_identity,
            order=case.order_last + 1 if case.side == "requested" else None,
            salt=self._random(_SALT_BYTES),
            created=tx.now,
            expires=tx.now + draft.lifetime_s,
            kind=draft.kind,
            body=draft.body,
            skips=tuple(skips),
            attachments=draft.attachments,
        )

    def _store(
        self, tx: Tx, case: Case, signed: AuthenticMessage, envelope: SealedEnvelope
    ) -> None:
        message, identity = signed.message, signed.identity
        sealed_text = self._vault.seal(case.id, case.wrapped_key, identity, signed.inner)
        stored = StoredMessage(
            identity, case.id, "out", message.seq, message.order, message.kind, message.created,
            message.expires, message.epoch, "queued", tx.now, sealed_text,
        )  # fmt: skip
        case_rows.insert_message(tx.conn, stored)
        case_rows.change_case(
            tx.conn, case.id, sent_seq=message.seq, sent_identity=identity, changed_at=tx.now,
            order_last=case.order_last if message.order is None else message.order,
        )  # fmt: skip
        self._remember(tx, envelope, identity)
        queue_rows.insert_waiting(
            tx.conn,
            Waiting(
                0, case.peer, identity, envelope.digest, envelope.header.key_id, envelope.raw,
                tx.now, message.expires, 0, None,
            ),
        )  # fmt: skip
        record = MessageSent(
            self._office.network, tx.now, identity, envelope.digest, case.peer, case.log_id,
            message.order, by=tx.by,
        )  # fmt: skip
        tx.record(
            record,
            lambda placed: tx.later.append(
                case_rows.message_change(identity, log=placed.log, log_position=placed.position)
            ),
        )

    def _remember(self, tx: Tx, envelope: SealedEnvelope, identity: str) -> None:
        case_rows.insert_envelope(
            tx.conn, envelope.digest, identity, key_id=envelope.header.key_id, made_at=tx.now
        )

    def reseal(self, tx: Tx, peer: str) -> int:
        """Seal again what waits for a peer under a key that is no longer its newest.

        Gives the number of envelopes. The identity of each message stays, and a receipt for
        any envelope ever made of it counts.
        """
        key = self._office.directory.seal_key(peer, tx.now)
        stale = queue_rows.waiting_sealed_to_other(tx.conn, peer, key.key_id)
        for waiting in stale:
            signed = self._signed(tx.conn, waiting.identity)
            envelope = seal(signed, key)
            queue_rows.reseal_waiting(
                tx.conn, waiting.identity, digest=envelope.digest, key_id=key.key_id,
                envelope=envelope.raw,
            )  # fmt: skip
            self._remember(tx, envelope, waiting.identity)
            tx.record(
                MessageResealed(
                    self._office.network, tx.now, waiting.identity, envelope.digest, peer
                )
            )
        return len(stale)

    def _signed(self, conn: Connection, identity: str) -> AuthenticMessage:
        """Give back a message of our own from its stored signed bytes."""
        stored = case_rows.read_message(conn, identity)
        case = case_rows.read_case(conn, stored.case_id) if stored else None
        if stored is None or case is None:
            raise Misuse("a waiting envelope without its message")
        inner = self._vault.open(case.id, case.wrapped_key, identity, stored.sealed_text)
        return AuthenticMessage(decode_message_text(decode_inner(inner).text), identity, inner)

    def examine(self, peer: str, raw: bytes) -> Proven | Doubtful:
        """Verify a receipt or refusal that `peer` gave; needs no storage, so any thread may."""
        return examine(self._office, peer, raw)

    def settle(self, tx: Tx, examined: Sequence[Proven | Doubtful]) -> None:
        """Let verified answers take effect: delivered, refused, or an alarm."""
        proven = [one for one in examined if isinstance(one, Proven)]
        known = self._look_up(tx.conn, proven)
        for one in examined:
            if isinstance(one, Doubtful):
                self._doubt(tx, one.kind, one, None)
            else:
                self._settle_one(tx, one, known)
        # In this unit and not later: another one of its transaction may settle the same.
        change_many(tx.conn, known.changes)
        queue_rows.delete_waiting(tx.conn, list(known.settled))
        for identity, was in known.settled.items():
            stored = known.messages[identity]
            self._settled(tx, known.cases[stored.case_id], stored, was)

    @staticmethod
    def _look_up(conn: Connection, proven: Sequence[Proven]) -> _Known:
        """Read what all the answers speak of at once; their cases are locked."""
        decisions = [one.answer.decision for one in proven]
        stored = case_rows.find_messages(conn, [one.identity for one in decisions], "out")
        return _Known(
            stored,
            case_rows.lock_cases(conn, [one.case_id for one in stored.values()]),
            case_rows.identities_of_envelopes(conn, [one.envelope for one in decisions]),
        )

    def _settle_one(self, tx: Tx, proven: Proven, known: _Known) -> None:
        decision, raw = proven.answer.decision, proven.answer.raw
        stored = known.messages.get(decision.identity)
        case = known.cases.get(stored.case_id) if stored else None
        if (
            stored is None
            or case is None
            or (case.peer, self._office.authority) != (proven.peer, decision.sender)
            or known.envelopes.get(decision.envelope) != decision.identity
        ):
            self._doubt(tx, "receipt-misplaced", proven, decision.identity)
            return
        if contradiction := _contradiction(case, stored, proven):
            self._alarm(tx, "equivocation", proven.peer, stored.identity, contradiction, kept=raw)
        if decision.kind == "message.accepted" and stored.state != "delivered":
            known.messages[stored.identity] = self._delivered(tx, stored, proven, known)
        elif decision.kind == "message.refused" and stored.state in {"queued", "undelivered"}:
            known.messages[stored.identity] = self._refused(tx, stored, proven, known)

    def _delivered(
        self, tx: Tx, stored: StoredMessage, proven: Proven, known: _Known
    ) -> StoredMessage:
        """A valid receipt makes a message delivered, whatever it was held for before."""
        case, raw = known.cases[stored.case_id], proven.answer.raw
        order = self._order_taken(tx, known, stored, proven)
        last = max(case.order_last, order or 0)
        if last != case.order_last:
            known.cases[case.id] = replace(case, order_last=last)
            # At once: another unit of this transaction may read the case.
            case_rows.change_case(tx.conn, case.id, order_last=last, changed_at=tx.now)
        number = stored.order_number if order is None else order
        known.changes.append(
            case_rows.message_change(
                stored.identity, state="delivered", receipt=raw, changed_at=tx.now,
                order_number=number,
            )
        )  # fmt: skip
        known.settled[stored.identity] = stored.state
        tx.record(MessageDelivered(self._office.network, tx.now, stored.identity, sha256_hex(raw)))
        return replace(stored, state="delivered", receipt=raw, order_number=number)

    def _order_taken(
        self, tx: Tx, known: _Known, stored: StoredMessage, proven: Proven
    ) -> int | None:
        """Give the order that the requested side gave our message, unless it was given before."""
        case, order = known.cases[stored.case_id], _order(proven)
        if case.side == "requested":
            return None
        if order is not None:
            holder = known.orders.get((case.id, order))
            if holder is None and order <= case.order_last:
                holder = case_rows.order_holder(tx.conn, case.id, order)
            if holder in {None, stored.identity}:
                known.orders[case.id, order] = stored.identity
                return order
        detail = "a receipt without an order, or with one that was given before"
        raw = proven.answer.raw
        self._alarm(tx, "equivocation", case.peer, stored.identity, detail, kept=raw)
        return None

    def _refused(
        self, tx: Tx, stored: StoredMessage, proven: Proven, known: _Known
    ) -> StoredMessage:
        """A refusal proven by the peer's log is final: stop sending, and say so loudly."""
        raw, code = proven.answer.raw, proven.answer.decision.code or ""
        case_rows.change_message(
            tx.conn, stored.identity, state="refused", receipt=raw, changed_at=tx.now
        )
        tx.record(
            MessageRefusedByPeer(
                self._office.network, tx.now, stored.identity, sha256_hex(raw), code
            )
        )
        self._alarm(tx, "refused", proven.peer, stored.identity, code)
        known.settled[stored.identity] = stored.state
        return replace(stored, state="refused", receipt=raw)

    def give_up_expired(self, tx: Tx) -> int:
        """Make what waited beyond its `expires` undelivered; gives how many."""
        expired = queue_rows.list_expired(tx.conn, tx.now)
        for waiting in expired:
            stored = case_rows.read_message(tx.conn, waiting.identity)
            case_rows.change_message(
                tx.conn, waiting.identity, state="undelivered", changed_at=tx.now
            )
            case = case_rows.read_case(tx.conn, stored.case_id) if stored else None
            tx.record(MessageUndelivered(self._office.network, tx.now, waiting.identity))
            if stored is not None and case is not None:
                self._settled(tx, case, replace(stored, state="undelivered"), stored.state)
            self._alarm(tx, "undelivered", waiting.peer, waiting.identity, waiting.last_code or "")
        queue_rows.delete_waiting(tx.conn, [waiting.identity for waiting in expired])
        return len(expired)

    def note_hints(self, tx: Tx, peer: str, hints: Mapping[str, str]) -> None:
        """Note words of a peer that prove nothing, by envelope digest: the message waits on."""
        identities = case_rows.identities_of_envelopes(tx.conn, list(hints))
        for digest, code in hints.items():
            identity = identities.get(digest)
            if identity is not None:
                queue_rows.note_attempt(tx.conn, peer, [identity], code)
        if KeyUnknown.code in hints.values():
            with contextlib.suppress(Rejected):  # nothing to seal to now: it waits as it is
                self.reseal(tx, peer)

    def _doubt(self, tx: Tx, kind: str, one: Proven | Doubtful, subject: str | None) -> None:
        """Keep what delivers nothing and raise the alarm, unless the peer floods us with it."""
        raw, code = (one.raw, one.code) if isinstance(one, Doubtful) else (one.answer.raw, "")
        if peer_rows.count_alarms(tx.conn, kind, one.peer, tx.now - _DOUBTS_PER_S) < _DOUBTS_MAX:
            self._alarm(tx, kind, one.peer, subject, code, kept=raw)

    def _alarm(
        self, tx: Tx, kind: str, peer: str, subject: str | None, detail: str,
        *, kept: bytes | None = None,
    ) -> None:  # fmt: skip
        peer_rows.insert_alarm(tx.conn, peer_rows.Alarm(tx.now, kind, peer, subject, detail, kept))


def _contradiction(case: Case, stored: StoredMessage, proven: Proven) -> str | None:
    """Say how a peer's proof contradicts another one of the same peer, if it does."""
    accepted = proven.answer.decision.kind == "message.accepted"
    if stored.state == "refused" and accepted:
        return "a receipt after a proven refusal"
    if stored.state != "delivered" or stored.receipt == proven.answer.raw:
        return None
    if not accepted:
        return "a proven refusal after a receipt"
    if case.side == "requested" or stored.order_number == _order(proven):
        return None
    return "two orders for one message"


def _order(proven: Proven) -> int | None:
    return proven.answer.decision.order
