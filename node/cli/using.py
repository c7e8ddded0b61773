"""`comity case use`: may these results be used for that, and what would it take."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from node.cli.access import ask
from node.cli.call import Call, PassphraseOption, command
from node.cli.output import harmless
from node.cli.steps import CaseArgument, short
from protocol.encoding import Fields, Json

_MANY: Final = 1_000_000


def register(case: typer.Typer) -> None:
    """Add the command to the group `case`."""
    command(case, "use")(use)


def use(
    call: Call,
    *,
    case: CaseArgument,
    item: Annotated[
        list[str] | None,
        typer.Option(metavar="ITEM", show_default=False, help="As the manifest has it; else all."),
    ] = None,
    proceedings: Annotated[
        str | None, typer.Option(metavar="TEXT", show_default=False, help="In which proceedings.")
    ] = None,
    intelligence: Annotated[
        bool, typer.Option("--intelligence", help="As intelligence alone, not as evidence.")
    ] = False,
    pass_on: Annotated[bool, typer.Option("--pass-on", help="It is passed on to others.")] = False,
    exculpatory: Annotated[
        bool, typer.Option("--exculpatory", help="It is disclosed because it helps the accused.")
    ] = False,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Say what results may be used for, and whether a use is covered (UNCAC 46(19))."""
    arguments: dict[str, Json] = {
        "case": case, "items": list(item or ()), "proceedings": proceedings,
        "as_evidence": not intelligence, "passes_on": pass_on, "exculpatory": exculpatory,
    }  # fmt: skip
    answer = ask(call, "case.use", arguments, passphrase_file=passphrase_file)
    if call.out.result(answer):
        return
    found = Fields(answer, "answer")
    bound = [Fields(one, "bound") for one in found.items("bound", count_max=_MANY)]
    if not bound:
        call.out.line("No result of this case is here that could be used.")
        return
    call.out.table(
        ("item", "who", "use", "proceedings"),
        [
            (harmless(one.text("item")) or "all", one.text("disclosure"), _joined(one, "use"),
             _joined(one, "proceedings"))
            for one in bound
        ],
    )  # fmt: skip
    if (judged := found.take("judged")) is not None:
        _say_judged(call, Fields(judged, "judged"), found.text("case"))


def _joined(one: Fields, name: str) -> str:
    return ", ".join(harmless(str(each)) for each in one.items(name, count_max=_MANY))


def _say_judged(call: Call, judged: Fields, case: str) -> None:
    if judged.take("allowed") is True:
        call.out.verdict(f"This use is covered, by {judged.text('by')}.", good=True)
        return
    call.out.verdict(f"{judged.text('sentence')} ({judged.text('rule')})", good=False)
    event = judged.text("event").replace("_", "-")
    call.out.line(f"With:  {call.typed('case', event, short(case))}")
