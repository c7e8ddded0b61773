"""The search finds the same on both databases, and nothing by a part of a name."""

from __future__ import annotations

import pytest

from node.audit.faults import NotHere
from node.audit.search import Found, Question, plan, results
from tests.support.pair import FIJI, QUMRAN, TONGA, Pair


def ask(pair: Pair, **asked: str | int | None) -> list[Found]:
    """Search Fiji's log."""
    question = Question(1, **asked)  # type: ignore[arg-type]  # a test says which
    return pair[FIJI].read(lambda conn: list(results(conn, plan(conn, question))))


async def test_what_names_a_message_is_found_by_case_peer_and_identity(pair: Pair) -> None:
    """Sent and delivered; the second record names neither the case nor the peer."""
    posted = await pair.request()
    await pair[FIJI].send_to(QUMRAN)
    kinds = ["message.sent", "message.delivered"]
    for asked in ({"case": posted.case}, {"message": posted.identity}):
        found = ask(pair, **asked)
        assert [one.kind for one in found] == kinds
        assert {one.case for one in found} == {posted.case}
    assert kinds == [one.kind for one in ask(pair, peer=QUMRAN) if one.kind != "listing.installed"]
    assert [one.kind for one in ask(pair, peer=TONGA)] == ["listing.installed"]


async def test_no_peer_is_found_by_a_part_of_its_name(pair: Pair) -> None:
    """`qm.jus` is no authority here, though records hold these letters."""
    await pair.request()
    assert ask(pair, peer=QUMRAN[:-3]) == []
    assert ask(pair, kind="message.sent", last_at=1) == []


@pytest.mark.parametrize("asked", [{"person": ""}, {"case": ""}, {"message": ""}, {"kind": "sent"}])
async def test_a_name_that_means_nobody_is_refused(light_pair: Pair, asked: dict[str, str]) -> None:
    """An empty one too: it would mean whoever is there alone."""
    await light_pair.request()
    with pytest.raises(NotHere):
        ask(light_pair, **asked)
