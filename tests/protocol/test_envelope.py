"""Sealing and opening: for one recipient, bound to its header, padded exactly."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.envelope import (
    ENVELOPE_BYTES_MAX,
    SealedEnvelope,
    authenticate,
    authenticate_returned,
    check_addressed,
    open_envelope,
    padded_length,
    read_envelope,
    seal,
    seal_returned,
)
from protocol.errors import Malformed, Mismatch, Misuse, NotForUs, Rejected, TooLarge, WrongSender
from protocol.limits import SEALED_TEXT_BYTES_MAX
from protocol.messages import AuthenticMessage, Message, sign_message
from tests.support.forge import envelope_parts
from tests.support.strategies import messages
from tests.vectors.makers.world import FJ, FJ_SIGN, NETWORK, QM, QM_SIGN, REQUEST, seal_key

KEY = seal_key(QM)
PUBLIC = FJ_SIGN.public
FILE_KEY = {"ab" * 32: bytes(range(32))}


def sealed(message: Message = REQUEST) -> SealedEnvelope:
    """Give an envelope of a message by fj.justice."""
    return seal(sign_message(message, FJ_SIGN), KEY.public)


@given(messages())
@settings(max_examples=30)
def test_what_is_sealed_opens_to_the_same_message(message: Message) -> None:
    """Through every step, with the exact signed bytes."""
    pair, key = (FJ_SIGN, KEY) if message.sender == FJ else (QM_SIGN, seal_key(FJ))
    signed = sign_message(message, pair)
    envelope = read_envelope(seal(signed, key.public, FILE_KEY).raw)
    check_addressed(
        envelope, network=NETWORK, recipient=message.recipient, brought_by=message.sender
    )
    opened = open_envelope(envelope, key)
    assert opened.identity == signed.identity
    assert authenticate(opened, pair.public) == signed
    assert opened.file_keys == FILE_KEY


def test_a_message_sealed_again_keeps_its_identity() -> None:
    """Another envelope, another digest, the same message."""
    one, other = sealed(), sealed()
    assert one.digest != other.digest
    signed = sign_message(REQUEST, FJ_SIGN)
    again = [seal(signed, KEY.public), seal(signed, seal_key(FJ).public)]
    assert open_envelope(again[0], KEY).identity == signed.identity
    assert open_envelope(again[1], seal_key(FJ)).identity == signed.identity


def test_reading_gives_what_sealing_gave() -> None:
    """Header, digest and bytes."""
    envelope = sealed()
    assert read_envelope(envelope.raw) == envelope


@given(st.integers(0, 12_000))
def test_an_envelope_cut_at_any_byte_is_refused(end: int) -> None:
    """By its form or, beyond the shortest possible, because it does not open."""
    raw = _RAW[: end % len(_RAW)]
    with pytest.raises(Rejected):
        open_envelope(read_envelope(raw), KEY)


_RAW = sealed().raw


@given(st.integers(0, 100_000), st.integers(0, 7))
@settings(max_examples=200)
def test_no_bit_of_an_envelope_can_be_turned(at: int, bit: int) -> None:
    """In the clear or in the sealed part."""
    place = at % len(_RAW)
    raw = _RAW[:place] + bytes([_RAW[place] ^ 1 << bit]) + _RAW[place + 1 :]
    with pytest.raises((Rejected, Misuse)):  # Misuse: another key id, which its caller looks up
        open_envelope(read_envelope(raw), KEY)


def test_the_one_who_brings_it_must_be_the_sender_unless_it_is_a_relay() -> None:
    """And it is for this recipient in this network alone."""
    envelope = sealed()
    check_addressed(envelope, network=NETWORK, recipient=QM, brought_by=None)
    with pytest.raises(WrongSender):
        check_addressed(envelope, network=NETWORK, recipient=QM, brought_by=QM)
    with pytest.raises(NotForUs):
        check_addressed(envelope, network=NETWORK, recipient=FJ, brought_by=FJ)
    with pytest.raises(NotForUs):
        check_addressed(envelope, network="other", recipient=QM, brought_by=FJ)


def test_a_caller_that_takes_the_wrong_key_has_a_bug() -> None:
    """Keys are found by the id in the header, before anything is opened."""
    with pytest.raises(Misuse):
        open_envelope(sealed(), seal_key(FJ))
    with pytest.raises(Misuse):
        seal(sign_message(REQUEST, FJ_SIGN), FJ_SIGN.first.public)


@pytest.mark.parametrize(
    "keys", [{"00": bytes(32)}, {"AB" * 32: bytes(32)}, {"ab" * 32: bytes(31)}]
)
def test_file_keys_are_named_by_a_digest(keys: dict[str, bytes]) -> None:
    """Ours too: a caller with others has a bug."""
    with pytest.raises(Misuse):
        seal(sign_message(REQUEST, FJ_SIGN), KEY.public, keys)


def test_more_file_keys_than_there_may_be_are_malformed() -> None:
    """Sixty-four files, as attachments."""
    many = {f"{at:064x}": bytes(32) for at in range(65)}
    envelope = seal(sign_message(REQUEST, FJ_SIGN), KEY.public, many)
    with pytest.raises(Malformed):
        open_envelope(envelope, KEY)


def test_a_header_over_its_limit_is_never_sealed() -> None:
    """It cannot happen with names in their grammar; a caller without has a bug."""
    message = replace(REQUEST, network="n" * 2_048)
    signed = AuthenticMessage(message, "", b"")
    with pytest.raises(Misuse):
        seal(signed, KEY.public)


def test_a_message_that_does_not_fit_is_too_large() -> None:
    """By its padded length."""
    signed = replace(sign_message(REQUEST, FJ_SIGN), inner=b"x" * (SEALED_TEXT_BYTES_MAX - 10))
    assert len(seal(signed, KEY.public).raw) < ENVELOPE_BYTES_MAX
    for more in (1, 3, 100):
        longer = replace(signed, inner=signed.inner + b"x" * more)
        with pytest.raises(TooLarge):
            seal(longer, KEY.public)
    with pytest.raises(TooLarge):
        read_envelope(bytes(ENVELOPE_BYTES_MAX + 1))


# --- padding -------------------------------------------------------------------------------


@given(st.integers(1, SEALED_TEXT_BYTES_MAX))
def test_padding_follows_the_formula_and_costs_little(length: int) -> None:
    """Padmé as it is written in its paper, and at least 256."""
    padded = padded_length(length)
    if length < 256:
        assert padded == 256
        return
    exponent = math.floor(math.log2(length))
    step = 2 ** (exponent - (math.floor(math.log2(exponent)) + 1))
    assert padded == math.ceil(length / step) * step
    assert length <= padded <= length * 1.12
    assert padded_length(padded) == padded


def test_texts_of_one_bucket_have_one_size() -> None:
    """Sizes of envelopes are those of Padmé, whatever was said in them."""
    sizes = {
        len(seal(sign_message(replace(REQUEST, body={"text": "a" * length}), FJ_SIGN),
                 KEY.public).raw)
        for length in range(400, 480, 16)
    }  # fmt: skip
    assert len(sizes) == 1


# --- who wrote it --------------------------------------------------------------------------


def test_a_third_party_cannot_seal_a_message_on() -> None:
    """Neither under the old names, to itself, nor under new ones to somebody else."""
    signed = sign_message(REQUEST, FJ_SIGN)
    third = seal_key("to.justice")
    parts = envelope_parts(REQUEST, FJ_SIGN, third.public)
    onward = read_envelope(parts.encode())
    with pytest.raises(NotForUs):
        check_addressed(onward, network=NETWORK, recipient="to.justice", brought_by=QM)
    renamed = read_envelope(parts.with_header(to="to.justice", from_=QM).encode())
    check_addressed(renamed, network=NETWORK, recipient="to.justice", brought_by=QM)
    with pytest.raises(Rejected) as caught:
        authenticate(open_envelope(renamed, third), QM_SIGN.public)
    assert caught.value.code == "not-authentic"
    kept = read_envelope(parts.with_header(to="to.justice").encode())
    with pytest.raises(Rejected) as caught:
        authenticate(open_envelope(kept, third), FJ_SIGN.public)
    assert caught.value.code == "mismatch"
    assert signed.message.recipient == QM


@pytest.mark.parametrize("caller", [FJ, QM])
def test_a_message_is_returned_to_either_of_its_sides(caller: str) -> None:
    """The one who lost it reads it as it was signed; the header names the other as sender."""
    signed = sign_message(REQUEST, FJ_SIGN)
    key = seal_key(caller)
    envelope = seal_returned(signed, caller, key.public)
    assert (envelope.header.recipient, envelope.header.sender) == (
        caller,
        (FJ if caller == QM else QM),
    )
    opened = open_envelope(read_envelope(envelope.raw), key)
    assert authenticate_returned(opened, PUBLIC) == signed
    if caller == FJ:
        with pytest.raises(Mismatch):
            authenticate(opened, PUBLIC)


def test_a_message_is_returned_to_nobody_else() -> None:
    """Nor under a header that differs from what was signed."""
    signed = sign_message(REQUEST, FJ_SIGN)
    with pytest.raises(Misuse):
        seal_returned(signed, "to.justice", seal_key(FJ).public)
    key = seal_key(FJ)
    other = replace(signed, message=replace(REQUEST, expires=REQUEST.expires - 1))
    opened = open_envelope(seal_returned(other, FJ, key.public), key)
    with pytest.raises(Mismatch):
        authenticate_returned(opened, PUBLIC)


def test_nothing_secret_is_shown() -> None:
    """An opened envelope in a traceback names its header and digest alone."""
    opened = open_envelope(sealed(), KEY)
    assert "payload" not in repr(opened)
    assert "file_keys" not in repr(opened)
    assert repr(sealed().raw)[2:20] not in repr(sealed())
