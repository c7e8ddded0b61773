"""The verbs of people: who there is, what they may, their keys, and who may read which case.

Parses arguments and renders results; `node.access` decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Final, Literal

from pydantic import Field

from node.access import matters, members, people, tokens
from node.access.faults import NotAllowed
from node.access.people import Wish, matter_of, roles_of, wanted_of, words
from node.access.roles import AUDITING, CASEWORK, CONFIRMING, EVERYBODY, RUNNING, Role
from node.audit.faults import NotHere
from node.desk.arguments import Arguments, CaseName
from node.desk.verb import Desk, Result, Verb
from node.storage import Connection, key_rows, member_rows, people_rows, person_rows
from node.storage.key_rows import AccessKey
from node.storage.people_rows import User
from node.storage.writer import Tx
from protocol.encoding import Json
from protocol.limits import INTEGER_MAX

_UID_MAX: Final = 2**32 - 2
_HEAD: Final = RUNNING | {Role.OFFICER}

Login = Annotated[str, Field(max_length=64, description="How a person is called here.")]
RoleWord = Annotated[str, Field(max_length=64, description=f"One of: {', '.join(Role)}.")]
Roles = Annotated[list[RoleWord], Field(min_length=1, max_length=16)]
Uid = Annotated[int, Field(ge=0, le=_UID_MAX, description="A Unix user of this machine.")]
Address = Annotated[
    str, Field(max_length=254, pattern=r"^[\x21-\x7e]+@[\x21-\x7e]+$", description="For mail.")
]
Mailing = Annotated[
    Literal["now", "daily", "never"], Field(description="When mail about waiting work goes out.")
]
KeyName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,63}$")]
Moment = Annotated[int, Field(ge=0, le=INTEGER_MAX, description="Unix seconds.")]


class AddUser(Arguments):
    """A person, what they are here for, and how the system knows them."""

    login: Login
    roles: Roles
    uid: Uid | None = None
    address: Address | None = None


class ChangeUser(Arguments):
    """What of a person becomes otherwise; what is not given stays."""

    login: Login
    roles: Roles | None = None
    uid: Uid | None = None
    forget_uid: bool = False


class OneUser(Arguments):
    """Which person."""

    login: Login


class Confirm(Arguments):
    """What a second person agrees to, by its code."""

    code: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class MailTo(Arguments):
    """Where mail goes, and when; of whoever asks, unless an administrator names another."""

    login: Login | None = None
    address: Address | None = None
    mailing: Mailing = "now"


class Away(Arguments):
    """From when until when a person is away and who stands in; none of it: they are back."""

    login: Login | None = None
    substitute: Login | None = None
    start: Moment | None = None
    until: Moment | None = None


class MakeKey(Arguments):
    """A key of whoever asks; with a login, the first key of another."""

    name: KeyName | None = None
    scopes: Annotated[
        list[RoleWord], Field(max_length=17, description="Roles, or `read`; none: all of them.")
    ] = Field(default_factory=list)
    days: Annotated[int, Field(ge=1, le=tokens.DAYS_MAX)] = tokens.DAYS_MAX
    login: Login | None = None


class OneKey(Arguments):
    """A key of whoever asks, unless an administrator names another person."""

    name: KeyName
    login: Login | None = None


class Whose(Arguments):
    """Of whoever asks, unless an administrator names another person."""

    login: Login | None = None


class LetIn(Arguments):
    """Who may read a case, and whether they learn the identities of protected persons."""

    case: CaseName
    login: Login
    protected: bool = False


class LetOut(Arguments):
    """Who may read a case no longer."""

    case: CaseName
    login: Login


# --- people ------------------------------------------------------------------


def _user_add(desk: Desk, args: AddUser) -> Result:
    wish = Wish(roles_of(" ".join(args.roles)), args.uid)
    return _changed(
        desk,
        lambda tx: people.add_user(
            tx, desk.office.network, args.login, wish, random=desk.random, address=args.address
        ),
    )


def _user_change(desk: Desk, args: ChangeUser) -> Result:
    def change(tx: Tx) -> User:
        user = people.find_user(tx.conn, args.login)
        roles = user.roles if args.roles is None else " ".join(args.roles)
        uid = None if args.forget_uid else user.uid if args.uid is None else args.uid
        wish = Wish(roles_of(roles), uid)
        return people.change_user(tx, desk.office.network, args.login, wish)

    return _changed(desk, change)


def _user_end(desk: Desk, args: OneUser) -> Result:
    wish = Wish(frozenset(), ends=True)
    return _changed(desk, lambda tx: people.change_user(tx, desk.office.network, args.login, wish))


def _user_confirm(desk: Desk, args: Confirm) -> Result:
    network = desk.office.network

    def confirm(tx: Tx) -> Result:
        user = people.confirm_user(tx, network, desk.asking, args.code)
        if user is not None:
            return {"verb": None, "user": _user(user, _names(tx.conn))}
        matter = matters.confirm_matter(tx, network, desk.asking, args.code)
        if matter is None:
            raise NotHere("nothing that waits has this code: `comity user waiting` shows them")
        return {"verb": matter.verb, "user": None}

    return {"schema": "comity.confirmed/1", "code": args.code, **desk.unit(confirm)}


def _changed(desk: Desk, change: Callable[[Tx], User]) -> Result:
    user = desk.unit(change)
    return {"schema": "comity.user/1", **_user(user, desk.database.read(_names))}


def _user_list(desk: Desk, _: Arguments) -> Result:
    def read(conn: Connection) -> list[Json]:
        names = _names(conn)
        return [_user(one, names) for one in people_rows.list_users(conn)]

    return {"schema": "comity.users/1", "users": desk.database.read(read)}


def _user_waiting(desk: Desk, _: Arguments) -> Result:
    """What waits for a second person."""
    now = desk.clock.now()

    def read(conn: Connection) -> list[Json]:
        names = _names(conn)
        changes: list[Json] = [
            {"code": matter_of(one), "verb": None, "asked_by": names.get(one.asked_by or ""),
             "asked": one.asked_at, "user": _user(one, names), "what": None}
            for one in people_rows.list_users(conn) if wanted_of(one) is not None
        ]  # fmt: skip
        asked: list[Json] = [
            {"code": one.code, "verb": one.verb, "asked_by": names.get(one.asked_by),
             "asked": one.asked_at, "user": None, "what": dict(one.what)}
            for one in matters.list_matters(conn, now) if one.confirmed_by is None
        ]  # fmt: skip
        return changes + asked

    return {"schema": "comity.waiting/1", "waiting": desk.database.read(read)}


def _user_me(desk: Desk, _: Arguments) -> Result:
    person = desk.asking
    return {
        "schema": "comity.me/1", "login": person.name, "roles": [*sorted(person.roles)],
        "built_in": person.id is None, "reads_only": person.reads_only,
        "enrols": person.enrols_with is not None,
    }  # fmt: skip


def _names(conn: Connection) -> dict[str, str]:
    return person_rows.person_names(conn)


def _user(user: User, names: Mapping[str, str]) -> Result:
    wish = wanted_of(user)
    wanted: Json = None
    if wish is not None:
        wanted = {
            "roles": [*words(wish.roles).split()], "uid": wish.uid, "ends": wish.ends,
            "code": matter_of(user), "asked_by": names.get(user.asked_by or ""),
            "asked": user.asked_at,
        }  # fmt: skip
    return {
        "login": user.login, "state": user.state, "roles": [*user.roles.split()],
        "uid": user.uid, "address": user.address, "mailing": user.mailing,
        "substitute": names.get(user.substitute or ""), "away_from": user.away_from,
        "away_until": user.away_until, "wanted": wanted,
    }  # fmt: skip


# --- what a person does for themself -------------------------------------------


def _whose(desk: Desk, conn: Connection, login: str | None) -> User:
    """Give the person that is meant: who asks, or another whom the head of an office names."""
    person = desk.asking
    if login is None or login == person.name:
        found = None if person.id is None else people_rows.read_user(conn, person.id)
        if found is None:
            raise NotHere("you are not one of the people: name one of them")
        return found
    if not person.holds(_HEAD):
        raise NotAllowed(f"for somebody else this takes one of: {', '.join(sorted(_HEAD))}")
    return people.find_active(conn, login)


def _user_mail(desk: Desk, args: MailTo) -> Result:
    def reach(tx: Tx) -> User:
        user = _whose(desk, tx.conn, args.login)
        return people.reach_user(
            tx, desk.office.network, user, address=args.address, mailing=args.mailing
        )

    return _changed(desk, reach)


def _user_away(desk: Desk, args: Away) -> Result:
    """Nobody makes themself the substitute of another: that would open the other's cases."""
    network = desk.office.network

    def leave(tx: Tx) -> User:
        user = _whose(desk, tx.conn, args.login)
        if user.person != desk.asking.id and not desk.asking.works_on_cases:
            raise NotAllowed("a person, or a central-authority officer, says who stands in")
        found = None if args.substitute is None else people.find_active(tx.conn, args.substitute)
        if found is not None and found.person == desk.asking.id:
            raise NotAllowed("who is away, or somebody else, names you as the substitute")
        whole = args.start is not None and args.until is not None
        span = (args.start or 0, args.until or 0) if whole else None
        return people.stand_in(
            tx, network, user, substitute=found if span is not None else None, span=span
        )

    return _changed(desk, leave)


# --- keys --------------------------------------------------------------------


def _key_make(desk: Desk, args: MakeKey) -> Result:
    """Make a key; its text is in the answer and nowhere else."""
    network, person = desk.office.network, desk.asking

    def make(tx: Tx) -> tuple[str, AccessKey]:
        if args.login is not None and args.login != person.name:
            user = _whose(desk, tx.conn, args.login)
            return tokens.make_enrolling(tx, network, user, random=desk.random)
        return tokens.make_own(
            tx, network, person, name=args.name or "key", scopes=frozenset(args.scopes),
            days=args.days, random=desk.random,
        )  # fmt: skip

    text, key = desk.unit(make)
    return {"schema": "comity.access-key/1", **_key(key, desk.clock.now()), "key": text}


def _key_list(desk: Desk, args: Whose) -> Result:
    def read(conn: Connection) -> list[Json]:
        user = _whose(desk, conn, args.login)
        now = desk.clock.now()
        return [_key(one, now) for one in key_rows.keys_of(conn, user.person)]

    return {"schema": "comity.access-keys/1", "keys": desk.database.read(read)}


def _key_end(desk: Desk, args: OneKey) -> Result:
    def end(tx: Tx) -> AccessKey:
        user = _whose(desk, tx.conn, args.login)
        return tokens.end_key(tx, desk.office.network, user, args.name)

    key = desk.unit(end)
    return {"schema": "comity.access-key-ended/1", "name": key.name, "sha256": key.digest}


def _key(one: AccessKey, now: int) -> Result:
    return {
        "name": one.name, "sha256": one.digest, "scopes": [*one.scopes.split()],
        "made": one.made_at, "expires": one.expires,
        "good": one.ended_at is None and one.expires > now,
    }  # fmt: skip


# --- members of a case ---------------------------------------------------------


def _case_let_in(desk: Desk, args: LetIn) -> Result:
    level: members.Level = "protected" if args.protected else "reader"

    def let(tx: Tx) -> None:
        user = people.find_active(tx.conn, args.login)
        members.let_in(tx, desk.office.network, args.case, user, level)

    desk.unit(let)
    return _members(desk, args.case)


def _case_let_out(desk: Desk, args: LetOut) -> Result:
    def let(tx: Tx) -> None:
        user = people.find_user(tx.conn, args.login)
        members.let_out(tx, desk.office.network, args.case, user)

    desk.unit(let)
    return _members(desk, args.case)


def _members(desk: Desk, case: str) -> Result:
    def read(conn: Connection) -> list[Json]:
        names = _names(conn)
        return [
            {"login": names.get(one.person), "level": one.level, "since": one.added_at}
            for one in member_rows.list_members(conn, case)
        ]

    return {"schema": "comity.members/1", "case": case, "members": desk.database.read(read)}


PEOPLE: Final[Mapping[str, Verb]] = {
    "user.add": Verb(_user_add, AddUser, _HEAD, writes=True, needs_keys=True),
    "user.change": Verb(_user_change, ChangeUser, _HEAD, writes=True, needs_keys=True),
    "user.end": Verb(_user_end, OneUser, _HEAD, writes=True, needs_keys=True),
    "user.confirm": Verb(_user_confirm, Confirm, CONFIRMING, writes=True, needs_keys=True),
    "user.list": Verb(_user_list, may=EVERYBODY),
    "user.waiting": Verb(_user_waiting, may=CONFIRMING | AUDITING),
    "user.me": Verb(_user_me, may=EVERYBODY),
    "user.mail": Verb(_user_mail, MailTo, EVERYBODY, writes=True, needs_keys=True),
    "user.away": Verb(_user_away, Away, CASEWORK, writes=True, needs_keys=True),
    "key.make": Verb(_key_make, MakeKey, EVERYBODY, writes=True, needs_keys=True),
    "key.list": Verb(_key_list, Whose, EVERYBODY),
    "key.end": Verb(_key_end, OneKey, EVERYBODY, writes=True, needs_keys=True),
    "case.let_in": Verb(
        _case_let_in, LetIn, CASEWORK, writes=True, needs_keys=True, reach="charge"
    ),
    "case.let_out": Verb(
        _case_let_out, LetOut, CASEWORK, writes=True, needs_keys=True, reach="charge"
    ),
}
