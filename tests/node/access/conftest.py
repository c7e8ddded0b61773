"""One open node, at whose desk people do what they may, or may not.

office.act("user.add", OWNER, login="ben", roles=["drafter"])
ben = office.person("ben")
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from node.access.people import Caller, person_of
from node.access.roles import Person, Role
from node.desk import Desk, act, who
from node.run import desk_of
from node.storage import people_rows
from protocol.encoding import Json
from tests.support.pair import FIJI, QUMRAN, Pair, Wired
from tests.support.people import ADMIN


@dataclass(frozen=True, slots=True)
class Office:
    """A node, and what is done at its desk."""

    pair: Pair
    side: str = FIJI

    @property
    def wired(self) -> Wired:
        """The node."""
        return self.pair[self.side]

    @property
    def desk(self) -> Desk:
        """Its desk."""
        return desk_of(self.wired.node)

    def act(self, verb: str, person: Person, **arguments: Json) -> dict[str, Any]:
        """Do something as a person."""
        return act(self.desk, verb, arguments, person=person)

    def add(self, login: str, *roles: Role, by: Person = ADMIN) -> Person:
        """Add a person at once, which there are too few people to confirm, or let it wait."""
        words: list[Json] = [*roles]
        self.act("user.add", by, login=login, roles=words)
        return self.person(login)

    def person(self, login: str) -> Person:
        """Give a person with the roles that they have now."""
        user = self.wired.read(lambda conn: people_rows.user_of_login(conn, login))
        assert user is not None
        return person_of(user)

    def of_key(self, key: str) -> Person:
        """Say who comes with a key."""
        return who(self.desk, Caller(key=key))

    def request(self) -> str:
        """Open a case with Qumran, that nobody is in charge of."""
        node = self.wired.node
        return self.desk.unit(
            lambda tx: node.register.send_request(
                tx, to=QUMRAN, request_kind="MLA_EVIDENCE", body={"text": "a-canary"}
            )
        ).case

    def records(self, kinds: Sequence[str]) -> list[str]:
        """Give which of these kinds were recorded, in their order."""
        return [one for one in self.wired.records() if one in kinds]


@pytest.fixture
def office(light_pair: Pair) -> Office:
    """Give the office of Fiji."""
    return Office(light_pair)
