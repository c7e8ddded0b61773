"""Commands as a user types them, run in this process, and what they say.

    done = comity("--config", folder, "case", "list", "--json")
    assert done.status is Exit.DONE
    assert done.json["cases"] == []

Nobody sits at a terminal: what would ask a person is refused with a sentence. Commands about
cases are Anna's where she has settled in (`tests.support.people`), others those of whoever runs
the tests, as whom the node takes them for its administrator.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import structlog

from node.cli.program import run
from node.exits import Exit
from tests.support.people import key_for


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended, and what it said where."""

    status: Exit
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object that a command gives with --json; nothing may stand beside it."""
        return cast("dict[str, Any]", json.loads(self.out))


class _NoTerminal(io.TextIOWrapper):
    """Standard input that is a pipe."""

    def isatty(self) -> bool:
        return False


def comity(*arguments: str | Path, stdin: bytes = b"") -> Done:
    """Run one command and give what it said."""
    out, err, log = io.StringIO(), io.StringIO(), structlog.get_config()
    typed = [str(one) for one in arguments]
    with (
        _standing_in(stdin), _as_whom(typed),
        contextlib.redirect_stdout(out), contextlib.redirect_stderr(err),
    ):  # fmt: skip
        status = run(typed)
    structlog.configure(**log)  # a command that acts by itself says little in its log
    return Done(status, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _as_whom(typed: list[str]) -> Iterator[None]:
    """Have Anna's key named while a command about cases runs, unless the test names another."""
    words = [one for one in typed if not one.startswith("-")]
    folder = Path(typed[typed.index("--config") + 1]) if "--config" in typed else None
    if folder is not None:
        words.remove(str(folder))
        folder = folder.parent if folder.is_file() else folder
    variables = {} if folder is None else dict(key_for(folder, *words))
    before = {name: os.environ.get(name) for name in variables}
    if "COMITY_KEY_FILE" not in os.environ:
        os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)


@contextlib.contextmanager
def _standing_in(raw: bytes) -> Iterator[None]:
    before = sys.stdin
    sys.stdin = _NoTerminal(io.BytesIO(raw), encoding="utf-8")
    try:
        yield
    finally:
        sys.stdin = before
