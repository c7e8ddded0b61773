"""The staff listener and the webhooks of a node that runs: bound, started and ended together.

    async with serve_staff(desk, failure): ...

Nothing is opened before the operator has said where ([staff] listen). Knows no request.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable

from node.api.staff import Staff
from node.api.telling import Telling
from node.app import ServiceEnded
from node.desk import Desk
from node.logs import get
from node.settings import Settings
from node.storage.vault import Vault
from node.transport.tls import server_context

_log = get("api")

_BACKLOG = 128


@contextlib.asynccontextmanager
async def serve_staff(
    desk: Desk, failure: Callable[[ServiceEnded], None], *, listening: socket.socket | None = None
) -> AsyncIterator[None]:
    """Serve the API if the settings say where, and tell webhooks, until the block ends."""
    vault = Vault(desk.office.keys.ring.storage_key, desk.random)
    telling = asyncio.create_task(_lasting(Telling(desk, vault), failure))
    bound = listening or _bind(desk.settings)
    staff = None if bound is None else Staff(desk, vault)
    try:
        if staff is not None and bound is not None:
            await staff.start(bound, _tls(desk.settings))
        yield
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        if staff is not None:
            await staff.close()


async def _lasting(telling: Telling, failure: Callable[[ServiceEnded], None]) -> None:
    """Tell for ever; if that ends by itself, the node ends and is seen to."""
    try:
        await telling.run()
    except Exception:  # noqa: BLE001  (whatever it is: a node that only looks alive is worse)
        _log.exception("service-ended")
    failure(ServiceEnded("the telling of webhooks has ended; the node's log says why"))


def _bind(settings: Settings) -> socket.socket | None:
    where = settings.staff.address
    if where is None:
        return None
    family = socket.AF_INET6 if ":" in where[0] else socket.AF_INET
    return socket.create_server(where, family=family, backlog=_BACKLOG)


def _tls(settings: Settings) -> ssl.SSLContext:
    staff, peers = settings.staff, settings.peers
    certificate = staff.certificate or peers.certificate
    private_key = staff.private_key or peers.private_key
    return server_context(certificate.read_bytes(), private_key.read_bytes())
