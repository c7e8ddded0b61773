"""`comity case register`, `record`, `join`, and what stands beside the messages of a case."""

from __future__ import annotations

from typing import Annotated

import typer

from node.cli.access import ask
from node.cli.call import Call, PassphraseOption, command
from node.cli.case_text import say_body
from node.cli.drafting import say_letter
from node.cli.files import manifest_json
from node.cli.kept import kept_if_refused
from node.cli.steps import (
    BodyOption,
    CaseArgument,
    EvidenceOption,
    SetOption,
    said_in,
    short,
    time_of,
)
from protocol.encoding import Fields, Json

_MANY: int = 100_000


def register(case: typer.Typer) -> None:
    """Add the commands to the group `case`."""
    for name, act in (
        ("register", register_case), ("record", record), ("join", join), ("refer", refer),
        ("hand-over", hand_over), ("link", link), ("identity", identity), ("print", print_case),
        ("resend", resend), ("abandon-undelivered", abandon),
    ):  # fmt: skip
        command(case, name)(act)


def register_case(
    call: Call,
    *,
    side: Annotated[str, typer.Option(metavar="SIDE", help="Ours: requesting or requested.")],
    peer: Annotated[str, typer.Option("--with", metavar="AUTHORITY", help="The other's id.")],
    kind: Annotated[str, typer.Option(metavar="KIND", help="Of the request.")],
    channel: Annotated[str, typer.Option(metavar="CODE", help="As DIPLOMATIC, POST or ORAL.")],
    name: Annotated[
        str | None, typer.Option(metavar="TEXT", show_default=False, help="The other's name.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", show_default=False, help="When; else now.")
    ] = None,
    body: BodyOption = None,
    given: SetOption = None,
    evidence: EvidenceOption = None,
    passphrase_file: PassphraseOption = None,
) -> None:  # fmt: skip
    """Put a case into the register that does not travel over the network."""
    said = said_in(body, given)
    arguments: dict[str, Json] = {
        "side": side, "peer": peer, "kind": kind, "channel": channel.upper(), "name": name,
        "at": None if at is None else time_of("at", at), "body": said.body,
        "manifest": manifest_json(call, evidence),
    }  # fmt: skip
    with kept_if_refused(call, said.body, typed=said.typed):
        done = ask(call, "case.register", arguments, passphrase_file=passphrase_file)
    if not call.out.result(done):
        made = Fields(done, "answer").text("case")
        call.out.verdict("The case is in the register.", good=True)
        call.out.line(f"  case     {made}")
        call.out.line(f"Its next step:  {call.typed('case', 'record', short(made), 'EVENT')}")


def record(
    call: Call,
    *,
    case: CaseArgument,
    event: Annotated[str, typer.Argument(metavar="EVENT", help="As acknowledge or accept.")],
    channel: Annotated[str, typer.Option(metavar="CODE", help="By which way it came or went.")],
    at: Annotated[
        str | None, typer.Option(metavar="TIME", show_default=False, help="When; else now.")
    ] = None,
    side: Annotated[
        str | None,
        typer.Option(metavar="SIDE", show_default=False, help="Whose step, where both could."),
    ] = None,
    body: BodyOption = None,
    given: SetOption = None,
    evidence: EvidenceOption = None,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Record a step that came or went on paper, or by word of mouth."""
    said = said_in(body, given)
    arguments: dict[str, Json] = {
        "case": case, "event": event.replace("-", "_"), "channel": channel.upper(),
        "at": None if at is None else time_of("at", at), "side": side, "body": said.body,
        "manifest": manifest_json(call, evidence),
    }  # fmt: skip
    with kept_if_refused(call, said.body, typed=said.typed):
        done = ask(call, "case.record", arguments, passphrase_file=passphrase_file)
    if not call.out.result(done):
        state = Fields(done, "answer").text("state")
        call.out.verdict(f"The step is recorded; the case is {state} now.", good=True)


def join(
    call: Call,
    *,
    case: CaseArgument,
    wire: Annotated[str, typer.Argument(metavar="WIRE", help="The case of the network.")],
    passphrase_file: PassphraseOption = None,
) -> None:
    """Say that a case on paper goes on as one of the network."""
    arguments: dict[str, Json] = {"case": case, "wire": wire}
    done = ask(call, "case.join", arguments, passphrase_file=passphrase_file)
    if not call.out.result(done):
        call.out.verdict("The two cases are one thread now: each shows the other.", good=True)


def refer(
    call: Call,
    *,
    case: CaseArgument,
    reference: Annotated[str, typer.Argument(metavar="REFERENCE", help="What we call it.")],
    passphrase_file: PassphraseOption = None,
) -> None:
    """Give a case our own reference."""
    arguments: dict[str, Json] = {"case": case, "reference": reference}
    done = ask(call, "case.refer", arguments, passphrase_file=passphrase_file)
    if not call.out.result(done):
        call.out.verdict("The case has this reference now.", good=True)


def resend(
    call: Call, *, case: CaseArgument, passphrase_file: PassphraseOption = None
) -> None:  # fmt: skip
    """Give a request that has not arrived new time; it is still the same message."""
    done = ask(call, "case.resend", {"case": case}, passphrase_file=passphrase_file)
    if not call.out.result(done):
        call.out.verdict("The request waits in its queue again.", good=True)
        call.out.line(f"What is in its way:  {call.typed('outbox')}")


def abandon(
    call: Call, *, case: CaseArgument, passphrase_file: PassphraseOption = None
) -> None:  # fmt: skip
    """Close a case of which nothing ever arrived; if it does, it is withdrawn at once."""
    done = ask(call, "case.abandon_undelivered", {"case": case}, passphrase_file=passphrase_file)
    if not call.out.result(done):
        call.out.verdict("The case is closed: nothing of it had arrived.", good=True)


def hand_over(
    call: Call,
    *,
    case: CaseArgument,
    login: Annotated[str, typer.Argument(metavar="LOGIN", help="Who is in charge from now on.")],
    passphrase_file: PassphraseOption = None,
) -> None:
    """Put another person in charge of a case; the other side is told whom to ask."""
    arguments: dict[str, Json] = {"case": case, "to": login}
    done = ask(call, "case.hand_over", arguments, passphrase_file=passphrase_file)
    if not call.out.result(done):
        call.out.verdict(f"{login} is in charge of the case now.", good=True)


def link(
    call: Call,
    *,
    case: CaseArgument,
    relation: Annotated[
        str, typer.Argument(metavar="RELATION", help="As continues, supersedes, transfers.")
    ],
    other: Annotated[str, typer.Argument(metavar="OTHER", help="A case here, or elsewhere.")],
    passphrase_file: PassphraseOption = None,
) -> None:
    """Say what this case is to another: `link CASE continues OTHER`."""
    arguments: dict[str, Json] = {"case": case, "relation": relation, "other": other}
    done = ask(call, "case.link", arguments, passphrase_file=passphrase_file)
    if not call.out.result(done):
        call.out.verdict("The cases are linked.", good=True)


def identity(call: Call, *, case: CaseArgument, passphrase_file: PassphraseOption = None) -> None:
    """Show who the protected persons of a case are; that you read it is recorded."""
    found = ask(call, "case.identity", {"case": case}, passphrase_file=passphrase_file)
    if call.out.result(found):
        return
    told = Fields(found, "answer").items("identities", count_max=_MANY)
    if not told:
        call.out.line("Nobody in this case has a pseudonym.")
    for one in told:
        if isinstance(one, dict):
            say_body(call, dict(one))
            call.out.line()


def print_case(
    call: Call,
    *,
    case: CaseArgument,
    language: Annotated[str, typer.Option(metavar="TAG", help="Of the labels.")] = "en",
    passphrase_file: PassphraseOption = None,
) -> None:
    """Print the request of a case as a letter, its labels in the reader's language."""
    arguments: dict[str, Json] = {"case": case, "language": language}
    say_letter(call, ask(call, "case.print", arguments, passphrase_file=passphrase_file))
