"""Two replicas of one case, by the rules of SPEC 4, with every letter in a test's hand.

    asks, asked = replicas(standing)                  # both hold the same case
    asks, letter = post(asks, step)                   # signed, with seq, prev, skips
    asked, receipt = accept(asked, letter)            # in its turn, or refused with a code
    asks = settle(asks, receipt)                      # receipted: no longer unconfirmed

Nothing here loses, delays or doubles: a test decides when and how often a letter or a
receipt arrives, which is all that a link can do. Replicas are values, so that a search can
go on from any of them. No signatures and no storage: those have tests of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal, TypeAlias

from protocol.lifecycle import Applied, OneSide, Standing, Step, apply

Fate: TypeAlias = Literal["waiting", "delivered", "given up"]


@dataclass(frozen=True, slots=True)
class Letter:
    """One message as it travels: what SPEC 4 decides about it by, and what it says."""

    side: OneSide
    seq: int
    identity: str
    prev: str | None
    skips: tuple[str, ...]
    order: int | None
    step: Step = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The recipient's word that it accepted a letter, with the place it got in the case."""

    identity: str
    order: int | None


@dataclass(frozen=True, slots=True)
class Own:
    """A letter of our own, its fate, and its order once that is known."""

    letter: Letter
    fate: Fate = "waiting"
    order: int | None = None


@dataclass(frozen=True, slots=True)
class Replica:
    """What one side holds of a case beyond the standing that both began with."""

    side: OneSide
    began: Standing | None = field(hash=False)
    own: tuple[Own, ...] = ()
    accepted: tuple[tuple[Letter, int], ...] = ()  # with its order
    skipped: frozenset[str] = frozenset()
    order_last: int = 0

    def placed(self) -> tuple[Letter, ...]:
        """Give the letters that have their effect, in the order of the case."""
        ours = [
            (one.order, one.letter)
            for one in self.own
            if one.order is not None and one.fate != "given up"
        ]
        theirs = [(order, letter) for letter, order in self.accepted]
        return tuple(letter for _, letter in sorted(ours + theirs, key=lambda one: one[0]))

    def unconfirmed(self) -> tuple[Letter, ...]:
        """Give our own letters whose place we do not know yet, in the order of their making."""
        return tuple(one.letter for one in self.own if one.order is None and one.fate == "waiting")


def replicas(standing: Standing | None) -> tuple[Replica, Replica]:
    """Give the requesting and the requested side's replica of a case that stands so."""
    return Replica("requesting", standing), Replica("requested", standing)


# --- SPEC 4.2 and 4.3 --------------------------------------------------------------------------


def post(replica: Replica, step: Step) -> tuple[Replica, Letter]:
    """Sign the next letter: it names its predecessor and whatever was given up before."""
    last = replica.own[-1].letter if replica.own else None
    order = replica.order_last + 1 if replica.side == "requested" else None
    letter = Letter(
        replica.side,
        seq=len(replica.own) + 1,
        identity=step.identity,
        prev=last.identity if last else None,
        skips=tuple(one.letter.identity for one in replica.own if one.fate == "given up"),
        order=order,
        step=step,
    )
    own = (*replica.own, Own(letter, order=order))
    return replace(replica, own=own, order_last=order or replica.order_last), letter


def accept(replica: Replica, letter: Letter) -> tuple[Replica, list[Receipt] | str]:
    """Take in a letter of the other side: its receipt and those given back, or a refusal."""
    known = {one.identity: order for one, order in replica.accepted}
    given_back = [_receipt(one, known[one], replica) for one in letter.skips if one in known]
    if letter.identity in known:
        return replica, [_receipt(letter.identity, known[letter.identity], replica), *given_back]
    if letter.identity in replica.skipped:
        return replica, "skipped"
    last = replica.accepted[-1][0] if replica.accepted else None
    lacking = [one for one in letter.skips if one not in known and one not in replica.skipped]
    seq_last = last.seq if last else 0
    if letter.seq <= seq_last:
        return replica, "equivocation"
    expected = seq_last + 1 + len(lacking)
    before = lacking[-1] if lacking else last.identity if last else None
    if letter.seq != expected or letter.prev != before:
        return replica, "out-of-order"
    order = replica.order_last + 1 if letter.order is None else letter.order
    taken = replace(
        replica,
        accepted=(*replica.accepted, (letter, order)),
        skipped=replica.skipped | set(lacking),
        order_last=order if letter.order is None else replica.order_last,
    )
    return taken, [_receipt(letter.identity, order, replica), *given_back]


def _receipt(identity: str, order: int, replica: Replica) -> Receipt:
    return Receipt(identity, order if replica.side == "requested" else None)


def settle(replica: Replica, receipts: Sequence[Receipt]) -> Replica:
    """Take in receipts; a receipt always beats having given up."""
    orders = {one.identity: one.order for one in receipts}
    own = tuple(
        replace(one, fate="delivered", order=one.order or orders[one.letter.identity])
        if one.letter.identity in orders
        else one
        for one in replica.own
    )
    return replace(replica, own=own)


def give_up(replica: Replica, identity: str) -> Replica:
    """Hold a letter for undelivered: its time passed without a receipt."""
    own = tuple(
        replace(one, fate="given up")
        if one.letter.identity == identity and one.fate == "waiting"
        else one
        for one in replica.own
    )
    return replace(replica, own=own)


# --- what a side sees --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class View:
    """Where a case stands for one side, and how each letter of the history counted."""

    standing: Standing | None
    history: tuple[tuple[str, str], ...]


@lru_cache(maxsize=200_000)
def _folded(began: bytes, placed: tuple[Letter, ...]) -> View:
    standing = _BEGINNINGS[began]
    history: list[tuple[str, str]] = []
    for letter in placed:
        applied: Applied = apply(standing, letter.step)
        standing = applied.standing
        word = applied.rule.id if applied.rule else applied.why or ""
        history.append((letter.identity, word))
    return View(standing, tuple(history))


_BEGINNINGS: dict[bytes, Standing | None] = {}


def confirmed(replica: Replica) -> View:
    """Give what the side knows to be so: all that has its place in the order."""
    began = replica.began.encode() if replica.began else b""
    _BEGINNINGS.setdefault(began, replica.began)
    return _folded(began, replica.placed())


def shown(replica: Replica) -> Standing | None:
    """Give what the side shows: its own unconfirmed letters on top."""
    standing = confirmed(replica).standing
    for letter in replica.unconfirmed():
        standing = apply(standing, letter.step).standing
    return standing
