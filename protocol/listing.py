"""An authority's own listing: its keys, its URLs, and whom to telephone (SPEC 11).

The authority signs it with the `sign` keys whose ids the network document gives, so keys
that rotate often need no steward. Listings form a chain by serial and `prev`; which of
them is in force, and whether two contradict each other, is judged where they are kept
(`keys/directory.py`). This module knows no clock and opens no URL.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from protocol import limits
from protocol.document import (
    LANGUAGE,
    WORD,
    Authority,
    Document,
    KeyIds,
    distinct,
    shown_text,
)
from protocol.dsse import Unverified, decode_statement, sign, verify_exactly
from protocol.encoding import HEX64, Fields, Json, canonical, decode
from protocol.errors import Malformed, NotAuthentic, NotForUs, NotPermitted
from protocol.identity import AUTHORITY_ID, PublicKey, Signer

LISTING_TYPE: Final = "application/vnd.comity.listing.v1+json"

_URL: Final = re.compile(
    r"https://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)"
    r"(:(?P<port>[1-9][0-9]{0,4}))?(?P<path>(/[A-Za-z0-9._~-]+)*)"
)
_HOST_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_HTTPS_PORT: Final = 443
_PORT_MAX: Final = 65_535
_EMAIL: Final = re.compile(r"[^\s@<>\x00-\x1f\x7f]{1,64}@[A-Za-z0-9.-]{1,255}|")
_TELEPHONE: Final = re.compile(r"\+?[0-9][0-9 ().-]{2,38}|")


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A public key and the time in which the authority uses it."""

    key: PublicKey
    start: int
    until: int | None

    def covers(self, time: int, *, skew_s: int = 0) -> bool:
        """Say whether the key is in use at a time, give or take the skew."""
        if time + skew_s < self.start:
            return False
        return self.until is None or time - skew_s < self.until


@dataclass(frozen=True, slots=True)
class Contact:
    """A person or desk at the authority; a text may be empty."""

    name: str
    email: str
    telephone: str
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """What an authority says about itself, as one text."""

    network: str
    authority: str
    serial: int
    prev: str | None
    created: int
    expires: int
    keys: tuple[ListedKey, ...]
    urls: tuple[str, ...]
    pins: tuple[str, ...]
    any_ca: bool
    pull: bool
    contacts: tuple[Contact, ...]
    languages: tuple[str, ...]
    channels: tuple[str, ...]
    declarations: Mapping[str, Json]

    def key(self, key_id: str) -> ListedKey | None:
        """Give a key by its id, or None if the listing does not show it."""
        return next((one for one in self.keys if one.key.key_id == key_id), None)

    def seal_keys_at(self, now: int) -> tuple[PublicKey, ...]:
        """Give the keys that may be sealed to now, the newest first.

        Of two made in one second, the one whose end is announced is the older.
        """
        usable = [one for one in self.keys if one.key.purpose == "seal" and one.covers(now)]
        usable.sort(key=lambda one: (one.start, one.until is None, one.key.key_id), reverse=True)
        return tuple(one.key for one in usable)

    def text(self) -> bytes:
        """Give the canonical text that is signed."""
        return canonical({
            "v": 1, "network": self.network, "authority": self.authority,
            "serial": self.serial, "prev": self.prev,
            "created": self.created, "expires": self.expires,
            "keys": [
                {**one.key.to_json(), "from": one.start, "until": one.until} for one in self.keys
            ],
            "urls": self.urls, "pins": self.pins, "any_ca": self.any_ca, "pull": self.pull,
            "contacts": [
                {"name": one.name, "email": one.email, "telephone": one.telephone,
                 "languages": one.languages}
                for one in self.contacts
            ],
            "languages": self.languages, "channels": self.channels,
            "declarations": self.declarations,
        })  # fmt: skip


@dataclass(frozen=True, slots=True)
class TrustedListing:
    """A listing that its authority signed, with the statement that proves it."""

    listing: Listing
    statement: Unverified
    digest: str
    signed_by: KeyIds

    @property
    def raw(self) -> bytes:
        """The bytes to store and to hand on."""
        return self.statement.encode()


def decode_listing(raw: bytes) -> Unverified:
    """Decode the statement around a listing; its text is still anybody's word."""
    return decode_statement(raw, kind=LISTING_TYPE, bytes_max=limits.LISTING_BYTES_MAX)


def decode_listing_text(text: bytes) -> Listing:
    """Decode the text of a listing strictly (SPEC 11.1), whoever signed it."""
    fields = Fields(decode(text, bytes_max=limits.LISTING_BYTES_MAX), "listing")
    fields.integer("v", low=1, high=1)
    words = limits.WORDS_MAX
    listing = Listing(
        network=fields.text("network", pattern=AUTHORITY_ID),
        authority=fields.text("authority", pattern=AUTHORITY_ID),
        serial=fields.integer("serial", low=1),
        prev=fields.digest_or_none("prev"),
        created=fields.integer("created"),
        expires=fields.integer("expires"),
        keys=tuple(
            _decode_key(one) for one in fields.items("keys", count_max=limits.KEYS_PER_LISTING_MAX)
        ),
        urls=distinct(tuple(
            check_url(one) for one in fields.texts(
                "urls", count_max=limits.URLS_MAX, chars_max=limits.URL_CHARS_MAX)
        )),
        pins=distinct(fields.texts("pins", count_max=limits.PINS_MAX, pattern=HEX64)),
        any_ca=_boolean(fields, "any_ca"),
        pull=_boolean(fields, "pull"),
        contacts=tuple(
            _decode_contact(one) for one in fields.items("contacts", count_max=limits.CONTACTS_MAX)
        ),
        languages=distinct(fields.texts("languages", count_max=words, pattern=LANGUAGE)),
        channels=distinct(fields.texts("channels", count_max=words, pattern=WORD)),
        declarations=fields.object("declarations"),
    )  # fmt: skip
    fields.done()
    _check_listing(listing)
    return listing


def _decode_key(item: Json) -> ListedKey:
    fields = Fields(item, "key")
    key = PublicKey.from_fields(fields)
    listed = ListedKey(key, fields.integer("from"), fields.integer_or_none("until"))
    fields.done()
    if key.purpose == "steward":
        raise Malformed("a listing shows no steward's key")
    if listed.until is not None and listed.until <= listed.start:
        raise Malformed("a key's time ends before it begins")
    return listed


def _decode_contact(item: Json) -> Contact:
    fields = Fields(item, "contact")
    contact = Contact(
        name=shown_text(fields, "name"),
        email=fields.text("email", pattern=_EMAIL),
        telephone=fields.text("telephone", pattern=_TELEPHONE),
        languages=distinct(fields.texts("languages", count_max=limits.WORDS_MAX, pattern=LANGUAGE)),
    )
    fields.done()
    return contact


def _boolean(fields: Fields, name: str) -> bool:
    value = fields.take(name)
    if not isinstance(value, bool):
        raise Malformed(f"listing.{name} is neither true nor false")
    return value


def _check_listing(listing: Listing) -> None:
    if (listing.prev is None) != (listing.serial == 1):
        raise Malformed("listing.prev is null in the first listing and in no other")
    if listing.expires <= listing.created:
        raise Malformed("the listing expires before it is made")
    if len({one.key.raw for one in listing.keys}) != len(listing.keys):
        raise Malformed("a key stands twice in the listing")
    if not {"seal", "hop"} <= {one.key.purpose for one in listing.keys}:
        raise Malformed("a listing shows at least one seal key and one hop key")
    if not listing.urls and not listing.pull:
        raise Malformed("a listing without a URL, of an authority that does not pull")
    if listing.urls and not listing.pins and not listing.any_ca:
        raise Malformed("a listing with a URL and nothing to know its certificate by")


# --- URLs ------------------------------------------------------------------


def check_url(url: str) -> str:
    """Return a peer's base URL if it is https and in its one form (SPEC 11.3), else refuse.

    Host, optional port and path prefix; no user, query, fragment, percent sign or trailing
    slash. A host that some resolver would read as an address in disguise is refused.
    """
    match = _URL.fullmatch(url)
    if match is None or len(url) > limits.URL_CHARS_MAX:
        raise Malformed("a URL that is not https://host[:port][/prefix] in its normal form")
    _check_host(match["host"])
    port = int(match["port"] or 0)
    if port == _HTTPS_PORT or port > _PORT_MAX:
        raise Malformed("a URL with the default port written out, or no port at all")
    if {".", ".."} & set(match["path"].split("/")):
        raise Malformed("a URL with a dot segment")
    return url


def _check_host(host: str) -> None:
    labels = host.split(".")
    try:
        if host.startswith("["):
            normal = f"[{ipaddress.IPv6Address(host[1:-1])}]"
        elif _NUMBER.fullmatch(labels[-1]):  # `127.1`, `0x7f000001` and the like
            normal = str(ipaddress.IPv4Address(host))
        else:
            normal = host if all(_HOST_LABEL.fullmatch(label) for label in labels) else ""
    except ValueError as fault:
        raise Malformed("a URL with an address that is not in its normal form") from fault
    if normal != host:
        raise Malformed("a URL with a host that is not in its normal form")


# --- signing and verifying -------------------------------------------------


def sign_listing(listing: Listing, pair: Iterable[Signer]) -> Unverified:
    """Sign a listing with the authority's pair; refuses one that no peer would take."""
    decode_listing_text(listing.text())
    return sign(LISTING_TYPE, listing.text(), pair)


def verify_listing(statement: Unverified, document: Document) -> TrustedListing:
    """Verify a listing against a trusted network document (SPEC 11.2).

    1. The text is strict. 2. It is of this network, by an authority that is listed and not
    removed. 3. Every sign, log and witness key in it hashes to an id that the document
    gives this authority, and of each of the three it shows a whole pair. 4. The two
    signatures are those of one listed sign pair whose term was not over when the listing
    was made. 5. Both hold. Serial, `prev` and the current time are the caller's to judge.
    """
    listing = decode_listing_text(statement.text)
    if listing.network != document.network:
        raise NotForUs("a listing of another network")
    entry = document.authority(listing.authority)
    if entry is None or entry.status == "removed":
        raise NotPermitted("a listing of an authority that is not in the network document")
    _check_lasting_keys(listing, entry)
    pair = _signing_pair(statement, listing, entry)
    verify_exactly(statement, pair)
    key_ids = (pair[0].key_id, pair[1].key_id)
    return TrustedListing(listing, statement, statement.identity, key_ids)


def _check_lasting_keys(listing: Listing, entry: Authority) -> None:
    shown = {
        one.key.key_id for one in listing.keys if one.key.purpose in {"sign", "log", "witness"}
    }
    if not shown <= entry.key_ids():
        raise NotAuthentic("the listing shows a lasting key that the stewards did not sign")
    for terms in (entry.sign, entry.logs, entry.witness):
        if not any(shown.issuperset(term.key_ids) for term in terms):
            raise NotAuthentic("the listing lacks the authority's sign, log or witness keys")


def _signing_pair(
    statement: Unverified, listing: Listing, entry: Authority
) -> tuple[PublicKey, PublicKey]:
    made = tuple(signature.key_id for signature in statement.signatures)
    for term in entry.sign:
        if term.key_ids == made and (term.until is None or listing.created < term.until):
            first, second = (listing.key(key_id) for key_id in term.key_ids)
            if first is not None and second is not None:
                return first.key, second.key
    raise NotAuthentic("the listing is not signed by the authority's sign keys of its time")
