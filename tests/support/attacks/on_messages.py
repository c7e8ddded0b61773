"""Attacks on the messages of a bundle."""

from __future__ import annotations

import json

from protocol.bundle import Entry
from protocol.encoding import canonical, from_base64, to_base64
from tests.support.attacks.made import (
    LAST,
    UNDECIDED,
    Base,
    insert,
    on_entries,
    on_parts,
    relink,
    resigned,
    text_of,
)
from tests.support.bundles import FIJI, QUMRAN, Parts
from tests.support.forge import changed


@on_parts("message-text-changed", "Another body under the old signatures.")
def _(_base: Base, parts: Parts) -> None:
    statement = json.loads(parts["messages"][0])
    statement["payload"] = to_base64(changed(from_base64(statement["payload"]), body={"x": "y"}))
    parts["messages"][0] = canonical(statement)


@on_parts("message-signed-by-the-other-side", "The recipient signed what its peer should have.")
def _(base: Base, parts: Parts) -> None:
    parts["messages"][0] = resigned(parts["messages"][0], base.trust.sign_pair(QUMRAN))


@on_parts("message-signed-by-other-keys", "Signatures of others under the right key ids.")
def _(base: Base, parts: Parts) -> None:
    mine = json.loads(parts["messages"][0])
    other = json.loads(resigned(parts["messages"][0], base.trust.sign_pair(QUMRAN)))
    for kept, put in zip(mine["signatures"], other["signatures"], strict=True):
        kept["sig"] = put["sig"]
    parts["messages"][0] = canonical(mine)


@on_parts("message-with-one-signature", "The second signature is left out.")
def _(_base: Base, parts: Parts) -> None:
    statement = json.loads(parts["messages"][0])
    del statement["signatures"][1]
    parts["messages"][0] = canonical(statement)


@on_parts("message-of-another-case", "A message of its sender, truly signed, in another case.")
def _(base: Base, parts: Parts) -> None:
    pair = base.trust.sign_pair(FIJI)
    parts["messages"][LAST] = resigned(parts["messages"][LAST], pair, case=f"{FIJI}/{'d1' * 16}")


@on_parts("message-exchanged-by-its-sender", "The sender signs another text for the same number.")
def _(base: Base, parts: Parts) -> None:
    pair = base.trust.sign_pair(FIJI)
    parts["messages"][0] = resigned(parts["messages"][0], pair, body={"subject": "never mind"})


@on_parts("message-in-the-place-of-the-last", "The last message is exchanged with its receipt.")
def _(base: Base, parts: Parts) -> None:
    pair = base.trust.sign_pair(FIJI)
    parts["messages"][LAST] = resigned(parts["messages"][LAST], pair, prev="ab" * 32)
    del parts["receipts"][LAST]


@on_parts("message-left-out", "A message is missing, its receipt is there.")
def _(_base: Base, parts: Parts) -> None:
    del parts["messages"][0]


@on_parts("message-left-out-with-its-receipt", "What follows names it.", UNDECIDED)
def _(_base: Base, parts: Parts) -> None:
    del parts["messages"][0], parts["receipts"][0]
    relink(parts)


@on_parts("answer-left-out-with-its-receipt", "What follows has seen it.", UNDECIDED)
def _(_base: Base, parts: Parts) -> None:
    del parts["messages"][1], parts["receipts"][1]
    relink(parts)


@on_entries("message-twice-for-one-number", "A sender signed two texts for one number.")
def _(base: Base, entries: list[Entry]) -> None:
    pair = base.trust.sign_pair(FIJI)
    second = resigned(base.story.parts["messages"][0], pair, body={"subject": "another"})
    insert(entries, "messages", 1, second)


@on_parts("message-from-a-later-document", "Its document is not in the file.", UNDECIDED)
def _(base: Base, parts: Parts) -> None:
    parts["messages"][LAST] = resigned(parts["messages"][LAST], base.trust.sign_pair(FIJI), epoch=2)
    del parts["receipts"][LAST]
    relink(parts)


@on_parts("message-that-has-seen-its-own", "`seen` names a message of its own sender.")
def _(base: Base, parts: Parts) -> None:
    text = text_of(parts["messages"][LAST])
    parts["messages"][LAST] = resigned(
        parts["messages"][LAST], base.trust.sign_pair(FIJI), seen=text["prev"]
    )
    del parts["receipts"][LAST]
    relink(parts)


@on_parts("message-of-a-stranger", "The same words, by somebody of the same name.")
def _(base: Base, parts: Parts) -> None:
    parts["messages"][0] = base.stranger.parts["messages"][0]
