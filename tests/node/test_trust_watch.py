"""What a person must hear about trust, and the anchor that an edited database cannot move."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete

from keys.keyfile import read_key_file
from keys.ring import new_ring, new_steward_ring
from node.anchor import Anchor
from node.app import Node, open_node
from node.clock import SystemRandom
from node.storage import Connection, peer_rows, trust_rows
from node.storage.tables import network_documents
from node.trust_watch import TrustWatch, troubles
from protocol.errors import EpochAhead, Recovering
from protocol.listing import sign_listing
from protocol.network import sign_document
from tests.support.keyfiles import PASSPHRASE
from tests.support.network import RunningNode, make_network
from tests.support.trust import listing_of, steward_of

FIJI, QUMRAN = "fj.justice", "qm.justice"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RunningNode]:
    """Make two nodes of one network once, for tests that only read."""
    return make_network(tmp_path_factory.mktemp("network"), (FIJI, QUMRAN))


def opened(node: RunningNode) -> Node:
    """Open a node without serving."""
    return open_node(node.settings, read_key_file(node.settings.keys.file, PASSPHRASE))


def test_the_first_document_is_anchored_outside_the_database(made: dict[str, RunningNode]) -> None:
    """After the first installation the anchor names that document."""
    node = opened(made[FIJI])
    try:
        digest = node.office.directory.chain[0].trusted.digest
        assert Anchor(node.settings.guard.file).read() == digest
        assert list(troubles(node.office)) == []
    finally:
        node.close()


def test_another_first_document_in_the_database_is_not_believed(tmp_path: Path) -> None:
    """Whoever edits the database and brings stewards of his own is refused, and it is heard."""
    node = opened(make_network(tmp_path, (FIJI,))[FIJI])
    try:
        now = node.clock.now()
        thief = new_steward_ring("Thief", random=SystemRandom(), now=now)
        genuine = node.office.directory.document.document
        forged = replace(genuine, stewards=(steward_of(thief),))
        statement = sign_document(forged, [thief.signers()])

        def plant(conn: Connection) -> None:
            conn.execute(delete(network_documents))
            trust_rows.insert_document(
                conn, digest=statement.identity, version=1, raw=statement.encode(), at=now
            )

        node.database.transact(plant)
        node.database.read(node.office.load)
        with pytest.raises(EpochAhead):
            _ = node.office.directory.document
        assert {kind for kind, *_ in troubles(node.office)} == {"trust-refused"}
    finally:
        node.close()


def test_a_damaged_anchor_is_an_error_and_not_an_absent_one(tmp_path: Path) -> None:
    """Half a digest is no reason to trust whatever comes."""
    guard = tmp_path / "checkpoint"
    (tmp_path / "network").write_text("0123")
    with pytest.raises(Recovering):
        Anchor(guard).read()


def test_an_anchor_that_is_there_stays(tmp_path: Path) -> None:
    """Keeping another digest changes nothing."""
    anchor = Anchor(tmp_path / "checkpoint")
    anchor.create("a" * 64)
    anchor.create("b" * 64)
    assert anchor.read() == "a" * 64


def test_a_key_under_our_name_that_we_do_not_hold_is_heard_once(tmp_path: Path) -> None:
    """A listing of ours that somebody with our sign keys made elsewhere raises one alarm."""
    node = opened(make_network(tmp_path, (FIJI,))[FIJI])
    try:
        ring, now = node.office.keys.ring, node.clock.now()
        stranger = new_ring(ring.network, FIJI, random=SystemRandom(), now=now)
        held = node.office.directory.listing(FIJI)
        hop = next(one for one in listing_of(stranger, now=now).keys if one.key.purpose == "hop")
        more = replace(
            held.listing, serial=2, prev=held.digest, created=now, keys=(*held.listing.keys, hop)
        )
        raw = sign_listing(more, ring.signers("sign")).encode()
        node.writer.write_now(lambda tx: node.office.install_listing(tx, raw))
        watch = TrustWatch(node.office)
        node.writer.write_now(watch.look)
        node.writer.write_now(watch.look)
        alarms = node.database.read(peer_rows.list_alarms)
        assert [(one.kind, one.subject) for one in alarms] == [("foreign-key", hop.key.key_id)]
    finally:
        node.close()


def test_an_anchor_that_was_half_written_does_not_keep_the_node_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full, or the node is killed, in the middle: the anchor is made later, whole."""
    anchor, digest = Anchor(tmp_path / "checkpoint"), "5a" * 32

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="no space"):
            anchor.create(digest)
    assert anchor.read() is None
    anchor.create(digest)
    anchor.create("00" * 32)  # and what is there stays
    assert anchor.read() == digest
