"""The signature of one hop: RFC 9421 over every request and response (SPEC 8.2).

It proves which authority's node sent these bytes to this URL within these minutes, and
that a response answers this very request. It says nothing of what the bytes mean: that is
for the signatures inside an envelope.

    comity=("@method" "@target-uri" "content-type" "content-digest");created=…;expires=…
        ;nonce="…";keyid="<key id>";alg="ed25519";tag="comity-v1"

The library builds the signature base. It does not insist on nonce, expires, tag, a single
signature or one digest algorithm, and reads the system's clock; so all of that is decided
here, on the bare header texts, before the library sees them. Degrees of trust: headers →
`VerifiedHead` (the signature holds, the body is still to come) → `VerifiedHop` (the body
is the one that was signed). Whether the nonce is new, only the database knows: the effect
of a request must insert `(key_id, nonce)` in its own transaction.

This module knows no socket, no path and no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol, TypeAlias

from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    HTTPSignatureKeyResolver,
)

from node.transport.form import (
    ALGORITHM,
    LABEL,
    NONCE,
    REQUEST_BARE,
    REQUEST_WITH_BODY,
    RESPONSE,
    TAG,
    Headers,
    Parsed,
    content_digest,
    parse,
)
from protocol.encoding import to_base64
from protocol.errors import Misuse, NotAuthentic
from protocol.identity import PublicKey, Signer
from protocol.limits import HOP_LIFETIME_S_MAX, HOP_SKEW_S
from protocol.primitives import verify_signature

_LIFETIME_S: Final = 120  # short enough to keep few nonces, long enough for a slow body


class HopKey(Protocol):
    """A hop key with the authority whose listing holds it: what a directory gives."""

    @property
    def authority(self) -> str:
        """The authority that owns the key."""
        ...

    @property
    def key(self) -> PublicKey:
        """The key itself, of purpose `hop`."""
        ...


Resolve: TypeAlias = Callable[[str], "HopKey | None"]
"""Gives the hop key of a key id, or None if it is unknown or not in force."""


@dataclass(frozen=True, slots=True)
class HopRequest:
    """The parts of a signed request that its response is bound to."""

    method: str
    target_uri: str
    content_digest: str
    signature: str


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request ready to be sent: its headers, and what the response must be bound to."""

    headers: Mapping[str, str]
    request: HopRequest


@dataclass(frozen=True, slots=True)
class VerifiedHop:
    """A request whose signature holds over its method, URL and body.

    Its nonce may still be an old one: see the head of this file.
    """

    authority: str
    key_id: str
    nonce: str
    created: int
    expires: int
    request: HopRequest


@dataclass(frozen=True, slots=True)
class VerifiedHead:
    """A request whose signature holds and whose body has not been compared yet."""

    hop: VerifiedHop
    has_body: bool

    def complete(self, body: bytes) -> VerifiedHop:
        """Give the verified request if `body` is the one whose digest was signed."""
        if bool(body) is not self.has_body:
            raise NotAuthentic("a body and its content-type come together, or neither")
        _check_digest(self.hop.request.content_digest, body)
        return self.hop


@dataclass(frozen=True, slots=True)
class VerifiedAnswer:
    """A response whose signature holds, by the authority that was asked."""

    authority: str
    key_id: str
    created: int
    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class _Request:
    """A request as the library wants to see one."""

    method: str
    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Response:
    """A response as the library wants to see one."""

    status_code: int
    headers: Mapping[str, str]
    request: _Request


def sign_request(
    method: str,
    target_uri: str,
    body: bytes,
    content_type: str | None,
    *,
    signer: Signer,
    nonce: str,
    now: int,
) -> SignedRequest:
    """Sign one request; `content_type` is given if and only if there is a body."""
    if (content_type is not None) is not bool(body):
        raise Misuse("a body and its content-type come together, or neither")
    fields = {"content-digest": content_digest(body)}
    if content_type is not None:
        fields["content-type"] = content_type
    components = REQUEST_WITH_BODY if body else REQUEST_BARE
    message = _Request(method, target_uri, fields)
    headers = _sign(message, components, signer=signer, nonce=nonce, now=now)
    digest, signature = headers["content-digest"], headers["signature"]
    return SignedRequest(headers, HopRequest(method, target_uri, digest, signature))


def sign_response(
    status: int,
    body: bytes,
    content_type: str,
    request: HopRequest,
    *,
    signer: Signer,
    nonce: str,
    now: int,
) -> Mapping[str, str]:
    """Sign the response to `request`; gives all headers that the signature needs."""
    fields = {"content-type": content_type, "content-digest": content_digest(body)}
    message = _Response(status, fields, _bound(request))
    return _sign(message, RESPONSE, signer=signer, nonce=nonce, now=now)


def verify_request(
    method: str,
    target_uris: Sequence[str],
    headers: Headers,
    body: bytes,
    *,
    resolve: Resolve,
    now: int,
) -> VerifiedHop:
    """Verify one whole request that was sent to one of `target_uris`."""
    return verify_head(method, target_uris, headers, resolve=resolve, now=now).complete(body)


def verify_head(
    method: str, target_uris: Sequence[str], headers: Headers, *, resolve: Resolve, now: int
) -> VerifiedHead:
    """Verify the signature of a request before its body is read (SPEC 8.2).

    1. every signed header once, the signature headers in their one form
    2. exactly the components for a request, in their order, `content-type` with a body
    3. created, expires and now
    4. a known hop key; the algorithm is the key's
    5. the signature over the base, with the receiver's own idea of the URL

    `target_uris` are the receiver's own listed URLs with the request target as it came:
    never Host or Forwarded. Raises `NotAuthentic`; the detail is for our log.
    """
    parsed = parse(headers)
    has_body = parsed.components == REQUEST_WITH_BODY
    if not has_body and parsed.components != REQUEST_BARE:
        raise NotAuthentic("not the components of a request, in their order")
    if ("content-type" in parsed.fields) is not has_body:
        raise NotAuthentic("a body and its content-type come together, or neither")
    _check_times(parsed, now)
    known = _known(parsed.key_id, resolve)
    fault = NotAuthentic("no URL of our own")
    for target_uri in target_uris:
        try:
            _verify(_Request(method, target_uri, parsed.fields), known.key)
        except NotAuthentic as found:
            fault = found
            continue
        digest, signature = parsed.fields["content-digest"], parsed.fields["signature"]
        request = HopRequest(method, target_uri, digest, signature)
        hop = VerifiedHop(
            authority=known.authority,
            key_id=parsed.key_id,
            nonce=parsed.nonce,
            created=parsed.created,
            expires=parsed.expires,
            request=request,
        )
        return VerifiedHead(hop, has_body)
    raise fault


def verify_response(
    status: int,
    headers: Headers,
    body: bytes,
    *,
    request: HopRequest,
    expected_authority: str,
    resolve: Resolve,
    now: int,
) -> VerifiedAnswer:
    """Verify that `expected_authority` answered this very request with these bytes."""
    parsed = parse(headers)
    if parsed.components != RESPONSE or "content-type" not in parsed.fields:
        raise NotAuthentic("not the components of a response, in their order")
    _check_times(parsed, now)
    known = _known(parsed.key_id, resolve)
    if known.authority != expected_authority:
        raise NotAuthentic("another authority than the one that was asked")
    _verify(_Response(status, parsed.fields, _bound(request)), known.key)
    _check_digest(parsed.fields["content-digest"], body)
    return VerifiedAnswer(
        authority=known.authority,
        key_id=parsed.key_id,
        created=parsed.created,
        status=status,
        content_type=parsed.fields["content-type"],
        body=body,
    )


def claimed_key_id(headers: Headers) -> str:
    """Give the key id that a request or response claims, verified by nobody.

    For limits before any cryptography, and for documents that prove themselves.
    """
    return parse(headers).key_id


def _check_times(parsed: Parsed, now: int) -> None:
    """Judge created and expires by the caller's clock, with the skew of SPEC 8.2."""
    if not 0 < parsed.expires - parsed.created <= HOP_LIFETIME_S_MAX:
        raise NotAuthentic("a hop signature that lives no time, or too long")
    if parsed.created > now + HOP_SKEW_S:
        raise NotAuthentic(f"signed {parsed.created - now} s in our future")
    if parsed.expires < now - HOP_SKEW_S:
        raise NotAuthentic(f"expired {now - parsed.expires} s ago")


def _known(key_id: str, resolve: Resolve) -> HopKey:
    known = resolve(key_id)
    if known is None:
        raise NotAuthentic("a hop key that is unknown here, or not in force")
    if known.key.purpose != "hop" or known.key.key_id != key_id:
        raise NotAuthentic("a key of another purpose, or under another id")
    return known


def _check_digest(expected: str, body: bytes) -> None:
    # Recomputed over the bytes received: a signed digest of other bytes proves nothing.
    if content_digest(body) != expected:
        raise NotAuthentic("the body is not the one whose digest was signed")


def _bound(request: HopRequest) -> _Request:
    """Give the request as far as a response signature covers it."""
    fields = {"content-digest": request.content_digest, "signature": request.signature}
    return _Request(request.method, request.target_uri, fields)


class _Libsodium(HTTPSignatureAlgorithm):
    """Ed25519 under libsodium's rule, as everywhere in this project (SPEC 2.3)."""

    algorithm_id = ALGORITHM

    def __init__(
        self, public_key: PublicKey | None = None, private_key: Signer | None = None
    ) -> None:
        """Take the half that is needed."""
        self._public = public_key
        self._private = private_key

    def sign(self, message: bytes) -> bytes:
        """Sign the signature base."""
        if self._private is None:
            raise Misuse("nothing to sign with")
        return self._private.sign(message)

    def verify(self, signature: bytes, message: bytes) -> None:
        """Check a signature over the signature base; raises if it does not hold."""
        if self._public is None:
            raise Misuse("nothing to verify with")
        verify_signature(self._public, signature, message)


class _OneKey(HTTPSignatureKeyResolver):
    """Gives the one key that was already found; the message chooses nothing."""

    def __init__(self, key: PublicKey) -> None:
        """Keep the key."""
        self._key = key

    def resolve_public_key(self, key_id: str) -> PublicKey | None:
        """Give the key under its own id only."""
        return self._key if key_id == self._key.key_id else None


class _Verifier(HTTPMessageVerifier):
    """The library's verifier without its clock: `_check_times` has judged already."""

    def validate_created_and_expires(self, sig_input: object, max_age: object = None) -> None:
        """Do nothing: the library would read the system's clock."""


_SIGNING: Final = HTTPMessageSigner(signature_algorithm=_Libsodium)


def _sign(
    message: _Request | _Response, components: str, *, signer: Signer, nonce: str, now: int
) -> dict[str, str]:
    """Give the headers of `message` with a signature over `components` among them."""
    if NONCE.fullmatch(nonce) is None or signer.public.purpose != "hop":
        raise Misuse("a hop signature needs a hop key and a nonce of 22 to 64 characters")
    try:
        prepared = _SIGNING.prepare(
            message,
            key_id=signer.public.key_id,
            created=datetime.fromtimestamp(now, tz=UTC),
            expires=datetime.fromtimestamp(now + _LIFETIME_S, tz=UTC),
            nonce=nonce,
            label=LABEL,
            tag=TAG,
            covered_component_ids=components.split(" "),
            use_existing_digest=True,
        )
    except HTTPMessageSignaturesException as fault:
        raise Misuse("a request or response that cannot be signed") from fault
    signature = to_base64(signer.sign(prepared.signature_base))
    return {
        **message.headers,
        "signature-input": f"{LABEL}={prepared.signature_params}",
        "signature": f"{LABEL}=:{signature}:",
    }


def _verify(message: _Request | _Response, key: PublicKey) -> None:
    """Check the one signature of `message` with `key` (step 5)."""
    verifier = _Verifier(signature_algorithm=_Libsodium, key_resolver=_OneKey(key))
    try:
        verifier.verify(message, max_age=None, expect_tag=TAG)
    except (HTTPMessageSignaturesException, ValueError, TypeError) as fault:
        # The library quotes what it found, which may be the peer's bytes: not repeated.
        raise NotAuthentic("the hop signature does not hold") from fault
