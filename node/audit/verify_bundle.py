"""A bundle, told to people: what it proves, on which condition, and what it does not.

Judging is `protocol.bundle_check`'s; here its report becomes sentences and fields, and is
held against what the reader trusts: a fingerprint, or a policy. Opens no file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from keys.fingerprint import document_fingerprint
from node.audit.judged import (
    OTHER_DOCUMENT,
    Asked,
    Judgement,
    Verdict,
    end_fields,
    told_end,
    under,
)
from node.audit.stamped import verify_token
from protocol.bundle_check import BundleReport, MessageLine, verify_bundle
from protocol.bundle_logs import Logs, Standing
from protocol.encoding import Json
from protocol.errors import KeyUnknown, Rejected, Unproven
from protocol.policy import Policy, verify_by_policy
from protocol.summary import show_time

KIND: Final = "bundle"
_SHOWN: Final = 12  # digits of an identity in a table


def judge_bundle(raw: bytes, asked: Asked) -> Judgement:
    """Judge a bundle; raises `Rejected` if something in it does not hold."""
    report = verify_bundle(raw)
    documents, matches = under(report.documents, asked.fingerprint)
    doubts = [f"{reason[0].upper()}{reason[1:]}." for reason in report.doubts]
    if not matches:
        doubts.insert(0, OTHER_DOCUMENT)
    if asked.policy is not None:
        doubts += _by_policy(report.logs, asked.policy)
    stamped: list[str] = []
    if asked.tsa_roots:
        stamped, unproved = _stamped(report, asked)
        doubts += unproved
    left = [*doubts, *_not_proved(report, asked)]
    return Judgement(
        Verdict.UNDECIDED if doubts else Verdict.TRUE,
        KIND,
        (*_what(report), *stamped, *_table(report), *documents),
        tuple(left),
        _fields(report, doubts),
        alarms=tuple(_alarms(report)),
    )


# --- the reader's own trust ------------------------------------------------


def _by_policy(logs: Logs, policy: Policy) -> Iterable[str]:
    """Say what keeps the reader's policy from being fulfilled."""
    named = sorted({key.name for key in policy.logs})
    found = [origin for origin in named if any(one == origin for one, _ in logs.resting)]
    if not found:
        yield f"Nothing in it rests on a log of your policy ({', '.join(named) or 'none'})."
    for origin in found:
        try:
            same = policy.log_keys(origin) == logs.ground.log_keys(origin)
        except KeyUnknown as fault:
            yield f"{fault.detail[0].upper()}{fault.detail[1:]}."
            continue
        if not same:
            yield f"The log {origin} has other keys there than in your policy."
            continue
        reach = max(_believed(logs, origin, policy), default=-1)
        lacking = [size for one, size in logs.resting if one == origin and size > reach]
        if lacking:
            yield f"{origin} is not witnessed as your policy asks, at size {min(lacking)}."


def _believed(logs: Logs, origin: str, policy: Policy) -> Iterable[int]:
    """Give the sizes up to which heads of a log fulfil the policy."""
    for head in logs.heads.get(origin, ()):
        try:
            verify_by_policy(head.continuation.signed.raw, policy)
        except Unproven:
            continue
        yield head.size


def _stamped(report: BundleReport, asked: Asked) -> tuple[list[str], list[str]]:
    """Say what the timestamps prove to the reader, and which do not."""
    said, doubts = [], []
    for one in report.timestamps:
        place = f"{one.checkpoint.origin} with {one.checkpoint.size} entries"
        try:
            stamp = verify_token(one.token, one.checkpoint_raw, asked.tsa_roots)
        except Rejected as fault:
            doubts.append(f"The timestamp of {place} does not hold for you: {fault.detail}.")
        else:
            said.append(f"{place} existed at {show_time(stamp.time)}, says {stamp.signer}.")
    return said, doubts


# --- sentences -------------------------------------------------------------


def _alarms(report: BundleReport) -> Iterable[str]:
    for origin in report.forked:
        yield (
            f"FORK: the log {origin} has signed two histories; the proof is in the file. What it"
            " receipted binds its owner all the same."
        )


def _what(report: BundleReport) -> Iterable[str]:
    about = report.about
    subject = "records" if about.case is None else f"the case {about.case}"
    only = " (proofs only: the texts are not in it)" if about.proofs_only else ""
    yield f"It is about {subject} in the network {about.network}{only}."
    texts = [one for one in report.lines if one.message is not None]
    accepted = [one for one in report.lines if _is_accepted(one)]
    if texts:
        yield f"{_count(texts, 'message')}: the texts are as their senders signed them."
    if report.lines:
        total = _count(report.lines, "message")
        yield f"Proved to have been accepted, and when: {len(accepted)} of {total}."
    if report.records:
        yield f"{_count(report.records, 'record')}: in their logs as here."
    yield from map(told_end, report.logs.ground.closures.values())


def _count(found: Sequence[object], what: str) -> str:
    return f"{len(found)} {what}{'' if len(found) == 1 else 's'}"


def _is_accepted(line: MessageLine) -> bool:
    return line.decision is not None and line.decision.kind == "message.accepted"


def _table(report: BundleReport) -> Iterable[str]:
    ordered = sorted(report.lines, key=lambda one: (one.number is None, one.number or 0))
    for one in ordered:
        yield " ".join(_row(one))
    for record in report.records:
        part = record.part
        yield (
            f"Record {part.record.kind} at {show_time(part.record.at)}: entry {part.proof.index}"
            f" of {part.checkpoint.origin}, {_witnessed(record.standing)}."
        )


def _row(line: MessageLine) -> Sequence[str]:
    number = "-" if line.number is None else str(line.number)
    message, decision = line.message, line.decision
    kind = "message" if message is None else message.kind
    sender = message.sender if message else decision.sender if decision else ""
    row = [f"{number}. {kind} of {sender} ({line.identity[:_SHOWN]}…):"]
    if decision is None or line.standing is None:
        return (*row, "no receipt in the file.")
    done = "accepted" if decision.code is None else f"refused ({decision.code})"
    row.append(f"{done} by {decision.recipient} at {show_time(decision.at)},")
    return (*row, f"{_witnessed(line.standing)}.")


def _witnessed(standing: Standing) -> str:
    if not standing.quorum:
        return "in a log that has no witnesses"
    return f"witnessed by {len(standing.witnesses)} of {standing.quorum}"


def _not_proved(report: BundleReport, asked: Asked) -> Iterable[str]:
    if asked.fingerprint is None and asked.policy is None:
        yield "Not that the document is the network's: compare its fingerprint."
    if report.about.proofs_only and report.lines:
        yield "Not to which case these receipts belong: only the texts, not in it, say so."
    open_lines = [one for one in report.lines if one.decision is None]
    if open_lines:
        yield f"Not that {_count(open_lines, 'message')} came: there is no receipt of them here."
    standings = [one.standing for one in report.lines if one.standing is not None]
    standings += [one.standing for one in report.records]
    if any(not one.reached for one in standings):
        yield (
            "Not that the log shows everybody the same, where fewer have witnessed it than the"
            " network asks for."
        )
    if any(one.evidence is False for one in report.lines):
        yield "Not what is in the evidence: a manifest is not the one that its message signs for."
    yield "Not that there is nothing else: what is here existed by then, and more may exist."
    yield "Not that evidence is true, or lawfully got: a hash proves no change since hashing."
    yield (
        f"Not who made this file: it says {report.about.authority}, at"
        f" {show_time(report.about.created)}, and nobody signs that."
    )
    if asked.tsa_roots and not report.timestamps:
        yield "Not by when, in the word of your timestamp authority: no timestamp is in it."
    if report.timestamps and not asked.tsa_roots:
        yield f"Not what is in {_count(report.timestamps, 'timestamp')}: that was not judged."


# --- for machines ----------------------------------------------------------


def _fields(report: BundleReport, doubts: Sequence[str]) -> dict[str, Json]:
    about = report.about
    return {
        "network": about.network, "authority": about.authority, "created": about.created,
        "case": about.case, "proofs_only": about.proofs_only, "doubts": list(doubts),
        "forked": list(report.forked), "timestamps": len(report.timestamps),
        "closed": [end_fields(one) for one in report.logs.ground.closures.values()],
        "documents": [
            {"version": one.version, "document": one.digest,
             "fingerprint": document_fingerprint(one.digest).digits}
            for one in report.documents
        ],
        "messages": [_message_fields(one) for one in report.lines],
        "records": [
            {"origin": one.part.checkpoint.origin, "index": one.part.proof.index,
             "kind": one.part.record.kind, "at": one.part.record.at,
             **_standing_fields(one.standing)}
            for one in report.records
        ],
    }  # fmt: skip


def _message_fields(line: MessageLine) -> dict[str, Json]:
    message, decision = line.message, line.decision
    fields: dict[str, Json] = {
        "message": line.identity, "order": line.number,
        "kind": None if message is None else message.kind,
        "from": message.sender if message else decision.sender if decision else None,
        "seq": None if message is None else message.seq,
        "created": None if message is None else message.created,
        "evidence_as_signed": line.evidence,
        "decision": None if decision is None else decision.kind,
        "at": None if decision is None else decision.at,
        "code": None if decision is None else decision.code,
    }  # fmt: skip
    return fields | ({} if line.standing is None else _standing_fields(line.standing))


def _standing_fields(standing: Standing) -> dict[str, Json]:
    return {
        "witnesses": list(standing.witnesses), "quorum": standing.quorum, "since": standing.since,
    }  # fmt: skip
