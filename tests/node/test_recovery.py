"""A node that was set back gets everything back that was receipted, and forks nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.recovery import NothingLost, PeersAway
from protocol.errors import Recovering
from tests.support.network import running_network
from tests.support.recovering import (
    FIJI,
    QUMRAN,
    TONGA,
    add,
    ask,
    cloned,
    messages,
    recovered,
    set_back,
)
from tests.support.sound import assert_sound


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
    async with cloned(tmp_path) as made:
        qumran = made.qumran
        assert made.ours.seq == made.theirs.seq
        await recovered(qumran)
        held = {identity for identity, _, _ in messages(qumran)}
        assert made.theirs.identity in held
        assert made.ours.identity not in held
        assert_sound(qumran)
        await qumran.start()
        await add(qumran, made.ours.case)
        await add(made.fiji, made.ours.case)
