"""Bundles to be judged by two readers: good ones, and each with one thing changed.

    for name, raw in variants():
        ...

Named by what was done. Every change is made to the parts and the whole is written anew in
its one form, so that a reader gets as far as the change; others flip a byte of the file.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeAlias

from protocol.bundle import FOLDERS, About, Bundle
from protocol.bundle_parts import parse_parts, summary_of
from protocol.digest import sha256_hex
from protocol.encoding import canonical
from protocol.errors import Rejected
from tests.browser.histories import histories
from tests.support.bundles import CASE, FIJI, QUMRAN, TONGA, Story, told
from tests.support.clock import START
from tests.support.trust import Trust, make_trust

Variant: TypeAlias = tuple[str, bytes]
Parts: TypeAlias = dict[str, tuple[bytes, ...]]

FLIPS = 80
DAMAGED = frozenset({"whole", "evidence", "proofs only", "records", "closed", "forked", "stamped"})
"""Of the others, parts are only left out: what is changed in them stands in these too."""


def variants() -> Iterator[Variant]:
    """Give every good bundle, and every changed one."""
    for name, bundle in good().items():
        raw = bundle.encode()
        yield name, raw
        yield from _without(name, bundle)
        if name in DAMAGED:
            yield from _damaged(name, bundle)
    whole = good()["whole"]
    yield from _flipped(whole.encode())
    yield from _foreign(whole)
    yield from _containers(whole)


def good() -> dict[str, Bundle]:
    """Give bundles of every kind."""
    trust = make_trust((FIJI, QUMRAN, TONGA))
    made = {
        "whole": told(trust).bundle(),
        "unwitnessed": _unwitnessed(trust).bundle(),
        "evidence": _evidence(trust).bundle(),
        "pending": _pending(trust).bundle(),
    }
    story = told(trust)
    parts = {**story.parts, "messages": [], "manifests": []}
    made["proofs only"] = story.bundle(parts, proofs_only=True)
    parts = {**parts, "receipts": [], "heads": []}
    made["records"] = story.bundle(parts, case=None)
    for name, revoke in REVOCATIONS.items():
        story = told(trust)
        story.parts["revocations"].append(revoke(trust))
        made[name] = story.bundle()
    return made | histories(trust)


def _unwitnessed(trust: Trust) -> Story:
    story = Story(trust)
    story.accept(
        story.send(FIJI, "transmit", {"subject": "\u202e<b>\u0645\u0631\u062d\u0628\u0627</b>"})
    )
    return story


def _pending(trust: Trust) -> Story:
    """Tell a case whose last message has no receipt yet, witnessed by one of two."""
    story = Story(trust)
    story.accept(story.send(FIJI, "transmit", {"list": [{"a": 1}, None, False]}))
    story.accept(story.send(QUMRAN, "answer", {}))
    story.send(FIJI, "note", {"text": "one more thing"})
    story.cosign(QUMRAN, witnesses=[TONGA])
    return story


def evidence_of(items: Mapping[str, bytes]) -> tuple[dict[str, Any], bytes]:
    """Give the `evidence` of a body, and its manifest, for files by their paths."""
    manifest: Any = {"v": 1, "items": [
        {"path": path, "type": "text/csv", "size": len(raw), "sha256": sha256_hex(raw)}
        for path, raw in sorted(items.items())
    ]}  # fmt: skip
    raw = canonical(manifest)
    return {"items": len(items), "manifest": manifest, "sha256": sha256_hex(raw)}, raw


def _evidence(trust: Trust) -> Story:
    story = Story(trust)
    evidence, manifest = evidence_of({"bank/ledger.csv": b"1,2\n", "bank/names.csv": b"a,b\n"})
    story.accept(story.send(FIJI, "transmit", {"evidence": evidence}))
    story.parts["manifests"].append(manifest)
    story.accept(story.send(QUMRAN, "answer", {"evidence": {**evidence, "items": 3}}))
    story.cosign(FIJI)
    story.cosign(QUMRAN)
    return story


def _key(trust: Trust, authority: str, purpose: str) -> str:
    return next(
        one.key.key_id for one in trust.listing(authority).listing.keys
        if one.key.purpose == purpose
    )  # fmt: skip


def _revoke(
    authority: str, purpose: str, *, stewards: bool = False, **changes: int
) -> Callable[[Trust], bytes]:
    def make(trust: Trust) -> bytes:
        sign = trust.revocation_by_stewards if stewards else trust.revocation
        return sign(authority, purpose, _key(trust, authority, purpose), **changes)

    return make


REVOCATIONS = {
    "sign key revoked early": _revoke(FIJI, "sign", at=START + 1),
    "sign key revoked late": _revoke(FIJI, "sign", at=START + 10_000),
    "sign key revoked with size": _revoke(FIJI, "sign", at=START + 1, log_size=2),
    "log key revoked early": _revoke(QUMRAN, "log", at=START + 1),
    "log key revoked by stewards": _revoke(QUMRAN, "log", stewards=True, at=START + 10_000),
    "log key revoked with size": _revoke(QUMRAN, "log", at=START + 1, log_size=100),
    "witness key revoked": _revoke(TONGA, "witness", at=START + 10_000),
}


# --- changes to parts --------------------------------------------------------------------------


def _remade(bundle: Bundle, parts: Mapping[str, tuple[bytes, ...]], **about: str) -> bytes:
    """Write a bundle anew; with the summary of its parts where they can be read."""
    made = replace(bundle, parts=parts, about=_about(bundle, about))
    with suppress(Rejected):
        made = replace(made, summary=summary_of(parse_parts(made)))
    return made.encode()


def _about(bundle: Bundle, changes: Mapping[str, Any]) -> About:
    return replace(bundle.about, **changes)


def _without(name: str, bundle: Bundle) -> Iterator[Variant]:
    for folder in FOLDERS:
        parts = bundle.folder(folder)
        for at in range(len(parts)):
            rest = {**bundle.parts, folder: (*parts[:at], *parts[at + 1 :])}
            yield f"{name} without {folder} {at + 1}", _remade(bundle, rest)


def _damaged(name: str, bundle: Bundle) -> Iterator[Variant]:
    """Change what each part says, keeping its form wherever a form can be kept."""
    for folder in FOLDERS:
        for at, raw in enumerate(bundle.folder(folder)):
            for kind, changed in _changes(raw):
                parts = list(bundle.folder(folder))
                parts[at] = changed
                rest = {**bundle.parts, folder: tuple(parts)}
                yield f"{name} with {folder} {at + 1} {kind}", _remade(bundle, rest)


def _changes(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """Give a part with one of its fields changed: a statement's text, a proof, a signature."""
    value = json.loads(raw)
    if value.get("signatures"):
        text = json.loads(base64.b64decode(value["payload"]))
        for field in ("created", "at", "authority", "network"):
            if field in text:
                other = text[field] + 1 if isinstance(text[field], int) else f"{text[field]}.x"
                altered = base64.b64encode(canonical({**text, field: other})).decode()
                yield f"{field} changed", canonical({**value, "payload": altered})
                break
        first, *rest = value["signatures"]
        broken = {**first, "sig": _turned(first["sig"])}
        yield "signature changed", canonical({**value, "signatures": [broken, *rest]})
        yield "signature less", canonical({**value, "signatures": rest})
    for field in ("salt", "record", "proof", "checkpoint"):
        if isinstance(value.get(field), str):
            yield f"{field} changed", canonical({**value, field: _turned(value[field])})
    if value.get("links"):
        first, *rest = value["links"]
        changed = [{**first, "root": _turned(first["root"])}, *rest]
        yield "root changed", canonical({**value, "links": changed})
        yield "link less", canonical({**value, "links": rest})
    yield "field more", canonical({**value, "x": 1})


def _turned(text: str) -> str:
    """Flip one bit in the middle of base64."""
    raw = bytearray(base64.b64decode(text))
    raw[len(raw) // 2] ^= 1
    return base64.b64encode(raw).decode()


# --- changes to the file -----------------------------------------------------------------------


def _flipped(raw: bytes) -> Iterator[Variant]:
    chance = random.Random(3)
    places = {0, 1, 10, len(raw) - 1, len(raw) - 10} | {
        chance.randrange(len(raw)) for _ in range(FLIPS)
    }
    for place in sorted(places):
        changed = bytearray(raw)
        changed[place] ^= 1 << chance.randrange(8)
        yield f"flipped at {place}", bytes(changed)


def _foreign(bundle: Bundle) -> Iterator[Variant]:
    """Give a bundle with a part of another case, network, or history."""
    other = told(make_trust((FIJI, QUMRAN, TONGA), network="atlantic")).bundle()
    for folder in FOLDERS:
        if other.folder(folder):
            parts = {**bundle.parts, folder: other.folder(folder)}
            yield f"{folder} of another network", _remade(bundle, parts)
    yield "another case", _remade(bundle, bundle.parts, case=CASE.replace("c0", "c1"))
    yield "another network", _remade(bundle, bundle.parts, network="atlantic")
    yield "another maker", _remade(bundle, bundle.parts, authority=TONGA)
    yield "another summary", replace(bundle, summary=bundle.summary + b"\n").encode()


def _containers(bundle: Bundle) -> Iterator[Variant]:
    raw = bundle.encode()
    yield "cut", raw[:-1]
    yield "half", raw[: len(raw) // 2]
    yield "longer", raw + b"\0"
    yield "twice", raw + raw
    turned = dict(bundle.parts)
    turned["receipts"] = turned["receipts"][::-1]
    yield "receipts turned", _remade(bundle, turned)
    doubled = dict(bundle.parts)
    doubled["receipts"] = (*doubled["receipts"], doubled["receipts"][-1])
    yield "receipt twice", _remade(bundle, doubled)
