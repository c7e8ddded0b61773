"""The one place where the command line speaks: results, tables, warnings, errors.

People's text goes to standard output, errors and warnings to standard error. With `--json`
standard output carries exactly one object, an error's included. What others chose (names,
texts, file names) never reaches a terminal raw: control and formatting characters stand as
escapes, and nothing is read as markup. Colour is an ornament on terminals alone, and none
is used where NO_COLOR is set.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TextIO

from node.exits import Exit, Fault
from protocol.encoding import Json

if TYPE_CHECKING:
    from rich.console import Console

_WIDE: Final = 100_000  # what a pipe gets is never folded
_ERROR_SCHEMA: Final = "comity.error/1"


class Output:
    """Where one command speaks; `as_json` says for whom."""

    def __init__(self, *, as_json: bool) -> None:
        """Speak to a program if `as_json`, else to a person."""
        self.as_json = as_json

    def result(self, value: Mapping[str, Json]) -> bool:
        """Give the result to a program; True if that was all there is to say."""
        if self.as_json:
            sys.stdout.write(json.dumps(value) + "\n")
        return self.as_json

    def line(self, text: str = "") -> None:
        """Say one line to a person."""
        if not self.as_json:
            sys.stdout.write(f"{text}\n")

    def flush(self) -> None:
        """Let a person see at once what was said."""
        sys.stdout.flush()

    def heading(self, text: str) -> None:
        """Say a line that stands out on a terminal."""
        if not self.as_json:
            _console(sys.stdout).print(text, style="bold", soft_wrap=True)

    def verdict(self, text: str, *, good: bool) -> None:
        """Say how something ended, in a colour on a terminal."""
        if not self.as_json:
            style = "bold green" if good else "bold red"
            _console(sys.stdout).print(text, style=style, soft_wrap=True)

    def table(self, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Show rows under their heads; cells are made harmless here."""
        if self.as_json:
            return
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        for head in heads:
            table.add_column(Text(head), overflow="fold")
        for row in rows:
            table.add_row(*(Text(harmless(cell)) for cell in row))
        _console(sys.stdout).print(table)

    def warn(self, text: str) -> None:
        """Say a warning on standard error; it changes no result."""
        sys.stderr.write(f"Warning: {text}\n")

    def fault(self, fault: Fault) -> None:
        """Say what failed, why, and what to do."""
        sentence = harmless_lines(fault.sentence)
        if self.as_json:
            findings: list[Json] = [dict(one) for one in fault.findings]
            said: dict[str, Json] = {
                "schema": _ERROR_SCHEMA, "code": fault.code, "sentence": sentence,
                "exit": int(fault.exit),
            }  # fmt: skip
            self.result({**said, "findings": findings} if findings else said)
            return
        _console(sys.stderr).print("Error:", style="bold red", end=" ")
        sys.stderr.write(f"{sentence}\n")
        for one in fault.findings:
            told = (one.get("severity"), one.get("field"), one.get("sentence"), one.get("rule"))
            sys.stderr.write(f"  {' | '.join(harmless(part) for part in told)}\n")


def _console(stream: TextIO) -> Console:
    from rich.console import Console

    return Console(
        file=stream, markup=False, highlight=False, emoji=False,
        width=None if stream.isatty() else _WIDE,
    )  # fmt: skip


def harmless(cell: object) -> str:
    """Give anything as one line that cannot steer a terminal; None is empty."""
    if cell is None:
        return ""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in str(cell))


def harmless_lines(text: str) -> str:
    """Do the same for a text of several lines: line breaks and tabs stay."""
    lines = text.replace("\r\n", "\n").expandtabs(4).split("\n")
    return "\n".join(harmless(line) for line in lines)


def when(time: object) -> str:
    """Give a Unix time as people write it, in UTC."""
    if not isinstance(time, int):
        return ""
    try:
        moment = dt.datetime.fromtimestamp(time, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return f"second {time}"  # after the year 9999: somebody may type, or sign, any number
    return moment.strftime("%Y-%m-%d %H:%M:%SZ")


def size(count: int) -> str:
    """Give a number of bytes as people say it."""
    amount = float(count)
    for unit in ("bytes", "KB", "MB", "GB"):
        if amount < 1000:  # noqa: PLR2004  (that is what the units mean)
            return f"{count} bytes" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def plural(count: int, word: str) -> str:
    """Give a number with its word."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def silence_stdout() -> Exit:
    """Stop speaking: whoever read our output has gone (`comity … | head`)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return Exit.FAILED
