"""People for tests: whom `act()` is told of, and whom a node knows by an access key.

    act(desk, "case.list", {}, person=ANNA)
    settle_in(settings)                    # Anna has a key, in the node's folder
    environment = key_for(folder, "case", "list")

Anna works on cases in every role that one person can have together; the administrator is the
one whom every node has built in. `settle_in` adds Anna with her records, as an audit wants
them; `tests/node/access` adds people as people do.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from keys.keyfile import read_key_file
from node.access.people import built_in, words
from node.access.roles import CASEWORK, Person, Role
from node.app import Node, open_node
from node.audit.people_records import KeyMade, UserChanged
from node.desk import VERBS
from node.settings import Settings
from node.storage import Connection, key_rows, people_rows
from node.storage.key_rows import AccessKey, key_digest
from node.storage.people_rows import User
from node.storage.person_rows import person_id
from node.storage.writer import Tx
from tests.support.keyfiles import PASSPHRASE

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


def add_user(conn: Connection, person: Person, at: int = 0) -> None:
    """Put a person into the rows, as if they had been added and confirmed."""
    assert person.id is not None
    roles = words(person.roles)
    user = User(person.id, person.name, None, roles, "active", None, None, at, confirmed_at=at)
    people_rows.insert_user(conn, user)


def join(tx: Tx, network: str, person: Person) -> None:
    """Add a person with the record that an audit wants to see."""
    assert person.id is not None
    raw = bytes.fromhex(person.id)
    person_id(tx.conn, person.name, lambda _: raw)
    add_user(tx.conn, person, tx.now)
    tx.record(
        UserChanged(network, tx.now, person.id, words(person.roles), "active", None, None, by=None)
    )


def settle_in(settings: Settings, node: Node | None = None) -> Path:
    """Let Anna work at a node: gives the file with her access key. `node` is it, if it is open."""
    if node is not None:
        node.writer.write_now(lambda tx: _settle(tx, settings.network))
    else:
        opened = open_node(settings, read_key_file(settings.keys.file, PASSPHRASE))
        opened.writer.write_now(lambda tx: _settle(tx, settings.network))
        opened.close()
    file = settings.folder / KEY_FILE
    file.touch(mode=0o600)
    file.write_text(KEY + "\n")
    return file


def _settle(tx: Tx, network: str) -> None:
    assert ANNA.id is not None
    join(tx, network, ANNA)
    key = AccessKey(key_digest(KEY), ANNA.id, "desk", "", None, tx.now, tx.now + _LONG_S * 10)
    key_rows.insert_key(tx.conn, key)
    tx.record(KeyMade(network, tx.now, key.digest, ANNA.id, "", key.expires, by=None))


def key_for(folder: Path, *command: str) -> Mapping[str, str]:
    """Give the variable with which a command is Anna's, if it is about cases and she is there."""
    of_cases = command[:1] and (command[0] in _OF_CASES or command[:2] == ("audit", "bundle"))
    file = folder / KEY_FILE
    return {"COMITY_KEY_FILE": str(file)} if of_cases and file.exists() else {}
