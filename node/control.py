"""The control socket: how the command line reaches a node that runs.

A Unix socket of mode 0600 in the node's folder; only its owner and root may speak, and the
kernel says who does. One request is one verb of the desk: `POST /v1/VERB` with JSON
arguments, answered by JSON. Anything that goes wrong comes back as code, sentence and exit
status, the same that the command would have shown by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import stat
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final

from aiohttp import web

from node.ask import reachable
from node.desk import Desk, Result, act
from node.exits import Fault
from node.faults import EXPECTED, describe
from node.logs import get
from node.settings import SettingsError
from protocol.encoding import Fields, Json, canonical, decode
from protocol.errors import TooLarge

_log = get("control")

_ARGUMENTS_BYTES_MAX: Final = 16 * 1024 * 1024
_CREDENTIALS: Final = struct.Struct("3i")  # pid, uid, gid (SO_PEERCRED)
_REFUSED: Final = 422


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
        _remove(path)


def _bind(path: Path) -> socket.socket:
    """Bind with mode 0600 from the first moment; the caller holds the folder's lock."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.path.lexists(path) and not _remove(path):
        raise SettingsError(
            f"{path} is there and is no socket: [control] socket in comity.toml must name a "
            "place for one."
        )
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        with reachable(path) as name:
            listening.bind(name)
    finally:
        os.umask(before)
    listening.listen()
    return listening


def _remove(path: Path) -> bool:
    """Remove a socket: our own, or one left by a node that was killed, as the lock tells."""
    is_socket = os.path.lexists(path) and stat.S_ISSOCK(path.lstat().st_mode)
    if is_socket:
        path.unlink(missing_ok=True)
    return is_socket


def _answer(desk: Desk) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        uid = _uid(request)
        if uid not in {0, os.geteuid()}:  # this node's own user, or root
            return web.Response(status=403)
        try:
            arguments = decode(await _read(request), bytes_max=_ARGUMENTS_BYTES_MAX)
            fields = Fields({"arguments": arguments}, "request").object("arguments")
            verb = request.match_info["verb"]
            result = await asyncio.to_thread(act, desk, verb, fields, person=f"uid {uid}")
        except EXPECTED as fault:
            described = describe(fault)
            _log.info("verb-failed", code=described.code)
            return _json(_fault_json(described), _REFUSED)
        return _json(result, 200)

    return answer


async def _read(request: web.Request) -> bytes:
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge as fault:
        mib = _ARGUMENTS_BYTES_MAX // (1024 * 1024)
        raise TooLarge(f"what is given to a verb may have {mib} MiB") from fault


def _uid(request: web.Request) -> int | None:
    """Ask the kernel who is at the other end."""
    transport = request.transport
    peer = None if transport is None else transport.get_extra_info("socket")
    if peer is None:
        return None
    raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(raw)[1])


def _json(value: Result, status: int) -> web.Response:
    return web.Response(body=canonical(value), status=status, content_type="application/json")


def _fault_json(fault: Fault) -> Result:
    findings: list[Json] = [dict(one) for one in fault.findings]
    said: Result = {"code": fault.code, "sentence": fault.sentence, "exit": int(fault.exit)}
    return {**said, "findings": findings} if findings else said
