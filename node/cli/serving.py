"""`comity run`, the node itself, and `comity demo`, three of them for a newcomer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from node.ask import NoNode, Told, ask_node
from node.cli.access import open_ring, settings_of
from node.cli.call import Call, PassphraseOption, command, usage
from node.exits import Exit

if TYPE_CHECKING:
    from node.settings import Settings

_COMMAND_S_MAX: Final = 10.0
_LOOK_AGAIN_S: Final = 0.1


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "run")(run)
    command(app, "demo")(demo)


def run(
    call: Call,
    *,
    log_level: Annotated[
        str | None, typer.Option(metavar="LEVEL", help="debug, info, warning or error.")
    ] = None,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Run the node until it is told to stop (Ctrl-C, SIGTERM)."""
    settings = settings_of(call, {"log.level": log_level})
    from node.logs import configure

    configure(settings.log.level, settings.log.format)
    ring = open_ring(settings, passphrase_file)
    from node.run import run_node

    def ready() -> None:
        call.out.line(
            f"The node of {settings.authority} runs and listens on {settings.peers.listen}. "
            "Ctrl-C ends it."
        )
        call.out.flush()

    _run_when_free(settings, lambda: run_node(settings, ring, ready=ready))
    call.out.result({"schema": "comity.run/1", "authority": settings.authority, "ended": True})


def _run_when_free(settings: Settings, run_it: Callable[[], None]) -> None:
    """Run the node; a command that writes at this moment is waited for, another node is not."""
    from node.clock import SystemClock
    from node.storage.engine import NodeRuns

    clock = SystemClock()
    deadline = clock.monotonic() + _COMMAND_S_MAX
    while True:
        try:
            return run_it()
        except NodeRuns:
            if clock.monotonic() > deadline or _answers(settings):
                raise
        threading.Event().wait(_LOOK_AGAIN_S)


def _answers(settings: Settings) -> bool:
    try:
        ask_node(settings.control.socket, "network.show", {})
    except NoNode:
        return False
    except Told:
        return True
    return True


def demo(
    call: Call,
    *,
    once: Annotated[bool, typer.Option("--once", help="End when the story is over.")] = False,
    keep: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Leave the nodes in this folder.")
    ] = None,
    case: Annotated[
        str | None, typer.Option(metavar="N", help="Play one of the cases: 1 to 6, refusal.")
    ] = None,
    cases: Annotated[bool, typer.Option("--cases", help="List the cases.")] = False,
    api: Annotated[
        bool, typer.Option("--api", help="Play a case through the API, not by commands.")
    ] = False,
) -> Exit:
    """Watch three authorities exchange a request, survive an outage, and catch a forgery.

    With --case, one of the demonstration cases: months of a request in seconds.
    """
    if cases:
        from node.demo.cases.run import list_cases

        list_cases(json=call.out.as_json)
        return Exit.DONE
    if case is not None:
        from node.demo.cases.run import CASES, run_case

        if case not in CASES:
            raise usage(f"The cases are {', '.join(CASES)}.")
        return run_case(case, api=api, keep=keep, json=call.out.as_json)
    if api:
        raise usage("--api says how a case is played: give --case as well.")
    from node.demo import run_demo

    return Exit(run_demo(once=once, keep=keep, json=call.out.as_json))
