"""What the demo shows: one terminal page for a person, or one JSON object for a program.

On a terminal with colour and a line that says what is going on; in a pipe, plain text.
Knows the story's steps by their results alone.
"""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.text import Text

SCHEMA: Final = "comity.demo/1"
_BANNER: Final = "DEMO - throw-away keys: nothing here may be used in earnest"
_WIDE: Final = 100_000  # what a pipe gets is never folded


@dataclass(frozen=True, slots=True)
class Played:
    """How one step went: what was seen, or why it failed."""

    name: str
    ok: bool
    seconds: float
    saw: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Hint:
    """A command to try next, by its words, and what it shows."""

    words: tuple[str, ...]
    shows: str


class Page:
    """The page of a person."""

    def __init__(self) -> None:
        """Write to standard output."""
        width = None if sys.stdout.isatty() else _WIDE
        self._console = Console(width=width, markup=False, highlight=False, emoji=False)
        plain = not (self._console.encoding or "").lower().startswith("utf")
        self._tick, self._cross = ("ok", "!!") if plain else ("✓", "✗")

    def begin(self) -> None:
        """Say what this is."""
        self._console.print(Text(f" {_BANNER} ", style="bold reverse"))
        self._console.print("Three authorities on this machine: each its own node, real HTTPS.\n")

    @contextmanager
    def during(self, title: str) -> Iterator[None]:
        """Show, on a terminal, what is going on."""
        with self._console.status(f"{title} ..."):
            yield

    def step(self, played: Played) -> None:
        """Show how a step went."""
        mark, style = (self._tick, "green") if played.ok else (self._cross, "bold red")
        line = Text(f"{mark:>3} ", style=style)
        line.append(f"{played.seconds:4.1f} s  ", style="dim")
        line.append(played.saw, style="" if played.ok else "bold red")
        self._console.print(line, soft_wrap=True)
        if played.note:
            self._console.print(Text(f"{'':12}{played.note}", style="dim"), soft_wrap=True)

    def result(self, summary: Mapping[str, Any]) -> None:
        """Say how it all went, and what to try."""
        steps, seconds = summary["steps"], summary["seconds"]
        done = sum(one["ok"] for one in steps)
        style = "bold green" if summary["ok"] else "bold red"
        words = f"{done} of {summary['steps_total']} steps done in {seconds:.1f} s."
        self._console.print(Text(f"\n{words}", style=style))

    def hints(self, folder: Path, hints: Sequence[Hint], lead: str) -> None:
        """Give commands that can be copied into a shell."""
        self._console.print(lead)
        self._console.print(Text(f"  D={shlex.quote(str(folder))}"), soft_wrap=True)
        for hint in hints:
            # No comment behind the command: not every shell takes one that is pasted.
            self._console.print(Text(f"  {hint.shows}:", style="dim"), soft_wrap=True)
            words = [shlex.quote(command_name()), *(_short(word, folder) for word in hint.words)]
            self._console.print(Text(f"    {' '.join(words)}"), soft_wrap=True)

    def word(self, text: str) -> None:
        """Say one more thing."""
        self._console.print(text, soft_wrap=True)


class JsonPage(Page):
    """The page of a program: silent until the one object."""

    def __init__(self) -> None:
        """Write to standard output, at the end."""

    def begin(self) -> None:
        """Say nothing."""

    @contextmanager
    def during(self, title: str) -> Iterator[None]:
        """Say nothing."""
        del title
        yield

    def step(self, played: Played) -> None:
        """Say nothing."""

    def result(self, summary: Mapping[str, Any]) -> None:
        """Give the object."""
        sys.stdout.write(json.dumps(summary) + "\n")
        sys.stdout.flush()

    def hints(self, folder: Path, hints: Sequence[Hint], lead: str) -> None:
        """Say nothing: the object has them."""

    def word(self, text: str) -> None:
        """Say it beside the object."""
        sys.stderr.write(f"{text}\n")


def command_name() -> str:
    """Give the command as this person typed it, so that what is printed can be typed too."""
    typed = Path(sys.argv[0])
    beside = Path(sys.executable).with_name("comity")
    script = typed if typed.name == "comity" else beside
    found = shutil.which("comity")
    if found is not None and script.exists() and Path(found).samefile(script):
        return "comity"
    absolute = script.absolute()
    here = Path.cwd()
    return str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute)


def _short(word: str, folder: Path) -> str:
    """Write a path in the demo's folder as a shell does that knows the folder as D."""
    path = Path(word)
    if path.is_absolute() and path.is_relative_to(folder):
        return f'"$D"/{shlex.quote(str(path.relative_to(folder)))}'
    return shlex.quote(word)
