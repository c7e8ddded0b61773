"""The desk: reading verbs never write, writing ones write whole units, others do not exist."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

import pytest

from node.access.faults import NotAllowed
from node.cases.register import CaseNotFound
from node.desk import VERBS, Desk, Live, act, no_writing
from node.evidence.manifest import Item, Manifest
from node.faults import EXPECTED
from node.outbox import Posted
from node.run import desk_of
from protocol.encoding import Json, canonical, decode, from_base64, to_base64
from protocol.errors import Malformed, Misuse, Rejected
from protocol.receipt_file import verify_receipt_file
from tests.support.forge import flipped
from tests.support.keyfiles import PASSPHRASE
from tests.support.pair import FIJI, QUMRAN, TONGA, Pair
from tests.support.people import ADMIN, ANNA, person_for, settle_in

Tree: TypeAlias = dict[str, Any]

MANIFEST = Manifest((Item("a/b.txt", "text/plain", 3, "ab" * 32),))
READING = sorted(name for name, verb in VERBS.items() if not verb.needs_writer)
RECORDED = sorted(name for name, verb in VERBS.items() if verb.opens and not verb.writes)
WRITING = sorted(name for name, verb in VERBS.items() if verb.writes)

NEEDED: dict[str, dict[str, Json]] = {
    "case.search": {"words": "evidence"},
    "law.kind": {"kind": "MLA_EVIDENCE"},
    "draft.check": {"draft": "ab"},
    "draft.print": {"draft": "ab"},
    "draft.show": {"draft": "ab"},
    "law.basis": {"basis": "UNCAC"},
}
"""What verbs take beside a case."""

OF_USERS = frozenset({"key.list"})
"""Verbs that are only for a person whom the node knows."""


def desk(pair: Pair, name: str = FIJI) -> Desk:
    """Give the desk of a node."""
    return desk_of(pair[name].node)


def done(pair: Pair, authority: str, verb: str, **arguments: Json) -> Tree:
    """Run a verb, and give its result as JSON that can be looked into."""
    return act(desk(pair, authority), verb, arguments, person=person_for(verb))


def request(pair: Pair, to: str = QUMRAN) -> Posted:
    """Let Fiji ask, as a request that was approved leaves: past the desk."""
    register = pair[FIJI].node.register
    return desk(pair).unit(
        lambda tx: register.send_request(
            tx, to=to, request_kind="MLA_EVIDENCE", body={}, manifest=MANIFEST
        )
    )


async def a_case(pair: Pair) -> str:
    """Let Fiji ask Qumran with evidence, and Qumran receipt it."""
    sent = request(pair)
    await pair[FIJI].send_to(QUMRAN)
    return sent.case


def arguments_of(name: str, case: str) -> dict[str, Json]:
    """Give arguments with which a verb can be run; those of the case where it takes one."""
    needed: dict[str, Json] = {"case": case} if "case" in VERBS[name].takes.model_fields else {}
    return needed | NEEDED.get(name, {})


@pytest.mark.parametrize("name", READING)
async def test_a_reading_verb_works_at_a_desk_that_cannot_write(
    light_pair: Pair, name: str
) -> None:
    """And changes no row."""
    case = await a_case(light_pair)
    live = Live(lambda: None, tuple, lambda: None)  # serves, and has no peer to look at
    reading = replace(desk(light_pair), write=no_writing, live=live)
    before = light_pair[FIJI].counts()
    if name in OF_USERS:
        settle_in(light_pair[FIJI].node.settings, light_pair[FIJI].node)
        before = light_pair[FIJI].counts()
    result = act(reading, name, arguments_of(name, case), person=person_for(name))
    assert str(result["schema"]).startswith("comity.")
    assert decode(canonical(result), bytes_max=10_000_000) == result
    assert light_pair[FIJI].counts() == before


async def test_nothing_of_a_case_is_given_where_the_read_cannot_be_recorded(
    light_pair: Pair,
) -> None:
    """The record comes first: a desk that cannot write gives nothing."""
    case = await a_case(light_pair)
    reading = replace(desk(light_pair), write=no_writing)
    for name in RECORDED:
        with pytest.raises((Misuse, NotAllowed, CaseNotFound)):
            act(reading, name, arguments_of(name, case), person=person_for(name))


async def test_a_writing_verb_fails_at_a_desk_that_cannot_write(light_pair: Pair) -> None:
    """Whatever it is given: what it writes goes through the desk and nowhere else."""
    case = await a_case(light_pair)
    document = light_pair.trust.next_document(created=light_pair.clock.now())
    whole: dict[str, dict[str, Json]] = {
        "network.install": {"documents": [to_base64(document)], "listings": [], "revocations": []},
        "keys.rotate": {"purpose": "seal", "passphrase": to_base64(PASSPHRASE)},
        "case.erase": {"case": case, "reason": "ordered"},
        "audit.erase": {"log": None, "entries": "1", "reason": "ordered"},
        "audit.timestamp": {"log": 1, "checkpoint": "", "token": ""},
        "audit.token.make": {"name": "auditor", "days": 1},
        "audit.token.end": {"name": "auditor"},
        "case.note": {"case": case, "body": {"text": "seen"}},
        "user.add": {"login": "ben", "roles": ["drafter"]},
    }
    before = light_pair[FIJI].counts()
    reading = replace(desk(light_pair), write=no_writing)
    for name in WRITING:
        given = whole.get(name, arguments_of(name, case))
        with pytest.raises(Misuse if name in whole else (Misuse, *EXPECTED)):
            act(reading, name, given, person=person_for(name))
        assert light_pair[FIJI].counts() == before, name


@pytest.mark.parametrize("name", ["", "case", "case.lis", "__class__", "case.list\n", "CASE.LIST"])
async def test_a_name_that_is_no_verb_is_refused(light_pair: Pair, name: str) -> None:
    """There is no other way in."""
    with pytest.raises(Malformed):
        act(desk(light_pair), name, {}, person=ANNA)


async def test_an_argument_that_a_verb_does_not_take_is_refused(light_pair: Pair) -> None:
    """A misspelt argument must not be left out silently; its name is not repeated."""
    for name in VERBS:
        with pytest.raises(Malformed) as refused:
            act(desk(light_pair), name, {"a-canary": 1}, person=person_for(name))
        assert "canary" not in str(refused.value)


async def test_a_case_is_shown_alike_at_both_ends(pair: Pair) -> None:
    """From the signed bytes: who, what, which evidence, and that it is receipted."""
    case = await a_case(pair)
    for name in (FIJI, QUMRAN):
        (message,) = done(pair, name, "case.show", case=case)["messages"]
        assert message["from"] == FIJI
        assert message["evidence"] == {"items": 1, "sha256": MANIFEST.digest}
        assert message["receipted"] is True
    (manifests,) = done(pair, QUMRAN, "case.manifests", case=case)["manifests"]
    assert from_base64(manifests["manifest"]) == MANIFEST.encode()


async def test_a_receipt_leaves_as_a_file_that_proves_itself(pair: Pair) -> None:
    """At both ends it is the same receipt; one changed byte of it is found."""
    case = await a_case(pair)
    files = []
    for name in (FIJI, QUMRAN):
        (receipt,) = done(pair, name, "case.receipts", case=case)["receipts"]
        files.append(from_base64(receipt["file"]))
    verified = [verify_receipt_file(raw) for raw in files]
    assert verified[0].receipt == verified[1].receipt
    assert {one.issuer for one in verified} == {QUMRAN}
    for place in range(50, len(files[0]), len(files[0]) // 40):
        with pytest.raises(Rejected):
            verify_receipt_file(flipped(files[0], place))


async def test_what_waits_is_listed_with_its_reason(light_pair: Pair) -> None:
    """And what a person should look at stands beside it."""
    request(light_pair, TONGA)
    light_pair.link(FIJI, TONGA).next("corrupt the envelopes")
    await light_pair[FIJI].send_to(TONGA)
    outbox = done(light_pair, FIJI, "outbox")
    (waiting,) = outbox["waiting"]
    assert (waiting["to"], waiting["why"], waiting["attempts"]) == (TONGA, "unanswered", 1)
    assert waiting["next_try"] > light_pair.clock.now()
    assert outbox["alarms"] == []


async def test_of_several_statements_given_at_once_the_bad_one_is_refused_and_the_rest_stays(
    light_pair: Pair,
) -> None:
    """Each is a unit of its own; what was installed before the bad one holds."""
    document = light_pair.trust.next_document(created=light_pair.clock.now())
    given = [to_base64(document), to_base64(b"{}")]
    with pytest.raises(Malformed):
        act(
            desk(light_pair), "network.install",
            {"documents": given, "listings": [], "revocations": []}, person=ADMIN,
        )  # fmt: skip
    assert done(light_pair, FIJI, "network.show")["version"] == 2
    light_pair[FIJI].assert_sound()
