"""The envelope: a message sealed to one recipient (SPEC 5).

Sealing is one function. Opening is a ladder of functions, each taking only what the one
before gives, in the order of SPEC 5.3, so that a step cannot be left out:

    read_envelope(raw)            steps 1-2   SealedEnvelope   the form is right
    check_addressed(envelope, …)  steps 3-4                    for us, from who brought it
    open_envelope(envelope, key)  steps 7-10  OpenedEnvelope   it was sealed to us
    authenticate(opened, keys)    steps 13-15 AuthenticMessage its sender signed it

What lies between needs stored state and belongs to the caller: is the envelope known
(step 5), which of our keys (6), is the identity known (11), epoch and permission (12), and
after it time, sequence and commit (16-18). This module has no state, clock or key store.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from protocol import dsse
from protocol.digest import sha256, sha256_hex
from protocol.encoding import HEX64, Fields, Json, canonical, decode, from_base64, to_base64
from protocol.errors import (
    Malformed,
    Mismatch,
    Misuse,
    NotForUs,
    SuiteUnknown,
    TooLarge,
    WrongSender,
)
from protocol.identity import PublicKey, check_authority_id
from protocol.limits import (
    FILE_KEYS_MAX,
    HEADER_BYTES_MAX,
    INNER_BYTES_MAX,
    SEALED_TEXT_BYTES_MAX,
)
from protocol.messages import AuthenticMessage, Message, decode_inner, decode_message_text
from protocol.primitives import (
    AEAD_TAG_BYTES,
    X_WING_ENC_BYTES,
    SealPrivate,
    hpke_open,
    hpke_seal,
)

MAGIC: Final = b"COMITY-1"
SUITE: Final = "hpke-647a-0001-0002"
SUITES: Final = (SUITE,)
"""The suites we know, weakest first; a peer's minimum is one of them."""

ENVELOPE_BYTES_MAX: Final = (
    len(MAGIC) + 4 + HEADER_BYTES_MAX + X_WING_ENC_BYTES + SEALED_TEXT_BYTES_MAX + AEAD_TAG_BYTES
)
_INFO_LABEL: Final = b"comity/v1/seal\0"
_PADDED_BYTES_MIN: Final = 256
_FILE_KEY_BYTES: Final = 32
_KEYS_BYTES_MAX: Final = 16_384


@dataclass(frozen=True, slots=True)
class Header:
    """What stands outside, in clear: who, to whom, under which key, until when."""

    network: str
    epoch: int
    sender: str
    recipient: str
    key_id: str
    created: int
    expires: int
    suite: str = SUITE

    def encode(self) -> bytes:
        """Give the canonical bytes of the header (SPEC 5.1)."""
        return canonical(
            {
                "v": 1,
                "suite": self.suite,
                "network": self.network,
                "epoch": self.epoch,
                "from": self.sender,
                "to": self.recipient,
                "kid": self.key_id,
                "created": self.created,
                "expires": self.expires,
            }
        )


@dataclass(frozen=True, slots=True)
class SealedEnvelope:
    """An envelope whose outer form is right. Nothing in its header is proved yet."""

    header: Header
    digest: str
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpenedEnvelope:
    """What was inside an envelope sealed to us. Who wrote it is not proved yet."""

    header: Header
    digest: str
    statement: dsse.Unverified = field(repr=False)
    inner: bytes = field(repr=False)
    file_keys: Mapping[str, bytes] = field(repr=False)

    @property
    def identity(self) -> str:
        """The identity of the message inside (SPEC 3.2)."""
        return self.statement.identity


def seal(
    message: AuthenticMessage, recipient: PublicKey, file_keys: Mapping[str, bytes] | None = None
) -> SealedEnvelope:
    """Seal a signed message to its recipient's `seal` key (SPEC 5.2).

    The same message may be sealed again, to another key of the same recipient; its identity
    does not change. Raises `Misuse` for a key of another purpose, `TooLarge` if the text
    does not fit.
    """
    text = message.message
    return _seal(message, text.sender, text.recipient, recipient, file_keys or {})


def seal_returned(message: AuthenticMessage, caller: str, key: PublicKey) -> SealedEnvelope:
    """Seal a message of either side to one of them, who has lost it (SPEC 5.6).

    `caller` is its sender or its recipient, `key` the caller's own; the header names the
    other one as the sender of the envelope. Raises `Misuse` for anybody else.
    """
    both = {message.message.sender, message.message.recipient}
    if caller not in both:
        raise Misuse("a message is returned to its sender or its recipient alone")
    (carrier,) = both - {caller}
    return _seal(message, carrier, caller, key, {})


def _seal(
    message: AuthenticMessage,
    sender: str,
    recipient: str,
    key: PublicKey,
    file_keys: Mapping[str, bytes],
) -> SealedEnvelope:
    if key.purpose != "seal":
        raise Misuse(f"sealing to a {key.purpose} key")
    text = message.message
    header = Header(
        text.network, text.epoch, sender, recipient, key.key_id, text.created, text.expires
    )
    prefix = _prefix(header)
    raw = prefix + hpke_seal(key, _info(prefix), _pad(message.inner, _encode_keys(file_keys)))
    return SealedEnvelope(header, sha256_hex(raw), raw)


def read_envelope(raw: bytes) -> SealedEnvelope:
    """Read the outer form: steps 1 and 2 of SPEC 5.3."""
    # (1) Magic and caps, before anything is parsed.
    if len(raw) > ENVELOPE_BYTES_MAX:
        raise TooLarge(f"an envelope of {len(raw)} bytes")
    if raw[: len(MAGIC)] != MAGIC or len(raw) < len(MAGIC) + 4:
        raise Malformed("an envelope does not begin with COMITY-1")
    size = int.from_bytes(raw[len(MAGIC) : len(MAGIC) + 4], "big")
    if size > HEADER_BYTES_MAX:
        raise TooLarge(f"an envelope header of {size} bytes")
    body = len(MAGIC) + 4 + size
    if len(raw) < body + X_WING_ENC_BYTES + _PADDED_BYTES_MIN + AEAD_TAG_BYTES:
        raise Malformed("an envelope shorter than the shortest possible")
    # (2) The header, strictly.
    header = _decode_header(raw[len(MAGIC) + 4 : body])
    return SealedEnvelope(header, sha256_hex(raw), raw)


def _decode_header(raw: bytes) -> Header:
    fields = Fields(decode(raw, bytes_max=HEADER_BYTES_MAX), "header")
    fields.integer("v", low=1, high=1)
    header = Header(
        suite=fields.text("suite", chars_max=64),
        network=check_authority_id(fields.text("network")),
        epoch=fields.integer("epoch", low=1),
        sender=check_authority_id(fields.text("from")),
        recipient=check_authority_id(fields.text("to")),
        key_id=fields.digest("kid"),
        created=fields.integer("created"),
        expires=fields.integer("expires"),
    )
    fields.done()
    return header


def check_addressed(
    envelope: SealedEnvelope, *, network: str, recipient: str, brought_by: str | None
) -> None:
    """Steps 3 and 4 of SPEC 5.3: it is for us, and from the authority that brought it.

    `brought_by` is the authority of the hop key, or None when a relay or a medium brought
    the envelope: then the signatures inside are the only word on who wrote it.
    """
    header = envelope.header
    # (3) For me.
    if header.network != network:
        raise NotForUs("an envelope of another network")
    if header.recipient != recipient:
        raise NotForUs("an envelope for another authority")
    # (4) From the authority of the hop key.
    if brought_by is not None and header.sender != brought_by:
        raise WrongSender("an envelope of another authority than the one that brought it")


def open_envelope(
    envelope: SealedEnvelope, key: SealPrivate, *, suite_min: str = SUITE
) -> OpenedEnvelope:
    """Steps 7 to 10 of SPEC 5.3: suite, decryption, exact padding, strict statement."""
    header = envelope.header
    if header.key_id != key.public.key_id:
        raise Misuse("opening with another key than the header names")
    # (7) A suite we know, not below the peer's minimum. There is no negotiation.
    known = header.suite in SUITES and suite_min in SUITES
    if not known or SUITES.index(header.suite) < SUITES.index(suite_min):
        raise SuiteUnknown("a suite that is unknown or below this peer's minimum")
    # (8) Decrypt; the whole header is bound through `info`.
    prefix = envelope.raw[: len(MAGIC) + 4 + int.from_bytes(envelope.raw[8:12], "big")]
    text = hpke_open(key, _info(prefix), envelope.raw[len(prefix) :])
    # (9) The padding must be exactly what the length asks for.
    inner, keys = _unpad(text)
    # (10) The statement and the file keys, strictly.
    return OpenedEnvelope(header, envelope.digest, decode_inner(inner), inner, _decode_keys(keys))


def authenticate(opened: OpenedEnvelope, keys: tuple[PublicKey, PublicKey]) -> AuthenticMessage:
    """Steps 13 to 15 of SPEC 5.3: both signatures, strict text, inner equal to outer.

    `keys` is the `sign` pair that the network document of the message's epoch gives for
    the authority in the header.
    """
    # (13) Both signatures, in their order, over the bytes as they came.
    text = dsse.verify_exactly(opened.statement, keys)
    # (14) Only now is the text worth parsing.
    message = decode_message_text(text)
    # (15) Inner and outer fields are equal, so nobody re-sealed it under another header.
    _check_equal(opened.header, message)
    return AuthenticMessage(message, opened.identity, opened.inner)


def authenticate_returned(
    opened: OpenedEnvelope, keys: tuple[PublicKey, PublicKey]
) -> AuthenticMessage:
    """Authenticate a message that one of its two sides returns to the other (SPEC 5.6).

    `keys` is the `sign` pair of whoever signed it, which may be the reader itself. Raises as
    `authenticate`; the two authorities in the header are those of the message, in any order.
    """
    message = decode_message_text(dsse.verify_exactly(opened.statement, keys))
    header = opened.header
    if message.sender == header.recipient:
        header = replace(header, sender=header.recipient, recipient=header.sender)
    _check_equal(header, message)
    return AuthenticMessage(message, opened.identity, opened.inner)


def _check_equal(header: Header, message: Message) -> None:
    outer = (header.network, header.epoch, header.sender, header.recipient)
    inner = (message.network, message.epoch, message.sender, message.recipient)
    if outer != inner or (header.created, header.expires) != (message.created, message.expires):
        raise Mismatch("the header and the signed text name different things")


def _prefix(header: Header) -> bytes:
    """Magic, length and header: all of the envelope that is in clear."""
    raw = header.encode()
    if len(raw) > HEADER_BYTES_MAX:
        raise Misuse("a header over its limit")
    return MAGIC + len(raw).to_bytes(4, "big") + raw


def _info(prefix: bytes) -> bytes:
    """Bind every byte in clear to the sealed text (SPEC 5.2)."""
    return _INFO_LABEL + sha256(prefix)


def padded_length(length: int) -> int:
    """Padmé: the padded length of `length` bytes, at least 256 (SPEC 5.4).

    It leaks O(log log length) bits and costs at most 12 %; see Nikitin et al., "Reducing
    Metadata Leakage from Encrypted Files and Communication with PURBs", PETS 2019.
    """
    if length < _PADDED_BYTES_MIN:
        return _PADDED_BYTES_MIN
    exponent = length.bit_length() - 1
    bits = exponent.bit_length()  # floor(log2 exponent) + 1
    step = 1 << (exponent - bits)
    return (length + step - 1) // step * step


def _pad(inner: bytes, keys: bytes) -> bytes:
    parts = (len(inner).to_bytes(4, "big"), inner, len(keys).to_bytes(4, "big"), keys)
    length = sum(len(part) for part in parts)
    padded = padded_length(length)
    if len(inner) > INNER_BYTES_MAX or padded > SEALED_TEXT_BYTES_MAX:
        raise TooLarge(f"a message of {len(inner)} bytes does not fit an envelope")
    return b"".join((*parts, bytes(padded - length)))


def _unpad(text: bytes) -> tuple[bytes, bytes]:
    """Split the opened text; its length and its zeros must be the only ones possible."""
    inner, offset = _part(text, 0)
    keys, offset = _part(text, offset)
    if len(text) != padded_length(offset) or text.count(0, offset) != len(text) - offset:
        raise Malformed("the padding is not exact")
    return inner, keys


def _part(text: bytes, offset: int) -> tuple[bytes, int]:
    start = offset + 4
    end = start + int.from_bytes(text[offset:start], "big")
    if start > len(text) or end > len(text):
        raise Malformed("a length runs over the end of the sealed text")
    return text[start:end], end


def _encode_keys(file_keys: Mapping[str, bytes]) -> bytes:
    for digest, key in file_keys.items():
        if HEX64.fullmatch(digest) is None or len(key) != _FILE_KEY_BYTES:
            raise Misuse("file keys are 32 bytes by the SHA-256 of the ciphertext")
    return canonical({digest: to_base64(key) for digest, key in file_keys.items()})


def _decode_keys(raw: bytes) -> dict[str, bytes]:
    found: Json = decode(raw, bytes_max=_KEYS_BYTES_MAX)
    if not isinstance(found, dict) or len(found) > FILE_KEYS_MAX:
        raise Malformed("the file keys are not an object of at most 64")
    keys: dict[str, bytes] = {}
    for digest, text in found.items():
        if HEX64.fullmatch(digest) is None or not isinstance(text, str):
            raise Malformed("a file key without a digest")
        keys[digest] = from_base64(text)
        if len(keys[digest]) != _FILE_KEY_BYTES:
            raise Malformed("a file key of a wrong length")
    return keys
