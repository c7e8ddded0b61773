"""Keys and documents in a form that people can read to each other over the telephone.

Every number here is 60 decimal digits in 12 groups of five, and the whole SHA-256 as hex
for those who compare by machine. 60 digits hold 199 bits. 30 would be enough against
somebody who must hit one given number, but a person in the middle, or the author of two
versions of one document, may look for any two that agree, which costs the square root of
the space: 2^50 for 30 digits, 2^99 for 60.

The digits are the SHA-256, read as one big-endian number, modulo 10^60, with leading
zeros. 2^256 is about 10^77, so no digit string is more likely than another by more than
one part in 10^17: no bias worth speaking of, and no rejection loop to get wrong elsewhere.
Knows no private key, no file and no person.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from protocol.digest import sha256_hex
from protocol.encoding import HEX64, Json, canonical
from protocol.errors import Misuse
from protocol.identity import AUTHORITY_ID

DIGITS: Final = 60
GROUP_DIGITS: Final = 5


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A SHA-256 to be compared by people; prints as its groups of digits."""

    hex: str

    def __post_init__(self) -> None:
        """Refuse anything but 64 lower-case hex digits."""
        if HEX64.fullmatch(self.hex) is None:
            raise Misuse("a fingerprint is made of 64 lower-case hex digits")

    @property
    def groups(self) -> tuple[str, ...]:
        """The 12 groups of five digits, to be read one after the other."""
        text = str(int(self.hex, 16) % 10**DIGITS).zfill(DIGITS)
        return tuple(text[at : at + GROUP_DIGITS] for at in range(0, DIGITS, GROUP_DIGITS))

    @property
    def digits(self) -> str:
        """The groups in one line, with a space between two of them."""
        return " ".join(self.groups)

    def __str__(self) -> str:
        """Show the digits."""
        return self.digits


def fingerprint(key_ids: Iterable[str]) -> Fingerprint:
    """Give the fingerprint of a set of keys; their order does not matter.

    SHA-256("comity/v1/fingerprint" 00 canonical JSON list of the sorted key ids). A key id
    holds purpose and algorithm, so no two sets of keys share a list.
    """
    return _labelled("comity/v1/fingerprint", list(_sorted_ids(key_ids)))


def document_fingerprint(digest_hex: str) -> Fingerprint:
    """Give the fingerprint of a signed document from its digest, SHA-256(PAE).

    The digest already binds the document's type and text: its hex is the digest that
    other documents name in `prev`, and only the digits are new.
    """
    return Fingerprint(digest_hex)


def safety_number(
    a_id: str, a_sign_key_ids: Iterable[str], b_id: str, b_sign_key_ids: Iterable[str]
) -> Fingerprint:
    """Give the number that two authorities compare; both sides compute the same.

    SHA-256("comity/v1/safety-number" 00 canonical JSON list of [id, sorted ids of its
    `sign` keys] for both, sorted by id). Equal numbers mean that each holds the other's
    real keys, and that they mean each other.
    """
    if a_id == b_id:
        raise Misuse("a safety number is between two authorities")
    if any(AUTHORITY_ID.fullmatch(name) is None for name in (a_id, b_id)):
        raise Misuse("not an authority id")
    sides = {a_id: _sorted_ids(a_sign_key_ids), b_id: _sorted_ids(b_sign_key_ids)}
    return _labelled("comity/v1/safety-number", [[name, sides[name]] for name in sorted(sides)])


def _sorted_ids(key_ids: Iterable[str]) -> list[str]:
    ids = sorted(key_ids)
    if not ids or len(set(ids)) != len(ids):
        raise Misuse("a fingerprint needs at least one key, and none twice")
    if any(HEX64.fullmatch(key_id) is None for key_id in ids):
        raise Misuse("a key id is 64 lower-case hex digits")
    return ids


def _labelled(label: str, value: Json) -> Fingerprint:
    return Fingerprint(sha256_hex(label.encode() + b"\0", canonical(value)))
