"""The vault: a text opens in its own place, under its own case's key, and nowhere else."""

from __future__ import annotations

import pytest

from node.storage.vault import Vault
from protocol.errors import NotAuthentic
from tests.support.clock import SeededRandom
from tests.support.forge import flipped

TEXT = b"a text that nobody else may read"
CASE, OTHER = "fj.justice/" + "ab" * 16, "fj.justice/" + "cd" * 16


def vault(storage_key: bytes = b"k" * 32) -> Vault:
    """Give a vault."""
    return Vault(storage_key, SeededRandom())


def test_what_was_sealed_opens() -> None:
    """Also in another process, with the same storage key."""
    made = vault()
    wrapped = made.new_key(CASE)
    sealed = made.seal(CASE, wrapped, "one", TEXT)
    assert vault().open(CASE, wrapped, "one", sealed) == TEXT


def test_every_changed_byte_of_a_sealed_text_is_noticed() -> None:
    """Each of them."""
    made = vault()
    wrapped = made.new_key(CASE)
    sealed = made.seal(CASE, wrapped, "one", TEXT)
    for place in range(len(sealed)):
        with pytest.raises(NotAuthentic):
            made.open(CASE, wrapped, "one", flipped(sealed, place))


@pytest.mark.parametrize("size", [0, 1, 23, 24, 39, 40, 60])
def test_a_truncated_text_is_noticed(size: int) -> None:
    """Whatever is left of it."""
    made = vault()
    wrapped = made.new_key(CASE)
    sealed = made.seal(CASE, wrapped, "one", TEXT)
    with pytest.raises(NotAuthentic):
        made.open(CASE, wrapped, "one", sealed[:size])


def test_a_text_does_not_open_in_the_place_of_another() -> None:
    """Rows that were swapped: within a case, between cases, and a key as a text."""
    made = vault()
    wrapped, other = made.new_key(CASE), made.new_key(OTHER)
    sealed = made.seal(CASE, wrapped, "one", TEXT)
    for case, key, identity, text in (
        (CASE, wrapped, "two", sealed),
        (OTHER, other, "one", sealed),
        (OTHER, wrapped, "one", sealed),
        (CASE, other, "one", sealed),
        (CASE, wrapped, "one", wrapped),
    ):
        with pytest.raises(NotAuthentic):
            made.open(case, key, identity, text)


def test_another_storage_key_opens_nothing() -> None:
    """The database alone is not enough."""
    made = vault()
    wrapped = made.new_key(CASE)
    sealed = made.seal(CASE, wrapped, "one", TEXT)
    with pytest.raises(NotAuthentic):
        vault(b"x" * 32).open(CASE, wrapped, "one", sealed)


def test_an_erased_case_key_opens_nothing() -> None:
    """Erasing is destroying the wrapped key."""
    made = vault()
    sealed = made.seal(CASE, made.new_key(CASE), "one", TEXT)
    for gone in (b"", bytes(72), made.new_key(CASE)):
        with pytest.raises(NotAuthentic):
            made.open(CASE, gone, "one", sealed)


def test_one_text_sealed_twice_looks_different() -> None:
    """And neither shows the text."""
    made = vault()
    wrapped = made.new_key(CASE)
    first, second = (made.seal(CASE, wrapped, "one", TEXT) for _ in range(2))
    assert first != second
    assert TEXT not in first + second + wrapped


def test_a_vault_shows_nothing_of_its_keys() -> None:
    """Not in a traceback either."""
    assert repr(vault(b"secret-secret-secret-secret-secr")) == "Vault()"
