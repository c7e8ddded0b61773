"""The parts of a directory: what was installed when, and whose key is whose.

Small values and the rules that need no directory around them. Knows no disk and no clock;
times are given by whoever installs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from protocol.closure import Closure
from protocol.document import Authority, Document, KeyIds
from protocol.errors import EpochAhead, Equivocation, Mismatch, NotAuthentic, OutOfOrder
from protocol.identity import PublicKey
from protocol.listing import TrustedListing
from protocol.network import Rotation, TrustedDocument, rotations, verify_rotation

Trusted_co = TypeVar("Trusted_co", covariant=True)

_STEWARDS: Final = ""  # owns the stewards' keys; no authority has an empty id


@dataclass(frozen=True, slots=True)
class Installed(Generic[Trusted_co]):
    """Something trusted, and when it was installed here."""

    trusted: Trusted_co
    installed_at: int


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A public key that a trusted listing has shown, with its owner."""

    authority: str
    key: PublicKey


@dataclass(frozen=True, slots=True)
class HopKey:
    """A key that signs HTTP messages of an authority, found by its id."""

    authority: str
    key: PublicKey


@dataclass(frozen=True, slots=True)
class PendingRotation:
    """A change of sign keys of which it is not (yet) proven that the old pair agreed."""

    rotation: Rotation
    document: TrustedDocument

    @property
    def authority(self) -> str:
        """The authority whose keys changed."""
        return self.rotation.authority


@dataclass(frozen=True, slots=True)
class KeyIndex:
    """Every public key that was ever shown: by id, and by its raw bytes.

    Keeps keys that have rotated away, so that an old message is judged by the keys of its
    time. A raw key has one owner, one purpose and one id for ever (SPEC 2.4).
    """

    by_id: Mapping[str, KnownKey]
    owners: Mapping[bytes, tuple[str, str]]

    def with_stewards(self, document: Document) -> KeyIndex:
        """Remember the stewards' keys, so that no listing can show one of them."""
        shown = {key.raw: (_STEWARDS, key.key_id) for one in document.stewards for key in one.keys}
        return KeyIndex(self.by_id, {**shown, **self.owners})

    def with_listing(self, trusted: TrustedListing) -> KeyIndex:
        """Remember a listing's keys; refuses one that somebody has in any role already."""
        authority = trusted.listing.authority
        shown = [one.key for one in trusted.listing.keys]
        for key in shown:
            if self.owners.get(key.raw, (authority, key.key_id)) != (authority, key.key_id):
                raise Mismatch("the listing shows a key that is known in another role")
        return KeyIndex(
            {**self.by_id, **{key.key_id: KnownKey(authority, key) for key in shown}},
            {**self.owners, **{key.raw: (authority, key.key_id) for key in shown}},
        )

    def pair(self, key_ids: KeyIds) -> tuple[PublicKey, PublicKey] | None:
        """Give both keys of a pair, or None if no listing has shown them yet."""
        first, second = (self.by_id.get(key_id) for key_id in key_ids)
        return None if first is None or second is None else (first.key, second.key)


def check_next_listing(
    trusted: TrustedListing, held: Sequence[Installed[TrustedListing]], *, afresh: bool
) -> None:
    """Refuse a listing that does not follow the chain of those held of its authority.

    `afresh` says that the sign keys behind the newest one count no more: then only the
    serial must grow, else whoever had stolen them could end the chain for ever.
    """
    if not held:
        return
    listing, last = trusted.listing, held[-1].trusted
    if any(one.trusted.listing.serial == listing.serial for one in held):
        raise Equivocation(f"{listing.authority} signed two listings with one serial")
    if listing.serial < last.listing.serial:
        raise OutOfOrder("the listing is older than the one held")
    if afresh:
        return
    if listing.prev != last.digest:
        raise OutOfOrder("the listing's predecessor is not the one held; walk the chain")
    if listing.created < last.listing.created:
        raise Mismatch("the listing was made before its predecessor")


def differing(first: Document, second: Document) -> frozenset[str]:
    """Give the authorities that two documents of one version do not list alike."""
    ids = {one.id for one in (*first.authorities, *second.authorities)}
    return frozenset(one for one in ids if first.authority(one) != second.authority(one))


def new_rotations(before: Document, after: TrustedDocument) -> tuple[PendingRotation, ...]:
    """Give the changes of sign keys that a document makes, none of them proven."""
    return tuple(PendingRotation(one, after) for one in rotations(before, after.document))


def unproven(pending: Iterable[PendingRotation], index: KeyIndex) -> tuple[PendingRotation, ...]:
    """Give those changes of which the known keys do not prove that the old pair agreed."""
    left = []
    for one in pending:
        pair = index.pair(one.rotation.old)
        try:
            verify_rotation(one.rotation, one.document.statement, pair or ())
        except NotAuthentic:
            left.append(one)
    return tuple(left)


def not_compared(
    pending: Sequence[PendingRotation], authority: str, pair: KeyIds
) -> tuple[PendingRotation, ...]:
    """Give the changes that are left when officers have compared a pair of an authority.

    Comparing a pair vouches for every change up to the one that brought it.
    """
    brought = [
        place for place, one in enumerate(pending)
        if one.authority == authority and one.rotation.new == pair
    ]  # fmt: skip
    last = max(brought, default=-1)
    return tuple(
        one for place, one in enumerate(pending) if one.authority != authority or place > last
    )


def sign_pair_listed(entry: Authority, pair: KeyIds) -> bool:
    """Say whether the stewards list a sign pair for an authority, in any term."""
    return any(term.key_ids == pair for term in entry.sign)


def check_closure(closure: Closure, terms: Mapping[int, KeyIds]) -> None:
    """Refuse a closure that does not fit the logs that its authority is known to have."""
    if closure.number not in terms:
        raise EpochAhead("the log that is closed is not known here yet")
    if closure.reason == "new-keys" and closure.next_number not in terms:
        raise EpochAhead("no document here lists the next log and its keys yet")
    later = [number for number in terms if number > closure.number]
    if later and closure.next_number != min(later):
        raise Mismatch("another log follows the closed one than the closure says")
