"""Which request asks for what: the table of the paths that a node serves (SPEC 8.4).

`PeerRoutes` is what the node does, given by whoever builds it; the table joins each to a
method, a path and a query, and turns bodies into values and values into bodies. A path
that is open is also served to clients that sign nothing: C2SP's witness to anybody, the
log to whoever has an auditor's token. Knows no socket, no key and no clock.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from node.transport import batch, c2sp, paths
from node.transport.batch import Answers, Batch, Notices
from node.transport.c2sp import LogFile, WitnessAnswer
from node.transport.hop import VerifiedHop
from protocol.errors import Malformed
from protocol.limits import BATCH_BYTES_MAX, WITNESS_BODY_BYTES_MAX


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a peer that lost state asks for: messages that it can no longer know (SPEC 5.6)."""

    above: int
    log: int
    since: int
    after: str | None


async def _no_notices(_hop: VerifiedHop, _notices: Notices) -> Sequence[str]:
    return ()


async def _no_notices_held(_hop: VerifiedHop) -> Notices:
    return Notices()


async def _nothing_to_recover(_hop: VerifiedHop, _wanted: Recovery) -> Batch:
    return Batch()


async def _no_witness(_body: bytes) -> WitnessAnswer:
    return WitnessAnswer(404, c2sp.TEXT, b"unknown origin\n")


async def _not_witnessed(_origin: str) -> bytes | None:
    return None


async def _no_log(_number: int, _path: str) -> LogFile | None:
    return None


async def _no_auditor(_token: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class PeerRoutes:
    """What the node does with requests; each may raise `Rejected`.

    `accept`, `pull` and `receipts` have effects: they insert (key_id, nonce) in the
    transaction of the effect. The others have none, or effects that may be repeated. From
    `add_checkpoint` on they are given no hop, for anybody may ask; `witnessed` is asked by
    the SHA-256 of an origin. What a node does not serve says so.
    """

    accept: Callable[[VerifiedHop, Batch], Awaitable[Answers]]
    pull: Callable[[VerifiedHop, int], Awaitable[Batch]]
    receipts: Callable[[VerifiedHop, Answers], Awaitable[Answers]]
    network: Callable[[int | None], Awaitable[Sequence[bytes]]]
    listings: Callable[[str | None], Awaitable[tuple[Sequence[bytes], Sequence[bytes]]]]
    heard: Callable[[str], None] = lambda _authority: None  # any verified request came from it
    notices: Callable[[VerifiedHop, Notices], Awaitable[Sequence[str]]] = _no_notices
    held_notices: Callable[[VerifiedHop], Awaitable[Notices]] = _no_notices_held
    recover: Callable[[VerifiedHop, Recovery], Awaitable[Batch]] = _nothing_to_recover
    add_checkpoint: Callable[[bytes], Awaitable[WitnessAnswer]] = _no_witness
    witnessed: Callable[[str], Awaitable[bytes | None]] = _not_witnessed
    log: Callable[[int, str], Awaitable[LogFile | None]] = _no_log
    may_audit: Callable[[str], Awaitable[bool]] = _no_auditor  # by the text of a token


@dataclass(frozen=True, slots=True)
class Reply:
    """A body on its way out, before it is signed, or sent without."""

    body: bytes
    content_type: str
    status: int = 200
    immutable: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """One request with its body: what the path and the query gave, and who signed it."""

    path: re.Match[str]
    query: re.Match[str] | None
    body: bytes


Closed: TypeAlias = Callable[[PeerRoutes, Asked, VerifiedHop], Awaitable[Reply]]
Open: TypeAlias = Callable[[PeerRoutes, Asked], Awaitable[Reply]]


# --- for peers ------------------------------------------------------------------------------
async def _accept(routes: PeerRoutes, asked: Asked, hop: VerifiedHop) -> Reply:
    received = batch.decode_batch(asked.body, envelopes_min=1)
    return _answers(await routes.accept(hop, received))


async def _receipts(routes: PeerRoutes, asked: Asked, hop: VerifiedHop) -> Reply:
    return _answers(await routes.receipts(hop, batch.decode_answers(asked.body)))


def _answers(answers: Answers) -> Reply:
    return Reply(answers.encode(), batch.ANSWERS_TYPE)


async def _recover(routes: PeerRoutes, asked: Asked, hop: VerifiedHop) -> Reply:
    if asked.query is None:
        raise Malformed("recovery without its question")
    above, log, since, after = asked.query.groups()
    found = await routes.recover(hop, Recovery(int(above), int(log), int(since), after))
    return Reply(found.encode(), batch.BATCH_TYPE)


async def _listings(routes: PeerRoutes, asked: Asked, _hop: VerifiedHop) -> Reply:
    found = await routes.listings(None if asked.query is None else asked.query[1])
    return Reply(batch.encode_listings(*found), batch.LISTINGS_TYPE)


async def _network(routes: PeerRoutes, asked: Asked, _hop: VerifiedHop) -> Reply:
    version = asked.path[1]
    documents = await routes.network(None if version is None else int(version))
    return Reply(batch.encode_documents(documents), batch.DOCUMENTS_TYPE)


async def _notices(routes: PeerRoutes, asked: Asked, hop: VerifiedHop) -> Reply:
    known = await routes.notices(hop, batch.decode_notices(asked.body))
    return Reply(batch.encode_known(known), batch.KNOWN_TYPE)


async def _held_notices(routes: PeerRoutes, _asked: Asked, hop: VerifiedHop) -> Reply:
    return Reply((await routes.held_notices(hop)).encode(), batch.NOTICES_TYPE)


# --- for anybody, as C2SP has it ------------------------------------------------------------
_NOT_HERE: Final = Reply(b"not here\n", c2sp.TEXT, 404)


async def _add_checkpoint(routes: PeerRoutes, asked: Asked) -> Reply:
    found = await routes.add_checkpoint(asked.body)
    return Reply(found.body, found.content_type, found.status)


async def _witnessed(routes: PeerRoutes, asked: Asked) -> Reply:
    found = await routes.witnessed(asked.path[1])
    return _NOT_HERE if found is None else Reply(found, c2sp.TEXT)


async def _log(routes: PeerRoutes, asked: Asked) -> Reply:
    found = await routes.log(int(asked.path[1]), asked.path[2])
    if found is None:
        return _NOT_HERE
    return Reply(found.body, found.content_type, immutable=found.immutable)


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the table: whom it serves is said by which of `closed` and `open` it has."""

    method: str
    path: re.Pattern[str]
    closed: Closed | None = None
    open: Open | None = None
    query: re.Pattern[str] | None = None  # what may stand there; with `asks`, must
    asks: bool = False
    token: bool = False  # without a hop signature only with an auditor's token
    body_bytes_max: int = BATCH_BYTES_MAX

    async def reply(
        self, routes: PeerRoutes, found: Found, body: bytes, hop: VerifiedHop | None
    ) -> Reply:
        """Do what the request asks for; nobody comes here unsigned but to an open path."""
        asked = Asked(found.path, found.query, body)
        if self.open is not None:
            return await self.open(routes, asked)
        if self.closed is None or hop is None:
            return _NOT_HERE
        return await self.closed(routes, asked, hop)


@dataclass(frozen=True, slots=True)
class Found:
    """The row that a request leads to, with what its grammar found."""

    route: Route
    path: re.Match[str]
    query: re.Match[str] | None


def _exactly(path: str) -> re.Pattern[str]:
    return re.compile(re.escape(path))


TABLE: Final = (
    Route("POST", _exactly(paths.ENVELOPES), _accept),
    Route("GET", _exactly(paths.ENVELOPES), _recover, query=paths.RECOVER, asks=True),
    Route("POST", _exactly(paths.RECEIPTS), _receipts),
    Route("GET", _exactly(paths.LISTINGS), _listings, query=paths.KNOWN),
    Route("GET", paths.NETWORK_VERSION, _network),
    Route("GET", _exactly(paths.LOG_NOTICES), _held_notices),
    Route("POST", _exactly(paths.LOG_NOTICES), _notices),
    Route("POST", _exactly(paths.ADD_CHECKPOINT), open=_add_checkpoint,
          body_bytes_max=WITNESS_BODY_BYTES_MAX),
    Route("GET", paths.WITNESSED, open=_witnessed),
    Route("GET", paths.LOG_FILE, open=_log, token=True),
)  # fmt: skip
"""Every path but the long poll, which the listener serves itself: it may last a minute."""


def find(method: str, path: str, query: str) -> Found | None:
    """Find the row of a request; raises `Malformed` for a query that does not belong there."""
    for route in TABLE:
        if route.method != method:
            continue
        matched = route.path.fullmatch(path)
        if matched is None:
            continue
        asked = route.query.fullmatch(query) if route.query is not None else None
        if asked is None and (query or route.asks):
            raise Malformed("a query where none belongs, or not in its form")
        return Found(route, matched, asked)
    return None
