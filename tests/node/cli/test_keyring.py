"""`comity keys`, and commands that a running node answers through its socket."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path

import pytest

from keys.keyfile import read_key_file
from node.app import open_node
from node.control import serve_desk
from node.exits import Exit
from node.run import desk_of
from protocol.encoding import to_base64
from tests.support.commands import comity
from tests.support.exchanged import FIJI, QUMRAN, AtRest
from tests.support.keyfiles import PASSPHRASE
from tests.support.requests import good_request


@pytest.mark.parametrize("purpose", ["seal", "hop"])
def test_a_key_is_rotated_where_no_node_runs(nodes: Path, purpose: str) -> None:
    """The file, the listing and what is shown agree afterwards."""
    way = ("--config", nodes / FIJI, "keys")
    done = comity(*way, "rotate", purpose, "--json").json
    assert (done["schema"], done["purpose"]) == ("comity.rotation/1", purpose)
    keys = comity(*way, "show", "--json").json["keys"]
    assert all(one["listed"] for one in keys)
    ends = {one["key_id"]: one["until"] for one in keys if one["purpose"] == purpose}
    assert ends == {done["retired"]: done["until"], done["key_id"]: None}
    assert done["key_id"][:16] in comity(*way, "show").out


def test_only_keys_that_no_steward_signed_are_rotated_here(nodes: Path) -> None:
    """The others change with the network document."""
    done = comity("--config", nodes / FIJI, "keys", "rotate", "sign")
    assert done.status is Exit.USAGE
    assert "network document" in done.err


def test_a_listing_is_published_anew_and_written_for_those_who_carry_it(
    nodes: Path, tmp_path: Path
) -> None:
    """The other node installs the file."""
    file = tmp_path / "fj.listing"
    done = comity("--config", nodes / FIJI, "keys", "publish", "--out", file)
    assert done.status is Exit.DONE
    assert comity("network", "show", file, "--json").json["serial"] == 2
    installed = comity("--config", nodes / QUMRAN, "network", "install", file, "--json").json
    assert installed["new"] == [True]


def test_before_the_network_is_installed_there_is_nothing_to_rotate(
    tmp_path: Path, passphrase_file: Path
) -> None:
    """A new listing follows the one that the network knows."""
    folder = tmp_path / "node"
    comity("init", "--network", "n", "--authority", "a", "--dir", folder,
           "--passphrase-file", passphrase_file)  # fmt: skip
    before = (folder / "keys" / "node.key").read_bytes()
    done = comity("--config", folder, "keys", "rotate", "seal")
    assert done.status is Exit.FAILED
    assert (folder / "keys" / "node.key").read_bytes() == before


async def test_a_running_node_does_what_commands_ask_of_it(
    nodes: Path, monkeypatch: pytest.MonkeyPatch, passphrase_file: Path, lines: io.StringIO
) -> None:
    """Without any passphrase but for rotation, which is never logged; and it uses the new key."""
    rest = AtRest(nodes / FIJI)
    way = ("--config", nodes / FIJI)
    node = open_node(rest.settings, read_key_file(rest.settings.keys.file, PASSPHRASE))
    monkeypatch.delenv("COMITY_KEYS__PASSPHRASE_FILE")
    asking = {**good_request("INFORMAL_INQUIRY"), "text": "please"}
    (nodes / "ask.json").write_text(json.dumps(asking))
    try:
        async with serve_desk(desk_of(node), rest.settings.control.socket):
            sent = await asyncio.to_thread(
                comity, *way, "request", "send", "--to", QUMRAN, "--kind", "INFORMAL_INQUIRY",
                "--body", nodes / "ask.json", "--json",
            )  # fmt: skip
            shown = await asyncio.to_thread(comity, *way, "case", "show", sent.json["case"])
            assert "text: please" in shown.out
            unknown = await asyncio.to_thread(comity, *way, "case", "show", "x", "--json")
            assert (unknown.status, unknown.json["code"]) == (Exit.FAILED, "not-found")
            done = await asyncio.to_thread(
                comity, *way, "keys", "rotate", "seal", "--passphrase-file", passphrase_file,
                "--json",
            )  # fmt: skip
            assert done.json["key_id"] in node.office.keys.seal
    finally:
        node.close()
    assert "verb-failed" in lines.getvalue()
    assert not {PASSPHRASE.decode(), to_base64(PASSPHRASE)} & set(lines.getvalue().split('"'))
    assert read_key_file(rest.settings.keys.file, PASSPHRASE) == node.office.keys.ring
