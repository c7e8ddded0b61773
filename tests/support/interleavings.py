"""Every way in which two sides of a case can act while their letters are on the way.

    search = Search(standing, posts=1, losses=1)
    for asks, asked in search.ends(): ...      # each end at which nothing is under way

A place is reached by some order of: a side makes a move that its own view allows; a letter
arrives, once more or out of its turn (then it is refused and nothing changes); a receipt
arrives; a letter is given up, and may arrive all the same. Places that two orders share are
gone on from once. At each of them both sides may stop: then what can arrive does, and
whoever gave something up says a last word, as a real case would with its next message, so
that the other side learns of it. That is an end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from protocol.lifecycle import Rule, Standing, Step, moves, propose
from tests.support.lifecycles import BEGUN_AT, LATER, step_of
from tests.support.replicas import Replica, accept, give_up, post, replicas, settle, shown

MATTER: Final = frozenset({
    "reminder", "consultation_opened", "consultation_replied", "extension_requested",
    "extend_measure", "intent_to_lift", "reasons_to_continue", "send_partial_result",
})  # fmt: skip
"""Events that leave the state as it is, and yet decide what may come after."""

Pair: TypeAlias = tuple[Replica, Replica]


@dataclass(frozen=True, slots=True)
class Place:
    """Two replicas, and how many moves and losses each side may still have."""

    asks: Replica
    asked: Replica
    posts: tuple[int, int]
    losses: int

    def side(self, index: int) -> Replica:
        """Give the requesting side for 0, the requested side for 1."""
        return (self.asks, self.asked)[index]

    def put(self, index: int, replica: Replica) -> Place:
        """Give the place with one side's replica replaced."""
        return replace(self, asks=replica) if index == 0 else replace(self, asked=replica)


@dataclass(slots=True)
class Search:
    """All interleavings from one standing; counts what it went through."""

    standing: Standing
    posts: int
    losses: int = 0
    at: int = BEGUN_AT + LATER
    places: int = 0

    def ends(self) -> Iterator[Pair]:
        """Give every end, each once."""
        asks, asked = replicas(self.standing)
        first = Place(asks, asked, (self.posts, self.posts), self.losses)
        waiting, seen, told = [first], {first}, set[Pair]()
        while waiting:
            place = waiting.pop()
            self.places += 1
            following = {*self._acts(place), *self._arrivals(place)}
            end = healed((place.asks, place.asked))
            if end not in told:
                told.add(end)
                yield end
            waiting += following - seen
            seen |= following

    def _acts(self, place: Place) -> Iterator[Place]:
        """Let either side make each move that it sees as possible, or give a letter up."""
        for index in (0, 1):
            replica = place.side(index)
            if place.posts[index]:
                left = tuple(n - (i == index) for i, n in enumerate(place.posts))
                for step in self._candidates(replica):
                    changed, _ = post(replica, step)
                    yield replace(place.put(index, changed), posts=(left[0], left[1]))
            if place.losses:
                for own in replica.own:
                    if own.fate == "waiting":
                        lost = give_up(replica, own.letter.identity)
                        yield replace(place.put(index, lost), losses=place.losses - 1)

    def _candidates(self, replica: Replica) -> Iterator[Step]:
        """Give a good step for each move that counts, now or after all that is due has passed."""
        standing = shown(replica)
        if standing is None:
            return
        at = self.at + len(replica.own) + 1
        for rule in moves(standing, replica.side):
            if rule.target == rule.source and rule.event not in MATTER:
                continue
            for when in (at, at + LATER):
                step = _named(replica, rule, standing, when)
                if propose(standing, step).rule is not None:
                    yield step
                    break

    @staticmethod
    def _arrivals(place: Place) -> Iterator[Place]:
        """Let each letter on the way arrive, and each receipt of one that did."""
        for index in (0, 1):
            sender, recipient = place.side(index), place.side(1 - index)
            for own in sender.own:
                if own.fate == "delivered":
                    continue
                taken, answer = accept(recipient, own.letter)
                if taken != recipient:
                    yield place.put(1 - index, taken)
                elif not isinstance(answer, str):
                    yield place.put(index, settle(sender, answer))


def _named(replica: Replica, rule: Rule, standing: Standing, at: int) -> Step:
    """Make a step whose identity says by whom and what it is."""
    side = replica.side
    step = step_of(rule, standing, at)
    return replace(step, side=side, identity=f"{side}-{len(replica.own) + 1}-{rule.event}-{at}")


def healed(pair: Pair) -> Pair:
    """Let all that can arrive arrive, and whoever gave something up say a last word."""
    while True:
        following = _settled(pair)
        if following != pair:
            pair = following
            continue
        pair = _last_words(pair)
        if pair == following:
            return pair


def _settled(pair: Pair) -> Pair:
    """Bring each letter that waits, and its receipt back."""
    both = list(pair)
    for index in (0, 1):
        for own in both[index].own:
            if own.fate == "waiting":
                both[1 - index], answer = accept(both[1 - index], own.letter)
                if not isinstance(answer, str):
                    both[index] = settle(both[index], answer)
    return both[0], both[1]


def _last_words(pair: Pair) -> Pair:
    """Give up what cannot arrive any more, and name it in a last letter."""
    both = list(pair)
    for index in (0, 1):
        stuck = [own.letter.identity for own in both[index].own if own.fate == "waiting"]
        for identity in stuck:
            both[index] = give_up(both[index], identity)
        named = {one for own in both[index].own for one in own.letter.skips}
        lost = {own.letter.identity for own in both[index].own if own.fate == "given up"}
        if lost - named or stuck:
            name = f"{both[index].side}-{len(both[index].own) + 1}-note"
            note = Step("note", both[index].side, {"text": "still here"}, BEGUN_AT, name)
            both[index], _ = post(both[index], note)
    return both[0], both[1]
