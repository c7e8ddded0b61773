"""Arbitrary bytes into what has no one encoding to compare with: refused, or read.

People write a policy, key files and rows come from a disk, and headers from anybody.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.directory import Directory
from keys.wrapping import unwrap
from node.transport.form import parse as parse_headers
from protocol import policy
from protocol.encoding import canonical
from protocol.errors import Rejected
from tests.support.strategies import json_values, mutations
from tests.vectors.form import read
from tests.vectors.makers.world import NETWORK


@given(chance=st.data())
@settings(max_examples=150)
def test_a_mutated_policy_gives_a_policy_or_a_refusal(chance: st.DataObject) -> None:
    """People write it, with comments and any white space."""
    name = chance.draw(st.sampled_from(["policy/ok-by-hand", "policy/ok-no-witnesses"]))
    try:
        found = policy.decode_policy(chance.draw(mutations(read(name).body)))
    except Rejected:
        return
    assert found.quorum is None or found.quorum in {*found.witnesses, *(
        one.name for one in found.groups)}  # fmt: skip


@given(st.binary(max_size=100))
def test_any_bytes_are_a_policy_or_a_refusal(raw: bytes) -> None:
    """Noise, with the one line that every policy has."""
    for text in (raw, raw + b"\nquorum none\n"):
        try:
            policy.decode_policy(text)
        except Rejected:
            continue


@given(st.binary(max_size=200) | json_values().map(canonical))
@settings(max_examples=100)
def test_any_bytes_as_a_key_file_are_refused(raw: bytes) -> None:
    """Before anything costly is computed from them."""
    with pytest.raises(Rejected):
        unwrap(raw, b"a passphrase")


@given(st.lists(st.tuples(st.binary(max_size=60), st.integers(0, 9)), max_size=3))
@settings(max_examples=50)
def test_any_rows_of_a_database_leave_a_directory_that_names_them(
    rows: list[tuple[bytes, int]],
) -> None:
    """A database that was tampered with is not believed, and does not stop the node."""
    directory = Directory.from_stored(NETWORK, rows, rows, rows, rows)
    assert directory.chain == ()
    assert len(directory.refused) == 4 * len(rows)


_HEADER = st.sampled_from(
    ["content-type", "Content-Digest", "signature-input", "Signature", "host", "x-other"]
)


@given(st.lists(st.tuples(_HEADER, st.text(max_size=40)), max_size=6))
@settings(max_examples=100)
def test_any_headers_are_refused_or_read(headers: list[tuple[str, str]]) -> None:
    """The signature headers of an HTTP message, before any key is asked."""
    with pytest.raises(Rejected):
        parse_headers(headers)


@given(chance=st.data())
@settings(max_examples=200)
def test_mutated_headers_are_refused_or_read(chance: st.DataObject) -> None:
    """Those of a valid request with one of them changed."""
    head = read("hop-request/ok-post").body.partition(b"\r\n\r\n")[0]
    lines = [line.partition(b": ") for line in head.split(b"\r\n")]
    headers = {name.decode(): value for name, _, value in lines}
    name = chance.draw(st.sampled_from(sorted(headers)))
    headers[name] = chance.draw(mutations(headers[name]))
    try:
        parsed = parse_headers([(key, value.decode("latin-1")) for key, value in headers.items()])
    except Rejected:
        return
    assert len(parsed.key_id) == 64
