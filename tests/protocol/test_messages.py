"""The signed text of a message: a strict frame around an open body."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.dsse import verify_exactly
from protocol.errors import Expired, Malformed, Misuse, NotYet, Rejected, TooLarge
from protocol.limits import MESSAGE_TEXT_BYTES_MAX, SKIPS_MAX
from protocol.messages import (
    Message,
    check_time,
    checked_text,
    decode_inner,
    decode_message_text,
    sign_message,
)
from tests.support.forge import changed
from tests.support.strategies import messages
from tests.vectors.makers.world import ANSWER, ATTACHMENT, FJ, FJ_SIGN, NOW, REQUEST


@given(messages())
def test_a_message_comes_back_from_its_text(message: Message) -> None:
    """Encoding and decoding are inverse, and the text is the only one."""
    text = message.text()
    assert decode_message_text(text) == message
    assert decode_message_text(text).text() == text


@given(messages(), st.integers(0))
def test_a_cut_text_is_malformed(message: Message, end: int) -> None:
    """At whichever byte."""
    text = message.text()
    with pytest.raises(Malformed):
        decode_message_text(text[: end % len(text)])


def test_an_attachment_comes_back() -> None:
    """With all of its fields."""
    message = replace(REQUEST, attachments=(ATTACHMENT,))
    assert decode_message_text(message.text()) == message


def test_the_side_follows_from_the_case() -> None:
    """Whoever opened the case is the requesting side, in every message of it."""
    assert REQUEST.sender_side == "requesting"
    assert ANSWER.sender_side == "requested"


def test_signing_gives_what_a_recipient_can_verify() -> None:
    """The identity, the exact bytes, both signatures."""
    signed = sign_message(REQUEST, FJ_SIGN)
    statement = decode_inner(signed.inner)
    assert verify_exactly(statement, FJ_SIGN.public) == REQUEST.text()
    assert signed.identity == statement.identity


@pytest.mark.parametrize(
    "wrong",
    [
        replace(REQUEST, order=1), replace(REQUEST, recipient=FJ), replace(REQUEST, kind="X"),
        replace(REQUEST, seq=2), replace(REQUEST, expires=NOW), replace(REQUEST, salt=b""),
        replace(REQUEST, skips=("0" * 64,) * 2),
    ],
)  # fmt: skip
def test_a_message_that_no_peer_would_take_is_never_signed(wrong: Message) -> None:
    """Our own side keeps the rules before it signs."""
    with pytest.raises((Misuse, Rejected)):
        sign_message(wrong, FJ_SIGN)


def test_two_messages_with_one_content_have_two_identities() -> None:
    """The salt sees to it, so that an identity cannot be guessed from what was said."""
    other = replace(REQUEST, salt=bytes(32))
    assert sign_message(REQUEST, FJ_SIGN).identity != sign_message(other, FJ_SIGN).identity


def test_neither_salt_nor_body_is_shown() -> None:
    """A message in a traceback says where it stands, not what it says."""
    assert "Bank records" not in repr(REQUEST)
    assert "ledger" not in repr(replace(REQUEST, attachments=(ATTACHMENT,)))
    assert "Bank records" not in repr(sign_message(REQUEST, FJ_SIGN))


def test_a_text_over_its_limit_is_too_large() -> None:
    """Also one byte over, and the refusal comes from its length alone."""
    spare = MESSAGE_TEXT_BYTES_MAX - len(replace(REQUEST, body={"text": ""}).text())
    longest = replace(REQUEST, body={"text": "a" * spare})
    assert decode_message_text(longest.text()) == longest
    assert checked_text(longest) == longest.text()
    longer = replace(REQUEST, body={"text": "a" * (spare + 1)})
    with pytest.raises(TooLarge):
        decode_message_text(longer.text())
    with pytest.raises((Misuse, Rejected)):
        checked_text(longer)


def test_as_many_skips_as_there_may_be() -> None:
    """And their order is kept."""
    skips = tuple(f"{SKIPS_MAX - at:064x}" for at in range(SKIPS_MAX))
    message = replace(REQUEST, seq=SKIPS_MAX + 1, prev=skips[-1], skips=skips)
    assert decode_message_text(message.text()).skips == skips


@pytest.mark.parametrize(
    ("moment", "refusal"),
    [
        (NOW - 301, NotYet), (NOW - 300, None), (NOW, None), (REQUEST.expires, None),
        (REQUEST.expires + 1, Expired),
    ],
)  # fmt: skip
def test_time_is_judged_to_the_second(moment: int, refusal: type[Rejected] | None) -> None:
    """Five minutes of skew before, none after."""
    if refusal is None:
        check_time(REQUEST, moment)
        return
    with pytest.raises(refusal):
        check_time(REQUEST, moment)


def test_an_unknown_field_is_not_quoted() -> None:
    """A field's name may itself be content."""
    with pytest.raises(Malformed) as caught:
        decode_message_text(changed(REQUEST.text(), secret=1))
    assert "secret" not in str(caught.value)
