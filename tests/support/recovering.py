"""Nodes that are set back to an older state, and recovered as the command does it.

    async with set_back(tmp_path) as (nodes, case, lost):
        await recovered(nodes[QUMRAN])

Qumran has lost a day of exchange with both others; its guard remembers.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from keys.keyfile import read_key_file
from node.app import open_node
from node.outbox import Posted
from node.recovery import Recovered, recover
from node.storage import Connection, case_rows, log_rows, watch_rows
from tests.support.keyfiles import PASSPHRASE
from tests.support.network import RunningNode, running_network

FIJI, QUMRAN, TONGA = "fj.justice", "qm.justice", "to.justice"


def delivered(identity: str) -> Callable[[Connection], bool]:
    """Say whether a message of ours has its receipt."""

    def check(conn: Connection) -> bool:
        found = case_rows.read_message(conn, identity)
        return found is not None and found.state == "delivered"

    return check


async def ask(node: RunningNode, peer: str) -> Posted:
    """Send a request and wait for its receipt."""
    posted = await node.write(
        lambda tx: node.node.register.send_request(
            tx, to=peer, request_kind="MLA_EVIDENCE", body={"text": "Records, please."}
        )
    )
    await node.until(delivered(posted.identity))
    return posted


async def add(node: RunningNode, case: str, kind: str = "note") -> Posted:
    """Add an event to a case and wait for its receipt."""
    posted = await node.write(
        lambda tx: node.node.register.add_event(tx, case, kind=kind, body={"text": "More."})
    )
    await node.until(delivered(posted.identity))
    return posted


def backup(node: RunningNode) -> Path:
    """Copy the database of a node that is down, but not its guard."""
    kept = node.settings.folder.parent / f"backup-of-{node.settings.authority}"
    kept.mkdir(exist_ok=True)
    for file in node.settings.folder.glob("comity.db*"):
        shutil.copy(file, kept)
    return kept


def put_back(node: RunningNode, kept: Path) -> None:
    """Restore the copy."""
    for file in node.settings.folder.glob("comity.db*"):
        file.unlink()
    for file in kept.iterdir():
        shutil.copy(file, node.settings.folder)


async def recovered(node: RunningNode, *without: str) -> Recovered:
    """Recover a node that is down, as the command does."""
    settings = node.settings
    ring = read_key_file(settings.keys.file, PASSPHRASE)
    return await asyncio.to_thread(recover, settings, ring, without=without)


def messages(node: RunningNode) -> set[tuple[str, str, int]]:
    """Give identity, direction and number of all messages in a node's database."""
    with sqlite3.connect(node.settings.folder / "comity.db") as conn:
        return set(conn.execute("SELECT identity, direction, seq FROM messages"))


@asynccontextmanager
async def set_back(folder: Path) -> AsyncIterator[tuple[dict[str, RunningNode], str, set[str]]]:
    """Give nodes of which Qumran has lost a day of exchange with both others."""
    async with running_network(folder, (FIJI, QUMRAN, TONGA)) as nodes:
        fiji, qumran, tonga = nodes[FIJI], nodes[QUMRAN], nodes[TONGA]
        old = await ask(fiji, QUMRAN)
        await qumran.stop()
        kept = backup(qumran)
        await qumran.start()
        await add(fiji, old.case)
        await add(qumran, old.case, "acknowledge")
        mine = await ask(qumran, FIJI)
        await add(fiji, mine.case, "acknowledge")
        await ask(tonga, QUMRAN)
        await qumran.stop()
        lost = {identity for identity, _, _ in messages(qumran)}
        put_back(qumran, kept)
        yield nodes, old.case, lost


def head_size(conn: Connection) -> int:
    """Give the size of the log that is open."""
    head = log_rows.read_head(conn, log_rows.newest_origin(conn) or "")
    return 0 if head is None else head.size


@dataclass(frozen=True, slots=True)
class Cloned:
    """Nodes of which Qumran wrote one message, was set back, and wrote another in its place.

    What its log held of the quiet case had been cosigned before.
    """

    fiji: RunningNode
    qumran: RunningNode
    quiet: str
    theirs: Posted  # the one that the peer has
    ours: Posted  # the one of the clone


@asynccontextmanager
async def cloned(folder: Path) -> AsyncIterator[Cloned]:
    """Set Qumran back, guard and all, and let it write on before it knows."""
    async with running_network(folder, (FIJI, QUMRAN)) as nodes:
        fiji, qumran = nodes[FIJI], nodes[QUMRAN]
        quiet = (await ask(fiji, QUMRAN)).case
        covered = qumran.read(head_size)
        await qumran.stop()
        await qumran.start()  # it asks its witnesses at once
        await qumran.until(
            lambda conn: watch_rows.best_checkpoint(conn, 1, quorum=1, size_min=covered)
        )
        case = (await ask(fiji, QUMRAN)).case
        await qumran.stop()
        kept, guard = backup(qumran), qumran.settings.guard.file.read_bytes()
        await qumran.start()
        theirs = await add(qumran, case, "acknowledge")
        await add(fiji, case)
        await qumran.stop()
        put_back(qumran, kept)
        qumran.settings.guard.file.write_bytes(guard)
        ring = read_key_file(qumran.settings.keys.file, PASSPHRASE)
        clone = open_node(qumran.settings, ring)  # without its peers it cannot know
        ours = clone.writer.write_now(
            lambda tx: clone.register.add_event(tx, case, kind="note", body={"text": "Lost."})
        )
        clone.close()
        yield Cloned(fiji, qumran, quiet, theirs, ours)
