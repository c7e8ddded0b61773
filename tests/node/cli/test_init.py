"""Making a node: everything is there, nothing is overwritten, and it says what to type next."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

import pytest

from node.exits import Exit
from tests.support.commands import Done, comity
from tests.support.exchanged import AtRest


def init(folder: Path, passphrase_file: Path, *more: str) -> Done:
    """Type the command."""
    return comity(
        "init", "--network", "pacific", "--authority", "to.justice", "--dir", folder,
        "--passphrase-file", passphrase_file, *more,
    )  # fmt: skip


def test_a_node_is_made_and_refused_a_second_time(tmp_path: Path, passphrase_file: Path) -> None:
    """Keys of mode 0600, a database, a guard, a listing; and what is there stays as it is."""
    folder = tmp_path / "node"
    made = init(folder, passphrase_file, "--json")
    assert made.json["schema"] == "comity.init/1"
    assert Path(made.json["listing"]).exists()
    for name in ("keys/node.key", "tls/peers.key"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    again = init(folder, passphrase_file)
    assert again.status is Exit.FAILED
    assert "already holds a node" in again.err
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_database_holds_one_node(tmp_path: Path, passphrase_file: Path) -> None:
    """A second one in it is refused, is not left half made, and the first one still works."""
    place = ("--database", f"sqlite:///{tmp_path / 'shared.db'}")
    assert init(tmp_path / "one", passphrase_file, *place).status is Exit.DONE
    done = init(tmp_path / "two", passphrase_file, *place, "--json")
    assert (done.status, done.json["code"]) == (Exit.FAILED, "exists")
    assert "database of its own" in done.json["sentence"]
    assert not (tmp_path / "two").exists()
    assert comity("--config", tmp_path / "one", "outbox").status is Exit.DONE


def test_what_is_printed_next_names_the_new_node(tmp_path: Path, passphrase_file: Path) -> None:
    """The commands can be copied from the terminal."""
    folder = tmp_path / "node"
    made = init(folder, passphrase_file)
    config = folder / "comity.toml"
    assert f"comity --config {config} run" in made.out
    assert f"comity --config {config} network install" in made.out
    shown = comity("network", "show", folder / "to.justice.listing", "--json").json
    assert shown["fingerprint"][:35] in made.out


def test_the_settings_say_what_was_chosen(tmp_path: Path, passphrase_file: Path) -> None:
    """And the passphrase's file, so that the node starts by itself."""
    folder = tmp_path / "node"
    done = init(
        folder, passphrase_file, "--listen", "0.0.0.0:9443", "--url", "https://to.example:9443",
        "--contact-name", "Duty", "--contact-phone", "+676 555", "--database", "sqlite:///x.db",
    )  # fmt: skip
    assert done.status is Exit.DONE
    text = tomllib.loads((folder / "comity.toml").read_text())
    assert text["peers"]["listen"] == "0.0.0.0:9443"
    assert text["peers"]["urls"] == ["https://to.example:9443"]
    assert text["peers"]["allow_private_addresses"] is False
    assert text["keys"]["passphrase_file"] == str(passphrase_file)
    assert (folder / "x.db").exists()
    shown = comity("network", "show", folder / "to.justice.listing").out
    assert "Duty" in shown


def test_a_node_that_fetches_needs_no_url(tmp_path: Path, passphrase_file: Path) -> None:
    """For an office that nobody can connect to."""
    folder = tmp_path / "node"
    assert init(folder, passphrase_file, "--pull").status is Exit.DONE
    assert AtRest(folder).settings.peers.pull
    assert comity("network", "show", folder / "to.justice.listing", "--json").json["pull"]


@pytest.mark.parametrize(
    "more",
    [
        ("--listen", "0.0.0.0:8443"),
        ("--listen", "nonsense"),
        ("--url", "http://to.example"),
        ("--url", "https://to.example/"),
        ("--database", "mysql://x"),
        ("--database", "postgresql://nobody@127.0.0.1:1/nothing"),
        ("--contact-email", "a@b.example"),
    ],
)
def test_what_would_fail_half_way_fails_before_anything_is_made(
    more: tuple[str, ...], tmp_path: Path, passphrase_file: Path
) -> None:
    """No folder with half a node is left to be cleared away."""
    done = init(tmp_path / "node", passphrase_file, *more)
    assert done.status is not Exit.DONE
    assert done.err.startswith("Error: ")
    assert not (tmp_path / "node").exists()


def test_without_a_passphrase_nothing_is_made(tmp_path: Path) -> None:
    """Nobody sits at a terminal here, and no file was named."""
    done = comity("init", "--network", "n", "--authority", "a", "--dir", tmp_path / "node")
    assert done.status is Exit.CONFIGURATION
    assert not (tmp_path / "node").exists()


def test_an_id_that_is_none_is_refused(tmp_path: Path, passphrase_file: Path) -> None:
    """Before keys are drawn for it."""
    done = comity(
        "init", "--network", "pacific", "--authority", "Fiji Justice", "--dir", tmp_path / "node",
        "--passphrase-file", passphrase_file,
    )  # fmt: skip
    assert done.status is Exit.CONFIGURATION
    assert not (tmp_path / "node").exists()


def test_a_node_is_made_on_either_database(
    tmp_path: Path, passphrase_file: Path, empty_database_url: str
) -> None:
    """SQLite or PostgreSQL by its URL; the audit finds the same sound log."""
    folder = tmp_path / "node"
    done = init(folder, passphrase_file, "--database", empty_database_url)
    assert done.status is Exit.DONE, done.err
    audit = comity("--config", folder, "audit", "verify", "--json")
    assert audit.json["counts"]["entries"] == 1
    assert comity("--config", folder, "outbox", "--json").json["waiting"] == []
