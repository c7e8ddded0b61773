"""People for tests: whom `act()` is told of, and whom a node knows by an access key.

    act(desk, "case.list", {}, person=ANNA)
    settle_in(settings)                    # Anna has a key, in the node's folder
    environment = key_for(folder, "case", "list")

Anna works on cases in every role that one person can have together; the administrator is the
one whom every node has built in. `settle_in` puts Anna into the rows alone, so that a log in a
test holds nothing but what the test is about; `tests/node/access` adds people as people do.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from node.access.people import built_in, words
from node.access.roles import CASEWORK, Person, Role
from node.desk import VERBS
from node.settings import Settings
from node.storage import Connection, key_rows, people_rows
from node.storage.engine import open_database
from node.storage.key_rows import AccessKey, key_digest
from node.storage.people_rows import User
from node.storage.person_rows import person_id

ANNA = Person("anna", CASEWORK, "aa" * 16)
ADMIN = built_in(os.geteuid())
KEY_FILE = "office.key"
KEY = "comity_" + "A" * 43
_LONG_S = 10 * 365 * 86_400
_OF_CASES = frozenset({"request", "case", "draft", "work", "statistics", "evidence"})


def person_for(verb: str) -> Person:
    """Give who may give this verb: Anna if she may, else the administrator."""
    one = VERBS.get(verb)
    return ADMIN if one is not None and not ANNA.holds(one.may) else ANNA


def somebody(name: str, *roles: Role) -> Person:
    """Give a person with these roles, whom no row knows."""
    return Person(name, frozenset(roles), name.encode().hex().ljust(32, "0")[:32])


def add_user(conn: Connection, person: Person) -> None:
    """Put a person into the rows, as if they had been added and confirmed."""
    assert person.id is not None
    user = User(person.id, person.name, None, words(person.roles), "active", None, None, 0)
    people_rows.insert_user(conn, user)


def settle_in(settings: Settings) -> Path:
    """Let Anna work at a node: gives the file with her access key."""
    database = open_database(settings.database.url.get_secret_value())
    try:
        database.transact(_settle)
    finally:
        database.close()
    file = settings.folder / KEY_FILE
    file.touch(mode=0o600)
    file.write_text(KEY + "\n")
    return file


def _settle(conn: Connection) -> None:
    known = person_id(conn, ANNA.name, lambda _: bytes.fromhex("aa" * 16))
    add_user(conn, Person(ANNA.name, ANNA.roles, known))
    key_rows.insert_key(conn, AccessKey(key_digest(KEY), known, "desk", "", None, 0, _LONG_S * 10))


def key_for(folder: Path, *command: str) -> Mapping[str, str]:
    """Give the variable with which a command is Anna's, if it is about cases and she is there."""
    of_cases = command[:1] and (command[0] in _OF_CASES or command[:2] == ("audit", "bundle"))
    file = folder / KEY_FILE
    return {"COMITY_KEY_FILE": str(file)} if of_cases and file.exists() else {}
