"""The messages and receipts of a bundle as one case of two authorities (SPEC 15.4).

    verified = judge_messages(parts, ground, doubts)
    judge_receipts(parts, doubts)

Signatures, numbers and predecessors, who has seen what, and who has accepted what: two
statements that cannot both be true are raised, a gap is a doubt. What a message says is
never judged. This module knows no log: receipts are proved in `protocol/bundle_logs.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from protocol.bundle_parts import MessagePart, Parts, ReceiptPart
from protocol.bundle_trust import Doubts, Ground
from protocol.digest import sha256_hex
from protocol.document import KeyIds
from protocol.dsse import verify_exactly
from protocol.encoding import Json, canonical
from protocol.errors import Equivocation, Mismatch, NotAuthentic
from protocol.identity import case_opener
from protocol.messages import Message
from protocol.record import Decision

EVIDENCE: Final = "evidence"


@dataclass(frozen=True, slots=True)
class CaseView:
    """The messages and decisions of a bundle, found by their identities."""

    opener: str
    messages: Mapping[str, MessagePart]
    decisions: Mapping[str, Decision]

    def accepted(self, identity: str) -> bool:
        """Say whether a receipt here says that the message was accepted."""
        decision = self.decisions.get(identity)
        return decision is not None and decision.kind == "message.accepted"

    def by_sender(self) -> dict[str, list[MessagePart]]:
        """Give the messages of each sender in the order of their numbers."""
        parts = self.messages.values()
        return {name: list(mine) for name, mine in groupby(parts, lambda one: one.message.sender)}

    def skipped(self, sender: str) -> set[str]:
        """Give the identities that a sender has declared given up."""
        mine = self.by_sender().get(sender, [])
        return {identity for one in mine for identity in one.message.skips}


def view_case(parts: Parts, case: str) -> CaseView:
    """Give the messages and decisions of a bundle that is about a case."""
    return CaseView(
        opener=case_opener(case),
        messages={one.identity: one for one in parts.messages},
        decisions={one.decision.identity: one.decision for one in parts.receipts},
    )


# --- messages --------------------------------------------------------------


def judge_messages(parts: Parts, ground: Ground, doubts: Doubts) -> dict[str, KeyIds]:
    """Verify every message; gives the pairs that signed them, by identity.

    Raises what does not hold: a signature, another case, another predecessor. What lacks
    its document, keys or neighbours is a doubt.
    """
    if parts.about.case is None:
        return {}
    view = view_case(parts, parts.about.case)
    _check_sides(parts.about.case, [one.message for one in parts.messages])
    signers: dict[str, KeyIds] = {}
    for part in parts.messages:
        with doubts:
            entry = ground.document_of(part.message.epoch).authority(part.message.sender)
            if entry is None:
                raise NotAuthentic("a message of an authority that its document does not list")
            key_ids = entry.sign_at(part.message.created)
            verify_exactly(part.statement, ground.pair(key_ids))
            signers[part.identity] = key_ids
    for mine in view.by_sender().values():
        _check_numbers(mine, view, doubts)
    for part in parts.messages:
        _check_seen(part, view, doubts)
    _check_manifests(parts)
    return signers


def _check_sides(case: str, messages: Iterable[Message]) -> None:
    sides: set[str] = set()
    for message in messages:
        if message.case != case:
            raise Mismatch("a message of another case than the bundle's")
        sides |= {message.sender, message.recipient}
    _check_two(sides)


def _check_two(sides: set[str]) -> None:
    if len(sides) > 2:  # noqa: PLR2004  (a case has two sides)
        raise Mismatch("a case between more than two authorities")


def _check_numbers(mine: Sequence[MessagePart], view: CaseView, doubts: Doubts) -> None:
    """Follow one sender's messages by number and predecessor (SPEC 4.2)."""
    seq, identity = 0, None
    named: set[str] = set()  # by earlier skips
    for part in mine:
        message = part.message
        if message.seq == seq + 1:
            if message.prev != identity:
                raise Mismatch(
                    f"message {message.seq} of {message.sender} names another predecessor"
                )
        else:
            lacking = [
                one for one in message.skips if one not in view.messages and one not in named
            ]
            if len(lacking) != message.seq - seq - 1 or message.prev != lacking[-1]:
                doubts.add(
                    f"messages of {message.sender} before its number {message.seq} are missing"
                )
        named.update(message.skips)
        seq, identity = message.seq, part.identity


def _check_seen(part: MessagePart, view: CaseView, doubts: Doubts) -> None:
    message = part.message
    if message.seen is None:
        return
    seen = view.messages.get(message.seen)
    if seen is None:
        doubts.add(f"message {message.seq} of {message.sender} answers one that is not in the file")
    elif seen.message.sender == message.sender:
        raise Mismatch("a message says that its sender has seen its own")


def _check_manifests(parts: Parts) -> None:
    named = {digest for one in parts.messages if (digest := _manifest_digest(one.message.body))}
    if not named.issuperset(parts.manifests):
        raise Mismatch("a manifest that no message in the bundle names")


def _manifest_digest(body: Mapping[str, Json]) -> str | None:
    evidence = body.get(EVIDENCE)
    digest = evidence.get("sha256") if isinstance(evidence, Mapping) else None
    return digest if isinstance(digest, str) else None


def evidence_as_signed(body: Mapping[str, Json]) -> bool | None:
    """Say whether the manifest in a body is the one that it signs for; None without one."""
    evidence = body.get(EVIDENCE)
    if EVIDENCE not in body:
        return None
    manifest = evidence.get("manifest") if isinstance(evidence, Mapping) else None
    items = manifest.get("items") if isinstance(manifest, Mapping) else None
    if not isinstance(evidence, Mapping) or not isinstance(items, list):
        return False
    digest = sha256_hex(canonical(manifest))
    return (evidence.get("sha256"), evidence.get("items")) == (digest, len(items))


# --- receipts --------------------------------------------------------------


def judge_receipts(parts: Parts, doubts: Doubts) -> None:
    """Hold the decisions against the messages, and the numbers against each other."""
    if parts.about.case is None:
        return
    view = view_case(parts, parts.about.case)
    for part in parts.receipts:
        _check_place(part, view, proofs_only=parts.about.proofs_only)
    numbers = _numbers(view)
    if parts.about.proofs_only:
        sides = {side for one in view.decisions.values() for side in (one.sender, one.recipient)}
        _check_two(sides | {view.opener})
        return
    _check_gaps(numbers, view, doubts)
    _check_missing(view, doubts)


def _check_place(part: ReceiptPart, view: CaseView, *, proofs_only: bool) -> None:
    decision = part.decision
    message = view.messages.get(decision.identity)
    if message is None and not proofs_only:
        raise Mismatch("a receipt of a message that is not in the bundle")
    if message is not None and (decision.sender, decision.recipient) != (
        message.message.sender, message.message.recipient,
    ):  # fmt: skip
        raise Mismatch("a receipt that names other sides than its message")
    if decision.sender == decision.recipient:
        raise Mismatch("a receipt of a message to its own sender")
    counted = decision.kind == "message.accepted" and decision.sender == view.opener
    if counted != (decision.order is not None):
        raise Mismatch("a receipt whose number is missing, or not its side's to give")


def _numbers(view: CaseView) -> set[int]:
    """Give the numbers of all messages in the case; no two have one (SPEC 4.3)."""
    found = [one.order for one in view.decisions.values() if one.order is not None]
    found += [one.message.order for one in view.messages.values() if one.message.order is not None]
    if len(set(found)) != len(found):
        raise Equivocation("two messages of the case have one number")
    return set(found)


def _check_gaps(numbers: set[int], view: CaseView, doubts: Doubts) -> None:
    missing = max(numbers, default=0) - len(numbers)
    for sender, mine in view.by_sender().items():
        if sender == view.opener:
            missing -= sum(one.identity not in view.decisions for one in mine)
        else:
            missing -= len(view.skipped(sender) - view.messages.keys())
    if missing > 0:
        doubts.add(f"{missing} of the numbers in the case belong to nothing in the file")


def _check_missing(view: CaseView, doubts: Doubts) -> None:
    """Find messages that were accepted by what follows, and have no receipt here."""
    for sender, mine in view.by_sender().items():
        seqs = [one.message.seq for one in mine if view.accepted(one.identity)]
        seqs += [
            view.messages[seen].message.seq + 1
            for one in view.messages.values()
            if (seen := one.message.seen) and seen in view.messages and one.message.sender != sender
        ]
        skipped = view.skipped(sender)
        for one in mine:
            before = one.message.seq < max(seqs, default=0)
            if before and one.identity not in view.decisions and one.identity not in skipped:
                doubts.add(
                    f"message {one.message.seq} of {sender} was accepted, and its receipt is"
                    " not in the file"
                )
