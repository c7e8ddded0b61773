"""A bundle made while the node serves: the other side is asked for what only its log shows."""

from __future__ import annotations

import asyncio
from pathlib import Path

from node.audit.verify import verify_file
from node.desk import Result, act
from node.run import desk_of
from node.storage import Connection, case_rows
from protocol.bundle import decode_bundle
from protocol.bundle_parts import read_head
from protocol.encoding import Fields
from tests.support.network import RunningNode, running_network
from tests.support.people import ANNA

FIJI, QUMRAN = "fj.justice", "qm.justice"


async def say(node: RunningNode, case: str) -> str:
    """Say something more in a case, and wait for the receipt."""
    posted = await node.write(
        lambda tx: node.node.register.add_event(tx, case, kind="note", body={"text": "more"})
    )
    await delivered(node, posted.identity)
    return posted.identity


async def delivered(node: RunningNode, identity: str) -> None:
    """Wait for the receipt of a message."""

    def arrived(conn: Connection) -> bool:
        stored = case_rows.read_message(conn, identity)
        return stored is not None and stored.state == "delivered"

    await node.until(arrived)


async def bundle(node: RunningNode, verb: str, case: str) -> tuple[bytes, Result]:
    """Make a bundle at the desk of a node that serves."""
    desk = desk_of(node.node, asyncio.get_running_loop())
    made = await asyncio.to_thread(act, desk, verb, {"case": case}, person=ANNA)
    return Fields(dict(made), "made").base64("bundle", bytes_max=2**30), made


async def test_a_node_that_serves_asks_the_other_side_for_its_log(tmp_path: Path) -> None:
    """Every receipt of several rests on one state of its log, which a witness has cosigned."""
    async with running_network(tmp_path, (FIJI, QUMRAN)) as nodes:
        fiji, qumran = nodes[FIJI], nodes[QUMRAN]
        posted = await fiji.write(
            lambda tx: fiji.node.register.send_request(
                tx, to=QUMRAN, request_kind="MLA_EVIDENCE", body={"text": "please"}
            )
        )
        await delivered(fiji, posted.identity)
        for node in (qumran, fiji, fiji):
            await say(node, posted.case)
        for verb in ("case.bundle", "case.proofs"):
            raw, made = await bundle(fiji, verb, posted.case)
            assert made["left_out"] == []
            heads = [read_head(one) for one in decode_bundle(raw).folder("heads")]
            assert {one.checkpoint.origin for one in heads} >= {
                f"pacific/{FIJI}/1", f"pacific/{QUMRAN}/1",
            }  # fmt: skip
            links = {one.checkpoint.origin: one.continuation.links for one in heads}
            assert len(links[f"pacific/{QUMRAN}/1"]) >= 2
            judged = verify_file(raw)
            assert judged.conclusion.value == "true", judged
        await qumran.stop()
        raw, made = await bundle(fiji, "case.bundle", posted.case)
        assert any(
            QUMRAN in str(one) for one in Fields(dict(made), "made").items("left_out", count_max=9)
        )
        assert verify_file(raw).conclusion.value == "true"
