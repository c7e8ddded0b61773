"""Bundles whose parts are anything at all, in a container that is as it must be.

Never another exception than a refusal, and never a truth: a bundle is read by people who
got it from a stranger.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from node.audit.verify import Verdict, verify_file
from protocol.bundle import Bundle, decode_bundle
from protocol.bundle_parts import parse_parts, summary_of
from protocol.encoding import canonical, from_base64, to_base64
from protocol.errors import Rejected
from tests.support.strategies import json_values, mutations
from tests.vectors.form import read

FOLDERS = ("messages", "receipts", "records", "documents", "listings", "heads")


@cache
def good() -> Bundle:
    """Give the bundle that is spoilt."""
    return decode_bundle(read("bundle/ok-case").body)


def judged(folder: str, place: int, raw: bytes) -> Verdict:
    """Judge the bundle with one part exchanged; counts and summary are made to fit."""
    found = list(good().folder(folder))
    found[place] = raw
    parts: Mapping[str, tuple[bytes, ...]] = {**good().parts, folder: tuple(found)}
    spoilt = Bundle(good().about, parts, good().summary)
    with suppress(Rejected):  # then it is refused before anybody looks at the summary
        spoilt = Bundle(good().about, parts, summary_of(parse_parts(spoilt)))
    return verify_file(spoilt.encode()).conclusion


@given(chance=st.data())
@settings(max_examples=150, deadline=None)
def test_a_mutated_part_is_never_true(chance: st.DataObject) -> None:
    """Cut, doubled, or with a few other bytes."""
    folder = chance.draw(st.sampled_from(FOLDERS))
    place = chance.draw(st.integers(0, len(good().folder(folder)) - 1))
    raw = good().folder(folder)[place]
    spoilt = chance.draw(mutations(raw))
    if spoilt != raw:
        assert judged(folder, place, spoilt) is not Verdict.TRUE


@given(chance=st.data())
@settings(max_examples=250, deadline=None)
def test_a_part_with_any_field_is_never_true(chance: st.DataObject) -> None:
    """Canonical, with one field at any depth replaced by any JSON, also inside base64."""
    folder = chance.draw(st.sampled_from(FOLDERS))
    place = chance.draw(st.integers(0, len(good().folder(folder)) - 1))
    raw = good().folder(folder)[place]
    tree = _changed(chance, json.loads(raw))
    spoilt = canonical(tree)
    if spoilt != raw:
        assert judged(folder, place, spoilt) is not Verdict.TRUE


def _changed(chance: st.DataObject, tree: Any) -> Any:  # noqa: ANN401  (any JSON)
    """Change one value somewhere in a tree; a text that holds JSON is opened."""
    if isinstance(tree, str):
        inner = _json_in(tree)
        if inner is not None and chance.draw(st.booleans()):
            return to_base64(canonical(_changed(chance, inner)))
    deeper = isinstance(tree, (dict, list)) and tree
    if not deeper or chance.draw(st.integers(0, 9)) == 0:
        return chance.draw(json_values())
    keys = sorted(tree) if isinstance(tree, dict) else list(range(len(tree)))
    at = chance.draw(st.sampled_from(keys))
    copy = dict(tree) if isinstance(tree, dict) else list(tree)
    copy[at] = _changed(chance, tree[at])
    return copy


def _json_in(text: str) -> Any:  # noqa: ANN401  (any JSON)
    try:
        return json.loads(from_base64(text))
    except (Rejected, ValueError):
        return None
