"""`comity run`, the node itself, and `comity demo`, three of them for a newcomer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from node.ask import NoNode, Told, ask_node
from node.cli.access import open_ring, settings_of
from node.cli.call import Call, PassphraseOption, command
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
        Path | None, typer.Option(metavar="DIR", help="Leave the three nodes in this folder.")
    ] = None,
) -> Exit:
    """Watch three authorities exchange a request, survive an outage, and catch a forgery."""
    from node.demo import run_demo

    return Exit(run_demo(once=once, keep=keep, json=call.out.as_json))
