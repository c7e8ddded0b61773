"""Which keys count here: the trusted documents, listings, revocations and closures, with history.

A `Directory` is a value. Installing verifies and gives a new one, or raises and changes
nothing; whoever holds the old value goes on with it undisturbed. Nothing enters but
through `install_…`, so whatever a directory holds has been verified by it, also what came
back from a database. It keeps the raw bytes of everything, for peers prove it themselves.

Three questions are kept apart. *Whose signature is this?* is answered by the keys of the
message's time (`sign_keys`). *May it do this now?* is answered by the newest document
(`permit`, `require_current`) and by revocations. *May we seal to it?* (`seal_key`) stops
also where stewards contradict each other, and where an authority's sign keys were replaced
without the old ones until officers have compared the safety number.

No disk, no clock, no log: raw bytes and times come in as arguments.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from keys.lookups import Lookups
from keys.trusted import (
    Installed,
    check_closure,
    check_next_listing,
    new_rotations,
    not_compared,
    sign_pair_listed,
    unproven,
)
from protocol.closure import decode_closure, decode_closure_text, verify_closure
from protocol.document import Document, KeyIds, decode_document_text
from protocol.dsse import Unverified
from protocol.errors import (
    Busy,
    EpochAhead,
    EpochOld,
    Equivocation,
    Mismatch,
    NotAuthentic,
    NotForUs,
    NotYet,
    Rejected,
    RevokedKey,
    TooLarge,
)
from protocol.identity import check_authority_id
from protocol.limits import LOGS_MAX, MESSAGE_SKEW_S
from protocol.listing import decode_listing, decode_listing_text, verify_listing
from protocol.network import (
    TrustedDocument,
    decode_document,
    verify_first,
    verify_healing,
    verify_next,
)
from protocol.revocation import (
    Revocation,
    TrustedRevocation,
    decode_revocation,
    decode_revocation_text,
    verify_by_stewards,
    verify_own,
)

Row: TypeAlias = tuple[bytes, int]  # raw bytes, and when they were installed

# Who has sign keys can make statements without end, and every node keeps and hands on each.
OWN_REVOCATIONS_MAX: Final = 32  # of an authority's rotating keys, by itself
REVOCATIONS_OF_ONE_KEY_MAX: Final = 4
LISTINGS_A_DAY_MAX: Final = 32  # of one authority, by the time that it says it made them
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True, eq=False)
class Directory(Lookups):
    """All that is trusted about the authorities of one network, at one moment.

    directory = Directory.empty("qm-net").install_document(raw, now=now)
    directory = directory.install_listing(raw_listing, now=now)
    keys = directory.sign_keys("fj.justice", epoch=1, created=now, now=now)
    """

    # --- making ------------------------------------------------------------

    @classmethod
    def empty(cls, network: str) -> Directory:
        """Give a directory that trusts nothing yet."""
        return cls(check_authority_id(network))

    @classmethod
    def from_stored(
        cls,
        network: str,
        documents: Iterable[Row],
        listings: Iterable[Row],
        revocations: Iterable[Row],
        closures: Iterable[Row] = (),
        *,
        compared: Iterable[tuple[str, KeyIds]] = (),
        anchor: str | None = None,
    ) -> Directory:
        """Verify everything again, in the order in which it was installed.

        A row that does not verify is left out and named in `refused`: a database that was
        tampered with must neither be believed nor stop the node. Rows of one second are
        tried until none of them fits any more, since their order was not kept. `anchor` is
        the digest of the first document, kept outside the database: with it nobody can
        slip another first document in before all others.
        """
        kinds = (documents, listings, revocations, closures)
        rows = [(at, kind, raw) for kind, rows in enumerate(kinds) for raw, at in rows]
        rows.sort(key=lambda row: (row[0], row[1], _number(row[1], row[2])))
        directory = cls.empty(network)
        faults: list[Rejected] = []
        while rows:
            waiting, faults = [], []
            for at, kind, raw in rows:
                try:
                    directory = _install_row(directory, kind, raw, at, anchor=anchor)
                except Rejected as fault:
                    waiting.append((at, kind, raw))
                    faults.append(fault)
            if len(waiting) == len(rows):
                break
            rows = waiting
        for authority, pair in compared:
            directory = replace(directory, pending=not_compared(directory.pending, authority, pair))
        return replace(directory, refused=tuple(faults))

    # --- installing --------------------------------------------------------

    def install_document(self, raw: bytes, *, now: int) -> Directory:
        """Verify and install a network document: the first, the next, a rival or a healing.

        The first one is believed by its own list: officers compared its fingerprint.
        """
        statement = decode_document(raw)
        held = (*self.chain, *self.splits, *self.healed)
        if statement.identity in {one.trusted.digest for one in held}:
            return self
        document = decode_document_text(statement.text)
        if document.network != self.network:
            raise NotForUs("a document of another network")
        if not self.chain:
            return self._with_next(verify_first(statement), now)
        if isinstance(document.prev, tuple):
            return self._with_healing(statement, now)
        if document.version <= self.document.version:
            return self._with_rival(statement, document, now)
        if self.splits:
            raise Equivocation("the network is split: only a document that heals it is next")
        return self._with_next(verify_next(statement, self.document), now)

    def _with_next(self, trusted: TrustedDocument, now: int) -> Directory:
        index = self.index.with_stewards(trusted.document)
        changes = new_rotations(self.document.document, trusted) if self.chain else ()
        return replace(
            self,
            chain=(*self.chain, Installed(trusted, now)),
            index=index,
            pending=(*self.pending, *unproven(changes, index)),
        )

    def _with_rival(self, statement: Unverified, document: Document, now: int) -> Directory:
        """Keep a second valid document of a version: proof that stewards signed twice.

        Only for versions that may still judge messages: else stewards who left long ago
        could make trouble for ever.
        """
        before = self._installed(document.version - 1)
        ours = self._installed(document.version)
        if before is None or ours is None or self._settled(ours, now):
            raise EpochOld("a document of a version that is settled here")
        rival = verify_next(statement, before.trusted)
        return replace(self, splits=(*self.splits, Installed(rival, now)))

    def _with_healing(self, statement: Unverified, now: int) -> Directory:
        versions = {one.trusted.version for one in self.splits}
        ours = self._installed(min(versions, default=0))
        common = self._installed(min(versions, default=0) - 1)
        if ours is None or common is None:
            raise EpochAhead("the rivals that the document ends are not known here")
        trusted = verify_healing(
            statement,
            common=common.trusted,
            branches=[ours.trusted.digest, *(one.trusted.digest for one in self.splits)],
            newest=max(self.document.version, *versions),
        )
        following = self._with_next(trusted, now)
        return replace(following, splits=(), healed=(*self.healed, *self.splits))

    def install_listing(self, raw: bytes, *, now: int) -> Directory:
        """Verify and install an authority's listing: its first here, or the next."""
        statement = decode_listing(raw)
        authority = decode_listing_text(statement.text).authority
        held = self.listing_chains.get(authority, ())
        if statement.identity in {one.trusted.digest for one in held}:
            return self
        document = self.document.document
        trusted = verify_listing(statement, document)
        if self._any_revoked(authority, trusted.signed_by):
            raise RevokedKey("the listing is signed with a revoked key")
        if trusted.listing.created > now + MESSAGE_SKEW_S:
            raise NotYet("the listing was made in our future")
        afresh = self._starts_afresh(document, authority)
        recent = held[-LISTINGS_A_DAY_MAX:]
        # When they came here does not count: a new node takes those of years at once.
        since = recent[0].trusted.listing.created if len(recent) == LISTINGS_A_DAY_MAX else 0
        if not afresh and trusted.listing.created - since < _DAY_S:
            raise Busy("more listings in a day than an authority can need")
        check_next_listing(trusted, held, afresh=afresh)
        index = self.index.with_listing(trusted)
        chains = {**self.listing_chains, authority: (*held, Installed(trusted, now))}
        return replace(
            self, listing_chains=chains, index=index, pending=unproven(self.pending, index)
        )

    def _starts_afresh(self, document: Document, authority: str) -> bool:
        held = self.listing_chains.get(authority)
        entry = document.authority(authority)
        if not held or entry is None:
            return True
        signed_by = held[-1].trusted.signed_by
        return self._any_revoked(authority, signed_by) or not sign_pair_listed(entry, signed_by)

    def install_revocation(self, raw: bytes, *, now: int) -> Directory:
        """Verify and install a revocation by the authority itself or by the stewards."""
        statement = decode_revocation(raw)
        if statement.identity in {one.trusted.digest for one in self.revocations}:
            return self
        revocation = decode_revocation_text(statement.text)
        document = self.document.document
        entry = document.authority(revocation.authority)
        made = tuple(signature.key_id for signature in statement.signatures)
        own = [term for term in entry.sign if term.key_ids == made] if entry else []
        if own and entry:
            # A pair that is over may still revoke itself: `init` wrote that to be kept away.
            if not own[0].covers(now) and revocation.key_id not in own[0].key_ids:
                raise NotAuthentic("the revocation is signed by a sign pair that is over")
            trusted = self._verify_own(statement, revocation, own[0].key_ids)
            self._check_room(revocation, lasting=entry.key_ids())
        else:
            trusted = verify_by_stewards(statement, document)
        self._check_owner(revocation)
        return replace(self, revocations=(*self.revocations, Installed(trusted, now)))

    def _verify_own(
        self, statement: Unverified, revocation: Revocation, pair: KeyIds
    ) -> TrustedRevocation:
        if revocation.key_id not in pair and self._any_revoked(revocation.authority, pair):
            raise RevokedKey("the revocation is signed with a revoked key")
        return verify_own(statement, self.document.document, self._pair(pair))

    def _check_room(self, revocation: Revocation, *, lasting: frozenset[str]) -> None:
        """Refuse more by one authority than it can need; lasting keys always have room."""
        made = [
            one.trusted.revocation.key_id
            for one in self.revocations
            if one.trusted.revocation.authority == revocation.authority
        ]
        rotating = [key_id for key_id in made if key_id not in lasting]
        full = revocation.key_id not in lasting and len(rotating) >= OWN_REVOCATIONS_MAX
        if full or made.count(revocation.key_id) >= REVOCATIONS_OF_ONE_KEY_MAX:
            raise TooLarge("more revocations than an authority can need; the stewards may go on")

    def _check_owner(self, revocation: Revocation) -> None:
        """Refuse to let one authority revoke what is another's, or in another role."""
        known = self.index.by_id.get(revocation.key_id)
        if known is not None and (known.authority, known.key.purpose) != (
            revocation.authority, revocation.purpose,
        ):  # fmt: skip
            raise Mismatch("the revoked key is another authority's, or has another purpose")
        for entry in self.document.document.authorities:
            if revocation.key_id in entry.key_ids() and entry.id != revocation.authority:
                raise Mismatch("the revoked key is another authority's")

    def install_closure(self, raw: bytes, *, now: int) -> Directory:
        """Verify and install a statement that closes a log; from then on the next is open.

        The first one of a log counts. Another one for it is `Equivocation`: two ends of one
        log cannot both be true. What is not known yet (the log, its successor's keys, the
        sign keys) is `EpochAhead`: documents and listings come first.
        """
        statement = decode_closure(raw)
        closure = decode_closure_text(statement.text)
        if closure.network != self.network:
            raise NotForUs("a closure of another network")
        held = self.closure(closure.origin)
        if held is not None and held.digest == statement.identity:
            return self
        if held is not None:
            raise Equivocation("the log was closed with another statement")
        entry = self.entry(closure.authority)
        if closure.created > now + MESSAGE_SKEW_S:
            raise NotYet("the closure was made in our future")
        pair = entry.sign_at(closure.created)
        if self._any_revoked(closure.authority, pair):
            raise RevokedKey("the closure is signed with a revoked key")
        trusted = verify_closure(statement, self.document.document, self._pair(pair))
        terms = self._log_terms(closure.authority)
        if len(terms) >= LOGS_MAX and closure.next_number not in terms:
            raise TooLarge("more logs than an authority can need")
        check_closure(closure, terms)
        closures = {**self.closures, closure.origin: Installed(trusted, now)}
        return replace(self, closures=closures)

    def mark_compared(self, authority: str, pair: KeyIds) -> Directory:
        """Clear a reset: two officers have compared the safety number of this pair."""
        entry = self.entry(authority)
        if entry.sign[-1].key_ids != pair:
            raise Mismatch("the compared keys are not the authority's newest sign pair")
        return replace(self, pending=not_compared(self.pending, authority, pair))


def _install_row(
    directory: Directory, kind: int, raw: bytes, at: int, *, anchor: str | None
) -> Directory:
    match kind:
        case 0:
            first = not directory.chain and anchor is not None
            if first and decode_document(raw).identity != anchor:
                raise Mismatch("the row is not the first document that officers installed")
            return directory.install_document(raw, now=at)
        case 1:
            return directory.install_listing(raw, now=at)
        case 2:
            return directory.install_revocation(raw, now=at)
        case _:
            return directory.install_closure(raw, now=at)


def _number(kind: int, raw: bytes) -> int:
    """Give a row's version or serial, only to try rows in a likely order."""
    try:
        match kind:
            case 0:
                return decode_document_text(decode_document(raw).text).version
            case 1:
                return decode_listing_text(decode_listing(raw).text).serial
            case 2:
                return 0
            case _:
                return decode_closure_text(decode_closure(raw).text).number
    except Rejected:
        return 0
