"""The control socket: what it makes, what it removes, and what it leaves alone."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from node.ask import NoNode, ask_node
from node.control import serve_desk
from node.run import desk_of
from node.settings import SettingsError
from tests.support.pair import FIJI, Pair


async def test_the_socket_is_for_the_owner_only_and_goes_with_the_node(light_pair: Pair) -> None:
    """Mode 0600 while it listens; afterwards nobody is there."""
    path = light_pair.folder / "run" / "control.sock"
    async with serve_desk(desk_of(light_pair[FIJI].node), path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(NoNode):
        ask_node(path, "case.list", {})


async def test_a_socket_that_a_killed_node_left_is_replaced(light_pair: Pair) -> None:
    """Nothing listens on it: it is in nobody's way."""
    path = light_pair.folder / "control.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    async with serve_desk(desk_of(light_pair[FIJI].node), path):
        assert stat.S_ISSOCK(path.stat().st_mode)


@pytest.mark.parametrize("kind", ["file", "link", "folder"])
async def test_what_is_no_socket_is_never_removed(light_pair: Pair, kind: str) -> None:
    """The settings name the key file by mistake: the node does not start, and it is still there."""
    path = light_pair.folder / "node.key"
    target: Path = path
    match kind:
        case "file":
            path.write_bytes(b"all keys")
        case "link":
            target = light_pair.folder / "elsewhere"
            target.write_bytes(b"all keys")
            path.symlink_to(target)
        case _:
            path.mkdir()
    with pytest.raises(SettingsError, match=r"node\.key"):
        async with serve_desk(desk_of(light_pair[FIJI].node), path):
            pass
    assert path.is_symlink() == (kind == "link")
    assert kind == "folder" or target.read_bytes() == b"all keys"
