"""Vectors of what travels between two nodes: batches, and signed requests and answers (SPEC 8)."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping

from node.transport.batch import (
    ANSWERS_TYPE,
    BATCH_TYPE,
    Answers,
    Batch,
    Pending,
    Receipted,
    Refused,
)
from node.transport.hop import HopRequest, sign_request, sign_response
from protocol.digest import sha256_hex
from protocol.encoding import to_base64
from protocol.identity import PublicKey
from tests.support import curve
from tests.vectors.form import Vector
from tests.vectors.makers.world import FJ, FJ_HOP, NOW, key_headers, key_seed, vector

_URL = "https://node.qm.example:8443"
_OTHER_URL = "https://relay.example/qm"
_TARGET = "/comity/v1/envelopes"
_NONCE = "00112233445566778899aabbccddeeff"
_SOME = sha256_hex(b"some envelope")

_ANSWERS = Answers((
    Receipted(_SOME, b"a receipt"),
    Refused(_SOME, "out-of-order"),
    Refused(_SOME, "expired", b"a proof"),
    Pending(_SOME),
), seen=b"a checkpoint, cosigned", log=b"a continuation")  # fmt: skip


def _part(raw: bytes) -> bytes:
    return len(raw).to_bytes(4, "big") + raw


def _batches() -> Iterator[Vector]:
    none = Answers().encode()
    good = {
        "ok": ("Two envelopes and four answers.", Batch(_ANSWERS, (b"one", b"two")), "4", "2"),
        "ok-empty": ("Nothing but the answers.", Batch(), "0", "0"),
        "ok-64": ("As many as there may be.", Batch(envelopes=(b"x",) * 64), "0", "64"),
    }
    for name, (comment, batch, answers, envelopes) in good.items():
        yield vector(f"batch/{name}", "ok", comment, batch.encode(),
                     answers=answers, envelopes=envelopes)  # fmt: skip
    both = (
        '{"answers":[{"envelope":"'
        + _SOME
        + '","pending":true,"refusal":"busy"}],"log":null,"seen":null,"v":1}'
    )
    not_true = '{"answers":[{"envelope":"' + _SOME + '","pending":1}],"log":null,"seen":null,"v":1}'
    cases: Mapping[str, tuple[str, str, bytes]] = {
        "no-bytes": ("malformed", "A batch has its answers.", b""),
        "empty-envelope": ("malformed", "No part is empty.", _part(none) + _part(b"")),
        "over-end": ("malformed", "A length runs over the end.", _part(none) + b"\0\0\0\4abc"),
        "length-cut": ("malformed", "A length has four bytes.", _part(none) + b"\0\0\1"),
        "too-many": ("too-large", "At most 64 envelopes.", _part(none) + _part(b"x") * 65),
        "answers-not-canonical": ("malformed", "The answers are canonical.", _part(none + b" ")),
        "answer-of-two-kinds": ("malformed", "An answer is one of three.", _part(both.encode())),
        "pending-not-true": ("malformed", "`pending` is true.", _part(not_true.encode())),
        "no-seen": (
            "malformed",
            "`seen` is there, if only as null.",
            _part(b'{"answers":[],"log":null,"v":1}'),
        ),
        "seen-no-text": (
            "malformed",
            "`seen` is base64 or null.",
            _part(b'{"answers":[],"log":null,"seen":0,"v":1}'),
        ),
        "seen-too-large": (
            "malformed",
            "`seen` is a note, of 64 KiB at most.",
            _part(Answers(seen=bytes(65_537)).encode()),
        ),
    }
    for name, (expect, comment, raw) in cases.items():
        yield vector(f"batch/{name}", expect, comment, raw)


def _http(headers: Mapping[str, str], body: bytes) -> bytes:
    lines = "\r\n".join(f"{name}: {value}" for name, value in headers.items())
    return f"{lines}\r\n\r\n".encode() + body


def _request(name: str, expect: str, comment: str, raw: bytes, **changes: str) -> Vector:
    headers = {
        "method": "POST", "target": _TARGET, "urls": f"{_OTHER_URL} {_URL}", "now": str(NOW),
        **key_headers(FJ, "hop"), **changes,
    }  # fmt: skip
    return Vector(f"hop-request/{name}", expect, comment, raw, headers)


def _requests() -> Iterator[Vector]:
    body = Batch(envelopes=(b"an envelope",)).encode()
    made = sign_request("POST", _URL + _TARGET, body, BATCH_TYPE, signer=FJ_HOP, nonce=_NONCE,
                        now=NOW).headers  # fmt: skip
    fields = dict(made)
    whole = _http(fields, body)
    yield _request("ok-post", "ok", "A batch of one envelope, signed.", whole)
    polled = _TARGET + "?wait=60"
    bare = sign_request("GET", _URL + polled, b"", None, signer=FJ_HOP, nonce=_NONCE, now=NOW)
    yield _request("ok-get", "ok", "No body: no content-type, and a digest all the same.",
                   _http(bare.headers, b""), method="GET", target=polled)  # fmt: skip
    signed, signature = fields["signature-input"], fields["signature"]

    def with_field(name: str, value: str) -> bytes:
        return _http({**fields, name: value}, body)

    turned = signed.replace('"@method" "@target-uri"', '"@target-uri" "@method"')
    cases: Mapping[str, tuple[str, bytes]] = {
        "other-body": ("A changed body under the signed digest.", _http(fields, body + b"x")),
        "no-body": ("The body is missing.", _http(fields, b"")),
        "other-type": ("Another content-type.", with_field("content-type", ANSWERS_TYPE)),
        "components-turned": ("The components have one order.",
                              with_field("signature-input", turned)),
        "component-left-out": ("None may be left out.",
                               with_field("signature-input", signed.replace(' "@target-uri"', ""))),
        "no-nonce": ("Six parameters.", with_field(
            "signature-input", signed.replace(f';nonce="{_NONCE}"', ""))),
        "no-tag": ("The tag is one of them.", with_field(
            "signature-input", signed.replace(';tag="comity-v1"', ""))),
        "other-algorithm": ("The algorithm is the key's.", with_field(
            "signature-input", signed.replace('alg="ed25519"', 'alg="hmac-sha256"'))),
        "two-signatures": ("One signature.", with_field(
            "signature", f"{signature}, other={signature.partition('=')[2]}")),
        "two-digests": ("One digest algorithm.", with_field(
            "content-digest", f"{fields['content-digest']}, sha-512=:AAAA:")),
        "header-twice": ("A signed header stands once.",
                         _http({**fields, "Content-Digest": fields["content-digest"]}, body)),
        "other-label": ("The label is comity.", _http(
            {**fields, "signature-input": signed.replace("comity=", "sig1="),
             "signature": signature.replace("comity=", "sig1=")}, body)),
        "large-s": ("S + L: libsodium's rule holds here too.",
                    with_field("signature", _with_large_s(signature))),
    }  # fmt: skip
    for name, (comment, raw) in cases.items():
        yield _request(name, "not-authentic", comment, raw)
    yield _request("other-method", "not-authentic", "Another method.", whole, method="PUT")
    yield _request("other-target", "not-authentic", "Another path.", whole,
                   target="/comity/v1/receipts")  # fmt: skip
    yield _request("other-host", "not-authentic", "None of our URLs.", whole, urls=_OTHER_URL)
    yield _request(
        "too-late", "not-authentic", "After expires and 60 s.", whole, now=str(NOW + 181)
    )
    yield _request("too-early", "not-authentic", "More than 60 s in our future.", whole,
                   now=str(NOW - 61))  # fmt: skip
    other = PublicKey("hop", "ed25519", curve.honest(key_seed(FJ, "sign", "ed25519"), b"").key)
    yield _request("unknown-key", "not-authentic", "A key that is not known here.", whole,
                   **{"hop-ed25519": f"public {to_base64(other.raw)}"})  # fmt: skip


def _with_large_s(header: str) -> str:
    raw = base64.b64decode(header.removeprefix("comity=:").removesuffix(":"))
    large = int.from_bytes(raw[32:], "little") + curve.ORDER
    return f"comity=:{to_base64(raw[:32] + large.to_bytes(32, 'little'))}:"


def _responses() -> Iterator[Vector]:
    sent = sign_request("GET", f"{_URL}{_TARGET}?wait=60", b"", None, signer=FJ_HOP, nonce=_NONCE,
                        now=NOW).request  # fmt: skip
    other = HopRequest("GET", f"{_URL}/comity/v1/listings", sent.content_digest, sent.signature)
    body = _ANSWERS.encode()
    fields = dict(
        sign_response(200, body, ANSWERS_TYPE, sent, signer=FJ_HOP, nonce=_NONCE, now=NOW)
    )
    elsewhere = dict(
        sign_response(200, body, ANSWERS_TYPE, other, signer=FJ_HOP, nonce=_NONCE, now=NOW)
    )
    unsigned = {"content-type": ANSWERS_TYPE, "content-digest": fields["content-digest"]}
    cases: Mapping[str, tuple[str, str, str, bytes]] = {
        "ok": ("ok", "200", "Bound to the request that it answers.", _http(fields, body)),
        "other-status": ("not-authentic", "404", "Another status.", _http(fields, body)),
        "other-body": ("not-authentic", "200", "Another body.", _http(fields, body + b" ")),
        "other-request": ("not-authentic", "200", "The answer to another request.",
                          _http(elsewhere, body)),
        "unsigned": ("not-authentic", "200", "Nobody signed it.", _http(unsigned, body)),
    }  # fmt: skip
    for name, (expect, status, comment, raw) in cases.items():
        headers = {
            "status": status, "now": str(NOW), **key_headers(FJ, "hop"), "method": sent.method,
            "target": sent.target_uri, "request-digest": sent.content_digest,
            "request-signature": sent.signature,
        }  # fmt: skip
        yield Vector(f"hop-response/{name}", expect, comment, raw, headers)


def vectors() -> Iterator[Vector]:
    """Give all vectors of this module."""
    yield from _batches()
    yield from _requests()
    yield from _responses()
