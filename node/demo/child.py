"""What runs in a process of the demo: the installed `comity` command, and nothing else.

The process is cut loose from the terminal, so that Ctrl-C reaches the demo alone and the
demo ends its nodes in good order; its output goes to files; of the environment it sees no
setting of a node that the user may have. Knows no stage and no story.
"""

from __future__ import annotations

import importlib.metadata
import multiprocessing
import os
import signal
import sys
import threading
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import Final

_COMMAND: Final = "comity"
_NOT_FOR_NODES: Final = ("COMITY_", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET")


@dataclass(frozen=True, slots=True)
class Part:
    """One command line, where its output goes, and whom to tell that it is ready."""

    arguments: tuple[str, ...]
    out: Path
    said: Path
    notify: str | None = None


def play(part: Part) -> None:
    """Run the command of a part in this process, and end with its status."""
    os.setsid()
    _end_with_the_demo()
    for name in list(os.environ):
        if name.startswith(_NOT_FOR_NODES):
            del os.environ[name]
    if part.notify is not None:
        os.environ["NOTIFY_SOCKET"] = part.notify
    _write_to(part.out, sys.stdout.fileno())
    _write_to(part.said, sys.stderr.fileno())
    sys.argv = [_COMMAND, *part.arguments]
    (script,) = importlib.metadata.entry_points(group="console_scripts", name=_COMMAND)
    sys.exit(script.load()())


def _write_to(path: Path, descriptor: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    opened = os.open(path, flags, 0o600)
    os.dup2(opened, descriptor)
    os.close(opened)


def _end_with_the_demo() -> None:
    """End this process in good order when the demo's has ended, however it did."""
    demo = multiprocessing.parent_process()
    if demo is None:
        raise SystemExit("this is a process of the demo and of nobody else")
    sentinel = demo.sentinel

    def watch() -> None:
        wait([sentinel])
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="demo-watch", daemon=True).start()
