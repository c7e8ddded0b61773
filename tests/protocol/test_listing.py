"""Attacks on listings: a sentence, what is changed, how it is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.ring import new_ring
from protocol.document import KeyTerm
from protocol.dsse import Unverified, sign
from protocol.encoding import to_base64
from protocol.errors import (
    Malformed,
    NotAuthentic,
    NotForUs,
    NotPermitted,
    Rejected,
    TooLarge,
)
from protocol.identity import PublicKey
from protocol.listing import (
    LISTING_TYPE,
    ListedKey,
    Listing,
    check_url,
    decode_listing,
    decode_listing_text,
    sign_listing,
    verify_listing,
)
from tests.support.clock import START
from tests.support.trees import Change, Tree, copy, drop, dumped, put
from tests.support.trust import NETWORK, Trust, listed_keys, make_trust, seeded

OWN = "fj.justice"
HEX = "ab" * 32


@cache
def trust() -> Trust:
    """Make one network for all tests of this file: it is a value."""
    return make_trust()


def listing() -> Listing:
    """Give a valid listing."""
    return trust().listing(OWN).listing


def tree() -> Tree:
    """Give the text of a valid listing as JSON that may be changed."""
    found: Tree = json.loads(listing().text())
    return found


# --- one listing ---------------------------------------------------------------


def test_a_listing_decodes_to_what_was_encoded() -> None:
    """Encoding and decoding are inverse, for the text and for the statement."""
    assert decode_listing_text(listing().text()) == listing()
    assert decode_listing_text(dumped(tree())) == listing()
    raw = trust().listings[0]
    assert decode_listing(raw).encode() == raw


def _only(*purposes: str) -> Change:
    """Give a change that leaves only the keys of some purposes."""
    return lambda d: d.update(keys=[key for key in d["keys"] if key["purpose"] in purposes])


MALFORMED: list[tuple[str, Change, type[Rejected]]] = [
    ("an unknown version of the form", put("v", 2), Malformed),
    ("an unknown field", put("extra", 1), Malformed),
    ("a missing field", drop("pins"), Malformed),
    ("serial 0", put("serial", 0), Malformed),
    ("a first listing with a predecessor", put("prev", HEX), Malformed),
    ("a later listing without one", put("serial", 2), Malformed),
    ("an end before its beginning", copy("created", "expires"), Malformed),
    ("a key twice", lambda d: d["keys"].append(d["keys"][0]), Malformed),
    ("one raw key in two roles", lambda d: d["keys"].append(
        {**d["keys"][0], "purpose": "hop"}), Malformed),
    ("a steward's key", put("keys.0.purpose", "steward"), Malformed),
    ("a key with an algorithm of another purpose", put("keys.0.algorithm", "x-wing"), Malformed),
    ("a key of another length", put("keys.0.key", to_base64(bytes(31))), Malformed),
    ("a key that ends as it begins", put("keys.0.until", 0), Malformed),
    ("more keys than allowed", lambda d: d.update(keys=d["keys"] * 5), TooLarge),
    ("no key to seal to", _only("sign", "log", "witness", "hop"), Malformed),
    ("no hop key", _only("sign", "log", "witness", "seal"), Malformed),
    ("no URL and no pulling", put("urls", []), Malformed),
    ("a URL that nothing vouches for", put("pins", []), Malformed),
    ("a URL twice", put("urls", ["https://a.example"] * 2), Malformed),
    ("more URLs than allowed", put("urls", [f"https://a{n}.example" for n in range(5)]), TooLarge),
    ("a plain URL", put("urls", ["http://a.example"]), Malformed),
    ("a pin with a capital", put("pins", ["AB" * 32]), Malformed),
    ("a pin twice", put("pins", [HEX, HEX]), Malformed),
    ("a flag that is a number", put("any_ca", 1), Malformed),
    ("a flag that is null", put("pull", None), Malformed),
    ("a contact without a name", put("contacts.0.name", ""), Malformed),
    ("a contact whose name reorders text", put("contacts.0.name", "a\u2066b"), Malformed),
    ("an address of two lines", put("contacts.0.email", "a@b\nc"), Malformed),
    ("a telephone number with letters", put("contacts.0.telephone", "call me"), Malformed),
    ("a language that is none", put("languages", ["English!"]), Malformed),
    ("a channel twice", put("channels", ["comity", "comity"]), Malformed),
    ("declarations that are a list", put("declarations", []), Malformed),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "change", "error"), MALFORMED, ids=[x[0] for x in MALFORMED])
def test_a_listing_of_another_form_is_refused(
    sentence: str, change: Change, error: type[Rejected]
) -> None:
    """Every rule that one listing can be judged by alone holds."""
    changed = tree()
    change(changed)
    with pytest.raises(error):
        decode_listing_text(dumped(changed))


ALLOWED: list[tuple[str, Change]] = [
    ("an authority that only pulls", lambda d: d.update(pull=True, urls=[], pins=[])),
    ("any certificate authority instead of a pin", lambda d: d.update(any_ca=True, pins=[])),
    ("a contact with a name alone", lambda d: d["contacts"][0].update(email="", telephone="")),
    ("nobody to telephone", put("contacts", [])),
    ("declarations of any kind", put("declarations", {"mla": {"treaties": [1, None, "x"]}})),
]


@pytest.mark.parametrize(("sentence", "change"), ALLOWED, ids=[x[0] for x in ALLOWED])
def test_a_listing_may_leave_out_what_an_office_does_not_have(
    sentence: str, change: Change
) -> None:
    """The form is strict, not demanding."""
    changed = tree()
    change(changed)
    assert decode_listing_text(dumped(changed)).text() == dumped(changed)


def test_a_truncated_listing_is_refused_at_every_length() -> None:
    """No prefix of a statement is a statement (every 53rd length, and the last ones)."""
    raw = trust().listings[0]
    for length in (*range(0, len(raw), 53), *range(len(raw) - 40, len(raw))):
        with pytest.raises(Rejected):
            decode_listing(raw[:length])


@given(st.binary(max_size=300))
def test_any_bytes_give_a_listing_or_a_refusal(raw: bytes) -> None:
    """The decoders are total: no other exception comes out."""
    for decoder in (decode_listing, decode_listing_text):
        with pytest.raises(Rejected):
            decoder(raw)


# --- URLs ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://a", "https://node.justice.example", "https://a.example:8443",
        "https://a.example/comity", "https://a.example:1/x/y-z_~.9", "https://127.0.0.1:8443",
        "https://[::1]:8443", "https://[2001:db8::5]", "https://a.example:65535",
        "https://xn--bcher-kva.example", "https://a.example/...",
    ],
)  # fmt: skip
def test_a_normal_https_url_is_taken_as_it_is(url: str) -> None:
    """What is in its one form comes back unchanged."""
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "", "https://", "http://a.example", "HTTPS://a.example", "https://A.example",
        "ftp://a.example", "https+unix://a", "//a.example", "https:/a.example",
        "https://user@a.example", "https://user:pw@a.example", "https://a.example?x=1",
        "https://a.example#x", "https://a.example/", "https://a.example/x/",
        "https://a.example//x", "https://a.example/./x", "https://a.example/x/..",
        "https://a.example/%2e%2e", "https://a.example/x y", "https://a.example:443",
        "https://a.example:0443", "https://a.example:0", "https://a.example:65536",
        "https://a.example:", "https://a..example", "https://a.example.", "https://.a",
        "https://-a.example", "https://a-.example", "https://a_b.example", "https://b\u00fccher.example",
        "https://127.1", "https://2130706433", "https://0x7f000001", "https://0x7f.0.0.1",
        "https://0177.0.0.1", "https://127.0.0.01", "https://1.2.3.4.5", "https://256.0.0.1",
        "https://a.0x1", "https://[::0001]", "https://[0:0:0:0:0:0:0:1]", "https://[::1",
        "https://::1", "https://[::1%25eth0]", "https://[v1.x]", "https://[127.0.0.1]",
        "https://a.example\n", " https://a.example", "https://a.example\\@b.example",
        "https://" + "a" * 64 + ".example", "https://a.example/" + "x" * 512,
    ],
)  # fmt: skip
def test_a_url_in_any_other_form_is_refused(url: str) -> None:
    """No second spelling, no address in disguise, nothing that two parsers read differently."""
    with pytest.raises(Malformed):
        check_url(url)


@given(st.text(max_size=80))
def test_any_text_is_a_normal_url_or_refused(text: str) -> None:
    """The check is total, also behind a plausible beginning."""
    for url in (text, f"https://{text}", f"https://a.example{text}", f"https://[{text}]"):
        try:
            assert check_url(url) == url
        except Malformed:
            continue


# --- times of keys ----------------------------------------------------------------


def test_the_newest_seal_key_in_use_comes_first() -> None:
    """Among overlapping keys the one that began last is sealed to; ended ones never."""
    made = [
        ListedKey(PublicKey("seal", "x-wing", bytes([n]) * 1_216), start, until)
        for n, (start, until) in enumerate([(0, None), (50, 90), (60, None), (200, None)])
    ]
    shown = replace(listing(), keys=tuple(made))
    assert shown.seal_keys_at(89) == (made[2].key, made[1].key, made[0].key)
    assert shown.seal_keys_at(90) == (made[2].key, made[0].key)
    assert shown.seal_keys_at(200)[0] == made[3].key


@pytest.mark.parametrize(
    ("time", "skew_s", "covered"),
    [(9, 0, False), (10, 0, True), (19, 0, True), (20, 0, False), (9, 1, True), (8, 1, False),
     (20, 1, True), (21, 1, False)],
)  # fmt: skip
def test_a_key_is_in_use_from_its_beginning_to_before_its_end(
    time: int, skew_s: int, *, covered: bool
) -> None:
    """One second either side of each edge, with and without skew."""
    key = ListedKey(PublicKey("hop", "ed25519", bytes(32)), 10, 20)
    assert key.covers(time, skew_s=skew_s) is covered


# --- whose word it is ----------------------------------------------------------------


def _signed(changed: Listing, by: str = OWN) -> Unverified:
    return sign_listing(changed, trust().sign_pair(by))


def _stranger_keys(purpose: str) -> Listing:
    other = new_ring(NETWORK, OWN, random=seeded("stranger"), now=START)
    kept = [one for one in listing().keys if one.key.purpose != purpose]
    new = [one for one in listed_keys(other) if one.key.purpose == purpose]
    return replace(listing(), keys=(*kept, *new))


def _lacking(purpose: str) -> Listing:
    kept = tuple(one for one in listing().keys if one.key.purpose != purpose)
    return replace(listing(), keys=kept)


def _signed_wrongly(change: Callable[[Unverified], Unverified]) -> Unverified:
    return change(_signed(listing()))


FORGED: list[tuple[str, Callable[[], Unverified], type[Rejected]]] = [
    ("another authority's signature", lambda: _signed(listing(), "qm.justice"), NotAuthentic),
    ("a stranger's keys and signature", lambda: sign_listing(
        _stranger_keys("sign"), new_ring(NETWORK, OWN, random=seeded("stranger"), now=START)
        .signers("sign")), NotAuthentic),
    ("a log key that the stewards did not sign", lambda: _signed(_stranger_keys("log")),
     NotAuthentic),
    ("a witness key that the stewards did not sign", lambda: _signed(_stranger_keys("witness")),
     NotAuthentic),
    ("no sign keys", lambda: _signed(_lacking("sign")), NotAuthentic),
    ("no log keys", lambda: _signed(_lacking("log")), NotAuthentic),
    ("no witness keys", lambda: _signed(_lacking("witness")), NotAuthentic),
    ("half of the log keys", lambda: _signed(replace(listing(), keys=tuple(
        one for one in listing().keys if one.key.algorithm != "ml-dsa-44"))), NotAuthentic),
    ("one signature stripped", lambda: _signed_wrongly(
        lambda one: replace(one, signatures=one.signatures[:1])), NotAuthentic),
    ("signatures in another order", lambda: _signed_wrongly(
        lambda one: replace(one, signatures=one.signatures[::-1])), NotAuthentic),
    ("a third signature", lambda: _signed_wrongly(
        lambda one: replace(one, signatures=(*one.signatures, one.signatures[0]))), NotAuthentic),
    ("no signature", lambda: _signed_wrongly(
        lambda one: replace(one, signatures=())), NotAuthentic),
    ("a text changed after signing", lambda: _signed_wrongly(
        lambda one: replace(one, text=replace(listing(), pull=True).text())), NotAuthentic),
    ("the signatures of another listing", lambda: replace(
        _signed(listing()), signatures=_signed(replace(listing(), pull=True)).signatures),
     NotAuthentic),
    ("signed as a message", lambda: replace(
        sign("application/vnd.comity.message.v1+json", listing().text(), trust().sign_pair(OWN)),
        type=LISTING_TYPE), NotAuthentic),
    ("another network", lambda: _signed(replace(listing(), network="other")), NotForUs),
    ("an authority that is not listed", lambda: _signed(
        replace(listing(), authority="xx.none")), NotPermitted),
    ("another authority's name over one's own keys", lambda: _signed(
        replace(listing(), authority="qm.justice")), NotAuthentic),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "make", "error"), FORGED, ids=[x[0] for x in FORGED])
def test_a_listing_that_is_not_its_authoritys_word_is_refused(
    sentence: str, make: Callable[[], Unverified], error: type[Rejected]
) -> None:
    """The keys hash to what the stewards signed, and exactly the sign pair has signed."""
    with pytest.raises(error):
        verify_listing(make(), trust().document.document)


def test_a_removed_authority_lists_nothing_and_a_suspended_one_does() -> None:
    """Suspension keeps keys fresh for the day it ends; removal ends everything."""
    document = trust().document.document
    entry = document.authorities[0]
    suspended = document.with_authority(replace(entry, status="suspended"))
    assert verify_listing(_signed(listing()), suspended).listing == listing()
    removed = document.with_authority(replace(entry, status="removed"))
    with pytest.raises(NotPermitted):
        verify_listing(_signed(listing()), removed)


@pytest.mark.parametrize(("until", "good"), [(START, False), (START + 1, True)])
def test_a_sign_pair_signs_listings_made_before_its_end(until: int, *, good: bool) -> None:
    """One second either side of the end of the pair's term."""
    document = trust().document.document
    entry = document.authorities[0]
    ended = replace(entry.sign[0], until=until)
    newer = KeyTerm(("aa" * 32, "bb" * 32), until, None)
    changed = document.with_authority(replace(entry, sign=(ended, newer)))
    if good:
        assert verify_listing(_signed(listing()), changed).signed_by == ended.key_ids
    else:
        with pytest.raises(NotAuthentic):
            verify_listing(_signed(listing()), changed)


def test_the_pair_that_signs_must_stand_in_the_listing_itself() -> None:
    """A listing that shows the old pair and is signed by the new one proves nothing."""
    ring = new_ring(NETWORK, OWN, random=seeded("stranger"), now=START)
    document = trust().document.document
    entry = document.authorities[0]
    newer = KeyTerm(ring.signers("sign").key_ids, START, None)
    changed = document.with_authority(
        replace(entry, sign=(replace(entry.sign[0], until=START), newer))
    )
    with pytest.raises(NotAuthentic):
        verify_listing(sign_listing(listing(), ring.signers("sign")), changed)
