"""Recovery among liars and after accidents: nothing false comes back, and no second fork."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tests.support.network import RunningNode, running_network
from tests.support.recovering import (
    FIJI,
    QUMRAN,
    TONGA,
    add,
    ask,
    backup,
    messages,
    put_back,
    recovered,
    set_back,
)
from tests.support.sound import assert_sound


async def test_a_case_that_was_opened_and_answered_after_the_backup_is_whole(
    tmp_path: Path,
) -> None:
    """Whichever side's messages come back first, kinds, sides, order and states are as before."""
    async with running_network(tmp_path, (FIJI, QUMRAN)) as nodes:
        fiji, qumran = nodes[FIJI], nodes[QUMRAN]
        await qumran.stop()
        kept = backup(qumran)
        await qumran.start()
        theirs = await ask(fiji, QUMRAN)
        await add(qumran, theirs.case, "acknowledge")
        await add(fiji, theirs.case)
        mine = await ask(qumran, FIJI)
        await add(fiji, mine.case, "acknowledge")
        before = case_rows_of(qumran)
        await qumran.stop()
        put_back(qumran, kept)
        await recovered(qumran)
        await qumran.start()
        after = case_rows_of(qumran)
        assert after == before
        await add(qumran, theirs.case)
        await add(qumran, mine.case)
        await add(fiji, mine.case)


def case_rows_of(node: RunningNode) -> list[tuple[object, ...]]:
    """Give what a node's cases are, but for names and times of its own."""
    with sqlite3.connect(node.settings.folder / "comity.db") as conn:
        return conn.execute(
            "SELECT id, side, peer, request_kind, state, sent_seq, sent_identity, accepted_seq,"
            " accepted_identity, order_last FROM cases ORDER BY id"
        ).fetchall()


async def test_a_second_loss_is_recovered_while_a_peer_is_still_left_out(tmp_path: Path) -> None:
    """A peer that never comes back must not keep this node from recovering again."""
    async with set_back(tmp_path) as (nodes, case, _lost):
        qumran, tonga = nodes[QUMRAN], nodes[TONGA]
        await tonga.stop()
        first = await recovered(qumran, TONGA)
        assert first.left == (TONGA,)
        kept = backup(qumran)
        await qumran.start()
        await add(nodes[FIJI], case)
        await add(qumran, case)
        held = {one for one, _, _ in messages(qumran)}
        await qumran.stop()
        put_back(qumran, kept)
        second = await recovered(qumran, TONGA)
        assert second.origin.endswith("/3")
        assert {one for one, _, _ in messages(qumran)} == held
        assert second.left == (TONGA,)
        await tonga.start()
        third = await recovered(qumran)
        assert third.left == ()
        assert {one for one, _, _ in messages(qumran)} == held | _lost
        await qumran.start()
        await add(qumran, case)
        await ask(tonga, QUMRAN)
        await qumran.stop()
        assert_sound(qumran)


async def test_a_backup_from_before_the_last_recovery_forks_no_log(tmp_path: Path) -> None:
    """The database knows log 1, the guard and the peers log 2: log 2 is never begun anew."""
    async with set_back(tmp_path) as (nodes, case, _lost):
        qumran, fiji = nodes[QUMRAN], nodes[FIJI]
        kept = backup(qumran)
        assert (await recovered(qumran)).origin.endswith("/2")
        await qumran.start()
        await add(fiji, case)
        held = {one for one, _, _ in messages(qumran)}
        await qumran.stop()
        put_back(qumran, kept)
        done = await recovered(qumran)
        assert done.origin.endswith("/3")
        assert {one for one, _, _ in messages(qumran)} == held
        await qumran.start()
        await add(qumran, case)
        await add(fiji, case)
        await ask(nodes[TONGA], QUMRAN)
        for node in nodes.values():
            await node.stop()
            assert_sound(node)


async def test_the_same_without_its_guard(tmp_path: Path) -> None:
    """A new machine with the old backup has no guard either: peers know better."""
    async with set_back(tmp_path) as (nodes, case, _lost):
        qumran, fiji = nodes[QUMRAN], nodes[FIJI]
        kept = backup(qumran)
        await recovered(qumran)
        await qumran.start()
        await add(fiji, case)
        held = {one for one, _, _ in messages(qumran)}
        await qumran.stop()
        put_back(qumran, kept)
        qumran.settings.guard.file.unlink()
        done = await recovered(qumran)
        assert done.origin.endswith("/3")
        assert {one for one, _, _ in messages(qumran)} == held
        await qumran.start()
        await add(qumran, case)
        await add(fiji, case)
        await ask(nodes[TONGA], QUMRAN)
        for node in nodes.values():
            await node.stop()
            assert_sound(node)
