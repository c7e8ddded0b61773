"""Rings of keys: complete, without doubles, and rotated without losing what is on its way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from keys.ring import (
    ENTRIES_MAX,
    KeyEntry,
    KeyRing,
    Ring,
    StewardRing,
    decode_ring,
    new_ring,
    new_steward_ring,
)
from protocol.encoding import canonical
from protocol.errors import Malformed, Misuse, NotAuthentic
from protocol.identity import ALGORITHMS
from protocol.limits import HOP_KEY_OVERLAP_S, SEAL_KEY_RETIRED_S
from protocol.primitives import hpke_open, hpke_seal
from tests.support.clock import START, SeededRandom

DAY_S = 86_400


def ring(seed: str = "ring") -> KeyRing:
    """Give a fresh ring of one authority."""
    return new_ring("harbour", "qm.justice", random=SeededRandom(seed), now=START)


def steward(seed: str = "steward") -> StewardRing:
    """Give a fresh ring of one steward."""
    return new_steward_ring("Council of Ministers", random=SeededRandom(seed), now=START)


def test_a_new_ring_has_every_key_of_a_node_and_no_key_twice() -> None:
    """One current key for each purpose and algorithm, each with its own key id."""
    made = ring()
    public = made.public_keys()
    expected = [
        (purpose, algorithm)
        for purpose in ("sign", "log", "witness", "seal", "hop")
        for algorithm in ALGORITHMS[purpose]
    ]
    assert [(key.purpose, key.algorithm) for key in public] == expected
    assert len({key.raw for key in public}) == len(expected)
    secrets = {entry.seed for entry in made.entries} | {made.storage_key}
    assert len(secrets) == len(expected) + 1


def test_the_parts_of_a_ring_agree_with_its_public_keys() -> None:
    """What signs and opens is what the listing will show."""
    made = ring()
    used = [key for purpose in ("sign", "log", "witness") for key in made.signers(purpose).public]
    used += [made.seal_keys(START)[0].public, made.hop().public]
    assert tuple(used) == made.public_keys()
    assert tuple(entry.public() for entry in made.entries) == made.public_keys()


def test_a_steward_ring_signs_as_a_steward_and_as_nothing_else() -> None:
    """It holds one pair, and a node's ring holds none of it."""
    made = steward()
    assert [key.purpose for key in made.public_keys()] == ["steward", "steward"]
    assert made.signers().public == made.public_keys()
    with pytest.raises(Misuse):
        ring().signers("steward")


def test_purposes_with_one_algorithm_have_no_signers() -> None:
    """`seal` opens and `hop` has its own way: asking for a pair is a bug."""
    for purpose in ("seal", "hop"):
        with pytest.raises(Misuse):
            ring().signers(purpose)


def test_nothing_secret_is_in_what_a_ring_shows() -> None:
    """A ring that slips into a log shows purposes and times, no seed and no storage key."""
    for made in (ring(), steward()):
        shown = f"{made!r} {made}"
        for entry in made.entries:
            assert entry.seed.hex() not in shown
            assert repr(entry.seed)[2:-1] not in shown
        assert "seed" not in shown
        assert "storage" not in shown


def test_a_rotated_seal_key_still_opens_what_was_sealed_before() -> None:
    """An envelope under way at the rotation opens for 35 days, and not a second longer."""
    old = ring()
    sealed = hpke_seal(old.seal_keys(START)[0].public, b"info", b"text")
    rotated_at = START + 90 * DAY_S
    new = old.rotate_seal(random=SeededRandom("next"), now=rotated_at)
    last = rotated_at + SEAL_KEY_RETIRED_S
    newest, retired = new.seal_keys(last)
    assert newest.public != retired.public == old.seal_keys(START)[0].public
    assert hpke_open(retired, b"info", sealed) == b"text"
    with pytest.raises(NotAuthentic):
        hpke_open(newest, b"info", sealed)
    assert [key.public for key in new.seal_keys(last + 1)] == [newest.public]


def test_seal_keys_come_newest_first() -> None:
    """Most envelopes are sealed to the newest key, so it is found first."""
    made = ring()
    expected = [made.seal_keys(START)[0].public.key_id]
    for day in (0, 1, 2):  # also twice in one second
        made = made.rotate_seal(random=SeededRandom(f"day {day}"), now=START + day * DAY_S)
        expected.insert(0, made.seal_keys(START)[0].public.key_id)
        shown = [key.public.key_id for key in made.seal_keys(START + day * DAY_S)]
        assert shown == expected


def test_a_retired_key_is_destroyed_when_its_time_is_over_and_not_before() -> None:
    """Nothing of its seed is left in the ring, and nothing else is missing."""
    old = ring()
    seeds = {entry.seed for entry in old.entries if entry.purpose in {"seal", "hop"}}
    new = old.rotate_seal(random=SeededRandom("s"), now=START)
    new = new.rotate_hop(random=SeededRandom("h"), now=START)
    assert new.drop_expired(START + SEAL_KEY_RETIRED_S) is new
    left = new.drop_expired(START + SEAL_KEY_RETIRED_S + HOP_KEY_OVERLAP_S + 1)
    assert {entry.seed for entry in new.entries} - {entry.seed for entry in left.entries} == seeds
    assert left.public_keys() == new.public_keys()
    assert left.storage_key == old.storage_key


def test_a_current_key_never_expires() -> None:
    """However old it is: a node that was not looked after still opens its mail."""
    far = START + 40 * 365 * DAY_S
    assert ring().drop_expired(far) == ring()
    assert len(ring().seal_keys(far)) == 1


@pytest.mark.parametrize(
    ("rotate", "purpose", "overlap_s"),
    [(KeyRing.rotate_seal, "seal", 0), (KeyRing.rotate_hop, "hop", HOP_KEY_OVERLAP_S)],
)
def test_a_rotation_changes_one_key_and_keeps_the_old_ring_as_it_was(
    rotate: Callable[..., KeyRing], purpose: str, overlap_s: int
) -> None:
    """The one key is new, all others are the same, and the old one has an end."""
    old = ring()
    new = rotate(old, random=SeededRandom("other"), now=START + 5)
    assert old == ring()
    changed = [
        now.purpose
        for before, now in zip(old.public_keys(), new.public_keys(), strict=True)
        if before != now
    ]
    assert changed == [purpose]
    assert [entry.retired for entry in new.entries if entry.retired is not None] == [
        START + 5 + overlap_s
    ]


def test_the_oldest_hop_key_signs_until_its_end() -> None:
    """Peers that have not heard of the new one still know whose signature it is."""
    old = ring()
    new = old.rotate_hop(random=SeededRandom("one"), now=START)
    newest = new.rotate_hop(random=SeededRandom("two"), now=START + 3_600)
    signers = [signer.public for signer in (old.hop(), new.hop(), newest.hop())]
    ends = [START + HOP_KEY_OVERLAP_S, START + 3_600 + HOP_KEY_OVERLAP_S, None]
    assert [until for until, _ in newest.hop_signers(START)] == ends
    for moment, left in ((ends[0], 0), (ends[1], 1)):
        assert moment is not None
        before = [signer.public for _, signer in newest.hop_signers(moment - 1)]
        after = [signer.public for _, signer in newest.hop_signers(moment)]
        assert (before, after) == (signers[left:], signers[left + 1 :])


def test_a_clock_set_back_does_not_stop_a_rotation() -> None:
    """The old key counts as retired when it was made, which is never before."""
    new = ring().rotate_seal(random=SeededRandom("other"), now=START - 3_600)
    assert [entry.retired for entry in new.entries if entry.retired is not None] == [START]


def _without(purpose: str) -> Callable[[KeyRing], KeyRing]:
    return lambda made: replace(
        made, entries=tuple(entry for entry in made.entries if entry.purpose != purpose)
    )


BROKEN: dict[str, Callable[[KeyRing], object]] = {
    "no sign keys": _without("sign"),
    "no seal key": _without("seal"),
    "no keys": lambda made: replace(made, entries=()),
    "a key twice": lambda made: replace(made, entries=(*made.entries, made.entries[0])),
    "two current keys": lambda made: replace(
        made, entries=(*made.entries, KeyEntry("hop", "ed25519", b"h" * 32, START))
    ),
    "a retired key with a seed in use": lambda made: replace(
        made, entries=(*made.entries, replace(made.entries[0], retired=START))
    ),
    "a steward's key": lambda made: replace(made, entries=made.entries + steward().entries),
    "a seed as storage key": lambda made: replace(made, storage_key=made.entries[0].seed),
    "a short storage key": lambda made: replace(made, storage_key=b"k" * 31),
    "an id that is none": lambda made: replace(made, authority="QM Justice"),
    "a network that is none": lambda made: replace(made, network=""),
    "too many keys": lambda made: replace(
        made,
        entries=made.entries
        + tuple(
            KeyEntry("hop", "ed25519", at.to_bytes(32, "big"), START, START)
            for at in range(ENTRIES_MAX)
        ),
    ),
    "a short seed": lambda made: replace(made.entries[0], seed=b"s" * 31),
    "another algorithm": lambda made: replace(made.entries[0], algorithm="x-wing"),
    "retired before made": lambda made: replace(made.entries[0], retired=START - 1),
    "made before all time": lambda made: replace(made.entries[0], created=-1),
    "bad chance": lambda made: made.rotate_hop(random=lambda size: b"r" * (size - 1), now=START),
    "constant chance": lambda made: new_ring(
        "harbour", "qm.justice", random=lambda size: b"r" * size, now=START
    ),
    "a steward without a name": lambda made: replace(steward(), name=""),
    "a steward's name with a newline": lambda made: replace(steward(), name="a\nb"),
    "a steward's name too long": lambda made: replace(steward(), name="a" * 129),
    "a steward with a node's keys": lambda made: replace(steward(), entries=made.entries),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_ring_that_is_not_whole_cannot_be_built(how: str) -> None:
    """What holds at the start holds always: no method of a ring has to look again."""
    with pytest.raises(Misuse):
        BROKEN[how](ring())


@pytest.mark.parametrize(
    "made",
    [ring(), steward(), ring().rotate_seal(random=SeededRandom("x"), now=START + 1)],
    ids=["node", "steward", "rotated"],
)
def test_what_a_ring_writes_it_reads(made: Ring) -> None:
    """Also the times of keys that are retired."""
    assert decode_ring(canonical(made.to_json())) == made


def _texts() -> dict[str, bytes]:
    node, office = ring().to_json(), steward().to_json()
    entry = ring().entries[0].to_json()
    texts = {
        "empty": b"",
        "not JSON": b"{",
        "not an object": b"[]",
        "not canonical": canonical(node).replace(b":", b": ", 1),
        "another version": canonical({**node, "v": 2}),
        "another holder": canonical({**node, "holder": "court"}),
        "a node that says it is a steward": canonical({**node, "holder": "steward"}),
        "a steward that says it is a node": canonical({**office, "holder": "node"}),
        "an unknown field": canonical({**node, "note": ""}),
        "no keys": canonical({**node, "entries": []}),
        "an id that is none": canonical({**node, "authority": "QM"}),
        "a short storage key": canonical({**node, "storage_key": "AAAA"}),
    }
    changes: dict[str, dict[str, int | str | None]] = {
        "an unknown purpose": {"purpose": "court"},
        "an unknown algorithm": {"algorithm": "rsa"},
        "an algorithm of another purpose": {"algorithm": "x-wing"},
        "a short seed": {"seed": "AAAA"},
        "no time": {"created": None},
        "retired before made": {"retired": 1},
        "an unknown field of a key": {"note": "x"},
    }
    for name, change in changes.items():
        entries = [{**entry, **change}, *(one.to_json() for one in ring().entries[1:])]
        texts[name] = canonical({**node, "entries": entries})
    return texts


@pytest.mark.parametrize("how", _texts())
def test_what_is_not_a_sound_ring_is_malformed(how: str) -> None:
    """The inside of a key file is decoded as strictly as what comes from a peer."""
    with pytest.raises(Malformed):
        decode_ring(_texts()[how])
