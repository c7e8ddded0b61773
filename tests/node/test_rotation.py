"""Keys change while a node works: mail is opened, peers are not lost, and nothing is half done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from keys.keyfile import KeyFileError, read_key_file
from node.app import Node, open_node
from node.audit.records import KeyRotated
from node.rotation import Rotated, Rotation, publish, rotate
from node.settings import Settings
from node.storage import Connection, case_rows, log_rows
from node.trust_watch import troubles
from protocol.encoding import decode
from protocol.errors import KeyUnknown
from protocol.limits import HOP_KEY_OVERLAP_S, RECORD_BYTES_MAX
from tests.support.keyfiles import PASSPHRASE
from tests.support.network import RunningNode, make_network, running_network

NAMES = ("fj.justice", "qm.justice")


def turn(
    node: Node, purpose: Rotated, passphrase: bytes | None = PASSPHRASE, later_s: int = 0
) -> Rotation:
    """Rotate a key of a node, as its desk does."""
    return rotate(
        node.office, node.settings, purpose, passphrase=passphrase, random=node.random,
        now=node.clock.now() + later_s, write=node.writer.write_now,
    )  # fmt: skip


async def send(sender: RunningNode, recipient: RunningNode) -> None:
    """Send a request and wait for its receipt."""
    to = recipient.settings.authority
    posted = await sender.write(
        lambda tx: sender.node.register.send_request(
            tx, to=to, request_kind="MLA", body={"text": "x"}
        )
    )

    def delivered(conn: Connection) -> bool:
        found = case_rows.read_message(conn, posted.identity)
        return found is not None and found.state == "delivered"

    await sender.until(delivered)


async def test_messages_flow_both_ways_before_and_after_peers_hear_of_new_keys(
    tmp_path: Path,
) -> None:
    """Both keys of one node are replaced while both run; nothing is said to the other."""
    async with running_network(tmp_path, NAMES) as nodes:
        fiji, qumran = (nodes[name] for name in NAMES)
        own = fiji.node.office
        seal, renewed = turn(fiji.node, "seal"), [own.directory.listing("fj.justice").raw]
        hop = turn(fiji.node, "hop")
        renewed.append(own.directory.listing("fj.justice").raw)
        # Qumran seals to the old key and knows the old signature: it has the old listing.
        await send(qumran, fiji)
        await send(fiji, qumran)
        for raw in renewed:
            await qumran.write(lambda tx, raw=raw: qumran.node.office.install_listing(tx, raw))  # type: ignore[misc]  # mypy cannot infer it
        directory, now = qumran.node.office.directory, qumran.node.clock.now()
        assert directory.seal_key("fj.justice", now).key_id == seal.key_id
        assert directory.hop_key(hop.key_id, now).authority == "fj.justice"
        assert directory.hop_key(hop.retired, now).authority == "fj.justice"
        await send(qumran, fiji)
        await send(fiji, qumran)
        await fiji.stop()
        await fiji.start()
        await send(qumran, fiji)
        await send(fiji, qumran)


@pytest.fixture
def fiji(tmp_path: Path) -> Iterator[Node]:
    """Give a node that trusts another, open and without its network."""
    node = opened(make_network(tmp_path, NAMES)[NAMES[0]].settings)
    yield node
    node.close()


def opened(settings: Settings) -> Node:
    """Open a node from its files."""
    return open_node(settings, read_key_file(settings.keys.file, PASSPHRASE))


def test_a_rotation_is_in_file_listing_and_log(fiji: Node) -> None:
    """And the office uses the new ring at once, without an alarm about its own keys."""
    before = read_key_file(fiji.settings.keys.file, PASSPHRASE)
    done = turn(fiji, "hop")
    after = read_key_file(fiji.settings.keys.file, PASSPHRASE)
    assert after == fiji.office.keys.ring
    assert after.hop().public.key_id == done.key_id != before.hop().public.key_id
    keys, now = fiji.office.keys, fiji.clock.now()
    assert 0 <= now + HOP_KEY_OVERLAP_S - done.until < 60
    assert keys.hop_at(now).public.key_id == done.retired
    assert keys.hop_at(done.until).public.key_id == done.key_id
    listing = fiji.office.directory.listing("fj.justice").listing
    assert listing.serial == 2
    assert {done.retired, done.key_id} <= {one.key.key_id for one in listing.keys}
    assert list(troubles(fiji.office)) == []
    assert _kinds(fiji)[-2:] == ["listing.installed", KeyRotated.kind]


def _kinds(node: Node) -> list[object]:
    entries = node.database.read(lambda conn: list(log_rows.iterate_entries(conn, 1)))
    records = [decode(one.record or b"{}", bytes_max=RECORD_BYTES_MAX) for one in entries]
    return [record["kind"] for record in records if isinstance(record, dict)]


@pytest.mark.parametrize("wrong", [b"another passphrase", None])
def test_a_wrong_passphrase_changes_nothing(fiji: Node, wrong: bytes | None) -> None:
    """The key file is opened before it is written again."""
    raw = fiji.settings.keys.file.read_bytes()
    with pytest.raises(KeyFileError):
        turn(fiji, "seal", wrong)
    assert fiji.settings.keys.file.read_bytes() == raw
    assert fiji.office.directory.listing("fj.justice").listing.serial == 1


def test_another_nodes_key_file_is_not_taken_for_ours(fiji: Node, tmp_path: Path) -> None:
    """Whoever exchanged the file under a node that runs does not get it listed."""
    file = fiji.settings.keys.file
    file.unlink()
    file.hardlink_to(tmp_path / NAMES[1] / "keys" / "node.key")
    with pytest.raises(KeyFileError, match="not the key file"):
        turn(fiji, "seal")


def test_a_key_that_was_made_and_not_listed_is_listed_by_publishing(fiji: Node) -> None:
    """The power failed between the key file and the listing."""

    def fail(_: object) -> None:
        raise OSError("no power")

    with pytest.raises(OSError, match="no power"):
        rotate(
            fiji.office, fiji.settings, "seal", passphrase=PASSPHRASE, random=fiji.random,
            now=fiji.clock.now(), write=fail,
        )  # fmt: skip
    fiji.close()
    again = opened(fiji.settings)
    office = again.office
    try:
        fresh = office.keys.ring.seal_keys(again.clock.now())[0].public.key_id
        assert office.directory.listing("fj.justice").listing.key(fresh) is None
        assert len(office.keys.seal) == 2
        again.writer.write_now(lambda tx: publish(tx, office, again.settings, office.keys.ring))
        assert office.directory.listing("fj.justice").listing.key(fresh) is not None
    finally:
        again.close()


def test_a_retired_seal_key_is_destroyed_by_a_later_rotation(fiji: Node) -> None:
    """Thirty-five days after it was replaced nothing opens what was sealed to it."""
    first = turn(fiji, "seal")
    assert fiji.office.seal_key(first.retired).public.key_id == first.retired
    later = turn(fiji, "seal", later_s=36 * 86_400)
    left = {entry.public().key_id for entry in fiji.office.keys.ring.entries}
    assert first.retired not in left
    assert {later.retired, later.key_id} <= left
    with pytest.raises(KeyUnknown):
        fiji.office.seal_key(first.retired)
