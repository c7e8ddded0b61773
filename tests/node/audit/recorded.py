"""What is recorded when the node changes something: each place that writes, and its records.

    python -m tests.node.audit.recorded --write      makes deploy/docs/RECORDS.md again

`test_recorded.py` finds in the source every call that changes rows. Each stands here with
the kinds of records that its unit of work makes, or with the reason why it needs none; a
new one fails the test until somebody has said which.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Final

import node.audit.records  # noqa: F401  (knows every kind)
from node.audit.record import NodeRecord

DOCUMENT: Final = Path(__file__).parents[3] / "deploy" / "docs" / "RECORDS.md"

_SENT, _ACCEPTED = "message.sent", "message.accepted"
_BACK = "message.recovered"
_STEPS: Final = (_SENT, _ACCEPTED, "message.delivered", _BACK, "case.step-recorded")
_FOLDED: Final = (*_STEPS, "message.refused-by-peer", "message.undelivered")
_LOCAL: Final = ("case.sent-again", "case.abandoned")  # that time passed follows from the clock
_DECISIONS: Final = (_ACCEPTED, "message.refused")

NEVER: Final[dict[str, str]] = {
    "word_rows.add_words": "keyed words of a message, whose own record stands in the log",
    "fact_rows.add_offences": "codes of a message, whose own record stands in the log",
    "fact_rows.change_facts": "codes and times of a message, whose own record stands in the log",
    "fact_rows.put_sum": "sums of a message, whose own record stands in the log",
    "peer_rows.insert_alarm": "an alarm calls a person; what it is about is recorded or kept",
    "peer_rows.take_nonce": "a nonce lives for minutes and only makes a repeat be refused",
    "peer_rows.drop_nonces": "what has expired is refused by its time",
    "peer_rows.write_setting": "what the node notes for itself: clock floor, halts, recoveries",
    "queue_rows.claim_queue": "who delivers, not what",
    "queue_rows.write_queue": "when to try next",
    "queue_rows.note_attempt": "that it was tried and why it did not arrive: no decision",
    "log_rows.insert_head": "the log itself",
    "log_rows.replace_head": "the log itself",
    "log_rows.insert_entries": "the log itself",
    "log_rows.write_tile": "the log itself",
    "witness_rows.move_witnessed": "a cosignature is never recorded in the own log: logs would"
    " grow for ever in answer to each other; the other log shows it",
    "watch_rows.keep_checkpoint": "words of others on the log, which prove themselves",
    "watch_rows.insert_unproved": "a doubt that accuses nobody, and that an alarm follows",
    "watch_rows.delete_unproved": "a doubt that was settled; a fork would be recorded",
    "happening_rows.note": "what others may want to hear of: what happened is recorded itself",
    "happening_rows.drop_old": "the same, when nobody will ask for it any more",
    "webhook_rows.note_told": "how far a program was told: what it was told of is recorded itself",
    "repeat_rows.note_done": "only makes a repeat be answered as before",
    "repeat_rows.keep_answer": "the same",
    "repeat_rows.forget": "the same",
    "repeat_rows.drop_old": "the same, when its time is over",
    "clock_rows.note_told": "who was reminded of what, and when next: no decision",
    "mail_rows.insert_mail": "that somebody is to be told that something waits",
    "mail_rows.mark_sent": "that a mail without content went out",
    "mail_rows.mark_failed": "that it did not",
    "mail_rows.drop_old": "what was told a month ago stands on the work list, or is done",
    "person_rows.person_id": "the names behind the ids in records: erasable, so not in the log",
}
"""Functions that never need a record, wherever they are called; each with its reason."""

MADE: Final[dict[str, tuple[str, ...]]] = {
    "access.members.let_in member_rows.put_member": ("case.let-in",),
    "access.members.let_out member_rows.delete_member": ("case.let-out",),
    "access.people._ask people_rows.change_user": ("user.asked",),
    "access.people._take_effect people_rows.change_user": ("user.changed",),
    "access.people.add_user people_rows.change_user": ("user.asked", "user.changed"),
    "access.people.add_user people_rows.insert_user": ("user.asked", "user.changed"),
    "access.people.reach_user people_rows.change_user": ("user.reached",),
    "access.people.stand_in people_rows.change_user": ("user.away",),
    "access.tokens._end key_rows.change_key": ("access-key.ended",),
    "access.tokens._make key_rows.insert_key": ("access-key.made",),
    "audit.erasure._let_go erasure_rows.empty_receipt": ("record.erased",),
    "audit.erasure._let_go erasure_rows.empty_refusal": ("record.erased",),
    "audit.erasure.erase_case erasure_rows.erase_case_key": ("case.erased",),
    "audit.erasure.erase_records erasure_rows.erase_entries": ("record.erased",),
    "cases.drafts.Drafts._save draft_rows.change_draft": (
        "draft.saved", "draft.submitted", "draft.returned", "draft.approved", "draft.cancelled",
    ),
    "cases.drafts.Drafts.create draft_rows.insert_draft": ("draft.saved",),
    "cases.drafts.Drafts.sent draft_rows.change_draft": ("draft.sent",),
    "cases.keeping.put_in_charge standing_rows.change_standing": ("case.handed-over",),
    "cases.keeping.Keeping.join standing_rows.change_standing": ("case.linked",),
    "cases.keeping.Keeping.link link_rows.insert_link": ("case.linked",),
    "cases.keeping.Keeping.refer standing_rows.change_standing": ("case.referred",),
    "cases.keeping.keep_reading member_rows.put_member": ("case.let-in",),
    "cases.papers.Papers._open case_rows.insert_case": ("case.registered",),
    "cases.papers.Papers.record case_rows.change_case": ("case.step-recorded",),
    "cases.papers.Papers.record paper_rows.insert_step": ("case.step-recorded",),
    "cases.clocks.by_hand.end_clock clock_rows.change_clock": ("clock.ended",),
    "cases.clocks.by_hand.end_joined clock_rows.change_clock": ("case.linked",),
    "cases.clocks.by_hand.move_clock clock_rows.change_clock": ("clock.moved",),
    "cases.clocks.by_hand.move_clock clock_rows.insert_clock": ("clock.moved",),
    "cases.clocks.timetable.Timetable._add clock_rows.insert_clock": _STEPS,
    "cases.clocks.timetable.Timetable._change clock_rows.change_clock": _STEPS,
    "cases.clocks.timetable.Timetable._end clock_rows.change_clock": _STEPS,
    "cases.linking.Linking._store link_rows.insert_link": ("case.linked",),
    "cases.register.Register.open_case case_rows.insert_case": (_SENT, _ACCEPTED, _BACK),
    "cases.standings.Standings._locally case_rows.change_case": _LOCAL,
    "cases.standings.Standings._locally standing_rows.change_standing": _LOCAL,
    "cases.standings.Standings._show case_rows.change_case": _FOLDED,
    "cases.standings.Standings._show standing_rows.change_standing": _FOLDED,
    "cases.standings.Standings.open standing_rows.insert_standing": (
        _SENT, _ACCEPTED, _BACK, "case.registered",
    ),
    "desk.auditing._token_end auditor_rows.delete_token": ("token.ended",),
    "desk.auditing._token_make auditor_rows.insert_token": ("token.made",),
    "api.telling.Telling._end webhook_rows.end_webhook": ("webhook.ended",),
    "desk.hooks._webhook_add webhook_rows.insert_webhook": ("webhook.made",),
    "desk.hooks._webhook_end webhook_rows.end_webhook": ("webhook.ended",),
    "forks.Forks.keep notice_rows.insert_notice": ("log.fork-found",),
    "inbox.Inbox._accept case_rows.insert_skips": (_ACCEPTED,),
    "inbox.Inbox._record case_rows.message_change": _DECISIONS,
    "inbox.Inbox._record case_rows.refusal_change": _DECISIONS,
    "inbox.Inbox._refuse_finally case_rows.insert_contested": ("message.refused",),
    "inbox.Inbox._refuse_finally case_rows.insert_refusal": ("message.refused",),
    "inbox.Inbox._store case_rows.change_case": (_ACCEPTED,),
    "inbox.Inbox._store case_rows.insert_envelope": (_ACCEPTED,),
    "inbox.Inbox._store case_rows.insert_message": (_ACCEPTED,),
    "office.Office.install_closure notice_rows.insert_notice": (
        "log.closure-installed", "log.closed",
    ),
    "office.Office.install_document trust_rows.insert_document": ("network.installed",),
    "office.Office.install_listing trust_rows.insert_listing": (
        "listing.installed", "key.rotated",
    ),
    "office.Office.install_revocation trust_rows.insert_revocation": ("revocation.installed",),
    "outbox.Outbox._delivered case_rows.change_case": ("message.delivered",),
    "outbox.Outbox._delivered case_rows.message_change": ("message.delivered",),
    "outbox.Outbox._refused case_rows.change_message": ("message.refused-by-peer",),
    "outbox.Outbox._remember case_rows.insert_envelope": (_SENT, "message.resealed"),
    "outbox.Outbox._store case_rows.change_case": (_SENT, "evidence.listed"),
    "outbox.Outbox._store case_rows.insert_message": (_SENT,),
    "outbox.Outbox._store case_rows.message_change": (_SENT,),
    "outbox.Outbox._store queue_rows.insert_waiting": (_SENT,),
    "outbox.Outbox.give_up_expired case_rows.change_message": ("message.undelivered",),
    "outbox.Outbox.give_up_expired queue_rows.delete_waiting": ("message.undelivered",),
    "outbox.Outbox.reseal queue_rows.reseal_waiting": ("message.resealed",),
    "outbox.Outbox.settle queue_rows.delete_waiting": (
        "message.delivered", "message.refused-by-peer",
    ),
    "recovery.install.Installer._count case_rows.change_case": (_BACK,),
    "recovery.install.Installer._insert case_rows.insert_envelope": (_BACK,),
    "recovery.install.Installer._insert case_rows.insert_message": (_BACK,),
    "recovery.install.Installer._make_room case_rows.delete_message": ("message.undelivered",),
    "recovery.install.Installer._make_room case_rows.insert_contested": ("message.undelivered",),
    "recovery.install.Installer._make_room queue_rows.delete_waiting": ("message.undelivered",),
    "recovery.install.Installer._record case_rows.message_change": (_BACK,),
    "recovery.install.Installer._settle case_rows.change_message": (_BACK,),
    "recovery.install.Installer._settle queue_rows.delete_waiting": (_BACK,),
    "recovery.install.Installer._take_in case_rows.insert_skips": (_BACK,),
}  # fmt: skip
"""Every other place that writes, with the kinds of records that its unit of work makes."""

EFFECTS: Final = {"cases.clocks.timetable": "cases.standings"}
"""What hears of each step through the list of effects, and who goes through that."""

BY_WRITER: Final[dict[str, tuple[str, ...]]] = {
    "timestamp_rows.insert_timestamp": ("log.timestamped",),
}
"""Functions whose every call makes the same kinds, whoever calls."""

ELSEWHERE: Final[dict[str, str]] = {
    "log.opened": "the first record of the first log, when the node is made",
    "case.read": "that somebody read a case, which changes nothing",
    "matter.asked": "that something waits for a second person, which the node keeps for itself",
    "matter.confirmed": "that a second person agreed, which the node keeps for itself",
}
"""Kinds that record something else than a change of rows."""

_OF_RECEIPTS: Final = {
    "message.accepted": (
        "A message of a peer was accepted; record, salt and proof are the receipt it gets.",
        ("envelope", "from", "identity", "order", "to"),
    ),
    "message.refused": (
        "A message of a peer was refused for good; the proof of it is what the peer gets.",
        ("code", "envelope", "from", "identity", "to"),
    ),
}


def classes() -> Mapping[str, type[NodeRecord]]:
    """Give the class of every kind that is not the text of a receipt."""
    return {one.kind: one for one in NodeRecord.__subclasses__()}


def document() -> str:
    """Give the list of kinds as a page."""
    lines = [
        "# What a node records",
        "",
        "The closed list of the kinds of records in a log, and what changes when one is made. It",
        "is made by `python -m tests.node.audit.recorded --write`; a test finds every place of",
        "the source that changes something and fails if it stands neither here nor among those",
        "that need no record.",
        "",
        "Every record is canonical JSON and also has `v` (1), `network`, `kind`, `at` (Unix",
        "seconds) and, but for the two that are texts of receipts, `by`: the random id of the",
        "person who acted, or null where the node did by itself. A record holds identities,",
        "digests, codes and random ids, never content and never a name.",
        "",
        "| kind | what happened | its own fields | changes |",
        "|---|---|---|---|",
    ]
    for kind, (meaning, names) in sorted(_entries().items()):
        changed = sorted({name.rpartition(" ")[2].partition(".")[2] for name in _places(kind)})
        shown = ", ".join(f"`{name}`" for name in names)
        what = ", ".join(f"`{name}`" for name in changed) or ELSEWHERE.get(kind, "the log alone")
        lines.append(f"| `{kind}` | {meaning} | {shown} | {what} |")
    lines += [
        "",
        "## What is written without a record",
        "",
        "| change | why |",
        "|---|---|",
        *(f"| `{name.partition('.')[2]}` | {reason} |" for name, reason in sorted(NEVER.items())),
    ]
    return "\n".join(lines) + "\n"


def _places(kind: str) -> list[str]:
    return [name for name, kinds in (*MADE.items(), *BY_WRITER.items()) if kind in kinds]


def _entries() -> dict[str, tuple[str, tuple[str, ...]]]:
    common = {one.name for one in fields(NodeRecord)}
    entries: dict[str, tuple[str, tuple[str, ...]]] = dict(_OF_RECEIPTS)
    for kind, made in classes().items():
        meaning = " ".join((made.__doc__ or "").partition("\n\n")[0].split())
        names = tuple(one.name for one in fields(made) if one.name not in common)
        entries[kind] = meaning, names
    return entries


def main() -> None:
    """Print the page, or write it where it belongs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help=f"write {DOCUMENT.name}")
    if parser.parse_args().write:
        DOCUMENT.write_text(document(), encoding="utf-8")
    else:
        sys.stdout.write(document())


if __name__ == "__main__":
    main()
