"""The one form of the signature headers, as bare text: read strictly, believed by nobody.

RFC 9421 lets a message carry many signatures with many parameters. We take exactly one,
labelled `comity`, with all six parameters, each once, and nothing that could be written in
a second way (SPEC 8.2). That is decided here, before any library or key is asked. Knows no
key, no clock and no socket.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from protocol.digest import sha256
from protocol.encoding import from_base64, to_base64
from protocol.errors import Malformed, NotAuthentic

LABEL: Final = "comity"
TAG: Final = "comity-v1"
ALGORITHM: Final = "ed25519"

REQUEST_BARE: Final = '"@method" "@target-uri" "content-digest"'
REQUEST_WITH_BODY: Final = '"@method" "@target-uri" "content-type" "content-digest"'
RESPONSE: Final = (
    '"@status" "content-type" "content-digest" "@method";req "@target-uri";req '
    '"content-digest";req "signature";req;key="comity"'
)

_SIGNED: Final = ("content-type", "content-digest", "signature-input", "signature")
_ONCE: Final = frozenset({*_SIGNED, "content-length", "transfer-encoding", "host"})
_NAMES: Final = frozenset({"created", "expires", "nonce", "keyid", "alg", "tag"})
_INPUT: Final = re.compile(
    r'comity=\((?P<components>[ -~]{1,256}?)\)(?P<parameters>(?:;[a-z]+=(?:[0-9]+|"[^"\\]*"))+)'
)
_PARAMETER: Final = re.compile(r';([a-z]+)=(?:([0-9]+)|"([^"\\]*)")')
_SIGNATURE: Final = re.compile(r"comity=:([A-Za-z0-9+/=]{88}):")
_DIGEST: Final = re.compile(r"sha-256=:[A-Za-z0-9+/]{43}=:")
_KEY_ID: Final = re.compile(r"[0-9a-f]{64}")
NONCE: Final = re.compile(r"[A-Za-z0-9_-]{22,64}")  # at least 128 bits
_TIME: Final = re.compile(r"0|[1-9][0-9]{0,14}")
_MEDIA_TYPE: Final = re.compile(r"[a-z0-9.+/-]{1,128}")

Headers: TypeAlias = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Parsed:
    """The signature headers in their one form, still unverified."""

    components: str
    created: int
    expires: int
    nonce: str
    key_id: str
    fields: Mapping[str, str]


def content_digest(body: bytes) -> str:
    """Give the Content-Digest of a body: sha-256 and nothing else (RFC 9530)."""
    return f"sha-256=:{to_base64(sha256(body))}:"


def parse(headers: Headers) -> Parsed:
    """Read the signature headers in the only form that is taken; nothing is believed."""
    fields: dict[str, str] = {}
    seen: set[str] = set()
    for name, value in headers:
        lower = name.lower()
        if lower in seen:
            raise NotAuthentic(f"the header {lower} stands twice")
        if lower in _ONCE:
            seen.add(lower)
        if lower in _SIGNED:
            fields[lower] = value
    media_type = fields.get("content-type")
    if media_type is not None and _MEDIA_TYPE.fullmatch(media_type) is None:
        raise NotAuthentic("a content-type that is none of ours")
    if _DIGEST.fullmatch(fields.get("content-digest", "")) is None:
        raise NotAuthentic("no Content-Digest of sha-256 alone")
    _signature_bytes(fields.get("signature", ""))
    whole = _INPUT.fullmatch(fields.get("signature-input", ""))
    if whole is None:
        raise NotAuthentic("no Signature-Input with exactly one signature, labelled comity")
    return _parse_parameters(whole["components"], whole["parameters"], fields)


def _parse_parameters(components: str, text: str, fields: Mapping[str, str]) -> Parsed:
    found = _PARAMETER.findall(text)
    parameters = {name: number or quoted for name, number, quoted in found}
    quoted = {name for name, number, _ in found if not number}
    if len(found) != len(_NAMES) or parameters.keys() != _NAMES:
        raise NotAuthentic("not exactly the six signature parameters, each once")
    if quoted != _NAMES - {"created", "expires"}:
        raise NotAuthentic("a signature parameter of a wrong type")
    if parameters["tag"] != TAG or parameters["alg"] != ALGORITHM:
        raise NotAuthentic("another tag or algorithm than ours")
    for name, form in (("keyid", _KEY_ID), ("nonce", NONCE), ("created", _TIME),
                       ("expires", _TIME)):  # fmt: skip
        if form.fullmatch(parameters[name]) is None:
            raise NotAuthentic(f"the signature parameter {name} is not in its form")
    return Parsed(
        components=components,
        created=int(parameters["created"]),
        expires=int(parameters["expires"]),
        nonce=parameters["nonce"],
        key_id=parameters["keyid"],
        fields=fields,
    )


def _signature_bytes(text: str) -> bytes:
    whole = _SIGNATURE.fullmatch(text)
    if whole is None:
        raise NotAuthentic("no Signature with exactly one member, labelled comity")
    try:
        return from_base64(whole[1])
    except Malformed as fault:
        raise NotAuthentic("a Signature that is not canonical base64") from fault
