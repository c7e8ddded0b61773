"""Our people: who they are when they ask, and how their roles change.

    person = identify(conn, Caller(uid=1003), owner=os.geteuid(), now=now)
    asked = ask_change(tx, network, login, Wish(roles=frozenset({Role.INTAKE})), random)

Whoever gives somebody a role could give it to themself. So a change of roles, of the Unix
user, and an end waits until a second person confirms exactly it, as soon as two people are
there who could confirm; while there is one or none, it takes effect at once, for nobody else
could be asked. The Unix user that the node runs as is an administrator until somebody is
mapped to it; it confirms only where else nobody could. Knows no verb and no case.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from node.access.faults import NotAllowed, NotKnown
from node.access.roles import AUDITING, CASEWORK, CONFIRMING, RUNNING, Person, Role
from node.audit.faults import NotHere
from node.audit.people_records import UserAsked, UserAway, UserChanged, UserReached
from node.storage import Connection, key_rows, people_rows
from node.storage.people_rows import User
from node.storage.person_rows import person_id
from node.storage.writer import Tx
from protocol.digest import sha256_hex
from protocol.encoding import Fields, Json, canonical, decode
from protocol.errors import Malformed, Rejected

NOBODY_UIDS: Final = frozenset({65_534, 65_535, 2**32 - 1})
"""What the kernel says instead of a user that it may not name here: it could be anybody."""

LOGIN: Final = re.compile(r"[a-z][a-z0-9._-]{0,31}")
READ: Final = "read"  # the scope of a key that is good for reading alone
ENROL: Final = "enrol"  # the scope of a key with which a person makes their first own one
_MATTER_CHARS: Final = 16
_WANTED_BYTES_MAX: Final = 4_096
_AWAY_DAYS_MAX: Final = 366
_DAY_S: Final = 86_400
_UNKNOWN: Final = "nobody is called that here; `comity user list` shows who there is"


@dataclass(frozen=True, slots=True)
class Caller:
    """What is known of whoever asks: the Unix user at the socket, or the key they sent."""

    uid: int | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What shall be so of a person from now on."""

    roles: frozenset[Role]
    uid: int | None = None
    ends: bool = False

    def encode(self) -> str:
        """Give the text that is kept while it waits."""
        state = "ended" if self.ends else "active"
        wish: dict[str, Json] = {"roles": words(self.roles), "uid": self.uid, "state": state}
        return canonical(wish).decode("ascii")


# --- who asks ----------------------------------------------------------------


def identify(conn: Connection, caller: Caller, *, owner: int, now: int) -> Person:
    """Say who asks, or raise `NotKnown`. `owner` is the Unix user that the node runs as."""
    if caller.key is not None:
        return _of_key(conn, caller.key, now)
    uid = -1 if caller.uid is None or caller.uid in NOBODY_UIDS else caller.uid
    user = people_rows.user_of_uid(conn, uid)
    if user is not None and user.state == "active":
        return person_of(user)
    if user is None and uid in {0, owner}:
        return built_in(uid)
    raise NotKnown(
        "the node knows nobody who is this user of the machine: an administrator adds you "
        f"(`comity user add NAME --uid {uid} --role …`), or name a key with --key-file"
        if uid >= 0
        else "the node cannot tell which user of the machine you are: name a key with --key-file"
    )


def built_in(uid: int) -> Person:
    """Give the administrator that a node has before anybody is added."""
    return Person(f"uid {uid}", RUNNING)


def person_of(user: User) -> Person:
    """Give a person as a verb sees them, with all their roles."""
    return Person(user.login, roles_of(user.roles), user.person)


def _of_key(conn: Connection, text: str, now: int) -> Person:
    key = key_rows.valid_key(conn, text, now)
    user = None if key is None else people_rows.read_user(conn, key.person)
    if key is None or user is None or user.state != "active":
        raise NotKnown(
            "this access key opens nothing: it was ended, its time is over, or it is mistyped; "
            "`comity key make` makes another"
        )
    person = person_of(user)
    scopes = frozenset(key.scopes.split())
    narrowed = scopes - {READ, ENROL}
    return replace(
        person,
        roles=person.roles & roles_of(" ".join(narrowed)) if narrowed else person.roles,
        reads_only=READ in scopes,
        enrols_with=key.digest if ENROL in scopes else None,
    )


# --- roles -------------------------------------------------------------------


def roles_of(text: str) -> frozenset[Role]:
    """Read roles from their words; raises `Malformed` for a word that is none."""
    try:
        return frozenset(Role(word) for word in text.split())
    except ValueError:
        known = ", ".join(Role)
        raise Malformed(f"there is no such role; the roles are {known}") from None


def words(roles: frozenset[Role]) -> str:
    """Write roles as words."""
    return " ".join(sorted(roles))


def _check_roles(roles: frozenset[Role]) -> None:
    """Refuse roles that one person must not have together."""
    groups = (CASEWORK, AUDITING, RUNNING)
    if not roles:
        raise Malformed("a person has at least one role; `comity user end` ends one")
    if sum(bool(roles & group) for group in groups) > 1:
        raise Malformed(
            "who works on cases does not audit and does not run the node, and who runs it does "
            "not audit it: these roles need different people"
        )


def could_confirm(conn: Connection) -> frozenset[str]:
    """Give the ids of all who could be the second person of something."""
    users = people_rows.list_users(conn)
    return frozenset(
        one.person for one in users if one.state == "active" and roles_of(one.roles) & CONFIRMING
    )


def takes_two(conn: Connection) -> bool:
    """Say whether enough people are there for one to wait for another."""
    return len(could_confirm(conn)) > 1


def check_second(conn: Connection, tx_by: str | None, person: Person, others: set[str]) -> None:
    """Refuse as second person whoever asked, whom it is about, and who may not confirm."""
    able = could_confirm(conn)
    if tx_by in others:
        raise NotAllowed("the second person is somebody else than who asked and whom it is about")
    if tx_by in able or (person.id is None and not able - others):
        return
    raise NotAllowed(
        "one of your administrators, approvers or central-authority officers confirms this: "
        "`comity user list` shows them"
    )


# --- changes -----------------------------------------------------------------


def find_user(conn: Connection, login: str) -> User:
    """Find one of our people by login, whatever their state."""
    user = people_rows.user_of_login(conn, login)
    if user is None:
        raise NotHere(_UNKNOWN)
    return user


def find_active(conn: Connection, login: str) -> User:
    """Find one of our people who is active."""
    user = find_user(conn, login)
    if user.state != "active":
        raise NotHere("that person is not active; `comity user list` shows who is")
    return user


def add_user(
    tx: Tx, network: str, login: str, wish: Wish, *, random: Callable[[int], bytes],
    address: str | None,
) -> User:  # fmt: skip
    """Add a person, or one who had ended; gives how they stand now."""
    if LOGIN.fullmatch(login) is None:
        raise Malformed("a login is small letters, digits and . _ -, 32 at most, a letter first")
    known = people_rows.user_of_login(tx.conn, login)
    if known is not None and known.state == "active":
        raise Malformed("that person is there already: `comity user change` changes their roles")
    _check_wish(tx.conn, wish, None if known is None else known.person)
    if known is None:
        made = User(
            person_id(tx.conn, login, random), login, None, "", "asked", None, tx.by, tx.now,
            address=address,
        )  # fmt: skip
        people_rows.insert_user(tx.conn, made)
    else:
        made = known
        people_rows.change_user(tx.conn, known.person, state="asked", address=address)
    return _ask(tx, network, replace(made, state="asked"), wish)


def change_user(tx: Tx, network: str, login: str, wish: Wish) -> User:
    """Change the roles or the Unix user of a person, or end them; gives how they stand now."""
    user = find_user(tx.conn, login)
    if user.state == "ended":
        raise NotHere("that person has ended; `comity user add` adds them again")
    if not wish.ends:
        _check_wish(tx.conn, wish, user.person)
    if wish.ends and user.state == "asked":
        return _take_effect(tx, network, user, wish)  # what never was needs no second person
    if user.state == "active" and not wish.ends and _is_so(user, wish):
        return _take_effect(tx, network, replace(user, asked_by=tx.by), wish)  # none waits now
    return _ask(tx, network, user, wish)


def _is_so(user: User, wish: Wish) -> bool:
    return (roles_of(user.roles), user.uid) == (wish.roles, wish.uid)


def _check_wish(conn: Connection, wish: Wish, person: str | None) -> None:
    _check_roles(wish.roles)
    if wish.uid is None:
        return
    if wish.uid in NOBODY_UIDS:
        raise Malformed("that Unix user stands for many: give this person an access key")
    holder = people_rows.user_of_uid(conn, wish.uid)
    if holder is not None and holder.person != person:
        raise Malformed("somebody else is that user of the machine: `comity user list` says who")


def _ask(tx: Tx, network: str, user: User, wish: Wish) -> User:
    if not takes_two(tx.conn):
        return _take_effect(tx, network, replace(user, asked_by=tx.by), wish)
    asked = replace(user, wanted=wish.encode(), asked_by=tx.by, asked_at=tx.now)
    people_rows.change_user(
        tx.conn, user.person, wanted=asked.wanted, asked_by=tx.by, asked_at=tx.now
    )
    state = "ended" if wish.ends else "active"
    matter = matter_of(asked) or ""
    tx.record(UserAsked(network, tx.now, user.person, words(wish.roles), state, matter, by=tx.by))
    return asked


def matter_of(user: User) -> str | None:
    """Give the code of the change that waits, which covers all of it; None if none does."""
    if user.wanted is None:
        return None
    whole: list[Json] = [user.login, user.wanted, user.asked_by, user.asked_at]
    return sha256_hex(canonical(whole))[:_MATTER_CHARS]


def wanted_of(user: User) -> Wish | None:
    """Read the change that waits, if one does."""
    if user.wanted is None:
        return None
    try:
        raw = decode(user.wanted.encode(), bytes_max=_WANTED_BYTES_MAX)
        fields = Fields({"wish": raw}, "row")
        wish = Fields(fields.object("wish"), "wish")
        uid, ends = wish.integer_or_none("uid"), wish.text("state") == "ended"
        return Wish(roles_of(wish.text("roles", chars_max=512)), uid, ends)
    except Rejected:
        return None  # a row that was altered: there is nothing to confirm


def confirm_user(tx: Tx, network: str, person: Person, matter: str) -> User | None:
    """Let the change of this code take effect; None if no change of a person has it."""
    for user in people_rows.list_users(tx.conn):
        wish = wanted_of(user)
        if wish is None or matter_of(user) != matter:
            continue
        others = {one for one in (user.asked_by, user.person) if one is not None}
        check_second(tx.conn, tx.by, person, others)
        if not wish.ends:
            _check_wish(tx.conn, wish, user.person)
        return _take_effect(tx, network, user, wish)
    return None


def _take_effect(tx: Tx, network: str, user: User, wish: Wish) -> User:
    after = replace(
        user, wanted=None, confirmed_by=tx.by, confirmed_at=tx.now,
        state="ended" if wish.ends else "active",
        roles="" if wish.ends else words(wish.roles),
        uid=None if wish.ends else wish.uid,
        substitute=None if wish.ends else user.substitute,
    )  # fmt: skip
    names = (
        "wanted", "asked_by", "confirmed_by", "confirmed_at", "state", "roles", "uid",
        "substitute",
    )  # fmt: skip
    people_rows.change_user(tx.conn, user.person, **{one: getattr(after, one) for one in names})
    record = UserChanged(
        network, tx.now, user.person, after.roles, after.state, after.uid, user.asked_by, by=tx.by
    )
    tx.record(record)
    return after


# --- what takes no second person -----------------------------------------------


def reach_user(tx: Tx, network: str, user: User, *, address: str | None, mailing: str) -> User:
    """Change where mail about waiting work goes, and when."""
    people_rows.change_user(tx.conn, user.person, address=address, mailing=mailing)
    tx.record(UserReached(network, tx.now, user.person, mailing, by=tx.by))
    return replace(user, address=address, mailing=mailing)


def stand_in(
    tx: Tx, network: str, user: User, *, substitute: User | None, span: tuple[int, int] | None
) -> User:
    """Note that a person is away and who stands in, or with None for both, that they are back.

    Who stands in may read and do what the other may in the cases they are in charge of.
    """
    start, end = span or (None, None)
    if span is not None and not 0 < span[1] - span[0] <= _AWAY_DAYS_MAX * _DAY_S:
        raise Malformed(f"away from a day until a later one, at most {_AWAY_DAYS_MAX} days on")
    if substitute is not None:
        if substitute.person == user.person:
            raise Malformed("somebody else stands in for a person who is away")
        if not roles_of(substitute.roles) & CASEWORK:
            raise Malformed("who stands in works on cases: choose somebody who has such a role")
    other = None if substitute is None else substitute.person
    people_rows.change_user(tx.conn, user.person, substitute=other, away_from=start, away_until=end)
    tx.record(UserAway(network, tx.now, user.person, other, start, end, by=tx.by))
    return replace(user, substitute=other, away_from=start, away_until=end)
