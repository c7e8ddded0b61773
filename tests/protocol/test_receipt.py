"""Receipts: whose log, which message, and not one byte changed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.checkpoint import LogKeys
from protocol.errors import NotAuthentic, Rejected, TooLarge
from protocol.limits import RECEIPT_BYTES_MAX
from protocol.receipt import (
    ProvenDecision,
    decode_receipt,
    named_checkpoint,
    verify_receipt,
)
from protocol.record import decode_decision
from tests.support.forge import flipped
from tests.vectors.makers.logs import ORIGIN, receipt_parts
from tests.vectors.makers.messages import ACCEPTED, REFUSED
from tests.vectors.makers.world import FJ, NETWORK, QM, QM_LOG, pair

KEYS = LogKeys(*QM_LOG.public)
PARTS = receipt_parts(ACCEPTED.encode())
RAW = PARTS.encode()


def verify(
    raw: bytes, *, network: str = NETWORK, issuer: str = QM, origin: str = ORIGIN,
    keys: LogKeys = KEYS,
) -> ProvenDecision:  # fmt: skip
    """Verify as the sender would."""
    return verify_receipt(raw, network=network, issuer=issuer, origin=origin, keys=keys)


@pytest.mark.parametrize("decision", [ACCEPTED, REFUSED], ids=lambda one: one.kind)
def test_a_receipt_proves_the_decision(decision: object) -> None:
    """Accepted and finally refused have the same form."""
    record = ACCEPTED.encode() if decision is ACCEPTED else REFUSED.encode()
    raw = receipt_parts(record).encode()
    proven = verify(raw)
    assert proven.decision == decision
    assert proven.raw == raw
    assert (proven.index, proven.signed.checkpoint.size) == (4, 7)


def test_a_receipt_comes_back_byte_for_byte() -> None:
    """Decoding is the inverse of encoding, and nothing inside is shown."""
    receipt = decode_receipt(RAW)
    assert receipt.encode() == RAW
    assert decode_decision(receipt.record) == ACCEPTED
    assert repr(receipt) == "Receipt()"


def test_a_receipt_of_somebody_else_s_log_is_refused() -> None:
    """Other keys, another origin, another issuer, another network."""
    fj_log = pair(FJ, "log")
    mixed = LogKeys(QM_LOG.first.public, fj_log.second.public)
    with pytest.raises(NotAuthentic):
        verify(RAW, keys=LogKeys(*fj_log.public))
    with pytest.raises(NotAuthentic):
        verify(RAW, keys=mixed)
    with pytest.raises(NotAuthentic):
        verify(RAW, origin=ORIGIN.replace("/1", "/2"))
    with pytest.raises(NotAuthentic):
        verify(RAW, issuer="to.justice")
    with pytest.raises(NotAuthentic):
        verify(RAW, network="atlantic")


@given(at=st.integers(0, 100_000), bit=st.integers(0, 7))
@settings(max_examples=300)
def test_no_bit_of_a_receipt_can_be_turned(at: int, bit: int) -> None:
    """In record, salt, path, checkpoint or signatures."""
    with pytest.raises(Rejected):
        verify(flipped(RAW, at, bit))


@given(st.sampled_from(["record", "salt", "checkpoint"]), st.integers(0, 5_000), st.integers(0, 7))
@settings(max_examples=200)
def test_no_bit_inside_a_receipt_can_be_turned(part: str, at: int, bit: int) -> None:
    """The same below the base64, so that the form is right and the proof is not."""
    changed = {
        "record": lambda: replace(PARTS, record=flipped(PARTS.record, at, bit)),
        "salt": lambda: replace(PARTS, salt=flipped(PARTS.salt, at, bit)),
        "checkpoint": lambda: replace(PARTS, checkpoint=flipped(PARTS.checkpoint, at, bit)),
    }[part]()
    with pytest.raises(Rejected):
        verify(changed.encode())


@given(st.integers(0, 100_000))
def test_a_cut_receipt_is_refused(end: int) -> None:
    """At whichever byte."""
    with pytest.raises(Rejected):
        verify(RAW[: end % len(RAW)])


def test_a_receipt_over_its_limit_is_too_large() -> None:
    """Before it is parsed."""
    with pytest.raises(TooLarge):
        decode_receipt(b"x" * (RECEIPT_BYTES_MAX + 1))


def test_the_same_receipt_verified_again_gives_the_same() -> None:
    """A repeat is the same bytes, and verifying has no memory that could differ."""
    assert verify(RAW) == verify(RAW)


def test_a_receipt_names_the_checkpoint_that_it_rests_on() -> None:
    """Enough to find the keys of its log; whatever is no receipt names none."""
    assert named_checkpoint(RAW) == verify(RAW).signed.checkpoint
    with pytest.raises(Rejected):
        named_checkpoint(b"{}")
