"""A node that was set back gets everything back that was receipted, and forks nothing."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from keys.keyfile import read_key_file
from node.app import open_node
from node.outbox import Posted
from node.recovery import NothingLost, PeersAway, Recovered, recover
from node.storage import Connection, case_rows
from protocol.errors import Recovering
from tests.support.keyfiles import PASSPHRASE
from tests.support.network import RunningNode, running_network
from tests.support.sound import assert_sound

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


async def test_nothing_that_was_receipted_is_lost(tmp_path: Path) -> None:
    """All messages of both directions come back, the log goes on in the next, and so do cases."""
    async with set_back(tmp_path) as (nodes, case, lost):
        qumran = nodes[QUMRAN]
        await qumran.start()
        with pytest.raises(Recovering):
            await ask(qumran, FIJI)
        await qumran.stop()
        done = await recovered(qumran)
        assert done.origin.endswith("/2")
        assert done.installed.refused == 0
        assert {identity for identity, _, _ in messages(qumran)} == lost
        await qumran.start()
        await add(qumran, case)
        await add(nodes[FIJI], case)
        await ask(nodes[TONGA], QUMRAN)
        for node in nodes.values():
            await node.stop()
            assert_sound(node)


async def test_a_peer_that_is_away_stops_the_recovery_unless_it_is_left_out(
    tmp_path: Path,
) -> None:
    """Nothing is changed; left out by name, it is asked by a later recovery."""
    async with set_back(tmp_path) as (nodes, _case, lost):
        qumran, tonga = nodes[QUMRAN], nodes[TONGA]
        await tonga.stop()
        with pytest.raises(PeersAway) as caught:
            await recovered(qumran)
        assert set(caught.value.away) == {TONGA}
        first = await recovered(qumran, TONGA)
        assert first.left == (TONGA,)
        held = {identity for identity, _, _ in messages(qumran)}
        assert held < lost
        await tonga.start()
        second = await recovered(qumran)
        assert second.left == ()
        assert {identity for identity, _, _ in messages(qumran)} == lost
        with pytest.raises(NothingLost):
            await recovered(qumran)
        await qumran.start()
        await ask(tonga, QUMRAN)
        await qumran.stop()
        assert_sound(qumran)


async def test_a_node_that_lost_nothing_is_left_alone(tmp_path: Path) -> None:
    """A recovery out of fear closes no log."""
    async with running_network(tmp_path, (FIJI, QUMRAN)) as nodes:
        await ask(nodes[FIJI], QUMRAN)
        await nodes[QUMRAN].stop()
        with pytest.raises(NothingLost):
            await recovered(nodes[QUMRAN])
        await nodes[QUMRAN].start()
        await ask(nodes[FIJI], QUMRAN)


STEPS = (
    "node.recovery.whole.sign_closure",
    "node.recovery.whole.begin_next_log",
    "node.recovery.state.FileGuard.supersede",
    "node.recovery.install.Installer.open_log",
    "node.recovery.install.Installer.install",
    "node.recovery.install.Installer.end",
)


class Struck(Exception):
    """The machine stops here."""


@pytest.mark.parametrize("step", STEPS)
async def test_a_recovery_that_is_struck_at_any_step_ends_when_it_is_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Meanwhile nothing is signed; at the end everything is back, once."""

    def strike(*_: object, **__: object) -> object:
        raise Struck

    async with set_back(tmp_path) as (nodes, _case, lost):
        qumran = nodes[QUMRAN]
        with monkeypatch.context() as patch:
            patch.setattr(step, strike)
            with pytest.raises(Struck):
                await recovered(qumran)
        await qumran.start()
        with pytest.raises(Recovering):
            await ask(qumran, FIJI)
        await qumran.stop()
        await recovered(qumran)
        assert {identity for identity, _, _ in messages(qumran)} == lost
        assert_sound(qumran)
        await qumran.start()
        await ask(nodes[TONGA], QUMRAN)


async def test_a_clone_that_went_on_gives_way_to_what_its_peers_hold(tmp_path: Path) -> None:
    """What the copy wrote, guard and all, was never receipted: it is kept apart, and told."""
    async with running_network(tmp_path, (FIJI, QUMRAN)) as nodes:
        fiji, qumran = nodes[FIJI], nodes[QUMRAN]
        case = (await ask(fiji, QUMRAN)).case
        await qumran.stop()
        kept, guard = backup(qumran), qumran.settings.guard.file.read_bytes()
        await qumran.start()
        theirs = await add(qumran, case, "acknowledge")
        await qumran.stop()
        put_back(qumran, kept)
        qumran.settings.guard.file.write_bytes(guard)
        ring = read_key_file(qumran.settings.keys.file, PASSPHRASE)
        clone = open_node(qumran.settings, ring)  # without its peers it cannot know
        ours = clone.writer.write_now(
            lambda tx: clone.register.add_event(tx, case, kind="note", body={"text": "Lost."})
        )
        clone.close()
        assert ours.seq == theirs.seq
        await recovered(qumran)
        held = {identity for identity, _, _ in messages(qumran)}
        assert theirs.identity in held
        assert ours.identity not in held
        assert_sound(qumran)
        await qumran.start()
        await add(qumran, case)
        await add(fiji, case)
