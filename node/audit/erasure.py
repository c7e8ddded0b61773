"""Erasing: a record with its salt, or the key of a case, is destroyed and that is recorded.

    erased = erase_records(tx, network, Spans.parse("3,7-9"), log=1, reason="retention-ended")

The log stays what it was: entries are commitments, and without record and salt they say
nothing and still verify. What documents an erasure, and what says whose log it is, cannot
itself be erased. A receipt that we gave holds the record that it proves, so ours goes with
it; the one that the other side got is its own. Knows no key and no text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from node.audit.faults import NotErasable
from node.audit.records import CaseErased, RecordErased
from node.storage import erasure_rows
from node.storage.case_rows import Case
from node.storage.log_rows import EntryRow
from node.storage.writer import Tx
from protocol.document import WORD
from protocol.errors import Malformed, Rejected
from protocol.limits import INTEGER_MAX, MESSAGE_SKEW_S
from protocol.record import decode_decision

_SPAN: Final = re.compile(r"(0|[1-9][0-9]{0,15})(?:-([1-9][0-9]{0,15}))?")
_SPANS_CHARS_MAX: Final = 3_072  # of the 4,096 bytes of a record
_LASTING: Final = frozenset({"log.opened", "log.closed", "record.erased", "case.erased"})
_DECISIONS: Final = frozenset({"message.accepted", "message.refused"})


@dataclass(frozen=True, slots=True)
class Spans:
    """Positions in a log: ascending spans that do not touch, each with its first and last."""

    spans: tuple[tuple[int, int], ...]

    @classmethod
    def parse(cls, text: str) -> Spans:
        """Read positions and spans in any order, as `7-9,3`."""
        found: list[tuple[int, int]] = []
        for part in text.split(","):
            match = _SPAN.fullmatch(part.strip())
            if match is None or int(match[2] or match[1]) > INTEGER_MAX:
                raise Malformed("entries are positions and spans of them, as 3,7-9")
            first, last = int(match[1]), int(match[2] or match[1])
            if last < first:
                raise Malformed("a span of entries that ends before it begins")
            found.append((first, last))
        return cls.of(found)

    @classmethod
    def of(cls, spans: Sequence[tuple[int, int]]) -> Spans:
        """Join spans that touch or overlap."""
        joined: list[tuple[int, int]] = []
        for first, last in sorted(spans):
            if joined and first <= joined[-1][1] + 1:
                joined[-1] = joined[-1][0], max(last, joined[-1][1])
            else:
                joined.append((first, last))
        return cls(tuple(joined))

    @property
    def count(self) -> int:
        """How many positions there are."""
        return sum(last - first + 1 for first, last in self.spans)

    def __str__(self) -> str:
        """Give the one form in which a record names them."""
        return ",".join(
            str(first) if first == last else f"{first}-{last}" for first, last in self.spans
        )


def erase_records(tx: Tx, network: str, spans: Spans, *, log: int, reason: str) -> Spans:
    """Destroy the records of these entries and say so in the log; gives which there were.

    Entries that have no record any more are passed over. Raises `NotErasable` if there
    is none to destroy, one that must stay, or one about a message that may still come again
    and then needs its receipt.
    """
    _check_reason(reason)
    held: list[tuple[int, int]] = []
    for first, last in spans.spans:
        for row in erasure_rows.entries_with_record(tx.conn, log, first, last):
            _let_go(tx, row)
            held.append((row.position, row.position))
    erased = Spans.of(held)
    if not held:
        raise NotErasable(f"log {log} has no record at these entries")
    if len(str(erased)) > _SPANS_CHARS_MAX:
        raise NotErasable("so many entries apart from each other fit in no record: erase fewer")
    for first, last in erased.spans:
        erasure_rows.erase_entries(tx.conn, log, first, last)
    tx.record(RecordErased(network, tx.now, log, str(erased), reason, by=tx.by))
    return erased


def _let_go(tx: Tx, row: EntryRow) -> None:
    """Refuse what must stay; destroy the copy of the record that a receipt of ours is."""
    if row.kind in _LASTING:
        raise NotErasable(f"entry {row.position} is a {row.kind} record, which stays")
    if row.kind not in _DECISIONS:
        return
    try:
        decision = decode_decision(row.record or b"")
    except Rejected:
        return  # an altered one proves nothing; `audit verify` says so until it is gone
    if row.kind == "message.accepted":
        if erasure_rows.expiry_of(tx.conn, [decision.identity]) + MESSAGE_SKEW_S > tx.now:
            raise NotErasable(
                f"entry {row.position} is about a message that has not expired: its sender may "
                "still ask for the receipt"
            )
        erasure_rows.empty_receipt(tx.conn, decision.identity)
    else:
        erasure_rows.empty_refusal(tx.conn, decision.identity)


def erase_case(tx: Tx, network: str, case: Case, *, reason: str) -> None:
    """Destroy the key of a case, which was read with its lock, and say so in the log."""
    _check_reason(reason)
    if not case.wrapped_key:
        raise NotErasable("this case was erased before")
    if waiting := erasure_rows.count_waiting(tx.conn, case.id):
        raise NotErasable(f"{waiting} of its messages still wait for a receipt: `comity outbox`")
    erasure_rows.erase_case_key(tx.conn, case.id)
    tx.record(CaseErased(network, tx.now, case.log_id, reason, by=tx.by))


def _check_reason(reason: str) -> None:
    if WORD.fullmatch(reason) is None:
        raise Malformed("a reason is one word like retention-ended: it stands in the log for good")
