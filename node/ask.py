"""Asking a node that runs: the command line's end of the control socket.

    answer = ask_node(settings.control.socket, "case.list", {})

One request is one verb with JSON arguments (`node.control` is the other end). What the node
says went wrong comes out as `Told`, with the sentence and exit status that the node gave.
This module loads no database and no server, so that a command which only asks starts fast.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from node.exits import Exit, Fault
from protocol.encoding import Fields, Json, canonical, decode
from protocol.errors import Rejected

_ANSWER_BYTES_MAX: Final = 256 * 1024 * 1024
_WAIT_S: Final = 120.0


class NoNode(Exception):  # (not an error: the command then works by itself)
    """No node listens on the socket."""


class Told(Exception):  # (the node's own sentence, to be shown as it is)
    """The node ran the verb and says why it failed."""

    def __init__(self, fault: Fault) -> None:
        """Keep the fault as the node described it."""
        super().__init__(fault.sentence)
        self.fault = fault


_GONE: Final = Fault(
    "node-gone",
    "The node ended before it answered. Start it with `comity run`, then look whether it was "
    "done (`comity case list`) before doing it again.",
    Exit.LATER,
)
_BUSY: Final = Fault(
    "node-busy",
    f"The node did not answer within {_WAIT_S:.0f} seconds. Look whether it was done "
    "(`comity case list`) before doing it again; the node's log says what keeps it.",
    Exit.LATER,
)


_NOT_YOURS: Final = Fault(
    "not-yours",
    "The folder of the node's socket lets nobody through but the node's own user. Who runs the "
    "node can put the socket where others reach it ([control] socket).",
    Exit.FAILED,
)


@contextlib.contextmanager
def reachable(path: Path) -> Iterator[str]:
    """Give a name for the socket that fits the 108 bytes the kernel has for one."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


class _UnixConnection(http.client.HTTPConnection):
    """The standard library's client, over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_WAIT_S)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket, or raise `NoNode`."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            with reachable(self._path) as name:
                self.sock.connect(name)
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError) as fault:
            self.sock.close()
            raise NoNode from fault
        except PermissionError:
            self.sock.close()
            raise Told(_NOT_YOURS) from None


def ask_node(
    path: Path, verb: str, arguments: Mapping[str, Json], *, key: str | None = None
) -> dict[str, Json]:
    """Run a verb in the node that listens at `path`, as the person of the access key.

    Without one the node takes whoever this process runs as.

    Raises `NoNode` if none does, `Told` if it could not do it or if its answer never came.
    """
    connection = _UnixConnection(path)
    try:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        connection.request("POST", f"/v1/{verb}", canonical(dict(arguments)), headers)
        response = connection.getresponse()
        declared = response.length or 0
        raw = response.read(_ANSWER_BYTES_MAX)
        if len(raw) < declared:  # `read` with a bound is silent about an early end
            raise http.client.IncompleteRead(raw)
    except TimeoutError as fault:
        raise Told(_BUSY) from fault
    except (ConnectionError, http.client.HTTPException) as fault:
        raise Told(_GONE) from fault
    finally:
        connection.close()
    if response.status == http.client.OK:
        return _object(raw)
    raise Told(_fault(raw, response.status))


def _object(raw: bytes) -> dict[str, Json]:
    answer = Fields({"answer": decode(raw or b"{}", bytes_max=_ANSWER_BYTES_MAX)}, "answer")
    return answer.object("answer")


def _fault(raw: bytes, status: int) -> Fault:
    """Read why it failed; where a bug of the node says nothing in our form, say that much."""
    try:
        fields = Fields(_object(raw), "fault")
        code, sentence = fields.text("code"), fields.text("sentence")
        return Fault(code, sentence, Exit(fields.integer("exit")), _findings(fields))
    except (Rejected, ValueError):
        sentence = f"The node failed with status {status}; its log says why."
        return Fault("node-failed", sentence, Exit.FAILED)


def _findings(fields: Fields) -> tuple[Mapping[str, str], ...]:
    """Read what is wrong with single fields, if the node said so."""
    found = fields.take("findings") if fields.has("findings") else []
    rows = found if isinstance(found, list) else []
    return tuple(
        {name: value for name, value in row.items() if isinstance(value, str)}
        for row in rows
        if isinstance(row, dict)
    )
