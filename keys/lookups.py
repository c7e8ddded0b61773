"""The questions a directory answers; it is filled by `keys/directory.py`.

Every lookup gives what was asked for or raises a `Rejected` with the code that a peer or an
outbox can act on. Nothing here verifies or changes anything; times come in as arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from keys.trusted import (
    HopKey,
    Installed,
    KeyIndex,
    PendingRotation,
    differing,
    sign_pair_listed,
)
from protocol.checkpoint import LOG_ORIGIN, LogKeys, log_origin, witness_name
from protocol.closure import TrustedClosure, log_terms
from protocol.digest import sha256_hex
from protocol.document import Authority, KeyIds
from protocol.encoding import Json, canonical
from protocol.errors import (
    DocumentExpired,
    EpochAhead,
    EpochOld,
    KeyUnknown,
    NotAuthentic,
    NotForUs,
    NotPermitted,
    Rejected,
    RevokedKey,
)
from protocol.identity import PublicKey
from protocol.limits import EPOCH_GRACE_S, HOP_SKEW_S
from protocol.listing import TrustedListing
from protocol.network import TrustedDocument
from protocol.revocation import TrustedRevocation

_NO_KEYS: Final = KeyIndex({}, {})


def log_parts(origin: str) -> tuple[str, str, int]:
    """Take the name of a log apart: network, authority and number."""
    if LOG_ORIGIN.fullmatch(origin) is None:
        raise NotAuthentic("not the name of a log")
    network, authority, number = origin.split("/")
    return network, authority, int(number)


@dataclass(frozen=True, slots=True, eq=False)
class Lookups:
    """What is trusted about the authorities of one network, at one moment."""

    network: str
    chain: tuple[Installed[TrustedDocument], ...] = ()
    splits: tuple[Installed[TrustedDocument], ...] = ()  # rivals of one in the chain
    healed: tuple[Installed[TrustedDocument], ...] = ()  # rivals of a split that is over
    listing_chains: Mapping[str, tuple[Installed[TrustedListing], ...]] = field(
        default_factory=dict
    )
    revocations: tuple[Installed[TrustedRevocation], ...] = ()
    closures: Mapping[str, Installed[TrustedClosure]] = field(default_factory=dict)  # by origin
    refused: tuple[Rejected, ...] = ()  # why stored rows did not come back
    index: KeyIndex = _NO_KEYS
    pending: tuple[PendingRotation, ...] = ()

    # --- documents ---------------------------------------------------------

    @property
    def document(self) -> TrustedDocument:
        """The newest trusted document."""
        if not self.chain:
            raise EpochAhead("no network document is installed here")
        return self.chain[-1].trusted

    def require_current(self, now: int) -> TrustedDocument:
        """Give the newest document if new messages may be sent and accepted under it."""
        if self.document.document.expires <= now:
            raise DocumentExpired("the newest network document has expired")
        return self.document

    def judge(self, epoch: int, now: int) -> TrustedDocument:
        """Give the document whose sign keys judge a message of this epoch (SPEC 4.4)."""
        if epoch > self.document.version:
            raise EpochAhead(f"epoch {epoch} is ahead of the document here")
        found = self._installed(epoch)
        if found is None or self._settled(found, now):
            raise EpochOld(f"epoch {epoch} judges no messages any more")
        return found.trusted

    def document_of(self, version: int) -> TrustedDocument | None:
        """Give the document of a version, however old, or None."""
        found = self._installed(version)
        return None if found is None else found.trusted

    def _installed(self, version: int) -> Installed[TrustedDocument] | None:
        return next((one for one in reversed(self.chain) if one.trusted.version == version), None)

    def _settled(self, one: Installed[TrustedDocument], now: int) -> bool:
        """Say whether a document was superseded here more than the grace ago."""
        after = [later for later in self.chain if later.trusted.version > one.trusted.version]
        return bool(after) and now - after[0].installed_at > EPOCH_GRACE_S

    # --- what an authority may do ------------------------------------------

    def permit(self, authority: str) -> Authority:
        """Give the authority's entry if the newest document lists it as active."""
        entry = self.entry(authority)
        if entry.status != "active":
            raise NotPermitted(f"{authority} is {entry.status} in the newest document")
        return entry

    def entry(self, authority: str) -> Authority:
        """Give the authority's entry in the newest document, whatever its status."""
        entry = self.document.document.authority(authority)
        if entry is None:
            raise NotPermitted(f"{authority} is not in the newest document")
        return entry

    def peers(self, own: str) -> tuple[str, ...]:
        """Give the ids of all other active authorities, sorted; none without a document."""
        listed = self.document.document.authorities if self.chain else ()
        return tuple(one.id for one in listed if one.status == "active" and one.id != own)

    # --- keys --------------------------------------------------------------

    def sign_keys(
        self, authority: str, *, epoch: int, created: int, now: int
    ) -> tuple[PublicKey, PublicKey]:
        """Give the pair that must have signed a message made at `created` under `epoch`."""
        entry = self.judge(epoch, now).document.authority(authority)
        if entry is None:
            raise NotPermitted(f"{authority} is not in the document of epoch {epoch}")
        key_ids = entry.sign_at(created)
        if self._any_revoked(authority, key_ids):
            raise RevokedKey(f"a sign key of {authority} is revoked")
        return self._pair(key_ids)

    def seal_key(self, authority: str, now: int) -> PublicKey:
        """Give the newest key to seal to, unless something speaks against sealing at all."""
        entry = self.permit(authority)
        if authority in self.split_authorities:
            raise NotPermitted(f"the network document is split about {authority}")
        if self.needs_comparison(authority):
            raise NotPermitted(f"{authority} has new sign keys: compare the safety number")
        trusted = self.listing(authority)
        if trusted.listing.expires <= now:
            raise KeyUnknown(f"the listing of {authority} has expired")
        if not sign_pair_listed(entry, trusted.signed_by):
            raise KeyUnknown(f"the listing of {authority} is signed by keys listed no more")
        current = entry.sign[-1].key_ids
        if self._any_revoked(authority, (*trusted.signed_by, *current)):
            raise RevokedKey(f"the sign keys of {authority} are revoked")
        for key in trusted.listing.seal_keys_at(now):
            if not self.is_revoked(key.key_id):
                return key
        raise KeyUnknown(f"{authority} lists no key to seal to")

    def hop_key(self, key_id: str, now: int) -> HopKey:
        """Give the key of an HTTP signature if its owner's newest listing has it in use.

        Whether the listing itself has expired is not asked: its owner must still be able
        to come and fetch or bring what makes things right again.
        """
        found = self.hop_key_ever(key_id)
        listed = self.listing(found.authority).listing.key(key_id)
        if listed is None or not listed.covers(now, skew_s=HOP_SKEW_S):
            raise NotAuthentic("the hop key is not in use")
        return found

    def hop_key_ever(self, key_id: str) -> HopKey:
        """Give a hop key that was ever listed: enough to be handed documents and listings."""
        known = self.index.by_id.get(key_id)
        if known is None or known.key.purpose != "hop":
            raise NotAuthentic("no listing here shows the hop key")
        if self.is_revoked(key_id):
            raise RevokedKey("the hop key is revoked")
        return HopKey(known.authority, known.key)

    def witness_keys(self, authority: str, at: int | None = None) -> tuple[str, LogKeys]:
        """Give a witness's name and keys: its newest, or those of a time."""
        entry = self.entry(authority)
        key_ids = entry.witness[-1].key_ids if at is None else entry.witness_at(at)
        if self._any_revoked(authority, key_ids):
            raise RevokedKey(f"a witness key of {authority} is revoked")
        first, second = self._pair(key_ids)
        return witness_name(self.network, authority), LogKeys(first, second)

    def _pair(self, key_ids: KeyIds) -> tuple[PublicKey, PublicKey]:
        pair = self.index.pair(key_ids)
        if pair is None:
            raise EpochAhead("no listing here shows those keys yet; fetch the newest")
        return pair

    # --- logs --------------------------------------------------------------

    def log_keys(
        self, authority: str, number: int | None = None, *, even_revoked: bool = False
    ) -> tuple[str, LogKeys]:
        """Give origin and keys of an authority's log: the open one, or one by its number.

        A closed log is given like any other: what it signed before stays provable.
        `even_revoked` is for auditors, who weigh what lies below a revocation's `log_size`.
        """
        terms = self._log_terms(authority)
        wanted = max(terms) if number is None else number
        if wanted not in terms:
            raise NotAuthentic(f"{authority} has no log of that number")
        key_ids = terms[wanted]
        if not even_revoked and self._any_revoked(authority, key_ids):
            raise RevokedKey(f"a log key of {authority} is revoked")
        first, second = self._pair(key_ids)
        return log_origin(self.network, authority, wanted), LogKeys(first, second)

    def keys_of_log(self, origin: str, *, even_revoked: bool = False) -> LogKeys:
        """Give the keys of a log by its origin; `NotForUs` if it is none of this network."""
        network, authority, number = log_parts(origin)
        if network != self.network:
            raise NotForUs("a log of another network")
        return self.log_keys(authority, number, even_revoked=even_revoked)[1]

    def open_log_number(self, authority: str) -> int:
        """Give the number of the log that an authority writes to now."""
        return max(self._log_terms(authority))

    def closure(self, origin: str) -> TrustedClosure | None:
        """Give the statement that closed a log, or None while it is open."""
        found = self.closures.get(origin)
        return None if found is None else found.trusted

    def closures_raw(self) -> tuple[bytes, ...]:
        """Give all closures, in the order in which they were installed."""
        return tuple(one.trusted.raw for one in self.closures.values())

    def _log_terms(self, authority: str) -> dict[int, KeyIds]:
        closed = [one.trusted.closure for one in self.closures.values()]
        return log_terms(self.entry(authority), closed)

    # --- revocations, resets, splits ---------------------------------------

    def is_revoked(self, key_id: str) -> bool:
        """Say whether the key's owner or the stewards have revoked it here."""
        known = self.index.by_id.get(key_id)
        return any(
            one.trusted.revocation.key_id == key_id
            and (known is None or known.authority == one.trusted.revocation.authority)
            for one in self.revocations
        )

    def _any_revoked(self, authority: str, key_ids: Iterable[str]) -> bool:
        wanted = {(authority, key_id) for key_id in key_ids}
        return any(
            (one.trusted.revocation.authority, one.trusted.revocation.key_id) in wanted
            for one in self.revocations
        )

    def needs_comparison(self, authority: str) -> bool:
        """Say whether officers must compare the safety number before anything is sealed."""
        return authority in self.resets

    @property
    def resets(self) -> frozenset[str]:
        """Authorities whose sign keys changed without a proof that the old pair agreed."""
        return frozenset(one.authority for one in self.pending)

    @property
    def split_authorities(self) -> frozenset[str]:
        """Authorities that rival documents of one version do not list alike."""
        return frozenset().union(*(
            differing(ours.trusted.document, rival.trusted.document)
            for rival in self.splits for ours in self.chain
            if ours.trusted.version == rival.trusted.version
        ))  # fmt: skip

    # --- listings, and everything to hand on -------------------------------

    def listing(self, authority: str) -> TrustedListing:
        """Give the newest listing of an authority."""
        chain = self.listing_chains.get(authority)
        if not chain:
            raise KeyUnknown(f"no listing of {authority} is here")
        return chain[-1].trusted

    def shown_key_ids(self, authority: str) -> frozenset[str]:
        """Give every key id that document and newest listing show under an authority's name.

        A node compares them with its own key file: one that it does not hold is an alarm.
        """
        listed = self.listing_chains.get(authority, ())[-1:]
        shown = {key.key.key_id for one in listed for key in one.trusted.listing.keys}
        return self.entry(authority).key_ids() | shown

    def documents_raw(self, version: int | None = None) -> tuple[bytes, ...]:
        """Give all documents, or those of one version, oldest first; rivals too."""
        every = (*self.chain, *self.splits, *self.healed)
        wanted = [one.trusted for one in every if version in {None, one.trusted.version}]
        return tuple(one.raw for one in sorted(wanted, key=lambda one: one.version))

    def listings_raw(
        self, authority: str | None = None, *, newest: int | None = None
    ) -> tuple[bytes, ...]:
        """Give all listings, or those of one authority, or the newest few of each.

        Each chain stands oldest first, so that whoever installs them in order can.
        """
        wanted = sorted(self.listing_chains) if authority is None else [authority]
        chains = [self.listing_chains.get(one, ()) for one in wanted]
        start = None if newest is None else -newest
        return tuple(one.trusted.raw for chain in chains for one in chain[start:])

    @property
    def state(self) -> str:
        """SHA-256 of what two nodes must have in common to have nothing to tell (SPEC 8.6)."""
        documents = [one.trusted.digest for one in (*self.chain[-1:], *self.splits)]
        listings = [chain[-1].trusted.digest for chain in self.listing_chains.values() if chain]
        revocations = [one.trusted.digest for one in self.revocations]
        closures = [one.trusted.digest for one in self.closures.values()]
        known: list[Json] = [
            sorted(documents), sorted(listings), sorted(revocations), sorted(closures),
        ]  # fmt: skip
        return sha256_hex(canonical(known))

    def revocations_raw(self) -> tuple[bytes, ...]:
        """Give all revocations, in the order in which they were installed."""
        return tuple(one.trusted.raw for one in self.revocations)
