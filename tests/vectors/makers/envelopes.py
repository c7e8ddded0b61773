"""Vectors of envelopes: good ones, and one for every way to be bad (SPEC 5).

Whoever made the bad ones has every private key, so each is right in everything but one.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from keys.pairs import SignerPair, signer_from_seed
from protocol.digest import sha256_hex
from protocol.dsse import Signature, Unverified, pae
from protocol.encoding import to_base64
from protocol.identity import PublicKey
from protocol.messages import MESSAGE_TYPE, Message
from tests.support.forge import Parts, envelope_parts, flipped, loose_json, without
from tests.vectors.form import Vector
from tests.vectors.makers.world import (
    ATTACHMENT,
    CASE,
    DAY,
    FJ,
    FJ_SIGN,
    NETWORK,
    NOW,
    QM,
    QM_SIGN,
    REQUEST,
    key_headers,
    key_seed,
    seal_key,
)

Make: TypeAlias = Callable[[], bytes]
_FILE_KEY = {sha256_hex(b"ciphertext"): to_base64(bytes(range(32)))}


def _parts(message: Message = REQUEST, pair: SignerPair = FJ_SIGN) -> Parts:
    return envelope_parts(message, pair, seal_key().public)


def _envelope(name: str, expect: str, comment: str, body: bytes, **more: str) -> Vector:
    headers = {
        "network": NETWORK, "recipient": QM, "now": str(NOW + 60),
        **key_headers(QM, "seal"), **key_headers(FJ, "sign"),
        "brought-by": FJ, **{key.replace("_", "-"): value for key, value in more.items()},
    }  # fmt: skip
    return Vector(f"envelope/{name}", expect, comment, body,
                  {key: value for key, value in headers.items() if value})  # fmt: skip


def _found(parts: Parts, body: bytes) -> dict[str, str]:
    return {
        "identity": sha256_hex(pae(MESSAGE_TYPE, parts.text)),
        "digest": sha256_hex(body),
        "text_sha256": sha256_hex(parts.text),
    }


def _good() -> Iterator[Vector]:
    keyed = replace(_parts(replace(REQUEST, attachments=(ATTACHMENT,))),
                    file_keys=loose_json(_FILE_KEY))  # fmt: skip
    cases: Mapping[str, tuple[str, Parts, Mapping[str, str]]] = {
        "ok": ("A request, as its sender brought it.", _parts(), {"file_keys": "0"}),
        "ok-file-key": ("A file key beside the message.", keyed, {"file_keys": "1"}),
        "ok-relayed": ("Brought by a relay: the signatures say who wrote it.", _parts(),
                       {"brought_by": ""}),
        "ok-last-second": ("Opened in the last second of its time.", _parts(),
                           {"now": str(NOW + 30 * DAY)}),
        "ok-clock-behind": ("The recipient's clock is 300 s behind.", _parts(),
                            {"now": str(NOW - 300)}),
        "ok-unknown-kind": ("An unknown kind is delivered like any other.",
                            _parts(replace(REQUEST, kind="thank_again")), {}),
    }  # fmt: skip
    for name, (comment, parts, more) in cases.items():
        body = parts.encode()
        yield _envelope(name, "ok", comment, body, **_found(parts, body), **more)


def _outside() -> Iterator[Vector]:
    """Steps 1 to 8: what stands in clear, and what opens it."""
    parts, raw = _parts(), _parts().encode()
    size = struct.unpack(">I", raw[8:12])[0]
    at_enc, at_ct = 12 + size, 12 + size + 1_120
    header = parts.header
    spaced = replace(parts, header=header.replace(b",", b", ", 1))
    long = replace(
        parts, header=without(header, "suite")[:-1] + b',"suite":"' + b"a" * 2_048 + b'"}'
    )
    other = seal_key(FJ).public
    cases: Mapping[str, tuple[str, str, Make]] = {
        "magic": ("malformed", "It begins with COMITY-1.",
                  replace(parts, magic=b"COMITY-2").encode),
        "no-bytes": ("malformed", "Nothing is no envelope.", bytes),
        "truncated-header": ("malformed", "It ends inside the header.", lambda: raw[: at_enc - 1]),
        "truncated": ("not-authentic", "The last byte is missing.", lambda: raw[:-1]),
        "longer": ("not-authentic", "A byte too many.", lambda: raw + b"\0"),
        "shortest": ("malformed", "No room for the smallest text.",
                     lambda: raw[: at_ct + 256 + 15]),
        "header-length-over": ("malformed", "The header's length runs over the end.",
                               lambda: raw[:8] + struct.pack(">I", 2_048) + raw[12 : 2_000]),
        "header-too-long": ("too-large", "A header has at most 2,048 bytes.", long.encode),
        "header-not-canonical": ("malformed", "A space in the header.", spaced.encode),
        "header-not-json": ("malformed", "The header is JSON.",
                            replace(parts, header=b"x" * len(header)).encode),
        "header-unknown-field": ("malformed", "The header is closed.",
                                 parts.with_header(zip=0).encode),
        "header-no-epoch": ("malformed", "No field may be absent.",
                            replace(parts, header=without(header, "epoch")).encode),
        "header-version": ("malformed", "Version 1.", parts.with_header(v=2).encode),
        "header-kid": ("malformed", "A key id has 64 digits.", parts.with_header(kid="00").encode),
        "other-network": ("not-for-us", "Of another network.",
                          parts.with_text(network="atlantic")
                          .with_header(network="atlantic").encode),
        "other-recipient": ("not-for-us", "For another authority.",
                            parts.with_text(to="to.justice").with_header(to="to.justice").encode),
        "wrong-sender": ("wrong-sender", "Brought by another authority than its sender.",
                         parts.with_header(from_="to.justice").encode),
        "wrong-key": ("key-unknown", "Sealed to a key that is not ours.",
                      replace(parts.with_header(kid=other.key_id), key=other).encode),
        "suite-2": ("suite-unknown", "The reserved suite.",
                    parts.with_header(suite="hpke-0051-0002-0002").encode),
        "suite-unknown": ("suite-unknown", "No suite of ours.",
                          parts.with_header(suite="rot13").encode),
        "flipped-header": ("not-authentic", "Another epoch than it was sealed under.",
                           lambda: raw.replace(b'"epoch":3', b'"epoch":2', 1)),
        "flipped-enc": ("not-authentic", "A bit of the encapsulated key.",
                        lambda: flipped(raw, at_enc)),
        "flipped-enc-x25519": ("not-authentic", "A bit of its X25519 share.",
                               lambda: flipped(raw, at_ct - 32)),
        "flipped-ct": ("not-authentic", "A bit of the ciphertext.", lambda: flipped(raw, at_ct)),
        "flipped-tag": ("not-authentic", "A bit of its tag.", lambda: flipped(raw, -1)),
        "other-label": ("not-authentic", "Bound under another label.",
                        replace(parts, label=b"comity/v2/seal\0").encode),
        "kid-of-another-key": ("not-authentic", "It names our key and was sealed to another.",
                               replace(parts, key=other).encode),
    }  # fmt: skip
    for name, (expect, comment, make) in cases.items():
        yield _envelope(name, expect, comment, make())


def _inside() -> Iterator[Vector]:
    """Steps 9 and 10: padding, statement, file keys."""
    parts = _parts()
    cut = parts.plain()
    zeros = len(cut) - len(cut.rstrip(b"\0"))

    def resealed(change: Callable[[bytes], bytes]) -> Make:
        return replace(parts, sealed_text=change).encode

    cases: Mapping[str, tuple[str, Make]] = {
        "padding-not-zero": ("The last byte of the padding is not zero.",
                             resealed(lambda t: t[:-1] + b"\1")),
        "padding-too-long": ("One zero too many.",
                             resealed(lambda t: t + b"\0")),
        "padding-next-step": ("Padded to the step after the right one.",
                              resealed(lambda t: t + bytes(256))),
        "padding-missing": ("Not padded.",
                            resealed(lambda t: t[: len(t) - zeros])),
        "lengths-over-end": ("A length runs over the end of the text.",
                             resealed(lambda t: b"\xff" * 4 + t[4:])),
        "sealed-zeros": ("Nothing but zeros: no statement.",
                         resealed(lambda _: bytes(256))),
        "inner-not-canonical": ("The statement is canonical.",
                                replace(parts, inner=lambda raw: raw + b" ").encode),
        "inner-other-type": ("A statement of another type.",
                             replace(parts, kind="application/vnd.comity.listing.v1+json").encode),
        "file-keys-a-list": ("The file keys are an object.",
                             replace(parts, file_keys=b"[]").encode),
        "file-key-short": ("A file key has 32 bytes.",
                           replace(parts, file_keys=loose_json({"0" * 64: "AAAA"})).encode),
        "file-key-name": ("It is named by a digest.",
                          replace(parts, file_keys=loose_json({"k": to_base64(bytes(32))})).encode),
    }  # fmt: skip
    for name, (comment, make) in cases.items():
        yield _envelope(name, "malformed", comment, make())


def _signatures() -> Iterator[Vector]:
    """Step 13: both signatures, in their order, by the sender's sign keys."""
    parts = _parts()
    made = parts.statement().signatures
    first, second = made
    as_log = [PublicKey("log", "ed25519", FJ_SIGN.first.public.raw).key_id, second.key_id]
    hop = signer_from_seed("hop", "ed25519", key_seed(FJ, "hop", "ed25519"))
    by_hop = Signature(hop.public.key_id, hop.sign(pae(MESSAGE_TYPE, parts.text)))
    by_qm = replace(parts, signers=tuple(QM_SIGN)).statement().signatures
    bare = tuple(Signature(one.public.key_id, one.sign(parts.text)) for one in FJ_SIGN)
    turned = replace(first, raw=flipped(first.raw, 3)), replace(second, raw=flipped(second.raw, 3))
    cases: Mapping[str, tuple[str, tuple[Signature, ...]]] = {
        "unsigned": ("Nobody signed.", ()),
        "only-ed25519": ("The ML-DSA-65 signature is stripped.", (first,)),
        "only-ml-dsa": ("The Ed25519 signature is stripped.", (second,)),
        "signatures-turned": ("The wrong order.", (second, first)),
        "signatures-swapped": ("Each under the other's key id.",
                               (replace(first, raw=second.raw), replace(second, raw=first.raw))),
        "signature-extra": ("A third one, by a key of another purpose.", (*made, by_hop)),
        "signature-twice": ("One stands twice.", (first, second, second)),
        "signature-by-hop-key": ("A hop key does not speak for the authority.", (by_hop, second)),
        "signature-key-id-of-log": ("The right key under the id of another purpose.",
                                    (replace(first, key_id=as_log[0]), second)),
        "signature-of-recipient": ("Signed by somebody else.", by_qm),
        "signature-of-bare-text": ("Over the text, not over its PAE.", bare),
        "flipped-ed25519": ("A bit is turned.", (turned[0], second)),
        "flipped-ml-dsa": ("A bit is turned.", (first, turned[1])),
        "signature-empty": ("A signature of no bytes.", (first, replace(second, raw=b""))),
    }  # fmt: skip
    for name, (comment, signatures) in cases.items():
        body = replace(parts, signatures=signatures).encode()
        yield _envelope(name, "not-authentic", comment, body)
    statement = parts.statement()
    altered = Unverified(MESSAGE_TYPE, statement.text.replace(b"0042", b"0043"), made)
    yield _envelope("text-altered", "not-authentic", "The text is not the one that was signed.",
                    replace(parts, inner=lambda _: altered.encode()).encode())  # fmt: skip


def _contradictions() -> Iterator[Vector]:
    """Steps 14 to 16: the text, inner against outer, time."""
    parts = _parts()
    differing: Mapping[str, Mapping[str, int | str]] = {
        "network": {"network": "atlantic"}, "epoch": {"epoch": 2}, "from": {"from_": "to.justice"},
        "to": {"to": "to.justice", "case": CASE}, "created": {"created": NOW - 1},
        "expires": {"expires": NOW + DAY},
    }  # fmt: skip
    for name, changes in differing.items():
        # `from` must still be a side of the case, or the text is refused before.
        case = {"case": CASE.replace(FJ, "to.justice")} if name == "from" else {}
        body = parts.with_text(**changes, **case).encode()
        yield _envelope(f"inner-{name}", "mismatch", f"The signed `{name}` is not the header's.",
                        body)  # fmt: skip
    yield _envelope("text-unknown-field", "malformed", "The signed text is strict.",
                    parts.with_text(urgent=True).encode())  # fmt: skip
    yield _envelope("text-not-canonical", "malformed", "And canonical.",
                    replace(parts, text=parts.text.replace(b",", b", ", 1)).encode())  # fmt: skip
    yield _envelope("expired", "expired", "One second after its time.", parts.encode(),
                    now=str(NOW + 30 * DAY + 1))  # fmt: skip
    yield _envelope("not-yet", "not-yet", "Made 301 s in our future.", parts.encode(),
                    now=str(NOW - 301))  # fmt: skip


def vectors() -> Iterator[Vector]:
    """Give all vectors of this module."""
    yield from _good()
    yield from _outside()
    yield from _inside()
    yield from _signatures()
    yield from _contradictions()
