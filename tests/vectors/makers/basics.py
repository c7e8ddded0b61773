"""Vectors of the encoding, of names and keys, and of statements (SPEC 1 to 3, 13)."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace

from keys.fingerprint import fingerprint, safety_number
from protocol.digest import sha256_hex
from protocol.dsse import Unverified, pae
from protocol.envelope import padded_length
from protocol.identity import PublicKey
from protocol.limits import SEALED_TEXT_BYTES_MAX
from protocol.messages import MESSAGE_TYPE
from tests.support.forge import signed_by, statement_json
from tests.vectors.form import Vector
from tests.vectors.makers.world import FJ, FJ_SIGN, QM, QM_LOG, QM_SIGN, seal_key, vector

_JSON_OK = {
    "empty-object": ("The smallest object.", b"{}"),
    "scalars": ("null, true, false, an empty string.", b'{"a":null,"b":true,"c":false,"d":""}'),
    "integers": ("The bounds of an integer.", b"[0,1,9007199254740991]"),
    "sorted-keys": ("Keys in ascending order of their bytes; digits and upper case first.",
                    b'{"1":1,"A":1,"_":1,"a":1,"aa":1,"b":1}'),
    "escapes": ("Short escapes where they exist, else four lower-case digits.",
                b'["\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f/\x7f"]'),
    "unicode": ("Everything else stands as UTF-8, also U+2028 and what needs two surrogates.",
                '["é€\u2028\u2029\uffff𝄞 e\u0301"]'.encode()),
    "depth-32": ("Thirty-two lists around one value.", b"[" * 32 + b"0" + b"]" * 32),
}  # fmt: skip
_JSON_BAD = {
    "no-bytes": ("Nothing is no value.", b""),
    "fraction": ("No number has a fraction.", b"[1.5]"),
    "fraction-zero": ("Not even one that is a whole number.", b"[1.0]"),
    "exponent": ("Nor an exponent.", b"[1e2]"),
    "negative": ("No integer is negative.", b"[-1]"),
    "minus-zero": ("Nor minus zero.", b"[-0]"),
    "integer-too-large": ("2^53 is one too many.", b"[9007199254740992]"),
    "integer-64-bits": ("2^64 is far too many.", b"[18446744073709551616]"),
    "leading-zero": ("An integer has one form.", b"[01]"),
    "nan": ("NaN is not JSON.", b"[NaN]"),
    "infinity": ("Infinity is not JSON.", b"[Infinity]"),
    "space": ("No space between tokens.", b'{"a": 1}'),
    "newline-at-end": ("Nothing after the value.", b"{}\n"),
    "two-values": ("One value.", b"{}{}"),
    "trailing-comma": ("No comma before the end.", b"[1,]"),
    "unsorted-keys": ("Keys stand in order.", b'{"b":1,"a":2}'),
    "duplicate-keys": ("No key stands twice.", b'{"a":1,"a":1}'),
    "key-not-ascii": ("Keys are ASCII.", '{"é":1}'.encode()),
    "escaped-letter": ("A letter is not escaped.", b'["\\u0061"]'),
    "escaped-slash": ("Nor a slash.", b'["\\/"]'),
    "escape-upper-case": ("Escapes have lower-case digits.", b'["\\u001F"]'),
    "escape-long": ("A newline is \\n.", b'["\\u000a"]'),
    "control-character": ("A control character is escaped.", b'["\x01"]'),
    "lone-surrogate": ("A surrogate alone is no text.", b'["\\ud834"]'),
    "surrogate-in-utf-8": ("Nor is one in UTF-8.", b'["\xed\xa0\xb4"]'),
    "not-utf-8": ("Text is UTF-8.", b'["\xff"]'),
    "overlong-utf-8": ("And the shortest UTF-8.", b'["\xc0\xaf"]'),
    "byte-order-mark": ("Nothing before the value.", b"\xef\xbb\xbf{}"),
    "comment": ("No comments.", b"[1/**/]"),
}


def _json() -> Iterator[Vector]:
    for name, (comment, body) in _JSON_OK.items():
        yield vector(f"json/ok-{name}", "ok", comment, body)
    for name, (comment, body) in _JSON_BAD.items():
        yield vector(f"json/{name}", "malformed", comment, body)
    deep = b"[" * 33 + b"0" + b"]" * 33
    yield vector("json/depth-33", "too-large", "One list too many.", deep)
    too_long = '["' + "a" * 20 + '"]'
    yield vector("json/too-long", "too-large", "The size counts before anything is parsed.",
                 too_long.encode(), bytes_max="23")  # fmt: skip
    yield vector("json/too-long-and-bad", "too-large", "Also of bytes that are no JSON.",
                 b"\xff" * 24, bytes_max="23")  # fmt: skip


_BASE64_BAD = {
    "no-padding": ("Padding is not left out.", b"AAA"),
    "padding-too-much": ("Nor written twice.", b"AAAA===="),
    "bits-left-over": ("Bits that carry nothing are zero: this reads like AA==.", b"AB=="),
    "url-alphabet": ("The alphabet is the standard one.", b"-_-_"),
    "newline": ("No newline, not even at the end.", b"AAAA\n"),
    "space": ("No space.", b"AA AA=="),
    "padding-inside": ("Padding stands at the end.", b"AA==AAAA"),
    "not-ascii": ("Nothing outside the alphabet.", "AAA\u00e9".encode("latin-1")),
}


def _base64() -> Iterator[Vector]:
    yield vector("base64/ok-empty", "ok", "No bytes.", b"")
    for raw in (b"\0", b"\0\xff", b"\0\xff\xfe", bytes(range(250, 256))):
        yield vector(f"base64/ok-{len(raw)}", "ok", f"{len(raw)} byte(s).", base64.b64encode(raw),
                     value=raw.hex())  # fmt: skip
    for name, (comment, body) in _BASE64_BAD.items():
        yield vector(f"base64/{name}", "malformed", comment, body)


def _key_ids() -> Iterator[Vector]:
    keys = [*FJ_SIGN.public, seal_key().public, *QM_LOG.public]
    keys += [PublicKey("hop", "ed25519", keys[0].raw), PublicKey("witness", "ed25519", keys[0].raw)]
    for key in keys:
        yield vector(
            f"key-id/ok-{key.purpose}-{key.algorithm}", "ok",
            "The id holds purpose, algorithm and key.", key.raw,
            purpose=key.purpose, algorithm=key.algorithm, value=key.key_id,
        )  # fmt: skip
    yield vector("key-id/too-short", "malformed", "An Ed25519 key has 32 bytes.", bytes(31),
                 purpose="sign", algorithm="ed25519")  # fmt: skip
    yield vector("key-id/too-long", "malformed", "An X-Wing key has 1,216 bytes.", bytes(1_217),
                 purpose="seal", algorithm="x-wing")  # fmt: skip
    yield vector("key-id/other-algorithm", "malformed", "A log does not sign with ML-DSA-65.",
                 bytes(1_952), purpose="log", algorithm="ml-dsa-65")  # fmt: skip


def _identities() -> Iterator[Vector]:
    cases = {
        "text": ("application/vnd.comity.message.v1+json", b'{"a":1}', "The usual case."),
        "empty": ("application/vnd.comity.message.v1+json", b"", "A text of no bytes."),
        "bytes-not-characters": ("application/vnd.comity.note.v1+json", "é€𝄞".encode(),
                                 "Lengths count bytes: two, three and four for these signs."),
        "spaces": ("a b 1", b"x 1 y", "Lengths, not separators, part type and text."),
        "published": ("http://example.com/HelloWorld", b"hello world", "DSSE's own example."),
    }  # fmt: skip
    for name, (kind, text, comment) in cases.items():
        value = sha256_hex(pae(kind, text))
        yield vector(f"identity/ok-{name}", "ok", comment, text, kind=kind, value=value)


def _statements() -> Iterator[Vector]:
    text = b'{"v":1}'
    good = Unverified(MESSAGE_TYPE, text, signed_by(MESSAGE_TYPE, text, tuple(FJ_SIGN)))
    other = replace(good, type="application/vnd.comity.listing.v1+json")
    raw = good.encode()

    def made(name: str, expect: str, comment: str, body: bytes, **more: str) -> Vector:
        return vector(f"statement/{name}", expect, comment, body, kind=MESSAGE_TYPE, **more)

    yield made("ok", "ok", "Two signatures, not verified here.", raw, identity=good.identity)
    bare = replace(good, signatures=())
    yield made("ok-unsigned", "ok", "The form is right; nobody has signed.", bare.encode(),
               identity=good.identity)  # fmt: skip
    yield made("other-type", "malformed", "A statement of another type.", other.encode())
    foreign = statement_json(bare, payloadType="text/plain")
    yield made("foreign-type", "malformed", "A type that is none of Comity's.", foreign)
    yield made("unknown-field", "malformed", "The form is closed.", statement_json(bare, more=1))
    extra = statement_json(bare, signatures=[{"keyid": "0" * 64, "sig": "", "cert": ""}])
    yield made("unknown-field-in-signature", "malformed", "There too.", extra)
    upper = statement_json(bare, signatures=[{"keyid": "A" * 64, "sig": ""}])
    yield made("key-id-upper-case", "malformed", "A key id has lower-case digits.", upper)
    loose = statement_json(bare, payload="eyJ2IjoxfR==")
    yield made("payload-loose-base64", "malformed", "The payload is strict base64.", loose)
    spaced = raw.replace(b'":"', b'": "', 1)
    yield made("not-canonical", "malformed", "The statement is canonical JSON.", spaced)
    many = statement_json(bare, signatures=[{"keyid": "0" * 64, "sig": ""}] * 257)
    yield made("too-many-signatures", "too-large", "At most 256 signatures.", many)


def _paddings() -> Iterator[Vector]:
    for length in (1, 255, 256, 257, 272, 273, 1_000, 4_095, 4_097, 100_000, SEALED_TEXT_BYTES_MAX):
        yield vector(f"padding/ok-{length}", "ok", "Padmé, at least 256.", b"",
                     length=str(length), value=str(padded_length(length)))  # fmt: skip


def _numbers() -> Iterator[Vector]:
    ids = sorted(key.key_id for key in (*FJ_SIGN.public, *QM_SIGN.public))
    made = fingerprint(ids)
    yield vector("fingerprint/ok", "ok", "Four keys, one id a line.", "\n".join(ids).encode(),
                 value=made.hex, digits=made.digits)  # fmt: skip
    turned = "\n".join(reversed(ids)).encode()
    yield vector("fingerprint/ok-other-order", "ok", "The order does not matter.", turned,
                 value=made.hex, digits=made.digits)  # fmt: skip
    sides = {FJ: FJ_SIGN.key_ids, QM: QM_SIGN.key_ids}
    number = safety_number(FJ, sides[FJ], QM, sides[QM])
    for name, order in (("ok", (FJ, QM)), ("ok-other-side", (QM, FJ))):
        body = "\n".join(" ".join((one, *sides[one])) for one in order).encode()
        yield vector(f"safety-number/{name}", "ok", "Both sides compute the same.", body,
                     value=number.hex, digits=number.digits)  # fmt: skip


def vectors() -> Iterator[Vector]:
    """Give all vectors of this module."""
    yield from _json()
    yield from _base64()
    yield from _key_ids()
    yield from _identities()
    yield from _statements()
    yield from _paddings()
    yield from _numbers()
