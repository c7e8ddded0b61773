"""Cases outside the network: the same register and life cycle, each step with its channel."""

from __future__ import annotations

import pytest

from tests.support.office import Office, Tree, offices, settle
from tests.support.pair import FIJI, QUMRAN, Pair
from tests.support.requests import good_request

OUTSIDE = "zz.justice"
KIND = "MLA_SERVICE"
DAY_S = 86_400


@pytest.fixture
def fiji(light_pair: Pair) -> Office:
    """Give the people of Fiji."""
    return Office(light_pair, FIJI)


def registered(office: Office, side: str = "requesting", **more: object) -> str:
    """Put a case with an authority that has no node into the register."""
    arguments: Tree = {
        "side": side, "peer": OUTSIDE, "kind": KIND, "channel": "DIPLOMATIC",
        "name": "Ministry of Justice of Zembla", "body": good_request(KIND), **more,
    }  # fmt: skip
    return str(office.do("carl", "case.register", **arguments)["case"])


def test_a_case_on_paper_moves_by_the_same_life_cycle(fiji: Office) -> None:
    """From the letter that went out to the result that came back."""
    case = registered(fiji)
    steps: tuple[tuple[str, str, Tree], ...] = (
        ("acknowledge", "DIPLOMATIC", {
            "own_ref": "Z/1", "contact": {"name": "Mr. Kinbote"}, "reply_language": "en"}),
        ("accept", "POST", {"scope": "full"}),
        ("assign_execution", "POST", {"executing_authority": "withheld"}),
        ("send_final_result", "POST", {"outcome": "NIL", "nil": "No such address."}),
        ("confirm_result", "POST", {"nil": True}),
    )  # fmt: skip
    states = [
        fiji.do("carl", "case.record", case=case, event=event, channel=channel, body=body)["state"]
        for event, channel, body in steps
    ]
    assert states == ["ACKNOWLEDGED", "ACCEPTED", "IN_EXECUTION", "EXECUTED", "RESULT_CONFIRMED"]
    row = fiji.do("carl", "case.list")["cases"][0]
    assert (row["id"], row["peer_ref"], row["on_wire"]) == (case, "Z/1", False)


def test_each_step_says_by_which_channel_and_who_recorded_it(fiji: Office) -> None:
    """A reader sees that it is our own word, and whose."""
    case = registered(fiji)
    step = fiji.do("carl", "case.show", case=case)["messages"][0]
    assert (step["state"], step["channel"], step["recorded_by"], step["message"]) == (
        "recorded", "DIPLOMATIC", "carl", None,
    )  # fmt: skip
    assert step["body"]["requested_authority"]["name"] == "Ministry of Justice of Zembla"


def test_a_step_that_the_life_cycle_does_not_allow_is_not_recorded(fiji: Office) -> None:
    """Paper has no other order than the wire."""
    case = registered(fiji)
    told = fiji.refused(
        "carl", "case.record", case=case, event="accept", channel="POST", body={"scope": "full"}
    )
    assert told.code == "not-now"
    assert len(fiji.do("carl", "case.show", case=case)["messages"]) == 1


def test_a_step_of_tomorrow_was_not_taken_yet(fiji: Office) -> None:
    """A date beyond the next day is a slip of the pen."""
    case = registered(fiji)
    at = fiji.pair.clock.now() + 2 * DAY_S
    told = fiji.refused(
        "carl", "case.record", case=case, event="withdraw", channel="POST", at=at,
        body={"reasons": "no longer needed"},
    )  # fmt: skip
    assert told.code == "malformed"


def test_what_a_letter_said_stands_nowhere_in_clear(fiji: Office) -> None:
    """Neither in the rows nor in the log."""
    case = registered(fiji)
    body = {"reasons": "canary-5b1d"}
    fiji.do("carl", "case.record", case=case, event="withdraw", channel="POST", body=body)
    assert "canary-5b1d" not in repr(fiji.pair[FIJI].dump())
    assert "canary-5b1d" in repr(fiji.do("carl", "case.show", case=case))


async def test_a_case_on_paper_takes_no_message_and_one_of_the_wire_no_record(
    light_pair: Pair,
) -> None:
    """Each is told where its steps are made."""
    fiji, _ = offices(light_pair)
    kind = "INFORMAL_INQUIRY"
    sent = fiji.do("carl", "request.send", to=QUMRAN, kind=kind, body=good_request(kind))["case"]
    told = fiji.refused("carl", "case.record", case=sent, event="close", channel="POST", body={})
    assert "comity case EVENT" in told.sentence
    paper = registered(fiji)
    told = fiji.refused("carl", "case.note", case=paper, body={"text": "hello"})
    assert "comity case record" in told.sentence


async def test_a_case_on_paper_goes_on_over_the_wire_when_the_peer_joins(light_pair: Pair) -> None:
    """Each shows the other, and the references go along."""
    fiji, _qumran = offices(light_pair)
    paper = registered(fiji, peer=QUMRAN)
    fiji.do("carl", "case.refer", case=paper, reference="FJ/2020/3")
    fiji.do("carl", "case.record", case=paper, event="acknowledge", channel="POST", body={
        "own_ref": "QM/old/1", "contact": {"name": "Registry"}, "reply_language": "en",
    })  # fmt: skip
    kind = "INFORMAL_INQUIRY"
    wire = fiji.do("carl", "request.send", to=QUMRAN, kind=kind, body=good_request(kind))["case"]
    await settle(light_pair)
    fiji.do("carl", "case.join", case=paper, wire=wire)
    shown = fiji.do("carl", "case.show", case=wire)
    assert shown["case"]["peer_ref"] == "QM/old/1"
    assert [(one["relation"], one["case"]) for one in shown["links"]] == [("joins", paper)]
    (back,) = fiji.do("carl", "case.show", case=paper)["links"]
    assert (back["relation"], back["case"]) == ("joined-by", wire)
    clocks = fiji.do("carl", "clock.list", case=paper)["clocks"]
    assert clocks
    assert all(one["ended"] is not None for one in clocks)


def test_an_oral_notice_starts_the_clock_of_its_written_confirmation(fiji: Office) -> None:
    """A duty officer records what was said on the telephone (UNCAC 46(14))."""
    arguments: Tree = {
        "side": "requested", "peer": OUTSIDE, "kind": "PRESERVATION", "channel": "ORAL",
        "body": good_request("PRESERVATION"),
    }  # fmt: skip
    case = fiji.do("duty", "case.register", **arguments)["case"]
    clocks = [one for one in fiji.pair[FIJI].rows("clocks") if one["case_id"] == case]
    assert "oral_confirmation" in {one["name"] for one in clocks}
