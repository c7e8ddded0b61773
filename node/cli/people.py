"""`comity user` and `comity key`: who works here, what they may, and how the node knows them."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, TextIO, TypeAlias

import typer

from node.cli.access import ask
from node.cli.call import Call, PassphraseOption, command, failed, usage
from node.cli.output import when
from protocol.encoding import Fields, Json

_PEOPLE_MAX: Final = 100_000
_DAYS_MAX: Final = 365

LoginArgument: TypeAlias = Annotated[str, typer.Argument(metavar="LOGIN", help="Who.")]
RolesOption: TypeAlias = Annotated[
    list[str],
    typer.Option("--role", metavar="ROLE", help="What they are here for; may be given again."),
]
UidOption: TypeAlias = Annotated[
    int | None,
    typer.Option("--uid", metavar="N", show_default=False, help="Their Unix user here."),
]
ForOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--for", metavar="LOGIN", show_default=False, help="Another person than you."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    user = typer.Typer(no_args_is_help=True, help="Who works here, and what they may.")
    command(user, "add")(add)
    command(user, "change")(change)
    command(user, "end")(end)
    command(user, "confirm")(confirm)
    command(user, "waiting")(waiting)
    command(user, "list")(list_users)
    command(user, "me")(me)
    command(user, "mail")(mail)
    command(user, "away")(away)
    app.add_typer(user, name="user")
    key = typer.Typer(no_args_is_help=True, help="Access keys: known without a Unix user.")
    command(key, "make")(make)
    command(key, "list")(list_keys)
    command(key, "end")(end_key)
    app.add_typer(key, name="key")


# --- people ------------------------------------------------------------------


def add(
    call: Call,
    *,
    login: LoginArgument,
    role: RolesOption,
    uid: UidOption = None,
    address: Annotated[
        str | None, typer.Option("--mail", metavar="ADDRESS", show_default=False)
    ] = None,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Add a person; where two people could confirm it, it waits for the second."""
    roles: list[Json] = [*role]
    arguments: dict[str, Json] = {"login": login, "roles": roles, "uid": uid, "address": address}
    _say_user(call, ask(call, "user.add", arguments, passphrase_file=passphrase_file))


def change(
    call: Call,
    *,
    login: LoginArgument,
    role: Annotated[
        list[str] | None,
        typer.Option("--role", metavar="ROLE", show_default=False, help="All roles from now on."),
    ] = None,
    uid: UidOption = None,
    forget_uid: Annotated[
        bool, typer.Option("--no-uid", help="Known by their Unix user no longer.")
    ] = False,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Change a person's roles or Unix user; it waits for a second person as adding does."""
    if not role and uid is None and not forget_uid:
        raise usage("Change what? Give --role ROLE, --uid N or --no-uid.")
    roles: list[Json] | None = [*role] if role else None
    arguments: dict[str, Json] = {
        "login": login, "roles": roles, "uid": uid, "forget_uid": forget_uid,
    }  # fmt: skip
    _say_user(call, ask(call, "user.change", arguments, passphrase_file=passphrase_file))


def end(call: Call, *, login: LoginArgument, passphrase_file: PassphraseOption = None) -> None:
    """End a person: they and their keys open nothing from then on."""
    _say_user(call, ask(call, "user.end", {"login": login}, passphrase_file=passphrase_file))


def _say_user(call: Call, answer: dict[str, Json]) -> None:
    if call.out.result(answer):
        return
    fields = Fields(answer, "answer")
    login, wanted = fields.text("login"), fields.take("wanted")
    if wanted is None:
        call.out.verdict(f"{login}: {_what(fields)}.", good=True)
        return
    code = Fields(fields.object("wanted"), "wanted").text("code")
    call.out.verdict(f"What shall become of {login} waits for a second person.", good=True)
    call.out.line(f"Another one looks at it and confirms:  {call.typed('user', 'waiting')}")
    call.out.line(f"                                       {call.typed('user', 'confirm', code)}")


def _what(user: Fields) -> str:
    state = user.text("state")
    return ", ".join(user.texts("roles", count_max=64)) if state == "active" else state


def confirm(
    call: Call,
    *,
    code: Annotated[str, typer.Argument(metavar="CODE", help="As `comity user waiting` says.")],
    passphrase_file: PassphraseOption = None,
) -> None:
    """Agree, as the second person, to exactly what this code stands for."""
    done = ask(call, "user.confirm", {"code": code}, passphrase_file=passphrase_file)
    if call.out.result(done):
        return
    fields = Fields(done, "answer")
    verb = fields.take("verb")
    if verb is None:
        user = Fields(fields.object("user"), "user")
        call.out.verdict(f"Confirmed. {user.text('login')}: {_what(user)}.", good=True)
    else:
        call.out.verdict("Confirmed. Who asked for it can do it now.", good=True)


def waiting(call: Call) -> None:
    """Show what waits for a second person."""
    found = ask(call, "user.waiting", {})
    if call.out.result(found):
        return
    items = [Fields(one, "waiting") for one in Fields(found, "a").items("waiting", count_max=9_999)]
    if not items:
        call.out.line("Nothing waits for a second person.")
        return
    call.out.table(
        ("code", "asked", "by", "what"),
        [
            (one.text("code"), when(one.take("asked")), one.take("asked_by"), _shall_be(one))
            for one in items
        ],
    )


def _shall_be(one: Fields) -> str:
    verb = one.take("verb")
    if verb is not None:
        what = " ".join(str(part) for part in one.object("what").values())
        return f"{verb} {what}".strip()
    user = Fields(one.object("user"), "user")
    wanted = Fields(user.object("wanted"), "wanted")
    login = user.text("login")
    if wanted.take("ends") is True:
        return f"{login} ends"
    roles = ", ".join(wanted.texts("roles", count_max=64))
    uid = wanted.take("uid")
    known = "known by key alone" if uid is None else f"Unix user {uid}"
    return f"{login}: {roles}; {known}"


def list_users(call: Call) -> None:
    """List the people, with their roles and who stands in for whom."""
    found = ask(call, "user.list", {})
    if call.out.result(found):
        return
    people = [
        Fields(one, "user") for one in Fields(found, "a").items("users", count_max=_PEOPLE_MAX)
    ]
    if not people:
        call.out.line("Nobody was added yet: this node's own Unix user administers it.")
        call.out.line("The first person:  comity user add NAME --role ROLE")
        return
    call.out.table(
        ("login", "state", "roles", "uid", "away until", "substitute", ""),
        [
            (one.text("login"), one.text("state"), ", ".join(one.texts("roles", count_max=64)),
             one.take("uid"), when(one.take("away_until")), one.take("substitute"),
             "" if one.take("wanted") is None else "a change waits")
            for one in people
        ],
    )  # fmt: skip


def me(call: Call) -> None:
    """Show whom the node takes you for."""
    found = ask(call, "user.me", {})
    if call.out.result(found):
        return
    fields = Fields(found, "answer")
    call.out.line(f"{fields.text('login')}: {', '.join(fields.texts('roles', count_max=64))}")
    if fields.take("reads_only") is True:
        call.out.line("With this key you can read, and change nothing.")
    if fields.take("enrols") is True:
        call.out.line(f"This key makes your own, and opens nothing:  {call.typed('key', 'make')}")


def mail(
    call: Call,
    *,
    address: Annotated[str | None, typer.Argument(metavar="ADDRESS", show_default=False)] = None,
    when_: Annotated[
        str, typer.Option("--when", metavar="now|daily|never", help="When it goes out.")
    ] = "now",
    login: ForOption = None,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Say where mail goes that says only that something waits; without one, nowhere."""
    arguments: dict[str, Json] = {"login": login, "address": address, "mailing": when_}
    done = ask(call, "user.mail", arguments, passphrase_file=passphrase_file)
    if not call.out.result(done):
        call.out.verdict("Mail goes there." if address else "No mail goes out.", good=True)


def away(
    call: Call,
    *,
    start: Annotated[
        dt.datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], metavar="DAY", show_default=False),
    ] = None,
    until: Annotated[
        dt.datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d"], metavar="DAY", show_default=False,
                     help="The first day back (days in UTC)."),
    ] = None,
    substitute: Annotated[
        str | None, typer.Option(metavar="LOGIN", show_default=False, help="Who stands in.")
    ] = None,
    back: Annotated[bool, typer.Option("--back", help="Not away any more.")] = False,
    login: ForOption = None,
    passphrase_file: PassphraseOption = None,
) -> None:  # fmt: skip
    """Say that you are away, and who works on the cases you are in charge of meanwhile."""
    if not back and (start is None or until is None):
        raise usage("Away from when until when? Give --from DAY and --until DAY, or --back.")
    arguments: dict[str, Json] = {
        "login": login, "substitute": None if back else substitute,
        "start": None if back else _seconds(start), "until": None if back else _seconds(until),
    }  # fmt: skip
    done = ask(call, "user.away", arguments, passphrase_file=passphrase_file)
    if not call.out.result(done):
        call.out.verdict("Noted: back." if back else "Noted.", good=True)


def _seconds(day: dt.datetime | None) -> int | None:
    return None if day is None else int(day.replace(tzinfo=dt.UTC).timestamp())


# --- keys --------------------------------------------------------------------


def make(
    call: Call,
    *,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", show_default=False, help="What to call it.")
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", metavar="ROLE|read", show_default=False,
                     help="What it is good for; without it, all that you may."),
    ] = None,
    days: Annotated[
        int, typer.Option(metavar="N", min=1, max=_DAYS_MAX, help="How long it is good for.")
    ] = _DAYS_MAX,
    login: ForOption = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", show_default=False,
                     help="Write it to a new file of mode 0600, and do not show it."),
    ] = None,
    passphrase_file: PassphraseOption = None,
) -> None:  # fmt: skip
    """Make an access key, which is shown once and kept nowhere; --for another, their first."""
    scopes: list[Json] = [*(scope or [])]
    arguments: dict[str, Json] = {"name": name, "scopes": scopes, "days": days, "login": login}
    with _held(out) as file:  # first the file: a key that could not be written would be lost
        made = ask(call, "key.make", arguments, passphrase_file=passphrase_file)
        text = Fields(made, "answer").text("key")
        if file is not None:
            file.write(f"{text}\n")
            made = {**made, "key": None, "file": str(out)}
    fields = Fields(made, "answer")
    if call.out.result(made):
        return
    call.out.verdict(text if out is None else f"Wrote the key to {out}.", good=True)
    call.out.line(f"It is not shown again, and good until {when(fields.take('expires'))}.")
    if login is None:
        call.out.line("Commands take it by --key-file FILE or COMITY_KEY_FILE; programs send it:")
        call.out.line("  Authorization: Bearer KEY")
    else:
        call.out.line(f"With it {login} makes their own key, once, and can do nothing else:")
        call.out.line("  comity key make --key-file FILE")


@contextlib.contextmanager
def _held(path: Path | None) -> Iterator[TextIO | None]:
    """Hold a new file that its owner alone can read; it goes if nothing comes of it."""
    if path is None:
        yield None
        return
    try:
        path.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        raise failed("exists", f"{path} exists and is never overwritten: choose another.") from None
    try:
        with path.open("w", encoding="ascii") as file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def list_keys(call: Call, *, login: ForOption = None) -> None:
    """List keys; not their texts, which nobody has here."""
    found = ask(call, "key.list", {"login": login})
    if call.out.result(found):
        return
    keys = [Fields(one, "key") for one in Fields(found, "a").items("keys", count_max=_PEOPLE_MAX)]
    if not keys:
        call.out.line("There is no key. `comity key make` makes one.")
        return
    call.out.table(
        ("name", "good for", "made", "good until", ""),
        [
            (one.text("name"), ", ".join(one.texts("scopes", count_max=64)) or "everything",
             when(one.take("made")), when(one.take("expires")),
             "" if one.take("good") is True else "opens nothing any more")
            for one in keys
        ],
    )  # fmt: skip


def end_key(
    call: Call,
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the key is called.")],
    login: ForOption = None,
    passphrase_file: PassphraseOption = None,
) -> None:
    """End a key: it opens nothing from now on."""
    done = ask(call, "key.end", {"name": name, "login": login}, passphrase_file=passphrase_file)
    if not call.out.result(done):
        call.out.verdict(f"{Fields(done, 'a').text('name')} opens nothing any more.", good=True)
