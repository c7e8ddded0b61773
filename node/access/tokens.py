"""Access keys: by which a person, or a program of theirs, is known without a Unix user.

A key is shown once and stored as its digest. A person makes their own; who has no key yet
gets one from an administrator that is good for that alone, and once: an administrator never
holds a key that opens a case. Scopes narrow what the person may, and never widen it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from node.access.faults import NotAllowed
from node.access.people import ENROL, READ, person_of, roles_of, words
from node.access.roles import Person
from node.audit.faults import NotHere
from node.audit.people_records import KeyEnded, KeyMade
from node.storage import key_rows
from node.storage.key_rows import AccessKey, key_digest, make_key
from node.storage.people_rows import User, read_user
from node.storage.writer import Tx
from protocol.errors import Malformed

DAYS_MAX: Final = 365
ENROL_DAYS: Final = 7
_DAY_S: Final = 86_400


def make_own(
    tx: Tx, network: str, person: Person, *, name: str, scopes: frozenset[str], days: int,
    random: Callable[[int], bytes],
) -> tuple[str, AccessKey]:  # fmt: skip
    """Make a key of the person who asks; gives its text, which nobody can give again."""
    user = None if person.id is None else read_user(tx.conn, person.id)
    if user is None or user.state != "active":
        raise NotAllowed("a key is somebody's: add yourself with `comity user add` first")
    kept = _narrowed(person, user, scopes)
    if person.enrols_with is not None:
        _end(tx, network, person.enrols_with, user.person)
    return _make(tx, network, user, name=name, scopes=kept, days=days, random=random)


def make_enrolling(
    tx: Tx, network: str, user: User, *, random: Callable[[int], bytes]
) -> tuple[str, AccessKey]:
    """Make a key with which a person makes their own first one, and nothing else."""
    name = f"first of {user.login}"
    for one in key_rows.keys_of(tx.conn, user.person):
        if one.scopes == ENROL and one.ended_at is None:
            _end(tx, network, one.digest, user.person)  # of two, one may be in wrong hands
    return _make(tx, network, user, name=name, scopes=ENROL, days=ENROL_DAYS, random=random)


def _make(
    tx: Tx, network: str, user: User, *, name: str, scopes: str, days: int,
    random: Callable[[int], bytes],
) -> tuple[str, AccessKey]:  # fmt: skip
    held = key_rows.keys_of(tx.conn, user.person)
    if any(one.name == name and one.ended_at is None and one.expires > tx.now for one in held):
        raise Malformed("there is a key of that name: end it first, or choose another")
    text = make_key(random)
    key = AccessKey(
        key_digest(text), user.person, name, scopes, tx.by, tx.now, tx.now + days * _DAY_S
    )
    key_rows.insert_key(tx.conn, key)
    tx.record(KeyMade(network, tx.now, key.digest, user.person, scopes, key.expires, by=tx.by))
    return text, key


def _narrowed(person: Person, user: User, scopes: frozenset[str]) -> str:
    """Give the scopes to keep: what is asked for, within what the person came with."""
    asked = roles_of(" ".join(scopes - {READ}))
    if not asked <= person.roles:
        raise NotAllowed("a key cannot do more than its owner: leave out roles that you lack")
    if not asked and person.roles != person_of(user).roles:
        asked = person.roles  # whoever came with a narrow key makes no wider one
    read = [READ] if READ in scopes else []
    return " ".join([*words(asked).split(), *read])


def end_key(tx: Tx, network: str, user: User, name: str) -> AccessKey:
    """End a key of a person by its name."""
    for one in key_rows.keys_of(tx.conn, user.person):
        if one.name == name and one.ended_at is None:
            _end(tx, network, one.digest, user.person)
            return one
    raise NotHere("there is no such key: `comity key list` shows which there are")


def _end(tx: Tx, network: str, digest: str, person: str) -> None:
    key_rows.change_key(tx.conn, digest, ended_at=tx.now)
    tx.record(KeyEnded(network, tx.now, digest, person, by=tx.by))
