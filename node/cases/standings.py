"""Where each case stands: the life cycle applied to what both sides have signed.

    standings.received(tx, case, signed, order=7)     # in the unit that accepts it
    standings.judge(conn, case, step)                 # would it have an effect now?

A standing is the fold of a case's messages by their order (SPEC 16), kept so that one message
costs one step. What comes out of order, or is given up, has the fold made anew. On the
requesting side our own messages wait for their place in the order: they are shown on top, as
unconfirmed. Effects hear of every step in the same unit of work. Nothing here posts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from node.cases.happened import Effect, Happened
from node.storage import Connection, case_rows, standing_rows
from node.storage.case_rows import Case, StoredMessage
from node.storage.standing_rows import StoredStanding
from node.storage.vault import Vault
from node.storage.writer import Tx
from protocol.encoding import Json
from protocol.errors import Misuse
from protocol.lifecycle import (
    Applied,
    Standing,
    Step,
    apply,
    decode_standing,
    machine_of,
    propose,
)
from protocol.messages import AuthenticMessage, Message, decode_inner, decode_message_text

OPENS: Final = "transmit"
ABANDONED: Final = "CLOSED"
NOT_DELIVERED: Final = frozenset({"SENT", "UNDELIVERABLE"})
_NAMES_OWN_REFERENCE: Final = frozenset({OPENS, "acknowledge"})
_REFERENCE_CHARS_MAX: Final = 256


@dataclass(frozen=True, slots=True)
class Placed:
    """A step and its place in the case's order; None while it has none."""

    step: Step = field(repr=False)
    order: int | None
    ours: bool


@dataclass(frozen=True, slots=True)
class _Fold:
    """Where a case stood as kept, and what the fold gives now, up to the order `applied`."""

    row: StoredStanding
    after: Standing | None
    applied: int


class Standings:
    """Keeps where the cases of one authority stand."""

    def __init__(self, authority: str, vault: Vault, effects: Sequence[Effect] = ()) -> None:
        """Keep them for `authority`; `effects` hear of every step, in this order."""
        self._authority = authority
        self._vault = vault
        self.effects = tuple(effects)

    def open(self, tx: Tx, case: Case, *, on_wire: bool = True) -> None:
        """Begin to keep where a new case stands."""
        standing_rows.insert_standing(
            tx.conn,
            StoredStanding(
                case.id, machine_of(case.request_kind), case.state, on_wire=int(on_wire)
            ),
        )

    # --- what happens ------------------------------------------------------

    def posted(self, tx: Tx, case: Case, signed: AuthenticMessage) -> None:
        """Take in a message of our own that was just posted."""
        message = signed.message
        placed = Placed(_step(message, signed.identity), message.order, ours=True)
        self._take(tx, case, placed)

    def received(self, tx: Tx, case: Case, signed: AuthenticMessage, order: int | None) -> None:
        """Take in a message of the other side that was just accepted."""
        number = signed.message.order if order is None else order
        self._take(tx, case, Placed(_step(signed.message, signed.identity), number, ours=False))

    def settled(self, tx: Tx, case: Case, stored: StoredMessage, was: str) -> bool:
        """Take in that a message of our own, which `was` queued, has its receipt or is given up.

        True if it has arrived in a case that was abandoned meanwhile.
        """
        if not case.wrapped_key:
            return False  # erased: what its texts would do is not known any more
        abandoned = _read(tx.conn, case.id).state == ABANDONED and stored.kind == OPENS
        if stored.state != "delivered":
            self._again(tx, case, None)
        elif case.side == "requesting":
            self._take(tx, case, self._open(case, stored))
        elif was != "queued":
            self._again(tx, case, None)  # held for lost, and it had arrived
        return abandoned and stored.state == "delivered"

    def recorded(self, tx: Tx, case: Case, step: Step, place: int, *, ours: bool) -> None:
        """Take in a step that came on paper; its place is its number."""
        self._take(tx, case, Placed(step, place, ours=ours))

    # --- what concerns our side alone, while nothing has arrived ------------

    def not_in_time(self, tx: Tx, case: Case) -> bool:
        """Show a request as not delivered: its time for that has passed. It may still arrive."""
        return self._locally(tx, case, "delivery_timeout", "SENT", "UNDELIVERABLE")

    def send_again(self, tx: Tx, case: Case) -> bool:
        """Give a request new time to arrive; it is still the same message."""
        return self._locally(tx, case, "resend", "UNDELIVERABLE", "SENT")

    def abandon(self, tx: Tx, case: Case) -> bool:
        """Close a case that was withdrawn before anything of it arrived."""
        row = _read(tx.conn, case.id)
        if row.unconfirmed != "WITHDRAWAL_PENDING" and row.state != "UNDELIVERABLE":
            return False
        return self._locally(tx, case, "abandon_undelivered", row.state, "CLOSED")

    def _locally(self, tx: Tx, case: Case, event: str, source: str, target: str) -> bool:
        """Move a case of which nothing was delivered; False if it does not stand there."""
        row = _read(tx.conn, case.id)
        if row.standing or case.side == "requested" or row.state != source:
            return False
        standing_rows.change_standing(tx.conn, case.id, state=target, unconfirmed=None)
        case_rows.change_case(tx.conn, case.id, state=target, changed_at=tx.now)
        one = Happened(
            case=case, event=event, side="requesting", body={}, at=tx.now, identity=None,
            ours=True, confirmed=True, before=None, after=None,
        )  # fmt: skip
        for effect in self.effects:
            effect(tx, one)
        return True

    # --- what is asked -----------------------------------------------------

    def judge(self, conn: Connection, case: Case, step: Step) -> Applied:
        """Say what a step of ours would do now, after all that we have said already."""
        return propose(self.now(conn, case), step)

    def now(self, conn: Connection, case: Case) -> Standing | None:
        """Give where a case stands as we see it, our unconfirmed steps included."""
        row = _read(conn, case.id)
        return self._on_top(decode_kept(row), self._pending(conn, case))[0]

    # --- the fold ----------------------------------------------------------

    def _take(self, tx: Tx, case: Case, placed: Placed) -> None:
        row = _read(tx.conn, case.id)
        before = decode_kept(row)
        if placed.order is None:
            self._show(tx, case, _Fold(row, before, row.applied), placed)
        elif placed.order > row.applied:
            after = apply(before, placed.step).standing
            self._show(tx, case, _Fold(row, after, placed.order), placed)
        else:
            self._again(tx, case, placed)

    def _again(self, tx: Tx, case: Case, placed: Placed | None) -> None:
        """Fold all that has its place anew: something came late, or was given up."""
        after, applied = self.fold(tx.conn, case)
        self._show(tx, case, _Fold(_read(tx.conn, case.id), after, applied), placed)

    def derive(self, tx: Tx, case: Case) -> None:
        """Derive where a case stands of which nothing is kept, as after a migration.

        Effects hear of every step again, in the case's order: what they keep is lost as well.
        """
        self.open(tx, case)
        if not case.wrapped_key:
            return  # its texts were erased: what the case's row says is all there is
        for stored in standing_rows.placed_messages(tx.conn, case.id):
            self._take(tx, case, self._open(case, stored))
        for placed in self._pending(tx.conn, case):
            self._take(tx, case, placed)

    def taken_back(self, tx: Tx, case: Case, signed: AuthenticMessage, order: int | None) -> None:
        """Take in a message of either side that a recovery brought back to its place."""
        if standing_rows.read_standing(tx.conn, case.id) is None:
            self.open(tx, case)
        ours = signed.message.sender == self._authority
        self._take(tx, case, Placed(_step(signed.message, signed.identity), order, ours=ours))

    def fold(self, conn: Connection, case: Case) -> tuple[Standing | None, int]:
        """Fold the messages of a case that have their place; gives the last order too."""
        standing: Standing | None = None
        applied = 0
        for stored in standing_rows.placed_messages(conn, case.id):
            standing = apply(standing, self._open(case, stored).step).standing
            applied = stored.order_number or applied
        return standing, applied

    def _show(self, tx: Tx, case: Case, fold: _Fold, placed: Placed | None) -> None:
        """Store where the case stands now, and tell the effects of the step."""
        row, after = fold.row, fold.after
        pending = self._pending(tx.conn, case)
        top, beyond = self._on_top(after, pending)
        state = str(after.state) if after is not None else _undelivered(case, row, pending)
        unconfirmed = str(top.state) if top is not None and beyond else None
        changes: dict[str, int | str | None] = {
            "state": state,
            "unconfirmed": None if unconfirmed == state else unconfirmed,
            "applied": fold.applied,
            "standing": "" if after is None else after.encode().decode(),
            **({} if after is None else {"machine": after.machine}),
            **(_references(placed) if placed is not None else {}),
        }
        standing_rows.change_standing(tx.conn, case.id, **changes)
        if state != row.state:
            case_rows.change_case(tx.conn, case.id, state=state, changed_at=tx.now)
        if placed is not None:
            self._tell(tx, case, row, placed, after if placed.order is not None else top)

    def _tell(
        self, tx: Tx, case: Case, row: StoredStanding, placed: Placed, after: Standing | None
    ) -> None:
        step = placed.step
        one = Happened(
            case=case, event=step.event, side=step.side, body=step.body, at=step.created,
            identity=step.identity or None, ours=placed.ours,
            confirmed=placed.order is not None, before=decode_kept(row), after=after,
        )  # fmt: skip
        for effect in self.effects:
            effect(tx, one)

    def _on_top(
        self, standing: Standing | None, pending: Iterable[Placed]
    ) -> tuple[Standing | None, bool]:
        """Apply what waits for its place; says whether anything but the request was on top."""
        beyond = False
        for one in pending:
            standing = apply(standing, one.step).standing
            beyond = beyond or one.step.event != OPENS
        return standing, beyond

    def _pending(self, conn: Connection, case: Case) -> list[Placed]:
        if case.side == "requested" or not case.wrapped_key:
            return []
        return [self._open(case, one) for one in standing_rows.pending_messages(conn, case.id)]

    def _open(self, case: Case, stored: StoredMessage) -> Placed:
        inner = self._vault.open(case.id, case.wrapped_key, stored.identity, stored.sealed_text)
        message = decode_message_text(decode_inner(inner).text)
        step = _step(message, stored.identity)
        return Placed(step, stored.order_number, ours=message.sender == self._authority)


def decode_kept(row: StoredStanding) -> Standing | None:
    """Decode the standing that a row keeps; None if nothing was delivered."""
    return decode_standing(row.standing.encode()) if row.standing else None


def _read(conn: Connection, case_id: str) -> StoredStanding:
    row = standing_rows.read_standing(conn, case_id)
    if row is None:
        raise Misuse("a case without its standing: the node derives it when it starts")
    return row


def _step(message: Message, identity: str) -> Step:
    return Step(message.kind, message.sender_side, message.body, message.created, identity)


def _undelivered(case: Case, row: StoredStanding, pending: Sequence[Placed]) -> str:
    """Say how a case stands of which nothing has been delivered."""
    if row.state == ABANDONED:
        return row.state  # abandoned; a late receipt gives it a standing
    if case.side == "requested":
        return "SENT"  # what opens it was given up by its sender, and may come again
    waits = any(one.step.event == OPENS for one in pending)
    if not waits:
        return "UNDELIVERABLE"
    return row.state if row.state in NOT_DELIVERED else "SENT"


def _references(placed: Placed) -> Mapping[str, str]:
    """Take the sender's own reference out of the messages that give it."""
    found: Json = placed.step.body.get("own_ref")
    if placed.step.event not in _NAMES_OWN_REFERENCE or not isinstance(found, str) or not found:
        return {}
    return {"own_ref" if placed.ours else "peer_ref": found[:_REFERENCE_CHARS_MAX]}
