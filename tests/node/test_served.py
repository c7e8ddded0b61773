"""A running node as a witness and as a log to be read, over HTTPS, signed and unsigned."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from node.audit.records import KeyRotated
from node.audit.tiles import TilePath
from node.storage import auditor_rows, log_rows, witness_rows
from node.storage.auditor_rows import AuditorToken, make_token, token_digest
from node.storage.writer import Tx
from node.transport.client import OwnSide, Peer, PeerClient
from node.transport.paths import ADD_CHECKPOINT, LOG, WITNESS
from node.transport.tls import client_context, pin_of
from protocol.checkpoint import verify_checkpoint, verify_cosignature, with_cosignatures
from protocol.digest import sha256_hex
from protocol.merkle import leaf_hash, root_of
from protocol.note import decode_note
from protocol.witness_wire import decode_cosignatures, decode_size, encode_add_checkpoint
from tests.support.caller import ring_of
from tests.support.memory_log import MemoryLog
from tests.support.network import RunningNode, make_network

QUMRAN, TONGA = "qm.justice", "to.justice"


@dataclass(slots=True)
class Scene:
    """Qumran's node is up; Tonga's is down, and a test has its keys."""

    qumran: RunningNode
    tonga: RunningNode
    session: aiohttp.ClientSession
    client: PeerClient

    @property
    def log(self) -> MemoryLog:
        """Tonga's log, which will sign anything."""
        return MemoryLog(ring_of(self.tonga), TONGA)

    @property
    def now(self) -> int:
        """The time."""
        return self.qumran.clock.now()

    async def ask(
        self, method: str, path: str, body: bytes = b"", token: str | None = None
    ) -> tuple[int, bytes]:
        """Ask as a program that knows no Comity."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        url = f"https://127.0.0.1:{self.qumran.port}{path}"
        async with self.session.request(method, url, data=body or None, headers=headers) as found:
            return found.status, await found.read()

    def size(self) -> int:
        """Give the size that Qumran remembers."""
        state = self.qumran.read(lambda conn: witness_rows.read_witnessed(conn, self.log.origin))
        return 0 if state is None else state.size

    def word_holds(self, lines: bytes, raw: bytes) -> None:
        """Check that the answer is Qumran's word on a checkpoint."""
        noted = with_cosignatures(raw, decode_cosignatures(lines))
        signed = verify_checkpoint(noted, origin=self.log.origin, keys=self.log.keys)
        name, keys = self.qumran.node.office.directory.witness_keys(QUMRAN)
        verify_cosignature(signed.checkpoint, signed.other_signatures, name=name, keys=keys)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """Run Qumran's node; give clients of both kinds."""
    nodes = make_network(tmp_path, (QUMRAN, TONGA))
    qumran, tonga = nodes[QUMRAN], nodes[TONGA]
    await qumran.start()
    pin = pin_of(qumran.settings.peers.certificate.read_bytes())
    connector = aiohttp.TCPConnector(ssl=client_context(frozenset({pin})))
    ring, directory = ring_of(tonga), qumran.node.office.directory
    client = PeerClient(
        Peer(QUMRAN, (f"https://127.0.0.1:{qumran.port}",), frozenset({pin})),
        OwnSide(
            signer=ring.hop,
            resolve=lambda key_id: directory.hop_key(key_id, qumran.clock.now()),
            allow_private_addresses=True,
        ),
        clock=qumran.clock,
        random=qumran.node.random,
    )
    async with aiohttp.ClientSession(connector=connector) as session:
        yield Scene(qumran, tonga, session, client)
    await client.close()
    await qumran.stop()


async def test_each_answer_of_the_witness_over_https(scene: Scene) -> None:
    """200 with a word that holds, 400, 403, 404, 409 with the size, 422: to both clients."""
    log = scene.log.grown(300)
    body = log.add_checkpoint(0, 257, now=scene.now)
    status, lines = await scene.ask("POST", ADD_CHECKPOINT, body)
    assert status == 200
    scene.word_holds(lines, log.checkpoint(257, now=scene.now))
    answer = await scene.client.add_checkpoint(log.add_checkpoint(257, 300, now=scene.now))
    assert answer.status == 200
    scene.word_holds(answer.body, log.checkpoint(300, now=scene.now))
    strange = MemoryLog(ring_of(scene.qumran), TONGA).grown(300)
    own = MemoryLog(ring_of(scene.qumran), QUMRAN).grown(3)
    cases = {
        b"old 0\n\nnot a note": 400,
        strange.add_checkpoint(300, 300, now=scene.now): 403,
        own.add_checkpoint(0, 3, now=scene.now): 404,
        log.add_checkpoint(257, 300, now=scene.now): 409,
        encode_add_checkpoint(300, [bytes(32)], log.checkpoint(300, now=scene.now)): 422,
    }
    for request, status in cases.items():
        assert (await scene.ask("POST", ADD_CHECKPOINT, request))[0] == status
        signed = await scene.client.add_checkpoint(request)
        assert signed.status == status
        if status == 409:
            assert signed.content_type == "text/x.tlog.size"
            assert decode_size(signed.body) == 300
    raw = await scene.client.witness_checkpoint(log.origin)
    digest = sha256_hex(log.origin.encode())
    assert await scene.ask("GET", f"{WITNESS}/{digest}/checkpoint") == (200, raw)
    assert raw is not None
    assert [line.name for line in decode_note(raw).signatures] == [
        *[log.origin] * 2, *[f"pacific/{QUMRAN}/witness"] * 2,
    ]  # fmt: skip


async def test_of_many_heads_at_once_the_memory_goes_one_way(scene: Scene) -> None:
    """Two histories race from one state: words are given on one of them alone."""
    log = scene.log.grown(40)
    rival = log.rewritten(3)
    await scene.client.add_checkpoint(log.add_checkpoint(0, 3, now=scene.now))
    bodies = [
        (which, size, which.add_checkpoint(3, size, now=scene.now))
        for size in (5, 9, 17, 33)
        for which in (log, rival)
    ]
    answers = await asyncio.gather(*(scene.client.add_checkpoint(one[2]) for one in bodies))
    given = [
        (which.root(40), size)
        for (which, size, _), answer in zip(bodies, answers, strict=True)
        if answer.status == 200
    ]
    assert len(given) == 1  # the others asked from a state that had gone
    assert {answer.status for answer in answers} == {200, 409}
    assert scene.size() == given[0][1]


async def test_a_crash_after_the_commit_costs_the_log_a_question(scene: Scene) -> None:
    """The word was given to nobody; the log hears the size, asks again, and gets that word."""
    log = scene.log.grown(9)
    body = log.add_checkpoint(0, 5, now=scene.now)
    witness = scene.qumran.node.witness
    said = await scene.qumran.write(lambda tx: witness.answer(tx, body))
    await scene.qumran.stop()
    await scene.qumran.start()
    assert await scene.ask("POST", ADD_CHECKPOINT, body) == (409, b"5\n")
    again = log.add_checkpoint(5, 5, now=scene.now)
    assert await scene.ask("POST", ADD_CHECKPOINT, again) == (200, said.body)
    other = log.rewritten(4).add_checkpoint(5, 9, now=scene.now)
    assert (await scene.ask("POST", ADD_CHECKPOINT, other))[0] == 422


async def test_a_rival_head_leaves_its_proof_behind(scene: Scene) -> None:
    """Whoever brings it, unsigned too: the operator has the proof, and peers will hear of it."""
    log = scene.log.grown(9)
    await scene.client.add_checkpoint(log.add_checkpoint(0, 9, now=scene.now))
    rival = log.rewritten(4).add_checkpoint(9, 9, now=scene.now)
    assert (await scene.ask("POST", ADD_CHECKPOINT, rival))[0] == 422
    alarms = scene.qumran.read(lambda conn: conn.exec_driver_sql("SELECT kind FROM alarms").all())
    assert ("log-fork",) in [tuple(one) for one in alarms]


async def keep_token(scene: Scene, name: str, created: int, expires: int) -> str:
    """Store a token; gives its text."""
    token = make_token(scene.qumran.node.random)
    row = AuditorToken(token_digest(token), name, created, expires)
    await scene.qumran.write(lambda tx: auditor_rows.insert_token(tx.conn, row))
    return token


async def test_only_a_token_of_this_node_in_its_time_lets_an_auditor_read(scene: Scene) -> None:
    """Absent, foreign, expired, not yet, taken back, and its digest: all a bare 401."""
    path, now = f"{LOG}/1/checkpoint", scene.now
    good = await keep_token(scene, "court", now, now + 600)
    over = await keep_token(scene, "over", now - 600, now)
    early = await keep_token(scene, "early", now + 600, now + 900)
    foreign = make_token(scene.qumran.node.random)
    assert (await scene.ask("GET", path, token=good))[0] == 200
    for token in (None, over, early, foreign, token_digest(good), good[:-1], good + "A"):
        assert await scene.ask("GET", path, token=token) == (401, b"")
    taken = await scene.qumran.write(lambda tx: auditor_rows.delete_token(tx.conn, "court"))
    assert taken is not None
    assert await scene.ask("GET", path, token=good) == (401, b"")
    assert await scene.qumran.write(lambda tx: auditor_rows.delete_token(tx.conn, "none")) is None
    left = scene.qumran.read(auditor_rows.list_tokens)
    assert [one.name for one in left] == ["early", "over"]
    assert len(good) == 43


async def test_a_stranger_with_a_token_reads_and_checks_the_whole_log(scene: Scene) -> None:
    """Checkpoint, bundles and tiles, over HTTPS, to the signed root; a peer gets the same bytes."""

    def record(tx: Tx) -> None:
        for number in range(300):
            tx.record(KeyRotated("pacific", tx.now, "hop", f"{number}", "x"))

    await scene.qumran.write(record)
    token = await keep_token(scene, "court", scene.now, scene.now + 600)
    _, raw = await scene.ask("GET", f"{LOG}/1/checkpoint", token=token)
    origin, keys = scene.qumran.node.office.directory.log_keys(QUMRAN)
    head = verify_checkpoint(raw, origin=origin, keys=keys).checkpoint
    leaves: list[bytes] = []
    for index in range(-(-head.size // 256)):
        width = min(256, head.size - 256 * index)
        path = TilePath(None, index, width).encode()
        status, bundle = await scene.ask("GET", f"{LOG}/1/{path}", token=token)
        assert status == 200
        assert await scene.client.log_file(1, path) == bundle
        own = [leaf_hash(bundle[at + 2 : at + 35]) for at in range(0, len(bundle), 35)]
        tile = TilePath(0, index, width).encode()
        assert await scene.ask("GET", f"{LOG}/1/{tile}", token=token) == (200, b"".join(own))
        leaves += own
    assert root_of(leaves) == head.root
    assert len(leaves) == head.size > 300
    beyond = TilePath(0, head.size // 256, head.size % 256 + 200).encode()
    assert (await scene.ask("GET", f"{LOG}/1/{beyond}", token=token))[0] == 404
    for strange in ("tile/0/000.p/0", "tile/0/..%2f000", "tile/0/x000/000", "names"):
        assert (await scene.ask("GET", f"{LOG}/1/{strange}", token=token))[0] in {401, 404}
    assert (await scene.ask("GET", f"{LOG}/2/checkpoint", token=token))[0] == 404


async def test_nothing_is_shown_that_the_guard_does_not_hold(scene: Scene) -> None:
    """A head that was committed and not guarded may still be undone: nobody sees it."""
    node = scene.qumran.node
    before = await scene.client.log_file(1, "checkpoint")
    shown: list[tuple[bool, bool]] = []
    committed = node.log.committed

    def look() -> None:
        stored = node.database.read(lambda conn: log_rows.read_head(conn, node.log.origin))
        ahead = stored is not None and stored.checkpoint != before
        shown.append((ahead, node.tiles.file(1, "checkpoint") == before))
        committed()

    node.log.committed = look  # type: ignore[method-assign]  # looks, and does the same
    await scene.qumran.write(lambda tx: tx.record(KeyRotated("pacific", tx.now, "hop", "1", "x")))
    assert (True, True) in shown
    assert (True, False) not in shown[: shown.index((True, True))]
    assert await scene.client.log_file(1, "checkpoint") != before
