"""The five ways in which moves cross, each told as a story of letters on the way."""

from __future__ import annotations

from dataclasses import replace

from protocol.encoding import Json
from protocol.lifecycle import Applied, OneSide, Standing, State, Step, apply, owed, propose
from tests.support.lifecycles import BEGUN_AT, DAY, EVIDENCE, LATER, scenes
from tests.support.replicas import (
    Letter,
    Replica,
    accept,
    confirmed,
    give_up,
    post,
    replicas,
    settle,
    shown,
)

AT = BEGUN_AT + LATER
Pair = tuple[Replica, Replica]


def said(replica: Replica, event: str, body: dict[str, Json], at: int = AT) -> Step:
    """Make a step of a side."""
    return Step(event, replica.side, body, at, f"{replica.side} {len(replica.own)} {event}")


def bring(pair: Pair, letter: Letter) -> Pair:
    """Let a letter arrive and its receipt come back."""
    asks, asked = pair
    if letter.side == "requesting":
        asked, answer = accept(asked, letter)
    else:
        asks, answer = accept(asks, letter)
    assert not isinstance(answer, str)
    return (settle(asks, answer), asked) if letter.side == "requesting" else (
        asks, settle(asked, answer)
    )  # fmt: skip


def state(replica: Replica) -> State | None:
    """Give the state that a side shows."""
    standing = shown(replica)
    return standing.state if standing else None


def effects(replica: Replica) -> list[str]:
    """Give how each letter counted, in the order of the case."""
    return [word for _, word in confirmed(replica).history]


def at_rule(name: str) -> Standing:
    """Give a standing at which a rule can be followed."""
    return scenes()[name].standing


def test_what_was_ordered_before_a_withdrawal_keeps_its_effect() -> None:
    """The partial result stands in the record; the withdrawal comes after it."""
    asks, asked = replicas(at_rule("T37"))
    asked, result = post(asked, said(asked, "send_partial_result", {"evidence": EVIDENCE}))
    asks, withdrawal = post(asks, said(asks, "withdraw", {"reasons": "settled"}))
    assert state(asks) == State.WITHDRAWAL_PENDING
    assert [one.identity for one in asks.unconfirmed()] == [withdrawal.identity]
    asks, asked = bring(bring((asks, asked), withdrawal), result)
    assert effects(asks) == effects(asked) == ["T37", "T62"]
    assert state(asks) == state(asked) == State.WITHDRAWAL_PENDING
    assert asks.unconfirmed() == ()
    standing = shown(asked)
    assert standing is not None
    assert standing.items_sent
    assert owed(standing, "requested", now=AT) is None


def test_the_last_result_overtakes_a_withdrawal() -> None:
    """The withdrawal was under way when the result was: the result stands, and is confirmed."""
    asks, asked = replicas(at_rule("T39"))
    result_body: dict[str, Json] = {"outcome": "FULL", "evidence": EVIDENCE}
    asked, result = post(asked, said(asked, "send_final_result", result_body))
    withdrawal_step = said(asks, "withdraw", {"reasons": "settled"})
    asks, withdrawal = post(asks, withdrawal_step)
    asks, asked = bring(bring((asks, asked), withdrawal), result)
    assert effects(asks) == effects(asked) == ["T39", "T66"]
    assert state(asks) == state(asked) == State.WITHDRAWAL_PENDING
    standing = shown(asked)
    assert owed(standing, "requested", now=AT) == "withdrawal_overtaken"
    done = propose(standing, said(asked, "confirm_withdrawal", {"done": "all"}))
    assert done == Applied(standing, None, "guard:not-concluded")
    asked, overtaken = post(asked, said(asked, "withdrawal_overtaken", {}))
    asks, asked = bring((asks, asked), overtaken)
    assert state(asks) == state(asked) == State.EXECUTED
    # Whoever has seen the result has nothing to withdraw any more.
    assert propose(shown(asks), withdrawal_step).why == "not-allowed-now"
    asks, confirmation = post(asks, said(asks, "confirm_result", {"items": ["a.pdf"]}))
    asks, asked = bring((asks, asked), confirmation)
    assert state(asks) == state(asked) == State.RESULT_CONFIRMED


def test_information_that_comes_after_the_return_is_a_note_and_may_reopen() -> None:
    """Neither side loses it, and the requested side decides."""
    asks, asked = replicas(at_rule("T18"))
    late = AT + LATER
    asked, returned = post(asked, said(asked, "return_incomplete", {"reason": "INCOMPLETE"}, late))
    answers: dict[str, Json] = {"answers": [{"no": 1, "text": "a"}, {"no": 2, "text": "b"}]}
    asks, told = post(asks, said(asks, "provide_information", answers, late))
    assert state(asks) == State.ACKNOWLEDGED
    asks, asked = bring(bring((asks, asked), told), returned)
    assert effects(asks) == effects(asked) == ["T18", "N26.1"]
    assert state(asks) == state(asked) == State.RETURNED
    asked, again = post(asked, said(asked, "reopen", {"reasons": "the answers came"}, late))
    asks, asked = bring((asks, asked), again)
    assert state(asks) == state(asked) == State.ACKNOWLEDGED


def test_a_word_that_comes_after_the_consultation_expired_is_a_note() -> None:
    """The conditions that it accepts are not agreed: they would have to be offered again."""
    asks, asked = replicas(at_rule("T21"))
    late = AT + LATER
    asked, expired = post(asked, said(asked, "consultation_expired", {}, late))
    asks, word = post(asks, said(asks, "reply_consultation", {"conditions": "accepted"}, late))
    asks, asked = bring(bring((asks, asked), word), expired)
    assert effects(asks) == effects(asked) == ["T21", "N27.1"]
    standing = shown(asks)
    assert standing == shown(asked)
    assert standing is not None
    assert standing.conditions == ()


def test_close_and_reopen_count_in_the_order_of_the_requested_side() -> None:
    """Whichever is first; after `close` nothing reopens the case."""
    for first in ("close", "reopen"):
        asks, asked = replicas(at_rule("T46"))
        asks, closing = post(asks, said(asks, "close", {}))
        if first == "close":
            asked, answer = accept(asked, closing)
            asked, opening = post(asked, said(asked, "reopen", {"reasons": "new facts"}))
        else:
            asked, opening = post(asked, said(asked, "reopen", {"reasons": "new facts"}))
            asked, answer = accept(asked, closing)
        assert not isinstance(answer, str)
        assert state(asks) == State.CLOSED
        asks, asked = bring((settle(asks, answer), asked), opening)
        assert confirmed(asks) == confirmed(asked)
        ended = (State.CLOSED, ["T46", "not-allowed-now"])
        reopened = (State.ACKNOWLEDGED, ["T50", "not-allowed-now"])
        assert (state(asks), effects(asks)) == (ended if first == "close" else reopened)


def test_a_request_that_arrives_after_it_was_abandoned_is_withdrawn() -> None:
    """Its node answers the late receipt with a withdrawal, and nobody works for nothing."""
    asks, asked = replicas(None)
    body: dict[str, Json] = {"request_kind": "MLA_EVIDENCE"}
    asks, request = post(asks, said(asks, "transmit", body))
    asks = give_up(asks, request.identity)
    assert shown(asks) is None
    asked, answer = accept(asked, request)
    assert state(asked) == State.DELIVERED
    assert not isinstance(answer, str)
    asks = settle(asks, answer)
    assert owed(shown(asks), "requesting", now=AT, abandoned=True) == "withdraw"
    asks, withdrawal = post(asks, said(asks, "withdraw", {"reasons": "abandoned"}))
    asks, asked = bring((asks, asked), withdrawal)
    assert state(asks) == state(asked) == State.WITHDRAWAL_PENDING
    assert effects(asks) == ["T00", "T54"]


def test_a_measure_that_ends_while_an_extension_is_asked_for_has_ended() -> None:
    """The order decides whether the extension came in time."""
    standing = replace(at_rule("T35"), extension_until=AT + 9 * DAY)
    until = standing.valid_until
    assert until is not None
    sides: tuple[OneSide, OneSide] = ("requested", "requested")
    over = Step("measure_expired", sides[0], {}, until, "over")
    longer = Step("extend_measure", sides[1], {"valid_until": until + DAY}, until - 1, "longer")
    lapsed = apply(standing, over).standing
    assert lapsed is not None
    assert lapsed.state == State.LAPSED
    assert apply(lapsed, longer).why == "not-allowed-now"
    extended = apply(standing, longer).standing
    assert extended is not None
    assert apply(extended, over).why == "guard:measure-over"
