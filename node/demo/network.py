"""The demo's stewards and their one document: an introduction of everybody to everybody.

Two of three stewards sign. Their keys live in memory for as long as it takes to sign: a
steward's key file is sealed at a cost of seconds on purpose, and nobody would come back to
these. Authorities are described by their own listings, as in earnest. Knows no node.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from keys.ring import new_steward_ring
from node.clock import Random
from protocol.document import Authority, Document, KeyIds, KeyTerm, LogTerm, Steward
from protocol.dsse import Unverified
from protocol.identity import Purpose
from protocol.listing import Listing, decode_listing, decode_listing_text
from protocol.network import sign_document

THRESHOLD: Final = 2
STEWARDS: Final = ("Chief Justice's registry", "Ministry of Justice", "Regional secretariat")
_SUITE: Final = "hpke-647a-0001-0002"
_LIFETIME_S: Final = 30 * 86_400


def introduce(network: str, listings: Sequence[bytes], *, random: Random, now: int) -> Unverified:
    """Give the first network document of the authorities whose signed listings are given."""
    found = [decode_listing_text(decode_listing(raw).text) for raw in listings]
    names = sorted(one.authority for one in found)
    rings = [new_steward_ring(name, random=random, now=now) for name in STEWARDS]
    document = Document(
        network=network,
        version=1,
        prev=None,
        created=now,
        expires=now + _LIFETIME_S,
        threshold=THRESHOLD,
        stewards=tuple(Steward(ring.name, ring.signers().public) for ring in rings),
        f=0,
        authorities=tuple(
            _entry(one, [name for name in names if name != one.authority])
            for one in sorted(found, key=lambda one: one.authority)
        ),
    )
    return sign_document(document, [ring.signers() for ring in rings[:THRESHOLD]])


def _entry(listing: Listing, witnesses: Sequence[str]) -> Authority:
    """Describe an authority by the lasting keys that its listing shows."""
    state, _, office = listing.authority.partition(".")
    return Authority(
        id=listing.authority,
        names={"en": f"{office.capitalize()} of {state.upper()}"},
        state=state.upper(),
        functions=("mla",),
        min_suite=_SUITE,
        status="active",
        witnesses=tuple(witnesses),
        sign=(KeyTerm(_pair(listing, "sign"), listing.created, None),),
        logs=(LogTerm(1, _pair(listing, "log")),),
        witness=(KeyTerm(_pair(listing, "witness"), listing.created, None),),
    )


def _pair(listing: Listing, purpose: Purpose) -> KeyIds:
    """Give the ids of a pair of keys, Ed25519 first as everywhere."""
    keys = [one.key for one in listing.keys if one.key.purpose == purpose]
    first, second = sorted(keys, key=lambda key: key.algorithm)
    return first.key_id, second.key_id
