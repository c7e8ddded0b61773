"""Requests without a hop signature, on the few paths that are open to them (SPEC 8.4).

C2SP knows no hop signature: a log that asks for a witness's word is known by the log's own
signature in the body, and what a log or a witness gives proves itself. So these are served
to anybody at a rate for each address, and the log only to whoever shows an auditor's token.
All of them together get no more places than one peer. Says no more than C2SP asks for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import structlog
from aiohttp import web

from node.transport import paths
from node.transport.connection import read_body
from node.transport.limits import TransportLimits
from node.transport.quota import Buckets, Slots
from node.transport.routes import Found, PeerRoutes, Reply, find
from protocol.errors import Busy, Malformed, Rejected

_log: Final = structlog.get_logger("comity.transport")

_EVERYBODY: Final = "unsigned"  # no authority: an id has no such bucket, nor a place of this name
_BEARER: Final = re.compile(r"Bearer ([A-Za-z0-9_-]{1,128})")
_TOO_MANY: Final = 429


@dataclass(frozen=True, slots=True)
class Unsigned:
    """Serves what is open, within the limits of the listener."""

    routes: PeerRoutes
    limits: TransportLimits
    buckets: Buckets
    slots: Slots

    def find(self, request: web.BaseRequest) -> Found | None:
        """Say what an unsigned request leads to; None if it has to be signed."""
        target, headers = request.raw_path, request.headers
        if "Signature" in headers or "Signature-Input" in headers:
            return None
        if request.version != (1, 1) or paths.TARGET.fullmatch(target) is None:
            return None
        path, _, query = target.partition("?")
        try:
            found = find(request.method, path, query)
        except Malformed:
            return None
        return found if found is not None and found.route.open is not None else None

    async def reply(self, request: web.BaseRequest, found: Found) -> Reply:
        """Serve one request; raises `TimeoutError` for a body that is too slow."""
        try:
            self.buckets.take(f"{request.remote} {_EVERYBODY}")
            if found.route.token and not await self._shows_token(request):
                return _bare(401)
            bytes_max = found.route.body_bytes_max if request.method == "POST" else 0
            body = await read_body(request, self.limits, bytes_max=bytes_max)
            with self.slots.take(_EVERYBODY):
                return await found.route.reply(self.routes, found, body, None)
        except Busy:
            return _bare(_TOO_MANY)
        except Rejected as refusal:
            _log.info("unsigned-refused", code=refusal.code, detail=refusal.detail)
            return _bare(refusal.status)
        except (ConnectionError, TimeoutError):
            raise
        except Exception as fault:  # noqa: BLE001  (a bug of ours: the client must hear a word)
            _log.error("route-failed", kind=type(fault).__name__)
            return _bare(500)

    async def _shows_token(self, request: web.BaseRequest) -> bool:
        shown = request.headers.getall("Authorization", [])
        match = _BEARER.fullmatch(shown[0]) if len(shown) == 1 else None
        return match is not None and await self.routes.may_audit(match[1])


def _bare(status: int) -> Reply:
    return Reply(b"", "", status)
