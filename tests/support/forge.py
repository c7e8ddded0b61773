"""Take a valid envelope or receipt apart, change one thing, and put it together again.

    parts = envelope_parts(message, pair, key)
    raw = replace(parts, magic=b"COMITY-2").encode()                 # one thing wrong
    raw = parts.with_text(network="other").encode()                  # signed again
    raw = parts.with_header(to="ws.justice").encode()                # sealed again

Whoever forges has real private keys: everything else about the bytes is as it must be, so
that only the rule in question can refuse them. Nothing here checks anything.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from keys.pairs import SignerPair
from protocol.digest import sha256
from protocol.dsse import Signature, Unverified, pae
from protocol.encoding import to_base64
from protocol.envelope import MAGIC, SUITE, padded_length
from protocol.identity import PublicKey, Signer
from protocol.messages import MESSAGE_TYPE, Message
from protocol.primitives import hpke_seal

Value: TypeAlias = Any  # a field of a forged text may hold anything
Tree: TypeAlias = Mapping[str, Any]


def loose_json(value: object) -> bytes:
    """Give compact, sorted JSON of anything, also of what our own encoder refuses."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def changed(text: bytes, **changes: Value) -> bytes:
    """Give a JSON object with some fields changed or added; `from_` stands for `from`."""
    tree = json.loads(text)
    return loose_json({**tree, **{name.rstrip("_"): new for name, new in changes.items()}})


def without(text: bytes, name: str) -> bytes:
    """Give a JSON object without one of its fields."""
    return loose_json({key: value for key, value in json.loads(text).items() if key != name})


def signed_by(kind: str, text: bytes, signers: Sequence[Signer]) -> tuple[Signature, ...]:
    """Sign a text as each of the signers."""
    return tuple(Signature(one.public.key_id, one.sign(pae(kind, text))) for one in signers)


@dataclass(frozen=True, slots=True)
class Parts:
    """All that an envelope is made of; `encode` joins it and checks nothing."""

    text: bytes
    signers: tuple[Signer, ...]
    header: bytes
    key: PublicKey
    signatures: tuple[Signature, ...] | None = None  # instead of those of the signers
    kind: str = MESSAGE_TYPE
    file_keys: bytes = b"{}"
    inner: Callable[[bytes], bytes] = field(default=lambda raw: raw)
    sealed_text: Callable[[bytes], bytes] = field(default=lambda raw: raw)
    magic: bytes = MAGIC
    label: bytes = b"comity/v1/seal\0"
    header_length: int | None = None

    def with_text(self, **changes: Value) -> Parts:
        """Give the same envelope around a changed text, signed again."""
        return replace(self, text=changed(self.text, **changes))

    def with_header(self, **changes: Value) -> Parts:
        """Give the same message under a changed header, sealed again."""
        return replace(self, header=changed(self.header, **changes))

    def statement(self) -> Unverified:
        """Give the signed statement inside."""
        made = self.signatures
        if made is None:
            made = signed_by(self.kind, self.text, self.signers)
        return Unverified(self.kind, self.text, made)

    def plain(self) -> bytes:
        """Give the text that is sealed, with its padding."""
        inner = self.inner(self.statement().encode())
        joined = b"".join(len(part).to_bytes(4, "big") + part for part in (inner, self.file_keys))
        padded = joined + bytes(max(0, padded_length(len(joined)) - len(joined)))
        return self.sealed_text(padded)

    def prefix(self) -> bytes:
        """Give what stands in clear."""
        size = len(self.header) if self.header_length is None else self.header_length
        return self.magic + size.to_bytes(4, "big") + self.header

    def encode(self) -> bytes:
        """Seal, and give the bytes of the envelope."""
        prefix = self.prefix()
        return prefix + hpke_seal(self.key, self.label + sha256(prefix), self.plain())


def header_of(message: Message, key_id: str, **changes: Value) -> bytes:
    """Give the header that belongs to a message, with some fields changed."""
    header = {
        "v": 1, "suite": SUITE, "network": message.network, "epoch": message.epoch,
        "from": message.sender, "to": message.recipient, "kid": key_id,
        "created": message.created, "expires": message.expires,
    }  # fmt: skip
    return loose_json({**header, **{name.rstrip("_"): new for name, new in changes.items()}})


def envelope_parts(message: Message, pair: SignerPair, key: PublicKey) -> Parts:
    """Give the parts of a valid envelope of a message."""
    return Parts(message.text(), tuple(pair), header_of(message, key.key_id), key)


def statement_json(statement: Unverified, **changes: Value) -> bytes:
    """Give a statement as JSON, with some fields changed or added."""
    return changed(statement.encode(), **changes)


def receipt_json(record: bytes, salt: bytes, proof: bytes, /, **changes: Value) -> bytes:
    """Give a receipt as JSON, with some fields changed or added."""
    receipt: dict[str, Value] = {
        "v": 1, "record": to_base64(record), "salt": to_base64(salt), "proof": to_base64(proof),
    }  # fmt: skip
    return loose_json({**receipt, **changes})


def flipped(raw: bytes, at: int, bit: int = 0) -> bytes:
    """Give the bytes with one bit turned; `at` may count from the end."""
    place = at % len(raw)
    return raw[:place] + bytes([raw[place] ^ (1 << bit)]) + raw[place + 1 :]
