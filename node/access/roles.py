"""The roles that people hold in an authority, and a person as a verb sees them.

A role says what a person may do in cases they may know of; it never opens a case by itself.
This module knows no verb, no case and no storage.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What a person is here for (the actors of a request, UNCAC 46(13) and practice)."""

    DRAFTER = "drafter"
    APPROVER = "approver"
    OFFICER = "central-authority-officer"
    INTAKE = "intake-officer"
    CASE_OFFICER = "case-officer"
    DECISION_OFFICER = "decision-officer"
    EXECUTING_OFFICER = "executing-officer"
    CUSTODIAN = "evidence-custodian"
    DUTY_OFFICER = "duty-officer"
    AUDITOR = "auditor"
    ADMINISTRATOR = "node-administrator"


CASEWORK: Final = frozenset({
    Role.DRAFTER, Role.APPROVER, Role.OFFICER, Role.INTAKE, Role.CASE_OFFICER,
    Role.DECISION_OFFICER, Role.EXECUTING_OFFICER, Role.CUSTODIAN, Role.DUTY_OFFICER,
})  # fmt: skip
"""Roles that work on cases, and may read those that they are let into."""

RUNNING: Final = frozenset({Role.ADMINISTRATOR})
"""Runs the node, and reads no case."""

AUDITING: Final = frozenset({Role.AUDITOR})
"""Reads records and proofs; a case only where its officer lets them in."""

CONFIRMING: Final = frozenset({Role.ADMINISTRATOR, Role.APPROVER, Role.OFFICER})
"""Who can be the second person of a change of people or keys."""

EVERYBODY: Final = frozenset(Role)


@dataclass(frozen=True, slots=True)
class Person:
    """Who asked for a verb: one of our people, or the Unix user that the node runs as.

    `name` is how records and lists know them; `id` is None where no record knows them yet.
    `reads_only` says that they came with a key which is good for reading alone;
    `enrols_with` is the digest of one that is good for nothing but to make their own.
    """

    name: str
    roles: frozenset[Role]
    id: str | None = None
    reads_only: bool = False
    enrols_with: str | None = None

    def holds(self, roles: frozenset[Role]) -> bool:
        """Say whether this person holds one of the roles."""
        return bool(self.roles & roles)

    @property
    def works_on_cases(self) -> bool:
        """Whether this person is here for cases."""
        return self.holds(CASEWORK)

    @property
    def reads_cases(self) -> bool:
        """Whether there is any case that this person could be let into."""
        return self.holds(CASEWORK | AUDITING)
