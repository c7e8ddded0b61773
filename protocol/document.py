"""The text of a network document: who the authorities are, and their lasting keys (SPEC 10.1).

Stewards list authorities with the *ids* of their keys; the keys themselves stand in the
authorities' own listings. Decoding checks every rule that one document can be judged by
alone: one office, one name; one key, one place; more than half of the stewards; witnesses
that exist. This module verifies no signature and knows no second document: that is
`protocol/network.py`.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, Literal, TypeAlias, cast, get_args

from protocol import limits
from protocol.encoding import HEX64, Fields, Json, canonical, decode
from protocol.errors import Malformed, NotAuthentic
from protocol.identity import ALGORITHMS, AUTHORITY_ID, PublicKey

Status: TypeAlias = Literal["active", "suspended", "removed"]
KeyIds: TypeAlias = tuple[str, str]

WORD: Final = re.compile(r"[a-z][a-z0-9._-]{0,63}")
LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_RIVALS_MIN: Final = 2  # one predecessor stands alone, never in a list
_STATE: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")  # ISO 3166
_SUITE: Final = re.compile(r"hpke(-[0-9a-f]{4}){3}")  # also one that we do not know yet
# Officers read these texts: nothing in them may reorder or hide what is shown.
_SHOWN: Final = re.compile(
    r"(?!\s)[^\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+(?<!\s)"
)


@dataclass(frozen=True, slots=True)
class KeyTerm:
    """A pair of lasting keys, by id, and the time in which it speaks for the authority."""

    key_ids: KeyIds
    start: int
    until: int | None

    def covers(self, time: int) -> bool:
        """Say whether the term includes a time; `until` itself is outside."""
        return self.start <= time and (self.until is None or time < self.until)


@dataclass(frozen=True, slots=True)
class LogTerm:
    """One log of an authority: its number and the ids of its keys, which never change."""

    number: int
    key_ids: KeyIds


@dataclass(frozen=True, slots=True)
class Steward:
    """An office that signs network documents."""

    name: str
    keys: tuple[PublicKey, PublicKey]


@dataclass(frozen=True, slots=True)
class Authority:
    """One authority as the stewards list it."""

    id: str
    names: Mapping[str, str]
    state: str
    functions: tuple[str, ...]
    min_suite: str
    status: Status
    witnesses: tuple[str, ...]
    sign: tuple[KeyTerm, ...]
    logs: tuple[LogTerm, ...]
    witness: tuple[KeyTerm, ...]

    def sign_at(self, time: int) -> KeyIds:
        """Give the ids of the pair that speaks for the authority at a time."""
        return _term_at(self.sign, time, "sign")

    def witness_at(self, time: int) -> KeyIds:
        """Give the ids of the pair that cosigns for the authority at a time."""
        return _term_at(self.witness, time, "witness")

    def key_ids(self) -> frozenset[str]:
        """Give the ids of all lasting keys that the stewards list for the authority."""
        terms: tuple[KeyTerm | LogTerm, ...] = (*self.sign, *self.logs, *self.witness)
        return frozenset(key_id for term in terms for key_id in term.key_ids)


@dataclass(frozen=True, slots=True)
class Document:
    """What the stewards agree on, as one text."""

    network: str
    version: int
    prev: str | tuple[str, ...] | None  # several only where a split is healed
    created: int
    expires: int
    threshold: int
    stewards: tuple[Steward, ...]
    f: int  # witnesses that may be wrong or away
    authorities: tuple[Authority, ...]

    def authority(self, authority: str) -> Authority | None:
        """Give the entry of an authority, or None if it is not listed."""
        place = bisect_left(self.authorities, authority, key=lambda entry: entry.id)
        if place < len(self.authorities) and self.authorities[place].id == authority:
            return self.authorities[place]
        return None

    def with_authority(self, entry: Authority) -> Document:
        """Give the same document with one authority added or replaced, in its place."""
        others = [one for one in self.authorities if one.id != entry.id]
        return replace(self, authorities=tuple(sorted([*others, entry], key=lambda one: one.id)))

    def offices(self) -> dict[str, Sequence[PublicKey]]:
        """Give the stewards' keys by the name of their office."""
        return {steward.name: steward.keys for steward in self.stewards}

    def quorum(self, authority: Authority) -> int:
        """Give how many cosignatures make a checkpoint of the authority's log witnessed."""
        return quorum(len(authority.witnesses), self.f)

    def text(self) -> bytes:
        """Give the canonical text that is signed."""
        prev: Json = list(self.prev) if isinstance(self.prev, tuple) else self.prev
        return canonical({
            "v": 1, "network": self.network, "version": self.version, "prev": prev,
            "created": self.created, "expires": self.expires, "threshold": self.threshold,
            "stewards": [
                {"name": one.name, "keys": [key.to_json() for key in one.keys]}
                for one in self.stewards
            ],
            "witnessing": {"f": self.f},
            "authorities": [_authority_json(one) for one in self.authorities],
        })  # fmt: skip


def quorum(witnesses: int, f: int) -> int:
    """Give k for n witnesses of which f may fail: floor((n + f) / 2) + 1, or 0 (SPEC 10.4)."""
    return 0 if witnesses == 0 else (witnesses + f) // 2 + 1


# --- encoding and decoding -------------------------------------------------


def _authority_json(one: Authority) -> dict[str, Json]:
    return {
        "id": one.id, "names": one.names, "state": one.state, "functions": one.functions,
        "min_suite": one.min_suite, "status": one.status, "witnesses": one.witnesses,
        "sign": [_term_json(term) for term in one.sign],
        "logs": [{"n": term.number, "key_ids": term.key_ids} for term in one.logs],
        "witness": [_term_json(term) for term in one.witness],
    }  # fmt: skip


def _term_json(term: KeyTerm) -> dict[str, Json]:
    return {"key_ids": term.key_ids, "from": term.start, "until": term.until}


def decode_document_text(text: bytes) -> Document:
    """Decode the text of a network document strictly (SPEC 10.1), whoever signed it."""
    fields = Fields(decode(text, bytes_max=limits.DOCUMENT_BYTES_MAX), "document")
    fields.integer("v", low=1, high=1)
    witnessing = Fields(fields.take("witnessing"), "witnessing")
    document = Document(
        network=fields.text("network", pattern=AUTHORITY_ID),
        version=fields.integer("version", low=1),
        prev=_decode_prev(fields),
        created=fields.integer("created"),
        expires=fields.integer("expires"),
        threshold=fields.integer("threshold", low=1, high=limits.STEWARDS_MAX),
        stewards=tuple(
            _decode_steward(item)
            for item in fields.items("stewards", count_max=limits.STEWARDS_MAX)
        ),
        f=witnessing.integer("f", high=limits.WITNESSES_MAX),
        authorities=tuple(
            _decode_authority(item)
            for item in fields.items("authorities", count_max=limits.AUTHORITIES_MAX)
        ),
    )
    witnessing.done()
    fields.done()
    _check_frame(document)
    _check_stewards(document)
    _check_authorities(document)
    return document


def _decode_prev(fields: Fields) -> str | tuple[str, ...] | None:
    value = fields.take("prev")
    again = Fields({"prev": value}, "document")
    if not isinstance(value, list):
        return again.digest_or_none("prev")
    digests = again.digests("prev", count_max=limits.STEWARDS_MAX)
    if len(digests) < _RIVALS_MIN or list(digests) != sorted(digests):
        raise Malformed("document.prev as a list has two or more digests, sorted")
    return digests


def _decode_steward(item: Json) -> Steward:
    fields = Fields(item, "steward")
    name = shown_text(fields, "name")
    keys = tuple(_decode_key(key) for key in fields.items("keys", count_max=2))
    fields.done()
    if [(key.purpose, key.algorithm) for key in keys] != [
        ("steward", algorithm) for algorithm in ALGORITHMS["steward"]
    ]:
        raise Malformed("a steward has exactly its two keys, in their order")
    return Steward(name, (keys[0], keys[1]))


def _decode_key(item: Json) -> PublicKey:
    fields = Fields(item, "key")
    key = PublicKey.from_fields(fields)
    fields.done()
    return key


def _decode_authority(item: Json) -> Authority:
    fields = Fields(item, "authority")
    words = limits.WORDS_MAX
    entry = Authority(
        id=fields.text("id", pattern=AUTHORITY_ID),
        names=_decode_names(fields.object("names")),
        state=fields.text("state", pattern=_STATE),
        functions=distinct(fields.texts("functions", count_max=words, pattern=WORD)),
        min_suite=fields.text("min_suite", pattern=_SUITE),
        status=cast("Status", fields.choice("status", get_args(Status))),
        witnesses=distinct(
            fields.texts("witnesses", count_max=limits.WITNESSES_MAX, pattern=AUTHORITY_ID)
        ),
        sign=_decode_terms(fields, "sign"),
        logs=tuple(_decode_log(one) for one in fields.items("logs", count_max=limits.LOGS_MAX)),
        witness=_decode_terms(fields, "witness"),
    )
    fields.done()
    if not entry.logs or any(a.number >= b.number for a, b in pairwise(entry.logs)):
        raise Malformed("authority.logs are not one or more, ascending")
    return entry


def _decode_names(names: Mapping[str, Json]) -> dict[str, str]:
    if not 1 <= len(names) <= limits.WORDS_MAX:
        raise Malformed("authority.names is empty or too long")
    if any(LANGUAGE.fullmatch(language) is None for language in names):
        raise Malformed("authority.names has a key that is no language tag")
    fields = Fields(names, "names")
    return {language: shown_text(fields, language) for language in names}


def _decode_terms(fields: Fields, name: str) -> tuple[KeyTerm, ...]:
    terms = tuple(_decode_term(one) for one in fields.items(name, count_max=limits.KEY_TERMS_MAX))
    if not terms:
        raise Malformed(f"authority.{name} is empty")
    # Terms never overlap: at each time at most one pair speaks for the authority.
    if any(old.until is None or new.start < old.until for old, new in pairwise(terms)):
        raise Malformed(f"authority.{name} has terms that overlap or are out of order")
    return terms


def _decode_term(item: Json) -> KeyTerm:
    fields = Fields(item, "term")
    term = KeyTerm(_decode_key_ids(fields), fields.integer("from"), fields.integer_or_none("until"))
    fields.done()
    if term.until is not None and term.until <= term.start:
        raise Malformed("a key's term ends before it begins")
    return term


def _decode_log(item: Json) -> LogTerm:
    fields = Fields(item, "log")
    term = LogTerm(fields.integer("n", low=1), _decode_key_ids(fields))
    fields.done()
    return term


def _decode_key_ids(fields: Fields) -> KeyIds:
    found = fields.texts("key_ids", count_max=2, pattern=HEX64)
    match found:
        case (first, second):
            return first, second
        case _:
            raise Malformed("a pair of keys has two ids")


def shown_text(fields: Fields, name: str, *, chars_max: int = limits.NAME_CHARS_MAX) -> str:
    """Read a text that officers will be shown: one line, nothing invisible at its ends."""
    return fields.text(name, pattern=_SHOWN, chars_max=chars_max)


def distinct(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words if none stands twice, else refuse them."""
    if len(set(words)) != len(words):
        raise Malformed("a list repeats an item")
    return words


def _term_at(terms: Sequence[KeyTerm], time: int, role: str) -> KeyIds:
    for term in reversed(terms):
        if term.covers(time):
            return term.key_ids
    raise NotAuthentic(f"the authority has no {role} keys for that time")


# --- rules of one document -------------------------------------------------


def _check_frame(document: Document) -> None:
    if (document.prev is None) != (document.version == 1):
        raise Malformed("document.prev is null in the first version and in no other")
    if document.expires <= document.created:
        raise Malformed("the document expires before it is made")
    if not document.threshold <= len(document.stewards) < 2 * document.threshold:
        raise Malformed("the threshold is not more than half of the stewards")


def _check_stewards(document: Document) -> None:
    """One office, one name; one key, one office: else one hand could sign as two."""
    distinct(tuple(unicodedata.normalize("NFKC", one.name).casefold() for one in document.stewards))
    distinct(tuple(key.key_id for one in document.stewards for key in one.keys))


def _check_authorities(document: Document) -> None:
    ids = [one.id for one in document.authorities]
    if any(left >= right for left, right in pairwise(ids)):
        raise Malformed("the authorities are not in ascending order of their ids")
    ids_count = sum(2 * len((*one.sign, *one.logs, *one.witness)) for one in document.authorities)
    if len({key_id for one in document.authorities for key_id in one.key_ids()}) != ids_count:
        raise Malformed("a key stands twice among the authorities")
    listed = set(ids)
    for one in document.authorities:
        if one.id in one.witnesses or not listed.issuperset(one.witnesses):
            raise Malformed("a witness is the log's own authority, or none of the list")
        if document.quorum(one) > len(one.witnesses):
            raise Malformed("more witnesses are needed than there are")
