"""`comity case let-in` and `let-out`: who reads a case beside those who are in charge of it."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from node.cli.access import ask
from node.cli.call import Call, PassphraseOption, command
from node.cli.output import when
from node.cli.people import LoginArgument
from protocol.encoding import Fields, Json

_PEOPLE_MAX: Final = 100_000


def register(case: typer.Typer) -> None:
    """Add the commands to the group `case`."""
    command(case, "let-in")(let_in)
    command(case, "let-out")(let_out)


def let_in(
    call: Call,
    *,
    case: Annotated[str, typer.Argument(metavar="CASE", help="Its id, or how it begins.")],
    login: LoginArgument,
    protected: Annotated[
        bool, typer.Option("--protected", help="Also who the protected persons are.")
    ] = False,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Let one of our people read a case."""
    arguments: dict[str, Json] = {"case": case, "login": login, "protected": protected}
    _say_members(call, ask(call, "case.let_in", arguments, passphrase_file=passphrase_file))


def let_out(
    call: Call,
    *,
    case: Annotated[str, typer.Argument(metavar="CASE", help="Its id, or how it begins.")],
    login: LoginArgument,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Let a person read a case no longer."""
    arguments: dict[str, Json] = {"case": case, "login": login}
    _say_members(call, ask(call, "case.let_out", arguments, passphrase_file=passphrase_file))


def _say_members(call: Call, answer: dict[str, Json]) -> None:
    if call.out.result(answer):
        return
    members = [
        Fields(one, "member")
        for one in Fields(answer, "answer").items("members", count_max=_PEOPLE_MAX)
    ]
    call.out.verdict("Beside who is in charge, this case is read by:", good=True)
    call.out.table(
        ("login", "how far", "since"),
        [(one.text("login"), one.text("level"), when(one.take("since"))) for one in members],
    )
