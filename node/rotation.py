"""Rotating keys: a fresh `seal` or `hop` key, in the key file and in a new listing.

The order matters. The key file is replaced first, for a key that is listed and lost would
make mail that nobody can open; a key that is held and not yet listed harms nobody, and
`publish` lists it. Listing and record are one unit of work, and the office uses the new
ring once that is durable: a node that runs goes on with the fresh keys at once and still
opens what was sealed to the old one.

The file is opened with the passphrase before it is written again, so a mistyped one
changes nothing. It comes from whoever gives the command, through the node's own socket; a
node that can read its passphrase by itself (file, systemd) needs none from there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from keys.keyfile import KeyFileError, read_key_file, read_passphrase, write_key_file
from keys.ring import KeyRing
from node.audit.records import KeyRotated
from node.clock import Random
from node.office import Office
from node.own_listing import own_listing
from node.settings import CREDENTIAL, Settings
from node.storage.writer import Tx
from protocol.listing import sign_listing

Rotated: TypeAlias = Literal["seal", "hop"]

PURPOSES: Final[tuple[Rotated, ...]] = ("seal", "hop")

_turn = threading.Lock()  # two rotations at once would lose the key of one of them


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did: the key that is over or ending, and the one that follows."""

    purpose: Rotated
    retired: str
    until: int
    key_id: str


def rotate(
    office: Office,
    settings: Settings,
    purpose: Rotated,
    *,
    passphrase: bytes | None,
    random: Random,
    now: int,
    write: Callable[[Callable[[Tx], None]], None],
) -> Rotation:
    """Give this node a fresh key of a purpose, list it, and use it from now on."""
    known = passphrase or read_passphrase(file=settings.keys.passphrase_file, credential=CREDENTIAL)
    office.directory.listing(office.authority)  # before it is installed there is no next one
    with _turn:
        before = read_key_file(settings.keys.file, known)
        if before.storage_key != office.keys.ring.storage_key:
            raise KeyFileError(
                f"{settings.keys.file} is not the key file that this node was started with: "
                "put that one back, or start the node again."
            )
        made = before.rotate_seal if purpose == "seal" else before.rotate_hop
        after = made(random=random, now=now).drop_expired(now)
        write_key_file(
            settings.keys.file, after, known, strength="node", random=random, replace=True
        )
        rotation = _difference(before, after, purpose)
        write(lambda tx: _adopt(tx, office, settings, after, rotation))
    return rotation


def publish(tx: Tx, office: Office, settings: Settings, ring: KeyRing) -> None:
    """Install a new listing of our own: its peers fetch it from here."""
    held = office.trusted(tx).listing(office.authority)
    listing = own_listing(settings, ring, now=tx.now, after=(held.listing, held.digest))
    office.install_listing(tx, sign_listing(listing, ring.signers("sign")).encode())


def _adopt(tx: Tx, office: Office, settings: Settings, ring: KeyRing, rotation: Rotation) -> None:
    publish(tx, office, settings, ring)
    tx.record(
        KeyRotated(
            office.network, tx.now, rotation.purpose, rotation.retired, rotation.key_id, by=tx.by
        )
    )
    tx.after_commit(lambda: office.use_ring(ring, tx.now))


def _difference(before: KeyRing, after: KeyRing, purpose: Rotated) -> Rotation:
    """Say which key took the place of which."""
    old, new = (
        next(one for one in reversed(ring.entries) if one.purpose == purpose and not one.retired)
        for ring in (before, after)
    )
    retired = next(one.retired for one in after.entries if one.seed == old.seed)
    return Rotation(purpose, old.public().key_id, retired or 0, new.public().key_id)
