"""Commands as a user types them, run in this process, and what they say.

    done = comity("--config", folder, "case", "list", "--json")
    assert done.status is Exit.DONE
    assert done.json["cases"] == []

Nobody sits at a terminal: what would ask a person is refused with a sentence.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import structlog

from node.cli.program import run
from node.exits import Exit


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
    with _standing_in(stdin), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = run([str(one) for one in arguments])
    structlog.configure(**log)  # a command that acts by itself says little in its log
    return Done(status, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _standing_in(raw: bytes) -> Iterator[None]:
    before = sys.stdin
    sys.stdin = _NoTerminal(io.BytesIO(raw), encoding="utf-8")
    try:
        yield
    finally:
        sys.stdin = before
