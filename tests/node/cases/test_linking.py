"""Links that messages make: by both sides alike, and only between cases of the same two."""

from __future__ import annotations

import pytest

from node.cases.happened import Happened
from node.cases.linking import Linking
from protocol.encoding import Json
from tests.support.pair import FIJI, QUMRAN, TONGA, Pair


async def sent(pair: Pair, kind: str, body: dict[str, Json], *, to: str = QUMRAN) -> str:
    """Send a request of a kind, and bring it to its recipient."""
    register = pair[FIJI].node.register
    posted = await pair[FIJI].write(
        lambda tx: register.send_request(tx, to=to, request_kind=kind, body=body)
    )
    await pair[FIJI].send_to(to)
    return posted.case


def links(pair: Pair, name: str) -> list[tuple[object, object, object]]:
    """Give the links that a node holds."""
    return [
        (one["case_id"], one["relation"], one["other"]) for one in pair[name].rows("case_links")
    ]


@pytest.mark.parametrize(
    ("first", "second", "relation", "from_first"),
    [
        ("PRESERVATION", "MLA_EVIDENCE", "preserves-for", True),
        ("SPONTANEOUS", "MLA_EVIDENCE", "led-to", True),
        ("INFORMAL_INQUIRY", "MLA_BANK_RECORDS", "led-to", True),
        ("EXTRADITION", "TRANSFER_PROCEEDINGS", "transfers", False),
        ("MLA_EVIDENCE", "CONFISCATION", "related", False),
    ],
)
async def test_a_request_is_linked_with_the_one_that_it_names(
    light_pair: Pair, first: str, second: str, relation: str, *, from_first: bool
) -> None:
    """On both sides, by what the two are to each other."""
    old = await sent(light_pair, first, {})
    new = await sent(light_pair, second, {"related_requests": [{"case": old}]})
    wanted = (old, relation, new) if from_first else (new, relation, old)
    assert links(light_pair, FIJI) == links(light_pair, QUMRAN) == [wanted]


async def test_a_request_that_replaces_another_says_so(light_pair: Pair) -> None:
    """By the id of the one before."""
    old = await sent(light_pair, "MLA_EVIDENCE", {})
    new = await sent(light_pair, "MLA_EVIDENCE", {"supersedes": old})
    assert links(light_pair, QUMRAN) == [(new, "supersedes", old)]


async def test_no_peer_links_to_a_case_that_it_has_no_part_in(light_pair: Pair) -> None:
    """Though it may know its id."""
    other = await sent(light_pair, "MLA_EVIDENCE", {}, to=TONGA)
    await sent(light_pair, "MLA_EVIDENCE", {"supersedes": other, "related_requests": [
        {"case": other}, {"case": 7}, "x", {"case": "no/case"},
    ]})  # fmt: skip
    assert links(light_pair, FIJI) == links(light_pair, QUMRAN) == []


@pytest.mark.parametrize("odd", [None, 7, "x", [], [[]], {"case": 1}, [{"case": {}}], [None] * 99])
async def test_whatever_a_body_holds_links_nothing_and_raises_nothing(
    light_pair: Pair, odd: Json
) -> None:
    """A peer may have signed anything."""
    case = await sent(light_pair, "MLA_EVIDENCE", {"supersedes": odd, "related_requests": odd})
    assert links(light_pair, QUMRAN) == []
    stored = light_pair[QUMRAN].read(lambda conn: light_pair[QUMRAN].node.register.find(conn, case))
    one = Happened(
        case=stored, event="convert_measure", side="requested", body={"request": odd}, at=0,
        identity=None, ours=True, confirmed=True, before=None, after=None,
    )  # fmt: skip
    linking = Linking(light_pair[QUMRAN].node.office.network)
    await light_pair[QUMRAN].write(lambda tx: linking(tx, one))
    assert links(light_pair, QUMRAN) == []
