"""Which role may do what with which case: every verb, role and case, tried at a real desk.

    python -m tests.node.access.matrix          shows the table as the code has it

`test_matrix.py` holds the table that is wanted, as text, and compares. Nothing is done: the
desk writes nowhere, and whatever is asked for ends where it would begin to take effect.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from node.access.faults import NotAllowed
from node.access.roles import Person, Role
from node.cases.register import CaseNotFound
from node.desk import VERBS, Desk, Live, act
from node.faults import EXPECTED
from node.run import desk_of
from node.storage import draft_rows, member_rows, standing_rows
from node.storage.draft_rows import StoredDraft
from node.storage.member_rows import Member
from node.storage.writer import Tx
from tests.support.pair import FIJI, QUMRAN, TONGA, Pair, make_template
from tests.support.people import somebody
from tests.support.verbs import arguments_for

COLUMNS: Final = {
    "d": Role.DRAFTER, "a": Role.APPROVER, "o": Role.OFFICER, "i": Role.INTAKE,
    "c": Role.CASE_OFFICER, "e": Role.DECISION_OFFICER, "x": Role.EXECUTING_OFFICER,
    "q": Role.CUSTODIAN, "u": Role.DUTY_OFFICER, "t": Role.AUDITOR, "n": Role.ADMINISTRATOR,
}  # fmt: skip
HEAD: Final = "".join(COLUMNS)
BOSS: Final = somebody("boss", Role.CASE_OFFICER)


class Reached(Exception):
    """The verb was about to write: whoever asked was admitted."""


@dataclass(frozen=True, slots=True)
class Places:
    """For each column the case of that person; one that came in and is nobody's; another's."""

    own: dict[str, str]
    new: str
    foreign: str


def person_of(column: str) -> Person:
    """Give the person of a column, who has that one role."""
    return somebody(f"person {column}", COLUMNS[column])


def stage(pair: Pair) -> Places:
    """Make the cases and drafts; also rows that let the administrator in, which nothing made."""
    node = pair[FIJI].node
    desk = desk_of(node)

    def opened(tx: Tx, peer: str) -> str:
        return node.register.send_request(
            tx, to=peer, request_kind="MLA_EVIDENCE", body={"text": "a-canary"}
        ).case

    def make(tx: Tx) -> Places:
        own = {one: opened(tx, QUMRAN) for one in COLUMNS}
        for column, case in own.items():
            person = person_of(column)
            standing_rows.change_standing(tx.conn, case, officer=person.id)
            if column in "tn":
                member = Member(case, str(person.id), "reader", None, 0)
                member_rows.put_member(tx.conn, member)
            draft_rows.insert_draft(tx.conn, _draft(column, str(person.id)))
        draft_rows.insert_draft(tx.conn, _draft("foreign", str(BOSS.id)))
        foreign, new = opened(tx, QUMRAN), f"{TONGA}/{'ab' * 16}"
        node.register.open_case(tx, new, peer=TONGA, side="requested", request_kind="FREEZING")
        standing_rows.change_standing(tx.conn, foreign, officer=BOSS.id)
        return Places(own, new, foreign)

    return desk.unit(make)


def draft_id(name: str) -> str:
    """Give the id of the draft of a column."""
    return name.encode().hex().ljust(32, "0")


def _draft(name: str, writer: str) -> StoredDraft:
    return StoredDraft(
        draft_id(name), None, QUMRAN, "transmit", "MLA_EVIDENCE", "DRAFT", 1, b"k", b"t", writer,
        None, None, None, None, 0, 0,
    )  # fmt: skip


def judged(desk: Desk, verb: str, person: Person, *, case: str, draft: str) -> str:
    """Say in one sign what becomes of a verb."""
    try:
        act(desk, verb, arguments_for(verb, case=case, draft=draft), person=person)
    except CaseNotFound:
        return "."
    except NotAllowed as refused:
        return "-" if "takes one of these roles" in str(refused) else "x"
    except (Reached, *EXPECTED):
        return "+"
    return "+"


def no_effect(_: Callable[[Tx], object]) -> object:
    """Stand where a desk writes."""
    raise Reached


def rows(pair: Pair) -> Iterator[tuple[str, str]]:
    """Give each verb with its signs: for the own case, one that came in, somebody else's."""
    places = stage(pair)
    desk = desk_of(pair[FIJI].node)
    desk = replace(desk, write=no_effect, live=Live(lambda: None, tuple, lambda: None))
    for verb in sorted(VERBS):
        takes = VERBS[verb].takes.model_fields
        kinds: tuple[str, ...] = ("own", "new", "foreign") if "case" in takes else ("own",)
        if "draft" in takes:
            kinds = ("own", "foreign")
        signs = [
            "".join(_sign(desk, verb, column, kind, places) for column in COLUMNS) for kind in kinds
        ]
        yield verb, " ".join(signs)


def _sign(desk: Desk, verb: str, column: str, kind: str, places: Places) -> str:
    case = {"own": places.own[column], "new": places.new, "foreign": places.foreign}[kind]
    draft = draft_id(column if kind == "own" else "foreign")
    if "draft" in VERBS[verb].takes.model_fields:
        case = places.own[column]
    return judged(desk, verb, person_of(column), case=case, draft=draft)


def main() -> None:
    """Show the table."""
    with tempfile.TemporaryDirectory() as folder:
        template = make_template(Path(folder) / "template")
        pair = Pair.copy_of(template, Path(folder) / "nodes")
        for verb, signs in rows(pair):
            print(f"{verb:36} {signs}")  # noqa: T201  (a tool that shows a table)
        for wired in pair.nodes.values():
            wired.node.close()


if __name__ == "__main__":
    main()
