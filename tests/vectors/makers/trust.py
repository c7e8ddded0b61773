"""Vectors of network documents, listings and revocations (SPEC 10 to 12).

Three stewards, two of whom must sign, and two authorities.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from keys.pairs import SignerPair
from protocol.document import Document, LogTerm
from protocol.dsse import Unverified, merge_signatures, sign
from protocol.encoding import to_base64
from protocol.listing import LISTING_TYPE, Listing
from protocol.network import NETWORK_TYPE, TrustedDocument
from protocol.revocation import REVOCATION_TYPE, Revocation
from tests.support.forge import Value, changed, statement_json, without
from tests.support.trees import copy, drop, dumped, put
from tests.support.trust import Trust, make_trust
from tests.vectors.form import Vector
from tests.vectors.makers.world import DAY, FJ, NETWORK, NOW, QM, vector


def _trust() -> Trust:
    return make_trust((FJ, QM), now=NOW, network=NETWORK)


def _by(text: bytes, pairs: Sequence[SignerPair]) -> Unverified:
    """Sign a document's text as stewards do, whatever it says."""
    statement = Unverified(NETWORK_TYPE, text, ())
    for pair in pairs:
        statement = merge_signatures(sign(NETWORK_TYPE, text, pair), statement)
    return statement


# --- network documents ---------------------------------------------------------------------


def _next(trust: Trust, **changes: Value) -> Document:
    old = trust.document
    follows = {"version": 2, "prev": old.digest, "created": NOW + DAY, **changes}
    return replace(old.document, **follows)


def _network(
    name: str, expect: str, comment: str, statement: Unverified | bytes, trusted: str = "",
    **more: str,
) -> Vector:  # fmt: skip
    body = statement if isinstance(statement, bytes) else statement.encode()
    headers = {"trusted": trusted} if trusted else {}
    return Vector(f"network/{name}", expect, comment, body, {**headers, **more})


def _documents(trust: Trust) -> Iterator[Vector]:
    first, stewards = trust.document, trust.steward_pairs
    text = first.document.text()
    yield _network("ok-first", "ok", "Believed by its own list; a person compared its digits.",
                   _by(text, stewards), digest=first.digest)  # fmt: skip
    yield _network("ok-first-threshold", "ok", "Two of three are enough.", _by(text, stewards[:2]),
                   digest=first.digest)  # fmt: skip
    yield _network("first-below-threshold", "not-authentic", "One of three.",
                   _by(text, stewards[:1]))  # fmt: skip
    yield from _signatures_of_stewards(_by(text, stewards))
    yield from _successors(trust, first)
    yield from _splits(trust)


def _signatures_of_stewards(good: Unverified) -> Iterator[Vector]:
    made = good.signatures
    both = good.signatures[:2]
    half = replace(good, signatures=tuple(one for one in made if len(one.raw) == 64))
    flipped = replace(made[0], raw=bytes([made[0].raw[0] ^ 1]) + made[0].raw[1:])
    cases: Mapping[str, tuple[str, str, Unverified | bytes]] = {
        "half-pairs": ("not-authentic", "Three stewards, each with one signature of two.", half),
        "signatures-turned": ("malformed", "Signatures stand in the order of their key ids.",
                              replace(good, signatures=made[::-1])),
        "signature-twice": ("malformed", "One stands twice.",
                            replace(good, signatures=(both[0], both[0], *made[1:]))),
        "flipped-signature": ("not-authentic", "One bad signature refuses the whole.",
                              replace(good, signatures=(flipped, *made[1:]))),
        "unsigned": ("not-authentic", "Nobody signed.", replace(good, signatures=())),
    }  # fmt: skip
    for name, (expect, comment, statement) in cases.items():
        yield _network(name, expect, comment, statement)


def _successors(trust: Trust, first: TrustedDocument) -> Iterator[Vector]:
    stewards = trust.steward_pairs
    after = "network/ok-first"
    new = make_trust((FJ, QM), now=NOW, network=NETWORK, stewards=4, threshold=3)
    fourth = new.document.document.stewards[3]
    joined = _next(trust, stewards=(*first.document.stewards, fourth), threshold=3)
    fj, qm = first.document.authorities
    other_log = replace(fj, logs=(LogTerm(1, (*fj.logs[0].key_ids[::-1],)),))
    cases: Mapping[str, tuple[str, str, Document, Sequence[SignerPair]]] = {
        "ok-next": ("ok", "The next version.", _next(trust), stewards[:2]),
        "ok-next-steward": ("ok", "A steward joins: both thresholds are met.", joined,
                            (*stewards[:2], new.steward_pairs[3])),
        "next-new-threshold": ("not-authentic", "Two of the old list, two of three of the new.",
                               joined, stewards[:2]),
        "next-old-threshold": ("not-authentic", "One of the old list.",
                               replace(joined, stewards=(*first.document.stewards[:1], fourth),
                                       threshold=2),
                               (stewards[0], new.steward_pairs[3])),
        "next-skips-a-version": ("epoch-ahead", "A version is missing between.",
                                 _next(trust, version=3), stewards),
        "next-same-version": ("epoch-old", "Not newer.",
                              replace(first.document, expires=NOW + DAY), stewards),
        "next-other-prev": ("mismatch", "It follows another document.",
                            _next(trust, prev="0" * 64), stewards),
        "next-other-network": ("not-for-us", "Of another network.",
                               _next(trust, network="atlantic"), stewards),
        "next-made-before": ("mismatch", "Older than its predecessor.",
                             _next(trust, created=NOW - 1), stewards),
        "next-authority-vanished": ("mismatch", "Who leaves stays listed as removed.",
                                    _next(trust, authorities=(replace(fj, witnesses=()),)),
                                    stewards),
        "next-log-keys-changed": ("mismatch", "The keys of a log never change.",
                                  _next(trust, authorities=(other_log, qm)),
                                  stewards),
    }  # fmt: skip
    for name, (expect, comment, document, pairs) in cases.items():
        yield _network(name, expect, comment, _by(document.text(), pairs), after)


def _splits(trust: Trust) -> Iterator[Vector]:
    stewards = trust.steward_pairs
    ours, rival = _next(trust), _next(trust, expires=NOW + 100 * DAY)
    statements = [_by(one.text(), stewards[:2]) for one in (ours, rival)]
    prev = tuple(sorted(one.identity for one in statements))
    yield _network("ok-rival", "ok", "A second document of version 2: each is valid alone.",
                   statements[1], "network/ok-first")  # fmt: skip
    healing = _next(trust, version=3, prev=prev, created=NOW + 2 * DAY)
    both = {"trusted": "network/ok-first", "rivals": "network/ok-next network/ok-rival"}
    yield _network("ok-healing", "ok", "It names both rivals and ends the split.",
                   _by(healing.text(), stewards[:2]), **both)  # fmt: skip
    one_sided = replace(healing, prev=(prev[0], "f" * 64))
    yield _network("healing-other-rivals", "mismatch", "It names a rival that nobody was shown.",
                   _by(one_sided.text(), stewards), **both)  # fmt: skip


def _document_texts(trust: Trust) -> Iterator[Vector]:
    text = trust.document.document.text()
    yield vector("network-text/ok", "ok", "Two authorities, three stewards.", text)
    cases = {
        "unknown-field": ("The form is closed.", put("more", 1)),
        "version": ("Version 1 of the form.", put("v", 2)),
        "first-with-prev": ("The first has no predecessor.", put("prev", "0" * 64)),
        "threshold-half": ("More than half of the stewards must sign.", put("threshold", 1)),
        "threshold-over": ("No more can sign than there are.", put("threshold", 4)),
        "expires-before": ("It expires after it is made.", put("expires", NOW)),
        "stewards-one-name": ("An office stands once, however it is written.",
                              put("stewards.1.name", "STEWARD 1")),
        "stewards-one-key": ("A key stands once.", copy("stewards.0.keys", "stewards.1.keys")),
        "steward-one-key": ("A steward has two keys.", drop("stewards.0.keys.1")),
        "steward-name-hidden": ("A name has no sign that turns the text.",
                                put("stewards.0.name", "Office \u202eevil")),
        "authorities-turned": ("Authorities stand in the order of their ids.",
                               put("authorities.0.id", "zz.justice")),
        "key-twice": ("A key stands once among the authorities.",
                      copy("authorities.0.sign", "authorities.1.sign")),
        "own-witness": ("Nobody witnesses itself.", put("authorities.0.witnesses", [FJ])),
        "unknown-witness": ("A witness is of the list.",
                            put("authorities.0.witnesses", ["to.justice"])),
        "too-few-witnesses": ("More witnesses are needed than there are.", put("witnessing.f", 9)),
        "no-logs": ("An authority has a log.", put("authorities.0.logs", [])),
        "term-turned": ("A term ends after it begins.", put("authorities.0.sign.0.until", 0)),
        "bad-status": ("A status is one of three.", put("authorities.0.status", "trusted")),
    }  # fmt: skip
    for name, (comment, change) in cases.items():
        tree = json.loads(text)
        change(tree)
        yield vector(f"network-text/{name}", "malformed", comment, dumped(tree))


# --- listings ------------------------------------------------------------------------------


def _listing(name: str, expect: str, comment: str, body: bytes, **more: str) -> Vector:
    headers = {"document": "network/ok-first", **more}
    return Vector(f"listing/{name}", expect, comment, body, headers)


def _listings(trust: Trust) -> Iterator[Vector]:
    held = trust.listing(FJ)
    text = held.listing.text()

    def by(pair: SignerPair, raw: bytes = text) -> Unverified:
        return sign(LISTING_TYPE, raw, pair)

    yield _listing("ok", "ok", "By the sign keys that the document names.", held.raw,
                   digest=held.digest)  # fmt: skip
    good = by(trust.sign_pair(FJ))
    first, second = good.signatures
    kept: Listing = held.listing
    foreign = trust.listing(QM).listing.keys
    unlisted = replace(
        kept, keys=(*kept.keys, *(one for one in foreign if one.key.purpose == "log"))
    )
    lacking = replace(kept, keys=tuple(one for one in kept.keys if one.key.purpose != "witness"))
    cases: Mapping[str, tuple[str, str, Unverified]] = {
        "by-another": ("not-authentic", "Signed by another authority.", by(trust.sign_pair(QM))),
        "by-log-keys": ("not-authentic", "Signed with keys of another purpose.",
                        by(trust.rings[FJ].signers("witness"))),
        "only-ed25519": ("not-authentic", "The ML-DSA-65 signature is stripped.",
                         replace(good, signatures=(first,))),
        "signatures-turned": ("not-authentic", "The wrong order.",
                              replace(good, signatures=(second, first))),
        "altered": ("not-authentic", "Another text than was signed.",
                    replace(good, text=text.replace(b"8443", b"8444"))),
        "foreign-lasting-keys": ("not-authentic", "It shows log keys that are another's.",
                                 by(trust.sign_pair(FJ), unlisted.text())),
        "lacks-witness-keys": ("not-authentic", "It lacks the witness keys.",
                               by(trust.sign_pair(FJ), lacking.text())),
        "other-network": ("not-for-us", "Of another network.",
                          by(trust.sign_pair(FJ), changed(text, network="atlantic"))),
        "unknown-authority": ("not-permitted", "Of an authority that is not in the document.",
                              by(trust.sign_pair(FJ), changed(text, authority="to.justice"))),
    }  # fmt: skip
    for name, (expect, comment, statement) in cases.items():
        yield _listing(name, expect, comment, statement.encode())
    yield _listing("unknown-field", "malformed", "The statement is closed.",
                   statement_json(good, more=1))  # fmt: skip


def _listing_texts(trust: Trust) -> Iterator[Vector]:
    text = trust.listing(FJ).listing.text()
    yield vector("listing-text/ok", "ok", "One URL, one pin, a contact.", text)
    urls = {
        "ok-url-prefix": ("https://node.fj.example/comity", "ok", "A path before ours."),
        "ok-url-ipv6": ("https://[2001:db8::1]:8443", "ok", "An address in its one form."),
        "url-http": ("http://node.fj.example", "malformed", "TLS, always."),
        "url-default-port": ("https://node.fj.example:443", "malformed", "443 is not written."),
        "url-trailing-slash": ("https://node.fj.example/", "malformed", "No slash at the end."),
        "url-user": ("https://fj@node.example", "malformed", "No user."),
        "url-upper-case": ("https://Node.fj.example", "malformed", "A host is lower-case."),
        "url-number-host": ("https://2130706433", "malformed", "No address in disguise."),
        "url-short-address": ("https://127.1", "malformed", "Nor a shortened one."),
        "url-dot-segment": ("https://node.fj.example/a/..", "malformed", "No way back."),
    }
    for name, (url, expect, comment) in urls.items():
        yield vector(f"listing-text/{name}", expect, comment, changed(text, urls=[url]))
    tree = json.loads(text)
    no_seal = [key for key in tree["keys"] if key["purpose"] != "seal"]
    cases: Mapping[str, tuple[str, bytes]] = {
        "no-pin": ("A URL, and nothing to know its certificate by.", changed(text, pins=[])),
        "no-url-no-pull": ("Neither a URL nor pull.", changed(text, urls=[])),
        "no-seal-key": ("Nothing to seal to.", changed(text, keys=no_seal)),
        "key-twice": ("A key stands once.", changed(text, keys=[*tree["keys"], tree["keys"][0]])),
        "serial-zero": ("Serials count from 1.", changed(text, serial=0)),
        "second-without-prev": ("The second names the first.", changed(text, serial=2)),
        "no-pull": ("No field may be absent.", without(text, "pull")),
        "pull-a-number": ("true or false.", changed(text, pull=1)),
    }
    for name, (comment, body) in cases.items():
        yield vector(f"listing-text/{name}", "malformed", comment, body)


# --- revocations ---------------------------------------------------------------------------


def _revocations(trust: Trust) -> Iterator[Vector]:
    hop = next(one.key for one in trust.listing(FJ).listing.keys if one.key.purpose == "hop")
    good = Revocation(NETWORK, FJ, "hop", hop.key_id, NOW, None)
    text = good.text()
    pair = trust.sign_pair(FJ)
    public = {f"sign-{key.algorithm}": f"public {to_base64(key.raw)}" for key in pair.public}

    def own(name: str, expect: str, comment: str, statement: Unverified) -> Vector:
        headers = {"document": "network/ok-first", "by": "authority", **public}
        return Vector(f"revocation/{name}", expect, comment, statement.encode(), headers)

    def by_stewards(name: str, expect: str, comment: str, count: int) -> Vector:
        statement = Unverified(REVOCATION_TYPE, text, ())
        for one in trust.steward_pairs[:count]:
            statement = merge_signatures(sign(REVOCATION_TYPE, text, one), statement)
        headers = {"document": "network/ok-first", "by": "stewards"}
        return Vector(f"revocation/{name}", expect, comment, statement.encode(), headers)

    signed = sign(REVOCATION_TYPE, text, pair)
    yield own("ok", "ok", "An authority revokes its own hop key.", signed)
    sized = replace(good, purpose="log", log_size=12)
    yield own("ok-log-size", "ok", "With the size of its log up to which it answers.",
              sign(REVOCATION_TYPE, sized.text(), pair))  # fmt: skip
    yield own("only-ed25519", "not-authentic", "One signature is stripped.",
              replace(signed, signatures=signed.signatures[:1]))  # fmt: skip
    yield own("by-another", "not-authentic", "By another authority.",
              sign(REVOCATION_TYPE, text, trust.sign_pair(QM)))  # fmt: skip
    foreign = replace(good, network="atlantic")
    yield own("other-network", "not-for-us", "Of another network.",
              sign(REVOCATION_TYPE, foreign.text(), pair))  # fmt: skip
    unknown = replace(good, authority="to.justice")
    yield own("unknown-authority", "not-permitted", "For an authority that is not listed.",
              sign(REVOCATION_TYPE, unknown.text(), pair))  # fmt: skip
    steward = changed(text, purpose="steward")
    yield own("of-a-steward", "malformed", "A steward's key is left out of the next document.",
              sign(REVOCATION_TYPE, steward, pair))  # fmt: skip
    yield by_stewards("ok-stewards", "ok", "Two of three stewards revoke for it.", 2)
    yield by_stewards("stewards-below-threshold", "not-authentic", "One of three.", 1)


def vectors() -> Iterator[Vector]:
    """Give all vectors of this module."""
    trust = _trust()
    yield from _documents(trust)
    yield from _document_texts(trust)
    yield from _listings(trust)
    yield from _listing_texts(trust)
    yield from _revocations(trust)
