"""The work list, the calendar and clocks set by hand, at real nodes and as people ask."""

from __future__ import annotations

import json
from functools import partial
from typing import Final

import icalendar
import pytest

from node.storage import Connection, clock_rows, standing_rows
from node.storage.clock_rows import Clock
from protocol.encoding import Json
from tests.support.clock_stories import DAY
from tests.support.lifecycles import SIGNATORIES
from tests.support.office import Office, Tree, offices
from tests.support.pair import FIJI, QUMRAN, Pair

HOSTILE: Final = "=CMD|'\r\nSUMMARY:x\u202e;,\\" + "ж" * 300
CANARY: Final = "account 4711 of the minister"
BODY: Final[dict[str, Json]] = {
    "own_ref": HOSTILE, "legal_basis": [{"instrument": "UNCAC", "primary": True}],
    "urgency": "ROUTINE", "signatories": SIGNATORIES, "subject_matter": CANARY,
    "facts_summary": CANARY,
}  # fmt: skip
ACKNOWLEDGE: Final[dict[str, Json]] = {
    "own_ref": "QM/77", "contact": {"name": "Amal"}, "reply_language": "en",
}  # fmt: skip


async def case_at(pair: Pair, *moves: tuple[str, str, dict[str, Json]]) -> str:
    """Open a case and make moves in it, a day after each other, all delivered."""
    case = (await pair.request(BODY)).case
    await pair[FIJI].send_to(QUMRAN)
    for name, event, body in moves:
        pair.clock.advance(DAY)
        node = pair[name]
        register = node.node.register
        await node.write(partial(register.make_move, name=case, event=event, body=body))
        await node.send_to(FIJI if name == QUMRAN else QUMRAN)
    return case


def clocks(pair: Pair, name: str, case: str) -> list[Clock]:
    """Give all clocks of a case at a node."""
    return pair[name].read(lambda conn: clock_rows.list_clocks(conn, case))


async def test_both_nodes_reach_the_same_dates_from_signed_messages(light_pair: Pair) -> None:
    """Through envelopes, receipts and two databases, as through the table."""
    case = await case_at(
        light_pair,
        (QUMRAN, "acknowledge", ACKNOWLEDGE),
        (QUMRAN, "request_information",
         {"items": [{"no": 1, "text": "?"}], "due": light_pair.clock.now() + 20 * DAY}),
        (FIJI, "provide_information", {"answers": [{"no": 1, "text": "!"}]}),
        (QUMRAN, "accept", {"scope": "full"}),
    )  # fmt: skip

    def seen(name: str) -> list[tuple[object, ...]]:
        return [
            (one.name, one.started_at, one.due_at, one.rule, one.ended_at, one.ended_how)
            for one in clocks(light_pair, name, case) if one.name != "delivery"
        ]  # fmt: skip

    assert seen(FIJI) == seen(QUMRAN)
    assert [row[0] for row in seen(QUMRAN)] == [
        "acknowledgement", "decision", "information", "execution",
    ]  # fmt: skip
    [delivery] = [one for one in clocks(light_pair, FIJI, case) if one.name == "delivery"]
    assert delivery.ended_how == "met"


async def test_the_work_list_says_who_is_waited_for(light_pair: Pair) -> None:
    """What waits for us there waits for them here; when it is due, and then overdue."""
    fiji, qumran = offices(light_pair)
    await case_at(light_pair)
    here, there = fiji.do("omar", "work.list"), qumran.do("ines", "work.list")
    assert here["counts"] == {"overdue": 0, "today": 0, "us": 0, "them": 1}
    assert there["counts"] == {"overdue": 0, "today": 0, "us": 1, "them": 0}
    [item] = there["items"]
    assert (item["name"], item["waits_for"], item["state"]) == (
        "acknowledgement",
        "us",
        "DELIVERED",
    )
    light_pair.clock.advance(item["due"] - light_pair.clock.now())
    assert qumran.do("ines", "work.list", group="today")["counts"]["today"] == 1
    light_pair.clock.advance(1)
    for office, who in ((fiji, "omar"), (qumran, "ines")):
        late = office.do(who, "work.list", group="overdue")
        assert [one["overdue"] for one in late["items"]] == [True]
    assert fiji.do("omar", "work.list", group="us")["items"] == []


async def test_nobody_sees_work_on_cases_that_they_may_not_know_of(light_pair: Pair) -> None:
    """Who works on it sees it, and the central authority's officers see that it is there."""
    _, qumran = offices(light_pair)
    case = await case_at(light_pair)
    assert len(qumran.do("ines", "work.list")["items"]) == 1
    await light_pair[QUMRAN].write(
        lambda tx: standing_rows.change_standing(tx.conn, case, officer=qumran.people["carl"].id)
    )
    seen = {who: len(qumran.do(who, "work.list")["items"]) for who in ("carl", "omar", "ines")}
    assert seen == {"carl": 1, "omar": 1, "ines": 0}
    assert qumran.do("ines", "work.calendar")["events"] == 0


async def test_neither_list_nor_calendar_says_what_a_case_is_about(light_pair: Pair) -> None:
    """References, authorities, kinds, states and dates: no word of a body."""
    fiji, qumran = offices(light_pair)
    case = await case_at(light_pair)
    for answer in (
        fiji.do("omar", "work.list"), fiji.do("omar", "work.calendar"),
        qumran.do("omar", "clock.list", case=case),
    ):  # fmt: skip
        assert "4711" not in json.dumps(answer)


async def test_the_calendar_is_read_by_others_whatever_a_reference_holds(light_pair: Pair) -> None:
    """A peer's reference stays one line of text, and makes no event and no property."""
    _, qumran = offices(light_pair)
    await case_at(light_pair)
    answer = qumran.do("omar", "work.calendar")
    assert all(len(line.encode()) <= 75 for line in answer["calendar"].split("\r\n"))
    calendar = icalendar.Calendar.from_ical(answer["calendar"])
    [event] = calendar.walk("VEVENT")
    [item] = qumran.do("omar", "work.list")["items"]
    assert int(event.decoded("dtstart").timestamp()) == item["due"]
    summary = str(event["summary"])
    assert summary.startswith("=CMD|'  SUMMARY:x ;,\\ж")
    assert summary.endswith("acknowledgement (we act)")
    assert str(event["uid"]) == f"clock-{item['clock']}@{QUMRAN}"


async def test_the_list_comes_page_by_page_and_whole(light_pair: Pair) -> None:
    """Each clock once, the first due first, also among those due at one moment."""
    _, qumran = offices(light_pair)
    case = await case_at(light_pair)
    now = light_pair.clock.now()
    row = Clock(case, "consent", "us", "by a test", now, now + DAY)

    def add(count: int) -> None:
        def insert(conn: Connection) -> None:
            for place in range(count):
                clock_rows.insert_clock(conn, _shifted(row, place))

        light_pair[QUMRAN].node.database.transact(insert)

    add(9)
    found: list[Tree] = []
    after: Json = None
    while True:
        page = qumran.do("omar", "work.list", limit=3, after=after)
        found += page["items"]
        after = page["next"]
        if after is None:
            break
    assert len({one["clock"] for one in found}) == len(found) == 10
    assert [one["due"] for one in found] == sorted(one["due"] for one in found)
    assert qumran.refused("omar", "work.list", after="x").code == "malformed"


def _shifted(row: Clock, place: int) -> Clock:
    """Give a clock that is due with two others."""
    return Clock(
        row.case_id, row.name, row.waits_for, row.rule, row.started_at, row.due_at + place // 3
    )


async def test_a_due_date_that_was_agreed_takes_the_place_of_the_other(light_pair: Pair) -> None:
    """It says so, both stay to be seen, and who set it stands in the log with a code."""
    _, qumran = offices(light_pair)
    case = await case_at(light_pair, (QUMRAN, "acknowledge", ACKNOWLEDGE))
    _take_over(light_pair, qumran, case, "carl")
    due = light_pair.clock.now() + 5 * DAY
    given: dict[str, Json] = {"case": case, "clock": "decision", "due": due, "reason": "agreed"}
    assert qumran.do("carl", "clock.move", **given)["due"] == due
    old, new = [one for one in clocks(light_pair, QUMRAN, case) if one.name == "decision"]
    assert (old.ended_how, new.ended_how, new.rule) == ("replaced", None, "set by hand: agreed")
    assert qumran.refused("carl", "clock.move", **{**given, "due": 1}).code == "malformed"
    words = qumran.refused("carl", "clock.move", **{**given, "reason": CANARY})
    assert "4711" not in words.sentence
    assert qumran.refused("carl", "clock.move", **{**given, "clock": "review"}).code == "not-found"


async def test_by_hand_end_only_clocks_that_nothing_else_ends(light_pair: Pair) -> None:
    """The return of what was lent does; a decision does not."""
    _, qumran = offices(light_pair)
    late = light_pair.clock.now() + 90 * DAY
    case = await case_at(light_pair, (QUMRAN, "acknowledge", {**ACKNOWLEDGE, "return_due": late}))
    _take_over(light_pair, qumran, case, "carl")
    assert qumran.refused("carl", "clock.end", case=case, clock="decision").code == "malformed"
    qumran.do("carl", "clock.end", case=case, clock="return_due")
    [found] = [one for one in clocks(light_pair, QUMRAN, case) if one.name == "return_due"]
    assert (found.ended_how, found.warn_at) == ("met", None)


def _take_over(pair: Pair, office: Office, case: str, who: str) -> None:
    pair[office.name].node.database.transact(
        lambda conn: standing_rows.change_standing(conn, case, officer=office.people[who].id)
    )


@pytest.mark.parametrize("given", [{"group": "mine"}, {"limit": 0}, {"limit": 201}, {"x": 1}])
def test_arguments_that_make_no_sense_are_refused(light_pair: Pair, given: Tree) -> None:
    """With the name of the argument."""
    fiji, _ = offices(light_pair)
    assert fiji.refused("omar", "work.list", **given).code == "malformed"
