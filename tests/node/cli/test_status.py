"""`status`, `audit monitor` and `audit forks`: how a node stands, at rest and while it runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from node.control import serve_desk
from node.exits import Exit
from node.run import desk_of
from tests.support.commands import Done, comity
from tests.support.exchanged import FIJI, QUMRAN
from tests.support.network import RunningNode, running_network


def test_a_node_at_rest_says_how_it_stands(exchanged: Path) -> None:
    """Without keys and without a running node, for a person and for a program."""
    done = comity("--config", exchanged / FIJI, "status", "--json")
    assert (done.status, done.json["schema"]) == (Exit.DONE, "comity.status/1")
    assert (done.json["authority"], done.json["runs"]) == (FIJI, False)
    assert done.json["log"]["size"] > 5
    assert done.json["log"]["halted"] is None
    assert done.json["witnessed"]["needed"] == 1
    assert done.json["forks"] == []
    told = comity("--config", exchanged / FIJI, "status").out
    assert "witnessed by 0 of 1" in told
    assert "make a second history impossible" in told
    assert "does not run" in told


def test_a_database_behind_its_guard_is_said_to_be_halted(exchanged: Path, nodes: Path) -> None:
    """Exit status 1, the reason, and nothing that needs the node to start."""
    old = exchanged / FIJI / "guard"
    for file in old.iterdir():
        target = nodes / FIJI / "guard" / file.name
        target.write_bytes(file.read_bytes())
    done = comity("--config", nodes / FIJI, "status", "--json")
    assert done.status is Exit.FAILED
    assert "guard" in done.json["log"]["halted"]
    assert "HALTED" in comity("--config", nodes / FIJI, "status").out


def test_without_a_running_node_nobody_is_looked_at(exchanged: Path) -> None:
    """The monitor is part of the node; the command says what to do."""
    done = comity("--config", exchanged / FIJI, "audit", "monitor", "--once", "--json")
    assert done.status is Exit.FAILED
    assert "comity run" in str(done.json)


def test_a_node_without_forks_writes_no_proof(exchanged: Path, tmp_path: Path) -> None:
    """The folder is there, and empty."""
    out = tmp_path / "forks"
    done = comity("--config", exchanged / FIJI, "audit", "forks", "--out", out)
    assert (done.status, list(out.iterdir())) == (Exit.DONE, [])


async def run_command(node: RunningNode, *words: str) -> Done:
    """Run a command for a node that serves, as another process would."""
    desk = desk_of(node.node, asyncio.get_running_loop())
    async with serve_desk(desk, node.settings.control.socket):
        return await asyncio.to_thread(comity, "--config", node.settings.folder, *words)


@pytest.mark.usefixtures("passphrase_file")
async def test_running_nodes_cosign_each_other_and_say_so(tmp_path: Path) -> None:
    """Over TLS: words come back, and the monitor follows a log that sent nothing."""
    async with running_network(tmp_path / "net", (FIJI, QUMRAN)) as nodes:
        watch = nodes[FIJI].node.watch
        assert watch is not None
        await watch.witnessing.push()
        done = await run_command(nodes[FIJI], "status", "--json")
        assert (done.status, done.json["runs"]) == (Exit.DONE, True)
        assert done.json["witnessed"]["by"] == 1
        assert done.json["witnessed"]["said"] == "witnessed by 1 of 1"
        assert done.json["witnessed"]["behind"] == 0
        (witness,) = done.json["witnessed"]["witnesses"]
        assert (witness["authority"], witness["size"]) == (QUMRAN, done.json["log"]["size"])
        looked = await run_command(nodes[FIJI], "audit", "monitor", "--json")
        (log,) = looked.json["logs"]
        assert (looked.status, log["peer"], log["verdict"]) == (Exit.DONE, QUMRAN, "ok")
        told = await run_command(nodes[FIJI], "audit", "monitor", "--once")
        assert "continues what was cosigned here" in told.out
        assert QUMRAN in (await run_command(nodes[FIJI], "status")).out
