"""Policies: what we write is what C2SP reads, and a checkpoint is judged by one alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.pairs import SignerPair, pair_from_seeds
from protocol.checkpoint import LogKeys, cosign, verify_timed_line, with_cosignatures, witness_name
from protocol.errors import (
    KeyUnknown,
    Malformed,
    Misuse,
    NotAuthentic,
    Rejected,
    TooLarge,
    Unproven,
)
from protocol.limits import POLICY_BYTES_MAX, WITNESSES_MAX
from protocol.note import Note, NoteSignature, VerifierKey, decode_note, decode_verifier_key
from protocol.policy import (
    Policy,
    decode_policy,
    encode_policy,
    log_vkeys,
    verify_by_policy,
    witness_vkeys,
)
from tests.support.histories import KEYS, NOW, ORIGIN, History

TRUE = History()
HEAD = TRUE.head(9)


def _witness(number: int) -> tuple[str, SignerPair]:
    seeds = [bytes([number]) * 32, bytes([number + 100]) * 32]
    return witness_name("regional", f"w{number}.justice"), pair_from_seeds("witness", seeds)


WITNESSES = [_witness(number) for number in range(1, 4)]


def _keys(pair: SignerPair) -> LogKeys:
    return LogKeys(pair.first.public, pair.second.public)


def policy(quorum: int, count: int = 3) -> Policy:
    """Make a policy of some of the witnesses."""
    witnesses = [(name, _keys(pair)) for name, pair in WITNESSES[:count]]
    return decode_policy(encode_policy(ORIGIN, KEYS, witnesses=witnesses, quorum=quorum))


def words(number: int, now: int = NOW) -> tuple[NoteSignature, NoteSignature]:
    """Cosign the head as one of the witnesses, counted from 1."""
    name, pair = WITNESSES[number - 1]
    head = TRUE.checkpoint(9)
    return cosign(head, name=name, ed25519=pair.first, ml_dsa=pair.second, now=now)


def cosigned(*numbers: int) -> bytes:
    """Give the head with the words of some witnesses."""
    return with_cosignatures(HEAD, [line for number in numbers for line in words(number)])


def test_as_many_witnesses_as_the_quorum_are_enough() -> None:
    """Any two of three; each is named with its two lines and the time they say."""
    for pair in ((1, 2), (1, 3), (2, 3), (1, 2, 3)):
        found = verify_by_policy(cosigned(*pair), policy(2))
        assert len(found.cosigned) == 2 * len(pair)
        assert set(found.cosigned.values()) == {NOW}
        assert found.signed.checkpoint == TRUE.checkpoint(9)


@pytest.mark.parametrize("numbers", [(), (1,), (3,)])
def test_fewer_than_the_quorum_prove_nothing_and_accuse_nobody(numbers: tuple[int, ...]) -> None:
    """The checkpoint is the log's; it is not known to be the only one."""
    with pytest.raises(Unproven):
        verify_by_policy(cosigned(*numbers), policy(2))


def test_one_line_of_two_is_no_word() -> None:
    """Both keys of a witness stand in one group, of which all must have signed."""
    halves = [words(number)[number % 2] for number in (1, 2, 3)]
    with pytest.raises(Unproven):
        verify_by_policy(with_cosignatures(HEAD, halves), policy(1))


def test_a_line_that_does_not_hold_refuses_the_checkpoint() -> None:
    """As C2SP has it: a note with a bad line of a known key is no note."""
    first, second = words(1)
    bad = replace(first, raw=first.raw[:-1] + bytes([first.raw[-1] ^ 1]))
    with pytest.raises(NotAuthentic):
        verify_by_policy(with_cosignatures(HEAD, [bad, second]), policy(0))


def test_two_lines_of_one_key_are_refused() -> None:
    """Nobody could say which of them counts."""
    note = decode_note(cosigned(1))
    twice = Note(note.body, (*note.signatures, words(1, NOW + 1)[0])).encode()
    with pytest.raises(NotAuthentic):
        verify_by_policy(twice, policy(1))


def test_lines_of_keys_that_the_policy_does_not_name_are_nobodys() -> None:
    """Neither do they count, nor do they harm."""
    assert verify_by_policy(cosigned(1, 2, 3), policy(1, count=1)).cosigned.keys() == {
        f"{WITNESSES[0][0]}:ed25519", f"{WITNESSES[0][0]}:ml-dsa-44",
    }  # fmt: skip


def test_without_a_quorum_the_log_alone_is_enough() -> None:
    """No witnesses, and it says so."""
    assert policy(0).quorum is None
    assert verify_by_policy(HEAD, policy(0)).cosigned == {}


def test_a_log_needs_exactly_its_two_keys() -> None:
    """To C2SP two `log` lines mean either; one line of two is no checkpoint of ours."""
    ed25519, ml_dsa = log_vkeys(ORIGIN, KEYS)
    other = VerifierKey(ORIGIN, 0x06, b"x" * 1_312).encode()
    for lines in ((), (ed25519,), (ml_dsa,), (ed25519, ml_dsa, other)):
        text = "".join(f"log {line}\n" for line in lines) + "quorum none\n"
        with pytest.raises(KeyUnknown):
            verify_by_policy(HEAD, decode_policy(text.encode()))


def test_a_checkpoint_with_one_line_of_its_log_is_refused() -> None:
    """Whatever the policy can or cannot say."""
    note = decode_note(HEAD)
    for line in note.signatures:
        with pytest.raises(NotAuthentic):
            verify_by_policy(Note(note.body, (line,)).encode(), policy(0))


def test_what_is_written_names_every_key_once() -> None:
    """Nine witnesses, the most there can be."""
    many = [_witness(number) for number in range(1, WITNESSES_MAX + 1)]
    witnesses = [(name, _keys(pair)) for name, pair in many]
    raw = encode_policy(ORIGIN, KEYS, witnesses=witnesses, quorum=6)
    found = decode_policy(raw)
    assert [key.encode() for key in found.logs] == list(log_vkeys(ORIGIN, KEYS))
    expected = [vkey for name, keys in witnesses for vkey in witness_vkeys(name, keys)]
    assert [key.encode() for key in found.witnesses.values()] == expected
    assert (found.groups[-1].threshold, len(found.groups[-1].members)) == (6, 9)
    assert found.quorum == found.groups[-1].name
    assert len(raw) < POLICY_BYTES_MAX // 8


@pytest.mark.parametrize("quorum", [-1, 4])
def test_a_quorum_that_nobody_can_meet_is_a_bug(quorum: int) -> None:
    """The document would have been refused."""
    with pytest.raises(Misuse):
        policy(quorum)


@given(st.sets(st.integers(1, 3)), st.integers(1, 3))
def test_the_quorum_is_met_by_so_many_pairs_and_no_fewer(numbers: set[int], quorum: int) -> None:
    """Pure counting, without a signature."""
    names = [
        f"{WITNESSES[at - 1][0]}:{kind}" for at in numbers for kind in ("ed25519", "ml-dsa-44")
    ]
    assert ("quorum" in policy(quorum).fulfilled(names)) is (len(numbers) >= quorum)


def test_groups_of_groups_are_counted_as_people_write_them() -> None:
    """The example of C2SP: two of three here, any there, and both of these."""
    keys = [witness_vkeys(name, _keys(pair))[at] for name, pair in WITNESSES for at in (0, 1)]
    lines = [f"witness {name} {key}" for name, key in zip("ABCDEF", keys, strict=True)]
    lines += ["group X 2 A B C", "group Y any D E F", "group Z all X Y", "quorum Z"]
    found = decode_policy("".join(f"{line}\n" for line in lines).encode())
    assert {"Z", "X", "Y"} <= found.fulfilled("ABD")
    assert "Z" not in found.fulfilled("AD")
    assert "Z" not in found.fulfilled("ABC")


def test_names_are_opaque_bytes() -> None:
    """Two names that no text can hold are two names."""
    name, pair = WITNESSES[0]
    one, other = (key.encode() for key in witness_vkeys(name, _keys(pair)))
    raw = b"witness \xff %b\nwitness \xfe %b\nquorum \xfe\n" % (one, other)
    found = decode_policy(raw)
    assert found.quorum in found.witnesses
    assert len(found.witnesses) == 2


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"", Malformed),
        (b"quorum none", Malformed),
        (b"quorum\n", Malformed),
        (b"log nothing\nquorum none\n", Malformed),
        (b"group G 1\nquorum none\n", Malformed),
        (b"group G 1 A\nquorum none\n", Malformed),
        (b"\rquorum none\n", Malformed),
        (b"#" * POLICY_BYTES_MAX + b"\n", TooLarge),
    ],
)
def test_what_is_no_policy_is_refused(raw: bytes, fault: type[Rejected]) -> None:
    """The vectors have the rest."""
    with pytest.raises(fault):
        decode_policy(raw)


def test_one_line_is_verified_by_the_key_that_it_names() -> None:
    """And by none that has no time, or is another's."""
    name, pair = WITNESSES[0]
    first, second = (decode_verifier_key(key) for key in witness_vkeys(name, _keys(pair)))
    lines = words(1)
    head = TRUE.checkpoint(9)
    assert verify_timed_line(head, lines[0], first) == NOW
    assert verify_timed_line(head, lines[1], second) == NOW
    with pytest.raises(NotAuthentic):
        verify_timed_line(head, lines[0], second)
    with pytest.raises(Misuse):
        verify_timed_line(head, lines[0], VerifierKey(name, 0x01, first.raw))
