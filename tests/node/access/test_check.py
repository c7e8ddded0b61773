"""Need to know: who reads a case, who sees that it is there, and that each read is recorded."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from node.access.faults import NotAllowed, SecondPersonNeeded
from node.access.roles import CASEWORK, Person, Role
from node.cases.register import CaseNotFound
from node.storage import member_rows, standing_rows
from node.storage.member_rows import Member
from protocol.encoding import Json
from protocol.errors import Malformed
from tests.node.access.conftest import Office
from tests.support.pair import FIJI, QUMRAN
from tests.support.people import ADMIN

READS = "case.show"
DAY_S = 86_400


def in_charge(office: Office, case: str, person: Person | None) -> None:
    """Put somebody in charge of a case, or nobody."""
    officer = None if person is None else person.id
    office.desk.unit(lambda tx: standing_rows.change_standing(tx.conn, case, officer=officer))


def reads(office: Office, person: Person, case: str) -> str:
    """Say what becomes of reading a case: read, refused, or not known of."""
    try:
        office.act(READS, person, case=case)
    except CaseNotFound:
        return "not there"
    except NotAllowed:
        return "refused"
    return "read"


def lists(office: Office, person: Person, case: str) -> bool:
    """Say whether a list shows the case."""
    return case in str(office.act("case.list", person)["cases"])


@pytest.fixture
def case(office: Office) -> str:
    """Give a case of ours that somebody else is in charge of."""
    made = office.request()
    in_charge(office, made, office.add("boss", Role.CASE_OFFICER))
    return made


@pytest.mark.parametrize("role", sorted(CASEWORK))
def test_no_role_opens_a_case_by_itself(office: Office, case: str, role: Role) -> None:
    """The central authority sees in lists that it is there; to others it is not."""
    ben = office.add("ben", role)
    head = role is Role.OFFICER
    assert reads(office, ben, case) == ("refused" if head else "not there")
    assert lists(office, ben, case) is head


def test_a_case_that_one_may_not_know_of_is_answered_like_one_that_is_not_there(
    office: Office, case: str
) -> None:
    """In the same words; also by how its id begins, and by its reference."""
    ben = office.add("ben", Role.CASE_OFFICER)
    office.desk.unit(lambda tx: standing_rows.change_standing(tx.conn, case, own_ref="R-7/26"))
    said = set()
    for name in (case, case.partition("/")[2][:8], "R-7/26", "no such case", "fj.justice/00"):
        with pytest.raises(CaseNotFound) as refused:
            office.act(READS, ben, case=name)
        said.add(str(refused.value))
    assert len(said) == 1
    assert office.act(READS, office.person("boss"), case="r-7/26")["case"]["id"] == case


def test_a_name_that_means_one_case_to_a_person_means_that_one(office: Office, case: str) -> None:
    """What others have, and begins alike, is not in the way and not shown."""
    boss = office.person("boss")
    other = office.request()
    in_charge(office, other, office.add("ben", Role.CASE_OFFICER))
    assert office.act(READS, boss, case=FIJI)["case"]["id"] == case
    in_charge(office, other, boss)
    with pytest.raises(CaseNotFound, match="several"):
        office.act(READS, boss, case=FIJI)


def test_who_was_let_in_reads_until_they_are_let_out(office: Office, case: str) -> None:
    """Also an auditor; each is in the log."""
    boss = office.person("boss")
    for login, role in (("ben", Role.DRAFTER), ("aud", Role.AUDITOR)):
        person = office.add(login, role)
        assert reads(office, person, case) == ("refused" if login == "aud" else "not there")
        office.act("case.let_in", boss, case=case, login=login)
        assert (reads(office, person, case), lists(office, person, case)) == ("read", True)
        office.act("case.let_out", boss, case=case, login=login)
        assert reads(office, person, case) == ("refused" if login == "aud" else "not there")
    assert office.records(("case.let-in", "case.let-out")) == ["case.let-in", "case.let-out"] * 2


def test_only_who_is_in_charge_lets_people_in(office: Office, case: str) -> None:
    """Not a reader, who could pass it on; and never the administrator."""
    boss, ben = office.person("boss"), office.add("ben", Role.CASE_OFFICER)
    office.add("adm", Role.ADMINISTRATOR)
    office.act("case.let_in", boss, case=case, login="ben")
    for login in ("ben", "boss"):
        with pytest.raises(NotAllowed):
            office.act("case.let_in", ben, case=case, login=login)
    with pytest.raises(Malformed, match="reads no case"):
        office.act("case.let_in", boss, case=case, login="adm")


def test_a_forged_row_does_not_let_the_administrator_in(office: Office, case: str) -> None:
    """Whoever can write the database can give a row, and still no verb gives content."""
    adm = office.add("adm", Role.ADMINISTRATOR)
    member = Member(case, str(adm.id), "protected", None, 0)
    office.desk.unit(lambda tx: member_rows.put_member(tx.conn, member))
    in_charge(office, case, adm)
    for person in (adm, ADMIN):
        assert reads(office, person, case) == "refused"


def test_a_substitute_reads_while_the_officer_is_away_and_not_before_or_after(
    office: Office, case: str
) -> None:
    """To the second."""
    boss, ben = office.person("boss"), office.add("ben", Role.CASE_OFFICER)
    now = office.pair.clock.now()
    start, until = now + DAY_S, now + 2 * DAY_S
    office.act("user.away", boss, substitute="ben", start=start, until=until)
    seen = []
    for at in (start - 1, start, until - 1, until):
        office.pair.clock.advance(at - office.pair.clock.now())
        seen.append((reads(office, ben, case), lists(office, ben, case)))
    assert seen == [("not there", False), ("read", True), ("read", True), ("not there", False)]
    assert reads(office, boss, case) == "read"


@pytest.mark.parametrize("role", sorted(CASEWORK))
async def test_what_came_in_and_has_nobody_is_read_by_those_who_take_it_in(
    office: Office, role: Role
) -> None:
    """Until somebody is in charge."""
    case = office.request()
    await office.wired.send_to(QUMRAN)
    theirs = replace(office, side=QUMRAN)
    ben, boss = theirs.add("ben", role), theirs.add("boss", Role.CASE_OFFICER)
    takes_in = role in {Role.INTAKE, Role.DUTY_OFFICER, Role.DECISION_OFFICER}
    assert (reads(theirs, ben, case) == "read") is takes_in
    assert lists(theirs, ben, case) is (takes_in or role is Role.OFFICER)
    in_charge(theirs, case, boss)
    assert reads(theirs, ben, case) != "read"


def test_every_read_is_recorded_before_anything_is_given(office: Office, case: str) -> None:
    """Who, which case, by which verb; a refused one gives nothing and is none."""
    boss, ben = office.person("boss"), office.add("ben", Role.DRAFTER)
    for verb in (READS, "case.manifests", "case.receipts", "case.bundle"):
        office.act(verb, boss, case=case)
    reads(office, ben, case)
    rows = sorted(office.wired.rows("log_entries"), key=lambda row: int(str(row["position"])))
    kept = [row["record"] for row in rows if row["kind"] == "case.read"]
    found = [json.loads(raw) for raw in kept if isinstance(raw, bytes)]
    assert [one["verb"] for one in found] == [
        READS, "case.manifests", "case.receipts", "case.bundle",
    ]  # fmt: skip
    assert {one["by"] for one in found} == {boss.id}
    (log_id,) = {row["log_id"] for row in office.wired.rows("cases")}
    assert {one["case"] for one in found} == {log_id}


def test_an_auditor_has_the_proofs_of_every_case_and_the_content_of_none(
    office: Office, case: str
) -> None:
    """Unless who is in charge lets them in."""
    aud = office.add("aud", Role.AUDITOR)
    assert office.act("case.proofs", aud, case=case)["proofs_only"] is True
    for verb in (READS, "case.manifests", "case.receipts", "case.bundle"):
        with pytest.raises(NotAllowed):
            office.act(verb, aud, case=case)


def test_only_those_let_in_as_far_as_that_learn_who_a_protected_person_is(
    office: Office, case: str
) -> None:
    """Not even who is in charge, unless they let themself in, which is recorded."""
    boss, ben = office.person("boss"), office.add("ben", Role.DRAFTER)
    node = office.wired.node
    identity: dict[str, Json] = {"pseudonym": "Heron", "identity": {"name": "a-hidden-canary"}}
    office.desk.unit(
        lambda tx: node.register.add_event(tx, case, kind="protected_identity", body=identity)
    )
    office.act("case.let_in", boss, case=case, login="ben")
    for person in (boss, ben):
        assert "hidden-canary" not in str(office.act(READS, person, case=case))
        for verb in ("case.identity", "case.bundle"):
            with pytest.raises(NotAllowed):
                office.act(verb, person, case=case)
    office.act("case.let_in", boss, case=case, login="ben", protected=True)
    assert "hidden-canary" in str(office.act("case.identity", ben, case=case))
    assert office.act("case.bundle", ben, case=case)["proofs_only"] is False
    assert "hidden-canary" not in str(office.act(READS, ben, case=case))


async def test_a_case_is_destroyed_by_two_people(office: Office, case: str) -> None:
    """The head who knows the case asks, another confirms."""
    await office.wired.send_to(QUMRAN)
    head, _ = office.add("ada", Role.OFFICER), office.add("bob", Role.APPROVER)
    with pytest.raises(NotAllowed):
        office.act("case.erase", head, case=case, reason="ordered")
    in_charge(office, case, head)
    with pytest.raises(SecondPersonNeeded):
        office.act("case.erase", head, case=case, reason="ordered")
    (matter,) = office.act("user.waiting", head)["waiting"]
    office.act("user.confirm", office.person("bob"), code=matter["code"])
    with pytest.raises(SecondPersonNeeded):  # what was agreed to is this and no other
        office.act("case.erase", head, case=case, reason="mistake")
    assert office.act("case.erase", head, case=case, reason="ordered")["case"] == case
