"""Both sides move at once, and letters cross, come late, twice, out of turn or never.

Whatever happens, at the end both hold the same history and stand at the same place, nobody
is stuck, and nothing had an effect that the law does not allow. Exhaustive for one and two
moves of each side from every state in which both may move; `-m slow` goes further.
"""

from __future__ import annotations

import pytest

from protocol.lifecycle import State
from tests.support.interleavings import Search
from tests.support.lawful import broken
from tests.support.lifecycles import closable, explored, shape_of
from tests.support.replicas import Replica, confirmed, shown

TWO_SIDED = (
    "DELIVERED", "ACKNOWLEDGED", "INFO_REQUESTED", "IN_CONSULTATION", "POSTPONED", "ACCEPTED",
    "IN_EXECUTION", "MEASURE_IN_FORCE", "PARTIALLY_EXECUTED", "REFUSED", "RETURNED",
    "WITHDRAWAL_PENDING",
)  # fmt: skip
ALSO = ("EXECUTED", "OFFERED", "RESTRICTIONS_ACCEPTED")  # crossings of the result, of an offer
EVERYWHERE = pytest.mark.parametrize("state", [*TWO_SIDED, *ALSO])
Ended = tuple[Replica, Replica]


def starts(state: str) -> list[bytes]:
    """Give the kinds of standings in a state, nearest to the beginning first.

    A consent or a second signature that is still awaited forbids no move and is left aside.
    """
    return [
        shape
        for shape, one in explored().standings.items()
        if one.state == State(state) and not one.consent_asked and one.countersign_due is None
    ]


def check(shape: bytes, ended: Ended) -> None:
    """Hold an end against all that must be so."""
    asks, asked = ended
    view = confirmed(asked)
    assert confirmed(asks) == view
    assert asks.unconfirmed() == ()
    assert view.standing is not None
    assert shown(asks) == shown(asked) == view.standing
    assert shape_of(view.standing) in closable()
    # A step that had an effect is known in the history by the id of its rule.
    refused = ("guard:", "not-", "unknown-")
    effective = {name for name, word in view.history if not word.startswith(refused)}
    steps = [letter.step for letter in asked.placed() if letter.identity in effective]
    assert broken([*explored().paths[shape], *steps]) == []


def explore(shapes: list[bytes], *, posts: int, losses: int) -> int:
    """Check every end of every interleaving from these standings; gives how many."""
    ends = 0
    for shape in shapes:
        for ended in Search(explored().standings[shape], posts=posts, losses=losses).ends():
            check(shape, ended)
            ends += 1
    return ends


@EVERYWHERE
def test_one_move_of_each_side_from_every_standing(state: str) -> None:
    """All pairs of moves, in every order in which letters and receipts can arrive."""
    assert explore(starts(state), posts=1, losses=0) > len(starts(state))


@EVERYWHERE
def test_two_moves_of_each_side(state: str) -> None:
    """All sequences of two, each chosen by what its side sees by then."""
    assert explore(starts(state)[:1], posts=2, losses=0) > 1


@EVERYWHERE
def test_one_move_of_each_side_while_letters_are_given_up(state: str) -> None:
    """A letter held for lost may never arrive, arrive late, or have arrived."""
    assert explore(starts(state)[:2], posts=1, losses=2) > 2


@pytest.mark.slow
@EVERYWHERE
def test_two_moves_of_each_side_while_letters_are_given_up(state: str) -> None:
    """The same, with a letter lost on the way."""
    assert explore(starts(state)[:1], posts=2, losses=1) > 1


@pytest.mark.slow
@EVERYWHERE
def test_one_move_of_each_side_from_every_standing_with_losses(state: str) -> None:
    """All standings, and a letter lost on the way."""
    assert explore(starts(state), posts=1, losses=1) > len(starts(state))
