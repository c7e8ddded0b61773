"""The control socket: how the command line reaches a node that runs.

A Unix socket that any user of the machine may speak to who can reach it: the folder decides
that, and in the folder of a node only its own user and root can. The kernel says who speaks;
who is none of our people, and has no access key of one, hears only that. One request is one
verb of the desk: `POST /v1/VERB` with JSON arguments, answered by JSON. Anything that goes
wrong comes back as code, sentence and exit status, the same that the command would have shown
by itself.
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

from aiohttp import hdrs, web

from node.access.faults import NotKnown
from node.access.people import Caller
from node.ask import reachable
from node.desk import Desk, Result, act, who
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
_NOT_KNOWN: Final = 403
_BEARER: Final = "Bearer "


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
    """Bind with a mode by which all may speak; the caller holds the folder's lock.

    A folder that is made here can be passed through and not be listed.
    """
    path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    if os.path.lexists(path) and not _remove(path):
        raise SettingsError(
            f"{path} is there and is no socket: [control] socket in comity.toml must name a "
            "place for one."
        )
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o111)
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
        try:
            person = await asyncio.to_thread(who, desk, _caller(request))
            arguments = decode(await _read(request), bytes_max=_ARGUMENTS_BYTES_MAX)
            fields = Fields({"arguments": arguments}, "request").object("arguments")
            verb = request.match_info["verb"]
            result = await asyncio.to_thread(act, desk, verb, fields, person=person)
        except NotKnown as fault:
            return _json(_fault_json(describe(fault)), _NOT_KNOWN)
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


def _caller(request: web.Request) -> Caller:
    """Say who is at the other end: by the key that was sent, else by the Unix user."""
    sent = request.headers.getall(hdrs.AUTHORIZATION, [])
    if not sent:
        return Caller(uid=_uid(request))
    if len(sent) > 1 or not sent[0].startswith(_BEARER):
        raise NotKnown("a key is sent as `Authorization: Bearer comity_…`, once")
    return Caller(key=sent[0].removeprefix(_BEARER).strip())


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
