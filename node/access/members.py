"""Letting people into a case, and out of it.

Who is in charge says who else reads a case, and who learns the identity of a protected person
in it. Each time is a record. Whether the person who asks may do so was decided by `check`.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from node.access.people import roles_of
from node.access.roles import AUDITING, CASEWORK
from node.audit.faults import NotHere
from node.audit.people_records import CaseLetIn, CaseLetOut
from node.storage import case_rows, member_rows
from node.storage.case_rows import Case
from node.storage.member_rows import Member
from node.storage.people_rows import User
from node.storage.writer import Tx
from protocol.errors import Malformed

Level: TypeAlias = Literal["reader", "protected"]

READER: Final = "reader"


def let_in(tx: Tx, network: str, case_id: str, user: User, level: Level) -> None:
    """Let one of our people read a case from here on, as far as `level` says."""
    if not roles_of(user.roles) & (CASEWORK | AUDITING):
        raise Malformed("who runs the node reads no case: let in somebody with another role")
    case = _case(tx, case_id)
    member_rows.put_member(tx.conn, Member(case.id, user.person, level, tx.by, tx.now))
    tx.record(CaseLetIn(network, tx.now, case.log_id, user.person, level, by=tx.by))


def let_out(tx: Tx, network: str, case_id: str, user: User) -> None:
    """Let one of our people read a case no longer; whoever is in charge goes by a hand-over."""
    case = _case(tx, case_id)
    if not member_rows.delete_member(tx.conn, case.id, user.person):
        raise NotHere("that person was not let into this case; `comity case show` shows who was")
    tx.record(CaseLetOut(network, tx.now, case.log_id, user.person, by=tx.by))


def _case(tx: Tx, case_id: str) -> Case:
    case = case_rows.read_case(tx.conn, case_id)
    if case is None:
        raise NotHere("the case has just gone")
    return case
