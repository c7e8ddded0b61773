"""A database with many cases, made in bulk: as much as a node writes, in a hundredth of its time.

    many = Many(cases=100_000, messages=1_000_000)
    fill(node, many)

Texts are sealed under the keys of their cases, and words are keyed as in use; only the signed
statements inside are a few hundred that repeat and carry one signature that takes the least
room, since nothing here verifies them. The same numbers give the same cases. Names are made up
of syllables. Indexes that are not in the order of the rows are made at the end.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

from sqlalchemy import Table

from keys.pairs import pair_from_seeds
from node.app import Node
from node.cases.facts import sum_name
from node.cases.search import WordIndex
from node.cases.words import words_in
from node.storage import Connection, waiting_rows
from node.storage.engine import Database
from node.storage.statements import Value, insert_rows
from node.storage.tables import (
    case_links,
    case_members,
    case_offences,
    case_sums,
    case_words,
    cases,
    clocks,
    messages,
    persons,
    standings,
    users,
    waiting,
)
from node.storage.vault import Vault
from protocol.encoding import Json
from protocol.messages import Message, sign_message

DAY_S: Final = 86_400
YEARS: Final = 5
PEOPLE: Final = 60
PEERS: Final = tuple(f"{letter}a.justice" for letter in "abcdeghijkl")
PEER: Final = "qm.justice"
KINDS: Final = (
    "MLA_EVIDENCE", "MLA_BANK_RECORDS", "MLA_SERVICE", "MLA_SEARCH_SEIZURE", "FREEZING",
    "PRESERVATION", "EXTRADITION", "SPONTANEOUS", "INFORMAL_INQUIRY",
)  # fmt: skip
BASES: Final = ("UNCAC", "UNTOC", "BUDAPEST", "SADC_MLA_2002", "BILATERAL", "RECIPROCITY")
OFFENCES: Final = ("15-a", "15-b", "16-1", "17", "23-1-a-i", "23-1-a-ii", "25-a")
LANGUAGES: Final = ("en", "fr", "es", "pt", "ar", "ru", "zh")
GROUNDS: Final = ("46-21-a", "46-21-b", "46-9-b-dc")
_STATES: Final = (
    ("DELIVERED", 5), ("ACKNOWLEDGED", 15), ("INFO_REQUESTED", 5), ("ACCEPTED", 5),
    ("IN_EXECUTION", 15), ("POSTPONED", 3), ("EXECUTED", 10), ("REFUSED", 5), ("CLOSED", 37),
)  # fmt: skip
_EVENTS: Final = (
    "transmit", "acknowledge", "request_information", "provide_information", "accept",
    "assign_execution", "note", "send_partial_result", "send_final_result", "confirm_result",
)  # fmt: skip
_SYLLABLES: Final = (
    "ba", "ko", "ri", "san", "tu", "me", "lo", "fa", "ni", "del", "mar", "qui", "zo", "pe", "hal",
    "vor",
)  # fmt: skip
_AT_ONCE: Final = 4_096
NAMES: Final = 20_000
_TEXTS: Final = 40  # of each event

_FILLED: Final = (
    case_links, case_members, case_words, cases, clocks, messages, standings, waiting,
)  # fmt: skip

Row: TypeAlias = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Many:
    """How many there are to be."""

    cases: int
    messages: int


def name_of(number: int) -> str:
    """Give one of the made-up names, always the same for its number."""
    parts = []
    for _ in range(4):
        number, place = divmod(number, len(_SYLLABLES))
        parts.append(_SYLLABLES[place])
    return "".join(parts)


def fill(node: Node, many: Many) -> None:
    """Put the cases into the database of a node whose storage is empty."""
    database = node.database
    made = _Maker(node, many, random.Random(1))
    later = [index for table in _FILLED for index in table.indexes]
    for index in later:
        database.transact(index.drop)
    for number in range(PEOPLE):
        made.add_person(number)
    for number in range(many.cases):
        made.add_case(number)
    made.flush()
    words = sorted(made.words)
    made.words.clear()
    _insert(node, case_words, ("word", "case_id"), words)
    for index in later:
        database.transact(index.create)
    _analyze(database)
    database.transact(waiting_rows.add_all)
    _analyze(database)


def _analyze(database: Database) -> None:
    """Let PostgreSQL look at what there is, as its own autovacuum does soon after."""
    if database.dialect == "postgresql":
        database.transact(lambda conn: conn.exec_driver_sql("ANALYZE"))


def _insert(node: Node, table: Table, names: tuple[str, ...], rows: Sequence[Row]) -> None:
    def work(conn: Connection, start: int) -> None:
        for place in range(start, min(start + 16 * _AT_ONCE, len(rows)), _AT_ONCE):
            insert_rows(conn, table, names, rows[place : place + _AT_ONCE])

    for start in range(0, len(rows), 16 * _AT_ONCE):
        node.database.transact(partial(work, start=start))


class _Maker:
    """Makes rows, and stores them many at a time."""

    def __init__(self, node: Node, many: Many, chance: random.Random) -> None:
        """Make the few texts that all messages have."""
        self._node, self._many, self._chance = node, many, chance
        self._own = node.settings.authority
        self._vault: Vault = node.register.vault
        self._index = WordIndex(self._vault)
        self._signer = next(iter(pair_from_seeds("sign", (b"1" * 32, b"2" * 32))))
        self._texts = {event: [self._text(event) for _ in range(_TEXTS)] for event in _EVENTS}
        self._digests: dict[str, bytes] = {}
        self._rows: dict[str, tuple[Table, tuple[str, ...], list[Row]]] = {}
        self._messages = 0
        self._per_case = max(1, many.messages // many.cases)
        self._now = node.clock.now()
        self._states = random.Random(2).choices(
            [state for state, _ in _STATES], [share for _, share in _STATES], k=997
        )
        self.words: list[tuple[bytes, str]] = []

    def _text(self, event: str) -> bytes:
        """Sign one message of this event; its case is another, which nobody looks at here."""
        body: dict[str, Json] = {
            "text": " ".join(name_of(self._chance.randrange(NAMES)) for _ in range(60)),
            "persons": [{"name": name_of(self._chance.randrange(NAMES))}],
        }
        message = Message(
            network=self._node.settings.network, epoch=1, sender=PEER, recipient=self._own,
            case=f"{PEER}/{'0' * 32}", seq=1, prev=None, seen=None, order=None, salt=bytes(32),
            created=1, expires=2, kind=event, body=body,
        )  # fmt: skip
        return sign_message(message, [self._signer]).inner

    def add_person(self, number: int) -> None:
        """Add one of the authority's people."""
        person = person_of(number)
        self._add(persons, id=person, name=f"person-{number}")
        self._add(
            users, person=person, login=f"person-{number}", uid=90_000 + number,
            roles="case-officer central-authority-officer" if number == 0 else "case-officer",
            state="active", asked_at=1, mailing="now",
        )  # fmt: skip

    def add_case(self, number: int) -> None:
        """Add a case, with all that a node keeps of it."""
        chance = self._chance
        ours = number % 2 == 0
        peer = PEERS[number % len(PEERS)]
        # Ids ascend, so that a database takes them as fast as it can.
        case_id = f"{self._own if ours else peer}/{number:08x}{chance.randbytes(12).hex()}"
        opened = self._now - int(YEARS * 365 * DAY_S * (1 - number / self._many.cases))
        wrapped = self._vault.new_key(case_id)
        state = self._states[number % len(self._states)]
        self._add(
            cases, id=case_id, side="requesting" if ours else "requested", peer=peer,
            request_kind=KINDS[number % len(KINDS)], state=state, opened_at=opened,
            changed_at=opened + chance.randrange(60 * DAY_S), log_id=chance.randbytes(16).hex(),
            wrapped_key=wrapped, sent_seq=0, sent_identity=None, accepted_seq=0,
            accepted_identity=None, order_last=self._per_case,
        )  # fmt: skip
        self._add_standing(case_id, number, opened, state)
        for place in range(self._per_case):
            self._add_message(case_id, wrapped, place, opened)
        self._add_beside(case_id, number, opened, wrapped)
        if number % 2_000 == 1_999:
            self.flush(at_least=4 * _AT_ONCE)

    def _add_standing(self, case_id: str, number: int, opened: int, state: str) -> None:
        ended = state in {"CLOSED", "REFUSED"}
        outcome = {"CLOSED": "FULL", "EXECUTED": "PARTIAL", "REFUSED": "REFUSED"}.get(state)
        self._add(
            standings, case_id=case_id, machine="request", state=state, applied=self._per_case,
            standing=f'{{"kind":"MLA_EVIDENCE","machine":"request","state":"{state}"}}', on_wire=1,
            own_ref=f"CA/{2020 + number % 7}/{number:06}", peer_ref=f"REF-{number * 7:07}",
            officer=person_of(number % PEOPLE), basis=BASES[number % len(BASES)], effect="ADVANCE",
            urgency="URGENT" if number % 6 == 0 else "ROUTINE",
            language=LANGUAGES[number % len(LANGUAGES)], outcome=outcome,
            ground=GROUNDS[number % len(GROUNDS)] if state in {"REFUSED", "POSTPONED"} else None,
            delivered_at=opened + 60, acknowledged_at=opened + number % (14 * DAY_S),
            decided_at=opened + number * 37 % (90 * DAY_S) if outcome else None,
            executed_at=opened + number * 71 % (300 * DAY_S) if outcome in {"FULL", "PARTIAL"}
            else None, ended_at=opened + 300 * DAY_S if ended else None,
        )  # fmt: skip

    def _add_message(self, case_id: str, wrapped: bytes, place: int, opened: int) -> None:
        self._messages += 1
        identity = f"{self._messages:016x}{self._chance.randbytes(24).hex()}"
        kind = _EVENTS[place % len(_EVENTS)]
        text = self._texts[kind][self._chance.randrange(_TEXTS)]
        self._add(
            messages, identity=identity, case_id=case_id, direction="in", seq=place + 1,
            order_number=place + 1, kind=kind, created=opened + place * DAY_S,
            expires=opened + place * DAY_S + 30 * DAY_S, epoch=1, state="accepted",
            changed_at=opened + place * DAY_S,
            sealed_text=self._vault.seal(case_id, wrapped, identity, text),
        )  # fmt: skip

    def _add_beside(self, case_id: str, number: int, opened: int, wrapped: bytes) -> None:
        chance = self._chance
        for offence in {OFFENCES[number % len(OFFENCES)], OFFENCES[number % 3]}:
            self._add(case_offences, case_id=case_id, code=offence)
        if number % 10 == 0:
            name = sum_name(case_id, "FROZEN", "XTS")
            amount = self._vault.seal(case_id, wrapped, name, b"1000.50")
            self._add(
                case_sums, case_id=case_id, stage="FROZEN", currency="XTS", sealed_amount=amount
            )
        for person in {person_of(chance.randrange(PEOPLE)) for _ in range(2)}:
            self._add(case_members, case_id=case_id, person=person, level="reader", added_at=opened)
        for name, ended in (("acknowledgement", 0), ("decision", None)):
            due = self._now + chance.randrange(-20 * DAY_S, 200 * DAY_S)
            waits = number % 10 < 6 and ended is None
            self._add(
                clocks, id=2 * number + (ended is None) + 1, case_id=case_id, name=name,
                waits_for=("us", "them")[number % 2],
                rule="default", started_at=opened, due_at=due,
                warn_at=due - 3 * DAY_S if waits else None,
                ended_at=None if waits else opened + DAY_S, ended_how=None if waits else "done",
            )  # fmt: skip
        words = words_in("transmit", {
            "own_ref": f"CA/{2020 + number % 7}/{number:06}", "text": "request for evidence",
            "persons": [{"name": name_of(chance.randrange(NAMES))} for _ in range(12)],
        })  # fmt: skip
        self.words += [(self._digest(word), case_id) for word in words]

    def _digest(self, word: str) -> bytes:
        if word not in self._digests:
            self._digests[word] = self._index.digest(word)
        return self._digests[word]

    def _add(self, table: Table, **values: Value) -> None:
        names = tuple(values)
        place = self._rows.setdefault(table.name, (table, names, []))
        place[2].append(tuple(values.values()))

    def flush(self, *, at_least: int = 0) -> None:
        """Store what was made, if it is so many messages at least."""
        if len(self._rows["messages"][2]) < at_least:
            return
        for table, names, rows in self._rows.values():
            _insert(self._node, table, names, rows)
            rows.clear()


def person_of(number: int) -> str:
    """Give the id of one of the authority's people."""
    return f"{number:032x}"
