"""`comity webhook`: to which programs this node says that something happened."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from node.cli.access import ask
from node.cli.call import Call, PassphraseOption, command
from node.cli.output import when
from protocol.encoding import Fields

_HOOKS_MAX: Final = 10_000


def register(app: typer.Typer) -> None:
    """Add the commands."""
    webhook = typer.Typer(
        no_args_is_help=True, help="Tell other programs that something happened in a case."
    )
    command(webhook, "add")(add)
    command(webhook, "list")(list_hooks)
    command(webhook, "end")(end)
    app.add_typer(webhook, name="webhook")


def add(
    call: Call,
    *,
    url: Annotated[str, typer.Argument(metavar="URL", help="https://host[:port]/path")],
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", metavar="KIND", help="As case.changed; else all. Repeatable."),
    ] = None,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Send to a URL that something happened: a word and a case's id, never what it is about."""
    given = {"url": url, "kinds": [*(kind or ())]}
    made = ask(call, "webhook.add", given, passphrase_file=passphrase_file)
    if call.out.result(made):
        return
    fields = Fields(made, "answer")
    call.out.verdict(f"webhook {fields.text('webhook')}", good=True)
    call.out.line(f"Its receiver verifies every message with  {fields.text('public_key')}")
    call.out.line("It is told what you may know of, for as long as you may.")


def list_hooks(call: Call, *, passphrase_file: PassphraseOption = None) -> None:
    """List the webhooks, how far each has been told, and which do not answer."""
    found = ask(call, "webhook.list", {}, passphrase_file=passphrase_file)
    if call.out.result(found):
        return
    hooks = [
        Fields(one, "webhook")
        for one in Fields(found, "answer").items("webhooks", count_max=_HOOKS_MAX)
    ]
    if not hooks:
        call.out.line("There is no webhook. `comity webhook add URL` makes one.")
        return
    call.out.table(
        ("webhook", "to", "since", ""),
        [
            (one.text("webhook"), one.text("url"), when(one.take("made")), _state(one))
            for one in hooks
        ],
    )


def _state(one: Fields) -> str:
    if one.take("ended") is not None:
        return "ended"
    failures = one.integer("failures")
    return f"has not answered {failures} times" if failures else ""


def end(
    call: Call,
    *,
    webhook: Annotated[str, typer.Argument(metavar="WEBHOOK", help="Its id, whole.")],
    passphrase_file: PassphraseOption = None,
) -> None:
    """Send nothing there any more."""
    done = ask(call, "webhook.end", {"webhook": webhook}, passphrase_file=passphrase_file)
    if not call.out.result(done):
        call.out.verdict("it is told nothing more", good=True)
