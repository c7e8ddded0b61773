"""The tamper matrix as it is meant: for each change of each column, who finds it, or why not.

    python -m tests.node.audit.tamper --write      makes deploy/docs/TAMPER.md again

Every table and column of the schema is in it, whoever adds one: what is not named here must
be found by an auditor, and `test_tamper_matrix.py` really does all of it and asks. What
nobody finds stands here with its reason, once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from node.storage.tables import metadata

DOCUMENT: Final = Path(__file__).parents[3] / "deploy" / "docs" / "TAMPER.md"

_SHOWN = "only shown; what counts is in the signed text or in the log"
_RETRY = "says when to try again: it delays or hastens a delivery, and makes none"
_COUNTED = "for lists and statistics; what counts is in the signed text of the message"
_FOUND = "a search misses or shows a case more; what is in it, its messages say"
_LINKED = "our own note; that a link was made, and when, is in the log, and is compared"
_CLOCKED = (
    "hastens or delays a warning; a person reads the case, and the node decides nothing by it"
)
_MAILED = "says to one of our people that something waits, which their work list says too"
_HAPPENED = "what other programs are told, without content; they ask for the case itself"
_REPEATED = "makes a repeat be refused, or answered as new, for a day; sealed answers do not open"
_LIST = "a list for people; what an alarm was about stays in the log, or with a peer"

HARMLESS_COLUMNS: Final[dict[str, str]] = {
    **dict.fromkeys(
        [f"alarms.{name}" for name in ("id", "at", "kind", "peer", "subject", "detail", "kept")],
        _LIST,
    ),
    **dict.fromkeys(
        [f"queues.{name}" for name in (
            "peer", "next_try_at", "failures", "last_code", "last_tried_at", "last_word_at",
            "claimed_by", "claimed_until",
        )],
        _RETRY,
    ),
    **dict.fromkeys(["outbox.queued_at", "outbox.attempts", "outbox.last_code"], _RETRY),
    "outbox.id": "the order of a queue: a peer takes the messages of a case in theirs, or not",
    **dict.fromkeys(
        [f"cases.{name}" for name in ("request_kind", "opened_at", "changed_at")], _SHOWN
    ),
    **dict.fromkeys(
        [f"standings.{name}" for name in (
            "own_ref", "peer_ref", "basis", "effect", "urgency", "language", "outcome", "ground",
            "delivered_at", "acknowledged_at", "decided_at", "executed_at", "ended_at",
        )],
        _COUNTED,
    ),
    **dict.fromkeys(["case_offences.case_id", "case_offences.code"], _COUNTED),
    **dict.fromkeys(["case_words.word", "case_words.case_id"], _FOUND),
    **dict.fromkeys(["case_links.relation", "case_links.other"], _LINKED),
    **dict.fromkeys(
        [f"clocks.{name}" for name in (
            "id", "case_id", "name", "waits_for", "rule", "started_at", "due_at", "warn_at",
            "stopped_at", "ended_at", "ended_how", "warned_at", "escalated_at",
        )],
        _CLOCKED,
    ),
    **dict.fromkeys(
        [f"waiting.{name}" for name in (
            "reader", "known_by", "due_at", "clock", "waits_for", "stopped",
        )],
        _CLOCKED,
    ),
    **dict.fromkeys(
        [f"mails.{name}" for name in (
            "id", "person", "reason", "case_id", "at", "sent_at", "failures",
        )],
        _MAILED,
    ),
    **dict.fromkeys(
        [f"happenings.{name}" for name in ("id", "at", "kind", "case_id", "draft")], _HAPPENED
    ),
    **dict.fromkeys(["webhooks.kinds", "webhooks.position"], _HAPPENED),
    **dict.fromkeys(["webhooks.failures", "webhooks.next_try_at"], _RETRY),
    "webhooks.sealed_key": "what is signed with another key, its reader refuses",
    "users.address": "stands in no record, so that it can be erased; a mail says nothing of a case",
    "access_keys.name": "what a person calls a key of theirs; the log has its digest",
    **dict.fromkeys(
        [f"repeats.{name}" for name in (
            "person", "key", "request", "status", "sealed_answer", "at",
        )],
        _REPEATED,
    ),
    "messages.changed_at": _SHOWN,
    "contested.at": _SHOWN,
    "auditor_tokens.name": "what an auditor is called here; the log has the token's digest",
    "checkpoints.at": "when the last word came; each word has its own signed time",
    "envelopes.made_at": _SHOWN,
    "envelopes.key_id": "says which key to seal to anew; while a message waits it is compared",
    "nonces.key_id": "a replayed request finds its messages known and gets their receipts",
    "nonces.nonce": "a replayed request finds its messages known and gets their receipts",
    "nonces.expires": "a replayed request finds its messages known and gets their receipts",
    "settings_kept.name": "the clock floor; without it expired things count until the next"
    " network document. That a log was halted, the peers show again at the next start",
    "settings_kept.value": "as its name",
    "unproven.since": "says when the alarm is raised; the checkpoint itself is verified",
    "persons.name": "of somebody with a login it is found; else nobody can: names stand outside"
    " the log so that they can be erased",
}  # fmt: skip
"""Columns whose change nobody finds, or that prove nothing; each with its reason."""

HARMLESS_INSERTS: Final[dict[str, str]] = {
    "alarms": _LIST,
    "case_offences": _COUNTED,
    "case_words": _FOUND,
    "clocks": _CLOCKED,
    "happenings": _HAPPENED,
    "mails": _MAILED,
    "repeats": _REPEATED,
    "waiting": _CLOCKED,
    "envelopes": "a digest that no receipt names",
    "nonces": "refuses one request, which is made again with another nonce",
    "persons": "a person whom no record names",
    "queues": _RETRY,
    "settings_kept": "a setting that nothing reads, or one that is there already",
}
HARMLESS_DELETES: Final[dict[str, str]] = {
    "alarms": _LIST,
    "case_offences": _COUNTED,
    "case_sums": _COUNTED,
    "case_words": _FOUND,
    "clocks": _CLOCKED,
    "happenings": _HAPPENED,
    "mails": _MAILED,
    "repeats": _REPEATED,
    "waiting": _CLOCKED,
    "checkpoints": "costs the proofs of that size their witnesses until these are asked again",
    "nonces": HARMLESS_COLUMNS["nonces.nonce"],
    "queues": _RETRY,
    "settings_kept": HARMLESS_COLUMNS["settings_kept.name"],
    "unproven": "whatever rests on it is found (no receipt may); else the monitor asks again",
}
HARMLESS_SWAPS: Final[dict[str, str]] = {
    name: HARMLESS_INSERTS[name]
    for name in (
        "alarms",
        "clocks",
        "happenings",
        "mails",
        "nonces",
        "persons",
        "queues",
        "repeats",
        "waiting",
    )
} | {"settings_kept": HARMLESS_COLUMNS["settings_kept.name"]}

OPEN: Final[dict[str, str]] = {
    "persons": "the audit cannot decide: erased, or removed so that an act has no author",
}
"""Where a person row is not there, an auditor says so and cannot tell why."""

AT_START: Final[frozenset[str]] = frozenset({
    *(f"log_head.{name}" for name in ("origin", "size", "root", "checkpoint")),
    *(f"log_tiles.{name}" for name in ("log", "level", "position", "hashes")),
    "network_documents.raw", "listings.raw", "revocations.raw",
})  # fmt: skip
"""Columns whose change the node itself notices when it starts, before it signs anything."""

DELETED_AT_START: Final = frozenset({"log_head", "log_tiles", "network_documents"})

BY_PEERS: Final[dict[str, str]] = {
    "cases.sent_seq": "a peer, with the next message of the case: it is out of order",
    "outbox.envelope": "the peer, when it comes: it does not open",
    "witnessed.size": "the log's owner: it is told a size of which it has no such checkpoint",
}
"""Columns whose change also the other side notices, when it is next met."""

DELETED_BY_PEERS: Final[dict[str, str]] = {
    "witnessed": "where a receipt rests on it, an auditor, as open; else whoever is shown both"
    " histories that this node then cosigns: its own word on both is the proof",
}

TIMES: Final = frozenset({"at", "created", "expires", "since", "claimed_until"})

WHOLE_LOG: Final[dict[str, tuple[str, str]]] = {
    "insert an entry, tiles and head left": ("auditor", "at the next `audit verify`"),
    "reorder: two entries change places": ("auditor", "at the next `audit verify`"),
    "replace a tile by another one": (
        "node, auditor", "at the next start if it is at the right edge; `audit verify`",
    ),
    "truncate: the last n entries and their tile, head left": (
        "node, auditor", "at the next start; `audit verify`",
    ),
    "set the head back while the node runs": (
        "node", "at the next write: it is not the head that the node moved last",
    ),
    "delete the last n entries and replay an old checkpoint as head": (
        "node, auditor", "at the next start: the guard remembers more; `audit verify`",
    ),
    "back-date an entry: columns, record and commitment made anew": (
        "auditor", "at the next `audit verify`: the signed root is another",
    ),
    "replay an old checkpoint of the guard, the database left": (
        "harmless", "the database continues it, as after a crash: the guard is advanced",
    ),
    "restore a backup of the database": (
        "node, auditor", "at the next start: it is behind the guard; `audit verify`",
    ),
    "restore a backup of everything, guard included": (
        "peer", "the first that is met: it has cosigned more, or another root, and proves it",
    ),
    "fork: sign another history from a state before": (
        "peer", "the first witness that is asked for both; the fork proof goes to all",
    ),
    "delete the last n entries, sign the shorter log again, guard too": (
        "peer", "the first that is met: it has cosigned more than there is",
    ),
}  # fmt: skip
"""What is done to the log as a whole: who finds it, and after how much."""


def columns() -> Iterator[tuple[str, sa.Column[object]]]:
    """Give every column of the schema by its full name."""
    for table in metadata.sorted_tables:
        for column in table.columns:
            yield f"{table.name}.{column.name}", column


def is_time(column: sa.Column[object]) -> bool:
    """Say whether a column holds a time."""
    return column.name in TIMES or column.name.endswith("_at")


def edit_verdict(name: str) -> str:
    """Say who finds a changed value."""
    table = name.partition(".")[0]
    if name in HARMLESS_COLUMNS:
        return f"harmless: {HARMLESS_COLUMNS[name]}"
    if name == f"{table}.id" and table in OPEN:
        return f"auditor, as open: {OPEN[table]}"
    who = "node at start, auditor" if name in AT_START else "auditor"
    return f"{who}; {BY_PEERS[name]}" if name in BY_PEERS else who


def _row_verdicts(table: str) -> Iterator[tuple[str, str]]:
    harmless = HARMLESS_INSERTS.get(table)
    yield "insert a row", f"harmless: {harmless}" if harmless else "auditor"
    if table in HARMLESS_DELETES:
        yield "delete a row", f"harmless: {HARMLESS_DELETES[table]}"
    elif table in DELETED_BY_PEERS:
        yield "delete a row", DELETED_BY_PEERS[table]
    elif table in OPEN:
        yield "delete a row", f"auditor, as open: {OPEN[table]}"
    else:
        yield "delete a row", "node at start, auditor" if table in DELETED_AT_START else "auditor"
    harmless = HARMLESS_SWAPS.get(table)
    yield "swap two rows", f"harmless: {harmless}" if harmless else "auditor"


def document() -> str:
    """Give the matrix as a page."""
    lines = [
        "# Who finds what somebody changed",
        "",
        "Somebody has the node's database, and perhaps its keys: the operator, an intruder, a",
        "backup put back. This table says for every way to change every table and column who",
        "finds it. It is made by `python -m tests.node.audit.tamper --write` from what",
        "`tests/node/audit/test_tamper_matrix.py` really does to three nodes; a new column that",
        "nobody finds fails that test until somebody has written here why it may be so.",
        "",
        "* **auditor**: `comity audit verify`, offline, the next time it runs, whatever was signed",
        "  meanwhile. It names the entry, message or row.",
        "* **node**: by itself, when it next starts, before it signs anything.",
        "* **peer**: without access to this node, from what it has cosigned or holds.",
        "* **harmless**: nobody needs to; the reason is beside it.",
        "",
        "## The log as a whole",
        "",
        "| what is done | who finds it | after how much |",
        "|---|---|---|",
        *(f"| {what} | {who} | {when} |" for what, (who, when) in WHOLE_LOG.items()),
        "",
        "Where the keys are in wrong hands too, only what is outside helps: peers, auditors with",
        "a receipt or a witnessed checkpoint, timestamps. That is what witnesses are for.",
    ]
    for table in metadata.sorted_tables:
        lines += ["", f"## `{table.name}`", "", "| change | who finds it |", "|---|---|"]
        lines += [f"| {what} | {verdict} |" for what, verdict in _row_verdicts(table.name)]
        for column in table.columns:
            what = f"edit `{column.name}`" + (", or back-date it" if is_time(column) else "")
            lines.append(f"| {what} | {edit_verdict(f'{table.name}.{column.name}')} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the page, or write it where it belongs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help=f"write {DOCUMENT.name}")
    if parser.parse_args().write:
        DOCUMENT.parent.mkdir(exist_ok=True)
        DOCUMENT.write_text(document(), encoding="utf-8")
    else:
        sys.stdout.write(document())


if __name__ == "__main__":
    main()
