"""Making a node: its keys, certificate, database, empty log, guard and first listing.

    made = make_node(folder, network="pacific", authority="fj.justice", passphrase=…)

This is what `comity init` does, once. Every file is new: whatever is there already is left
alone and refused. The guard is made once the empty log is durable; beside this only a
recovery makes one, for the log after a closed one. A listing is made again whenever a key or
an address changes; it is this authority's own word, so nobody else needs to sign it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from keys.keyfile import write_key_file
from keys.ring import KeyRing, new_ring
from keys.wrapping import Costs
from node.app import open_node
from node.audit.guard import FileGuard
from node.audit.log import FIRST_LOG, Log
from node.audit.records import LogOpened
from node.clock import Clock, Random
from node.own_listing import own_listing
from node.settings import Settings, load_settings, render_default
from node.storage import audit_rows
from node.storage.engine import Database, open_database
from node.storage.migrate import migrate
from node.storage.writer import Tx
from node.transport.tls import make_certificate
from protocol.checkpoint import log_origin
from protocol.listing import Contact, sign_listing

SETTINGS_FILE: Final = "comity.toml"


class AlreadyThere(Exception):
    """There is a node in that folder, or a part of one; nothing was changed."""


@dataclass(frozen=True, slots=True)
class MadeNode:
    """A node that was just made, and the file with its listing to hand to the stewards."""

    settings: Settings
    settings_file: Path
    listing_file: Path
    ring: KeyRing


def make_node(  # noqa: PLR0913  (a new node has these parts)
    folder: Path,
    *,
    network: str,
    authority: str,
    passphrase: bytes,
    clock: Clock,
    random: Random,
    chosen: Mapping[str, object] | None = None,
    contacts: Sequence[Contact] = (),
    costs: Costs | None = None,
) -> MadeNode:
    """Make a node in `folder`, with the settings of `chosen` by dotted name.

    Raises `AlreadyThere` if the folder holds a node, and whatever says that a file cannot
    be written. `costs` is for tests.
    """
    settings_file = folder / SETTINGS_FILE
    if settings_file.exists():
        raise AlreadyThere(f"{folder} already holds a node: choose another folder, or remove it.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = render_default(network, authority, chosen)
    with settings_file.open("x", encoding="utf-8") as file:
        file.write(text)
    settings = load_settings(settings_file)
    ring = new_ring(network, authority, random=random, now=clock.now())
    settings.keys.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_key_file(
        settings.keys.file, ring, passphrase, strength="node", random=random, costs=costs
    )
    _write_certificate(settings, clock.now())
    _begin_log(settings, ring, clock, random)
    listing_file = folder / f"{authority}.listing"
    listing = own_listing(settings, ring, now=clock.now(), contacts=contacts)
    listing_file.write_bytes(sign_listing(listing, ring.signers("sign")).encode())
    return MadeNode(settings, settings_file, listing_file, ring)


def _write_certificate(settings: Settings, now: int) -> None:
    """Make the TLS certificate that the listing pins."""
    peers = settings.peers
    certificate, key = make_certificate([settings.authority, peers.listen_host], now=now)
    for path, content in ((peers.certificate, certificate), (peers.private_key, key)):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=False)
        path.write_bytes(content)


def _check_empty(database: Database) -> None:
    """Refuse a database that holds a node: two in one would mix their cases and queues."""
    for head in database.read(audit_rows.read_heads):
        raise AlreadyThere(
            f"The database already holds a node, with the log {head.origin}: give this one a "
            "database of its own."
        )


def _begin_log(settings: Settings, ring: KeyRing, clock: Clock, random: Random) -> None:
    """Store the empty log, then make the guard, then record that the log is open."""
    database = open_database(settings.database.url.get_secret_value())
    guard = FileGuard(settings.guard.file)
    origin = log_origin(settings.network, settings.authority, FIRST_LOG)
    log = Log(origin, ring.signers("log"), guard, random)
    try:
        migrate(database)
        _check_empty(database)
        guard.create(database.transact(lambda conn: log.create(conn, clock.now())))
    finally:
        database.close()
    node = open_node(settings, ring, clock=clock, random=random)

    def opened(tx: Tx) -> None:
        tx.record(LogOpened(settings.network, tx.now, origin))

    try:
        node.writer.write_now(opened)
    finally:
        node.close()
