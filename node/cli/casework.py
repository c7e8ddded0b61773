"""`comity request`, `comity case` and `comity outbox`: sending, reading, and what waits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer
from typer.core import TyperGroup

from node.cli import case_text, finding, members, papers, steps, using
from node.cli.access import ask, settings_of
from node.cli.bodies import checked_request
from node.cli.call import Call, PassphraseOption, command, failed, usage
from node.cli.erasing import case_erase
from node.cli.files import manifest_json, write_new
from node.cli.kept import kept_if_refused
from node.cli.output import plural, when
from node.cli.steps import (
    BodyOption,
    CaseArgument,
    EvidenceOption,
    SetOption,
    said_in,
    say_queued,
)
from protocol.encoding import Fields, Json
from protocol.identity import AUTHORITY_ID

_MANIFESTS_MAX: Final = 100_000


class _Events(TyperGroup):
    """The group `case`, which names the events where it is given a word that is none."""

    # Untyped, as click's own: its types are not those that typer carries along.
    def resolve_command(self, ctx, args):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  (see above)
        """Find the command, or say which there are."""
        # An event may also be written as the life cycle writes it.
        args = [args[0].replace("_", "-"), *args[1:]] if args else args
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            known = ", ".join(self.commands)
            raise usage(f'"{args[0]}" is no event and no command of `comity case`: {known}.')
        return super().resolve_command(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    request = typer.Typer(no_args_is_help=True, help="Ask another authority for something.")
    command(request, "send")(send)
    app.add_typer(request, name="request")
    case = typer.Typer(cls=_Events, no_args_is_help=True, help="Read a case, or add to it.")
    command(case, "list")(list_cases)
    command(case, "show")(show)
    command(case, "receipts")(receipts)
    command(case, "erase")(case_erase)
    finding.register_in(case)
    members.register(case)
    using.register(case)
    papers.register(case)
    steps.register(case)
    app.add_typer(case, name="case")
    command(app, "outbox")(outbox)


def send(
    call: Call,
    *,
    to: Annotated[str, typer.Option(metavar="AUTHORITY", help="Whom to ask.")],
    kind: Annotated[str, typer.Option(metavar="KIND", help="What for, e.g. INFORMAL_INQUIRY.")],
    body: BodyOption = None,
    given: SetOption = None,
    evidence: EvidenceOption = None,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Open a case with a request that takes no second person: seal it and queue it."""
    if AUTHORITY_ID.fullmatch(to) is None:
        raise usage(f'"{to}" is no authority\'s id: `comity network show` lists them.')
    if to == settings_of(call).authority:
        raise usage(f"{to} is this authority itself: --to names another.")
    if body is None and not given and not evidence:
        raise usage("A request says something: give --body FILE.")
    said = said_in(body, given)
    checked_request(said.body, kind.upper())
    arguments: dict[str, Json] = {
        "to": to, "kind": kind, "body": said.body, "manifest": manifest_json(call, evidence),
    }  # fmt: skip
    with kept_if_refused(call, said.body, typed=said.typed):
        sent = ask(call, "request.send", arguments, passphrase_file=passphrase_file)
    if not call.out.result(sent):
        call.out.verdict(f"The request to {to} is queued.", good=True)
        say_queued(call, Fields(sent, "answer"))


def list_cases(
    call: Call,
    *,
    state: Annotated[str | None, typer.Option(metavar="STATE", show_default=False)] = None,
    peer: Annotated[str | None, typer.Option(metavar="AUTHORITY", show_default=False)] = None,
    kind: Annotated[str | None, typer.Option(metavar="KIND", show_default=False)] = None,
    side: Annotated[
        str | None, typer.Option(metavar="SIDE", show_default=False, help="Which side we are.")
    ] = None,
    officer: Annotated[str | None, typer.Option(metavar="LOGIN", show_default=False)] = None,
    reference: Annotated[str | None, typer.Option(metavar="TEXT", show_default=False)] = None,
    after: Annotated[
        str | None, typer.Option(metavar="PLACE", show_default=False, help="The next page.")
    ] = None,
    count: Annotated[int, typer.Option(metavar="N", help="Cases on a page.", min=1, max=500)] = 100,
) -> None:  # fmt: skip
    """List the cases, the one that changed last first."""
    wanted: dict[str, Json] = {
        "state": None if state is None else state.upper(), "peer": peer,
        "kind": None if kind is None else kind.upper(), "side": side, "officer": officer,
        "reference": reference, "after": after, "count": count,
    }  # fmt: skip
    found = ask(call, "case.list", {name: one for name, one in wanted.items() if one is not None})
    if not call.out.result(found):
        case_text.say_cases(call, Fields(found, "answer"))


def show(call: Call, *, case: CaseArgument, passphrase_file: PassphraseOption = None) -> None:
    """Show a case with everything that was said in it, and what may be done now."""
    found = ask(call, "case.show", {"case": case}, passphrase_file=passphrase_file)
    if not call.out.result(found):
        case_text.say_case(call, Fields(found, "answer"))


def receipts(
    call: Call,
    *,
    case: Annotated[str, typer.Argument(metavar="CASE", help="Its id, or how it begins.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where to put the files.")],
    passphrase_file: PassphraseOption = None,
) -> None:
    """Write the receipts of a case, each a file that proves itself offline."""
    found = Fields(
        ask(call, "case.receipts", {"case": case}, passphrase_file=passphrase_file), "answer"
    )
    case_id = found.text("case")
    out.mkdir(parents=True, exist_ok=True)
    written: list[Json] = []
    for item in found.items("receipts", count_max=_MANIFESTS_MAX):
        one = Fields(item, "receipt")
        message = one.text("message")
        path = out / f"{message[:16]}.receipt"
        write_new(path, one.base64("file", bytes_max=_RECEIPT_BYTES_MAX))
        written.append(
            {"message": message, "kind": one.text("kind"), "issuer": one.text("issuer"),
             "file": str(path)}
        )  # fmt: skip
    if call.out.result({"schema": "comity.receipts/1", "case": case_id, "receipts": written}):
        return
    if not written:
        raise failed("no-receipts", "No message of this case has a receipt yet.")
    call.out.verdict(f"Wrote {plural(len(written), 'receipt')} to {out}.", good=True)
    call.out.line("Anybody can verify them, without this node:  comity verify FILE")


_RECEIPT_BYTES_MAX: Final = 16 * 1024 * 1024


def outbox(call: Call) -> None:
    """Show what waits to be delivered, why, and when it is tried next."""
    found = ask(call, "outbox", {})
    if call.out.result(found):
        return
    fields = Fields(found, "answer")
    waiting = [Fields(one, "waiting") for one in fields.items("waiting", count_max=1_000_000)]
    if not waiting:
        call.out.line("Nothing waits: every message has its receipt.")
    else:
        call.out.heading(f"{plural(len(waiting), 'message')} waiting")
        call.out.table(
            ("to", "message", "queued", "tries", "why", "next try", "given up"),
            [
                (one.text("to"), one.text("message")[:16], when(one.take("queued")),
                 one.take("attempts"), one.take("why") or "not tried yet",
                 when(one.take("next_try")) or "at once", when(one.take("expires")))
                for one in waiting
            ],
        )  # fmt: skip
    alarms = [Fields(one, "alarm") for one in fields.items("alarms", count_max=1_000)]
    if alarms:
        call.out.line()
        call.out.heading(plural(len(alarms), "alarm"))
        call.out.table(
            ("when", "what", "peer", "about", ""),
            [
                (when(one.take("at")), one.take("kind"), one.take("peer"), one.take("message"),
                 one.take("detail"))
                for one in alarms
            ],
        )  # fmt: skip
