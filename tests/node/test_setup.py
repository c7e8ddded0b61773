"""Making a node: everything is new, its owner's alone, and a second time changes nothing."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from keys.keyfile import read_key_file
from keys.ring import KeyRing
from node.app import open_node
from node.audit.guard import guarded_checkpoint, read_guard
from node.clock import SystemClock, SystemRandom
from node.own_listing import own_listing
from node.setup import AlreadyThere, MadeNode, make_node
from node.storage import log_rows
from node.transport.tls import pin_of
from protocol.listing import decode_listing, decode_listing_text
from tests.support.keyfiles import PASSPHRASE, QUICK


def make(folder: Path, **chosen: object) -> MadeNode:
    """Make a node."""
    settings = {name.replace("__", "."): value for name, value in chosen.items()}
    urls: dict[str, object] = {"peers.urls": ["https://fj.example:8443"]}
    return make_node(
        folder, network="pacific", authority="fj.justice", passphrase=PASSPHRASE,
        clock=SystemClock(), random=SystemRandom(), chosen=urls | settings, costs=QUICK,
    )  # fmt: skip


def files_of(folder: Path) -> dict[str, bytes]:
    """Give all files of a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_new_node_has_a_log_with_one_entry_that_its_guard_knows(tmp_path: Path) -> None:
    """Leaf 0 says that the log is open; the guard holds the checkpoint over it."""
    made = make(tmp_path / "node")
    node = open_node(made.settings, made.ring)
    try:
        assert node.log.halted is None
        (entry,) = node.database.read(lambda conn: list(log_rows.iterate_entries(conn, 1)))
        assert entry.kind == "log.opened"
    finally:
        node.close()
    guard = guarded_checkpoint(read_guard(made.settings.guard.file) or b"")
    assert (guard.size, guard.origin) == (1, "pacific/fj.justice/1")


def test_what_is_secret_is_its_owners_alone(tmp_path: Path) -> None:
    """Whatever the process would let others read."""
    before = os.umask(0)
    try:
        made = make(tmp_path / "node")
    finally:
        os.umask(before)
    secret = (made.settings.keys.file, made.settings.peers.private_key, made.settings.guard.file)
    for path in secret:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    for path in {tmp_path / "node", *(one.parent for one in secret)}:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_second_time_nothing_is_made_or_changed(tmp_path: Path) -> None:
    """Neither keys nor guard nor log: they are the authority."""
    make(tmp_path / "node")
    before = files_of(tmp_path / "node")
    with pytest.raises(AlreadyThere):
        make(tmp_path / "node")
    assert files_of(tmp_path / "node") == before


@pytest.mark.parametrize("left", ["keys/node.key", "tls/peers.key", "guard/checkpoint"])
def test_a_part_of_a_node_is_never_overwritten(tmp_path: Path, left: str) -> None:
    """Settings were lost, but a key or a guard is there: it stays what it is."""
    path = tmp_path / "node" / left
    path.parent.mkdir(parents=True)
    path.write_bytes(b"what was there")
    with pytest.raises(Exception, match=path.name):
        make(tmp_path / "node")
    assert path.read_bytes() == b"what was there"


def test_the_listing_shows_what_the_node_holds_and_nothing_secret(tmp_path: Path) -> None:
    """Every public key, the pin of its certificate, and no seed."""
    made = make(tmp_path / "node")
    raw = made.listing_file.read_bytes()
    listing = decode_listing_text(decode_listing(raw).text)
    assert {one.key for one in listing.keys} == set(made.ring.public_keys())
    assert listing.pins == (pin_of(made.settings.peers.certificate.read_bytes()),)
    assert (listing.serial, listing.prev, listing.urls) == (1, None, ("https://fj.example:8443",))
    seeds = [entry.seed for entry in made.ring.entries] + [made.ring.storage_key]
    everything = files_of(tmp_path / "node")
    for name, content in everything.items():
        assert not any(seed in content or seed.hex().encode() in content for seed in seeds), name


def test_the_key_file_gives_the_ring_that_was_made(tmp_path: Path) -> None:
    """And only to whoever knows the passphrase."""
    made = make(tmp_path / "node")
    ring = read_key_file(made.settings.keys.file, PASSPHRASE)
    assert isinstance(ring, KeyRing)
    assert ring == made.ring


def test_a_node_that_fetches_lists_no_address(tmp_path: Path) -> None:
    """Nobody can connect to it, so nobody is told where."""
    made = make(tmp_path / "node", peers__pull=True)
    listing = decode_listing_text(decode_listing(made.listing_file.read_bytes()).text)
    assert (listing.pull, listing.urls, listing.pins) == (True, (), ())


def test_a_following_listing_continues_the_one_before(tmp_path: Path) -> None:
    """Serial, digest, and what a person had written into it."""
    made = make(tmp_path / "node")
    statement = decode_listing(made.listing_file.read_bytes())
    first = decode_listing_text(statement.text)
    following = own_listing(
        made.settings, made.ring, now=first.created + 5, after=(first, statement.identity)
    )
    assert (following.serial, following.prev) == (2, statement.identity)
    assert (following.contacts, following.languages) == (first.contacts, first.languages)
