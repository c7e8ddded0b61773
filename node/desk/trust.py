"""The verbs of trust: the network's documents and listings, and this node's own keys.

Parses arguments and renders results; what is believed, the directory decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Final

from pydantic import Field

from keys.fingerprint import document_fingerprint, fingerprint
from node.access.roles import EVERYBODY, RUNNING
from node.desk.arguments import Arguments, Base64, Nothing
from node.desk.verb import Desk, Result, Verb
from node.rotation import Rotated, publish, rotate
from node.storage.writer import Tx
from protocol.encoding import to_base64

Many = Annotated[list[Base64], Field(max_length=1_024)]


class Install(Arguments):
    """Signed statements of trust, each as its file has it."""

    documents: Many = Field(default_factory=list)
    listings: Many = Field(default_factory=list)
    revocations: Many = Field(default_factory=list)


class RotateKey(Arguments):
    """Make a new key of one purpose; the passphrase if the node does not hold it."""

    purpose: Rotated
    passphrase: Base64 | None = None


def _network_install(desk: Desk, args: Install) -> Result:
    """Install documents, listings and revocations, in that order; says what was new."""
    office = desk.office
    kinds = (
        (args.documents, office.install_document),
        (args.listings, office.install_listing),
        (args.revocations, office.install_revocation),
    )
    given = [(install, raw) for raws, install in kinds for raw in raws]
    new = [desk.unit(partial(_install, install, raw)) for install, raw in given]
    trusted = office.directory.document
    return {
        "schema": "comity.installed/1",
        "network": office.network,
        "version": trusted.version,
        "fingerprint": str(document_fingerprint(trusted.digest)),
        "sha256": trusted.digest,
        "new": new,
    }


def _install(install: Callable[[Tx, bytes], bool], raw: bytes, tx: Tx) -> bool:
    return install(tx, raw)


def _network_show(desk: Desk, _: Nothing) -> Result:
    directory = desk.office.directory
    if not directory.chain:  # a node that was just made
        return {"schema": "comity.network/1", "network": desk.office.network, "version": 0}
    trusted = directory.document
    return {
        "schema": "comity.network/1",
        "network": desk.office.network,
        "version": trusted.version,
        "expires": trusted.document.expires,
        "fingerprint": str(document_fingerprint(trusted.digest)),
        "sha256": trusted.digest,
        "authorities": [
            {"id": one.id, "status": one.status, "listed": one.id in directory.listing_chains}
            for one in trusted.document.authorities
        ],
    }


def _keys_show(desk: Desk, _: Nothing) -> Result:
    """The keys of this node, without anything secret."""
    ring, directory = desk.office.keys.ring, desk.office.directory
    listed: frozenset[str] = frozenset()
    if directory.chain and desk.office.authority in directory.listing_chains:
        listing = directory.listing(desk.office.authority).listing
        listed = frozenset(one.key.key_id for one in listing.keys)
    sign = fingerprint(ring.signers("sign").key_ids)
    public = [(entry, entry.public().key_id) for entry in ring.entries]
    return {
        "schema": "comity.keys/1",
        "authority": ring.authority,
        "fingerprint": sign.digits,
        "sha256": sign.hex,
        "keys": [
            {"purpose": entry.purpose, "algorithm": entry.algorithm, "key_id": key_id,
             "created": entry.created, "until": entry.retired, "listed": key_id in listed}
            for entry, key_id in public
        ],
    }  # fmt: skip


def _keys_rotate(desk: Desk, args: RotateKey) -> Result:
    done = rotate(
        desk.office, desk.settings, args.purpose, passphrase=args.passphrase,
        random=desk.random, now=desk.clock.now(), write=desk.unit,
    )  # fmt: skip
    return {
        "schema": "comity.rotation/1", "purpose": done.purpose, "retired": done.retired,
        "until": done.until, "key_id": done.key_id,
    }  # fmt: skip


def _keys_publish(desk: Desk, _: Nothing) -> Result:
    office = desk.office
    desk.unit(lambda tx: publish(tx, office, desk.settings, office.keys.ring))
    listing = office.directory.listing(office.authority)
    return {
        "schema": "comity.published/1", "authority": office.authority,
        "serial": listing.listing.serial, "expires": listing.listing.expires,
        "listing": to_base64(listing.raw),
    }  # fmt: skip


TRUST: Final[Mapping[str, Verb]] = {
    "network.install": Verb(_network_install, Install, RUNNING, writes=True, needs_keys=True),
    "network.show": Verb(_network_show, may=EVERYBODY),
    "keys.show": Verb(_keys_show, may=EVERYBODY, needs_keys=True),
    "keys.rotate": Verb(
        _keys_rotate, RotateKey, RUNNING, writes=True, needs_keys=True, two=frozenset({"purpose"})
    ),
    "keys.publish": Verb(_keys_publish, may=RUNNING, writes=True, needs_keys=True, two=frozenset()),
}
