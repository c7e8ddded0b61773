"""The hop signature, attacked: a valid request with one thing changed never passes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.pairs import signer_from_seed
from node.transport import form, hop
from protocol.encoding import to_base64
from protocol.errors import Misuse, NotAuthentic
from protocol.identity import PublicKey
from tests.node.transport.peers import ASKING, NONCE, NOW, OTHER, Known, hop_signer
from tests.node.transport.signing import (
    BODY,
    RESOLVE,
    TYPE,
    URL,
    Headers,
    accept,
    respond,
    signed,
    verify,
)

Change = Callable[[Headers], object]


def resigned(change: Change, *, components: str | None = None) -> Headers:
    """Give a request whose signature base was changed and then signed with the right key."""
    headers = dict(signed().headers)
    change(headers)
    text = headers["signature-input"].partition("=")[2]
    values = {
        '"@method"': "POST",
        '"@target-uri"': URL,
        '"content-type"': headers.get("content-type", ""),
        '"content-digest"': headers["content-digest"],
    }
    listed = text[1 : text.index(")")] if components is None else components
    base = "".join(f"{name}: {values[name]}\n" for name in listed.split(" "))
    base += f'"@signature-params": {text}'
    signature = hop_signer(ASKING).sign(base.encode())
    headers["signature"] = f"comity=:{to_base64(signature)}:"
    return headers


def swap(old: str, new: str, name: str = "signature-input") -> Change:
    """Give a change of one header's text, which must be there to be changed."""

    def change(headers: Headers) -> None:
        assert old in headers[name]
        headers[name] = headers[name].replace(old, new)

    return change


def test_a_valid_request_is_verified_and_names_its_authority() -> None:
    """Everything that the effect needs is in the verified request."""
    verified = verify(dict(signed().headers))
    assert verified == hop.VerifiedHop(
        authority=ASKING,
        key_id=hop_signer(ASKING).public.key_id,
        nonce=NONCE,
        created=NOW,
        expires=NOW + 120,
        request=signed().request,
    )


def test_a_request_without_a_body_has_a_digest_of_no_bytes() -> None:
    """The digest is signed always; content-type is covered only with a body."""
    headers = dict(signed(b"", "GET").headers)
    assert headers["content-digest"] == "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
    assert headers["signature-input"].startswith(f"comity=({form.REQUEST_BARE});")
    assert verify(headers, b"", method="GET").authority == ASKING


def test_the_resigning_of_these_tests_is_right() -> None:
    """Without a change, the hand-made signature is valid: so the changes below are what fails."""
    assert verify(resigned(lambda headers: None)).authority == ASKING


def test_the_order_of_the_parameters_is_free() -> None:
    """RFC 9421 fixes none; the signature covers the one that was sent."""
    moved = swap(f';nonce="{NONCE}";tag="comity-v1"', f';tag="comity-v1";nonce="{NONCE}"')
    assert verify(resigned(moved)).nonce == NONCE


CHANGED_AFTER_SIGNING: dict[str, Change] = {
    "created moved": swap(f"created={NOW}", f"created={NOW - 1}"),
    "expires moved": swap(f"expires={NOW + 120}", f"expires={NOW + 121}"),
    "nonce changed": swap(NONCE, NONCE[::-1]),
    "key id of another authority": swap(
        hop_signer(ASKING).public.key_id, hop_signer(OTHER).public.key_id
    ),
    "digest of another body": swap(form.content_digest(BODY), form.content_digest(b""),
                                   "content-digest"),
    "content-type changed": swap("batch", "answers", "content-type"),
    "content-type missing": lambda headers: headers.pop("content-type"),
    "digest missing": lambda headers: headers.pop("content-digest"),
    "signature missing": lambda headers: headers.pop("signature"),
    "input missing": lambda headers: headers.pop("signature-input"),
    "signature of zeros": lambda headers: headers.update(
        signature=f"comity=:{to_base64(bytes(64))}:"
    ),
    "signature too short": lambda headers: headers.update(
        signature=f"comity=:{to_base64(bytes(63))}:"
    ),
    "base64 of the signature not canonical": lambda headers: headers.update(
        signature=headers["signature"].replace("==:", "=A:")
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGED_AFTER_SIGNING)
def test_one_thing_changed_after_signing_is_refused(name: str) -> None:
    """Every signed field is really covered."""
    headers = dict(signed().headers)
    CHANGED_AFTER_SIGNING[name](headers)
    with pytest.raises(NotAuthentic):
        verify(headers)


def test_a_changed_body_under_a_valid_digest_header_is_refused() -> None:
    """The digest is computed anew over the bytes received."""
    with pytest.raises(NotAuthentic, match="body"):
        verify(dict(signed().headers), BODY + b"!")
    with pytest.raises(NotAuthentic, match="together"):
        verify(dict(signed().headers), b"")
    with pytest.raises(NotAuthentic, match="together"):
        verify(dict(signed(b"", "GET").headers), b"x", method="GET")


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("PUT", URL),
        ("POST", URL + "?above=1"),
        ("POST", URL.replace("told", "another")),
        ("POST", URL.replace("8443", "443")),
        ("POST", URL.replace("https", "http")),
        ("POST", URL.replace("envelopes", "receipts")),
        ("post", URL),
        ("POST", "not a url"),
        ("POST", "https://[::1"),
    ],
)
def test_another_method_host_or_path_is_refused(method: str, url: str) -> None:
    """A request is good at one URL only."""
    with pytest.raises(NotAuthentic):
        verify(dict(signed().headers), method=method, url=url)


def test_a_content_type_that_nobody_signed_is_refused() -> None:
    """Without a body there is no content-type, so nobody can slip one in."""
    headers = {**signed(b"", "GET").headers, "content-type": TYPE}
    with pytest.raises(NotAuthentic, match="together"):
        verify(headers, b"", method="GET")


def test_one_of_several_own_urls_is_enough_and_none_is_none() -> None:
    """A node may be listed under several URLs; without one, nothing verifies."""
    pairs = list(signed().headers.items())
    urls = ["https://old.example/x", URL]
    assert (
        hop.verify_head("POST", urls, pairs, resolve=RESOLVE, now=NOW).hop.request.target_uri == URL
    )
    with pytest.raises(NotAuthentic):
        hop.verify_head("POST", [], pairs, resolve=RESOLVE, now=NOW)


SIGNED_BUT_NOT_OURS: dict[str, Change] = {
    "no nonce": swap(f';nonce="{NONCE}"', ""),
    "nonce too short": swap(NONCE, NONCE[:21]),
    "nonce with other characters": swap(NONCE, NONCE[:-1] + "="),
    "no expires": swap(f";expires={NOW + 120}", ""),
    "no created": swap(f";created={NOW}", ""),
    "no tag": swap(';tag="comity-v1"', ""),
    "wrong tag": swap("comity-v1", "comity-v2"),
    "no alg": swap(';alg="ed25519"', ""),
    "alg of a shared secret": swap("ed25519", "hmac-sha256"),
    "alg of another curve": swap("ed25519", "ecdsa-p256-sha256"),
    "lives too long": swap(f"expires={NOW + 120}", f"expires={NOW + 301}"),
    "expires before it is created": swap(f"expires={NOW + 120}", f"expires={NOW}"),
    "time as text": swap(f"created={NOW}", f'created="{NOW}"'),
    "time with a leading zero": swap(f"created={NOW}", f"created=0{NOW}"),
    "tag as a number": swap('tag="comity-v1"', "tag=1"),
    "a parameter twice": swap(';tag="comity-v1"', ';tag="comity-v1";tag="comity-v1"'),
    "an unknown parameter": swap(';tag="comity-v1"', ';tag="comity-v1";x=1'),
    "spaces between parameters": swap(";tag", "; tag"),
    "another label": swap("comity=", "other="),
    "digest of md5": lambda h: h.update({"content-digest": "md5=:1B2M2Y8AsgTpgAmY7PhCfg==:"}),
    "digest of sha-512": lambda h: h.update({"content-digest": f"sha-512=:{'A' * 86}==:"}),
    "a second digest": lambda h: h.update(
        {"content-digest": form.content_digest(BODY) + ", md5=:1B2M2Y8AsgTpgAmY7PhCfg==:"}
    ),
    "content-type not covered": swap(form.REQUEST_WITH_BODY, form.REQUEST_BARE),
    "components in another order": swap(
        '"content-type" "content-digest"', '"content-digest" "content-type"'
    ),
    "a component more": swap('"content-digest")', '"content-digest" "@method")'),
    "a component less": swap(' "@target-uri"', ""),
}


@pytest.mark.parametrize("name", SIGNED_BUT_NOT_OURS)
def test_a_rightly_signed_request_of_another_form_is_refused(name: str) -> None:
    """The peer itself signed it: what we insist on does not hang on the signature."""
    with pytest.raises(NotAuthentic):
        verify(resigned(SIGNED_BUT_NOT_OURS[name]))


@pytest.mark.parametrize("name", ["signature", "signature-input"])
def test_two_signatures_are_refused_in_one_header_or_in_two(name: str) -> None:
    """Exactly one signature: nobody can choose between two."""
    headers = dict(signed().headers)
    second = headers[name].replace("comity=", "second=")
    with pytest.raises(NotAuthentic):
        verify({**headers, name: f"{headers[name]}, {second}"})
    with pytest.raises(NotAuthentic, match="twice"):
        verify([*headers.items(), (name.title(), second)])


@pytest.mark.parametrize(
    "name", ["content-type", "content-digest", "signature", "signature-input", "content-length",
             "transfer-encoding", "host"],
)  # fmt: skip
def test_a_header_that_matters_may_stand_once(name: str) -> None:
    """Two readers of a doubled header may read different ones."""
    headers = {"content-length": "12", "transfer-encoding": "chunked", "host": "x",
               **signed().headers}  # fmt: skip
    with pytest.raises(NotAuthentic, match="twice"):
        verify([*headers.items(), (name.upper(), headers[name])])


def test_a_request_is_good_within_its_minutes_and_the_skew() -> None:
    """60 seconds of skew on both sides, and not one more."""
    headers = dict(signed().headers)
    for now in (NOW - 60, NOW, NOW + 120 + 60):
        assert verify(headers, now=now).created == NOW
    for now in (NOW - 61, NOW + 120 + 61):
        with pytest.raises(NotAuthentic):
            verify(headers, now=now)


def test_a_key_that_is_unknown_or_of_another_purpose_is_refused() -> None:
    """Only a hop key, under its own id, of a listing, makes a hop signature."""
    headers = dict(signed().headers)
    signer = hop_signer(ASKING)
    log_key = PublicKey("log", "ed25519", signer.public.raw)
    for resolve in (
        lambda _: None,
        lambda _: Known(ASKING, log_key),
        lambda _: Known(OTHER, hop_signer(OTHER).public),
    ):
        with pytest.raises(NotAuthentic):
            verify(headers, resolve=resolve)


def test_a_key_of_small_order_signs_nothing() -> None:
    """With A of order 1, R = B and S = 1 "verify" in lenient libraries, for any text."""
    small = PublicKey("hop", "ed25519", bytes([1]) + bytes(31))
    base_point = bytes([0x58]) + bytes([0x66] * 31)
    forged = to_base64(base_point + bytes([1]) + bytes(31))
    headers = {**signed().headers, "signature": f"comity=:{forged}:"}
    headers["signature-input"] = headers["signature-input"].replace(
        hop_signer(ASKING).public.key_id, small.key_id
    )
    with pytest.raises(NotAuthentic):
        verify(headers, resolve=lambda _: Known(ASKING, small))


def test_our_own_mistakes_are_no_requests() -> None:
    """A short nonce, another purpose's key or a body without its type is a bug here."""
    log = signer_from_seed("log", "ed25519", bytes(32))
    with pytest.raises(Misuse):
        hop.sign_request("GET", URL, b"", None, signer=hop_signer(ASKING), nonce="short", now=NOW)
    with pytest.raises(Misuse):
        hop.sign_request("GET", URL, b"", None, signer=log, nonce=NONCE, now=NOW)
    with pytest.raises(Misuse):
        hop.sign_request("GET", URL, b"x", None, signer=hop_signer(ASKING), nonce=NONCE, now=NOW)
    with pytest.raises(Misuse):
        hop.sign_request(
            "GET", "no url", b"", None, signer=hop_signer(ASKING), nonce=NONCE, now=NOW
        )


@given(
    st.dictionaries(
        st.sampled_from(["content-type", "content-digest", "signature", "signature-input"]),
        st.text(max_size=80),
    )
)
def test_any_headers_give_a_value_or_a_refusal(changed: Headers) -> None:
    """The verifier is total: it never raises anything but its refusal."""
    request = signed()
    try:
        verify({**request.headers, **changed})
        accept({**respond(request.request), **changed}, request.request)
    except NotAuthentic:
        return
    assert not changed or changed.items() <= {**request.headers}.items()


@given(st.text(max_size=60))
def test_any_url_gives_a_value_or_a_refusal(target: str) -> None:
    """A request target comes from outside: the library's URL parser must not surprise us."""
    with pytest.raises(NotAuthentic):
        verify(dict(signed().headers), url=f"https://told.example:8443/{target}#")
