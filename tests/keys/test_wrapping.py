"""Wrapped texts: whole, under the right passphrase, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.wrapping import NODE_COSTS, STEWARD_COSTS, WRAPPED_BYTES_MAX, Costs, unwrap, wrap
from protocol.errors import Misuse, NotAuthentic, Rejected, TooLarge
from tests.support.clock import SeededRandom
from tests.support.keyfiles import PASSPHRASE, QUICK

KNOWN = (
    b'{"kdf":{"mem_bytes":8192,"name":"argon2id13","passes":1,"salt":"Y0ea1poJCyWCd+yPum+ZQQ=="},'
    b'"kind":"comity-key-file","nonce":"eDd7UldXtJRCf4kBT5fXmSjzk40U61Hi","sealed":"hp8q6+jcpsmlaGxKP8qBcjyxRkhvfOoT/pIGk4iMu89qlYx4GA==","v":1}\n'
)


def wrapped(text: bytes = b"text", costs: Costs = QUICK) -> bytes:
    """Wrap a short text, always to the same bytes."""
    return wrap(text, PASSPHRASE, costs, SeededRandom("wrapping"))


def test_the_costs_are_those_that_are_promised() -> None:
    """64 MiB and 3 passes for a node, 1 GiB and 4 for a steward."""
    assert (NODE_COSTS.mem_bytes, NODE_COSTS.passes) == (64 * 2**20, 3)
    assert (STEWARD_COSTS.mem_bytes, STEWARD_COSTS.passes) == (2**30, 4)


def test_a_wrapped_text_of_today_opens_for_ever() -> None:
    """Known bytes: a change of any part of the form would lock people out of their keys."""
    assert unwrap(KNOWN, b"correct horse battery") == b"the keys of an office"


@given(st.binary(max_size=200), st.binary(min_size=1, max_size=80))
def test_what_is_wrapped_unwraps_under_its_passphrase_alone(text: bytes, word: bytes) -> None:
    """Any text, any passphrase; one byte more or less is another passphrase."""
    raw = wrap(text, word, QUICK, SeededRandom("any"))
    assert unwrap(raw, word) == text
    with pytest.raises(NotAuthentic):
        unwrap(raw, word + b"\0")


def test_every_changed_byte_is_noticed() -> None:
    """Wherever a file is damaged, it is refused and nothing else happens."""
    raw = wrapped()
    for at in range(len(raw)):
        with pytest.raises(Rejected):
            unwrap(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :], PASSPHRASE)


def test_every_truncation_is_noticed() -> None:
    """Only the newline at the end means nothing."""
    raw = wrapped()
    for size in range(len(raw) - 1):
        with pytest.raises(Rejected):
            unwrap(raw[:size], PASSPHRASE)
    assert unwrap(raw[:-1], PASSPHRASE) == b"text"
    for more in (b"\n", b" ", b"{}"):
        with pytest.raises(Rejected):
            unwrap(raw + more, PASSPHRASE)


@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_refused(raw: bytes) -> None:
    """Never another exception, whatever lies on the disk."""
    with pytest.raises(Rejected):
        unwrap(raw, PASSPHRASE)


def test_the_size_is_capped_before_anything_is_parsed() -> None:
    """A file of megabytes is no key file."""
    with pytest.raises(TooLarge):
        unwrap(b"[" * (WRAPPED_BYTES_MAX + 1), PASSPHRASE)


def test_an_empty_passphrase_is_a_bug_of_the_caller() -> None:
    """It wraps nothing and unwraps nothing."""
    with pytest.raises(Misuse):
        wrap(b"text", b"", QUICK, SeededRandom())
    with pytest.raises(Misuse):
        unwrap(wrapped(), b"")
