"""Searching a log: by time, kind, person, case, peer or message.

    search = plan(conn, Question(log=1, case="fj.justice/8c…"))
    for found in results(conn, search): ...

The log names cases and persons by random ids; the tables beside it say whom they stand for,
and where a row was erased nobody does. Nothing of a case's content is in a record, so
nothing of it is in what this gives. Reads, in constant memory, and writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import orjson

from node.audit.faults import NotHere
from node.audit.named import find_case
from node.audit.records import RECORD_KINDS
from node.storage import Connection, export_rows, person_rows, search_rows
from node.storage.log_rows import EntryRow
from node.storage.search_rows import Wanted, member
from protocol.encoding import Json
from protocol.identity import check_authority_id

_PEERS = ("from", "to", "peer", "authority")


@dataclass(frozen=True, slots=True)
class Question:
    """What a person looks for; names may be given by how they begin."""

    log: int
    first_at: int | None = None
    last_at: int | None = None
    kind: str | None = None
    person: str | None = None
    case: str | None = None
    peer: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One entry, with what its random ids stand for; `record` is None once erased."""

    position: int
    at: int
    kind: str
    person: str | None
    case: str | None
    message: str | None
    peer: str | None
    record: dict[str, Json] | None


def plan(conn: Connection, question: Question) -> Wanted:
    """Resolve the names in a question; raises `NotHere` where one means nobody here."""
    members: list[tuple[bytes, ...]] = []
    if question.person is not None:
        ids = search_rows.find_persons(conn, question.person) if question.person else []
        if not ids:
            raise NotHere("nobody of that name has acted here")
        members.append(tuple(member("by", one) for one in ids))
    if question.message is not None:
        members.append((member("identity", _message(conn, question.message)),))
    case_id: str | None = None
    case_members: tuple[bytes, ...] = ()
    if question.case is not None:
        case = find_case(conn, question.case)
        case_id, case_members = case.id, (member("case", case.log_id),)
    peer = None if question.peer is None else check_authority_id(question.peer)
    if question.kind is not None and question.kind not in RECORD_KINDS:
        raise NotHere(f"no record is of that kind; there are {', '.join(RECORD_KINDS)}")
    return Wanted(
        question.log, question.first_at, question.last_at, question.kind, tuple(members),
        case_id=case_id, case_members=case_members, peer=peer,
    )  # fmt: skip


def _message(conn: Connection, part: str) -> str:
    found = export_rows.find_places(conn, part) if part else []
    if len(found) > 1:
        raise NotHere("several messages begin like that")
    if not found and len(part) != 64:  # noqa: PLR2004  (refused ones are in no table: name them whole)
        raise NotHere("no message here begins like that")
    return found[0].identity if found else part


def results(conn: Connection, wanted: Wanted) -> Iterator[Found]:
    """Give what was found, in the order of the log."""
    names = person_rows.person_names(conn)
    for page in search_rows.found_pages(conn, wanted):
        yield from _resolved(conn, page, names)


def _resolved(conn: Connection, page: Sequence[EntryRow], names: dict[str, str]) -> Iterator[Found]:
    records = [None if row.record is None else _read(row.record) for row in page]
    messages = {text for one in records if (text := _text(one, "identity")) is not None}
    log_ids = {text for one in records if (text := _text(one, "case")) is not None}
    by_message = search_rows.cases_of_messages(conn, sorted(messages))
    by_log_id = search_rows.cases_by_log_id(conn, sorted(log_ids))
    for row, record in zip(page, records, strict=True):
        by, message, log_id = (_text(record, name) for name in ("by", "identity", "case"))
        case = by_log_id.get(log_id or "") or by_message.get(message or "")
        peer = next((one for name in _PEERS if (one := _text(record, name))), None)
        yield Found(
            row.position, row.at, row.kind, names.get(by or "", by), case, message, peer, record
        )


def _read(raw: bytes) -> dict[str, Json]:
    """Read a record; one that was altered is shown as what it is, and `audit verify` judges."""
    try:
        record = orjson.loads(raw)
    except orjson.JSONDecodeError:
        record = None
    return record if isinstance(record, dict) else {"unreadable": raw.hex()}


def _text(record: dict[str, Json] | None, name: str) -> str | None:
    value = None if record is None else record.get(name)
    return value if isinstance(value, str) else None
