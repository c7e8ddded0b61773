"""What an authority keeps about its own cases: references, who is in charge, and links.

    keeping.refer(tx, case, "MLA/2026/114")
    keeping.hand_over(tx, case, "amina")            # and the other side hears who to ask
    keeping.link(tx, case, "continues", other)

A link says what the other case is to this one. Both show it when both are here; nothing of
it leaves the node. Knows no verb and no rights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from node.access.roles import CASEWORK, Person
from node.audit.casework_records import CaseHandedOver, CaseLinked, CaseReferred
from node.audit.people_records import CaseLetIn
from node.cases.clocks.by_hand import end_joined
from node.cases.faults import CaseFault
from node.cases.register import CaseNotFound, NotNow, Register
from node.outbox import Posted
from node.storage import Connection, case_rows, link_rows, member_rows, people_rows, standing_rows
from node.storage.case_rows import Case
from node.storage.link_rows import Link
from node.storage.member_rows import Member
from node.storage.people_rows import User
from node.storage.writer import Tx
from protocol.errors import Malformed

RELATIONS: Final[dict[str, str]] = {
    "continues": "continued-by",
    "supersedes": "superseded-by",
    "preserves-for": "preserved-by",
    "transfers": "transferred-by",
    "answers": "answered-by",
    "led-to": "came-of",
    "joins": "joined-by",
    "related": "related",
}
"""What another case can be to this one, and what this one is to it then."""

REFERENCE_CHARS_MAX: Final = 256


@dataclass(frozen=True, slots=True)
class Related:
    """One link as a case shows it, whichever side it was made from."""

    relation: str
    other: str
    at: int


@dataclass(frozen=True, slots=True)
class Keeping:
    """Keeps what stands beside the messages of cases."""

    network: str
    register: Register

    def refer(self, tx: Tx, name: str, reference: str) -> Case:
        """Give a case our own reference; letters and lists show it from now on."""
        if not reference.strip() or len(reference) > REFERENCE_CHARS_MAX:
            raise Malformed(f"a reference has 1 to {REFERENCE_CHARS_MAX} characters")
        case = self.register.find(tx.conn, name, lock=True)
        standing_rows.change_standing(tx.conn, case.id, own_ref=reference)
        tx.record(CaseReferred(self.network, tx.now, case.log_id, by=tx.by))
        return case

    def hand_over(self, tx: Tx, name: str, login: str) -> tuple[Case, Posted | None]:
        """Put another person in charge; the other side is told whom to ask, if it can be."""
        case = self.register.find(tx.conn, name, lock=True, readable=True)
        user = _active(tx.conn, login)
        standing = standing_rows.read_standing(tx.conn, case.id)
        if standing is not None and standing.officer is not None:
            keep_reading(tx, self.network, case.id, standing.officer)
        put_in_charge(tx, self.network, case, user.person)
        if standing is None or not standing.on_wire:
            return case, None
        try:
            contact = {"contact": {"name": user.login}}
            posted = self.register.make_move(
                tx, case.id, event="handler_changed", body=dict(contact)
            )
        except NotNow:  # nothing was delivered yet: there is nobody to tell
            return case, None
        return case, posted

    def link(
        self, tx: Tx, name: str, relation: str, other: str, *, by: Person | None = None
    ) -> tuple[Case, str]:
        """Link a case with another, here or elsewhere; gives the other as it is stored.

        A case that `by` may not know of is one that is elsewhere: its id is not told.
        """
        if relation not in RELATIONS:
            raise Malformed(f"a link is one of: {', '.join(RELATIONS)}")
        case = self.register.find(tx.conn, name, lock=True)
        named = self._named(tx, other, by)
        if named == case.id:
            raise CaseFault("A case is not linked with itself: name the other one.")
        if link_rows.insert_link(tx.conn, Link(case.id, relation, named, tx.now)):
            tx.record(CaseLinked(self.network, tx.now, case.log_id, by=tx.by))
        return case, named

    def join(self, tx: Tx, old: Case, new: Case) -> bool:
        """Let a case of the network go on with one on paper; False if they do not fit."""
        before = standing_rows.read_standing(tx.conn, old.id)
        after = standing_rows.read_standing(tx.conn, new.id)
        if before is None or after is None or not after.on_wire or old.side != new.side:
            return False
        given = {
            "own_ref": after.own_ref or before.own_ref,
            "peer_ref": after.peer_ref or before.peer_ref,
        }
        standing_rows.change_standing(tx.conn, new.id, **given)
        if after.officer is None:
            put_in_charge(tx, self.network, new, before.officer)
        end_joined(tx, old.id)
        self.link(tx, new.id, "joins", old.id)
        return True

    def _named(self, tx: Tx, other: str, by: Person | None) -> str:
        """Give a case that is here by its id, and one that is elsewhere as it was named."""
        if not other.strip() or len(other) > REFERENCE_CHARS_MAX:
            raise Malformed("the other case is named by its id or reference")
        try:
            found = self.register.find(tx.conn, other).id
        except CaseNotFound:
            return other
        known = by is None or member_rows.may_list(tx.conn, by, found, tx.now)
        return found if known else other

    @staticmethod
    def related(conn: Connection, case_id: str) -> list[Related]:
        """Give the links of a case from both sides, the oldest first."""
        own, others = link_rows.links_of(conn, case_id)
        found = [Related(one.relation, one.other, one.at) for one in own]
        found += [
            Related(RELATIONS.get(one.relation, one.relation), one.case_id, one.at)
            for one in others
        ]
        return sorted(found, key=lambda one: (one.at, one.other))


def keep_reading(tx: Tx, network: str, case_id: str, person: str, level: str = "reader") -> None:
    """Let somebody who acts, or acted, in a case read it; never less than before."""
    member = member_rows.read_member(tx.conn, case_id, person)
    known = member is not None and (member.level, level) != ("reader", "protected")
    case = case_rows.read_case(tx.conn, case_id)
    if known or not person or case is None:
        return
    member_rows.put_member(tx.conn, Member(case_id, person, level, tx.by, tx.now))
    tx.record(CaseLetIn(network, tx.now, case.log_id, person, level, by=tx.by))


def put_in_charge(tx: Tx, network: str, case: Case, person: str | None) -> None:
    """Put a person in charge of a case, and say so in the log; with None, nobody."""
    standing_rows.change_standing(tx.conn, case.id, officer=person)
    if person is not None:
        tx.record(CaseHandedOver(network, tx.now, case.log_id, person, by=tx.by))


def _active(conn: Connection, login: str) -> User:
    user = people_rows.user_of_login(conn, login)
    if user is None or user.state != "active":
        raise CaseFault(
            "Nobody who is active here is called that: `comity user list` shows our people."
        )
    if not CASEWORK.intersection(user.roles.split()):
        raise CaseFault(
            "That person does not work on cases, and could not even read this one: `comity user "
            "list` shows who does."
        )
    return user
