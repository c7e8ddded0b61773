"""The private keys of one office as one immutable value, and how they are replaced.

A `KeyRing` belongs to a node, a `StewardRing` to a steward; neither can be taken for the
other. A ring holds seeds, not expanded keys: what expands one says so, and its caller
keeps the result. Rotation gives a new ring; the old value is for the garbage collector,
and the old file is replaced by whoever writes the new ring.

Knows no file and no passphrase (`keys.keyfile` does), and takes time and randomness as
arguments.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias, cast, get_args

from keys.pairs import Random, SignerPair, pair_from_seeds, signer_from_seed
from protocol.encoding import Fields, Json, decode, to_base64
from protocol.errors import Malformed, Misuse
from protocol.identity import ALGORITHMS, Algorithm, PublicKey, Purpose, Signer, check_authority_id
from protocol.limits import HOP_KEY_OVERLAP_S, INTEGER_MAX, SEAL_KEY_RETIRED_S
from protocol.primitives import SEED_BYTES, SealPrivate, seal_private

NODE_PURPOSES: Final[tuple[Purpose, ...]] = ("sign", "log", "witness", "seal", "hop")
STORAGE_KEY_BYTES: Final = 32
STEWARD_NAME_CHARS_MAX: Final = 128
ENTRIES_MAX: Final = 512  # a node that rotates and drops has about ten
RING_BYTES_MAX: Final = 128 * 1_024


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One private key as its seed, with the times when it was made and put out of use."""

    purpose: Purpose
    algorithm: Algorithm
    seed: bytes = field(repr=False)
    created: int
    retired: int | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be a key, so that a ring never fails later."""
        if self.algorithm not in ALGORITHMS[self.purpose]:
            raise Misuse(f"a {self.purpose} key cannot be {self.algorithm}")
        if len(self.seed) != SEED_BYTES:
            raise Misuse(f"a seed has {SEED_BYTES} bytes")
        if not 0 <= self.created <= INTEGER_MAX:
            raise Misuse("a key made at no time that can be written down")
        if self.retired is not None and not self.created <= self.retired <= INTEGER_MAX:
            raise Misuse("a key retired before it was made")

    def public(self) -> PublicKey:
        """Expand the seed and give the public half."""
        if self.purpose == "seal":
            return seal_private(self.seed).public
        return self.signer().public

    def signer(self) -> Signer:
        """Expand the seed of a key that signs; keep the result."""
        return signer_from_seed(self.purpose, self.algorithm, self.seed)

    def expired(self, now: int) -> bool:
        """Say whether the key was retired so long ago that it must be destroyed."""
        return self.retired is not None and now - self.retired > SEAL_KEY_RETIRED_S

    def to_json(self) -> dict[str, Json]:
        """Give the key, with its seed, as it stands inside a key file."""
        return {
            "purpose": self.purpose,
            "algorithm": self.algorithm,
            "seed": to_base64(self.seed),
            "created": self.created,
            "retired": self.retired,
        }

    @classmethod
    def from_json(cls, value: Json) -> KeyEntry:
        """Read one key from the inside of a key file."""
        fields = Fields(value, "key")
        entry = cls(
            cast("Purpose", fields.choice("purpose", get_args(Purpose))),
            cast("Algorithm", fields.choice("algorithm", get_args(Algorithm))),
            fields.base64("seed", size=SEED_BYTES),
            fields.integer("created"),
            fields.integer_or_none("retired"),
        )
        fields.done()
        return entry


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All private keys of one authority's node: one current key for each purpose."""

    network: str
    authority: str
    entries: tuple[KeyEntry, ...]
    storage_key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a ring with a purpose missing, doubled or foreign, or a seed used twice."""
        _check_id(self.network)
        _check_id(self.authority)
        if len(self.storage_key) != STORAGE_KEY_BYTES:
            raise Misuse(f"the storage key has {STORAGE_KEY_BYTES} bytes")
        _check_entries(self.entries, NODE_PURPOSES, also=self.storage_key)

    def signers(self, purpose: Purpose) -> SignerPair:
        """Expand the current pair of a purpose with two algorithms; keep the result."""
        return _pair(self.entries, purpose)

    def hop(self) -> Signer:
        """Expand the newest key for HTTP message signatures; keep the result."""
        return _current(self.entries, "hop", "ed25519").signer()

    def hop_signers(self, now: int) -> tuple[tuple[int | None, Signer], ...]:
        """Expand the keys for HTTP that are not over, oldest first, each with its end.

        The oldest signs until its end: peers know it from the listing that they have, and
        hear of its successor meanwhile.
        """
        return tuple(
            (entry.retired, entry.signer())
            for entry in self.entries
            if entry.purpose == "hop" and (entry.retired is None or now < entry.retired)
        )

    def seal_keys(self, now: int) -> tuple[SealPrivate, ...]:
        """Expand the keys that open envelopes now, newest first; keep the result.

        These are the current key and those retired at most `SEAL_KEY_RETIRED_S` ago: an
        older one opens nothing, even if nobody has yet called `drop_expired`.
        """
        # Rotation appends, so the order of entries is the order of making, also when a
        # clock was set back or two keys were made in one second.
        usable = [
            entry
            for entry in reversed(self.entries)
            if entry.purpose == "seal" and not entry.expired(now)
        ]
        return tuple(seal_private(entry.seed) for entry in usable)

    def public_keys(self) -> tuple[PublicKey, ...]:
        """Expand every current key and give the public halves, in the order of `ALGORITHMS`.

        With validity, and with those that are retired but still held: `entries`, each of
        which has a `public()`.
        """
        return tuple(
            _current(self.entries, purpose, algorithm).public()
            for purpose in NODE_PURPOSES
            for algorithm in ALGORITHMS[purpose]
        )

    def rotate_seal(self, *, random: Random, now: int) -> KeyRing:
        """Give a ring with a fresh key for opening envelopes; the old one still opens."""
        return self._rotate("seal", "x-wing", random=random, now=now, overlap_s=0)

    def rotate_hop(self, *, random: Random, now: int) -> KeyRing:
        """Give a ring with a fresh key for HTTP; the old one signs for two more days.

        Peers learn of the fresh one from the next listing, and accept both until then.
        """
        return self._rotate("hop", "ed25519", random=random, now=now, overlap_s=HOP_KEY_OVERLAP_S)

    def drop_expired(self, now: int) -> KeyRing:
        """Give a ring without the keys retired more than `SEAL_KEY_RETIRED_S` ago.

        That destroys them once the file is replaced: what was sealed to them is lost for
        good, and that is the forward secrecy there is (SPEC 5.5). Gives `self` if there is
        nothing to drop.
        """
        left = tuple(entry for entry in self.entries if not entry.expired(now))
        return self if left == self.entries else replace(self, entries=left)

    def to_json(self) -> dict[str, Json]:
        """Give the ring as it stands inside a key file."""
        return {
            "v": 1,
            "holder": "node",
            "network": self.network,
            "authority": self.authority,
            "entries": [entry.to_json() for entry in self.entries],
            "storage_key": to_base64(self.storage_key),
        }

    def _rotate(
        self, purpose: Purpose, algorithm: Algorithm, *, random: Random, now: int, overlap_s: int
    ) -> KeyRing:
        old = _current(self.entries, purpose, algorithm)
        # A clock set back must not stop a rotation: nothing is retired before it was made.
        retired = replace(old, retired=max(now, old.created) + overlap_s)
        kept = tuple(retired if entry is old else entry for entry in self.entries)
        fresh = KeyEntry(purpose, algorithm, _draw(random), created=now)
        return replace(self, entries=(*kept, fresh))


@dataclass(frozen=True, slots=True)
class StewardRing:
    """The private keys of one steward, kept offline: one pair and the steward's name."""

    name: str
    entries: tuple[KeyEntry, ...]

    def __post_init__(self) -> None:
        """Refuse a name that cannot be shown, and anything but one pair."""
        if not 1 <= len(self.name) <= STEWARD_NAME_CHARS_MAX or not self.name.isprintable():
            raise Misuse(f"a steward's name has 1 to {STEWARD_NAME_CHARS_MAX} printable characters")
        _check_entries(self.entries, ("steward",))

    def signers(self) -> SignerPair:
        """Expand the pair that signs network documents; keep the result."""
        return _pair(self.entries, "steward")

    def public_keys(self) -> tuple[PublicKey, ...]:
        """Give both public halves, as they stand in the network document."""
        return self.signers().public

    def to_json(self) -> dict[str, Json]:
        """Give the ring as it stands inside a key file."""
        entries: list[Json] = [entry.to_json() for entry in self.entries]
        return {"v": 1, "holder": "steward", "name": self.name, "entries": entries}


Ring: TypeAlias = KeyRing | StewardRing


def new_ring(network: str, authority: str, *, random: Random, now: int) -> KeyRing:
    """Draw all keys of a new node: every seed is its own 32 bytes from `random`."""
    return KeyRing(network, authority, _fresh(NODE_PURPOSES, random, now), _draw(random))


def new_steward_ring(name: str, *, random: Random, now: int) -> StewardRing:
    """Draw the pair of a new steward."""
    return StewardRing(name, _fresh(("steward",), random, now))


def decode_ring(text: bytes) -> Ring:
    """Decode what was inside a key file; anything but a sound ring is `Malformed`."""
    fields = Fields(decode(text, bytes_max=RING_BYTES_MAX), "ring")
    fields.integer("v", low=1, high=1)
    holder = fields.choice("holder", ("node", "steward"))
    items = fields.items("entries", count_max=ENTRIES_MAX)
    ring: Ring
    try:
        entries = tuple(KeyEntry.from_json(item) for item in items)
        if holder == "steward":
            ring = StewardRing(fields.text("name"), entries)
        else:
            network, authority = fields.text("network"), fields.text("authority")
            ring = KeyRing(network, authority, entries, fields.base64("storage_key"))
    except Misuse as fault:
        raise Malformed(str(fault)) from fault
    fields.done()
    return ring


def _fresh(purposes: tuple[Purpose, ...], random: Random, now: int) -> tuple[KeyEntry, ...]:
    return tuple(
        KeyEntry(purpose, algorithm, _draw(random), created=now)
        for purpose in purposes
        for algorithm in ALGORITHMS[purpose]
    )


def _draw(random: Random) -> bytes:
    seed = random(SEED_BYTES)
    if len(seed) != SEED_BYTES:
        raise Misuse("the source of randomness gave another number of bytes than asked for")
    return seed


def _current(entries: tuple[KeyEntry, ...], purpose: Purpose, algorithm: Algorithm) -> KeyEntry:
    """Find the one key of this purpose and algorithm that is in use."""
    found = [
        entry
        for entry in entries
        if (entry.purpose, entry.algorithm, entry.retired) == (purpose, algorithm, None)
    ]
    if len(found) != 1:
        raise Misuse(f"{len(found)} current {purpose} {algorithm} keys, where one must be")
    return found[0]


def _pair(entries: tuple[KeyEntry, ...], purpose: Purpose) -> SignerPair:
    seeds = [_current(entries, purpose, algorithm).seed for algorithm in ALGORITHMS[purpose]]
    return pair_from_seeds(purpose, seeds)


def _check_entries(
    entries: tuple[KeyEntry, ...], purposes: tuple[Purpose, ...], *, also: bytes = b""
) -> None:
    if len(entries) > ENTRIES_MAX:
        raise Misuse(f"more than {ENTRIES_MAX} keys on one ring: drop those that expired")
    for purpose in purposes:
        for algorithm in ALGORITHMS[purpose]:
            _current(entries, purpose, algorithm)
    if any(entry.purpose not in purposes for entry in entries):
        raise Misuse("a key of a purpose that does not belong on this ring")
    secrets = [also, *(entry.seed for entry in entries)]
    if len(set(secrets)) != len(secrets):
        raise Misuse("one secret used for two keys")


def _check_id(name: str) -> None:
    try:
        check_authority_id(name)
    except Malformed as fault:
        raise Misuse(fault.detail) from fault
