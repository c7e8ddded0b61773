"""Playing a demonstration case from its beginning to its verified end.

    status = run_case("1", api=False, keep=None, json=False)

One process holds the nodes and their clock; commands are processes of their own. When it
ends, however it does, all of them have ended and the folder is gone, unless somebody asked to
keep it or a step failed and the reason lies there. The story ends before the present, so what
is kept can be worked with at once, on the machine's own clock.
"""

from __future__ import annotations

import datetime as dt
import json as json_text
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from rich.console import Console
from rich.text import Text

from node.clock import SystemClock
from node.demo.cases import case_1, case_2, case_3, case_4, case_5, case_6, case_refusal
from node.demo.cases.clock import StoryClock
from node.demo.cases.house import House
from node.demo.cases.play import DAY_S, Play, Scene
from node.demo.cases.texts import FICTIONAL
from node.demo.cases.voices import Api, CommandLine, Voice
from node.demo.ends import ended_by_signals, new_folder
from node.demo.page import command_name
from node.demo.stage import Stage, StepFailed
from node.exits import Exit
from node.logs import configure

SCHEMA: Final = "comity.demo-case/1"
LISTED: Final = "comity.demo-cases/1"


class Script(Protocol):
    """What a script is made of; each is a module."""

    @property
    def AUTHORITIES(self) -> Sequence[str]:  # noqa: N802  (a constant of the module)
        """The authorities that play, by their ids."""
        ...

    @property
    def TITLE(self) -> str:  # noqa: N802  (a constant of the module)
        """What it is about, in one line."""
        ...

    @property
    def play(self) -> Callable[[Play], None]:
        """What plays it."""
        ...


CASES: Final[Mapping[str, Script]] = {
    "1": case_1,
    "2": case_2,
    "3": case_3,
    "4": case_4,
    "5": case_5,
    "6": case_6,
    "refusal": case_refusal,
}
"""The scripts by name; each has `AUTHORITIES`, `TITLE` and `play`.

A script that begins on a certain day of the week says so as `WEEKDAY`, 0 being Monday, and
what its nodes are set to beyond the usual, as `CHOSEN`.
"""

_BEFORE_S: Final = 300 * DAY_S  # the story ends before now, by which its proofs are judged
_OPENS_S: Final = 10 * 3600
_WEEK_DAYS: Final = 7
_EPOCH_WEEKDAY: Final = 3  # 1 January 1970 was a Thursday


class Screen:
    """Shows the story as it goes: lines for a person, one object for a program."""

    def __init__(self, *, json: bool) -> None:
        """Write to standard output."""
        self._json = json
        width = None if sys.stdout.isatty() else 100_000
        self._console = Console(width=width, markup=False, highlight=False, emoji=False)

    def begin(self, name: str, title: str, voice: str) -> None:
        """Say what is played, and that it is fictional."""
        if not self._json:
            self._console.print(Text(f" {FICTIONAL} ", style="bold reverse"))
            self._console.print(f"Case {name}: {title}. From the {voice} alone.\n")

    def scene(self, scene: Scene) -> None:
        """Show one line of the story."""
        if not self._json:
            date = dt.datetime.fromtimestamp(scene.at, dt.UTC).strftime("%Y-%m-%d %H:%M")
            line = Text(f"day {scene.day:>3}  {date}  ", style="dim")
            line.append(scene.sentence, style="")
            self._console.print(line, soft_wrap=True)

    def end(self, name: str, played: Mapping[str, object], why: str | None) -> None:
        """Say how it ended."""
        if self._json:
            told = {"schema": SCHEMA, "case": name, "fictional": True, **played, "why": why}
            sys.stdout.write(json_text.dumps(told) + "\n")
            return
        good = why is None
        word = "Played to its end, and verified." if good else f"It went otherwise: {why}"
        self._console.print(Text(f"\n{word}", style="bold green" if good else "bold red"))

    def word(self, text: str) -> None:
        """Say one more thing, beside the object if a program reads that."""
        out = sys.stderr if self._json else sys.stdout
        out.write(f"{text}\n")


def list_cases(*, json: bool) -> None:
    """Say which cases there are."""
    if json:
        found = [{"case": name, "title": script.TITLE} for name, script in CASES.items()]
        told = {"schema": LISTED, "fictional": True, "cases": found}
        sys.stdout.write(json_text.dumps(told) + "\n")
        return
    sys.stdout.write(f"{FICTIONAL}\n\n")
    for name, script in CASES.items():
        sys.stdout.write(f"  {name:<8} {script.TITLE}\n")
    sys.stdout.write(f"\nPlay one:  {command_name()} demo --case {next(iter(CASES))}\n")


def run_case(name: str, *, api: bool, keep: Path | None, json: bool) -> Exit:
    """Play one case and give the command's exit status; raises `OSError` as `new_folder`."""
    folder = new_folder(keep)
    screen = Screen(json=json)
    status, stopped = Exit.FAILED, False
    with ended_by_signals() as deaf:
        try:
            status = _played(name, folder, screen, api=api)
        except KeyboardInterrupt:
            stopped = True
        finally:
            deaf()
        if removed := keep is None and (stopped or status is Exit.DONE):
            shutil.rmtree(folder)
    if stopped:
        screen.word("Stopped: all nodes have ended.")
    if removed:
        screen.word("Everything the demonstration made is gone.")
    else:
        screen.word(f"All is kept in {folder}: {FICTIONAL}, throw-away keys.")
        for hint in _hints(CASES[name], folder) if status is Exit.DONE else ():
            screen.word(hint)
    return status


def _hints(script: Script, folder: Path) -> list[str]:
    """Give commands that show what was left, as people of the story would type them."""
    home = folder / script.AUTHORITIES[0]
    key = next(iter(sorted(home.glob("*.key"))), None)
    if key is None:
        return []
    words = [command_name(), "--config", str(home), "--key-file", str(key), "case", "list"]
    return ["The nodes are down; commands work on what they left, as:", f"  {shlex.join(words)}"]


def begun_at(now: int, weekday: int | None) -> int:
    """Give the first midnight of a story that is told now, if need be of a certain weekday."""
    day = (now - _BEFORE_S) // DAY_S
    back = 0 if weekday is None else (day + _EPOCH_WEEKDAY - weekday) % _WEEK_DAYS
    return (day - back) * DAY_S


def _played(name: str, folder: Path, screen: Screen, *, api: bool) -> Exit:
    script = CASES[name]
    configure("error", "console")
    real = SystemClock()
    began = real.monotonic()
    clock = StoryClock(begun_at(real.now(), getattr(script, "WEEKDAY", None)) + _OPENS_S)
    with Stage(real) as stage:
        voice: Voice = Api() if api else CommandLine(stage)
        screen.begin(name, script.TITLE, voice.name)
        scenes, why = play_script(script, folder, stage, voice, clock=clock, show=screen.scene)
    played: dict[str, object] = {
        "title": script.TITLE, "voice": voice.name, "ok": why is None,
        "seconds": round(real.monotonic() - began, 3),
        "scenes": [{"day": one.day, "at": one.at, "saw": one.sentence} for one in scenes],
    }  # fmt: skip
    screen.end(name, played, why)
    return Exit.DONE if why is None else Exit.FAILED


def play_script(
    script: Script, folder: Path, stage: Stage, voice: Voice, *, clock: StoryClock,
    show: Callable[[Scene], None],
) -> tuple[list[Scene], str | None]:  # fmt: skip
    """Play a script in nodes of its own; gives what was seen, and why it failed if it did."""
    begun = clock.begins // DAY_S * DAY_S
    with House(folder, clock, script.AUTHORITIES) as house:
        play = Play(house, clock, stage, voice, begun, show)
        try:
            house.make(getattr(script, "CHOSEN", None))
            script.play(play)
        except (StepFailed, OSError) as fault:
            return play.scenes, str(fault)
        return play.scenes, None
