"""The exchange of running nodes: real HTTPS and signatures, with a third hand on the wire.

Whatever is wrong with a request, the peer hears a status and at most a code, and nothing
changes: no row of any table but that of nonces.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from node.outbox import Posted
from node.storage import Connection, case_rows, queue_rows, tables
from node.transport.batch import ANSWERS_TYPE, BATCH_TYPE, Answers, Batch, Receipted, decode_answers
from node.transport.hop import HopRequest, verify_response
from node.transport.paths import ENVELOPES, LISTINGS, NETWORK, RECEIPTS
from protocol.envelope import seal
from protocol.errors import NotAuthentic
from protocol.messages import AuthenticMessage, Message, sign_message
from tests.support.caller import Caller, Signed, ring_of, with_body
from tests.support.network import NETWORK as NETWORK_ID
from tests.support.network import RunningNode, running_network
from tests.support.sound import assert_sound

FIJI, QUMRAN, TONGA = "fj.justice", "qm.justice", "to.justice"
CANARY = "a-canary-that-nobody-may-quote"
Nodes = dict[str, RunningNode]


@pytest.fixture
async def nodes(tmp_path: Path) -> AsyncIterator[Nodes]:
    """Run three nodes on SQLite."""
    async with running_network(tmp_path, (FIJI, QUMRAN, TONGA)) as running:
        yield running
        for node in running.values():
            if node.node_or_none is not None:
                assert_sound(node)


async def ask(node: RunningNode, to: str) -> Posted:
    """Open a case with a request."""
    return await node.write(
        lambda tx: node.node.register.send_request(
            tx, to=to, request_kind="MLA_EVIDENCE", body={"text": CANARY}
        )
    )


async def delivered(node: RunningNode, posted: Posted) -> None:
    """Wait until a message is delivered."""

    def arrived(conn: Connection) -> bool:
        stored = case_rows.read_message(conn, posted.identity)
        return stored is not None and stored.state == "delivered"

    await node.until(arrived)


def counts(node: RunningNode) -> dict[str, int]:
    """Count the rows of every table but of nonces, kept settings, and what nodes do by themselves.

    They bring each other their checkpoints, whatever a test does.
    """
    left_out = {"nonces", "settings_kept", "witnessed", "checkpoints"}
    return node.read(
        lambda conn: {
            one.name: len(conn.execute(one.select()).all())
            for one in tables.metadata.sorted_tables
            if one.name not in left_out
        }
    )


def a_message(nodes: Nodes, **changes: object) -> AuthenticMessage:
    """Sign a message of Fiji's to Qumran that Fiji's node knows nothing of."""
    now = nodes[FIJI].clock.now()
    fields: dict[str, object] = {
        "network": NETWORK_ID, "epoch": 1, "sender": FIJI, "recipient": QUMRAN,
        "case": f"{FIJI}/{'5a' * 16}", "seq": 1, "prev": None, "seen": None, "order": None,
        "salt": bytes(32), "created": now, "expires": now + 86_400, "kind": "transmit",
        "body": {"request_kind": "MLA_EVIDENCE", "text": CANARY},
    }  # fmt: skip
    message = Message(**{**fields, **changes})  # type: ignore[arg-type]  # fields by name
    return sign_message(message, ring_of(nodes[FIJI]).signers("sign"))


def posted_by(nodes: Nodes, sender: str, *messages: AuthenticMessage) -> tuple[Caller, Signed]:
    """Sign a POST of envelopes to Qumran with the hop key of a peer."""
    key = nodes[QUMRAN].node.office.directory.seal_key(QUMRAN, nodes[QUMRAN].clock.now())
    body = Batch(envelopes=tuple(seal(one, key).raw for one in messages)).encode()
    caller = Caller.to(nodes[QUMRAN], ring=ring_of(nodes[sender]))
    return caller, caller.signed("POST", ENVELOPES, body, BATCH_TYPE)


# --- the plain story ------------------------------------------------------------------------


async def test_a_case_goes_to_and_fro_over_https_on_sqlite(nodes: Nodes) -> None:
    """Request, answer, both delivered; the fixture audits all logs afterwards."""
    await _to_and_fro(nodes)


@pytest.mark.postgres
async def test_a_case_goes_to_and_fro_over_https_on_postgresql(
    tmp_path: Path, empty_postgres_urls: dict[str, str]
) -> None:
    """The same on the other database."""
    async with running_network(tmp_path, (FIJI, QUMRAN), empty_postgres_urls) as nodes:
        await _to_and_fro(nodes)
        for node in nodes.values():
            assert_sound(node)


async def _to_and_fro(nodes: Nodes) -> None:
    posted = await ask(nodes[FIJI], QUMRAN)
    await delivered(nodes[FIJI], posted)
    register = nodes[QUMRAN].node.register
    answer = await nodes[QUMRAN].write(
        lambda tx: register.add_event(tx, posted.case, kind="answer", body={"text": "here"})
    )
    await delivered(nodes[QUMRAN], answer)


async def test_what_waits_for_a_node_that_is_down_arrives_when_it_is_back(nodes: Nodes) -> None:
    """An outage costs time and nothing else."""
    await nodes[QUMRAN].stop()
    posted = await ask(nodes[FIJI], QUMRAN)
    await nodes[FIJI].until(lambda conn: queue_rows.read_queue(conn, QUMRAN).failures > 0)
    await nodes[QUMRAN].start()
    await delivered(nodes[FIJI], posted)


async def test_a_node_that_nobody_can_connect_to_receives_and_answers(tmp_path: Path) -> None:
    """It has no URL: it fetches by long poll, and posts its receipts and its own messages."""
    async with running_network(tmp_path, (FIJI, QUMRAN), pull={QUMRAN}) as nodes:
        assert nodes[FIJI].node.office.directory.listing(QUMRAN).listing.urls == ()
        await _to_and_fro(nodes)
        for node in nodes.values():
            assert_sound(node)


# --- a third hand on the wire ---------------------------------------------------------------


async def test_a_replayed_request_has_no_second_effect(nodes: Nodes) -> None:
    """The same bytes again, at once and after a restart."""
    caller, signed = posted_by(nodes, FIJI, a_message(nodes))
    status, _, body = await caller.send(signed)
    assert (status, len(decode_answers(body).answers)) == (200, 1)
    before = counts(nodes[QUMRAN])
    status, _, body = await caller.send(signed)
    assert (status, body) == (403, b'{"refusal":"not-authentic","v":1}')
    await nodes[QUMRAN].stop()
    nodes[QUMRAN].clock.raise_floor(nodes[QUMRAN].clock.now() + 1)
    await nodes[QUMRAN].start()
    status, _, body = await caller.send(signed)
    assert (status, body) == (401, b"")
    assert counts(nodes[QUMRAN]) == before


async def test_a_replayed_request_with_another_body_has_no_effect(nodes: Nodes) -> None:
    """Headers and digest are valid, the bytes are not those that were signed."""
    caller, signed = posted_by(nodes, FIJI, a_message(nodes))
    _, other = posted_by(nodes, FIJI, a_message(nodes, case=f"{FIJI}/{'6b' * 16}"))
    before = counts(nodes[QUMRAN])
    for body in (other.body, signed.body[:-1], signed.body + b"\0", b"x" * len(signed.body), b""):
        status, head, answer = await caller.send(with_body(signed, body))
        assert (status, answer) == (401, b""), len(body)
        assert "signature" not in head.lower()
    assert counts(nodes[QUMRAN]) == before
    status, _, _ = await caller.send(signed)
    assert status == 200


async def test_a_request_for_another_host_has_no_effect(nodes: Nodes) -> None:
    """Signed for Tonga's URL and brought to Qumran, whatever the Host header says."""
    caller, _ = posted_by(nodes, FIJI, a_message(nodes))
    _, signed = posted_by(nodes, FIJI, a_message(nodes))
    elsewhere = f"https://127.0.0.1:{nodes[TONGA].port}"
    stolen = caller.signed("POST", ENVELOPES, signed.body, BATCH_TYPE, url=elsewhere)
    before = counts(nodes[QUMRAN])
    for host in (None, f"127.0.0.1:{nodes[TONGA].port}", "qm.example"):
        status, _, answer = await caller.send(stolen, host)
        assert (status, answer) == (401, b"")
    for host in ("qm.example", "localhost"):
        status, _, _ = await caller.send(signed, host)
        assert status in {200, 403}  # our own URL was signed: Host decides nothing
    assert counts(nodes[QUMRAN])["cases"] == before["cases"] + 1


@pytest.mark.parametrize("change", ["path", "method", "query"])
async def test_a_request_under_another_name_has_no_effect(nodes: Nodes, change: str) -> None:
    """Method, path and query are signed as they were sent."""
    caller, signed = posted_by(nodes, FIJI, a_message(nodes))
    before = counts(nodes[QUMRAN])
    changed = {
        "path": replace(signed, target=RECEIPTS),
        "method": replace(signed, method="PUT"),
        "query": replace(signed, target=f"{ENVELOPES}?wait=0"),
    }[change]
    status, _, answer = await caller.send(changed)
    assert (status, answer) == (401, b"")
    assert counts(nodes[QUMRAN]) == before


@pytest.mark.parametrize("at_s", [-600, 600])
async def test_a_request_of_another_time_has_no_effect(nodes: Nodes, at_s: int) -> None:
    """Signed long ago, or ahead of its time."""
    caller, signed = posted_by(nodes, FIJI, a_message(nodes))
    now = nodes[QUMRAN].clock.now() + at_s
    old = caller.signed("POST", ENVELOPES, signed.body, BATCH_TYPE, now=now)
    before = counts(nodes[QUMRAN])
    status, head, answer = await caller.send(old)
    assert (status, answer) == (401, b"")
    assert "date:" in head.lower()
    assert counts(nodes[QUMRAN]) == before


async def test_a_stranger_has_no_effect_anywhere(nodes: Nodes) -> None:
    """A hop key that no listing shows."""
    caller, signed = posted_by(nodes, FIJI, a_message(nodes))
    ring = ring_of(nodes[FIJI]).rotate_hop(random=lambda size: b"s" * size, now=1)
    stranger = replace(caller, ring=ring)
    before = counts(nodes[QUMRAN])
    for method, target, body, kind in (
        ("POST", ENVELOPES, signed.body, BATCH_TYPE),
        ("GET", f"{ENVELOPES}?wait=0", b"", None),
        ("POST", RECEIPTS, Answers().encode(), ANSWERS_TYPE),
        ("GET", LISTINGS, b"", None),
        ("GET", NETWORK, b"", None),
    ):
        status, _, answer = await stranger.send(stranger.signed(method, target, body, kind))
        assert (status, answer) == (401, b""), target
    assert counts(nodes[QUMRAN]) == before


async def test_a_listed_peer_brings_nothing_of_another(nodes: Nodes) -> None:
    """Tonga's hop key, Fiji's envelope: refused by a code, without a proof, without effect."""
    caller, signed = posted_by(nodes, TONGA, a_message(nodes))
    before = counts(nodes[QUMRAN])
    status, _, body = await caller.send(signed)
    (answer,) = decode_answers(body).answers
    assert (status, getattr(answer, "code", None)) == (200, "wrong-sender")
    assert CANARY.encode() not in body
    assert counts(nodes[QUMRAN]) == before


async def test_a_peer_cannot_settle_by_post_what_it_never_received(nodes: Nodes) -> None:
    """Tonga posts Qumran's true receipt: kept with an alarm, and nothing is delivered by it."""
    caller, signed = posted_by(nodes, FIJI, a_message(nodes))
    _, _, body = await caller.send(signed)
    (receipt,) = decode_answers(body).answers
    assert isinstance(receipt, Receipted)
    tonga = Caller.to(nodes[FIJI], ring=ring_of(nodes[TONGA]))
    brought = tonga.signed("POST", RECEIPTS, Answers((receipt,)).encode(), ANSWERS_TYPE)
    before = counts(nodes[FIJI])
    status, _, _ = await tonga.send(brought)
    assert status == 200
    after = counts(nodes[FIJI])
    assert after.pop("alarms") == before.pop("alarms") + 1
    after.pop("queues")  # where Tonga was heard
    before.pop("queues")
    assert after == before


async def test_an_answer_is_bound_to_its_request_and_signed_by_the_one_who_was_asked(
    nodes: Nodes,
) -> None:
    """The same answer verifies for its own request, and for no other."""
    caller, signed = posted_by(nodes, FIJI, a_message(nodes))
    _, other = posted_by(nodes, FIJI, a_message(nodes))
    status, head, body = await caller.send(signed)
    headers = [
        (name, value)
        for name, _, value in (line.partition(": ") for line in head.split("\r\n")[1:])
    ]
    directory, now = nodes[FIJI].node.office.directory, nodes[FIJI].clock.now()

    def verify(request: HopRequest, asked: str, answer: bytes) -> None:
        verify_response(
            status, headers, answer, request=request, expected_authority=asked,
            resolve=directory.hop_key_ever, now=now,
        )  # fmt: skip

    verify(signed.request, QUMRAN, body)
    for request, asked, answer in (
        (other.request, QUMRAN, body), (signed.request, TONGA, body),
        (signed.request, QUMRAN, body + b" "),
    ):  # fmt: skip
        with pytest.raises(NotAuthentic):
            verify(request, asked, answer)
    assert CANARY.encode() not in body


@pytest.mark.parametrize(
    "body", [b"", b"\0\0\0\1{", b"x" * 100, b"\xff" * 4, b'{"v":1,"answers":[]}'], ids=len
)
async def test_a_body_that_is_no_batch_is_refused_by_a_code(nodes: Nodes, body: bytes) -> None:
    """Validly signed nonsense from a peer: a short signed word, and no effect."""
    caller, _ = posted_by(nodes, FIJI, a_message(nodes))
    before = counts(nodes[QUMRAN])
    signed = caller.signed("POST", ENVELOPES, body, BATCH_TYPE if body else None)
    status, _, answer = await caller.send(signed)
    assert status in {400, 413}
    assert answer in {b'{"refusal":"malformed","v":1}', b'{"refusal":"too-large","v":1}'}
    assert counts(nodes[QUMRAN]) == before


async def test_a_witness_that_nobody_can_connect_to_brings_its_word(tmp_path: Path) -> None:
    """It looks at the log by itself, and tells at its next fetch, also when nothing waits."""
    async with running_network(tmp_path, (FIJI, QUMRAN), pull={QUMRAN}) as nodes:
        watch = nodes[QUMRAN].node.watch
        assert watch is not None
        await watch.monitor.look(FIJI)
        exchange = nodes[QUMRAN].exchange
        client = exchange._peers.client(FIJI) if exchange else None
        assert exchange is not None
        assert client is not None
        await exchange._give_word(FIJI, client)
        checkpoints = tables.metadata.tables["checkpoints"]
        (kept,) = nodes[FIJI].read(lambda conn: conn.execute(checkpoints.select()).all())
        assert kept.witnesses == 1
