"""What clients that sign nothing get, as C2SP has it, and what they can cost."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from node.transport import c2sp
from node.transport.batch import Batch, Notices
from node.transport.c2sp import LogFile, WitnessAnswer
from node.transport.errors import TransportFailure
from node.transport.hop import VerifiedHop
from node.transport.limits import TransportLimits
from node.transport.paths import ADD_CHECKPOINT, ENVELOPES, LISTINGS, LOG, WITNESS
from node.transport.routes import Recovery
from node.transport.tls import client_context, pin_of
from protocol.digest import sha256_hex
from protocol.errors import Recovering
from protocol.limits import WITNESS_BODY_BYTES_MAX
from tests.node.transport.peers import ASKING, OTHER, Node, certificate, listening, resolver, until

ORIGIN = "pacific/fj.justice/1"
CHECKPOINT = f"{WITNESS}/{sha256_hex(ORIGIN.encode())}/checkpoint"
TOKEN = "a-token_of-an-auditor"


async def _say(body: bytes) -> WitnessAnswer:
    """Answer with the status that the body names."""
    status = int(body)
    kind = "text/x.tlog.size" if status == 409 else c2sp.TEXT
    return WitnessAnswer(status, kind, b"7\n")


async def _witnessed(digest: str) -> bytes | None:
    return b"a note\n" if digest == sha256_hex(ORIGIN.encode()) else None


async def _log(number: int, path: str) -> LogFile | None:
    if path == "checkpoint":
        return LogFile(b"a checkpoint\n", c2sp.TEXT, immutable=False)
    return LogFile(f"{number} {path}".encode()) if path.startswith("tile/0/") else None


async def _may_audit(token: str) -> bool:
    return token == TOKEN


ROUTES: dict[str, Any] = {
    "add_checkpoint": _say, "witnessed": _witnessed, "log": _log, "may_audit": _may_audit,
}  # fmt: skip


class Plain:
    """A client that knows HTTP and nothing of Comity."""

    def __init__(self, node: Node, session: aiohttp.ClientSession) -> None:
        """Speak to a node."""
        self._node = node
        self._session = session

    async def ask(
        self, method: str, path: str, body: bytes = b"", token: str | None = None, **headers: str
    ) -> tuple[int, str, str, bytes]:
        """Give status, content type, cache word and body of an answer."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            given["Authorization"] = token
        async with self._session.request(
            method, self._node.url + path, data=body or None, headers=given
        ) as found:
            assert "Signature" not in found.headers
            assert "Server" not in found.headers
            kind = found.headers.get("Content-Type", "")
            return found.status, kind, found.headers.get("Cache-Control", ""), await found.read()


def plain(node: Node) -> aiohttp.ClientSession:
    """Open a session like any other program's."""
    context = client_context(frozenset({pin_of(certificate()[0])}))
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context))


async def test_each_status_of_the_witness_reaches_both_kinds_of_client() -> None:
    """Unsigned as C2SP has it; signed for a peer, and never as a failure."""
    async with listening(**ROUTES) as node, plain(node) as session:
        client, peer = Plain(node, session), node.client()
        for status in sorted(c2sp.WITNESS_STATUSES):
            kind = "text/x.tlog.size" if status == 409 else "text/plain"
            body = str(status).encode()
            found = await client.ask("POST", ADD_CHECKPOINT, body)
            unsigned_kind = kind if status == 409 else "text/plain; charset=utf-8"
            assert found == (status, unsigned_kind, "no-store", b"7\n")
            assert await peer.add_checkpoint(body) == WitnessAnswer(status, kind, b"7\n")
        assert node.listener.connections == 2  # each kept its own


async def test_the_monitoring_path_gives_a_note_or_nothing() -> None:
    """404 for a log that was never cosigned, to both kinds of client."""
    async with listening(**ROUTES) as node, plain(node) as session:
        client, peer = Plain(node, session), node.client()
        found = await client.ask("GET", CHECKPOINT)
        assert found == (200, "text/plain; charset=utf-8", "no-store", b"a note\n")
        assert await peer.witness_checkpoint(ORIGIN) == b"a note\n"
        assert (await client.ask("GET", f"{WITNESS}/{'0' * 64}/checkpoint"))[0] == 404
        assert await peer.witness_checkpoint("pacific/qm.justice/1") is None


async def test_the_log_is_read_with_a_token_or_a_signature() -> None:
    """The same files; a tile may be kept by its reader, a checkpoint by nobody."""
    bearer = f"Bearer {TOKEN}"
    async with listening(**ROUTES) as node, plain(node) as session:
        client, peer = Plain(node, session), node.client()
        kept = "private, max-age=31536000, immutable"
        found = await client.ask("GET", f"{LOG}/3/tile/0/x001/067.p/9", token=bearer)
        assert found == (200, "application/octet-stream", kept, b"3 tile/0/x001/067.p/9")
        assert await peer.log_file(3, "tile/0/x001/067.p/9") == found[3]
        found = await client.ask("GET", f"{LOG}/1/checkpoint", token=bearer)
        assert found[1:] == ("text/plain; charset=utf-8", "no-store", b"a checkpoint\n")
        assert await peer.log_file(1, "checkpoint") == b"a checkpoint\n"
        assert (await client.ask("GET", f"{LOG}/1/tile/9/000", token=bearer))[0] == 404
        assert await peer.log_file(1, "tile/9/000") is None
        assert await peer.log_file(1, "witnessed") is None


@pytest.mark.parametrize(
    "token",
    [None, "", "Bearer", "Bearer ", "Bearer x", f"bearer {TOKEN}", TOKEN, f"Basic {TOKEN}",
     f"Bearer  {TOKEN}", f"Bearer {TOKEN}=", f"Bearer {TOKEN}, Bearer {TOKEN}",
     f"Bearer {'x' * 129}"],
)  # fmt: skip
async def test_without_the_right_token_the_log_is_a_bare_401(token: str | None) -> None:
    """Whatever is wrong with it, the answer is the same and empty."""
    async with listening(**ROUTES) as node, plain(node) as session:
        status, kind, _, body = await Plain(node, session).ask(
            "GET", f"{LOG}/1/checkpoint", token=token
        )
        assert (status, kind, body) == (401, "", b"")


async def test_a_second_authorization_header_is_no_authorization() -> None:
    """Two readers could take either."""
    async with listening(**ROUTES) as node:
        reader, writer = await node.raw()
        line = f"Authorization: Bearer {TOKEN}\r\n"
        head = f"GET {LOG}/1/checkpoint HTTP/1.1\r\nHost: x\r\n{line}{line}\r\n"
        writer.write(head.encode())
        assert (await reader.readline()).split()[1] == b"401"
        writer.transport.abort()


async def test_nothing_else_is_open() -> None:
    """A token opens the log alone, and no other path, method or spelling is served unsigned."""
    asked = [
        ("GET", LISTINGS), ("POST", ENVELOPES), ("GET", f"{ENVELOPES}?above=0&log=1&since=0"),
        ("POST", "/comity/v1/log-notices"), ("GET", ADD_CHECKPOINT), ("POST", CHECKPOINT),
        ("PUT", ADD_CHECKPOINT), ("POST", f"{ADD_CHECKPOINT}/"), ("POST", f"{ADD_CHECKPOINT}?x"),
        ("GET", f"{CHECKPOINT}?x=1"), ("GET", f"{LOG}/0/checkpoint"),
        ("GET", f"{LOG}/01/checkpoint"),
        ("GET", f"{LOG}/1/Checkpoint"), ("GET", f"{LOG}/1"), ("GET", f"{WITNESS}/"),
        ("GET", f"{WITNESS}/{'A' * 64}/checkpoint"), ("POST", f"{LOG}/1/checkpoint"),
        ("GET", f"{LOG}/1/checkpoint?x"), ("HEAD", f"{LOG}/1/checkpoint"),
    ]  # fmt: skip
    async with listening(**ROUTES) as node, plain(node) as session:
        client = Plain(node, session)
        for method, path in asked:
            found = await client.ask(method, path, token=f"Bearer {TOKEN}")
            assert (found[0], found[3]) == (401, b""), (method, path)
        assert node.seen == []


async def test_a_broken_signature_is_not_taken_for_none() -> None:
    """Whoever signs is judged by the signature, also where none is needed."""
    async with listening(**ROUTES) as node, plain(node) as session:
        client = Plain(node, session)
        for header in ("Signature", "Signature_Input"):
            found = await client.ask("POST", ADD_CHECKPOINT, b"200", **{header: "comity=:AA==:"})
            assert found[0] == 401
        wrong = node.client(authority="nobody.example")
        with pytest.raises(TransportFailure, match="unauthorised"):
            await wrong.add_checkpoint(b"200")


async def test_a_body_beyond_64_kib_is_refused_and_a_packed_one_too() -> None:
    """Both kinds of client have the same bound."""
    large = bytes(WITNESS_BODY_BYTES_MAX + 1)
    async with listening(**ROUTES) as node, plain(node) as session:
        client = Plain(node, session)
        assert (await client.ask("POST", ADD_CHECKPOINT, large))[0] == 413
        packed = await client.ask("POST", ADD_CHECKPOINT, b"200", Content_Encoding="gzip")
        assert packed[0] == 415
        with pytest.raises(TransportFailure, match="too-large"):
            await node.client().add_checkpoint(large)
        assert (await client.ask("POST", ADD_CHECKPOINT, b"200"))[0] == 200


async def test_a_flood_of_unsigned_requests_has_a_bucket_of_its_own() -> None:
    """Over the rate of the address 429; peers from the same address go on."""
    limits = TransportLimits(rate_burst=3, rate_per_peer=0.001, shutdown_s_max=0.5)
    async with listening(limits=limits, **ROUTES) as node, plain(node) as session:
        client = Plain(node, session)
        statuses = [(await client.ask("POST", ADD_CHECKPOINT, b"200"))[0] for _ in range(5)]
        assert statuses == [200, 200, 200, 429, 429]
        assert (await node.client().add_checkpoint(b"200")).status == 200


async def test_slow_unsigned_work_takes_no_place_of_a_peer() -> None:
    """All strangers together have as many places as one peer; the next hears 429."""
    release, begun = asyncio.Event(), 0

    async def slow(_: bytes) -> WitnessAnswer:
        nonlocal begun
        begun += 1
        await release.wait()
        return WitnessAnswer(200, c2sp.TEXT, b"x\n")

    limits = TransportLimits(requests_per_peer_max=2, shutdown_s_max=0.5)
    changed: dict[str, Any] = {**ROUTES, "add_checkpoint": slow}
    async with listening(limits=limits, **changed) as node, plain(node) as session:
        client = Plain(node, session)
        work = [asyncio.create_task(client.ask("POST", ADD_CHECKPOINT, b"1")) for _ in range(2)]
        await until(lambda: begun == 2)
        assert (await client.ask("POST", ADD_CHECKPOINT, b"1"))[0] == 429
        assert await node.client().get_listings() == ((b"listing",), (b"revocation",))
        release.set()
        assert [found[0] for found in await asyncio.gather(*work)] == [200, 200]


async def test_a_slow_unsigned_body_is_cut() -> None:
    """The deadlines of bodies are the same for everybody."""
    async with listening(**ROUTES) as node:
        reader, writer = await node.raw()
        writer.write(
            f"POST {ADD_CHECKPOINT} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1".encode()
        )
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await asyncio.wait_for(reader.readexactly(1), 5)
        writer.transport.abort()


async def test_a_fault_of_ours_is_a_bare_status() -> None:
    """No traceback and no word; a node in recovery says that it is not ready."""

    async def broken(_: bytes) -> WitnessAnswer:
        raise RuntimeError("secret detail")

    async def recovering(_number: int, _path: str) -> LogFile | None:
        raise Recovering("why")

    changed: dict[str, Any] = {**ROUTES, "add_checkpoint": broken, "log": recovering}
    async with listening(**changed) as node, plain(node) as session:
        client = Plain(node, session)
        found = await client.ask("POST", ADD_CHECKPOINT, b"1")
        assert (found[0], found[3]) == (500, b"")
        found = await client.ask("GET", f"{LOG}/1/checkpoint", token=f"Bearer {TOKEN}")
        assert (found[0], found[3]) == (503, b"")
        with pytest.raises(TransportFailure, match="recovering"):
            await node.client().log_file(1, "checkpoint")


async def test_a_node_that_serves_none_of_it_says_so() -> None:
    """Without routes for them: an unknown log to the witness, no file, no token, no notice."""
    async with listening() as node, plain(node) as session:
        client, peer = Plain(node, session), node.client()
        assert (await client.ask("POST", ADD_CHECKPOINT, b"x"))[0] == 404
        assert (await client.ask("GET", CHECKPOINT))[0] == 404
        assert (await client.ask("GET", f"{LOG}/1/x", token=f"Bearer {TOKEN}"))[0] == 401
        assert await peer.log_file(1, "checkpoint") is None
        assert await peer.post_notices(Notices((b"closure",))) == ()
        assert await peer.recover(0, 1, 0) == Batch()


async def test_notices_are_taken_under_any_known_key_and_recovery_is_not() -> None:
    """A closure must come through also from a node whose keys have moved on."""
    seen: list[object] = []

    async def notices(hop: VerifiedHop, brought: Notices) -> list[str]:
        seen.append((hop.authority, brought))
        return [sha256_hex(one) for one in brought.forks]

    async def recover(hop: VerifiedHop, wanted: Recovery) -> Batch:
        seen.append((hop.authority, wanted))
        return Batch(envelopes=(b"one",))

    changed: dict[str, Any] = {"notices": notices, "recover": recover}
    async with listening(resolve=resolver(ASKING), **changed) as node:
        old, peer = node.client(OTHER), node.client()
        brought = Notices((b"closure",), (b"fork",))
        assert await old.post_notices(brought) == (sha256_hex(b"fork"),)
        with pytest.raises(TransportFailure, match="unauthorised"):
            await old.recover(5, 2, 1_700_000_000)
        assert await peer.recover(5, 2, 1_700_000_000, "ab" * 32) == Batch(envelopes=(b"one",))
        assert seen == [
            (OTHER, brought), (ASKING, Recovery(5, 2, 1_700_000_000, "ab" * 32)),
        ]  # fmt: skip
        for wrong in ("above=-1&log=1&since=0", "above=1&log=0&since=0", "above=1&log=1"):
            reader, writer = await node.raw()
            writer.write(node.request("GET", f"{ENVELOPES}?{wrong}"))
            assert (await reader.readline()).split()[1] == b"400"
            writer.transport.abort()
