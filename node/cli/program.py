"""The program: its commands put together, and how it ends.

Every command module registers its own commands when it is imported; they import nothing
heavy before they run, so `comity --help` loads neither database nor server. A failure that
we foresee is one sentence and an exit status; a bug keeps its traceback.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Final

import typer
from typer.exceptions import Abort, TyperException

from node.cli import (
    auditing,
    casework,
    drafting,
    evidence,
    finding,
    health,
    hooks,
    keyring,
    law,
    making,
    network,
    people,
    proving,
    serving,
    status,
    work,
)
from node.cli.call import ConfigOption, Failed, JsonOption, KeyOption, Shared
from node.cli.output import Output, silence_stdout
from node.exits import Exit, Fault, describe_plain
from protocol.errors import Rejected

_INTERRUPTED: Final = 130  # what typer makes of Ctrl-C
_HELP: Final = "Usage:"  # so begins what typer says to a group without a command: its help
_STOPPED: Final = Fault("stopped", "Stopped before the end.", Exit.FAILED)

app = typer.Typer(
    name="comity",
    help="Exchange mutual legal assistance with other authorities: signed, sealed, receipted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _module in (
    making, network, serving, status, law, casework, drafting, evidence, auditing,
    proving, health, keyring,
    people, work, hooks, finding,
):  # fmt: skip
    _module.register(app)


def _say_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        Output(as_json=False).line(f"comity {version('comity')}")
        raise typer.Exit


@app.callback()
def _shared(
    context: typer.Context,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    key_file: KeyOption = None,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_say_version, help="Show the version and end."
        ),
    ] = False,
) -> None:
    context.obj = Shared(config, as_json, key_file)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit status."""
    sys.exit(int(run(sys.argv[1:] if arguments is None else list(arguments))))


def run(arguments: Sequence[str]) -> Exit:
    """Run one command and give its exit status; only bugs come out as exceptions."""
    out = Output(as_json="--json" in arguments)
    try:
        ended = app(list(arguments), prog_name="comity", standalone_mode=False) or Exit.DONE
        sys.stdout.flush()
    except BrokenPipeError:
        return silence_stdout()
    except Exception as problem:
        fault = _described(problem)
        if fault is None:
            raise
        if str(problem).startswith(_HELP) and not out.as_json:
            out.line(str(problem))
            return fault.exit
        out.fault(fault)
        return fault.exit
    if ended == _INTERRUPTED:
        out.fault(_STOPPED)
        return _STOPPED.exit
    return Exit(ended)


def _described(problem: Exception) -> Fault | None:
    """Say what a person shall be told; None for a bug."""
    if isinstance(problem, Failed):
        return problem.fault
    if isinstance(problem, TyperException):
        return Fault("usage", _usage(problem), Exit.USAGE)
    if isinstance(problem, Abort):
        return _STOPPED
    if isinstance(problem, (OSError, Rejected)):
        return describe_plain(problem)
    from node.faults import EXPECTED, describe

    return describe(problem) if isinstance(problem, EXPECTED) else None


def _usage(problem: TyperException) -> str:
    """Say what was typed wrongly, and where help is."""
    text = problem.format_message() if hasattr(problem, "format_message") else str(problem)
    context = getattr(problem, "ctx", None)
    where = context.command_path if context is not None else "comity"
    if text.startswith(_HELP):
        text = f"`{where}` what?"
    end = "" if text.endswith(("?", ".")) else "."
    return f"{text}{end} `{where} --help` shows what can be typed."
