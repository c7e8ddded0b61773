"""Files about logs, one by one: records with their proofs, bare proofs, forks, closures.

None of them holds the keys that would decide it. With a policy of the reader's own, which
names them, records, forks and continuations are proved; without one the judge says what
each claims, and whether its parts fit. Opens no file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from node.audit.judged import Asked, Judgement, Verdict, decision_fields, told
from protocol.bundle_parts import ProofPart, read_proof
from protocol.checkpoint import claimed_checkpoint
from protocol.closure import decode_closure, decode_closure_text
from protocol.continuation import decode_continuation, verify_continuation
from protocol.encoding import Json
from protocol.errors import NotAuthentic, NotForUs
from protocol.fork import decode_fork, verify_fork
from protocol.merkle import leaf_hash, verify_inclusion
from protocol.policy import verify_by_policy
from protocol.proof import decode_proof
from protocol.receipt_file import read_claim
from protocol.record import Decision, commitment, entry
from protocol.revocation import decode_revocation, decode_revocation_text
from protocol.summary import show_time

RECORD: Final = "record"
RECEIPT: Final = "receipt"
PROOF: Final = "log proof"
FORK: Final = "fork proof"
CLOSURE: Final = "closure of a log"
REVOCATION: Final = "revocation"
CONTINUATION: Final = "continuation of a log"

_NO_KEYS: Final = (
    "Nothing is proved: the keys of that log are not in the file. A policy names them: --policy."
)
_KEYS_ELSEWHERE: Final = (
    "Nothing is proved: whose keys signed it, a network document says, and it is not in the file."
)
_DECISIONS: Final = ("message.accepted", "message.refused")


# --- records and receipts --------------------------------------------------


def _judge_record(raw: bytes, asked: Asked) -> Judgement:
    part = read_proof(raw)
    decision = read_claim(raw).decision if part.record.kind in _DECISIONS else None
    if part.record.network != part.checkpoint.origin.partition("/")[0]:
        raise NotForUs("a record of another network than its log's")
    verify_inclusion(
        leaf=leaf_hash(entry(commitment(part.receipt.record, part.receipt.salt))),
        index=part.proof.index,
        size=part.checkpoint.size,
        path=part.proof.path,
        root=part.checkpoint.root,
    )
    kind = RECORD if decision is None else RECEIPT
    fields = _record_fields(part, decision)
    if asked.policy is None:
        said = (f"It says: {_claim(part, decision)}", f"Its parts fit: {_place(part)}.")
        more = (_NO_KEYS, "A bundle or a receipt file holds them: who has the record can make one.")
        return Judgement(Verdict.UNDECIDED, kind, said, more, fields)
    word = verify_by_policy(part.proof.checkpoint_raw, asked.policy)
    proved = (
        _claim(part, decision),
        f"{_place(part)}, as its owner signed at {show_time(word.signed.time)}.",
        f"It is witnessed as your policy asks, by {', '.join(sorted(word.cosigned)) or 'nobody'}.",
    )
    left = ("Not whose log it is: your policy says so.", "Not that there is nothing else.")
    return Judgement(Verdict.TRUE, kind, proved, left, fields)


def _claim(part: ProofPart, decision: Decision | None) -> str:
    if decision is not None:
        return told(decision)
    return f"{part.record.kind} at {show_time(part.record.at)}."


def _place(part: ProofPart) -> str:
    place = part.checkpoint
    return f"entry {part.proof.index} of the log {place.origin} at size {place.size}"


def _record_fields(part: ProofPart, decision: Decision | None) -> dict[str, Json]:
    named: dict[str, Json] = {
        "origin": part.checkpoint.origin, "index": part.proof.index,
        "size": part.checkpoint.size, "root": part.checkpoint.root.hex(),
        "record": part.record.kind, "at": part.record.at,
    }  # fmt: skip
    return named if decision is None else decision_fields(decision) | named


def _judge_proof(raw: bytes, asked: Asked) -> Judgement:
    proof = decode_proof(raw)
    checkpoint = claimed_checkpoint(proof.checkpoint_raw)
    if proof.index >= checkpoint.size:
        raise NotAuthentic("an index outside the tree")
    split = (proof.index ^ (checkpoint.size - 1)).bit_length()
    if len(proof.path) != split + (proof.index >> split).bit_count():
        raise NotAuthentic("an inclusion path of a wrong length")
    said = [f"It is about entry {proof.index} of the log {checkpoint.origin} at {checkpoint.size}."]
    lacking = "Nothing is proved: the entry is not in the file; the record with its salt makes it."
    fields: dict[str, Json] = {
        "origin": checkpoint.origin, "index": proof.index, "size": checkpoint.size,
    }  # fmt: skip
    if asked.policy is not None:
        verify_by_policy(proof.checkpoint_raw, asked.policy)
        said.append("Its checkpoint is signed and witnessed as your policy asks.")
    return Judgement(Verdict.UNDECIDED, PROOF, tuple(said), (lacking,), fields)


# --- what logs and their owners say of themselves --------------------------


def _judge_fork(raw: bytes, asked: Asked) -> Judgement:
    fork = decode_fork(raw)
    fields: dict[str, Json] = {"origin": fork.origin}
    if asked.policy is None:
        said = f"It says: the log {fork.origin} has signed two histories."
        return Judgement(Verdict.UNDECIDED, FORK, (said,), (_NO_KEYS,), fields)
    proven = verify_fork(raw, origin=fork.origin, keys=asked.policy.log_keys(fork.origin))
    first, second = proven.first.checkpoint, proven.second.checkpoint
    fields |= {"first_size": first.size, "second_size": second.size}
    alarm = f"FORK: the log {fork.origin} has signed two histories."
    said = f"It signed one of size {first.size}, and one of size {second.size} that contradicts it."
    left = ("Not which of the two is the true one, and not who did it.",)
    return Judgement(Verdict.TRUE, FORK, (said,), left, fields, alarms=(alarm,))


def _judge_continuation(raw: bytes, asked: Asked) -> Judgement:
    made = decode_continuation(raw)
    checkpoint = claimed_checkpoint(made.checkpoint_raw)
    sizes = ", ".join(str(link.size) for link in made.links) or "nothing"
    said = f"The log {checkpoint.origin} at {checkpoint.size} continues what it was at {sizes}."
    fields: dict[str, Json] = {
        "origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.hex(),
    }  # fmt: skip
    if asked.policy is None:
        claim = f"It says: {said[0].lower()}{said[1:]}"
        return Judgement(Verdict.UNDECIDED, CONTINUATION, (claim,), (_NO_KEYS,), fields)
    keys = asked.policy.log_keys(checkpoint.origin)
    verify_continuation(raw, origin=checkpoint.origin, keys=keys)
    verify_by_policy(made.checkpoint_raw, asked.policy)
    left = ("Not that it has shown everybody the same, beyond what your policy asks.",)
    return Judgement(Verdict.TRUE, CONTINUATION, (said,), left, fields)


def _judge_closure(raw: bytes, _asked: Asked) -> Judgement:
    statement = decode_closure(raw)
    closure = decode_closure_text(statement.text)
    said = (
        f"It says: {closure.authority} closed its log {closure.origin} at size {closure.size}"
        f" ({closure.reason}) at {show_time(closure.created)}; {closure.next_origin} goes on."
    )
    fields: dict[str, Json] = {
        "origin": closure.origin, "size": closure.size, "root": closure.root.hex(),
        "reason": closure.reason, "next": closure.next_number, "closure": statement.identity,
    }  # fmt: skip
    return Judgement(Verdict.UNDECIDED, CLOSURE, (said,), (_KEYS_ELSEWHERE,), fields)


def _judge_revocation(raw: bytes, _asked: Asked) -> Judgement:
    statement = decode_revocation(raw)
    revoked = decode_revocation_text(statement.text)
    said = (
        f"It says: the {revoked.purpose} key {revoked.key_id} of {revoked.authority} counts no"
        f" more since {show_time(revoked.at)}."
    )
    fields: dict[str, Json] = {
        "authority": revoked.authority, "purpose": revoked.purpose, "key_id": revoked.key_id,
        "at": revoked.at, "log_size": revoked.log_size, "revocation": statement.identity,
    }  # fmt: skip
    return Judgement(Verdict.UNDECIDED, REVOCATION, (said,), (_KEYS_ELSEWHERE,), fields)


JUDGES: Final[dict[str, Callable[[bytes, Asked], Judgement]]] = {
    RECORD: _judge_record,
    PROOF: _judge_proof,
    FORK: _judge_fork,
    CLOSURE: _judge_closure,
    REVOCATION: _judge_revocation,
    CONTINUATION: _judge_continuation,
}
