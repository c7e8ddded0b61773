"""People who work on cases at the nodes of a pair, each in one role, through `act`.

    office = Office(pair, FIJI)
    draft = office.do("drafter", "draft.create", to=QUMRAN, kind="MLA_SERVICE", body=...)
    office.refused("drafter", "draft.approve", draft=draft["draft"], version=1)

Everybody is in the rows of the node (`tests.support.people`), so that need to know, records
and signatories are those of real people.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from node.access.roles import Person, Role
from node.desk import Desk, act
from node.exits import Fault
from node.faults import EXPECTED, describe
from node.run import desk_of
from protocol.encoding import Json
from tests.support.network import NETWORK
from tests.support.pair import FIJI, QUMRAN, Pair
from tests.support.people import join, somebody

Tree: TypeAlias = dict[str, Any]

STAFF: Final = {
    "dora": Role.DRAFTER, "drew": Role.DRAFTER, "april": Role.APPROVER, "omar": Role.OFFICER,
    "ines": Role.INTAKE, "carl": Role.CASE_OFFICER, "dee": Role.DECISION_OFFICER,
    "dan": Role.DECISION_OFFICER, "eve": Role.EXECUTING_OFFICER, "kit": Role.CUSTODIAN,
    "duty": Role.DUTY_OFFICER, "audra": Role.AUDITOR,
}  # fmt: skip
"""Who works at every node, and as what."""


@dataclass(slots=True)
class Office:
    """The people of one node."""

    pair: Pair
    name: str
    people: dict[str, Person] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Put everybody into the rows."""
        for login, role in STAFF.items():
            person = somebody(login, role)
            self.people[login] = person
            writer = self.pair[self.name].node.writer
            writer.write_now(lambda tx, person=person: join(tx, NETWORK, person))  # type: ignore[misc]  # mypy cannot type it

    @property
    def desk(self) -> Desk:
        """The desk of the node as it is now."""
        return desk_of(self.pair[self.name].node)

    def do(self, who: str, verb: str, **arguments: Json) -> Tree:
        """Run a verb as one of the people."""
        return act(self.desk, verb, arguments, person=self.people[who])

    def refused(self, who: str, verb: str, **arguments: Json) -> Fault:
        """Run a verb that must be refused, and give what the person is told."""
        try:
            self.do(who, verb, **arguments)
        except EXPECTED as fault:
            return describe(fault)
        raise AssertionError(f"{verb} was not refused")


def offices(pair: Pair) -> tuple[Office, Office]:
    """Give the people of both nodes."""
    return Office(pair, FIJI), Office(pair, QUMRAN)


async def settle(pair: Pair) -> None:
    """Bring what waits to both nodes, until nothing waits."""
    for _ in range(4):
        await pair[FIJI].send_to(QUMRAN)
        await pair[QUMRAN].send_to(FIJI)
