"""Where the demo plays: every process that it starts, and how each of them ends.

    with Stage(clock) as stage:
        stage.serve({"qm.justice": folder})             # `comity run`, until told to end
        done = stage.comity("--config", folder, "outbox", "--json")

Each command and each node is a process of its own that runs the installed `comity` command.
They are forked from one process that has imported the node already (multiprocessing's
forkserver), so that a command costs what it does and not a second of imports. A process
ends when the demo does, however that ends: it watches a pipe whose other end only the demo
holds. Knows no case and no message.
"""

from __future__ import annotations

import json
import multiprocessing
import multiprocessing.util
import os
import socket
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from node.clock import Clock
from node.demo.child import Part, play

LOG_FILE: Final = "node.log"
_PRELOADED: Final = [
    "node.demo.child", "node.cli", "node.run", "node.setup", "node.control", "node.doctor",
    "node.evidence.compare", "node.audit.fsck", "node.audit.verify", "rich.console", "rich.table",
]  # fmt: skip
_COMMAND_S_MAX: Final = 30.0
_READY_S_MAX: Final = 30.0
_END_S_MAX: Final = 10.0
_TEMPORARY_BYTES_MAX: Final = 60
_SHORT_TEMPORARY: Final = "/tmp"  # noqa: S108  (the folder made in it is ours alone)
_READY: Final = b"READY=1"  # sd_notify(3)


class StepFailed(Exception):
    """A step of the demo did not end as it must; the text says why."""


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended, and what it said."""

    arguments: tuple[str, ...]
    status: int
    out: str = field(repr=False)
    said: str = field(repr=False)

    def must(self, status: int = 0) -> Self:
        """Give the same again if the command ended with `status`; raises `StepFailed` if not."""
        if self.status == status:
            return self
        raise StepFailed(
            f"`comity {' '.join(self.arguments)}` ended with status {self.status}, "
            f"not {status}: {self._why()}"
        )

    def _why(self) -> str:
        """Give the last words of the command, or its sentence if it spoke to a program."""
        for text in (self.said, self.out):
            if text.strip():
                last = text.strip().splitlines()[-1].strip()
                break
        else:
            return "it said nothing"
        with suppress(ValueError, TypeError, KeyError):
            return str(json.loads(last)["sentence"])
        return last

    def answer(self) -> dict[str, Any]:
        """Give the one JSON object that the command printed; raises `StepFailed` if it did not."""
        try:
            found = json.loads(self.out)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise StepFailed(f"`comity {' '.join(self.arguments)}` printed no JSON object")
        return found


@dataclass(frozen=True, slots=True)
class Started:
    """A command that runs; `Stage.done` waits for its end."""

    arguments: tuple[str, ...]
    process: ForkServerProcess
    out: Path
    said: Path


class Stage:
    """Starts commands and nodes, and lets none of them outlive it."""

    def __init__(self, clock: Clock) -> None:
        """Be ready to start; nothing runs yet but the process that all others are forked from."""
        self._clock = clock
        self._said = tempfile.TemporaryDirectory(prefix="comity-demo-said-")
        self._commands: list[Started] = []
        self._nodes: dict[str, ForkServerProcess] = {}
        self._count = 0
        # The forkserver itself must not import from the folder that it happens to start in.
        os.environ["PYTHONSAFEPATH"] = "1"
        _place_socket()
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(_PRELOADED)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        """End every process that was started."""
        self.close()

    def comity(self, *arguments: object) -> Done:
        """Run a command to its end."""
        return self.done(self.start(*arguments))

    def comity_each(self, *commands: Sequence[object]) -> list[Done]:
        """Run several commands at once to their ends."""
        return [self.done(one) for one in [self.start(*command) for command in commands]]

    def start(self, *arguments: object) -> Started:
        """Start a command, to be waited for by `done`."""
        words = tuple(str(one) for one in arguments)
        self._count += 1
        out = Path(self._said.name, f"{self._count}.out")
        said = out.with_suffix(".said")
        process = self._process(Part(words, out, said))
        started = Started(words, process, out, said)
        self._commands.append(started)
        return started

    def done(self, started: Started) -> Done:
        """Wait for a command's end; raises `StepFailed` if it takes too long."""
        started.process.join(_COMMAND_S_MAX)
        status = started.process.exitcode
        if status is None:
            words = " ".join(started.arguments)
            raise StepFailed(f"`comity {words}` took longer than {_COMMAND_S_MAX:.0f} seconds")
        self._commands.remove(started)
        return Done(started.arguments, status, _text(started.out), _text(started.said))

    def serve(self, nodes: Mapping[str, Path]) -> None:
        """Start nodes, by name and folder, with `comity run`, and wait until all are ready."""
        with _notified() as (listening, address):
            for name, folder in nodes.items():
                log = folder / LOG_FILE
                part = Part(("--config", str(folder), "run"), log, log, notify=address)
                self._nodes[name] = self._process(part)
            self._wait_ready(listening, nodes)

    def _wait_ready(self, listening: socket.socket, nodes: Mapping[str, Path]) -> None:
        until = self._clock.monotonic() + _READY_S_MAX
        running = {self._nodes[name].sentinel: name for name in nodes}
        ready = 0
        while ready < len(nodes):
            left_s = until - self._clock.monotonic()
            heard = wait([listening, *running], max(left_s, 0))
            if not heard:
                raise StepFailed(f"a node is not ready; its {LOG_FILE} may say why")
            for name in [running[one] for one in heard if isinstance(one, int)]:
                log = nodes[name] / LOG_FILE
                raise StepFailed(f"the node of {name} ended at once: {_last_line(log)} ({log})")
            ready += listening.recv(64) == _READY

    def kill(self, name: str) -> int:
        """Kill a node without warning (SIGKILL); gives the process id that it had."""
        process = self._nodes.pop(name)
        process.kill()
        process.join(_END_S_MAX)
        return process.pid or 0

    def pids(self) -> dict[str, int]:
        """Give the process ids of the nodes that run, by name."""
        return {name: one.pid or 0 for name, one in self._nodes.items()}

    def wait_for_end(self) -> str:
        """Wait until a node ends that should not; gives its name."""
        ended = wait([one.sentinel for one in self._nodes.values()])
        return next(name for name, one in self._nodes.items() if one.sentinel in ended)

    def close(self) -> None:
        """End all that was started: nodes in good order, and what does not end, by force."""
        for started in self._commands:
            started.process.kill()
        nodes = list(self._nodes.values())
        for process in nodes:
            process.terminate()
        until = self._clock.monotonic() + _END_S_MAX
        for process in nodes:
            process.join(max(until - self._clock.monotonic(), 0))
            if process.exitcode is None:
                process.kill()
                process.join(_END_S_MAX)
        self._nodes.clear()
        self._said.cleanup()

    def _process(self, part: Part) -> ForkServerProcess:
        process = self._context.Process(target=play, args=(part,))
        process.start()
        return process


@contextmanager
def _notified() -> Iterator[tuple[socket.socket, str]]:
    """Listen, as systemd would, for nodes that say they are ready (sd_notify)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as listening:
        listening.bind("")  # the kernel chooses a name in its abstract space
        name: bytes = listening.getsockname()
        yield listening, "@" + name[1:].decode()


def _place_socket() -> None:
    """Make the folder where multiprocessing puts its socket, under a name that is short enough.

    The kernel has room for 108 bytes, and the user's folder for temporary files may need all.
    """
    chosen = tempfile.tempdir
    if len(os.fsencode(tempfile.gettempdir())) > _TEMPORARY_BYTES_MAX:
        tempfile.tempdir = _SHORT_TEMPORARY
    try:
        multiprocessing.util.get_temp_dir()  # which remembers it
    finally:
        tempfile.tempdir = chosen


def _last_line(path: Path) -> str:
    lines = _text(path).strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _text(path: Path) -> str:
    with suppress(FileNotFoundError):
        return path.read_text(errors="replace")
    return ""
