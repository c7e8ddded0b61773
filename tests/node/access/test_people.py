"""People: who they are to the node, which roles go together, and what takes a second one."""

from __future__ import annotations

import os
from functools import partial

import pytest

from node.access.faults import NotAllowed, NotKnown, SecondPersonNeeded
from node.access.people import Caller
from node.access.roles import AUDITING, CASEWORK, RUNNING, Person, Role
from node.audit.faults import NotHere
from node.desk import who
from node.storage import people_rows
from node.storage.writer import Tx
from protocol.errors import Malformed
from tests.node.access.conftest import Office
from tests.support.people import ADMIN

HEAD, APPROVER, ADMINISTRATOR = Role.OFFICER, Role.APPROVER, Role.ADMINISTRATOR
OTHER, OVERFLOW = 54_321, 65_534
CHANGES = ("user.asked", "user.changed")


# --- who asks ----------------------------------------------------------------


def test_the_nodes_own_user_and_root_administer_it_until_somebody_is_mapped(
    office: Office,
) -> None:
    """A fresh node can be given its first people; nobody else of the machine is heard."""
    for uid in (0, os.geteuid()):
        person = who(office.desk, Caller(uid=uid))
        assert (person.name, person.roles, person.id) == (f"uid {uid}", RUNNING, None)
    for stranger in (OTHER, OVERFLOW, -1, None):
        with pytest.raises(NotKnown):
            who(office.desk, Caller(uid=stranger))


def test_a_unix_user_that_is_mapped_is_that_person_and_nothing_more(office: Office) -> None:
    """Also the node's own: then it is no administrator any more."""
    uid = os.geteuid()
    office.act("user.add", ADMIN, login="ben", roles=["drafter"], uid=uid)
    assert who(office.desk, Caller(uid=uid)).roles == {Role.DRAFTER}
    with pytest.raises(Malformed):  # nobody else can be the same user
        office.act("user.add", ADMIN, login="eve", roles=["drafter"], uid=uid)


def test_a_user_that_stands_for_many_is_nobody(office: Office) -> None:
    """A kernel that may not say who it is says 65534; whoever that is, it is not one person."""
    for uid in (OVERFLOW, 65_535):
        with pytest.raises(Malformed):
            office.act("user.add", ADMIN, login="ben", roles=["drafter"], uid=uid)


def test_who_has_ended_is_nobody(office: Office) -> None:
    """By their user and by their keys; the user of the machine may be somebody else's then."""
    office.act("user.add", ADMIN, login="ben", roles=["drafter"], uid=OTHER)
    ben = office.person("ben")
    key = str(office.act("key.make", ben, name="desk")["key"])
    assert office.of_key(key) == ben
    office.act("user.end", ADMIN, login="ben")
    for caller in (Caller(uid=OTHER), Caller(key=key), Caller(uid=0, key=key)):
        with pytest.raises(NotKnown):
            who(office.desk, caller)
    office.act("user.add", ADMIN, login="eve", roles=["drafter"], uid=OTHER)
    assert who(office.desk, Caller(uid=OTHER)).name == "eve"


def test_who_comes_back_is_the_same_person_in_records(office: Office) -> None:
    """A login means one person, so that what they did before stays theirs."""
    before = office.add("ben", Role.DRAFTER).id
    office.act("user.end", ADMIN, login="ben")
    with pytest.raises(NotHere):
        office.act("user.change", ADMIN, login="ben", roles=["intake-officer"])
    assert office.add("ben", Role.INTAKE).id == before


# --- roles -------------------------------------------------------------------


@pytest.mark.parametrize(
    "roles",
    [
        *([one, "node-administrator"] for one in sorted(CASEWORK)),
        *([one, "auditor"] for one in sorted(CASEWORK)),
        ["auditor", "node-administrator"],
        [],
        ["captain"],
        ["Drafter"],
        ["drafter drafter"],
    ],
    ids=lambda roles: "+".join(roles) or "none",
)
def test_roles_that_one_person_must_not_have_together_are_refused(
    office: Office, roles: list[str]
) -> None:
    """Who runs the node reads no case, and who audits neither works nor runs it."""
    if roles == ["drafter drafter"]:
        assert office.act("user.add", ADMIN, login="x", roles=[*roles])["roles"] == ["drafter"]
        return
    with pytest.raises(Malformed):
        office.act("user.add", ADMIN, login="ben", roles=[*roles])
    office.add("ben", Role.EXECUTING_OFFICER)
    if roles:
        with pytest.raises(Malformed):
            office.act("user.change", ADMIN, login="ben", roles=[*roles])


def test_one_person_may_do_all_work_on_cases(office: Office) -> None:
    """A small authority has few people; four eyes count persons, not roles."""
    assert office.add("ben", *CASEWORK).roles == CASEWORK
    assert office.add("eve", *AUDITING).roles == AUDITING


@pytest.mark.parametrize(
    "login", ["", "Ben", "uid 0", "0ben", "b" * 33, "ben\n", "bén", "ben/x", "-ben"]
)
def test_a_login_is_a_plain_word(office: Office, login: str) -> None:
    """It stands in lists, in records of persons and on the command line."""
    with pytest.raises(Malformed):
        office.act("user.add", ADMIN, login=login, roles=["drafter"])


# --- the second person ---------------------------------------------------------


def waiting(office: Office) -> str:
    """Give the code of the one thing that waits."""
    (one,) = office.act("user.waiting", ADMIN)["waiting"]
    return str(one["code"])


def test_alone_everything_takes_effect_at_once(office: Office) -> None:
    """With nobody who could confirm, or one, nobody else could be asked."""
    office.add("ada", HEAD)
    assert office.person("ada").roles == {HEAD}
    office.add("bob", APPROVER)
    assert office.act("user.waiting", ADMIN)["waiting"] == []
    assert office.records(CHANGES) == ["user.changed", "user.changed"]


@pytest.mark.parametrize(
    ("verb", "arguments", "before", "after"),
    [
        ("user.add", {"login": "eve", "roles": ["approver"]}, "asked", "active"),
        ("user.change", {"login": "bob", "roles": ["drafter"]}, "approver", "drafter"),
        ("user.change", {"login": "bob", "uid": 7}, "None", "7"),
        ("user.end", {"login": "bob"}, "active", "ended"),
    ],
)
def test_a_change_waits_until_another_person_confirms_it(
    office: Office, verb: str, arguments: dict[str, object], before: str, after: str
) -> None:
    """Not who asked, not whom it is about, and nobody who could not."""
    ada, bob = office.add("ada", HEAD), office.add("bob", APPROVER)
    office.act(verb, ada, **arguments)  # type: ignore[arg-type]  # JSON, as written above
    third = office.add("tom", ADMINISTRATOR, by=ADMIN)  # waits, too
    assert third.roles == frozenset()

    def shown() -> str:
        rows = office.act("user.list", ADMIN)["users"]
        (one,) = [row for row in rows if row["login"] == arguments["login"]]
        return f"{one['state']} {one['roles']} {one['uid']}"

    assert before in shown()
    matters = office.act("user.waiting", ada)["waiting"]
    code, other = (
        next(str(one["code"]) for one in matters if (one["user"]["login"] == "tom") is tom)
        for tom in (False, True)
    )
    refused = [ada] if arguments["login"] == "eve" else [ada, bob]
    for person in refused:
        with pytest.raises(NotAllowed):
            office.act("user.confirm", person, code=code)
    assert before in shown()
    office.act("user.confirm", bob, code=other)
    second = bob if arguments["login"] == "eve" else office.person("tom")
    office.act("user.confirm", second, code=code)
    assert after in shown()
    assert office.records(CHANGES)[2:] == [
        "user.asked", "user.asked", "user.changed", "user.changed",
    ]  # fmt: skip


def test_who_asked_cannot_exchange_what_another_is_about_to_confirm(office: Office) -> None:
    """The code covers all of it: what was asked for again is another matter."""
    ada, bob = office.add("ada", HEAD), office.add("bob", APPROVER)
    office.act("user.add", ada, login="eve", roles=["drafter"])
    code = waiting(office)
    office.act("user.add", ada, login="eve", roles=["approver"])
    with pytest.raises(NotHere):
        office.act("user.confirm", bob, code=code)
    assert office.person("eve").roles == frozenset()


def test_where_nobody_else_is_left_the_nodes_own_user_confirms(office: Office) -> None:
    """Of two, one has left for good: it is no dead end; while another is there, it is refused."""
    ada, bob = office.add("ada", HEAD), office.add("bob", APPROVER)
    office.act("user.add", ada, login="eve", roles=["approver"])
    with pytest.raises(NotAllowed):
        office.act("user.confirm", ADMIN, code=waiting(office))
    office.act("user.confirm", bob, code=waiting(office))
    office.act("user.end", ada, login="bob")
    office.act("user.confirm", office.person("eve"), code=waiting(office))
    office.act("user.end", ada, login="eve")
    office.act("user.confirm", ADMIN, code=waiting(office))
    assert [one["state"] for one in office.act("user.list", ada)["users"]] == [
        "active", "ended", "ended",
    ]  # fmt: skip


def test_the_nodes_own_user_never_confirms_what_it_asked_for(office: Office) -> None:
    """One person with root is one person."""
    office.add("ada", HEAD)
    office.add("bob", APPROVER)
    office.act("user.end", ADMIN, login="bob")
    with pytest.raises(NotAllowed):
        office.act("user.confirm", ADMIN, code=waiting(office))


def test_what_was_asked_for_can_be_taken_back(office: Office) -> None:
    """By asking for what is so already, or by ending who never was."""
    ada, _ = office.add("ada", HEAD), office.add("bob", APPROVER)
    office.act("user.change", ada, login="bob", roles=["drafter"])
    office.act("user.change", ada, login="bob", roles=["approver"])
    office.act("user.add", ada, login="eve", roles=["drafter"])
    office.act("user.end", ada, login="eve")
    assert office.act("user.waiting", ada)["waiting"] == []
    assert office.person("bob").roles == {APPROVER}


def test_a_row_that_was_altered_gives_nothing_to_confirm(office: Office) -> None:
    """And does not stop the list."""
    ada, _ = office.add("ada", HEAD), office.add("bob", APPROVER)
    office.act("user.add", ada, login="eve", roles=["drafter"])
    eve = str(office.person("eve").id)
    for wanted in ("", "{", "[]", '{"roles":"captain","uid":null,"state":"active"}'):
        office.desk.unit(partial(altered, eve, wanted))
        assert office.act("user.waiting", ada)["waiting"] == []


def altered(person: str, wanted: str, tx: Tx) -> None:
    """Write over what a person shall become."""
    people_rows.change_user(tx.conn, person, wanted=wanted)


# --- key matters -----------------------------------------------------------------


def test_keys_of_the_node_are_changed_by_two_people(office: Office) -> None:
    """The first asks, the second confirms that code, the first does it, and that was it."""
    ada, eve = office.add("ada", ADMINISTRATOR), office.add("eve", ADMINISTRATOR)
    refusal = refused_matter(office, ada)
    with pytest.raises(NotAllowed):
        office.act("user.confirm", ada, code=refusal)
    assert refused_matter(office, ada) == refusal
    assert refused_matter(office, eve) != refusal
    office.act("user.confirm", eve, code=refusal)
    assert office.act("keys.publish", ada)["schema"] == "comity.published/1"
    office.pair.clock.advance(1)
    assert refused_matter(office, ada) != refusal
    assert office.records(("matter.asked", "matter.confirmed")) == [
        "matter.asked", "matter.asked", "matter.confirmed", "matter.asked",
    ]  # fmt: skip


def refused_matter(office: Office, person: Person) -> str:
    """Ask for a listing to be published, and give the code of what waits."""
    with pytest.raises(SecondPersonNeeded) as refused:
        office.act("keys.publish", person)
    return refused.value.matter


def test_alone_the_keys_of_the_node_are_changed_at_once(office: Office) -> None:
    """As everything."""
    assert office.act("keys.publish", ADMIN)["schema"] == "comity.published/1"


# --- substitutes, mail ---------------------------------------------------------


@pytest.mark.parametrize(
    ("substitute", "start", "until"),
    [
        ("ben", 10, 20), ("ada", 10, 20), ("eve", 20, 20), ("eve", 20, 10),
        ("eve", 0, 400 * 86_400), ("aud", 10, 20), ("nobody", 10, 20),
    ],
)  # fmt: skip
def test_an_absence_has_an_end_and_somebody_else_who_works_on_cases(
    office: Office, substitute: str, start: int, until: int
) -> None:
    """Neither oneself, nor one who names oneself for another, nor an auditor."""
    ben, ada = office.add("ben", Role.CASE_OFFICER), office.add("ada", HEAD)
    office.add("eve", Role.CASE_OFFICER)
    office.add("aud", Role.AUDITOR)
    asking = ada if substitute == "ada" else ben
    with pytest.raises((Malformed, NotAllowed, NotHere)):
        office.act(
            "user.away", asking, login="ben", substitute=substitute, start=start, until=until
        )
    done = office.act("user.away", ben, substitute="eve", start=10, until=20)
    assert (done["substitute"], done["away_from"], done["away_until"]) == ("eve", 10, 20)
    assert office.act("user.away", ben)["substitute"] is None


def test_only_the_head_changes_things_for_another(office: Office) -> None:
    """Mail and absence are a person's own."""
    ben, _ = office.add("ben", Role.CASE_OFFICER), office.add("eve", Role.CASE_OFFICER)
    for verb in ("user.mail", "user.away", "key.list"):
        with pytest.raises(NotAllowed):
            office.act(verb, ben, login="eve")
    office.act("user.mail", ADMIN, login="eve", address="eve@example.org", mailing="daily")
    rows = office.act("user.list", ben)["users"]
    assert [(one["address"], one["mailing"]) for one in rows] == [
        (None, "now"), ("eve@example.org", "daily"),
    ]  # fmt: skip


@pytest.mark.parametrize("address", ["x", "a@b\nBcc: c@d", "a b@c", "é@x", "@", "a@" + "b" * 300])
def test_an_address_is_one_and_no_header(office: Office, address: str) -> None:
    """What is not in its form never reaches a mail."""
    with pytest.raises(Malformed):
        office.act("user.add", ADMIN, login="x", roles=["drafter"], address=address)
