"""The signature of a response: by the one who was asked, to this very request."""

from __future__ import annotations

from dataclasses import replace

import pytest

from node.transport import form
from protocol.encoding import to_base64
from protocol.errors import NotAuthentic
from tests.node.transport.peers import ASKED, NOW, OTHER
from tests.node.transport.signing import BODY, TYPE, URL, accept, respond, signed, verify


def test_a_valid_response_is_verified_by_the_one_who_asked() -> None:
    """What the listener bound it to is what the client kept."""
    request = signed()
    seen = verify(dict(request.headers)).request
    found = accept(respond(seen), request.request)
    assert (found.authority, found.status, found.content_type, found.body) == (
        ASKED,
        200,
        TYPE,
        BODY,
    )


def test_a_response_to_another_request_is_refused() -> None:
    """Method, URL, digest and signature of the request are all bound."""
    mine = signed().request
    headers = respond(mine)
    others = (
        replace(mine, method="GET"),
        replace(mine, target_uri=URL + "x"),
        replace(mine, content_digest=form.content_digest(b"other")),
        replace(mine, signature=f"comity=:{to_base64(bytes(64))}:"),
    )
    for other in others:
        with pytest.raises(NotAuthentic):
            accept(headers, other)


def test_a_response_with_one_thing_changed_is_refused() -> None:
    """Status, body, type, time and signer are all covered."""
    request = signed().request
    with pytest.raises(NotAuthentic):
        accept(respond(request), request, status=403)
    with pytest.raises(NotAuthentic):
        accept(respond(request), request, body=BODY + b"x")
    with pytest.raises(NotAuthentic):
        accept({**respond(request), "content-type": "application/json"}, request)
    with pytest.raises(NotAuthentic):
        accept(respond(request), request, now=NOW + 181)
    with pytest.raises(NotAuthentic, match="another authority"):
        accept(respond(request, authority=OTHER), request)
    without = respond(request)
    del without["content-type"]
    with pytest.raises(NotAuthentic):
        accept(without, request)


def test_a_request_is_no_response_and_a_response_no_request() -> None:
    """The component lists keep the two apart."""
    request = signed()
    with pytest.raises(NotAuthentic, match="components"):
        accept(dict(request.headers), request.request)
    with pytest.raises(NotAuthentic, match="components"):
        verify(respond(request.request))
