"""The row modules on both databases: what their statements promise, and nothing beside it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from node.storage import case_rows, log_rows, peer_rows, queue_rows
from node.storage.case_rows import Case, Refusal, StoredMessage
from node.storage.engine import Database
from node.storage.log_rows import Head
from node.storage.queue_rows import QueueState, Waiting
from node.storage.statements import Change, change_many
from node.storage.tables import messages

CASE_ID = "fj.justice/" + "ab" * 16
CASE = Case(CASE_ID, "requesting", "qm.justice", "MLA", "SENT", 1, 1, "1" * 32, b"key")
MESSAGE = StoredMessage(
    "aa" * 32, CASE_ID, "out", 1, None, "transmit", 1, 9, 1, "queued", 1, b"sealed"
)
WAITING = Waiting(
    0, "qm.justice", MESSAGE.identity, "cc" * 32, "dd" * 32, b"COMITY-1", 1, 9, 0, None
)


def with_case(database: Database) -> None:
    """Store a case with one message."""

    def store(conn: Connection) -> None:
        case_rows.insert_case(conn, CASE)
        case_rows.insert_message(conn, MESSAGE)

    database.transact(store)


def test_a_nonce_is_taken_once_for_each_key(database: Database) -> None:
    """The second time is False, and what else the transaction did stays."""

    def take(conn: Connection) -> list[bool]:
        peer_rows.write_setting(conn, "beside", "kept")
        pairs = (("a", "1"), ("a", "1"), ("b", "1"), ("a", "2"))
        return [peer_rows.take_nonce(conn, key * 64, nonce, 100) for key, nonce in pairs]

    assert database.transact(take) == [True, False, True, True]
    assert database.read(lambda conn: peer_rows.read_setting(conn, "beside")) == "kept"
    database.transact(lambda conn: peer_rows.drop_nonces(conn, 100))
    assert database.transact(take)[0] is False
    database.transact(lambda conn: peer_rows.drop_nonces(conn, 10_000))
    assert database.transact(take)[0] is True


@pytest.mark.parametrize(
    ("part", "found"),
    [
        (CASE_ID, [CASE_ID]),
        ("abab", [CASE_ID]),
        ("ABAB", [CASE_ID]),
        ("fj.justice", [CASE_ID]),
        ("fj.justice/aba", [CASE_ID]),
        ("ab" * 16, [CASE_ID]),
        ("b", []),
        ("%", []),
        ("_bab", []),
        ("\\", []),
        ("fj.justice/abab%", []),
        ("'; DROP TABLE cases; --", []),
        ("", []),
    ],
)
def test_a_case_is_found_by_the_beginning_of_its_id_or_of_its_random_half(
    database: Database, part: str, found: list[str]
) -> None:
    """No wildcard of the caller's counts, and no word of SQL."""
    with_case(database)
    assert database.read(lambda conn: case_rows.find_cases(conn, part)) == found


def test_two_messages_cannot_have_one_place_in_a_case(database: Database) -> None:
    """The database refuses what the code should never ask for."""
    with_case(database)
    second = replace(MESSAGE, identity="bb" * 32)
    with pytest.raises(IntegrityError):
        database.transact(lambda conn: case_rows.insert_message(conn, second))
    other = replace(second, direction="in", state="accepted")
    database.transact(lambda conn: case_rows.insert_message(conn, other))


def test_a_message_of_no_case_cannot_be_stored(database: Database) -> None:
    """Foreign keys are on."""
    with pytest.raises(IntegrityError):
        database.transact(lambda conn: case_rows.insert_message(conn, MESSAGE))


def test_given_up_are_own_messages_that_never_arrived_oldest_first(database: Database) -> None:
    """Not those that wait, that arrived, or that came in."""
    states = ["undelivered", "queued", "refused", "delivered", "undelivered"]
    with_case(database)

    def store(conn: Connection) -> list[str]:
        for seq, state in reversed(list(enumerate(states, 2))):
            row = replace(MESSAGE, identity=f"{seq:064x}", seq=seq, state=state)
            case_rows.insert_message(conn, row)
        return case_rows.given_up(conn, CASE_ID)

    assert database.transact(store) == [f"{seq:064x}" for seq in (2, 4, 6)]


def test_many_changes_are_made_and_only_where_they_belong(database: Database) -> None:
    """Of one table and of several sets of columns, in one go."""
    with_case(database)
    other = replace(MESSAGE, identity="bb" * 32, seq=2)

    def store(conn: Connection) -> None:
        case_rows.insert_message(conn, other)
        change_many(conn, [
            Change(messages, {"identity": MESSAGE.identity}, {"state": "delivered"}),
            Change(messages, {"identity": other.identity}, {"state": "refused"}),
            Change(
                messages, {"identity": other.identity},
                {"receipt": b"r", "log": 1, "log_position": 7},
            ),
            Change(messages, {"identity": "ee" * 32}, {"state": "refused"}),
        ])  # fmt: skip

    database.transact(store)
    found = database.read(
        lambda conn: case_rows.find_messages(
            conn, [MESSAGE.identity, other.identity, "ee" * 32], "out"
        )
    )
    assert {one.identity: (one.state, one.receipt, one.log_position) for one in found.values()} == {
        MESSAGE.identity: ("delivered", None, None),
        other.identity: ("refused", b"r", 7),
    }


def test_looking_for_none_finds_none(database: Database) -> None:
    """An empty list is not everything."""
    with_case(database)

    def look(conn: Connection) -> list[object]:
        return [
            case_rows.find_messages(conn, [], "out"),
            case_rows.find_refusals(conn, []),
            case_rows.identities_of_envelopes(conn, []),
            case_rows.lock_cases(conn, []),
            case_rows.known_skips(conn, CASE_ID, []),
        ]

    assert not any(database.transact(look))
    database.transact(lambda conn: queue_rows.delete_waiting(conn, []))


def test_a_refusal_is_stored_once_and_gets_its_proof(database: Database) -> None:
    """Its bytes come back as they were."""
    refusal = Refusal("ff" * 32, "expired", 5)

    def store(conn: Connection) -> None:
        case_rows.insert_refusal(conn, refusal)
        change_many(conn, [case_rows.refusal_change(refusal.identity, b"\x00\xffproof")])

    database.transact(store)
    found = database.read(lambda conn: case_rows.find_refusals(conn, [refusal.identity]))
    assert found == {refusal.identity: replace(refusal, proof=b"\x00\xffproof")}
    with pytest.raises(IntegrityError):
        database.transact(lambda conn: case_rows.insert_refusal(conn, refusal))


def test_a_hint_is_noted_only_in_the_queue_of_the_peer_that_gave_it(database: Database) -> None:
    """Tonga's word about what waits for Qumran is nobody's."""
    with_case(database)
    database.transact(lambda conn: queue_rows.insert_waiting(conn, WAITING))
    for peer, attempts in (("to.justice", 0), ("qm.justice", 1)):
        database.transact(
            lambda conn, peer=peer: queue_rows.note_attempt(  # type: ignore[misc]  # mypy cannot type it
                conn, peer, [WAITING.identity], "busy"
            )
        )
        (found,) = database.read(lambda conn: queue_rows.list_waiting(conn, "qm.justice"))
        assert found.attempts == attempts


def test_one_message_waits_once(database: Database) -> None:
    """However often it is queued."""
    with_case(database)
    database.transact(lambda conn: queue_rows.insert_waiting(conn, WAITING))
    with pytest.raises(IntegrityError):
        database.transact(lambda conn: queue_rows.insert_waiting(conn, WAITING))


def test_a_queue_is_written_over_and_read_back(database: Database) -> None:
    """A peer without one has a fresh one."""
    state = QueueState("qm.justice", 5, 2, "busy", 3, 4, "me", 9)
    assert database.read(lambda conn: queue_rows.read_queue(conn, "qm.justice")) == QueueState(
        "qm.justice"
    )
    for one in (replace(state, failures=1), state):
        database.transact(lambda conn, one=one: queue_rows.write_queue(conn, one))  # type: ignore[misc]  # mypy cannot type it
    assert database.read(queue_rows.list_queues) == [state]


def test_the_head_of_a_log_moves_from_exactly_where_it_was(database: Database) -> None:
    """Compare-and-swap on size and root."""
    old, new = Head("o", 1, b"r" * 32, b"c1"), Head("o", 2, b"s" * 32, b"c2")
    database.transact(lambda conn: log_rows.insert_head(conn, old))
    for wrong in (replace(old, size=2), replace(old, root=b"x" * 32), replace(old, origin="p")):
        moved = database.transact(lambda conn, wrong=wrong: log_rows.replace_head(conn, wrong, new))  # type: ignore[misc]  # mypy cannot type it
        assert moved is False
    assert database.transact(lambda conn: log_rows.replace_head(conn, old, new)) is True
    assert database.read(lambda conn: log_rows.read_head(conn, "o")) == new


def test_a_place_in_the_log_is_given_once(database: Database) -> None:
    """Two entries at one position are refused by the database."""
    entry = (1, 0, b"c" * 32, "log.opened", 1, b"record", b"s" * 32)
    database.transact(lambda conn: log_rows.insert_entries(conn, [entry]))
    with pytest.raises(IntegrityError):
        database.transact(lambda conn: log_rows.insert_entries(conn, [entry]))


def test_entries_are_read_in_order_however_many_there_are(database: Database) -> None:
    """Across the borders of what is read at once."""
    rows = [(1, n, n.to_bytes(32), "k", 1, b"r", b"s" * 32) for n in range(2_050)]
    database.transact(lambda conn: log_rows.insert_entries(conn, rows[::-1]))
    found = database.read(lambda conn: list(log_rows.iterate_entries(conn, 1, 1)))
    assert [one.position for one in found] == list(range(1, 2_050))
