"""What a bundle needs of the network, so that its reader needs nothing: documents and keys.

    parts = grounds(directory, {"fj.justice", "qm.justice"})

All documents, oldest first, so that a reader who trusts any one of them gets to the rest;
of listings the few that show the keys; revocations and closures of those concerned.
Chooses among what is trusted here, and judges nothing anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from keys.directory import Directory
from protocol.document import Document
from protocol.errors import Rejected
from protocol.listing import TrustedListing, decode_listing, verify_listing


def concerned(directory: Directory, authorities: Iterable[str]) -> list[str]:
    """Give these authorities, and the witnesses of their logs."""
    named = set(authorities)
    for authority in list(named):
        named.update(directory.entry(authority).witnesses)
    return sorted(named)


def grounds(directory: Directory, authorities: Iterable[str]) -> dict[str, list[bytes]]:
    """Give documents, listings, revocations and closures, by the folders of a bundle."""
    every = concerned(directory, authorities)
    documents = [one.trusted for one in directory.chain]
    texts = [one.document for one in documents]
    return {
        "documents": [one.raw for one in documents],
        "listings": [raw for one in every for raw in _listings(directory, one, texts)],
        "revocations": [
            one.trusted.raw
            for one in directory.revocations
            if one.trusted.revocation.authority in every
        ],
        "closures": [
            one.trusted.raw
            for one in directory.closures.values()
            if one.trusted.closure.authority in every
        ],
    }


def _listings(
    directory: Directory, authority: str, documents: Sequence[Document]
) -> Iterator[bytes]:
    """Give the newest listings that show all lasting keys that any document lists."""
    entries = [entry for one in documents if (entry := one.authority(authority)) is not None]
    wanted = {key_id for entry in entries for key_id in entry.key_ids()}
    for installed in reversed(directory.listing_chains.get(authority, ())):
        trusted = installed.trusted
        shown = wanted.intersection(one.key.key_id for one in trusted.listing.keys)
        if shown and any(_verifies(trusted, one) for one in documents):
            wanted -= shown
            yield trusted.raw


def _verifies(listing: TrustedListing, document: Document) -> bool:
    """Say whether a listing holds under a document in which its authority counts as active."""
    entry = document.authority(listing.listing.authority)
    if entry is None:
        return False
    try:
        verify_listing(
            decode_listing(listing.raw), document.with_authority(replace(entry, status="active"))
        )
    except Rejected:
        return False
    return True
