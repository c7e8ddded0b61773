"""Access keys: shown once, good for what they say, never more than their owner."""

from __future__ import annotations

import pytest

from node.access.faults import NotAllowed, NotKnown
from node.access.people import Caller
from node.access.roles import Role
from node.audit.faults import NotHere
from node.desk import who
from node.storage.tables import metadata
from protocol.errors import Malformed
from tests.node.access.conftest import Office
from tests.support.people import ADMIN

DAY_S = 86_400


def test_a_key_is_shown_once_and_kept_as_its_digest(office: Office) -> None:
    """Whoever reads the whole database can let nobody in with it."""
    ben = office.add("ben", Role.DRAFTER)
    made = office.act("key.make", ben, name="desk")
    key = str(made["key"])
    assert key.startswith("comity_")
    assert len(key) == len("comity_") + 43
    assert office.of_key(key) == ben
    rows = str([office.wired.rows(table.name) for table in metadata.sorted_tables])
    assert key not in rows
    assert key.removeprefix("comity_") not in rows
    assert str(made["sha256"]) in rows
    assert key not in str(office.act("key.list", ben))


def test_a_key_is_good_until_its_time_is_over_or_it_is_ended(office: Office) -> None:
    """To the second; and a clock that was put back does not make it good early."""
    ben = office.add("ben", Role.DRAFTER)
    short, other = (
        str(office.act("key.make", ben, name=name, days=days)["key"])
        for name, days in (("short", 1), ("other", 365))
    )
    office.pair.clock.advance(DAY_S - 1)
    assert office.of_key(short) == ben
    office.pair.clock.advance(1)
    with pytest.raises(NotKnown):
        office.of_key(short)
    office.act("key.end", ben, name="other")
    with pytest.raises(NotKnown):
        office.of_key(other)
    with pytest.raises(NotHere):
        office.act("key.end", ben, name="other")
    assert [one["good"] for one in office.act("key.list", ben)["keys"]] == [False, False]
    assert office.act("key.make", ben, name="short")["good"] is True  # the name is free again


@pytest.mark.parametrize("days", [0, 366, -1])
def test_a_key_lives_a_year_at_most(office: Office, days: int) -> None:
    """A key that nobody remembers ends by itself."""
    ben = office.add("ben", Role.DRAFTER)
    with pytest.raises(Malformed):
        office.act("key.make", ben, name="desk", days=days)


def test_a_key_narrows_what_its_owner_may_and_never_widens_it(office: Office) -> None:
    """Nor does a key that is made with a narrow one."""
    ben = office.add("ben", Role.DRAFTER, Role.INTAKE)

    def made(name: str, *scopes: str) -> str:
        return str(office.act("key.make", ben, name=name, scopes=[*scopes])["key"])

    narrow = office.of_key(made("narrow", "drafter"))
    assert narrow.roles == {Role.DRAFTER}
    for scopes in (["approver"], ["intake-officer", "approver"]):
        with pytest.raises(NotAllowed):
            office.act("key.make", ben, name="wide", scopes=[*scopes])
    with pytest.raises(NotAllowed):
        office.act("key.make", narrow, name="wide", scopes=["intake-officer"])
    child = office.of_key(str(office.act("key.make", narrow, name="child")["key"]))
    assert child.roles == {Role.DRAFTER}
    reads = office.of_key(made("reads", "read"))
    assert (reads.roles, reads.reads_only) == (ben.roles, True)
    for verb in ("key.make", "user.mail", "key.end"):
        with pytest.raises(NotAllowed):
            office.act(verb, reads, name="x")
    with pytest.raises(Malformed):
        made("odd", "captain")


def test_a_role_that_is_taken_back_is_gone_from_keys_too(office: Office) -> None:
    """A scope is no role: what the person has lost the key has lost."""
    ben = office.add("ben", Role.DRAFTER, Role.INTAKE)
    key = str(office.act("key.make", ben, name="k", scopes=["drafter"])["key"])
    office.act("user.change", ADMIN, login="ben", roles=["intake-officer"])
    assert office.of_key(key).roles == frozenset()
    with pytest.raises(NotAllowed):
        office.act("case.list", office.of_key(key))


def test_an_administrator_never_holds_a_key_that_opens_a_case(office: Office) -> None:
    """What they hand out makes one key, once, and does nothing else; using it is recorded."""
    office.add("ben", Role.CASE_OFFICER, Role.OFFICER)
    case = office.request()
    given = str(office.act("key.make", ADMIN, login="ben")["key"])
    first = office.of_key(given)
    for verb, arguments in (("case.list", {}), ("case.show", {"case": case}), ("outbox", {})):
        with pytest.raises(NotAllowed):
            office.act(verb, first, **arguments)
    assert office.act("user.me", first)["enrols"] is True
    own = str(office.act("key.make", first, name="own")["key"])
    assert office.of_key(own) == office.person("ben")
    with pytest.raises(NotKnown):
        office.of_key(given)
    kinds = ("access-key.made", "access-key.ended")
    assert office.records(kinds) == ["access-key.made", "access-key.ended", "access-key.made"]


def test_of_two_first_keys_only_the_last_is_good(office: Office) -> None:
    """One may be in wrong hands."""
    office.add("ben", Role.DRAFTER)
    one, two = (str(office.act("key.make", ADMIN, login="ben")["key"]) for _ in range(2))
    with pytest.raises(NotKnown):
        office.of_key(one)
    assert office.of_key(two).enrols_with is not None


def test_whoever_is_nobodys_person_has_no_key(office: Office) -> None:
    """The administrator that a node has built in is a Unix user and needs none."""
    with pytest.raises(NotAllowed):
        office.act("key.make", ADMIN, name="mine")


@pytest.mark.parametrize("key", ["", " ", "comity_", "x" * 5_000, "\udcff", "comity_" + "A" * 43])
def test_what_is_no_key_opens_nothing(office: Office, key: str) -> None:
    """Whatever is sent; and root with a wrong key is not root."""
    with pytest.raises(NotKnown):
        who(office.desk, Caller(uid=0, key=key))
