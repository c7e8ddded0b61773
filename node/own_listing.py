"""Our own authority's listing: its keys, where it is reached, and whom to telephone (SPEC 11).

It is the authority's own word, so nobody else needs to sign it. It is made again whenever a
key, an address, the certificate or what the authority wants changes, and before it expires.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from keys.ring import KeyEntry, KeyRing
from node.settings import Settings
from node.transport.tls import pin_of
from protocol.listing import Contact, ListedKey, Listing

_LISTING_LIFETIME_S: Final = 365 * 86_400


def own_listing(
    settings: Settings,
    ring: KeyRing,
    *,
    now: int,
    contacts: Sequence[Contact] = (),
    after: tuple[Listing, str] | None = None,
) -> Listing:
    """Give this authority's listing; `after` is the one before it, with its digest.

    A key that was retired stays listed until the end of its time, so that what was sealed
    or signed with it lately is still understood.
    """
    previous, digest = after or (None, None)
    peers = settings.peers
    return Listing(
        network=settings.network,
        authority=settings.authority,
        serial=1 if previous is None else previous.serial + 1,
        prev=digest,
        created=now,
        expires=now + _LISTING_LIFETIME_S,
        keys=tuple(_listed(entry) for entry in ring.entries),
        urls=() if peers.pull else peers.urls,
        pins=() if peers.pull else (pin_of(peers.certificate.read_bytes()),),
        any_ca=False,
        pull=peers.pull,
        contacts=tuple(contacts) if previous is None else previous.contacts,
        languages=settings.office.languages,
        channels=("comity",),
        declarations=settings.office.declarations(),
    )


def _listed(entry: KeyEntry) -> ListedKey:
    """Give a key as the listing shows it; one replaced at once still lived for a second."""
    until = None if entry.retired is None else max(entry.retired, entry.created + 1)
    return ListedKey(entry.public(), entry.created, until)
