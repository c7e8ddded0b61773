"""What a bundle's own documents make of its keys: the ground that the rest stands on (SPEC 15.4).

    doubts = Doubts()
    ground = lay_ground(parts, doubts)
    keys = ground.log_keys("pacific/qm.justice/1")

Documents are a chain that stewards signed, listings are by the documents, closures and
revocations by those who may make them. What does not hold is raised; what the file lacks
is a doubt, and judging goes on, because what follows may be false. Whether the documents
are the network's true ones is for a person to say. This module knows no message, no
receipt and no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from protocol.bundle_parts import ClosurePart, DocumentPart, ListingPart, Parts, RevocationPart
from protocol.checkpoint import Checkpoint, LogKeys, number_of, owner_of
from protocol.closure import Closure, log_terms, verify_closure
from protocol.document import Authority, Document, KeyIds
from protocol.errors import KeyUnknown, NotAuthentic, NotPermitted, Rejected
from protocol.identity import PublicKey
from protocol.listing import verify_listing
from protocol.network import TrustedDocument, verify_first, verify_healing, verify_next
from protocol.revocation import Revocation, verify_by_stewards, verify_own


class Doubts:
    """What cannot be decided from the file, in the order in which it was found."""

    __slots__ = ("reasons",)

    def __init__(self) -> None:
        """Begin with none."""
        self.reasons: list[str] = []

    def add(self, reason: str) -> None:
        """Keep a reason, once."""
        if reason not in self.reasons:
            self.reasons.append(reason)

    def __enter__(self) -> None:
        """Begin a block of which a missing key, or another missing thing, ends only the block."""

    def __exit__(self, kind: object, fault: BaseException | None, trace: object) -> bool:
        """Turn a `KeyUnknown` inside the block into a doubt; anything else goes on up."""
        if isinstance(fault, KeyUnknown):
            self.add(fault.detail)
            return True
        return False


@dataclass(frozen=True, slots=True)
class Ground:
    """Keys, logs and revocations as the documents in a bundle have them."""

    network: str
    documents: tuple[TrustedDocument, ...]
    keys: Mapping[str, PublicKey] = field(default_factory=dict)
    closures: Mapping[str, Closure] = field(default_factory=dict)
    revocations: tuple[Revocation, ...] = ()

    @property
    def newest(self) -> Document:
        """The document that everything but old signatures is judged by."""
        return self.documents[-1].document

    def entry(self, authority: str) -> Authority:
        """Give the newest entry of an authority; one that is not listed is refused."""
        found = self.newest.authority(authority)
        if found is None:
            raise NotPermitted(f"{authority} is not in the network document")
        return found

    def document_of(self, version: int) -> Document:
        """Give the document of an epoch."""
        for one in self.documents:
            if one.version == version:
                return one.document
        raise KeyUnknown(f"the network document of version {version} is not in the file")

    def pair(self, key_ids: KeyIds) -> tuple[PublicKey, PublicKey]:
        """Give two keys by their ids; the purpose is inside the id."""
        first, second = (self.keys.get(key_id) for key_id in key_ids)
        if first is None or second is None:
            raise KeyUnknown(f"no listing in the file shows the key {key_ids[first is not None]}")
        return first, second

    def sign_term(self, authority: str, time: int) -> tuple[Document, KeyIds]:
        """Give the pair that speaks for an authority at a time, by the newest that says so."""
        for one in reversed(self.documents):
            entry = one.document.authority(authority)
            terms = () if entry is None else entry.sign
            found = [term.key_ids for term in terms if term.covers(time)]
            if found:
                return one.document, found[0]
        raise NotAuthentic(f"no document lists sign keys of {authority} for that time")

    def log_keys(self, origin: str) -> LogKeys:
        """Give the two keys of a log."""
        return as_pair(self.pair(self.log_key_ids(origin)), "log")

    def log_key_ids(self, origin: str) -> KeyIds:
        """Give the ids of a log's keys: its own, or those that it goes on with."""
        terms = log_terms(self.entry(owner_of(origin)), self.closures.values())
        found = terms.get(number_of(origin))
        if found is None:
            raise KeyUnknown(f"nothing in the file lists the log {origin}")
        return found

    def revocations_of(self, key_ids: Iterable[str]) -> tuple[Revocation, ...]:
        """Give the revocations of any of these keys."""
        wanted = set(key_ids)
        return tuple(one for one in self.revocations if one.key_id in wanted)

    def below(self, revocation: Revocation, origin: str, index: int) -> bool:
        """Say whether the revoked authority answers for an entry of its log (`log_size`)."""
        if revocation.log_size is None or owner_of(origin) != revocation.authority:
            return False
        current, number = self._log_at(revocation.authority, revocation.at), number_of(origin)
        return number < current or (number == current and index < revocation.log_size)

    def _log_at(self, authority: str, time: int) -> int:
        """Give the number of the last log that an authority had opened at a time."""
        opened = [
            one.next_number
            for one in self.closures.values()
            if one.authority == authority and one.created <= time
        ]
        return max([self.entry(authority).logs[0].number, *opened])

    def require_not_cut(self, checkpoint: Checkpoint) -> None:
        """Check a signed checkpoint against the end of its log, if that was closed."""
        closure = self.closures.get(checkpoint.origin)
        if closure is not None:
            closure.require_within(checkpoint)


def as_pair(keys: tuple[PublicKey, PublicKey], purpose: str) -> LogKeys:
    """Give two keys as those of a log or witness; refuse keys that are no such pair."""
    found = [(key.purpose, key.algorithm) for key in keys]
    if found != [(purpose, "ed25519"), (purpose, "ml-dsa-44")]:
        raise NotAuthentic(f"the keys are no pair of {purpose} keys")
    return LogKeys(*keys)


# --- building it -----------------------------------------------------------


def lay_ground(parts: Parts, doubts: Doubts) -> Ground:
    """Verify documents, listings, closures and revocations of a bundle.

    Raises `KeyUnknown` if the documents are no chain, so that nothing can be judged, and
    another `Rejected` if something does not hold.
    """
    network = parts.about.network
    # (1) Documents, each by the stewards of the one before it.
    ground = Ground(network, _chain(parts.documents))
    # (2) Listings, each by one of the documents.
    keys = dict(key for part in parts.listings for key in _keys_in(part, ground.documents))
    ground = replace(ground, keys=keys)
    # (3) Closures, by the sign pair of their time.
    for part in parts.closures:
        with doubts:
            ground = replace(ground, closures={**ground.closures, **_closed(part, ground)})
    # (4) Revocations, by the authority or by enough stewards.
    for revocation in parts.revocations:
        with doubts:
            made = (*ground.revocations, _revoked(revocation, ground))
            ground = replace(ground, revocations=made)
    return ground


def _chain(parts: Sequence[DocumentPart]) -> tuple[TrustedDocument, ...]:
    if not parts:
        raise KeyUnknown("the file holds no network document")
    chain = [verify_first(parts[0].statement)]
    for part in parts[1:]:
        chain.append(_next(part, chain))
    return tuple(chain)


def _next(part: DocumentPart, chain: Sequence[TrustedDocument]) -> TrustedDocument:
    rivals = part.text.prev
    if isinstance(rivals, tuple):
        ours = [place for place, one in enumerate(chain) if one.digest in rivals]
        if not ours or ours[0] == 0:
            raise KeyUnknown("the documents before a split are not in the file")
        return verify_healing(
            part.statement,
            common=chain[ours[0] - 1],
            branches=rivals,
            newest=chain[-1].version,
        )
    if part.text.version > chain[-1].version + 1:
        raise KeyUnknown(f"the network document of version {chain[-1].version + 1} is missing")
    return verify_next(part.statement, chain[-1])


def _keys_in(
    part: ListingPart, documents: Sequence[TrustedDocument]
) -> Iterator[tuple[str, PublicKey]]:
    """Give the keys of a listing that one of the documents bears out."""
    faults: list[Rejected] = []
    for one in reversed(documents):
        try:
            verify_listing(part.statement, _as_active(one.document, part.text.authority))
        except Rejected as fault:
            faults.append(fault)
        else:
            break
    else:
        raise faults[0]
    for listed in part.text.keys:
        yield listed.key.key_id, listed.key


def _as_active(document: Document, authority: str) -> Document:
    """Give the document with an authority active: who left stays bound by what it signed."""
    entry = document.authority(authority)
    return document if entry is None else document.with_authority(replace(entry, status="active"))


def _closed(part: ClosurePart, ground: Ground) -> dict[str, Closure]:
    closure = part.text
    document, key_ids = ground.sign_term(closure.authority, closure.created)
    verify_closure(part.statement, document, ground.pair(key_ids))
    return {closure.origin: closure}


def _revoked(part: RevocationPart, ground: Ground) -> Revocation:
    made = tuple(signature.key_id for signature in part.statement.signatures)
    for one in reversed(ground.documents):
        entry = one.document.authority(part.text.authority)
        for term in entry.sign if entry else ():
            if term.key_ids == made:
                pair = ground.pair(term.key_ids)
                return verify_own(part.statement, ground.newest, pair).revocation
    return verify_by_stewards(part.statement, ground.newest).revocation
