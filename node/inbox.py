"""The inbox: from sealed bytes that a peer brought to an accepted message and a receipt.

Opening goes by the numbered steps of SPEC 5.3. What needs no state (form, decryption,
signatures) is done first and off the event loop; what needs state (is it known, is it its
turn) is decided inside one unit of work together with the nonce of the HTTP request that
brought it, so that a repeat of either has one effect and gets the same receipt. One bad
envelope never spoils its neighbours: each gets its own answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from node.cases.register import Register, request_kind_of
from node.office import Office
from node.storage import Connection, case_rows, peer_rows
from node.storage.case_rows import Case, Refusal, StoredMessage
from node.storage.engine import Database
from node.storage.vault import Vault
from node.storage.writer import Sequenced, Tx, Writer
from node.turns import check_turn
from protocol.digest import sha256_hex
from protocol.envelope import (
    Header,
    OpenedEnvelope,
    authenticate,
    check_addressed,
    open_envelope,
    read_envelope,
)
from protocol.errors import (
    Busy,
    Equivocation,
    NotAuthentic,
    Rejected,
)
from protocol.identity import PublicKey
from protocol.messages import (
    AuthenticMessage,
    Message,
    check_time,
    decode_inner,
    decode_message_text,
)
from protocol.receipt import Receipt, decode_receipt
from protocol.record import Decision, decode_decision


@dataclass(frozen=True, slots=True)
class Brought:
    """Who brought the envelopes, and the nonce of the request, to be used once."""

    authority: str
    key_id: str
    nonce: str | None  # None for what we fetched: it was bound to our own request
    expires: int


@dataclass(slots=True)
class Verdict:
    """The answer to one envelope: a receipt, a refusal with or without proof, or neither yet."""

    envelope: str
    receipt: bytes | None = None
    refusal: str | None = None
    detail: str = ""
    proof: bytes | None = None
    size: int | None = None  # of our log, if receipt or proof were made for this very answer
    also: list[Verdict] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Ready:
    """An authentic message and the envelope it came in."""

    envelope: OpenedEnvelope
    signed: AuthenticMessage


class Inbox:
    """Accepts what peers bring."""

    def __init__(
        self, office: Office, vault: Vault, register: Register, database: Database, writer: Writer
    ) -> None:
        """Accept for `office` into `register`."""
        self._office = office
        self._vault = vault
        self._register = register
        self._database = database
        self._writer = writer

    async def accept(self, brought: Brought, raw: Sequence[bytes]) -> list[Verdict]:
        """Answer each envelope in its order; raises `NotAuthentic` for a replayed request."""
        verdicts, ready = await asyncio.to_thread(self._prepare, brought, raw)
        if not ready:
            # Nothing to write but the nonce, so that a replay of this request is noticed too.
            await self._writer.write(lambda tx: _take_nonce(tx, brought))
            return verdicts
        decided = await self._writer.write(lambda tx: self._decide_all(tx, brought, ready))
        for index, verdict in decided.items():
            verdicts[index] = verdict
        return verdicts

    def _prepare(
        self, brought: Brought, raw: Sequence[bytes]
    ) -> tuple[list[Verdict], dict[int, _Ready]]:
        """Steps 1 to 15 for each envelope; what is known already gets its answer at once."""
        digests = [sha256_hex(one) for one in raw]
        known = self._database.read(lambda conn: self._known_envelopes(conn, digests))
        verdicts: list[Verdict] = []
        opened: dict[int, OpenedEnvelope] = {}
        for index, (digest, one) in enumerate(zip(digests, raw, strict=True)):
            verdicts.append(Verdict(digest))
            try:
                envelope = self._open(brought, one, known.get(digest), verdicts[index])
            except Rejected as fault:
                _refuse(verdicts[index], fault)
            else:
                if envelope is not None:
                    opened[index] = envelope
        return verdicts, self._authenticate_new(opened, verdicts)

    def _known_envelopes(
        self, conn: Connection, digests: Sequence[str]
    ) -> dict[str, StoredMessage]:
        identities = case_rows.identities_of_envelopes(conn, digests)
        stored = case_rows.find_messages(conn, list(identities.values()), "in")
        return {d: stored[i] for d, i in identities.items() if i in stored}

    def _open(
        self, brought: Brought, raw: bytes, known: StoredMessage | None, verdict: Verdict
    ) -> OpenedEnvelope | None:
        # (1)-(4) Form, for us, from who brought it.
        envelope = read_envelope(raw)
        check_addressed(
            envelope,
            network=self._office.network,
            recipient=self._office.authority,
            brought_by=brought.authority,
        )
        # (5) An envelope accepted before: its receipt, byte for byte.
        if known is not None:
            self._repeat(verdict, known)
            return None
        # (6) Our key of that id, also one just rotated away.
        key = self._office.seal_key(envelope.header.key_id)
        # (7)-(10) Suite, decryption, padding, the form of the statement.
        suite_min = self._office.directory.entry(brought.authority).min_suite
        return open_envelope(envelope, key, suite_min=suite_min)

    def _authenticate_new(
        self, opened: dict[int, OpenedEnvelope], verdicts: list[Verdict]
    ) -> dict[int, _Ready]:
        """Steps 11 to 15: what is known by identity is answered, the rest authenticated."""
        identities = [envelope.identity for envelope in opened.values()]
        stored, refused = self._database.read(
            lambda conn: (
                case_rows.find_messages(conn, identities, "in"),
                case_rows.find_refusals(conn, identities),
            )
        )
        ready: dict[int, _Ready] = {}
        for index, envelope in opened.items():
            # (11) A message accepted or finally refused before, sealed again: the same answer.
            if envelope.identity in stored:
                self._repeat(verdicts[index], stored[envelope.identity])
            elif envelope.identity in refused:
                _repeat_refusal(verdicts[index], refused[envelope.identity])
            else:
                try:
                    ready[index] = _Ready(envelope, self._authenticate(envelope))
                except Rejected as fault:
                    _refuse(verdicts[index], fault)
        return ready

    def _authenticate(self, envelope: OpenedEnvelope) -> AuthenticMessage:
        keys = self._keys_of(envelope.header, self._writer.now())
        # (13)-(15) Both signatures, strict text, inner equal to outer.
        return authenticate(envelope, keys)

    def _keys_of(self, header: Header, now: int) -> tuple[PublicKey, PublicKey]:
        """(12) Epoch and permission: old keys may judge, only the newest list permits."""
        directory = self._office.directory
        directory.require_current(now)
        directory.permit(header.sender)
        return directory.sign_keys(
            header.sender, epoch=header.epoch, created=header.created, now=now
        )

    def _decide_all(self, tx: Tx, brought: Brought, ready: dict[int, _Ready]) -> dict[int, Verdict]:
        _take_nonce(tx, brought)
        identities = [one.signed.identity for one in ready.values()]
        stored = case_rows.find_messages(tx.conn, identities, "in")
        refused = case_rows.find_refusals(tx.conn, identities)
        verdicts: dict[int, Verdict] = {}
        by_identity: dict[str, Verdict] = {}
        for index, one in ready.items():
            identity = one.signed.identity
            if identity not in by_identity:
                verdict = by_identity[identity] = Verdict(one.envelope.digest)
                # Decided meanwhile: the same answer, or none yet if in this very transaction.
                if identity in stored:
                    verdict.receipt = stored[identity].receipt or None
                elif identity in refused:
                    _repeat_refusal(verdict, refused[identity])
                else:
                    self._decide(tx, one, verdict)
            verdicts[index] = by_identity[identity]
        return verdicts

    def _decide(self, tx: Tx, one: _Ready, verdict: Verdict) -> None:
        """Steps 16 to 18: accept, refuse finally with a record, or refuse for now."""
        try:
            self._accept(tx, one, verdict)
        except Rejected as fault:
            _refuse(verdict, fault)
            if fault.final:
                self._refuse_finally(tx, one, fault, verdict)

    def _accept(self, tx: Tx, one: _Ready, verdict: Verdict) -> None:
        message = one.signed.message
        # (12) Once more: a key may have been revoked since the signatures were verified.
        self._keys_of(one.envelope.header, tx.now)
        case = case_rows.read_case(tx.conn, message.case, lock=True)
        if case and case_rows.find_messages(tx.conn, [one.signed.identity], "in"):
            # Another process accepted it while this one waited for the lock: never a refusal.
            raise Busy("accepted meanwhile; a repeat gets the receipt")
        # (16) Time.
        check_time(message, tx.now)
        # (17) Its turn in the case.
        lacking = check_turn(tx.conn, case, one.signed)
        if case is None:
            case = self._register.open_case(
                tx, message.case, peer=message.sender, side="requested",
                request_kind=request_kind_of(message),
            )  # fmt: skip
        # (18) Commit and log; the receipt is made in this transaction and leaves after it.
        verdict.also += _given_back(tx.conn, message)
        if lacking:
            case_rows.insert_skips(tx.conn, case.id, lacking)
        order = case.order_last + 1 if message.sender_side == "requesting" else None
        self._store(tx, case, one, order)
        self._register.receive(tx, case, one.signed, order)
        self._record(tx, "message.accepted", one, verdict, order=order)

    def _repeat(self, verdict: Verdict, stored: StoredMessage) -> None:
        """Answer a message accepted before: its receipt, and those that it asks for again."""
        verdict.receipt = stored.receipt or None  # an erased one cannot be given again
        verdict.also += self._database.read(lambda conn: self._given_back_again(conn, stored))

    def _given_back_again(self, conn: Connection, stored: StoredMessage) -> list[Verdict]:
        case = case_rows.read_case(conn, stored.case_id)
        if case is None or not case.wrapped_key:
            return []
        inner = self._vault.open(case.id, case.wrapped_key, stored.identity, stored.sealed_text)
        return _given_back(conn, decode_message_text(decode_inner(inner).text))

    def _store(self, tx: Tx, case: Case, one: _Ready, order: int | None) -> None:
        message, identity = one.signed.message, one.signed.identity
        number = message.order if order is None else order
        stored = self._stored(tx, case, one, number)
        case_rows.insert_message(tx.conn, stored)
        case_rows.insert_envelope(
            tx.conn, one.envelope.digest, identity, key_id=one.envelope.header.key_id,
            made_at=tx.now,
        )  # fmt: skip
        case_rows.change_case(
            tx.conn, case.id, accepted_seq=message.seq, accepted_identity=identity,
            changed_at=tx.now, order_last=max(case.order_last, number or 0),
        )  # fmt: skip

    def _stored(self, tx: Tx, case: Case, one: _Ready, order: int | None) -> StoredMessage:
        message, identity = one.signed.message, one.signed.identity
        sealed_text = self._vault.seal(case.id, case.wrapped_key, identity, one.signed.inner)
        return StoredMessage(
            identity, case.id, "in", message.seq, order, message.kind, message.created,
            message.expires, message.epoch, "accepted", tx.now, sealed_text,
        )  # fmt: skip

    def _refuse_finally(self, tx: Tx, one: _Ready, fault: Rejected, verdict: Verdict) -> None:
        """Both signatures held, so the refusal may be proven; what contradicts is kept."""
        identity, message = one.signed.identity, one.signed.message
        case_rows.insert_refusal(tx.conn, Refusal(identity, fault.code, tx.now))
        case = case_rows.read_case(tx.conn, message.case)
        if isinstance(fault, Equivocation) and case is not None:
            kept = self._stored(tx, case, one, message.order)
            case_rows.insert_contested(tx.conn, kept, fault.code)
            alarm = peer_rows.Alarm(tx.now, "equivocation", message.sender, identity, fault.detail)
            peer_rows.insert_alarm(tx.conn, alarm)
        self._record(tx, "message.refused", one, verdict, code=fault.code)

    def _record(
        self, tx: Tx, kind: str, one: _Ready, verdict: Verdict, *,
        order: int | None = None, code: str | None = None,
    ) -> None:  # fmt: skip
        accepted = kind == "message.accepted"
        decision = Decision(
            kind="message.accepted" if accepted else "message.refused",
            network=self._office.network,
            at=tx.now,
            identity=one.signed.identity,
            envelope=one.envelope.digest,
            sender=one.signed.message.sender,
            recipient=self._office.authority,
            order=order,
            code=code,
        )

        def prove(placed: Sequenced) -> None:
            raw = Receipt(placed.record, placed.salt, placed.proof).encode()
            verdict.size = placed.size
            if accepted:
                verdict.receipt = raw
                tx.later.append(
                    case_rows.message_change(
                        decision.identity,
                        receipt=raw,
                        log=placed.log,
                        log_position=placed.position,
                    )
                )
            else:
                verdict.proof = raw
                tx.later.append(case_rows.refusal_change(decision.identity, raw))

        tx.record(decision, prove)


def _take_nonce(tx: Tx, brought: Brought) -> None:
    if brought.nonce is None:
        return
    if not peer_rows.take_nonce(tx.conn, brought.key_id, brought.nonce, brought.expires):
        raise NotAuthentic("a request with a nonce that was used before")


def _refuse(verdict: Verdict, fault: Rejected) -> None:
    verdict.refusal, verdict.detail = fault.code, fault.detail


def _repeat_refusal(verdict: Verdict, refusal: Refusal) -> None:
    verdict.refusal, verdict.proof = refusal.code, refusal.proof or None
    verdict.detail = "a repeat of a message that was finally refused"


def _given_back(conn: Connection, message: Message) -> list[Verdict]:
    """The sender believes these undelivered; what we had accepted, we prove again."""
    held = case_rows.find_messages(conn, message.skips, "in").values()
    return [
        Verdict(_envelope_in(stored.receipt), receipt=stored.receipt)
        for stored in held
        if stored.receipt and stored.case_id == message.case
    ]


def _envelope_in(receipt: bytes) -> str:
    """The envelope digest that a stored receipt of ours names."""
    return decode_decision(decode_receipt(receipt).record).envelope
