"""Stewards, authorities, network documents and listings, made for a test.

    trust = make_trust(("fj.justice", "qm.justice"), now=clock.now())
    keys = trust.directory.sign_keys("qm.justice", epoch=1, created=now, now=now)
    signed = sign(MESSAGE_TYPE, text, trust.sign_pair("qm.justice"))
    node_url = trust.with_listing("qm.justice", urls=("https://127.0.0.1:8443",), now=now)

Everything is really signed; keys come from seeds that repeat, so do documents' keys (the
signatures do not: ML-DSA draws). A `Trust` is a value: what changes gives a new one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from keys.directory import Directory
from keys.pairs import SignerPair
from keys.ring import KeyRing, StewardRing, new_ring, new_steward_ring
from protocol.closure import Closure, sign_closure
from protocol.document import Authority, Document, KeyTerm, LogTerm, Steward
from protocol.limits import WITNESSES_MAX
from protocol.listing import Contact, ListedKey, Listing, TrustedListing, sign_listing
from protocol.network import TrustedDocument, sign_document
from protocol.revocation import (
    Revocation,
    sign_revocation,
    sign_revocation_as_stewards,
)
from tests.support.clock import START

NETWORK = "pacific"
YEAR_S = 365 * 86_400
Value: TypeAlias = Any  # of whichever field is changed; `replace` takes them by name
SUITE = "hpke-647a-0001-0002"


def seeded(name: str) -> Callable[[int], bytes]:
    """Give chance that repeats: SHAKE-256 of a name, block by block."""
    drawn = 0

    def draw(size: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return hashlib.shake_256(f"{name}/{drawn}".encode()).digest(size)

    return draw


@dataclass(frozen=True, slots=True)
class Trust:
    """A small network: the private keys of everybody, and what they signed."""

    network: str
    stewards: tuple[StewardRing, ...]
    rings: Mapping[str, KeyRing]
    directory: Directory

    @property
    def document(self) -> TrustedDocument:
        """The newest network document."""
        return self.directory.document

    @property
    def documents(self) -> tuple[bytes, ...]:
        """All network documents, raw."""
        return self.directory.documents_raw()

    @property
    def listings(self) -> tuple[bytes, ...]:
        """All listings, raw."""
        return self.directory.listings_raw()

    @property
    def steward_pairs(self) -> tuple[SignerPair, ...]:
        """The pairs of all stewards."""
        return tuple(ring.signers() for ring in self.stewards)

    def listing(self, authority: str) -> TrustedListing:
        """The newest listing of an authority."""
        return self.directory.listing(authority)

    def sign_pair(self, authority: str) -> SignerPair:
        """The pair that speaks for an authority."""
        return self.rings[authority].signers("sign")

    def next_document(self, *, pairs: Sequence[SignerPair] = (), **changes: Value) -> bytes:
        """Give the next document, changed and signed by all stewards (or by `pairs`)."""
        old = self.document
        document = replace(
            old.document, **{"version": old.version + 1, "prev": old.digest, **changes}
        )
        return sign_document(document, pairs or self.steward_pairs).encode()

    def next_listing(self, authority: str, **changes: Value) -> bytes:
        """Give an authority's next listing, changed and signed by its pair."""
        held = self.listing(authority)
        follows = {"serial": held.listing.serial + 1, "prev": held.digest}
        listing = replace(held.listing, **{**follows, **changes})
        return sign_listing(listing, self.sign_pair(authority)).encode()

    def with_document(self, *, now: int, **changes: Value) -> Trust:
        """Give the network after its next document."""
        raw = self.next_document(**{"created": now, **changes})
        return replace(self, directory=self.directory.install_document(raw, now=now))

    def with_listing(self, authority: str, *, now: int, **changes: Value) -> Trust:
        """Give the network after the next listing of an authority."""
        raw = self.next_listing(authority, **{"created": now, **changes})
        return replace(self, directory=self.directory.install_listing(raw, now=now))

    def with_ring(self, ring: KeyRing) -> Trust:
        """Give the network with other private keys for one authority."""
        return replace(self, rings={**self.rings, ring.authority: ring})

    def revocation(self, authority: str, purpose: str, key_id: str, **changes: Value) -> bytes:
        """Give a revocation by the authority itself."""
        return sign_revocation(
            self._revocation(authority, purpose, key_id, changes), self.sign_pair(authority)
        ).encode()

    def revocation_by_stewards(
        self, authority: str, purpose: str, key_id: str, **changes: Value
    ) -> bytes:
        """Give a revocation by all stewards."""
        return sign_revocation_as_stewards(
            self._revocation(authority, purpose, key_id, changes), self.steward_pairs
        ).encode()

    def closure(self, authority: str, size: int, root: bytes, **changes: Value) -> bytes:
        """Give the statement that closes an authority's open log, for the one after it."""
        number = self.directory.open_log_number(authority)
        fields = {
            "number": number, "reason": "lost-state", "next_number": number + 1,
            "created": self.document.document.created, **changes,
        }  # fmt: skip
        closure = Closure(self.network, authority, size=size, root=root, **fields)
        return sign_closure(closure, self.sign_pair(authority)).encode()

    def with_closure(
        self, authority: str, size: int, root: bytes, *, now: int, **changes: Value
    ) -> Trust:
        """Give the network after an authority has closed its open log."""
        raw = self.closure(authority, size, root, **changes)
        return replace(self, directory=self.directory.install_closure(raw, now=now))

    def _revocation(
        self, authority: str, purpose: str, key_id: str, changes: Mapping[str, Value]
    ) -> Revocation:
        fields = {"at": self.document.document.created, "log_size": None, **changes}
        fields |= {"authority": authority, "purpose": purpose, "key_id": key_id}
        return Revocation(network=self.network, **fields)


def make_trust(
    authorities: Sequence[str] = ("fj.justice", "qm.justice", "to.justice"),
    *,
    stewards: int = 3,
    threshold: int = 2,
    now: int = START,
    network: str = NETWORK,
    urls: Mapping[str, tuple[str, ...]] | None = None,
    pins: Mapping[str, tuple[str, ...]] | None = None,
    seeds: str = "",
) -> Trust:
    """Make a network whose first document and listings are installed at `now`.

    Other `seeds` give the same names other keys: a network that a stranger makes up.
    """
    names = sorted(authorities)
    made = {name: new_ring(network, name, random=seeded(seeds + name), now=now) for name in names}
    offices = tuple(
        new_steward_ring(f"Steward {number}", random=seeded(f"{seeds}steward {number}"), now=now)
        for number in range(1, stewards + 1)
    )
    document = Document(
        network=network, version=1, prev=None, created=now, expires=now + YEAR_S,
        threshold=threshold, stewards=tuple(steward_of(ring) for ring in offices), f=0,
        authorities=tuple(
            entry_of(ring, witnesses=[one for one in names if one != name][:WITNESSES_MAX])
            for name, ring in made.items()
        ),
    )  # fmt: skip
    pairs = [ring.signers() for ring in offices]
    directory = Directory.empty(network).install_document(
        sign_document(document, pairs).encode(), now=now
    )
    for name, ring in made.items():
        listing = listing_of(ring, now=now)
        listing = replace(
            listing,
            urls=(urls or {}).get(name, listing.urls),
            pins=(pins or {}).get(name, listing.pins),
        )
        raw = sign_listing(listing, ring.signers("sign")).encode()
        directory = directory.install_listing(raw, now=now)
    return Trust(network, offices, made, directory)


def steward_of(ring: StewardRing) -> Steward:
    """Give a steward as documents list it."""
    return Steward(ring.name, ring.signers().public)


def entry_of(ring: KeyRing, *, witnesses: Sequence[str] = (), **changes: Value) -> Authority:
    """Give an authority's entry in a document, with the current keys of its ring."""
    entry = Authority(
        id=ring.authority, names={"en": f"Office of {ring.authority}"},
        state=ring.authority[:2].upper(), functions=("mla", "extradition"), min_suite=SUITE,
        status="active", witnesses=tuple(witnesses),
        sign=(KeyTerm(ring.signers("sign").key_ids, 0, None),),
        logs=(LogTerm(1, ring.signers("log").key_ids),),
        witness=(KeyTerm(ring.signers("witness").key_ids, 0, None),),
    )  # fmt: skip
    return replace(entry, **changes)


def listing_of(ring: KeyRing, *, now: int, **changes: Value) -> Listing:
    """Give an authority's first listing, with the current keys of its ring."""
    listing = Listing(
        network=ring.network, authority=ring.authority, serial=1, prev=None,
        created=now, expires=now + YEAR_S, keys=listed_keys(ring),
        urls=(f"https://{ring.authority}.example:8443",),
        pins=(hashlib.sha256(ring.authority.encode()).hexdigest(),),
        any_ca=False, pull=False,
        contacts=(Contact("Duty officer", f"duty@{ring.authority}.example", "+679 555 0100",
                          ("en",)),),
        languages=("en",), channels=("comity",), declarations={},
    )  # fmt: skip
    return replace(listing, **changes)


def listed_keys(
    ring: KeyRing, *, start: int = 0, until: int | None = None
) -> tuple[ListedKey, ...]:
    """Give the current keys of a ring as a listing shows them."""
    return tuple(ListedKey(key, start, until) for key in ring.public_keys())
