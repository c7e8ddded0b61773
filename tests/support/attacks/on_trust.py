"""Attacks on what says whose keys count."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from protocol.dsse import Unverified, sign
from protocol.encoding import canonical, from_base64, to_base64
from protocol.network import NETWORK_TYPE
from tests.support.attacks.made import UNDECIDED, Base, on_parts
from tests.support.bundles import FIJI, QUMRAN, Parts
from tests.support.clock import START
from tests.support.forge import changed


@on_parts("document-left-out", "Nothing says whose keys count.", UNDECIDED)
def _(_base: Base, parts: Parts) -> None:
    parts["documents"] = []


@on_parts("document-of-a-stranger", "A document of the same names by other stewards.")
def _(base: Base, parts: Parts) -> None:
    parts["documents"] = list(base.stranger.parts["documents"])


@on_parts("document-changed", "The end of its time is moved, under the old signatures.")
def _(_base: Base, parts: Parts) -> None:
    statement = json.loads(parts["documents"][0])
    text = changed(from_base64(statement["payload"]), expires=START + 10**9)
    parts["documents"][0] = canonical({**statement, "payload": to_base64(text)})


@on_parts("document-with-one-signature", "A steward signed with one of two keys.")
def _(_base: Base, parts: Parts) -> None:
    statement = json.loads(parts["documents"][0])
    del statement["signatures"][0]
    parts["documents"][0] = canonical(statement)


@on_parts("document-by-nobody-of-before", "A next document that strangers signed.")
def _(base: Base, parts: Parts) -> None:
    old = base.trust.document
    text = replace(old.document, version=2, prev=old.digest).text()
    empty = Unverified(NETWORK_TYPE, text, ())
    made = sign(NETWORK_TYPE, text, base.stranger.trust.steward_pairs[0])
    parts["documents"].append(replace(empty, signatures=in_order(made)).encode())


@on_parts("document-missing-between", "A version is missing in the chain.", UNDECIDED)
def _(base: Base, parts: Parts) -> None:
    parts["documents"].append(base.trust.next_document(version=3))


def in_order(statement: Unverified) -> tuple[Any, ...]:
    """Give signatures as several offices give them."""
    return tuple(sorted(statement.signatures, key=lambda one: one.key_id))


@on_parts("listing-left-out", "Nothing shows one side's keys.", UNDECIDED)
def _(_base: Base, parts: Parts) -> None:
    del parts["listings"][0]


@on_parts("listing-of-a-stranger", "The same name with other keys.")
def _(base: Base, parts: Parts) -> None:
    parts["listings"][0] = base.stranger.parts["listings"][0]


@on_parts("listing-changed", "Another URL under the old signatures.")
def _(_base: Base, parts: Parts) -> None:
    statement = json.loads(parts["listings"][0])
    text = changed(from_base64(statement["payload"]), urls=["https://evil.example"])
    parts["listings"][0] = canonical({**statement, "payload": to_base64(text)})


@on_parts("key-revoked-before", "The sender's key was revoked before anything.", UNDECIDED)
def _(base: Base, parts: Parts) -> None:
    key_id = base.trust.sign_pair(FIJI).key_ids[0]
    parts["revocations"] = [base.trust.revocation(FIJI, "sign", key_id, at=START)]


@on_parts("log-key-revoked-before", "The key of a log was revoked before anything.", UNDECIDED)
def _(base: Base, parts: Parts) -> None:
    key_id = base.trust.rings[QUMRAN].signers("log").key_ids[1]
    parts["revocations"] = [base.trust.revocation(QUMRAN, "log", key_id, at=START)]


@on_parts("revocation-by-a-stranger", "Nobody who may has revoked it.")
def _(base: Base, parts: Parts) -> None:
    key_id = base.trust.sign_pair(FIJI).key_ids[0]
    parts["revocations"] = [base.stranger.trust.revocation(FIJI, "sign", key_id, at=START)]


@on_parts("log-cut-before-a-receipt", "The log was closed below what it has receipted.")
def _(base: Base, parts: Parts) -> None:
    root = base.story.books[QUMRAN].head(2).root
    parts["closures"] = [base.trust.closure(QUMRAN, 2, root, created=START + 900)]


@on_parts("log-closed-by-a-stranger", "Nobody who may has closed it.")
def _(base: Base, parts: Parts) -> None:
    book = base.story.books[QUMRAN]
    closing = base.stranger.trust.closure
    parts["closures"] = [closing(QUMRAN, len(book.records), book.head().root, created=START + 900)]
