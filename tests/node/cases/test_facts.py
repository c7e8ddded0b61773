"""What statistics count is copied from the steps of a case, if it has its form."""

from __future__ import annotations

from typing import Final

import pytest

from node.audit.erasure import erase_case
from node.cases.facts import sum_name
from node.storage import case_rows, standing_rows
from node.storage.standing_rows import StoredStanding
from node.storage.writer import Tx
from protocol.encoding import Json
from tests.support.pair import FIJI, QUMRAN, Pair

HOUR_S: Final = 3_600
REQUEST: Final[dict[str, Json]] = {
    "legal_basis": [{"instrument": "BILATERAL"}, {"instrument": "UNCAC", "primary": True}],
    "transmission_effect": "ADVANCE", "urgency": "URGENT", "language": "pt-BR",
    "offences": [{"code": "15-a"}, {"code": "23-1-a-i"}, {"code": "15-a"}],
}  # fmt: skip
ACKNOWLEDGE: Final[dict[str, Json]] = {
    "own_ref": "QM/77", "contact": {"name": "Amal", "function": "officer"}, "reply_language": "en",
}  # fmt: skip
RESULT: Final[dict[str, Json]] = {
    "outcome": "NIL", "nil": "No such account.",
    "sums": [{"stage": "FROZEN", "currency": "XTS", "amount": "1200.50"}],
}  # fmt: skip
SIGNATORIES: Final[list[Json]] = [{"name": "A", "role": "head"}, {"name": "B", "role": "judge"}]


def facts(pair: Pair, name: str, case: str) -> StoredStanding:
    """Give what a node keeps of a case."""
    found = pair[name].read(lambda conn: standing_rows.read_standing(conn, case))
    assert found is not None
    return found


async def move(pair: Pair, name: str, case: str, event: str, body: dict[str, Json]) -> None:
    """Make a move, and have it delivered, an hour after the last."""
    pair.clock.advance(HOUR_S)
    register = pair[name].node.register
    await pair[name].write(lambda tx: register.make_move(tx, case, event=event, body=body))
    await pair[name].send_to(FIJI if name == QUMRAN else QUMRAN)


async def opened(pair: Pair, body: dict[str, Json]) -> str:
    """Open a case, delivered an hour later."""
    case = (await pair.request(body)).case
    pair.clock.advance(HOUR_S)
    await pair[FIJI].send_to(QUMRAN)
    return case


async def acknowledged(pair: Pair) -> str:
    """Open a case that the other side has acknowledged."""
    case = await opened(pair, REQUEST)
    await move(pair, QUMRAN, case, "acknowledge", ACKNOWLEDGE)
    return case


async def executed(pair: Pair) -> str:
    """Open a case that came out with a result."""
    case = await acknowledged(pair)
    await move(pair, QUMRAN, case, "accept", {"scope": "full"})
    await move(pair, QUMRAN, case, "assign_execution", {"executing_authority": "withheld"})
    await move(pair, QUMRAN, case, "send_final_result", RESULT)
    return case


async def test_the_codes_of_a_request_are_kept_on_both_sides(pair: Pair) -> None:
    """The instrument is the primary one; each offence counts once."""
    case = await opened(pair, REQUEST)
    for name in (FIJI, QUMRAN):
        kept = facts(pair, name, case)
        assert (kept.basis, kept.effect, kept.urgency, kept.language) == (
            "UNCAC", "ADVANCE", "URGENT", "pt-BR",
        )  # fmt: skip
        codes = [row["code"] for row in pair[name].rows("case_offences")]
        assert sorted(map(str, codes)) == ["15-a", "23-1-a-i"]


async def test_times_and_outcome_follow_the_moves(pair: Pair) -> None:
    """Each at the time that its author signed, an hour after the one before."""
    case = await executed(pair)
    for name in (FIJI, QUMRAN):
        kept = facts(pair, name, case)
        start = kept.delivered_at
        assert start is not None
        assert kept.acknowledged_at == start + HOUR_S
        assert kept.decided_at == start + 2 * HOUR_S
        assert kept.executed_at == start + 4 * HOUR_S
        assert (kept.outcome, kept.ended_at) == ("NIL", None)


async def test_a_disputed_result_is_none(light_pair: Pair) -> None:
    """Until there is another."""
    pair, case = light_pair, await executed(light_pair)
    await move(pair, FIJI, case, "dispute_result", {"items": [{"no": "1", "why": "missing"}]})
    kept = facts(pair, QUMRAN, case)
    assert (kept.state, kept.outcome, kept.executed_at) == ("IN_EXECUTION", None, None)


async def test_a_refusal_counts_until_the_case_is_reopened(light_pair: Pair) -> None:
    """With its ground; after it is reopened the case is pending again."""
    pair, case = light_pair, await acknowledged(light_pair)
    due = pair.clock.now() + 10 * HOUR_S
    await move(
        pair, QUMRAN, case, "open_consultation",
        {"intended": "refuse", "ground": "46-21-b", "due": due},
    )  # fmt: skip
    await move(pair, FIJI, case, "reply_consultation", {"conditions": "none", "text": "We see."})
    refusal: dict[str, Json] = {
        "ground": "46-21-b", "reasons": "Essential interests.", "signatories": SIGNATORIES,
    }  # fmt: skip
    await move(pair, QUMRAN, case, "refuse", refusal)
    for name in (FIJI, QUMRAN):
        kept = facts(pair, name, case)
        assert (kept.outcome, kept.ground) == ("REFUSED", "46-21-b")
        assert kept.ended_at == kept.decided_at
    await move(pair, QUMRAN, case, "reopen", {"reasons": "New facts."})
    kept = facts(pair, FIJI, case)
    assert (kept.outcome, kept.ground, kept.ended_at, kept.decided_at) == (None, None, None, None)


async def test_a_move_without_effect_changes_no_fact(light_pair: Pair) -> None:
    """Whatever its body says."""
    pair, case = light_pair, await acknowledged(light_pair)
    await pair.event(case, sender=QUMRAN, kind="send_final_result", body=RESULT)
    await pair[QUMRAN].send_to(FIJI)
    for name in (FIJI, QUMRAN):
        kept = facts(pair, name, case)
        assert (kept.state, kept.outcome, kept.executed_at) == ("ACKNOWLEDGED", None, None)
        assert pair[name].rows("case_sums") == []


async def test_sums_are_sealed_and_go_with_their_case(pair: Pair) -> None:
    """The amount stands nowhere in clear, opens with the case's key, and is erased with it."""
    case = await executed(pair)
    (row,) = pair[FIJI].rows("case_sums")
    assert (row["stage"], row["currency"]) == ("FROZEN", "XTS")
    assert "1200.50" not in repr(pair[FIJI].dump())
    kept = pair[FIJI].read(lambda conn: case_rows.read_case(conn, case))
    assert kept is not None
    sealed = row["sealed_amount"]
    assert isinstance(sealed, bytes)
    vault = pair[FIJI].node.register.vault
    name = sum_name(case, "FROZEN", "XTS")
    assert vault.open(case, kept.wrapped_key, name, sealed) == b"1200.50"

    def erase(tx: Tx) -> None:
        locked = case_rows.read_case(tx.conn, case, lock=True)
        assert locked is not None
        erase_case(tx, "pacific", locked, reason="retention-ended")

    await pair[FIJI].write(erase)
    assert pair[FIJI].rows("case_sums") == []
    assert facts(pair, FIJI, case).outcome == "NIL"


@pytest.mark.parametrize(
    "body",
    [
        {"legal_basis": "UNCAC", "urgency": 1, "language": None, "offences": "15-a"},
        {"legal_basis": [1, None, {}, {"instrument": ["UNCAC"]}], "offences": [[], {}, None, 7]},
        {"legal_basis": [{"instrument": "=cmd|calc"}], "urgency": "=1+1", "language": "e n"},
        {"legal_basis": {"instrument": "UNCAC"}, "urgency": "U" * 10_000, "language": "x" * 999},
        {"urgency": "Juan Pérez", "language": "\u202een", "offences": [{"code": "<b>15</b>"}]},
        {"offences": [{"code": "a b"}] * 1_000, "legal_basis": [{"instrument": "a b"}] * 1_000},
    ],
)
async def test_what_is_no_code_is_not_copied(light_pair: Pair, body: dict[str, Json]) -> None:
    """A peer can put no text of its own into columns that stand in clear, nor stop delivery."""
    case = await opened(light_pair, {**body, "text": "please"})
    kept = facts(light_pair, QUMRAN, case)
    assert (kept.basis, kept.effect, kept.urgency, kept.language) == (None, None, None, None)
    assert light_pair[QUMRAN].rows("case_offences") == []


@pytest.mark.parametrize(
    "one",
    [
        {"stage": "FROZEN", "currency": "XTS", "amount": 1200},
        {"stage": "FROZEN", "currency": "XTS", "amount": "-1"},
        {"stage": "FROZEN", "currency": "XTS", "amount": "1e9"},
        {"stage": "FROZEN", "currency": "XTS", "amount": "NaN"},
        {"stage": "FROZEN", "currency": "XTS", "amount": "1" * 40},
        {"stage": "FROZEN", "currency": "euro", "amount": "1"},
        {"stage": "in two words", "currency": "XTS", "amount": "1"},
        "1200 XTS",
    ],
)
async def test_what_is_no_sum_is_not_counted(light_pair: Pair, one: Json) -> None:
    """And the result that names it counts all the same."""
    pair, case = light_pair, await acknowledged(light_pair)
    await move(pair, QUMRAN, case, "accept", {"scope": "full"})
    await move(pair, QUMRAN, case, "assign_execution", {"executing_authority": "withheld"})
    await move(pair, QUMRAN, case, "send_final_result", {**RESULT, "sums": [one]})
    assert facts(pair, FIJI, case).outcome == "NIL"
    assert pair[FIJI].rows("case_sums") == []
