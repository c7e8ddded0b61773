"""`comity doctor` says what is wrong with a node, and what to do about it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from node.cli.access import open_ring, settings_of
from node.cli.call import Call, PassphraseOption, command
from node.cli.output import harmless, plural
from node.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keys.ring import KeyRing
    from node.doctor import Check
    from node.settings import Settings

_MARKS: Final = {"ok": "ok", "warning": "WARN", "failed": "FAIL"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "doctor")(doctor)


def doctor(
    call: Call,
    *,
    online: Annotated[
        bool | None,
        typer.Option(
            "--online/--offline", show_default=False,
            help="Ask every peer, which needs the keys; or none. Else: ask, if the passphrase "
            "can be had without asking for it.",
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Warnings count: exit status 5.")
    ] = False,
    passphrase_file: PassphraseOption = None,
) -> Exit:  # fmt: skip
    """Look at everything that can be wrong with this node."""
    from node.clock import SystemClock
    from node.doctor import examine
    from node.logs import configure

    configure("error", "console")
    settings, clock = settings_of(call), SystemClock()
    ring, problems = _ring(settings, passphrase_file, online=online)
    checks = [*examine(settings, clock=clock, ring=ring), *problems]
    if ring is not None and online is not False and _can_ask(checks):
        checks += _ask_peers(settings, ring)
    _say(call, settings, checks)
    found = {check.status.value for check in checks}
    if "failed" in found:
        return Exit.FAILED
    return Exit.WARNINGS if strict and "warning" in found else Exit.DONE


def _ring(
    settings: Settings, passphrase_file: Path | None, *, online: bool | None
) -> tuple[KeyRing | None, list[Check]]:
    """Open the keys; a person is asked for the passphrase only with --online."""
    from keys.keyfile import KeyFileError, read_passphrase
    from node.doctor.check import failed
    from node.settings import CREDENTIAL

    if online or passphrase_file is not None:
        return open_ring(settings, passphrase_file), []
    file = settings.keys.passphrase_file
    if file is None and not os.environ.get("CREDENTIALS_DIRECTORY"):
        return None, []
    try:
        known = read_passphrase(file=file, credential=CREDENTIAL)
        return open_ring(settings, passphrase=known), []
    except KeyFileError as fault:
        advice = "Until it opens, the node does not start."
        return None, [failed("passphrase", str(fault), advice)]


def _can_ask(checks: Sequence[Check]) -> bool:
    """Say whether the database can be read, where the peers' listings are."""
    return all(one.status.value != "failed" for one in checks if one.name == "database")


def _ask_peers(settings: Settings, ring: KeyRing) -> list[Check]:
    import asyncio

    from node.clock import SystemClock, SystemRandom
    from node.doctor import ask_peers

    return asyncio.run(ask_peers(settings, clock=SystemClock(), random=SystemRandom(), ring=ring))


def _say(call: Call, settings: Settings, checks: Sequence[Check]) -> None:
    counts = {status: sum(one.status.value == status for one in checks) for status in _MARKS}
    shown = call.out.result(
        {
            "schema": "comity.doctor/1",
            "authority": settings.authority,
            "counts": dict(counts),
            "checks": [
                {"name": one.name, "status": one.status.value, "sentence": one.sentence,
                 "advice": one.advice}
                for one in checks
            ],
        }
    )  # fmt: skip
    if shown:
        return
    call.out.heading(f"The node of {settings.authority}")
    width = max(len(one.name) for one in checks)
    for one in checks:
        mark = _MARKS[one.status.value]
        call.out.line(f"  {mark:<4}  {one.name:<{width}}  {harmless(one.sentence)}")
        if one.advice:
            call.out.line(f"        {'':<{width}}  -> {harmless(one.advice)}")
    call.out.line()
    if counts["failed"]:
        call.out.verdict(f"{plural(counts['failed'], 'thing')} to mend.", good=False)
    elif counts["warning"]:
        call.out.line(f"Nothing is broken; {plural(counts['warning'], 'warning')}.")
    else:
        call.out.verdict("All is well.", good=True)
