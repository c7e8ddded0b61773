"""What stewards do offline: state their keys, draft a network document, sign it once.

    draft = first_document("pacific", stewards, threshold=2, created=now, expires=…)
    draft = with_listings(draft, [Listed(raw_listing, names={…}, state="FJ")])
    statement = sign_as_steward(unsigned(draft).encode(), ring, signed_before=…)

A draft is a document in its final form with too few signatures yet. A listing is believed
here as far as it proves itself: it is signed by the keys that it shows. That these keys are
the authority's own is what the stewards vouch for, who compared the fingerprint. Knows no
disk, no clock and no passphrase.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from keys.ring import StewardRing
from protocol.document import (
    Authority,
    Document,
    KeyIds,
    KeyTerm,
    LogTerm,
    Steward,
    decode_document_text,
)
from protocol.dsse import Unverified, verify_offices
from protocol.encoding import Fields, canonical, decode
from protocol.envelope import SUITE
from protocol.errors import Malformed, Mismatch, NotAuthentic, NotForUs
from protocol.identity import PublicKey
from protocol.limits import WITNESSES_MAX
from protocol.listing import ListedKey, Listing, decode_listing, decode_listing_text, verify_listing
from protocol.network import NETWORK_TYPE, TrustedDocument, add_signature, decode_document

STEWARD_KIND: Final = "comity-steward"
STATEMENT_BYTES_MAX: Final = 16 * 1024
_FUNCTIONS: Final = ("mla", "extradition")  # unless a steward says otherwise
_STATE_UNKNOWN: Final = "ZZ"  # of no State, in ISO 3166's own room for users
_STATE_CHARS: Final = 2


# --- a steward's public statement ------------------------------------------


def steward_statement(ring: StewardRing) -> bytes:
    """Give what a steward hands to whoever drafts the document: a name and two keys."""
    keys = [key.to_json() for key in ring.public_keys()]
    return canonical({"v": 1, "kind": STEWARD_KIND, "name": ring.name, "keys": keys})


def decode_steward(raw: bytes) -> Steward:
    """Decode a steward's statement strictly; it is nobody's word but its bearer's."""
    fields = Fields(decode(raw, bytes_max=STATEMENT_BYTES_MAX), "steward statement")
    fields.integer("v", low=1, high=1)
    fields.choice("kind", (STEWARD_KIND,))
    name = fields.text("name")
    keys = tuple(_key(item) for item in fields.items("keys", count_max=2))
    fields.done()
    match keys:
        case (first, second):
            return Steward(name, (first, second))
        case _:
            raise Malformed("a steward has two keys")


def _key(item: object) -> PublicKey:
    fields = Fields(item, "key")  # type: ignore[arg-type]  # whatever it is, Fields refuses it
    key = PublicKey.from_fields(fields)
    fields.done()
    return key


# --- drafting --------------------------------------------------------------


def first_document(
    network: str,
    stewards: Iterable[Steward],
    *,
    threshold: int,
    f: int,
    created: int,
    expires: int,
) -> Document:
    """Draft version 1 of a network, without authorities yet."""
    return _checked(
        Document(
            network=network, version=1, prev=None, created=created, expires=expires,
            threshold=threshold, stewards=tuple(stewards), f=f, authorities=(),
        )
    )  # fmt: skip


def next_document(
    trusted: TrustedDocument,
    *,
    created: int,
    expires: int,
    stewards: Sequence[Steward] = (),
    threshold: int | None = None,
    f: int | None = None,
) -> Document:
    """Draft the version after a document; what is not given stays as it is."""
    old = trusted.document
    return _checked(
        replace(
            old,
            version=old.version + 1,
            prev=trusted.digest,
            created=max(created, old.created),
            expires=expires,
            stewards=tuple(stewards) or old.stewards,
            threshold=threshold or old.threshold,
            f=old.f if f is None else f,
        )
    )


@dataclass(frozen=True, slots=True)
class Listed:
    """An authority's listing, and what stewards say of it beside; empty leaves it as it is."""

    raw: bytes
    names: Mapping[str, str] = field(default_factory=dict)
    state: str | None = None
    functions: tuple[str, ...] = ()


def with_listings(document: Document, listed: Iterable[Listed]) -> Document:
    """Add the authorities of listings, or bring their keys up to date; choose witnesses anew.

    Each listing must be of this network and signed by the very keys that it shows.
    """
    for one in listed:
        document = _with_listing(document, one)
    return with_witnesses(document)


def _with_listing(document: Document, listed: Listed) -> Document:
    statement = decode_listing(listed.raw)
    listing = decode_listing_text(statement.text)
    if listing.network != document.network:
        raise NotForUs(f"a listing of the network {listing.network}")
    entry = _entry(listing, document.authority(listing.authority))
    entry = replace(
        entry,
        names=dict(listed.names) or entry.names,
        state=listed.state or entry.state,
        functions=listed.functions or entry.functions,
    )
    changed = document.with_authority(entry)
    verify_listing(statement, changed)
    return changed


def _entry(listing: Listing, before: Authority | None) -> Authority:
    sign, log, witness = (_newest_pair(listing, purpose) for purpose in ("sign", "log", "witness"))
    if before is None:
        letters = listing.authority.partition(".")[0]
        known = len(letters) == _STATE_CHARS and letters.isalpha()
        return Authority(
            id=listing.authority, names={"en": listing.authority},
            state=letters.upper() if known else _STATE_UNKNOWN,
            functions=_FUNCTIONS, min_suite=SUITE, status="active", witnesses=(),
            sign=(_term(sign),), logs=(LogTerm(1, _ids(log)),), witness=(_term(witness),),
        )  # fmt: skip
    logs = before.logs
    if logs[-1].key_ids != _ids(log):
        logs = (*logs, LogTerm(logs[-1].number + 1, _ids(log)))
    return replace(
        before, status="active", logs=logs,
        sign=_after(before.sign, sign), witness=_after(before.witness, witness),
    )  # fmt: skip


def _newest_pair(listing: Listing, purpose: str) -> tuple[ListedKey, ListedKey]:
    """Give the pair of a purpose that the listing shows without an end."""
    found = [one for one in listing.keys if one.key.purpose == purpose and one.until is None]
    match found:
        case [first, second]:
            return first, second
        case _:
            raise Malformed(f"the listing does not show one current pair of {purpose} keys")


def _ids(pair: tuple[ListedKey, ListedKey]) -> KeyIds:
    return pair[0].key.key_id, pair[1].key.key_id


def _term(pair: tuple[ListedKey, ListedKey]) -> KeyTerm:
    return KeyTerm(_ids(pair), max(one.start for one in pair), None)


def _after(terms: Sequence[KeyTerm], pair: tuple[ListedKey, ListedKey]) -> tuple[KeyTerm, ...]:
    """Give the terms with the pair as the newest; the one before ends where it begins."""
    newest = _term(pair)
    last = terms[-1]
    if last.key_ids == newest.key_ids:
        return tuple(terms)
    newest = replace(newest, start=max(newest.start, last.start + 1))
    return (*terms[:-1], replace(last, until=newest.start), newest)


def with_witnesses(document: Document) -> Document:
    """Give every authority its witnesses: those it has, then those that follow it in the list.

    All others, as long as there are at most nine: no authority witnesses its own log.
    """
    active = [one.id for one in document.authorities if one.status == "active"]
    entries = []
    for number, one in enumerate(document.authorities):
        after = [other.id for other in document.authorities[number + 1 :]]
        others = [name for name in (*after, *active) if name in active and name != one.id]
        kept = [name for name in one.witnesses if name in active]
        entries.append(
            replace(one, witnesses=tuple(dict.fromkeys((*kept, *others)))[:WITNESSES_MAX])
        )
    return replace(document, authorities=tuple(entries))


def with_status(document: Document, authority: str, status: str) -> Document:
    """Suspend, remove or take back an authority; one that was listed stays listed."""
    entry = document.authority(authority)
    if entry is None:
        raise Malformed(f"{authority} is not in the document")
    changed = replace(entry, status=status)  # type: ignore[arg-type]  # decoding checks the word
    return with_witnesses(document.with_authority(changed))


def unsigned(document: Document) -> Unverified:
    """Give a draft as a file holds it: the final form, and no signature yet."""
    return Unverified(NETWORK_TYPE, _checked(document).text(), ())


def _checked(document: Document) -> Document:
    """Refuse a document that no node would take, whoever signed it."""
    return decode_document_text(document.text())


# --- signing ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a draft is: which stewards have signed, and how many must."""

    document: Document
    digest: str
    signed_by: tuple[str, ...]

    @property
    def missing(self) -> int:
        """How many signatures of stewards are still needed, of its own list."""
        return max(0, self.document.threshold - len(self.signed_by))


def standing(raw: bytes) -> Standing:
    """Verify the signatures that a draft or document has, by its own list of stewards."""
    statement = decode_document(raw)
    document = decode_document_text(statement.text)
    signed = verify_offices(statement, document.offices())
    return Standing(document, statement.identity, tuple(sorted(signed)))


def sign_as_steward(
    raw: bytes,
    ring: StewardRing,
    *,
    signed_before: Mapping[tuple[str, int], str],
    previous: Document | None = None,
) -> Unverified:
    """Sign a draft; refuses a second text for one version of one network.

    `signed_before` is what this key has signed: network and version, to digest. Two valid
    documents of one version would split the network.
    """
    statement = decode_document(raw)
    document = decode_document_text(statement.text)
    before = signed_before.get((document.network, document.version))
    if before not in {None, statement.identity}:
        raise Mismatch(
            f"this key has signed another version {document.version} of {document.network}"
        )
    if previous is not None and document.prev is None:
        raise NotAuthentic("a first document has none before it")
    signed = add_signature(statement, ring.signers(), previous=previous)
    standing(signed.encode())
    return signed
