"""`comity audit token`: who may read the log without being a peer, and until when."""

from __future__ import annotations

from typing import Annotated

import typer

from node.cli.access import ask, settings_of
from node.cli.call import Call, PassphraseOption, command
from node.cli.output import when
from protocol.encoding import Fields

_TOKENS_MAX = 100_000
_DAYS_MAX = 3_660


def register(audit: typer.Typer) -> None:
    """Add the commands."""
    token = typer.Typer(no_args_is_help=True, help="Let an auditor read the log over HTTPS.")
    command(token, "make")(make)
    command(token, "list")(list_tokens)
    command(token, "end")(end)
    audit.add_typer(token, name="token")


def make(
    call: Call,
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it here.")],
    days: Annotated[
        int, typer.Option(metavar="N", min=1, max=_DAYS_MAX, help="How long it is good for.")
    ],
    passphrase_file: PassphraseOption = None,
) -> None:
    """Make a token, which is shown once and kept nowhere."""
    made = ask(
        call, "audit.token.make", {"name": name, "days": days}, passphrase_file=passphrase_file
    )
    if call.out.result(made):
        return
    fields = Fields(made, "answer")
    call.out.verdict(fields.text("token"), good=True)
    call.out.line(f"It is shown this once, and good until {when(fields.take('expires'))}.")
    call.out.line("Its owner sends it with each request:  Authorization: Bearer TOKEN")
    for url in settings_of(call).peers.urls:
        call.out.line(f"The log is at  {url}/comity/v1/log/N/checkpoint  (N: its number, first 1)")
    call.out.line("It shows entries and tiles, which say nothing of any case.")


def list_tokens(call: Call) -> None:
    """List the tokens that there are; not their texts, which nobody has here."""
    found = ask(call, "audit.token.list", {})
    if call.out.result(found):
        return
    tokens = [
        Fields(one, "token")
        for one in Fields(found, "answer").items("tokens", count_max=_TOKENS_MAX)
    ]
    if not tokens:
        call.out.line("No auditor has a token. `comity audit token make` makes one.")
        return
    call.out.table(
        ("name", "made", "good until", ""),
        [
            (one.text("name"), when(one.take("created")), when(one.take("expires")),
             "its time is over" if one.take("ended") else "")
            for one in tokens
        ],
    )  # fmt: skip


def end(
    call: Call,
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called here.")],
    passphrase_file: PassphraseOption = None,
) -> None:
    """Take a token back: it opens nothing from now on."""
    done = ask(call, "audit.token.end", {"name": name}, passphrase_file=passphrase_file)
    if not call.out.result(done):
        call.out.verdict(
            f"{Fields(done, 'answer').text('name')} opens nothing any more.", good=True
        )
