"""`comity audit erase` and `comity case erase`: what must not be kept any longer goes for good."""

from __future__ import annotations

import sys
from typing import Annotated, TypeAlias

import typer

from node.cli.access import ask
from node.cli.call import Call, PassphraseOption, failed, usage
from node.cli.output import plural
from protocol.encoding import Fields, Json

ReasonOption: TypeAlias = Annotated[
    str, typer.Option(metavar="WORD", help="Why, as one word for the log: retention-ended.")
]
YesOption: TypeAlias = Annotated[
    bool, typer.Option("--yes", help="Do not ask whether it is meant.", show_default=False)
]


def audit_erase(
    call: Call,
    *,
    records: Annotated[
        list[str],
        typer.Argument(metavar="RECORD…", help="Positions in the log: 3, 7-9, or 1/3 in log 1."),
    ],
    reason: ReasonOption,
    yes: YesOption = False,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Destroy records and their salts; their entries stay, and the log still verifies."""
    log, entries = _entries(records)
    _confirm(call, f"Destroy the records of {entries} for good?", yes=yes)
    arguments: dict[str, Json] = {"log": log, "entries": entries, "reason": reason}
    done = ask(call, "audit.erase", arguments, passphrase_file=passphrase_file)
    if call.out.result(done):
        return
    fields = Fields(done, "answer")
    count = fields.integer("count")
    call.out.verdict(f"{plural(count, 'record')} destroyed, and the log says so.", good=True)
    call.out.line(f"  log {fields.integer('log')}, entries {fields.text('entries')}")
    call.out.line("Backups and receipts that others hold still have what they had.")


def case_erase(
    call: Call,
    *,
    case: Annotated[str, typer.Argument(metavar="CASE", help="Its id, or how it begins.")],
    reason: ReasonOption,
    yes: YesOption = False,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Destroy the key of a case: nobody here can read any of its texts again."""
    _confirm(call, f"Destroy all texts of the case {case} for good?", yes=yes)
    arguments: dict[str, Json] = {"case": case, "reason": reason}
    done = ask(call, "case.erase", arguments, passphrase_file=passphrase_file)
    if call.out.result(done):
        return
    erased = Fields(done, "answer").text("case")
    call.out.verdict(f"The texts of {erased} are gone, and the log says so.", good=True)
    call.out.line(
        "The other side keeps its own; backups keep the key until they are destroyed, too."
    )


def _entries(records: list[str]) -> tuple[int | None, str]:
    """Split `1/3` into the log and the position; all must be of one log."""
    logs, entries = set[int | None](), []
    for one in records:
        log, slash, entry = one.rpartition("/")
        if slash and not (log.isascii() and log.isdigit()):
            raise usage(f'"{one}" is no record: write a position, or LOG/POSITION.')
        logs.add(int(log) if slash else None)
        entries.append(entry)
    if len(logs) > 1:
        raise usage("One log at a time: the records are of several.")
    return logs.pop(), ",".join(entries)


def _confirm(call: Call, question: str, *, yes: bool) -> None:
    if yes:
        return
    if call.out.as_json or not sys.stdin.isatty():
        raise usage("This cannot be undone: say --yes if it is meant.")
    if input(f"{question} Type yes: ").strip() != "yes":
        raise failed("not-done", "Nothing was destroyed.")
