"""The one place that says who may: called by `act()` of the desk for every verb, and nowhere else.

    admitted = admit_case(conn, person, "8c1f", "read", now)

A role says what a person may do; need to know says in which cases. A case that a person may
not know of is answered like one that is not there, in the same words. What a person knows of
and may not do is refused with who may. Nothing here writes, and nothing else decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from node.access.faults import NotAllowed
from node.access.people import ENROL
from node.access.roles import Person, Role
from node.cases.register import CaseNotFound
from node.storage import Connection, case_rows, member_rows, standing_rows
from node.storage.member_rows import DraftPlace

Reach: TypeAlias = Literal["read", "row", "record", "charge", "assign", "protected", "whole"]
"""What a verb does with the case that it names, and so who must know it how well:

`read` reads or adds; `row` needs no more than that a list shows the case; `record` gives
records and proofs, which auditors have of every case; `charge` is for who is in charge;
`assign` also for the central authority, who says who is; `protected` and `whole` give (or may
give) the identity of a protected person.
"""

PROTECTED_KIND: Final = "protected_identity"
PROTECTED: Final = "protected"
_ENROLLING: Final = frozenset({"key.make", "user.me"})
_APPROVING: Final = frozenset({Role.APPROVER, Role.OFFICER, Role.DECISION_OFFICER})
_SENDING: Final = frozenset({Role.OFFICER, Role.DUTY_OFFICER})
_LISTED: Final = "`comity case list` shows their ids"


@dataclass(frozen=True, slots=True)
class AdmittedCase:
    """A case that a person may do something with; `log_id` is how records name it."""

    id: str
    log_id: str


def check_role(name: str, may: frozenset[Role], person: Person, *, changes: bool) -> None:
    """Raise `NotAllowed` unless this person's roles, and their key, allow a verb."""
    if person.enrols_with is not None and name not in _ENROLLING:
        raise NotAllowed(
            f"this key is good for `comity key make` alone ({ENROL}): make your own with it"
        )
    if not person.holds(may):
        who = ", ".join(sorted(may)) or "nobody"
        have = ", ".join(sorted(person.roles)) or "none of them"
        raise NotAllowed(f"{name} takes one of these roles: {who}; yours: {have}")
    if changes and person.reads_only:
        raise NotAllowed("this key is good for reading alone: use another, or make one")


# --- cases -------------------------------------------------------------------


def admit_case(conn: Connection, person: Person, name: str, reach: Reach, now: int) -> AdmittedCase:
    """Find the case that a person names, if they may do with it what `reach` says.

    Raises `CaseNotFound` where there is none that they may know of, else `NotAllowed`.
    """
    shown = [one for one in _named(conn, name) if _knows_of(conn, person, one, reach, now)]
    case = case_rows.read_case(conn, shown[0]) if len(shown) == 1 else None
    if case is None:
        why = "several cases begin like that" if shown else "no case is called that"
        raise CaseNotFound(f"{why}; {_LISTED}")
    _check_reach(conn, person, case.id, reach, now)
    return AdmittedCase(case.id, case.log_id)


def named_case(conn: Connection, case_id: str) -> AdmittedCase:
    """Give a case by its whole id, where the person was admitted by something else."""
    case = case_rows.read_case(conn, case_id)
    if case is None:
        raise CaseNotFound(f"no case is called that; {_LISTED}")
    return AdmittedCase(case.id, case.log_id)


def _named(conn: Connection, name: str) -> list[str]:
    """Give the cases that a name could mean: an id, how one begins, or a reference."""
    if case_rows.read_case(conn, name) is not None:
        return [name]
    return case_rows.find_cases(conn, name) or list(standing_rows.find_by_reference(conn, name))


def _knows_of(conn: Connection, person: Person, case: str, reach: Reach, now: int) -> bool:
    if reach == "record" and not person.works_on_cases:
        return True  # the role was checked: the log shows to them that there is such a case
    return member_rows.may_list(conn, person, case, now)


def _check_reach(conn: Connection, person: Person, case: str, reach: Reach, now: int) -> None:
    if reach in {"row", "record"}:
        return
    if reach == "assign" and person.holds(frozenset({Role.OFFICER})):
        return
    if not member_rows.may_read(conn, person, case, now):
        raise NotAllowed(
            "you may see that this case is there, and not what is in it: who is in charge lets "
            "people in (`comity case let-in`)"
        )
    if reach in {"charge", "assign"}:
        _check_charge(conn, person, case, now)
    elif reach == "protected" or (
        reach == "whole" and member_rows.holds_kind(conn, case, PROTECTED_KIND)
    ):
        check_protected(conn, person, case)


def _check_charge(conn: Connection, person: Person, case: str, now: int) -> None:
    found = member_rows.in_charge(conn, case)
    if found is None or found.officer is None or person.holds(frozenset({Role.OFFICER})):
        return
    if not member_rows.is_in_charge(conn, person, found, now):
        raise NotAllowed("who is in charge of the case does this: `comity case show` says who")


def reads_protected(conn: Connection, person: Person, case: str) -> bool:
    """Say whether a person was let into the protected identities of a case."""
    held = None if person.id is None else member_rows.read_member(conn, case, person.id)
    return held is not None and held.level == PROTECTED


def check_protected(conn: Connection, person: Person, case: str) -> None:
    """Raise `NotAllowed` unless a person was let into the protected identities of a case."""
    if not reads_protected(conn, person, case):
        raise NotAllowed(
            "this would show who a protected person is: who is in charge of the case lets "
            "people in as far as that (`comity case let-in --protected`)"
        )


# --- drafts ------------------------------------------------------------------


def admit_draft(conn: Connection, person: Person, name: str, now: int) -> DraftPlace:
    """Find the draft that a person names, if they may see it, else raise `CaseNotFound`."""
    found = member_rows.find_draft_places(conn, name) if name else []
    shown = [one for one in found if knows_draft(conn, person, one, now)]
    if len(shown) != 1:
        why = "several drafts begin like that" if shown else "no draft is called that"
        raise CaseNotFound(f"{why}; `comity draft list` shows their ids")
    return shown[0]


def knows_draft(conn: Connection, person: Person, draft: DraftPlace, now: int) -> bool:
    """Say whether a person may see a draft: who wrote, approves or sends it, or has its case."""
    if person.id is None or not person.works_on_cases:
        return False
    if person.id in draft.people:
        return True
    if draft.state == "IN_APPROVAL" and person.holds(_APPROVING):
        return True
    if draft.state == "APPROVED" and person.holds(_SENDING):
        return True
    return draft.case is not None and member_rows.may_read(conn, person, draft.case, now)
