"""Timestamps of a third party over our checkpoints (RFC 3161), asked for and verified.

    asked = StampRequest.over(checkpoint)
    token = asked.read_answer(answer)                   # what the authority sent back
    stamp = verify_token(token, checkpoint, load_roots(pem))

A token says that a checkpoint, and so everything below it, existed at a time; its signer
is trusted because somebody names the root of its certificate, never because of the token.
What is stored and handed on is the token alone, in DER, over SHA-256 of the checkpoint's
exact bytes (SPEC 15.2). Opens no connection and no file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerifierBuilder,
    decode_timestamp_response,
)

from protocol.digest import sha256
from protocol.errors import Malformed, NotAuthentic, Rejected, TooLarge
from protocol.limits import TIMESTAMP_BYTES_MAX

_SHA256: Final = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_GRANTED: Final = bytes.fromhex("3003020100")  # a status that says so, and nothing else
_SEQUENCE: Final = 0x30
_SHORT_MAX: Final = 127  # a length that is its own byte


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a verified token says: that the checkpoint existed at `time`, and who says so."""

    time: int
    signer: str


@dataclass(frozen=True, slots=True)
class StampRequest:
    """A request for a timestamp over a checkpoint; its nonce must come back."""

    raw: bytes = field(repr=False)
    nonce: int
    checkpoint: bytes = field(repr=False)

    @classmethod
    def over(cls, checkpoint: bytes) -> StampRequest:
        """Ask for a timestamp over the exact bytes, with the signer's certificate in it."""
        made = TimestampRequestBuilder(checkpoint, HashAlgorithm.SHA256).build()
        if made.nonce is None:
            raise Malformed("a request for a timestamp without a nonce")
        return cls(made.as_bytes(), made.nonce, checkpoint)

    def read_answer(self, raw: bytes) -> bytes:
        """Give the token in an answer, which must be about this request; proves no signer."""
        if len(raw) > TIMESTAMP_BYTES_MAX:
            raise TooLarge(f"an answer of {len(raw)} bytes, at most {TIMESTAMP_BYTES_MAX}")
        try:
            answer = decode_timestamp_response(raw)
            if answer.status != 0:
                raise NotAuthentic("the timestamp authority did not grant the request")
            token, nonce = answer.time_stamp_token(), answer.tst_info.nonce
        except ValueError as fault:
            raise Malformed("the answer of the timestamp authority is none") from fault
        if nonce != self.nonce:
            raise NotAuthentic("the answer is about another request")
        read_token(token, self.checkpoint)
        return token


def read_token(token: bytes, checkpoint: bytes) -> int:
    """Give the time in a token that is about this checkpoint; its signer is not judged."""
    try:
        told = _response(token).tst_info
        imprint, algorithm = told.message_imprint.message, told.message_imprint.hash_algorithm
        time = int(told.gen_time.timestamp())
    except ValueError as fault:
        raise Malformed("not a time-stamp token") from fault
    if algorithm != _SHA256 or imprint != sha256(checkpoint):
        raise NotAuthentic("a timestamp over something else than the checkpoint")
    return time


def verify_token(token: bytes, checkpoint: bytes, roots: Sequence[x509.Certificate]) -> Stamp:
    """Verify a token over a checkpoint up to one of the roots.

    Raises `Malformed` if it is none, `NotAuthentic` if it is about something else or no
    chain leads to a root. Certificates need to have been good at the time that it names.
    """
    time = read_token(token, checkpoint)
    builder = VerifierBuilder(roots=list(roots))
    try:
        signer = _signer(_response(token))
        builder.build().verify(_response(token), sha256(checkpoint))
    except Rejected:
        raise
    except Exception as fault:  # its readers of certificates raise of many kinds
        raise NotAuthentic("no certificate that is trusted for it signed the timestamp") from fault
    return Stamp(time, signer)


def load_roots(pem: bytes) -> tuple[x509.Certificate, ...]:
    """Read the certificates of those who are trusted to say what time it was."""
    try:
        return tuple(x509.load_pem_x509_certificates(pem))
    except ValueError as fault:
        raise Malformed("not certificates in PEM") from fault


def _signer(response: TimeStampResponse) -> str:
    """Name whose certificate signed, as it calls itself."""
    infos = list(response.signed_data.signer_infos)
    for raw in response.signed_data.certificates:
        one = x509.load_der_x509_certificate(raw)
        if any((one.issuer, one.serial_number) == (it.issuer, it.serial_number) for it in infos):
            return one.subject.rfc4514_string()
    raise NotAuthentic("a timestamp without the certificate of its signer")


def _response(token: bytes) -> TimeStampResponse:
    """Wrap a token as the answer that it came in, which is how the library reads one."""
    if len(token) > TIMESTAMP_BYTES_MAX:
        raise TooLarge(f"a token of {len(token)} bytes, at most {TIMESTAMP_BYTES_MAX}")
    inside = _GRANTED + token
    size = len(inside)
    if size <= _SHORT_MAX:
        return decode_timestamp_response(bytes([_SEQUENCE, size]) + inside)
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return decode_timestamp_response(bytes([_SEQUENCE, 0x80 | len(length)]) + length + inside)
