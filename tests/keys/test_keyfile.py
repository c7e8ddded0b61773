"""The key file: opens for its passphrase, for nobody else, and is never half key_file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import nacl.exceptions
import pytest

from keys.keyfile import (
    KeyFileError,
    KeyRing,
    new_steward_ring,
    read_key_file,
    read_steward_file,
    write_key_file,
)
from protocol.encoding import canonical, from_base64, to_base64
from protocol.errors import Misuse
from tests.support.clock import START
from tests.support.keyfiles import PASSPHRASE, QUICK, ring, write

UNCLEAR = "the passphrase is wrong or the file was altered"


# --- what is written is read -----------------------------------------------


def test_what_is_written_is_read(key_path: Path) -> None:
    """Keys, times, ids and the storage key, also of a ring with retired keys."""
    made = ring().rotate_seal(random=os.urandom, now=START + 1)
    write(key_path, made)
    assert read_key_file(key_path, PASSPHRASE) == made


def test_a_node_s_file_has_the_cost_that_is_promised(key_path: Path) -> None:
    """64 MiB and 3 passes of Argon2id, written in the file and needed to open it."""
    write_key_file(key_path, ring(), PASSPHRASE, strength="node", random=os.urandom)
    kdf = json.loads(key_path.read_bytes())["kdf"]
    assert (kdf["name"], kdf["mem_bytes"], kdf["passes"]) == ("argon2id13", 64 * 2**20, 3)
    assert read_key_file(key_path, PASSPHRASE) == ring()


def test_a_steward_s_keys_are_never_wrapped_at_the_cost_of_a_node(key_path: Path) -> None:
    """They are worth more, and are opened a few times a year."""
    steward = new_steward_ring("Council", random=os.urandom, now=START)
    with pytest.raises(Misuse):
        write_key_file(key_path, steward, PASSPHRASE, strength="node", random=os.urandom)
    assert list(key_path.parent.iterdir()) == []


def test_a_steward_s_file_and_a_node_s_are_not_taken_for_each_other(key_path: Path) -> None:
    """Whoever confuses the two is told which is which."""
    steward = new_steward_ring("Council", random=os.urandom, now=START)
    write(key_path, steward)
    assert read_steward_file(key_path, PASSPHRASE) == steward
    with pytest.raises(KeyFileError, match="of a steward"):
        read_key_file(key_path, PASSPHRASE)
    write(key_path, ring(), replace=True)
    with pytest.raises(KeyFileError, match="of a node"):
        read_steward_file(key_path, PASSPHRASE)


def test_the_form_is_the_one_that_is_documented(key_file: Path) -> None:
    """One line of canonical JSON with the fields that TRUST.md names."""
    raw = key_file.read_bytes()
    outer = json.loads(raw)
    assert canonical(outer) + b"\n" == raw
    assert sorted(outer) == ["kdf", "kind", "nonce", "sealed", "v"]
    assert sorted(outer["kdf"]) == ["mem_bytes", "name", "passes", "salt"]


def test_no_secret_and_no_name_is_in_the_file_in_clear(key_file: Path) -> None:
    """Neither a seed, nor the storage key, nor whose file it is."""
    raw = key_file.read_bytes()
    secrets = [entry.seed for entry in ring().entries] + [ring().storage_key]
    for form in (bytes, bytes.hex, to_base64):
        for secret in (*secrets, PASSPHRASE):
            shown = form(secret)
            assert (shown.encode() if isinstance(shown, str) else shown) not in raw
    assert b"qm.justice" not in raw


def test_two_writings_of_one_ring_share_neither_salt_nor_nonce(key_path: Path) -> None:
    """So no key and nonce ever seal two texts."""
    write(key_path, ring())
    one = json.loads(key_path.read_bytes())
    write(key_path, ring(), replace=True)
    two = json.loads(key_path.read_bytes())
    assert one["kdf"]["salt"] != two["kdf"]["salt"]
    assert one["nonce"] != two["nonce"]


# --- wrong passphrase, damage ----------------------------------------------


@pytest.mark.parametrize("passphrase", [b"a long enough passphrasE", PASSPHRASE + b"\n", b"x"])
def test_another_passphrase_opens_nothing(key_file: Path, passphrase: bytes) -> None:
    """And the message does not claim to know whether passphrase or file is at fault."""
    with pytest.raises(KeyFileError, match=UNCLEAR):
        read_key_file(key_file, passphrase)


def test_damage_anywhere_is_noticed(key_file: Path) -> None:
    """A changed byte or a lost end is told in a sentence; `test_wrapping` tries every one."""
    raw = key_file.read_bytes()
    for at in range(0, len(raw), 97):
        for damaged in (raw[:at], raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]):
            key_file.write_bytes(damaged)
            with pytest.raises(KeyFileError):
                read_key_file(key_file, PASSPHRASE)


Outer = dict[str, object]
ALTERED: dict[str, Callable[[Outer, Outer], Outer]] = {
    "memory": lambda outer, kdf: {**outer, "kdf": {**kdf, "mem_bytes": 16_384}},
    "passes": lambda outer, kdf: {**outer, "kdf": {**kdf, "passes": 2}},
    "salt": lambda outer, kdf: {**outer, "kdf": {**kdf, "salt": to_base64(b"s" * 16)}},
    "nonce": lambda outer, _: {**outer, "nonce": to_base64(b"n" * 24)},
    "first byte": lambda outer, _: {
        **outer, "sealed": to_base64(b"\0" + from_base64(str(outer["sealed"]))[1:])
    },
}  # fmt: skip


@pytest.mark.parametrize("what", ALTERED)
def test_every_field_of_the_frame_is_authenticated(key_file: Path, what: str) -> None:
    """An altered file gives the very message of a wrong passphrase."""
    outer = json.loads(key_file.read_bytes())
    key_file.write_bytes(canonical(ALTERED[what](outer, outer["kdf"])))  # type: ignore[arg-type]  # json gives any value
    with pytest.raises(KeyFileError, match=UNCLEAR):
        read_key_file(key_file, PASSPHRASE)


FOREIGN: dict[str, Callable[[Outer, Outer], Outer]] = {
    "100 GiB of memory": lambda outer, kdf: {**outer, "kdf": {**kdf, "mem_bytes": 100 * 2**30}},
    "a byte over 1 GiB": lambda outer, kdf: {**outer, "kdf": {**kdf, "mem_bytes": 2**30 + 1}},
    "no memory": lambda outer, kdf: {**outer, "kdf": {**kdf, "mem_bytes": 8_191}},
    "a year of passes": lambda outer, kdf: {**outer, "kdf": {**kdf, "passes": 2**32}},
    "11 passes": lambda outer, kdf: {**outer, "kdf": {**kdf, "passes": 11}},
    "no passes": lambda outer, kdf: {**outer, "kdf": {**kdf, "passes": 0}},
    "another derivation": lambda outer, kdf: {**outer, "kdf": {**kdf, "name": "scrypt"}},
    "no salt": lambda outer, kdf: {**outer, "kdf": {**kdf, "salt": ""}},
    "a field more in kdf": lambda outer, kdf: {**outer, "kdf": {**kdf, "lanes": 4}},
    "a short nonce": lambda outer, _: {**outer, "nonce": to_base64(b"n" * 12)},
    "another version": lambda outer, _: {**outer, "v": 2},
    "another kind": lambda outer, _: {**outer, "kind": "comity-backup"},
    "empty seal": lambda outer, _: {**outer, "sealed": ""},
    "short seal": lambda outer, _: {**outer, "sealed": to_base64(b"s" * 15)},
    "a field more": lambda outer, _: {**outer, "comment": ""},
}


@pytest.mark.parametrize("what", FOREIGN)
def test_what_is_not_our_form_is_refused_before_any_work(key_file: Path, what: str) -> None:
    """A file that somebody put there cannot make a node eat all memory or compute for days."""
    outer = json.loads(key_file.read_bytes())
    key_file.write_bytes(canonical(FOREIGN[what](outer, outer["kdf"])))  # type: ignore[arg-type]  # json gives any value
    with pytest.raises(KeyFileError, match="is not a key file"):
        read_key_file(key_file, PASSPHRASE)


def test_another_encoding_of_the_same_file_is_refused(key_file: Path) -> None:
    """One file has one form: pretty-printing it is a change."""
    key_file.write_text(json.dumps(json.loads(key_file.read_bytes()), indent=1))
    with pytest.raises(KeyFileError, match="is not a key file"):
        read_key_file(key_file, PASSPHRASE)


def test_a_huge_file_is_refused_without_being_read(key_file: Path) -> None:
    """A sparse terabyte does not come into memory."""
    os.truncate(key_file, 2**40)
    with pytest.raises(KeyFileError, match="too large"):
        read_key_file(key_file, PASSPHRASE)


@pytest.mark.parametrize("failure", [MemoryError, nacl.exceptions.RuntimeError])
def test_the_sentence_says_so_when_memory_is_not_enough(
    key_file: Path, monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
) -> None:
    """A small machine with a steward's file gets no traceback, reading or writing."""

    def no_memory(*_: object, **__: object) -> bytes:
        raise failure

    monkeypatch.setattr("nacl.pwhash.argon2id.kdf", no_memory)
    with pytest.raises(KeyFileError, match="Not enough memory"):
        read_key_file(key_file, PASSPHRASE)
    with pytest.raises(KeyFileError, match="Not enough memory"):
        write(key_file, ring(), replace=True)


def test_a_ring_from_a_newer_version_opens_but_is_not_used(
    key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The passphrase was right, and the message does not blame it."""
    monkeypatch.setattr(KeyRing, "to_json", lambda _: {"v": 2})
    write(key_file, ring(), replace=True)
    with pytest.raises(KeyFileError, match="use the version that wrote it"):
        read_key_file(key_file, PASSPHRASE)


def test_an_empty_passphrase_wraps_nothing(key_path: Path) -> None:
    """That would be a key file in clear: a bug of the caller."""
    with pytest.raises(Misuse):
        write_key_file(key_path, ring(), b"", strength="node", random=os.urandom, costs=QUICK)
    assert list(key_path.parent.iterdir()) == []
