"""A valid request and its valid response, for tests to break."""

from __future__ import annotations

from node.transport import hop
from tests.node.transport.peers import ASKED, ASKING, NONCE, NOW, OTHER, hop_signer, resolver

URL = "https://told.example:8443/comity/v1/envelopes"
TYPE = "application/vnd.comity.batch.v1"
BODY = b"sealed bytes"
RESOLVE = resolver(ASKING, ASKED, OTHER)

Headers = dict[str, str]


def signed(body: bytes = BODY, method: str = "POST", url: str = URL) -> hop.SignedRequest:
    """Give a valid request of the asking authority."""
    return hop.sign_request(
        method,
        url,
        body,
        TYPE if body else None,
        signer=hop_signer(ASKING),
        nonce=NONCE,
        now=NOW,
    )


def verify(
    headers: Headers | list[tuple[str, str]],
    body: bytes = BODY,
    *,
    method: str = "POST",
    url: str = URL,
    now: int = NOW,
    resolve: hop.Resolve = RESOLVE,
) -> hop.VerifiedHop:
    """Verify as the asked authority would."""
    pairs = list(headers.items()) if isinstance(headers, dict) else headers
    return hop.verify_request(method, [url], pairs, body, resolve=resolve, now=now)


def respond(request: hop.HopRequest, *, authority: str = ASKED, status: int = 200) -> Headers:
    """Give a valid response to a request."""
    return dict(
        hop.sign_response(
            status, BODY, TYPE, request, signer=hop_signer(authority), nonce=NONCE, now=NOW
        )
    )


def accept(headers: Headers, request: hop.HopRequest, *, status: int = 200,
           body: bytes = BODY, now: int = NOW) -> hop.VerifiedAnswer:  # fmt: skip
    """Verify a response as the asking authority would."""
    return hop.verify_response(
        status,
        headers.items(),
        body,
        request=request,
        expected_authority=ASKED,
        resolve=RESOLVE,
        now=now,
    )
