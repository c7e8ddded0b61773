"""What a bundle proves, to somebody who has nothing else: no node, no network (SPEC 15.3, 15.4).

    report = verify_bundle(raw)      # raises Rejected: something in it is false
    report.doubts                    # what cannot be decided, empty if all of it holds

All is relative to the network documents in the bundle; whether they are the true ones, a
person says who compares a fingerprint. A fork proof in a bundle changes no outcome: the
receipts of a log that forked bind it all the same, and an honest holder must be able to
show both. This module knows no clock, no disk and no key from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from protocol.bundle import About, decode_bundle
from protocol.bundle_case import evidence_as_signed, judge_messages, judge_receipts
from protocol.bundle_logs import Logs, Standing, judge_logs
from protocol.bundle_parts import (
    MessagePart,
    Parts,
    ProofPart,
    TimestampPart,
    parse_parts,
    summary_of,
)
from protocol.bundle_trust import Doubts, lay_ground
from protocol.checkpoint import owner_of
from protocol.document import KeyIds
from protocol.errors import Mismatch, NotAuthentic, NotForUs
from protocol.messages import Message
from protocol.network import TrustedDocument
from protocol.record import Decision


@dataclass(frozen=True, slots=True)
class MessageLine:
    """One message of a case, or with proofs only what its receipt says of it.

    `evidence` says whether a manifest is the one that is signed for, None without one.
    """

    identity: str
    message: Message | None
    decision: Decision | None
    standing: Standing | None
    evidence: bool | None = None

    @property
    def number(self) -> int | None:
        """The number of the message in its case, if it has one here."""
        if self.message is not None and self.message.order is not None:
            return self.message.order
        return None if self.decision is None else self.decision.order


@dataclass(frozen=True, slots=True)
class RecordLine:
    """One record that stands in a log."""

    part: ProofPart
    standing: Standing


@dataclass(frozen=True, slots=True)
class BundleReport:
    """What holds in a bundle, if one of `documents` is the network's own."""

    about: About
    documents: tuple[TrustedDocument, ...]
    lines: tuple[MessageLine, ...]
    records: tuple[RecordLine, ...]
    timestamps: tuple[TimestampPart, ...]
    logs: Logs = field(repr=False)
    doubts: tuple[str, ...] = ()

    @property
    def forked(self) -> tuple[str, ...]:
        """The logs that are proved to have two histories."""
        return tuple(sorted(self.logs.forked))


def verify_bundle(raw: bytes) -> BundleReport:
    """Verify a bundle by what is in it (SPEC 15.4).

    Raises a `Rejected` if anything in it does not hold or contradicts something else;
    `KeyUnknown` if its documents are no chain, so that nothing can be judged. The caller
    compares the fingerprint of a document, and looks at `doubts`.
    """
    # (1) The container, every part in its form, their order.
    bundle = decode_bundle(raw)
    parts = parse_parts(bundle)
    # (2) All of it is of one network, each receipt is by the owner of its log, and the
    # summary is the one that follows from it.
    _check_network(parts)
    _check_issuers(parts)
    if summary_of(parts) != bundle.summary:
        raise Mismatch("the summary is not the one that follows from what is in the bundle")
    # (3) Documents, listings, closures, revocations.
    doubts = Doubts()
    ground = lay_ground(parts, doubts)
    # (4) Proofs and heads: each log has one history, and who has seen it.
    logs = judge_logs(parts, ground, doubts)
    # (5) Messages and receipts as one case.
    signers = judge_messages(parts, ground, doubts)
    judge_receipts(parts, doubts)
    # (6) What was made under keys that were revoked since.
    _weigh(parts, logs, signers, doubts)
    return BundleReport(
        about=parts.about,
        documents=ground.documents,
        lines=tuple(_lines(parts, logs)),
        records=tuple(RecordLine(one, logs.standing(one)) for one in parts.records),
        timestamps=parts.timestamps,
        logs=logs,
        doubts=tuple(doubts.reasons),
    )


def _check_network(parts: Parts) -> None:
    proofs = [*(one.proof for one in parts.receipts), *parts.records]
    origins = [one.checkpoint.origin for one in proofs]
    origins += [one.checkpoint.origin for one in parts.heads]
    origins += [one.checkpoint.origin for one in parts.timestamps]
    origins += [one.origin for one in parts.forks]
    named = {
        *(one.message.network for one in parts.messages),
        *(one.record.network for one in proofs),
        *(one.text.network for one in parts.documents),
        *(one.text.network for one in parts.listings),
        *(one.text.network for one in parts.revocations),
        *(one.text.network for one in parts.closures),
        *(origin.partition("/")[0] for origin in origins),
    }
    if not named <= {parts.about.network}:
        raise NotForUs("a part of another network than the bundle's")


def _check_issuers(parts: Parts) -> None:
    for one in parts.receipts:
        if one.decision.recipient != owner_of(one.proof.checkpoint.origin):
            raise NotAuthentic("a decision that is not made by the owner of the log")


def _lines(parts: Parts, logs: Logs) -> Iterable[MessageLine]:
    receipts = {one.decision.identity: one for one in parts.receipts}
    named: list[tuple[str, MessagePart | None]] = [(one.identity, one) for one in parts.messages]
    if parts.about.proofs_only:
        named = [(identity, None) for identity in receipts]
    for identity, part in named:
        receipt = receipts.get(identity)
        yield MessageLine(
            identity=identity,
            message=None if part is None else part.message,
            decision=None if receipt is None else receipt.decision,
            standing=None if receipt is None else logs.standing(receipt.proof),
            evidence=None if part is None else evidence_as_signed(part.message.body),
        )


# --- revoked keys ----------------------------------------------------------


def _weigh(parts: Parts, logs: Logs, signers: dict[str, KeyIds], doubts: Doubts) -> None:
    """Judge by SPEC 15.4 what stands although its key was revoked later."""
    ground = logs.ground
    accepted = {
        one.decision.identity: one.proof
        for one in parts.receipts
        if one.decision.kind == "message.accepted"
    }
    for part in parts.messages:
        for revocation in ground.revocations_of(signers.get(part.identity, ())):
            proof = accepted.get(part.identity)
            seen = proof is not None and _since(logs, proof, revocation.at)
            own = any(
                ground.below(revocation, *sent.place)
                for sent in _sent(parts.records, part.identity)
                if sent.raw in logs.proved
            )
            if not seen and not own:
                doubts.add(
                    f"message {part.message.seq} of {part.message.sender} is under a key that"
                    " was revoked, and nothing shows that it is older"
                )
    for proof in (*(one.proof for one in parts.receipts), *parts.records):
        if proof.raw not in logs.proved:
            continue
        for revocation in ground.revocations_of(ground.log_key_ids(proof.checkpoint.origin)):
            if not _since(logs, proof, revocation.at) and not ground.below(
                revocation, *proof.place
            ):
                doubts.add(
                    f"entry {proof.proof.index} of {proof.checkpoint.origin} is under a key that"
                    " was revoked, and nothing shows that it is older"
                )


def _since(logs: Logs, part: ProofPart, time: int) -> bool:
    since = logs.standing(part).since
    return since is not None and since <= time


def _sent(records: Iterable[ProofPart], identity: str) -> Iterable[ProofPart]:
    """Give the sender's own records of having sent a message; whose log counts the caller asks."""
    return (
        one
        for one in records
        if one.record.kind == "message.sent" and one.record.fields.get("identity") == identity
    )
