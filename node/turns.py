"""Whose turn it is in a case: the numbers of a message that has just come (SPEC 4.2, 4.3).

    lacking = check_turn(conn, case, signed)      # raises unless the message is the next one

Asked inside the unit of work that accepts the message, under the lock on its case. Looks at
frames alone: what a message says, and what it does to its case, nobody asks here.
"""

from __future__ import annotations

from node.storage import Connection, case_rows
from node.storage.case_rows import Case
from protocol.errors import Equivocation, OutOfOrder, Skipped, UnknownCase
from protocol.messages import AuthenticMessage, Message


def check_turn(conn: Connection, case: Case | None, signed: AuthenticMessage) -> list[str]:
    """Check seq, prev and order; gives the skipped messages that we lack."""
    message = signed.message
    if case is None:
        if message.sender_side != "requesting":
            raise UnknownCase("a first message from the requested side")
        last, last_identity, known = 0, None, set[str]()
    else:
        _check_case(case, message)
        known = case_rows.known_skips(conn, case.id, [signed.identity, *message.skips])
        if signed.identity in known:
            raise Skipped("its sender gave it up in a later message")
        last, last_identity = case.accepted_seq, case.accepted_identity
    accepted = case_rows.find_messages(conn, message.skips, "in")
    lacking = [one for one in message.skips if one not in known and one not in accepted]
    if message.seq <= last:
        raise Equivocation("another message was accepted for this number")
    if message.seq != last + 1 + len(lacking):
        raise OutOfOrder(f"number {message.seq} after {last} with {len(lacking)} skipped")
    if message.prev != (lacking[-1] if lacking else last_identity):
        raise OutOfOrder("it does not continue the message that was accepted before it")
    if case is not None:
        _check_order(conn, case, message)
    return lacking


def _check_case(case: Case, message: Message) -> None:
    if case.peer != message.sender:
        raise UnknownCase("a message in a case between other authorities")
    if not case.wrapped_key:
        raise UnknownCase("a message in a case that was erased here")


def _check_order(conn: Connection, case: Case, message: Message) -> None:
    """Check that an order number is free, and that the counter it is of has not gone back.

    Else who numbers a case could have all of it judged anew with every message.
    """
    if message.order is None or message.order > case.order_last:
        return
    if case_rows.order_holder(conn, case.id, message.order) is not None:
        raise Equivocation("its order number was given to another message")
    before = case_rows.find_messages(conn, [case.accepted_identity or ""], "in")
    if any(message.order < (one.order_number or 0) for one in before.values()):
        raise Equivocation("its order number is lower than that of the message before it")
