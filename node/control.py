"""The control socket: how the command line reaches a node that runs.

A Unix socket of mode 0600 in the node's folder; only its owner and root may speak, and the
kernel says who does. One request is one verb of the desk: `POST /v1/VERB` with JSON
arguments, answered by JSON. Anything that goes wrong comes back as code, sentence and exit
status, the same that the command would have shown by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from aiohttp import web

from node.desk import Desk, Result, act
from node.faults import EXPECTED, Exit, Fault, describe
from node.logs import get
from protocol.encoding import Fields, Json, canonical, decode
from protocol.errors import Rejected

_log = get("control")

_ARGUMENTS_BYTES_MAX: Final = 16 * 1024 * 1024
_ANSWER_BYTES_MAX: Final = 256 * 1024 * 1024
_WAIT_S: Final = 120.0
_CREDENTIALS: Final = struct.Struct("3i")  # pid, uid, gid (SO_PEERCRED)
_REFUSED: Final = 422


class NoNode(Exception):  # noqa: N818  (not an error: the command then works by itself)
    """No node listens on the socket."""


class Told(Exception):  # noqa: N818  (the node's own sentence, to be shown as it is)
    """The node ran the verb and says why it failed."""

    def __init__(self, fault: Fault) -> None:
        """Keep the fault as the node described it."""
        super().__init__(fault.sentence)
        self.fault = fault


@contextlib.asynccontextmanager
async def serve_desk(desk: Desk, path: Path) -> AsyncIterator[None]:
    """Answer the command line on the socket at `path` until the block ends."""
    application = web.Application(client_max_size=_ARGUMENTS_BYTES_MAX)
    application.router.add_post("/v1/{verb}", _answer(desk))
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    listening = _bind(path)
    try:
        await web.SockSite(runner, listening).start()
        yield
    finally:
        await runner.cleanup()
        path.unlink(missing_ok=True)


def _bind(path: Path) -> socket.socket:
    """Bind with mode 0600 from the first moment; the caller holds the folder's lock."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # left by a node that was killed: the lock says it is gone
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        with _reachable(path) as name:
            listening.bind(name)
    finally:
        os.umask(before)
    listening.listen()
    return listening


@contextlib.contextmanager
def _reachable(path: Path) -> Iterator[str]:
    """Give a name for the socket that fits the 108 bytes the kernel has for one."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _answer(desk: Desk) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        if not _may_speak(request):
            return web.Response(status=403)
        try:
            arguments = decode(await request.read(), bytes_max=_ARGUMENTS_BYTES_MAX)
            fields = Fields({"arguments": arguments}, "request").object("arguments")
            result = await asyncio.to_thread(act, desk, request.match_info["verb"], fields)
        except EXPECTED as fault:
            described = describe(fault)
            _log.info("verb-failed", code=described.code)
            return _json(_fault_json(described), _REFUSED)
        return _json(result, 200)

    return answer


def _may_speak(request: web.Request) -> bool:
    """Ask the kernel who is at the other end: this node's own user, or root."""
    transport = request.transport
    peer = None if transport is None else transport.get_extra_info("socket")
    if peer is None:
        return False
    raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return _CREDENTIALS.unpack(raw)[1] in {0, os.geteuid()}


def _json(value: Result, status: int) -> web.Response:
    return web.Response(body=canonical(value), status=status, content_type="application/json")


def _fault_json(fault: Fault) -> Result:
    return {"code": fault.code, "sentence": fault.sentence, "exit": int(fault.exit)}


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
            with _reachable(self._path) as name:
                self.sock.connect(name)
        except (FileNotFoundError, ConnectionRefusedError) as fault:
            self.sock.close()
            raise NoNode from fault


def ask_node(path: Path, verb: str, arguments: Mapping[str, Json]) -> dict[str, Json]:
    """Run a verb in the node that listens at `path`.

    Raises `NoNode` if none does, `Told` if it could not do it.
    """
    connection = _UnixConnection(path)
    try:
        connection.request("POST", f"/v1/{verb}", canonical(dict(arguments)))
        response = connection.getresponse()
        raw = response.read(_ANSWER_BYTES_MAX)
    finally:
        connection.close()
    answer = Fields({"answer": decode(raw or b"{}", bytes_max=_ANSWER_BYTES_MAX)}, "answer")
    found = answer.object("answer")
    if response.status == http.client.OK:
        return found
    raise Told(_fault(found, response.status))


def _fault(found: dict[str, Json], status: int) -> Fault:
    fields = Fields(found, "fault")
    try:
        return Fault(fields.text("code"), fields.text("sentence"), Exit(fields.integer("exit")))
    except (Rejected, ValueError):
        sentence = f"The node failed with status {status}; its log says why."
        return Fault("node-failed", sentence, Exit.FAILED)
