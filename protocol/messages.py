"""The message: one typed statement by one authority in one case (SPEC 4).

The frame around `kind` and `body` is closed and strict; `kind` and `body` are open, because
law never decides about delivery: what a kind means, and whether it is allowed now, is for
the cases to say. This module knows no signature, no envelope and no stored state.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from protocol import dsse
from protocol.encoding import Fields, Json, canonical, decode, to_base64
from protocol.errors import Expired, Malformed, NotYet
from protocol.identity import CASE_ID, Signer, case_opener, check_authority_id
from protocol.limits import (
    ATTACHMENTS_MAX,
    INNER_BYTES_MAX,
    MESSAGE_LIFETIME_S_MAX,
    MESSAGE_SKEW_S,
    MESSAGE_TEXT_BYTES_MAX,
    SKIPS_MAX,
)

MESSAGE_TYPE: Final = "application/vnd.comity.message.v1+json"
KIND: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
MEDIA_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9.+-]{0,63}/[a-z0-9][a-z0-9.+-]{0,126}")
_SALT_BYTES: Final = 32

Side: TypeAlias = Literal["requesting", "requested"]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that travels beside the message; lengths in bytes (SPEC 4.5)."""

    name: str
    type: str
    pt_len: int
    pt_sha256: str
    ct_len: int
    ct_sha256: str

    def to_json(self) -> dict[str, Json]:
        """Give the attachment as it stands in the text."""
        return {
            "name": self.name,
            "type": self.type,
            "pt_len": self.pt_len,
            "pt_sha256": self.pt_sha256,
            "ct_len": self.ct_len,
            "ct_sha256": self.ct_sha256,
        }


@dataclass(frozen=True, slots=True)
class Message:
    """The whole signed text of one message; `sender` and `recipient` are `from` and `to`."""

    network: str
    epoch: int
    sender: str
    recipient: str
    case: str
    seq: int
    prev: str | None
    seen: str | None
    order: int | None
    salt: bytes = field(repr=False)
    created: int
    expires: int
    kind: str
    body: Mapping[str, Json] = field(repr=False)
    skips: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = field(default=(), repr=False)

    @property
    def sender_side(self) -> Side:
        """Which side of the case the sender is: its opener is the requesting side."""
        return "requesting" if case_opener(self.case) == self.sender else "requested"

    def text(self) -> bytes:
        """Give the canonical bytes that are signed (SPEC 4.1)."""
        return canonical(
            {
                "v": 1,
                "network": self.network,
                "epoch": self.epoch,
                "from": self.sender,
                "to": self.recipient,
                "case": self.case,
                "seq": self.seq,
                "prev": self.prev,
                "seen": self.seen,
                "order": self.order,
                "skips": list(self.skips),
                "salt": to_base64(self.salt),
                "created": self.created,
                "expires": self.expires,
                "kind": self.kind,
                "body": self.body,
                "attachments": [attachment.to_json() for attachment in self.attachments],
            }
        )


@dataclass(frozen=True, slots=True)
class AuthenticMessage:
    """A message whose two signatures hold under its sender's keys; not yet accepted.

    `inner` is the exact signed statement, kept byte for byte; `identity` names it for ever.
    """

    message: Message
    identity: str
    inner: bytes = field(repr=False)


def sign_message(message: Message, signers: Iterable[Signer]) -> AuthenticMessage:
    """Sign a message with the sender's `sign` pair, Ed25519 then ML-DSA-65."""
    statement = dsse.sign(MESSAGE_TYPE, checked_text(message), signers)
    return AuthenticMessage(message, statement.identity, statement.encode())


def checked_text(message: Message) -> bytes:
    """Give the text of a message of our own, refusing what a recipient would refuse."""
    text = message.text()
    decode_message_text(text)
    return text


def decode_inner(inner: bytes) -> dsse.Unverified:
    """Decode the statement inside an envelope; its signatures are still unchecked."""
    return dsse.decode_statement(inner, kind=MESSAGE_TYPE, bytes_max=INNER_BYTES_MAX)


def decode_message_text(text: bytes) -> Message:
    """Decode the signed text strictly (SPEC 4.1 to 4.4). Raises `Rejected` subclasses."""
    fields = Fields(decode(text, bytes_max=MESSAGE_TEXT_BYTES_MAX), "message")
    fields.integer("v", low=1, high=1)
    message = Message(
        network=check_authority_id(fields.text("network")),
        epoch=fields.integer("epoch", low=1),
        sender=check_authority_id(fields.text("from")),
        recipient=check_authority_id(fields.text("to")),
        case=fields.text("case", pattern=CASE_ID),
        seq=fields.integer("seq", low=1),
        prev=fields.digest_or_none("prev"),
        seen=fields.digest_or_none("seen"),
        order=fields.integer_or_none("order", low=1),
        skips=fields.digests("skips", count_max=SKIPS_MAX),
        salt=fields.base64("salt", size=_SALT_BYTES),
        created=fields.integer("created"),
        expires=fields.integer("expires"),
        kind=fields.text("kind", pattern=KIND),
        body=fields.object("body"),
        attachments=tuple(
            _decode_attachment(item)
            for item in fields.items("attachments", count_max=ATTACHMENTS_MAX)
        ),
    )
    fields.done()
    _check_frame(message)
    return message


def _decode_attachment(item: Json) -> Attachment:
    fields = Fields(item, "attachment")
    attachment = Attachment(
        name=fields.text("name", chars_max=1_024),
        type=fields.text("type", pattern=MEDIA_TYPE),
        pt_len=fields.integer("pt_len"),
        pt_sha256=fields.digest("pt_sha256"),
        ct_len=fields.integer("ct_len"),
        ct_sha256=fields.digest("ct_sha256"),
    )
    fields.done()
    return attachment


def _check_frame(message: Message) -> None:
    """Refuse fields that contradict each other (SPEC 4.2 to 4.4)."""
    if message.sender == message.recipient:
        raise Malformed("a message to its own sender")
    if case_opener(message.case) not in (message.sender, message.recipient):
        raise Malformed("a case opened by neither of the two authorities")
    if (message.seq == 1) != (message.prev is None):
        raise Malformed("prev is null if and only if seq is 1")
    if (message.sender_side == "requested") != (message.order is not None):
        raise Malformed("order stands on the requested side's messages and on no others")
    if not message.created < message.expires <= message.created + MESSAGE_LIFETIME_S_MAX:
        raise Malformed("expires is not within 90 days after created")


def check_time(message: Message, now: int) -> None:
    """Refuse a message whose time is over or has not come (SPEC 4.4)."""
    if message.created > now + MESSAGE_SKEW_S:
        raise NotYet(f"created {message.created - now} s in our future")
    if message.expires < now:
        raise Expired(f"expired {now - message.expires} s ago")
